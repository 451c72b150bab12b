//! The `Authorization` header.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use edge::Rejected;
use http::HeaderMap;

use crate::error::Error;

/// What the header carries.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Authorization {
    /// `Bearer` and a token (RFC 6750, 2.1).
    Bearer(String),
    /// `Basic` and a user name and password (RFC 7617).
    Basic {
        /// The user name: the client id.
        id: String,
        /// The password: the client secret.
        secret: String,
    },
}

/// Reads the header; absent if the request has none.
///
/// # Errors
/// 400 for a header that is neither of the two, with the words that clients know.
pub(crate) fn authorization(headers: &HeaderMap) -> Result<Option<Authorization>, Error> {
    let value = edge::header_text(headers, "authorization").map_err(|rejected| match rejected {
        Rejected::DuplicateHeader(_) => Error::from(Rejected::DuplicateHeader("Authorization")),
        _ => Error::authorization_header(),
    })?;
    let Some(value) = value else { return Ok(None) };
    let (scheme, credentials) = value.trim().split_once(' ').ok_or_else(Error::authorization_header)?;
    let credentials = credentials.trim();
    if credentials.is_empty() {
        return Err(Error::authorization_header());
    }
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Ok(Some(Authorization::Bearer(credentials.to_owned()))),
        "basic" => basic(credentials).map(Some).ok_or_else(Error::authorization_header),
        _ => Err(Error::authorization_header()),
    }
}

/// The last colon separates: secrets made here have none, identifiers may.
fn basic(credentials: &str) -> Option<Authorization> {
    let octets = STANDARD.decode(credentials).ok()?;
    let text = String::from_utf8(octets).ok()?;
    let (id, secret) = text.rsplit_once(':')?;
    Some(Authorization::Basic { id: id.to_owned(), secret: secret.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<Option<Authorization>, Error> {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", value.parse().unwrap());
        authorization(&headers)
    }

    #[test]
    fn reads_both_schemes() {
        assert!(read("bearer  abc").unwrap() == Some(Authorization::Bearer("abc".into())));
        let basic = Authorization::Basic { id: "PSDNL-DNB-1:2".into(), secret: "s".into() };
        assert!(read(&format!("Basic {}", STANDARD.encode("PSDNL-DNB-1:2:s"))).unwrap() == Some(basic));
        assert!(authorization(&HeaderMap::new()).unwrap().is_none());
    }

    #[test]
    fn refuses_anything_else_in_the_recorded_words() {
        for wrong in ["Bearer", "Bearer ", "", "Digest x", "Basic ***", "Basic YQ=="] {
            let error = read(wrong).err().map(|error| error.error);
            assert_eq!(error, Some("Invalid HTTP Authorization header value"), "{wrong}");
        }
    }
}
