//! bunq's interface in front of a real bank, from outside: a third party reads and pays, and there is no door for tests.

use std::fs;
use std::io::Read;

use axum::Json;
use axum::routing::get;
use core_bank::server::test_authority;
use core_bank::server::tls::{Listener, TlsSettings};
use serde_json::{Value, json};
use testkit::bunq::{BUNQ, BunqClient, euro, pseudo_certificate, shop};
use testkit::{Answer, Request, Signer, TestServer, parameter};

use crate::admin::{People, get as read, post};
use crate::audit::entries_with;
use crate::configuration::Files;
use crate::serve::{PAGE, Scene, value, write_configuration};
use crate::serve_books::before;
use crate::serve_command::{command, scene_before, start};
use crate::serve_provider::Browser;

/// What a configuration says that asks for both interfaces.
pub(crate) const BOTH: &str = "interfaces = [\"berlin-group\", \"bunq\"]\n";

/// The text of an error.
pub(crate) fn said(answer: &Answer) -> String {
    let error = &answer.json()["Error"][0]["error_description"];
    error.as_str().unwrap_or_else(|| panic!("{} {}", answer.status, answer.body)).to_owned()
}

/// A service provider with a session, by a qualified certificate. Its connections present none.
pub(crate) async fn provider<S>(scene: &Scene<S>) -> BunqClient {
    let seal = scene.certificate("qseal").await;
    let client = BunqClient::install_at(&scene.client(None), &scene.interface()).await;
    let key = client.trade(&pem(&seal), &pem(&seal), &seal.key_pem).await;
    client.open(&key).await
}

fn pem(signer: &Signer) -> String {
    eidas::certificate::to_pem(&signer.certificate.der)
}

/// The values of all fields of a name.
fn values(page: &str, name: &str) -> Vec<String> {
    let before = format!("name=\"{name}\" value=\"");
    page.split(&before).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

/// A customer comes to the bank's pages, logs in, and approves all that is asked; returns the way back.
async fn approve<S>(scene: &Scene<S>, target: &str, customer: &Value) -> String {
    let browser = scene.client(None);
    let visit = |target: &str| Request::new("GET", target).set("accept", "text/html");
    let opened = visit(target).exchange(&browser, &scene.pages()).await;
    assert_eq!(opened.status, 302, "{}", opened.body);
    let cookie = |answer: &Answer| answer.header("set-cookie").split(';').next().unwrap().to_owned();
    let mut session = cookie(&opened);
    let (iban, device) = (customer["iban"].as_str().unwrap(), customer["digipassNumber"].as_str().unwrap());
    let mut page = visit(PAGE).set("cookie", &session).exchange(&browser, &scene.pages()).await.body;
    for _ in 0..5 {
        assert!(page.contains(scene.bank) && !page.contains("simulat"), "{page}");
        let mut form = vec![("csrf".to_owned(), value(&page, "csrf"))];
        if page.contains("name=\"iban\"") {
            form.extend([("action", "log-in"), ("iban", iban)].map(|(a, b)| (a.to_owned(), b.to_owned())));
        } else {
            form.push(("action".to_owned(), "approve".to_owned()));
            let accounts = values(&page, "account").into_iter();
            let is_one = page.contains("type=\"radio\" id=\"account-");
            let accounts = accounts.take(if is_one { 1 } else { usize::MAX });
            form.extend(accounts.map(|account| ("account".to_owned(), account)));
            let mut payments: Vec<_> =
                page.split("name=\"payment.").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
            payments.dedup();
            form.extend(payments.into_iter().map(|id| (format!("payment.{id}"), "accept".to_owned())));
        }
        if page.contains("name=\"challenge\"") {
            // The customer's device is beside, as at a real bank.
            let challenge = value(&page, "challenge");
            let answer = scene.core.running.sandbox.gateway.simulated_answer(device, &challenge);
            form.extend([("answer".to_owned(), answer.unwrap()), ("challenge".to_owned(), challenge)]);
        }
        let form: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let sent = Request::new("POST", PAGE).set("accept", "text/html").set("cookie", &session).form(&form);
        let sent = sent.exchange(&browser, &scene.pages()).await;
        if !sent.header("set-cookie").is_empty() {
            session = cookie(&sent);
        }
        page = match (sent.status, sent.header("location")) {
            (200, _) => sent.body,
            (303, location) if location.ends_with(PAGE) => {
                visit(PAGE).set("cookie", &session).exchange(&browser, &scene.pages()).await.body
            }
            (303, location) => return location.to_owned(),
            _ => panic!("{} {}", sent.status, sent.body),
        };
    }
    panic!("it does not end: {page}")
}

/// The address for the customer's browser, at whichever listener.
async fn authorization(provider: &BunqClient) -> String {
    let url = provider.authorization_url().await;
    url.strip_prefix(&provider.origin).unwrap().to_owned()
}

/// The third party's session for a customer, once the customer approved.
pub(crate) async fn connected<S>(scene: &Scene<S>, provider: &BunqClient, customer: &Value) -> BunqClient {
    let location = approve(scene, &authorization(provider).await, customer).await;
    let code = parameter(&location, "code").unwrap_or_else(|| panic!("{location}"));
    let answer = provider.exchange(&code).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    provider.clone().session(&token).await
}

/// An account that was closed and put away by the bank takes no other one away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_that_the_bank_still_knows_are_listed() {
    let (scene, books) = before(TestServer::start().await, BOTH).await;
    let customer = scene.core.customer("nl", "saver").await;
    let provider = provider(&scene).await;
    let client = connected(&scene, &provider, &customer).await;
    let path = format!("/user/{}/monetary-account", client.user);
    let ids = |listed: &[Value]| listed.iter().map(|one| one["id"].as_i64().unwrap()).collect::<Vec<_>>();
    books.calls();
    let all = ids(&client.list(&path).await);
    let mut known = books.accounts_read();
    known.sort_unstable();
    known.dedup();
    assert_eq!((all.len(), known.len()), (4, 4), "{known:?}");
    books.forget(&known[1]);
    let left = ids(&client.list(&path).await);
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(left.iter().all(|id| all.contains(id)), "{left:?} of {all:?}");
}

