//! Signatures over bodies: the server's key for every answer, the client's for requests (section 4).

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use eidas::issue::{KeyType, generate_key};
use gateway::Drawer;
use http::HeaderValue;
use http_signatures::key::{Algorithm, PrivateKey, PublicKey};

use crate::error::Error;
use crate::routes::Signed;

/// Under which kind the key is kept that answers are signed with. Its owner is the name of the dialect.
pub const SERVER_KEY: &str = "server-key";

/// SHA-256 and RSASSA-PKCS1-v1_5, everywhere.
const ALGORITHM: Algorithm = Algorithm::RsaPkcs1Sha256;

/// Length of an RSA-2048 key as SubjectPublicKeyInfo, in octets: 294 with the usual exponent.
const RSA_2048_SPKI: std::ops::RangeInclusive<usize> = 290..=300;

/// The key that answers are signed with, made when it is first needed and kept.
pub(crate) struct ServerKey {
    key: PrivateKey,
    /// SubjectPublicKeyInfo in PEM: 64 columns, line feeds, one at the end. Clients take the text apart at them.
    pub(crate) public_pem: String,
}

impl std::fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerKey(…)")
    }
}

impl ServerKey {
    /// Takes the key that was kept, or makes one and keeps it.
    pub(crate) async fn load_or_make(drawer: &Drawer) -> Result<Arc<Self>, gateway::Error> {
        let both = match drawer.get(SERVER_KEY, "private").await? {
            Some(both) => Some(both),
            None => {
                // Takes long enough to keep others waiting.
                let made = tokio::task::spawn_blocking(|| generate_key(KeyType::Rsa2048)).await;
                let (private, public) =
                    made.map_err(gateway::Error::internal)?.map_err(gateway::Error::internal)?;
                let both = format!("{private}\n{public}");
                // Of two that are made at once, the first is kept.
                let keep = |known: Option<&str>| known.is_none().then(|| both.clone());
                drawer.update(SERVER_KEY, "private", keep).await?
            }
        };
        let key = both.and_then(|both| Self::from_pem(&both)).map(Arc::new);
        key.ok_or_else(|| gateway::Error::internal("the key that answers are signed with cannot be read"))
    }

    fn from_pem(both: &str) -> Option<Self> {
        let at = both.find("-----BEGIN PUBLIC KEY-----")?;
        let (private, public) = both.split_at(at);
        let der = eidas::pem::public_key(public.as_bytes()).ok()?;
        Some(Self { key: PrivateKey::from_pem(private.trim()).ok()?, public_pem: canonical_pem(&der) })
    }

    /// The value of `X-Bunq-Server-Signature` for a body.
    pub(crate) fn sign(&self, body: &[u8]) -> Option<HeaderValue> {
        let signature = self.key.sign(ALGORITHM, body).ok()?;
        HeaderValue::from_str(&STANDARD.encode(signature)).ok()
    }
}

/// What a client in production signs where a call has no body: an empty text as JSON.
const EMPTY_TEXT: &[u8] = br#""""#;

/// Checks a signature over a body. Where a call without a body need not be signed, one over an empty JSON text is as
/// good as one over nothing: neither says anything that somebody else could use.
///
/// # Errors
/// 400
pub(crate) fn verify(key: &PublicKey, body: &[u8], (signature, signed): (&str, Signed)) -> Result<(), Error> {
    let signature = STANDARD
        .decode(signature.trim())
        .map_err(|_| Error::signature_invalid("X-Bunq-Client-Signature is not base64 on one line."))?;
    let is_bare = body.is_empty() && signed == Signed::Optional;
    if key.verifies(ALGORITHM, body, &signature)
        || (is_bare && key.verifies(ALGORITHM, EMPTY_TEXT, &signature))
    {
        return Ok(());
    }
    edge::note_mistake_with_body("signed body", body, |other| key.verifies(ALGORITHM, other, &signature));
    Err(Error::signature_invalid(
        "Sign the exact bytes of the body, nothing else, with the private key of the installation: RSA-2048, \
         PKCS #1 v1.5, SHA-256; for a call without a body sign the empty string.",
    ))
}

/// Reads a client's public key. Returns its SubjectPublicKeyInfo.
///
/// # Errors
/// 400
pub(crate) fn read_client_key(pem: &str) -> Result<(Vec<u8>, PublicKey), Error> {
    let invalid = |why: &str| {
        Error::bad(format!(
            "The client public key is invalid: {why}. Send an RSA key of 2048 bits as SubjectPublicKeyInfo in PEM, \
             beginning with -----BEGIN PUBLIC KEY-----."
        ))
    };
    if eidas::pem::holds_private_key(pem.as_bytes()) || pem.contains("PRIVATE KEY") {
        return Err(invalid("this is a private key, which must never be sent to anyone"));
    }
    let der = eidas::pem::public_key(pem.as_bytes()).map_err(|error| invalid(&error.to_string()))?;
    let key = PublicKey::from_spki_der(&der).map_err(|error| invalid(&error.to_string()))?;
    if key.kind() != http_signatures::key::KeyKind::Rsa || !RSA_2048_SPKI.contains(&der.len()) {
        return Err(invalid("it is not an RSA key of 2048 bits"));
    }
    Ok((der, key))
}

/// Checks the signature of a credential: over the client's public key and the installation token, by the key of the
/// certificate (section 8.3). The key's text may be the canonical one, or as it was received.
pub(crate) fn is_sealed(
    key: &PublicKey,
    (canonical, received): (&str, &str),
    token: &str,
    signature: &str,
) -> bool {
    let Ok(signature) = STANDARD.decode(signature.trim()) else { return false };
    let with_line_end = format!("{}\n", received.trim_end_matches(['\r', '\n']));
    [canonical, &with_line_end, received]
        .iter()
        .any(|pem| key.verifies(ALGORITHM, format!("{pem}{token}").as_bytes(), &signature))
}

/// SubjectPublicKeyInfo in PEM with lines of 64 characters and line feeds.
pub(crate) fn canonical_pem(der: &[u8]) -> String {
    eidas::pem::to_pem(eidas::pem::Kind::PublicKey, der)
}
