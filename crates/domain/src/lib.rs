//! The rules: what a bank decides about third parties, and why it says no.
//!
//! This crate is pure. No `async`, no SQL, no HTTP, no clock, no randomness: time and ids arrive as arguments.
//! One file per noun; each rule that refuses has a variant of [`Refusal`].

pub mod certificates;
pub mod ids;
pub mod initial_access_tokens;
pub mod redirect_uris;
mod refusal;
pub mod tenants;
pub mod tpps;

pub use certificates::{CertificateHolder, CertificateKind, CertificateRecord, CertificateStatus};
pub use ids::{RequestId, SecretHash, TppId};
pub use initial_access_tokens::InitialAccessToken;
pub use jiff::Timestamp;
pub use redirect_uris::{RedirectUriError, RedirectUriRules, RedirectUris};
pub use refusal::Refusal;
pub use tenants::Tenant;
pub use tpps::{Registration, Tpp};