/// However many payments wait, the bank is asked who holds what once, and what there is on each account once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_with_more_payments_asks_the_bank_no_more() {
    let (scene, books) = before(TestServer::start().await, BOTH).await;
    let customer = scene.core.customer("nl", "household").await;
    let provider = provider(&scene).await;
    let client = connected(&scene, &provider, &customer).await;
    let account = client.account().await;
    let mut asked = Vec::new();
    for waiting in 1..=3 {
        let draft = json!({"number_of_required_accepts": 1, "entries": [
            {"amount": euro("12.50"), "counterparty_alias": shop(), "description": "Order 7"}]});
        client.make(&client.below(account, "/draft-payment"), &draft).await;
        let mut browser = Browser::new(&scene);
        assert_eq!(browser.get(&authorization(&provider).await).await.status, 302);
        let page = browser.get(PAGE).await;
        let challenge = value(&page.body, "challenge");
        let (iban, device) =
            (customer["iban"].as_str().unwrap(), customer["digipassNumber"].as_str().unwrap());
        let answer = scene.core.running.sandbox.gateway.simulated_answer(device, &challenge).unwrap();
        let fields = [("action", "log-in"), ("iban", iban), ("answer", &*answer), ("challenge", &*challenge)];
        assert_eq!(browser.submit(PAGE, &page, &fields).await.status, 303);
        books.calls();
        let page = browser.get(PAGE).await.body;
        assert_eq!(page.matches("value=\"accept\"").count(), waiting, "{page}");
        let mut calls = books.calls();
        calls.sort_unstable();
        assert_eq!(calls.iter().filter(|path| path.contains("/customers/")).count(), 2, "{calls:?}");
        asked.push(calls);
    }
    assert_eq!(asked[0], asked[1]);
    assert_eq!(asked[1], asked[2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_third_party_reads_balances_and_makes_a_payment() {
    let core = TestServer::in_real_time().await;
    let (scene, bank) = scene_before(core, Files::new(), BOTH).await;
    let customer = scene.core.customer("nl", "household").await;
    let provider = provider(&scene).await;
    let client = connected(&scene, &provider, &customer).await;

    // The books are the bank's: what its own door of the same kind tells is what is told here.
    let own = BunqClient::customer(&scene.core, &customer).await;
    let (account, of_bank) = (client.account().await, own.account().await);
    let before = client.balance(account).await;
    assert_eq!(before, own.balance(of_bank).await);
    let amounts = async |client: &BunqClient, account: i64| -> Vec<Value> {
        let payments = client.list(&client.below(account, "/payment?count=200")).await;
        payments.into_iter().map(|one| json!([one["amount"], one["description"]])).collect()
    };
    let booked = amounts(&client, account).await;
    assert!(booked.len() > 20);
    assert_eq!(booked, amounts(&own, of_bank).await);

    // A draft is a payment once the customer has approved it at the bank.
    let draft = json!({"number_of_required_accepts": 1, "entries": [
        {"amount": euro("12.50"), "counterparty_alias": shop(), "description": "Order 7"}]});
    let drafts = client.below(account, "/draft-payment");
    let id = client.make(&drafts, &draft).await;
    assert_eq!(client.list(&format!("{drafts}/{id}")).await[0]["status"], "PENDING");
    approve(&scene, &authorization(&provider).await, &customer).await;
    let made = client.list(&format!("{drafts}/{id}")).await.remove(0);
    assert_eq!(
        (&made["status"], &made["object"]["Payment"]["amount"]),
        (&json!("ACCEPTED"), &euro("-12.50"))
    );
    let payment = client.list(&client.below(account, "/payment?count=1")).await.remove(0);
    assert_eq!(payment["id"], made["object"]["Payment"]["id"], "it has the number that the list has");
    assert_eq!((client.balance(account).await, own.balance(of_bank).await), (before - 1250, before - 1250));

    // So is an order of a shop.
    let path = format!("/user/{}/payment-service-provider-issuer-transaction", provider.user);
    let order = json!({"counterparty_alias": shop(), "amount": euro("5.00"), "description": "Order 8",
        "url_redirect": "https://shop.example/done", "time_expiry": null, "status": "PENDING"});
    let order = format!("{path}/{}", provider.make(&path, &order).await);
    let uuid = provider.list(&order).await[0]["public_uuid"].as_str().unwrap().to_owned();
    let location = approve(&scene, &format!("/bunq/psp?transactionId={uuid}"), &customer).await;
    assert!(location.starts_with("https://shop.example/done"), "{location}");
    assert_eq!(provider.list(&order).await[0]["status"], "ACCEPTED");
    assert_eq!((client.balance(account).await, own.balance(of_bank).await), (before - 1750, before - 1750));

    // Who is no customer pays nothing at once, and while the bank is away that is said in the interface's way.
    let at_once = json!({"amount": euro("1.00"), "counterparty_alias": shop(), "description": "now"});
    let refused = client.post(&client.below(account, "/payment"), &at_once).await;
    assert!(matches!(refused.status, 403 | 404), "{}", refused.body);
    bank.abort();
    let _ = bank.await;
    let away = client.get(&client.below(account, "/payment")).await;
    assert_eq!(
        (away.status, said(&away).as_str()),
        (491, "The service is not available. Please try again later.")
    );
}

/// A customer with 100.00, from whom nobody takes any.
async fn with_money<S>(scene: &Scene<S>) -> Value {
    let wish = json!({"tenant": "nl", "persona": "empty", "balance": "100.00"});
    let (status, customer) = scene.core.manage("POST", "/test-accounts", wish).await;
    assert_eq!(status, 201, "{customer}");
    customer
}

/// What is approved together goes to the bank in one body: no more is shown than it takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drafts_that_are_too_large_together_are_approved_one_after_the_other() {
    let (scene, _) = before(TestServer::start().await, BOTH).await;
    let customer = with_money(&scene).await;
    let payee = scene.core.customer("nl", "student").await;
    let provider = provider(&scene).await;
    let client = connected(&scene, &provider, &customer).await;
    let drafts = client.below(client.account().await, "/draft-payment");
    let payee = json!({"type": "IBAN", "value": payee["iban"], "name": "S. Tudent"});
    let entry = json!({"amount": euro("0.01"), "counterparty_alias": payee, "description": "x".repeat(9000)});
    let draft = json!({"number_of_required_accepts": 1, "entries": vec![entry; 100]});
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(format!("{drafts}/{}", client.make(&drafts, &draft).await));
    }
    for approved in 1..=3 {
        approve(&scene, &authorization(&provider).await, &customer).await;
        let mut accepted = 0;
        for draft in &made {
            accepted += usize::from(client.list(draft).await[0]["status"] == "ACCEPTED");
        }
        assert_eq!(accepted, approved);
    }
}

