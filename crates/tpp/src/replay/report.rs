//! What a run gave.

use serde::Serialize;

/// What a run of a test gave.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What the test is called.
    pub name: String,
    /// Whether every step gave what was written down.
    pub passed: bool,
    /// The steps up to the first that did not; those after it were not taken.
    pub steps: Vec<StepReport>,
    /// How many steps the test has.
    pub of: usize,
}

/// What a step gave.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepReport {
    /// What it is called.
    pub name: String,
    /// What was done: method and path, or what the customer did.
    pub deed: String,
    /// Status of the answer, of a call.
    pub status: Option<u16>,
    /// How long it took.
    pub milliseconds: u128,
    /// What differed from what was written down, each in a sentence; empty if nothing did.
    pub differences: Vec<String>,
}

impl StepReport {
    /// Whether it gave what was written down.
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}
