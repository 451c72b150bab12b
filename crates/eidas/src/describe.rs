//! A certificate in words: every field that PSD2 rules speak about, for people and for programs.

use der::asn1::ObjectIdentifier;
use jiff::Timestamp;
use serde::Serialize;

use crate::certificate::{Certificate, hex};
use crate::check::Purpose;
use crate::name::{DistinguishedName, display_name, visible};
use crate::public_key::KeyKind;
use crate::qc_statements::{DisclosureStatement, QcStatements, QcType};
use crate::{Role, Scheme};

/// All fields of a certificate, ready for JSON. Times are RFC 3339 in UTC, octets lower-case hexadecimal.
///
/// ```
/// use eidas::{Certificate, Purpose, describe};
///
/// let pem = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/seal.pem"));
/// let description = describe(&Certificate::from_pem(pem)?);
/// assert_eq!(description.kind, Some(Purpose::QSeal));
/// assert_eq!(description.public_key, "RSA 2048");
/// assert_eq!(description.psd2.unwrap().nca_id, "NL-DNB");
/// # Ok::<(), eidas::CertificateError>(())
/// ```
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Description {
    /// `qwac` or `qseal`, by QcType; absent if the certificate does not say.
    pub kind: Option<Purpose>,
    /// What stands in the place of a QcType that says the kind.
    pub kind_error: Option<String>,
    /// The subject.
    pub subject: NameDescription,
    /// The issuer.
    pub issuer: NameDescription,
    /// organizationIdentifier as written, if there is exactly one.
    pub organization_identifier: Option<String>,
    /// The rule that the organizationIdentifier breaks.
    pub organization_identifier_error: Option<String>,
    /// The register it comes from: PSD, VAT, NTR, LEI or national.
    pub organization_identifier_scheme: Option<&'static str>,
    /// The parts of an authorisation number.
    pub authorization_number: Option<AuthorizationNumberDescription>,
    /// What the PSD2 statement says.
    pub psd2: Option<Psd2Description>,
    /// What the other qcStatements say.
    pub qc_statements: Option<QcDescription>,
    /// Why qcStatements could not be read.
    pub qc_statements_error: Option<String>,
    /// X.509 version: 1, 2 or 3.
    pub version: u32,
    /// Serial number in hexadecimal without leading zeros.
    pub serial_number: String,
    /// First second of validity.
    pub not_before: Timestamp,
    /// Last second of validity.
    pub not_after: Timestamp,
    /// Kind and strength of the key, for example `RSA 2048`.
    pub public_key: String,
    /// Object identifier of the algorithm that the issuer signed with.
    pub signature_algorithm: String,
    /// Names of the key usage bits.
    pub key_usage: Option<Vec<&'static str>>,
    /// Object identifiers of the extended key usages.
    pub extended_key_usage: Vec<String>,
    /// DNS names of subjectAltName.
    pub dns_names: Vec<String>,
    /// Object identifiers of the certificate policies.
    pub policies: Vec<String>,
    /// Where the issuer's certificate is.
    pub ca_issuers: Vec<String>,
    /// OCSP responders.
    pub ocsp: Vec<String>,
    /// Where the revocation list is.
    pub crl_distribution_points: Vec<String>,
    /// Key identifier of the issuer's key.
    pub authority_key_identifier: Option<String>,
    /// Key identifier of this key.
    pub subject_key_identifier: Option<String>,
    /// Whether it belongs to an authority.
    pub is_ca: Option<bool>,
    /// SHA-256 over the DER.
    pub fingerprint: String,
    /// Key id of Berlin Group signatures.
    pub key_id: String,
    /// Every extension with its criticality.
    pub extensions: Vec<ExtensionDescription>,
    /// Object identifiers of the extensions that cannot be read.
    pub unreadable_extensions: Vec<String>,
}

/// A distinguished name.
///
/// ```
/// use eidas::{Certificate, describe};
///
/// let pem = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/seal.pem"));
/// let description = describe(&Certificate::from_pem(pem)?);
/// let subject = &description.subject;
/// assert_eq!(subject.text.split(", ").last(), Some("C=NL"));
/// assert_eq!(subject.attributes[0].value, "NL");
/// # Ok::<(), eidas::CertificateError>(())
/// ```
#[derive(Debug, Clone, Serialize)]
pub struct NameDescription {
    /// RFC 1779 text.
    pub text: String,
    /// The attributes in the order of the certificate.
    pub attributes: Vec<AttributeDescription>,
}