/// What the bank declines in the end was not accepted, whatever could be said before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_that_the_bank_declines_in_the_end_is_rejected() {
    let (scene, books) = before(TestServer::start().await, BOTH).await;
    let customer = with_money(&scene).await;
    let provider = provider(&scene).await;
    let client = connected(&scene, &provider, &customer).await;
    let account = client.account().await;
    let draft = json!({"number_of_required_accepts": 1, "entries": [
        {"amount": euro("1.00"), "counterparty_alias": shop(), "description": "Order 7"}]});
    let drafts = client.below(account, "/draft-payment");
    let draft = format!("{drafts}/{}", client.make(&drafts, &draft).await);
    let status = async || client.list(&draft).await[0]["status"].as_str().unwrap().to_owned();
    // The bank could make it, and does not answer when it is to; then the account is blocked.
    books.spoil("/payments");
    approve(&scene, &authorization(&provider).await, &customer).await;
    assert_eq!(status().await, "ACCEPTED", "nobody knows yet");
    let path = format!("/test-accounts/{}", customer["iban"].as_str().unwrap());
    let (code, answer) = scene.core.manage("PUT", &path, json!({"status": "blocked"})).await;
    assert_eq!(code, 200, "{answer}");
    books.mend();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while status().await != "REJECTED" {
        assert!(std::time::Instant::now() < until, "it is accepted for good");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let rejected = client.list(&draft).await.remove(0);
    assert_eq!(rejected["object"], Value::Null, "{rejected}");
}

