//! What is accepted: every path, tenant, certificate form and signature that clients in the field use.

use http_signatures::key::Algorithm;
use testkit::{Request, TestCa, TestServer};

const ID: &str = "PSDNL-DNB-R000000";

#[tokio::test]
async fn every_path_of_every_tenant_gives_a_token() {
    let server = TestServer::start().await;
    let tpp = server.tpp(ID).await;
    for tenant in ["nl", "be_fr", "be_nl", "uk"] {
        for path in ["onboarding/v1", "v1/onboarding", "onboarding/v1/", "v1/onboarding/"] {
            let mut request = Request::onboarding(tenant);
            request.target = format!("/xs2a-bg/{tenant}/{path}");
            let answer = server.send(&request.signed(&tpp)).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            let json = answer.json();
            assert_eq!(json["scope"], "client-reg");
            assert_eq!(json["expires_in"], 86400);
            assert_eq!(json["token_type"], "Bearer");
            assert_eq!(json["access_token"].as_str().unwrap().len(), 36);
            let link = format!("{}/auth/{tenant}/v1/registration", server.interface_url());
            assert_eq!(json["_links"]["registration"], link);
            assert_eq!(answer.header("x-request-id"), "11111111-2222-3333-4444-347991a0126");
            assert_eq!(answer.header("content-type"), "application/json");
            assert_eq!(answer.header("cache-control"), "no-store");
        }
    }
}

#[tokio::test]
async fn signatures_as_clients_in_the_field_make_them() {
    let server = TestServer::start().await;
    let tpp = server.tpp(ID).await;
    let base = || Request::onboarding("nl").certificate(&tpp).digest();
    let serial = tpp.certificate.serial_hex();
    let issuer = tpp.certificate.issuer.to_string();
    let mut accepted = vec![
        ("digest alone, as the bank documents it", base().sign_as(&tpp, "digest", "SHA256withRSA", "")),
        ("rsa-sha256", base().sign(&tpp, "digest x-request-id")),
        ("upper case", base().sign_as(&tpp, "digest x-request-id", "RSA-SHA256", "")),
        ("hs2019", base().sign_as(&tpp, "digest x-request-id", "hs2019", "")),
        ("more headers", base().sign(&tpp, "(request-target) host digest x-request-id accept")),
        ("no request id", base().without("x-request-id").sign(&tpp, "digest")),
        (
            "bare digest",
            base()
                .set("digest", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
                .sign(&tpp, "digest x-request-id"),
        ),
        ("empty digest", base().set("digest", "").sign(&tpp, "digest x-request-id")),
        (
            "digest of a fixed word",
            base()
                .set("digest", "SHA-256=MBFI05bKI7Txt41Y2NKNLhqfV4oGpBjZUMQGS+ti/DA=")
                .sign(&tpp, "digest x-request-id"),
        ),
        (
            "a superfluous media type",
            base().set("content-type", "application/json").sign(&tpp, "digest x-request-id"),
        ),
    ];
    // The signature covers the header as it is sent, so the host is set before signing.
    accepted[4].1 = base()
        .set("host", server.url().split_once("://").unwrap().1)
        .sign(&tpp, "(request-target) host digest x-request-id accept");
    let sha512 = base();
    let value = sha512.signature(&tpp, "digest x-request-id", Algorithm::RsaPkcs1Sha512);
    for label in ["rsa-sha512", "SHA512withRSA"] {
        let header = format!(
            "keyId=\"{}\",algorithm=\"{label}\",headers=\"digest x-request-id\",signature=\"{value}\"",
            tpp.key_id
        );
        accepted.push((label, sha512.clone().set("signature", header)));
    }
    for (name, key_id) in [
        ("lower case hexadecimal", format!("SN={},CA={issuer}", serial.to_lowercase())),
        ("leading zeros", format!("SN=000{serial},CA={issuer}")),
        ("0x", format!("SN=0x{serial},CA={issuer}")),
        ("blanks as %20", format!("SN={serial},CA={}", issuer.replace(' ', "%20"))),
        ("no blanks", format!("SN={serial},CA={}", issuer.replace(' ', ""))),
        ("2.5.4.97 without OID.", format!("SN={serial},CA={}", issuer.replace("OID.", ""))),
        (
            "another order",
            format!(
                "SN={serial},CA={}",
                issuer.split(", ").collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join(",")
            ),
        ),
        ("another issuer with the right serial number", format!("SN={serial},CA=CN=Somebody")),
    ] {
        let request = base();
        let value = request.signature(&tpp, "digest x-request-id", Algorithm::RsaPkcs1Sha256);
        let header = format!(
            "keyId=\"{key_id}\",algorithm=\"rsa-sha256\",headers=\"digest x-request-id\",signature=\"{value}\""
        );
        accepted.push((name, request.set("signature", header)));
    }
    for (name, request) in accepted {
        let answer = server.send(&request).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.body);
    }
}

#[tokio::test]
async fn certificates_in_every_header_form() {
    let server = TestServer::start().await;
    let tpp = server.tpp(ID).await;
    let pem = eidas::certificate::to_pem(&tpp.certificate.der);
    let one_line = eidas::header::to_single_line_pem(&tpp.certificate.der, "CERTIFICATE");
    for (name, value) in [
        ("base64 of the DER", tpp.header()),
        ("PEM, blanks for line breaks", pem.trim().replace('\n', " ")),
        ("PEM on one line", one_line.trim().replace('\n', "")),
        ("percent-encoded PEM", pem.replace('\n', "%0A").replace(' ', "%20").replace('+', "%2B")),
        ("base64 of the PEM", eidas::header::to_header_value(pem.as_bytes())),
    ] {
        let request = Request::onboarding("nl").signed(&tpp).set("tpp-signature-certificate", &value);
        let request = request.set("ssl-certificate", &value);
        let answer = server.send(&request).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.body);
    }
}

#[tokio::test]
async fn an_issuer_with_a_comma_in_quotes() {
    let ca = TestCa::new("Sandbox Trust Europe, S.L. (TEST)");
    let (_folder, path) = testkit::free_folder();
    let file = path.join("ca.pem");
    std::fs::write(&file, ca.pem()).unwrap();
    let server = TestServer::with(|config| config.trusted_authorities.push(file)).await;
    let tpp = ca.issue(&TestCa::subject(ID), &["PSP_AI"], |_| {});
    assert!(tpp.key_id.contains("O=\"Sandbox Trust Europe, S.L. (TEST)\""), "{}", tpp.key_id);
    let answer = server.send(&Request::onboarding("nl").signed(&tpp)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn a_request_may_be_repeated() {
    let server = TestServer::start().await;
    let tpp = server.tpp(ID).await;
    let request = Request::onboarding("nl").signed(&tpp);
    let mut tokens = Vec::new();
    for _ in 0..3 {
        let answer = server.send(&request).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        tokens.push(answer.json()["access_token"].clone());
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 3, "each call gives a token of its own");
}

#[tokio::test]
async fn certificates_of_both_standard_profiles_work_side_by_side() {
    let server = TestServer::start().await;
    for profile in ["qseal", "qwac", "test-client"] {
        let request = serde_json::json!({"organizationIdentifier": ID, "profile": profile});
        let tpp = server.certificate(request).await;
        let answer = server.send(&Request::onboarding("nl").signed(&tpp)).await;
        assert_eq!(answer.status, 200, "{profile}: {}", answer.body);
    }
}
