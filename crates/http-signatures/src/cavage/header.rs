//! Reading the header.
//!
//! The issuer's name inside `keyId` may contain commas, equal signs and unescaped double quotes, which breaks a
//! scanner for quoted strings. So `keyId` ends at the first quote after which everything can be read as parameters.
//! Parameters that nobody knows are ignored wherever they stand (draft-cavage-12, 2.2).

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
        let found = parameters(value, KeyIdEnd::Tried).filter(|found| !found.is_empty()).ok_or_else(form)?;
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

/// Every parameter with its value, in their order. None for what is no list of parameters.
fn parameters(text: &str, end: KeyIdEnd) -> Option<Vec<Parameter<'_>>> {
    let (mut found, mut rest) = (Vec::new(), next(text));
    while !rest.is_empty() && found.len() < MAX_PARAMETERS {
        let (name, value) = name(rest)?;
        if name == "keyId" && end == KeyIdEnd::Tried {
            let (key_id, others) = key_id(value)?;
            found.push((name, key_id));
            found.extend(others);
            return Some(found);
        }
        let (parameter, after) = plain(name, value)?;
        found.push(parameter);
        rest = after;
    }
    rest.is_empty().then_some(found)
}

/// Skips what stands between two parameters.
fn next(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', ','])
}

/// A name before an equals sign, and what follows both.
fn name(text: &str) -> Option<(&str, &str)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
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
fn key_id(text: &str) -> Option<(&str, Vec<Parameter<'_>>)> {
    if let Some(inner) = text.strip_prefix('"') {
        return closing_quotes(inner).find_map(|end| {
            let others = parameters(after_quote(&inner[end + 1..])?, KeyIdEnd::NextQuote)?;
            Some((&inner[..end], others))
        });
    }
    // Without quotes, a comma that belongs to it is told apart by what follows.
    let commas = text.match_indices(',').map(|(at, _)| at).chain([text.len()]);
    commas.into_iter().find_map(|end| {
        let others = parameters(&text[end..], KeyIdEnd::NextQuote)?;
        let is_end = others.first().is_none_or(|(name, _)| PARAMETERS.contains(name));
        is_end.then(|| (text[..end].trim_end_matches(BLANKS), others))
    })
}

/// Where a quoted text may end: at quotes without a backslash before them.
fn closing_quotes(text: &str) -> impl Iterator<Item = usize> {
    let mut is_escaped = false;
    text.char_indices().filter_map(move |(at, c)| {
        let ends = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends.then_some(at)
    })
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
