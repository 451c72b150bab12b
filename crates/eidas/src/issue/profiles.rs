//! What each certificate profile puts into a certificate.

use der::asn1::{AnyRef, Ia5StringRef, ObjectIdentifier};
use der::{Encode, Sequence, Tag, TagNumber};
use rcgen::{
    CertificateParams, CrlDistributionPoint, CustomExtension, DnType, ExtendedKeyUsagePurpose,
    KeyUsagePurpose, SanType, SerialNumber,
};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::fields::{organization_identifier_type, rcgen_name};
use super::{CertificateRequest, IssueError, PublicationPoints};
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
    policy: ObjectIdentifier,
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
    policy: Option<ObjectIdentifier>,
) -> Result<(), IssueError> {
    let crl = Ia5StringRef::new(&points.crl)?.as_str().to_owned();
    params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![crl] }];
    if let Some(policy) = policy {
        // A policy is a SEQUENCE of its identifier and optional qualifiers (RFC 5280, 4.2.1.4).
        let policies = vec![vec![policy]];
        params.custom_extensions.push(extension(oid::CERTIFICATE_POLICIES, policies.to_der()?));
    }
    let locations = points.ocsp.iter().map(|url| (oid::OCSP, url));
    let locations = locations.chain([(oid::CA_ISSUERS, &points.ca_issuers)]);
    let access = locations.map(|(method, url)| {
        Ia5StringRef::new(url)?;
        Ok::<_, IssueError>(AccessDescription {
            method,
            location: AnyRef::new(context(6, false), url.as_bytes())?,
        })
    });
    let access = access.collect::<Result<Vec<_>, _>>()?;
    params.custom_extensions.push(extension(oid::AUTHORITY_INFO_ACCESS, access.to_der()?));
    Ok(())
}

/// An entry of authorityInfoAccess (RFC 5280, 4.2.2.1); the location is a GeneralName.
#[derive(Sequence)]
struct AccessDescription<'a> {
    method: ObjectIdentifier,
    location: AnyRef<'a>,
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

/// authorityKeyIdentifier with key id, directory name and serial number (RFC 5280, 4.2.1.1).
fn full_authority_key_identifier(authority: &[u8]) -> Result<CustomExtension, IssueError> {
    let key_id = Certificate::from_der(authority)?.subject_key_identifier.unwrap_or_default();
    let (_, own) = X509Certificate::from_der(authority)
        .map_err(|_| IssueError::Field("the authority's certificate cannot be read".to_owned()))?;
    // A Name is a CHOICE, so that its tag as a GeneralName stands around its own.
    let issuer = AnyRef::new(context(4, true), own.issuer().as_raw())?.to_der()?;
    let identifier = vec![
        AnyRef::new(context(0, false), &key_id)?,
        AnyRef::new(context(1, true), &issuer)?,
        AnyRef::new(context(2, false), own.raw_serial())?,
    ];
    Ok(extension(oid::AUTHORITY_KEY_IDENTIFIER, identifier.to_der()?))
}

/// The tag of a member or choice that a standard numbers in place of naming its type.
fn context(number: u32, constructed: bool) -> Tag {
    Tag::ContextSpecific { constructed, number: TagNumber(number) }
}

fn extension(oid: ObjectIdentifier, content: Vec<u8>) -> CustomExtension {
    CustomExtension::from_oid_content(&oid::arcs(oid), content)
}
