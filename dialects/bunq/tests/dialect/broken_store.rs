//! A database that breaks while the bank serves: every door says so in the format of the interface.

use serde_json::{Value, json};
use testkit::broken::{Breakable, assert_failed, operations};
use testkit::bunq::{BunqClient, client_keys, euro, provider_certificate, shop};
use testkit::{Answer, Request};

const UUID: &str = "7f1c9d52-0a5e-4b1e-9d1c-5f0e3a6b7c8d";

fn assert_told(name: &str, answer: &Answer, secrets: &[&str]) {
    assert_failed(name, answer, 491, secrets);
    let text = "The service is not available. Please try again later.";
    let told = json!({"Error": [{"error_description": text, "error_description_translated": text}]});
    assert_eq!(answer.json(), told, "{name}");
    assert_eq!(answer.header("x-bunq-client-response-id"), answer.header("x-request-id"), "{name}");
}

#[tokio::test]
async fn every_door_says_that_the_bank_is_not_available() {
    let bank = Breakable::start().await;
    let server = &bank.server;
    let customer = server.customer("nl", "household").await;
    let provider = BunqClient::provider(server, "Broken AISP PISP").await;
    let session = provider.connect(server, &customer).await;
    let installation = BunqClient::install(server).await;
    let (certificate, key) = provider_certificate(server, "Broken AISP PISP").await;
    let credential = installation.credential_request(&certificate, &certificate, &key);
    let operations = operations(server, "/bunq").await;
    let token = session.session.clone().unwrap();
    let secrets =
        [token.as_str(), &installation.installation, &session.key, customer["iban"].as_str().unwrap()];
    bank.break_store(&[]);
    let mut count = 0;
    for (method, path) in operations.iter().filter(|(_, path)| path.starts_with("/v1/")) {
        let name = format!("{method} {path}");
        let below = path.strip_prefix("/v1").unwrap();
        let filled: Vec<_> = below
            .split('/')
            .map(|part| match part {
                "{uuid}" => UUID,
                part if part.starts_with('{') => "1",
                part => part,
            })
            .collect();
        let filled = filled.join("/");
        let with_key = |path| {
            installation.request("POST", path, Some(&json!({"description": "x", "secret": session.key})))
        };
        let request = match (method.as_str(), below) {
            ("GET", "/health-check") => {
                assert_eq!(session.get(below).await.status, 200);
                continue;
            }
            ("POST", "/token") => continue,
            ("POST", "/installation") => {
                installation.request(method, below, Some(&json!({"client_public_key": client_keys().1})))
            }
            ("POST", "/payment-service-provider-credential") => credential.clone(),
            ("POST", "/device-server" | "/session-server") => with_key(below),
            ("PUT", path) if path.contains("-public/") => {
                session.request(method, &filled, Some(&json!({"status": "REJECTED"})))
            }
            _ => session.request(method, &filled, None),
        };
        assert_told(&name, &session.send(&request).await, &secrets);
        count += 1;
    }
    assert!(count > 120, "{count}");
    // The host alone in front.
    let public =
        Request::new("GET", &format!("/v1/payment-service-provider-issuer-transaction-public/{UUID}"));
    assert_told("at the root", &server.send(&public).await, &secrets);
}

/// The authorization server's side of it: OAuth's format for programs, a page for browsers.
#[tokio::test]
async fn the_doors_for_codes_and_browsers_say_so_too() {
    let bank = Breakable::start().await;
    let server = &bank.server;
    let provider = BunqClient::provider(server, "Broken AISP PISP").await;
    let authorization = provider.authorization_url().await;
    let client = provider.oauth_client().await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (id, secret) = (text(&client["client_id"]), text(&client["secret"]));
    let secrets = [secret.as_str(), &provider.key];
    bank.break_store(&[]);
    let form =
        format!("grant_type=authorization_code&code=x&redirect_uri=x&client_id={id}&client_secret={secret}");
    let answer = server.send(&Request::new("POST", &format!("/bunq/v1/token?{form}"))).await;
    assert_failed("token", &answer, 491, &secrets);
    assert_eq!(answer.json()["error"], "temporarily_unavailable", "{}", answer.body);
    for path in
        [authorization.strip_prefix(server.url()).unwrap(), &format!("/bunq/psp?transactionId={UUID}")]
    {
        for method in ["GET", "HEAD"] {
            let answer = server.send(&Request::new(method, path)).await;
            assert_failed(&format!("{method} {path}"), &answer, 491, &secrets);
            assert!(answer.header("content-type").starts_with("text/html"), "{path}");
        }
    }
}

