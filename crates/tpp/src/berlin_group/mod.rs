//! A bank that speaks NextGenPSD2 in the profile of Triodos Bank.
//!
//! [`Client`] asks for consents and payments, sends customers to the bank, and reads what they allowed; everything that has to be kept on
//! the way is on disk before it is used: links, verifier, tokens, and how often data were read without the customer.

mod authorisation;
mod calls;
mod client;
mod consent;
mod funds;
mod interface;
mod making;
mod payment;
mod payment_request;
mod reads;
mod session;
mod third_party;
mod tokens;

pub use client::Client;
pub(crate) use interface::sign;
