//! `docs/errors.md` against the source: every code that the bank can answer is there with what mends it, and no other.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::documentation::root;

/// What looks like a code of OAuth in the source and is the name of something else.
const NO_CODES: &[&str] = &["request_uri"];

type Codes = BTreeSet<String>;

/// The cells of the rows of the tables below a heading, each row with something to do in its last cell.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let page = fs::read_to_string(root().join("docs/errors.md")).unwrap();
    let heading = format!("\n## {heading}\n");
    let section = page.split(&heading).nth(1).unwrap().split("\n## ").next().unwrap();
    let lines = section.lines().filter(|line| line.starts_with('|') && !line.starts_with("|---"));
    let row = |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    let rows: Vec<Vec<String>> = lines.map(row).collect();
    for row in &rows {
        assert!(row.len() == rows[0].len() || row.len() == 3, "{row:?}");
        assert!(row.iter().all(|cell| !cell.is_empty()), "{row:?} says nothing");
    }
    rows
}

fn code(cell: &str) -> Option<String> {
    Some(cell.strip_prefix('`')?.strip_suffix('`')?.to_owned())
}

/// Every source file below a folder, as text without its tests.
fn sources(folder: &Path, texts: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() && name != "tests" {
            sources(&entry.path(), texts);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            let text = fs::read_to_string(entry.path()).unwrap();
            texts.push(text.split("#[cfg(test)]\nmod tests").next().unwrap().to_owned());
        }
    }
}

/// The texts in quotes of some folders or files, each with what is before it up to the quote before.
fn quoted(places: &[&str]) -> Vec<(String, String)> {
    let mut texts = Vec::new();
    for place in places {
        let path = root().join(place);
        if path.is_dir() { sources(&path, &mut texts) } else { texts.push(fs::read_to_string(path).unwrap()) }
    }
    let mut found = Vec::new();
    for text in texts {
        let parts: Vec<&str> = text.split('"').collect();
        found.extend(parts.windows(2).map(|pair| (pair[0].trim_end().to_owned(), pair[1].to_owned())));
    }
    found
}

fn is_word(text: &str, letter: fn(&u8) -> bool) -> bool {
    text.contains('_') && !text.ends_with('_') && text.bytes().all(|byte| byte == b'_' || letter(&byte))
}

fn explained(of_source: &Codes, of_page: &Codes, section: &str) {
    let missing: Vec<_> = of_source.difference(of_page).collect();
    assert!(missing.is_empty(), "docs/errors.md, {section}: no row for {missing:?}");
    let unknown: Vec<_> = of_page.difference(of_source).collect();
    assert!(unknown.is_empty(), "docs/errors.md, {section}: nothing answers {unknown:?}");
}

#[test]
fn message_codes() {
    let found = quoted(&["dialects/berlin-group/src", "crates/domain/src/standing.rs"]);
    let is_code = |text: &str| is_word(text, u8::is_ascii_uppercase) && text != "CARGO_PKG_VERSION";
    let source: Codes = found.iter().map(|(_, text)| text.clone()).filter(|text| is_code(text)).collect();
    let rows = rows("NextGenPSD2");
    let page: Codes = rows.iter().filter_map(|row| code(&row[1])).collect();
    assert!(source.len() > 25, "the sources are read: {source:?}");
    explained(&source, &page, "NextGenPSD2");
    let has_row = |status: &str, wanted: &str| {
        rows.iter().any(|row| row[0] == status && code(&row[1]).as_deref() == Some(wanted))
    };
    for (before, text) in found.iter().filter(|(_, text)| is_code(text)) {
        let status = match before.strip_suffix("unauthorized(") {
            Some(_) => "401",
            None => match before.strip_suffix(',').and_then(|before| before.rsplit_once("StatusCode::")) {
                Some((_, name)) => number(name),
                None => continue,
            },
        };
        assert!(has_row(status, text), "docs/errors.md, NextGenPSD2: no row for {status} {text}");
    }
}

fn number(status: &str) -> &'static str {
    match status {
        "BAD_REQUEST" => "400",
        "UNAUTHORIZED" => "401",
        "FORBIDDEN" => "403",
        "NOT_FOUND" => "404",
        "METHOD_NOT_ALLOWED" => "405",
        "CONFLICT" => "409",
        "TOO_MANY_REQUESTS" => "429",
        "NOT_IMPLEMENTED" => "501",
        other => panic!("{other} is new here"),
    }
}

