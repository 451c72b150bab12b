//! Every command that a sandbox or a client prints is pasted into a shell, as it stands there.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};

use testkit::{Program, free_folder};

use crate::BINARY;

/// A bank that was started as people start it, with a home folder of its own for its users.
struct Bank {
    child: Child,
    text: String,
    home: tempfile::TempDir,
}

impl Bank {
    fn start(arguments: &[&str]) -> Self {
        let mut child = testkit::command(BINARY)
            .args(["sandbox", "--ephemeral", "--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0"])
            .args(["--management-listen", "127.0.0.1:0", "--rate-limits", "off"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut text = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        while !text.contains("Stop with") {
            assert_ne!(lines.read_line(&mut text).unwrap(), 0, "{text}");
        }
        Self { child, text, home: free_folder().0 }
    }

    /// Pastes a command.
    fn paste(&self, command: &str) -> (bool, String) {
        let output = testkit::command("sh")
            .args(["-c", command])
            .env("HOME", self.home.path())
            .env_remove("XDG_DATA_HOME")
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        (output.status.success(), text(&output.stdout) + &text(&output.stderr))
    }

    /// Pastes a command, and where it fails the one that it names, until it does not fail.
    fn reach(&self, goal: &str, customer: &str) -> String {
        for _ in 0..10 {
            let (done, text) = self.paste(goal);
            if done {
                return text;
            }
            let named = commands(&text);
            let next = named.last().unwrap_or_else(|| panic!("{goal} names no next step: {text}"));
            assert_ne!(next, goal, "{text}");
            // Nobody is at a browser here.
            let next = if next.contains("tpp authorise") {
                format!("{next} --headless approve --customer-iban {customer}")
            } else {
                next.clone()
            };
            self.reach(&next, customer);
        }
        panic!("{goal} is never reached");
    }
}

impl Drop for Bank {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The commands in a text: from the program to the end of the line, or to a semicolon.
fn commands(text: &str) -> Vec<String> {
    let start = format!("{BINARY} ");
    let of_line = |line: &str| {
        let at = line.find(&start)?;
        line[at..].split(';').next().map(|command| command.trim().to_owned())
    };
    text.lines().filter_map(of_line).collect()
}

/// An account of a new customer.
fn customer(bank: &Bank) -> String {
    let management = bank.text.lines().find(|line| line.trim().starts_with("Management")).unwrap();
    let management = management.split_whitespace().last().unwrap();
    let (done, made) = bank.paste(&format!("{BINARY} account new --json --management {management}"));
    assert!(done, "{made}");
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    made["iban"].as_str().unwrap().to_owned()
}

const PROFILES: [&[&str]; 4] = [&[], &["--strict"], &["--require-mtls"], &["--strict", "--require-mtls"]];

#[test]
fn what_a_sandbox_prints_works_in_every_profile() {
    for profile in PROFILES {
        let bank = Bank::start(profile);
        let printed = commands(&bank.text);
        assert_eq!(printed.len(), 2, "{}", bank.text);
        // From nothing, and after the other one.
        for command in [&printed[1], &printed[0], &printed[1]] {
            let (done, text) = bank.paste(command);
            assert!(done, "{profile:?}: {command}\n{text}");
        }
    }
}

/// What is read without anything that it needs leads there, step by step, with the options that were given.
#[test]
fn what_is_missing_is_reached_by_what_is_printed() {
    for profile in PROFILES {
        let bank = Bank::start(profile);
        let iban = customer(&bank);
        let address = bank.text.lines().find(|line| line.contains("tpp register")).unwrap();
        let address = address.split("--bank ").nth(1).unwrap().split(' ').next().unwrap();
        for (more, goals) in [
            ("", &["balances", "transactions", "refresh", "status consent"][..]),
            ("--state funds", &["funds --iban IBAN --amount 1.00", "funds status"]),
            (
                "--state 'a folder' --dialect berlin-group",
                &["authorise --headless approve --customer-iban IBAN", "accounts"],
            ),
            ("--state b --dialect bunq", &["accounts", "funds --iban IBAN --amount 1.00", "oauth-client"]),
        ] {
            for goal in goals {
                let goal = goal.replace("IBAN", &iban);
                let text = bank.reach(&format!("{BINARY} tpp {goal} --bank {address} {more}"), &iban);
                for next in commands(&text).iter().filter(|next| !next.contains("authorise")) {
                    bank.reach(next, &iban);
                }
            }
        }
    }
}

/// A bank that demands TLS, under its address without: the command with the right one is named.
#[test]
fn the_right_address_is_named() {
    let bank = Bank::start(&["--require-mtls"]);
    let plain = bank.text.lines().find(|line| line.trim().starts_with("Pages")).unwrap();
    let plain = plain.split_whitespace().last().unwrap().trim_end_matches('/');
    let (done, text) = bank.paste(&format!("{BINARY} tpp flow ais --headless approve --bank {plain}"));
    assert!(!done && text.contains("demands TLS client certificates"), "{text}");
    let (done, text) = bank.paste(commands(&text).last().unwrap());
    assert!(done, "{text}");
    // What was to be registered is.
    let own = "--tenant uk --redirect-uri 'https://own.example/cb?a=1&b=2'";
    let (done, text) = bank.paste(&format!("{BINARY} tpp register {own} --bank {plain}"));
    assert!(!done && text.contains(own), "{text}");
}

/// A bank that does not run is started by the command that is printed, where it was looked for.
#[test]
fn a_bank_that_does_not_run_is_started_as_printed() {
    let port = testkit::free_port();
    let (_guard, folder) = free_folder();
    let state = folder.join("state");
    let address = format!("http://127.0.0.1:{port}");
    let register = [
        "tpp",
        "register",
        "--bank",
        &address,
        "--management",
        &address,
        "--state",
        state.to_str().unwrap(),
        "--redirect-uri",
        "https://tpp.example/callback",
    ];
    let (code, _, error) = crate::vestibule(&register);
    assert!(code == 1 && error.contains(&format!("http to port {port}")), "{error}");
    let line = error.lines().find(|line| line.contains(" sandbox --listen")).unwrap();
    let command = &line[line.find(BINARY).unwrap()..];
    let command = command.split(';').next().unwrap();
    let mut child = testkit::command("sh")
        .args(["-c", &format!("exec {command}")])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 1];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let (code, _, error) = crate::vestibule(&[&register[..4], &register[6..]].concat());
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(code, 0, "{error}");
}

/// A second sandbox on other ports needs to be named by one option.
#[test]
fn a_second_sandbox_needs_one_option() {
    let program = Program::sandbox(BINARY, &["--ephemeral"]);
    let (_guard, folder) = free_folder();
    for (bank, state) in [("public", "one"), ("tls", "two")] {
        let (bank, state) = (program.url(bank), folder.join(state));
        for flow in ["ais", "bunq"] {
            let arguments = ["tpp", "flow", flow, "--headless", "approve", "--bank", &bank, "--state"];
            let (code, _, error) = crate::vestibule(&[&arguments[..], &[state.to_str().unwrap()]].concat());
            assert_eq!(code, 0, "{bank} {flow}: {error}");
        }
    }
}
