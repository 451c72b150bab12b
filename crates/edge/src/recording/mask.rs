//! Secrets are masked before anything about a call is kept: in headers, addresses, forms, and JSON.
//!
//! A value is a secret by the name that it stands under. Bodies are scanned and not parsed, so that what is broken, or was
//! cut, is masked as well.

mod json;
mod multipart;

use std::borrow::Cow;
use std::fmt::Write;

use http::{HeaderMap, HeaderName, header};

use self::json::{json, json_at};
use self::multipart::multipart;

/// What stands in the place of a secret.
pub(super) const MASK: &str = "***";

/// Names of secrets, in lower case and without hyphens and underscores.
const SECRETS: &[&str] = &[
    "accesstoken",
    "answer",
    "apikey",
    "assertion",
    "authorization",
    "clientassertion",
    "clientsecret",
    "codeverifier",
    "cookie",
    "csrf",
    "devicenumber",
    "digipassanswer",
    "digipassnumber",
    "idtoken",
    "idtokenhint",
    "initialaccesstoken",
    "otp",
    "passphrase",
    "password",
    "pin",
    "pkcs12",
    "privatekey",
    "refreshtoken",
    "registrationaccesstoken",
    "requesturi",
    "secret",
    "sessiontoken",
    "token",
    "tokenvalue",
];

/// How names of secrets end, whatever they begin with: `new_password`, for example.
const ENDINGS: [&str; 8] =
    ["apikey", "assertion", "passphrase", "passwd", "password", "privatekey", "secret", "token"];

/// Secrets in an address or a form alone: an authorization code, and the number of a digipass, by which its customer logs in at a
/// bank for tests. In JSON `code` says what went wrong.
const IN_FORMS: [&str; 2] = ["code", "number"];

/// How often a text is encoded within another one, at most: an address in an address in JSON, for example.
const DEEPEST: usize = 4;

/// What every private key in PEM holds.
const PRIVATE_KEY: &str = "PRIVATE KEY";

/// The parts of a name that has some: `client_secret[]`, `user[password]` and `user.password`, for example.
fn parts_of(name: &str) -> impl Iterator<Item = &str> {
    name.split(['[', ']', '.']).filter(|part| !part.is_empty())
}

fn is_secret(name: &str) -> bool {
    parts_of(name).any(is_secret_part)
}

fn is_secret_part(name: &str) -> bool {
    // The longest name with separators; whatever is longer is none of them.
    if name.len() > 64 {
        return false;
    }
    let plain = |letter: &char| !matches!(letter, '-' | '_' | ' ');
    let plain: String = name.chars().filter(plain).map(|letter| letter.to_ascii_lowercase()).collect();
    let plain = plain.trim_end_matches(|letter: char| letter.is_ascii_digit());
    SECRETS.binary_search(&plain).is_ok() || ENDINGS.iter().any(|ending| plain.ends_with(ending))
}

/// Whether a name is that of a secret in an address or a form.
fn is_secret_in_form(name: &str) -> bool {
    let first = parts_of(name).next().unwrap_or_default();
    is_secret(name) || IN_FORMS.iter().any(|known| first.eq_ignore_ascii_case(known))
}

/// Header fields, one a line as `name: value`, as far as they fit.
pub(super) fn headers(headers: &HeaderMap, most: usize) -> String {
    let mut text = String::with_capacity(
        headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 3).sum(),
    );
    for (name, value) in headers {
        if text.len() + name.as_str().len() + value.len() > most {
            break;
        }
        let shown = String::from_utf8_lossy(value.as_bytes());
        let _ = writeln!(text, "{name}: {}", header(name, &shown));
    }
    text
}

fn header<'v>(name: &HeaderName, value: &'v str) -> Cow<'v, str> {
    if *name == header::AUTHORIZATION || *name == header::PROXY_AUTHORIZATION {
        // The scheme says which kind of token came.
        return match value.split_once(' ') {
            Some((scheme, _)) => format!("{scheme} {MASK}").into(),
            None => MASK.into(),
        };
    }
    if *name == header::COOKIE {
        let names = value.split(';').map(|one| one.split('=').next().unwrap_or_default().trim());
        return names.map(|name| format!("{name}={MASK}")).collect::<Vec<_>>().join("; ").into();
    }
    if *name == header::SET_COOKIE {
        let (pair, attributes) = value.split_once(';').unwrap_or((value, ""));
        let name = pair.split('=').next().unwrap_or_default();
        return format!("{name}={MASK};{attributes}").into();
    }
    if is_secret_header(name) {
        return MASK.into();
    }
    if value.contains(PRIVATE_KEY) {
        return MASK.into();
    }
    // One address takes the whole value; several, or one among other things, end where addresses do.
    let is_address =
        value.starts_with('/') || value.split_once("://").is_some_and(|(scheme, _)| is_name(scheme));
    if is_address { address(value) } else { addresses(value).into() }
}

