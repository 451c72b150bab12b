//! The qcStatements extension: EN 319 412-5 and the PSD2 statement of ETSI TS 119 495, 5.1.
//!
//! Structure is read strictly (DER, no trailing octets). Breaches of content rules that certificates in the
//! field show are kept beside the values, so that a strict reader refuses and a tolerant one can explain.

use der::asn1::{AnyRef, ObjectIdentifier, PrintableStringRef, Utf8StringRef};
use der::{Decode, Encode, Sequence, Tag, Tagged};
use serde::Serialize;

use crate::{Role, oid};

/// Longest extension value taken, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// What a certificate is qualified for (EN 319 412-5, 4.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum QcType {
    /// Electronic signatures of a natural person.
    Esign,
    /// Electronic seals: a QSealC.
    Eseal,
    /// Website authentication: a QWAC.
    Web,
    /// A type that is not registered.
    Unknown,
}

impl QcType {
    fn from_oid(oid: ObjectIdentifier) -> Self {
        match oid {
            oid::QC_TYPE_ESIGN => Self::Esign,
            oid::QC_TYPE_ESEAL => Self::Eseal,
            oid::QC_TYPE_WEB => Self::Web,
            _ => Self::Unknown,
        }
    }

    fn oid(self) -> Option<ObjectIdentifier> {
        match self {
            Self::Esign => Some(oid::QC_TYPE_ESIGN),
            Self::Eseal => Some(oid::QC_TYPE_ESEAL),
            Self::Web => Some(oid::QC_TYPE_WEB),
            Self::Unknown => None,
        }
    }
}

/// The statements of one certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QcStatements {
    /// QcCompliance: issued as qualified under EU law.
    pub qc_compliance: bool,
    /// QcSSCD: the key is in a qualified device.
    pub qc_sscd: bool,
    /// QcType: what the certificate is for; exactly one entry is right.
    pub qc_types: Vec<QcType>,
    /// QcPDS: where the disclosure statement lies, with its language.
    pub disclosure_statements: Vec<DisclosureStatement>,
    /// QcCClegislation: countries outside the EU whose law makes it qualified.
    pub legislation: Vec<String>,
    /// Semantics identifier of pkixQCSyntax-v2.
    pub semantics: Option<ObjectIdentifier>,
    /// The PSD2 statement.
    pub psd2: Option<Psd2Statement>,
    /// Statements this library does not read.
    pub unknown: Vec<ObjectIdentifier>,
    /// Content rules that are broken, in the order they were found.
    pub breaches: Vec<QcStatementsError>,
}

/// One entry of QcPDS (EN 319 412-5, 4.3.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DisclosureStatement {
    /// An https URL.
    pub url: String,
    /// ISO 639-1 code of its language, two lower-case letters.
    pub language: String,
}

/// The PSD2 statement (TS 119 495, 5.1): what the authority allows and who the authority is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Psd2Statement {
    /// Roles with a registered identifier and its own name.
    pub roles: Vec<Role>,
    /// Roles whose identifier is not registered; they grant nothing.
    pub unknown_roles: Vec<(ObjectIdentifier, String)>,
    /// Name of the competent authority, for display only.
    pub nca_name: String,
    /// Identifier of the competent authority, for example `DE-BAFIN`.
    pub nca_id: String,
}

