//! Bulk payments from the document to the money, and what is refused.

use serde_json::{Value, json};
use testkit::{TestServer, TestTpp, day, euro_payment, pain001};

use crate::ID;

const PAYEE: &str = "DE89370400440532013000";

struct Scene {
    server: TestServer,
    tpp: TestTpp,
    /// The account that pays.
    iban: String,
    /// A payee at the same bank.
    own: String,
}

impl Scene {
    /// A bank at ten in the morning of [`day`] 1.
    async fn new() -> Self {
        let server = TestServer::start().await;
        server.at_ten("nl").await;
        let tpp = server.registered("nl", ID).await;
        let iban = server.customer("nl", "household").await["iban"].as_str().unwrap().to_owned();
        let own = server.customer("nl", "student").await["iban"].as_str().unwrap().to_owned();
        Self { server, tpp, iban, own }
    }

    /// 13.50 to two payees.
    fn document(&self, version: &str, on: &str) -> String {
        let transfers =
            [(1250, "A. Student", self.own.as_str(), "Books & pens"), (100, "Shop", PAYEE, "Milk")];
        pain001(version, &self.iban, on, &transfers)
    }

    async fn refuses(&self, (kind, document): (&str, &str), status: u16, code: &str, said: &str) {
        let answer = self.server.send(&self.tpp.bulk_request(kind, document)).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        let (got, text) = answer.error();
        assert_eq!((got.as_str(), text.as_str()), (code, said));
    }
}

#[tokio::test]
async fn a_bulk_payment_from_document_to_the_money() {
    let scene = Scene::new().await;
    let (server, tpp) = (&scene.server, &scene.tpp);
    for (version, kind) in [("03", "text/xml"), ("09", "application/xml; charset=\"utf-8\"")] {
        let payer_had = tpp.expected_balance(server, &scene.iban).await;
        let payee_had = tpp.expected_balance(server, &scene.own).await;
        let request = tpp.bulk_request(kind, &scene.document(version, &day(1)));
        let answer = server.send(&request).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let asked = answer.json();
        assert_eq!(asked["transactionStatus"], "RCVD");
        assert_eq!(asked["debtorAccount"]["iban"], scene.iban.as_str());
        let id = asked["paymentId"].as_str().unwrap();
        let path = format!("/v1/bulk-payments/sepa-credit-transfers/{id}");
        assert_eq!(tpp.path_of(&asked["_links"]["self"]), path);
        // The same request again is the same payment.
        let again = server.send(&request).await;
        assert_eq!((again.status, &again.json()["paymentId"]), (201, &asked["paymentId"]));

        let token = tpp.token_of(server, &asked, &scene.iban).await;
        assert_eq!(tpp.payment_status(server, &path).await, "RCVD");
        let sca = tpp.path_of(&asked["_links"]["scaStatus"]);
        let confirmed = tpp.confirm_payment_at(server, &sca, &token).await;
        assert_eq!((confirmed.status, confirmed.json()["scaStatus"].as_str()), (200, Some("finalised")));
        assert_eq!(tpp.payment_status(server, &path).await, "ACSP");
        assert_eq!(tpp.expected_balance(server, &scene.iban).await, payer_had - 1350);
        assert_eq!(tpp.expected_balance(server, &scene.own).await, payee_had + 1250);
        let read = server.send(&tpp.get(&path)).await.json();
        assert_eq!(read["debtorAccount"]["iban"], scene.iban.as_str());
    }
}

/// A bulk payment ends at one status of the interface, whatever the bank calls it, and the rest is said beside it.
#[tokio::test]
async fn what_is_refused_of_a_bulk_payment_is_told_beside_its_status() {
    let scene = Scene::new().await;
    let (server, tpp) = (&scene.server, &scene.tpp);
    let empty = json!({"tenant": "nl", "persona": "empty", "balance": "100.00"});
    let (status, payer) = server.manage("POST", "/test-accounts", empty).await;
    assert_eq!(status, 201, "{payer}");
    let iban = payer["iban"].as_str().unwrap();
    // The second one is to come to nothing, for the reason that its amount asks for.
    let transfers = [(1250, "A. Student", &*scene.own, "Books"), (101, "Vestibule Magic", PAYEE, "Nothing")];
    let document = pain001("09", iban, &day(1), &transfers);
    let asked = server.send(&tpp.bulk_request("application/xml", &document)).await.json();
    let token = tpp.token_of(server, &asked, iban).await;
    let sca = tpp.path_of(&asked["_links"]["scaStatus"]);
    let confirmed = tpp.confirm_payment_at(server, &sca, &token).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.body);
    let id = asked["paymentId"].as_str().unwrap();
    let (_, at_bank) = server.manage("GET", &format!("/payments/{id}"), Value::Null).await;
    assert_eq!(at_bank["transactionStatus"], "PART", "{at_bank}");

    let path = tpp.path_of(&asked["_links"]["self"]);
    assert_eq!(server.send(&tpp.get(&path)).await.json()["transactionStatus"], "ACSP");
    let told = server.send(&tpp.get(&format!("{path}/status"))).await.json();
    assert_eq!(told["transactionStatus"], "ACSP");
    let said = told["psuMessage"].as_str().unwrap();
    assert!(said.starts_with("not every transfer is made; AC01: "), "{said}");
    let late = server.send(&tpp.redirecting("DELETE", &path)).await;
    assert_eq!((late.status, late.error().0.as_str()), (400, "CANCELLATION_INVALID"));
    assert!(late.error().1.contains("the payment is ACSP and cannot be cancelled"), "{}", late.body);
}

