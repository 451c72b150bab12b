//! The authority itself: made, renewed, loaded; what it issues and signs.

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName as RcgenName, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PublicKeyData, SerialNumber,
};
use rustls_pki_types::CertificateDer;

use super::fields::{date, organization_identifier_type, rcgen_name};
use super::keys::{KeyType, key_pair, read_key_pair, read_public_key};
use super::{CertificateRequest, IssueError, Profile, PublicationPoints, profiles};
use crate::certificate::{Certificate, fingerprint, hex};
use crate::oid;

/// The names of an authority: every one of them must say TEST or SANDBOX.
///
/// ```
/// use eidas::issue::{Authority, AuthorityName, IssueError, KeyType};
///
/// let real = AuthorityName {
///     country: "NL".to_owned(),
///     locality: None,
///     organization_identifier: None,
///     organization: "Some Trust Service".to_owned(),
///     common_name: "Some Qualified CA".to_owned(),
/// };
/// let validity = ("2026-01-01T00:00:00Z".parse().unwrap(), "2028-01-01T00:00:00Z".parse().unwrap());
/// let refused = Authority::root(&real, KeyType::P256, &[1], validity);
/// assert!(matches!(refused, Err(IssueError::Name(name)) if name == "Some Trust Service"));
/// ```
#[derive(Debug, Clone)]
pub struct AuthorityName {
    /// countryName.
    pub country: String,
    /// localityName, if any.
    pub locality: Option<String>,
    /// organizationIdentifier, if any.
    pub organization_identifier: Option<String>,
    /// organizationName.
    pub organization: String,
    /// commonName.
    pub common_name: String,
}

/// A certification authority for tests.
///
/// ```
/// use eidas::issue::{Authority, AuthorityName, CertificateRequest, KeyType, Profile, PublicationPoints, generate_key};
/// use eidas::{OrganizationIdentifier, Role};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let validity = ("2026-01-01T00:00:00Z".parse()?, "2028-01-01T00:00:00Z".parse()?);
/// let name = AuthorityName {
///     country: "NL".to_owned(),
///     locality: None,
///     organization_identifier: None,
///     organization: "Example (TEST)".to_owned(),
///     common_name: "Example CA (TEST)".to_owned(),
/// };
/// let authority = Authority::root(&name, KeyType::P256, &[1], validity)?;
/// let request = CertificateRequest {
///     organization_identifier: OrganizationIdentifier::parse("PSDNL-DNB-R123456")?,
///     organization_name: "Example TPP B.V.".to_owned(),
///     country: "NL".to_owned(),
///     locality: "Utrecht".to_owned(),
///     roles: vec![Role::AccountInformation],
///     common_name: "tpp.example".to_owned(),
///     serial: vec![2],
///     not_before: validity.0,
///     not_after: validity.1,
/// };
/// let points = PublicationPoints {
///     ca_issuers: "http://pki.example/ca.cer".to_owned(),
///     crl: "http://pki.example/ca.crl".to_owned(),
///     ocsp: Some("http://pki.example/ocsp".to_owned()),
///     disclosure_statement: Some("https://pki.example/pds.pdf".to_owned()),
/// };
/// let (_private_key, public_key) = generate_key(KeyType::P256)?;
/// let seal = authority.issue(Profile::QSeal, &request, &points, &public_key)?;
/// assert_eq!(seal.roles(), [Role::AccountInformation]);
/// # Ok(())
/// # }
/// ```
pub struct Authority {
    der: Vec<u8>,
    key_pem: String,
    pub(super) issuer: Issuer<'static, KeyPair>,
}

/// Names it, and shows nothing of its key.
impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authority({})", hex(&fingerprint(&self.der)))
    }
}