/// What is wrong with a qcStatements extension.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QcStatementsError {
    /// Not the DER structure that the standard gives.
    #[error("the extension is not a DER sequence of statements as in RFC 3739, 3.2.6")]
    Structure,
    /// A string of the wrong ASN.1 type.
    #[error("nCAName and nCAId must be UTF8String (TS 119 495, Annex A)")]
    StringType,
    /// The PSD2 statement occurs more than once.
    #[error("the PSD2 statement occurs more than once")]
    DuplicateStatement,
    /// No role at all.
    #[error("rolesOfPSP is empty (TS 119 495, GEN-5.2.2-1)")]
    RolesEmpty,
    /// A role's name is not the one registered for its identifier.
    #[error("role {oid} must be named {expected}, not \"{name}\" (TS 119 495, GEN-5.2.2-5)")]
    RoleName {
        /// The role's object identifier.
        oid: ObjectIdentifier,
        /// The registered name.
        expected: &'static str,
        /// The name in the certificate.
        name: String,
    },
    /// The authority's identifier is not country, hyphen, 2 to 8 upper-case letters.
    #[error(
        "nCAId \"{0}\" must be a country code, a hyphen and 2 to 8 upper-case letters (TS 119 495, GEN-5.2.3-2)"
    )]
    NcaId(String),
    /// QcType without exactly one entry.
    #[error("QcType must name exactly one type (EN 319 412-5, 4.2.3)")]
    QcTypeNotSingle,
}

impl QcStatementsError {
    /// A short stable name for programs, for example `role_name_oid_mismatch`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Structure => "asn1_structure",
            Self::StringType => "asn1_type",
            Self::DuplicateStatement => "duplicate_statement",
            Self::RolesEmpty => "roles_empty",
            Self::RoleName { .. } => "role_name_oid_mismatch",
            Self::NcaId(_) => "nca_id_format",
            Self::QcTypeNotSingle => "qc_type_not_single",
        }
    }
}

#[derive(Sequence)]
struct WireStatement<'a> {
    id: ObjectIdentifier,
    info: Option<AnyRef<'a>>,
}

#[derive(Sequence)]
struct WirePsd2<'a> {
    roles: Vec<WireRole<'a>>,
    nca_name: AnyRef<'a>,
    nca_id: AnyRef<'a>,
}

#[derive(Sequence)]
struct WireRole<'a> {
    oid: ObjectIdentifier,
    name: Utf8StringRef<'a>,
}

#[derive(Sequence)]
struct WireDisclosure<'a> {
    url: der::asn1::Ia5StringRef<'a>,
    language: PrintableStringRef<'a>,
}

#[derive(Sequence)]
struct WireSemantics<'a> {
    identifier: Option<ObjectIdentifier>,
    authorities: Option<AnyRef<'a>>,
}

impl QcStatements {
    /// Reads the value of the extension.
    ///
    /// # Errors
    /// [`QcStatementsError::Structure`] or [`QcStatementsError::DuplicateStatement`]; every other breach is kept
    /// in [`QcStatements::breaches`].
    pub fn parse(der: &[u8]) -> Result<Self, QcStatementsError> {
        if der.len() > MAX_BYTES {
            return Err(QcStatementsError::Structure);
        }
        let statements = Vec::<WireStatement<'_>>::from_der(der).map_err(structure)?;
        let mut read = Self::default();
        for statement in statements {
            read.add(&statement)?;
        }
        Ok(read)
    }

    /// Refuses if any content rule is broken.
    ///
    /// # Errors
    /// The first breach.
    pub fn strict(self) -> Result<Self, QcStatementsError> {
        match self.breaches.first() {
            Some(breach) => Err(breach.clone()),
            None => Ok(self),
        }
    }

    /// The one type the certificate is for, if exactly one is named.
    pub fn qc_type(&self) -> Option<QcType> {
        match self.qc_types[..] {
            [one] => Some(one),
            _ => None,
        }
    }

