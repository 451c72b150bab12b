//! The message codes of NextGenPSD2 against the tests of this folder: whatever the dialect can answer is provoked by one of
//! them, and what the standard has besides does not apply here, each for a reason.
//!
//! The sets are read out of the sources. An answer is a status before a code there, `StatusCode::NOT_FOUND, "A_CODE"`;
//! an expectation is a number before a code in a test, `404, "A_CODE"`.

use std::collections::BTreeSet;
use std::path::Path;

/// The standard's codes by status (NextGenPSD2 1.3.6, 14.11).
const STANDARD: &[(u16, &[&str])] = &[
    (
        400,
        &[
            "FORMAT_ERROR",
            "PARAMETER_NOT_CONSISTENT",
            "PARAMETER_NOT_SUPPORTED",
            "SERVICE_INVALID",
            "RESOURCE_UNKNOWN",
            "RESOURCE_EXPIRED",
            "RESOURCE_BLOCKED",
            "TIMESTAMP_INVALID",
            "PERIOD_INVALID",
            "SCA_METHOD_UNKNOWN",
            "SCA_INVALID",
            "CONSENT_UNKNOWN",
            "SESSIONS_NOT_SUPPORTED",
            "PAYMENT_FAILED",
            "EXECUTION_DATE_INVALID",
            "CARD_INVALID",
            "NO_PIIS_ACTIVATION",
            "REFERENCE_MIX_INVALID",
        ],
    ),
    (
        401,
        &[
            "CERTIFICATE_INVALID",
            "ROLE_INVALID",
            "CERTIFICATE_EXPIRED",
            "CERTIFICATE_BLOCKED",
            "CERTIFICATE_REVOKED",
            "CERTIFICATE_MISSING",
            "SIGNATURE_INVALID",
            "SIGNATURE_MISSING",
            "CORPORATE_ID_INVALID",
            "PSU_CREDENTIALS_INVALID",
            "CONSENT_INVALID",
            "CONSENT_EXPIRED",
            "TOKEN_UNKNOWN",
            "TOKEN_INVALID",
            "TOKEN_EXPIRED",
            "REQUIRED_KID_MISSING",
        ],
    ),
    (403, &["CONSENT_UNKNOWN", "SERVICE_BLOCKED", "RESOURCE_UNKNOWN", "RESOURCE_EXPIRED", "PRODUCT_INVALID"]),
    (404, &["RESOURCE_UNKNOWN", "PRODUCT_UNKNOWN"]),
    (405, &["SERVICE_INVALID", "CANCELLATION_INVALID"]),
    (406, &["REQUESTED_FORMATS_INVALID"]),
    (409, &["STATUS_INVALID", "REFERENCE_STATUS_INVALID"]),
    (429, &["ACCESS_EXCEEDED"]),
    (200, &["WARNING", "FUNDS_NOT_AVAILABLE"]),
    (201, &["BENEFICIARY_WHITELISTING_REQUIRED"]),
];

