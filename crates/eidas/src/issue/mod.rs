//! Test certificates: an authority for tests and the certificates it issues to third parties.
//!
//! Nothing here can make a certificate that a real bank trusts: every authority's name says TEST.

mod authority;
mod error;
mod fields;
mod keys;
mod profiles;
mod request;
mod responder;

pub use authority::{Authority, AuthorityName};
pub use error::IssueError;
pub use fields::serial_number;
#[cfg(feature = "drawn-keys")]
pub use keys::draw_rsa_keys_from;
pub use keys::{KeyType, generate_key};
pub use request::{CertificateRequest, Profile, PublicationPoints};
pub use responder::{Asked, NoStatus, Responder};
