//! Refusals about the form of what is sent: objects that are none, days in other forms, texts that must be true.

use serde_json::{Value, json};
use testkit::bunq::{BunqClient, client_keys, euro, shop, sign};
use testkit::{Request, TestServer};

use super::{Row, hold, with};

/// A request whose body is this text.
fn raw(client: &BunqClient, method: &str, path: &str, body: &str) -> Request {
    let mut request = client.request(method, path, None);
    request.body = body.as_bytes().to_vec();
    request.set("x-bunq-client-signature", sign(&client_keys().0, body.as_bytes()))
}

#[tokio::test]
async fn an_object_is_an_object() {
    let server = TestServer::start().await;
    let provider = BunqClient::provider(&server, "Reading AISP PISP").await;
    let customer = server.customer("nl", "household").await;
    let own = BunqClient::customer(&server, &customer).await;
    let account = own.account().await;
    let installing = BunqClient::install(&server).await;
    let draft = format!("/user/{}/payment-service-provider-draft-payment", provider.user);
    let own_account = format!("/user/{}/monetary-account-bank/{account}", own.user);
    let payment = own.below(account, "/payment");
    let mut rows: Vec<Row> = Vec::new();
    for body in ["[]", "[{\"secret\": \"x\"}]", "1", "\"x\"", "true", "null"] {
        for request in [
            raw(&installing, "POST", "/device-server", body),
            raw(&installing, "POST", "/session-server", body),
            raw(&installing, "POST", "/payment-service-provider-credential", body),
            raw(&provider, "POST", &draft, body),
            raw(&own, "POST", &payment, body),
            raw(&own, "POST", &own.below(account, "/payment-batch"), body),
            raw(&own, "POST", &own.below(account, "/schedule-payment"), body),
            raw(&own, "POST", &own.below(account, "/customer-statement"), body),
            raw(&own, "POST", &own.below(account, "/request-inquiry"), body),
            raw(&own, "PUT", &own_account, body),
            Request::new("POST", "/bunq/v1/installation").body("application/json", body),
        ] {
            rows.push(("a body that is none", request, 400, "The body must be a JSON object."));
        }
    }
    let right = json!({
        "amount": {"value": "1.00", "currency": "EUR"},
        "counterparty_alias": shop(),
        "description": "x",
    });
    let pay = |body: Value| own.request("POST", &payment, Some(&body));
    let batch = |payments: Value| {
        own.request("POST", &own.below(account, "/payment-batch"), Some(&json!({"payments": payments})))
    };
    let change = |body: Value| own.request("PUT", &own_account, Some(&body));
    rows.extend([
        ("amount", pay(with(&right, "amount", json!(["1.00", "EUR"]))), 400, "\"amount\" must be an object"),
        (
            "pointer",
            pay(with(&right, "counterparty_alias", json!(["IBAN", "NL91ABNA0417164300", "Shop"]))),
            400,
            "\"counterparty_alias\" must be an object",
        ),
        ("element", batch(json!([[right["amount"]]])), 400, "\"payments\" must be an object"),
        ("list", batch(right.clone()), 400, "\"payments\" must be a list"),
        ("setting", change(json!({"setting": ["x"]})), 400, "\"setting\" must be an object"),
    ]);
    hold(&server, rows).await;
    // Documented: a list with one object, or with nothing.
    let clients = format!("/user/{}/oauth-client", provider.user);
    let wrong = server.send(&raw(&provider, "POST", &clients, "[[\"ACTIVE\"]]")).await;
    assert_eq!(wrong.status, 400, "{}", wrong.body);
    assert_eq!(
        server.send(&raw(&provider, "POST", &clients, "[{\"status\": \"ACTIVE\"}]")).await.status,
        200
    );
}