fn is_name(text: &str) -> bool {
    text.chars().all(is_of_name)
}

/// What names of parameters and schemes are made of, as they are written in addresses and forms.
fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | '%' | '+' | '[' | ']')
}

fn is_secret_header(name: &HeaderName) -> bool {
    const PARTS: [&str; 6] = ["token", "secret", "password", "api-key", "apikey", "client-authentication"];
    let name = name.as_str();
    is_secret(name) || (PARTS.iter().any(|part| name.contains(part)) && !name.contains("signature"))
}

/// The secrets in header fields, which a text of the bank may repeat: a signing string does, for instance.
pub(super) fn secrets(headers: &HeaderMap) -> Vec<Box<str>> {
    /// What is shorter stands in any text, and is no secret that would hold.
    const SHORTEST: usize = 6;
    let values = headers
        .iter()
        .filter(|(name, _)| is_secret_header(name))
        .filter_map(|(_, value)| value.to_str().ok());
    let secrets = values.flat_map(|value| {
        value.split([' ', ';', ',']).map(|part| {
            let is_pair = part.contains('=') && !part.ends_with('=');
            if is_pair { part.split_once('=').map_or(part, |(_, value)| value) } else { part }
        })
    });
    secrets
        .filter(|secret| secret.len() >= SHORTEST && !secret.eq_ignore_ascii_case("bearer"))
        .map(Box::from)
        .collect()
}

/// A text without these secrets.
pub(super) fn without(text: Box<str>, secrets: &[Box<str>]) -> Box<str> {
    secrets.iter().fold(text, |text, secret| {
        if text.contains(&**secret) { text.replace(&**secret, MASK).into() } else { text }
    })
}

/// An address or a request target: who logs in by it, and what is secret in the parameters of its path, its query and its
/// fragment.
pub(super) fn address(address: &str) -> Cow<'_, str> {
    let shown = match address.contains(['=', '@']) {
        true => Cow::Owned(with_parameters(address)),
        false => Cow::Borrowed(address),
    };
    let (path, rest) = shown.split_at(shown.find(['?', '#']).unwrap_or(shown.len()));
    match hidden_in_path(path) {
        Some(path) => format!("{path}{rest}").into(),
        None => shown,
    }
}

fn with_parameters(address: &str) -> String {
    parameters(&without_logins(address), 0, |value| value.find(['&', '#']).unwrap_or(value.len()))
}

/// A path whose separators are encoded, if there is something to be masked in it.
fn hidden_in_path(path: &str) -> Option<String> {
    if !path.contains('%') {
        return None;
    }
    let Some(plain) = wholly_decoded(path) else { return Some(MASK.to_owned()) };
    Some(with_parameters(&plain)).filter(|masked| *masked != plain)
}

/// The parameters of a query or a form.
pub(super) fn form(text: &str) -> String {
    parameters(&without_logins(text), 0, |value| value.find('&').unwrap_or(value.len()))
}

/// What is secret in the addresses within another text: there a value ends where an address does.
pub(super) fn addresses(text: &str) -> String {
    addresses_at(0, text)
}

fn addresses_at(depth: usize, text: &str) -> String {
    parameters(&without_logins(text), depth, |value| {
        value.find(|letter| matches!(letter, '&' | '#') || ends_address(letter)).unwrap_or(value.len())
    })
}

fn ends_address(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '"' | '\'' | '<' | '>' | '\\')
}

/// A text whose addresses have no user names and passwords (RFC 3986, 3.2.1).
fn without_logins(text: &str) -> Cow<'_, str> {
    if !text.contains('@') {
        return text.into();
    }
    let mut parts = text.split("//");
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let authority = part.find(|letter| matches!(letter, '/' | '?' | '#') || ends_address(letter));
        let authority = &part[..authority.unwrap_or(part.len())];
        masked.push_str("//");
        match authority.rfind('@') {
            Some(at) => {
                masked.push_str(MASK);
                masked.push_str(&part[at..]);
            }
            None => masked.push_str(part),
        }
    }
    masked.into()
}

