//! HTTP as its standards say it, on every route of every listener: methods, hosts, challenges, when to come again.

use serde_json::{Value, json};
use testkit::bunq::BunqClient;
use testkit::{Answer, Request, TestServer, detailed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A path, and the methods that it has.
type Path = (&'static str, &'static str);

const PAGES: &[Path] = &[
    ("/", "GET"),
    ("/.well-known/oauth-authorization-server/auth/nl", "GET"),
    ("/assets/style.css", "GET"),
    ("/assets/icon.svg", "GET"),
    ("/ca/root.cer", "GET"),
    ("/ca/issuing.cer", "GET"),
    ("/ca/issuing.crl", "GET"),
    ("/ca/disclosure-statement", "GET"),
];

const MANAGEMENT: &[Path] = &[
    ("/", "GET"),
    ("/ca.pem", "GET"),
    ("/test-certificates", "GET POST"),
    ("/test-certificates/ab", "PUT"),
    ("/clock", "GET PUT"),
    ("/personas", "GET"),
    ("/test-accounts", "GET POST"),
    ("/test-accounts/NL91ABNA0417164300", "PUT"),
    ("/consents", "GET"),
    ("/consents/7/revocation", "POST"),
    ("/resource-servers", "POST"),
    ("/tenants", "GET"),
    ("/tenants/nl", "PUT"),
    ("/approvals", "POST"),
    ("/signing-keys", "POST"),
    ("/third-parties", "GET"),
    ("/third-parties/7", "PUT"),
];

/// Every path of an interface with its methods, as its description says.
async fn described(server: &TestServer, prefix: &str) -> Vec<(String, Vec<String>)> {
    let description = call(server, server.url(), "GET", &format!("{prefix}/openapi.json")).await.json();
    let paths = description["paths"].as_object().unwrap();
    let concrete = |path: &str| {
        let parts = path.split('/').map(|part| match part {
            "{tenant}" => "nl",
            part if part.starts_with('{') => "7",
            part => part,
        });
        format!("{prefix}{}", parts.collect::<Vec<_>>().join("/"))
    };
    let methods = |operations: &Value| -> Vec<String> {
        let names = operations.as_object().unwrap().keys().map(|name| name.to_ascii_uppercase());
        names.filter(|name| name != "PARAMETERS").collect()
    };
    paths.iter().map(|(path, operations)| (concrete(path), methods(operations))).collect()
}

/// The same as a table says it.
fn listed(paths: &[Path]) -> Vec<(String, Vec<String>)> {
    let methods = |methods: &str| methods.split(' ').map(str::to_owned).collect();
    paths.iter().map(|(path, of_path)| ((*path).to_owned(), methods(of_path))).collect()
}

async fn call(server: &TestServer, origin: &str, method: &str, path: &str) -> Answer {
    Request::new(method, path).set("accept", "application/json").send(&server.http, origin).await
}

#[tokio::test]
async fn every_405_says_what_is_allowed_and_every_get_has_head() {
    let server = TestServer::start().await;
    let management = server.running.addresses.management.clone();
    let public = server.url().to_owned();
    let mut all = vec![(&public, listed(PAGES)), (&management, listed(MANAGEMENT))];
    for prefix in ["/xs2a-bg", "/auth", "/bunq"] {
        let paths = described(&server, prefix).await;
        assert!(paths.len() > 10, "{prefix}: {paths:?}");
        all.push((&public, paths));
    }
    for (origin, paths) in &all {
        for (path, methods) in paths {
            let methods: Vec<&str> = methods.iter().map(String::as_str).collect();
            for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "TRACE", "FROB"] {
                let wanted = if method == "HEAD" { "GET" } else { method };
                let answer = call(&server, origin, method, path).await;
                let what = format!("{method} {origin}{path}: {} {}", answer.status, answer.body);
                // A path of payments that ends before the id of one is unknown.
                let is_of_payments = path.starts_with("/xs2a-bg/") && path.ends_with("payments/7");
                let lacks_id = is_of_payments && matches!(wanted, "GET" | "PUT" | "DELETE");
                if lacks_id {
                    assert_eq!(answer.status, 404, "{what}");
                    continue;
                }
                assert_eq!(answer.status == 405, !methods.contains(&wanted), "{what}");
                assert!(answer.status < 500, "{what}");
                if answer.status == 401 {
                    assert!(!answer.header("www-authenticate").is_empty(), "{what}");
                }
                if answer.status == 429 {
                    assert!(!answer.header("retry-after").is_empty(), "{what}");
                }
                if answer.status != 405 {
                    continue;
                }
                let allow = answer.header("allow");
                let allowed: Vec<&str> = allow.split(',').map(str::trim).collect();
                for has in &methods {
                    assert!(allowed.contains(has), "{what}: Allow is {allow}");
                }
                assert_eq!(allowed.contains(&"HEAD"), methods.contains(&"GET"), "{what}: Allow is {allow}");
                for name in allowed {
                    assert!(methods.contains(&name) || matches!(name, "HEAD" | "OPTIONS"), "{what}: {allow}");
                }
                let is_told = method == "HEAD" || !answer.body.is_empty();
                assert!(is_told, "{what}");
            }
            if methods.contains(&"GET") {
                let (get, head) =
                    (call(&server, origin, "GET", path).await, call(&server, origin, "HEAD", path).await);
                assert_eq!((head.status, head.body.as_str()), (get.status, ""), "HEAD {path}");
                assert_eq!(head.header("content-type"), get.header("content-type"), "HEAD {path}");
            }
        }
    }
}

