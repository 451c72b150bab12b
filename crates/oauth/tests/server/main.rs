//! The authorization server from outside.
#![expect(clippy::unwrap_used, reason = "a test may stop anywhere")]
#![expect(clippy::too_many_lines, reason = "tables of refusals")]

mod authorize;
mod bank_names;
mod broken_store;
mod client_authentication;
mod codes;
mod customer;
mod customer_access;
mod customer_cookies;
mod customer_lists;
mod customer_payments;
mod discovery;
mod every_route;
mod funds_page;
mod grants;
mod headless;
mod languages;
mod log_in;
mod pages;
mod paying_page;
mod payment_pages;
mod provider;
mod pushed_requests;
mod refresh_tokens;
mod registration;
mod registration_refusals;
mod registrations_at_once;
mod standing;
mod terse;
mod test_customers;
mod token;
mod ways_on;

use base64::Engine;
use testkit::Request;

const ID: &str = "PSDNL-DNB-R000000";

/// A token request with client credentials in the header.
fn token_request(tenant: &str, id: &str, secret: &str, form: &str) -> Request {
    Request::new("POST", &format!("/auth/{tenant}/v1/token"))
        .set("authorization", basic(id, secret))
        .form(form)
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}")))
}