    fn add(&mut self, statement: &WireStatement<'_>) -> Result<(), QcStatementsError> {
        match statement.id {
            oid::QC_COMPLIANCE => self.qc_compliance = true,
            oid::QC_SSCD => self.qc_sscd = true,
            oid::QC_TYPE => {
                let types: Vec<ObjectIdentifier> = decode_info(statement)?;
                if types.len() != 1 {
                    self.breaches.push(QcStatementsError::QcTypeNotSingle);
                }
                self.qc_types.extend(types.into_iter().map(QcType::from_oid));
            }
            oid::QC_PDS => {
                let entries: Vec<WireDisclosure<'_>> = decode_info(statement)?;
                self.disclosure_statements.extend(entries.iter().map(|entry| DisclosureStatement {
                    url: entry.url.as_str().to_owned(),
                    language: entry.language.as_str().to_owned(),
                }));
            }
            oid::QC_CC_LEGISLATION => {
                let countries: Vec<PrintableStringRef<'_>> = decode_info(statement)?;
                self.legislation.extend(countries.iter().map(|c| c.as_str().to_owned()));
            }
            oid::QC_SYNTAX_V2 => {
                if statement.info.is_some() {
                    self.semantics = decode_info::<WireSemantics<'_>>(statement)?.identifier;
                }
            }
            oid::PSD2_STATEMENT => {
                if self.psd2.is_some() {
                    return Err(QcStatementsError::DuplicateStatement);
                }
                self.psd2 = Some(self.read_psd2(statement)?);
            }
            other => self.unknown.push(other),
        }
        Ok(())
    }

    fn read_psd2(&mut self, statement: &WireStatement<'_>) -> Result<Psd2Statement, QcStatementsError> {
        let wire: WirePsd2<'_> = decode_info(statement)?;
        let mut roles = Vec::new();
        let mut unknown_roles = Vec::new();
        if wire.roles.is_empty() {
            self.breaches.push(QcStatementsError::RolesEmpty);
        }
        for WireRole { oid, name } in &wire.roles {
            match Role::from_oid(*oid) {
                Some(role) if role.name() == name.as_str() => roles.push(role),
                // A role under another name grants nothing: which of the two was meant cannot be known.
                Some(role) => self.breaches.push(QcStatementsError::RoleName {
                    oid: *oid,
                    expected: role.name(),
                    name: name.as_str().to_owned(),
                }),
                None => unknown_roles.push((*oid, name.as_str().to_owned())),
            }
        }
        let nca_name = self.read_string(wire.nca_name)?;
        let nca_id = self.read_string(wire.nca_id)?;
        if !nca_id_is_well_formed(&nca_id, &roles) {
            self.breaches.push(QcStatementsError::NcaId(nca_id.clone()));
        }
        Ok(Psd2Statement { roles, unknown_roles, nca_name, nca_id })
    }

