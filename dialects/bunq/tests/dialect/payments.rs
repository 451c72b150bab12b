//! Money that moves: drafts, provider drafts, issuer transactions, payments, batches, requests, schedules.

use serde_json::{Value, json};
use testkit::bunq::{BunqClient, element, euro, shop};
use testkit::{TestServer, parameter};

async fn balance_of(server: &TestServer, customer: &Value) -> i64 {
    let own = BunqClient::customer(server, customer).await;
    own.balance(own.account().await).await
}

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
async fn a_provider_knows_an_account_number_and_nothing_else() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let iban = customer["iban"].as_str().unwrap();
    let provider = BunqClient::provider(&server, "Initiator PISP").await;
    let path = format!("/user/{}/payment-service-provider-draft-payment", provider.user);
    let body = |amount: &str| {
        json!({"sender_iban": iban, "sender_name": null, "counterparty_iban": "NL91ABNA0417164300",
            "counterparty_name": "Shop", "description": "Order 7", "amount": euro(amount)})
    };
    let before = balance_of(&server, &customer).await;
    let id = provider.make(&path, &body("10.00")).await;
    let seen = element(&provider.get(&format!("{path}/{id}")).await, "PaymentServiceProviderDraftPayment");
    assert_eq!(
        (seen["status"].as_str(), seen["receiver_iban"].as_str()),
        (Some("PENDING"), Some("NL91ABNA0417164300"))
    );
    let location = server.decide(&provider.authorization_url().await, iban, "approve").await;
    let seen = element(&provider.get(&format!("{path}/{id}")).await, "PaymentServiceProviderDraftPayment");
    assert_eq!(seen["status"], "ACCEPTED");
    assert_eq!(balance_of(&server, &customer).await, before - 1000);
    // The code of a payment is good for the account that paid.
    let token = provider.exchange(&parameter(&location, "code").unwrap()).await.json();
    let client = provider.clone().session(token["access_token"].as_str().unwrap()).await;
    let accounts = client.list(&format!("/user/{}/monetary-account", client.user)).await;
    assert_eq!((accounts.len(), &accounts[0]["alias"][0]["value"]), (1, &customer["iban"]));
    for (status, decision) in [("REJECTED", "reject-page"), ("CANCELLED", "put")] {
        let id = provider.make(&path, &body("1.00")).await;
        if decision == "put" {
            assert_eq!(
                provider.put(&format!("{path}/{id}"), &json!({"status": "CANCELLED"})).await.status,
                200
            );
        } else {
            assert_eq!(
                provider.put(&format!("{path}/{id}"), &json!({"status": "REJECTED"})).await.status,
                200
            );
        }
        assert_eq!(provider.list(&format!("{path}/{id}")).await[0]["status"], status);
    }
    // Nobody reacted.
    let id = provider.make(&path, &body("1.00")).await;
    server.advance("nl", "P8D").await;
    let key = provider.key.clone();
    let provider = provider.session(&key).await;
    assert_eq!(provider.list(&format!("{path}/{id}")).await[0]["status"], "EXPIRED");
    assert_eq!(balance_of(&server, &customer).await - before + 1000, {
        // A week of the customer's own life went by.
        let own = BunqClient::customer(&server, &customer).await;
        let account = own.account().await;
        own.balance(account).await - before + 1000
    });
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
async fn a_payer_who_is_unknown_chooses_an_account_at_the_page() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let provider = BunqClient::provider(&server, "Checkout PISP").await;
    let path = format!("/user/{}/payment-service-provider-issuer-transaction", provider.user);
    let body = json!({"counterparty_alias": shop(), "amount": euro("10.00"), "description": "Order 1",
        "url_redirect": "https://shop.example/done?order=1", "time_expiry": null, "status": "PENDING"});
    let before = balance_of(&server, &customer).await;
    let id = provider.make(&path, &body).await;
    let seen =
        element(&provider.get(&format!("{path}/{id}")).await, "PaymentServiceProviderIssuerTransaction");
    assert_eq!(seen["status"], "PENDING");
    assert!(seen.get("alias").is_none(), "the payer is left out while unknown");
    let uuid = seen["public_uuid"].as_str().unwrap();
    let public = server
        .send(&testkit::Request::new(
            "GET",
            &format!("/bunq/v1/payment-service-provider-issuer-transaction-public/{uuid}"),
        ))
        .await;
    assert_eq!(public.status, 200, "{}", public.body);
    let url = format!("{}/bunq/psp?transactionId={uuid}", server.url());
    let location = server.decide(&url, customer["iban"].as_str().unwrap(), "approve").await;
    assert_eq!(location, "https://shop.example/done?order=1", "nothing is added to the address");
    let seen =
        element(&provider.get(&format!("{path}/{id}")).await, "PaymentServiceProviderIssuerTransaction");
    assert_eq!((seen["status"].as_str(), &seen["alias"]["iban"]), (Some("ACCEPTED"), &customer["iban"]));
    assert_eq!(balance_of(&server, &customer).await, before - 1000);
    let over = server.send(&testkit::Request::new("GET", &format!("/bunq/psp?transactionId={uuid}"))).await;
    assert_eq!(over.status, 410);
    for (decision, status) in [("reject", "REJECTED"), ("", "EXPIRED"), ("cancel", "CANCELLED")] {
        let id = provider.make(&path, &body).await;
        let one = provider.list(&format!("{path}/{id}")).await.remove(0);
        let url = format!("{}/bunq/psp?transactionId={}", server.url(), one["public_uuid"].as_str().unwrap());
        match decision {
            "reject" => assert!(
                server
                    .decide(&url, customer["iban"].as_str().unwrap(), "reject")
                    .await
                    .starts_with("https://shop.example/done")
            ),
            "cancel" => assert_eq!(
                provider.put(&format!("{path}/{id}"), &json!({"status": "CANCELLED"})).await.status,
                200
            ),
            _ => server.advance("nl", "PT10M").await,
        }
        assert_eq!(provider.list(&format!("{path}/{id}")).await[0]["status"], status);
    }
    assert_eq!(provider.list(&path).await.len(), 4);
    // Payments were decided: the customer shared nothing with the third party.
    let iban = customer["iban"].as_str().unwrap();
    let shared = server.manage("GET", &format!("/consents?iban={iban}"), json!(null)).await;
    assert_eq!(shared, (200, json!({"consents": []})));
}

