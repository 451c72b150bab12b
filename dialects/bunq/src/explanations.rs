//! What is to be said about a refusal beside its text: which check it is, where that is written, and what would mend it. For
//! whoever looks at a call; no answer holds it. Sections are those of bunq's documentation by their titles.

use edge::{Check, Explanation};
use http::StatusCode;

use crate::error::WRONG_CREDENTIALS;

/// Explains a refusal by the check that failed, or else by its status and text.
pub(crate) fn explain(failed: Option<Check>, status: StatusCode, text: &str) -> Explanation {
    let check = failed.unwrap_or_else(|| check_of(status, text));
    Explanation::about_certificates(check).unwrap_or_else(|| {
        let (clause, remedy) = clause_and_remedy(check);
        Explanation { check, clause, remedy }
    })
}

fn check_of(status: StatusCode, text: &str) -> Check {
    match status.as_u16() {
        400 if text.starts_with(WRONG_CREDENTIALS) => Check::ApiKey,
        401 | 403 => Check::AccessToken,
        404 if text.starts_with("Route") => Check::Request,
        404 => Check::Resource,
        405 => Check::Request,
        429 => Check::RateLimit,
        466 => Check::SignatureHeader,
        491 | 500.. => Check::Bank,
        _ => Check::Content,
    }
}

fn clause_and_remedy(check: Check) -> (&'static str, &'static str) {
    match check {
        Check::AccessToken => (
            "bunq API: API context and sessions",
            "Send the token of the kind that this call takes in X-Bunq-Client-Authentication: that of the installation for \
             device-server and session-server, that of a session for everything else. Open a new session if it is over.",
        ),
        Check::ApiKey => (
            "bunq API: device-server and session-server",
            "Use the API key or access token as it was given, from an address that the device was registered with; after an \
             approval was withdrawn ask the customer again.",
        ),
        Check::SignatureHeader => (
            "bunq API: Signing",
            "Sign the body with the private key of the installation and send it as base64 in X-Bunq-Client-Signature; for a \
             call without a body sign the empty string.",
        ),
        Check::Signature => (
            "bunq API: Signing",
            "Sign the exact octets of the body and nothing else, SHA-256 and PKCS #1 v1.5, with the private key whose public \
             key was installed; send base64 on one line.",
        ),
        Check::RateLimit => (
            "bunq API: Rate limits",
            "Wait as Retry-After says and spread calls: three GET, five POST, two PUT within three seconds.",
        ),
        Check::Client | Check::ClientCredentials => (
            "RFC 6749, 2.3.1; bunq API: OAuth",
            "Send client_id and client_secret of the OAuth client, as GET /user/{user}/oauth-client shows them.",
        ),
        Check::Code | Check::RedirectUri | Check::Pkce => (
            "RFC 6749, 4.1.3; bunq API: OAuth",
            "Redeem the code once, soon, and with the redirect_uri of the authorization request.",
        ),
        Check::Resource => (
            "bunq API: Errors",
            "Take ids from the bank's own answers to the same user; what belongs to others is not found.",
        ),
        Check::Request => (
            "bunq API: Errors",
            "Compare method and path with the interface's description, /bunq/openapi.json.",
        ),
        Check::Payment => {
            ("bunq API: Payments", "Correct what the text names and ask for the payment again.")
        }
        Check::Bank => {
            ("bunq API: Errors", "Try again; the bank's log says under the response id what is behind it.")
        }
        _ => (
            "bunq API: Errors",
            "Correct the header, parameter or field that the text names, and send it again.",
        ),
    }
}