    fn read_string(&mut self, value: AnyRef<'_>) -> Result<String, QcStatementsError> {
        match value.tag() {
            Tag::Utf8String => {
                Ok(value.decode_as::<Utf8StringRef<'_>>().map_err(structure)?.as_str().to_owned())
            }
            Tag::PrintableString => {
                self.breaches.push(QcStatementsError::StringType);
                Ok(value.decode_as::<PrintableStringRef<'_>>().map_err(structure)?.as_str().to_owned())
            }
            _ => Err(QcStatementsError::Structure),
        }
    }
}

/// Writes the extension value of a certificate for a payment service provider.
///
/// # Errors
/// A text that its ASN.1 type cannot hold.
pub(crate) fn encode(statements: &QcStatements) -> Result<Vec<u8>, der::Error> {
    let mut wire = Vec::new();
    if statements.qc_compliance {
        wire.push(statement(oid::QC_COMPLIANCE, None)?);
    }
    if statements.qc_sscd {
        wire.push(statement(oid::QC_SSCD, None)?);
    }
    let types: Vec<_> = statements.qc_types.iter().filter_map(|qc_type| qc_type.oid()).collect();
    if !types.is_empty() {
        wire.push(statement(oid::QC_TYPE, Some(types.to_der()?))?);
    }
    if !statements.disclosure_statements.is_empty() {
        let entries = statements
            .disclosure_statements
            .iter()
            .map(|entry| {
                Ok(WireDisclosure {
                    url: der::asn1::Ia5StringRef::new(&entry.url)?,
                    language: PrintableStringRef::new(&entry.language)?,
                })
            })
            .collect::<Result<Vec<_>, der::Error>>()?;
        wire.push(statement(oid::QC_PDS, Some(entries.to_der()?))?);
    }
    if let Some(semantics) = statements.semantics {
        let info = WireSemantics { identifier: Some(semantics), authorities: None };
        wire.push(statement(oid::QC_SYNTAX_V2, Some(info.to_der()?))?);
    }
    if let Some(psd2) = &statements.psd2 {
        wire.push(statement(oid::PSD2_STATEMENT, Some(encode_psd2(psd2)?))?);
    }
    let parts = wire.iter().map(|bytes| AnyRef::from_der(bytes)).collect::<Result<Vec<_>, _>>()?;
    parts.to_der()
}

fn encode_psd2(psd2: &Psd2Statement) -> Result<Vec<u8>, der::Error> {
    let roles = psd2
        .roles
        .iter()
        .map(|role| Ok(WireRole { oid: role.oid(), name: Utf8StringRef::new(role.name())? }))
        .collect::<Result<Vec<_>, der::Error>>()?;
    let (nca_name, nca_id) = (Utf8StringRef::new(&psd2.nca_name)?, Utf8StringRef::new(&psd2.nca_id)?);
    WirePsd2 { roles, nca_name: nca_name.into(), nca_id: nca_id.into() }.to_der()
}

fn statement(id: ObjectIdentifier, info: Option<Vec<u8>>) -> Result<Vec<u8>, der::Error> {
    let info = info.as_deref().map(AnyRef::from_der).transpose()?;
    WireStatement { id, info }.to_der()
}

fn decode_info<'a, T>(statement: &WireStatement<'a>) -> Result<T, QcStatementsError>
where
    T: der::Choice<'a> + der::DecodeValue<'a>,
{
    let info = statement.info.ok_or(QcStatementsError::Structure)?;
    info.decode_as::<T>().map_err(structure)
}

/// `NA` is right for the roles whose holder has no competent authority (TS 119 495 V1.8.1).
fn nca_id_is_well_formed(nca_id: &str, roles: &[Role]) -> bool {
    if nca_id == "NA" {
        return roles.iter().any(|role| matches!(role, Role::CentralBank | Role::PublicAuthority));
    }
    let Some((country, authority)) = nca_id.split_once('-') else { return false };
    crate::country::is_assigned(country)
        && (2..=8).contains(&authority.len())
        && authority.bytes().all(|b| b.is_ascii_uppercase())
}

fn structure<E>(_: E) -> QcStatementsError {
    QcStatementsError::Structure
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of TS 119 495 for three roles under BaFin, 122 octets.
    const THREE_ROLES: &str = "30780606040081982702306e303930110607040081982701020c065053505f504930110607040081982701030c065053505f414930110607040081982701040c065053505f49430c274665646572616c2046696e616e6369616c2053757065727669736f727920417574686f726974790c0844452d424146494e";

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
    }

    fn three_roles() -> QcStatements {
        QcStatements {
            psd2: Some(Psd2Statement {
                roles: Role::THIRD_PARTY.to_vec(),
                unknown_roles: Vec::new(),
                nca_name: "Federal Financial Supervisory Authority".to_owned(),
                nca_id: "DE-BAFIN".to_owned(),
            }),
            ..QcStatements::default()
        }
    }

    #[test]
    fn writes_the_worked_example_byte_for_byte() {
        let written = encode(&three_roles()).unwrap();
        assert_eq!(written[..2], [0x30, 122]);
        assert_eq!(written[2..], hex(THREE_ROLES));
        assert_eq!(QcStatements::parse(&written).unwrap(), three_roles());
    }

    #[test]
    fn reads_back_all_it_writes() {
        let full = QcStatements {
            qc_compliance: true,
            qc_types: vec![QcType::Web],
            disclosure_statements: vec![DisclosureStatement {
                url: "https://pds.example.com/en.pdf".into(),
                language: "en".into(),
            }],
            semantics: Some(oid::SEMANTICS_LEGAL_PERSON),
            ..three_roles()
        };
        assert_eq!(QcStatements::parse(&encode(&full).unwrap()).unwrap().strict().unwrap(), full);
    }

    proptest::proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let _ = QcStatements::parse(&bytes);
        }
    }
}
