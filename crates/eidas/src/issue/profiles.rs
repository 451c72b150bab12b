//! What each certificate profile puts into a certificate.

use der::asn1::{Ia5String, OctetString};
use der::{Decode, Encode};
use rcgen::{
    CertificateParams, CrlDistributionPoint, CustomExtension, DnType, ExtendedKeyUsagePurpose,
    KeyUsagePurpose, SanType, SerialNumber,
};
use x509_cert::ext::pkix::certpolicy::PolicyInformation;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AccessDescription, AuthorityInfoAccessSyntax, AuthorityKeyIdentifier, CertificatePolicies,
};

use super::{CertificateRequest, IssueError, PublicationPoints, organization_identifier_type, rcgen_name};
use crate::certificate::Certificate;
use crate::oid;
use crate::qc_statements::{self, DisclosureStatement, Psd2Statement, QcStatements, QcType};

/// Serial number 1, critical qcStatements; `authority` is the issuer's DER.
pub(super) fn test_client(
    params: &mut CertificateParams,
    request: &CertificateRequest,
    authority: &[u8],
) -> Result<(), IssueError> {
    params.serial_number = Some(SerialNumber::from(1u64));
    params.distinguished_name = rcgen_name(&[
        (DnType::CountryName, &request.country),
        (DnType::LocalityName, &request.locality),
        (organization_identifier_type(), request.organization_identifier.as_str()),
        (DnType::OrganizationName, &request.organization_name),
        (DnType::CommonName, &request.common_name),
    ])?;
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
        KeyUsagePurpose::KeyCertSign,
    ];
    let statements = QcStatements {
        psd2: Some(Psd2Statement {
            roles: request.roles.clone(),
            unknown_roles: Vec::new(),
            nca_name: "ncaName".to_owned(),
            nca_id: "ncaId".to_owned(),
        }),
        ..QcStatements::default()
    };
    let mut extension = extension(oid::QC_STATEMENTS, qc_statements::encode(&statements)?);
    extension.set_criticality(true);
    params.custom_extensions = vec![full_authority_key_identifier(authority)?, extension];
    Ok(())
}

pub(super) fn qwac(
    params: &mut CertificateParams,
    request: &CertificateRequest,
    points: &PublicationPoints,
) -> Result<(), IssueError> {
    standard(params, request, points, QcType::Web, oid::POLICY_QNCP_W_GEN)?;
    let dns_name = request.common_name.clone().try_into().map_err(IssueError::from)?;
    params.subject_alt_names = vec![SanType::DnsName(dns_name)];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    // TS 119 495, 5.3 note 3: with serverAuth alone a QWAC cannot be used by a TLS client.
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    Ok(())
}

pub(super) fn qseal(
    params: &mut CertificateParams,
    request: &CertificateRequest,
    points: &PublicationPoints,
) -> Result<(), IssueError> {
    standard(params, request, points, QcType::Eseal, oid::POLICY_QCP_L)?;
    // Type A of EN 319 412-2, 4.3.2: recommended for seals.
    params.key_usages = vec![KeyUsagePurpose::ContentCommitment];
    Ok(())
}

/// What both standard profiles share.
fn standard(
    params: &mut CertificateParams,
    request: &CertificateRequest,
    points: &PublicationPoints,
    qc_type: QcType,
    policy: der::asn1::ObjectIdentifier,
) -> Result<(), IssueError> {
    params.serial_number = Some(SerialNumber::from_slice(&request.serial));
    params.distinguished_name = rcgen_name(&[
        (DnType::CountryName, &request.country),
        (DnType::LocalityName, &request.locality),
        (DnType::OrganizationName, &request.organization_name),
        (organization_identifier_type(), request.organization_identifier.as_str()),
        (DnType::CommonName, &request.common_name),
    ])?;
    params.use_authority_key_identifier_extension = true;
    publish(params, points, Some(policy))?;
    let statements = QcStatements {
        qc_compliance: true,
        qc_types: vec![qc_type],
        disclosure_statements: points
            .disclosure_statement
            .iter()
            .map(|url| DisclosureStatement { url: url.clone(), language: "en".to_owned() })
            .collect(),
        semantics: Some(oid::SEMANTICS_LEGAL_PERSON),
        psd2: Some(psd2_statement(request)),
        ..QcStatements::default()
    };
    params.custom_extensions.push(extension(oid::QC_STATEMENTS, qc_statements::encode(&statements)?));
    Ok(())
}

/// Says where the issuer publishes its certificate and its revocation list, and names a policy.
pub(super) fn publish(
    params: &mut CertificateParams,
    points: &PublicationPoints,
    policy: Option<der::asn1::ObjectIdentifier>,
) -> Result<(), IssueError> {
    params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![points.crl.clone()] }];
    if let Some(policy_identifier) = policy {
        let policy = PolicyInformation { policy_identifier, policy_qualifiers: None };
        let policies = CertificatePolicies(vec![policy]);
        params.custom_extensions.push(extension(oid::CERTIFICATE_POLICIES, policies.to_der()?));
    }
    let locations = points.ocsp.iter().map(|url| (oid::OCSP, url));
    let locations = locations.chain([(oid::CA_ISSUERS, &points.ca_issuers)]);
    let access = locations.map(|(access_method, url)| {
        let access_location = GeneralName::UniformResourceIdentifier(Ia5String::new(url)?);
        Ok::<_, IssueError>(AccessDescription { access_method, access_location })
    });
    let access = AuthorityInfoAccessSyntax(access.collect::<Result<_, _>>()?);
    params.custom_extensions.push(extension(oid::AUTHORITY_INFO_ACCESS, access.to_der()?));
    Ok(())
}

fn psd2_statement(request: &CertificateRequest) -> Psd2Statement {
    // A provider without an authorisation number still names an authority; "NA" is right for none.
    let nca_id = request
        .organization_identifier
        .authorization_number()
        .map_or_else(|| "NA".to_owned(), crate::AuthorizationNumber::nca_id);
    Psd2Statement {
        roles: request.roles.clone(),
        unknown_roles: Vec::new(),
        nca_name: format!("Competent authority {nca_id} (TEST)"),
        nca_id,
    }
}

/// authorityKeyIdentifier with key id, directory name and serial number.
fn full_authority_key_identifier(authority: &[u8]) -> Result<CustomExtension, IssueError> {
    let own = x509_cert::Certificate::from_der(authority)?;
    let key_id = Certificate::from_der(authority)?.subject_key_identifier.unwrap_or_default();
    let tbs = own.tbs_certificate();
    let identifier = AuthorityKeyIdentifier {
        key_identifier: Some(OctetString::new(key_id)?),
        authority_cert_issuer: Some(vec![GeneralName::DirectoryName(tbs.issuer().clone())]),
        authority_cert_serial_number: Some(tbs.serial_number().clone()),
    };
    Ok(extension(oid::AUTHORITY_KEY_IDENTIFIER, identifier.to_der()?))
}

fn extension(oid: der::asn1::ObjectIdentifier, content: Vec<u8>) -> CustomExtension {
    CustomExtension::from_oid_content(&oid::arcs(oid), content)
}
