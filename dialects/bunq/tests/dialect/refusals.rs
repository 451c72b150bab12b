//! Every bad input gets this interface's own error, with a text that says what was wrong. One row a refusal.

use serde_json::{Value, json};
use testkit::bunq::{BUNQ, BunqClient, client_keys, euro, pseudo_certificate, shop, sign};
use testkit::{FakeKey, Request, TestCa, TestServer};

type Row = (&'static str, Request, u16, &'static str);

/// Sends every row and holds status, form and text of the answer.
async fn hold(server: &TestServer, rows: Vec<Row>) -> usize {
    let count = rows.len();
    for (name, request, status, text) in rows {
        let answer = server.send(&request).await;
        assert_eq!(answer.status, status, "{name}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/json", "{name}");
        assert!(!answer.header("x-bunq-client-response-id").is_empty(), "{name}");
        let json = answer.json();
        let error = &json["Error"][0];
        let told = error["error_description"].as_str().unwrap_or_default();
        assert!(told.contains(text), "{name}: {told}");
        assert!(error["error_description_translated"].is_string(), "{name}");
        assert!(
            json.as_object().unwrap().len() == 1 && json["Error"].as_array().unwrap().len() == 1,
            "{name}"
        );
    }
    count
}

fn with(body: &Value, name: &str, value: Value) -> Value {
    let mut body = body.clone();
    body[name] = value;
    body
}

