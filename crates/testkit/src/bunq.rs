//! A client of the bunq dialect that signs what it sends and checks what it gets.

use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_signatures::key::{Algorithm, PrivateKey, PublicKey};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use serde_json::{Value, json};

use crate::{Answer, CALLBACK, Request, TestServer, answer_headers, parameter};

/// Prefix of every path.
pub const BUNQ: &str = "/bunq/v1";

/// A key pair: private PEM and public PEM.
pub type Keys = (String, String);

/// One RSA key for all clients of a test program: making one for each would be most of the time.
pub fn client_keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| {
        let key = crate::keys::make();
        (key.serialize_pem(), key.public_key_pem())
    })
}

/// Signs as this interface does: SHA-256, PKCS #1 v1.5, base64.
pub fn sign(key_pem: &str, message: &[u8]) -> String {
    let key = PrivateKey::from_pem(key_pem).unwrap();
    STANDARD.encode(key.sign(Algorithm::RsaPkcs1Sha256, message).unwrap())
}

/// A self-signed certificate with a common name, valid from 2020 to 2096, with the private key of it.
pub fn pseudo_certificate(
    common_name: &str,
    change: impl FnOnce(&mut CertificateParams),
) -> (String, String) {
    let (key_pem, _) = client_keys().clone();
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name.push(DnType::CountryName, "NL");
    (self_signed(&key_pem, name, change), key_pem)
}

/// The certificate of a service provider with a name, and its private key: one that nobody vouches for, as a bank for tests
/// takes it, or in front of a gateway a qualified one, with the roles that the name says.
pub async fn provider_certificate(server: &TestServer, name: &str) -> (String, String) {
    if !crate::is_served() {
        return pseudo_certificate(name, |_| {});
    }
    let words = [("AISP", "PSP_AI"), ("PISP", "PSP_PI"), ("CBPII", "PSP_IC")];
    let roles: Vec<_> = words.iter().filter(|(word, _)| name.contains(word)).map(|(_, role)| *role).collect();
    // Whoever has the same name is the same.
    let number = name.bytes().fold(7_u32, |number, octet| number.wrapping_mul(31).wrapping_add(octet.into()));
    let id = format!("PSDNL-DNB-R{number:010}");
    let wish =
        json!({"organizationIdentifier": id, "organizationName": name, "profile": "qseal", "roles": roles});
    let signer = server.certificate(wish).await;
    (eidas::certificate::to_pem(&signer.certificate.der), signer.key_pem)
}

/// A moment as certificates hold it.
pub fn certificate_time(moment: jiff::Timestamp) -> time::OffsetDateTime {
    time::OffsetDateTime::from_unix_timestamp(moment.as_second()).unwrap()
}

/// The same for any key and name; the certificate alone.
pub fn self_signed(
    key_pem: &str,
    name: DistinguishedName,
    change: impl FnOnce(&mut CertificateParams),
) -> String {
    let key = KeyPair::from_pem(key_pem).unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name = name;
    params.not_before = time::OffsetDateTime::from_unix_timestamp(1_577_836_800).unwrap();
    params.not_after = time::OffsetDateTime::from_unix_timestamp(4_000_000_000).unwrap();
    change(&mut params);
    params.self_signed(&key).unwrap().pem()
}

/// A client with an installation, and perhaps a session.
#[derive(Debug, Clone)]
pub struct BunqClient {
    http: reqwest::Client,
    /// Scheme and authority of the bank.
    pub origin: String,
    /// Token of the installation.
    pub installation: String,
    /// The server's public key.
    pub server_key: String,
    /// Token of the session, if there is one.
    pub session: Option<String>,
    /// Number of the session's user.
    pub user: i64,
    /// The API key of the session.
    pub key: String,
}

impl BunqClient {
    /// Makes an installation.
    pub async fn install(server: &TestServer) -> Self {
        Self::install_at(&server.http, server.url()).await
    }

