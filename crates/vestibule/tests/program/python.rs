//! Programs of the Python environment, which `scripts/python` makes.

use std::process::Command;

use serde_json::Value;

use crate::fed;

/// A program of the environment, or none if there is no environment.
pub(crate) fn program(name: &str) -> Option<String> {
    let folder = testkit::environment("VESTIBULE_PYTHON", "python", "scripts/python")?;
    Some(folder.join("bin").join(name).to_str().unwrap().to_owned())
}

/// A script of this folder.
pub(crate) fn script(name: &str) -> String {
    format!("{}/tests/python/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Runs a script with JSON as its input and returns the JSON that it prints.
pub(crate) fn run_script(python: &str, arguments: &[&str], input: &Value) -> Value {
    serde_json::from_str(&fed(Command::new(python).args(arguments), input)).unwrap()
}