#[test]
fn codes_of_oauth() {
    const BEGINNINGS: &[&str] =
        &["invalid_", "unsupported_", "unauthorized_", "access_denied", "temporarily_"];
    const ENDS: &[&str] = &["_required", "_not_supported", "server_error"];
    let found = quoted(&["crates/oauth/src", "dialects/bunq/src/token.rs", "dialects/bunq/src/authorize.rs"]);
    let is_code = |text: &str| {
        (is_word(text, u8::is_ascii_lowercase)
            && (BEGINNINGS.iter().any(|begin| text.starts_with(begin))
                || ENDS.iter().any(|end| text.ends_with(end))))
            || text == "Invalid HTTP Authorization header value"
    };
    let of_calls = found.iter().filter(|(before, text)| {
        is_code(text)
            || ((before.ends_with("Error::bad(") || before.ends_with("unauthorized("))
                && is_word(text, u8::is_ascii_lowercase))
    });
    let source: Codes =
        of_calls.map(|(_, text)| text.clone()).filter(|text| !NO_CODES.contains(&text.as_str())).collect();
    let page: Codes = rows("OAuth and OpenID Connect").iter().filter_map(|row| code(&row[0])).collect();
    assert!(source.len() > 12, "the sources are read: {source:?}");
    explained(&source, &page, "OAuth");
}

#[test]
fn errors_of_bunq() {
    let rows = rows("bunq");
    // The table of statuses, then the one of texts, with as many columns.
    let statuses: Codes =
        rows.iter().map(|row| row[0].clone()).filter(|cell| cell.parse::<u16>().is_ok()).collect();
    let texts: Codes = rows.iter().filter_map(|row| code(&row[0])).collect();
    let mut sources_of_bunq = Vec::new();
    sources(&root().join("dialects/bunq/src"), &mut sources_of_bunq);
    let all = sources_of_bunq.join("\n");
    let named = all
        .split("StatusCode::")
        .skip(1)
        .map(|rest| rest.split(|c: char| !(c.is_ascii_uppercase() || c == '_')).next().unwrap_or_default());
    let named = named.filter_map(|name| match name {
        "INTERNAL_SERVER_ERROR" => Some("500"),
        // What is no error, what stands where HTTP has no name for a status, and what a target of callbacks answers.
        "" | "OK" | "FOUND" | "SERVICE_UNAVAILABLE" | "GONE" => None,
        name => Some(number(name)),
    });
    let own =
        all.split("StatusCode::from_u16(").skip(1).map(|rest| rest.split(')').next().unwrap_or_default());
    let of_source: Codes =
        named.chain(own.filter(|status| status.parse::<u16>().is_ok())).map(str::to_owned).collect();
    let missing: Vec<_> = of_source.difference(&statuses).collect();
    assert!(of_source.len() > 7 && missing.is_empty(), "docs/errors.md, bunq: no row for {missing:?}");
    let errors = fs::read_to_string(root().join("dialects/bunq/src/error.rs")).unwrap();
    let fixed = errors.split("const DUTCH").nth(1).unwrap().split("];").next().unwrap();
    let mut english: Codes =
        fixed.split("\n    (\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect();
    for name in [
        "WRONG_CREDENTIALS: &str =",
        "SIGNATURE_REQUIRED: &str =",
        " SIGNATURE: &str =",
        " CERTIFICATE: &str =",
    ] {
        english.insert(errors.split(name).nth(1).unwrap().split('"').nth(1).unwrap().to_owned());
    }
    explained(&english, &texts, "bunq");
}

#[test]
fn codes_of_the_management_api() {
    let found = quoted(&["banks/sandbox/src", "crates/oauth/src/headless.rs", "crates/oauth/src/headless"]);
    let is_after_a_status = |before: &str| {
        let status = before.strip_suffix(',').and_then(|before| before.rsplit_once("StatusCode::"));
        status.is_some_and(|(_, name)| is_word(&format!("{name}_A"), u8::is_ascii_uppercase))
    };
    let is_code = |before: &str, text: &str| {
        let is_given = before.ends_with("bad(") || is_after_a_status(before);
        // A fault that was asked for answers in the place of the authorization server, which has this one.
        let is_named =
            text.starts_with("invalid_") && text != "invalid_token" || text.starts_with("temporarily_");
        let letters = text.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase());
        letters && !text.is_empty() && (is_given || is_named)
    };
    let source: Codes =
        found.into_iter().filter(|(before, text)| is_code(before, text)).map(|(_, text)| text).collect();
    let page: Codes = rows("Management API").iter().filter_map(|row| code(&row[0])).collect();
    assert!(source.len() > 20, "the sources are read: {source:?}");
    explained(&source, &page, "management API");
}
