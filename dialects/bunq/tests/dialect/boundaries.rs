//! Where the rights of third parties and customers end.

use serde_json::{Value, json};
use testkit::TestServer;
use testkit::bunq::{BunqClient, element, euro, shop};

fn draft(amount: Value) -> Value {
    json!({"number_of_required_accepts": 1,
        "entries": [{"amount": amount, "counterparty_alias": shop(), "description": "x"}]})
}

#[tokio::test]
async fn a_third_party_keeps_its_drafts_and_files_and_sees_nobody_elses() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let provider = BunqClient::provider(&server, "Keeper AISP PISP").await;
    let first = provider.connect(&server, &customer).await;
    let account = first.account().await;
    let (drafts, files) =
        (first.below(account, "/draft-payment"), first.below(account, "/customer-statement"));
    let id = first.make(&drafts, &draft(euro("1.00"))).await;
    let file = json!({"statement_format": "PDF", "date_start": "2026-01-01", "date_end": "2026-01-02"});
    let file = first.make(&files, &file).await;
    // Another approval gives another token, and the drafts are those of the provider.
    let second = provider.connect(&server, &customer).await;
    assert_ne!(first.user, second.user);
    let drafts = second.below(account, "/draft-payment");
    assert_eq!(second.list(&drafts).await[0]["id"], id);
    assert_eq!(second.list(&format!("{drafts}/{id}")).await[0]["status"], "ACCEPTED");
    assert_eq!(second.list(&second.below(account, "/customer-statement")).await[0]["id"], file);
    let stranger = BunqClient::provider(&server, "Stranger AISP PISP").await;
    let stranger = stranger.connect(&server, &customer).await;
    let own = stranger.make(&stranger.below(account, "/draft-payment"), &draft(euro("2.00"))).await;
    let seen = stranger.get(&stranger.below(account, "/draft-payment?count=1")).await;
    assert_eq!(element(&seen, "DraftPayment")["id"], own);
    assert_eq!(seen.json()["Pagination"]["older_url"], Value::Null, "there is nothing else for this one");
    for path in [format!("/draft-payment/{id}"), format!("/customer-statement/{file}")] {
        assert_eq!(stranger.get(&stranger.below(account, &path)).await.status, 404, "{path}");
    }
    let path = stranger.below(account, &format!("/customer-statement/{file}"));
    assert_eq!(stranger.send(&stranger.request("DELETE", &path, None)).await.status, 404);
    // The customer sees every draft, and rejects what a third party alone can take back.
    let customer = BunqClient::customer(&server, &customer).await;
    assert_eq!(customer.list(&customer.below(account, "/draft-payment")).await.len(), 2);
    let path = customer.below(account, &format!("/draft-payment/{own}"));
    let refused = customer.put(&path, &json!({"status": "CANCELLED"})).await;
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("reject it instead"), "{}", refused.body);
    assert_eq!(customer.put(&path, &json!({"status": "REJECTED"})).await.status, 200);
    let rendered = customer.list(&path).await.remove(0);
    assert_eq!(rendered["user_alias_created"]["display_name"], "Stranger AISP PISP");
    assert!(rendered["updated"].as_str() >= rendered["created"].as_str(), "{rendered}");
}

#[tokio::test]
async fn what_was_not_granted_is_not_told_by_the_way() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let person = BunqClient::customer(&server, &customer).await;
    let all = person.list(&format!("/user/{}/monetary-account", person.user)).await;
    let savings = all[1]["alias"][0]["value"].as_str().unwrap();
    // Clients take null for a number: what is not there is left out.
    assert!(all[1]["savings_goal"].is_null() && all[1].get("savings_goal_progress").is_none(), "{}", all[1]);
    let far = person.below(person.account().await, "/payment/-9223372036854775807");
    assert_eq!(person.get(&far).await.status, 404);
    let provider = BunqClient::provider(&server, "Modest AISP").await;
    let body = json!({"url": provider.authorization_url().await, "iban": customer["iban"],
        "decision": "approve", "account": savings});
    let (status, body) = server.manage("POST", "/approvals", body).await;
    assert_eq!(status, 200, "{body}");
    let code = testkit::parameter(body["location"].as_str().unwrap(), "code").unwrap();
    let token = provider.exchange(&code).await.json()["access_token"].as_str().unwrap().to_owned();
    let client = provider.clone().session(&token).await;
    let granted = client.list(&format!("/user/{}/monetary-account", client.user)).await;
    assert_eq!((granted.len(), granted[0]["alias"][0]["value"].as_str()), (1, Some(savings)));
    let user = client.get(&format!("/user/{}", person.user)).await;
    let alias = element(&user, "UserPerson")["alias"].clone();
    assert_eq!(alias, json!([{"type": "IBAN", "value": savings, "name": granted[0]["alias"][0]["name"]}]));
    assert!(!user.body.contains(customer["iban"].as_str().unwrap()), "{}", user.body);
    // Who else holds an account is for its holders to know.
    let customer = server.customer("nl", "joint").await;
    let client = provider.connect(&server, &customer).await;
    let joint = client.list(&format!("/user/{}/monetary-account-joint", client.user)).await.remove(0);
    assert_eq!(joint["all_co_owner"][0], json!({"alias": null, "status": null}));
}

