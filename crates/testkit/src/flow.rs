//! A registered third party and the steps it takes with a customer.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::request::encode;
use crate::{Answer, Request, Signer, TestServer};

/// Where browsers come back to.
pub const CALLBACK: &str = "https://tpp.example/callback";

/// A code verifier.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

static REQUESTS: AtomicU64 = AtomicU64::new(1);

/// A registered third party at a tenant.
#[derive(Debug)]
pub struct TestTpp {
    /// Signs.
    pub signer: Signer,
    /// Which branch it talks to.
    pub tenant: String,
    /// Client secret.
    pub secret: String,
}

/// A consent that was authorised and confirmed, with its tokens.
#[derive(Debug, Clone)]
pub struct ValidConsent {
    /// Id of the consent.
    pub id: String,
    /// Id of its authorisation.
    pub authorisation: String,
    /// Access token.
    pub access_token: String,
    /// Refresh token, or empty.
    pub refresh_token: String,
}

impl TestServer {
    /// A third party that has registered.
    pub async fn registered(&self, tenant: &str, id: &str) -> TestTpp {
        let signer = self.tpp(id).await;
        let registration = self.register(tenant, &signer, &[CALLBACK, "https://tpp.example/other?x=1"]).await;
        let secret = registration["client_secret"].as_str().unwrap().to_owned();
        TestTpp { signer, tenant: tenant.to_owned(), secret }
    }

    /// A customer with accounts. What a student holds is drawn and may be nothing; here it is enough to pay something.
    pub async fn customer(&self, tenant: &str, persona: &str) -> Value {
        let mut wish = json!({"tenant": tenant, "persona": persona});
        if persona == "student" {
            wish["balance"] = json!("250.00");
        }
        let (status, body) = self.manage("POST", "/test-accounts", wish).await;
        assert_eq!(status, 201, "{body}");
        body
    }

    /// A customer decides without a browser; returns where the browser would be sent.
    pub async fn decide(&self, url: &str, iban: &str, decision: &str) -> String {
        let body = json!({"url": url, "iban": iban, "decision": decision});
        let (status, body) = self.manage("POST", "/approvals", body).await;
        assert_eq!(status, 200, "{body}");
        body["location"].as_str().unwrap().to_owned()
    }
}

impl TestTpp {
    /// The client id.
    pub fn id(&self) -> String {
        self.signer.id()
    }

    /// A request to the interface, not yet signed, with an id of its own.
    pub fn request(&self, method: &str, path: &str) -> Request {
        let number = REQUESTS.fetch_add(1, Ordering::Relaxed);
        Request::new(method, &format!("/xs2a-bg/{}{path}", self.tenant))
            .set("x-request-id", format!("99391c7e-ad88-49ec-a2ad-{number:012x}"))
            .set("accept", "application/json")
    }

    /// A signed request for a consent.
    pub fn consent_request(&self, body: &Value) -> Request {
        self.request("POST", "/v1/consents")
            .set("psu-ip-address", "192.0.2.1")
            .set("tpp-redirect-uri", CALLBACK)
            .body("application/json", body.to_string())
            .signed(&self.signer)
    }

