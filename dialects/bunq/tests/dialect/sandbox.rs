//! What a bank for tests offers: users on demand, money, pictures, accounts to open and close.

use serde_json::json;
use testkit::bunq::{BUNQ, BunqClient, element, euro};
use testkit::{Request, TestServer};

async fn sandbox_user(server: &TestServer, kind: &str) -> BunqClient {
    let answer = server.send(&Request::new("POST", &format!("{BUNQ}/sandbox-user-{kind}"))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let key = element(&answer, "ApiKey")["api_key"].as_str().unwrap().to_owned();
    assert!(key.starts_with("sandbox_") && key.len() == 64, "{key}");
    BunqClient::install(server).await.open(&key).await
}

#[tokio::test]
async fn users_on_demand_begin_with_nothing() {
    let server = TestServer::start().await;
    for (kind, wrapper) in [("person", "UserPerson"), ("company", "UserCompany")] {
        let client = sandbox_user(&server, kind).await;
        let user = element(&client.get("/user").await, wrapper);
        assert_eq!(
            (user["status"].as_str(), user["session_timeout"].as_i64()),
            (Some("ACTIVE"), Some(604_800))
        );
        let accounts = client.list(&format!("/user/{}/monetary-account-bank", client.user)).await;
        assert_eq!((accounts.len(), accounts[0]["balance"]["value"].as_str()), (1, Some("0.00")));
        assert!(client.list(&client.below(client.account().await, "/payment")).await.is_empty());
    }
    let first = sandbox_user(&server, "person").await;
    assert_ne!(first.user, sandbox_user(&server, "person").await.user);
    assert_eq!(server.send(&Request::new("POST", &format!("{BUNQ}/sandbox-user"))).await.status, 200);
}

#[tokio::test]
async fn users_on_demand_have_names_and_numbers_of_their_own() {
    let server = TestServer::start().await;
    let mut names = std::collections::HashSet::new();
    for kind in ["person", "company", "person", "company", "person"] {
        let client = sandbox_user(&server, kind).await;
        let account = client.list(&format!("/user/{}/monetary-account-bank", client.user)).await.remove(0);
        let alias = &account["alias"][0];
        let (iban, name) = (alias["value"].as_str().unwrap(), alias["name"].as_str().unwrap().to_owned());
        assert!(iban.starts_with("NL") && &iban[4..8] == "BUNQ", "{iban}");
        assert!(names.insert(name), "{names:?}");
        // Another account has a number of the same kind, and is one of this bank.
        let path = format!("/user/{}/monetary-account-savings", client.user);
        client.make(&path, &json!({"currency": "EUR"})).await;
        let opened = client.list(&path).await.remove(0);
        assert_eq!(&opened["alias"][0]["value"].as_str().unwrap()[4..8], "BUNQ");
        let nobody = json!({"type": "IBAN", "value": "NL18BUNQ2025104049", "name": "Nobody"});
        let payment = json!({"amount": euro("1.00"), "counterparty_alias": nobody, "description": "x"});
        let refused = client.post(&client.below(client.account().await, "/payment"), &payment).await;
        assert_eq!(refused.status, 400, "{}", refused.body);
    }
}

#[tokio::test]
async fn everything_has_numbers_from_one_sequence() {
    let server = TestServer::start().await;
    let made = server.customer("nl", "empty").await["bunq"]["userId"].as_i64().unwrap();
    let on_demand = sandbox_user(&server, "person").await.user;
    let later = server.customer("nl", "empty").await["bunq"]["userId"].as_i64().unwrap();
    assert!(made < on_demand && on_demand < later && later < made + 100, "{made} {on_demand} {later}");
}

#[tokio::test]
async fn accounts_are_listed_oldest_first() {
    let server = TestServer::start().await;
    let client = sandbox_user(&server, "person").await;
    let mut opened = vec![client.account().await];
    for kind in ["savings", "bank", "bank", "savings", "bank", "savings", "bank"] {
        let path = format!("/user/{}/monetary-account-{kind}", client.user);
        opened.push(client.make(&path, &json!({"currency": "EUR"})).await);
    }
    let ids = |accounts: &[serde_json::Value]| -> Vec<i64> {
        accounts.iter().map(|account| account["id"].as_i64().unwrap()).collect()
    };
    let all = client.list(&format!("/user/{}/monetary-account", client.user)).await;
    assert_eq!(ids(&all), opened);
    assert!(opened.is_sorted(), "numbers rise: {opened:?}");
    assert_eq!(client.account().await, opened[0], "the primary account is the first one");
    // A third party that saw one of them first changes nothing, and sees the same order.
    let saver = server.customer("nl", "saver").await;
    let provider = BunqClient::provider(&server, "First AISP").await.connect(&server, &saver).await;
    let seen = ids(&provider.list(&format!("/user/{}/monetary-account", provider.user)).await);
    let own = BunqClient::customer(&server, &saver).await;
    let all = own.list(&format!("/user/{}/monetary-account", own.user)).await;
    let numbers: Vec<_> = all.iter().map(|account| account["alias"][0]["value"].clone()).collect();
    let made: Vec<_> =
        saver["accounts"].as_array().unwrap().iter().map(|account| account["iban"].clone()).collect();
    assert_eq!((seen, numbers), (ids(&all), made));
    assert!(ids(&all).is_sorted());
    let listed = server.manage("GET", "/test-accounts", json!(null)).await.1;
    let listed = listed["testAccounts"].as_array().unwrap().clone();
    let again = listed.iter().find(|one| one["customerId"] == saver["customerId"]).unwrap();
    assert_eq!(again["accounts"], saver["accounts"]);
}

#[tokio::test]
async fn money_comes_when_it_is_asked_for() {
    let server = TestServer::start().await;
    let client = sandbox_user(&server, "person").await;
    let account = client.account().await;
    let path = client.below(account, "/request-inquiry");
    let body = |amount: &str| {
        json!({"amount_inquired": euro(amount), "description": "Pocket money", "allow_bunqme": false,
            "counterparty_alias": {"type": "EMAIL", "value": "sugardaddy@bunq.com"}})
    };
    let id = client.make(&path, &body("500.00")).await;
    assert_eq!(client.list(&format!("{path}/{id}")).await[0]["status"], "ACCEPTED");
    assert_eq!(client.balance(account).await, 50_000);
    let too_much = client.post(&path, &body("500.01")).await;
    assert_eq!(too_much.status, 400);
    assert!(too_much.body.contains("500.00"), "{}", too_much.body);
    let books = server.running.sandbox.store.unbalanced_entries().await.unwrap();
    assert!(books.is_empty(), "{books:?}");
}

#[tokio::test]
async fn accounts_are_opened_described_and_closed() {
    let server = TestServer::start().await;
    let client = sandbox_user(&server, "person").await;
    let path = format!("/user/{}/monetary-account-bank", client.user);
    let id = client
        .make(&path, &json!({"currency": "EUR", "description": "Holidays", "daily_limit": euro("50.00")}))
        .await;
    let account = client.list(&format!("{path}/{id}")).await.remove(0);
    assert_eq!(
        (account["description"].as_str(), account["daily_limit"]["value"].as_str()),
        (Some("Holidays"), Some("50.00"))
    );
    assert_eq!(
        (account["alias"][0]["type"].as_str(), account["balance"]["value"].as_str()),
        (Some("IBAN"), Some("0.00"))
    );
    assert_eq!(client.put(&format!("{path}/{id}"), &json!({"description": "Journeys"})).await.status, 200);
    let savings = format!("/user/{}/monetary-account-savings", client.user);
    let later = json!({"currency": "EUR", "description": "Later", "savings_goal": euro("30.00")});
    let saved = client.make(&savings, &later).await;
    let shown = client.list(&savings).await.remove(0);
    assert_eq!((shown["id"].as_i64(), &shown["savings_goal"]), (Some(saved), &euro("30.00")));
    assert_eq!(shown["savings_goal_progress"], "0.000000");
    let close = json!({"status": "CANCELLED", "sub_status": "REDEMPTION_VOLUNTARY", "reason": "OTHER", "reason_description": "Done"});
    let money = json!({"amount_inquired": euro("1.00"), "description": "x", "allow_bunqme": false,
        "counterparty_alias": {"type": "EMAIL", "value": "sugardaddy@bunq.com"}});
    client.make(&client.below(id, "/request-inquiry"), &money).await;
    assert_eq!(client.put(&format!("{path}/{id}"), &close).await.status, 400, "it is not empty");
    let home = client.list(&path).await.into_iter().find(|one| one["id"] != id).unwrap();
    let back = json!({"amount": euro("1.00"), "counterparty_alias": home["alias"][0], "description": "Back"});
    client.make(&client.below(id, "/payment"), &back).await;
    let closed = client.put(&format!("{path}/{id}"), &close).await;
    assert_eq!(closed.status, 200, "{}", closed.body);
    let account = client.list(&format!("{path}/{id}")).await.remove(0);
    assert_eq!(
        (account["status"].as_str(), account["sub_status"].as_str(), account["description"].as_str()),
        (Some("CANCELLED"), Some("REDEMPTION_VOLUNTARY"), Some("Journeys"))
    );
    let late = client.post(&client.below(id, "/payment"), &back).await;
    assert_eq!(late.status, 400, "{}", late.body);
}

/// Pictures and avatars are kept for ever, so there are as many of each as a user has room for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_and_avatars_have_a_limit_however_many_come_at_once() {
    let server = TestServer::start().await;
    let client = BunqClient::provider(&server, "Picture AISP").await;
    let mut picture = client
        .request("POST", "/attachment-public", None)
        .without("x-bunq-client-signature")
        .set("content-type", "image/png")
        .set("x-bunq-attachment-description", "Logo");
    picture.body = vec![0x89, b'P', b'N', b'G'];
    let uuid = element(&client.send(&picture).await, "Uuid")["uuid"].as_str().unwrap().to_owned();
    let avatar = client.request("POST", "/avatar", Some(&json!({"attachment_public_uuid": uuid})));
    let drawer = gateway::Drawer::new(&server.store(), "bunq");
    for (count, kind, request, kept) in
        [("attachment-count", "attachment", picture, 6), ("avatar-count", "avatar", avatar, 5)]
    {
        drawer.put(count, &client.user.to_string(), "95").await.unwrap();
        let all: Vec<_> = (0..20)
            .map(|_| {
                let (client, request) = (client.clone(), request.clone());
                tokio::spawn(async move { client.send(&request).await })
            })
            .collect();
        let mut taken = 0;
        for one in all {
            let answer = one.await.unwrap();
            assert!(answer.status == 200 || answer.body.contains("A user can "), "{}", answer.body);
            taken += u32::from(answer.status == 200);
        }
        assert_eq!((taken, drawer.all(kind).await.unwrap().len()), (5, kept), "{kind}");
        assert_eq!(client.send(&request).await.status, 400, "{kind}");
    }
}