/// What of it this bank never answers, and why.
const NOT_HERE: &[(u16, &str, &str)] = &[
    (400, "PARAMETER_NOT_CONSISTENT", "what contradicts itself is a FORMAT_ERROR that names both members"),
    (400, "SERVICE_INVALID", "a method or service that there is not is 405, 404 or 501"),
    (400, "RESOURCE_UNKNOWN", "the compatible bank answers 403, wherever the id stands"),
    (400, "RESOURCE_EXPIRED", "what ended too early to change is STATUS_INVALID or CANCELLATION_INVALID"),
    (
        400,
        "RESOURCE_BLOCKED",
        "only signing baskets and final payments block; those are CANCELLATION_INVALID",
    ),
    (400, "SCA_METHOD_UNKNOWN", "customers choose a method at the bank's page (redirect approach alone)"),
    (400, "SCA_INVALID", "customers answer at the bank's page (redirect approach alone)"),
    (400, "CONSENT_UNKNOWN", "the compatible bank answers 403, wherever the id stands"),
    (400, "NO_PIIS_ACTIVATION", "the consent that a question about funds needs is the activation"),
    (400, "REFERENCE_MIX_INVALID", "no signing baskets"),
    (401, "CORPORATE_ID_INVALID", "the corporate id is not used (redirect approach alone)"),
    (401, "PSU_CREDENTIALS_INVALID", "credentials are given at the bank's page (redirect approach alone)"),
    (401, "CONSENT_EXPIRED", "an expired consent is CONSENT_INVALID, as the compatible bank says it"),
    (401, "TOKEN_EXPIRED", "an expired token is TOKEN_INVALID, as the compatible bank says it"),
    (401, "REQUIRED_KID_MISSING", "a signature without a keyId is SIGNATURE_INVALID"),
    (403, "SERVICE_BLOCKED", "who is blocked is told so for every service: CERTIFICATE_BLOCKED"),
    (403, "RESOURCE_EXPIRED", "what expired can still be read, and changing it is STATUS_INVALID"),
    (405, "CANCELLATION_INVALID", "the compatible bank answers 400"),
    (406, "REQUESTED_FORMATS_INVALID", "answers are JSON, whatever is asked for"),
    (
        409,
        "STATUS_INVALID",
        "the compatible bank answers 400; 409 is for writers that others overtake each time",
    ),
    (409, "REFERENCE_STATUS_INVALID", "no signing baskets"),
    (200, "WARNING", "errors alone have messages"),
    (200, "FUNDS_NOT_AVAILABLE", "fundsAvailable says it"),
    (201, "BENEFICIARY_WHITELISTING_REQUIRED", "no trusted beneficiaries"),
];

/// What this bank answers with another status than the standard has for the code, and why.
const OTHER_STATUS: &[(u16, &str, &str)] = &[
    (400, "STATUS_INVALID", "as the compatible bank has it"),
    (400, "CANCELLATION_INVALID", "as the compatible bank has it"),
    (400, "PRODUCT_INVALID", "an account that no consent can be about, as the compatible bank has it"),
    (413, "FORMAT_ERROR", "the status says more"),
    (414, "FORMAT_ERROR", "the status says more"),
    (415, "FORMAT_ERROR", "the status says more"),
    (431, "FORMAT_ERROR", "the status says more"),
    (501, "SERVICE_INVALID", "as the compatible bank has it for cross-border payments"),
];

/// What no test can bring about: every retry of a write would have to be overtaken.
const NOT_ON_PURPOSE: &[(u16, &str)] = &[(409, "STATUS_INVALID")];

type Answers = BTreeSet<(u16, String)>;

/// Every source file below a folder of this crate, as text.
fn sources(folder: &str, texts: &mut Vec<String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    for entry in std::fs::read_dir(root).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = format!("{folder}/{name}");
        if entry.file_type().unwrap().is_dir() {
            sources(&path, texts);
        } else if !["tests.rs", "message_codes.rs"].contains(&name.as_str()) {
            texts.push(std::fs::read_to_string(entry.path()).unwrap());
        }
    }
}

/// The codes in quotes, each with what is before it up to the quote before.
fn quoted(texts: &[String]) -> Vec<(String, String)> {
    let is_code = |text: &str| {
        text.contains('_')
            && !text.ends_with('_')
            && text.bytes().all(|byte| byte == b'_' || byte.is_ascii_uppercase())
    };
    let mut found = Vec::new();
    for text in texts {
        let parts: Vec<&str> = text.split('"').collect();
        let pairs = parts.windows(2).filter(|pair| is_code(pair[1]));
        found.extend(pairs.map(|pair| (pair[0].trim_end().to_owned(), pair[1].to_owned())));
    }
    found.retain(|(before, _)| !before.ends_with("env!("));
    found
}

