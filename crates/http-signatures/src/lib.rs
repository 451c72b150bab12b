//! Digests and HTTP message signatures as banks use them.
//!
//! - [`digest`]: `Digest` (RFC 3230) and `Content-Digest` (RFC 9530) over the exact octets of a body.
//! - [`cavage`]: the `Signature` header of draft-cavage-http-signatures as Berlin Group NextGenPSD2 uses it.
//! - [`rfc9421`]: HTTP Message Signatures.
//!
//! The library works on the types of the `http` crate, does no input or output, reads no clock and logs
//! nothing. A failed verification returns a [`Refusal`] that says which rule was broken and, where it helps,
//! what was expected and what came.
//!
//! ```
//! use http_signatures::{Message, cavage, digest::{DigestAlgorithm, digest_header}, key::{Algorithm, PrivateKey}};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (key, _) = PrivateKey::generate_p256()?;
//! let mut headers = http::HeaderMap::new();
//! headers.insert("digest", digest_header(DigestAlgorithm::Sha256, b"{}").parse()?);
//! headers.insert("x-request-id", "99391c7e-ad88-49ec-a2ad-99ddcb1f7721".parse()?);
//! let message = Message { method: &http::Method::POST, target: "/v1/consents", base_uri: "", headers: &headers };
//! let names = ["digest", "x-request-id"];
//! let signature = cavage::sign(&message, &key, Algorithm::EcdsaP256Sha256Asn1, "SN=1,CA=CN=Test", &names)?;
//! let header = cavage::SignatureHeader::parse(&signature)?;
//! cavage::verify(&message, &header, &key.public_key()?, &cavage::Rules::BERLIN_GROUP, jiff::Timestamp::UNIX_EPOCH)?;
//! # Ok(())
//! # }
//! ```

pub mod cavage;
pub mod digest;
pub mod key;
mod message;
mod refusal;
pub mod rfc9421;

pub use message::Message;
pub use refusal::Refusal;