#[tokio::test]
async fn head_is_get_where_something_is_told() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", "PSDNL-DNB-R123456").await;
    let customer = server.customer("nl", "household").await;
    let iban = customer["iban"].as_str().unwrap();
    let consent = tpp.valid(&server, &detailed(iban, true), iban).await;
    for path in [format!("/v1/consents/{}", consent.id), "/v1/accounts".to_owned()] {
        let head = tpp
            .request("HEAD", &path)
            .set("consent-id", &consent.id)
            .set("authorization", format!("Bearer {}", consent.access_token))
            .certificate(&tpp.signer)
            .digest()
            .sign(&tpp.signer, "digest x-request-id");
        let head = server.send(&head).await;
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
        assert_eq!(head.header("content-type"), "application/json", "{path}");
    }
    // The address to open, without a browser's session.
    let asked = tpp.consent(&server, &detailed(iban, true)).await;
    let url = tpp.authorization_url(&asked);
    let target = url.strip_prefix(server.url()).unwrap();
    assert_eq!(call(&server, server.url(), "HEAD", target).await.status, 302);
    let bunq = BunqClient::customer(&server, &customer).await;
    let head = server.send(&bunq.request("HEAD", "/user", None)).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

/// Sends octets as they are; the server closes when it has answered.
async fn raw(address: &str, octets: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(octets.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_request_names_one_host() {
    let server = TestServer::start().await;
    let bare = |url: &str| url.trim_start_matches("http://").to_owned();
    let (public, management) = (bare(server.url()), bare(&server.running.addresses.management));
    let paths = [
        (&public, "/"),
        (&public, "/no/such/page"),
        (&public, "/assets/style.css"),
        (&public, "/auth/nl/v1/jwks"),
        (&public, "/auth/internalonly/authorise.html"),
        (&public, "/xs2a-bg/nl/v1/accounts"),
        (&public, "/bunq/v1/health-check"),
        (&public, "/bunq/auth"),
        (&public, "/v1/user"),
        (&management, "/clock"),
        (&management, "/test-accounts"),
    ];
    for (address, path) in paths {
        for (hosts, is_right) in [
            ("", false),
            ("host: a\r\nhost: a\r\n", false),
            ("host: a\r\nhost: b\r\n", false),
            ("host:\r\n", false),
            ("host: a b\r\n", false),
            ("host: user@a\r\n", false),
            ("host: http://a/\r\n", false),
            ("host: localhost:8080\r\n", true),
            ("host: [::1]:8080\r\n", true),
            ("host: 127.0.0.1\r\n", true),
        ] {
            let request = format!("GET {path} HTTP/1.1\r\n{hosts}connection: close\r\n\r\n");
            let answer = raw(address, &request).await;
            let is_refused = answer.starts_with("HTTP/1.1 400 ") && answer.contains("exactly one Host");
            assert_eq!(is_refused, !is_right, "{path} {hosts}: {answer}");
        }
    }
    let old = raw(&public, "GET /auth/nl/v1/jwks HTTP/1.0\r\n\r\n").await;
    assert!(old.contains(" 200 "), "{old}");
}

/// A path whose octets are no text is refused in the format of its own interface, wherever names stand in it.
#[tokio::test]
async fn a_path_is_text() {
    let server = TestServer::start().await;
    let management = server.running.addresses.management.clone();
    for (origin, method, path, member) in [
        (server.url(), "GET", "/auth/%ff/v1/jwks", "error_description"),
        (server.url(), "POST", "/auth/%ff/v1/token", "error_description"),
        (server.url(), "GET", "/auth/%c3/customer", "error_description"),
        (server.url(), "GET", "/.well-known/oauth-authorization-server/auth/%ff", "message"),
        (server.url(), "GET", "/xs2a-bg/%ff/v1/accounts", "tppMessages"),
        (server.url(), "GET", "/xs2a-bg/nl/v1/accounts/%ff/balances", "tppMessages"),
        (server.url(), "POST", "/xs2a-bg/nl/v1/signing-baskets/%ff", "tppMessages"),
        (server.url(), "GET", "/bunq/v1/user/%ff", "Error"),
        (server.url(), "GET", "/v1/user/%ff", "Error"),
        (server.url(), "GET", "/portal/guides/%ff", "message"),
        (server.url(), "GET", "/portal/assets/%ff/x", "message"),
        (server.url(), "GET", "/ca/ocsp/%ff", "message"),
        (server.url(), "GET", "/no/such/%ff", "message"),
        (&management, "PUT", "/test-accounts/%ff", "message"),
        (&management, "GET", "/register/%ff", "message"),
        (&management, "GET", "/calls/%ff", "message"),
        (&management, "DELETE", "/snapshots/n%ffm", "message"),
    ] {
        let answer = call(&server, origin, method, path).await;
        assert_eq!(answer.status, 400, "{method} {path}: {}", answer.body);
        assert!(
            answer.body.contains("the path is not valid UTF-8")
                || answer.body.contains("The path is not valid UTF-8")
        );
        assert!(!answer.json()[member].is_null(), "{method} {path}: {}", answer.body);
    }
}

/// Whatever is unauthorised says what would be right (RFC 9110, 15.5.2).
#[tokio::test]
async fn every_401_has_a_challenge() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", "PSDNL-DNB-R123456").await;
    let customer = server.customer("nl", "household").await;
    let iban = customer["iban"].as_str().unwrap();
    let consent = tpp.valid(&server, &detailed(iban, true), iban).await;
    let stranger = server.tpp("PSDNL-DNB-R999999").await;
    let bunq = BunqClient::install(&server).await;
    let form = "grant_type=refresh_token&refresh_token=x";
    for (what, request, scheme) in [
        ("no certificate", tpp.request("GET", "/v1/accounts"), "Signature "),
        ("no signature", tpp.request("GET", "/v1/accounts").certificate(&tpp.signer), "Signature "),
        ("a stranger", tpp.request("GET", "/v1/accounts").signed(&stranger), "Signature "),
        ("no token", tpp.get("/v1/accounts").set("consent-id", &consent.id), "Bearer"),
        (
            "an unknown token",
            tpp.get("/v1/accounts").set("consent-id", &consent.id).set("authorization", "Bearer x"),
            "Bearer",
        ),
        ("no client", Request::new("POST", "/auth/nl/v1/token").form(form), "Basic "),
        (
            "a wrong secret",
            Request::new("POST", "/auth/nl/v1/token").form(&format!("{form}&client_id=x&client_secret=y")),
            "Basic ",
        ),
        ("a resource server", Request::new("POST", "/auth/nl/v1/introspect").form("token=x"), "Basic "),
        ("no initial access token", Request::new("POST", "/auth/nl/v1/registration").form("a=b"), "Bearer"),
        (
            "an unknown initial access token",
            Request::registration("nl", "x", &["https://tpp.example/cb"]),
            "Bearer",
        ),
        ("an installation's token", bunq.request("GET", "/user", None), "Bunq "),
    ] {
        let answer = server.send(&request).await;
        assert_eq!(answer.status, 401, "{what}: {}", answer.body);
        assert!(answer.header("www-authenticate").starts_with(scheme), "{what}: {:?}", answer.headers);
    }
}

#[tokio::test]
async fn every_429_says_when_to_come_again() {
    let server =
        TestServer::with(|config| config.rate_limits = vestibule::profiles::RateLimits::Strict).await;
    let tpp = server.registered("nl", "PSDNL-DNB-R123456").await;
    let customer = server.customer("nl", "household").await;
    let iban = customer["iban"].as_str().unwrap();
    let consent = tpp.valid(&server, &detailed(iban, true), iban).await;
    let accounts = server.send(&tpp.read("/v1/accounts", &consent)).await.json();
    let path = format!("/v1/accounts/{}/balances", accounts["accounts"][0]["resourceId"].as_str().unwrap());
    let mut answer = server.send(&tpp.read(&path, &consent)).await;
    for _ in 0..4 {
        answer = server.send(&tpp.read(&path, &consent)).await;
    }
    assert_eq!((answer.status, answer.error().0.as_str()), (429, "ACCESS_EXCEEDED"));
    let seconds: i64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=86_401 + 3600).contains(&seconds), "{seconds}");
    // At that time reads are counted anew.
    server.advance("nl", &format!("PT{seconds}S")).await;
    let consent = tpp.refreshed(&server, &consent).await;
    assert_eq!(server.send(&tpp.read(&path, &consent)).await.status, 200);
    let mut answer = call(&server, server.url(), "GET", "/bunq/v1/health-check").await;
    for _ in 0..20 {
        if answer.status == 429 {
            break;
        }
        answer = call(&server, server.url(), "GET", "/bunq/v1/health-check").await;
    }
    assert_eq!(answer.status, 429, "{}", answer.body);
    let seconds: i64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=3).contains(&seconds), "{seconds}");
}