fn number(status: &str) -> u16 {
    match status {
        "BAD_REQUEST" => 400,
        "UNAUTHORIZED" => 401,
        "FORBIDDEN" => 403,
        "NOT_FOUND" => 404,
        "METHOD_NOT_ALLOWED" => 405,
        "CONFLICT" => 409,
        "TOO_MANY_REQUESTS" => 429,
        "NOT_IMPLEMENTED" => 501,
        other => panic!("{other} is new here"),
    }
}

/// Every code that the dialect's sources name, and every status with a code.
fn answered() -> (BTreeSet<String>, Answers) {
    let mut texts = vec![include_str!("../../../../crates/domain/src/standing.rs").to_owned()];
    sources("src", &mut texts);
    let quoted = quoted(&texts);
    let with_status = quoted.iter().filter_map(|(before, code)| {
        let status = match before.strip_suffix("unauthorized(") {
            Some(_) => 401,
            None => number(before.strip_suffix(',')?.rsplit_once("StatusCode::")?.1),
        };
        Some((status, code.clone()))
    });
    (quoted.iter().map(|(_, code)| code.clone()).collect(), with_status.collect())
}

/// What a sandbox answers where a test has it fail on purpose, which the tests of the program do (`faults.rs`).
const FORCED: &str = "INTERNAL_SERVER_ERROR";

/// Every status with a code that a test expects.
fn provoked() -> Answers {
    let mut texts = Vec::new();
    sources("tests/dialect", &mut texts);
    let expected = quoted(&texts).into_iter().filter_map(|(before, code)| {
        let before = before.strip_suffix(',')?;
        let digits = before.len() - before.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        (digits == 3).then(|| (before[before.len() - 3..].parse().unwrap(), code))
    });
    expected.collect()
}

fn named<'a>(list: impl IntoIterator<Item = (u16, &'a str)>) -> Answers {
    list.into_iter().map(|(status, code)| (status, code.to_owned())).collect()
}

fn first_two(list: &'static [(u16, &str, &str)]) -> Answers {
    assert!(list.iter().all(|(_, _, reason)| !reason.is_empty()));
    named(list.iter().map(|(status, code, _)| (*status, *code)))
}

#[test]
fn every_code_that_the_dialect_answers_is_provoked() {
    let (mut codes, with_status) = answered();
    assert!(codes.remove(FORCED));
    let provoked = provoked();
    let provoked_codes: BTreeSet<String> = provoked.iter().map(|(_, code)| code.clone()).collect();
    assert!(codes.len() > 25 && with_status.len() > 20, "the sources are read: {codes:?} {with_status:?}");
    let missing: Vec<_> = codes.difference(&provoked_codes).collect();
    assert!(missing.is_empty(), "codes that no test provokes: {missing:?}");
    let unknown: Vec<_> = provoked_codes.difference(&codes).collect();
    assert!(unknown.is_empty(), "tests expect codes that the dialect does not have: {unknown:?}");
    let missing: Answers = with_status.difference(&provoked).cloned().collect();
    assert_eq!(missing, named(NOT_ON_PURPOSE.iter().copied()), "answers that no test provokes");
}

#[test]
fn every_code_of_the_standard_is_provoked_or_does_not_apply() {
    let standard =
        named(STANDARD.iter().flat_map(|(status, codes)| codes.iter().map(|code| (*status, *code))));
    let (provoked, not_here) = (provoked(), first_two(NOT_HERE));
    let missing: Answers = &(&standard - &provoked) - &not_here;
    assert!(missing.is_empty(), "codes of the standard that no test provokes: {missing:?}");
    let both: Answers = &not_here & &provoked;
    assert!(both.is_empty(), "said not to apply, and provoked: {both:?}");
    let unknown: Answers = &not_here - &standard;
    assert!(unknown.is_empty(), "not in the standard: {unknown:?}");
    assert_eq!(&provoked - &standard, first_two(OTHER_STATUS), "what the standard does not have");
}