#[tokio::test]
async fn days_and_moments_have_one_form() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let own = BunqClient::customer(&server, &customer).await;
    let account = own.account().await;
    let statement = json!({
        "statement_format": "MT940",
        "date_start": "2026-01-01",
        "date_end": "2026-01-31",
    });
    let ask = |name: &str, day: &str| {
        let body = with(&statement, name, json!(day));
        own.request("POST", &own.below(account, "/customer-statement"), Some(&body))
    };
    let plan = |start: &str| {
        let amount = json!({"value": "1.00", "currency": "EUR"});
        let body = json!({
            "payment": {"amount": amount, "counterparty_alias": shop(), "description": "x"},
            "schedule": {"time_start": start, "recurrence_unit": "MONTHLY", "recurrence_size": 1},
        });
        own.request("POST", &own.below(account, "/schedule-payment"), Some(&body))
    };
    let mut rows: Vec<Row> = Vec::new();
    for day in [
        "20260105",
        "2026-1-5",
        "+002026-01-05",
        "2026-01-05T00:00:00",
        "2026-01-05 00:00:00",
        "2026-01-05[UTC]",
        "2026-02-29",
        "1899-12-31",
        "10000-01-01",
        " 2026-01-05",
        "2026-01-05 ",
        "05-01-2026",
        "",
    ] {
        rows.push((
            "date_start",
            ask("date_start", day),
            400,
            "\"date_start\" must be a day written YYYY-MM-DD",
        ));
        rows.push(("date_end", ask("date_end", day), 400, "\"date_end\" must be a day written YYYY-MM-DD"));
    }
    for moment in [
        "2099-01-01",
        "20990101T000000",
        "2099-01-01T00:00",
        "2099-01-01 00",
        "2099-01-01 00:00:00[Europe/Amsterdam]",
        "+002099-01-01 00:00:00",
        "2099-01-01 24:00:00",
        "10000-01-01 00:00:00",
        "1899-01-01 00:00:00",
        " 2099-01-01 00:00:00",
    ] {
        rows.push(("time_start", plan(moment), 400, "\"schedule.time_start\" must be a moment in UTC"));
    }
    hold(&server, rows).await;
    for moment in ["2099-01-01 00:00:00.000000", "2099-01-01T00:00:00Z", "2099-01-01 00:00:00"] {
        assert_eq!(server.send(&plan(moment)).await.status, 200, "{moment}");
    }
}

#[tokio::test]
async fn texts_are_true() {
    let server = TestServer::start().await;
    let provider = BunqClient::provider(&server, "Reading AISP PISP").await;
    let customer = server.customer("nl", "household").await;
    let own = BunqClient::customer(&server, &customer).await;
    let account = own.account().await;
    let pay = |value: &str, currency: &str| {
        let body = json!({
            "amount": {"value": value, "currency": currency},
            "counterparty_alias": shop(),
            "description": "x",
        });
        own.request("POST", &own.below(account, "/payment"), Some(&body))
    };
    let upload = |description: &[u8]| {
        let request = provider.request("POST", "/attachment-public", None).body("image/png", "x");
        request
            .set("x-bunq-client-signature", sign(&client_keys().0, b"x"))
            .set("x-bunq-attachment-description", description)
    };
    let list = |query: &str| own.request("GET", &own.below(account, &format!("/payment?{query}")), None);
    let rows: Vec<Row> = vec![
        (
            "yen with places",
            pay("1.00", "JPY"),
            400,
            "in JPY is a decimal number of up to 14 digits with no fraction digits, for example 1250",
        ),
        ("dinars", pay("1.2345", "KWD"), 400, "at most three places, for example 1.250"),
        ("euro", pay("1.234", "EUR"), 400, "at most two places, for example 12.50"),
        ("a text that is empty", pay("", "EUR"), 400, "\"amount.value\" is required, and must not be empty"),
        ("é", upload("é".as_bytes()), 400, "must be there once, as ASCII text"),
        ("é in Latin-1", upload(b"\xe9"), 400, "must be there once, as ASCII text"),
        ("long", upload(&[b'x'; 501]), 400, "has 501 characters"),
        ("a huge number", list("older_id=99999999999999999999"), 400, "of at most 18 digits"),
        (
            "a signature outside ASCII",
            list("").set("x-bunq-client-signature", "é".as_bytes()),
            400,
            "X-Bunq-Client-Signature header holds characters outside ASCII",
        ),
    ];
    hold(&server, rows).await;
    assert_eq!(server.send(&upload(b"e")).await.status, 200);
}

