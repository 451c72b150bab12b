//! The portal's ground: what every page has, its assets, and who may call the management API from a browser.

use std::path::Path;

use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use testkit::{Request, TestServer};

use crate::python;

/// Runs a script of the folder `python` that looks at pages in a browser, by its module `portal`. `more` is what the script
/// needs beside the address of the sandbox. Returns what it found; none where there is no browser.
pub(crate) async fn look(script: &str, server: &TestServer, more: Value) -> Option<Value> {
    let interpreter = python::program("python")?;
    testkit::system_program("/usr/bin/chromium")?;
    testkit::system_program("/usr/bin/chromedriver")?;
    let node = testkit::environment("VESTIBULE_NODE", "node", "scripts/node")?;
    let screenshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots");
    std::fs::create_dir_all(&screenshots).unwrap();
    let mut input = json!({
        "url": server.url(),
        "management": server.running.addresses.management,
        "axe": node.join("node_modules/axe-core/axe.min.js"),
        "screenshots": screenshots,
    });
    input.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    let script = python::script(script);
    let done = tokio::task::spawn_blocking(move || python::run_script(&interpreter, &[&script], &input));
    Some(done.await.unwrap())
}

/// What a `meta` of a page says.
pub(crate) fn meta<'a>(page: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(&format!("<meta name=\"{name}\" content=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

