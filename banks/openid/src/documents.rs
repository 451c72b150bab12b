//! What the provider publishes: its configuration (OpenID Connect Discovery 1.0) and its keys, kept for a while.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, Header};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use crate::client::{Client, Failure};
use crate::settings::is_callable;

/// Within this time after a failure nobody is sent there again: whoever waited for the attempt gets its answer.
const REST: Duration = Duration::from_secs(1);

/// For so much longer than they are good for documents are used if no newer ones are to be had, and how seldom these are asked for then.
const OVERDUE: Duration = Duration::from_secs(60 * 60);
const REST_OF_OVERDUE: Duration = Duration::from_secs(30);

/// The provider's configuration, as far as it is needed.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Configuration {
    pub(crate) issuer: String,
    pub(crate) authorization_endpoint: String,
    pub(crate) token_endpoint: String,
    pub(crate) jwks_uri: String,
    pub(crate) pushed_authorization_request_endpoint: Option<String>,
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    code_challenge_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    mtls_endpoint_aliases: Aliases,
}

/// Where clients go that show a certificate (RFC 8705, section 5).
#[derive(Debug, Clone, Default, Deserialize)]
struct Aliases {
    token_endpoint: Option<String>,
    pushed_authorization_request_endpoint: Option<String>,
}

/// A key set as it is published.
#[derive(Deserialize)]
struct Published {
    keys: Vec<Value>,
}

/// Configuration and keys together.
#[derive(Debug)]
pub(crate) struct Documents {
    pub(crate) configuration: Configuration,
    keys: Vec<Jwk>,
}

impl Documents {
    /// The key that a token names, or if it names none the only one: of those that sign with its algorithm.
    pub(crate) fn key(&self, header: &Header) -> Option<&Jwk> {
        let mut signing = self.keys.iter().filter(|key| signs(key, header.alg));
        match &header.kid {
            Some(id) => signing.find(|key| key.common.key_id.as_ref() == Some(id)),
            None => signing.next().filter(|_| signing.next().is_none()),
        }
    }
}

/// Whether a key is for signatures of an algorithm (RFC 7517, 4.1 to 4.4; keys of other kinds may have the same id).
fn signs(key: &Jwk, algorithm: Algorithm) -> bool {
    let common = &key.common;
    let is_of_kind = match &key.algorithm {
        AlgorithmParameters::RSA(_) => matches!(algorithm, Algorithm::PS256 | Algorithm::RS256),
        AlgorithmParameters::EllipticCurve(key) => {
            algorithm == Algorithm::ES256 && key.curve == EllipticCurve::P256
        }
        AlgorithmParameters::OctetKeyPair(key) => {
            algorithm == Algorithm::EdDSA && key.curve == EllipticCurve::Ed25519
        }
        _ => false,
    };
    is_of_kind
        && common.key_algorithm.is_none_or(|named| named == KeyAlgorithm::from(algorithm))
        && common.public_key_use.as_ref().is_none_or(|named| *named == PublicKeyUse::Signature)
        && common.key_operations.as_ref().is_none_or(|named| named.contains(&KeyOperations::Verify))
}

#[derive(Debug, Default)]
struct Kept {
    documents: Option<(Arc<Documents>, Instant)>,
    failed: Option<(String, Instant)>,
}

impl Kept {
    /// What is kept, a little longer than it is good for; nothing if that does not help.
    fn overdue(&self, good_for: Duration, useless: Option<&Arc<Documents>>) -> Option<Arc<Documents>> {
        let (documents, at) = self.documents.as_ref()?;
        let is_of_use = useless.is_none_or(|useless| !Arc::ptr_eq(useless, documents));
        (is_of_use && at.elapsed() < good_for + OVERDUE).then(|| Arc::clone(documents))
    }
}

/// What is kept of a provider's documents.
#[derive(Debug)]
pub(crate) struct Library {
    issuer: String,
    shows_certificate: bool,
    good_for: Duration,
    kept: Mutex<Kept>,
}

