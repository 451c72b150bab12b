//! The examples in the descriptions of the interfaces: they are what calls and answers really are. Every operation is
//! called, its answer held against the schema that the description has for it, and the example of its body against the one that
//! was sent.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};
use testkit::{Request, TestServer};

use crate::bunq_operations::at_bunq;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_the_bunq_interface() {
    let server = TestServer::start().await;
    let exchanges = at_bunq(&server).await;
    hold(&server, "/bunq", exchanges).await;
}
