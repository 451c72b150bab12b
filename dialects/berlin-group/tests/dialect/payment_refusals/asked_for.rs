//! Of payments that were asked for: whose they are, and their confirmation.

use serde_json::json;
use testkit::{ApprovedPayment, CALLBACK, TestServer, detailed, euro_payment};

use super::{SEPA, Scene, UNKNOWN};
use crate::ID;
use crate::refusals::check;

#[tokio::test]
async fn other_peoples_payments_and_ids_that_are_none() {
    let scene = Scene::new().await;
    let Scene { server, tpp, .. } = &scene;
    let ApprovedPayment { path, authorisation, access_token } = scene.approved().await;
    let other = server.registered("nl", "PSDNL-DNB-R999999").await;
    let foreign = |method: &str, path: &str| {
        other
            .request(method, path)
            .set("tpp-redirect-uri", CALLBACK)
            .set("authorization", format!("Bearer {access_token}"))
            .signed(&other.signer)
    };
    let elsewhere = |method: &str, path: &str| {
        let mut request = tpp.redirecting(method, path);
        request.target = format!("/xs2a-bg/be_nl{path}");
        request
    };
    let unknown = format!("/v1/{SEPA}/{UNKNOWN}");
    let under_another = path.replace("payments/sepa", "payments/cross-border");
    let periodic = path.replace("/payments/", "/periodic-payments/");
    let says = "not known here, or was not requested by this third party";
    let mut rows = Vec::new();
    for (method, end) in [
        ("GET", ""),
        ("GET", "/status"),
        ("DELETE", ""),
        ("GET", "/authorisations"),
        ("POST", "/authorisations"),
        ("GET", "/cancellation-authorisations"),
        ("POST", "/cancellation-authorisations"),
    ] {
        let at = |path: &str| tpp.redirecting(method, &format!("{path}{end}"));
        rows.push(("an unknown payment", at(&unknown), 403, "RESOURCE_UNKNOWN", says));
        rows.push((
            "somebody else's",
            foreign(method, &format!("{path}{end}")),
            403,
            "RESOURCE_UNKNOWN",
            says,
        ));
        rows.push((
            "of another branch",
            elsewhere(method, &format!("{path}{end}")),
            403,
            "RESOURCE_UNKNOWN",
            says,
        ));
        rows.push((
            "an id that is none",
            at(&format!("/v1/{SEPA}/7")),
            400,
            "FORMAT_ERROR",
            "the payment id in the path is no UUID",
        ));
        rows.push((
            "another product",
            at(&under_another),
            404,
            "PRODUCT_UNKNOWN",
            "payments/sepa-credit-transfers; ask for it there",
        ));
        rows.push((
            "another service",
            at(&periodic),
            404,
            "PRODUCT_UNKNOWN",
            "payments/sepa-credit-transfers; ask for it there",
        ));
    }
    let (_, id) = authorisation.rsplit_once('/').unwrap();
    let cancelling = format!("{path}/cancellation-authorisations/{id}");
    let none = format!("{path}/authorisations/{UNKNOWN}");
    rows.extend([
        (
            "an authorisation that is not for cancelling",
            tpp.get(&cancelling),
            403,
            "RESOURCE_UNKNOWN",
            "authorisation is not known",
        ),
        (
            "confirming it as a cancellation",
            scene.confirming(&cancelling, &access_token),
            403,
            "RESOURCE_UNKNOWN",
            "authorisation is not known",
        ),
        ("an unknown authorisation", tpp.get(&none), 403, "RESOURCE_UNKNOWN", "authorisation is not known"),
        (
            "an authorisation id that is none",
            tpp.get(&format!("{path}/authorisations/7")),
            400,
            "FORMAT_ERROR",
            "the authorisation id in the path is no UUID",
        ),
        ("confirming for somebody else", foreign("PUT", &authorisation), 403, "RESOURCE_UNKNOWN", says),
    ]);
    check(server, rows).await;
    assert_eq!(tpp.payment_status(server, &path).await, "RCVD", "nobody changed anything");
}

