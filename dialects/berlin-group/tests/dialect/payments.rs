//! Payments from the request to their end.

use serde_json::{Value, json};
use testkit::{TestServer, euro_payment, parameter};

use crate::ID;

const SEPA: &str = "payments/sepa-credit-transfers";

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_payment_from_request_to_the_money() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (server.customer("nl", "household").await, server.customer("nl", "student").await);
    let (iban, creditor) = (text(&payer["iban"]), text(&payee["iban"]));

    let answer = server.send(&tpp.payment_request(SEPA, &euro_payment("12.50", creditor))).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let asked = answer.json();
    let id = text(&asked["paymentId"]);
    let path = format!("/nl/v1/{SEPA}/{id}");
    assert_eq!(answer.header("location"), format!("{}/xs2a-bg{path}", server.url()));
    assert_eq!(answer.header("aspsp-sca-approach"), "REDIRECT");
    assert_eq!(asked["transactionStatus"], "RCVD");
    assert!(asked.get("debtorAccount").is_none() && asked.get("debtorName").is_none(), "{asked}");
    let links = &asked["_links"];
    let sca = format!("{path}/authorisations/{}", text(&asked["authorisationId"]));
    assert_eq!(
        (text(&links["self"]), text(&links["status"])),
        (path.as_str(), format!("{path}/status").as_str())
    );
    assert_eq!((text(&links["scaStatus"]), text(&links["confirmation"])), (sca.as_str(), sca.as_str()));
    assert!(text(&links["scaRedirect"]).contains(&format!("scope=openid+PIS%3A{id}&")), "{links}");

    let location = server.decide(&tpp.authorization_url(&asked), iban, "approve").await;
    assert_eq!(parameter(&location, "state").as_deref(), Some("a state+"));
    let tokens = tpp.redeem(&server, &parameter(&location, "code").unwrap()).await.json();
    assert_eq!(tokens["scope"], format!("openid PIS:{id}"));
    assert!(tokens.get("refresh_token").is_none(), "{tokens}");
    let token = text(&tokens["access_token"]);

    // Approved and not confirmed, the bank has nothing.
    let path = tpp.path_of(&links["self"]);
    let sca = tpp.path_of(&links["scaStatus"]);
    assert_eq!(tpp.payment_status(&server, &path).await, "RCVD");
    assert_eq!(server.send(&tpp.get(&sca)).await.json(), json!({"scaStatus": "unconfirmed"}));
    let (payer_had, payee_had) =
        (tpp.expected_balance(&server, iban).await, tpp.expected_balance(&server, creditor).await);
    for _ in 0..2 {
        let confirmed = tpp.confirm_at(&server, &sca, token).await;
        assert_eq!((confirmed.status, &confirmed.json()["scaStatus"]), (200, &json!("finalised")));
    }
    assert_eq!(tpp.expected_balance(&server, iban).await, payer_had - 1250);
    assert_eq!(tpp.expected_balance(&server, creditor).await, payee_had + 1250);
    let status = server.send(&tpp.get(&format!("{path}/status"))).await.json();
    assert_eq!(status, json!({"transactionStatus": "ACCC", "fundsAvailable": true}));
    let read = server.send(&tpp.get(&path)).await.json();
    assert_eq!((text(&read["paymentId"]), text(&read["debtorAccount"]["iban"])), (id, iban));
    assert_eq!(read["debtorName"], payer["name"]);
    let links = json!({"self": format!("/nl{path}"), "status": format!("/nl{path}/status")});
    assert_eq!(read["_links"], links);
}
