//! Distinguished names: read from certificates, written and read as text, compared as sets.
//!
//! Text forms in the field: RFC 4514 (`CN=x,2.5.4.97=y`), RFC 2253 with hexadecimal values (`2.5.4.97=#0c01…`),
//! RFC 1779 (`CN=x, OID.2.5.4.97=y, O="a, b"`), each with blanks as `%20` or `+` at times.

mod parse;
mod strings;
mod types;
mod visible;

use der::asn1::ObjectIdentifier;

pub(crate) use strings::{is_old_string, text};
pub(crate) use types::extension_name;
pub use types::{display_name, short_name};
pub use visible::{is_hidden, visible};

use parse::{parse_attribute, split};
use types::type_name;

/// A distinguished name, its attributes in the order of the certificate.
///
/// ```
/// use eidas::{DistinguishedName, Spelling, oid};
///
/// let name = DistinguishedName::parse("CN=Shop,O=A\\, B,C=NL", Spelling::Rfc4514)?;
/// assert_eq!(name.first(oid::COMMON_NAME), Some("Shop"));
/// let loose = DistinguishedName::parse("C=NL, O=\"A, B\", CN=Shop", Spelling::Any)?;
/// assert!(name.same_attributes(&loose, Spelling::Any));
/// # Ok::<(), eidas::name::NameError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DistinguishedName {
    attributes: Vec<Attribute>,
    /// Places of the attributes that stand in one set with the attribute before them.
    joined: Vec<usize>,
}

/// One attribute of a name.
///
/// ```
/// use eidas::{DistinguishedName, name::Attribute, oid};
///
/// let country = Attribute { oid: oid::COUNTRY_NAME, value: "NL".to_owned() };
/// assert_eq!(DistinguishedName::new(vec![country]).first(oid::COUNTRY_NAME), Some("NL"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attribute {
    /// The attribute's type.
    pub oid: ObjectIdentifier,
    /// The value as text; a value of a type that is not text stands as `#` and its DER in hexadecimal.
    pub value: String,
}

/// How much a text form may differ from RFC 4514.
///
/// ```
/// use eidas::{DistinguishedName, Spelling};
///
/// let java = r#"CN=Shop, OID.2.5.4.97=PSDNL-DNB-R123456, O="A, B", C=NL"#;
/// assert!(DistinguishedName::parse(java, Spelling::Rfc4514).is_err());
/// let name = DistinguishedName::parse(java, Spelling::Any)?;
/// assert_eq!(name.first(eidas::oid::ORGANIZATION_NAME), Some("A, B"));
/// # Ok::<(), eidas::name::NameError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// RFC 4514 only; blanks may be `%20`, numeric types need no `OID.`.
    Rfc4514,
    /// Every form named in this module's description; comparison ignores blanks.
    Any,
}

/// A text is not a distinguished name.
///
/// ```
/// use eidas::{DistinguishedName, Spelling};
///
/// assert!(DistinguishedName::parse("Shop", Spelling::Any).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not an attribute type, an equals sign and a value")]
pub struct NameError(String);

impl DistinguishedName {
    /// A name of these attributes, in the order of a certificate (usually the country first).
    pub fn new(attributes: Vec<Attribute>) -> Self {
        Self { attributes, joined: Vec::new() }
    }

    /// A name of these sets of attributes (RelativeDistinguishedName), which nearly always hold one each.
    pub fn from_sets(sets: Vec<Vec<Attribute>>) -> Self {
        let mut name = Self::default();
        for set in sets {
            let first = name.attributes.len();
            name.attributes.extend(set);
            name.joined.extend(first + 1..name.attributes.len());
        }
        name
    }

    /// The attributes in the order of the certificate.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// The values of one attribute type.
    pub fn values(&self, oid: ObjectIdentifier) -> impl Iterator<Item = &str> {
        let attributes = self.attributes.iter();
        attributes.filter(move |attribute| attribute.oid == oid).map(|attribute| attribute.value.as_str())
    }

    /// The one-line form of OpenSSL, in the certificate's order: `/C=NL/CN=My App`. It is for display: two names can
    /// look the same in it.
    pub fn one_line(&self) -> String {
        let attributes = self.attributes.iter();
        attributes.map(|a| format!("/{}={}", type_name(a.oid), visible(&a.value))).collect()
    }

    /// The same with `/`, `+` and `\` inside values escaped and attributes of one set joined by `+`: different names
    /// give different texts.
    pub fn identity(&self) -> String {
        let mut text = String::new();
        for (at, attribute) in self.attributes.iter().enumerate() {
            text.push(if self.joined.contains(&at) { '+' } else { '/' });
            text += &type_name(attribute.oid);
            text.push('=');
            for c in attribute.value.chars() {
                if matches!(c, '/' | '+' | '\\') {
                    text.push('\\');
                }
                text.push(c);
            }
        }
        text
    }

