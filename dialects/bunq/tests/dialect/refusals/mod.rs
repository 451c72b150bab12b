//! Every bad input gets this interface's own error, with a text that says what was wrong. One row a refusal.

use serde_json::Value;
use testkit::{Request, TestServer};

mod clients_and_lists;
mod payments;
mod reading;
mod registration;

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
