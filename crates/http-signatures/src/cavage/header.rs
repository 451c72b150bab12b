//! Reading the header.
//!
//! The issuer's name inside `keyId` may contain commas, equal signs and unescaped double quotes, which breaks a
//! scanner for quoted strings. So `keyId` ends at the first quote after which everything can be read as parameters,
//! and never holds one of the parameters that are known. Parameters that nobody knows are ignored wherever they
//! stand (draft-cavage-12, 2.2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::Refusal;

/// A parsed `Signature` header.
///
/// ```
/// use http_signatures::cavage::SignatureHeader;
///
/// let value = r#"keyId="SN=1,CA=CN=Test, O="A"",algorithm="rsa-sha256",headers="digest date",signature="AAAA""#;
/// let header = SignatureHeader::parse(value)?;
/// assert_eq!(header.key_id.as_deref(), Some(r#"SN=1,CA=CN=Test, O="A""#));
/// assert_eq!(header.headers, ["digest", "date"]);
/// # Ok::<(), http_signatures::Refusal>(())
/// ```
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

/// The parameters that are read; each may occur once.
const PARAMETERS: [&str; 6] = ["keyId", "algorithm", "headers", "signature", "created", "expires"];

/// Most parameters of a header, known or not. Reading on from each quote in `keyId` costs no more than this.
const MAX_PARAMETERS: usize = 32;

/// Most names in `headers`.
const MAX_NAMES: usize = 128;

impl SignatureHeader {
    /// Reads a header value. A missing `keyId` or `algorithm` is left to the caller's rules; a missing
    /// `headers` means `date` (draft-cavage-10, 2.1.6).
    ///
    /// # Errors
    /// [`Refusal::SignatureHeaderMalformed`]
    pub fn parse(value: &str) -> Result<Self, Refusal> {
        let malformed = |text: String| Refusal::SignatureHeaderMalformed(text);
        let form =
            || malformed("expected keyId=\"…\",algorithm=\"…\",headers=\"…\",signature=\"…\"".to_owned());
        let too_many = || malformed(format!("it has more than {MAX_PARAMETERS} parameters"));
        let found = parameters(value, KeyIdEnd::Tried).map_err(|fault| match fault {
            Fault::Form => form(),
            Fault::TooMany => too_many(),
            Fault::Held(name) => malformed(format!(
                "between keyId and {name} stands something that is no parameter of the form name=\"value\""
            )),
        })?;
        if found.is_empty() {
            return Err(form());
        }
        if found.len() > MAX_PARAMETERS {
            return Err(too_many());
        }
        for name in PARAMETERS {
            if found.iter().filter(|(known, _)| *known == name).count() > 1 {
                return Err(malformed(format!("the parameter {name} occurs twice")));
            }
        }
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
        if headers.len() > MAX_NAMES {
            return Err(malformed(format!("the parameter headers names more than {MAX_NAMES} headers")));
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

type Parameter<'a> = (&'a str, &'a str);

const BLANKS: [char; 2] = [' ', '\t'];

/// Where the value of `keyId` ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyIdEnd {
    /// At its next quote, as any other value.
    NextQuote,
    /// At the first quote after which everything can be read.
    Tried,
}

/// Why a text is no list of parameters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Something in it is no parameter.
    Form,
    /// More than [`MAX_PARAMETERS`].
    TooMany,
    /// The value of `keyId` could only end behind this parameter.
    Held(&'static str),
}

/// Every parameter with its value, in their order.
fn parameters(text: &str, end: KeyIdEnd) -> Result<Vec<Parameter<'_>>, Fault> {
    let (mut found, mut rest) = (Vec::new(), next(text));
    while !rest.is_empty() {
        if found.len() == MAX_PARAMETERS {
            return Err(Fault::TooMany);
        }
        let (name, value) = name(rest).ok_or(Fault::Form)?;
        if name == "keyId" && end == KeyIdEnd::Tried {
            let (key_id, others) = key_id(value)?;
            found.push((name, key_id));
            found.extend(others);
            return Ok(found);
        }
        let (parameter, after) = plain(name, value).ok_or(Fault::Form)?;
        found.push(parameter);
        rest = after;
    }
    Ok(found)
}

/// Skips what stands between two parameters.
fn next(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', ','])
}

/// Whether a character may stand in a name (a token of RFC 9110, 5.6.2).
fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(
            c,
            '!' | '#' | '$' | '%' | '&' | '\'' | '*' | '+' | '-' | '.' | '^' | '_' | '`' | '|' | '~'
        )
}

