//! A call as the pages show it.

use edge::recording::{Call, Comparison, Part};

/// A call in the list.
pub(super) struct Row {
    pub(super) number: u64,
    pub(super) status: u16,
    pub(super) has_failed: bool,
    pub(super) method: String,
    pub(super) target: String,
    /// When it came, for programs.
    pub(super) at: String,
    /// The same for people: hours, minutes, seconds.
    pub(super) time: String,
    pub(super) took: String,
    pub(super) third_party: String,
    /// Why it was refused, with its code.
    pub(super) why: Option<String>,
}

impl Row {
    pub(super) fn of(call: &Call) -> Self {
        let findings = &call.findings;
        let code = findings.code.as_deref().map(|code| format!("{code}: ")).unwrap_or_default();
        let at = call.at.to_string();
        Self {
            number: call.number,
            status: call.status.as_u16(),
            has_failed: call.has_failed(),
            method: call.method.to_string(),
            target: call.target.to_string(),
            time: at.split(['T', '.', 'Z']).nth(1).unwrap_or_default().to_owned(),
            at,
            took: format!("{:.1} ms", call.milliseconds()),
            third_party: findings.third_party.as_deref().unwrap_or_default().to_owned(),
            why: findings.why.as_deref().map(|why| format!("{code}{why}")),
        }
    }
}

/// A check that was made.
pub(super) struct Checked {
    pub(super) title: &'static str,
    pub(super) passed: bool,
}

/// Header fields and body.
pub(super) struct Shown {
    pub(super) fields: Vec<(String, String)>,
    pub(super) body: Option<String>,
    /// What is not shown of the body, and why.
    pub(super) omitted: Option<String>,
}

/// What was expected and what came, taken apart where they differ.
pub(super) struct Compared {
    pub(super) what: &'static str,
    pub(super) before: String,
    pub(super) expected: String,
    /// None if nobody can tell what came.
    pub(super) got: Option<String>,
    pub(super) after: String,
    pub(super) remark: Option<&'static str>,
    /// Whether both are the same.
    pub(super) is_same: bool,
}

/// A call in full.
pub(super) struct Details {
    pub(super) row: Row,
    pub(super) path: String,
    /// Names and values of what is known beside.
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) title: Option<&'static str>,
    pub(super) clause: Option<&'static str>,
    pub(super) remedy: Option<&'static str>,
    pub(super) checks: Vec<Checked>,
    pub(super) comparison: Option<Compared>,
    pub(super) request: Shown,
    pub(super) answer: Shown,
    pub(super) curl: String,
}

impl Details {
    pub(super) fn of(call: &Call) -> Self {
        let findings = &call.findings;
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        let certificate = call.has_certificate.then(|| "with a client certificate".to_owned());
        let facts = [
            ("Third party", text(&findings.third_party)),
            ("Interface", findings.interface.map(str::to_owned)),
            ("Route", text(&findings.route)),
            ("Request id", text(&findings.request_id)),
            ("Code", text(&findings.code)),
            ("Came to", Some(call.origin.to_string())),
            ("TLS", certificate),
        ];
        let passed = findings.passed.iter().map(|check| Checked { title: check.title(), passed: true });
        let failed = findings.failed.iter().map(|check| Checked { title: check.title(), passed: false });
        Self {
            row: Row::of(call),
            path: call.path().to_owned(),
            facts: facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            title: findings.failed.map(|check| check.title()),
            clause: findings.clause,
            remedy: findings.remedy,
            checks: passed.chain(failed).collect(),
            comparison: findings.comparison.as_ref().map(compared),
            request: shown(&call.request),
            answer: shown(&call.answer),
            curl: call.curl(),
        }
    }
}

fn compared(comparison: &Comparison) -> Compared {
    let visible = |text: &str| text.replace('\r', "\\r").replace('\n', "↵\n");
    let made = |[before, expected, after]: [&str; 3], got: Option<&str>| Compared {
        what: comparison.what,
        before: visible(before),
        expected: visible(expected),
        got: got.map(visible),
        after: visible(after),
        remark: comparison.remark,
        is_same: comparison.got.as_ref() == Some(&comparison.expected),
    };
    match comparison.difference() {
        Some(difference) => {
            made([difference.before, difference.expected, difference.after], Some(difference.got))
        }
        None => made([&comparison.expected, "", ""], comparison.got.as_ref().map(|_| "")),
    }
}

fn shown(part: &Part) -> Shown {
    Shown {
        fields: part.fields().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        body: part.body.as_deref().map(readable),
        omitted: part.omitted.map(|why| format!("{} octets; {why}.", part.octets)),
    }
}

/// JSON with a line for each member, in its own order and words; any other text as it is.
fn readable(body: &str) -> String {
    if !body.trim_start().starts_with(['{', '[']) {
        return body.to_owned();
    }
    let (mut out, mut depth, mut is_text, mut is_escaped) = (String::new(), 0_usize, false, false);
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth.min(40)));
    };
    let mut letters = body.chars().peekable();
    while let Some(letter) = letters.next() {
        if is_text {
            out.push(letter);
            is_text = letter != '"' || is_escaped;
            is_escaped = letter == '\\' && !is_escaped;
            continue;
        }
        match letter {
            ' ' | '\n' | '\r' | '\t' => {}
            '{' | '[' => {
                while letters.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                out.push(letter);
                match letters.next_if(|next| matches!(next, '}' | ']')) {
                    Some(end) => out.push(end),
                    None => {
                        depth += 1;
                        line(&mut out, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(letter);
            }
            ',' => {
                out.push(letter);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => {
                is_text = letter == '"';
                out.push(letter);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_made_readable_and_stays_what_it_is() {
        let body = r#"{"b":[1,{"a":"x, {y}: \" z"}], "e": {} ,"n":[ ]}"#;
        let expected = "{\n  \"b\": [\n    1,\n    {\n      \"a\": \"x, {y}: \\\" z\"\n    }\n  ],\n  \"e\": {},\n  \"n\": []\n}";
        assert_eq!(readable(body), expected);
        assert_eq!(readable("a=b&c={d}"), "a=b&c={d}");
        for broken in ["{", "[[[", "}]", "{\"a", "{\"a\\"] {
            let _ = readable(broken);
        }
    }
}
