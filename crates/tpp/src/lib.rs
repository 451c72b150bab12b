//! The third party's side: a typed client for banks, and the state it keeps.
//!
//! - [`ThirdParty`] is what a third party does at a bank, written once for every interface.
//! - [`berlin_group::Client`] does it at a bank that speaks NextGenPSD2, [`bunq::Client`] at one that speaks the interface of
//!   bunq.
//! - [`announcement::Announcement`] is what a sandbox says about itself.
//! - [`sandbox::Management`] gets test certificates, customers and approvals from a sandbox.
//! - [`replay`] sends calls that were written down in a file again, and says what differed.
//! - [`state::StateFolder`] keeps keys, certificates and credentials, one folder a bank and dialect.
//!
//! The client signs the exact octets it sends, retries only what cannot have reached the bank or what the bank
//! says is temporary, and returns errors of one type with everything the bank said.

mod accounts;
pub mod announcement;
mod authorization;
pub mod berlin_group;
mod bulk_files;
pub mod bunq;
mod call;
pub mod clock;
mod error;
mod funds;
mod hint;
mod identity;
pub mod kept_approvals;
pub mod kept_consents;
mod kept_identities;
pub mod kept_payments;
pub mod loopback;
mod operations;
mod pages;
pub mod payments;
pub mod private_files;
mod random;
pub mod replay;
pub mod sandbox;
pub mod state;
mod state_folder;
mod third_party;
mod transport;

pub use accounts::{Account, Reading, TransactionsWish};
pub use authorization::PendingAuthorization;
pub use call::{Answered, Call, Observer, Seen};
pub use error::{BankError, Error};
pub use funds::{FundsAnswer, FundsWish};
pub use hint::Hint;
pub use identity::{SigningIdentity, TlsIdentity};
pub use operations::Operation;
pub use third_party::{Approved, Departure, OauthClient, Place, Prepared, Registration, ThirdParty};
pub use transport::{Transport, TransportSettings};
