//! What is refused about consents, authorisations and account data: status, code, and a text that says what would
//! be right.

mod accounts;
mod authorisations;
mod consents;

use serde_json::Value;
use testkit::{CALLBACK, Request, TestServer, TestTpp, ValidConsent, detailed};

use crate::ID;

const UNKNOWN: &str = "6f0b0f0e-2a2f-4f3e-9b53-0f1f4b6c7d11";

struct Scene {
    server: TestServer,
    tpp: TestTpp,
    iban: String,
    consent: ValidConsent,
    account: String,
}

impl Scene {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let tpp = server.registered("nl", ID).await;
        let customer = server.customer("nl", "household").await;
        let iban = customer["iban"].as_str().unwrap().to_owned();
        let consent = tpp.valid(&server, &detailed(&iban, true), &iban).await;
        let accounts = server.send(&tpp.read("/v1/accounts", &consent)).await.json();
        let account = accounts["accounts"][0]["resourceId"].as_str().unwrap().to_owned();
        Self { server, tpp, iban, consent, account }
    }

    /// A consent request with one member changed.
    fn with(&self, pointer: &str, value: Value) -> Request {
        let mut body = detailed(&self.iban, true);
        *body.pointer_mut(pointer).unwrap() = value;
        self.tpp.consent_request(&body)
    }

    /// A consent request without one member.
    fn without(&self, member: &str) -> Request {
        let mut body = detailed(&self.iban, true);
        body.as_object_mut().unwrap().remove(member);
        self.tpp.consent_request(&body)
    }

    /// A consent request with this text as its body.
    fn raw(&self, kind: &str, body: &str) -> Request {
        self.tpp
            .request("POST", "/v1/consents")
            .set("psu-ip-address", "192.0.2.1")
            .set("tpp-redirect-uri", CALLBACK)
            .body(kind, body)
            .signed(&self.tpp.signer)
    }

    fn signed(&self, method: &str, path: &str) -> Request {
        self.tpp.request(method, path).signed(&self.tpp.signer)
    }

    fn read(&self, path: &str) -> Request {
        self.tpp.read(&format!("/v1/accounts/{}{path}", self.account), &self.consent)
    }
}