#[tokio::test]
async fn pictures_come_back_octet_by_octet() {
    let server = TestServer::start().await;
    let client = BunqClient::provider(&server, "Picture AISP").await;
    let octets = [0x89, b'P', b'N', b'G', 0, 255, 1, 2];
    let mut request = client
        .request("POST", "/attachment-public", None)
        .without("x-bunq-client-signature")
        .set("content-type", "image/png")
        .set("x-bunq-attachment-description", "Logo");
    request.body = octets.to_vec();
    let uuid = element(&client.send(&request).await, "Uuid")["uuid"].as_str().unwrap().to_owned();
    let read = element(&client.get(&format!("/attachment-public/{uuid}")).await, "AttachmentPublic");
    assert_eq!(read["attachment"], json!({"description": "Logo", "content_type": "image/png"}));
    let content = client.get(&format!("/attachment-public/{uuid}/content")).await;
    assert_eq!((content.status, content.header("content-type")), (200, "image/png"));
    for number in 2..=101 {
        let answer = client.send(&request).await;
        assert_eq!(answer.status, if number > 100 { 400 } else { 200 }, "{}", answer.body);
    }
    let avatar = client.post("/avatar", &json!({"attachment_public_uuid": uuid})).await;
    let avatar = element(&avatar, "Uuid")["uuid"].as_str().unwrap().to_owned();
    let read = element(&client.get(&format!("/avatar/{avatar}")).await, "Avatar");
    assert_eq!(read["image"][0]["attachment_public_uuid"], uuid);
    let filters = format!("/user/{}/notification-filter-url", client.user);
    let body = json!({"notification_filters": [{"category": "MUTATION", "notification_target": "https://tpp.example/x"}]});
    assert_eq!(client.post(&filters, &body).await.json()["Response"].as_array().unwrap().len(), 1);
    assert_eq!(client.list(&filters).await[0]["category"], "MUTATION");
    assert!(
        client.post(&filters, &json!({"notification_filters": []})).await.json()["Response"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    let (certificate, _) = testkit::bunq::pseudo_certificate("Pinned", |_| {});
    let pins = format!("/user/{}/certificate-pinned", client.user);
    let id = client.make(&pins, &json!({"certificate_chain": [{"certificate": certificate}]})).await;
    assert_eq!(client.list(&pins).await.len(), 1);
    assert_eq!(client.send(&client.request("DELETE", &format!("{pins}/{id}"), None)).await.status, 200);
    assert_eq!(client.get(&format!("{pins}/{id}")).await.status, 404);
}

#[tokio::test]
async fn users_read_what_the_bank_knows_of_them() {
    let server = TestServer::start().await;
    let client = sandbox_user(&server, "person").await;
    let user = client.user;
    assert_eq!(client.get(&format!("/user-person/{user}")).await.status, 200);
    assert_eq!(client.get(&format!("/user-company/{user}")).await.status, 404);
    let names = element(&client.get(&format!("/user/{user}/legal-name")).await, "UserLegalNameArray");
    let person = element(&client.get("/user").await, "UserPerson");
    assert_eq!(names["legal_names"][0], person["display_name"]);
    assert_eq!(client.get(&format!("/user/{user}/limit")).await.status, 200);
    let refused = client.put(&format!("/user-person/{user}"), &json!({"first_name": "Other"})).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    for wrong in [json!({"language": "nl_NL"}), json!({"session_timeout": 5})] {
        assert_eq!(client.put(&format!("/user-person/{user}"), &wrong).await.status, 400, "{wrong}");
    }
    let shorter = json!({"session_timeout": 600});
    assert_eq!(client.put(&format!("/user-person/{user}"), &shorter).await.status, 200);
    let key = client.key.clone();
    let next = client.clone().session(&key).await;
    assert_eq!(element(&next.get("/user").await, "UserPerson")["session_timeout"], 600);
    server.advance("nl", "PT10M").await;
    assert_eq!(next.get("/user").await.status, 403);
    let installation = client.get("/installation").await;
    let id = element(&installation, "Id")["id"].as_i64().unwrap();
    let key = element(&client.get(&format!("/installation/{id}/server-public-key")).await, "ServerPublicKey");
    assert_eq!(key["server_public_key"].as_str().unwrap(), client.server_key);
    assert_eq!(client.get(&format!("/installation/{}", id + 1)).await.status, 404);
    let health = server.send(&Request::new("GET", &format!("{BUNQ}/health-check"))).await;
    assert_eq!(element(&health, "HealthResult")["status"], "OK");
}

#[tokio::test]
async fn a_strict_bank_counts_calls_unless_told_not_to() {
    for (limits, third) in
        [(vestibule::profiles::RateLimits::On, 429), (vestibule::profiles::RateLimits::Off, 200)]
    {
        let server = TestServer::with(|config| {
            config.strictness = vestibule::profiles::Strictness::Strict;
            config.rate_limits = limits;
        })
        .await;
        let client = BunqClient::provider(&server, "Counted AISP").await;
        let mut session = client.clone();
        session.session = None;
        let again = session.post("/session-server", &json!({"secret": client.key})).await;
        assert_eq!(again.status, third, "{}", again.body);
    }
}

#[tokio::test]
async fn calls_are_counted_by_the_banks_own_clock() {
    let server =
        TestServer::with(|config| config.rate_limits = vestibule::profiles::RateLimits::Strict).await;
    let client = BunqClient::install(&server).await;
    let customer = server.customer("nl", "student").await;
    let client = client.open(customer["bunq"]["apiKey"].as_str().unwrap()).await;
    for call in 1..=4 {
        let answer = client.get("/user").await;
        if call < 4 {
            assert_eq!(answer.status, 200, "{call}");
            continue;
        }
        assert_eq!(answer.status, 429);
        assert_eq!(
            answer.json()["Error"][0]["error_description"],
            "Too many requests. You can do a maximum of 3 calls per 3 seconds to this endpoint."
        );
    }
    assert_eq!(client.get("/device").await.status, 200, "each endpoint has its own count");
    server.advance("nl", "PT3S").await;
    assert_eq!(client.get("/user").await.status, 200);
    let key = client.key.clone();
    let mut unopened = client.clone();
    unopened.session = None;
    let again = unopened.post("/session-server", &json!({"secret": key})).await;
    assert_eq!(again.status, 429);
    assert!(again.body.contains("maximum of 1 calls per 30 seconds"), "{}", again.body);
}
