//! Payments that service providers ask for: drafts by an account number, and issuer transactions whose payer is unknown.

use serde_json::{Value, json};
use testkit::bunq::{BunqClient, element, euro, shop};
use testkit::{TestServer, parameter};

async fn balance_of(server: &TestServer, customer: &Value) -> i64 {
    let own = BunqClient::customer(server, customer).await;
    own.balance(own.account().await).await
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
