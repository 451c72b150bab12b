//! Of the account interface, and of what is read there.

use serde_json::json;
use testkit::{CALLBACK, Request, bank_offered, detailed, is_served};

use super::{Scene, UNKNOWN};
use crate::refusals::check;

#[tokio::test]
async fn callers_of_the_account_interface() {
    let scene = Scene::new().await;
    let Scene { server, tpp, iban, .. } = &scene;
    let payments_only = json!({"organizationIdentifier": "PSDNL-DNB-R111111", "roles": ["PSP_PI"]});
    let payments_only = server.certificate(payments_only).await;
    server.register("nl", &payments_only, &[CALLBACK]).await;
    let stranger = server.tpp("PSDNL-DNB-R222222").await;
    let body = detailed(iban, true).to_string();
    let from = |signer| {
        tpp.request("POST", "/v1/consents")
            .set("psu-ip-address", "192.0.2.1")
            .set("tpp-redirect-uri", CALLBACK)
            .body("application/json", body.clone())
            .signed(signer)
    };
    let tampered = tpp.consent_request(&detailed(iban, true)).body("application/json", "{}");
    let digest_only = from(&tpp.signer).sign(&tpp.signer, "digest");
    let rows = vec![
        ("without the role", from(&payments_only), 401, "ROLE_INVALID", "this service needs PSP_AI"),
        ("not registered", from(&stranger), 401, "CERTIFICATE_INVALID", "is not registered at this bank"),
        (
            "no signature",
            from(&tpp.signer).without("signature"),
            401,
            "SIGNATURE_MISSING",
            "digest x-request-id",
        ),
        (
            "no digest",
            from(&tpp.signer).without("digest"),
            401,
            "SIGNATURE_INVALID",
            "Digest header is missing",
        ),
        ("a tampered body", tampered, 401, "SIGNATURE_INVALID", "digest"),
        ("the request id not signed", digest_only, 401, "SIGNATURE_INVALID", "x-request-id"),
        (
            "no certificate",
            from(&tpp.signer).without("tpp-signature-certificate"),
            401,
            "CERTIFICATE_MISSING",
            "TPP-Signature-Certificate",
        ),
        (
            "an unknown tenant",
            Request { target: "/xs2a-bg/xx/v1/consents".into(), ..from(&tpp.signer) },
            404,
            "",
            "Not Found",
        ),
        ("an unknown path", scene.signed("GET", "/v1/card-accounts"), 404, "", "Not Found"),
    ];
    check(server, rows).await;
}

