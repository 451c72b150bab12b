//! What the customer is shown before money moves: each amount, to whom, for what and from where, as the third party asked
//! and as it is paid then.

use serde_json::{Value, json};
use testkit::bunq::{BunqClient, euro, shop};
use testkit::{Answer, TestServer, parameter};

use crate::pages::{Browser, value};

/// Without marks and line ends, as it is read.
fn text(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, text)| text));
        text.push(' ');
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What stands between the beginning of each payment on the page and its first choice.
fn payments(page: &str) -> Vec<String> {
    let parts = page.split("<fieldset class=\"payment\">").skip(1);
    let shown = |part: &str| text(part.split_once("</fieldset>").unwrap().0.split("<p").next().unwrap());
    parts.map(shown).collect()
}

/// The name under which the form has the first payment.
pub(crate) fn payment(page: &str) -> String {
    format!("payment.{}", page.split_once("name=\"payment.").unwrap().1.split('"').next().unwrap())
}

fn creditor(iban: &str, name: &str) -> Value {
    json!({"type": "IBAN", "value": iban, "name": name})
}

const SHOP: &str = "NL91ABNA0417164300";
const BAKERY: &str = "DE89370400440532013000";

#[tokio::test]
async fn each_amount_is_shown_with_its_payee() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let iban = customer["iban"].as_str().unwrap();
    let provider = BunqClient::provider(&server, "Pages AISP PISP").await;
    let client = provider.connect(&server, &customer).await;
    let account = client.account().await;
    let entry = |amount: &str, iban: &str, name: &str, text: &str| {
        json!({"amount": euro(amount),
        "counterparty_alias": creditor(iban, name), "description": text})
    };
    let body = json!({"number_of_required_accepts": 1, "entries": [
        entry("1234.50", SHOP, "Fish & Chips <b>", "Order 7"),
        entry("0.01", BAKERY, "Bäckerei", ""),
    ]});
    let drafts = client.below(account, "/draft-payment");
    let draft = client.make(&drafts, &body).await;
    let single = json!({"sender_iban": iban, "counterparty_iban": SHOP, "counterparty_name": "Shop",
        "description": "Order 8", "amount": euro("7.00")});
    let single_path = format!("/user/{}/payment-service-provider-draft-payment", provider.user);
    provider.make(&single_path, &single).await;
    let mut browser = Browser::open(&server, &provider.authorization_url().await).await;
    browser.log_in(&customer).await;
    let page = browser.get("?lang=en").await.body;
    let mut shown = payments(&page);
    shown.sort_by_key(String::len);
    let number = iban.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ");
    let from = format!("When As soon as possible From account {number} ");
    let wanted = format!("Amount €7.00 To Shop NL91 ABNA 0417 1643 00 For Order 8 {from}");
    assert!(shown[0].contains(&wanted) && shown[0].ends_with(" available"), "{}", shown[0]);
    let wanted = format!("Total €1,234.51 in 2 transfers {from}");
    assert!(shown[1].contains(&wanted), "{}", shown[1]);
    let wanted = "Transfers 1 to 2 Payee Amount Fish &#38; Chips &#60;b&#62; NL91 ABNA 0417 1643 00 Order 7 €1,234.50 \
                  Bäckerei DE89 3704 0044 0532 0130 00 €0.01";
    assert!(shown[1].ends_with(wanted), "{}", shown[1]);
    assert_eq!(shown.len(), 2, "{page}");
    // What was shown is what is paid.
    let location = server.decide(&provider.authorization_url().await, iban, "approve").await;
    assert!(location.contains("code="), "{location}");
    let paid = client.list(&format!("{drafts}/{draft}")).await.remove(0);
    let paid = paid["object"]["PaymentBatch"]["payments"].as_array().unwrap().clone();
    let mut paid: Vec<_> = paid
        .iter()
        .map(|one| {
            (one["amount"]["value"].as_str().unwrap(), one["counterparty_alias"]["iban"].as_str().unwrap())
        })
        .collect();
    paid.sort_unstable();
    assert_eq!(paid, [("-0.01", BAKERY), ("-1234.50", SHOP)]);
}