#[tokio::test]
async fn confirming_a_payment() {
    let scene = Scene::new().await;
    let Scene { server, tpp, payer, payee } = &scene;
    let payment = scene.approved().await;
    let other = scene.approved().await;
    let consent = tpp.valid(server, &detailed(payer, true), payer).await;
    let asked = tpp.payment(server, SEPA, &euro_payment("1.00", payee)).await;
    let waiting = tpp.path_of(&asked["_links"]["scaStatus"]);
    let cancelled = scene.approved().await;
    let deleted = server.send(&tpp.redirecting("DELETE", &cancelled.path)).await;
    assert_eq!(deleted.status, 200, "{}", deleted.body);
    let bare = tpp.request("PUT", &payment.authorisation);
    let rows = vec![
        ("no token", bare.clone().signed(&tpp.signer), 401, "TOKEN_UNKNOWN", "token"),
        (
            "no bearer",
            bare.clone().set("authorization", "Basic eDp5").signed(&tpp.signer),
            401,
            "TOKEN_INVALID",
            "Bearer",
        ),
        (
            "an unknown token",
            scene.confirming(&payment.authorisation, UNKNOWN),
            401,
            "TOKEN_INVALID",
            "invalid or expired",
        ),
        (
            "the token of another payment",
            scene.confirming(&payment.authorisation, &other.access_token),
            401,
            "CONSENT_INVALID",
            "payment",
        ),
        (
            "the token of a consent",
            scene.confirming(&payment.authorisation, &consent.access_token),
            401,
            "CONSENT_INVALID",
            "payment",
        ),
        (
            "a body that is none",
            bare.set("authorization", format!("Bearer {}", payment.access_token))
                .body("application/json", "[]")
                .signed(&tpp.signer),
            400,
            "FORMAT_ERROR",
            "JSON object",
        ),
        (
            "before anybody approved",
            scene.confirming(&waiting, &payment.access_token),
            401,
            "CONSENT_INVALID",
            "payment",
        ),
        (
            "after it was taken back",
            scene.confirming(&cancelled.authorisation, &cancelled.access_token),
            400,
            "STATUS_INVALID",
            "cancelled",
        ),
    ];
    check(server, rows).await;
    // A second attempt that nobody has approved, with the token of the first.
    let begun =
        server.send(&tpp.redirecting("POST", &format!("{}/authorisations", payment.path))).await.json();
    let second = tpp.path_of(&begun["_links"]["scaStatus"]);
    let rows = vec![(
        "an attempt that nobody approved",
        scene.confirming(&second, &payment.access_token),
        400,
        "STATUS_INVALID",
        "has scaStatus received",
    )];
    check(server, rows).await;
    let confirmed = tpp.confirm_payment_at(server, &payment.authorisation, &payment.access_token).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.body);
    let again = tpp.redirecting("POST", &format!("{}/authorisations", payment.path));
    let stop = tpp.redirecting("POST", &format!("{}/cancellation-authorisations", other.path));
    let rows = vec![
        ("another attempt at what is done", again, 400, "STATUS_INVALID", "cannot be changed any more"),
        ("stopping what the bank does not have", stop, 400, "CANCELLATION_INVALID", "DELETE the payment"),
    ];
    check(server, rows).await;
}

/// However the payee is named: by the same number, or by what the number is made of.
#[tokio::test]
async fn a_british_account_does_not_pay_itself() {
    let server = TestServer::start().await;
    let tpp = server.registered("uk", ID).await;
    let payer = server.customer("uk", "household").await;
    let iban = payer["iban"].as_str().unwrap();
    let (sort_code, number) = (&iban[8..14], &iban[14..]);
    let british = json!({"ukSortCode": sort_code, "ukAccountNumber": number});
    let mut rows = Vec::new();
    for (name, debtor, creditor) in [
        ("both by the IBAN", json!({"iban": iban}), json!({"iban": iban})),
        ("the payee by sort code", json!({"iban": iban}), british.clone()),
        ("the payer by sort code", british.clone(), json!({"iban": iban})),
        ("both by sort code", british.clone(), british.clone()),
    ] {
        let body = json!({
            "instructedAmount": {"currency": "GBP", "amount": "1.00"}, "creditorName": "A. Payee",
            "debtorAccount": debtor, "creditorAccount": creditor,
        });
        let same = "the account that pays and the account that is paid are the same";
        let request = tpp.payment_request("payments/uk-domestic-transfers", &body);
        rows.push((name, request, 400, "PAYMENT_FAILED", same));
    }
    check(&server, rows).await;
}

/// Told at once where the account that pays is named, else when the third party confirms.
#[tokio::test]
async fn an_account_does_not_pay_itself() {
    let scene = Scene::new().await;
    let Scene { server, tpp, payer, .. } = &scene;
    let same = "the account that pays and the account that is paid are the same";
    let to_itself = euro_payment("1.00", payer);
    let mut named = to_itself.clone();
    named["debtorAccount"] = json!({"iban": payer});
    let unnamed = tpp.approved_payment(server, (SEPA, &to_itself), payer).await;
    let confirming = || scene.confirming(&unnamed.authorisation, &unnamed.access_token);
    let rows = vec![
        ("named", tpp.payment_request(SEPA, &named), 400, "PAYMENT_FAILED", same),
        ("chosen", confirming(), 400, "PAYMENT_FAILED", same),
        ("confirmed again", confirming(), 400, "PAYMENT_FAILED", "are the same (AG01)"),
    ];
    check(server, rows).await;
    assert_eq!(tpp.payment_status(server, &unnamed.path).await, "RJCT");
}
