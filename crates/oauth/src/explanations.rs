//! What is to be said about a refusal beside its text: which check it is, where that is written, and what would mend it. For
//! whoever looks at a call; no answer holds it.

use edge::{Check, Explanation};

/// Explains a refusal by the check that failed, or else by its code.
pub(crate) fn explain(failed: Option<Check>, error: &str) -> Explanation {
    let check = failed.unwrap_or_else(|| check_of(error));
    Explanation::about_certificates(check).unwrap_or_else(|| {
        let (clause, remedy) = clause_and_remedy(check);
        Explanation { check, clause, remedy }
    })
}

fn check_of(error: &str) -> Check {
    match error {
        "invalid_client" | "unauthorized_client" => Check::ClientCredentials,
        "invalid_token" | "Invalid HTTP Authorization header value" => Check::AccessToken,
        "invalid_scope" => Check::Scope,
        "invalid_grant" => Check::Code,
        "invalid_redirect_uri" => Check::RedirectUri,
        "temporarily_unavailable" | "server_error" => Check::Bank,
        _ => Check::Content,
    }
}

fn clause_and_remedy(check: Check) -> (&'static str, &'static str) {
    match check {
        Check::Client => (
            "RFC 6749, 2.2",
            "Send the client_id that the registration gave, which is the organisation identifier of the certificate; \
             register first.",
        ),
        Check::ClientCredentials => (
            "RFC 6749, 2.3.1 and 5.2",
            "Send client id and the client secret of the newest registration as Authorization: Basic; a new registration \
             replaces the secret.",
        ),
        Check::InitialAccessToken => (
            "RFC 7591, 3; section 2.2 of the bank's onboarding",
            "Fetch a new initial access token from the onboarding endpoint with the same certificate, and register with it \
             once.",
        ),
        Check::RedirectUri => (
            "RFC 6749, 3.1.2.3 and 4.1.3; RFC 9700, 4.1.3",
            "Send the same redirect_uri that was registered, character by character, and in the token request the one of \
             the authorization request.",
        ),
        Check::Scope => (
            "RFC 6749, 3.3",
            "Ask for one consent or payment: openid, perhaps offline_access, and AIS:, PIS: or PIIS: with its id.",
        ),
        Check::Pkce => (
            "RFC 7636, 4.3 and 4.6",
            "Keep the code_verifier of this very authorization request and send it with the code; code_challenge is its \
             SHA-256 in base64url, code_challenge_method S256.",
        ),
        Check::Code => (
            "RFC 6749, 4.1.2 and 5.2",
            "Redeem a code once, within its time, as the client that it was given to; else send the customer to the bank \
             again.",
        ),
        Check::RefreshToken => (
            "RFC 6749, 6; RFC 9700, 4.14.2",
            "Send the refresh token of the last answer: each one replaces the one before. If none is left, let the customer \
             approve again.",
        ),
        Check::AccessToken => {
            ("RFC 6750, 2.1 and 3.1", "Send a token that is still good as Authorization: Bearer.")
        }
        Check::Consent => (
            "RFC 6749, 5.2",
            "What the code was for has ended: ask for a new consent or payment and let the customer approve it.",
        ),
        Check::SignatureHeader
        | Check::KeyId
        | Check::Algorithm
        | Check::SignedHeaders
        | Check::SignatureTime
        | Check::Signature
        | Check::Digest => (
            "NextGenPSD2 1.3, 12; draft-cavage-http-signatures, 2.3",
            "Leave Signature out here, or sign as at the interface: what is sent has to be right.",
        ),
        Check::Request => ("RFC 8414, 2", "Take the addresses from the bank's /.well-known documents."),
        Check::Bank => {
            ("RFC 9110, 15.6", "Try again; the bank's log says under the request id what is behind it.")
        }
        _ => ("RFC 6749, 5.2", "Correct the parameter that the text names, and send it again."),
    }
}