    /// The text of [`std::fmt::Display`] in ASCII, so that it can be sent in a header field: other characters are
    /// their octets of UTF-8 in hexadecimal (RFC 4514, 2.4).
    pub fn to_ascii(&self) -> String {
        let mut text = String::new();
        // A percent sign would be read as an escape of its own.
        let _ = self.write(&mut text, |c| !c.is_ascii() || c == '%');
        text
    }

    fn write(&self, f: &mut impl std::fmt::Write, is_escaped: impl Fn(char) -> bool) -> std::fmt::Result {
        for (position, attribute) in self.attributes.iter().rev().enumerate() {
            let comma = if position == 0 { "" } else { ", " };
            match short_name(attribute.oid) {
                Some(name) => write!(f, "{comma}{name}=")?,
                None => write!(f, "{comma}OID.{}=", attribute.oid)?,
            }
            let quote = if attribute.value.contains(SPECIAL) { "\"" } else { "" };
            f.write_str(quote)?;
            for c in attribute.value.chars() {
                match c {
                    '"' | '\\' => write!(f, "\\{c}")?,
                    c if is_hidden(c) || is_escaped(c) => {
                        let mut octets = [0; 4];
                        for octet in c.encode_utf8(&mut octets).bytes() {
                            write!(f, "\\{octet:02X}")?;
                        }
                    }
                    c => f.write_char(c)?,
                }
            }
            f.write_str(quote)?;
        }
        Ok(())
    }

    /// The first value of one attribute type.
    pub fn first(&self, oid: ObjectIdentifier) -> Option<&str> {
        self.values(oid).next()
    }

    /// Reads a text form; blanks may be written `%20`.
    ///
    /// # Errors
    /// The part that is no attribute in the given spelling.
    pub fn parse(text: &str, spelling: Spelling) -> Result<Self, NameError> {
        let decoded = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
        let parts = split(&decoded, spelling);
        let attributes = parts.iter().map(|part| parse_attribute(part, spelling));
        Ok(Self::new(attributes.collect::<Result<_, _>>()?))
    }

    /// Whether two names hold the same attributes, in whatever order.
    pub fn same_attributes(&self, other: &Self, spelling: Spelling) -> bool {
        let sorted = |name: &Self| {
            let mut attributes = name.attributes.clone();
            if spelling == Spelling::Any {
                // Clients drop blanks or write them as "+"; the key decides who signed, not the name.
                attributes.iter_mut().for_each(|a| a.value.retain(|c| !c.is_whitespace() && c != '+'));
            }
            attributes.sort();
            attributes
        };
        sorted(self) == sorted(other)
    }
}

/// RFC 1779 with the last attribute first, which is what Java's `X500Principal.getName(RFC1779)` gives.
impl std::fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.write(f, |_| false)
    }
}

/// Characters that RFC 1779 puts into quotes.
const SPECIAL: [char; 9] = [',', '+', '"', '\\', '<', '>', ';', '=', '#'];

#[cfg(test)]
mod tests {
    use super::*;

    fn name(pairs: &[(&str, &str)]) -> DistinguishedName {
        let attributes = pairs.iter().map(|(oid, value)| Attribute {
            oid: ObjectIdentifier::new(oid).unwrap(),
            value: (*value).to_owned(),
        });
        DistinguishedName::new(attributes.collect())
    }

    fn spanish() -> DistinguishedName {
        name(&[
            ("2.5.4.6", "ES"),
            ("2.5.4.10", "Sandbox Trust, S.L."),
            ("2.5.4.97", "VATES-B1"),
            ("2.5.4.3", "Issuing CA"),
        ])
    }

    #[test]
    fn writes_what_java_writes() {
        assert_eq!(
            spanish().to_string(),
            "CN=Issuing CA, OID.2.5.4.97=VATES-B1, O=\"Sandbox Trust, S.L.\", C=ES"
        );
    }

    #[test]
    fn reads_every_rendering_of_one_name() {
        for text in [
            "CN=Issuing CA, OID.2.5.4.97=VATES-B1, O=\"Sandbox Trust, S.L.\", C=ES",
            "CN=Issuing CA,2.5.4.97=#0c0856415445532d4231,O=Sandbox Trust\\, S.L.,C=ES",
            "CN=Issuing%20CA,2.5.4.97=VATES-B1,O=Sandbox%20Trust\\2C%20S.L.,C=ES",
            "c=ES,o=SandboxTrust\\,S.L.,organizationIdentifier=VATES-B1,cn=IssuingCA",
            "CN=Issuing+CA,2.5.4.97=VATES-B1,O=Sandbox+Trust\\,+S.L.,C=ES",
        ] {
            let read = DistinguishedName::parse(text, Spelling::Any).unwrap();
            assert!(read.same_attributes(&spanish(), Spelling::Any), "{text}: {read:?}");
        }
    }

