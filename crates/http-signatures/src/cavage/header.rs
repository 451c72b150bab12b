//! Reading the header.
//!
//! The issuer's name inside `keyId` may contain commas, equal signs and unescaped double quotes, which breaks a
//! scanner for quoted strings. So the text is cut at the parameter names instead.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::Refusal;

/// A parsed `Signature` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureHeader {
    /// `keyId` as sent, without its outer quotes.
    pub key_id: Option<String>,
    /// `algorithm` as sent.
    pub algorithm: Option<String>,
    /// `headers`: the signed names in their order.
    pub headers: Vec<String>,
    /// `created` in seconds since 1970.
    pub created: Option<i64>,
    /// `expires` in seconds since 1970.
    pub expires: Option<i64>,
    /// The decoded signature.
    pub signature: Vec<u8>,
}

const PARAMETERS: [&str; 6] = ["keyId", "algorithm", "headers", "signature", "created", "expires"];

impl SignatureHeader {
    /// Reads a header value. A missing `keyId` or `algorithm` is left to the caller's rules; a missing
    /// `headers` means `date` (draft-cavage-10, 2.1.6).
    ///
    /// # Errors
    /// [`Refusal::SignatureHeaderMalformed`]
    pub fn parse(value: &str) -> Result<Self, Refusal> {
        let malformed = |text: String| Refusal::SignatureHeaderMalformed(text);
        let found = parameters(value)?;
        let get = |name: &str| found.iter().find(|(known, _)| *known == name).map(|(_, text)| *text);
        let seconds = |name: &'static str| match get(name) {
            None => Ok(None),
            Some(text) => text
                .parse()
                .map(Some)
                .map_err(|_| malformed(format!("{name} must be a number of seconds since 1970"))),
        };
        let base64 =
            get("signature").ok_or_else(|| malformed("the parameter signature is missing".into()))?;
        let signature = STANDARD.decode(base64).map_err(|_| {
            malformed("the parameter signature is not base64 (standard alphabet, padded)".into())
        })?;
        let headers: Vec<String> = match get("headers") {
            None => vec!["date".to_owned()],
            Some(list) => list.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        };
        if headers.is_empty() {
            return Err(malformed("the parameter headers names no header".into()));
        }
        Ok(Self {
            key_id: get("keyId").map(str::to_owned),
            algorithm: get("algorithm").map(str::to_owned),
            headers,
            created: seconds("created")?,
            expires: seconds("expires")?,
            signature,
        })
    }
}

/// Cuts at `name=` where it starts the text or follows a comma and blanks.
fn parameters(value: &str) -> Result<Vec<(&'static str, &str)>, Refusal> {
    let mut starts: Vec<(usize, &'static str)> = Vec::new();
    for name in PARAMETERS {
        for (at, _) in value.match_indices(name) {
            let follows = value[at + name.len()..].trim_start_matches([' ', '\t']).starts_with('=');
            let before = value[..at].trim_end_matches([' ', '\t']);
            if !follows || !(before.is_empty() || before.ends_with(',')) {
                continue;
            }
            if starts.iter().any(|(_, known)| *known == name) {
                return Err(Refusal::SignatureHeaderMalformed(format!("the parameter {name} occurs twice")));
            }
            starts.push((at, name));
        }
    }
    if starts.is_empty() {
        return Err(Refusal::SignatureHeaderMalformed(
            "expected keyId=\"…\",algorithm=\"…\",headers=\"…\",signature=\"…\"".to_owned(),
        ));
    }
    starts.sort_unstable();
    if !value[..starts[0].0].trim().is_empty() {
        return Err(Refusal::SignatureHeaderMalformed("unknown text before the first parameter".to_owned()));
    }
    let ends = starts.iter().skip(1).map(|(at, _)| *at).chain([value.len()]);
    Ok(starts.iter().zip(ends).map(|((at, name), end)| (*name, cut(&value[*at..end]))).collect())
}

/// The value of one parameter: after the equals sign, without the trailing comma and one pair of quotes.
fn cut(parameter: &str) -> &str {
    let text = parameter.split_once('=').map_or("", |(_, text)| text);
    let text = text.trim().trim_end_matches(',').trim_end();
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_comma_in_the_issuer_does_no_harm() {
        let key_id = "SN=5d,CA=C=ES, O=\"Entrust Datacard Europe, S.L.\", OID.2.5.4.97=VATES-B81188047, CN=x";
        let value = format!(
            "keyId=\"{key_id}\",algorithm=\"rsa-sha256\",headers=\"digest x-request-id\",signature=\"AAAA\""
        );
        let header = SignatureHeader::parse(&value).unwrap();
        assert_eq!(header.key_id.as_deref(), Some(key_id));
        assert_eq!(header.headers, ["digest", "x-request-id"]);
        assert_eq!(header.signature, [0, 0, 0]);
    }

    #[test]
    fn order_blanks_and_unquoted_numbers() {
        let header = SignatureHeader::parse(
            "signature=\"AAAA\" , created=1 ,expires=\"2\", headers=\"(request-target)  (created)\",keyId=\"k\"",
        )
        .unwrap();
        assert_eq!((header.created, header.expires), (Some(1), Some(2)));
        assert_eq!(header.headers, ["(request-target)", "(created)"]);
        assert_eq!((header.key_id.as_deref(), header.algorithm), (Some("k"), None));
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        for wrong in [
            "",
            "Bearer x",
            "keyId=\"k\",headers=\"digest\"",
            "keyId=\"k\",headers=\"digest\",signature=\"*\"",
            "keyId=\"k\",headers=\"digest\",signature=\"AAA\"",
            "keyId=\"k\",headers=\"\",signature=\"AAAA\"",
            "keyId=\"k\",keyId=\"l\",headers=\"digest\",signature=\"AAAA\"",
            "keyId=\"k\",headers=\"digest\",created=now,signature=\"AAAA\"",
            "x keyId=\"k\",signature=\"AAAA\"",
        ] {
            let error = SignatureHeader::parse(wrong).unwrap_err();
            assert_eq!(error.reason(), "signature_header_malformed", "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,200}|((keyId|algorithm|headers|signature|created|expires)[ =\",a-z0-9+/é]{0,20},? ?){0,8}") {
            let _ = SignatureHeader::parse(&text);
        }

        #[test]
        fn reads_back_any_issuer(issuer in "([A-Z]{1,3}=[a-zA-Z0-9 .,\"=+-]{1,20}, ?){1,4}C=NL") {
            let value = format!("keyId=\"SN=1,CA={issuer}\",algorithm=\"rsa-sha256\",headers=\"digest\",signature=\"AAAA\"");
            let read = SignatureHeader::parse(&value).unwrap();
            proptest::prop_assert_eq!(read.key_id.unwrap(), format!("SN=1,CA={issuer}"));
        }
    }
}