fn without(body: &Value, name: &str) -> Value {
    let mut body = body.clone();
    body.as_object_mut().unwrap().remove(name);
    body
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one row a refusal")]
async fn registration() {
    let server = TestServer::start().await;
    let client = BunqClient::install(&server).await;
    let provider = BunqClient::provider(&server, "Refusals AISP PISP").await;
    let install = |key: Value| {
        Request::new("POST", &format!("{BUNQ}/installation"))
            .body("application/json", json!({ "client_public_key": key }).to_string())
    };
    let (private, public) = client_keys();
    let ec = eidas::issue::generate_key(eidas::issue::KeyType::P256).unwrap().1;
    let (certificate, key) = pseudo_certificate("Good Name AISP", |_| {});
    let right = client.credential_request(&certificate, &certificate, &key);
    let body: Value = serde_json::from_slice(&right.body).unwrap();
    let credential =
        |body: Value| client.request("POST", "/payment-service-provider-credential", Some(&body));
    let leaf = "client_payment_service_provider_certificate";
    let chain = "client_payment_service_provider_certificate_chain";
    let issued = |name: &str| {
        let (certificate, key) = pseudo_certificate(name, |_| {});
        client.credential_request(&certificate, &certificate, &key)
    };
    let (old, _) = pseudo_certificate("Old AISP", |params| {
        params.not_after = time::OffsetDateTime::from_unix_timestamp(1_700_000_001).unwrap();
    });
    let (young, _) = pseudo_certificate("Young AISP", |params| {
        params.not_before = time::OffsetDateTime::from_unix_timestamp(2_400_000_000).unwrap();
    });
    let ca = TestCa::new("Nobody");
    let foreign = ca.issue(&TestCa::subject("PSDNL-DNB-B9"), &["PSP_AI"], |_| {});
    let foreign_pem = eidas::certificate::to_pem(&foreign.certificate.der);
    let weak = ca.issue_for(&FakeKey::rsa(1024), &[(rcgen::DnType::CommonName, "Weak AISP")], &[]);
    let weak = eidas::certificate::to_pem(&weak);
    let other_token = sign(private, format!("{}\n{}", public.trim_end(), "0".repeat(64)).as_bytes());
    let server_key_signed = sign(private, format!("{}{}", client.server_key, client.installation).as_bytes());
    let device = json!({"description": "d", "secret": provider.key, "permitted_ips": ["*"]});
    let post = |path: &str, body: &Value| client.request("POST", path, Some(body));
    let bare = Request::new("GET", &format!("{BUNQ}/user"));
    let rows: Vec<Row> = vec![
        (
            "no body",
            Request::new("POST", &format!("{BUNQ}/installation")),
            400,
            "\"client_public_key\" is required",
        ),
        (
            "no JSON",
            Request::new("POST", &format!("{BUNQ}/installation")).body("application/json", "{"),
            400,
            "not JSON",
        ),
        (
            "not UTF-8",
            Request::new("POST", &format!("{BUNQ}/installation")).body("application/json", vec![0xff]),
            400,
            "not JSON",
        ),
        ("key is a number", install(json!(1)), 400, "must be a text"),
        ("key is null", install(json!(null)), 400, "is required"),
        ("key is no PEM", install(json!("MIIB")), 400, "client public key is invalid"),
        ("key is cut", install(json!(public[..200].to_owned())), 400, "client public key is invalid"),
        ("key is an EC key", install(json!(ec)), 400, "RSA key of 2048 bits"),
        ("key is a private key", install(json!(private)), 400, "must never be sent"),
        (
            "credential without token",
            right.clone().without("x-bunq-client-authentication"),
            403,
            "Insufficient authentication.",
        ),
        (
            "credential with an unknown token",
            right.clone().set("x-bunq-client-authentication", "0".repeat(64)),
            403,
            "Insufficient authentication.",
        ),
        (
            "credential with a session's token",
            right
                .clone()
                .set("x-bunq-client-authentication", provider.session.as_ref().unwrap())
                .without("x-bunq-client-signature"),
            401,
            "Insufficient authorisation.",
        ),
        (
            "token twice",
            right.clone().append("x-bunq-client-authentication", "x"),
            400,
            "X-Bunq-Client-Authentication header occurs more than once",
        ),
        (
            "wrong signature over the body",
            right.clone().set("x-bunq-client-signature", sign(private, b"other")),
            400,
            "The request signature is invalid.",
        ),
        ("signature is no base64", right.clone().set("x-bunq-client-signature", "***"), 400, "not base64"),
        ("credential without a certificate", credential(without(&body, leaf)), 400, "is required"),
        (
            "credential without a chain",
            credential(with(&body, chain, json!(""))),
            400,
            "certificate_chain\" is required",
        ),
        (
            "credential without a signature",
            credential(without(&body, "client_public_key_signature")),
            400,
            "is required",
        ),
        (
            "certificate is none",
            credential(with(&body, leaf, json!("x"))),
            400,
            "holds no certificate in PEM",
        ),
        ("chain is none", credential(with(&body, chain, json!("x"))), 400, "holds no certificate in PEM"),
        ("certificate has no role", issued("My App"), 400, "grants no role"),
        ("roles in small letters", issued("My aisp"), 400, "grants no role"),
        ("name is too long", issued(&format!("{} AISP", "x".repeat(60))), 400, "it must have 1 to 64"),
        ("no name", issued(""), 400, "it must have 1 to 64"),
        ("certificate has expired", client.credential_request(&old, &old, &key), 400, "valid from"),
        ("certificate is not valid yet", client.credential_request(&young, &young, &key), 400, "valid from"),
        (
            "issuer is unknown",
            client.credential_request(&foreign_pem, &foreign_pem, &foreign.key_pem),
            400,
            "not trusted here",
        ),
        ("key is weak", credential(with(&body, leaf, json!(weak))), 400, "key"),
        (
            "sealed for another token",
            credential(with(&body, "client_public_key_signature", json!(other_token))),
            400,
            "client_public_key_signature\" is wrong",
        ),
        (
            "sealed over the server's key",
            credential(with(&body, "client_public_key_signature", json!(server_key_signed))),
            400,
            "followed by the installation token",
        ),
        (
            "device without description",
            post("/device-server", &without(&device, "description")),
            400,
            "\"description\" is required",
        ),
        (
            "device without secret",
            post("/device-server", &without(&device, "secret")),
            400,
            "\"secret\" is required",
        ),
        (
            "device with an unknown secret",
            post("/device-server", &with(&device, "secret", json!("0".repeat(64)))),
            400,
            "Incorrect API key or IP address.",
        ),
        (
            "device with an address that is none",
            post("/device-server", &with(&device, "permitted_ips", json!(["home"]))),
            400,
            "is no IP address",
        ),
        (
            "device with addresses that are no list",
            post("/device-server", &with(&device, "permitted_ips", json!("*"))),
            400,
            "must be a list",
        ),
        (
            "device with a long description",
            post("/device-server", &with(&device, "description", json!("x".repeat(501)))),
            400,
            "more than 500",
        ),
        (
            "device on the same installation again",
            {
                let mut same = provider.clone();
                same.session = None;
                same.request("POST", "/device-server", Some(&device))
            },
            400,
            "A device already exists for the current installation.",
        ),
        (
            "session unsigned",
            post("/session-server", &json!({"secret": provider.key})).without("x-bunq-client-signature"),
            466,
            "a request signature is required",
        ),
        (
            "session signed over something else",
            post("/session-server", &json!({"secret": provider.key}))
                .set("x-bunq-client-signature", sign(private, b"{}")),
            400,
            "The request signature is invalid.",
        ),
        ("session without secret", post("/session-server", &json!({})), 400, "\"secret\" is required"),
        (
            "session with an unknown secret",
            post("/session-server", &json!({"secret": "sandbox_x"})),
            400,
            "User credentials are incorrect.",
        ),
        (
            "session with the wrong type",
            post("/session-server", &json!({"secret": [1]})),
            400,
            "must be a text",
        ),
        ("no token", bare.clone(), 403, "Insufficient authentication."),
        (
            "empty token",
            bare.clone().set("x-bunq-client-authentication", ""),
            403,
            "Insufficient authentication.",
        ),
        (
            "installation's token for a session's call",
            bare.set("x-bunq-client-authentication", &client.installation),
            401,
            "Insufficient authorisation.",
        ),
        ("unknown route", provider.request("GET", "/invoice", None), 404, "Route not found."),
        ("route outside", Request::new("GET", "/bunq/v2/user"), 404, "Route not found."),
        ("the bare prefix", Request::new("GET", "/bunq/"), 404, "Route not found."),
        ("method", provider.request("PATCH", "/user", None), 405, "Method not allowed."),
        ("dot segments", Request::new("GET", "/bunq/v1/user%2f1"), 404, "Route not found."),
        (
            "too large",
            Request::new("POST", &format!("{BUNQ}/installation"))
                .body("application/json", vec![b' '; 1024 * 1024 + 1]),
            413,
            "larger than",
        ),
        (
            "encoded",
            Request::new("POST", &format!("{BUNQ}/installation")).set("content-encoding", "gzip"),
            415,
            "send the body as it is",
        ),
    ];
    assert!(hold(&server, rows).await >= 50);
    let answer = server.send(&post("/session-server", &json!({})).without("x-bunq-client-signature")).await;
    let url = &answer.json()["Error"][0]["error_additional_parameter"][0]["url_together_post"];
    assert!(url.as_str().unwrap().starts_with("https://"));
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one row a refusal")]
async fn clients_and_lists() {
    let server = TestServer::start().await;
    let provider = BunqClient::provider(&server, "Lists AISP PISP").await;
    let other = BunqClient::provider(&server, "Others AISP").await;
    let customer = server.customer("nl", "household").await;
    let own = BunqClient::customer(&server, &customer).await;
    let client = provider.oauth_client().await["id"].as_i64().unwrap();
    let connected = provider.connect(&server, &customer).await;
    let account = connected.account().await;
    let clients = format!("/user/{}/oauth-client", provider.user);
    let callbacks = format!("{clients}/{client}/callback-url");
    let url = |url: &str| provider.request("POST", &callbacks, Some(&json!({ "url": url })));
    let payments = connected.below(account, "/payment");
    let get = |path: &str| connected.request("GET", path, None);
    let page = |query: &str| connected.request("GET", &format!("{payments}?{query}"), None);
    let statement = json!({"statement_format": "CSV", "regional_format": "UK_US", "date_start": "2026-01-01", "date_end": "2026-01-31"});
    let ask = |body: Value| {
        connected.request("POST", &connected.below(account, "/customer-statement"), Some(&body))
    };
    let picture =
        provider.request("POST", "/attachment-public", Some(&json!({}))).set("content-type", "image/png");
    let filters = |body: Value| {
        provider.request(
            "POST",
            &format!("/user/{}/notification-filter-url", provider.user),
            Some(&json!({"notification_filters": [body]})),
        )
    };
    let open = |kind: &str, body: Value| {
        own.request("POST", &format!("/user/{}/monetary-account-{kind}", own.user), Some(&body))
    };
    let change = |body: Value| {
        own.request("PUT", &format!("/user/{}/monetary-account-bank/{account}", own.user), Some(&body))
    };
    let rows: Vec<Row> = vec![
        ("callback without https", url("http://tpp.example/"), 400, "must begin with https://"),
        ("callback with a fragment", url("https://tpp.example/#x"), 400, "fragment"),
        ("callback with a user", url("https://me@tpp.example/"), 400, "without user name"),
        ("callback is none", url("callback"), 400, "must be a URL"),
        ("callback with blanks", url("https://tpp.example/a b"), 400, "without blanks"),
        ("callback with quotes", url("https://tpp.example/\"x"), 400, "percent-encoded"),
        ("callback is long", url(&format!("https://tpp.example/{}", "x".repeat(2000))), 400, "at most 2000"),
        (
            "callback is missing",
            provider.request("POST", &callbacks, Some(&json!({}))),
            400,
            "\"url\" is required",
        ),
        ("callback is there", url(testkit::CALLBACK), 400, "has already been registered for this Client."),
        (
            "second client",
            provider.request("POST", &clients, Some(&json!([{"status": "ACTIVE"}]))),
            400,
            "You can only have one active OAuth Client registered.",
        ),
        (
            "client's status",
            provider.request("PUT", &format!("{clients}/{client}"), Some(&json!({"status": "GONE"}))),
            400,
            "one of ACTIVE, CANCELLED",
        ),
        (
            "somebody else's client",
            other.request("GET", &format!("{clients}/{client}"), None),
            404,
            "Resource not found.",
        ),
        (
            "unknown client",
            provider.request("GET", &format!("{clients}/1"), None),
            404,
            "Resource not found.",
        ),
        (
            "client of a customer",
            own.request("POST", &format!("/user/{}/oauth-client", own.user), Some(&json!({}))),
            403,
            "payment service provider",
        ),
        (
            "client through a connection",
            connected.request("GET", &format!("/user/{}/oauth-client", connected.user), None),
            403,
            "one's own key",
        ),
        ("somebody else's user", get(&format!("/user/{}", provider.user)), 404, "Resource not found."),
        ("user that is no number", get("/user/me"), 404, "Resource not found."),
        (
            "provider has no accounts",
            provider.request("GET", &format!("/user/{}/monetary-account", provider.user), None),
            403,
            "access token of a user",
        ),
        (
            "account 0",
            get(&format!("/user/{}/monetary-account-bank/0", connected.user)),
            404,
            "Resource not found.",
        ),
        ("count is none", page("count=x"), 400, "\"count\" must be a whole number"),
        ("count is too much", page("count=201"), 400, "from 1 to 200"),
        ("count is nothing", page("count=0"), 400, "from 1 to 200"),
        ("both directions", page("older_id=1&newer_id=2"), 400, "not both"),
        ("older than nothing", page("older_id="), 400, "\"older_id\" must be a whole number"),
        ("payment 0", get(&format!("{payments}/0")), 404, "Resource not found."),
        ("payment beyond all", get(&format!("{payments}/2147483647")), 404, "Resource not found."),
        (
            "statement of no format",
            ask(with(&statement, "statement_format", json!("XLS"))),
            400,
            "one of CSV, MT940, PDF",
        ),
        (
            "CSV of no region",
            ask(without(&statement, "regional_format")),
            400,
            "\"regional_format\" is required",
        ),
        (
            "statement backwards",
            ask(with(&statement, "date_end", json!("2025-01-01"))),
            400,
            "must not be before",
        ),
        (
            "statement of a century",
            ask(with(&statement, "date_start", json!("1926-01-01"))),
            400,
            "five years",
        ),
        ("day that is none", ask(with(&statement, "date_start", json!("2026-02-30"))), 400, "must be a day"),
        ("picture of no type", picture.clone().set("content-type", "text/html"), 400, "image/png"),
        ("picture without description", picture.clone(), 400, "X-Bunq-Attachment-Description"),
        (
            "avatar of nothing",
            provider.request("POST", "/avatar", Some(&json!({"attachment_public_uuid": "x"}))),
            400,
            "names no picture",
        ),
        (
            "filter of no category",
            filters(json!({"category": "X", "notification_target": "https://a.example/"})),
            400,
            "one of BILLING",
        ),
        (
            "filter to plain http",
            filters(json!({"category": "OAUTH", "notification_target": "http://127.0.0.1/"})),
            400,
            "must begin with https://",
        ),
        (
            "pin that is no certificate",
            provider.request(
                "POST",
                &format!("/user/{}/certificate-pinned", provider.user),
                Some(&json!({"certificate_chain": [{"certificate": "x"}]})),
            ),
            400,
            "no certificate in PEM",
        ),
        (
            "account in dollars",
            open("bank", json!({"currency": "USD", "description": "x"})),
            400,
            "must be EUR",
        ),
        ("account without currency", open("bank", json!({})), 400, "\"currency\" is required"),
        ("joint account alone", open("joint", json!({"currency": "EUR"})), 400, "other holder"),
        ("external account", open("external", json!({"currency": "EUR"})), 400, "linked at the bank"),
        (
            "account for somebody else",
            connected.request(
                "POST",
                &format!("/user/{}/monetary-account-bank", connected.user),
                Some(&json!({"currency": "EUR"})),
            ),
            403,
            "in person",
        ),
        ("limit too high", change(json!({"daily_limit": euro("10000.01")})), 400, "from 0.00 to 10000.00"),
        ("description too long", change(json!({"description": "x".repeat(141)})), 400, "more than 140"),
        (
            "closing without a reason",
            change(json!({"status": "CANCELLED", "sub_status": "REDEMPTION_VOLUNTARY"})),
            400,
            "\"reason\" is required",
        ),
        (
            "closing what is not empty",
            change(
                json!({"status": "CANCELLED", "sub_status": "REDEMPTION_VOLUNTARY", "reason": "OTHER", "reason_description": "x"}),
            ),
            400,
            "not empty",
        ),
        (
            "address that is none",
            own.request(
                "POST",
                &format!(
                    "/user/{}/credential-password-ip/{}/ip",
                    own.user,
                    own.list(&format!("/user/{}/credential-password-ip", own.user)).await[0]["id"]
                ),
                Some(&json!({"ip": "1.2.3"})),
            ),
            400,
            "is no IP address",
        ),
    ];
    assert!(hold(&server, rows).await >= 45);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one row a refusal")]
async fn payments() {
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
    let rows: Vec<Row> = vec![
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