/// What the interface keeps of a customer goes with them: who is behind a number, and where a third party is told what they do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_interface_keeps_of_a_customer_is_erased() {
    let files = Files::new();
    let people = People::of(&files.ca);
    let core = TestServer::in_real_time().await;
    let (scene, _bank) = scene_before(core, files, &format!("{BOTH}{}", people.section())).await;
    let admin = format!("https://{}", scene.listeners.admin.clone().unwrap());
    let operator = scene.client(Some(&people.operator));
    let customer = scene.core.customer("nl", "household").await;
    let other = scene.core.customer("nl", "saver").await;
    let provider = provider(&scene).await;
    let client = connected(&scene, &provider, &customer).await;
    let of_other = connected(&scene, &provider, &other).await;
    let target = "https://tpp.example.com/callback";
    let filters = json!({"notification_filters": [{"category": "MUTATION", "notification_target": target}]});
    let told = client.post(&format!("/user/{}/notification-filter-url", client.user), &filters).await;
    assert_eq!(told.status, 200, "{}", told.body);
    client.account().await;

    let given = read(&operator, &admin, "/consents?state=valid").await.json();
    let given = given["consents"].as_array().unwrap().clone();
    assert_eq!(given.len(), 2, "{given:?}");
    // The newest first.
    let (who, others) = (given[1]["customer"].as_str().unwrap(), given[0]["customer"].as_str().unwrap());
    let kept = |text: &str| -> i64 {
        let database = rusqlite::Connection::open(scene.files.path("vestibule.db")).unwrap();
        database.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
        let count = "SELECT COUNT(*) FROM private_state WHERE owner = 'bunq' AND (instr(key, ?1) > 0 OR instr(value, ?1) > 0)";
        database.query_row(count, [text], |row| row.get(0)).unwrap()
    };
    let before = kept(others);
    assert!(kept(who) > 2 && kept(target) == 1 && before > 2);
    let why = json!({"reason": "Asked for in writing."});
    let id = given[1]["id"].as_str().unwrap();
    let withdrawn = post(&operator, &admin, &format!("/consents/{id}/withdraw"), &why).await;
    assert_eq!(withdrawn.status, 200, "{}", withdrawn.body);
    let erase = format!("/customers/nl/{}/erase", who.replace('/', "%2F"));
    let erased = post(&operator, &admin, &erase, &why).await;
    assert_eq!(erased.status, 200, "{}", erased.body);
    assert_eq!((kept(who), kept(target), kept(others)), (0, 0, before));
    let session = client.get(&format!("/user/{}/monetary-account", client.user)).await;
    assert!((400..500).contains(&session.status), "{}", session.body);
    // Nobody else notices, and whoever comes back is somebody new.
    of_other.account().await;
    let again = connected(&scene, &provider, &customer).await;
    assert_ne!(again.user, client.user);
    again.account().await;
    // A third party's own calls come with the certificate that its key was given for.
    provider.list("/user").await;
    let is_own = |entry: &Value| entry["interface"] == "bunq" && entry["signingCertificate"].is_string();
    let all = entries_with(&scene, &people, &admin, is_own).await;
    let own = all.iter().find(|entry| is_own(entry) && entry["authenticated"] == true).unwrap();
    assert_eq!((&own["signed"], &own["tlsCertificate"]), (&json!(true), &Value::Null), "{own}");
}

