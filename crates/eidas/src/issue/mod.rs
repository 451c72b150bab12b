//! Test certificates: an authority for tests and the certificates it issues to third parties.
//!
//! Nothing here can make a certificate that a real bank trusts: every authority's name says TEST.

mod keys;
mod profiles;
mod responder;

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName as RcgenName, DnType, DnValue,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PublicKeyData,
    SerialNumber,
};
use rustls_pki_types::CertificateDer;

#[cfg(feature = "drawn-keys")]
pub use keys::draw_rsa_keys_from;
pub use keys::{KeyType, generate_key};
pub use responder::{Asked, NoStatus, Responder};

use keys::{key_pair, read_key_pair, read_public_key};

use crate::certificate::{Certificate, CertificateError, fingerprint, hex};
use crate::{OrganizationIdentifier, Role, oid};

/// Which certificate to issue.
///
/// ```
/// use eidas::issue::{Authority, AuthorityName, CertificateRequest, KeyType, Profile, PublicationPoints, generate_key};
/// use eidas::{Purpose, verify_purpose};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let validity = ("2026-01-01T00:00:00Z".parse()?, "2028-01-01T00:00:00Z".parse()?);
/// # let name = AuthorityName {
/// #     country: "NL".to_owned(),
/// #     locality: None,
/// #     organization_identifier: None,
/// #     organization: "Example (TEST)".to_owned(),
/// #     common_name: "Example CA (TEST)".to_owned(),
/// # };
/// # let authority = Authority::root(&name, KeyType::P256, &[1], validity)?;
/// # let request = CertificateRequest {
/// #     organization_identifier: eidas::OrganizationIdentifier::parse("PSDNL-DNB-R123456")?,
/// #     organization_name: "Example TPP B.V.".to_owned(),
/// #     country: "NL".to_owned(),
/// #     locality: "Utrecht".to_owned(),
/// #     roles: vec![eidas::Role::AccountInformation],
/// #     common_name: "tpp.example".to_owned(),
/// #     serial: vec![2],
/// #     not_before: validity.0,
/// #     not_after: validity.1,
/// # };
/// # let points = PublicationPoints {
/// #     ca_issuers: "http://pki.example/ca.cer".to_owned(),
/// #     crl: "http://pki.example/ca.crl".to_owned(),
/// #     ocsp: Some("http://pki.example/ocsp".to_owned()),
/// #     disclosure_statement: Some("https://pki.example/pds.pdf".to_owned()),
/// # };
/// # let (_, public_key) = generate_key(KeyType::P256)?;
/// let qwac = authority.issue(Profile::Qwac, &request, &points, &public_key)?;
/// assert_eq!(verify_purpose(&qwac, Purpose::Qwac), Ok(()));
/// assert_eq!(qwac.dns_names, ["tpp.example"]);
/// let any = authority.issue(Profile::TestClient, &request, &points, &public_key)?;
/// assert_eq!((any.serial_hex().as_str(), any.qc_type()), ("1", None));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// What the test client of a compatible bank hands out: serial number 1, critical qcStatements with the
    /// PSD2 statement alone, no purpose. Good for signing and for TLS in a sandbox.
    TestClient,
    /// A QWAC by EN 319 412-4 and TS 119 495 (policy QNCP-w-gen).
    Qwac,
    /// A QSealC by EN 319 412-3 and TS 119 495 (policy QCP-l).
    QSeal,
}

/// What goes into a third party's certificate.
///
/// ```
/// use eidas::issue::CertificateRequest;
/// use eidas::{OrganizationIdentifier, Role};
///
/// let request = CertificateRequest {
///     organization_identifier: OrganizationIdentifier::parse("PSDNL-DNB-R123456")?,
///     organization_name: "Example TPP B.V.".to_owned(),
///     country: "NL".to_owned(),
///     locality: "Utrecht".to_owned(),
///     roles: vec![Role::AccountInformation],
///     common_name: "tpp.example".to_owned(),
///     serial: eidas::issue::serial_number([7; 16]).to_vec(),
///     not_before: "2026-01-01T00:00:00Z".parse().unwrap(),
///     not_after: "2028-01-01T00:00:00Z".parse().unwrap(),
/// };
/// let for_payments = CertificateRequest { roles: vec![Role::PaymentInitiation], ..request.clone() };
/// assert_eq!(for_payments.organization_identifier, request.organization_identifier);
/// # Ok::<(), eidas::OrganizationIdentifierError>(())
/// ```
#[derive(Debug, Clone)]
pub struct CertificateRequest {
    /// The holder's identifier.
    pub organization_identifier: OrganizationIdentifier,
    /// The holder's name.
    pub organization_name: String,
    /// The holder's country, ISO 3166-1.
    pub country: String,
    /// The holder's town.
    pub locality: String,
    /// Roles to grant; at least one.
    pub roles: Vec<Role>,
    /// commonName, and DNS name of a QWAC.
    pub common_name: String,
    /// Serial number, big-endian; ignored by [`Profile::TestClient`], which always has 1.
    pub serial: Vec<u8>,
    /// First second of validity.
    pub not_before: Timestamp,
    /// Last second of validity.
    pub not_after: Timestamp,
}