#[tokio::test]
async fn a_payment_whose_payer_is_unknown_is_shown_as_well() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let provider = BunqClient::provider(&server, "Checkout PISP").await;
    let path = format!("/user/{}/payment-service-provider-issuer-transaction", provider.user);
    let body = json!({"counterparty_alias": creditor(SHOP, "Shop"), "amount": euro("49.95"), "description": "Order 9",
        "url_redirect": "https://shop.example/done", "time_expiry": null, "status": "PENDING"});
    let id = provider.make(&path, &body).await;
    let id = provider.list(&format!("{path}/{id}")).await[0]["public_uuid"].as_str().unwrap().to_owned();
    let url = format!("{}/bunq/psp?transactionId={id}", server.url());
    let mut browser = Browser::open(&server, &url).await;
    browser.log_in(&customer).await;
    let page = browser.get("?lang=nl").await.body;
    let shown = "Betaling Bedrag €\u{a0}49,95 Aan Shop NL91 ABNA 0417 1643 00 Omschrijving Order 9 Wanneer Zo snel mogelijk";
    assert_eq!(payments(&page), [shown.replace('\u{a0}', " ")], "{page}");
    assert!(page.contains("€\u{a0}49,95"), "the sign and the number stay on one line");
}

/// An order of a checkout whose payer is unknown, and the way to the page about it.
async fn order(server: &TestServer, provider: &BunqClient, amount: &str) -> (String, String) {
    let path = format!("/user/{}/payment-service-provider-issuer-transaction", provider.user);
    let body = json!({"counterparty_alias": creditor(SHOP, "Shop"), "amount": euro(amount), "description": "Order 9",
        "url_redirect": "https://shop.example/done", "time_expiry": null, "status": "PENDING"});
    let path = format!("{path}/{}", provider.make(&path, &body).await);
    let id = provider.list(&path).await[0]["public_uuid"].as_str().unwrap().to_owned();
    (path, format!("{}/bunq/psp?transactionId={id}", server.url()))
}

#[tokio::test]
async fn an_answer_is_worth_something_for_what_was_shown_beside_it() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "saver").await;
    let provider = BunqClient::provider(&server, "Checkout PISP").await;
    let status = async |path: &str| provider.list(path).await[0]["status"].clone();
    let (small_path, small) = order(&server, &provider, "1.00").await;
    let (large_path, large) = order(&server, &provider, "49.95").await;
    let (mut first, mut second) =
        (Browser::open(&server, &small).await, Browser::open(&server, &large).await);
    first.log_in(&customer).await;
    second.log_in(&customer).await;
    let (small, large) = (first.get("?lang=en").await.body, second.get("?lang=en").await.body);
    let (small, large) =
        ((payment(&small), value(&small, "account")), (payment(&large), value(&large, "account")));
    let fields =
        |of: &(String, String)| [(of.0.clone(), "accept".to_owned()), ("account".to_owned(), of.1.clone())];
    let (small, large) = (fields(&small), fields(&large));
    let small: Vec<(&str, &str)> =
        small.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let large: Vec<(&str, &str)> =
        large.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();

    // The answer for the small one pays nothing else, and an answer to no challenge of the page counts for nothing.
    let (challenge, answer) = first.simulate(&small).await;
    let other = second.answer(&large, (&challenge, &answer)).await;
    assert!(other.status == 200 && other.body.contains("was for something else"), "{}", other.body);
    let (large_challenge, _) = second.simulate(&large).await;
    assert_ne!(challenge, large_challenge);
    let wrong = second.answer(&large, (&large_challenge, &answer)).await;
    assert!(wrong.status == 200 && wrong.body.contains("Attempts left: 2"), "{}", wrong.body);
    // The number of the device opens the door and pays nothing.
    let (large_challenge, _) = second.simulate(&large).await;
    let number = customer["digipassNumber"].as_str().unwrap();
    let wrong = second.answer(&large, (&large_challenge, number)).await;
    assert!(wrong.status == 200 && wrong.body.contains("Attempts left: 1"), "{}", wrong.body);
    let none = second.answer(&large, (&large_challenge, "")).await;
    assert!(none.status == 200 && !none.body.contains("Attempts left"), "{}", none.body);
    assert_eq!((status(&small_path).await, status(&large_path).await), (json!("PENDING"), json!("PENDING")));

    // Another account is the customer's own choice.
    let page = first.get("").await.body;
    let accounts: Vec<&str> = page.split("name=\"account\" value=\"").skip(1).collect();
    let another = accounts[1].split('"').next().unwrap();
    let paid = first.answer(&[small[0], ("account", another)], (&challenge, &answer)).await;
    assert_eq!((paid.status, paid.header("location")), (303, "https://shop.example/done"), "{}", paid.body);
    assert_eq!(status(&small_path).await, "ACCEPTED");

    // The third wrong answer ends it, and the payment waits as before.
    let (large_challenge, _) = second.simulate(&large).await;
    let ended = second.answer(&large, (&large_challenge, "000000")).await;
    assert_eq!(ended.status, 303, "{}", ended.body);
    let location = ended.header("location");
    assert_eq!(parameter(location, "error").as_deref(), Some("access_denied"), "{location}");
    assert!(
        parameter(location, "error_description").unwrap().starts_with("The answers were wrong three times"),
        "{location}"
    );
    assert_eq!(status(&large_path).await, "PENDING");
}

