//! A call as it was recorded.

use std::time::Duration;

use gateway::domain::Timestamp;
use http::{Method, StatusCode, Version};
use serde::Serialize;
use serde_json::{Value, json};

use super::checks::{Check, Explanation};
use super::mask;

/// Octets of each text of a comparison that are kept.
const COMPARED: usize = 8 * 1024;

/// A request and its answer, with secrets masked, and what the bank made of it.
#[derive(Debug)]
pub struct Call {
    /// Counts up from one as calls end.
    pub number: u64,
    /// When it came, by the bank's own clock, not by that of a tenant.
    pub at: Timestamp,
    /// Time until the answer was there.
    pub took: Duration,
    /// Scheme and authority of the listener that it came to.
    pub origin: Box<str>,
    /// Whether a TLS client certificate came along.
    pub has_certificate: bool,
    /// The method.
    pub method: Method,
    /// Path and query.
    pub target: Box<str>,
    /// The version of HTTP.
    pub version: Version,
    /// The request.
    pub request: Part,
    /// The status of the answer.
    pub status: StatusCode,
    /// The answer.
    pub answer: Part,
    /// What the bank found out about it.
    pub findings: Findings,
}

/// Header fields and body of a request or an answer.
#[derive(Debug, Default)]
pub struct Part {
    /// `name: value`, one a line.
    pub headers: Box<str>,
    /// The media type of the body.
    pub media_type: Box<str>,
    /// The body, as far as it is kept.
    pub body: Option<Box<str>>,
    /// Octets of the body that came by.
    pub octets: usize,
    /// Why the body, or a part of it, is not kept.
    pub omitted: Option<&'static str>,
}

/// What the bank found out about a call.
#[derive(Debug, Default)]
pub struct Findings {
    /// The interface that was called.
    pub interface: Option<&'static str>,
    /// The pattern of the path.
    pub route: Option<Box<str>>,
    /// The third party that called, or said that it did.
    pub third_party: Option<Box<str>>,
    /// The id of the request.
    pub request_id: Option<Box<str>>,
    /// The code with which it was refused.
    pub code: Option<Box<str>>,
    /// The checks that it passed, in their order.
    pub passed: Vec<Check>,
    /// The check that it failed.
    pub failed: Option<Check>,
    /// Why it was refused, as the caller was told.
    pub why: Option<Box<str>>,
    /// Where that is written.
    pub clause: Option<&'static str>,
    /// What would mend it.
    pub remedy: Option<&'static str>,
    /// What the bank compared last: what it expected, and what it got.
    pub comparison: Option<Comparison>,
}

impl Findings {
    /// Says why the call was refused.
    pub(crate) fn explain(&mut self, why: &str, explanation: Explanation) {
        self.why = Some(why.into());
        self.failed = Some(explanation.check);
        (self.clause, self.remedy) = (Some(explanation.clause), Some(explanation.remedy));
    }
}

/// What the bank expected beside what it got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// What it is, for example `signing string`.
    pub what: &'static str,
    /// As the bank made it.
    pub expected: String,
    /// As it came, or as it must have been; none if nobody can tell.
    pub got: Option<String>,
    /// What the difference is, if the bank knows that kind.
    pub remark: Option<&'static str>,
}

/// Two texts, taken apart where they differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Difference<'t> {
    /// What both begin with.
    pub before: &'t str,
    /// What only the first has.
    pub expected: &'t str,
    /// What only the second has.
    pub got: &'t str,
    /// What both end with.
    pub after: &'t str,
}

impl<'t> Difference<'t> {
    /// Takes two texts apart.
    pub fn of(expected: &'t str, got: &'t str) -> Self {
        let same = |(a, b): &(char, char)| a == b;
        let common = |pairs: usize, text: &str| text.chars().take(pairs).map(char::len_utf8).sum::<usize>();
        let begin = common(expected.chars().zip(got.chars()).take_while(same).count(), expected);
        let (before, expected) = expected.split_at(begin);
        let got = &got[begin..];
        let ends = expected.chars().rev().zip(got.chars().rev()).take_while(same).count();
        let end: usize = expected.chars().rev().take(ends).map(char::len_utf8).sum();
        let (expected, after) = expected.split_at(expected.len() - end);
        Self { before, expected, got: &got[..got.len() - end], after }
    }
}

impl Comparison {
    /// Where the two differ, if both are known and do.
    pub fn difference(&self) -> Option<Difference<'_>> {
        let got = self.got.as_deref().filter(|got| *got != self.expected)?;
        Some(Difference::of(&self.expected, got))
    }

    /// The same with secrets masked.
    pub(crate) fn masked(self) -> Self {
        let masked = |text: &str| mask::signed(&text[..text.floor_char_boundary(COMPARED)]);
        let expected = masked(&self.expected);
        let got = self.got.map(|got| if got == self.expected { expected.clone() } else { masked(&got) });
        Self { expected, got, ..self }
    }
}