impl Authority {
    /// A root authority with a fresh key.
    ///
    /// # Errors
    /// [`IssueError`]
    pub fn root(
        name: &AuthorityName,
        key_type: KeyType,
        serial: &[u8],
        validity: (Timestamp, Timestamp),
    ) -> Result<Self, IssueError> {
        let key = key_pair(key_type)?;
        let params = authority_params(name, serial, validity, BasicConstraints::Unconstrained)?;
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            der: certificate.der().to_vec(),
            key_pem: key.serialize_pem(),
            issuer: Issuer::new(params, key),
        })
    }

    /// An authority under this one, with a fresh key, that may issue to end entities only. `points` are where this
    /// authority publishes.
    ///
    /// # Errors
    /// [`IssueError`]
    pub fn subordinate(
        &self,
        name: &AuthorityName,
        key_type: KeyType,
        serial: &[u8],
        validity: (Timestamp, Timestamp),
        points: &PublicationPoints,
    ) -> Result<Self, IssueError> {
        self.certify(name, key_pair(key_type)?, serial, validity, points)
    }

    /// A new certificate for an authority under this one, with the name and key that it has.
    ///
    /// # Errors
    /// [`IssueError`]
    pub fn renew_subordinate(
        &self,
        subordinate: &Self,
        serial: &[u8],
        validity: (Timestamp, Timestamp),
        points: &PublicationPoints,
    ) -> Result<Self, IssueError> {
        let subject = Certificate::from_der(&subordinate.der)?.subject;
        let text = |oid| subject.first(oid).map(str::to_owned);
        let name = AuthorityName {
            country: text(oid::COUNTRY_NAME).unwrap_or_default(),
            locality: text(oid::LOCALITY_NAME),
            organization_identifier: text(oid::ORGANIZATION_IDENTIFIER),
            organization: text(oid::ORGANIZATION_NAME).unwrap_or_default(),
            common_name: text(oid::COMMON_NAME).unwrap_or_default(),
        };
        self.certify(&name, read_key_pair(&subordinate.key_pem)?, serial, validity, points)
    }

    fn certify(
        &self,
        name: &AuthorityName,
        key: KeyPair,
        serial: &[u8],
        validity: (Timestamp, Timestamp),
        points: &PublicationPoints,
    ) -> Result<Self, IssueError> {
        let mut params = authority_params(name, serial, validity, BasicConstraints::Constrained(0))?;
        params.use_authority_key_identifier_extension = true;
        profiles::publish(&mut params, points, Some(oid::POLICY_ANY))?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Self {
            der: certificate.der().to_vec(),
            key_pem: key.serialize_pem(),
            issuer: Issuer::new(params, key),
        })
    }

    /// An authority from its certificate and its key as they were saved.
    ///
    /// # Errors
    /// [`IssueError`] if they cannot be read, or do not belong together.
    pub fn load(der: &[u8], key_pem: impl AsRef<[u8]>) -> Result<Self, IssueError> {
        let key = read_key_pair(key_pem)?;
        if key.subject_public_key_info() != Certificate::from_der(der)?.public_key.spki_der {
            return Err(IssueError::ForeignKey);
        }
        let key_pem = key.serialize_pem();
        let issuer = Issuer::from_ca_cert_der(&CertificateDer::from(der), key)?;
        Ok(Self { der: der.to_vec(), key_pem, issuer })
    }

    /// The authority's certificate.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The authority's private key, PKCS#8 PEM.
    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }

    /// Issues a certificate to a third party for its public key (SubjectPublicKeyInfo, PEM).
    ///
    /// # Errors
    /// [`IssueError`]
    pub fn issue(
        &self,
        profile: Profile,
        request: &CertificateRequest,
        points: &PublicationPoints,
        public_key_pem: &str,
    ) -> Result<Certificate, IssueError> {
        let certificate = self.issue_for_any_key(profile, request, points, public_key_pem)?;
        certificate.public_key.check().map_err(|e| IssueError::PublicKey(e.to_string()))?;
        Ok(certificate)
    }

    /// The same however weak the key is: for tests of whoever has to refuse it.
    ///
    /// # Errors
    /// [`IssueError`]
    pub fn issue_for_any_key(
        &self,
        profile: Profile,
        request: &CertificateRequest,
        points: &PublicationPoints,
        public_key_pem: &str,
    ) -> Result<Certificate, IssueError> {
        if request.roles.is_empty() {
            return Err(IssueError::NoRole);
        }
        let public_key = read_public_key(public_key_pem)?;
        let mut params = CertificateParams::default();
        (params.not_before, params.not_after) = (date(request.not_before)?, date(request.not_after)?);
        params.is_ca = IsCa::ExplicitNoCa;
        match profile {
            Profile::TestClient => profiles::test_client(&mut params, request, &self.der)?,
            Profile::Qwac => profiles::qwac(&mut params, request, points)?,
            Profile::QSeal => profiles::qseal(&mut params, request, points)?,
        }
        let der = params.signed_by(&public_key, &self.issuer)?.der().to_vec();
        Ok(Certificate::from_der(&der)?)
    }

    /// Issues a server certificate for these DNS names and IP addresses.
    ///
    /// # Errors
    /// [`IssueError`]
    pub fn issue_server(
        &self,
        (names, organization): (&[String], &str),
        serial: &[u8],
        validity: (Timestamp, Timestamp),
        points: &PublicationPoints,
        public_key_pem: &str,
    ) -> Result<Vec<u8>, IssueError> {
        let mut params = CertificateParams::new(names)?;
        let common_name = names.first().cloned().unwrap_or_default();
        params.distinguished_name = RcgenName::new();
        params.distinguished_name.push(DnType::OrganizationName, organization);
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.serial_number = Some(SerialNumber::from_slice(serial));
        (params.not_before, params.not_after) = (date(validity.0)?, date(validity.1)?);
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        profiles::publish(&mut params, points, None)?;
        let public_key = read_public_key(public_key_pem)?;
        Ok(params.signed_by(&public_key, &self.issuer)?.der().to_vec())
    }

    /// Signs a revocation list of these serial numbers with their revocation times.
    ///
    /// # Errors
    /// [`IssueError`]
    pub fn revocation_list(
        &self,
        number: u64,
        revoked: &[(Vec<u8>, Timestamp)],
        this_update: Timestamp,
        next_update: Timestamp,
    ) -> Result<Vec<u8>, IssueError> {
        let revoked_certs = revoked
            .iter()
            .map(|(serial, at)| {
                Ok(rcgen::RevokedCertParams {
                    serial_number: SerialNumber::from_slice(serial),
                    revocation_time: date(*at)?,
                    reason_code: Some(rcgen::RevocationReason::Superseded),
                    invalidity_date: None,
                })
            })
            .collect::<Result<_, IssueError>>()?;
        let params = rcgen::CertificateRevocationListParams {
            this_update: date(this_update)?,
            next_update: date(next_update)?,
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(params.signed_by(&self.issuer)?.der().to_vec())
    }
}

fn authority_params(
    name: &AuthorityName,
    serial: &[u8],
    validity: (Timestamp, Timestamp),
    constraints: BasicConstraints,
) -> Result<CertificateParams, IssueError> {
    for text in [&name.organization, &name.common_name] {
        let upper = text.to_ascii_uppercase();
        if !upper.contains("TEST") && !upper.contains("SANDBOX") {
            return Err(IssueError::Name(text.clone()));
        }
    }
    let mut attributes = vec![(DnType::CountryName, name.country.as_str())];
    attributes.extend(name.locality.as_deref().map(|locality| (DnType::LocalityName, locality)));
    let identifier = name.organization_identifier.as_deref();
    attributes.extend(identifier.map(|identifier| (organization_identifier_type(), identifier)));
    attributes.push((DnType::OrganizationName, &name.organization));
    attributes.push((DnType::CommonName, &name.common_name));
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen_name(&attributes)?;
    params.serial_number = Some(SerialNumber::from_slice(serial));
    (params.not_before, params.not_after) = (date(validity.0)?, date(validity.1)?);
    params.is_ca = IsCa::Ca(constraints);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}
