//! A bank's OpenID provider, where customers authenticate: the gateway is its relying party.
//!
//! Authorization code with PKCE (RFC 7636), pushed where the provider takes that (RFC 9126), `acr_values` and `max_age`, `iss` of
//! the response (RFC 9207), payments as `authorization_details` (RFC 9396). ID tokens are verified with the keys that the provider
//! publishes; keys and configuration are kept for a while and looked up again when a token names a key that is not among them.
//! What the customer consents to or pays is decided at the gateway's own pages.

mod client;
mod details;
mod documents;
mod id_token;
mod provider;
mod settings;
#[cfg(feature = "provider")]
pub mod test_provider;

pub use provider::Provider;
pub use settings::{ClientProof, Limits, ProviderSettings, SetupError, is_issuer, is_scope};
