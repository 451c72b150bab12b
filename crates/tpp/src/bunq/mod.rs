//! A bank that speaks the interface of bunq.
//!
//! [`Client`] trades a certificate for an API key, opens sessions by itself whenever one is needed, sends customers
//! to the bank, reads what they allowed, and prepares payments for them. Every request is signed, and every answer
//! has to be. What comes of a step is on disk before the next one begins.

mod addresses;
mod answer;
mod certificate;
mod client;
mod connection;
mod errors;
mod in_words;
mod making;
mod orders;
mod registration;
mod state;
mod third_party;

pub use client::Client;
pub use state::{
    BunqState, InstallationAnswer, KeptConnection, KeptInstallation, KeptOauthClient, KeptSession,
    PendingConnection,
};
