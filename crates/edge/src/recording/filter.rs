//! Which calls somebody asks for, as the parameters of a query say.

use gateway::domain::Interface;

use super::Call;

/// Calls of a list, unless the query says how many.
pub const PAGE: usize = 50;

/// Most calls of a list.
const MOST: usize = 500;

/// Interfaces whose calls can be asked for, each with what people know it by: the bank's, and its authorization server.
pub fn interfaces() -> impl Iterator<Item = (&'static str, &'static str)> {
    let all = Interface::ALL.map(|interface| (interface.name(), interface.title()));
    all.into_iter().chain([("oauth", "Authorization server")])
}

/// Names as a choice between them.
fn one_of(names: impl Iterator<Item = &'static str>) -> String {
    let names: Vec<_> = names.collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => names.concat(),
    }
}

/// Which calls are asked for. Without anything all are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    third_party: Option<String>,
    interface: Option<String>,
    path: Option<String>,
    status: Option<Status>,
    request_id: Option<String>,
    failed: bool,
    before: Option<u64>,
    pub(super) after: Option<u64>,
    pub(super) limit: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    One(u16),
    /// All that begin with a digit.
    Class(u16),
}

/// A parameter of the query that says nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Nobody knows it.
    #[error(
        "parameter \"{0}\" is not known; there are third_party, interface, path, status, request_id, failed, limit, \
         before and after"
    )]
    Unknown(String),
    /// It occurs more than once.
    #[error("parameter {0} occurs more than once")]
    Twice(String),
    /// There is no interface of this name.
    #[error("interface must be {}", one_of(interfaces().map(|(name, _)| name)))]
    Interface,
    /// Its value is of another kind.
    #[error("{name} must be {expected}")]
    Value {
        /// Which one.
        name: &'static str,
        /// What would be right.
        expected: &'static str,
    },
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            third_party: None,
            interface: None,
            path: None,
            status: None,
            request_id: None,
            failed: false,
            before: None,
            after: None,
            limit: PAGE,
        }
    }
}

impl Filter {
    /// Reads a query. What is empty says nothing, as in a form that was left empty.
    ///
    /// # Errors
    /// [`FilterError`]
    pub fn parse(query: &str) -> Result<Self, FilterError> {
        let (mut filter, mut seen) = (Self::default(), Vec::new());
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if seen.contains(&name) {
                return Err(FilterError::Twice(name.chars().take(40).collect()));
            }
            let value = value.trim();
            if !value.is_empty() {
                filter.set(&name, value)?;
            }
            seen.push(name);
        }
        Ok(filter)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), FilterError> {
        let text = || Some(value.to_owned());
        let number = |name| {
            value
                .parse()
                .map_err(|_| FilterError::Value { name, expected: "the number of a call, in digits" })
        };
        match name {
            "third_party" => self.third_party = text(),
            "interface" | "dialect" => {
                let is_known = interfaces().any(|(known, _)| known.eq_ignore_ascii_case(value));
                self.interface = Some(text().filter(|_| is_known).ok_or(FilterError::Interface)?);
            }
            "path" => self.path = text(),
            "request_id" => self.request_id = text(),
            "status" => self.status = Some(status(value)?),
            "before" => self.before = Some(number("before")?),
            "after" => self.after = Some(number("after")?),
            "failed" => {
                let expected = "true or false";
                let is_failed = value.parse().map_err(|_| FilterError::Value { name: "failed", expected });
                self.failed = is_failed?;
            }
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=MOST).contains(limit));
                let expected = "a number from 1 to 500";
                self.limit = limit.ok_or(FilterError::Value { name: "limit", expected })?;
            }
            other => return Err(FilterError::Unknown(other.chars().take(40).collect())),
        }
        Ok(())
    }

    /// Whether a call is one of those that are asked for.
    pub(super) fn lets_through(&self, call: &Call) -> bool {
        let findings = &call.findings;
        let is = |wanted: &Option<String>, value: Option<&str>| {
            wanted
                .as_deref()
                .is_none_or(|wanted| value.is_some_and(|value| value.eq_ignore_ascii_case(wanted)))
        };
        let status = call.status.as_u16();
        self.before.is_none_or(|before| call.number < before)
            && self.after.is_none_or(|after| call.number > after)
            && (!self.failed || call.has_failed())
            && self.status.is_none_or(|wanted| match wanted {
                Status::One(one) => status == one,
                Status::Class(digit) => status / 100 == digit,
            })
            && is(&self.third_party, findings.third_party.as_deref())
            && is(&self.interface, findings.interface)
            && is(&self.request_id, findings.request_id.as_deref())
            && self.path.as_deref().is_none_or(|path| call.path().contains(path))
    }
}

/// A status, or a class such as `4xx`.
fn status(value: &str) -> Result<Status, FilterError> {
    let wrong =
        || FilterError::Value { name: "status", expected: "a status such as 401, or a class such as 4xx" };
    let class = value.to_ascii_lowercase();
    let status = match class.strip_suffix("xx") {
        Some(digit) => digit.parse().ok().filter(|digit| (1..=5).contains(digit)).map(Status::Class),
        None => value.parse().ok().filter(|status| (100..=599).contains(status)).map(Status::One),
    };
    status.ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_query_may_say() {
        assert_eq!(Filter::parse(""), Ok(Filter::default()));
        assert_eq!(Filter::parse("third_party=&status=&failed="), Ok(Filter::default()));
        let all = "third_party=PSDNL-DNB-1&interface=bunq&path=%2Fv1&status=4xx&request_id=x&failed=true&limit=7&before=9&after=2";
        let filter = Filter::parse(all).unwrap();
        assert_eq!(
            (filter.limit, filter.status, filter.path.as_deref()),
            (7, Some(Status::Class(4)), Some("/v1"))
        );
        for (query, text) in [
            ("nothing=1", "\"nothing\" is not known"),
            ("limit=0", "limit must be a number from 1 to 500"),
            ("limit=501", "limit must be a number"),
            ("status=no", "such as 4xx"),
            ("status=9xx", "such as 4xx"),
            ("status=99", "such as 401"),
            ("failed=1", "true or false"),
            ("interface=zzz", "interface must be berlin-group, bunq or oauth"),
            ("before=-1", "before must be the number of a call"),
            ("after=x", "after must be"),
            ("path=a&path=b", "path occurs more than once"),
        ] {
            let error = Filter::parse(query).unwrap_err().to_string();
            assert!(error.contains(text), "{query}: {error}");
        }
    }
}
