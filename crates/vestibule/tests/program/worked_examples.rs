//! The worked examples of `docs/signatures.md` are good at a bank: what stands there is sent there.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_signatures::key::{Algorithm, PrivateKey};
use serde_json::json;
use testkit::{Request, TestServer};

use crate::documentation::root;

const REQUEST_ID: &str = "99391c7e-ad88-49ec-a2ad-99ddcb1f7721";

struct Example {
    page: String,
}

impl Example {
    fn read() -> Self {
        Self { page: std::fs::read_to_string(root().join("docs/signatures.md")).unwrap() }
    }

    /// What stands between two texts of the page, of which the first is there once.
    fn between(&self, start: &str, end: &str) -> &str {
        let mut parts = self.page.split(start).skip(1);
        let rest = parts.next().unwrap_or_else(|| panic!("{start} is not there"));
        rest.split(end).next().unwrap()
    }

    fn private_key(&self) -> String {
        format!("{}\n", self.between("```pem key.pem\n", "\n```"))
    }

    fn public_key(&self) -> String {
        format!("{}\n", self.between("-pubout\n```\n\n```output\n", "\n```"))
    }

    /// What is printed below the first command that has a text in it.
    fn output_of(&self, command: &str) -> &str {
        let rest = self.between(command, "\n\n##");
        rest.split("```output\n").nth(1).unwrap().split("\n```").next().unwrap()
    }
}

/// The signature that the page computes is the one that the bank wants of a certificate of that key.
#[tokio::test]
async fn the_signature_of_the_onboarding_call_is_accepted() {
    let example = Example::read();
    let server = TestServer::start().await;
    let wanted = json!({"organizationIdentifier": "PSDNL-DNB-R123456", "publicKey": example.public_key()});
    let (_, issued) = server.manage("POST", "/test-certificates", wanted).await;
    let header = example.between("```text\nSignature: ", "\n```");
    let (_, rest) = header.split_once("\",algorithm=").unwrap();
    let header = format!("keyId=\"{}\",algorithm={rest}", issued["keyId"].as_str().unwrap());
    let pem = issued["certificate"].as_str().unwrap();
    let der: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let digest = format!("SHA-256={}", example.output_of("printf '' | openssl dgst -sha256 -binary"));
    for (id, status) in [(REQUEST_ID, 200), ("99391c7e-ad88-49ec-a2ad-99ddcb1f7722", 401)] {
        let call = Request::new("GET", "/xs2a-bg/nl/onboarding/v1")
            .set("x-request-id", id)
            .set("digest", &digest)
            .set("tpp-signature-certificate", &der)
            .set("signature", &header);
        let answer = server.send(&call).await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
}

/// The bank takes the page's signature over a body, and refuses it over another one.
#[tokio::test]
async fn the_signature_of_the_other_interface_is_accepted() {
    let example = Example::read();
    let server = TestServer::start().await;
    let call = |path: &str, body: String| {
        Request::new("POST", &format!("/bunq/v1/{path}")).body("application/json", body)
    };
    let body = json!({"client_public_key": example.public_key()});
    let made = server.send(&call("installation", body.to_string())).await.json();
    let token = made["Response"][1]["Token"]["token"].as_str().unwrap();
    let bunq = example.between("## bunq: `X-Bunq-Client-Signature`", "## When it does not verify");
    let body = bunq.split("printf '%s' '").nth(1).unwrap().split("' > body.json").next().unwrap();
    let signature = bunq.split("```output\n").nth(1).unwrap().split("\n```").next().unwrap();
    for (body, why) in
        [(body.to_owned(), "User credentials"), (body.replace('*', "?"), "signature is invalid")]
    {
        let call = call("device-server", body)
            .set("x-bunq-client-authentication", token)
            .set("x-bunq-client-signature", signature);
        let answer = server.send(&call).await;
        assert!(answer.status == 400 && answer.body.contains(why), "{}", answer.body);
    }
}

/// The signature over key and token is made of what the page says.
#[test]
fn the_signature_that_trades_a_certificate_is_over_key_and_token() {
    let example = Example::read();
    let sealed = example.between("### The signature that trades", "### What the bank signs");
    let token = sealed.split("printf '%s' '").nth(1).unwrap().split('\'').next().unwrap();
    let signature = sealed.split("```output\n").nth(1).unwrap().split("\n```").next().unwrap();
    let key = PrivateKey::from_pem(example.private_key()).unwrap();
    let made = key.sign(Algorithm::RsaPkcs1Sha256, format!("{}{token}", example.public_key()).as_bytes());
    assert_eq!(STANDARD.encode(made.unwrap()), signature);
}
