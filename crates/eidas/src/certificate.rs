//! One X.509 certificate, parsed once into owned values.
//!
//! Reading is tolerant: whatever parses can be explained, and [`crate::check()`] says what is wrong with it.
//! Whether a bank accepts it is decided elsewhere.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use der::asn1::ObjectIdentifier;
use jiff::{SignedDuration, Timestamp};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

pub use crate::chain::{order, ordered_chain};

use crate::name::{self, Attribute, DistinguishedName};
use crate::organization_identifier::{OrganizationIdentifier, OrganizationIdentifierError};
use crate::pem::{Kind, PemError};
use crate::policies::PolicyRules;
use crate::public_key::PublicKey;
use crate::qc_statements::{QcStatements, QcStatementsError, QcType};
use crate::{Role, oid};

/// Largest certificate taken, in bytes of DER.
pub const MAX_BYTES: usize = 16 * 1024;

/// SHA-256 over the DER of a certificate: the one name that is unique to it.
pub type Fingerprint = [u8; 32];

/// A parsed certificate with the fields that PSD2 rules speak about.
///
/// ```
/// use eidas::{Certificate, Role};
///
/// let pem = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/seal.pem"));
/// let certificate = Certificate::from_pem(pem)?;
/// assert_eq!(certificate.organization_identifier().unwrap().as_str(), "PSDNL-DNB-R123456");
/// assert_eq!(certificate.roles(), [Role::PaymentInitiation, Role::AccountInformation]);
/// assert!(certificate.is_valid_at("2027-01-01T00:00:00Z".parse().unwrap()));
/// # Ok::<(), eidas::CertificateError>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Certificate {
    /// The certificate itself.
    pub der: Vec<u8>,
    /// SHA-256 over [`Certificate::der`].
    pub fingerprint: Fingerprint,
    /// 1, 2 or 3.
    pub version: u32,
    /// The serial number's content octets, big-endian two's complement as in the certificate.
    pub serial: Vec<u8>,
    /// Who holds the key.
    pub subject: DistinguishedName,
    /// Who signed the certificate.
    pub issuer: DistinguishedName,
    /// Attributes of the subject that are TeletexString, BMPString or UniversalString.
    pub old_strings: Vec<ObjectIdentifier>,
    /// First second of validity.
    pub not_before: Timestamp,
    /// Last second of validity.
    pub not_after: Timestamp,
    /// The holder's public key.
    pub public_key: PublicKey,
    /// Algorithm of the issuer's signature.
    pub signature_algorithm: ObjectIdentifier,
    /// basicConstraints: whether cA is true; absent without the extension.
    pub is_ca: Option<bool>,
    /// keyUsage: names of the set bits in the order of RFC 5280, 4.2.1.3; absent without the extension.
    pub key_usage: Option<Vec<&'static str>>,
    /// extKeyUsage.
    pub extended_key_usage: Vec<ObjectIdentifier>,
    /// dNSName entries of subjectAltName.
    pub dns_names: Vec<String>,
    /// certificatePolicies.
    pub policies: Vec<ObjectIdentifier>,
    /// caIssuers locations of authorityInfoAccess.
    pub ca_issuers: Vec<String>,
    /// OCSP locations of authorityInfoAccess.
    pub ocsp: Vec<String>,
    /// Locations of cRLDistributionPoints.
    pub crl_distribution_points: Vec<String>,
    /// Key identifier of authorityKeyIdentifier.
    pub authority_key_identifier: Option<Vec<u8>>,
    /// subjectKeyIdentifier.
    pub subject_key_identifier: Option<Vec<u8>>,
    /// qcStatements; absent without the extension.
    pub qc_statements: Option<Result<QcStatements, QcStatementsError>>,
    /// Every extension with its criticality, in the order of the certificate.
    pub extensions: Vec<(ObjectIdentifier, bool)>,
    /// Extensions that cannot be read, that nobody here needs, and that are not critical.
    pub unreadable_extensions: Vec<ObjectIdentifier>,
    /// What it says about policies of the certificates below it.
    pub(crate) policy_rules: PolicyRules,
}

