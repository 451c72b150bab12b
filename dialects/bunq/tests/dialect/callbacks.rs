//! Callbacks: what happened is posted to those who asked for it, signed, again if it fails, and to nobody inside.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_signatures::key::{Algorithm, PublicKey};
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::bunq::{BunqClient, euro, shop};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Far longer than anything takes, for machines that are busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that is told things; it answers with a status that can be changed, or not at all with 0.
pub(crate) struct Told {
    pub(crate) url: String,
    status: Arc<AtomicU16>,
    posts: mpsc::UnboundedReceiver<(String, Vec<u8>)>,
}

impl Told {
    pub(crate) async fn start(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (sender, posts) = mpsc::unbounded_channel();
        let status = Arc::new(AtomicU16::new(status));
        let answer = Arc::clone(&status);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take(stream, sender.clone(), Arc::clone(&answer)));
            }
        });
        Self { url, status, posts }
    }

    fn answer_with(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    async fn post(&mut self) -> (String, Vec<u8>) {
        tokio::time::timeout(PATIENCE, self.posts.recv()).await.expect("nothing was told").unwrap()
    }

    /// The next thing that is told.
    pub(crate) async fn next(&mut self) -> Value {
        let (_, body) = self.post().await;
        serde_json::from_slice::<Value>(&body).unwrap()["NotificationUrl"].clone()
    }
}

async fn take(
    mut stream: TcpStream,
    posts: mpsc::UnboundedSender<(String, Vec<u8>)>,
    status: Arc<AtomicU16>,
) {
    let mut octets = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let Ok(count) = stream.read(&mut chunk).await else { return };
        octets.extend_from_slice(&chunk[..count]);
        let Some(end) = octets.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(octets[..end].to_vec()).unwrap();
        let length = field(&head, "content-length").parse::<usize>().unwrap();
        if octets.len() < end + 4 + length {
            continue;
        }
        let status = status.load(Ordering::SeqCst);
        posts.send((head, octets[end + 4..].to_vec())).ok();
        if status == 0 {
            std::future::pending::<()>().await;
        }
        let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let _ = stream.write_all(answer.as_bytes()).await;
        return;
    }
}

fn field(head: &str, name: &str) -> String {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")));
    line.map_or("", |line| line.split_once(':').unwrap().1.trim()).to_owned()
}

fn filters(of: &[(&str, &str)]) -> Value {
    let filter =
        |(category, target): &(&str, &str)| json!({"category": category, "notification_target": target});
    json!({"notification_filters": of.iter().map(filter).collect::<Vec<_>>()})
}

pub(crate) async fn subscribe(client: &BunqClient, of: &[(&str, &str)]) {
    let answer = client.post(&format!("/user/{}/notification-filter-url", client.user), &filters(of)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["Response"].as_array().unwrap().len(), of.len());
}

async fn pay(client: &BunqClient, account: i64, value: &str) -> i64 {
    let payment = json!({"amount": euro(value), "counterparty_alias": shop(), "description": "Told"});
    client.make(&client.below(account, "/payment"), &payment).await
}

#[tokio::test]
async fn payments_are_told_in_order_and_signed() {
    let server = TestServer::start().await;
    let own = BunqClient::customer(&server, &server.customer("nl", "household").await).await;
    let other = BunqClient::customer(&server, &server.customer("nl", "household").await).await;
    let account = own.account().await;
    pay(&own, account, "0.50").await;
    let mut told = Told::start(200).await;
    subscribe(&own, &[("MUTATION", &told.url), ("PAYMENT", &told.url)]).await;
    pay(&other, other.account().await, "9.00").await;
    for value in ["1.00", "2.00"] {
        let id = pay(&own, account, value).await;
        for category in ["MUTATION", "PAYMENT"] {
            let (head, body) = told.post().await;
            assert!(head.starts_with("POST /hook HTTP/1.1"), "{head}");
            assert_eq!(field(&head, "content-type"), "application/json");
            let base64: String = own.server_key.lines().filter(|line| !line.starts_with('-')).collect();
            let key = PublicKey::from_spki_der(&STANDARD.decode(base64).unwrap()).unwrap();
            let signature = STANDARD.decode(field(&head, "x-bunq-server-signature")).unwrap();
            assert!(key.verifies(Algorithm::RsaPkcs1Sha256, &body, &signature));
            let event = &serde_json::from_slice::<Value>(&body).unwrap()["NotificationUrl"];
            assert_eq!(
                (&event["target_url"], &event["category"], &event["event_type"]),
                (&json!(told.url), &json!(category), &json!(format!("{category}_CREATED")))
            );
            let seen = own.list(&own.below(account, &format!("/payment/{id}"))).await.remove(0);
            assert_eq!(event["object"]["Payment"], seen);
        }
    }
    // Nothing is told that nobody asks for, and nothing later that happened meanwhile.
    subscribe(&own, &[]).await;
    pay(&own, account, "3.00").await;
    let mut told = Told::start(200).await;
    subscribe(&own, &[("MUTATION", &told.url)]).await;
    let id = pay(&own, account, "4.00").await;
    assert_eq!(told.next().await["object"]["Payment"]["id"], id);
    // Money that comes in is told as such, by filters of the account too.
    let below = own.below(account, "/notification-filter-url");
    subscribe(&own, &[]).await;
    assert_eq!(own.post(&below, &filters(&[("MUTATION", &told.url)])).await.status, 200);
    let gift = json!({"amount_inquired": euro("5.00"), "description": "Please", "allow_bunqme": false,
        "counterparty_alias": {"type": "EMAIL", "value": "sugardaddy@bunq.com", "name": "Sugar Daddy"}});
    own.make(&own.below(account, "/request-inquiry"), &gift).await;
    let event = told.next().await;
    assert_eq!(event["event_type"], "MUTATION_RECEIVED");
    assert_eq!(event["object"]["Payment"]["amount"]["value"], "5.00");
}

