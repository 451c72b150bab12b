//! A sandbox and a third party of it, whose state is in a folder of its own.

use serde_json::Value;
use testkit::{Program, free_folder};

use crate::{BINARY, vestibule};

/// A bank and a third party of it.
pub(crate) struct Setting {
    pub(crate) bank: Program,
    pub(crate) state: String,
    guard: tempfile::TempDir,
}

impl Setting {
    /// A sandbox with these arguments.
    pub(crate) fn new(arguments: &[&str]) -> Self {
        let (guard, folder) = free_folder();
        let state = folder.join("state").to_str().unwrap().to_owned();
        Self { bank: Program::sandbox(BINARY, arguments), state, guard }
    }

    /// A sandbox that keeps nothing.
    pub(crate) fn ephemeral() -> Self {
        Self::new(&["--ephemeral"])
    }

    /// Another bank at the same addresses.
    pub(crate) fn replace(self, arguments: &[&str]) -> Self {
        let address = |name: &str| self.bank.url(name).split("://").nth(1).unwrap().to_owned();
        let (public, tls, management) = (address("public"), address("tls"), address("management"));
        let Self { bank, state, guard } = self;
        bank.kill();
        let at = ["--listen", &public, "--tls-listen", &tls, "--management-listen", &management];
        Self { bank: Program::sandbox(BINARY, &[&at[..], arguments].concat()), state, guard }
    }

    /// What leads a command to the bank, at one of its addresses.
    pub(crate) fn arguments_at(&self, address: &str) -> Vec<String> {
        ["--bank", &self.bank.url(address), "--state", &self.state].map(str::to_owned).to_vec()
    }

    /// The same at the public one.
    pub(crate) fn arguments(&self) -> Vec<String> {
        self.arguments_at("public")
    }

    /// Runs `vestibule tpp` at the bank.
    pub(crate) fn tpp(&self, arguments: &[&str]) -> (i32, String, String) {
        self.tpp_at("public", arguments)
    }

    /// The same at one of the bank's addresses.
    pub(crate) fn tpp_at(&self, address: &str, arguments: &[&str]) -> (i32, String, String) {
        let to = self.arguments_at(address);
        let to: Vec<&str> = to.iter().map(String::as_str).collect();
        vestibule(&[&["tpp"], arguments, &to].concat())
    }

    /// Runs a command that has to succeed.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let (code, out, error) = self.tpp(arguments);
        assert_eq!(code, 0, "{arguments:?}: {out}{error}");
        out
    }

    /// The same with JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        json(&self.ok(&[arguments, &["--json"]].concat()))
    }

    /// Runs a command that has to fail with a text; returns all that it says.
    pub(crate) fn refused(&self, arguments: &[&str], text: &str) -> String {
        let (code, out, error) = self.tpp(arguments);
        assert_ne!(code, 0, "{arguments:?}: {out}");
        assert!(error.contains("error: ") && !error.contains("panicked"), "{arguments:?}: {error}");
        assert!(error.contains(text), "{arguments:?}: {error}");
        error
    }

    /// Runs `vestibule account` at the bank.
    pub(crate) fn try_account(&self, arguments: &[&str]) -> (i32, String, String) {
        let management = self.bank.url("management");
        vestibule(&[&["account"], arguments, &["--management", &management]].concat())
    }

    /// The same, which has to succeed.
    pub(crate) fn account(&self, arguments: &[&str]) -> String {
        let (code, out, error) = self.try_account(arguments);
        assert_eq!(code, 0, "{arguments:?}: {error}");
        out
    }

    /// A new customer; returns their account.
    pub(crate) fn customer(&self, persona: &str) -> String {
        let made = json(&self.account(&["new", "--persona", persona, "--json"]));
        made["iban"].as_str().unwrap().to_owned()
    }

    /// Calls the management API.
    pub(crate) fn manage(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.bank.url("management"));
        let body = body.to_string();
        let arguments = ["-s", "-f", "-X", method, "-H", "content-type: application/json", "-d", &body, &url];
        let output = testkit::run("curl", &arguments);
        assert!(output.status.success(), "{path}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// Reads JSON.
pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