/// Why bytes are not a certificate that this library reads.
///
/// ```
/// use eidas::{Certificate, CertificateError};
///
/// assert!(matches!(Certificate::from_der(&[0; 20_000]), Err(CertificateError::TooLarge)));
/// assert!(matches!(Certificate::from_pem("no PEM"), Err(CertificateError::Pem(_))));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// More than 16 KiB.
    #[error("it is larger than {} KiB", MAX_BYTES / 1024)]
    TooLarge,
    /// Not an X.509 certificate in DER.
    #[error("it is not an X.509 certificate in DER ({0})")]
    Malformed(String),
    /// Something else in DER.
    #[error("it is {0}; expected an X.509 certificate")]
    Other(Kind),
    /// Not PEM of a certificate.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// Octets after the certificate.
    #[error("{0} octets follow the end of the certificate")]
    TrailingOctets(usize),
    /// An extension that is critical, or that is needed here, cannot be read.
    #[error("its extension {} cannot be read", name::extension_name(*.0))]
    UnreadableExtension(ObjectIdentifier),
    /// An extension occurs twice (RFC 5280, 4.2).
    #[error("extension {0} occurs more than once")]
    DuplicateExtension(ObjectIdentifier),
}

impl Certificate {
    /// Reads one certificate.
    ///
    /// # Errors
    /// [`CertificateError`] if the bytes are not exactly one certificate of at most 16 KiB.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > MAX_BYTES {
            return Err(CertificateError::TooLarge);
        }
        let malformed = |what: &str| CertificateError::Malformed(what.to_owned());
        let (rest, x509) = X509Certificate::from_der(der).map_err(|error| match Kind::of_der(der) {
            Some(other) if other != Kind::Certificate => CertificateError::Other(other),
            _ => CertificateError::Malformed(plain(&error).to_owned()),
        })?;
        if !rest.is_empty() {
            return Err(CertificateError::TrailingOctets(rest.len()));
        }
        let mut certificate = Self {
            der: der.to_vec(),
            fingerprint: fingerprint(der),
            version: x509.version().0 + 1,
            serial: x509.raw_serial().to_vec(),
            subject: read_name(x509.subject()).ok_or_else(|| malformed("subject"))?,
            issuer: read_name(x509.issuer()).ok_or_else(|| malformed("issuer"))?,
            old_strings: old_strings(x509.subject()),
            not_before: timestamp(x509.validity().not_before.timestamp()),
            not_after: timestamp(x509.validity().not_after.timestamp()),
            public_key: PublicKey::read(x509.public_key()).ok_or_else(|| malformed("public key"))?,
            signature_algorithm: read_oid(&x509.signature_algorithm.algorithm)
                .ok_or_else(|| malformed("signature algorithm"))?,
            is_ca: None,
            key_usage: None,
            extended_key_usage: Vec::new(),
            dns_names: Vec::new(),
            policies: Vec::new(),
            ca_issuers: Vec::new(),
            ocsp: Vec::new(),
            crl_distribution_points: Vec::new(),
            authority_key_identifier: None,
            subject_key_identifier: None,
            qc_statements: None,
            extensions: Vec::new(),
            unreadable_extensions: Vec::new(),
            policy_rules: PolicyRules::default(),
        };
        for extension in x509.extensions() {
            certificate.read_extension(extension)?;
        }
        Ok(certificate)
    }

    /// Reads a PEM text that holds exactly one certificate.
    ///
    /// # Errors
    /// As [`Certificate::from_der`], and for a text without or with several certificates.
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self, CertificateError> {
        match &chain_from_pem(pem)?[..] {
            [one] => Self::from_der(one),
            several => {
                let found = several.len();
                Err(PemError::Several { expected: Kind::Certificate, found }.into())
            }
        }
    }

    /// The serial number in lower-case hexadecimal without leading zeros, as Java writes it.
    pub fn serial_hex(&self) -> String {
        serial_hex(&self.serial)
    }

    /// The fingerprint in lower-case hexadecimal.
    pub fn fingerprint_hex(&self) -> String {
        hex(&self.fingerprint)
    }

    /// The key id of Berlin Group signatures: `SN=<serial>,CA=<issuer>` (NextGenPSD2 1.3, 12.2). It is ASCII, as
    /// header fields are.
    pub fn key_id(&self) -> String {
        format!("SN={},CA={}", self.serial_hex(), self.issuer.to_ascii())
    }

    /// The organization identifier, which must occur exactly once.
    ///
    /// # Errors
    /// [`IdentityError`] saying which rule is broken.
    pub fn organization_identifier(&self) -> Result<OrganizationIdentifier, IdentityError> {
        let mut values = self.subject.values(oid::ORGANIZATION_IDENTIFIER);
        match (values.next(), values.next()) {
            (None, _) => Err(IdentityError::Missing),
            (Some(_), Some(_)) => Err(IdentityError::Repeated),
            (Some(text), None) => OrganizationIdentifier::parse(text)
                .map_err(|rule| IdentityError::Malformed { text: text.to_owned(), rule }),
        }
    }

    /// The roles that the PSD2 statement grants; none without a readable statement.
    pub fn roles(&self) -> &[Role] {
        match &self.qc_statements {
            Some(Ok(statements)) if statements.psd2_fault().is_none() => {
                statements.psd2.as_ref().map_or(&[], |psd2| &psd2.roles)
            }
            _ => &[],
        }
    }

    /// Why what the certificate says about its holder's roles cannot be believed, if so.
    pub fn psd2_fault(&self) -> Option<&QcStatementsError> {
        match self.qc_statements.as_ref()? {
            Ok(statements) => statements.psd2_fault(),
            Err(error) => Some(error),
        }
    }

    /// What the certificate is qualified for, if it says so once.
    pub fn qc_type(&self) -> Option<QcType> {
        self.qc_statements.as_ref()?.as_ref().ok()?.qc_type()
    }

    /// Whether the holder's organisation says that the certificate is for tests: TEST or SANDBOX is a word of its name, as in
    /// those of all authorities that are made here.
    ///
    /// ```
    /// let authority = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/authority.pem"));
    /// assert!(eidas::Certificate::from_pem(authority)?.is_for_tests());
    /// # Ok::<(), eidas::CertificateError>(())
    /// ```
    pub fn is_for_tests(&self) -> bool {
        let is_word = |word: &str| ["TEST", "SANDBOX"].iter().any(|known| word.eq_ignore_ascii_case(known));
        let mut organizations = self.subject.values(oid::ORGANIZATION_NAME);
        organizations.any(|name| name.split(|c: char| !c.is_alphanumeric()).any(is_word))
    }

    /// Whether the certificate is in its period of validity at `now`.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.not_before <= now && now <= self.not_after
    }

    /// Whether the certificate may be used at `now`: see [`may_be_used_at`].
    pub fn may_be_used_at(&self, now: Timestamp) -> bool {
        may_be_used_at((self.not_before, self.not_after), now)
    }
}

