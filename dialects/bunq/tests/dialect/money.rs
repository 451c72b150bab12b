//! Payments for which there is no money: refused with the reason, waiting as before, and made later; paid or refused,
//! and nothing in between, whoever looks meanwhile.

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::bunq::{BunqClient, element, euro, shop};
use testkit::{Answer, Request, TestServer, parameter};

const PAGE: &str = "/auth/internalonly/authorise.html";

async fn poor(server: &TestServer) -> (Value, BunqClient, i64) {
    let (status, customer) =
        server.manage("POST", "/test-accounts", json!({"tenant": "nl", "persona": "empty"})).await;
    assert_eq!(status, 201, "{customer}");
    let own = BunqClient::customer(server, &customer).await;
    let account = own.account().await;
    (customer, own, account)
}

/// Money from the party that gives it to whoever asks.
async fn give(own: &BunqClient, account: i64, amount: &str) {
    let giver = json!({"type": "EMAIL", "value": "sugardaddy@bunq.com"});
    let body = json!({"amount_inquired": euro(amount), "counterparty_alias": giver, "description": "x",
        "allow_bunqme": false});
    own.make(&own.below(account, "/request-inquiry"), &body).await;
}

async fn ask(asker: &BunqClient, account: i64, whom: &Value, amount: &str) {
    let whom = json!({"type": "IBAN", "value": whom["iban"], "name": "P. Payer"});
    let body = json!({"amount_inquired": euro(amount), "counterparty_alias": whom, "description": "Please",
        "allow_bunqme": false});
    asker.make(&asker.below(account, "/request-inquiry"), &body).await;
}

/// A request is accepted while money for it arrives and others look at it. Whoever was told "insufficient funds" finds
/// it waiting and the money where it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_paid_or_refused_and_nothing_in_between() {
    let server = TestServer::start().await;
    let (customer, payer, account) = poor(&server).await;
    let (_, asker, asking) = poor(&server).await;
    let responses = payer.below(account, "/request-response");
    let (mut paid, payer) = (0, Arc::new(payer));
    for round in 0..30_usize {
        ask(&asker, asking, &customer, "1.00").await;
        let id = &payer.list(&responses).await[0]["id"];
        let path = format!("{responses}/{id}");
        let accept = json!({"status": "ACCEPTED", "amount_responded": euro("1.00")});
        let accepting = tokio::spawn({
            let (payer, path, accept) = (Arc::clone(&payer), path.clone(), accept.clone());
            async move { payer.put(&path, &accept).await }
        });
        let looking: Vec<_> = (0..3)
            .map(|_| {
                let (payer, path) = (Arc::clone(&payer), path.clone());
                tokio::spawn(async move { payer.list(&path).await })
            })
            .collect();
        for _ in 0..round % 5 {
            tokio::task::yield_now().await;
        }
        give(&payer, account, "1.00").await;
        let answer = accepting.await.unwrap();
        for one in looking {
            one.await.unwrap();
        }
        let status = payer.list(&path).await[0]["status"].clone();
        if answer.status == 200 {
            assert_eq!(status, "ACCEPTED", "round {round}");
        } else {
            assert_eq!((answer.status, status), (400, json!("PENDING")), "round {round}: {}", answer.body);
            assert!(answer.body.contains("insufficient funds"), "{}", answer.body);
            assert_eq!(asker.balance(asking).await, paid, "round {round}: refused, and the money moved");
            let later = payer.put(&path, &accept).await;
            assert_eq!(later.status, 200, "round {round}: {}", later.body);
        }
        paid += 100;
        assert_eq!((payer.balance(account).await, asker.balance(asking).await), (0, paid), "round {round}");
    }
}

/// Drafts of the customer and of a third party, with one entry and with several, and requests of somebody else.
#[tokio::test]
async fn what_is_accepted_in_person_without_the_money_waits_for_it() {
    let server = TestServer::start().await;
    let (customer, own, account) = poor(&server).await;
    let (_, asker, asking) = poor(&server).await;
    let client = BunqClient::provider(&server, "Patient AISP PISP").await.connect(&server, &customer).await;
    let entry = json!({"amount": euro("4.00"), "counterparty_alias": shop(), "description": "Wait"});
    let drafts = own.below(account, "/draft-payment");
    let body = |entries: Value| json!({"number_of_required_accepts": 1, "entries": entries});
    let one = own.make(&drafts, &body(json!([entry]))).await;
    let several = own.make(&drafts, &body(json!([entry, entry]))).await;
    let theirs = client.make(&client.below(account, "/draft-payment"), &body(json!([entry]))).await;
    ask(&asker, asking, &customer, "4.00").await;
    let responses = own.below(account, "/request-response");
    let request = format!("{responses}/{}", own.list(&responses).await[0]["id"]);
    let paths = [one, several, theirs].map(|id| format!("{drafts}/{id}"));
    for path in paths.iter().chain([&request]) {
        let before = own.list(path).await;
        let refused = own.put(path, &json!({"status": "ACCEPTED"})).await;
        assert_eq!(refused.status, 400, "{path}: {}", refused.body);
        assert!(refused.body.contains("insufficient funds"), "{}", refused.body);
        assert_eq!(own.list(path).await, before, "{path}: it waits as before");
    }
    give(&own, account, "20.00").await;
    for path in paths.iter().chain([&request]) {
        let accepted = own.put(path, &json!({"status": "ACCEPTED"})).await;
        assert_eq!(accepted.status, 200, "{path}: {}", accepted.body);
        assert_eq!(own.list(path).await[0]["status"], "ACCEPTED", "{path}");
        let again = own.put(path, &json!({"status": "ACCEPTED"})).await;
        assert_eq!(again.status, 400, "{path}: {}", again.body);
    }
    assert_eq!((own.balance(account).await, asker.balance(asking).await), (0, 400));
}

