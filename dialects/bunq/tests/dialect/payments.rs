//! Money that moves: drafts, payments, batches, requests.

use serde_json::{Value, json};
use testkit::bunq::{BunqClient, element, euro, shop};
use testkit::{TestServer, parameter};

fn draft(amount: &str) -> Value {
    json!({
        "number_of_required_accepts": 1, "status": null, "previous_updated_timestamp": null, "schedule": null,
        "entries": [{"amount": euro(amount), "counterparty_alias": shop(), "description": "Coffee", "attachment": null}],
    })
}

#[tokio::test]
async fn a_draft_is_accepted_at_the_page_and_money_moves_once() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let provider = BunqClient::provider(&server, "Draft AISP PISP").await;
    let client = provider.connect(&server, &customer).await;
    let account = client.account().await;
    let before = client.balance(account).await;
    let path = client.below(account, "/draft-payment");
    let first = client.make(&path, &draft("12.50")).await;
    let second = client.make(&path, &draft("7.50")).await;
    let third = client.make(&path, &draft("1.00")).await;
    let pending = client.list(&format!("{path}/{first}")).await.remove(0);
    assert_eq!((pending["status"].as_str(), &pending["object"]), (Some("PENDING"), &json!(null)));
    assert_eq!(pending["entries"][0]["counterparty_alias"]["iban"], "NL91ABNA0417164300");
    assert_eq!(client.balance(account).await, before, "nothing moves before the user says so");
    let seen = client.list(&format!("{path}/{third}")).await.remove(0);
    let cancelled = client
        .put(
            &format!("{path}/{third}"),
            &json!({"status": "CANCELLED", "previous_updated_timestamp": seen["updated"]}),
        )
        .await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.body);
    // The user is sent to the bank once more and accepts what waits.
    let location = server
        .decide(&provider.authorization_url().await, customer["iban"].as_str().unwrap(), "approve")
        .await;
    assert!(parameter(&location, "code").is_some(), "{location}");
    for (id, status) in [(first, "ACCEPTED"), (second, "ACCEPTED"), (third, "CANCELLED")] {
        assert_eq!(client.list(&format!("{path}/{id}")).await[0]["status"], status);
    }
    assert_eq!(client.balance(account).await, before - 2000);
    let accepted = client.list(&format!("{path}/{first}")).await.remove(0);
    let payment = &accepted["object"]["Payment"];
    assert_eq!(
        (payment["amount"]["value"].as_str(), payment["description"].as_str()),
        (Some("-12.50"), Some("Coffee"))
    );
    let booked = client.list(&client.below(account, &format!("/payment/{}", payment["id"]))).await.remove(0);
    assert_eq!(&booked, payment);
    let late = client.put(&format!("{path}/{first}"), &json!({"status": "CANCELLED"})).await;
    assert_eq!(late.status, 400);
    assert!(late.body.contains("cannot be changed any more"), "{}", late.body);
    // What was decided is not shown again: the next approval is about accounts.
    let again = provider.connect(&server, &customer).await;
    assert_eq!(again.list(&format!("/user/{}/monetary-account", again.user)).await.len(), 2);
    assert_eq!(client.list(&path).await.len(), 3);
}

