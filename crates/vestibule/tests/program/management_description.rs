//! The description of the management API: what is described is served, what is served is described, its examples are good,
//! and answers are what it says.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use testkit::{TestServer, TestTpp, bank_offered, euro_payment};

use crate::documentation::root;
use crate::{interface_description, python};

/// Methods that are described; those of every path, such as HEAD, are not.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "DELETE", "PATCH"];

async fn description(server: &TestServer) -> Value {
    let (status, description) = server.manage("GET", "/openapi.json", Value::Null).await;
    assert_eq!(status, 200);
    description
}

/// Every path that some router of the program is given as a text.
fn paths_of_routes(folder: &Path, paths: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.ends_with("tests") {
                continue;
            }
            paths_of_routes(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(path).unwrap();
            let after = text.split(".route(").skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
            paths.extend(after.map(|rest| rest.split('"').next().unwrap().to_owned()));
        }
    }
}

/// Names of parameters do not tell one path from another.
fn shape(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// The methods that a path of the management listener has, by what it allows when it is asked with another one.
async fn methods(server: &TestServer, path: &str) -> Option<BTreeSet<String>> {
    let url = format!("{}{}", server.running.addresses.management, shape(path).replace("{}", "x"));
    let answer = server.http.request("TRACE".parse().unwrap(), url).send().await.unwrap();
    if answer.status() != 405 {
        return None;
    }
    let allowed = answer.headers()["allow"].to_str().unwrap();
    let allowed = allowed.split(',').map(|method| method.trim().to_owned());
    Some(allowed.filter(|method| METHODS.contains(&method.as_str())).collect())
}

#[tokio::test]
async fn every_route_is_described_and_no_other_one() {
    let server = TestServer::start().await;
    let description = description(&server).await;
    let mut described = BTreeSet::new();
    for (path, operations) in description["paths"].as_object().unwrap() {
        let operations: BTreeSet<String> =
            operations.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
        let served = methods(&server, path).await;
        let served = served.unwrap_or_else(|| panic!("{path} is described in openapi.json, and not served"));
        assert_eq!(
            served, operations,
            "{path}: methods that are served, and those that openapi.json describes"
        );
        described.insert(shape(path));
    }
    let mut known = BTreeSet::new();
    for folder in ["crates", "banks"] {
        paths_of_routes(&root().join(folder), &mut known);
    }
    let mut missing = Vec::new();
    for path in known.iter().filter(|path| !described.contains(&shape(path))) {
        if let Some(methods) = methods(&server, path).await {
            missing.push(format!("{} {path}", methods.into_iter().collect::<Vec<_>>().join(", ")));
        }
    }
    assert!(missing.is_empty(), "describe these in banks/sandbox/src/management/openapi.json: {missing:?}");
    assert!(known.len() > 20 && described.len() > 15, "{} routes are found", known.len());
}

/// The list at `/` has the same operations, in fewer words.
#[tokio::test]
async fn the_list_of_operations_is_that_of_the_description() {
    let server = TestServer::start().await;
    let description = description(&server).await;
    let (_, index) = server.manage("GET", "/", Value::Null).await;
    let listed: BTreeSet<String> =
        index.as_object().unwrap().keys().map(|key| shape(key.split('?').next().unwrap())).collect();
    let operations = description["paths"].as_object().unwrap().iter().flat_map(|(path, operations)| {
        let methods = operations.as_object().unwrap().keys();
        methods.map(move |method| format!("{} {}", method.to_uppercase(), shape(path)))
    });
    let described: BTreeSet<String> = operations.filter(|operation| operation != "GET /").collect();
    let missing: Vec<_> = described.symmetric_difference(&listed).collect();
    assert!(missing.is_empty(), "in one of GET / and openapi.json alone: {missing:?}");
}

#[tokio::test]
async fn every_operation_says_what_a_reader_needs() {
    let server = TestServer::start().await;
    let description = description(&server).await;
    assert_eq!(description["openapi"], "3.1.0");
    assert_eq!(description["info"]["version"], env!("CARGO_PKG_VERSION"));
    let mut ids = BTreeSet::new();
    for (path, operations) in description["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let name = format!("{} {path}", method.to_uppercase());
            assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{name}");
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{name}");
            assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{name}");
            assert!(operation["responses"]["default"].is_object(), "{name}");
            let none = Vec::new();
            let parameters = operation["parameters"].as_array().unwrap_or(&none);
            let named =
                parameters.iter().filter(|one| one["in"] == "path").map(|one| one["name"].as_str().unwrap());
            let of_path = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
            assert_eq!(named.collect::<Vec<_>>(), of_path.collect::<Vec<_>>(), "{name}");
        }
    }
}

