//! Payments that are taken back, before the bank has them and afterwards.

use serde_json::{Value, json};
use testkit::{TestServer, day, euro_payment, monthly_payment, pain001, parameter};

use crate::ID;
use crate::refusals::check;

const SEPA: &str = "payments/sepa-credit-transfers";

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[tokio::test]
async fn what_the_bank_does_not_have_is_taken_back_at_once() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (server.customer("nl", "household").await, server.customer("nl", "student").await);
    let (iban, creditor) = (text(&payer["iban"]), text(&payee["iban"]));
    let had = tpp.expected_balance(&server, creditor).await;
    let asked = tpp.payment(&server, SEPA, &euro_payment("1.00", creditor)).await;
    let path = tpp.path_of(&asked["_links"]["self"]);
    let delete = tpp.redirecting("DELETE", &path);
    let stops = format!("{path}/cancellation-authorisations");
    let needless = server.send(&tpp.redirecting("POST", &stops)).await;
    assert_eq!((needless.status, needless.error().0.as_str()), (400, "CANCELLATION_INVALID"));
    assert!(
        needless.error().1.contains("DELETE the payment, and it is cancelled at once"),
        "{}",
        needless.body
    );
    let done = server.send(&delete).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let expected = json!({
        "transactionStatus": "CANC", "paymentId": asked["paymentId"], "authorisationId": asked["authorisationId"],
        "_links": {"self": format!("/nl{path}"), "status": format!("/nl{path}/status")},
    });
    assert_eq!(done.json(), expected);
    for again in [delete, tpp.redirecting("DELETE", &path)] {
        assert_eq!(server.send(&again).await.json(), expected, "harmless");
    }
    assert_eq!(tpp.payment_status(&server, &path).await, "CANC");
    let sca = tpp.path_of(&asked["_links"]["scaStatus"]);
    assert_eq!(server.send(&tpp.get(&sca)).await.json(), json!({"scaStatus": "failed"}));
    let location = server.decide(&tpp.authorization_url(&asked), iban, "approve").await;
    assert_eq!(parameter(&location, "error").as_deref(), Some("invalid_request"), "{location}");

    // Approved at the page, and not confirmed.
    let approved = tpp.approved_payment(&server, (SEPA, &euro_payment("1.00", creditor)), iban).await;
    let done = server.send(&tpp.redirecting("DELETE", &approved.path)).await;
    assert_eq!((done.status, &done.json()["transactionStatus"]), (200, &json!("CANC")));
    let late = tpp.confirm_payment_at(&server, &approved.authorisation, &approved.access_token).await;
    assert_eq!((late.status, late.error().0.as_str()), (400, "STATUS_INVALID"), "{}", late.body);
    assert_eq!(tpp.expected_balance(&server, creditor).await, had);
}

#[tokio::test]
async fn what_is_made_or_refused_cannot_be_taken_back() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (server.customer("nl", "household").await, server.customer("nl", "student").await);
    let (iban, creditor) = (text(&payer["iban"]), text(&payee["iban"]));
    let body = euro_payment("1.00", creditor);
    let made = tpp.submitted_payment(&server, (SEPA, &body), iban).await;
    let refused = tpp.payment(&server, SEPA, &body).await;
    server.decide(&tpp.authorization_url(&refused), iban, "reject").await;
    let refused = tpp.path_of(&refused["_links"]["self"]);
    let late = tpp.path_of(&tpp.payment(&server, SEPA, &body).await["_links"]["self"]);
    let no_uri = tpp.request("DELETE", &late).signed(&tpp.signer);
    let elsewhere = tpp.request("DELETE", &late).set("tpp-redirect-uri", "https://x.example/");
    let delete = |path: &str| tpp.redirecting("DELETE", path);
    let rows = vec![
        (
            "made",
            delete(&made.path),
            400,
            "CANCELLATION_INVALID",
            "the payment is ACSC and cannot be cancelled",
        ),
        ("refused", delete(&refused), 400, "CANCELLATION_INVALID", "the payment is rejected"),
        ("no redirect URI", no_uri, 400, "FORMAT_ERROR", "TPP-Redirect-URI header is missing"),
        ("a foreign redirect URI", elsewhere.signed(&tpp.signer), 400, "FORMAT_ERROR", "TPP-Redirect-URI"),
    ];
    check(&server, rows).await;
    server.advance("nl", "P1D").await;
    let rows = vec![("expired", delete(&late), 400, "CANCELLATION_INVALID", "the payment is expired")];
    check(&server, rows).await;
}

