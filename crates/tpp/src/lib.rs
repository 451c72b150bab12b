//! The third party's side: a typed client for banks, and the state it keeps.
//!
//! - [`berlin_group::Client`] onboards and registers at a bank that speaks NextGenPSD2.
//! - [`sandbox::Management`] gets test certificates from a sandbox.
//! - [`state::StateFolder`] keeps keys, certificates and credentials, one folder a bank.
//!
//! The client signs the exact octets it sends, retries only what cannot have reached the bank or what the bank
//! says is temporary, and returns errors of one type with everything the bank said.

pub mod berlin_group;
mod call;
mod error;
mod identity;
mod request_id;
pub mod sandbox;
pub mod state;
mod transport;

pub use call::{Call, Observer};
pub use error::{BankError, Error};
pub use identity::{SigningIdentity, TlsIdentity};
pub use transport::{Transport, TransportSettings};
