//! The third party's side: a typed client for banks, and the state it keeps.
//!
//! - [`berlin_group::Client`] onboards and registers at a bank that speaks NextGenPSD2.
//! - [`bunq::Client`] does everything at a bank that speaks the interface of bunq: it registers, connects
//!   customers, reads accounts, prepares payments.
//! - [`consents::ConsentSession`] asks for a consent, sends the customer to the bank, and reads what they allowed.
//! - [`announcement::Announcement`] is what a sandbox says about itself.
//! - [`sandbox::Management`] gets test certificates, customers and approvals from a sandbox.
//! - [`state::StateFolder`] keeps keys, certificates and credentials, one folder a bank and dialect.
//!
//! The client signs the exact octets it sends, retries only what cannot have reached the bank or what the bank
//! says is temporary, and returns errors of one type with everything the bank said.

pub mod announcement;
mod authorization;
pub mod berlin_group;
pub mod bunq;
mod call;
pub mod clock;
pub mod consents;
mod error;
mod identity;
pub mod kept_consents;
pub mod loopback;
mod random;
pub mod sandbox;
pub mod state;
mod transport;

pub use authorization::PendingAuthorization;
pub use call::{Answered, Call, Observer, Seen};
pub use error::{BankError, Error};
pub use identity::{SigningIdentity, TlsIdentity};
pub use transport::{START_HINT, Transport, TransportSettings};
