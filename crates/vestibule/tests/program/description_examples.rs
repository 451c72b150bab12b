//! The examples in the descriptions of the interfaces: they are what calls and answers really are. Every operation is
//! called, its answer held against the schema that the description has for it, and the example of its body against the one that
//! was sent.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};
use testkit::bunq::{BunqClient, euro, shop};
use testkit::{Request, TestServer, parameter};

use crate::every_operation::{at, at_the_authorization_server};
use crate::{interface_description, python};

/// Holds calls against the description below a prefix: no answer is undeclared, and no example without a call.
async fn hold(server: &TestServer, prefix: &str, exchanges: Vec<Value>) {
    let Some(interpreter) = python::program("python") else { return };
    let description = server.send(&Request::new("GET", &format!("{prefix}/openapi.json"))).await.json();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("openapi.json");
    fs::write(&file, description.to_string()).unwrap();
    let exchanges: Vec<Value> =
        exchanges.into_iter().filter(|exchange| exchange["status"].as_u64().unwrap() < 400).collect();
    hold_bodies(&description, &exchanges);
    let exchanges = exchanges.into_iter().map(without_nulls).collect();
    let file = file.to_str().unwrap().to_owned();
    let validated = interface_description::validate_exactly(interpreter, file, exchanges).await;
    assert_eq!(validated["problems"], json!([]));
    let described: BTreeSet<String> = examples(&description).into_keys().collect();
    let called: BTreeSet<String> = validated["operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|operation| operation.as_str().unwrap().to_owned())
        .collect();
    let untried: Vec<_> = described.difference(&called).collect();
    assert!(untried.is_empty(), "{prefix}: examples of operations that are not called here: {untried:?}");
}

/// The operations that have an example, each with that of its body.
fn examples(description: &Value) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for (path, operations) in description["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let body = operation["requestBody"]["content"]["application/json"]["example"].clone();
            let answers = operation["responses"].as_object().unwrap().values();
            if !body.is_null() || answers.into_iter().any(|answer| !answer["content"].is_null()) {
                found.insert(format!("{} {path}", method.to_uppercase()), body);
            }
        }
    }
    found
}

/// Each example of a body has members that some body has that was sent and taken.
fn hold_bodies(description: &Value, exchanges: &[Value]) {
    for (operation, example) in examples(description).into_iter().filter(|(_, example)| !example.is_null()) {
        let (method, path) = operation.split_once(' ').unwrap();
        let is_same = |exchange: &&Value| {
            exchange["method"] == method && fits(path, exchange["path"].as_str().unwrap())
        };
        let sent = exchanges.iter().filter(is_same).filter_map(|exchange| {
            serde_json::from_str::<Value>(exchange["request"].as_str().unwrap_or_default()).ok()
        });
        let shapes: Vec<_> = sent.map(|body| shape(&body)).collect();
        assert!(
            shapes.contains(&shape(&example)),
            "{operation}: {} was not sent, but {shapes:?}",
            shape(&example)
        );
    }
}

