//! The file of a test, and what is wrong with one.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::values::{self, places};
use crate::Error;

/// What the member `format` of a file says.
const FORMAT: &str = "vestibule-flow/1";

/// Values that are there before the first step.
const GIVEN: [&str; 8] =
    ["bank", "tenant", "organizationIdentifier", "certificate", "chain", "publicKey", "verifier", "state"];

/// Values that a customer brings.
const OF_CUSTOMERS: [&str; 2] = ["iban", "digipassNumber"];

/// Values that are computed of others.
const COMPUTED: [(&str, &[&str]); 3] = [
    ("basic", &["clientId", "clientSecret"]),
    ("challenge", &["verifier"]),
    ("publicKeySignature", &["installationToken"]),
];

/// A test.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Test {
    format: String,
    /// What it is called.
    pub name: String,
    /// The branch at which it is tried.
    pub(super) tenant: String,
    pub(super) third_party: Holder,
    pub(super) customer: Option<Customer>,
    /// Values that no answer gives.
    #[serde(default)]
    pub(super) values: BTreeMap<String, String>,
    pub(super) steps: Vec<Step>,
}

/// Who calls.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Holder {
    /// A `*` at its end stands for a number of the run's own.
    pub(super) organization_identifier: String,
    pub(super) organization_name: String,
    pub(super) roles: Vec<String>,
    /// Profile of the certificate.
    pub(super) profile: String,
}

/// The customer, who is made for the run.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Customer {
    pub(super) persona: Option<String>,
    pub(super) currency: Option<String>,
    pub(super) balance: Option<String>,
}

/// One step: a call, what the customer does, or a clock that is moved.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Step {
    pub(super) name: String,
    call: Option<CallStep>,
    approval: Option<ApprovalStep>,
    clock: Option<ClockStep>,
    /// Values for later steps, each with its path in the answer.
    #[serde(default)]
    pub(super) keep: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) expect: Expected,
}

/// What is done in a step.
#[derive(Debug, Clone, Copy)]
pub(super) enum Deed<'s> {
    Call(&'s CallStep),
    Approval(&'s ApprovalStep),
    Clock(&'s ClockStep),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallStep {
    pub(super) sign: Sign,
    pub(super) method: String,
    /// From the bank's origin on.
    pub(super) path: String,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) json: Option<Value>,
    pub(super) form: Option<BTreeMap<String, String>>,
}

/// How a call is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Sign {
    BerlinGroup,
    Bunq,
    None,
}

/// What the customer does with an authorization URL. Its answer are the parameters of the way back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApprovalStep {
    pub(super) url: String,
    /// `approve`, `reject`, `wrong-answer` or `expire`.
    pub(super) decision: String,
}

/// The tenant's clock is moved: by `advance`, to `now`, or back to the bank's own time by `reset`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClockStep {
    pub(super) advance: Option<String>,
    pub(super) now: Option<String>,
    pub(super) reset: Option<bool>,
}

/// What an answer has to be.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    pub(super) status: Option<u16>,
    /// Members by their paths, with their values; `"*"` stands for any but null.
    #[serde(default)]
    pub(super) members: Map<String, Value>,
}

impl Test {
    /// Reads a test and checks that it can be run: that each value that a step needs comes from somewhere.
    ///
    /// # Errors
    /// [`Error::File`]
    pub fn read(path: &Path) -> Result<Self, Error> {
        let unusable = |reason: String| Error::File { path: path.display().to_string(), reason };
        let octets = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
        let not_one =
            |error| unusable(format!("it is no test that \"Save as test\" of the portal writes: {error}"));
        let test: Self = serde_json::from_slice(&octets).map_err(not_one)?;
        test.check().map_err(unusable)?;
        Ok(test)
    }

