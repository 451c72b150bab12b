//! The authorization server of a bank: `/auth/{tenant}/…`.
//!
//! OAuth is one more dialect: it owns its wire types and its errors, and calls the same use cases as the others.
//! An endpoint reads as a list of named checks in the order of its RFC.

pub mod wire;

#[cfg(feature = "server")]
mod authorization_header;
#[cfg(feature = "server")]
mod authorize;
#[cfg(feature = "server")]
mod client_assertion;
#[cfg(feature = "server")]
mod client_authentication;
#[cfg(feature = "server")]
mod customer;
#[cfg(feature = "server")]
mod discovery;
#[cfg(feature = "server")]
mod error;
#[cfg(feature = "server")]
mod explanations;
#[cfg(feature = "server")]
mod failures;
#[cfg(feature = "server")]
mod form;
#[cfg(feature = "server")]
mod headless;
#[cfg(feature = "server")]
mod id_token;
#[cfg(feature = "server")]
mod introspect;
#[cfg(feature = "server")]
mod keys;
#[cfg(feature = "server")]
mod log_in_page;
#[cfg(feature = "server")]
mod pages;
#[cfg(feature = "server")]
mod par;
#[cfg(feature = "server")]
mod payment_page;
#[cfg(feature = "server")]
mod provider_page;
#[cfg(feature = "server")]
mod registration;
#[cfg(feature = "server")]
mod revoke;
#[cfg(feature = "server")]
mod router;
#[cfg(feature = "server")]
#[cfg(feature = "server")]
mod token;
#[cfg(feature = "server")]
mod userinfo;
#[cfg(feature = "server")]
mod way_back;

#[cfg(feature = "server")]
pub use discovery::well_known;
#[cfg(feature = "server")]
pub use failures::failing;
#[cfg(feature = "server")]
pub use headless::{DeviceNumbers, approvals};
#[cfg(feature = "server")]
pub use keys::{IdTokenAlgorithm, KeyError, SigningKeys};
#[cfg(feature = "server")]
pub use router::{PREFIX, description, router};