/// Masks the values of parameters that are secrets, `name=value` wherever it stands, as far as `end` says that they go. A
/// value that is encoded may be an address, a form or JSON itself.
fn parameters(text: &str, depth: usize, end: impl Fn(&str) -> usize) -> String {
    let mut masked = String::with_capacity(text.len());
    let (mut copied, mut from) = (0, 0);
    while let Some(at) = text[from..].find('=').map(|at| from + at) {
        from = at + 1;
        let value = &text[from..];
        let value = &value[..end(value)];
        if value.is_empty() {
            continue;
        }
        let name = text[copied..at].rsplit(|letter| !is_of_name(letter)).next().unwrap_or_default();
        let name = decoded(name);
        let plain = wholly_decoded(value);
        let is_hidden = plain.as_ref().is_none_or(|plain| plain.contains(PRIVATE_KEY));
        if is_secret_in_form(&name) || is_hidden {
            masked.push_str(&text[copied..from]);
            masked.push_str(MASK);
        } else if let Some(plain) = plain.filter(|plain| plain != value)
            && let Some(inner) = otherwise(depth, &plain)
        {
            masked.push_str(&text[copied..from]);
            masked.extend(form_urlencoded::byte_serialize(inner.as_bytes()));
        } else {
            continue;
        }
        from += value.len();
        copied = from;
    }
    masked.push_str(&text[copied..]);
    masked
}

/// A text that was encoded within another one, if there is something to be masked in it.
fn otherwise(depth: usize, inner: &str) -> Option<String> {
    let masked = if depth < DEEPEST { any_at(depth + 1, inner) } else { MASK.to_owned() };
    Some(masked).filter(|masked| masked != inner)
}

/// A body: a form if it is said to be one, else JSON or any other text.
pub(super) fn body(content: &str, is_form: bool) -> String {
    let is_form = is_form && !content.trim_start().starts_with(['{', '[']);
    if is_form { text(&form(content)).into_owned() } else { any_at(0, &multipart(content)) }
}

/// JSON or any other text, within so many others.
fn any_at(depth: usize, content: &str) -> String {
    text(&json_at(depth, &addresses_at(depth, content))).into_owned()
}

/// Undoes form encoding.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return text.into();
    }
    let pair = format!("x={text}");
    let value = form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned());
    value.unwrap_or_default().into()
}

/// The same, as often as it was done; none for what was encoded more often than anybody does who hides nothing.
fn wholly_decoded(text: &str) -> Option<Cow<'_, str>> {
    let mut plain = decoded(text);
    for _ in 0..DEEPEST {
        match decoded(&plain) {
            again if again == plain => return Some(plain),
            again => plain = again.into_owned().into(),
        }
    }
    None
}

/// Any other text: nothing of it is kept if it holds a private key.
fn text(text: &str) -> Cow<'_, str> {
    if text.contains(PRIVATE_KEY) { MASK.into() } else { text.into() }
}

