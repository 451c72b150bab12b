//! The signature base (RFC 9421, 2.5).

use std::collections::HashSet;

use sfv::{InnerList, ListEntry, ListSerializer};

use crate::{Message, Refusal};

/// One line for each component and the signature's parameters, joined by a line feed, none at the end.
///
/// # Errors
/// [`Refusal::CoveredHeaderMissing`] for a field the request does not have,
/// [`Refusal::SignatureHeaderMalformed`] for a component that is unknown, repeated or has parameters.
pub fn signature_base(message: &Message<'_>, input: &InnerList) -> Result<Vec<u8>, Refusal> {
    let malformed = |text: String| Refusal::SignatureHeaderMalformed(text);
    let mut base = Vec::with_capacity(512);
    let mut seen = HashSet::new();
    for item in &input.items {
        let name =
            item.bare_item.as_string().map(sfv::StringRef::as_str).ok_or_else(|| {
                malformed("components of Signature-Input must be quoted strings".to_owned())
            })?;
        if !item.params.is_empty() {
            return Err(malformed(format!("parameters of component \"{name}\" are not supported")));
        }
        if !seen.insert(name) {
            return Err(malformed(format!("component \"{name}\" is named twice")));
        }
        base.extend(format!("\"{name}\": ").as_bytes());
        base.extend(component(message, name)?);
        base.push(b'\n');
    }
    base.extend(b"\"@signature-params\": ");
    base.extend(serialize(input).as_bytes());
    Ok(base)
}

/// A component list with its parameters as a structured field.
pub(super) fn serialize(input: &InnerList) -> String {
    let mut list = ListSerializer::new();
    list.members([&ListEntry::InnerList(input.clone())]);
    list.finish().unwrap_or_default()
}

fn component(message: &Message<'_>, name: &str) -> Result<Vec<u8>, Refusal> {
    let (path, query) = message.target.split_once('?').map_or((message.target, None), |(p, q)| (p, Some(q)));
    let authority = message.base_uri.split_once("://").map_or("", |(_, rest)| rest).to_ascii_lowercase();
    Ok(match name {
        "@method" => message.method.as_str().as_bytes().to_vec(),
        "@target-uri" => format!("{}{}", message.base_uri, message.target).into_bytes(),
        "@authority" => {
            let default_port = if message.base_uri.starts_with("https:") { ":443" } else { ":80" };
            authority.strip_suffix(default_port).unwrap_or(&authority).as_bytes().to_vec()
        }
        "@scheme" => message.base_uri.split(':').next().unwrap_or_default().as_bytes().to_vec(),
        "@request-target" => message.target.as_bytes().to_vec(),
        "@path" => path.as_bytes().to_vec(),
        "@query" => format!("?{}", query.unwrap_or_default()).into_bytes(),
        _ if name.starts_with('@') => {
            return Err(Refusal::SignatureHeaderMalformed(format!("component \"{name}\" is not supported")));
        }
        _ if name != name.to_ascii_lowercase() => {
            return Err(Refusal::SignatureHeaderMalformed(format!(
                "component \"{name}\" must be lower case"
            )));
        }
        field => message.field(field)?,
    })
}