/// A name before an equals sign, and what follows both.
fn name(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_at(text.find(|c| !is_name(c))?);
    let value = rest.trim_start_matches(BLANKS).strip_prefix('=')?;
    (!name.is_empty()).then_some((name, value.trim_start_matches(BLANKS)))
}

/// A parameter whose value is quoted, or goes to the next comma, and what follows it.
fn plain<'a>(name: &'a str, text: &'a str) -> Option<(Parameter<'a>, &'a str)> {
    let Some(inner) = text.strip_prefix('"') else {
        let (value, rest) = text.split_at(text.find([',', '"']).unwrap_or(text.len()));
        let value = value.trim_end_matches(BLANKS);
        return (!rest.starts_with('"')).then(|| ((name, value), next(rest)));
    };
    let end = closing_quotes(inner).next()?;
    Some(((name, &inner[..end]), after_quote(&inner[end + 1..])?))
}

/// The value of `keyId`, and the parameters after it.
fn key_id(text: &str) -> Result<(&str, Vec<Parameter<'_>>), Fault> {
    let ends: Vec<(&str, &str)> = match text.strip_prefix('"') {
        Some(inner) => closing_quotes(inner)
            .filter_map(|end| Some((&inner[..end], after_quote(&inner[end + 1..])?)))
            .collect(),
        // Without quotes, a comma that belongs to it is told apart by what follows.
        None => {
            let commas = text.match_indices(',').map(|(at, _)| at).chain([text.len()]);
            let ends = commas.map(|end| (text[..end].trim_end_matches(BLANKS), next(&text[end..])));
            let is_end = |rest: &str| {
                rest.is_empty() || name(rest).is_some_and(|(name, _)| PARAMETERS.contains(&name))
            };
            ends.filter(|(_, rest)| is_end(rest)).collect()
        }
    };
    for (value, rest) in ends {
        match parameters(rest, KeyIdEnd::NextQuote) {
            Ok(others) => return held(value).map_or(Ok((value, others)), |name| Err(Fault::Held(name))),
            // A later end would make the rest of them part of the value.
            Err(Fault::TooMany) => return Err(held(value).map_or(Fault::TooMany, Fault::Held)),
            Err(_) => {}
        }
    }
    Err(Fault::Form)
}

/// The first known parameter with its own quoted value, or its number, inside the value of `keyId`.
fn held(value: &str) -> Option<&'static str> {
    let begins = |at: usize| !value[..at].ends_with(is_name);
    let has_value = |rest: &str| {
        let after =
            rest.trim_start_matches(BLANKS).strip_prefix('=').map(|after| after.trim_start_matches(BLANKS));
        after.is_some_and(|after| after.starts_with(|c: char| c == '"' || c.is_ascii_digit()))
    };
    let first = |name: &str| {
        value.match_indices(name).find(|(at, _)| begins(*at) && has_value(&value[at + name.len()..]))
    };
    PARAMETERS.iter().filter_map(|name| Some((first(name)?.0, *name))).min().map(|(_, name)| name)
}

