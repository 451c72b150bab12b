//! A bank that does not explain: the code alone, at every door of the authorization server, and no word about which check of a
//! certificate or a signature failed.

use serde_json::json;
use testkit::{Answer, CALLBACK, Request, Signer, TestServer, TestTpp, bank_offered};

use crate::ID;
use crate::grants::tls_client;

const CERTIFICATE: &str = "the certificate is not acceptable";

/// A bank that does not explain, and demands certificates of connections if that is asked for.
async fn reticent(require_mtls: bool) -> TestServer {
    TestServer::with(|config| {
        config.explain = false;
        config.require_mtls = require_mtls;
    })
    .await
}

fn assert_terse(name: &str, answer: &Answer, expected: (u16, &str, &str)) {
    let (code, said) = answer.error();
    assert_eq!((answer.status, code.as_str(), said.as_str()), expected, "{name}: {}", answer.body);
}

async fn revoke(server: &TestServer, signer: &Signer) {
    let path = format!("/test-certificates/{}", signer.certificate.fingerprint_hex());
    assert_eq!(server.manage("PUT", &path, json!({"status": "revoked"})).await.0, 200);
}

#[tokio::test]
async fn whoever_registers_learns_the_code_and_no_more() {
    let server = reticent(false).await;
    let tpp = server.tpp(ID).await;
    let token = server.initial_access_token("nl", &tpp).await;
    let good = || Request::registration("nl", &token, &[CALLBACK]);
    let signed = || good().signed(&tpp);
    let certificate = "CERTIFICATE_INVALID: the certificate is not acceptable";
    let signature = "SIGNATURE_INVALID: the signature is not acceptable";
    let strange =
        testkit::TestCa::new("Somebody else").issue(&testkit::TestCa::subject(ID), &["PSP_AI"], |_| {});
    for (name, request, error, text) in [
        ("no certificate", good().set("tpp-signature-certificate", "x"), "access_denied", certificate),
        ("of another authority", good().certificate(&strange), "access_denied", certificate),
        ("another request id", signed().set("x-request-id", "other"), "invalid_request", signature),
        ("no key id", signed().set("signature", "x"), "invalid_request", signature),
        ("a signature alone", signed().without("tpp-signature-certificate"), "invalid_request", signature),
    ] {
        assert_terse(name, &server.send(&request).await, (401, error, text));
    }
    // What is wrong with the request itself is still said.
    let answer = server.send(&Request::registration("nl", &token, &["/cb"])).await;
    assert!(answer.error().1.contains("is not absolute"), "{}", answer.body);
    revoke(&server, &tpp).await;
    let answer = server.send(&good()).await;
    assert_terse(
        "revoked",
        &answer,
        (401, "access_denied", "CERTIFICATE_REVOKED: the certificate is not acceptable"),
    );
}

#[tokio::test]
async fn no_door_says_why_a_certificate_is_not_taken() {
    let server = reticent(false).await;
    let signer = server.tpp(ID).await;
    let registration = server.register("nl", &signer, &[CALLBACK]).await;
    let secret = registration["client_secret"].as_str().unwrap().to_owned();
    let tpp = TestTpp { signer, tenant: "nl".to_owned(), secret };
    let customer = server.customer("nl", "student").await;
    let iban = customer["iban"].as_str().unwrap();
    let consent = tpp.valid(&server, &bank_offered("9999-12-31"), iban).await;
    let url = tpp.authorization_url(&tpp.consent(&server, &bank_offered("9999-12-31")).await);
    let target = url.strip_prefix(server.url()).unwrap();
    let query = target.split_once('?').unwrap().1;
    let at = |path: &str, form: &str| {
        Request::new("POST", &format!("/auth/nl/v1{path}")).set("authorization", tpp.basic()).form(form)
    };
    let arrived = server.send(&Request::new("GET", target)).await;
    let cookie = arrived.header("set-cookie").split(';').next().unwrap().to_owned();
    let page = |request: Request| request.set("accept", "text/html");
    let bearer = format!("Bearer {}", consent.access_token);
    revoke(&server, &tpp.signer).await;

    let text = "CERTIFICATE_REVOKED: the certificate is not acceptable";
    let refresh = format!("grant_type=refresh_token&refresh_token={}", consent.refresh_token);
    let userinfo = Request::new("GET", "/auth/nl/v1/userinfo").set("authorization", bearer);
    let bank = Request::new("GET", "/auth/internalonly/authorise.html").set("cookie", &cookie);
    for (name, request, status, error) in [
        ("token", at("/token", &refresh), 401, "invalid_client"),
        ("revocation", at("/token/revoke", "token=x"), 401, "invalid_client"),
        ("pushed request", at("/par", query), 401, "invalid_client"),
        ("authorization", Request::new("GET", target), 400, "unauthorized_client"),
        ("userinfo", userinfo, 400, "invalid_token"),
        ("page", bank.clone(), 400, "access_denied"),
    ] {
        assert_terse(name, &server.send(&request).await, (status, error, text));
    }
    for request in [page(Request::new("GET", target)), page(bank)] {
        let shown = server.send(&request).await;
        assert!(shown.body.contains(text) && !shown.body.contains("register again"), "{}", shown.body);
        assert!(!shown.body.contains("revoked or replaced"), "{}", shown.body);
    }
    // Whoever is blocked has to know until when.
    let path = format!("/test-certificates/{}", tpp.signer.certificate.fingerprint_hex());
    server.manage("PUT", &path, json!({"status": "blocked"})).await;
    let blocked = server.send(&at("/token", &refresh)).await.error().1;
    assert!(blocked.starts_with("CERTIFICATE_BLOCKED: ") && blocked.contains("ask the bank"), "{blocked}");
}

#[tokio::test]
async fn a_certificate_that_is_missing_is_not_acceptable() {
    let server = reticent(true).await;
    let missing = "CERTIFICATE_MISSING: the certificate is not acceptable";
    for (path, error) in [
        ("token", "invalid_client"),
        ("token/revoke", "invalid_client"),
        ("par", "invalid_client"),
        ("registration", "access_denied"),
        ("userinfo", "access_denied"),
        ("introspect", "access_denied"),
    ] {
        let request = Request::new("POST", &format!("/auth/nl/v1/{path}")).form("token=x");
        assert_terse(path, &server.send(&request).await, (401, error, missing));
    }
}

#[tokio::test]
async fn the_certificate_of_a_connection_is_taken_or_not() {
    let server = reticent(false).await;
    let origin = server.tls_url();
    let form = format!("grant_type=refresh_token&refresh_token=x&client_id={ID}");
    let by_certificate = Request::new("POST", "/auth/nl/v1/token").form(&form);
    let tpp = server.registered("nl", ID).await;
    let by_secret = tpp.token_request("grant_type=refresh_token&refresh_token=x");
    let seal = server.certificate(json!({"organizationIdentifier": ID, "profile": "qseal"})).await;
    let answer = by_certificate.send(&server.presenting(&seal), origin).await;
    assert_terse("a seal", &answer, (401, "invalid_client", CERTIFICATE));
    let answer = by_secret.send(&tls_client(&server, "PSDNL-DNB-R9").await, origin).await;
    assert_terse("another organisation", &answer, (401, "invalid_client", CERTIFICATE));
    let qwac = server.certificate(json!({"organizationIdentifier": ID, "profile": "qwac"})).await;
    revoke(&server, &qwac).await;
    let answer = by_secret.send(&server.presenting(&qwac), origin).await;
    let revoked = "CERTIFICATE_REVOKED: the certificate is not acceptable";
    assert_terse("revoked", &answer, (401, "invalid_client", revoked));
}
