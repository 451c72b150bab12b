//! The portal's signatures: held against published vectors, and taken by a running bank.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use testkit::{TestServer, environment};

use crate::fed;

/// The folder of the portal's modules.
pub(crate) fn assets() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../portal/assets").to_owned()
}

/// Runs a script of `tests/node` with JSON as its input; returns what it printed.
pub(crate) fn run_node(script: &str, input: &Value) -> Option<String> {
    let folder = environment("VESTIBULE_NODE", "node", "scripts/node")?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node").join(script);
    Some(fed(Command::new("node").arg(script).env("NODE_PATH", folder.join("node_modules")), input))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signatures_are_those_of_the_standards_and_the_bank_takes_them() {
    let server = TestServer::start().await;
    let wanted = json!({"organizationIdentifier": "PSDNL-DNB-PORTAL"});
    let (status, mut input) = server.manage("POST", "/test-certificates", wanted).await;
    assert_eq!(status, 201, "{input}");
    input["assets"] = assets().into();
    input["bank"] = server.url().into();
    let ran = tokio::task::spawn_blocking(move || run_node("portal_signing.mjs", &input)).await.unwrap();
    let Some(printed) = ran else { return };
    for held in [
        "digests",
        "challenge of RFC 7636",
        "signatures of draft-cavage, appendix C",
        "a call of the Berlin Group dialect",
        "calls of bunq",
        "keys that cannot be used are refused",
    ] {
        assert!(printed.lines().any(|line| line == format!("ok {held}")), "{held}: {printed}");
    }
}
