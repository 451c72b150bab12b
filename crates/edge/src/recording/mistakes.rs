//! What was signed in place of what should have been. Nobody can read that from a signature, but the usual mistakes can be
//! tried.

use data_encoding::HEXLOWER;
use http_signatures::Message;
use http_signatures::cavage::{SignatureHeader, signing_string};

/// What was signed instead, and which mistake that is. The text is none if it is no text.
pub(crate) type Mistake = (Option<String>, &'static str);

/// Tries the usual mistakes with signing strings.
pub(crate) fn of_signing_string(
    message: &Message<'_>,
    header: &SignatureHeader,
    verifies: impl Fn(&[u8]) -> bool,
) -> Option<Mistake> {
    let made = |names: &[String]| {
        let octets = signing_string(names, message, header.created, header.expires).ok()?;
        String::from_utf8(octets).ok()
    };
    let right = made(&header.headers)?;
    let others = spellings(&right).into_iter().chain(other_names(header, &made));
    for (text, mistake) in others {
        if verifies(text.as_bytes()) {
            return Some((Some(text), mistake));
        }
    }
    hashes(right.as_bytes(), &verifies)
}

/// The same string, written otherwise.
fn spellings(right: &str) -> Vec<(String, &'static str)> {
    let lines: Vec<(&str, &str)> = right.lines().filter_map(|line| line.split_once(": ")).collect();
    let joined = |line: &dyn Fn(&(&str, &str)) -> String, between: &str| {
        lines.iter().map(line).collect::<Vec<_>>().join(between)
    };
    let as_is = |(name, value): &(&str, &str)| format!("{name}: {value}");
    vec![
        (format!("{right}\n"), "it was signed with a line feed at its end"),
        (joined(&as_is, "\r\n"), "its lines were joined with carriage return and line feed"),
        (joined(&as_is, "\\n"), "its lines were joined with a backslash and an n in place of a line feed"),
        (joined(&as_is, ""), "its lines were joined with nothing between them"),
        (joined(&as_is, " "), "its lines were joined with blanks in place of line feeds"),
        (joined(&|(name, value)| format!("{name}:{value}"), "\n"), "the blank after each colon is missing"),
        (
            joined(&|(_, value)| (*value).to_owned(), "\n"),
            "the values were signed without the names of the headers",
        ),
        (
            joined(&|(name, value)| format!("{}: {value}", capitalised(name)), "\n"),
            "the names of the headers were not in lower case",
        ),
        (
            joined(&|(name, value)| format!("{}: {value}", capitalised(name).replace("Id", "ID")), "\n"),
            "the names of the headers were not in lower case",
        ),
        (
            joined(&|(name, value)| format!("{name}: {}", value.replacen("SHA-256=", "", 1)), "\n"),
            "the digest was signed without SHA-256= before it",
        ),
        (right.to_ascii_lowercase(), "the values were turned into lower case"),
    ]
}

fn capitalised(name: &str) -> String {
    let part = |part: &str| {
        let (first, rest) = part.split_at(part.len().min(1));
        format!("{}{rest}", first.to_ascii_uppercase())
    };
    name.split('-').map(part).collect::<Vec<_>>().join("-")
}

/// The strings of other lists of headers.
fn other_names(
    header: &SignatureHeader,
    made: &impl Fn(&[String]) -> Option<String>,
) -> Vec<(String, &'static str)> {
    const ORDER: &str = "the lines stood in another order than in headers=\"…\"";
    const OTHER: &str = "other headers were signed than headers=\"…\" names";
    let names = &header.headers;
    let mut lists: Vec<(Vec<String>, &'static str)> = Vec::new();
    if names.len() <= 5 {
        lists.extend(orders(names).into_iter().map(|list| (list, ORDER)));
    }
    for left_out in 0..names.len() {
        let mut list = names.clone();
        list.remove(left_out);
        lists.push((list, OTHER));
    }
    let usual = ["(request-target)", "date", "host", "psu-ip-address", "tpp-redirect-uri", "psu-id"];
    let known = |name: &&&str| !names.iter().any(|signed| signed == **name);
    for added in usual.iter().filter(known) {
        for at in [0, names.len()] {
            let mut list = names.clone();
            list.insert(at, (*added).to_owned());
            lists.push((list, OTHER));
        }
    }
    lists.into_iter().filter_map(|(list, mistake)| Some((made(&list)?, mistake))).collect()
}

/// Every order of a few names.
fn orders(names: &[String]) -> Vec<Vec<String>> {
    if names.len() < 2 {
        return vec![names.to_vec()];
    }
    let mut all = Vec::new();
    for first in 0..names.len() {
        let mut rest = names.to_vec();
        let first = rest.remove(first);
        for mut order in orders(&rest) {
            order.insert(0, first.clone());
            all.push(order);
        }
    }
    all
}

/// A hash that was signed, which is then hashed again.
fn hashes(right: &[u8], verifies: &impl Fn(&[u8]) -> bool) -> Option<Mistake> {
    const TWICE: &str = "its SHA-256 was signed in place of itself, so that it is hashed twice";
    let hex = gateway::fingerprint(right);
    if HEXLOWER.decode(hex.as_bytes()).is_ok_and(|octets| verifies(&octets)) {
        return Some((None, TWICE));
    }
    verifies(hex.as_bytes()).then_some((Some(hex), TWICE))
}

/// Tries the usual mistakes with bodies: those of other octets than were sent.
pub(crate) fn of_body(body: &[u8], fits: impl Fn(&[u8]) -> bool) -> Option<Mistake> {
    let text = String::from_utf8_lossy(body);
    let others = [
        (String::new(), "nothing was taken, as if there were no body"),
        (text.trim().to_owned(), "it was taken without the blanks or line feeds around it"),
        (format!("{text}\n"), "it was taken with a line feed at its end that was not sent"),
        (text.replace("\r\n", "\n"), "it was taken with other line ends than were sent"),
        (
            text.replace("\r\n", "\n").replace('\n', "\r\n"),
            "it was taken with other line ends than were sent",
        ),
        (spaced(&text, ("", "")), "it was taken without blanks, and sent with them"),
        (
            spaced(&text, (" ", " ")),
            "it was taken with blanks after commas and colons, and sent without them",
        ),
        ("\"\"".to_owned(), "an empty JSON text was taken in place of the body"),
        ("{}".to_owned(), "an empty JSON object was taken in place of the body"),
    ];
    for (other, mistake) in others {
        if other.as_bytes() != body && fits(other.as_bytes()) {
            return Some((Some(other), mistake));
        }
    }
    hashes(body, &fits)
}

/// JSON with other blanks between its tokens.
fn spaced(text: &str, (comma, colon): (&str, &str)) -> String {
    let (mut out, mut is_text, mut is_escaped) = (String::with_capacity(text.len()), false, false);
    for letter in text.chars() {
        if is_text {
            out.push(letter);
            is_text = letter != '"' || is_escaped;
            is_escaped = letter == '\\' && !is_escaped;
            continue;
        }
        match letter {
            ' ' | '\n' | '\r' | '\t' => continue,
            '"' => is_text = true,
            _ => {}
        }
        out.push(letter);
        match letter {
            ',' => out.push_str(comma),
            ':' => out.push_str(colon),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_with_bodies() {
        let body = br#"{"a": "x, y", "b": [1, 2]}"#;
        for (taken, text) in [
            ("", "no body"),
            (r#"{"a":"x, y","b":[1,2]}"#, "without blanks"),
            ("{\"a\": \"x, y\", \"b\": [1, 2]}\n", "line feed at its end"),
            (&gateway::fingerprint(body), "hashed twice"),
        ] {
            let (found, mistake) = of_body(body, |tried| tried == taken.as_bytes()).unwrap();
            assert_eq!(found.as_deref(), Some(taken));
            assert!(mistake.contains(text), "{mistake}");
        }
        assert!(of_body(body, |_| false).is_none());
        let (found, _) = of_body(br#"{"a":1}"#, |tried| tried == br#"{"a": 1}"#).unwrap();
        assert_eq!(found.as_deref(), Some(r#"{"a": 1}"#));
    }

    #[test]
    fn mistakes_with_signing_strings() {
        let mut headers = http::HeaderMap::new();
        headers.insert("digest", "SHA-256=abc=".parse().unwrap());
        headers.insert("x-request-id", "An-Id".parse().unwrap());
        headers.insert("date", "today".parse().unwrap());
        let message =
            Message { method: &http::Method::GET, target: "/v1/x?y", base_uri: "", headers: &headers };
        let header =
            SignatureHeader::parse("keyId=\"k\",headers=\"digest x-request-id\",signature=\"AAAA\"").unwrap();
        for (signed, text) in [
            ("digest: SHA-256=abc=\nx-request-id: An-Id\n", "line feed at its end"),
            ("digest: SHA-256=abc=\r\nx-request-id: An-Id", "carriage return"),
            ("Digest: SHA-256=abc=\nX-Request-ID: An-Id", "lower case"),
            ("Digest: SHA-256=abc=\nX-Request-Id: An-Id", "lower case"),
            ("digest:SHA-256=abc=\nx-request-id:An-Id", "blank after each colon"),
            ("x-request-id: An-Id\ndigest: SHA-256=abc=", "another order"),
            ("digest: SHA-256=abc=", "other headers"),
            ("(request-target): get /v1/x?y\ndigest: SHA-256=abc=\nx-request-id: An-Id", "other headers"),
            ("digest: SHA-256=abc=\nx-request-id: An-Id\ndate: today", "other headers"),
            ("digest: abc=\nx-request-id: An-Id", "without SHA-256="),
        ] {
            let found = of_signing_string(&message, &header, |tried| tried == signed.as_bytes());
            let (found, mistake) = found.unwrap_or_else(|| panic!("{signed:?} was not found"));
            assert_eq!(found.as_deref(), Some(signed));
            assert!(mistake.contains(text), "{signed:?}: {mistake}");
        }
        assert!(of_signing_string(&message, &header, |_| false).is_none());
    }
}