/// Each browser that comes with the link to a payment has an attempt of its own: what one gives up, another still decides.
#[tokio::test]
async fn several_browsers_can_come_for_one_payment() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let provider = BunqClient::provider(&server, "Two tabs PISP").await;
    let path = format!("/user/{}/payment-service-provider-issuer-transaction", provider.user);
    let body = json!({"counterparty_alias": shop(), "amount": euro("10.00"), "description": "Order 1",
        "url_redirect": "https://shop.example/done"});
    let id = provider.make(&path, &body).await;
    let seen =
        element(&provider.get(&format!("{path}/{id}")).await, "PaymentServiceProviderIssuerTransaction");
    let url = format!("{}/bunq/psp?transactionId={}", server.url(), seen["public_uuid"].as_str().unwrap());
    let iban = customer["iban"].as_str().unwrap();
    let failed = server.decide(&url, iban, "wrong-answer").await;
    assert!(failed.contains("error=access_denied") && failed.contains("payment+with+uuid"), "{failed}");
    assert!(server.decide(&url, iban, "expire").await.contains("timed+out"));
    let link = testkit::Request::new("GET", &url[server.url().len()..]);
    let at_once =
        tokio::join!(server.send(&link), server.send(&link), server.send(&link), server.send(&link));
    for arrived in [at_once.0, at_once.1, at_once.2, at_once.3] {
        assert_eq!(arrived.status, 302, "{}", arrived.body);
    }
    assert_eq!(server.decide(&url, iban, "approve").await, "https://shop.example/done");
    assert_eq!(provider.list(&format!("{path}/{id}")).await[0]["status"], "ACCEPTED");
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