    /// Makes an installation at an address.
    pub async fn install_at(http: &reqwest::Client, origin: &str) -> Self {
        let body = json!({"client_public_key": client_keys().1});
        let request = Request::new("POST", &format!("{BUNQ}/installation"));
        let answer = request.body("application/json", body.to_string()).send(http, origin).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let response = answer.json()["Response"].clone();
        Self {
            http: http.clone(),
            origin: origin.to_owned(),
            installation: response[1]["Token"]["token"].as_str().unwrap().to_owned(),
            server_key: response[2]["ServerPublicKey"]["server_public_key"].as_str().unwrap().to_owned(),
            session: None,
            user: 0,
            key: String::new(),
        }
    }

    /// A service provider with a session, by the certificate that the bank takes ([`provider_certificate`]).
    pub async fn provider(server: &TestServer, common_name: &str) -> Self {
        let (certificate, key) = provider_certificate(server, common_name).await;
        let client = Self::install(server).await;
        let api_key = client.trade(&certificate, &certificate, &key).await;
        client.open(&api_key).await
    }

    /// Trades a certificate for an API key.
    pub async fn trade(&self, certificate: &str, chain: &str, key: &str) -> String {
        let answer = self.send(&self.credential_request(certificate, chain, key)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        element(&answer, "CredentialPasswordIp")["token_value"].as_str().unwrap().to_owned()
    }

    /// The request that trades a certificate.
    pub fn credential_request(&self, certificate: &str, chain: &str, key: &str) -> Request {
        let public = client_keys().1.trim_end();
        let sealed = sign(key, format!("{public}\n{}", self.installation).as_bytes());
        let body = json!({
            "client_payment_service_provider_certificate": certificate,
            "client_payment_service_provider_certificate_chain": chain,
            "client_public_key_signature": sealed,
        });
        self.request("POST", "/payment-service-provider-credential", Some(&body))
    }

    /// Registers a device and opens a session with an API key.
    pub async fn open(self, api_key: &str) -> Self {
        let body = json!({"description": "test", "secret": api_key, "permitted_ips": ["*"]});
        let answer = self.send(&self.request("POST", "/device-server", Some(&body))).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.session(api_key).await
    }

    /// Opens a session with an API key or access token.
    pub async fn session(mut self, api_key: &str) -> Self {
        self.session = None;
        let answer =
            self.send(&self.request("POST", "/session-server", Some(&json!({"secret": api_key})))).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let response = &answer.json()["Response"];
        self.session = Some(response[1]["Token"]["token"].as_str().unwrap().to_owned());
        let user = response[2].as_object().unwrap().values().next().unwrap();
        self.user = user["id"].as_i64().unwrap();
        api_key.clone_into(&mut self.key);
        self
    }

    /// A customer in person, with a session.
    pub async fn customer(server: &TestServer, customer: &Value) -> Self {
        Self::install(server).await.open(customer["bunq"]["apiKey"].as_str().unwrap()).await
    }

    /// The OAuth client of a service provider, with [`CALLBACK`]; made if there is none.
    pub async fn oauth_client(&self) -> Value {
        let path = format!("/user/{}/oauth-client", self.user);
        let listed = self.get(&path).await;
        if listed.json()["Response"].as_array().unwrap().is_empty() {
            let body = json!({"status": "ACTIVE", "redirect_url": CALLBACK});
            self.post(&path, &body).await;
        }
        element(&self.get(&path).await, "OauthClient")
    }

    /// The address for the customer's browser.
    pub async fn authorization_url(&self) -> String {
        let client = self.oauth_client().await;
        format!(
            "{}/bunq/auth?response_type=code&client_id={}&redirect_uri=https%3A%2F%2Ftpp.example%2Fcallback&state=s%201",
            self.origin,
            client["client_id"].as_str().unwrap()
        )
    }

    /// The address for the customer's browser, if the service provider's session goes on.
    pub async fn authorization_url_if_any(&self) -> Option<String> {
        let listed = self.get(&format!("/user/{}/oauth-client", self.user)).await;
        (listed.status == 200).then_some(())?;
        Some(self.authorization_url().await)
    }

    /// Trades a code for an access token.
    pub async fn exchange(&self, code: &str) -> Answer {
        let client = self.oauth_client().await;
        let text = |name: &str| client[name].as_str().unwrap().to_owned();
        let query = format!(
            "grant_type=authorization_code&code={code}&redirect_uri=https%3A%2F%2Ftpp.example%2Fcallback\
             &client_id={}&client_secret={}",
            text("client_id"),
            text("secret")
        );
        Request::new("POST", &format!("{BUNQ}/token?{query}")).send(&self.http, &self.origin).await
    }

    /// A customer approves; a session for the service provider to act for them.
    pub async fn connect(&self, server: &TestServer, customer: &Value) -> Self {
        let iban = customer["iban"].as_str().unwrap();
        let location = server.decide(&self.authorization_url().await, iban, "approve").await;
        let answer = self.exchange(&parameter(&location, "code").unwrap()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        self.clone().session(&token).await
    }

    /// A signed request with the token that there is.
    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Request {
        let octets = body.map(Value::to_string).unwrap_or_default();
        let token = self.session.as_ref().unwrap_or(&self.installation);
        let mut request = Request::new(method, &format!("{BUNQ}{path}"))
            .set("x-bunq-client-authentication", token)
            .set("x-bunq-client-signature", sign(&client_keys().0, octets.as_bytes()));
        request.body = octets.into_bytes();
        request
    }

    /// Sends a request and checks the answer's signature if it is a success.
    pub async fn send(&self, request: &Request) -> Answer {
        let (status, headers, octets) = request.try_read(&self.http, &self.origin).await.unwrap();
        let text = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        assert!(!text("x-bunq-client-response-id").is_empty());
        if status == 200 {
            let signature = STANDARD.decode(text("x-bunq-server-signature")).unwrap();
            assert!(self.server_public_key().verifies(Algorithm::RsaPkcs1Sha256, &octets, &signature));
        }
        if text("content-type") == "application/json" {
            assert!(octets.is_ascii(), "{}", String::from_utf8_lossy(&octets));
        }
        let answer = Answer { status, headers, body: String::from_utf8_lossy(&octets).into_owned() };
        answer_headers::hold(request, &answer);
        answer
    }

    fn server_public_key(&self) -> PublicKey {
        let base64: String = self.server_key.lines().filter(|line| !line.starts_with('-')).collect();
        PublicKey::from_spki_der(&STANDARD.decode(base64).unwrap()).unwrap()
    }

    /// Sends a GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(&self.request("GET", path, None)).await
    }

    /// Sends a POST.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(&self.request("POST", path, Some(body))).await
    }