#[tokio::test]
async fn what_waits_for_its_day_is_stopped_once_the_customer_says_so() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (server.customer("nl", "household").await, server.customer("nl", "student").await);
    let (iban, creditor) = (text(&payer["iban"]), text(&payee["iban"]));
    let mut later = euro_payment("1.00", creditor);
    later["requestedExecutionDate"] = day(5).into();
    let periodic = monthly_payment("1.00", creditor);
    let bulk = pain001("09", iban, &day(2), &[(100, "A. Payee", creditor, "One")]);
    let mut stopped = Vec::new();
    for (request, waits) in [
        (tpp.payment_request(SEPA, &later), "ACTC"),
        (tpp.payment_request("periodic-payments/sepa-credit-transfers", &periodic), "ACCP"),
        (tpp.bulk_request("application/xml", &bulk), "ACTC"),
    ] {
        let asked = server.send(&request).await;
        assert_eq!(asked.status, 201, "{}", asked.body);
        let payment = tpp.approved_of(&server, &asked.json(), iban).await;
        let confirmed = tpp.confirm_payment_at(&server, &payment.authorisation, &payment.access_token).await;
        assert_eq!(confirmed.status, 200, "{}", confirmed.body);
        let path = &payment.path;
        assert_eq!(tpp.payment_status(&server, path).await, waits);

        let delete = tpp.redirecting("DELETE", path);
        let told = server.send(&delete).await;
        assert_eq!((told.status, told.header("aspsp-sca-approach")), (202, "REDIRECT"), "{}", told.body);
        assert_eq!(server.send(&delete).await.body, told.body, "the same request begins one authorisation");
        let told = told.json();
        assert_eq!((&told["transactionStatus"], text(&told["debtorAccount"]["iban"])), (&json!(waits), iban));
        let sca = tpp.path_of(&told["_links"]["scaStatus"]);
        let stops = format!("{path}/cancellation-authorisations");
        assert_eq!(sca, format!("{stops}/{}", text(&told["authorisationId"])));
        let scope = format!("scope=openid+PIS%3A{}&", text(&told["paymentId"]));
        assert!(text(&told["_links"]["scaRedirect"]).contains(&scope), "{told}");

        // The customer wants it after all.
        let location = server.decide(&tpp.authorization_url(&told), iban, "reject").await;
        assert_eq!(parameter(&location, "error").as_deref(), Some("consent_required"), "{location}");
        assert_eq!(server.send(&tpp.get(&sca)).await.json(), json!({"scaStatus": "failed"}));
        assert_eq!(tpp.payment_status(&server, path).await, waits);

        let begun = server.send(&tpp.redirecting("POST", &stops)).await;
        assert_eq!(begun.status, 201, "{}", begun.body);
        let begun = begun.json();
        let again = tpp.path_of(&begun["_links"]["scaStatus"]);
        let early = tpp.confirm_payment_at(&server, &again, &payment.access_token).await;
        assert_eq!((early.status, early.error().0.as_str()), (400, "STATUS_INVALID"), "{}", early.body);
        let token = tpp.token_of(&server, &begun, iban).await;
        let bare = server.send(&tpp.request("PUT", &again).signed(&tpp.signer)).await;
        assert_eq!((bare.status, bare.error().0.as_str()), (401, "TOKEN_UNKNOWN"), "{}", bare.body);
        assert_eq!(tpp.payment_status(&server, path).await, waits, "not confirmed yet");
        for _ in 0..2 {
            let confirmed = tpp.confirm_payment_at(&server, &again, &token).await;
            assert_eq!((confirmed.status, &confirmed.json()["scaStatus"]), (200, &json!("finalised")));
        }
        assert_eq!(tpp.payment_status(&server, path).await, "CANC");
        let all = server.send(&tpp.get(&stops)).await.json();
        assert_eq!(all["authorisationIds"], json!([told["authorisationId"], begun["authorisationId"]]));
        let approvals = server.send(&tpp.get(&format!("{path}/authorisations"))).await.json();
        assert_eq!(approvals["authorisationIds"], json!([asked.json()["authorisationId"]]));
        let done = server.send(&tpp.redirecting("DELETE", path)).await;
        assert_eq!((done.status, &done.json()["transactionStatus"]), (200, &json!("CANC")));
        let more = server.send(&tpp.redirecting("POST", &stops)).await;
        assert_eq!((more.status, more.error().0.as_str()), (400, "CANCELLATION_INVALID"), "{}", more.body);
        stopped.push(payment.path);
    }
    server.advance("nl", "P10D").await;
    for path in stopped {
        assert_eq!(tpp.payment_status(&server, &path).await, "CANC", "also when its day has come");
    }
}

