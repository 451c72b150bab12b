//! A client library that knows the FAPI 2.0 Security Profile goes its whole way at a strict bank; nothing is added for
//! this bank but the scope that names the consent.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use eidas::issue::{KeyType, generate_key};
use oauth::IdTokenAlgorithm;
use serde_json::{Value, json};
use testkit::{CALLBACK, Request, Signer, TestServer, TestTpp, bank_offered, environment};
use vestibule::profiles::Strictness;

const ID: &str = "PSDNL-DNB-R000000";

async fn seal(server: &TestServer, kind: KeyType) -> Signer {
    let (private, public) = generate_key(kind).unwrap();
    let body = json!({"organizationIdentifier": ID, "profile": "qseal", "publicKey": public});
    let (status, made) = server.manage("POST", "/test-certificates", body).await;
    assert_eq!(status, 201, "{made}");
    Signer::from_pem(made["certificate"].as_str().unwrap(), &private, None)
}

/// Registers over TLS with the QWAC, and asks for a consent by the book.
async fn prepare(server: &TestServer, seal: Signer, qwac: &Signer, method: &str) -> (TestTpp, String) {
    let token = server.initial_access_token("nl", &seal).await;
    let request = Request::registration("nl", &token, &[CALLBACK]).certificate(&seal);
    let form = String::from_utf8(request.body.clone()).unwrap();
    let request = request.form(&format!("{form}&token_endpoint_auth_method={method}"));
    let registered = request.send(&server.presenting(qwac), server.tls_url()).await;
    assert_eq!(registered.status, 201, "{}", registered.body);
    assert_eq!(registered.json()["token_endpoint_auth_method"], method);
    let tpp = TestTpp { signer: seal, tenant: "nl".to_owned(), secret: String::new() };
    let request = tpp
        .request("POST", "/v1/consents")
        .set("psu-ip-address", "192.0.2.1")
        .set("tpp-redirect-uri", CALLBACK)
        .body("application/json", bank_offered("9999-12-31").to_string())
        .certificate(&tpp.signer)
        .digest()
        .sign(&tpp.signer, "digest x-request-id tpp-redirect-uri");
    let asked = server.send(&request).await;
    assert_eq!(asked.status, 201, "{}", asked.body);
    let consent = asked.json()["consentId"].as_str().unwrap().to_owned();
    (tpp, consent)
}

fn run(mut command: Command, input: &Value) -> String {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

async fn go(method: &str, kind: KeyType, algorithm: &str) {
    let Some(folder) = environment("VESTIBULE_NODE", "node", "scripts/node") else { return };
    let server = TestServer::with(|config| {
        config.strictness = Strictness::Strict;
        config.id_token_algorithm = IdTokenAlgorithm::Es256;
        // The library knows no other time than the machine's.
        config.begin = None;
    })
    .await;
    let qwac = server.certificate(json!({"organizationIdentifier": ID, "profile": "qwac"})).await;
    let customer = server.customer("nl", "student").await;
    let seal = seal(&server, kind).await;
    let (tpp, consent) = prepare(&server, seal, &qwac, method).await;
    let chain = &qwac.chain[..qwac.chain.len() - 1];
    let input = json!({
        "issuer": format!("{}/auth/nl", server.url()),
        "clientId": tpp.id(),
        "redirectUri": CALLBACK,
        "method": method,
        "ca": server.running.sandbox.authorities.root_pem(),
        "certificate": eidas::certificate::to_pem(&qwac.certificate.der) + &chain.concat(),
        "key": qwac.key_pem,
        "signingKey": tpp.signer.key_pem,
        "signingAlgorithm": algorithm,
        "scope": format!("openid offline_access AIS:{consent}"),
        "approvals": format!("{}/approvals", server.running.addresses.management),
        "iban": customer["iban"],
    });
    let mut command = Command::new("node");
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node/fapi_client.cjs"))
        .env("NODE_PATH", folder.join("node_modules"));
    let printed = tokio::task::spawn_blocking(move || run(command, &input)).await.unwrap();
    for step in [
        "discovery",
        "pushed authorization request",
        "tokens for the code",
        "sender-constrained access token",
        "refresh, and once more after a lost answer",
        "revocation",
    ] {
        assert!(printed.lines().any(|line| line == format!("ok {step}")), "{step}: {printed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_the_certificate_of_the_connection() {
    go("tls_client_auth", KeyType::Rsa2048, "PS256").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_assertions_signed_with_es256() {
    go("private_key_jwt", KeyType::P256, "ES256").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_assertions_signed_with_ps256() {
    go("private_key_jwt", KeyType::Rsa2048, "PS256").await;
}
