//! Programs of the Python environment, which `scripts/python` makes.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

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
    let mut child = Command::new(python)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
