//! What is refused about confirmation of funds: status, code, and a text that says what would be right.

mod authorisations;
mod consents;
mod questions;

use serde_json::Value;
use testkit::{Request, TestServer, TestTpp, ValidConsent, in_euro};

use crate::ID;

const UNKNOWN: &str = "6f0b0f0e-2a2f-4f3e-9b53-0f1f4b6c7d11";

struct Scene {
    server: TestServer,
    tpp: TestTpp,
    /// Of a saver: a current account and savings accounts.
    iban: String,
    savings: String,
    /// Valid.
    consent: ValidConsent,
}

impl Scene {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let tpp = server.registered("nl", ID).await;
        let customer = server.customer("nl", "saver").await;
        let number = |at: usize| customer["accounts"][at]["iban"].as_str().unwrap().to_owned();
        let (iban, savings) = (number(0), number(1));
        let consent = tpp.valid_funds(&server, &iban).await;
        Self { server, tpp, iban, savings, consent }
    }

    fn signed(&self, method: &str, path: &str) -> Request {
        self.tpp.request(method, path).signed(&self.tpp.signer)
    }

    /// A question with a member changed, or one more.
    fn with(&self, pointer: &str, value: Value) -> Request {
        self.tpp.ask(&self.consent, &changed(in_euro(&self.iban, "1.00"), pointer, value))
    }

    /// A question with another header.
    fn with_header(&self, name: &str, value: &str) -> Request {
        self.tpp.ask(&self.consent, &in_euro(&self.iban, "1.00")).set(name, value)
    }
}

/// The body with what is at a path replaced or added, or taken away for null.
fn changed(mut body: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let members = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
    body
}

fn bearer(request: Request, token: &str) -> Request {
    request.set("authorization", format!("Bearer {token}"))
}
