//! What a bank says about its provider.

use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use url::{Host, Url};

/// How a bank's provider is reached, and what the bank demands of it.
#[derive(Clone)]
pub struct ProviderSettings {
    /// The provider's issuer, exactly as its tokens name it, for example `https://login.bank.example/realms/customers`. Without
    /// TLS only on this machine.
    pub issuer: String,
    /// Id of the gateway at the provider.
    pub client_id: String,
    /// How the gateway proves itself there.
    pub proof: ClientProof,
    /// Whom the provider's certificate may come from, in PEM; without them those that the system trusts.
    pub authorities: Option<Vec<u8>>,
    /// `scope` of each request; `openid` is among them.
    pub scope: String,
    /// The authentication contexts that are strong enough, the best first (`acr_values`); an ID token has to have one of them.
    /// Empty if the bank demands none.
    pub acr_values: Vec<String>,
    /// How long ago a customer may have authenticated, in seconds (`max_age`).
    pub max_age: u32,
    /// The claim of the ID token by which the core bank knows the customer: `sub`, or one of the bank's own.
    pub customer_claim: String,
    /// `type` of the authorization details that a payment is told with.
    pub payment_type: String,
    /// Whether the token response has to repeat the authorization details that the customer approved (RFC 9396, section 7). Without,
    /// the provider is believed to have shown what it was told; then it has to take pushed requests (RFC 9126), because what a
    /// browser carries can be changed on the way.
    pub confirms_payments: bool,
    /// What the way there may cost.
    pub limits: Limits,
}

impl ProviderSettings {
    /// Settings as most banks have them.
    pub fn new(issuer: impl Into<String>, client_id: impl Into<String>, proof: ClientProof) -> Self {
        Self {
            issuer: issuer.into(),
            client_id: client_id.into(),
            proof,
            authorities: None,
            scope: "openid".to_owned(),
            acr_values: Vec::new(),
            max_age: 300,
            customer_claim: "sub".to_owned(),
            payment_type: "payment_initiation".to_owned(),
            confirms_payments: true,
            limits: Limits::default(),
        }
    }
}

impl std::fmt::Debug for ProviderSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderSettings").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// How the gateway proves itself at the provider.
#[derive(Clone)]
pub enum ClientProof {
    /// By a secret (`client_secret_basic`).
    Secret(String),
    /// By assertions that a private key signs (`private_key_jwt`): RSA (PS256) or P-256 (ES256), PKCS#8 in PEM, with the id under
    /// which the provider knows it.
    PrivateKey {
        /// The key.
        pem: Vec<u8>,
        /// Its id, if it has one.
        key_id: Option<String>,
    },
    /// By a TLS client certificate with its chain and its private key (PKCS#8), in PEM (`tls_client_auth`, RFC 8705).
    Certificate(Vec<u8>),
}

/// What the way to a provider may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long a call may take.
    pub deadline: Duration,
    /// How long it may take to connect.
    pub connect: Duration,
    /// How many calls there may be at once; others wait within their deadline.
    pub at_once: usize,
    /// How long configuration and keys of the provider are kept.
    pub documents: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(5),
            connect: Duration::from_secs(2),
            at_once: 64,
            documents: Duration::from_secs(600),
        }
    }
}

/// The way to a provider cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The issuer is none.
    #[error(
        "the issuer has to be an https URL without query and fragment, as in https://login.bank.example/realms/customers"
    )]
    Issuer,
    /// The scope does not ask for an ID token.
    #[error("the scope has to have openid among its words")]
    Scope,
    /// The private key cannot be used.
    #[error("the private key for the OpenID provider has to be RSA or P-256, as PKCS#8 in PEM: {0}")]
    Key(jsonwebtoken::errors::Error),
    /// Authorities or certificate cannot be used.
    #[error("the certificates for the OpenID provider cannot be used: {0}")]
    Tls(#[from] reqwest::Error),
}

/// Whether a text can be a provider's issuer: a URL without query and fragment, with TLS or on this machine.
pub fn is_issuer(text: &str) -> bool {
    let is_plain = |url: &Url| {
        let is_anonymous = url.username().is_empty() && url.password().is_none();
        is_anonymous && url.query().is_none() && url.fragment().is_none()
    };
    Url::parse(text).is_ok_and(|url| is_callable(&url) && is_plain(&url))
}

/// Whether a scope asks for an ID token: `openid` is among its words.
pub fn is_scope(text: &str) -> bool {
    text.split(' ').any(|word| word == "openid")
}

/// Whether an address may be called: with TLS, or on this machine.
pub(crate) fn is_callable(url: &Url) -> bool {
    let is_here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        _ => false,
    };
    url.scheme() == "https" || url.scheme() == "http" && is_here
}

/// What the gateway proves itself with, ready to be used.
pub(crate) enum Proof {
    Secret(String),
    Key { key: Box<EncodingKey>, algorithm: Algorithm, key_id: Option<String> },
    Certificate,
}

impl Proof {
    pub(crate) fn of(proof: &ClientProof) -> Result<Self, SetupError> {
        let ClientProof::PrivateKey { pem, key_id } = proof else {
            return Ok(match proof {
                ClientProof::Secret(secret) => Self::Secret(secret.clone()),
                _ => Self::Certificate,
            });
        };
        let (key, algorithm) = match EncodingKey::from_ec_pem(pem) {
            Ok(key) => (key, Algorithm::ES256),
            Err(_) => (EncodingKey::from_rsa_pem(pem).map_err(SetupError::Key)?, Algorithm::PS256),
        };
        // A key of another curve, or one that is too short, is read and cannot sign.
        jsonwebtoken::encode(&Header::new(algorithm), &(), &key).map_err(SetupError::Key)?;
        Ok(Self::Key { key: Box::new(key), algorithm, key_id: key_id.clone() })
    }
}
