//! A bank behind the gateway that is reached over the core bank interface: HTTP and JSON over mutual TLS, as
//! `banks/core/openapi.json` describes it.
//!
//! [`CoreBank`] is the gateway's end: it implements the ports of a bank. With the feature `server` there is the other end too,
//! which serves any bank by this interface.

mod bank;
mod client;
mod events;
mod failure;
mod outbox;
mod parts;
mod patience;
mod payments;
#[cfg(feature = "server")]
pub mod server;
mod trouble;
mod watch;
mod wire;

pub use bank::{CoreBank, CoreBankSettings};
pub use client::{Limits, SetupError};
pub use trouble::{Trouble, trouble_behind, words_behind};
pub use watch::{Called, Outcome, Watch, Way};

/// The description of the interface (OpenAPI 3.1).
pub const DESCRIPTION: &str = include_str!("../openapi.json");
