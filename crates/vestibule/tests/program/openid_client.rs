//! An OpenID Connect client library that shares no code with this project goes the whole way.

use oauth::IdTokenAlgorithm;
use serde_json::json;
use testkit::{CALLBACK, TestServer, bank_offered};

use crate::python;

async fn go(algorithm: IdTokenAlgorithm, name: &str) {
    let Some(interpreter) = python::program("python") else { return };
    let server = TestServer::with(|config| {
        config.id_token_algorithm = algorithm;
        // The library holds ID tokens against the time of the machine.
        config.begin = None;
    })
    .await;
    let tpp = server.registered("nl", "PSDNL-DNB-R000000").await;
    let customer = server.customer("nl", "household").await;
    let (_, resource_server) = server.manage("POST", "/resource-servers", json!({"id": "ledger"})).await;
    let mut scopes = Vec::new();
    for _ in 0..2 {
        let asked = tpp.consent(&server, &bank_offered("9999-12-31")).await;
        scopes.push(format!("openid offline_access AIS:{}", asked["consentId"].as_str().unwrap()));
    }
    let input = json!({
        "issuer": format!("{}/auth/nl", server.url()),
        "clientId": tpp.id(),
        "clientSecret": tpp.secret,
        "redirectUri": CALLBACK,
        "scope": scopes[0],
        "secondScope": scopes[1],
        "approvals": format!("{}/approvals", server.running.addresses.management),
        "iban": customer["iban"],
        "resourceServer": resource_server,
        "algorithm": name,
    });
    let script = python::script("openid_client.py");
    let checked = tokio::task::spawn_blocking(move || python::run_script(&interpreter, &[&script], &input));
    let checked = checked.await.unwrap();
    for step in [
        "discovery",
        "authorization",
        "code",
        "ID token",
        "refresh",
        "userinfo",
        "introspection",
        "revocation",
        "pushed authorization request",
    ] {
        assert!(checked["checked"].as_array().unwrap().contains(&json!(step)), "{step}: {checked}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_rs256() {
    go(IdTokenAlgorithm::Rs256, "RS256").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_es256() {
    go(IdTokenAlgorithm::Es256, "ES256").await;
}