#[tokio::test]
async fn a_bulk_payment_is_taken_back() {
    let scene = Scene::new().await;
    let (server, tpp) = (&scene.server, &scene.tpp);
    let answer = server.send(&tpp.bulk_request("text/xml", &scene.document("09", &day(5)))).await;
    let path = tpp.path_of(&answer.json()["_links"]["self"]);
    let cancelled = server.send(&tpp.redirecting("DELETE", &path)).await;
    assert_eq!((cancelled.status, &cancelled.json()["transactionStatus"]), (200, &json!("CANC")));
    assert_eq!(tpp.payment_status(server, &path).await, "CANC");
}

/// The day that it names may be over when its answer was lost.
#[tokio::test]
async fn the_same_request_after_midnight_is_the_same_bulk_payment() {
    let scene = Scene::new().await;
    let (server, tpp) = (&scene.server, &scene.tpp);
    let in_json = json!({
        "debtorAccount": {"iban": scene.iban}, "requestedExecutionDate": day(1),
        "payments": [euro_payment("12.50", &scene.own)],
    });
    let requests = [
        tpp.bulk_request("text/xml", &scene.document("03", &day(1))),
        tpp.bulk_request("application/json", &in_json.to_string()),
    ];
    let mut first = Vec::new();
    for request in &requests {
        let answer = server.send(request).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        first.push(answer.body);
    }
    server.advance("nl", "PT20H").await;
    for (request, first) in requests.iter().zip(&first) {
        let again = server.send(request).await;
        assert_eq!((again.status, &again.body), (201, first));
    }
    let anew = tpp.bulk_request("text/xml", &scene.document("03", &day(1)));
    let refused = server.send(&anew).await;
    assert_eq!((refused.status, refused.error().0.as_str()), (400, "EXECUTION_DATE_INVALID"));
}

