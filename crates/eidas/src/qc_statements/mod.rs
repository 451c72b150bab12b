//! The qcStatements extension: EN 319 412-5 and the PSD2 statement of ETSI TS 119 495, 5.1.
//!
//! Structure is read strictly (DER, no trailing octets). Breaches of content rules that certificates in the
//! field show are kept beside the values, so that a strict reader refuses and a tolerant one can explain.

mod encode;
mod fault;
mod psd2;
mod qc_type;
mod wire;

use der::asn1::{AnyRef, ObjectIdentifier, PrintableStringRef};
use der::{Decode, Encode, Tagged};
use serde::Serialize;

pub(crate) use encode::encode;
pub use fault::QcStatementsError;
pub use psd2::Psd2Statement;
pub use qc_type::QcType;

use crate::oid;
use qc_type::type_names;
use wire::{OwnedStatement, WireDisclosure, WireSemantics, article, shape};

/// Longest extension value taken, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// The statements of one certificate.
///
/// ```
/// use eidas::{Certificate, QcType};
///
/// let pem = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/seal.pem"));
/// let statements = Certificate::from_pem(pem)?.qc_statements.unwrap()?;
/// assert!(statements.qc_compliance);
/// assert_eq!(statements.qc_type(), Some(QcType::Eseal));
/// let psd2 = statements.strict()?.psd2.unwrap();
/// assert_eq!(psd2.nca_id, "NL-DNB");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
///
/// ```
/// use eidas::QcStatements;
///
/// let extension = b"\x30\x27\x30\x25\x06\x06\x04\x00\x8e\x46\x01\x05\x30\x1b\x30\x19\x16\x13https://pds.example\x13\x02en";
/// let statements = QcStatements::parse(extension)?;
/// let english = statements.disclosure_statements.iter().find(|entry| entry.language == "en");
/// assert_eq!(english.map(|entry| entry.url.as_str()), Some("https://pds.example"));
/// # Ok::<(), eidas::QcStatementsError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DisclosureStatement {
    /// An https URL.
    pub url: String,
    /// ISO 639-1 code of its language, two lower-case letters.
    pub language: String,
}

/// Names of the statements that are read.
const PSD2: &str = "the PSD2 statement";
const QC_TYPE: &str = "QcType";
/// Where one stands that cannot be told.
const NO_STATEMENT: &str = "qcStatements";

