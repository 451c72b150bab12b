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
mod orders;
mod registration;
mod state;

pub use addresses::Addresses;
pub use client::Client;
pub use connection::{Account, Connection, Period};
pub use orders::{Order, Prepared, compact};
pub use state::{
    BunqState, InstallationAnswer, KeptConnection, KeptInstallation, KeptOauthClient, KeptSession,
    PendingConnection,
};