#[tokio::test]
async fn there_is_no_door_for_tests_at_bunqs_interface_and_no_explaining_text() {
    let scene = Scene::with(BOTH).await;
    let (http, origin) = (scene.client(None), scene.interface());
    for path in ["sandbox-user-person", "sandbox-user", "sandbox-user-company"] {
        for method in ["POST", "GET", "PUT"] {
            let request = Request::new(method, &format!("{BUNQ}/{path}")).body("application/json", "{}");
            let answer = request.exchange(&http, &origin).await;
            assert_eq!((answer.status, said(&answer).as_str()), (404, "Route not found."), "{method} {path}");
        }
    }
    let description = Request::new("GET", "/bunq/openapi.json").exchange(&http, &origin).await.json();
    let paths = description["paths"].as_object().unwrap();
    assert!(paths.len() > 60 && !paths.keys().any(|path| path.contains("sandbox")), "{paths:?}");
    let health = Request::new("GET", &format!("{BUNQ}/health-check")).exchange(&http, &origin).await;
    assert_eq!(health.status, 200, "{}", health.body);

    // A certificate that nobody vouches for is none, and nobody is told what was looked at.
    let client = BunqClient::install_at(&http, &origin).await;
    let (pseudo, key) = pseudo_certificate("My App PISP AISP", |_| {});
    let foreign = scene.files.ca.issue(&testkit::TestCa::subject("PSDNL-DNB-R654321"), &["PSP_AI"], |_| {});
    for certificate in [pseudo, pem(&foreign)] {
        let answer = client.send(&client.credential_request(&certificate, &certificate, &key)).await;
        assert_eq!((answer.status, said(&answer).as_str()), (400, "The certificate is not acceptable."));
    }
    let seal = scene.certificate("qseal").await;
    let unsealed = client.credential_request(&pem(&seal), &pem(&seal), &testkit::bunq::client_keys().0);
    let answer = client.send(&unsealed).await;
    let text = "The field \"client_public_key_signature\" is wrong.";
    assert_eq!((answer.status, said(&answer).as_str()), (400, text));
    let provider = provider(&scene).await;
    let spoiled = provider.request("GET", "/user", None).set("x-bunq-client-signature", "AAAA");
    let answer = provider.send(&spoiled).await;
    assert_eq!((answer.status, said(&answer).as_str()), (400, "The request signature is invalid."));

    // Givers of money and addresses that can be guessed are a sandbox's. Neither is there an address that leads to this machine.
    let filters = json!({"notification_filters":
        [{"category": "OAUTH", "notification_target": "http://127.0.0.1:9/"}]});
    let path = format!("/user/{}/notification-filter-url", provider.user);
    let answer = provider.post(&path, &filters).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
}

