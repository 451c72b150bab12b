//! A bank that does not explain: the code alone, no word about which check failed.

use testkit::{Request, TestServer};

#[tokio::test]
async fn texts_about_certificates_and_signatures_are_the_same_whatever_is_wrong() {
    let server = TestServer::with(|config| config.explain = false).await;
    let tpp = server.tpp("PSDNL-DNB-R000000").await;
    let signed = || Request::onboarding("nl").signed(&tpp);
    for (request, code, text) in [
        (signed().set("x-request-id", "other"), "SIGNATURE_INVALID", "The signature is not acceptable"),
        (signed().set("signature", "x"), "SIGNATURE_INVALID", "The signature is not acceptable"),
        (signed().without("signature"), "SIGNATURE_MISSING", "The signature is not acceptable"),
        (
            signed().set("tpp-signature-certificate", "AAAA"),
            "CERTIFICATE_INVALID",
            "The certificate is not acceptable",
        ),
        (
            signed().without("tpp-signature-certificate"),
            "CERTIFICATE_MISSING",
            "The certificate is not acceptable",
        ),
    ] {
        let answer = server.send(&request).await;
        assert_eq!(answer.error(), (code.to_owned(), text.to_owned()), "{}", answer.body);
        assert_eq!(answer.status, 401);
    }
    assert_eq!(server.send(&signed()).await.status, 200);
    // What is wrong with the caller's own request is still said.
    let answer = server.send(&Request::new("GET", "/xs2a-bg/nl/nothing")).await;
    assert_eq!(answer.error().1, "Not Found");
}
