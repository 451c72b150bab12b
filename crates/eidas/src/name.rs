//! Distinguished names: read from certificates, written and read as text, compared as sets.
//!
//! Text forms in the field: RFC 4514 (`CN=x,2.5.4.97=y`), RFC 2253 with hexadecimal values (`2.5.4.97=#0c01…`),
//! RFC 1779 (`CN=x, OID.2.5.4.97=y, O="a, b"`), each with blanks as `%20` or `+` at times.

use der::asn1::ObjectIdentifier;

use crate::oid;

/// Short names of attribute types, as certificates' readers know them.
const SHORT_NAMES: &[(&str, &str)] = &[
    ("CN", "2.5.4.3"),
    ("SERIALNUMBER", "2.5.4.5"),
    ("C", "2.5.4.6"),
    ("L", "2.5.4.7"),
    ("ST", "2.5.4.8"),
    ("STREET", "2.5.4.9"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("T", "2.5.4.12"),
    ("POSTALCODE", "2.5.4.17"),
    ("GIVENNAME", "2.5.4.42"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("UID", "0.9.2342.19200300.100.1.1"),
    ("EMAILADDRESS", "1.2.840.113549.1.9.1"),
];

/// Other spellings that text forms use; read, never written.
const ALIASES: &[(&str, &str)] = &[
    ("S", "2.5.4.8"),
    ("E", "1.2.840.113549.1.9.1"),
    ("EMAIL", "1.2.840.113549.1.9.1"),
    ("TITLE", "2.5.4.12"),
    ("SURNAME", "2.5.4.4"),
    ("SN", "2.5.4.4"),
    ("BUSINESSCATEGORY", "2.5.4.15"),
    ("ORGANIZATIONIDENTIFIER", "2.5.4.97"),
    ("JURISDICTIONCOUNTRYNAME", "1.3.6.1.4.1.311.60.2.1.3"),
];

/// A distinguished name, its attributes in the order of the certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DistinguishedName(Vec<Attribute>);

/// One attribute of a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attribute {
    /// The attribute's type.
    pub oid: ObjectIdentifier,
    /// The value as text; a value of a type that is not text stands as `#` and its DER in hexadecimal.
    pub value: String,
}

/// How much a text form may differ from RFC 4514.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// RFC 4514 only; blanks may be `%20`, numeric types need no `OID.`.
    Rfc4514,
    /// Every form named in this module's description; comparison ignores blanks.
    Any,
}

/// A text is not a distinguished name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not an attribute type, an equals sign and a value")]
pub struct NameError(String);

impl DistinguishedName {
    /// A name of these attributes, in the order of a certificate (usually the country first).
    pub fn new(attributes: Vec<Attribute>) -> Self {
        Self(attributes)
    }

    /// The attributes in the order of the certificate.
    pub fn attributes(&self) -> &[Attribute] {
        &self.0
    }

    /// The values of one attribute type.
    pub fn values(&self, oid: ObjectIdentifier) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |attribute| attribute.oid == oid).map(|attribute| attribute.value.as_str())
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
        let attributes =
            parts.iter().map(|part| parse_attribute(part, spelling)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(attributes))
    }

    /// Whether two names hold the same attributes, in whatever order.
    pub fn same_attributes(&self, other: &Self, spelling: Spelling) -> bool {
        let sorted = |name: &Self| {
            let mut attributes = name.0.clone();
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
        for (position, attribute) in self.0.iter().rev().enumerate() {
            let comma = if position == 0 { "" } else { ", " };
            match short_name(attribute.oid) {
                Some(name) => write!(f, "{comma}{name}=")?,
                None => write!(f, "{comma}OID.{}=", attribute.oid)?,
            }
            if attribute.value.contains([',', '+', '"', '\\', '<', '>', ';', '=', '#']) {
                write!(f, "\"{}\"", attribute.value.replace('\\', "\\\\").replace('"', "\\\""))?;
            } else {
                f.write_str(&attribute.value)?;
            }
        }
        Ok(())
    }
}

/// The usual short name of an attribute type, for example `CN`.
pub fn short_name(oid: ObjectIdentifier) -> Option<&'static str> {
    let dotted = oid.to_string();
    SHORT_NAMES.iter().find(|(_, known)| *known == dotted).map(|(name, _)| *name)
}

