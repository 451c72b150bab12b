//! For tests alone: the real server on free ports, third parties with certificates of every kind, and requests
//! that can be spoiled in one place before they are sent.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test may stop anywhere")]

mod answer_headers;
pub mod broken;
pub mod bunq;
mod clock;
pub mod database;
mod flow;
mod funds;
mod keys;
mod links;
mod needs;
mod pain001;
mod payments;
mod ports;
mod program;
mod request;
mod served;
mod server;
mod signer;
mod test_ca;

pub use clock::{day, in_days, moments, now};
pub use flow::{CALLBACK, TestTpp, VERIFIER, ValidConsent, bank_offered, challenge, detailed, parameter};
pub use funds::{FUNDS_CONSENTS, in_euro};
pub use links::SignedBy;
pub use needs::{environment, last_release, missing, specification, system_program};
pub use pain001::{Pain001Transfer, pain001};
pub use payments::{ApprovedPayment, euro_payment, monthly_payment};
pub use ports::free_port;
pub use program::{Program, command, free_folder, openssl, run};
pub use request::{Answer, Request};
pub use served::{is_served, told, told_by_oauth};
pub use server::TestServer;
pub use signer::Signer;
pub use test_ca::{FakeKey, TestCa};