/// What a customer reads is what it looks like, whoever wrote it; names in any script and emoji are.
#[tokio::test]
async fn texts_are_what_they_look_like() {
    let server = TestServer::start().await;
    let provider = BunqClient::provider(&server, "Texts AISP PISP").await;
    let customer = server.customer("nl", "household").await;
    let own = BunqClient::customer(&server, &customer).await;
    let account = own.account().await;
    let payment = json!({"amount": euro("1.00"), "counterparty_alias": shop(), "description": "x"});
    let named = |name: &str| with(&payment, "counterparty_alias", with(&shop(), "name", json!(name)));
    let draft = |body: Value| json!({"number_of_required_accepts": 1, "entries": [body]});
    let times = json!({"time_start": "2099-01-01 00:00:00", "recurrence_unit": "ONCE"});
    let from_iban = json!({"sender_iban": customer["iban"], "counterparty_iban": "NL91ABNA0417164300", "counterparty_name": "Shop", "description": "x", "amount": euro("1.00")});
    let inquiry = json!({"amount_inquired": euro("1.00"), "counterparty_alias": shop(), "description": "x", "allow_bunqme": false});
    let initiate = format!("/user/{}/payment-service-provider-draft-payment", provider.user);
    let client = format!("/user/{}/oauth-client", provider.user);
    let post = |path: &str, body: Value| own.request("POST", &own.below(account, path), Some(&body));
    let provide = |body: Value| provider.request("POST", &initiate, Some(&body));
    let mut rows: Vec<Row> = Vec::new();
    for (hidden, code) in [
        ("a\u{202e}b", "U+202E"),
        ("a\nb", "U+000A"),
        ("a\u{0}b", "U+0000"),
        ("a\u{200b}b", "U+200B"),
        ("a\u{200d}b", "U+200D"),
    ] {
        let text = json!(hidden);
        for request in [
            post("/payment", with(&payment, "description", text.clone())),
            post("/payment", with(&payment, "merchant_reference", text.clone())),
            post("/payment", named(hidden)),
            post("/payment-batch", json!({"payments": [named(hidden)]})),
            post("/draft-payment", draft(named(hidden))),
            post("/schedule-payment", json!({"payment": named(hidden), "schedule": times})),
            post("/request-inquiry", with(&inquiry, "description", text.clone())),
            provide(with(&from_iban, "counterparty_name", text.clone())),
            provide(with(&from_iban, "sender_name", text.clone())),
            provide(with(&from_iban, "description", text.clone())),
            provider.request("POST", &client, Some(&json!({"display_name": text}))),
        ] {
            rows.push((code, request, 400, code));
        }
    }
    assert_eq!(hold(&server, rows).await, 55);
    for text in
        ["Zoë Ñandú-O’Brien", "می\u{200c}خواهم", "👩\u{200d}👧 ❤\u{fe0f} 1\u{fe0f}\u{20e3}", "שלום 日本語"]
    {
        let made =
            own.make(&own.below(account, "/payment"), &with(&named(text), "description", json!(text))).await;
        let seen = own.list(&own.below(account, &format!("/payment/{made}"))).await.remove(0);
        assert_eq!(
            (&seen["description"], &seen["counterparty_alias"]["display_name"]),
            (&json!(text), &json!(text))
        );
    }
}

/// A number is written in one way.
#[tokio::test]
async fn numbers_have_no_blanks_signs_or_exponents() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let own = BunqClient::customer(&server, &customer).await;
    let account = own.account().await;
    let payment = json!({"amount": euro("1.00"), "counterparty_alias": shop(), "description": "x"});
    let before = own.balance(account).await;
    let mut rows: Vec<Row> = Vec::new();
    for amount in [" 1", "1 ", "+1", "1e2", "1E0", "1,00", "1.", ".5", "0x1", "１", "1\t", "--1", "Infinity"]
    {
        let body = with(&payment, "amount", json!({"value": amount, "currency": "EUR"}));
        rows.push((
            amount,
            own.request("POST", &own.below(account, "/payment"), Some(&body)),
            400,
            "amount.value\"",
        ));
    }
    for amount in [json!(1), json!(1.0), json!(true), json!(["1"])] {
        let body = with(&payment, "amount", json!({"value": amount, "currency": "EUR"}));
        rows.push((
            "no text",
            own.request("POST", &own.below(account, "/payment"), Some(&body)),
            400,
            "value\" must be a text",
        ));
    }
    let get = |path: String| own.request("GET", &path, None);
    for id in ["+1", "%201", "1%20", "1e0", "01", "-1", "1.0", "0x1", "%EF%BC%91"] {
        rows.push((id, get(own.below(account, &format!("/payment/{id}"))), 404, ""));
        rows.push((id, get(format!("/user/{}/monetary-account/{id}", own.user)), 404, ""));
    }
    for number in ["%2B1", "+1", "%201", "1%20", "1e0", "01", "-1", "1.0", "", "a"] {
        for name in ["count", "older_id", "newer_id"] {
            let path = own.below(account, &format!("/payment?{name}={number}"));
            rows.push((number, get(path), 400, "must be a whole number"));
        }
    }
    rows.push(("twice", get(own.below(account, "/payment?count=1&count=2")), 400, "occurs more than once"));
    for size in [json!("1"), json!(" 1"), json!(1.5), json!(true)] {
        let times =
            json!({"time_start": "2099-01-01 00:00:00", "recurrence_unit": "DAILY", "recurrence_size": size});
        let body = json!({"payment": payment, "schedule": times});
        rows.push((
            "size",
            own.request("POST", &own.below(account, "/schedule-payment"), Some(&body)),
            400,
            "must be a whole number",
        ));
    }
    hold(&server, rows).await;
    assert_eq!(own.balance(account).await, before);
}
