//! NextGenPSD2 of the Berlin Group as Triodos Bank runs it: `/xs2a-bg/{tenant}/…`.
//!
//! This crate owns the dialect's wire types, authentication and error format, and imports no other dialect.
//! Handlers parse, call a use case and render; no rules of the bank live here.

pub mod wire;

#[cfg(feature = "server")]
mod accounts;
#[cfg(feature = "server")]
mod auth;
#[cfg(feature = "server")]
mod authorisations;
#[cfg(feature = "server")]
mod consents;
#[cfg(feature = "server")]
mod error;
#[cfg(feature = "server")]
mod explanations;
#[cfg(feature = "server")]
mod failures;
#[cfg(feature = "server")]
mod funds;
#[cfg(feature = "server")]
mod links;
#[cfg(feature = "server")]
mod not_offered;
#[cfg(feature = "server")]
mod onboarding;
#[cfg(feature = "server")]
mod payment_bodies;
#[cfg(feature = "server")]
mod payments;
#[cfg(feature = "server")]
mod router;
#[cfg(feature = "server")]
mod services;
#[cfg(feature = "server")]
mod signed;
#[cfg(feature = "server")]
mod wording;

#[cfg(feature = "server")]
pub use router::DIALECT;
#[cfg(feature = "server")]
pub use services::service_of;
