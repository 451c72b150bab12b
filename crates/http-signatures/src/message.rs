//! The parts of a request that signatures cover.

use http::{HeaderMap, Method};

use crate::Refusal;

/// A request without its body.
///
/// ```
/// use http::{HeaderMap, HeaderValue, Method};
/// use http_signatures::{Message, cavage::signing_string};
///
/// let headers = HeaderMap::from_iter([(http::header::DATE, HeaderValue::from_static("Sun, 05 Jan 2014 21:31:40 GMT"))]);
/// let message = Message { method: &Method::GET, target: "/accounts?page=2", base_uri: "", headers: &headers };
/// let text = signing_string(&["(request-target)", "date"], &message, None, None)?;
/// assert_eq!(text, b"(request-target): get /accounts?page=2\ndate: Sun, 05 Jan 2014 21:31:40 GMT");
/// # Ok::<(), http_signatures::Refusal>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Message<'m> {
    /// The method.
    pub method: &'m Method,
    /// Path and query exactly as sent.
    pub target: &'m str,
    /// Scheme and authority as the caller sees them, for example `https://api.bank.example`; only RFC 9421
    /// needs it.
    pub base_uri: &'m str,
    /// All header fields.
    pub headers: &'m HeaderMap,
}

impl Message<'_> {
    /// The value of a field as signatures see it: blanks trimmed, several fields joined by a comma and a blank.
    ///
    /// # Errors
    /// [`Refusal::CoveredHeaderMissing`]
    pub(crate) fn field(&self, name: &str) -> Result<Vec<u8>, Refusal> {
        let mut joined: Option<Vec<u8>> = None;
        for value in self.headers.get_all(name) {
            let trimmed = value.as_bytes().trim_ascii();
            match &mut joined {
                None => joined = Some(trimmed.to_vec()),
                Some(joined) => {
                    joined.extend(b", ");
                    joined.extend(trimmed);
                }
            }
        }
        joined.ok_or_else(|| Refusal::CoveredHeaderMissing(name.to_owned()))
    }
}