#[tokio::test]
async fn more_than_there_is_cannot_be_paid_by_any_way() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "student").await;
    let iban = customer["iban"].as_str().unwrap();
    let own = BunqClient::customer(&server, &customer).await;
    let account = own.account().await;
    let before = own.balance(account).await;
    let payment = json!({"amount": euro("9999.00"), "counterparty_alias": shop(), "description": "Too much"});
    let refused = own.post(&own.below(account, "/payment"), &payment).await;
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("insufficient funds"), "{}", refused.body);
    let batch = json!({"payments": [
        {"amount": euro("0.01"), "counterparty_alias": shop(), "description": "Fits"}, payment,
    ]});
    assert_eq!(
        own.post(&own.below(account, "/payment-batch"), &batch).await.status,
        400,
        "all of it or nothing"
    );
    let provider = BunqClient::provider(&server, "Greedy PISP").await;
    let path = format!("/user/{}/payment-service-provider-draft-payment", provider.user);
    let body = json!({"sender_iban": iban, "counterparty_iban": "NL91ABNA0417164300", "counterparty_name": "Shop",
        "description": "Too much", "amount": euro("9999.00")});
    let id = provider.make(&path, &body).await;
    server.decide(&provider.authorization_url().await, iban, "approve").await;
    assert_eq!(provider.list(&format!("{path}/{id}")).await[0]["status"], "PENDING");
    let draft = own.make(&own.below(account, "/draft-payment"), &draft("9999.00")).await;
    let refused = own
        .put(&own.below(account, &format!("/draft-payment/{draft}")), &json!({"status": "ACCEPTED"}))
        .await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert_eq!(own.balance(account).await, before);
    let funds = provider.post(
        &format!("/user/{}/confirmation-of-funds", provider.user),
        &json!({"pointer_iban": {"type": "IBAN", "value": iban, "name": null}, "amount": euro("9999.00")}),
    ).await;
    assert_eq!(element(&funds, "ConfirmationOfFunds")["has_sufficient_funds"], false);
}

