//! Each payment product from the request to the money, taken back before the bank has it, and stopped afterwards.

use serde_json::{Value, json};
use testkit::{Request, TestServer, TestTpp, day, euro_payment, pain001};

use crate::ID;

/// Products with the branch that offers them, the currency, and the status once the bank has a payment of today.
const PRODUCTS: [(&str, &str, &str, &str); 6] = [
    ("payments/sepa-credit-transfers", "nl", "EUR", "ACSC"),
    ("payments/uk-domestic-transfers", "uk", "GBP", "ACSP"),
    ("payments/cross-border-credit-transfers", "nl", "USD", "ACSP"),
    ("periodic-payments/sepa-credit-transfers", "nl", "EUR", "ACCP"),
    ("periodic-payments/uk-domestic-transfers", "uk", "GBP", "ACCP"),
    ("bulk-payments/sepa-credit-transfers", "nl", "EUR", "ACSP"),
];

/// A request for a payment for today, which is [`day`] 1, or for a later day.
fn asking(tpp: &TestTpp, product: &str, (payer, payee): (&str, &str), days: i64) -> Request {
    if product.starts_with("bulk-payments/") {
        let document = pain001("09", payer, &day(days), &[(125, "A. Payee", payee, "Milk")]);
        return tpp.bulk_request("application/xml", &document);
    }
    let mut body = euro_payment("1.25", payee);
    if product.starts_with("periodic-payments/") {
        body["startDate"] = day(days).into();
        body["frequency"] = "Monthly".into();
    } else {
        body["requestedExecutionDate"] = day(days).into();
    }
    if product.ends_with("/uk-domestic-transfers") {
        body["instructedAmount"]["currency"] = "GBP".into();
    }
    if product.ends_with("/cross-border-credit-transfers") {
        body["instructedAmount"]["currency"] = "USD".into();
        body["debtorAccount"] = json!({"iban": payer, "currency": "USD"});
        body["creditorAccount"] = json!({"foreignAccountNumber": "12345678"});
        body["creditorAgent"] = "BOFAUS3N".into();
        body["chargeBearer"] = "SHAR".into();
        body["creditorAddress"] =
            json!({"streetName": "Main Street", "townName": "Springfield", "postcode": "1", "country": "US"});
    }
    tpp.payment_request(product, &body)
}

async fn sca_status(server: &TestServer, tpp: &TestTpp, path: &str) -> Value {
    server.send(&tpp.get(path)).await.json()["scaStatus"].clone()
}

/// Initiates, authorises and confirms; returns the path.
async fn confirmed(server: &TestServer, tpp: &TestTpp, request: &Request, payer: &str) -> String {
    let answer = server.send(request).await;
    assert_eq!(answer.status, 201, "{}: {}", request.target, answer.body);
    let asked = answer.json();
    assert_eq!(asked["transactionStatus"], "RCVD");
    let (path, sca) = (tpp.path_of(&asked["_links"]["self"]), tpp.path_of(&asked["_links"]["scaStatus"]));
    assert_eq!(tpp.payment_status(server, &path).await, "RCVD");
    assert_eq!(sca_status(server, tpp, &sca).await, "received");
    let token = tpp.token_of(server, &asked, payer).await;
    assert_eq!(sca_status(server, tpp, &sca).await, "unconfirmed");
    let confirmed = tpp.confirm_payment_at(server, &sca, &token).await;
    assert_eq!(confirmed.status, 200, "{path}: {}", confirmed.body);
    assert_eq!(sca_status(server, tpp, &sca).await, "finalised");
    path
}

#[tokio::test]
async fn every_product_is_made_taken_back_and_stopped() {
    let server = TestServer::with(|config| config.cross_border_payments = true).await;
    let tpps = [
        ("nl", server.registered("nl", ID).await),
        ("uk", server.registered("uk", "PSDGB-FCA-123456").await),
    ];
    for (tenant, _) in &tpps {
        server.at_ten(tenant).await;
    }
    for (product, tenant, currency, status) in PRODUCTS {
        let (_, tpp) = tpps.iter().find(|(known, _)| *known == tenant).unwrap();
        let wish = json!({"tenant": tenant, "persona": "empty", "currency": currency, "balance": "100.00"});
        let (made, payer) = server.manage("POST", "/test-accounts", wish).await;
        assert_eq!(made, 201, "{payer}");
        let payee = server.customer(tenant, "household").await;
        let (payer, payee) = (payer["iban"].as_str().unwrap(), payee["iban"].as_str().unwrap());
        let today = asking(tpp, product, (payer, payee), 1);
        let later = || asking(tpp, product, (payer, payee), 4);

        let path = confirmed(&server, tpp, &today, payer).await;
        assert_eq!(tpp.payment_status(&server, &path).await, status, "{product}");
        let read = server.send(&tpp.get(&path)).await.json();
        assert_eq!(
            (&read["transactionStatus"], &read["debtorAccount"]["iban"]),
            (&json!(status), &json!(payer))
        );

        // Before the bank has it.
        let asked = server.send(&later()).await.json();
        let path = tpp.path_of(&asked["_links"]["self"]);
        let cancelled = server.send(&tpp.redirecting("DELETE", &path)).await;
        assert_eq!(cancelled.status, 200, "{product}: {}", cancelled.body);
        assert_eq!(cancelled.json()["transactionStatus"], "CANC", "{product}");
        assert_eq!(tpp.payment_status(&server, &path).await, "CANC", "{product}");

        // When the bank has it, the customer has to agree.
        let path = confirmed(&server, tpp, &later(), payer).await;
        let before = tpp.payment_status(&server, &path).await;
        let waits = if product.starts_with("periodic") { "ACCP" } else { "ACTC" };
        assert_eq!(before, waits, "{product}");
        let begun = server.send(&tpp.redirecting("DELETE", &path)).await;
        assert_eq!(begun.status, 202, "{product}: {}", begun.body);
        let begun = begun.json();
        let sca = tpp.path_of(&begun["_links"]["scaStatus"]);
        assert!(sca.starts_with(&format!("{path}/cancellation-authorisations/")), "{sca}");
        assert_eq!(sca_status(&server, tpp, &sca).await, "received");
        let token = tpp.token_of(&server, &begun, payer).await;
        assert_eq!(tpp.payment_status(&server, &path).await, before, "{product}: not confirmed yet");
        for _ in 0..2 {
            let stopped = tpp.confirm_payment_at(&server, &sca, &token).await;
            assert_eq!(stopped.status, 200, "{product}: {}", stopped.body);
        }
        assert_eq!(tpp.payment_status(&server, &path).await, "CANC", "{product}");
        let all = server.send(&tpp.get(&format!("{path}/cancellation-authorisations"))).await.json();
        assert_eq!(all["authorisationIds"], json!([begun["authorisationId"]]), "{product}");
    }
}