    #[test]
    fn the_strict_spelling_takes_rfc_4514_alone() {
        let strict = |text: &str| {
            DistinguishedName::parse(text, Spelling::Rfc4514)
                .is_ok_and(|name| name.same_attributes(&spanish(), Spelling::Rfc4514))
        };
        assert!(strict("CN=Issuing%20CA,2.5.4.97=VATES-B1,O=Sandbox Trust\\, S.L.,C=ES"));
        assert!(strict("C=ES,O=Sandbox Trust\\, S.L.,2.5.4.97=VATES-B1,CN=Issuing CA"));
        for loose in [
            "CN=Issuing CA, OID.2.5.4.97=VATES-B1, O=\"Sandbox Trust, S.L.\", C=ES",
            "CN=Issuing CA,OID.2.5.4.97=VATES-B1,O=Sandbox Trust\\, S.L.,C=ES",
            "CN=Issuing CA,2.5.4.97=#0c0856415445532d4231,O=Sandbox Trust\\, S.L.,C=ES",
            "CN=IssuingCA,2.5.4.97=VATES-B1,O=SandboxTrust\\,S.L.,C=ES",
            "CN=Issuing CA,2.5.4.97=VATES-B1,C=ES",
        ] {
            assert!(!strict(loose), "{loose}");
        }
    }

    #[test]
    fn any_name_can_be_sent_and_shown() {
        let greek = name(&[("2.5.4.6", "GR"), ("2.5.4.10", "Αθήνα, 100%25"), ("2.5.4.3", "a\u{202e}b\0c")]);
        let sent = greek.to_ascii();
        assert_eq!(sent, r#"CN=a\E2\80\AEb\00c, O="\CE\91\CE\B8\CE\AE\CE\BD\CE\B1, 100\2525", C=GR"#);
        assert_eq!(greek.to_string(), r#"CN=a\E2\80\AEb\00c, O="Αθήνα, 100%25", C=GR"#);
        assert!(
            DistinguishedName::parse(&sent, Spelling::Any).unwrap().same_attributes(&greek, Spelling::Any)
        );
        let strict = r"CN=a\E2\80\AEb\00c,O=\CE\91\CE\B8\CE\AE\CE\BD\CE\B1\, 100\2525,C=GR";
        let read = DistinguishedName::parse(strict, Spelling::Rfc4514).unwrap();
        assert!(read.same_attributes(&greek, Spelling::Rfc4514));
        assert_eq!(visible("a\u{202e}b\0\n é"), r"a\u{202e}b\u{0000}\u{000a} é");
    }

    #[test]
    fn sets_of_attributes_are_kept_apart() {
        let attribute = |oid: &str, value: &str| name(&[(oid, value)]).attributes()[0].clone();
        let (o, ou) = (attribute("2.5.4.10", "A"), attribute("2.5.4.11", "B"));
        let joined = DistinguishedName::from_sets(vec![vec![o.clone(), ou.clone()]]);
        let apart = DistinguishedName::from_sets(vec![vec![o], vec![ou]]);
        let slashed = name(&[("2.5.4.10", "A/OU=B")]);
        assert_eq!((apart.one_line(), slashed.one_line()), ("/O=A/OU=B".into(), "/O=A/OU=B".into()));
        assert_eq!(apart.identity(), "/O=A/OU=B");
        assert_eq!(joined.identity(), "/O=A+OU=B");
        assert_eq!(slashed.identity(), r"/O=A\/OU=B");
        let read = DistinguishedName::parse("OU=B + O=A", Spelling::Any).unwrap();
        assert!(read.same_attributes(&joined, Spelling::Any));
    }

    #[test]
    fn a_doubled_attribute_is_not_the_same_name() {
        let doubled = name(&[("2.5.4.6", "ES"), ("2.5.4.6", "ES")]);
        assert!(!doubled.same_attributes(&name(&[("2.5.4.6", "ES")]), Spelling::Any));
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,80}|([A-Z]{1,3}=[\\\\\"#,;+ a-f0-9é]{0,12},?){0,5}") {
            for spelling in [Spelling::Any, Spelling::Rfc4514] {
                let _ = DistinguishedName::parse(&text, spelling);
            }
        }

        #[test]
        fn what_is_written_is_read_back(values in proptest::collection::vec("[a-zA-Z0-9 ,\"\\\\;=.éΩ銀\u{202e}\n-]{1,20}", 1..5)) {
            let kinds = ["2.5.4.6", "2.5.4.10", "2.5.4.97", "2.5.4.3", "1.2.3.4"];
            let pairs: Vec<_> = kinds.iter().zip(&values).map(|(k, v)| (*k, v.trim())).collect();
            let written = name(&pairs);
            for text in [written.to_string(), written.to_ascii()] {
                let read = DistinguishedName::parse(&text, Spelling::Any).unwrap();
                proptest::prop_assert!(read.same_attributes(&written, Spelling::Any), "{} {:?}", text, read);
            }
            proptest::prop_assert!(written.to_ascii().bytes().all(|b| (b' '..=b'~').contains(&b)));
        }
    }
}
