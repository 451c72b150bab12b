//! What a body is said to be (RFC 9110, 8.3).

use http::{HeaderMap, header};

use crate::{Rejected, header_text};

/// What every JSON body is.
const JSON: &str = "application/json";

/// The media type in lower case without parameters; absent without the header.
///
/// # Errors
/// For a header that occurs twice or is no text, and for a text in another charset than UTF-8.
pub fn media_type(headers: &HeaderMap) -> Result<Option<String>, Rejected> {
    let value = header_text(headers, header::CONTENT_TYPE.as_str()).map_err(|rejected| match rejected {
        Rejected::DuplicateHeader(_) => Rejected::DuplicateHeader("Content-Type"),
        _ => Rejected::HeaderNotText("Content-Type"),
    })?;
    let Some(value) = value else { return Ok(None) };
    let mut parts = value.split(';');
    let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let parameters = parts.filter_map(|parameter| parameter.split_once('='));
    let mut charsets = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    let other = charsets.find_map(|(_, charset)| {
        let charset = charset.trim().trim_matches('"');
        let is_read = ["utf-8", "utf8", "us-ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known));
        (!is_read).then(|| charset.chars().take(40).collect())
    });
    match other {
        Some(charset) => Err(Rejected::Charset(charset)),
        None => Ok(Some(essence).filter(|essence| !essence.is_empty())),
    }
}

/// Checks that a body, where it is said what it is, is said to be JSON.
///
/// # Errors
/// [`Rejected::MediaType`], and those of [`media_type`]
pub fn check_json(headers: &HeaderMap) -> Result<(), Rejected> {
    match media_type(headers)? {
        Some(got) if got != JSON => Err(Rejected::MediaType { got, expected: JSON }),
        _ => Ok(()),
    }
}

/// The same where it has to be said. No page of another site can send such a body without being asked first.
///
/// # Errors
/// [`Rejected::MediaType`], and those of [`media_type`]
pub fn require_json(headers: &HeaderMap) -> Result<(), Rejected> {
    match media_type(headers)? {
        Some(got) if got == JSON => Ok(()),
        got => Err(Rejected::MediaType { got: got.unwrap_or_default(), expected: JSON }),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn with(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(value))])
    }

    #[test]
    fn json_is_json_in_utf_8() {
        for right in [
            "application/json",
            "Application/JSON ; Charset=\"UTF-8\"",
            "application/json;charset=utf8",
            "application/json; charset=us-ascii",
            "application/json; profile=x",
        ] {
            assert_eq!((check_json(&with(right)), require_json(&with(right))), (Ok(()), Ok(())), "{right}");
        }
        for (wrong, said) in [
            ("application/xml", "Content-Type \"application/xml\" is not supported; send application/json"),
            ("text/json", "Content-Type \"text/json\" is not supported; send application/json"),
            (
                "application/json; charset=ISO-8859-1",
                "the charset \"ISO-8859-1\" in Content-Type is not taken; send the body in UTF-8",
            ),
            (
                "application/json; charset=utf-8; charset=utf-16",
                "the charset \"utf-16\" in Content-Type is not taken; send the body in UTF-8",
            ),
        ] {
            let refused = check_json(&with(wrong)).unwrap_err();
            assert_eq!((refused.status().as_u16(), refused.to_string().as_str()), (415, said));
            assert_eq!(require_json(&with(wrong)), Err(refused));
        }
        assert_eq!(check_json(&HeaderMap::new()), Ok(()));
        assert!(require_json(&HeaderMap::new()).is_err());
    }
}
