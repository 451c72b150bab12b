//! Guides and reference: every page is there, every link leads somewhere, what is described can be read and called.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use testkit::{CALLBACK, Request, TestServer, environment};

use crate::portal::look;

const ID: &str = "PSDNL-DNB-R123456";

async fn page(server: &TestServer, path: &str) -> String {
    let answer = server.send(&Request::new("GET", path).set("accept", "text/html")).await;
    assert_eq!(answer.status, 200, "{path}");
    answer.body
}

/// What the attributes of a page hold that have a name.
fn attributes<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!(" {name}=\"");
    page.split(&start).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

/// Whether a page is one of these, or the way to them.
fn is_own(path: &str) -> bool {
    path == "/" || path.starts_with("/portal/guides") || path.starts_with("/portal/reference")
}

/// Goes wherever links of these pages lead, and looks for the headings that they name.
#[tokio::test]
async fn every_link_leads_somewhere() {
    let server = TestServer::start().await;
    let mut waiting: Vec<String> = ["/", "/portal/guides", "/portal/reference"].map(str::to_owned).into();
    let mut pages: BTreeMap<String, String> = BTreeMap::new();
    let mut named = BTreeSet::new();
    while let Some(path) = waiting.pop() {
        if pages.contains_key(&path) {
            continue;
        }
        let answer = server.send(&Request::new("GET", &path).set("accept", "text/html")).await;
        // Pages of others may lead on at once.
        assert!(answer.status == 200 || (answer.status < 400 && !is_own(&path)), "{path}: {}", answer.status);
        let text = answer.body;
        let links = attributes(&text, "href").into_iter().chain(attributes(&text, "src"));
        for link in links.filter(|_| is_own(&path)) {
            let (target, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if target.is_empty() || target.starts_with('?') { &path } else { target };
            if !target.starts_with('/') {
                assert!(target.contains("://"), "{path}: {link}");
                continue;
            }
            if !heading.is_empty() {
                named.insert((path.clone(), target.to_owned(), heading.to_owned()));
            }
            waiting.push(target.to_owned());
        }
        pages.insert(path, text);
    }
    for (from, target, heading) in &named {
        assert!(attributes(&pages[target], "id").contains(&heading.as_str()), "{from}: {target}#{heading}");
    }
    assert!(pages.len() > 200 && named.len() > 100, "{} pages, {} headings", pages.len(), named.len());
    let llms = server.send(&Request::new("GET", "/llms.txt")).await;
    assert_eq!(llms.header("content-type"), "text/plain; charset=utf-8");
    let links: Vec<_> = llms.body.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
    for link in &links {
        assert_eq!(server.http.get(*link).send().await.unwrap().status(), 200, "{link}");
    }
    assert!(links.len() > 15, "{}", llms.body);
}

/// The reference has what the descriptions have, with no script.
#[tokio::test]
async fn every_operation_has_a_page() {
    let server = TestServer::start().await;
    for (name, least) in [("berlin-group", 50), ("oauth", 12), ("bunq", 120), ("management", 20)] {
        let file = server.send(&Request::new("GET", &format!("/portal/downloads/{name}.openapi.json"))).await;
        assert!(file.header("content-disposition").contains(&format!("{name}.openapi.json")));
        let description = file.json();
        let list = page(&server, &format!("/portal/reference/{name}")).await;
        let mut count = 0;
        for (path, operations) in description["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let id = operation["operationId"].as_str().unwrap();
                let address = format!("/portal/reference/{name}/{id}");
                assert!(attributes(&list, "href").contains(&address.as_str()), "{address}");
                let shown = page(&server, &address).await;
                assert!(
                    shown.contains(&format!(">{}</span> <code>{path}</code>", method.to_uppercase())),
                    "{address}"
                );
                for parameter in operation["parameters"].as_array().into_iter().flatten() {
                    let named = format!("<td><code>{}</code>", parameter["name"].as_str().unwrap());
                    assert!(shown.contains(&named), "{address}: {named}");
                }
                count += 1;
            }
        }
        assert!(count >= least, "{name}: {count}");
    }
}

/// What is not there is said with a page, and shows nothing of what was asked for.
#[tokio::test]
async fn there_is_nothing_else() {
    let server = TestServer::start().await;
    for path in [
        "/portal/guides/%3Cscript%3E",
        "/portal/guides/architecture",
        "/portal/reference/%3Cscript%3E",
        "/portal/reference/bunq/%22%3E%3Cscript%3E",
        "/portal/downloads/%2e%2e%5cCargo.toml",
        "/portal/downloads/x.openapi.json",
    ] {
        let answer = server.send(&Request::new("GET", path)).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(
            answer.body.contains("<html") && !answer.body.contains("<script>"),
            "{path}: {}",
            answer.body
        );
    }
}

#[tokio::test]
async fn guides_have_the_addresses_of_this_bank() {
    let server = TestServer::start().await;
    let shown = page(&server, "/portal/guides/onboarding").await;
    let management = &server.running.addresses.management;
    assert!(shown.contains(&format!("{management}/test-certificates")) && !shown.contains("127.0.0.1:8081"));
    assert!(shown.contains(&format!("{}/bunq/v1", server.url())) && !shown.contains("127.0.0.1:8080"));
}

/// A third party as the portal's pages keep one.
async fn party(server: &TestServer) -> Value {
    let request = json!({"organizationIdentifier": ID, "organizationName": "Example TPP B.V."});
    let (status, made) = server.manage("POST", "/test-certificates", request).await;
    assert_eq!(status, 201, "{made}");
    json!({
        "id": "one", "identifier": ID, "name": "Example TPP B.V.", "roles": ["PSP_AI", "PSP_PI", "PSP_IC"],
        "dialect": "berlin-group", "certificates": {"test-client": made},
        "registration": {"tenant": "nl", "clientId": ID, "clientSecret": "", "redirectUris": [CALLBACK]},
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guides_and_reference_in_a_browser() {
    let server = TestServer::start().await;
    // Registered with the certificate that the browser keeps.
    let party = party(&server).await;
    let made = &party["certificates"]["test-client"];
    let text = |name: &str| made[name].as_str().unwrap();
    let signer =
        testkit::Signer::from_pem(text("certificate"), text("privateKey"), Some(text("keyId").to_owned()));
    server.register("nl", &signer, &[CALLBACK]).await;
    let iban = server.customer("nl", "household").await["iban"].clone();
    look("portal_reference.py", &server, json!({"party": party, "iban": iban})).await;
}

/// The scripts of the collection sign calls that the bank takes, and keep what later calls need.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_collection_signs_its_calls() {
    if environment("VESTIBULE_NODE", "node", "scripts/node").is_none() {
        return;
    }
    let server = TestServer::start().await;
    let file = server.send(&Request::new("GET", "/portal/downloads/vestibule.bruno.json")).await;
    let party = party(&server).await;
    let customer = server.customer("nl", "household").await;
    let input = json!({
        "collection": file.json(), "certificate": party["certificates"]["test-client"], "iban": customer["iban"],
        "redirectUri": CALLBACK,
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node/bruno_collection.cjs");
    let mut node = Command::new("node");
    let mut child =
        node.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(text(&output.stdout).lines().count(), 6, "{}", text(&output.stdout));
}