impl QcStatements {
    /// Reads the value of the extension. What is wrong with one statement is kept in [`QcStatements::breaches`] and
    /// hides no other one.
    ///
    /// # Errors
    /// [`QcStatementsError::Structure`] if it is no sequence at all.
    pub fn parse(der: &[u8]) -> Result<Self, QcStatementsError> {
        if der.len() > MAX_BYTES {
            return Err(QcStatementsError::Structure);
        }
        let statements = Vec::<AnyRef<'_>>::from_der(der).map_err(|_| QcStatementsError::Structure)?;
        let mut read = Self::default();
        let (mut psd2_statements, mut qc_type_statements) = (0, 0);
        for (at, statement) in (1..).zip(statements) {
            let Ok(statement) = statement.to_der().and_then(|der| OwnedStatement::read(&der)) else {
                let fault = format!(
                    "statement {at} is {}, and must be a SEQUENCE of statementId and statementInfo \
                     (RFC 3739, 3.2.6)",
                    article(statement.tag())
                );
                read.breaches.push(QcStatementsError::Statement { statement: NO_STATEMENT, fault });
                continue;
            };
            psd2_statements += u32::from(statement.id == oid::PSD2_STATEMENT);
            qc_type_statements += u32::from(statement.id == oid::QC_TYPE);
            read.add(&statement);
        }
        if psd2_statements > 1 {
            read.breaches.push(QcStatementsError::DuplicateStatement);
        }
        // One that cannot be read has its own breach already.
        let is_unread = qc_type_statements == 1 && read.is_qc_type_broken();
        if qc_type_statements > 0 && !is_unread && read.qc_types.len() != 1 {
            read.breaches.push(QcStatementsError::QcTypeNotSingle { found: read.qc_types.clone() });
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

    /// The first fault by which the PSD2 statement is worth nothing, or may be the one that cannot be read.
    pub fn psd2_fault(&self) -> Option<&QcStatementsError> {
        let may_be_it = |breach: &QcStatementsError| {
            self.psd2.is_none()
                && matches!(breach, QcStatementsError::Statement { statement, .. } if *statement == NO_STATEMENT)
        };
        self.breaches.iter().find(|breach| breach.spoils_psd2() || may_be_it(breach))
    }

    /// What QcType says where it does not say that the certificate is a QWAC or a QSealC.
    pub(crate) fn qc_type_text(&self) -> String {
        match &self.qc_types[..] {
            _ if self.is_qc_type_unread() => "QcType cannot be read".to_owned(),
            [] if self.is_qc_type_broken() => "QcType names no type".to_owned(),
            [] if self.holds_unknown_statement() => {
                "QcType is absent, or the statement that cannot be read".to_owned()
            }
            [] => "QcType is absent".to_owned(),
            [one] => format!("QcType is {}", one.text()),
            several => format!("QcType names {} types: {}", several.len(), type_names(several)),
        }
    }

    /// Whether a statement cannot be told, so that it may be any that is missing.
    pub(crate) fn holds_unknown_statement(&self) -> bool {
        self.breaches.iter().any(
            |breach| matches!(breach, QcStatementsError::Statement { statement, .. } if *statement == NO_STATEMENT),
        )
    }

    fn is_qc_type_unread(&self) -> bool {
        self.breaches
            .iter()
            .any(|breach| matches!(breach, QcStatementsError::Statement { statement, .. } if *statement == QC_TYPE))
    }

    /// Whether QcType is there and could not be read, or does not name one type.
    pub(crate) fn is_qc_type_broken(&self) -> bool {
        let is_not_single =
            |breach: &QcStatementsError| matches!(breach, QcStatementsError::QcTypeNotSingle { .. });
        self.is_qc_type_unread() || self.breaches.iter().any(is_not_single)
    }

    fn add(&mut self, statement: &OwnedStatement) {
        match statement.id {
            oid::QC_COMPLIANCE => self.qc_compliance = true,
            oid::QC_SSCD => self.qc_sscd = true,
            oid::QC_TYPE => {
                let Some(types) = self.info::<Vec<ObjectIdentifier>>(
                    statement,
                    QC_TYPE,
                    "a SEQUENCE of one OBJECT IDENTIFIER (EN 319 412-5, 4.2.3)",
                ) else {
                    return;
                };
                self.qc_types.extend(types.into_iter().map(QcType::from_oid));
            }
            oid::QC_PDS => {
                let expected = "a SEQUENCE of SEQUENCEs of url (IA5String) and language (PrintableString of 2 \
                                letters) (EN 319 412-5, 4.3.4)";
                let entries = self.info::<Vec<WireDisclosure<'_>>>(statement, "QcPDS", expected);
                self.disclosure_statements.extend(entries.unwrap_or_default().iter().map(|entry| {
                    DisclosureStatement {
                        url: entry.url.as_str().to_owned(),
                        language: entry.language.as_str().to_owned(),
                    }
                }));
            }
            oid::QC_CC_LEGISLATION => {
                let expected = "a SEQUENCE of country codes (PrintableString) (EN 319 412-5, 4.2.4)";
                let countries =
                    self.info::<Vec<PrintableStringRef<'_>>>(statement, "QcCClegislation", expected);
                self.legislation.extend(countries.unwrap_or_default().iter().map(|c| c.as_str().to_owned()));
            }
            oid::QC_SYNTAX_V2 => {
                if statement.info.is_some() {
                    let expected = "a SEQUENCE of semanticsIdentifier and nameRegistrationAuthorities \
                                    (RFC 3739, 3.2.6.1)";
                    let semantics = self.info::<WireSemantics<'_>>(statement, "pkixQCSyntax-v2", expected);
                    self.semantics = semantics.and_then(|semantics| semantics.identifier).or(self.semantics);
                }
            }
            oid::PSD2_STATEMENT => {
                let read = self.read_psd2(statement);
                self.psd2 = self.psd2.take().or(read);
            }
            other => self.unknown.push(other),
        }
    }

    /// The content of a statement; a breach if it is not what it must be.
    fn info<'a, T: Decode<'a, Error = der::Error>>(
        &mut self,
        statement: &'a OwnedStatement,
        name: &'static str,
        expected: &str,
    ) -> Option<T> {
        let read = statement.info.as_deref().and_then(|info| T::from_der(info).ok());
        if read.is_none() {
            let found = statement.info.as_deref().map_or_else(|| "missing".to_owned(), shape);
            self.fault(name, format!("its content is {found}, and must be {expected}"));
        }
        read
    }

    fn fault(&mut self, statement: &'static str, fault: String) {
        self.breaches.push(QcStatementsError::Statement { statement, fault });
    }
}

#[cfg(test)]
mod tests {
    use der::Tag;

    use super::*;
    use crate::Role;

    /// The worked example of TS 119 495 for three roles under BaFin, 122 octets.
    const THREE_ROLES: &str = "30780606040081982702306e303930110607040081982701020c065053505f504930110607040081982701030c065053505f414930110607040081982701040c065053505f49430c274665646572616c2046696e616e6369616c2053757065727669736f727920417574686f726974790c0844452d424146494e";

    fn hex(text: &str) -> Vec<u8> {
        data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
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

    /// A sequence of these parts.
    fn sequence(parts: &[&[u8]]) -> Vec<u8> {
        AnyRef::new(Tag::Sequence, &parts.concat()).unwrap().to_der().unwrap()
    }

    fn oid_der(oid: ObjectIdentifier) -> Vec<u8> {
        oid.to_der().unwrap()
    }

    fn utf8(octets: &[u8]) -> Vec<u8> {
        AnyRef::new(Tag::Utf8String, octets).unwrap().to_der().unwrap()
    }

    /// An extension with QcCompliance, a PSD2 statement with this content, and QcType web.
    fn with_psd2(content: &[u8]) -> QcStatements {
        let types = sequence(&[&oid_der(oid::QC_TYPE_WEB)]);
        let extension = sequence(&[
            &sequence(&[&oid_der(oid::QC_COMPLIANCE)]),
            &sequence(&[&oid_der(oid::PSD2_STATEMENT), content]),
            &sequence(&[&oid_der(oid::QC_TYPE), &types]),
        ]);
        QcStatements::parse(&extension).unwrap()
    }

    #[test]
    fn a_broken_psd2_statement_is_named_and_hides_nothing() {
        let role = sequence(&[&oid_der(Role::AccountInformation.oid()), &utf8(b"PSP_AI")]);
        let (roles, name, id) = (sequence(&[&role]), utf8(b"Bank"), utf8(b"NL-DNB"));
        let oid_and_name = [oid_der(Role::AccountInformation.oid()), utf8(b"PSP_AI")].concat();
        let flat = sequence(&[&oid_and_name, &oid_and_name]);
        let flat = sequence(&[&flat]);
        let long = utf8("é".repeat(257).as_bytes());
        let cases: [(&str, Vec<u8>, &str); 10] = [
            ("flat", sequence(&[&flat, &name, &id]), "role 1 of rolesOfPSP is a SEQUENCE of 4 members"),
            (
                "not wrapped",
                sequence(&[&sequence(&[&oid_and_name]), &name, &id]),
                "role 1 of rolesOfPSP is an OBJECT IDENTIFIER",
            ),
            ("Latin-1", sequence(&[&roles, &utf8(b"\xd6sterreich"), &id]), "nCAName is not UTF-8"),
            ("nothing", Vec::new(), "its content is missing"),
            ("text", utf8(b"x"), "its content is a UTF8String"),
            ("two members", sequence(&[&roles, &name]), "it holds a SEQUENCE, a UTF8String, and must be"),
            ("order", sequence(&[&name, &id, &roles]), "rolesOfPSP is a UTF8String"),
            ("empty name", sequence(&[&roles, &utf8(b""), &id]), "nCAName has 0 characters"),
            ("long name", sequence(&[&roles, &long, &id]), "nCAName has 257 characters"),
            ("no roles", sequence(&[&sequence(&[]), &name, &id]), "rolesOfPSP is empty"),
        ];
        for (what, content, expected) in cases {
            let read = with_psd2(&content);
            let fault = read.psd2_fault().unwrap_or_else(|| panic!("{what}")).to_string();
            assert!(fault.contains("PSD2 statement") && fault.contains(expected), "{what}: {fault}");
            assert!(read.qc_compliance && read.qc_type() == Some(QcType::Web), "{what}");
        }
        let bmp = AnyRef::new(Tag::BmpString, &[0, 0x41, 0x03, 0xa9]).unwrap().to_der().unwrap();
        let read = with_psd2(&sequence(&[&roles, &bmp, &id]));
        assert_eq!((read.psd2_fault(), read.psd2.as_ref().unwrap().nca_name.as_str()), (None, "AΩ"));
        assert_eq!(read.breaches[0].reason(), "asn1_type");
    }

    #[test]
    fn a_qc_type_that_is_no_single_one_is_put_in_words() {
        let types = |oids: &[ObjectIdentifier]| {
            let parts: Vec<_> = oids.iter().map(|oid| oid_der(*oid)).collect();
            sequence(&[&oid_der(oid::QC_TYPE), &sequence(&[&parts.concat()])])
        };
        let broken = sequence(&[&oid_der(oid::QC_TYPE), &utf8(b"web")]);
        let (web, seal) = (types(&[oid::QC_TYPE_WEB]), types(&[oid::QC_TYPE_ESEAL]));
        for (statements, reason, text) in [
            (vec![web.clone(), seal.clone()], Some("qc_type_not_single"), "QcType names 2 types: web, eseal"),
            (vec![web.clone(), web.clone()], Some("qc_type_not_single"), "QcType names 2 types: web, web"),
            (vec![types(&[])], Some("qc_type_not_single"), "QcType names no type"),
            (vec![broken.clone()], Some("asn1_structure"), "QcType cannot be read"),
            (vec![broken, web], Some("asn1_structure"), "QcType cannot be read"),
            (
                vec![utf8(b"?")],
                Some("asn1_structure"),
                "QcType is absent, or the statement that cannot be read",
            ),
            (vec![types(&[oid::QC_TYPE_ESIGN])], None, "QcType is esign"),
            (vec![types(&[oid::QC_COMPLIANCE])], None, "QcType is one that is not registered"),
            (vec![], None, "QcType is absent"),
        ] {
            let parts: Vec<_> = statements.iter().map(Vec::as_slice).collect();
            let read = QcStatements::parse(&sequence(&parts)).unwrap();
            assert_eq!(
                (read.breaches.first().map(QcStatementsError::reason), read.qc_type_text()),
                (reason, text.to_owned())
            );
        }
        let two = QcStatements::parse(&sequence(&[&seal, &types(&[oid::QC_TYPE_WEB])])).unwrap();
        assert_eq!(
            two.breaches[0].to_string(),
            "QcType must name exactly one type; it names eseal, web (EN 319 412-5, 4.2.3)"
        );
    }

    #[test]
    fn another_broken_statement_leaves_the_psd2_statement() {
        let psd2 = hex(THREE_ROLES);
        for (statement, expected) in [
            (sequence(&[&oid_der(oid::QC_TYPE), &utf8(b"web")]), "QcType: its content is a UTF8String"),
            (sequence(&[&oid_der(oid::QC_TYPE)]), "QcType: its content is missing"),
            (sequence(&[&oid_der(oid::QC_PDS), &sequence(&[&utf8(b"en")])]), "QcPDS: its content is"),
            (utf8(b"?"), "qcStatements: statement 1 is a UTF8String"),
        ] {
            let read = QcStatements::parse(&sequence(&[&statement, &psd2])).unwrap();
            assert_eq!(read.psd2, three_roles().psd2);
            assert_eq!(read.psd2_fault(), None);
            assert!(read.breaches[0].to_string().starts_with(expected), "{}", read.breaches[0]);
        }
        let broken = QcStatements::parse(&sequence(&[&utf8(b"?")])).unwrap();
        assert!(broken.psd2_fault().is_some());
        let twice = QcStatements::parse(&sequence(&[&psd2, &psd2])).unwrap();
        assert_eq!(twice.psd2_fault(), Some(&QcStatementsError::DuplicateStatement));
    }

    proptest::proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let _ = QcStatements::parse(&bytes);
        }
    }
}