/// Where an authority publishes what certificates point to.
///
/// ```
/// use eidas::Certificate;
/// use eidas::issue::{Authority, AuthorityName, KeyType, PublicationPoints, generate_key};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let validity = ("2026-01-01T00:00:00Z".parse()?, "2028-01-01T00:00:00Z".parse()?);
/// # let name = AuthorityName {
/// #     country: "NL".to_owned(),
/// #     locality: None,
/// #     organization_identifier: None,
/// #     organization: "Example (TEST)".to_owned(),
/// #     common_name: "Example CA (TEST)".to_owned(),
/// # };
/// # let authority = Authority::root(&name, KeyType::P256, &[1], validity)?;
/// let points = PublicationPoints {
///     ca_issuers: "http://pki.example/ca.cer".to_owned(),
///     crl: "http://pki.example/ca.crl".to_owned(),
///     ocsp: Some("http://pki.example/ocsp".to_owned()),
///     disclosure_statement: None,
/// };
/// let (_private_key, public_key) = generate_key(KeyType::P256)?;
/// let names = ["api.bank.example".to_owned()];
/// let der = authority.issue_server((&names, "Example Bank (TEST)"), &[2], validity, &points, &public_key)?;
/// assert_eq!(Certificate::from_der(&der)?.crl_distribution_points, ["http://pki.example/ca.crl"]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct PublicationPoints {
    /// The authority's own certificate in DER, by http.
    pub ca_issuers: String,
    /// Its revocation list, by http.
    pub crl: String,
    /// Where it tells by OCSP how certificates stand, by http, if it does.
    pub ocsp: Option<String>,
    /// Its disclosure statement, by https.
    pub disclosure_statement: Option<String>,
}

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
    issuer: Issuer<'static, KeyPair>,
}

/// Names it, and shows nothing of its key.
impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authority({})", hex(&fingerprint(&self.der)))
    }
}

/// Why a certificate could not be issued.
///
/// ```
/// use eidas::issue::{Authority, IssueError, KeyType, generate_key};
///
/// let certificate = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/authority.pem"));
/// let certificate = eidas::Certificate::from_pem(certificate).unwrap();
/// let (another_key, _) = generate_key(KeyType::P256)?;
/// let refused = Authority::load(&certificate.der, &another_key).unwrap_err();
/// assert!(matches!(refused, IssueError::ForeignKey));
/// # Ok::<(), IssueError>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// A name that must say TEST or SANDBOX does not.
    #[error("\"{0}\" must contain TEST or SANDBOX: test authorities may not look like real ones")]
    Name(String),
    /// No role was asked for.
    #[error("at least one role is needed")]
    NoRole,
    /// The public key is not one that certificates here may hold.
    #[error("the public key cannot be used: {0}")]
    PublicKey(String),
    /// The authority's private key cannot be read.
    #[error("the authority's private key cannot be used: {0}")]
    Key(String),
    /// A private key that is not the one of the authority's certificate.
    #[error("the private key does not belong to the authority's certificate: its public key is another")]
    ForeignKey,
    /// A text that its field cannot hold.
    #[error("{0}")]
    Field(String),
}

impl From<rcgen::Error> for IssueError {
    fn from(error: rcgen::Error) -> Self {
        Self::Field(error.to_string())
    }
}

impl From<der::Error> for IssueError {
    fn from(error: der::Error) -> Self {
        Self::Field(error.to_string())
    }
}

impl From<CertificateError> for IssueError {
    fn from(error: CertificateError) -> Self {
        Self::Field(error.to_string())
    }
}

/// A serial number from 16 random octets: positive, and without a zero octet in front (RFC 5280, 4.1.2.2).
pub fn serial_number(mut random: [u8; 16]) -> [u8; 16] {
    random[0] = random[0] & 0x3f | 0x40;
    random
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

fn rcgen_name(attributes: &[(DnType, &str)]) -> Result<RcgenName, IssueError> {
    let mut name = RcgenName::new();
    for (kind, value) in attributes {
        if value.is_empty() || value.chars().any(char::is_control) {
            let shown = crate::name::visible(value);
            return Err(IssueError::Field(format!("\"{shown}\" is empty or has control characters")));
        }
        // RFC 5280, appendix A: countryName is a PrintableString of two characters.
        let value = match kind {
            DnType::CountryName if value.len() != 2 || !value.bytes().all(|b| b.is_ascii_alphabetic()) => {
                let shown = crate::name::visible(value);
                return Err(IssueError::Field(format!("country \"{shown}\" is not two letters, such as NL")));
            }
            DnType::CountryName => DnValue::PrintableString((*value).try_into()?),
            _ => DnValue::Utf8String((*value).to_owned()),
        };
        name.push(kind.clone(), value);
    }
    Ok(name)
}

fn organization_identifier_type() -> DnType {
    DnType::CustomDnType(oid::arcs(oid::ORGANIZATION_IDENTIFIER))
}

/// A time as certificates write it, whose years have four digits.
fn date(timestamp: Timestamp) -> Result<time::OffsetDateTime, IssueError> {
    const YEAR_0: i64 = -62_167_219_200;
    if timestamp.as_second() < YEAR_0 {
        return Err(IssueError::Field(format!(
            "{timestamp} is before the year 0, which no certificate can hold"
        )));
    }
    time::OffsetDateTime::from_unix_timestamp(timestamp.as_second())
        .map_err(|error| IssueError::Field(error.to_string()))
}
