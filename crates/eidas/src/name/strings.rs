//! The string types of ASN.1 in which certificates hold texts.

/// Universal tags of the string types (X.680, 8.4).
const UTF8_STRING: u32 = 12;
const NUMERIC_STRING: u32 = 18;
const PRINTABLE_STRING: u32 = 19;
const TELETEX_STRING: u32 = 20;
const IA5_STRING: u32 = 22;
const VISIBLE_STRING: u32 = 26;
const UNIVERSAL_STRING: u32 = 28;
const BMP_STRING: u32 = 30;

/// The text in a string of ASN.1, by its universal tag; none if it is no string, or broken.
pub(crate) fn text(tag: u32, octets: &[u8]) -> Option<String> {
    match tag {
        UTF8_STRING => std::str::from_utf8(octets).ok().map(str::to_owned),
        NUMERIC_STRING | PRINTABLE_STRING | IA5_STRING | VISIBLE_STRING => {
            std::str::from_utf8(octets).ok().map(str::to_owned)
        }
        // T.61 is Latin-1 in every certificate that was ever seen.
        TELETEX_STRING => Some(octets.iter().map(|octet| char::from(*octet)).collect()),
        BMP_STRING if octets.len().is_multiple_of(2) => {
            let units: Vec<_> =
                octets.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
            String::from_utf16(&units).ok()
        }
        UNIVERSAL_STRING if octets.len().is_multiple_of(4) => octets
            .chunks_exact(4)
            .map(|four| char::from_u32(u32::from_be_bytes([four[0], four[1], four[2], four[3]])))
            .collect(),
        _ => None,
    }
}

/// Whether a string is of a type that new certificates must not use for new subjects (RFC 5280, 4.1.2.4).
pub(crate) fn is_old_string(tag: u32) -> bool {
    matches!(tag, TELETEX_STRING | BMP_STRING | UNIVERSAL_STRING)
}