#[tokio::test]
async fn wrong_answers_for_payments_and_at_the_log_in_are_counted_together() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "saver").await;
    let provider = BunqClient::provider(&server, "Checkout PISP").await;
    let (path, url) = order(&server, &provider, "1.00").await;
    let mut browser = Browser::open(&server, &url).await;
    browser.log_in(&customer).await;
    let page = browser.get("?lang=en").await.body;
    let (payment, account) = (payment(&page), value(&page, "account"));
    let fields = [(payment.as_str(), "accept"), ("account", account.as_str())];
    let mut stranger = Browser::open(&server, &url).await;
    let wrong = [("action", "log-in"), ("iban", customer["iban"].as_str().unwrap()), ("answer", "000000")];
    for _ in 0..3 {
        stranger.submit(&wrong).await;
    }
    let (challenge, _) = browser.simulate(&fields).await;
    let fourth = browser.answer(&fields, (&challenge, "000000")).await;
    assert!(fourth.body.contains("Attempts left: 2"), "{}", fourth.body);
    let (challenge, answer) = browser.simulate(&fields).await;
    let fifth = browser.answer(&fields, (&challenge, "000000")).await;
    assert!(fifth.body.contains("After five wrong answers in a row"), "{}", fifth.body);
    let (next, right) = browser.simulate(&fields).await;
    assert_ne!((&next, &right), (&challenge, &answer));
    let blocked = browser.answer(&fields, (&next, &right)).await;
    assert!(blocked.body.contains("After five wrong answers in a row"), "the right answer does not help");
    assert_eq!(provider.list(&path).await[0]["status"], "PENDING");
}

#[tokio::test]
async fn of_several_payments_those_that_were_chosen_are_answered_for() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let iban = customer["iban"].as_str().unwrap();
    let provider = BunqClient::provider(&server, "Drafts PISP").await;
    let path = format!("/user/{}/payment-service-provider-draft-payment", provider.user);
    let draft = |amount: &str| {
        json!({"sender_iban": iban, "counterparty_iban": SHOP, "counterparty_name": "Shop",
            "description": "Order", "amount": euro(amount)})
    };
    let ids = [provider.make(&path, &draft("1.00")).await, provider.make(&path, &draft("2.00")).await];
    let mut browser = Browser::open(&server, &provider.authorization_url().await).await;
    browser.log_in(&customer).await;
    let page = browser.get("?lang=en").await.body;
    assert!(!page.contains("name=\"challenge\""), "first comes what becomes of each");
    let names: Vec<String> = page.split("<fieldset class=\"payment\">").skip(1).map(payment).collect();
    let both = [(names[0].as_str(), "accept"), (names[1].as_str(), "accept")];
    let one = [(names[0].as_str(), "accept"), (names[1].as_str(), "reject")];
    let asked = browser.submit(&[&[("action", "approve")], &one[..]].concat()).await;
    assert_eq!((asked.status, payments(&asked.body).len()), (200, 1), "{}", asked.body);
    assert!(asked.body.contains("Change what you chose"), "{}", asked.body);
    // An answer for one of them is none for both.
    let (challenge, answer) = browser.simulate(&one).await;
    let other = browser.answer(&both, (&challenge, &answer)).await;
    assert!(other.body.contains("was for something else"), "{}", other.body);
    let paid = browser.answer(&one, (&challenge, &answer)).await;
    assert!(parameter(paid.header("location"), "code").is_some(), "{}", paid.body);
    let mut became = Vec::new();
    for id in ids {
        became.push(provider.list(&format!("{path}/{id}")).await[0]["status"].as_str().unwrap().to_owned());
    }
    became.sort();
    assert_eq!(became, ["ACCEPTED", "REJECTED"]);
}

