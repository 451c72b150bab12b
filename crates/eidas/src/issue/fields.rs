//! Serial numbers, names and times as certificates hold them.

use jiff::Timestamp;
use rcgen::{DistinguishedName as RcgenName, DnType, DnValue};

use super::IssueError;
use crate::oid;

/// A serial number from 16 random octets: positive, and without a zero octet in front (RFC 5280, 4.1.2.2).
pub fn serial_number(mut random: [u8; 16]) -> [u8; 16] {
    random[0] = random[0] & 0x3f | 0x40;
    random
}

/// A name of these attributes, each in the type that RFC 5280 gives it.
pub(super) fn rcgen_name(attributes: &[(DnType, &str)]) -> Result<RcgenName, IssueError> {
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

/// The attribute that says who holds the certificate (EN 319 412-1, 5.1.4).
pub(super) fn organization_identifier_type() -> DnType {
    DnType::CustomDnType(oid::arcs(oid::ORGANIZATION_IDENTIFIER))
}

/// A time as certificates write it, whose years have four digits.
pub(super) fn date(timestamp: Timestamp) -> Result<time::OffsetDateTime, IssueError> {
    const YEAR_0: i64 = -62_167_219_200;
    if timestamp.as_second() < YEAR_0 {
        return Err(IssueError::Field(format!(
            "{timestamp} is before the year 0, which no certificate can hold"
        )));
    }
    time::OffsetDateTime::from_unix_timestamp(timestamp.as_second())
        .map_err(|error| IssueError::Field(error.to_string()))
}