async fn real_provider(server: &TestServer, roles: Value) -> BunqClient {
    let seal = json!({"organizationIdentifier": "PSDNL-DNB-B7777", "profile": "qseal", "roles": roles});
    let seal = server.certificate(seal).await;
    let client = BunqClient::install(server).await;
    let pem = eidas::certificate::to_pem(&seal.certificate.der);
    let api_key = client.trade(&pem, &seal.chain.concat(), &seal.key_pem).await;
    client.open(&api_key).await
}

#[tokio::test]
async fn a_newer_certificate_without_a_role_takes_the_role_away() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "student").await;
    let provider = real_provider(&server, json!(["PSP_AI", "PSP_PI"])).await;
    let client = provider.connect(&server, &customer).await;
    let payments = client.below(client.account().await, "/payment");
    assert_eq!(client.get(&payments).await.status, 200);
    let again = real_provider(&server, json!(["PSP_PI"])).await;
    assert_eq!(again.user, provider.user);
    let refused = client.get(&payments).await;
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("AISP"), "{}", refused.body);
}

#[tokio::test]
async fn a_payment_is_in_the_currency_of_the_account_that_pays() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "multi-currency").await;
    let own = BunqClient::customer(&server, &customer).await;
    let accounts = own.list(&format!("/user/{}/monetary-account", own.user)).await;
    let of = |currency: &str| {
        accounts.iter().find(|one| one["currency"] == currency).unwrap()["id"].as_i64().unwrap()
    };
    let (euros, dollars) = (of("EUR"), of("USD"));
    let refused = own.post(&own.below(dollars, "/draft-payment"), &draft(euro("1.00"))).await;
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("The account that is to pay is in USD"), "{}", refused.body);
    // A request for euros is for the account in euros, although all have one number.
    let asking = BunqClient::customer(&server, &server.customer("nl", "student").await).await;
    let whom = json!({"type": "IBAN", "value": customer["iban"], "name": "x"});
    let body = json!({"amount_inquired": euro("1.00"), "counterparty_alias": whom, "description": "x", "allow_bunqme": false});
    let inquiry = asking.below(asking.account().await, "/request-inquiry");
    let id = asking.make(&inquiry, &body).await;
    assert_eq!(own.list(&own.below(dollars, "/request-response")).await.len(), 0);
    let responses = own.below(euros, "/request-response");
    let response = own.list(&responses).await.remove(0);
    let path = format!("{responses}/{}", response["id"]);
    assert_eq!(own.put(&path, &json!({"status": "ACCEPTED"})).await.status, 200);
    assert_eq!(asking.list(&format!("{inquiry}/{id}")).await[0]["status"], "ACCEPTED");
}

