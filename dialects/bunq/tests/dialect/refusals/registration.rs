//! Refusals on the way to a session: installation, certificate, device, session.

use serde_json::{Value, json};
use testkit::bunq::{BUNQ, BunqClient, certificate_time, client_keys, pseudo_certificate, sign};
use testkit::{FakeKey, Request, TestCa, TestServer, in_days};

use super::{Row, hold, with, without};

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one row a refusal")]
async fn answers_say_what_was_wrong() {
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
        params.not_after = certificate_time(in_days(-1));
    });
    let (young, _) = pseudo_certificate("Young AISP", |params| {
        params.not_before = certificate_time(in_days(1));
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
        (
            "certificate in place of a key",
            install(json!(certificate)),
            400,
            "it is a certificate; expected a public key",
        ),
        (
            "key in place of a certificate",
            credential(with(&body, leaf, json!(public))),
            400,
            "it is a public key; expected a certificate",
        ),
        (
            "private key in place of a certificate",
            credential(with(&body, leaf, json!(private))),
            400,
            "holds a private key, which must never be sent",
        ),
        (
            "private key in the chain, on one line",
            credential(with(&body, chain, json!(format!("{certificate}{}", private.replace('\n', ""))))),
            400,
            "holds a private key, which must never be sent",
        ),
        ("NUL in the name", issued("Nul\0 AISP"), 400, "cannot be seen, in CN: \"Nul\\u{0000} AISP\""),
        ("line feed in the name", issued("Line\nAISP"), 400, "cannot be seen, in CN"),
        ("direction mark in the name", issued("Evil\u{202e}PSIA AISP"), 400, "cannot be seen, in CN"),
        ("no width in the name", issued("Evil\u{200b} AISP"), 400, "cannot be seen, in CN"),
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