#[tokio::test]
async fn customers_pay_each_other_and_ask_each_other() {
    let server = TestServer::start().await;
    let (one, two) = (server.customer("nl", "household").await, server.customer("nl", "student").await);
    let (a, b) = (BunqClient::customer(&server, &one).await, BunqClient::customer(&server, &two).await);
    let (account_a, account_b) = (a.account().await, b.account().await);
    let (before_a, before_b) = (a.balance(account_a).await, b.balance(account_b).await);
    let by_iban = json!({"type": "IBAN", "value": two["iban"], "name": "S. de Vries"});
    let person = element(&b.get("/user").await, "UserPerson");
    let email = &person["alias"][0];
    assert_eq!(email["type"], "EMAIL");
    let id = a
        .make(
            &a.below(account_a, "/payment"),
            &json!({"amount": euro("5.00"), "counterparty_alias": by_iban, "description": "Lunch é"}),
        )
        .await;
    a.make(&a.below(account_a, "/payment"), &json!({"amount": euro("2.00"), "counterparty_alias": {"type": "EMAIL", "value": email["value"]}, "description": ""})).await;
    assert_eq!((a.balance(account_a).await, b.balance(account_b).await), (before_a - 700, before_b + 700));
    let sent = a.list(&a.below(account_a, &format!("/payment/{id}"))).await.remove(0);
    assert_eq!((sent["type"].as_str(), sent["description"].as_str()), (Some("BUNQ"), Some("Lunch é")));
    let received = b.list(&b.below(account_b, "/payment?count=2")).await;
    assert_eq!(
        (received[1]["amount"]["value"].as_str(), &received[1]["counterparty_alias"]["iban"]),
        (Some("5.00"), &one["iban"])
    );
    let batch = a
        .make(
            &a.below(account_a, "/payment-batch"),
            &json!({"payments": [
                {"amount": euro("0.25"), "counterparty_alias": by_iban, "description": "1"},
                {"amount": euro("0.50"), "counterparty_alias": shop(), "description": "2"},
            ]}),
        )
        .await;
    let batch = a.list(&a.below(account_a, &format!("/payment-batch/{batch}"))).await.remove(0);
    let amounts: Vec<_> = batch["payments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["amount"]["value"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(amounts, ["-0.25", "-0.50"]);
}

#[tokio::test]
async fn customers_ask_each_other_for_money() {
    let server = TestServer::start().await;
    let (one, two) = (server.customer("nl", "household").await, server.customer("nl", "student").await);
    let (a, b) = (BunqClient::customer(&server, &one).await, BunqClient::customer(&server, &two).await);
    let (account_a, account_b) = (a.account().await, b.account().await);
    // B asks A for money; A says yes once, no once; B takes one back.
    let owner = element(&a.get("/user").await, "UserPerson")["alias"][0].clone();
    let inquiry = |amount: &str| json!({"amount_inquired": euro(amount), "counterparty_alias": owner, "description": "Please", "allow_bunqme": false});
    let asked = b.below(account_b, "/request-inquiry");
    let (yes, no, never) = (
        b.make(&asked, &inquiry("3.00")).await,
        b.make(&asked, &inquiry("4.00")).await,
        b.make(&asked, &inquiry("5.00")).await,
    );
    let responses = a.list(&a.below(account_a, "/request-response")).await;
    assert_eq!(responses.len(), 3);
    let response =
        |place: usize| a.below(account_a, &format!("/request-response/{}", responses[place]["id"]));
    let balance = b.balance(account_b).await;
    let accept = json!({"status": "ACCEPTED", "amount_responded": euro("3.00")});
    let unsigned = a.request("PUT", &response(2), Some(&accept)).without("x-bunq-client-signature");
    assert_eq!(a.send(&unsigned).await.status, 466);
    let accepted = a.put(&response(2), &accept).await;
    assert_eq!(element(&accepted, "RequestResponse")["status"], "ACCEPTED");
    assert_eq!(
        element(&a.put(&response(1), &json!({"status": "REJECTED"})).await, "RequestResponse")["status"],
        "REJECTED"
    );
    assert_eq!(
        element(&b.put(&format!("{asked}/{never}"), &json!({"status": "REVOKED"})).await, "RequestInquiry")["status"],
        "REVOKED"
    );
    assert_eq!(a.put(&response(0), &accept).await.status, 400, "taken back");
    assert_eq!(b.balance(account_b).await, balance + 300);
    for (id, status) in [(yes, "ACCEPTED"), (no, "REJECTED"), (never, "REVOKED")] {
        assert_eq!(b.list(&format!("{asked}/{id}")).await[0]["status"], status);
    }
}

#[tokio::test]
async fn a_user_decides_about_drafts_in_person_too() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let provider = BunqClient::provider(&server, "Person AISP PISP").await;
    let client = provider.connect(&server, &customer).await;
    let own = BunqClient::customer(&server, &customer).await;
    let account = own.account().await;
    let path = client.below(account, "/draft-payment");
    let (yes, no) = (client.make(&path, &draft("1.00")).await, client.make(&path, &draft("2.00")).await);
    let in_person = own.below(account, "/draft-payment");
    assert_eq!(own.list(&in_person).await.len(), 2, "the user sees what was prepared");
    let forbidden = client.put(&format!("{path}/{yes}"), &json!({"status": "ACCEPTED"})).await;
    assert_eq!(forbidden.status, 403, "{}", forbidden.body);
    let before = own.balance(account).await;
    let unsigned = own
        .request("PUT", &format!("{in_person}/{yes}"), Some(&json!({"status": "ACCEPTED"})))
        .without("x-bunq-client-signature");
    assert_eq!(own.send(&unsigned).await.status, 466);
    let stale = own
        .put(
            &format!("{in_person}/{yes}"),
            &json!({"status": "ACCEPTED", "previous_updated_timestamp": "2020-01-01 00:00:00.000000"}),
        )
        .await;
    assert_eq!(stale.status, 400, "{}", stale.body);
    assert_eq!(own.put(&format!("{in_person}/{yes}"), &json!({"status": "ACCEPTED"})).await.status, 200);
    assert_eq!(
        own.put(&format!("{in_person}/{yes}"), &json!({"status": "ACCEPTED"})).await.status,
        400,
        "once"
    );
    assert_eq!(own.put(&format!("{in_person}/{no}"), &json!({"status": "REJECTED"})).await.status, 200);
    assert_eq!(own.balance(account).await, before - 100);
    assert_eq!(client.list(&format!("{path}/{yes}")).await[0]["responses"][0]["status"], "ACCEPTED");
}