#[tokio::test]
async fn the_bank_says_why_it_could_not_pay() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let own = BunqClient::customer(&server, &customer).await;
    let account = own.account().await;
    let to_oneself = json!({"type": "IBAN", "value": customer["iban"], "name": "Me"});
    let body = json!({"number_of_required_accepts": 1,
        "entries": [{"amount": euro("1.00"), "counterparty_alias": to_oneself, "description": "x"}]});
    let id = own.make(&own.below(account, "/draft-payment"), &body).await;
    let path = own.below(account, &format!("/draft-payment/{id}"));
    let refused = own.put(&path, &json!({"status": "ACCEPTED"})).await;
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("are the same"), "{}", refused.body);
    assert_eq!(own.list(&path).await[0]["status"], "PENDING", "it can be accepted later");
    // Money is not given to an account that nobody can use.
    let accounts = format!("/user/{}/monetary-account-bank", own.user);
    let opened = own.make(&accounts, &json!({"currency": "EUR", "description": "Short"})).await;
    let close = json!({"status": "CANCELLED", "sub_status": "REDEMPTION_VOLUNTARY", "reason": "OTHER",
        "reason_description": "x"});
    assert_eq!(own.put(&format!("{accounts}/{opened}"), &close).await.status, 200);
    let gift = json!({"amount_inquired": euro("1.00"), "description": "x", "allow_bunqme": false,
        "counterparty_alias": {"type": "EMAIL", "value": "sugardaddy@bunq.com"}});
    let refused = own.post(&own.below(opened, "/request-inquiry"), &gift).await;
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("to be paid is deleted"), "{}", refused.body);
    // Nor is it given before everything else about the request is right.
    let before = own.balance(account).await;
    let mut wrong = gift;
    wrong["merchant_reference"] = json!(5);
    assert_eq!(own.post(&own.below(account, "/request-inquiry"), &wrong).await.status, 400);
    assert_eq!(own.balance(account).await, before);
}

#[tokio::test]
async fn several_entries_are_one_batch_that_can_be_found() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let provider = BunqClient::provider(&server, "Batch AISP PISP").await;
    let client = provider.connect(&server, &customer).await;
    let account = client.account().await;
    let entry = json!({"amount": euro("1.00"), "counterparty_alias": shop(), "description": "x"});
    let body = json!({"number_of_required_accepts": 1, "entries": [entry, entry]});
    let draft = client.make(&client.below(account, "/draft-payment"), &body).await;
    let own = BunqClient::customer(&server, &customer).await;
    let batches = own.below(account, "/payment-batch");
    assert_eq!(own.list(&batches).await.len(), 0, "nothing was paid yet");
    server.decide(&provider.authorization_url().await, customer["iban"].as_str().unwrap(), "approve").await;
    let draft = client.list(&client.below(account, &format!("/draft-payment/{draft}"))).await.remove(0);
    let batch = &draft["object"]["PaymentBatch"];
    let found = own.list(&format!("{batches}/{}", batch["id"])).await.remove(0);
    assert_eq!(found["payments"].as_array().unwrap().len(), 2);
    let payment = client.list(&client.below(account, "/payment")).await.remove(0);
    assert_eq!(payment["batch_id"], batch["id"]);
    assert_eq!(own.list(&batches).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_clients_at_the_same_moment_one_is_registered() {
    let server = TestServer::start().await;
    let provider = BunqClient::provider(&server, "Twice AISP").await;
    let path = format!("/user/{}/oauth-client", provider.user);
    let all: Vec<_> = (0..10)
        .map(|_| {
            let (provider, path) = (provider.clone(), path.clone());
            tokio::spawn(async move { provider.post(&path, &json!({"status": "ACTIVE"})).await.status })
        })
        .collect();
    let mut made = 0;
    for one in all {
        made += u32::from(one.await.unwrap() == 200);
    }
    assert_eq!((made, provider.list(&path).await.len()), (1, 1));
    let first = provider.list(&path).await[0]["id"].clone();
    assert_eq!(provider.put(&format!("{path}/{first}"), &json!({"status": "CANCELLED"})).await.status, 200);
    assert_eq!(provider.post(&path, &json!({})).await.status, 200, "after a cancelled one comes another");
}

#[tokio::test]
async fn drafts_that_nobody_decided_do_not_hide_those_that_wait() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let provider = BunqClient::provider(&server, "Patient AISP PISP").await;
    let drafts = format!("/user/{}/payment-service-provider-draft-payment", provider.user);
    let body = json!({"sender_iban": customer["iban"], "counterparty_iban": "NL91ABNA0417164300",
        "counterparty_name": "Shop", "description": "x", "amount": euro("1.00")});
    let mut old = 0;
    // The page takes a hundred at most.
    for _ in 0..101 {
        old = provider.make(&drafts, &body).await;
    }
    server.advance("nl", "P8D").await;
    let key = provider.key.clone();
    let provider = provider.session(&key).await;
    let id = provider.make(&drafts, &body).await;
    server.decide(&provider.authorization_url().await, customer["iban"].as_str().unwrap(), "approve").await;
    assert_eq!(provider.list(&format!("{drafts}/{id}")).await[0]["status"], "ACCEPTED");
    assert_eq!(provider.list(&format!("{drafts}/{old}")).await[0]["status"], "EXPIRED");
}
