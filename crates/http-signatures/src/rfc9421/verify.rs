//! Checking a signature under the profile: selection, key, algorithm, components, time, value, in this order.

use jiff::Timestamp;
use sfv::{BareItem, Dictionary, InnerList, ListEntry, Parser};

use super::base::signature_base;
use super::{ALGORITHMS, MAX_LIFETIME, SKEW, TAG};
use crate::key::{Algorithm, KeyKind, PublicKey};
use crate::{Message, Refusal};

/// Components that must be covered.
const REQUIRED: &[&str] = &["@method", "@target-uri", "content-digest", "x-request-id"];

/// Components that must be covered if the request has the field.
const REQUIRED_IF_PRESENT: &[&str] =
    &["content-type", "psu-id", "psu-corporate-id", "tpp-redirect-uri", "consent-id", "authorization"];

/// A verified signature.
///
/// ```
/// use std::collections::HashSet;
///
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
/// # let signed = rfc9421::sign(&message, &key, Algorithm::EcdsaP256Sha256Fixed, &components, &parameters)?;
/// # let mut headers = headers.clone();
/// # headers.insert("signature-input", signed.signature_input.parse()?);
/// # headers.insert("signature", signed.signature.parse()?);
/// # let message = Message { headers: &headers, ..message };
/// # let (public_key, now) = (key.public_key()?, jiff::Timestamp::UNIX_EPOCH);
/// let verified = rfc9421::verify(&message, &public_key, "thumbprint", now)?;
/// let mut seen = HashSet::new();
/// assert!(verified.expires > now && seen.insert(verified.nonce));
/// // The same message once more.
/// let verified = rfc9421::verify(&message, &public_key, "thumbprint", now)?;
/// assert!(!seen.insert(verified.nonce), "a caller who keeps nonces until they expire finds out");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The nonce; the caller refuses one it has seen before.
    pub nonce: String,
    /// Until when the nonce has to be remembered.
    pub expires: Timestamp,
}

/// Verifies the signature with the profile's tag. `key_id` is the base64url SHA-256 of the certificate that
/// `key` comes from.
///
/// # Errors
/// The first rule that is broken.
pub fn verify(
    message: &Message<'_>,
    key: &PublicKey,
    key_id: &str,
    now: Timestamp,
) -> Result<Verified, Refusal> {
    let (input, value) = select(message)?;
    let parameter = |name: &str| input.params.get(name);
    let got = parameter("keyid").and_then(text).unwrap_or_default();
    if got != key_id {
        return Err(Refusal::KeyIdMismatch { expected: key_id.to_owned(), got: got.to_owned() });
    }
    let algorithm = choose_algorithm(parameter("alg").and_then(text), key)?;
    let base = signature_base(message, &input)?;
    check_components(message, &input)?;
    let expires = check_time(&input, now)?;
    let nonce = parameter("nonce").and_then(text).unwrap_or_default();
    if nonce.len() < 22 {
        return Err(malformed("nonce must have at least 128 bits, which are 22 characters of base64"));
    }
    if !key.verifies(algorithm, &base, &value) {
        return Err(Refusal::SignatureMismatch {
            algorithm: algorithm.name(),
            signing_string: String::from_utf8_lossy(&base).into_owned(),
        });
    }
    Ok(Verified { nonce: nonce.to_owned(), expires })
}

fn malformed(text: &str) -> Refusal {
    Refusal::SignatureHeaderMalformed(text.to_owned())
}

fn text(item: &BareItem) -> Option<&str> {
    item.as_string().map(sfv::StringRef::as_str)
}

/// The one signature with the profile's tag, with its value.
fn select(message: &Message<'_>) -> Result<(InnerList, Vec<u8>), Refusal> {
    let dictionary = |name: &str| -> Result<Dictionary, Refusal> {
        let value = message.field(name).map_err(|_| malformed(&format!("the {name} header is missing")))?;
        Parser::new(&value).parse().map_err(|_| malformed(&format!("{name} is not a structured field")))
    };
    let (inputs, signatures) = (dictionary("signature-input")?, dictionary("signature")?);
    let mut tagged = inputs.iter().filter_map(|(label, entry)| match entry {
        ListEntry::InnerList(list) if list.params.get("tag").and_then(text) == Some(TAG) => {
            Some((label, list))
        }
        _ => None,
    });
    let (label, input) = tagged.next().ok_or(Refusal::NoSignatureWithTag(TAG))?;
    if tagged.next().is_some() {
        return Err(Refusal::SeveralSignaturesWithTag(TAG));
    }
    let value = match signatures.get(label) {
        Some(ListEntry::Item(item)) => item.bare_item.as_byte_sequence().map(<[u8]>::to_vec),
        _ => None,
    };
    let missing = || malformed(&format!("Signature has no octets under the label \"{}\"", label.as_str()));
    Ok((input.clone(), value.ok_or_else(missing)?))
}

/// The key decides; a label has to agree with it.
fn choose_algorithm(label: Option<&str>, key: &PublicKey) -> Result<Algorithm, Refusal> {
    let not_allowed = |got: &str| Refusal::AlgorithmNotAllowed {
        got: got.to_owned(),
        allowed: "rsa-pss-sha512, rsa-v1_5-sha256, ecdsa-p256-sha256, ecdsa-p384-sha384 or ed25519",
    };
    let Some(label) = label else {
        return match key.kind() {
            KeyKind::Rsa => Ok(Algorithm::RsaPssSha512),
            KeyKind::P256 => Ok(Algorithm::EcdsaP256Sha256Fixed),
            KeyKind::P384 => Ok(Algorithm::EcdsaP384Sha384Fixed),
            // The RFC has no algorithm for it.
            kind @ KeyKind::P521 => Err(not_allowed(kind.name())),
            KeyKind::Ed25519 => Ok(Algorithm::Ed25519),
        };
    };
    let (_, algorithm) =
        ALGORITHMS.iter().find(|(known, _)| *known == label).ok_or_else(|| not_allowed(label))?;
    if algorithm.key_kind() != key.kind() {
        return Err(Refusal::AlgorithmKeyMismatch { algorithm: label.to_owned(), key: key.kind().name() });
    }
    Ok(*algorithm)
}

fn check_components(message: &Message<'_>, input: &InnerList) -> Result<(), Refusal> {
    let present = REQUIRED_IF_PRESENT.iter().filter(|name| message.headers.contains_key(**name));
    for name in REQUIRED.iter().chain(present) {
        if !input.items.iter().any(|item| text(&item.bare_item) == Some(name)) {
            return Err(Refusal::RequiredComponentNotCovered((*name).to_owned()));
        }
    }
    Ok(())
}

fn check_time(input: &InnerList, now: Timestamp) -> Result<Timestamp, Refusal> {
    let seconds = |name: &str| {
        input
            .params
            .get(name)
            .and_then(BareItem::as_integer)
            .map(i64::from)
            .ok_or_else(|| malformed(&format!("parameter {name} must be there, in seconds since 1970")))
    };
    let moment = |seconds| Timestamp::from_second(seconds).map_err(|_| malformed("a time is out of range"));
    let (created, expires) = (seconds("created")?, seconds("expires")?);
    if created > now.as_second() + SKEW {
        return Err(Refusal::NotYetValid(moment(created)?));
    }
    if expires < now.as_second() {
        return Err(Refusal::Expired(moment(expires)?));
    }
    if expires - created > MAX_LIFETIME {
        return Err(malformed("expires may lie at most 300 seconds after created"));
    }
    moment(expires)
}