/// The name that people read: `organizationIdentifier` for the attribute all of this is about.
pub fn display_name(oid: ObjectIdentifier) -> String {
    if oid == oid::ORGANIZATION_IDENTIFIER {
        return "organizationIdentifier".to_owned();
    }
    short_name(oid).map_or_else(|| oid.to_string(), str::to_owned)
}

/// Splits at commas that are neither escaped nor inside quotes.
fn split(text: &str, spelling: Spelling) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' if spelling == Spelling::Any => quoted = !quoted,
            ',' | ';' if !quoted => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    parts.push(part);
    parts
}

fn parse_attribute(part: &str, spelling: Spelling) -> Result<Attribute, NameError> {
    let error = || NameError(part.to_owned());
    let part = if spelling == Spelling::Any { part.trim_matches([' ', '+']) } else { part };
    let (kind, value) = part.split_once('=').ok_or_else(error)?;
    let (kind, value) = if spelling == Spelling::Any { (kind.trim(), value.trim()) } else { (kind, value) };
    let oid = attribute_type(kind, spelling).ok_or_else(error)?;
    let value = match (value.strip_prefix('#'), unquote(value)) {
        (Some(hex), _) if spelling == Spelling::Any => hex_value(hex).ok_or_else(error)?,
        (Some(_), _) => return Err(error()),
        (None, Some(inner)) if spelling == Spelling::Any => unescape(inner),
        _ => unescape(value),
    };
    Ok(Attribute { oid, value })
}

fn attribute_type(kind: &str, spelling: Spelling) -> Option<ObjectIdentifier> {
    let upper = kind.to_ascii_uppercase();
    let known = SHORT_NAMES.iter().chain(ALIASES).find(|(name, _)| *name == upper);
    let dotted = match (known, upper.strip_prefix("OID.")) {
        (Some((_, dotted)), _) => *dotted,
        (None, Some(dotted)) if spelling == Spelling::Any => dotted,
        (None, Some(_)) => return None,
        (None, None) => kind,
    };
    ObjectIdentifier::new(dotted).ok()
}

fn unquote(value: &str) -> Option<&str> {
    value.strip_prefix('"')?.strip_suffix('"')
}

/// Undoes `\,` and `\2C` (RFC 4514, 2.4).
fn unescape(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        match tail {
            [high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                bytes.extend(hex_bytes(&[*high, *low]).unwrap_or_default());
                rest = after;
            }
            [escaped, after @ ..] => {
                bytes.push(*escaped);
                rest = after;
            }
            [] => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The text inside a DER string given in hexadecimal, as RFC 2253 writes unknown attribute types.
fn hex_value(hex: &str) -> Option<String> {
    use der::{Decode, Tag, Tagged};
    let bytes = hex_bytes(hex.as_bytes())?;
    let any = der::asn1::AnyRef::from_der(&bytes).ok()?;
    match any.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::NumericString => {
            std::str::from_utf8(any.value()).ok().map(str::to_owned)
        }
        _ => None,
    }
}

fn hex_bytes(hex: &[u8]) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    if !hex.len().is_multiple_of(2) {
        return None;
    }
    hex.chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(pairs: &[(&str, &str)]) -> DistinguishedName {
        DistinguishedName(
            pairs
                .iter()
                .map(|(oid, value)| Attribute {
                    oid: ObjectIdentifier::new(oid).unwrap(),
                    value: (*value).to_owned(),
                })
                .collect(),
        )
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
        fn what_is_written_is_read_back(values in proptest::collection::vec("[a-zA-Z0-9 ,\"\\\\;=.-]{1,20}", 1..5)) {
            let kinds = ["2.5.4.6", "2.5.4.10", "2.5.4.97", "2.5.4.3", "1.2.3.4"];
            let pairs: Vec<_> = kinds.iter().zip(&values).map(|(k, v)| (*k, v.trim())).collect();
            let written = name(&pairs);
            let read = DistinguishedName::parse(&written.to_string(), Spelling::Any).unwrap();
            proptest::prop_assert!(read.same_attributes(&written, Spelling::Any), "{} {:?}", written, read);
        }
    }
}