/// How far behind its issuer's clock the clock may be of whoever looks at a certificate that was just issued.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// Whether a certificate may be used at `now` that is valid from one moment to another: up to five minutes before the first
/// one, since clocks differ, and never after the last one.
///
/// ```
/// let (from, to) = ("2027-01-01T12:00:00Z".parse().unwrap(), "2027-01-02T12:00:00Z".parse().unwrap());
/// let at = |now: &str| eidas::certificate::may_be_used_at((from, to), now.parse().unwrap());
/// assert!(at("2027-01-01T11:55:00Z") && at("2027-01-02T12:00:00Z"));
/// assert!(!at("2027-01-01T11:54:59Z") && !at("2027-01-02T12:00:01Z"));
/// ```
pub fn may_be_used_at((from, to): (Timestamp, Timestamp), now: Timestamp) -> bool {
    from <= now.saturating_add(CLOCK_SKEW).unwrap_or(now) && now <= to
}

/// Why a certificate does not identify an organisation.
///
/// ```
/// use eidas::{Certificate, IdentityError};
///
/// let authority = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/authority.pem"));
/// let authority = Certificate::from_pem(authority)?;
/// assert_eq!(authority.organization_identifier(), Err(IdentityError::Missing));
/// # Ok::<(), eidas::CertificateError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The subject has no organizationIdentifier.
    #[error(
        "its subject has no organizationIdentifier (OID 2.5.4.97); expected for example PSDNL-DNB-R123456"
    )]
    Missing,
    /// The subject has more than one.
    #[error("its subject has more than one organizationIdentifier (OID 2.5.4.97)")]
    Repeated,
    /// The value breaks the grammar.
    #[error("its organizationIdentifier \"{}\" is not valid: {rule}", name::visible(text))]
    Malformed {
        /// The value in the certificate.
        text: String,
        /// The rule it breaks.
        rule: OrganizationIdentifierError,
    },
}