/// What is signed, line by line as `name: value`, or a body.
pub(super) fn signed(text: &str) -> String {
    let trimmed = text.trim_start();
    if trimmed.starts_with(['{', '[']) {
        return json(text);
    }
    let line = |whole: &str| {
        let line = whole.trim_end_matches(['\r', '\n']);
        let end = &whole[line.len()..];
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let blanks = &value[..value.len() - value.trim_start().len()];
        match HeaderName::from_bytes(name.trim().as_bytes()) {
            Ok(known) if name.len() < line.len() => {
                format!("{name}:{blanks}{}{end}", header(&known, value.trim_start()))
            }
            _ => format!("{}{end}", address(line)),
        }
    };
    self::text(&text.split_inclusive('\n').map(line).collect::<String>()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order() {
        assert!(SECRETS.is_sorted());
    }

    #[test]
    fn secrets_in_headers() {
        let mut all = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Bearer s3cret"),
            ("cookie", "session=s3cret; other=s3cret"),
            ("set-cookie", "session=s3cret; Path=/; HttpOnly"),
            ("location", "https://tpp.example/cb?code=s3cret&state=kept#access_token=s3cret"),
            ("x-bunq-client-authentication", "s3cret"),
            ("x-portal-token", "s3cret"),
            ("x-api-key", "s3cret"),
            ("x-request-id", "kept-too"),
            ("signature", "keyId=\"kept\""),
            ("x-bunq-client-signature", "kept"),
        ] {
            all.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        let masked = headers(&all, 100_000);
        assert!(!masked.contains("s3cret"), "{masked}");
        assert!(masked.contains("authorization: Bearer ***\n"), "{masked}");
        assert!(masked.contains("cookie: session=***; other=***\n"), "{masked}");
        assert!(masked.contains("set-cookie: session=***; Path=/; HttpOnly\n"), "{masked}");
        assert!(masked.contains("?code=***&state=kept#access_token=***\n"), "{masked}");
        assert_eq!(masked.matches("kept").count(), 4, "{masked}");
        assert!(headers(&all, 60).lines().count() < 3);
    }

    #[test]
    fn secrets_that_a_text_repeats() {
        let mut all = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Bearer s3cret-one"),
            ("cookie", "session=s3cret-two; a=b"),
            ("x-bunq-client-authentication", "s3cret-three"),
            ("x-request-id", "kept-as-it-is"),
        ] {
            all.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        let secrets = secrets(&all);
        let text = "Bearer s3cret-one, s3cret-two, s3cret-three, kept-as-it-is";
        assert_eq!(&*without(text.into(), &secrets), "Bearer ***, ***, ***, kept-as-it-is");
    }

    #[test]
    fn secrets_in_forms() {
        for (form_of_secrets, expected) in [
            ("grant_type=x&code=s3cret&client_secret=s3cret", "grant_type=x&code=***&client_secret=***"),
            ("client%5Fsecret=s3cret&a=b", "client%5Fsecret=***&a=b"),
            ("Code=s3cret", "Code=***"),
            ("code=&codes=1&encode=2", "code=&codes=1&encode=2"),
            ("key=-----BEGIN+PRIVATE+KEY-----s3cret", "key=***"),
            ("client_secret[]=s3cret&a[]=b", "client_secret[]=***&a[]=b"),
            ("client_secret%5B%5D=s3cret", "client_secret%5B%5D=***"),
            (
                "user[password]=s3cret&user%5Bpin%5D%5B0%5D=s3cret",
                "user[password]=***&user%5Bpin%5D%5B0%5D=***",
            ),
            (
                "user.Client-Secret=s3cret&secrets[api_key][value]=s3cret",
                "user.Client-Secret=***&secrets[api_key][value]=***",
            ),
            (
                "new_password=s3cret&PASSWORD2=s3cret&oauth_token=s3cret",
                "new_password=***&PASSWORD2=***&oauth_token=***",
            ),
            ("iban=NL1&number=s3cret&code[]=s3cret", "iban=NL1&number=***&code[]=***"),
            (
                "token_type=bearer&client_secret_expires_at=0&passwordless=1",
                "token_type=bearer&client_secret_expires_at=0&passwordless=1",
            ),
            ("", ""),
            ("&&=", "&&="),
        ] {
            assert_eq!(form(form_of_secrets), expected);
        }
        assert_eq!(address("/a/b"), "/a/b");
        assert_eq!(address("/a?refresh_token=s3cret"), "/a?refresh_token=***");
    }

    /// The same secrets, wherever an address, a form or JSON has room for them.
    #[test]
    fn secrets_in_every_place_of_an_address() {
        for (whole, expected) in [
            ("/a;access_token=s3cret/b?c=d", "/a;access_token=***"),
            ("/a;x=1;access_token=s3cret", "/a;x=1;access_token=***"),
            ("/a;token=s3cret;x=1#y", "/a;token=***#y"),
            ("/a?x=y;client_secret=s3cret&z=1", "/a?x=y;client_secret=***&z=1"),
            ("/a?x=y?code=s3cret?s3cret&z=1", "/a?x=y?code=***&z=1"),
            ("/a#access_token=s3cret&z=1", "/a#access_token=***&z=1"),
            ("/a#/b?id_token=s3cret#c", "/a#/b?id_token=***#c"),
            ("https://user:s3cret@tpp.example/a", "https://***@tpp.example/a"),
            ("https://s3cret@tpp.example", "https://***@tpp.example"),
            ("https://user:s3@cret@tpp.example?x=1", "https://***@tpp.example?x=1"),
            ("https://tpp.example/@name", "https://tpp.example/@name"),
            (
                "/a?redirect_uri=https%3A%2F%2Fu%3As3cret%40tpp.example%2F&x=1",
                "/a?redirect_uri=https%3A%2F%2F***%40tpp.example%2F&x=1",
            ),
            (
                "/a?to=https%3A%2F%2Ftpp.example%2F%3Faccess_token%3Ds3cret",
                "/a?to=https%3A%2F%2Ftpp.example%2F%3Faccess_token%3D***",
            ),
            ("/a?to=%2Fb%3Fto%3D%252Fc%253Bpassword%253Ds3cret", "/a?to=%2Fb%3Fto%3D%2Fc%3Bpassword%3D***"),
            ("/a?x=%7B%22api_key%22%3A%22s3cret%22%7D", "/a?x=%7B%22api_key%22%3A%22***%22%7D"),
            ("/a?x=%zz%&y=z%3D", "/a?x=%zz%&y=z%3D"),
            ("/a?x=%252Fc%253Fcode%253Ds3cret&y=%2541", "/a?x=%2Fc%3Fcode%3D***&y=%2541"),
            ("/a?x=%252525252525253Ds3cret", "/a?x=***"),
            ("/a%3Baccess_token%3Ds3cret/b?x=1", "/a;access_token=***?x=1"),
            ("/a%253Bpassword%253Ds3cret", "/a;password=***"),
            ("/a;client_secret[]=s3cret", "/a;client_secret[]=***"),
            ("/a%20b%2Fc", "/a%20b%2Fc"),
        ] {
            assert_eq!(address(whole), expected);
        }
        assert_eq!(form("password=s3cret;s3cret#s3cret?s3cret&x=y"), "password=***&x=y");
        let fields = [
            ("referer", "https://u:s3cret@tpp.example/;token=s3cret"),
            ("tpp-redirect-uri", "https://u:s3cret@tpp.example/cb"),
            ("link", "<https://bank.example/a?access_token=s3cret>; rel=\"next\""),
            ("x-original-uri", "/a;access_token=s3cret"),
        ];
        let mut all = HeaderMap::new();
        for (name, value) in fields {
            all.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        let masked = headers(&all, 100_000);
        assert!(!masked.contains("s3cret"), "{masked}");
        assert!(masked.contains("<https://bank.example/a?access_token=***>; rel=\"next\""), "{masked}");
        let signature = "keyId=\"SN=1,CA=CN=Bank & Co,C=NL\",headers=\"digest\",signature=\"a+b/c==\"";
        assert_eq!(addresses(signature), signature);
    }

    #[test]
    fn secrets_in_json() {
        for (whole, expected) in [
            (r#"{"access_token":"s3cret","n":1}"#, r#"{"access_token":"***","n":1}"#),
            (r#"{ "clientSecret" : "a\"s3cret" , "x":"y"}"#, r#"{ "clientSecret" : "***" , "x":"y"}"#),
            (r#"{"client\u005fsecret":"s3cret"}"#, r#"{"client\u005fsecret":"***"}"#),
            (r#"{"Token":{"id":7,"token":"s3cret"}}"#, r#"{"Token":{"id":7,"token":"***"}}"#),
            (r#"{"pin":1234.5e3,"x":2}"#, r#"{"pin":"***","x":2}"#),
            (
                r#"{"secret":["s3cret",["s3cret"],4],"x":["y"]}"#,
                r#"{"secret":["***",["***"],"***"],"x":["y"]}"#,
            ),
            (
                r#"{"password":{"value":"s3cret","n":[7]},"x":"y"}"#,
                r#"{"password":{"value":"***","n":["***"]},"x":"y"}"#,
            ),
            (
                r#"[{"Client-Secret[]":"s3cret"},{"user.password":["s3cret"]}]"#,
                r#"[{"Client-Secret[]":"***"},{"user.password":["***"]}]"#,
            ),
            (
                r#"{"UserApiKey":{"id":7,"name":"kept"},"new_password":"s3cret"}"#,
                r#"{"UserApiKey":{"id":7,"name":"kept"},"new_password":"***"}"#,
            ),
            (r#"{"digipassNumber":"s3cret","number":7}"#, r#"{"digipassNumber":"***","number":7}"#),
            (r#"{"code":"FORMAT_ERROR"}"#, r#"{"code":"FORMAT_ERROR"}"#),
            (r#"{"key":"-----BEGIN PRIVATE KEY-----s3cret"}"#, r#"{"key":"***"}"#),
            (r#"{"refresh_token":"s3cre"#, r#"{"refresh_token":"***""#),
            (r#"{"token":null,"a":"b"}"#, r#"{"token":null,"a":"b"}"#),
            (r#"not json "secret" s3"#, r#"not json "secret" s3"#),
        ] {
            assert_eq!(json(whole), expected);
        }
    }

    #[test]
    fn secrets_in_addresses_within_bodies() {
        let whole = r#"{"to":"https://tpp.example/?code=s3cret&state=kept","client_secret":"a&code=s3cret"}"#;
        let expected = r#"{"to":"https://tpp.example/?code=***&state=kept","client_secret":"***"}"#;
        assert_eq!(body(whole, false), expected);
        assert_eq!(body("code=a\"s3cret&x=y", true), "code=***&x=y");
        for (whole, expected) in [
            (r#"{"a":"https:\/\/u:s3cret@tpp.example\/"}"#, r#"{"a":"https://***@tpp.example/"}"#),
            (r#"{"a":"\u0063ode=s3cret"}"#, r#"{"a":"code=***"}"#),
            (r#"{"a":"{\"token\":\"s3cret\"}"}"#, r#"{"a":"{\"token\":\"***\"}"}"#),
            (r#"{"a":"access_token=s3cret"}"#, r#"{"a":"access_token=***"}"#),
            (r#"{"a":["x\ny",{"b":"\"z\""}]}"#, r#"{"a":["x\ny",{"b":"\"z\""}]}"#),
        ] {
            assert_eq!(body(whole, false), expected);
        }
        assert_eq!(body("{\"secret\":\"s3cret\"}", true), "{\"secret\":\"***\"}");
        assert_eq!(body("-----BEGIN PRIVATE KEY-----\ns3cret", false), "***");
    }

    #[test]
    fn secrets_in_multipart_bodies() {
        let part = |name: &str, value: &str| {
            format!(
                "--x\r\nContent-Disposition: form-data; {name}\r\nContent-Type: text/plain\r\n\r\n{value}\r\n"
            )
        };
        for (name, value, expected) in [
            ("name=\"client_secret\"", "s3cret", "***"),
            ("filename=\"a\"; name=\"user[password]\"", "s3cret\r\n--s3cret\r\ns3cret", "***"),
            ("name=\"number\"", "s3cret", "***"),
            ("name*=UTF-8''client%5Fsecret", "s3cret", "***"),
            ("name=\"note\"; filename=\"secret\"", "kept", "kept"),
        ] {
            let whole = part(name, value) + &part("name=\"last\"", "kept") + "--x--\r\n";
            let wanted = part(name, expected) + &part("name=\"last\"", "kept") + "--x--\r\n";
            assert_eq!(body(&whole, false), wanted);
        }
        assert_eq!(
            body("--x\ncontent-disposition: form-data; name=token\n\ns3cre", false),
            "--x\ncontent-disposition: form-data; name=token\n\n***"
        );
    }

    #[test]
    fn secrets_in_what_is_signed() {
        let text = "digest: SHA-256=x\nauthorization: Bearer s3cret\n(request-target): get /a?code=s3cret\n";
        let expected = "digest: SHA-256=x\nauthorization: Bearer ***\n(request-target): get /a?code=***\n";
        // What follows a colon within the address is no header of that name.
        assert_eq!(signed(text), expected);
        assert_eq!(signed(r#"{"secret":"s3cret"}"#), r#"{"secret":"***"}"#);
        assert_eq!(signed("digest: a\r\nx-request-id:b"), "digest: a\r\nx-request-id:b");
    }

    proptest::proptest! {
        #[test]
        fn nothing_of_a_secret_is_left(secret in "[a-zA-Z0-9+/=\\\\\"é]{12,40}", cut in 0_usize..80) {
            let whole = serde_json::json!({"a": [1, "x"], "client_secret": secret, "n": {"api_key": secret}}).to_string();
            let cut: String = whole.chars().take(whole.chars().count().saturating_sub(cut)).collect();
            let quoted = serde_json::to_string(&secret).unwrap();
            let masked = json(&cut);
            proptest::prop_assert!(!masked.contains(quoted.trim_matches('"')), "{}", masked);
        }

        #[test]
        fn never_panics(text in "\\PC{0,200}|[\\[\\]{}\":,\\\\a-z0-9é]{0,80}") {
            let _ = (json(&text), form(&text), signed(&text), address(&text).len());
        }
    }
}