#[tokio::test]
async fn limits_and_sealing_hold_at_this_interface_too() {
    let more = "[limits]\ncalls = 6\nwithin = \"1h\"\n[sealing]\nkey_file = \"sealing.key\"\n";
    let scene = Scene::with(&format!("{BOTH}{more}")).await;
    // Key, device and session are three.
    let provider = provider(&scene).await;
    for _ in 0..3 {
        assert_eq!(provider.get("/user").await.status, 200);
    }
    let over = provider.get("/user").await;
    assert_eq!(over.status, 429, "{}", over.body);
    assert!(said(&over).contains("ne third party may make 6 in 3600 seconds"), "{}", over.body);
    let seconds: u64 = over.header("retry-after").parse().unwrap();
    assert!((1..=600).contains(&seconds), "{seconds}");

    // The key that answers are signed with is kept as the gateway's other secrets are.
    let database = rusqlite::Connection::open(scene.files.path("vestibule.db")).unwrap();
    let kept = "SELECT value FROM private_state WHERE owner = 'bunq' AND kind = 'server-key'";
    let kept: String = database.query_row(kept, [], |row| row.get(0)).unwrap();
    assert!(kept.starts_with("sealed-1:") && !kept.contains("PRIVATE"), "{kept}");
}

/// A call before there is a session is a third party's too, once it proved who it is: it counts as any other.
#[tokio::test]
async fn doors_before_a_session_have_the_limits_of_any_other() {
    let scene = Scene::with(&format!("{BOTH}[limits]\ncalls = 9\nwithin = \"1h\"\n")).await;
    let seal = scene.certificate("qseal").await;
    let client = BunqClient::install_at(&scene.client(None), &scene.interface()).await;
    let trade = client.credential_request(&pem(&seal), &pem(&seal), &seal.key_pem);
    let key = client.trade(&pem(&seal), &pem(&seal), &seal.key_pem).await;
    let provider = client.open(&key).await;
    let oauth = provider.oauth_client().await;
    let text = |name: &str| oauth[name].as_str().unwrap();
    let token = |secret: &str| {
        let query = format!(
            "grant_type=authorization_code&code=x&redirect_uri=https%3A%2F%2Ftpp.example%2Fcallback&client_id={}&client_secret={secret}",
            text("client_id")
        );
        Request::new("POST", &format!("{BUNQ}/token?{query}"))
    };
    let http = scene.client(None);
    // Whoever is not certain to be this third party costs it nothing.
    for _ in 0..5 {
        let stranger = token("0").exchange(&http, &scene.interface()).await;
        assert_eq!(stranger.json()["error"], "invalid_client", "{}", stranger.body);
    }
    for _ in 0..3 {
        let taken = token(text("secret")).exchange(&http, &scene.interface()).await;
        assert_eq!((taken.status, &taken.json()["error"]), (400, &json!("invalid_grant")), "{}", taken.body);
    }
    let over = token(text("secret")).exchange(&http, &scene.interface()).await;
    assert_eq!(
        (over.status, &over.json()["error"]),
        (429, &json!("temporarily_unavailable")),
        "{}",
        over.body
    );
    assert!((1..=400).contains(&over.header("retry-after").parse::<u64>().unwrap()));
    // These come with the token of the installation.
    let mut installed = provider.clone();
    installed.session = None;
    let with_key = |path| installed.request("POST", path, Some(&json!({"description": "x", "secret": key})));
    for request in [trade, with_key("/device-server"), with_key("/session-server")] {
        let over = provider.send(&request).await;
        assert_eq!(over.status, 429, "{}", over.body);
        assert!(said(&over).contains("ne third party may make 9 in 3600 seconds"), "{}", over.body);
    }
    let _ = with_key;
}