/// Whoever asked for a payment and finds nothing of it asks for it again, so there must be nothing that the customer could pay:
/// a payment and what it is known by are one write.
#[tokio::test]
async fn a_payment_that_its_list_does_not_show_does_not_exist() {
    let bank = Breakable::start().await;
    let server = &bank.server;
    let customer = server.customer("nl", "household").await;
    let payer = server.customer("nl", "student").await;
    let own = BunqClient::customer(server, &customer).await;
    let provider = BunqClient::provider(server, "Broken AISP PISP").await;
    let client = provider.connect(server, &customer).await;
    let account = own.account().await;
    let draft = json!({"sender_iban": customer["iban"], "counterparty_iban": "NL91ABNA0417164300",
        "counterparty_name": "Shop", "description": "x", "amount": euro("1.00")});
    let issued = json!({"counterparty_alias": shop(), "amount": euro("1.00"), "description": "x",
        "url_redirect": "https://tpp.example/back"});
    let entry = json!({"amount": euro("1.00"), "counterparty_alias": shop(), "description": "x"});
    let prepared = json!({"entries": [entry], "number_of_required_accepts": 1});
    let inquiry = json!({"amount_inquired": euro("1.00"), "description": "x", "allow_bunqme": false,
        "counterparty_alias": {"type": "IBAN", "value": payer["iban"], "name": "Student"}});
    let of_provider = |what: &str| format!("/user/{}/payment-service-provider-{what}", provider.user);
    let (drafts, transactions) = (of_provider("draft-payment"), of_provider("issuer-transaction"));
    let (prepared_at, inquiries) =
        (client.below(account, "/draft-payment"), own.below(account, "/request-inquiry"));
    for (kind, who, path, body) in [
        ("provider-draft-payment", &provider, &drafts, &draft),
        ("issuer-transaction-by-uuid", &provider, &transactions, &issued),
        ("draft-payment", &client, &prepared_at, &prepared),
        ("request-inquiry", &own, &inquiries, &inquiry),
        ("request-response", &own, &inquiries, &inquiry),
    ] {
        let (before, listed) = (bank.count("payments", "true"), who.list(path).await.len());
        bank.refuse_writes_of(kind);
        let answer = who.post(path, body).await;
        assert_eq!(answer.status, 491, "{kind}: {}", answer.body);
        assert_eq!((bank.count("payments", "true"), who.list(path).await.len()), (before, listed), "{kind}");
        bank.mend();
        who.make(path, body).await;
        let after = (bank.count("payments", "true"), who.list(path).await.len());
        assert_eq!(after, (before + 1, listed + 1), "{kind}");
    }
}

/// What is refused pays nothing, and what is active is made: a schedule, its next time and its place among those of its account
/// are one write.
#[tokio::test]
async fn a_schedule_that_is_refused_pays_nothing_and_stays_as_it_was() {
    let bank = Breakable::start().await;
    let server = &bank.server;
    let wish = json!({"tenant": "nl", "persona": "empty", "balance": "100.00"});
    let (_, payer) = server.manage("POST", "/test-accounts", wish).await;
    let own = BunqClient::customer(server, &payer).await;
    let account = own.account().await;
    let path = own.below(account, "/schedule-payment");
    let begin = crate::schedules::now(server).await + jiff::SignedDuration::from_hours(1);
    let plan = |hours: i64| {
        let start = begin + jiff::SignedDuration::from_hours(hours);
        json!({"time_start": start.strftime("%Y-%m-%d %H:%M:%S").to_string(), "recurrence_unit": "ONCE"})
    };
    let payment = json!({"amount": euro("1.00"), "counterparty_alias": shop(), "description": "x"});
    let body = json!({"payment": payment, "schedule": plan(0)});
    let kept = || {
        ["scheduled-payment", "due-schedules"]
            .map(|kind| bank.count("private_state", &format!("kind = '{kind}'")))
    };
    for kind in ["active-schedules", "due-schedules", "scheduled-payment"] {
        bank.refuse_writes_of(kind);
        assert_eq!(own.post(&path, &body).await.status, 491, "{kind}");
        bank.mend();
        assert_eq!(kept(), [0, 0], "{kind}");
    }
    let id = own.make(&path, &body).await;
    let one = format!("{path}/{id}");
    let before = own.list(&one).await;
    for kind in ["active-schedules", "scheduled-payment"] {
        bank.refuse_writes_of(kind);
        assert_eq!(own.put(&one, &json!({"schedule": plan(1)})).await.status, 491, "{kind}");
        assert_eq!(own.send(&own.request("DELETE", &one, None)).await.status, 491, "{kind}");
        bank.mend();
        assert_eq!((own.list(&one).await, kept()), (before.clone(), [1, 1]), "{kind}");
    }
    assert_eq!(own.put(&one, &json!({"schedule": plan(1)})).await.status, 200);
    server.advance("nl", "PT90M").await;
    assert_eq!(own.balance(account).await, 10_000, "its time was changed");
    server.advance("nl", "PT1H").await;
    assert_eq!(own.balance(account).await, 9_900);
    assert_eq!(kept(), [1, 0]);
}
