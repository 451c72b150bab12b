//! What is signed (draft-cavage-12, 2.3).

use crate::{Message, Refusal};

/// One line for each name, joined by a line feed, none at the end.
///
/// # Errors
/// [`Refusal::CoveredHeaderMissing`] for a name that the request, or the header's own parameters, do not have.
pub fn signing_string(
    names: &[impl AsRef<str>],
    message: &Message<'_>,
    created: Option<i64>,
    expires: Option<i64>,
) -> Result<Vec<u8>, Refusal> {
    let mut text = Vec::with_capacity(64 * names.len());
    for name in names {
        let name = name.as_ref().to_ascii_lowercase();
        let missing = || Refusal::CoveredHeaderMissing(name.clone());
        if !text.is_empty() {
            text.push(b'\n');
        }
        text.extend(name.as_bytes());
        text.extend(b": ");
        match name.as_str() {
            "(request-target)" => {
                text.extend(message.method.as_str().to_ascii_lowercase().as_bytes());
                text.push(b' ');
                text.extend(message.target.as_bytes());
            }
            "(created)" => text.extend(created.ok_or_else(missing)?.to_string().as_bytes()),
            "(expires)" => text.extend(expires.ok_or_else(missing)?.to_string().as_bytes()),
            _ => text.extend(message.field(&name)?),
        }
    }
    Ok(text)
}