/// The trail says who came to each of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_trail_says_who_came_before_there_was_a_session() {
    let files = Files::new();
    let people = People::of(&files.ca);
    let core = TestServer::in_real_time().await;
    let (scene, _bank) = scene_before(core, files, &format!("{BOTH}{}", people.section())).await;
    let admin = format!("https://{}", scene.listeners.admin.clone().unwrap());
    let customer = scene.core.customer("nl", "household").await;
    let provider = provider(&scene).await;
    connected(&scene, &provider, &customer).await;
    let listed = provider.get("/user").await;
    let last = listed.header("x-request-id").to_owned();
    let all = entries_with(&scene, &people, &admin, |entry| entry["request"] == last).await;
    for (path, is_signed, is_by_certificate, consents) in [
        ("payment-service-provider-credential", true, true, 0),
        ("device-server", true, true, 0),
        ("session-server", true, true, 0),
        ("token", false, false, 1),
    ] {
        let route = format!("{BUNQ}/{path}");
        let of_it: Vec<_> = all.iter().filter(|entry| entry["route"] == route).collect();
        assert!(!of_it.is_empty(), "{path}");
        for entry in &of_it {
            assert_eq!(
                (&entry["status"], &entry["thirdParty"]),
                (&json!(200), &json!("PSDNL-DNB-R654321")),
                "{entry}"
            );
            assert_eq!(entry["authenticated"], true, "{entry}");
            assert_eq!(entry["signed"] == true, is_signed, "{entry}");
        }
        let count = |name: &str| of_it.iter().filter(|entry| entry[name].is_string()).count();
        assert_eq!(
            (count("signingCertificate") > 0, count("subject")),
            (is_by_certificate, consents),
            "{path}"
        );
    }
}

/// A core bank that has one path, and what the gateway says about it.
async fn core_bank_with_parts(parts: Value, files: &Files) -> (String, tokio::task::JoinHandle<()>) {
    let made = test_authority::make(&["127.0.0.1".to_owned()]).unwrap();
    for (name, text) in [
        ("core-authority.pem", &made.authority),
        ("core-client.pem", &made.client),
        ("core-client.key", &made.client_key),
        ("anchors.pem", &files.ca.pem().to_owned()),
        ("intermediates.pem", &files.ca.pem().to_owned()),
    ] {
        fs::write(files.path(name), text).unwrap();
    }
    let tls = TlsSettings {
        certificate: made.server.into_bytes(),
        private_key: made.server_key.into_bytes(),
        client_authorities: made.authority.into_bytes(),
    };
    let routes = axum::Router::new().route("/core/v1/parts", get(async move || Json(parts)));
    let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", tcp.local_addr().unwrap());
    let listener = Listener::begin(tcp, &tls).unwrap();
    (url, tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bank_that_numbers_no_entries_is_refused_at_the_start() {
    let files = Files::new();
    let (url, bank) = core_bank_with_parts(json!({"parts": ["account-keeping"]}), &files).await;
    write_configuration(&files, &url, BOTH);
    let output = tokio::task::spawn_blocking({
        let mut command = command(&files);
        move || command.output().unwrap()
    });
    let output = output.await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("[bank] interfaces has \"bunq\", and the core bank numbers no entries"), "{said}");

    // Without that interface it is not asked, and a bank that is away has not said no.
    write_configuration(&files, &url, "");
    drop(start(&files));
    bank.abort();
    let _ = bank.await;
    write_configuration(&files, &url, BOTH);
    let (mut program, listeners) = start(&files);
    let (interface, http) = (format!("https://{}", listeners.interface), trusting(&files));
    BunqClient::install_at(&http, &interface).await;
    let mut logged = String::new();
    program.0.kill().unwrap();
    program.0.stderr.take().unwrap().read_to_string(&mut logged).unwrap();
    assert!(logged.contains("does not say whether it numbers entries"), "{logged}");
}

/// A client that trusts the listeners' authority.
fn trusting(files: &Files) -> reqwest::Client {
    let ca = reqwest::Certificate::from_pem(files.ca.pem().as_bytes()).unwrap();
    reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap()
}