#[tokio::test]
async fn account_data() {
    let scene = Scene::new().await;
    let Scene { server, tpp, iban, consent, account } = &scene;
    let other_tpp = server.registered("nl", "PSDNL-DNB-R999999").await;
    let other = other_tpp.valid(server, &detailed(iban, true), iban).await;
    let second = tpp.valid(server, &bank_offered("9999-12-31"), iban).await;
    // Whose token somebody else shows ends with it.
    let leaked = tpp.valid(server, &detailed(iban, true), iban).await;
    let mut narrow = detailed(iban, true);
    narrow["access"] = json!({"accounts": [{"iban": iban}]});
    let narrow = tpp.valid(server, &narrow, iban).await;
    let read = |path: &str| scene.read(path);
    let first = server.send(&read("/transactions")).await.json();
    let next = first["transactions"]["_links"]["next"].as_str().unwrap().split_once("edgeToken=").unwrap().1;
    let with = |request: Request, consent: &str| request.set("consent-id", consent);
    let bearer = |request: Request, token: &str| request.set("authorization", format!("Bearer {token}"));
    let narrowly = |path: &str| tpp.read(&format!("/v1/accounts/{account}{path}"), &narrow);
    let uk = Request { target: format!("/xs2a-bg/uk/v1/accounts/{account}/balances"), ..read("/balances") };
    let elsewhere = format!("/v1/accounts/{account}/transactions?edgeToken={next}");
    let deleted = tpp.valid(server, &detailed(iban, true), iban).await;
    let delete = scene.signed("DELETE", &format!("/v1/consents/{}", deleted.id));
    assert_eq!(server.send(&delete).await.status, 204);
    let unknown = |path: &str| tpp.read(&format!("/v1/accounts/{UNKNOWN}{path}"), consent);
    let rows = vec![
        (
            "no token",
            read("/balances").without("authorization"),
            401,
            "TOKEN_UNKNOWN",
            "Authorization: Bearer",
        ),
        (
            "an empty token",
            read("/balances").set("authorization", "Bearer "),
            401,
            "TOKEN_INVALID",
            "not Bearer and a token",
        ),
        (
            "a token in the query",
            read(&format!("/balances?access_token={}", consent.access_token)).without("authorization"),
            401,
            "TOKEN_UNKNOWN",
            "missing",
        ),
        (
            "an unknown token",
            bearer(read("/balances"), "unknown-token"),
            401,
            "TOKEN_INVALID",
            "Access token unknown-… is invalid or expired",
        ),
        (
            "a refresh token",
            bearer(read("/balances"), &consent.refresh_token),
            401,
            "TOKEN_INVALID",
            "invalid or expired",
        ),
        (
            "a token of another consent",
            bearer(read("/balances"), &second.access_token),
            401,
            "CONSENT_INVALID",
            "was not issued for consent",
        ),
        (
            "a token of another third party",
            bearer(read("/balances"), &other.access_token),
            401,
            // Where callers connect with certificates, tokens are bound to them.
            if is_served() { "TOKEN_INVALID" } else { "CONSENT_INVALID" },
            if is_served() { "bound to the TLS client certificate" } else { "was not issued for consent" },
        ),
        (
            "no Consent-ID",
            read("/balances").without("consent-id"),
            400,
            "FORMAT_ERROR",
            "Consent-ID header is missing",
        ),
        (
            "a Consent-ID that is none",
            with(read("/balances"), "7"),
            400,
            "FORMAT_ERROR",
            "Consent-ID header is no UUID",
        ),
        (
            "two Consent-IDs",
            read("/balances").append("consent-id", UNKNOWN),
            400,
            "FORMAT_ERROR",
            "Consent-ID header occurs more than once",
        ),
        ("an unknown consent", with(read("/balances"), UNKNOWN), 403, "CONSENT_UNKNOWN", ""),
        ("another third party's consent", with(read("/balances"), &other.id), 403, "CONSENT_UNKNOWN", ""),
        (
            "another third party with our consent",
            other_tpp.read(&format!("/v1/accounts/{account}/balances"), &leaked),
            403,
            "CONSENT_UNKNOWN",
            "",
        ),
        ("at another tenant", uk, 403, "CONSENT_UNKNOWN", ""),
        (
            "a consent that was ended",
            tpp.read("/v1/accounts", &deleted),
            401,
            "CONSENT_INVALID",
            "with status terminatedByTpp",
        ),
        (
            "an account id that is none",
            tpp.read("/v1/accounts/7/balances", consent),
            400,
            "FORMAT_ERROR",
            "account id in the path is no UUID",
        ),
        ("an unknown account", unknown(""), 404, "RESOURCE_UNKNOWN", "not part of the consent"),
        ("its balances", unknown("/balances"), 404, "RESOURCE_UNKNOWN", ""),
        ("its transactions", unknown("/transactions"), 404, "RESOURCE_UNKNOWN", ""),
        (
            "balances without the right",
            narrowly("/balances"),
            401,
            "CONSENT_INVALID",
            "does not cover balances",
        ),
        (
            "transactions without the right",
            narrowly("/transactions"),
            401,
            "CONSENT_INVALID",
            "does not cover transactions",
        ),
        (
            "a current account as savings",
            tpp.read(&format!("/v2/savings/{account}"), consent),
            403,
            "PRODUCT_INVALID",
            "current accounts are under /v1/accounts",
        ),
        (
            "PSU-IP-Address is none",
            read("/balances").set("psu-ip-address", "300.1.1.1"),
            400,
            "FORMAT_ERROR",
            "no IP address",
        ),
        (
            "dateFrom is none",
            read("/transactions?dateFrom=yesterday"),
            400,
            "FORMAT_ERROR",
            "dateFrom \"yesterday\" is no date",
        ),
        (
            "dateTo is none",
            read("/transactions?dateTo=2026-13-01"),
            400,
            "FORMAT_ERROR",
            "expected YYYY-MM-DD",
        ),
        (
            "dateTo before dateFrom",
            read("/transactions?dateFrom=2026-02-01&dateTo=2026-01-01"),
            400,
            "PERIOD_INVALID",
            "dateTo 2026-01-01 is before dateFrom 2026-02-01",
        ),
        (
            "an unknown booking status",
            read("/transactions?bookingStatus=maybe"),
            400,
            "FORMAT_ERROR",
            "not one of booked, pending, both",
        ),
        (
            "standing orders",
            read("/transactions?bookingStatus=information"),
            400,
            "PARAMETER_NOT_SUPPORTED",
            "information is not supported",
        ),
        (
            "a date that is no text",
            read("/transactions?dateFrom=%ff"),
            400,
            "FORMAT_ERROR",
            "not valid UTF-8",
        ),
        (
            "a page token that is none",
            read("/transactions?edgeToken=xyz"),
            400,
            "FORMAT_ERROR",
            "follow the next link as it is",
        ),
        (
            "a page token with a letter changed",
            read(&format!(
                "/transactions?edgeToken={}{}",
                if next.starts_with('A') { "B" } else { "A" },
                &next[1..]
            )),
            400,
            "FORMAT_ERROR",
            "follow the next link",
        ),
        (
            "a page token of another consent",
            tpp.read(&elsewhere, &second),
            400,
            "FORMAT_ERROR",
            "for this account and consent",
        ),
        ("a page without a token", read("/transactions/page"), 400, "FORMAT_ERROR", "edgeToken is missing"),
        (
            "a wrong method",
            tpp.request("POST", &format!("/v1/accounts/{account}/balances")).signed(&tpp.signer),
            405,
            "SERVICE_INVALID",
            "method POST",
        ),
    ];
    assert!(rows.len() >= 30);
    check(server, rows).await;
}
