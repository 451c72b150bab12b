//! What is to be said about a refusal beside its text: which check it is, where that is written, and what would mend it. For
//! whoever looks at a call; no answer holds it.

use edge::{Check, Explanation};

/// Explains a refusal by the check that failed, or else by its code.
pub(crate) fn explain(failed: Option<Check>, code: Option<&str>) -> Explanation {
    let check = failed.unwrap_or_else(|| check_of(code));
    Explanation::about_certificates(check).unwrap_or_else(|| {
        let (clause, remedy) = of_signatures(check).unwrap_or_else(|| clause_and_remedy(check));
        Explanation { check, clause, remedy }
    })
}

fn check_of(code: Option<&str>) -> Check {
    match code {
        None | Some("SERVICE_INVALID") => Check::Request,
        Some("CERTIFICATE_MISSING" | "CERTIFICATE_INVALID") => Check::Certificate,
        Some("SIGNATURE_MISSING" | "SIGNATURE_INVALID") => Check::SignatureHeader,
        Some("TOKEN_UNKNOWN" | "TOKEN_INVALID") => Check::AccessToken,
        Some("CONSENT_UNKNOWN" | "CONSENT_INVALID") => Check::Consent,
        Some("RESOURCE_UNKNOWN" | "PRODUCT_UNKNOWN") => Check::Resource,
        Some("ACCESS_EXCEEDED") => Check::RateLimit,
        Some("PAYMENT_FAILED" | "CANCELLATION_INVALID") => Check::Payment,
        Some("STATUS_INVALID") => Check::Authorisation,
        Some(_) => Check::Content,
    }
}

fn clause_and_remedy(check: Check) -> (&'static str, &'static str) {
    match check {
        Check::RequestId => ("NextGenPSD2 1.3, 4.1", "Send a fresh UUID as X-Request-ID with each request."),
        Check::FreshRequestId => (
            "NextGenPSD2 1.3, 4.1",
            "Make a new UUID for X-Request-ID with each request, and sign that one; keep an id only to repeat the very same \
             request.",
        ),
        Check::AccessToken => (
            "RFC 6750, 2.1; NextGenPSD2 1.3, 6.5",
            "Send the access token of this consent as Authorization: Bearer. It lasts ten minutes: get the next one by \
             refresh_token.",
        ),
        Check::Consent => (
            "NextGenPSD2 1.3, 6.3 and 6.4",
            "Read the consent's status; if it is not valid, ask for a new consent and let the customer approve it.",
        ),
        Check::Access => (
            "NextGenPSD2 1.3, 6.3.1; Directive (EU) 2015/2366, Article 67(2)(d)",
            "Read accounts by the ids of this consent alone, and ask for a consent that names balances or transactions if \
             you need them.",
        ),
        Check::RateLimit => (
            "Delegated Regulation (EU) 2018/389, Article 36(5)(b)",
            "Without the customer four reads a day are allowed. Send PSU-IP-Address when the customer takes part, or wait \
             until the next day.",
        ),
        Check::Authorisation => (
            "NextGenPSD2 1.3, 7",
            "Read scaStatus first: confirm an authorisation after the customer approved it, within its time, or begin \
             another one.",
        ),
        Check::Payment => (
            "NextGenPSD2 1.3, 5.3",
            "Correct what the text names and ask for the payment again with a new X-Request-ID.",
        ),
        Check::RedirectUri => (
            "NextGenPSD2 1.3, 6.3.1; RFC 6749, 3.1.2.3",
            "Send a TPP-Redirect-URI that was registered, character by character, or register again with this one.",
        ),
        Check::Resource => (
            "NextGenPSD2 1.3, 4.13",
            "Take ids and links from the bank's own answers, for the same third party and consent.",
        ),
        Check::Request => (
            "NextGenPSD2 1.3, 4.13",
            "Compare method and path with the interface's description, /xs2a-bg/openapi.json.",
        ),
        Check::Bank => {
            ("RFC 9110, 15.6", "Try again; the bank's log says under the request id what is behind it.")
        }
        _ => (
            "NextGenPSD2 1.3, 4.13",
            "Correct the header, parameter or member that the text names, and send it again.",
        ),
    }
}

/// Clause and remedy of what is about digests and signatures.
fn of_signatures(check: Check) -> Option<(&'static str, &'static str)> {
    Some(match check {
        Check::SignatureHeader => (
            "NextGenPSD2 1.3, 12.2; draft-cavage-http-signatures, 4.1",
            "Send Signature: keyId=\"…\",algorithm=\"rsa-sha256\",headers=\"digest x-request-id\",signature=\"…\", made \
             with the private key of the certificate in TPP-Signature-Certificate.",
        ),
        Check::KeyId => (
            "NextGenPSD2 1.3, 12.2",
            "Make keyId of the certificate that you send: SN= and its serial number in hexadecimal, ,CA= and its issuer. \
             `vestibule certificate inspect` shows it.",
        ),
        Check::Algorithm => (
            "NextGenPSD2 1.3, 12.2",
            "Name the algorithm that your key signs with: rsa-sha256 or rsa-sha512 with RSA (PKCS #1 v1.5), ecdsa-sha256 \
             with EC P-256.",
        ),
        Check::SignedHeaders => (
            "NextGenPSD2 1.3, 12.2",
            "Name each header once in headers=\"…\", in lower case, at least \"digest x-request-id\", and send every one \
             that you name.",
        ),
        Check::SignatureTime => (
            "draft-cavage-http-signatures, 2.1",
            "Set the clock of the sender, or do not sign a date: this interface does not ask for one.",
        ),
        Check::Signature => (
            "NextGenPSD2 1.3, 12.2; draft-cavage-http-signatures, 2.3",
            "Sign exactly the signing string that the bank expects, with the private key of the certificate that you send: \
             lower-case names, colon, one blank, value; line feeds between, none at the end; the order of headers=\"…\".",
        ),
        Check::Digest => (
            "NextGenPSD2 1.3, 12.1; RFC 3230, 4.3.2",
            "Hash the exact octets that you send, after everything that changes the body, and send SHA-256= and base64 in \
             Digest; also for an empty body.",
        ),
        _ => return None,
    })
}