/// Forms are counted while they are read, before anybody is known.
#[tokio::test]
async fn forms_have_few_parameters() {
    let server = TestServer::start().await;
    let many: Vec<String> = (0..8_000).map(|number| format!("p{number}=")).collect();
    let (many, some) = (many.join("&"), many[..60].join("&"));
    for path in ["token", "token/revoke", "par", "auth", "introspect", "registration"] {
        let path = format!("/auth/nl/v1/{path}");
        let request = |form: &str| Request::new("POST", &path).set("authorization", "Basic eDp5").form(form);
        let answer = server.send(&request(&many)).await;
        // Services of the bank are asked who they are before their form is read, registrations for a token.
        let is_asked_first = path.ends_with("introspect") || path.ends_with("registration");
        if !is_asked_first {
            assert_eq!(answer.status, 400, "{path}: {}", answer.body);
            assert!(answer.error().1.contains("more than 64 parameters"), "{path}: {}", answer.body);
        }
        let answer = server.send(&request(&some)).await;
        assert!(!answer.body.contains("more than"), "{path}: {}", answer.body);
        let twice = server.send(&request("client_id=a&client_id=b&grant_type=x")).await;
        let is_told = twice.body.contains("client_id occurs more than once");
        assert!(is_told || is_asked_first, "{path}: {}", twice.body);
    }
    let many_uris: Vec<String> = (0..100).map(|n| format!("redirect_uris=https://tpp.example/{n}")).collect();
    let signer = server.tpp("PSDNL-DNB-R123456").await;
    let token = server.initial_access_token("nl", &signer).await;
    let request = |form: &str| {
        let request = Request::new("POST", "/auth/nl/v1/registration").form(form).certificate(&signer);
        request.set("authorization", format!("Bearer {token}"))
    };
    assert_eq!(server.send(&request(&many_uris.join("&"))).await.status, 201);
    let answer = server.send(&request(&many)).await;
    assert!(answer.error().1.contains("more than 256 parameters"), "{}", answer.body);
    let answer = server.send(&request(&"redirect_uris=x&".repeat(4_000))).await;
    assert!(answer.error().1.contains("4000 redirect URIs were sent; at most 100"), "{}", answer.body);
    for path in ["/bunq/v1/token", "/bunq/v1/token?grant_type=authorization_code"] {
        let answer = server.send(&Request::new("POST", path).form(&many)).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
        assert!(answer.body.contains("More than 64 parameters"), "{}", answer.body);
    }
}