/// The first page, as a browser gets it that asks for it at this host.
async fn home(server: &TestServer, host: Option<&str>) -> testkit::Answer {
    let mut request = Request::new("GET", "/").set("accept", "text/html");
    if let Some(host) = host {
        request = request.set("host", host);
    }
    server.send(&request).await
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

/// Asks for a clock to be moved.
fn advance(server: &TestServer, url: &str, tenant: &str) -> RequestBuilder {
    let body = json!({"tenant": tenant, "advance": "P1D"}).to_string();
    server.http.put(url).header("content-type", "application/json").body(body)
}

async fn body(answer: Response) -> Value {
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_page_runs_its_own_scripts_and_calls_the_bank_alone() {
    let server = TestServer::start().await;
    let page = home(&server, None).await;
    let management = &server.running.addresses.management;
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' {management}; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    assert_eq!(page.header("content-security-policy"), policy);
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(meta(&page.body, "management"), Some(management.as_str()));
    assert!(!page.body.contains(" style=") && !page.body.contains(" onclick="), "nothing inline");
}

#[tokio::test]
async fn a_path_that_leads_nowhere_leads_on() {
    let server = TestServer::start().await;
    for (path, place) in [
        ("/portal/nothing", "/"),
        ("/portal/guides/nothing", "/portal/guides"),
        ("/portal/reference/nothing", "/portal/reference"),
        ("/portal/downloads/nothing", "/portal/reference"),
    ] {
        let page = server.send(&Request::new("GET", path).set("accept", "text/html")).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(page.body.contains("There is no such page"), "{path}: {}", page.body);
        assert!(page.body.contains(&format!("<a href=\"{place}\">http")), "{path}: {}", page.body);
    }
    for path in ["/portal", "/portal/"] {
        assert_eq!(server.send(&Request::new("GET", path)).await.header("location"), "/");
    }
}

/// In HTTP/2, which browsers speak with TLS, the authority takes the place of the header `Host`.
#[tokio::test]
async fn pages_work_over_http_2() {
    let server = TestServer::start().await;
    let client = reqwest::Client::builder().http2_prior_knowledge().no_proxy().build().unwrap();
    let page = client.get(server.url()).send().await.unwrap();
    assert_eq!(page.version(), reqwest::Version::HTTP_2);
    assert!(meta(&page.text().await.unwrap(), "portal-token").is_some());
}

#[tokio::test]
async fn commands_are_for_the_tenant_of_the_page() {
    let server = TestServer::start().await;
    let page = server.send(&Request::new("GET", "/?tenant=uk").set("accept", "text/html")).await;
    assert!(page.body.contains("--tenant uk") && !page.body.contains("--tenant nl"), "{}", page.body);
}

#[tokio::test]
async fn each_page_says_which_day_it_is_at_each_tenant() {
    let server = TestServer::start().await;
    server.manage("PUT", "/clock", json!({"tenant": "nl", "now": "2031-03-05T12:00:00Z"})).await;
    let page = home(&server, None).await;
    assert!(page.body.contains("<span id=\"tenant\">nl</span>"), "{}", page.body);
    assert!(page.body.contains("<time id=\"today\" datetime=\"2031-03-05\">5 March 2031</time>"));
    let other = server.send(&Request::new("GET", "/?tenant=be_fr")).await.body;
    assert!(other.contains("<span id=\"tenant\">be_fr</span>"));
    assert!(!other.contains("id=\"today\" datetime=\"2031-03-05\""));
    let unknown = server.send(&Request::new("GET", "/?tenant=%3Cb%3E%FF&tenant=uk")).await;
    assert!(unknown.status == 200 && unknown.body.contains("<span id=\"tenant\">nl</span>"));
}

#[tokio::test]
async fn assets_are_kept_for_good_under_their_version() {
    let server = TestServer::start().await;
    let page = home(&server, None).await.body;
    let (_, rest) = page.split_once("href=\"/portal/assets/").unwrap();
    let (version, _) = rest.split_once('/').unwrap();
    for (path, kind, life) in [
        (format!("{version}/portal.css"), "text/css", "public, max-age=31536000, immutable"),
        (format!("{version}/shell.js"), "text/javascript", "public, max-age=31536000, immutable"),
        ("older/shell.js".to_owned(), "text/javascript", "no-store"),
    ] {
        let asset = server.send(&Request::new("GET", &format!("/portal/assets/{path}"))).await;
        assert_eq!((asset.status, asset.header("cache-control")), (200, life), "{path}");
        assert!(asset.header("content-type").starts_with(kind), "{path}");
        assert_eq!(asset.header("x-content-type-options"), "nosniff");
    }
    let unknown = server.send(&Request::new("GET", &format!("/portal/assets/{version}/nothing.js"))).await;
    assert_eq!(unknown.status, 404);
}

/// A page that was made to be reached under the bank's address by another name learns no token.
#[tokio::test]
async fn the_token_stands_at_the_banks_own_addresses_alone() {
    let server = TestServer::start().await;
    let host = server.url().strip_prefix("http://").unwrap().to_owned();
    let port = host.rsplit_once(':').unwrap().1;
    let page = home(&server, None).await.body;
    let token = meta(&page, "portal-token").unwrap();
    assert!(token.len() >= 32, "{token}");
    let by_name = home(&server, Some(&format!("localhost:{port}"))).await.body;
    assert_eq!(meta(&by_name, "portal-token"), Some(token));
    for other in [format!("evil.example:{port}"), "127.0.0.1:1".to_owned()] {
        let page = home(&server, Some(&other)).await;
        assert_eq!((page.status, meta(&page.body, "portal-token")), (200, None), "{other}");
        assert!(page.body.contains("an address that is not its own") && !page.body.contains(token));
    }
    let another = TestServer::start().await;
    let page = home(&another, None).await.body;
    assert_ne!(meta(&page, "portal-token"), Some(token), "each start has its own");
}

#[tokio::test]
async fn the_portals_pages_may_call_the_management_api() {
    let server = TestServer::start().await;
    let page = home(&server, None).await.body;
    let token = meta(&page, "portal-token").unwrap();
    let url = format!("{}/clock", server.running.addresses.management);
    let origin = server.url().to_owned();
    let named = origin.replace("127.0.0.1", "localhost");
    for origin in [&origin, &named, &server.tls_url().to_owned()] {
        let preflight = server.http.request(reqwest::Method::OPTIONS, &url);
        let preflight = preflight.header("origin", origin).header("access-control-request-method", "PUT");
        let preflight = preflight.header("access-control-request-headers", "content-type,x-portal-token");
        let answer = preflight.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 204, "{origin}");
        assert_eq!(header(answer.headers(), "access-control-allow-origin"), Some(origin.as_str()));
        assert_eq!(header(answer.headers(), "access-control-allow-credentials"), None);
        assert!(header(answer.headers(), "access-control-allow-headers").unwrap().contains("x-portal-token"));
        assert!(header(answer.headers(), "access-control-allow-methods").unwrap().contains("PUT"));
        let put = advance(&server, &url, "nl");
        let answer = put.header("origin", origin).header("x-portal-token", token).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{origin}");
        assert_eq!(header(answer.headers(), "access-control-allow-origin"), Some(origin.as_str()));
        assert_eq!(header(answer.headers(), "vary"), Some("Origin"));
    }
    // An error can be read too.
    let put = advance(&server, &url, "xx");
    let answer = put.header("origin", &origin).header("x-portal-token", token).send().await.unwrap();
    assert_eq!(header(answer.headers(), "access-control-allow-origin"), Some(origin.as_str()));
    assert_eq!(body(answer).await["error"], "unknown_tenant");
}

async fn assert_forbidden(name: &str, answer: Response, says: &str) {
    assert_eq!(answer.status().as_u16(), 403, "{name}");
    assert_eq!(header(answer.headers(), "cache-control"), Some("no-store"), "{name}");
    let body = body(answer).await;
    assert_eq!(body["error"], "forbidden", "{name}");
    assert!(body["message"].as_str().unwrap().contains(says), "{name}: {body}");
}

#[tokio::test]
async fn no_other_page_may() {
    let server = TestServer::start().await;
    let page = home(&server, None).await.body;
    let token = meta(&page, "portal-token").unwrap();
    let url = format!("{}/clock", server.running.addresses.management);
    let own = server.url().to_owned();
    let put = || advance(&server, &url, "nl");
    let with_token = || put().header("x-portal-token", token);
    let foreign = [
        "https://evil.example".to_owned(),
        "null".to_owned(),
        String::new(),
        own.to_uppercase(),
        own.replace("http:", "https:"),
        format!("{own}/"),
        format!("{own}0"),
        format!("{own}.evil.example"),
        "http://127.0.0.1".to_owned(),
        server.running.addresses.management.clone(),
    ];
    for origin in foreign {
        let answer = with_token().header("origin", &origin).send().await.unwrap();
        assert_eq!(header(answer.headers(), "access-control-allow-origin"), None, "{origin}");
        assert_forbidden(&origin, answer, "cannot be called from web pages other than").await;
        let preflight = server.http.request(reqwest::Method::OPTIONS, &url).header("origin", &origin);
        let answer = preflight.header("access-control-request-method", "PUT").send().await.unwrap();
        assert_eq!(header(answer.headers(), "access-control-allow-origin"), None, "{origin}");
        assert_forbidden(&origin, answer, "cannot be called from web pages other than").await;
    }
    let twice = with_token().header("origin", &own).header("origin", "https://evil.example");
    assert_forbidden("two origins", twice.send().await.unwrap(), "other than").await;
    let wrong = token.chars().rev().collect::<String>();
    for (name, request) in [
        ("no token", put()),
        ("an empty token", put().header("x-portal-token", "")),
        ("a wrong token", put().header("x-portal-token", wrong)),
        ("the beginning of the token", put().header("x-portal-token", &token[..token.len() - 1])),
        ("two tokens", with_token().header("x-portal-token", token)),
    ] {
        let answer = request.header("origin", &own).send().await.unwrap();
        assert_forbidden(name, answer, "X-Portal-Token must be").await;
    }
    // A name of the Internet that was made to point here, from a page that somehow has the token.
    let rebound = with_token().header("host", "evil.example:8081").header("origin", &own);
    assert_forbidden("rebinding", rebound.send().await.unwrap(), "by IP address or plain host name").await;
    let read = server.http.get(&url).header("origin", "null").send().await.unwrap();
    assert_forbidden("reading", read, "other than").await;
    let (_, clocks) = server.manage("GET", "/clock", json!(null)).await;
    assert_eq!(
        clocks["clocks"][0]["offsetSeconds"], clocks["clocks"][1]["offsetSeconds"],
        "no clock was moved"
    );
}
