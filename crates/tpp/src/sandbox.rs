//! The management API of a sandbox, as far as a third party needs it.

use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::{Error, Transport};

/// The management API under its address.
#[derive(Debug)]
pub struct Management {
    transport: Transport,
    url: String,
    /// What the address is of, and what to do where something else answers.
    is_of: (&'static str, &'static str),
}

/// The management API of a sandbox, and what to do where it is not.
const MANAGEMENT: (&str, &str) = (
    "a management address",
    "a sandbox prints its own when it starts, under Management: name that one with --management",
);

/// What a test certificate is to contain.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TestCertificateRequest {
    /// The holder's identifier, for example `PSDNL-DNB-R123456`.
    pub organization_identifier: String,
    /// The holder's name.
    pub organization_name: String,
    /// The holder's country; by default that of its authority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The holder's town.
    pub locality: String,
    /// Roles, for example `PSP_AI`.
    pub roles: Vec<String>,
    /// `test-client`, `qwac` or `qseal`.
    pub profile: String,
    /// The public key in PEM: the private key stays here. Without one the sandbox makes both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// The tenant whose clock decides when the certificate begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// What is to be wrong with it, for example `expired`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// A test certificate.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestCertificate {
    /// The certificate in PEM.
    pub certificate: String,
    /// The private key in PEM, if the sandbox made it.
    #[serde(default)]
    pub private_key: Option<String>,
    /// Key id for signatures with it.
    pub key_id: String,
    /// The certificates above it in PEM, the issuer first.
    pub chain: Vec<String>,
}

/// What a customer is to be like.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TestAccountRequest {
    /// Branch.
    pub tenant: String,
    /// Kind of customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persona: Option<String>,
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Currency of the main account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// What the main account holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balance: Option<String>,
}

/// What a customer does with an authorization request.
#[derive(Debug, Clone, Serialize)]
pub struct Approval<'a> {
    /// The authorization URL.
    pub url: &'a str,
    /// An account of the customer.
    pub iban: &'a str,
    /// `approve`, `reject`, `wrong-answer` or `expire`.
    pub decision: &'a str,
    /// The account to choose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<&'a str>,
    /// The device to log in with; that of one holder of the account, always the same, if absent.
    #[serde(rename = "digipassNumber", skip_serializing_if = "Option::is_none")]
    pub digipass_number: Option<&'a str>,
}

/// Where a tenant's clock is moved: by a span as in ISO 8601, to a moment as in RFC 3339, or back.
#[derive(Debug, Clone, Serialize)]
pub struct ClockMove<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// By how much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advance: Option<&'a str>,
    /// Where to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<&'a str>,
    /// Back to the bank's own time, if true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset: Option<bool>,
}

impl Management {
    /// The management API at `url`.
    pub fn new(transport: Transport, url: &str) -> Self {
        Self::of(transport, url, MANAGEMENT)
    }

    /// Another interface of a bank that is called in the same way, at `url`. `is_of` says of what that is the address, and what to do
    /// where something else answers.
    pub fn of(transport: Transport, url: &str, is_of: (&'static str, &'static str)) -> Self {
        Self { transport, url: url.trim_end_matches('/').to_owned(), is_of }
    }

    /// Gets a test certificate for a public key.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn test_certificate(&self, request: &TestCertificateRequest) -> Result<TestCertificate, Error> {
        self.post("/test-certificates", request).await.map_err(|error| self.explain(error))
    }

    /// Gets the certificate of the sandbox's authority in PEM.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn ca_pem(&self) -> Result<String, Error> {
        let url = format!("{}/ca.pem", self.url);
        let body = self.transport.send(Call::get(url.clone())).await?;
        String::from_utf8(body.to_vec()).map_err(|error| Error::Answer { url, reason: error.to_string() })
    }

    /// Makes a customer with accounts.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn test_account(&self, request: &TestAccountRequest) -> Result<serde_json::Value, Error> {
        self.post("/test-accounts", request).await.map_err(|error| self.explain(error))
    }

    /// The customers that were made last.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn test_accounts(&self) -> Result<serde_json::Value, Error> {
        let answer = self.transport.json(Call::get(format!("{}/test-accounts", self.url))).await;
        answer.map_err(|error| self.explain(error))
    }

    /// Kinds of customers.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn personas(&self) -> Result<serde_json::Value, Error> {
        let answer = self.transport.json(Call::get(format!("{}/personas", self.url))).await;
        answer.map_err(|error| self.explain(error))
    }

    /// Decides as a customer would, without a browser; returns where the browser would have been sent.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn decide(&self, approval: &Approval<'_>) -> Result<String, Error> {
        #[derive(Deserialize)]
        struct Decided {
            location: String,
        }
        let decided: Decided = self.post("/approvals", approval).await?;
        Ok(decided.location)
    }

    /// Asks for anything that the management API has: a method, a path with its query, and a body, if there is one.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn call(
        &self,
        method: http::Method,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> Result<serde_json::Value, Error> {
        self.send_octets(method, path, body.map(|body| ("application/json", body.to_string().into_bytes())))
            .await
    }

    /// The same with a body of another media type.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn send_octets(
        &self,
        method: http::Method,
        path: &str,
        body: Option<(&'static str, Vec<u8>)>,
    ) -> Result<serde_json::Value, Error> {
        let url = format!("{}{path}", self.url);
        let call = match body {
            Some((kind, octets)) => Call::new(method, url, octets).header("content-type", kind),
            None => Call::new(method, url, Vec::new()),
        };
        // What changes something may have been done although no answer came.
        let repeats = call.method == http::Method::GET;
        let url = call.url.clone();
        let received = self.transport.receive(call, repeats).await.map_err(|error| match error {
            // The management API says what it does not know.
            Error::Bank(bank) if !bank.texts.is_empty() => Error::Bank(bank),
            other => self.explain(other),
        })?;
        serde_json::from_slice(&received.body)
            .map_err(|error| Error::Answer { url, reason: error.to_string() })
    }

    /// An answer that is no JSON.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn text(&self, path: &str) -> Result<String, Error> {
        let url = format!("{}{path}", self.url);
        let received = self.transport.receive(Call::get(url.clone()), true).await;
        let body = received.map_err(|error| match error {
            Error::Bank(bank) if !bank.texts.is_empty() => Error::Bank(bank),
            other => self.explain(other),
        })?;
        String::from_utf8(body.body.to_vec())
            .map_err(|error| Error::Answer { url, reason: error.to_string() })
    }

    /// Moves a tenant's clock; returns where it is then.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn move_clock(&self, wish: &ClockMove<'_>) -> Result<serde_json::Value, Error> {
        let body = serde_json::to_value(wish).map_err(|error| Error::Setup(error.to_string()))?;
        self.call(http::Method::PUT, "/clock", Some(&body)).await
    }

    /// Whoever knows none of these paths is something else, most likely the bank itself.
    fn explain(&self, error: Error) -> Error {
        match error {
            Error::Bank(error) if matches!(error.status, 404 | 405) => {
                Error::Setup(format!("{} is not {} ({error}); {}", self.url, self.is_of.0, self.is_of.1))
            }
            other => other,
        }
    }

    async fn post<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        request: &impl Serialize,
    ) -> Result<T, Error> {
        let body = serde_json::to_vec(request).map_err(|error| Error::Setup(error.to_string()))?;
        let call = Call::new(http::Method::POST, format!("{}{path}", self.url), body)
            .header("content-type", "application/json");
        self.transport.json(call).await
    }
}