/// A member that is null says no more than one that is not there, and a description says no more of it.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().filter(|(name, value)| !value.is_null() || name == "body");
            members.map(|(name, value)| (name, without_nulls(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(path).all(|(known, part)| known.starts_with('{') || *known == part)
}

/// A value with its texts and numbers left out.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        Value::Array(items) => Value::Array(items.iter().map(shape).collect()),
        Value::String(_) => json!("text"),
        Value::Number(_) => json!(0),
        other => other.clone(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_the_interface_for_accounts_and_payments() {
    let server = TestServer::with(|config| config.cross_border_payments = true).await;
    let exchanges = at(&server, "nl").await;
    hold(&server, "/xs2a-bg", exchanges).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_the_authorization_server() {
    let server = TestServer::start().await;
    let exchanges = at_the_authorization_server(&server).await;
    hold(&server, "/auth", exchanges).await;
}

/// What a service provider and a customer do most.
async fn at_bunq(server: &TestServer) -> Vec<Value> {
    let customer = server.customer("nl", "household").await;
    let mut recorder = Recorder { exchanges: Vec::new() };
    let bare = BunqClient::install(server).await;
    let body = json!({"client_public_key": testkit::bunq::client_keys().1});
    recorder.send(&bare, bare.request("POST", "/installation", Some(&body))).await;
    let (certificate, key) = testkit::bunq::pseudo_certificate("Examples PISP AISP", |_| {});
    let answer = recorder.send(&bare, bare.credential_request(&certificate, &certificate, &key)).await;
    let api_key = answer["Response"][0]["CredentialPasswordIp"]["token_value"].as_str().unwrap().to_owned();
    let body = json!({"description": "my server", "secret": api_key, "permitted_ips": ["*"]});
    recorder.send(&bare, bare.request("POST", "/device-server", Some(&body))).await;
    let body = json!({"secret": api_key});
    recorder.send(&bare, bare.request("POST", "/session-server", Some(&body))).await;
    let provider = bare.session(&api_key).await;
    let clients = format!("/user/{}/oauth-client", provider.user);
    let body = json!({"status": "ACTIVE"});
    let made = recorder.send(&provider, provider.request("POST", &clients, Some(&body))).await;
    let callbacks = format!("{clients}/{}/callback-url", made["Response"][0]["Id"]["id"]);
    let body = json!({"url": testkit::CALLBACK});
    recorder.send(&provider, provider.request("POST", &callbacks, Some(&body))).await;
    recorder.send(&provider, provider.request("GET", &clients, None)).await;
    let iban = customer["iban"].as_str().unwrap();
    let location = server.decide(&provider.authorization_url().await, iban, "approve").await;
    let answer = provider.exchange(&parameter(&location, "code").unwrap()).await;
    recorder.keep(&Request::new("POST", "/bunq/v1/token"), answer.status, answer.json());
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let connected = provider.clone().session(&token).await;
    let account = connected.account().await;
    for path in [
        "/user".to_owned(),
        format!("/user/{}/monetary-account", connected.user),
        connected.below(account, "/payment?count=2"),
    ] {
        recorder.send(&connected, connected.request("GET", &path, None)).await;
    }
    let draft = json!({"entries": [{"amount": euro("12.50"), "counterparty_alias": shop(), "description": "Order 7"}], "number_of_required_accepts": 1});
    let drafts = connected.below(account, "/draft-payment");
    let made = recorder.send(&connected, connected.request("POST", &drafts, Some(&draft))).await;
    let path = format!("{drafts}/{}", made["Response"][0]["Id"]["id"]);
    recorder.send(&connected, connected.request("GET", &path, None)).await;
    let body = json!({"amount": euro("10.00"), "pointer_iban": {"type": "IBAN", "value": iban, "name": "J. Jansen"}});
    let funds = format!("/user/{}/confirmation-of-funds", provider.user);
    recorder.send(&provider, provider.request("POST", &funds, Some(&body))).await;
    let person = BunqClient::customer(server, &customer).await;
    let account = person.account().await;
    let body = json!({"amount": euro("12.50"), "counterparty_alias": shop(), "description": "Order 7"});
    recorder.send(&person, person.request("POST", &person.below(account, "/payment"), Some(&body))).await;
    recorder.exchanges
}

struct Recorder {
    exchanges: Vec<Value>,
}

impl Recorder {
    async fn send(&mut self, client: &BunqClient, request: Request) -> Value {
        let answer = client.send(&request).await;
        assert_eq!(answer.status, 200, "{} {}: {}", request.method, request.target, answer.body);
        self.keep(&request, answer.status, answer.json());
        answer.json()
    }

    fn keep(&mut self, request: &Request, status: u16, answer: Value) {
        let path = request.target.strip_prefix("/bunq").unwrap().split('?').next().unwrap();
        self.exchanges.push(json!({
            "method": request.method.as_str(), "path": path, "status": status, "body": answer,
            "request": String::from_utf8_lossy(&request.body),
        }));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_the_bunq_interface() {
    let server = TestServer::start().await;
    let exchanges = at_bunq(&server).await;
    hold(&server, "/bunq", exchanges).await;
}