impl Library {
    pub(crate) fn new(issuer: &str, shows_certificate: bool, good_for: Duration) -> Self {
        Self { issuer: issuer.to_owned(), shows_certificate, good_for, kept: Mutex::default() }
    }

    /// The documents; looked up if they are older than they may be.
    pub(crate) async fn documents(&self, client: &Client) -> Result<Arc<Documents>, Failure> {
        self.newer_than(client, None).await
    }

    /// The documents as they are after those that do not help.
    pub(crate) async fn after(
        &self,
        client: &Client,
        useless: &Arc<Documents>,
    ) -> Result<Arc<Documents>, Failure> {
        self.newer_than(client, Some(useless)).await
    }

    async fn newer_than(
        &self,
        client: &Client,
        useless: Option<&Arc<Documents>>,
    ) -> Result<Arc<Documents>, Failure> {
        // Whoever comes meanwhile waits for the one look-up.
        let mut kept = self.kept.lock().await;
        if let Some((documents, at)) = &kept.documents
            && at.elapsed() < self.good_for
            && useless.is_none_or(|useless| !Arc::ptr_eq(useless, documents))
        {
            return Ok(Arc::clone(documents));
        }
        let overdue = kept.overdue(self.good_for, useless);
        let rest = if overdue.is_some() { REST_OF_OVERDUE } else { REST };
        if let Some((why, at)) = &kept.failed
            && at.elapsed() < rest
        {
            return overdue.ok_or_else(|| Failure::Away(why.clone()));
        }
        match self.look_up(client).await {
            Ok(documents) => {
                let documents = Arc::new(documents);
                *kept = Kept { documents: Some((Arc::clone(&documents), Instant::now())), failed: None };
                Ok(documents)
            }
            Err(failure) => {
                let is_new = kept.failed.is_none();
                kept.failed = Some((failure.to_string(), Instant::now()));
                if overdue.is_some() && is_new {
                    tracing::warn!(%failure, "the documents of the OpenID provider cannot be read anew; older ones are used for an hour");
                }
                overdue.ok_or(failure)
            }
        }
    }

    async fn look_up(&self, client: &Client) -> Result<Documents, Failure> {
        let url = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let mut configuration: Configuration = client.get(&url).await?;
        self.check(&configuration)?;
        let Aliases { token_endpoint, pushed_authorization_request_endpoint } =
            configuration.mtls_endpoint_aliases.clone();
        if self.shows_certificate {
            configuration.token_endpoint = token_endpoint.unwrap_or(configuration.token_endpoint);
            if pushed_authorization_request_endpoint.is_some() {
                configuration.pushed_authorization_request_endpoint = pushed_authorization_request_endpoint;
            }
        }
        let published: Published = client.get(&configuration.jwks_uri).await?;
        // Keys of kinds that nobody knows here are for others (RFC 7517, section 5).
        let keys = published.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect();
        Ok(Documents { configuration, keys })
    }

    fn check(&self, configuration: &Configuration) -> Result<(), Failure> {
        if configuration.issuer != self.issuer {
            return Err(Failure::away("calls itself by another issuer in its configuration"));
        }
        let methods = configuration.code_challenge_methods_supported.as_ref();
        if methods.is_some_and(|methods| methods.iter().all(|method| method != "S256")) {
            return Err(Failure::away("does not take PKCE with S256"));
        }
        let aliases = &configuration.mtls_endpoint_aliases;
        let endpoints = [
            Some(&configuration.authorization_endpoint),
            Some(&configuration.token_endpoint),
            Some(&configuration.jwks_uri),
            configuration.pushed_authorization_request_endpoint.as_ref(),
            aliases.token_endpoint.as_ref(),
            aliases.pushed_authorization_request_endpoint.as_ref(),
        ];
        let is_good = |url: &String| Url::parse(url).is_ok_and(|url| is_callable(&url));
        match endpoints.into_iter().flatten().all(is_good) {
            true => Ok(()),
            false => Err(Failure::away("has endpoints without TLS")),
        }
    }
}
