//! Certificates with a named fault: each is refused at the doors with a text that names it.

use serde_json::json;
use testkit::bunq::{BunqClient, client_keys};
use testkit::{Request, Signer, TestServer, free_folder};

use crate::third_party::Setting;
use crate::vestibule;

const ID: &str = "PSDNL-DNB-R765432";

/// Each fault, and what the doors say about it: the code of the Berlin Group interface, and a part of both texts.
const FAULTS: [(&str, &str, &str); 8] = [
    ("expired", "CERTIFICATE_EXPIRED", "valid from"),
    ("not-yet-valid", "CERTIFICATE_EXPIRED", "valid from"),
    ("revoked", "CERTIFICATE_REVOKED", "revoked"),
    ("wrong-role", "ROLE_INVALID", "PSP_AS"),
    ("wrong-organisation", "CERTIFICATE_INVALID", "VATNL-123456789B01"),
    ("unknown-ca", "CERTIFICATE_INVALID", "Unknown CA (TEST)"),
    ("weak-key", "CERTIFICATE_INVALID", "1024"),
    ("missing-chain", "CERTIFICATE_INVALID", "Intermediate CA that nobody has (TEST)"),
];

#[tokio::test]
async fn each_fault_is_told_by_name_at_both_interfaces() {
    let server = TestServer::start().await;
    let good = server.certificate(json!({"organizationIdentifier": ID, "profile": "qseal"})).await;
    let client = BunqClient::install(&server).await;
    for (fault, code, text) in FAULTS {
        let request = json!({"organizationIdentifier": ID, "profile": "qseal", "fault": fault});
        let (status, made) = server.manage("POST", "/test-certificates", request).await;
        assert_eq!(status, 201, "{fault}: {made}");
        let pem = made["certificate"].as_str().unwrap();
        // A key that is too weak signs nothing here; its certificate is looked at before any signature.
        let key = if fault == "weak-key" { &client_keys().0 } else { made["privateKey"].as_str().unwrap() };
        let signer = Signer::from_pem(pem, key, Some(made["keyId"].as_str().unwrap().to_owned()));
        let answer = server.send(&Request::onboarding("nl").signed(&signer)).await;
        assert!(matches!(answer.status, 401 | 403), "{fault}: {} {}", answer.status, answer.body);
        assert!(answer.body.contains(code) && answer.body.contains(text), "{fault}: {}", answer.body);
        let chain = made["chain"].as_array().unwrap();
        let chain: String = chain.iter().map(|pem| pem.as_str().unwrap()).collect();
        let answer = client.send(&client.credential_request(pem, &(pem.to_owned() + &chain), key)).await;
        assert!((400..=403).contains(&answer.status), "{fault}: {} {}", answer.status, answer.body);
        assert!(answer.body.contains(text), "{fault}: {}", answer.body);
    }
    // None of them took the place of the good one.
    let answer = server.send(&Request::onboarding("nl").signed(&good)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    for (request, code) in [
        (json!({"organizationIdentifier": ID, "fault": "ugly"}), "unknown_fault"),
        (
            json!({"organizationIdentifier": ID, "fault": "weak-key", "publicKey": client_keys().1}),
            "invalid_public_key",
        ),
    ] {
        let (status, body) = server.manage("POST", "/test-certificates", request).await;
        assert_eq!((status, &body["error"]), (400, &json!(code)), "{body}");
    }
}

#[test]
fn a_command_makes_them_and_another_one_explains_them() {
    let setting = Setting::ephemeral();
    let management = setting.bank.url("management");
    let (_guard, folder) = free_folder();
    for fault in ["expired", "weak-key"] {
        let out = folder.join(fault);
        let out = out.to_str().unwrap();
        let (code, text, error) =
            vestibule(&["certificate", "new", "--fault", fault, "--out", out, "--management", &management]);
        assert_eq!(code, 0, "{text}{error}");
        let (code, text, _) = vestibule(&["certificate", "check", &format!("{out}/certificate.pem")]);
        assert!(code != 0 && !text.is_empty(), "{fault}: {text}");
    }
    let arguments = ["certificate", "new", "--fault", "ugly", "--out", "x", "--management", &management];
    let (code, _, error) = vestibule(&arguments);
    assert!(code != 0 && error.contains("is not one of expired, not-yet-valid, revoked"), "{error}");
}
