//! Header fields that may occur once.

use http::{HeaderMap, HeaderValue};

use crate::Rejected;

/// The one value of a header.
///
/// # Errors
/// [`Rejected::DuplicateHeader`]
pub fn single_header<'h>(
    headers: &'h HeaderMap,
    name: &'static str,
) -> Result<Option<&'h HeaderValue>, Rejected> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(Rejected::DuplicateHeader(name)),
        (first, None) => Ok(first),
    }
}

/// The one value of a header as text.
///
/// # Errors
/// [`Rejected::DuplicateHeader`], [`Rejected::HeaderNotText`]
pub fn header_text<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<Option<&'h str>, Rejected> {
    single_header(headers, name)?
        .map(|value| value.to_str().map_err(|_| Rejected::HeaderNotText(name)))
        .transpose()
}
