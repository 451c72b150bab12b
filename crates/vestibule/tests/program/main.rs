//! The binary from outside: command line, TLS with other programs, crashes, logs, documentation.
#![expect(clippy::unwrap_used, reason = "a test may stop anywhere")]

mod accounts_command;
mod admin;
mod admin_acts;
mod admin_blocks;
mod admin_erasure;
mod another_bank;
mod audit;
mod audit_spool;
mod audit_tampering;
mod bank_command;
mod broken_store;
mod browser;
mod bunq_clients;
mod bunq_operations;
mod call_explanations;
mod call_limits;
mod calls;
mod certificate_command;
mod certificate_files;
mod certificate_status;
mod client_words;
mod clock_command;
mod configuration;
mod configuration_sections;
mod connections;
mod core_bank;
mod crash;
mod crash_payments;
mod customer_interfaces;
mod customer_interfaces_command;
mod customer_pages;
mod data_command;
mod data_folder;
mod data_refusals;
mod deployment;
mod description_examples;
mod descriptions;
mod documentation;
mod documentation_links;
mod endings;
mod error_catalogue;
mod every_operation;
mod fapi_client;
mod faults;
mod faulty_certificates;
mod forgetting;
mod http;
mod interface_description;
mod intermediates;
mod keycloak;
mod limits;
mod logs;
mod logs_command;
mod lossy_way;
mod management;
mod management_description;
mod next_steps;
mod observer;
mod openid_client;
mod other_implementations;
mod pages;
mod payment_pages;
mod portal;
mod portal_calls;
mod portal_flow;
mod portal_flows;
mod portal_home;
mod portal_play;
mod portal_reference;
mod portal_signing;
mod python;
mod registers;
mod revocation;
mod sandbox_command;
mod sealing;
mod second_hour;
mod security_page;
mod serve;
mod serve_and_its_bank;
mod serve_books;
mod serve_bunq;
mod serve_bunq_keys;
mod serve_certificates;
mod serve_command;
mod serve_devices;
mod serve_looks;
mod serve_metrics;
mod serve_nodes;
mod serve_pages;
mod serve_provider;
mod snapshots;
mod snapshots_command;
mod standing_commands;
mod statistics;
mod third_party;
mod tls;
mod tpp_bunq;
mod tpp_command;
mod tpp_funds;
mod tpp_lost_answers;
mod tpp_payments;
mod tpp_refusals;
mod tpp_together;
mod traces;
mod trusted_lists;
mod two_nodes;
mod waiting;
mod worked_examples;

/// The binary under test.
const BINARY: &str = env!("CARGO_BIN_EXE_vestibule");

/// Runs a program of others with JSON as its input, which has to succeed; returns what it printed.
fn fed(program: &mut std::process::Command, input: &serde_json::Value) -> String {
    use std::io::Write;
    use std::process::Stdio;
    program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    assert!(output.status.success(), "{program:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Runs the binary and returns exit code, standard output and standard error.
/// Runs a command whose output a full disk takes.
fn on_a_full_disk(command: &mut std::process::Command) -> (i32, String) {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = command.stdout(full).stderr(std::process::Stdio::piped()).output().unwrap();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn vestibule(arguments: &[&str]) -> (i32, String, String) {
    let output = testkit::command(BINARY).args(arguments).output().unwrap();
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}
