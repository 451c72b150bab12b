//! Refusals about money.

use serde_json::{Value, json};
use testkit::bunq::{BUNQ, BunqClient, client_keys, euro, shop, sign};
use testkit::{Request, TestServer};

use super::{Row, hold, with, without};

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one row a refusal")]
async fn answers_say_what_was_wrong() {
    let server = TestServer::start().await;
    let provider = BunqClient::provider(&server, "Payments AISP PISP").await;
    let reader = BunqClient::provider(&server, "Reader AISP").await;
    let customer = server.customer("nl", "household").await;
    let iban = customer["iban"].as_str().unwrap();
    let own = BunqClient::customer(&server, &customer).await;
    let blocked = server.customer("nl", "blocked").await;
    let blocked_own = BunqClient::customer(&server, &blocked).await;
    let blocked_account = blocked_own.account().await;
    let connected = provider.connect(&server, &customer).await;
    let account = own.account().await;
    let payment = json!({"amount": euro("1.00"), "counterparty_alias": shop(), "description": "x"});
    let pay = |body: Value| own.request("POST", &own.below(account, "/payment"), Some(&body));
    let pointed = |pointer: Value| pay(with(&payment, "counterparty_alias", pointer));
    let draft = json!({"number_of_required_accepts": 1, "entries": [payment]});
    let prepare =
        |body: Value| connected.request("POST", &connected.below(account, "/draft-payment"), Some(&body));
    let from_iban = json!({"sender_iban": iban, "counterparty_iban": "NL91ABNA0417164300", "counterparty_name": "Shop", "description": "x", "amount": euro("1.00")});
    let initiate = |who: &BunqClient, body: &Value| {
        who.request("POST", &format!("/user/{}/payment-service-provider-draft-payment", who.user), Some(body))
    };
    let checkout = json!({"counterparty_alias": shop(), "amount": euro("1.00"), "description": "x", "url_redirect": "https://shop.example/"});
    let issue = |body: &Value| {
        provider.request(
            "POST",
            &format!("/user/{}/payment-service-provider-issuer-transaction", provider.user),
            Some(body),
        )
    };
    let funds = |who: &BunqClient, body: Value| {
        who.request("POST", &format!("/user/{}/confirmation-of-funds", who.user), Some(&body))
    };
    let pointer = json!({"type": "IBAN", "value": iban, "name": "x"});
    let inquiry = json!({"amount_inquired": euro("1.00"), "counterparty_alias": {"type": "EMAIL", "value": "sugardaddy@bunq.com"}, "description": "x", "allow_bunqme": false});
    let ask = |body: &Value| own.request("POST", &own.below(account, "/request-inquiry"), Some(body));
    let schedule = json!({"payment": payment, "schedule": {"time_start": "2099-01-01 00:00:00.000000", "recurrence_unit": "MONTHLY", "recurrence_size": 1}});
    let plan = |body: Value| own.request("POST", &own.below(account, "/schedule-payment"), Some(&body));
    let when = |schedule_: Value| plan(with(&schedule, "schedule", schedule_));
    let own_draft = own.make(&own.below(account, "/draft-payment"), &draft).await;
    let decide = |body: Value| {
        own.request("PUT", &own.below(account, &format!("/draft-payment/{own_draft}")), Some(&body))
    };
    let own_iban = json!({"type": "IBAN", "value": iban, "name": "Me"});
    let raw = |kind: &str, text: &str| {
        let path = own.below(account, "/payment");
        let mut request = own.request("POST", &path, None).set("content-type", kind);
        request.body = text.as_bytes().to_vec();
        request.set("x-bunq-client-signature", sign(&client_keys().0, text.as_bytes()))
    };
    let plain = "application/json";
    let rows: Vec<Row> = vec![
        (
            "a member twice",
            raw(plain, r#"{"description": "x", "amount": {"value": "1.00", "value": "2.00"}}"#),
            400,
            "The body is not JSON in UTF-8: amount has a duplicate field `value`.",
        ),
        ("no number", raw(plain, r#"{"amount": NaN}"#), 400, "expected value at line 1, column 12"),
        ("half a character", raw(plain, r#"{"description": "\ud800"}"#), 400, "description is wrong: "),
        ("something after it", raw(plain, "{} {}"), 400, "trailing characters at line 1, column 4"),
        (
            "another charset",
            raw("application/json; charset=utf-16", "{}"),
            415,
            "he charset \"utf-16\" in Content-Type is not taken; send the body in UTF-8",
        ),
        (
            "an amount as a number",
            pay(with(&payment, "amount", json!({"value": 1.5, "currency": "EUR"}))),
            400,
            "\"amount.value\" must be a text",
        ),
        (
            "unsigned",
            pay(payment.clone()).without("x-bunq-client-signature"),
            466,
            "a request signature is required",
        ),
        (
            "signed over something else",
            pay(payment.clone()).set("x-bunq-client-signature", sign(&client_keys().0, b"")),
            400,
            "The request signature is invalid.",
        ),
        (
            "by a third party",
            connected.request("POST", &connected.below(account, "/payment"), Some(&payment)),
            403,
            "create a draft payment",
        ),
        ("no amount", pay(without(&payment, "amount")), 400, "\"amount\" is required"),
        ("amount is a number", pay(with(&payment, "amount", json!(1))), 400, "\"amount\" must be an object"),
        (
            "value is a number",
            pay(with(&payment, "amount", json!({"value": 1, "currency": "EUR"}))),
            400,
            "must be a text",
        ),
        (
            "no currency",
            pay(with(&payment, "amount", json!({"value": "1.00"}))),
            400,
            "\"amount.currency\" is required",
        ),
        (
            "unknown currency",
            pay(with(&payment, "amount", json!({"value": "1.00", "currency": "euro"}))),
            400,
            "ISO 4217",
        ),
        (
            "other currency",
            pay(with(&payment, "amount", json!({"value": "1.00", "currency": "USD"}))),
            400,
            "pay in EUR",
        ),
        ("nothing", pay(with(&payment, "amount", euro("0.00"))), 400, "must be greater than 0"),
        ("less than nothing", pay(with(&payment, "amount", euro("-1.00"))), 400, "must be greater than 0"),
        ("three places", pay(with(&payment, "amount", euro("1.001"))), 400, "two places"),
        ("comma", pay(with(&payment, "amount", euro("1,00"))), 400, "two places"),
        (
            "more than all money",
            pay(with(&payment, "amount", euro("9999999999.00"))),
            400,
            "at most 999999999.99",
        ),
        ("more than there is", pay(with(&payment, "amount", euro("999999.00"))), 400, "insufficient funds"),
        (
            "no counterparty",
            pay(without(&payment, "counterparty_alias")),
            400,
            "\"counterparty_alias\" is required",
        ),
        (
            "pointer of no type",
            pointed(json!({"type": "BIC", "value": "x"})),
            400,
            "one of IBAN, EMAIL, PHONE_NUMBER",
        ),
        (
            "pointer without name",
            pointed(json!({"type": "IBAN", "value": "NL91ABNA0417164300"})),
            400,
            "needs a \"name\"",
        ),
        (
            "wrong check digits",
            pointed(json!({"type": "IBAN", "value": "NL92ABNA0417164300", "name": "x"})),
            400,
            "The IBAN is invalid",
        ),
        (
            "unknown address",
            pointed(json!({"type": "EMAIL", "value": "nobody@example.org"})),
            400,
            "No user of this bank has this e-mail address.",
        ),
        (
            "unknown number",
            pointed(json!({"type": "PHONE_NUMBER", "value": "+31600000000"})),
            400,
            "No user of this bank has this number.",
        ),
        ("to oneself", pointed(own_iban), 400, "are the same"),
        (
            "long text to another bank",
            pay(with(&payment, "description", json!("x".repeat(141)))),
            400,
            "it can have 140",
        ),
        ("no text", pay(without(&payment, "description")), 400, "\"description\" is required"),
        (
            "from an account that is blocked",
            blocked_own.request("POST", &blocked_own.below(blocked_account, "/payment"), Some(&payment)),
            400,
            "is blocked",
        ),
        (
            "from somebody else's account",
            own.request("POST", &own.below(blocked_account, "/payment"), Some(&payment)),
            404,
            "Resource not found.",
        ),
        (
            "to an account that is blocked",
            pointed(json!({"type": "IBAN", "value": blocked["iban"], "name": "x"})),
            400,
            "that is to be paid is blocked",
        ),
        (
            "batch of nothing",
            own.request("POST", &own.below(account, "/payment-batch"), Some(&json!({"payments": []}))),
            400,
            "at least one element",
        ),
        (
            "batch that is no list",
            own.request("POST", &own.below(account, "/payment-batch"), Some(&json!({"payments": payment}))),
            400,
            "must be a list",
        ),
        (
            "batch unsigned",
            own.request("POST", &own.below(account, "/payment-batch"), Some(&json!({"payments": [payment]})))
                .without("x-bunq-client-signature"),
            466,
            "signature is required",
        ),
        (
            "batch unknown",
            own.request("GET", &own.below(account, "/payment-batch/1"), None),
            404,
            "Resource not found.",
        ),
        ("draft of nothing", prepare(with(&draft, "entries", json!([]))), 400, "\"entries\" is required"),
        (
            "draft of two accepts",
            prepare(with(&draft, "number_of_required_accepts", json!(2))),
            400,
            "must be 1",
        ),
        ("draft of no accepts", prepare(without(&draft, "number_of_required_accepts")), 400, "is required"),
        ("draft with a status", prepare(with(&draft, "status", json!("ACCEPTED"))), 400, "one of PENDING"),
        (
            "draft on a schedule",
            prepare(with(&draft, "schedule", json!({"time_start": "x"}))),
            400,
            "not offered",
        ),
        (
            "draft by a reader",
            reader.connect(&server, &customer).await.request(
                "POST",
                &format!("/user/{}/monetary-account/{account}/draft-payment", customer["bunq"]["userId"]),
                Some(&draft),
            ),
            403,
            "PISP",
        ),
        (
            "draft to no status",
            decide(json!({"status": "MAYBE"})),
            400,
            "one of ACCEPTED, REJECTED, CANCELLED",
        ),
        ("draft without status", decide(json!({})), 400, "\"status\" is required"),
        (
            "draft accepted unsigned",
            decide(json!({"status": "ACCEPTED"})).without("x-bunq-client-signature"),
            466,
            "signature is required",
        ),
        (
            "draft that somebody changed",
            decide(json!({"status": "CANCELLED", "previous_updated_timestamp": "x"})),
            400,
            "Read it again",
        ),
        (
            "somebody else's draft",
            connected.request("GET", &connected.below(account, &format!("/draft-payment/{own_draft}")), None),
            404,
            "Resource not found.",
        ),
        ("initiation by a reader", initiate(&reader, &from_iban), 403, "PISP"),
        ("initiation by a customer", initiate(&own, &from_iban), 403, "service provider"),
        (
            "initiation from nobody",
            initiate(&provider, &with(&from_iban, "sender_iban", json!("NL91ABNA0417164300"))),
            400,
            "not an account of this bank",
        ),
        (
            "initiation without sender",
            initiate(&provider, &without(&from_iban, "sender_iban")),
            400,
            "\"sender_iban\" is required",
        ),
        (
            "initiation without receiver",
            initiate(&provider, &without(&from_iban, "counterparty_iban")),
            400,
            "\"counterparty_iban\" is required",
        ),
        (
            "initiation without name",
            initiate(&provider, &without(&from_iban, "counterparty_name")),
            400,
            "\"counterparty_name\" is required",
        ),
        (
            "initiation in dollars",
            initiate(&provider, &with(&from_iban, "amount", json!({"value": "1.00", "currency": "USD"}))),
            400,
            "pay in EUR",
        ),
        (
            "initiation from a blocked account",
            initiate(&provider, &with(&from_iban, "sender_iban", blocked["iban"].clone())),
            400,
            "is blocked",
        ),
        (
            "initiation that is unknown",
            provider.request(
                "GET",
                &format!("/user/{}/payment-service-provider-draft-payment/1", provider.user),
                None,
            ),
            404,
            "Resource not found.",
        ),
        (
            "checkout back to plain http",
            issue(&with(&checkout, "url_redirect", json!("http://shop.example/"))),
            400,
            "must begin with https://",
        ),
        (
            "checkout back to a script",
            issue(&with(&checkout, "url_redirect", json!("javascript:alert(1)"))),
            400,
            "must be a URL",
        ),
        (
            "checkout in the past",
            issue(&with(&checkout, "time_expiry", json!("2020-01-01 00:00:00.000000"))),
            400,
            "in the future",
        ),
        (
            "checkout at no time",
            issue(&with(&checkout, "time_expiry", json!("soon"))),
            400,
            "must be a moment",
        ),
        (
            "checkout that is unknown",
            Request::new("GET", &format!("{BUNQ}/payment-service-provider-issuer-transaction-public/x")),
            404,
            "Resource not found.",
        ),
        (
            "funds for a reader",
            funds(&reader, json!({"pointer_iban": pointer, "amount": euro("1.00")})),
            403,
            "CBPII or PISP",
        ),
        (
            "funds for a customer",
            funds(&own, json!({"pointer_iban": pointer, "amount": euro("1.00")})),
            403,
            "service provider",
        ),
        (
            "funds of nobody",
            funds(
                &provider,
                json!({"pointer_iban": with(&pointer, "value", json!("NL91ABNA0417164300")), "amount": euro("1.00")}),
            ),
            400,
            "no account of this bank",
        ),
        (
            "funds of nothing",
            funds(&provider, json!({"pointer_iban": pointer})),
            400,
            "\"amount\" is required",
        ),
        (
            "request without a word about bunq.me",
            ask(&without(&inquiry, "allow_bunqme")),
            400,
            "\"allow_bunqme\" is required",
        ),
        (
            "request in dollars",
            ask(&with(&inquiry, "amount_inquired", json!({"value": "1.00", "currency": "USD"}))),
            400,
            "must be EUR",
        ),
        (
            "request of too much",
            ask(&with(&inquiry, "amount_inquired", euro("500.01"))),
            400,
            "At most 500.00",
        ),
        (
            "schedule unsigned",
            plan(schedule.clone()).without("x-bunq-client-signature"),
            466,
            "signature is required",
        ),
        (
            "schedule in the past",
            when(json!({"time_start": "2020-01-01 00:00:00", "recurrence_unit": "ONCE"})),
            400,
            "in the future",
        ),
        (
            "schedule of no unit",
            when(
                json!({"time_start": "2099-01-01 00:00:00", "recurrence_unit": "NEVER", "recurrence_size": 1}),
            ),
            400,
            "one of ONCE",
        ),
        (
            "schedule of no size",
            when(json!({"time_start": "2099-01-01 00:00:00", "recurrence_unit": "DAILY"})),
            400,
            "\"schedule.recurrence_size\" is required",
        ),
        (
            "schedule that ends first",
            when(
                json!({"time_start": "2099-01-01 00:00:00", "time_end": "2098-01-01 00:00:00", "recurrence_unit": "DAILY", "recurrence_size": 1}),
            ),
            400,
            "must not be before",
        ),
        ("schedule of nothing", plan(without(&schedule, "payment")), 400, "\"payment\" is required"),
    ];
    assert!(hold(&server, rows).await >= 65);
}