#[tokio::test]
async fn what_is_made_while_the_customer_thinks_about_it_is_made() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (server.customer("nl", "household").await, server.customer("nl", "student").await);
    let (iban, creditor) = (text(&payer["iban"]), text(&payee["iban"]));
    let mut later = euro_payment("1.00", creditor);
    later["requestedExecutionDate"] = day(3).into();
    let payment = tpp.submitted_payment(&server, (SEPA, &later), iban).await;
    let told = server.send(&tpp.redirecting("DELETE", &payment.path)).await.json();
    let sca = tpp.path_of(&told["_links"]["scaStatus"]);
    let token = tpp.token_of(&server, &told, iban).await;
    let forced = json!({"status": "ACSC"});
    let id = text(&told["paymentId"]);
    let (status, body) = server.manage("PUT", &format!("/payments/{id}"), forced).await;
    assert_eq!(status, 200, "{body}");
    let late = tpp.confirm_payment_at(&server, &sca, &token).await;
    assert_eq!((late.status, late.error().0.as_str()), (400, "CANCELLATION_INVALID"), "{}", late.body);
    assert_eq!(server.send(&tpp.get(&sca)).await.json(), json!({"scaStatus": "unconfirmed"}));
    assert_ne!(tpp.payment_status(&server, &payment.path).await, "CANC");
}

/// Whoever comes to the bank's pages after the payment was made decides nothing, and goes back knowing why: when they
/// arrive, and when they were there before.
#[tokio::test]
async fn nobody_approves_a_cancellation_of_what_was_made_meanwhile() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (server.customer("nl", "household").await, server.customer("nl", "student").await);
    let (iban, creditor) = (text(&payer["iban"]), text(&payee["iban"]));
    for decision in ["approve", "reject"] {
        let mut later = euro_payment("1.00", creditor);
        later["requestedExecutionDate"] = day(3).into();
        let payment = tpp.submitted_payment(&server, (SEPA, &later), iban).await;
        let told = server.send(&tpp.redirecting("DELETE", &payment.path)).await;
        assert_eq!(told.status, 202, "{}", told.body);
        let told = told.json();
        let sca = tpp.path_of(&told["_links"]["scaStatus"]);
        assert_eq!(server.send(&tpp.get(&sca)).await.json(), json!({"scaStatus": "received"}));
        let forced = json!({"status": "ACCC"});
        let (status, body) =
            server.manage("PUT", &format!("/payments/{}", text(&told["paymentId"])), forced).await;
        assert_eq!(status, 200, "{body}");
        let location = server.decide(&tpp.authorization_url(&told), iban, decision).await;
        assert_eq!(parameter(&location, "error").as_deref(), Some("access_denied"), "{location}");
        let said = parameter(&location, "error_description").unwrap();
        assert!(said.starts_with("It is too late, and nothing was cancelled: the payment is ACCC"), "{said}");
        assert_eq!(server.send(&tpp.get(&sca)).await.json(), json!({"scaStatus": "failed"}));
        assert_eq!(tpp.payment_status(&server, &payment.path).await, "ACSC");
    }
}

