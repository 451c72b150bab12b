//! Signing a request under the profile.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sfv::{BareItem, InnerList, Item, Key};

use super::base::{serialize, signature_base};
use super::{ALGORITHMS, TAG};
use crate::key::{Algorithm, PrivateKey};
use crate::{Message, Refusal};

/// The parameters of a signature.
///
/// ```
/// use http::{HeaderMap, Method};
/// use http_signatures::digest::{DigestAlgorithm, content_digest_header};
/// use http_signatures::key::{Algorithm, PrivateKey};
/// use http_signatures::{Message, rfc9421};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (key, _) = PrivateKey::generate_p256()?;
/// let mut headers = HeaderMap::new();
/// headers.insert("x-request-id", "99391c7e-ad88-49ec-a2ad-99ddcb1f7721".parse()?);
/// headers.insert("content-digest", content_digest_header(DigestAlgorithm::Sha256, b"{}").parse()?);
/// let base_uri = "https://api.bank.example";
/// let message = Message { method: &Method::POST, target: "/consents", base_uri, headers: &headers };
/// let components = ["@method", "@target-uri", "content-digest", "x-request-id"];
/// let parameters =
///     rfc9421::Parameters { created: 0, expires: 60, nonce: "kc2pp5k7z50gnwpyemdAAA", key_id: "thumbprint" };
/// let signed = rfc9421::sign(&message, &key, Algorithm::EcdsaP256Sha256Fixed, &components, &parameters)?;
///
/// let mut headers = headers.clone();
/// headers.insert("signature-input", signed.signature_input.parse()?);
/// headers.insert("signature", signed.signature.parse()?);
/// let message = Message { headers: &headers, ..message };
/// let verified = rfc9421::verify(&message, &key.public_key()?, "thumbprint", jiff::Timestamp::UNIX_EPOCH)?;
/// assert_eq!(verified.nonce, parameters.nonce);
/// assert_eq!(verified.expires.as_second(), 60);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Parameters<'p> {
    /// When it is made, seconds since 1970.
    pub created: i64,
    /// Until when it holds, at most 300 seconds later.
    pub expires: i64,
    /// A value never used before, of at least 128 bits.
    pub nonce: &'p str,
    /// base64url SHA-256 of the signing certificate.
    pub key_id: &'p str,
}

/// The two header values that carry a signature.
///
/// ```
/// use http::{HeaderMap, Method};
/// use http_signatures::digest::{DigestAlgorithm, content_digest_header};
/// use http_signatures::key::{Algorithm, PrivateKey};
/// use http_signatures::{Message, rfc9421};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (key, _) = PrivateKey::generate_p256()?;
/// # let mut headers = HeaderMap::new();
/// # headers.insert("x-request-id", "99391c7e-ad88-49ec-a2ad-99ddcb1f7721".parse()?);
/// # headers.insert("content-digest", content_digest_header(DigestAlgorithm::Sha256, b"{}").parse()?);
/// # let base_uri = "https://api.bank.example";
/// # let message = Message { method: &Method::POST, target: "/consents", base_uri, headers: &headers };
/// # let components = ["@method", "@target-uri", "content-digest", "x-request-id"];
/// # let parameters =
/// #     rfc9421::Parameters { created: 0, expires: 60, nonce: "kc2pp5k7z50gnwpyemdAAA", key_id: "thumbprint" };
/// let signed = rfc9421::sign(&message, &key, Algorithm::EcdsaP256Sha256Fixed, &components, &parameters)?;
/// assert!(signed.signature_input.starts_with("sig1=(\"@method\" \"@target-uri\""));
/// assert!(signed.signature_input.ends_with(";tag=\"psd2\""));
/// assert!(signed.signature.starts_with("sig1=:"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHeaders {
    /// `Signature-Input`.
    pub signature_input: String,
    /// `Signature`.
    pub signature: String,
}

/// Signs these components of a request.
///
/// # Errors
/// [`Refusal::CoveredHeaderMissing`], [`Refusal::CannotSign`], and [`Refusal::SignatureHeaderMalformed`] for a
/// component or parameter that a structured field cannot hold.
pub fn sign(
    message: &Message<'_>,
    key: &PrivateKey,
    algorithm: Algorithm,
    components: &[&str],
    parameters: &Parameters<'_>,
) -> Result<SignedHeaders, Refusal> {
    let malformed = |text: &str| Refusal::SignatureHeaderMalformed(text.to_owned());
    let string = |text: &str| {
        sfv::String::from_string(text.to_owned()).map(BareItem::String).map_err(|_| malformed("not ASCII"))
    };
    let integer = |seconds: i64| {
        sfv::Integer::try_from(seconds).map(BareItem::Integer).map_err(|_| malformed("time out of range"))
    };
    let (label, _) = ALGORITHMS
        .iter()
        .find(|(_, known)| *known == algorithm)
        .ok_or(Refusal::CannotSign(algorithm.name()))?;
    let items = components.iter().map(|name| Ok(Item::new(string(name)?))).collect::<Result<Vec<_>, _>>()?;
    let mut input = InnerList::new(items);
    for (name, value) in [
        ("created", integer(parameters.created)?),
        ("expires", integer(parameters.expires)?),
        ("nonce", string(parameters.nonce)?),
        ("alg", string(label)?),
        ("keyid", string(parameters.key_id)?),
        ("tag", string(TAG)?),
    ] {
        let name = Key::from_string(name.to_owned()).map_err(|_| malformed("parameter name"))?;
        input.params.insert(name, value);
    }
    let value = key.sign(algorithm, &signature_base(message, &input)?)?;
    Ok(SignedHeaders {
        signature_input: format!("sig1={}", serialize(&input)),
        signature: format!("sig1=:{}:", STANDARD.encode(value)),
    })
}
