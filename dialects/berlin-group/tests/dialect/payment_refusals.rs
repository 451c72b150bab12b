//! What is refused about payments, each with what would be right.

mod asked_for;
mod asking;

use serde_json::Value;
use testkit::{ApprovedPayment, Request, TestServer, TestTpp, euro_payment};

use crate::ID;

const SEPA: &str = "payments/sepa-credit-transfers";
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

struct Scene {
    server: TestServer,
    tpp: TestTpp,
    payer: String,
    payee: String,
}

impl Scene {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let tpp = server.registered("nl", ID).await;
        let payer = text(&server.customer("nl", "household").await["iban"]).to_owned();
        let payee = text(&server.customer("nl", "student").await["iban"]).to_owned();
        Self { server, tpp, payer, payee }
    }

    /// A request for a payment with a change.
    fn changed(&self, change: impl FnOnce(&mut Value)) -> Request {
        let mut body = euro_payment("1.00", &self.payee);
        change(&mut body);
        self.tpp.payment_request(SEPA, &body)
    }

    async fn approved(&self) -> ApprovedPayment {
        let body = euro_payment("1.00", &self.payee);
        self.tpp.approved_payment(&self.server, (SEPA, &body), &self.payer).await
    }

    fn confirming(&self, path: &str, token: &str) -> Request {
        let request = self.tpp.request("PUT", path).set("authorization", format!("Bearer {token}"));
        request.signed(&self.tpp.signer)
    }
}