/// Whatever a payment is called, the customer is asked only for what the bank can still do.
#[tokio::test]
async fn nobody_is_asked_to_authorise_what_cannot_be_stopped_any_more() {
    let server = TestServer::start().await;
    server.at_ten("uk").await;
    let tpp = server.registered("uk", ID).await;
    let (payer, payee) = (server.customer("uk", "household").await, server.customer("uk", "student").await);
    let (iban, creditor) = (text(&payer["iban"]), text(&payee["iban"]));
    let refused = async |path: &str, status: &str| {
        let stops = format!("{path}/cancellation-authorisations");
        for request in [tpp.redirecting("DELETE", path), tpp.redirecting("POST", &stops)] {
            let answer = server.send(&request).await;
            assert_eq!((answer.status, answer.error().0.as_str()), (400, "CANCELLATION_INVALID"), "{status}");
            let said = format!("the payment is {status} and cannot be cancelled");
            assert!(answer.error().1.contains(&said), "{}", answer.body);
        }
        let all = server.send(&tpp.get(&stops)).await.json();
        assert_eq!(all["authorisationIds"], json!([]), "none was begun");
    };
    let force = async |path: &str, status: &str| {
        let id = path.rsplit('/').next().unwrap();
        let answer = server.manage("PUT", &format!("/payments/{id}"), json!({"status": status})).await;
        assert_eq!(answer.0, 200, "{}", answer.1);
    };
    let mut pounds = euro_payment("1.00", creditor);
    pounds["instructedAmount"]["currency"] = json!("GBP");
    let what = ("payments/uk-domestic-transfers", &pounds);
    // It settles today: whatever it is called, its money is on its way.
    let settling = tpp.submitted_payment(&server, what, iban).await.path;
    refused(&settling, "ACSP").await;
    for status in ["RCVD", "PDNG", "PATC", "ACCP"] {
        force(&settling, status).await;
        refused(&settling, status).await;
    }
    // One that waits for its day can be stopped by any name but those of a payment that settles.
    let mut later = pounds.clone();
    later["requestedExecutionDate"] = day(20).into();
    let later = tpp.submitted_payment(&server, ("payments/uk-domestic-transfers", &later), iban).await.path;
    force(&later, "ACSP").await;
    refused(&later, "ACSP").await;
    for status in ["PDNG", "RCVD", "ACTC"] {
        force(&later, status).await;
        assert_eq!(server.send(&tpp.redirecting("DELETE", &later)).await.status, 202, "{status}");
    }
    // One that is called cancelled is: who takes it back once more is told so, and nobody is asked.
    force(&later, "CANC").await;
    let again = server.send(&tpp.redirecting("DELETE", &later)).await;
    assert_eq!((again.status, &again.json()["transactionStatus"]), (200, &json!("CANC")), "{}", again.body);
    // A periodic one has no day any more.
    let mut periodic = monthly_payment("1.00", creditor);
    periodic["instructedAmount"]["currency"] = json!("GBP");
    periodic["endDate"] = day(9).into();
    let what = ("periodic-payments/uk-domestic-transfers", &periodic);
    let periodic = tpp.submitted_payment(&server, what, iban).await.path;
    assert_eq!(server.send(&tpp.redirecting("DELETE", &periodic)).await.status, 202);
    server.advance("uk", "P10D").await;
    let answer = server.send(&tpp.redirecting("DELETE", &periodic)).await;
    assert_eq!((answer.status, answer.error().0.as_str()), (400, "CANCELLATION_INVALID"), "{}", answer.body);
    let said = answer.error().1;
    assert!(
        said.contains("the payment is ACCP and cannot be cancelled: its last execution was made"),
        "{said}"
    );
    assert!(!said.contains("periodic ones"), "{said}");
    // A payee whose payments take their time.
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let payer = server.customer("nl", "household").await;
    let mut slow = euro_payment("10.20", "NL91ABNA0417164300");
    slow["creditorName"] = json!("Vestibule Magic");
    let slow = tpp.submitted_payment(&server, (SEPA, &slow), text(&payer["iban"])).await.path;
    assert_eq!(tpp.payment_status(&server, &slow).await, "PDNG");
    let answer = server.send(&tpp.redirecting("DELETE", &slow)).await;
    assert_eq!((answer.status, answer.error().0.as_str()), (400, "CANCELLATION_INVALID"), "{}", answer.body);
}