#[tokio::test]
async fn the_only_payment_beside_a_consent_is_refused_or_left_for_later() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let provider = BunqClient::provider(&server, "Drafts PISP").await;
    let path = format!("/user/{}/payment-service-provider-draft-payment", provider.user);
    let draft = json!({"sender_iban": customer["iban"], "counterparty_iban": SHOP, "counterparty_name": "Shop",
        "description": "Order", "amount": euro("1.00")});
    let path = format!("{path}/{}", provider.make(&path, &draft).await);
    for (action, status) in [("cancel", "PENDING"), ("refuse", "REJECTED")] {
        let mut browser = Browser::open(&server, &provider.authorization_url().await).await;
        browser.log_in(&customer).await;
        let page = browser.get("").await.body;
        let name = payment(&page);
        let left = browser.submit(&[("action", action), (&name, "accept")]).await;
        assert_eq!(
            parameter(left.header("location"), "error").as_deref(),
            Some("access_denied"),
            "{}",
            left.body
        );
        assert_eq!(provider.list(&path).await[0]["status"], status, "{action}");
    }
}

fn assert_told_that_it_is_gone(answer: &Answer) {
    let location = answer.header("location");
    assert_eq!(parameter(location, "error").as_deref(), Some("access_denied"), "{location}");
    let said = parameter(location, "error_description").unwrap();
    assert_eq!(said, "The payment was decided or cancelled before; nothing was paid now");
}

#[tokio::test]
async fn whoever_pays_what_was_decided_meanwhile_pays_nothing_and_shares_nothing() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "student").await;
    let iban = customer["iban"].as_str().unwrap();
    let provider = BunqClient::provider(&server, "Checkout PISP").await;
    let one = json!({"counterparty_alias": shop(), "amount": euro("1.00"), "description": "Order",
        "url_redirect": "https://shop.example/done", "time_expiry": null, "status": "PENDING"});
    let draft = json!({"sender_iban": iban, "counterparty_iban": "NL91ABNA0417164300", "counterparty_name": "Shop",
        "description": "Order", "amount": euro("1.00")});
    for (kind, body) in [("issuer-transaction", &one), ("draft-payment", &draft)] {
        let path = format!("/user/{}/payment-service-provider-{kind}", provider.user);
        let path = format!("{path}/{}", provider.make(&path, body).await);
        let url = match provider.list(&path).await[0]["public_uuid"].as_str() {
            Some(id) if kind == "issuer-transaction" => {
                format!("{}/bunq/psp?transactionId={id}", server.url())
            }
            _ => provider.authorization_url().await,
        };
        let mut browser = Browser::open(&server, &url).await;
        browser.log_in(&customer).await;
        let page = browser.get("").await.body;
        let mut names = page.split("name=\"").filter_map(|rest| rest.split('"').next());
        let payment = names.find(|name| name.starts_with("payment.")).unwrap();
        let csrf = value(&page, "csrf");
        let mut fields = vec![("action", "approve"), (payment, "accept")];
        let account = page.contains("name=\"account\"").then(|| value(&page, "account"));
        fields.extend(account.as_ref().map(|id| ("account", id.as_str())));
        assert_eq!(provider.put(&path, &json!({"status": "CANCELLED"})).await.status, 200, "{kind}");
        let late = server.send(&browser.form(&csrf, &fields)).await;
        assert_eq!(late.status, 303, "{kind}: {}", late.body);
        assert_told_that_it_is_gone(&late);
        let approved = server.manage("GET", &format!("/consents?iban={iban}"), Value::Null).await.1;
        assert_eq!(approved["consents"], json!([]), "{kind}");
    }
}

#[tokio::test]
async fn whoever_pays_what_another_has_paid_goes_back_and_is_told() {
    let server = TestServer::start().await;
    let customers = [server.customer("nl", "student").await, server.customer("nl", "household").await];
    let provider = BunqClient::provider(&server, "Checkout PISP").await;
    let path = format!("/user/{}/payment-service-provider-issuer-transaction", provider.user);
    let body = json!({"counterparty_alias": shop(), "amount": euro("1.00"), "description": "Order",
        "url_redirect": "https://shop.example/done", "time_expiry": null, "status": "PENDING"});
    let path = format!("{path}/{}", provider.make(&path, &body).await);
    let id = provider.list(&path).await[0]["public_uuid"].as_str().unwrap().to_owned();
    let url = format!("{}/bunq/psp?transactionId={id}", server.url());
    let mut browser = Browser::open(&server, &url).await;
    browser.log_in(&customers[1]).await;
    let first = server.decide(&url, customers[0]["iban"].as_str().unwrap(), "approve").await;
    assert_eq!(first, "https://shop.example/done");
    assert_told_that_it_is_gone(&browser.get("").await);
    let path = format!("/consents?iban={}", customers[1]["iban"].as_str().unwrap());
    assert_eq!(server.manage("GET", &path, Value::Null).await.1["consents"], json!([]));
}