#[tokio::test]
async fn scheduled_payments_need_nobody_who_looks() {
    let server = TestServer::start().await;
    let (_, payer) = server
        .manage("POST", "/test-accounts", json!({"tenant": "nl", "persona": "empty", "balance": "100.00"}))
        .await;
    let payee = server.customer("nl", "empty").await;
    let (own, other) =
        (BunqClient::customer(&server, &payer).await, BunqClient::customer(&server, &payee).await);
    let (from, to) = (own.account().await, other.account().await);
    let begin = now(&server).await + jiff::SignedDuration::from_hours(1);
    let alias = json!({"type": "IBAN", "value": payee["iban"], "name": "Payee"});
    let body = json!({
        "payment": {"amount": euro("1.00"), "counterparty_alias": alias, "description": "Daily"},
        "schedule": {"time_start": begin.strftime("%Y-%m-%d %H:%M:%S").to_string(), "recurrence_unit": "DAILY", "recurrence_size": 1},
    });
    let id = own.make(&own.below(from, "/schedule-payment"), &body).await;
    // The payee sees the money although nobody has looked at the account that pays, nor at the schedule.
    server.advance("nl", "PT50M").await;
    assert_eq!(other.balance(to).await, 0);
    server.advance("nl", "PT20M").await;
    assert_eq!(other.balance(to).await, 100);
    server.advance("nl", "P3D").await;
    assert_eq!(other.balance(to).await, 400);
    // A clock that goes back and comes again makes nothing twice.
    server.advance("nl", "-P2D").await;
    server.advance("nl", "P2D").await;
    assert_eq!(other.balance(to).await, 400);
    // Another time: the old one is forgotten.
    let path = own.below(from, &format!("/schedule-payment/{id}"));
    assert_eq!(own.put(&path, &json!({"payment": with_amount(&body["payment"], "2.00")})).await.status, 200);
    server.advance("nl", "P1D").await;
    assert_eq!(other.balance(to).await, 600);
    let instances = own.list(&own.below(from, &format!("/schedule/{id}/schedule-instance"))).await;
    let numbers: Vec<_> = instances.iter().map(|one| one["id"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [5, 4, 3, 2, 1]);
    assert!(instances.iter().all(|one| one["result_object"]["Payment"]["id"].is_i64()));
    let books = server.running.sandbox.store.unbalanced_entries().await.unwrap();
    assert!(books.is_empty(), "{books:?}");
}

#[tokio::test]
async fn scheduled_payments_are_made_as_time_goes_by_and_once_however_often_a_clock_is_moved() {
    let server = TestServer::start().await;
    let wish = json!({"tenant": "nl", "persona": "empty", "balance": "100.00"});
    let (_, payer) = server.manage("POST", "/test-accounts", wish).await;
    let own = BunqClient::customer(&server, &payer).await;
    let account = own.account().await;
    let plan = |start: jiff::Timestamp| {
        json!({
            "payment": {"amount": euro("0.10"), "counterparty_alias": shop(), "description": "Hourly"},
            "schedule": {"time_start": start.strftime("%Y-%m-%d %H:%M:%S").to_string(), "recurrence_unit": "HOURLY", "recurrence_size": 1},
        })
    };
    let begin = now(&server).await + jiff::SignedDuration::from_hours(1);
    own.make(&own.below(account, "/schedule-payment"), &plan(begin)).await;
    server.advance("nl", "PT59M57S").await;
    let mut waited = 0;
    while own.balance(account).await == 10_000 {
        waited += 1;
        assert!(waited < 600, "nothing is made as time goes by");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(own.balance(account).await, 9_990);
    for minutes in [70, 80, 90, 100] {
        let start = begin + jiff::SignedDuration::from_mins(minutes);
        own.make(&own.below(account, "/schedule-payment"), &plan(start)).await;
    }
    // Eleven hours, moved by several at once: the first schedule comes eleven times more, the others ten times.
    let later = (begin + jiff::SignedDuration::from_hours(11)).to_string();
    let set = || server.manage("PUT", "/clock", json!({"tenant": "nl", "now": later}));
    tokio::join!(set(), set(), set(), set(), set(), set());
    assert_eq!(own.balance(account).await, 9_990 - 110 - 4 * 100);
}

#[tokio::test]
async fn schedules_of_earlier_versions_are_taken_up_when_their_user_comes() {
    let server = TestServer::start().await;
    let wish = json!({"tenant": "nl", "persona": "empty", "balance": "100.00"});
    let (_, payer) = server.manage("POST", "/test-accounts", wish).await;
    let own = BunqClient::customer(&server, &payer).await;
    let account = own.account().await;
    let start = now(&server).await + jiff::SignedDuration::from_hours(1);
    let body = json!({
        "payment": {"amount": euro("2.00"), "counterparty_alias": shop(), "description": "Daily"},
        "schedule": {"time_start": start.strftime("%Y-%m-%d %H:%M:%S").to_string(), "recurrence_unit": "DAILY", "recurrence_size": 1},
    });
    own.make(&own.below(account, "/schedule-payment"), &body).await;
    // As they were kept: nobody noted who pays, and when.
    let drawer = gateway::Drawer::new(&server.running.sandbox.store, "bunq");
    for (key, text) in drawer.all("scheduled-payment").await.unwrap() {
        let mut kept: Value = serde_json::from_str(&text).unwrap();
        assert!(kept["value"].as_object_mut().unwrap().remove("customer").is_some());
        drawer.put("scheduled-payment", &key, &kept.to_string()).await.unwrap();
    }
    for (key, _) in drawer.all("due-schedules").await.unwrap() {
        drawer.delete(&[("due-schedules", key)]).await.unwrap();
    }
    server.advance("nl", "PT2H").await;
    assert_eq!(own.balance(account).await, 10_000);
    let own = own.clone().session(&own.key).await;
    server.advance("nl", "PT1S").await;
    assert_eq!(own.balance(account).await, 9_800);
    server.advance("nl", "P1D").await;
    assert_eq!(own.balance(account).await, 9_600);
}

/// What the bank's clock says.
async fn now(server: &TestServer) -> jiff::Timestamp {
    let (_, clocks) = server.manage("GET", "/clock", json!(null)).await;
    let clocks = clocks["clocks"].as_array().unwrap();
    let clock = clocks.iter().find(|clock| clock["tenant"] == "nl").unwrap();
    clock["now"].as_str().unwrap().parse().unwrap()
}

/// A payment with another amount.
fn with_amount(payment: &Value, amount: &str) -> Value {
    let mut payment = payment.clone();
    payment["amount"] = euro(amount);
    payment
}

#[tokio::test]
async fn scheduled_payments_are_made_once_when_their_time_has_come() {
    let server = TestServer::start().await;
    let (_, made) =
        server.manage("POST", "/test-accounts", json!({"tenant": "nl", "persona": "empty"})).await;
    let own = BunqClient::customer(&server, &made).await;
    let account = own.account().await;
    let gift = json!({"amount_inquired": euro("5.00"), "counterparty_alias": {"type": "EMAIL", "value": "sugardaddy@bunq.com"}, "description": "x", "allow_bunqme": false});
    own.make(&own.below(account, "/request-inquiry"), &gift).await;
    let start =
        own.list(&own.below(account, "/payment")).await[0]["created"].as_str().unwrap()[..10].to_owned();
    let first: jiff::civil::Date = start.parse().unwrap();
    let path = own.below(account, "/schedule-payment");
    let body = json!({
        "payment": {"amount": euro("2.00"), "counterparty_alias": shop(), "description": "Rent"},
        "schedule": {"time_start": format!("{}T00:00:00", first.tomorrow().unwrap()), "time_end": null, "recurrence_unit": "WEEKLY", "recurrence_size": 1},
        "purpose": "PAYMENT",
    });
    let id = own.make(&path, &body).await;
    assert_eq!(own.balance(account).await, 500);
    server.advance("nl", "P2D").await;
    // Everybody looks at the same moment, which makes nothing.
    let looks: Vec<_> = (0..8)
        .map(|_| {
            let own = own.clone();
            tokio::spawn(async move { own.balance(account).await })
        })
        .collect();
    for look in looks {
        look.await.unwrap();
    }
    assert_eq!(own.balance(account).await, 300);
    server.advance("nl", "P14D").await;
    let own = own.clone().session(&own.key).await;
    assert_eq!(own.balance(account).await, 100, "the third time there is not enough");
    let schedule = own.list(&own.below(account, &format!("/schedule/{id}"))).await.remove(0);
    assert_eq!(
        (schedule["status"].as_str(), schedule["recurrence_unit"].as_str()),
        (Some("ACTIVE"), Some("WEEKLY"))
    );
    let instances = own.list(&own.below(account, &format!("/schedule/{id}/schedule-instance"))).await;
    let states: Vec<_> = instances.iter().map(|one| one["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["FAILED_USER_ERROR", "FINISHED_SUCCESSFULLY", "FINISHED_SUCCESSFULLY"]);
    assert_eq!(instances[1]["result_object"]["Payment"]["amount"]["value"], "-2.00");
    assert_eq!(own.send(&own.request("DELETE", &format!("{path}/{id}"), None)).await.status, 200);
    own.make(&own.below(account, "/request-inquiry"), &gift).await;
    server.advance("nl", "P14D").await;
    let own = own.clone().session(&own.key).await;
    assert_eq!(own.balance(account).await, 600);
    assert_eq!(own.list(&format!("{path}/{id}")).await[0]["status"], "CANCELLED");
}
