//! Puts the parts together: listeners, TLS, data folder, start and stop. No rules of a bank live here.
//!
//! The library exists so that tests start the very server that the binary starts.

mod activity;
mod app;
mod config;
mod data_folder;
mod dialects;
mod forgetting;
mod listener;
mod places;
mod start;
mod tasks;
mod tls;
mod unread;

pub use config::{DataLocation, DatabaseAddress, SandboxConfig};
pub use dialects::DIALECTS;
pub use start::{Addresses, Running, StartError, start};