    fn check(&self) -> Result<(), String> {
        if self.format != FORMAT {
            return Err(format!("format is \"{}\"; this program reads \"{FORMAT}\"", self.format));
        }
        if self.steps.is_empty() {
            return Err("it has no steps, so there is nothing to test".to_owned());
        }
        let mut known: HashSet<&str> =
            GIVEN.into_iter().chain(self.values.keys().map(String::as_str)).collect();
        if self.customer.is_some() {
            known.extend(OF_CUSTOMERS);
        }
        let mut names = HashSet::new();
        for step in &self.steps {
            let name = &step.name;
            if !names.insert(name) {
                return Err(format!("two steps are called {name}"));
            }
            let deed = step.deed().map_err(|problem| format!("step {name}: {problem}"))?;
            deed.check().map_err(|problem| format!("step {name}: {problem}"))?;
            for place in step.places(deed) {
                let needed = COMPUTED.iter().find(|(computed, _)| *computed == place);
                let needed = needed.map_or(vec![place.as_str()], |(_, of)| of.to_vec());
                if let Some(absent) = needed.into_iter().find(|name| !known.contains(name)) {
                    return Err(format!(
                        "step {name}: {{{{{place}}}}} has no value, because nothing before gives {absent}"
                    ));
                }
            }
            if matches!(deed, Deed::Approval(_)) && self.customer.is_none() {
                return Err(format!("step {name}: somebody has to decide, and the file has no customer"));
            }
            known.extend(step.keep.keys().map(String::as_str));
        }
        Ok(())
    }
}

impl Step {
    /// What is done in it.
    pub(super) fn deed(&self) -> Result<Deed<'_>, String> {
        match (&self.call, &self.approval, &self.clock) {
            (Some(call), None, None) => Ok(Deed::Call(call)),
            (None, Some(approval), None) => Ok(Deed::Approval(approval)),
            (None, None, Some(clock)) => Ok(Deed::Clock(clock)),
            _ => Err("it has to have one of call, approval and clock".to_owned()),
        }
    }

    /// The names of values that it needs.
    fn places(&self, deed: Deed<'_>) -> Vec<String> {
        let mut found = Vec::new();
        match deed {
            Deed::Call(call) => {
                found.extend(places(&call.path));
                found.extend(call.headers.values().flat_map(|text| places(text)));
                found.extend(call.form.iter().flatten().flat_map(|(_, text)| places(text)));
                values::texts(call.json.as_ref().unwrap_or(&Value::Null), &mut |text| {
                    found.extend(places(text))
                });
            }
            Deed::Approval(approval) => found.extend(places(&approval.url)),
            Deed::Clock(_) => {}
        }
        self.expect
            .members
            .values()
            .for_each(|value| values::texts(value, &mut |text| found.extend(places(text))));
        found
    }
}

impl Deed<'_> {
    fn check(self) -> Result<(), String> {
        match self {
            Deed::Call(call) => call.check(),
            Deed::Approval(_) => Ok(()),
            Deed::Clock(clock) => match (&clock.advance, &clock.now, clock.reset) {
                (Some(_), None, None) | (None, Some(_), None) | (None, None, Some(true)) => Ok(()),
                _ => Err("clock has one of advance, such as P90D, now, such as 2027-01-31T12:00:00Z, and reset, which \
                          is true"
                    .to_owned()),
            },
        }
    }
}

impl CallStep {
    fn check(&self) -> Result<(), String> {
        if http::Method::from_bytes(self.method.as_bytes()).is_err() {
            return Err(format!("\"{}\" is no method", self.method));
        }
        if !self.path.starts_with('/') || self.path.starts_with("//") {
            return Err(format!("path \"{}\" has to begin with one /, from the bank's origin on", self.path));
        }
        if self.json.is_some() && self.form.is_some() {
            return Err("a call has a body in json or in form, not both".to_owned());
        }
        let is_name = |name: &&String| http::HeaderName::from_bytes(name.as_bytes()).is_err();
        match self.headers.keys().find(is_name) {
            Some(name) => Err(format!("\"{name}\" is no name of a header")),
            None => Ok(()),
        }
    }
}
