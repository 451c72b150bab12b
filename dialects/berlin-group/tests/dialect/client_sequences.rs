//! The call sequences of three clients in the field, with their peculiarities, replayed call by call.

mod first;
mod second;
mod third;

use serde_json::Value;
use testkit::{Answer, Request, TestServer};

const CALLBACK: &str = "https://tpp.example/callback";

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn ok(server: &TestServer, request: &Request, status: u16) -> Value {
    let answer: Answer = server.send(request).await;
    assert_eq!(answer.status, status, "{} {}: {}", request.method, request.target, answer.body);
    assert!(answer.header("content-type").starts_with("application/json"));
    answer.json()
}

/// A number for each request id.
struct Ids(u32);

impl Ids {
    fn next(&mut self) -> String {
        self.0 += 1;
        format!("7a0d1f3e-0000-4000-8000-{:012}", self.0)
    }
}
