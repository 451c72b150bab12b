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

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9421, appendix B.2.6.
    #[test]
    fn the_example_of_the_rfc() {
        let mut headers = http::HeaderMap::new();
        for (name, value) in [
            ("host", "example.com"),
            ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
            ("content-type", "application/json"),
            ("content-length", "18"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        let message = Message {
            method: &http::Method::POST,
            target: "/foo?param=Value&Pet=dog",
            base_uri: "https://example.com",
            headers: &headers,
        };
        let input = "sig-b26=(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \"content-length\")\
                     ;created=1618884473;keyid=\"test-key-ed25519\"";
        let dictionary: sfv::Dictionary = sfv::Parser::new(input).parse().unwrap();
        let Some(ListEntry::InnerList(list)) = dictionary.get("sig-b26") else { panic!("no list") };
        let expected = "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@method\": POST\n\"@path\": /foo\n\
                        \"@authority\": example.com\n\"content-type\": application/json\n\"content-length\": 18\n\
                        \"@signature-params\": (\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \
                        \"content-length\");created=1618884473;keyid=\"test-key-ed25519\"";
        let base = signature_base(&message, list).unwrap();
        assert_eq!(String::from_utf8(base.clone()).unwrap(), expected);
        // The published public key and signature of the same example.
        use base64::Engine;
        let decode = |text| base64::engine::general_purpose::STANDARD.decode(text).unwrap();
        let key = crate::key::PublicKey::from_spki_der(&decode(
            "MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=",
        ));
        let signature = decode(
            "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==",
        );
        assert!(key.unwrap().verifies(crate::key::Algorithm::Ed25519, &base, &signature));
    }
}