/// One attribute of a name.
///
/// ```
/// use eidas::{Certificate, describe};
///
/// let pem = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/seal.pem"));
/// let description = describe(&Certificate::from_pem(pem)?);
/// let attributes = &description.subject.attributes;
/// let identifier = attributes.iter().find(|attribute| attribute.kind == "organizationIdentifier").unwrap();
/// assert_eq!((identifier.oid.as_str(), identifier.value.as_str()), ("2.5.4.97", "PSDNL-DNB-R123456"));
/// # Ok::<(), eidas::CertificateError>(())
/// ```
#[derive(Debug, Clone, Serialize)]
pub struct AttributeDescription {
    /// Short name, for example `CN`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Object identifier.
    pub oid: String,
    /// Value.
    pub value: String,
}

/// The parts of an authorisation number (TS 119 495, 5.2.1).
///
/// ```
/// use eidas::{Certificate, describe};
///
/// let pem = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/seal.pem"));
/// let description = describe(&Certificate::from_pem(pem)?);
/// let number = description.authorization_number.unwrap();
/// assert_eq!((number.country, number.authority, number.number), ("NL".into(), "DNB".into(), "R123456".into()));
/// # Ok::<(), eidas::CertificateError>(())
/// ```
#[derive(Debug, Clone, Serialize)]
pub struct AuthorizationNumberDescription {
    /// Country of the authority.
    pub country: String,
    /// Short name of the authority.
    pub authority: String,
    /// The provider's number.
    pub number: String,
}

/// The PSD2 statement.
///
/// ```
/// use eidas::{Certificate, describe};
///
/// let pem = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/seal.pem"));
/// let description = describe(&Certificate::from_pem(pem)?);
/// let psd2 = description.psd2.unwrap();
/// assert!(psd2.roles.contains(&eidas::Role::AccountInformation) && psd2.unknown_roles.is_empty());
/// assert_eq!(psd2.nca_id, "NL-DNB");
/// # Ok::<(), eidas::CertificateError>(())
/// ```
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Psd2Description {
    /// Roles that are granted.
    pub roles: Vec<Role>,
    /// Role identifiers that are not registered.
    pub unknown_roles: Vec<String>,
    /// Name of the authority.
    pub nca_name: String,
    /// Identifier of the authority.
    pub nca_id: String,
}

/// The other statements.
///
/// ```
/// use eidas::{Certificate, describe};
///
/// let pem = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/seal.pem"));
/// let description = describe(&Certificate::from_pem(pem)?);
/// let statements = description.qc_statements.unwrap();
/// assert!(statements.qc_compliance && statements.breaches.is_empty());
/// assert_eq!(statements.qc_types, [eidas::QcType::Eseal]);
/// # Ok::<(), eidas::CertificateError>(())
/// ```
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QcDescription {
    /// QcCompliance.
    pub qc_compliance: bool,
    /// QcSSCD.
    pub qc_sscd: bool,
    /// QcType entries.
    pub qc_types: Vec<QcType>,
    /// QcPDS entries.
    pub disclosure_statements: Vec<DisclosureStatement>,
    /// QcCClegislation entries.
    pub legislation: Vec<String>,
    /// Identifiers of statements that are not read.
    pub unknown: Vec<String>,
    /// Content rules that are broken.
    pub breaches: Vec<String>,
}

/// One extension.
///
/// ```
/// use eidas::{Certificate, describe};
///
/// let pem = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/seal.pem"));
/// let description = describe(&Certificate::from_pem(pem)?);
/// let statements = eidas::oid::QC_STATEMENTS.to_string();
/// let found = description.extensions.iter().find(|extension| extension.oid == statements).unwrap();
/// assert!(!found.critical, "a profile forbids it (EN 319 412-5, QCS-4.1-02)");
/// # Ok::<(), eidas::CertificateError>(())
/// ```
#[derive(Debug, Clone, Serialize)]
pub struct ExtensionDescription {
    /// Object identifier.
    pub oid: String,
    /// Whether it is critical.
    pub critical: bool,
}