#[tokio::test]
async fn what_fails_is_tried_again_each_minute_and_listed() {
    let server = TestServer::start().await;
    server.at_ten("nl").await;
    let own = BunqClient::customer(&server, &server.customer("nl", "household").await).await;
    let account = own.account().await;
    let mut told = Told::start(500).await;
    subscribe(&own, &[("MUTATION", &told.url)]).await;
    let failures = format!("/user/{}/notification-filter-failure", own.user);
    // Waits until there are so many failures with such a code.
    let listed = async |count: usize, code: Value| {
        for _ in 0..600 {
            let found = own.list(&failures).await;
            if found.len() == count && found.iter().all(|one| one["response_code"] == code) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{:?}", own.list(&failures).await);
    };
    // What waits is found by its time, and what is over by nobody but its user.
    let drawer = gateway::Drawer::new(&server.store(), "bunq");
    let waiting = async || drawer.all("callbacks-waiting").await.unwrap().len();
    let id = pay(&own, account, "1.00").await;
    assert_eq!(told.next().await["object"]["Payment"]["id"], id);
    let failure = listed(1, json!(500)).await.remove(0);
    assert_eq!(
        (&failure["category"], &failure["event_type"], &failure["object_id"]),
        (&json!("MUTATION"), &json!("MUTATION_CREATED"), &json!(id))
    );
    assert_eq!(failure["notification_filters"][0]["notification_target"], told.url.as_str());
    assert!(failure["exception_message"].as_str().unwrap().contains("500"), "{failure}");
    assert_eq!(waiting().await, 1);
    // A minute later the server takes it.
    told.answer_with(200);
    server.advance("nl", "PT61S").await;
    assert_eq!(told.next().await["object"]["Payment"]["id"], id);
    listed(0, Value::Null).await;
    assert_eq!(waiting().await, 0);
    // Six attempts, and then only when the user says so.
    told.answer_with(404);
    let id = pay(&own, account, "2.00").await;
    for attempt in 0..6 {
        assert_eq!(told.next().await["object"]["Payment"]["id"], id, "{attempt}");
        listed(1, json!(404)).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        server.advance("nl", "PT61S").await;
    }
    let failure = listed(1, json!(404)).await.remove(0);
    // The sixth is noted after it was sent.
    for _ in 0..600 {
        if waiting().await == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(waiting().await, 0);
    server.advance("nl", "PT1H").await;
    told.answer_with(200);
    let again = json!({"notification_filter_failed_ids": failure["id"].to_string()});
    let next = pay(&own, account, "3.00").await;
    assert_eq!(told.next().await["object"]["Payment"]["id"], next, "what was given up is not tried again");
    assert_eq!(own.post(&failures, &again).await.status, 200);
    assert_eq!(told.next().await["object"]["Payment"]["id"], id);
    listed(0, Value::Null).await;
    for (ids, status) in [("", 400), ("x", 400), ("1,,2", 400), (&"1,".repeat(150)[..299], 400), ("1", 404)] {
        let answer = own.post(&failures, &json!({"notification_filter_failed_ids": ids})).await;
        assert_eq!(answer.status, status, "{ids}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_server_that_never_answers_keeps_nobody_waiting() {
    let server = TestServer::start().await;
    let own = BunqClient::customer(&server, &server.customer("nl", "household").await).await;
    let other = BunqClient::customer(&server, &server.customer("nl", "household").await).await;
    let (mut silent, mut told) = (Told::start(0).await, Told::start(200).await);
    subscribe(&own, &[("MUTATION", &silent.url)]).await;
    subscribe(&other, &[("MUTATION", &told.url)]).await;
    pay(&own, own.account().await, "1.00").await;
    silent.next().await;
    // It holds the bank's call now; everything else goes on.
    let id = pay(&other, other.account().await, "2.00").await;
    assert_eq!(told.next().await["object"]["Payment"]["id"], id);
    pay(&own, own.account().await, "1.00").await;
}

#[tokio::test]
async fn decisions_about_requests_and_drafts_are_told() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let own = BunqClient::customer(&server, &customer).await;
    let provider = BunqClient::provider(&server, "Draft AISP PISP").await;
    let client = provider.connect(&server, &customer).await;
    let account = own.account().await;
    let mut told = Told::start(200).await;
    subscribe(&client, &[("DRAFT_PAYMENT", &told.url)]).await;
    let entry = json!({"amount": euro("1.50"), "counterparty_alias": shop(), "description": "Draft"});
    let draft = json!({"status": "PENDING", "entries": [entry], "number_of_required_accepts": 1});
    let path = client.below(account, "/draft-payment");
    let id = client.make(&path, &draft).await;
    let event = told.next().await;
    assert_eq!(
        (&event["event_type"], &event["object"]["DraftPayment"]["id"]),
        (&json!("DRAFT_PAYMENT_CREATED"), &json!(id))
    );
    let accepted =
        own.put(&own.below(account, &format!("/draft-payment/{id}")), &json!({"status": "ACCEPTED"})).await;
    assert_eq!(accepted.status, 200, "{}", accepted.body);
    let event = told.next().await;
    assert_eq!(
        (&event["event_type"], &event["object"]["DraftPayment"]["status"]),
        (&json!("DRAFT_PAYMENT_ACCEPTED"), &json!("ACCEPTED"))
    );
    // A request for money: its two sides.
    let payer = BunqClient::customer(&server, &server.customer("nl", "student").await).await;
    let payer_account = payer.list(&format!("/user/{}/monetary-account-bank", payer.user)).await.remove(0);
    let (mut asks, mut pays) = (Told::start(200).await, Told::start(200).await);
    subscribe(&own, &[("REQUEST", &asks.url)]).await;
    subscribe(&payer, &[("REQUEST", &pays.url)]).await;
    let inquiry = json!({"amount_inquired": euro("0.75"), "description": "Share", "allow_bunqme": false,
        "counterparty_alias": {"type": "IBAN", "value": payer_account["alias"][0]["value"], "name": "Student"}});
    let asked = own.make(&own.below(account, "/request-inquiry"), &inquiry).await;
    let event = asks.next().await;
    assert_eq!(
        (&event["event_type"], &event["object"]["RequestInquiry"]["id"]),
        (&json!("REQUEST_INQUIRY_CREATED"), &json!(asked))
    );
    let event = pays.next().await;
    assert_eq!(event["event_type"], "REQUEST_RESPONSE_CREATED");
    let response = event["object"]["RequestResponse"]["id"].as_i64().unwrap();
    let account_of_payer = payer_account["id"].as_i64().unwrap();
    let path = payer.below(account_of_payer, &format!("/request-response/{response}"));
    assert_eq!(payer.put(&path, &json!({"status": "REJECTED"})).await.status, 200);
    assert_eq!(asks.next().await["event_type"], "REQUEST_INQUIRY_REJECTED");
    assert_eq!(pays.next().await["event_type"], "REQUEST_RESPONSE_REJECTED");
}

/// However many are newer, also of somebody else, what was told as waiting is told when it is decided.
#[tokio::test]
async fn decisions_are_told_however_many_others_ask_meanwhile() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let own = BunqClient::customer(&server, &customer).await;
    let account = own.account().await;
    let first = BunqClient::provider(&server, "First AISP PISP").await.connect(&server, &customer).await;
    let second = BunqClient::provider(&server, "Second AISP PISP").await.connect(&server, &customer).await;
    let entry = json!({"amount": euro("1.50"), "counterparty_alias": shop(), "description": "Draft"});
    let draft = json!({"entries": [entry], "number_of_required_accepts": 1});
    let path = own.below(account, "/draft-payment");
    let make = async |who: &BunqClient| who.make(&who.below(account, "/draft-payment"), &draft).await;
    // One that was there before there were filters, and one of which it was told.
    let before = make(&first).await;
    let mut told = Told::start(200).await;
    subscribe(&first, &[("DRAFT_PAYMENT", &told.url)]).await;
    let after = make(&first).await;
    assert_eq!(told.next().await["object"]["DraftPayment"]["id"], after);
    for _ in 0..12 {
        make(&second).await;
    }
    for (id, decision) in [(after, "ACCEPTED"), (before, "REJECTED")] {
        let answer = own.put(&format!("{path}/{id}"), &json!({"status": decision})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let event = told.next().await;
        assert_eq!(
            (&event["event_type"], &event["object"]["DraftPayment"]["id"]),
            (&json!(format!("DRAFT_PAYMENT_{decision}")), &json!(id))
        );
    }
}

#[tokio::test]
async fn a_third_party_is_told_that_its_access_ended_and_then_nothing() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let own = BunqClient::customer(&server, &customer).await;
    let provider = BunqClient::provider(&server, "Reader AISP").await;
    let client = provider.connect(&server, &customer).await;
    let account = own.account().await;
    let mut told = Told::start(200).await;
    subscribe(&client, &[("MUTATION", &told.url), ("OAUTH", &told.url)]).await;
    let id = pay(&own, account, "1.00").await;
    let payment = told.next().await["object"]["Payment"].clone();
    assert_eq!(
        (&payment["id"], &payment["balance_after_mutation"]["value"]),
        (&json!(id), &Value::Null),
        "as it sees it"
    );
    let iban = customer["iban"].as_str().unwrap();
    let (_, consents) = server.manage("GET", &format!("/consents?iban={iban}"), Value::Null).await;
    let consent = consents["consents"][0]["consentId"].as_str().unwrap().to_owned();
    let (status, body) = server.manage("POST", &format!("/consents/{consent}/revocation"), Value::Null).await;
    assert!(status < 300, "{status}: {body}");
    pay(&own, account, "2.00").await;
    let event = told.next().await;
    assert_eq!((&event["category"], &event["event_type"]), (&json!("OAUTH"), &json!("OAUTH_REVOKED")));
    // Whatever is told after that is of somebody else.
    subscribe(&own, &[("PAYMENT", &told.url)]).await;
    pay(&own, account, "3.00").await;
    assert_eq!(told.next().await["category"], "PAYMENT");
}

#[tokio::test]
async fn a_third_party_that_may_not_act_is_told_nothing_until_it_may() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let own = BunqClient::customer(&server, &customer).await;
    let account = own.account().await;
    let provider = BunqClient::provider(&server, "Told AISP").await;
    let client = provider.connect(&server, &customer).await;
    let mut told = Told::start(200).await;
    subscribe(&client, &[("MUTATION", &told.url), ("OAUTH", &told.url)]).await;
    let first = pay(&own, account, "1.00").await;
    assert_eq!(told.next().await["object"]["Payment"]["id"], first);
    let listed = server.manage("GET", "/test-certificates", Value::Null).await.1;
    let fingerprint = listed["certificates"][0]["fingerprint"].as_str().unwrap().to_owned();
    let set = async |status: &str| {
        let path = format!("/test-certificates/{fingerprint}");
        assert_eq!(server.manage("PUT", &path, json!({"status": status})).await.0, 200);
    };
    set("revoked").await;
    let second = pay(&own, account, "2.00").await;
    // Long enough for the bank to look at it, were it to tell.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(told.posts.try_recv().is_err(), "told to somebody who may not act");
    set("active").await;
    let event = told.next().await;
    assert_eq!((&event["category"], &event["object"]["Payment"]["id"]), (&json!("MUTATION"), &json!(second)));
    // Blocking ends the access, which is told when the third party may act again.
    set("blocked").await;
    pay(&own, account, "3.00").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(told.posts.try_recv().is_err(), "told to somebody who is blocked");
    set("active").await;
    assert_eq!(told.next().await["event_type"], "OAUTH_REVOKED");
}

/// Nobody looks for what nobody wants to be told any more.
#[tokio::test]
async fn filters_that_are_taken_back_are_gone() {
    let server = TestServer::start().await;
    let own = BunqClient::customer(&server, &server.customer("nl", "household").await).await;
    let account = own.account().await;
    let of_user = format!("/user/{}/notification-filter-url", own.user);
    let of_account = own.below(account, "/notification-filter-url");
    let drawer = gateway::Drawer::new(&server.store(), "bunq");
    let kept = async || drawer.all("notification-filters").await.unwrap().len();
    let wanted = filters(&[("MUTATION", "https://tpp.example/hook")]);
    for path in [&of_user, &of_account] {
        assert_eq!(own.post(path, &wanted).await.status, 200);
    }
    assert_eq!(kept().await, 2);
    for (path, left) in [(&of_user, 1), (&of_account, 0), (&of_user, 0)] {
        assert_eq!(own.post(path, &filters(&[])).await.status, 200);
        assert_eq!((kept().await, own.list(path).await.len()), (left, 0));
    }
    assert_eq!(own.post(&of_user, &wanted).await.status, 200);
    assert_eq!((kept().await, own.list(&of_user).await.len()), (1, 1));
}

#[tokio::test]
async fn targets_that_the_bank_does_not_call_are_refused() {
    let server = TestServer::start().await;
    let own = BunqClient::customer(&server, &server.customer("nl", "household").await).await;
    for (target, text) in [
        ("http://tpp.example/x", "must begin with https://"),
        ("https://10.0.0.1/x", "name of a host instead of an IP address"),
        ("https://169.254.169.254/latest", "name of a host instead of an IP address"),
        ("https://[fe80::1]/x", "name of a host instead of an IP address"),
        ("https://tpp.example:22/x", "must be at port 443"),
        ("https://user:secret@tpp.example/x", "without user name"),
        ("http://127.0.0.1/", "must begin with https://"),
    ] {
        let path = format!("/user/{}/notification-filter-url", own.user);
        let answer = own.post(&path, &filters(&[("MUTATION", target)])).await;
        assert_eq!(answer.status, 400, "{target}");
        assert!(answer.body.contains(text), "{target}: {}", answer.body);
    }
}

#[tokio::test]
async fn nobody_makes_the_bank_call_itself() {
    let server = TestServer::start().await;
    let own = BunqClient::customer(&server, &server.customer("nl", "household").await).await;
    let path = format!("/user/{}/notification-filter-url", own.user);
    let of_bank = server.running.addresses.clone();
    for url in [of_bank.public, of_bank.tls.unwrap(), of_bank.management] {
        let port = url.rsplit(':').next().unwrap();
        for host in ["127.0.0.1", "127.1.2.3", "localhost", "[::1]", "2130706433"] {
            for scheme in ["http", "https"] {
                let target = format!("{scheme}://{host}:{port}/signing-keys");
                let answer = own.post(&path, &filters(&[("MUTATION", &target)])).await;
                assert_eq!(answer.status, 400, "{target}");
                // Where http:// is for programs of one's own, no other address of this machine may be written.
                let is_known = scheme == "https" || ["127.0.0.1", "localhost", "[::1]"].contains(&host);
                let text =
                    if is_known { "must not be one of this bank itself" } else { "must begin with https://" };
                assert!(answer.body.contains(text), "{target}: {}", answer.body);
            }
        }
    }
    assert!(own.list(&path).await.is_empty());
    // A filter that is kept from before that was refused is not followed either.
    let mut told = Told::start(200).await;
    subscribe(&own, &[("MUTATION", &told.url)]).await;
    let drawer = gateway::Drawer::new(&server.store(), "bunq");
    let management = format!("{}/clock", server.running.addresses.management);
    let kept =
        json!([{"category": "MUTATION", "target": management}, {"category": "MUTATION", "target": told.url}]);
    drawer.put("notification-filters", &format!("user/{}", own.user), &kept.to_string()).await.unwrap();
    pay(&own, own.account().await, "1.00").await;
    told.next().await;
    let failed = own.list(&format!("/user/{}/notification-filter-failure", own.user)).await;
    assert_eq!(failed.len(), 1);
    assert_eq!(
        (&failed[0]["response_code"], &failed[0]["notification_filters"][0]["notification_target"]),
        (&Value::Null, &json!(management))
    );
}

#[tokio::test]
async fn a_bank_that_others_reach_calls_nothing_on_its_machine() {
    let server = TestServer::with(|config| config.tls_listen = Some("0.0.0.0:0".to_owned())).await;
    let told = Told::start(200).await;
    let own = BunqClient::customer(&server, &server.customer("nl", "household").await).await;
    let path = format!("/user/{}/notification-filter-url", own.user);
    for target in [told.url.replace("http:", "https:"), told.url, "https://127.0.0.1/".to_owned()] {
        let answer = own.post(&path, &filters(&[("MUTATION", &target)])).await;
        assert_eq!(answer.status, 400, "{target}");
    }
}