impl Part {
    /// Its header fields.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.lines().filter_map(|line| line.split_once(": "))
    }

    fn json(&self) -> Value {
        let fields: Vec<_> =
            self.fields().map(|(name, value)| json!({"name": name, "value": value})).collect();
        json!({"headers": fields, "body": self.body, "octets": self.octets, "omitted": self.omitted})
    }

    fn weight(&self) -> usize {
        self.headers.len() + self.media_type.len() + self.body.as_ref().map_or(0, |body| body.len())
    }
}

impl Call {
    /// Whether it was refused, or the bank failed.
    pub fn has_failed(&self) -> bool {
        self.status.as_u16() >= 400
    }

    /// The path without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Milliseconds until the answer was there, with three digits after the point.
    pub fn milliseconds(&self) -> f64 {
        self.took.as_micros() as f64 / 1000.0
    }

    /// Octets that it takes, about.
    pub(super) fn weight(&self) -> usize {
        let findings = &self.findings;
        let texts =
            [&findings.route, &findings.third_party, &findings.request_id, &findings.code, &findings.why];
        let texts: usize = texts.into_iter().flatten().map(|text| text.len()).sum();
        let compared = findings.comparison.as_ref().map_or(0, |comparison| {
            comparison.expected.len() + comparison.got.as_ref().map_or(0, String::len)
        });
        size_of::<Self>()
            + self.target.len()
            + self.request.weight()
            + self.answer.weight()
            + texts
            + compared
    }

    /// What a list says of it.
    pub fn summary(&self) -> Value {
        let findings = &self.findings;
        json!({
            "number": self.number,
            "at": self.at,
            "method": self.method.as_str(),
            "target": self.target,
            "status": self.status.as_u16(),
            "milliseconds": self.milliseconds(),
            "interface": findings.interface,
            "route": findings.route,
            "thirdParty": findings.third_party,
            "requestId": findings.request_id,
            "code": findings.code,
            "failedCheck": findings.failed,
            "why": findings.why,
        })
    }

    /// Everything that is known of it.
    pub fn details(&self) -> Value {
        let findings = &self.findings;
        let check = |check: &Check, passed| json!({"name": check, "title": check.title(), "passed": passed});
        let checks = findings.passed.iter().map(|passed| check(passed, true));
        let checks: Vec<_> =
            checks.chain(findings.failed.iter().map(|failed| check(failed, false))).collect();
        let mut details = self.summary();
        details["origin"] = self.origin.as_ref().into();
        details["clientCertificate"] = self.has_certificate.into();
        details["httpVersion"] = format!("{:?}", self.version).into();
        details["request"] = self.request.json();
        details["response"] = self.answer.json();
        details["checks"] = checks.into();
        details["clause"] = findings.clause.into();
        details["remedy"] = findings.remedy.into();
        details["curl"] = self.curl().into();
        details["comparison"] = json!(findings.comparison);
        if let Some(difference) = findings.comparison.as_ref().and_then(Comparison::difference) {
            details["comparison"]["difference"] = json!(difference);
        }
        details
    }

    /// The same call as a command; what is masked has to be put in by hand.
    pub fn curl(&self) -> String {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
        let mut words = vec!["curl --path-as-is".to_owned(), format!("-X {}", self.method)];
        words.push(quoted(&format!("{}{}", self.origin, self.target)));
        let left_out = ["host", "content-length", "accept-encoding", "connection"];
        for (name, value) in self.request.fields().filter(|(name, _)| !left_out.contains(name)) {
            words.push(format!("-H {}", quoted(&format!("{name}: {value}"))));
        }
        if let Some(body) = self.request.body.as_deref().filter(|body| !body.is_empty()) {
            words.push(format!("--data-binary {}", quoted(body)));
        }
        words.join(" \\\n  ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_two_texts_differ() {
        for (expected, got, parts) in [
            ("abc", "abc", ("abc", "", "", "")),
            ("abc", "abxc", ("ab", "", "x", "c")),
            ("abc\n", "abc", ("abc", "\n", "", "")),
            ("aé1z", "aé2z", ("aé", "1", "2", "z")),
            ("aa", "aaa", ("aa", "", "a", "")),
            ("", "x", ("", "", "x", "")),
            ("é", "è", ("", "é", "è", "")),
        ] {
            let difference = Difference::of(expected, got);
            let found = (difference.before, difference.expected, difference.got, difference.after);
            assert_eq!(found, parts, "{expected:?} {got:?}");
        }
    }
}
