//! Answers: the envelope, in ASCII because clients hash the text octet by octet, and content of other types.

use std::io::{self, Write};

use bytes::Bytes;
use http::HeaderValue;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::ser::Formatter;

use crate::wire::objects::Object;
use crate::wire::{Envelope, Id, Pagination};

/// A successful answer, before it is signed. Never printed: there may be tokens in it.
pub(crate) struct Reply {
    pub(crate) body: Bytes,
    pub(crate) content_type: HeaderValue,
}

impl Reply {
    /// Elements of `Response`.
    pub(crate) fn all(response: Vec<Object>) -> Self {
        Self::json(&Envelope { response, pagination: None })
    }

    /// One element.
    pub(crate) fn one(object: Object) -> Self {
        Self::all(vec![object])
    }

    /// The number of what was made or changed.
    pub(crate) fn id(id: i64) -> Self {
        Self::one(Object::Id(Id { id }))
    }

    /// The UUID of what was made.
    pub(crate) fn uuid(uuid: String) -> Self {
        Self::one(Object::Uuid { uuid })
    }

    /// Nothing to say.
    pub(crate) fn empty() -> Self {
        Self::all(Vec::new())
    }

    /// Elements with the links of their page.
    pub(crate) fn page(elements: impl IntoIterator<Item = Object>, pagination: Pagination) -> Self {
        let response = elements.into_iter().collect();
        Self::json(&Envelope::<Object> { response, pagination: Some(pagination) })
    }

    /// JSON without the envelope.
    pub(crate) fn json(value: &impl Serialize) -> Self {
        Self { body: ascii(value), content_type: HeaderValue::from_static("application/json") }
    }

    /// Content of another type.
    pub(crate) fn content(body: Bytes, content_type: &str) -> Self {
        let content_type = HeaderValue::from_str(content_type)
            .unwrap_or(HeaderValue::from_static("application/octet-stream"));
        Self { body, content_type }
    }
}

/// A moment as this interface writes it: UTC, six decimals, no zone.
pub(crate) fn time(moment: Timestamp) -> String {
    moment.to_zoned_datetime(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

/// JSON in ASCII, members in the order of their names: the types say nothing about that, and some clients search the
/// text for the first member of a name.
pub(crate) fn ascii(value: &impl Serialize) -> Bytes {
    let mut octets = Vec::with_capacity(512);
    let mut serializer = serde_json::Serializer::with_formatter(&mut octets, Ascii);
    // Our own types, which always can be written, into memory.
    let _ = serde_json::to_value(value).unwrap_or_default().serialize(&mut serializer);
    octets.into()
}

/// Writes every character outside ASCII as `\uXXXX`.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.is_ascii() {
            return writer.write_all(fragment.as_bytes());
        }
        let mut units = [0; 2];
        for letter in fragment.chars() {
            if letter.is_ascii() {
                write!(writer, "{letter}")?;
            } else {
                for unit in letter.encode_utf16(&mut units) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn answers_are_ascii_and_come_back_as_they_were() {
        let value = json!({"a": "Zoë 山田 \u{1f600} \"x\"\n", "ü": [1, null, true, -2.5]});
        let text = ascii(&value);
        assert!(text.is_ascii());
        assert_eq!(serde_json::from_slice::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn moments_have_six_decimals() {
        assert_eq!(time("2026-01-05T09:11:12.5Z".parse().unwrap()), "2026-01-05 09:11:12.500000");
        assert_eq!(time("2026-01-05T09:11:12Z".parse().unwrap()), "2026-01-05 09:11:12.000000");
    }
}
