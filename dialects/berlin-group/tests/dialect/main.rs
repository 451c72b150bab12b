//! The dialect from outside: the real server, real certificates, real signatures.
#![expect(clippy::unwrap_used, reason = "a test may stop anywhere")]
#![expect(clippy::too_many_lines, reason = "tables of refusals")]

mod accounts;
mod ais_refusals;
mod another_bank;
mod any_payments;
mod any_sequence;
mod authorisations;
mod broken_store;
mod bulk_payments;
mod cancellations;
mod certificates;
mod client_sequences;
mod every_product;
mod every_route;
mod executions;
mod flow;
mod forgetting;
mod funds;
mod funds_refusals;
mod guesses;
mod message_codes;
mod onboarding;
mod payment_body_refusals;
mod payment_races;
mod payment_refusals;
mod payments;
mod reading;
mod refusals;
mod request_ids;
mod strict;
mod terse;

const ID: &str = "PSDNL-DNB-R000000";