/// Describes every field of `certificate`.
pub fn describe(certificate: &Certificate) -> Description {
    let c = certificate;
    let identifier = c.organization_identifier();
    let (statements, statements_error) = match &c.qc_statements {
        Some(Ok(statements)) => (Some(statements), None),
        Some(Err(error)) => (None, Some(error.to_string())),
        None => (None, None),
    };
    Description {
        kind: Purpose::of(c.qc_type()),
        kind_error: Purpose::of(c.qc_type()).is_none().then(|| kind_error(c)),
        subject: describe_name(&c.subject),
        issuer: describe_name(&c.issuer),
        organization_identifier: identifier.as_ref().ok().map(ToString::to_string),
        organization_identifier_error: identifier.as_ref().err().map(ToString::to_string),
        organization_identifier_scheme: identifier.as_ref().ok().map(|id| scheme_name(id.scheme())),
        authorization_number: identifier.as_ref().ok().and_then(|id| id.authorization_number()).map(
            |number| AuthorizationNumberDescription {
                country: number.country.clone(),
                authority: number.authority.clone(),
                number: number.number.clone(),
            },
        ),
        psd2: statements.and_then(|statements| statements.psd2.as_ref()).map(|psd2| Psd2Description {
            roles: psd2.roles.clone(),
            unknown_roles: psd2
                .unknown_roles
                .iter()
                .map(|(oid, name)| format!("{oid} {}", visible(name)))
                .collect(),
            nca_name: visible(&psd2.nca_name).into_owned(),
            nca_id: visible(&psd2.nca_id).into_owned(),
        }),
        qc_statements: statements.map(describe_statements),
        qc_statements_error: statements_error,
        version: c.version,
        serial_number: c.serial_hex(),
        not_before: c.not_before,
        not_after: c.not_after,
        public_key: KeyKind::to_string(&c.public_key.kind),
        signature_algorithm: c.signature_algorithm.to_string(),
        key_usage: c.key_usage.clone(),
        extended_key_usage: texts(&c.extended_key_usage),
        dns_names: shown(&c.dns_names),
        policies: texts(&c.policies),
        ca_issuers: shown(&c.ca_issuers),
        ocsp: shown(&c.ocsp),
        crl_distribution_points: shown(&c.crl_distribution_points),
        authority_key_identifier: c.authority_key_identifier.as_deref().map(hex),
        subject_key_identifier: c.subject_key_identifier.as_deref().map(hex),
        is_ca: c.is_ca,
        fingerprint: c.fingerprint_hex(),
        key_id: c.key_id(),
        extensions: c
            .extensions
            .iter()
            .map(|(oid, critical)| ExtensionDescription { oid: oid.to_string(), critical: *critical })
            .collect(),
        unreadable_extensions: texts(&c.unreadable_extensions),
    }
}

fn describe_statements(statements: &QcStatements) -> QcDescription {
    let disclosures = statements.disclosure_statements.iter().map(|entry| DisclosureStatement {
        url: visible(&entry.url).into_owned(),
        language: entry.language.clone(),
    });
    QcDescription {
        qc_compliance: statements.qc_compliance,
        qc_sscd: statements.qc_sscd,
        qc_types: statements.qc_types.clone(),
        disclosure_statements: disclosures.collect(),
        legislation: statements.legislation.clone(),
        unknown: texts(&statements.unknown),
        breaches: statements.breaches.iter().map(ToString::to_string).collect(),
    }
}

fn texts(oids: &[ObjectIdentifier]) -> Vec<String> {
    oids.iter().map(ToString::to_string).collect()
}

/// Names and locations as they can be shown: an IA5String may hold control characters.
fn shown(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| visible(text).into_owned()).collect()
}

fn kind_error(certificate: &Certificate) -> String {
    match &certificate.qc_statements {
        Some(Ok(statements)) => statements.qc_type_text(),
        Some(Err(_)) => "qcStatements cannot be read".to_owned(),
        None => "QcType is absent".to_owned(),
    }
}

fn describe_name(name: &DistinguishedName) -> NameDescription {
    NameDescription {
        text: name.to_string(),
        attributes: name
            .attributes()
            .iter()
            .map(|attribute| AttributeDescription {
                kind: display_name(attribute.oid),
                oid: attribute.oid.to_string(),
                value: visible(&attribute.value).into_owned(),
            })
            .collect(),
    }
}

fn scheme_name(scheme: &Scheme) -> &'static str {
    match scheme {
        Scheme::Psd(_) => "PSD",
        Scheme::Vat { .. } => "VAT",
        Scheme::Ntr { .. } => "NTR",
        Scheme::Lei(_) => "LEI",
        Scheme::National { .. } => "national",
    }
}
