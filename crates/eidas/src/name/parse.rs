//! A name read from its text forms.

use data_encoding::HEXLOWER_PERMISSIVE;
use der::asn1::ObjectIdentifier;
use x509_parser::der_parser::asn1_rs::{Any, FromDer};

use super::types::{ALIASES, SHORT_NAMES};
use super::{Attribute, NameError, Spelling, text};

/// Splits at commas that are neither escaped nor inside quotes, and at a plus sign that begins another attribute of
/// the same set.
pub(super) fn split(text: &str, spelling: Spelling) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' if spelling == Spelling::Any => quoted = !quoted,
            ',' | ';' if !quoted => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            '+' if !quoted && begins_attribute(&text[at + 1..], spelling) => {
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

/// Whether a text begins with an attribute type and an equals sign.
fn begins_attribute(text: &str, spelling: Spelling) -> bool {
    // Types are short; looking further would make a long text of plus signs slow.
    let end = text.bytes().take(80).position(|octet| matches!(octet, b'=' | b',' | b'"' | b'\\'));
    let kind = end.filter(|end| text.as_bytes()[*end] == b'=').map(|end| text[..end].trim());
    kind.is_some_and(|kind| attribute_type(kind, spelling).is_some())
}

/// One attribute: a type, an equals sign and a value.
pub(super) fn parse_attribute(part: &str, spelling: Spelling) -> Result<Attribute, NameError> {
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
                bytes.extend(HEXLOWER_PERMISSIVE.decode(&[*high, *low]).unwrap_or_default());
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
    let bytes = HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok()?;
    let (rest, any) = Any::from_der(&bytes).ok()?;
    if rest.is_empty() { text(any.tag().0, any.data) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DistinguishedName, oid};

    #[test]
    fn strings_of_every_type_are_text() {
        for (hex, expected) in [
            ("1e0803910398039103b1", Some("ΑΘΑα")),
            ("1404c96f6cff", Some("Éolÿ")),
            ("1c080000004100000042", Some("AB")),
            ("1e03414243", None),
            ("0c02c9c9", None),
            ("0201ff", None),
        ] {
            assert_eq!(hex_value(hex).as_deref(), expected, "{hex}");
        }
        let read = DistinguishedName::parse("CN=#1e0803910398039103b1", Spelling::Any).unwrap();
        assert_eq!(read.first(oid::COMMON_NAME), Some("ΑΘΑα"));
    }
}
