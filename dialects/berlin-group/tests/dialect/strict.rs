//! The strict profile: the standards to the letter.

use serde_json::json;
use testkit::{Request, Signer, TestServer};
use vestibule::profiles::Strictness;

const ID: &str = "PSDNL-DNB-R000000";

async fn seal(server: &TestServer) -> Signer {
    server.certificate(json!({"organizationIdentifier": ID, "profile": "qseal"})).await
}

#[tokio::test]
async fn a_seal_and_a_signature_by_the_book_are_taken() {
    let server = TestServer::with(|config| config.strictness = Strictness::Strict).await;
    let seal = seal(&server).await;
    let answer = server.send(&Request::onboarding("nl").signed(&seal)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn what_the_lenient_profile_tolerates_is_refused() {
    let server = TestServer::with(|config| config.strictness = Strictness::Strict).await;
    let seal = seal(&server).await;
    let qwac = server.certificate(json!({"organizationIdentifier": ID, "profile": "qwac"})).await;
    let test_client = server.tpp(ID).await;
    let base = || Request::onboarding("nl").certificate(&seal).digest();
    let renamed = |key_id: String| {
        let signer = Signer { key_id, ..copy(&seal) };
        base().sign(&signer, "digest x-request-id")
    };
    let serial = u128::from_str_radix(&seal.certificate.serial_hex(), 16).unwrap();
    let issuer = seal.certificate.issuer.to_string();
    let bare = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    for (name, request, code, text) in [
        (
            "bare digest",
            base().set("digest", bare).sign(&seal, "digest x-request-id"),
            "SIGNATURE_INVALID",
            "SHA-256=<base64>",
        ),
        (
            "empty digest",
            base().set("digest", "").sign(&seal, "digest x-request-id"),
            "SIGNATURE_INVALID",
            "SHA-256=<base64>",
        ),
        (
            "digest of a fixed word",
            base()
                .set("digest", "SHA-256=MBFI05bKI7Txt41Y2NKNLhqfV4oGpBjZUMQGS+ti/DA=")
                .sign(&seal, "digest x-request-id"),
            "SIGNATURE_INVALID",
            "body of 0 octets",
        ),
        (
            "JCA name",
            base().sign_as(&seal, "digest x-request-id", "SHA256withRSA", ""),
            "SIGNATURE_INVALID",
            "not allowed",
        ),
        (
            "hs2019",
            base().sign_as(&seal, "digest x-request-id", "hs2019", ""),
            "SIGNATURE_INVALID",
            "not allowed",
        ),
        (
            "redirect URI not signed",
            base().set("tpp-redirect-uri", "https://a.example").sign(&seal, "digest x-request-id"),
            "SIGNATURE_INVALID",
            "\"tpp-redirect-uri\" must be signed",
        ),
        (
            "another issuer",
            renamed(format!("SN={},CA=CN=x", seal.certificate.serial_hex())),
            "SIGNATURE_INVALID",
            "keyId names issuer \"CN=x\"",
        ),
        (
            "decimal serial number",
            renamed(format!("SN={serial},CA={issuer}")),
            "SIGNATURE_INVALID",
            "serial number",
        ),
        (
            "QWAC as seal",
            Request::onboarding("nl").signed(&qwac),
            "CERTIFICATE_INVALID",
            "QcType must be eseal, as in a QSealC; it is web",
        ),
        (
            "test-client profile",
            Request::onboarding("nl").signed(&test_client),
            "CERTIFICATE_INVALID",
            "nCAId",
        ),
    ] {
        let answer = server.send(&request).await;
        let (got, said) = answer.error();
        assert_eq!((answer.status, got.as_str()), (401, code), "{name}: {}", answer.body);
        assert!(said.contains(testkit::told(code, text)), "{name}: {said}");
    }
}

fn copy(signer: &Signer) -> Signer {
    Signer::from_pem(&eidas::certificate::to_pem(&signer.certificate.der), &signer.key_pem, None)
}
