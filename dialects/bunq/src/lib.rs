//! The PSD2 API of bunq: `/bunq/v1/…`, with the authorization page `/bunq/auth`.
//!
//! This crate owns the dialect's wire types, registration, sessions, signatures and error format, and imports no other
//! dialect. Installations, devices, API keys and the numbers that everything has here are its own state; customers,
//! accounts, payments, consents and third parties are those of the gateway.

pub mod wire;

#[cfg(feature = "server")]
mod account_changes;
#[cfg(feature = "server")]
mod accounts;
#[cfg(feature = "server")]
mod attachments;
#[cfg(feature = "server")]
mod authorize;
#[cfg(feature = "server")]
mod call;
#[cfg(feature = "server")]
mod callback_decisions;
#[cfg(feature = "server")]
mod callback_failures;
#[cfg(feature = "server")]
mod callback_jobs;
#[cfg(feature = "server")]
mod callbacks;
#[cfg(feature = "server")]
mod cards;
#[cfg(feature = "server")]
mod certificates;
#[cfg(feature = "server")]
mod credentials;
#[cfg(feature = "server")]
mod devices;
#[cfg(feature = "server")]
mod draft_payments;
#[cfg(feature = "server")]
mod due_payments;
#[cfg(feature = "server")]
mod erasure;
#[cfg(feature = "server")]
mod error;
#[cfg(feature = "server")]
mod events;
#[cfg(feature = "server")]
mod explanations;
#[cfg(feature = "server")]
mod failures;
#[cfg(feature = "server")]
mod fields;
#[cfg(feature = "server")]
mod funds;
#[cfg(feature = "server")]
mod installations;
#[cfg(feature = "server")]
mod issuer_transactions;
#[cfg(feature = "server")]
mod labels;
#[cfg(feature = "server")]
mod ledger;
#[cfg(feature = "server")]
mod limits;
#[cfg(feature = "server")]
mod lives;
#[cfg(feature = "server")]
mod names;
#[cfg(feature = "server")]
mod notifications;
#[cfg(feature = "server")]
mod numbers;
#[cfg(feature = "server")]
mod oauth_clients;
#[cfg(feature = "server")]
mod pagination;
#[cfg(feature = "server")]
mod payment_batches;
#[cfg(feature = "server")]
mod payments;
#[cfg(feature = "server")]
mod permitted_ips;
#[cfg(feature = "server")]
mod pointers;
#[cfg(feature = "server")]
mod provider_drafts;
#[cfg(feature = "server")]
mod records;
#[cfg(feature = "server")]
mod reply;
#[cfg(feature = "server")]
mod requests;
#[cfg(feature = "server")]
mod router;
#[cfg(feature = "server")]
mod routes;
#[cfg(feature = "server")]
mod sandbox_users;
#[cfg(feature = "server")]
mod schedules;
#[cfg(feature = "server")]
mod services;
#[cfg(feature = "server")]
mod sessions;
#[cfg(feature = "server")]
mod signatures;
#[cfg(feature = "server")]
mod state;
#[cfg(feature = "server")]
mod statement_files;
#[cfg(feature = "server")]
mod statements;
#[cfg(feature = "server")]
mod token;
#[cfg(feature = "server")]
mod user_objects;
#[cfg(feature = "server")]
mod users;
#[cfg(feature = "server")]
mod waiting;

#[cfg(feature = "server")]
pub use error::UNAVAILABLE;
#[cfg(feature = "server")]
pub use router::DIALECT;
#[cfg(feature = "server")]
pub use services::service_of;
#[cfg(feature = "server")]
pub use signatures::SERVER_KEY;