/// Calls that were made, and what of the examples stands for what.
struct Caller<'a> {
    server: &'a TestServer,
    description: Value,
    /// Values of the examples with those of this bank.
    real: Vec<(String, String)>,
    exchanges: Vec<Value>,
    called: BTreeSet<String>,
}

impl<'a> Caller<'a> {
    fn new(server: &'a TestServer, description: Value) -> Self {
        Self { server, description, real: Vec::new(), exchanges: Vec::new(), called: BTreeSet::new() }
    }

    fn to_real(&self, text: &str) -> String {
        self.real.iter().fold(text.to_owned(), |text, (example, real)| text.replace(example, real))
    }

    /// Calls an operation with its examples; it has to succeed as the description says.
    async fn call(&mut self, method: &str, path: &str) -> Value {
        let operation = &self.description["paths"][path][method.to_lowercase()];
        assert!(operation.is_object(), "{method} {path} is not described");
        let mut target = path.to_owned();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            // What can be left out and has no example is left out.
            let Some(example) = parameter["example"].as_str() else { continue };
            let name = parameter["name"].as_str().unwrap();
            match parameter["in"].as_str().unwrap() {
                "path" => target = target.replace(&format!("{{{name}}}"), example),
                _ => {
                    let before = if target.contains('?') { '&' } else { '?' };
                    target += &format!("{before}{name}={example}");
                }
            }
        }
        let body = &operation["requestBody"]["content"]["application/json"]["example"];
        let body: Value = serde_json::from_str(&self.to_real(&body.to_string())).unwrap();
        let (status, answer) = self.server.manage(method, &self.to_real(&target), body.clone()).await;
        let is_described = operation["responses"].get(status.to_string()).is_some();
        assert!(status < 300 && is_described, "{method} {target} {body}: {status} {answer}");
        self.called.insert(format!("{method} {path}"));
        self.exchanges.push(json!({"method": method, "path": path, "status": status, "body": answer}));
        answer
    }
}

/// What is read with nothing else to prepare.
const READ: [&str; 16] = [
    "/",
    "/openapi.json",
    "/test-certificates",
    "/status-service",
    "/register",
    "/register/{organizationIdentifier}",
    "/third-parties",
    "/clock",
    "/personas",
    "/test-accounts",
    "/consents",
    "/payments/{paymentId}",
    "/calls",
    "/calls/{number}",
    "/calls.har",
    "/tenants",
];

const EXAMPLE_ACCOUNT: &str = "NL73VSTB8659826312";
const EXAMPLE_CONSENT: &str = "d5bd2e33-0556-43e6-9510-92a0c074d063";
const EXAMPLE_PAYMENT: &str = "0f0b8d8e-4a2e-4b0c-9b53-0f1f4b6c7d11";
const EXAMPLE_CERTIFICATE: &str = "42e08faa68b7e694b81ac81164682b1868474260854437b25e185ad9128da12a";

/// Things to play with, in an order in which each succeeds.
const PLAY: [(&str, &str); 10] = [
    ("POST", "/test-accounts/{iban}/transactions"),
    ("POST", "/data"),
    ("POST", "/faults"),
    ("GET", "/faults"),
    ("DELETE", "/faults/{id}"),
    ("DELETE", "/faults"),
    ("PUT", "/snapshots/{name}"),
    ("GET", "/snapshots"),
    ("POST", "/snapshots/{name}/restore"),
    ("DELETE", "/snapshots/{name}"),
];

