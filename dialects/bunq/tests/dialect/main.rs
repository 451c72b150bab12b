//! The dialect from outside: over HTTP, on the real server, with real keys and certificates.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop anywhere")]

mod another_bank;
mod any_sequence;
mod both_doors;
mod boundaries;
mod broken_store;
mod callbacks;
mod crowd;
mod due_in_order;
mod every_route;
mod flow;
mod forgetting;
mod languages;
mod long_lists;
mod moments;
mod money;
mod oauth;
mod ordinary_clients;
mod payments;
mod provider_payments;
mod refusals;
mod registration;
mod reticent_bank;
mod sandbox;
mod schedules;
mod schema;
mod schema_test;
mod standing;
