//! Consents for confirmation of funds, and what is asked with them.

use serde_json::{Value, json};

use crate::{Answer, CALLBACK, Request, TestServer, TestTpp, ValidConsent};

/// Where such consents are.
pub const FUNDS_CONSENTS: &str = "/v2/consents/confirmation-of-funds";

impl TestTpp {
    /// A signed request for a consent.
    pub fn funds_consent_request(&self, body: &Value) -> Request {
        self.request("POST", FUNDS_CONSENTS)
            .set("psu-ip-address", "192.0.2.1")
            .set("tpp-redirect-uri", CALLBACK)
            .body("application/json", body.to_string())
            .signed(&self.signer)
    }

    /// Asks for a consent about an account.
    pub async fn funds_consent(&self, server: &TestServer, iban: &str) -> Value {
        let request = self.funds_consent_request(&json!({"account": {"iban": iban}}));
        let answer = server.send(&request).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()
    }

    /// A consent about an account that its customer approved and that has a token, not yet confirmed.
    pub async fn approved_funds(&self, server: &TestServer, iban: &str) -> ValidConsent {
        let asked = self.funds_consent(server, iban).await;
        self.approve(server, &asked, iban).await
    }

    /// Confirms an authorisation.
    pub async fn confirm_funds_consent(&self, server: &TestServer, consent: &ValidConsent) -> Answer {
        self.confirm_at(server, &format!("{FUNDS_CONSENTS}/{}", consent.id), consent).await
    }

    /// A consent about an account that is valid.
    pub async fn valid_funds(&self, server: &TestServer, iban: &str) -> ValidConsent {
        let consent = self.approved_funds(server, iban).await;
        let confirmed = self.confirm_funds_consent(server, &consent).await;
        assert_eq!(confirmed.status, 200, "{}", confirmed.body);
        consent
    }

    /// The question of a body, signed.
    pub fn ask(&self, consent: &ValidConsent, body: &Value) -> Request {
        self.request("POST", "/v1/funds-confirmations")
            .set("consent-id", &consent.id)
            .set("authorization", format!("Bearer {}", consent.access_token))
            .body("application/json", body.to_string())
            .signed(&self.signer)
    }
}

/// The question whether an account holds an amount in euro.
pub fn in_euro(iban: &str, amount: &str) -> Value {
    json!({"account": {"iban": iban}, "instructedAmount": {"currency": "EUR", "amount": amount}})
}