    /// Asks for a consent.
    pub async fn consent(&self, server: &TestServer, body: &Value) -> Value {
        let answer = server.send(&self.consent_request(body)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()
    }

    /// A signed call without a token.
    pub fn get(&self, path: &str) -> Request {
        self.request("GET", path).signed(&self.signer)
    }

    /// A signed read of account data.
    pub fn read(&self, path: &str, consent: &ValidConsent) -> Request {
        self.request("GET", path)
            .set("consent-id", &consent.id)
            .set("authorization", format!("Bearer {}", consent.access_token))
            .signed(&self.signer)
    }

    /// The same with the customer taking part.
    pub fn attended(&self, path: &str, consent: &ValidConsent) -> Request {
        self.read(path, consent).set("psu-ip-address", "192.0.2.1")
    }

    /// The `scaRedirect` link of an answer with challenge and state appended.
    pub fn authorization_url(&self, answer: &Value) -> String {
        let link = answer["_links"]["scaRedirect"].as_str().unwrap();
        format!("{link}&code_challenge={}&code_challenge_method=S256&state=a%20state%2B", challenge(VERIFIER))
    }

    /// A token request.
    pub fn token_request(&self, form: &str) -> Request {
        Request::new("POST", &format!("/auth/{}/v1/token", self.tenant))
            .set("authorization", self.basic())
            .form(form)
    }

    /// The client's credentials as a header.
    pub fn basic(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", self.id(), self.secret)))
    }

    /// The form that redeems a code.
    pub fn code_form(code: &str) -> String {
        let (code, uri) = (encode(code), encode(CALLBACK));
        format!("grant_type=authorization_code&code={code}&redirect_uri={uri}&code_verifier={VERIFIER}")
    }

    /// Redeems a code.
    pub async fn redeem(&self, server: &TestServer, code: &str) -> Answer {
        server.send(&self.token_request(&Self::code_form(code))).await
    }

    /// Trades a refresh token.
    pub async fn refresh(&self, server: &TestServer, token: &str) -> Answer {
        server.send(&self.token_request(&format!("grant_type=refresh_token&refresh_token={token}"))).await
    }

    /// Confirms an authorisation.
    pub async fn confirm(&self, server: &TestServer, consent: &ValidConsent) -> Answer {
        self.confirm_at(server, &format!("/v1/consents/{}", consent.id), consent).await
    }

    /// Confirms an authorisation of what has this path.
    pub async fn confirm_at(&self, server: &TestServer, path: &str, consent: &ValidConsent) -> Answer {
        let path = format!("{path}/authorisations/{}", consent.authorisation);
        let request = self
            .request("PUT", &path)
            .set("content-type", "application/json")
            .set("authorization", format!("Bearer {}", consent.access_token))
            .signed(&self.signer);
        server.send(&request).await
    }

    /// A consent that a customer approved and that has tokens, not yet confirmed.
    pub async fn approved(&self, server: &TestServer, body: &Value, iban: &str) -> ValidConsent {
        let asked = self.consent(server, body).await;
        self.approve(server, &asked, iban).await
    }

    /// The customer approves what was asked for, and the third party gets its tokens.
    pub async fn approve(&self, server: &TestServer, asked: &Value, iban: &str) -> ValidConsent {
        let location = server.decide(&self.authorization_url(asked), iban, "approve").await;
        let code = parameter(&location, "code").unwrap_or_else(|| panic!("{location}"));
        let tokens = self.redeem(server, &code).await;
        assert_eq!(tokens.status, 200, "{}", tokens.body);
        let tokens = tokens.json();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        ValidConsent {
            id: text(&asked["consentId"]),
            authorisation: text(&asked["authorisationId"]),
            access_token: text(&tokens["access_token"]),
            refresh_token: text(&tokens["refresh_token"]),
        }
    }

    /// A consent that is valid.
    pub async fn valid(&self, server: &TestServer, body: &Value, iban: &str) -> ValidConsent {
        let consent = self.approved(server, body, iban).await;
        let confirmed = self.confirm(server, &consent).await;
        assert_eq!(confirmed.status, 200, "{}", confirmed.body);
        consent
    }

    /// New tokens for a consent.
    pub async fn refreshed(&self, server: &TestServer, consent: &ValidConsent) -> ValidConsent {
        let answer = self.refresh(server, &consent.refresh_token).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let text = |name: &str| answer.json()[name].as_str().unwrap_or_default().to_owned();
        ValidConsent {
            access_token: text("access_token"),
            refresh_token: text("refresh_token"),
            ..consent.clone()
        }
    }
}

/// A request for a recurring consent in which the customer chooses the account.
pub fn bank_offered(valid_until: &str) -> Value {
    json!({
        "access": {"accounts": [], "balances": [], "transactions": []},
        "recurringIndicator": true,
        "validUntil": valid_until,
        "frequencyPerDay": 4,
        "combinedServiceIndicator": false,
    })
}

/// A request for a consent to everything of an account.
pub fn detailed(iban: &str, recurring: bool) -> Value {
    let account = json!([{"iban": iban}]);
    json!({
        "access": {"accounts": account, "balances": account, "transactions": account},
        "recurringIndicator": recurring,
        "validUntil": "9999-12-31",
        "frequencyPerDay": if recurring { 4 } else { 1 },
        "combinedServiceIndicator": false,
    })
}

/// The S256 challenge of a verifier.
pub fn challenge(verifier: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes());
    URL_SAFE_NO_PAD.encode(digest)
}

/// A parameter of a URL's query.
pub fn parameter(url: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}