/// The management API reads days, moments and objects as the interfaces do.
#[tokio::test]
async fn management_reads_moments_and_objects_in_one_way() {
    let server = TestServer::start().await;
    for (path, method, body, text) in [
        ("/clock", "PUT", json!({"now": "2027-01-31"}), "now: expected a moment as in RFC 3339"),
        ("/clock", "PUT", json!({"now": "20270131T120000Z"}), "now: expected a moment"),
        ("/clock", "PUT", json!({"now": "2027-01-31T12:00Z"}), "now: expected a moment"),
        ("/clock", "PUT", json!({"now": "2027-01-31T12:00:00+01:00[Europe/Amsterdam]"}), "now: expected"),
        ("/clock", "PUT", json!({"now": 1_800_000_000}), "the body: now is wrong: expected a string"),
        ("/clock", "PUT", json!({"advance": "1 day"}), "advance: a span is written as in ISO 8601"),
        ("/clock", "PUT", json!({"advance": {"days": 1}}), "the body: advance is wrong: expected a string"),
        ("/clock", "PUT", json!(["nl", null, "P1D"]), "the body: it must be a JSON object"),
        (
            "/clock",
            "PUT",
            json!({"by": "P1D"}),
            "the body: it has an unknown field `by`; known are tenant, now, advance",
        ),
        ("/test-accounts", "POST", json!(["nl", "household"]), "it must be a JSON object"),
        ("/test-accounts", "POST", json!({"persona": ["household"]}), "persona is wrong: expected a string"),
        (
            "/test-accounts",
            "POST",
            json!({"currency": "JPY", "balance": "1.00"}),
            "no fraction digits, for example 1250",
        ),
        ("/test-accounts", "POST", json!({"balance": "1.001"}), "at most two places, for example 12.50"),
        ("/test-certificates", "POST", json!(["PSDNL-DNB-R123456"]), "it must be a JSON object"),
        (
            "/test-certificates",
            "POST",
            json!({"organizationIdentifier": "PSDNL-DNB-R123456", "roles": "PSP_AI"}),
            "roles must be an array",
        ),
        ("/test-certificates", "POST", json!({}), "it has a missing field `organizationIdentifier`"),
        ("/resource-servers", "POST", json!(["a"]), "it must be a JSON object"),
        ("/approvals", "POST", json!(["a", "b", "approve"]), "it must be a JSON object"),
        (
            "/approvals",
            "POST",
            json!({"url": "x", "iban": "y", "decision": "maybe"}),
            "decision must be one of approve, reject, wrong-answer, expire",
        ),
    ] {
        let (status, answer) = server.manage(method, path, body.clone()).await;
        let said = answer["message"].as_str().unwrap_or_default();
        assert!(status == 400 && said.contains(text), "{path} {body}: {status} {answer}");
        for rust in ["struct", "sequence", "variant", "enum", "Option", "Request"] {
            assert!(!said.contains(rust), "{said}");
        }
    }
    let (status, answer) =
        server.manage("GET", "/consents?x=1&iban=NL91%20ABNA0417164300", Value::Null).await;
    assert_eq!((status, &answer["consents"]), (200, &json!([])));
    let (_, answer) = server.manage("GET", "/consents", Value::Null).await;
    assert!(answer["message"].as_str().unwrap().contains("the parameter iban is missing"), "{answer}");
}