/// A browser at the bank's page, logged in.
struct Browser<'a> {
    server: &'a TestServer,
    cookie: String,
}

impl<'a> Browser<'a> {
    async fn open(server: &'a TestServer, url: &str, customer: &Value) -> Self {
        let target = url.strip_prefix(server.url()).unwrap();
        let answer = server.send(&Request::new("GET", target).set("accept", "text/html")).await;
        let mut browser = Self { server, cookie: String::new() };
        browser.keep_cookie(&answer);
        let text = |name: &str| customer[name].as_str().unwrap().to_owned();
        let (iban, answer) = (text("iban"), text("digipassNumber"));
        browser.submit(&[("action", "log-in"), ("iban", &iban), ("answer", &answer)]).await;
        browser
    }

    fn keep_cookie(&mut self, answer: &Answer) {
        if let Some(set) = answer.header("set-cookie").split(';').next().filter(|set| !set.is_empty()) {
            set.clone_into(&mut self.cookie);
        }
    }

    async fn page(&self) -> String {
        let page = format!("{PAGE}?lang=en");
        let request = Request::new("GET", &page).set("accept", "text/html").set("cookie", &self.cookie);
        self.server.send(&request).await.body
    }

    async fn submit(&mut self, fields: &[(&str, &str)]) -> Answer {
        let page = self.page().await;
        let mut form: Vec<(&str, String)> = vec![("csrf", field(&page, "csrf"))];
        if page.contains("name=\"challenge\"") && !fields.iter().any(|(name, _)| *name == "challenge") {
            form.push(("challenge", field(&page, "challenge")));
        }
        form.extend(fields.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let form: Vec<String> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::new("POST", PAGE).set("accept", "text/html").set("cookie", &self.cookie);
        let answer = self.server.send(&request.form(&form.join("&"))).await;
        self.keep_cookie(&answer);
        answer
    }
}

impl Browser<'_> {
    /// Approves payments with the answer that the simulator on the page gives for them.
    async fn pay(&mut self, fields: &[(&str, &str)]) -> Answer {
        let page = self.submit(&[&[("action", "simulate")], fields].concat()).await.body;
        let (challenge, answer) = (field(&page, "challenge"), field_after(&page, "id=\"simulated\">"));
        let answer = answer.split('<').next().unwrap();
        let answered = [("action", "approve"), ("challenge", &challenge), ("answer", answer)];
        // The page that is asked for again shows several payments to choose from, and no challenge.
        self.submit(&[&answered, fields].concat()).await
    }
}

fn field(page: &str, name: &str) -> String {
    let after = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("{page}")).1;
    after.split('"').next().unwrap().to_owned()
}

const WARNING: &str = "does not hold enough for this payment";

