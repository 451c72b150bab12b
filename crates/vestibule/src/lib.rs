//! Puts the parts together: listeners, TLS, data folder, start and stop. No rules of a bank live here.
//!
//! The library exists so that tests start the very server that the binary starts.

mod activity;
mod addresses;
mod app;
mod assemble;
mod config;
pub mod configuration;
mod data_folder;
mod dialects;
mod exchange;
mod forgetting;
mod front;
mod gate;
mod house;
mod listener;
mod on_disk;
mod places;
mod portal;
pub mod profiles;
mod sandbox;
mod serve;
mod start_error;
mod tasks;
mod tls;
mod traces;
mod unread;

pub use self::sandbox::{Running, start};
pub use self::serve::{
    Behind, RotatedKey, SealedKeys, Served, admin_description, rotate_keys, seal_keys, serve,
};
pub use self::tasks::Upkeep;
pub use self::traces::Traces;
pub use addresses::Addresses;
pub use config::{DataLocation, DatabaseAddress, SandboxConfig};
pub use dialects::DIALECTS;
pub use start_error::StartError;
