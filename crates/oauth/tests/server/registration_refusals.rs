//! Registrations that are refused, each with status, code and words.

use serde_json::json;
use testkit::{Request, TestServer};

use crate::grants::tls_client;
use crate::{ID, basic};

type Row = (&'static str, Request, u16, &'static str, &'static str);

#[tokio::test]
async fn each_with_its_reason() {
    let server = TestServer::start().await;
    let tpp = server.tpp(ID).await;
    let other = server.tpp("PSDNL-DNB-R999999").await;
    let revoked = server.tpp("PSDNL-DNB-R777777").await;
    let revoked_token = server.initial_access_token("nl", &revoked).await;
    server.tpp("PSDNL-DNB-R777777").await;
    // Where a proxy hands on the certificate of a connection, it is one of the organisation that got the token.
    let connected =
        server.certificate(json!({"organizationIdentifier": "PSDNL-DNB-R777777", "profile": "qwac"}));
    let connected = connected.await.header();
    let token = server.initial_access_token("nl", &tpp).await;
    let uris = ["https://tpp.example/cb"];
    let good = || Request::registration("nl", &token, &uris);
    let uri = |uri: &str| Request::registration("nl", &token, &[uri]);
    let json = |body: &str| good().body("application/json", body);
    let auth = |value: &str| good().set("authorization", value);
    let many: Vec<String> = (0..10_000).map(|n| format!("https://tpp.example/{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let signed = || good().signed(&tpp);
    let rows: Vec<Row> = vec![
        (
            "no token",
            good().without("authorization"),
            401,
            "invalid_request",
            "initial access token is missing",
        ),
        (
            "unknown token",
            auth("Bearer 00000000-0000-4000-8000-000000000000"),
            401,
            "invalid_token",
            "is unknown; fetch one from the onboarding endpoint",
        ),
        (
            "unknown token in the form",
            good().without("authorization").form("initial_access_token=x&redirect_uris=https%3A%2F%2Fa"),
            401,
            "invalid_token",
            "unknown",
        ),
        ("Bearer and nothing", auth("Bearer "), 400, "Invalid HTTP Authorization header value", ""),
        ("Bearer alone", auth("Bearer"), 400, "Invalid HTTP Authorization header value", ""),
        ("Basic", auth(&basic("a", "b")), 400, "Invalid HTTP Authorization header value", ""),
        ("another scheme", auth("Digest x"), 400, "Invalid HTTP Authorization header value", ""),
        (
            "header twice",
            good().append("authorization", "Bearer x"),
            400,
            "invalid_request",
            "Authorization header occurs more than once",
        ),
        (
            "token twice in the form",
            good().form("initial_access_token=a&initial_access_token=b"),
            400,
            "invalid_request",
            "initial_access_token occurs more than once",
        ),
        (
            "token of a revoked certificate",
            Request::registration("nl", &revoked_token, &uris).set("ssl-certificate", &connected),
            401,
            "access_denied",
            "CERTIFICATE_REVOKED",
        ),
        ("a revoked certificate", good().certificate(&revoked), 401, "access_denied", "CERTIFICATE_REVOKED"),
        (
            "another's certificate",
            good().certificate(&other),
            401,
            "access_denied",
            "given to another organisation",
        ),
        (
            "a certificate that is none",
            good().set("tpp-signature-certificate", "x"),
            401,
            "access_denied",
            "CERTIFICATE_INVALID",
        ),
        (
            "two certificates",
            good().certificate(&tpp).append("tpp-signature-certificate", tpp.header()),
            400,
            "invalid_request",
            "TPP-Signature-Certificate header occurs more than once",
        ),
        (
            "a wrong signature",
            signed().set("x-request-id", "other"),
            401,
            "invalid_request",
            "SIGNATURE_INVALID: the signature does not verify",
        ),
        (
            "a signature without certificate",
            signed().without("tpp-signature-certificate"),
            401,
            "invalid_request",
            "SIGNATURE_INVALID: a Signature came without TPP-Signature-Certificate; send both or neither",
        ),
        (
            "no redirect URI",
            good().form(""),
            400,
            "invalid_request",
            "There should be at least one redirect URI",
        ),
        (
            "an empty redirect URI",
            good().form("redirect_uris="),
            400,
            "invalid_request",
            "There should be at least one redirect URI",
        ),
        (
            "no body at all",
            good().form("").without("content-type"),
            400,
            "invalid_request",
            "There should be at least one redirect URI",
        ),
        (
            "relative",
            uri("/cb"),
            400,
            "invalid_redirect_uri",
            "is not absolute; expected for example https://",
        ),
        ("no scheme", uri("tpp.example/cb"), 400, "invalid_redirect_uri", "is not absolute"),
        (
            "fragment",
            uri("https://tpp.example/cb#x"),
            400,
            "invalid_redirect_uri",
            "must not have a fragment",
        ),
        ("script", uri("javascript:alert(1)"), 400, "invalid_redirect_uri", "cannot be redirected to"),
        ("data", uri("data:text/html,x"), 400, "invalid_redirect_uri", "cannot be redirected to"),
        ("no domain name", uri("myapp:/callback"), 400, "invalid_redirect_uri", "com.example.app:/callback"),
        ("wildcard", uri("https://*.example/cb"), 400, "invalid_redirect_uri", "matching is exact"),
        ("user name", uri("https://me@tpp.example"), 400, "invalid_redirect_uri", "user name or password"),
        ("not ASCII", uri("https://tpp.example/ü"), 400, "invalid_redirect_uri", "percent-encode them"),
        (
            "too long",
            uri(&format!("https://tpp.example/{}", "x".repeat(2000))),
            400,
            "invalid_redirect_uri",
            "longer than 2000 bytes",
        ),
        (
            "one bad among good",
            Request::registration("nl", &token, &["https://a.example", "x"]),
            400,
            "invalid_redirect_uri",
            "'x' is not absolute",
        ),
        (
            "10,000",
            Request::registration("nl", &token, &many),
            400,
            "invalid_redirect_uri",
            "10000 redirect URIs were sent; at most 100",
        ),
        (
            "not UTF-8",
            good().form("redirect_uris=https%3A%2F%2Fa%ff"),
            400,
            "invalid_request",
            "not valid UTF-8",
        ),
        (
            "sector identifier by http",
            good().form("redirect_uris=https%3A%2F%2Fa.example&sector_identifier_uri=http%3A%2F%2Fa.example"),
            400,
            "invalid_client_metadata",
            "must be an https URL",
        ),
        (
            "plain text",
            good().body("text/plain", "redirect_uris=https://a"),
            415,
            "invalid_request",
            "send application/x-www-form-urlencoded or application/json",
        ),
        (
            "multipart",
            good().body("multipart/form-data; boundary=x", "--x--"),
            415,
            "invalid_request",
            "multipart/form-data",
        ),
        ("broken JSON", json("{"), 400, "invalid_request", "line 1, column 1"),
        ("JSON that is a list", json("[1]"), 400, "invalid_request", "no JSON object"),
        (
            "a number for URIs",
            json("{\"redirect_uris\": 7}"),
            400,
            "invalid_request",
            "redirect_uris as an array of strings",
        ),
        (
            "a number among URIs",
            json("{\"redirect_uris\": [\"https://a\", 7]}"),
            400,
            "invalid_request",
            "array of strings",
        ),
        (
            "a member twice",
            json("{\"redirect_uris\": [\"https://a\"], \"redirect_uris\": []}"),
            400,
            "invalid_request",
            "no JSON object",
        ),
        ("empty JSON", json("{}"), 400, "invalid_request", "There should be at least one redirect URI"),
        (
            "JSON too deep",
            json(&format!("{}{}", "[".repeat(5000), "]".repeat(5000))),
            400,
            "invalid_request",
            "no JSON object",
        ),
        (
            "JSON not UTF-8",
            good().body("application/json", vec![b'"', 0xff, b'"']),
            400,
            "invalid_request",
            "no JSON object",
        ),
        (
            "body above 1 MiB",
            good().form(&"x".repeat(1024 * 1024 + 1)),
            413,
            "invalid_request",
            "larger than 1048576 bytes",
        ),
        ("gzip", good().set("content-encoding", "gzip"), 415, "invalid_request", "gzip"),
        (
            "GET",
            Request::new("GET", "/auth/nl/v1/registration"),
            405,
            "invalid_request",
            "method GET is not supported",
        ),
        ("unknown tenant", Request::registration("xx", &token, &uris), 404, "invalid_request", "Not Found"),
        (
            "unknown path",
            Request::new("POST", "/auth/nl/v2/registration"),
            404,
            "invalid_request",
            "Not Found",
        ),
    ];
    for (name, request, status, code, text) in rows {
        let answer = server.send(&request).await;
        let (got, said) = answer.error();
        assert_eq!((answer.status, got.as_str()), (status, code), "{name}: {}", answer.body);
        assert!(said.contains(&testkit::told_by_oauth(text)), "{name}: {said}");
        assert!(!answer.header("x-request-id").is_empty(), "{name}");
        let ascii = said.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'"' && b != b'\\');
        assert!(ascii, "{name}: RFC 6749 forbids characters of {said}");
    }
    let words = server.send(&good().set("authorization", "Bearer ")).await;
    assert_eq!(words.json(), json!({"error": "Invalid HTTP Authorization header value"}));
    let words = server.send(&good().form("")).await;
    assert_eq!(
        words.json(),
        json!({"error": "invalid_request", "error_description": "There should be at least one redirect URI"})
    );
}

#[tokio::test]
async fn nobody_registers_as_another_over_a_connection_of_their_own() {
    let server = TestServer::start().await;
    let tpp = server.tpp(ID).await;
    let token = server.initial_access_token("nl", &tpp).await;
    let own = tls_client(&server, ID).await;
    let other = tls_client(&server, "PSDNL-DNB-R999999").await;
    let request = Request::registration("nl", &token, &["https://tpp.example/cb"]);
    let origin = server.tls_url();
    let refuse = async || {
        let refused = request.send(&other, origin).await;
        let (code, said) = refused.error();
        assert_eq!((refused.status, code.as_str()), (401, "access_denied"), "{}", refused.body);
        assert!(said.contains("given to another organisation"), "{said}");
        assert!(!refused.body.contains("client_secret"), "{}", refused.body);
    };
    refuse().await;
    // It did not use up the token, and once that is used nobody else is given the answer again.
    let registered = request.send(&own, origin).await;
    assert_eq!(registered.status, 201, "{}", registered.body);
    assert_eq!(request.send(&own, origin).await.body, registered.body);
    refuse().await;
}

#[tokio::test]
async fn the_strict_profile_takes_https_on_named_hosts_alone() {
    let server = TestServer::with(|config| config.strictness = vestibule::profiles::Strictness::Strict).await;
    let seal = server.certificate(json!({"organizationIdentifier": ID, "profile": "qseal"})).await;
    let token = server.initial_access_token("nl", &seal).await;
    for (uri, text) in [
        ("http://tpp.example/cb", "must use https"),
        ("app:/cb", "must use https"),
        ("https://192.0.2.1/cb", "not an IP address"),
        ("https://tpp.example/a/../b", "dot segments"),
    ] {
        let answer = server.send(&Request::registration("nl", &token, &[uri])).await;
        assert_eq!((answer.status, answer.error().0.as_str()), (400, "invalid_redirect_uri"), "{uri}");
        assert!(answer.error().1.contains(text), "{uri}: {}", answer.body);
    }
    let answer = server.send(&Request::registration("nl", &token, &["https://tpp.example/cb"])).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
}