#[tokio::test]
async fn the_page_warns_before_and_the_way_back_says_what_became_of_it() {
    let server = TestServer::start().await;
    let (customer, own, account) = poor(&server).await;
    let iban = customer["iban"].as_str().unwrap();
    let provider = BunqClient::provider(&server, "Warned PISP").await;
    let drafts = format!("/user/{}/payment-service-provider-draft-payment", provider.user);
    let body = json!({"sender_iban": iban, "counterparty_iban": "NL91ABNA0417164300",
        "counterparty_name": "Shop", "description": "Order", "amount": euro("6.00")});
    let status = async |id: i64| provider.list(&format!("{drafts}/{id}")).await[0]["status"].clone();
    let id = provider.make(&drafts, &body).await;
    let url = provider.authorization_url().await;

    // The page says it before, and says it again when the customer accepts all the same.
    let mut browser = Browser::open(&server, &url, &customer).await;
    let page = browser.page().await;
    assert!(page.contains(WARNING) && !page.contains("Nothing was paid"), "{page}");
    let name = format!("payment.{}", field_after(&page, "name=\"payment."));
    let refused = browser.pay(&[(&name, "accept")]).await;
    assert_eq!(refused.status, 200, "{}", refused.header("location"));
    assert!(refused.body.contains("Nothing was paid") && refused.body.contains(WARNING), "{}", refused.body);
    assert_eq!(status(id).await, "PENDING");
    let back = browser.submit(&[("action", "cancel")]).await;
    assert_why(back.header("location"));
    assert_eq!(status(id).await, "PENDING");

    // The same without a browser.
    assert_why(&server.decide(&url, iban, "approve").await);
    assert_eq!((status(id).await, own.balance(account).await), (json!("PENDING"), 0));

    // With the money there is no warning, and the payment that waited is made.
    give(&own, account, "6.00").await;
    let mut browser = Browser::open(&server, &url, &customer).await;
    assert!(!browser.page().await.contains(WARNING));
    let paid = browser.pay(&[(&name, "accept")]).await;
    assert!(parameter(paid.header("location"), "code").is_some(), "{}", paid.header("location"));
    assert_eq!((status(id).await, own.balance(account).await), (json!("ACCEPTED"), 0));

    // Each of two payments could be made, both cannot: neither is, and the page says which one.
    give(&own, account, "10.00").await;
    let two = [provider.make(&drafts, &body).await, provider.make(&drafts, &body).await];
    let mut browser = Browser::open(&server, &url, &customer).await;
    let page = browser.page().await;
    assert!(!page.contains(WARNING), "{page}");
    let names: Vec<String> = page
        .split("name=\"payment.")
        .skip(1)
        .map(|rest| format!("payment.{}", rest.split('"').next().unwrap()))
        .collect();
    let (first, last) = (names.first().unwrap(), names.last().unwrap());
    let refused = browser.pay(&[(first, "accept"), (last, "accept")]).await;
    assert_eq!((refused.status, refused.body.matches(WARNING).count()), (200, 1), "{}", refused.body);
    assert_eq!((status(two[0]).await, status(two[1]).await), (json!("PENDING"), json!("PENDING")));
    assert_eq!(own.balance(account).await, 1000);
    browser.pay(&[(first, "accept"), (last, "later")]).await;
    assert_eq!(own.balance(account).await, 400);
}

/// A payer who is unknown chooses an account: those that hold too little say so, and the payment waits.
#[tokio::test]
async fn a_payer_who_chooses_sees_which_account_holds_too_little() {
    let server = TestServer::start().await;
    let (customer, own, account) = poor(&server).await;
    let provider = BunqClient::provider(&server, "Till PISP").await;
    let path = format!("/user/{}/payment-service-provider-issuer-transaction", provider.user);
    let body = json!({"counterparty_alias": shop(), "amount": euro("5.00"), "description": "Order 1",
        "url_redirect": "https://shop.example/done?order=1"});
    let id = provider.make(&path, &body).await;
    let read = async || {
        element(&provider.get(&format!("{path}/{id}")).await, "PaymentServiceProviderIssuerTransaction")
    };
    let url =
        format!("{}/bunq/psp?transactionId={}", server.url(), read().await["public_uuid"].as_str().unwrap());
    let mut browser = Browser::open(&server, &url, &customer).await;
    let page = browser.page().await;
    assert!(page.contains(WARNING) && page.contains("not enough for this payment"), "{page}");
    let (payment, chosen) = (
        format!("payment.{}", field_after(&page, "name=\"payment.")),
        field_after(&page, "name=\"account\" value=\""),
    );
    let approve = [(payment.as_str(), "accept"), ("account", chosen.as_str())];
    let refused = browser.pay(&approve).await;
    assert_eq!((refused.status, read().await["status"].as_str()), (200, Some("PENDING")), "{}", refused.body);
    let left = server.decide(&url, customer["iban"].as_str().unwrap(), "approve").await;
    assert_eq!(left, "https://shop.example/done?order=1", "nothing is added to the address");
    assert_eq!(read().await["status"], "PENDING");
    give(&own, account, "5.00").await;
    let paid = browser.pay(&approve).await;
    assert_eq!(paid.header("location"), "https://shop.example/done?order=1", "{}", paid.body);
    assert_eq!((read().await["status"].as_str(), own.balance(account).await), (Some("ACCEPTED"), 0));
}

fn field_after(page: &str, start: &str) -> String {
    page.split_once(start).unwrap_or_else(|| panic!("{page}")).1.split('"').next().unwrap().to_owned()
}

fn assert_why(location: &str) {
    assert_eq!(parameter(location, "error").as_deref(), Some("access_denied"), "{location}");
    let why = parameter(location, "error_description").unwrap();
    assert!(why.contains("insufficient funds") && why.contains("still waits"), "{why}");
    assert_eq!(parameter(location, "state").as_deref(), Some("s 1"), "{location}");
}