/// What the description gives as an example is what somebody can send, and what comes back is of the schemas.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_example_is_accepted_and_every_answer_fits() {
    let Some(interpreter) = python::program("python") else { return };
    let server = TestServer::start().await;
    let tpp = server.registered("nl", "PSDNL-DNB-R123456").await;
    let description = description(&server).await;
    let example = description["paths"]["/approvals"]["post"]["requestBody"]["content"]["application/json"]["example"]["url"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut caller = Caller::new(&server, description);
    let customer = caller.call("POST", "/test-accounts").await;
    let iban = customer["iban"].as_str().unwrap().to_owned();
    let asked = tpp.consent(&server, &bank_offered("9999-12-31")).await;
    let payee = server.customer("nl", "student").await["iban"].as_str().unwrap().to_owned();
    let payment = paid(&server, &tpp, (&iban, &payee), None).await;
    let later = paid(&server, &tpp, (&iban, &payee), Some(testkit::day(20))).await;
    caller.real = vec![
        (example, tpp.authorization_url(&asked)),
        (EXAMPLE_ACCOUNT.to_owned(), iban.clone()),
        (EXAMPLE_CONSENT.to_owned(), asked["consentId"].as_str().unwrap().to_owned()),
        (EXAMPLE_PAYMENT.to_owned(), payment),
    ];
    caller.call("POST", "/approvals").await;
    caller.call("POST", "/payments/{paymentId}/refund").await;
    for path in READ {
        caller.call("GET", path).await;
    }
    for path in [
        "/consents/{consentId}/revocation",
        "/resource-servers",
        "/signing-keys",
        "/test-accounts/{iban}/transactions",
        "/data",
    ] {
        caller.call("POST", path).await;
    }
    let withdrawal = format!("/test-accounts/{iban}/withdrawal");
    assert_eq!(server.manage("POST", &withdrawal, json!({})).await.0, 409, "there is nobody to be told");
    server.running.sandbox.telling().await.unwrap();
    caller.call("POST", "/test-accounts/{iban}/withdrawal").await;
    for (method, path) in PLAY {
        caller.call(method, path).await;
    }
    let issued = caller.call("POST", "/test-certificates").await;
    caller.real.push((EXAMPLE_CERTIFICATE.to_owned(), issued["fingerprint"].as_str().unwrap().to_owned()));
    caller.call("GET", "/tenants").await;
    caller.call("PUT", "/tenants/{tenant}").await;
    caller.call("PUT", "/status-service").await;
    caller.call("PUT", "/register/{organizationIdentifier}").await;
    for path in ["/test-certificates/{fingerprint}", "/third-parties/{id}", "/test-accounts/{iban}", "/clock"]
    {
        caller.call("PUT", path).await;
    }
    // One that waits can be rejected by force; the one that was made has moved.
    caller.real.retain(|(example, _)| example != EXAMPLE_PAYMENT);
    caller.real.push((EXAMPLE_PAYMENT.to_owned(), later));
    caller.call("PUT", "/payments/{paymentId}").await;
    caller.call("POST", "/reset").await;
    let operations =
        caller.description["paths"].as_object().unwrap().iter().flat_map(|(path, operations)| {
            let methods = operations.as_object().unwrap().keys();
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        });
    // Answers that are not JSON have tests of their own.
    let other = ["GET /ca.pem", "GET /calls/stream"];
    let all: BTreeSet<String> = operations.filter(|operation| !other.contains(&operation.as_str())).collect();
    let missing: Vec<_> = all.difference(&caller.called).collect();
    assert!(missing.is_empty(), "call these here too: {missing:?}");
    every_answer_fits(interpreter, caller, all.len()).await;
}

/// Every answer is of the schema that the description has for it.
async fn every_answer_fits(interpreter: String, caller: Caller<'_>, count: usize) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("openapi.json");
    fs::write(&file, caller.description.to_string()).unwrap();
    let file = file.to_str().unwrap().to_owned();
    let validated = interface_description::validate_exactly(interpreter, file, caller.exchanges).await;
    assert_eq!(validated["problems"], json!([]));
    assert_eq!(validated["operations"].as_array().unwrap().len(), count);
}

/// The id of a payment that the bank has, made at once or on a day.
async fn paid(
    server: &TestServer,
    tpp: &TestTpp,
    (payer, payee): (&str, &str),
    day: Option<String>,
) -> String {
    let mut body = euro_payment("1.00", payee);
    if let Some(day) = day {
        body["requestedExecutionDate"] = day.into();
    }
    let payment = tpp.submitted_payment(server, ("payments/sepa-credit-transfers", &body), payer).await;
    payment.path.rsplit('/').next().unwrap().to_owned()
}