/// SHA-256 over the DER of a certificate.
pub fn fingerprint(der: &[u8]) -> Fingerprint {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, der).as_ref());
    bytes
}

/// The DER of every certificate in a PEM text, in its order.
///
/// # Errors
/// [`CertificateError::Pem`] for broken PEM or a text without any certificate.
pub fn chain_from_pem(pem: impl AsRef<[u8]>) -> Result<Vec<Vec<u8>>, CertificateError> {
    Ok(crate::pem::certificates(pem.as_ref())?)
}

/// The PEM form of a certificate, lines of 64 characters.
pub fn to_pem(der: &[u8]) -> String {
    crate::pem::to_pem(Kind::Certificate, der)
}

/// RFC 5280, 4.1.2.5 writes "no end" as 9999-12-31T23:59:59Z, which is a day beyond what the time library holds.
fn timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(if seconds > 0 { Timestamp::MAX } else { Timestamp::MIN })
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// A serial number in lower-case hexadecimal without zeros in front.
pub(crate) fn serial_hex(octets: &[u8]) -> String {
    let digits = hex(octets);
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() { "0".to_owned() } else { digits.to_owned() }
}

fn read_name(name: &x509_parser::x509::X509Name<'_>) -> Option<DistinguishedName> {
    let mut sets = Vec::new();
    for set in name.iter() {
        let attributes = set.iter().map(|attribute| {
            let value = attribute.attr_value();
            let text = name::text(value.tag().0, value.data);
            let value = text.unwrap_or_else(|| format!("#{}", hex(value.data)));
            Some(Attribute { oid: read_oid(attribute.attr_type())?, value })
        });
        sets.push(attributes.collect::<Option<Vec<_>>>()?);
    }
    Some(DistinguishedName::from_sets(sets))
}

fn old_strings(name: &x509_parser::x509::X509Name<'_>) -> Vec<ObjectIdentifier> {
    let attributes = name.iter_attributes();
    let old = attributes.filter(|attribute| name::is_old_string(attribute.attr_value().tag().0));
    old.filter_map(|attribute| read_oid(attribute.attr_type())).collect()
}

pub(crate) fn read_oid(oid: &x509_parser::der_parser::oid::Oid<'_>) -> Option<ObjectIdentifier> {
    ObjectIdentifier::from_bytes(oid.as_bytes()).ok()
}

/// What is wrong, without the library's text: that could hold what it could not read.
fn plain(error: &x509_parser::nom::Err<x509_parser::error::X509Error>) -> &'static str {
    use x509_parser::error::X509Error as E;
    match error {
        x509_parser::nom::Err::Incomplete(_) => "it ends too early",
        x509_parser::nom::Err::Error(error) | x509_parser::nom::Err::Failure(error) => match error {
            E::InvalidVersion => "its version",
            E::InvalidSerial => "its serial number",
            E::InvalidX509Name => "a name in it",
            E::InvalidDate => "its validity",
            E::InvalidSPKI => "its public key",
            E::InvalidAlgorithmIdentifier => "its algorithm",
            E::InvalidExtensions | E::DuplicateExtensions => "its extensions",
            _ => "its structure",
        },
    }
}