/// Where a quoted text may end: at quotes without a backslash before them.
fn closing_quotes(text: &str) -> impl Iterator<Item = usize> {
    let backslashes = |at: usize| text[..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
    text.match_indices('"').map(|(at, _)| at).filter(move |at| backslashes(*at) % 2 == 0)
}

/// What follows a closing quote: nothing, or a comma and more.
fn after_quote(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(BLANKS);
    (rest.is_empty() || rest.starts_with(',')).then(|| next(rest))
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
    fn unknown_parameters_are_ignored_wherever_they_stand() {
        let key_id = "SN=5d,CA=CN=\"a, b\", O=\"x=y, S.L.\", C=ES";
        let known = [
            format!("keyId=\"{key_id}\""),
            "algorithm=\"rsa-sha256\"".to_owned(),
            "headers=\"digest x-request-id\"".to_owned(),
            "created=1".to_owned(),
            "signature=\"AAAA\"".to_owned(),
        ];
        let expected = SignatureHeader::parse(&known.join(",")).unwrap();
        assert_eq!(expected.key_id.as_deref(), Some(key_id));
        for unknown in [
            "opaque=\"x\"",
            "Version=\"2\"",
            "v=1",
            "V = \"1\" ",
            "empty=\"\"",
            "x-note=\"keyId=z, signature=AAAA, headers=date\"",
            "said=\"a \\\"keyId=\\\", headers=\\\"date\\\"\"",
            "nonce=\"a=b,c\",nonce=\"d\"",
            "mykeyId=\"z\"",
            "keyid=\"z\"",
        ] {
            for at in 0..=known.len() {
                let mut all = known.to_vec();
                all.insert(at, unknown.to_owned());
                for separator in [",", ", ", " , "] {
                    let text = all.join(separator);
                    assert_eq!(SignatureHeader::parse(&text).as_ref(), Ok(&expected), "{text}");
                }
            }
        }
    }

    #[test]
    fn no_known_parameter_becomes_part_of_the_key_id() {
        let known = "algorithm=\"hmac-sha256\",headers=\"digest x-request-id\",signature=\"AAAA\"";
        let more = |count: usize| (0..count).map(|n| format!(",p{n}=\"1\"")).collect::<String>();
        for key_id in ["\"SN=1,CA=CN=x\"", "\"SN=1,CA=O=\"a, b\", C=ES\"", "SN=1,CA=CN=x"] {
            let read = SignatureHeader::parse(&format!("keyId={key_id},{known}{}", more(28))).unwrap();
            assert_eq!(read.algorithm.as_deref(), Some("hmac-sha256"), "{key_id}");
            for count in [29, 30, 31, 32, 33, 60] {
                let wrong = format!("keyId={key_id},{known}{}", more(count));
                let text = SignatureHeader::parse(&wrong).unwrap_err().to_string();
                assert!(text.ends_with("it has more than 32 parameters"), "{count}: {text}");
            }
        }
        for between in ["x,", "x, ", "=,"] {
            let wrong = format!("keyId=\"SN=1,CA=CN=x\",{between}{known}");
            let text = SignatureHeader::parse(&wrong).unwrap_err().to_string();
            assert!(
                text.contains("between keyId and algorithm stands something that is no"),
                "{between}: {text}"
            );
        }
        let wrong = "signature=\"AAAA\",keyId=\"k\",created=1,x,y=\"z\"";
        let text = SignatureHeader::parse(wrong).unwrap_err().to_string();
        assert!(text.contains("between keyId and created stands"), "{text}");
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
            "keyId=\"k\" x,signature=\"AAAA\"",
            "keyId=\"k\",opaque=\"x,signature=\"AAAA\"",
            "=\"k\",signature=\"AAAA\"",
            &format!("keyId=\"k\",{}signature=\"AAAA\"", "x=1,".repeat(MAX_PARAMETERS)),
            &format!("keyId=\"k\",headers=\"{}\",signature=\"AAAA\"", "x ".repeat(MAX_NAMES + 1)),
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
        fn reads_back_any_issuer(issuer in "([A-Z]{1,3}=([a-zA-Z0-9 .=+-]{1,20}|\"[a-zA-Z][a-zA-Z0-9 .,=+-]{0,20}\"), ?){1,4}C=NL") {
            let value = format!("keyId=\"SN=1,CA={issuer}\",algorithm=\"rsa-sha256\",headers=\"digest\",signature=\"AAAA\"");
            let read = SignatureHeader::parse(&value).unwrap();
            proptest::prop_assert_eq!(read.key_id.unwrap(), format!("SN=1,CA={issuer}"));
        }
    }
}