#[tokio::test]
async fn the_same_in_json_is_made_or_refused() {
    let scene = Scene::new().await;
    let (server, tpp) = (&scene.server, &scene.tpp);
    let payment = |amount: &str, payee: &str| euro_payment(amount, payee);
    let body = || {
        json!({
            "batchBookingPreferred": true, "debtorAccount": {"iban": scene.iban}, "debtorName": "A. Payer",
            "payments": [payment("12.50", &scene.own), payment("1.00", PAYEE)],
        })
    };
    let (payer_had, payee_had) =
        (tpp.expected_balance(server, &scene.iban).await, tpp.expected_balance(server, &scene.own).await);
    let request = tpp.bulk_request("application/json", &body().to_string());
    let answer = server.send(&request).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let asked = answer.json();
    let path = tpp.path_of(&asked["_links"]["self"]);
    let token = tpp.token_of(server, &asked, &scene.iban).await;
    let sca = tpp.path_of(&asked["_links"]["scaStatus"]);
    assert_eq!(tpp.confirm_payment_at(server, &sca, &token).await.status, 200);
    assert_eq!(tpp.payment_status(server, &path).await, "ACSP");
    assert_eq!(tpp.expected_balance(server, &scene.iban).await, payer_had - 1350);
    assert_eq!(tpp.expected_balance(server, &scene.own).await, payee_had + 1250);

    let changed = |change: fn(&mut Value)| {
        let mut body = body();
        change(&mut body);
        body.to_string()
    };
    for (body, code, said) in [
        (changed(|body| body["debtorAccount"] = Value::Null), "FORMAT_ERROR", "debtorAccount"),
        (changed(|body| body["debtorAccount"]["iban"] = json!("NL00")), "FORMAT_ERROR", "debtorAccount"),
        (
            changed(|body| body["payments"] = json!([])),
            "FORMAT_ERROR",
            "payments has 0 elements; send 1 to 100",
        ),
        (
            changed(|body| body["payments"][1]["instructedAmount"]["currency"] = json!("USD")),
            "FORMAT_ERROR",
            "payments[1]: instructedAmount.currency: SEPA transfers are in EUR",
        ),
        (
            changed(|body| body["payments"][0]["debtorAccount"] = json!({"iban": PAYEE})),
            "FORMAT_ERROR",
            "payments[0]: debtorAccount is said once for all, beside payments",
        ),
        (
            changed(|body| body["payments"][0]["requestedExecutionDate"] = json!("2099-01-01")),
            "FORMAT_ERROR",
            "payments[0]: requestedExecutionDate is said once for all",
        ),
        (
            changed(|body| body["payments"][0]["frequency"] = json!("Monthly")),
            "FORMAT_ERROR",
            "payments[0]: frequency is for periodic payments",
        ),
        (
            changed(|body| body["requestedExecutionDate"] = json!("2020-01-01")),
            "EXECUTION_DATE_INVALID",
            "requestedExecutionDate",
        ),
        (
            changed(|body| body["requestedExecutionTime"] = json!("12:00")),
            "PARAMETER_NOT_SUPPORTED",
            "requestedExecutionTime is not supported",
        ),
        (
            changed(|body| body["batchBookingPreferred"] = json!("perhaps")),
            "FORMAT_ERROR",
            "batchBookingPreferred",
        ),
    ] {
        let answer = server.send(&tpp.bulk_request("application/json", &body)).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
        let (got, text) = answer.error();
        assert!(got == code && text.contains(said), "{said}: {got} {text}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_document_is_refused() {
    let scene = Scene::new().await;
    let document = scene.document("03", &day(2));
    for kind in ["text/plain", "text/xml2", "application/x-www-form-urlencoded"] {
        let right = "send application/xml, text/xml or application/json";
        let said = format!("Content-Type \"{kind}\" is not supported; {right}");
        scene.refuses((kind, &document), 415, "FORMAT_ERROR", &said).await;
    }
    for (body, said) in [
        ("", "the body is missing; send a document of pain.001"),
        ("{\"payments\": []}", "the body: line 1, column 1: there is text outside of the document"),
    ] {
        scene.refuses(("text/xml", body), 400, "FORMAT_ERROR", said).await;
    }
    let latin = "text/xml; charset=ISO-8859-1";
    let said = "the charset \"ISO-8859-1\" in Content-Type is not taken; send the body in UTF-8";
    scene.refuses((latin, &document), 415, "FORMAT_ERROR", said).await;
    let large = document.replace("</Document>", &format!("<!-- {} --></Document>", "x".repeat(1024 * 1024)));
    scene.refuses(("text/xml", &large), 413, "FORMAT_ERROR", "the body is larger than 1048576 bytes").await;
}

#[tokio::test]
async fn hostile_and_wrong_documents_are_refused() {
    let scene = Scene::new().await;
    let document = scene.document("03", &day(2));
    let today = day(1);
    let last = {
        let today: jiff::civil::Date = today.parse().unwrap();
        today.checked_add(jiff::Span::new().days(365)).unwrap().to_string()
    };
    let past = format!(
        "CstmrCdtTrfInitn/PmtInf[1]/ReqdExctnDt {} is in the past; send a day from {today}, which is today at this bank, to {last}",
        day(0)
    );
    for (from, to, code, said) in [
        (
            "<Document ",
            "<!DOCTYPE a [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><Document ",
            "FORMAT_ERROR",
            "the body: line 2, column 1: a document type declaration is not taken; leave it out",
        ),
        (
            "Milk",
            "&xxe;",
            "FORMAT_ERROR",
            "the body: line 37, column 24: the entity &xxe; is not known; there are amp, lt, gt, apos, quot and numbers",
        ),
        (
            "UTF-8",
            "UTF-16",
            "FORMAT_ERROR",
            "the body: line 1, column 1: the encoding \"UTF-16\" is not taken; send the document in UTF-8",
        ),
        (
            "pain.001.001.03",
            "pain.008.001.02",
            "FORMAT_ERROR",
            "the body: line 2, column 1: the element Document is in the namespace \"urn:iso:std:iso:20022:tech:xsd:pain.008.001.02\"; it must be in urn:iso:std:iso:20022:tech:xsd:pain.001.001.03 or urn:iso:std:iso:20022:tech:xsd:pain.001.001.09",
        ),
        (
            "<NbOfTxs>2",
            "<NbOfTxs>1",
            "FORMAT_ERROR",
            "CstmrCdtTrfInitn/GrpHdr/NbOfTxs says 1, and there are 2 transfers; send all of them, or the right number",
        ),
        (
            "<CtrlSum>13.50",
            "<CtrlSum>13.49",
            "FORMAT_ERROR",
            "CstmrCdtTrfInitn/GrpHdr/CtrlSum says 13.49, and the transfers come to 13.50; send all of them, or the right sum",
        ),
        (
            "\"EUR\">1.00",
            "\"EUR\">1,00",
            "FORMAT_ERROR",
            "CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[2]/Amt/InstdAmt \"1,00\": an amount in EUR is a decimal number of up to 14 digits with at most two places, for example 12.50",
        ),
        (&day(2), &day(0), "EXECUTION_DATE_INVALID", &past),
        (
            "<Cdtr><Nm>Shop</Nm></Cdtr>",
            "",
            "FORMAT_ERROR",
            "the body: CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[2]/Cdtr is missing",
        ),
    ] {
        assert!(document.contains(from), "{from}");
        scene.refuses(("text/xml", &document.replacen(from, to, 1)), 400, code, said).await;
    }
    let stranger = document.replace(&scene.iban, PAYEE);
    let said = "the account that is to pay is not an account of this bank";
    scene.refuses(("text/xml", &stranger), 404, "RESOURCE_UNKNOWN", said).await;
}
