//! What the customer is shown before money moves: each amount, to whom, for what and from where, as the third party asked
//! and as it is paid then.

use serde_json::{Value, json};
use testkit::TestServer;
use testkit::bunq::{BunqClient, euro};

use crate::pages::Browser;

/// The terms and their descriptions in the parts of the page about payments, one list a payment.
fn payments(page: &str) -> Vec<Vec<(String, String)>> {
    let parts = page.split("<fieldset class=\"payment\">").skip(1);
    let lists = parts.map(|part| part.split_once("</dl>").unwrap().0.split_once("<dl>").unwrap().1);
    let pair = |pair: &str| {
        let (term, described) = pair.split_once("</dt><dd>").unwrap();
        (term.to_owned(), described.split("</dd>").next().unwrap().to_owned())
    };
    lists.map(|list| list.split("<dt>").skip(1).map(pair).collect()).collect()
}

fn creditor(iban: &str, name: &str) -> Value {
    json!({"type": "IBAN", "value": iban, "name": name})
}

fn terms(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(term, described)| ((*term).to_owned(), (*described).to_owned())).collect()
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
    shown.sort_by_key(Vec::len);
    let from = shown[0][0].1.clone();
    assert_eq!(from.replace(' ', ""), iban, "{page}");
    let from = ("From account", from.as_str());
    assert_eq!(
        shown[0],
        terms(&[
            from,
            ("Amount", "<strong>EUR 7.00</strong>"),
            ("To", "Shop<br>NL91 ABNA 0417 1643 00"),
            ("For", "Order 8"),
        ])
    );
    assert_eq!(
        shown[1],
        terms(&[
            from,
            ("Amount", "<strong>EUR 1234.50</strong>"),
            ("To", "Fish &#38; Chips &#60;b&#62;<br>NL91 ABNA 0417 1643 00"),
            ("For", "Order 7"),
            ("Amount", "<strong>EUR 0.01</strong>"),
            ("To", "Bäckerei<br>DE89 3704 0044 0532 0130 00"),
        ])
    );
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
    let shown = payments(&browser.get("?lang=nl").await.body);
    assert_eq!(
        shown,
        [terms(&[
            ("Bedrag", "<strong>EUR 49.95</strong>"),
            ("Aan", "Shop<br>NL91 ABNA 0417 1643 00"),
            ("Omschrijving", "Order 9"),
        ])]
    );
}