    /// Sends a PUT.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(&self.request("PUT", path, Some(body))).await
    }

    /// Makes something and returns its number.
    pub async fn make(&self, path: &str, body: &Value) -> i64 {
        let answer = self.post(path, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        element(&answer, "Id")["id"].as_i64().unwrap()
    }

    /// The elements of a list, without their wrappers.
    pub async fn list(&self, path: &str) -> Vec<Value> {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        let response = answer.json()["Response"].as_array().unwrap().clone();
        response.iter().map(|one| one.as_object().unwrap().values().next().unwrap().clone()).collect()
    }

    /// The number of the first current account.
    pub async fn account(&self) -> i64 {
        self.list(&format!("/user/{}/monetary-account-bank", self.user)).await[0]["id"].as_i64().unwrap()
    }

    /// The path of an account.
    pub fn below(&self, account: i64, rest: &str) -> String {
        format!("/user/{}/monetary-account/{account}{rest}", self.user)
    }

    /// What an account holds, in cents.
    pub async fn balance(&self, account: i64) -> i64 {
        let all = self.list(&format!("/user/{}/monetary-account", self.user)).await;
        let found = all.iter().find(|one| one["id"] == account).unwrap();
        cents(found["balance"]["value"].as_str().unwrap())
    }
}

/// The first element of an answer, under its wrapper.
pub fn element(answer: &Answer, wrapper: &str) -> Value {
    let value = answer.json()["Response"][0][wrapper].clone();
    assert!(!value.is_null(), "{wrapper}: {}", answer.body);
    value
}

/// A decimal text in cents.
pub fn cents(text: &str) -> i64 {
    text.replace('.', "").parse().unwrap()
}

/// An amount in euro.
pub fn euro(value: &str) -> Value {
    json!({"value": value, "currency": "EUR"})
}

/// A pointer to an account at some other bank.
pub fn shop() -> Value {
    json!({"type": "IBAN", "value": "NL91ABNA0417164300", "name": "Shop"})
}
