//! Which rule said no.

use eidas::Role;
use jiff::SignedDuration;

use crate::access::AccessRefusal;
use crate::authorisations::AuthorisationRefusal;
use crate::consents::ConsentRefusal;
use crate::funds_consents::FundsRefusal;
use crate::grants::GrantRefusal;
use crate::payment_refusals::PaymentRefusal;
use crate::redirect_uris::RedirectUriError;
use crate::standing::StandingRefusal;
use crate::{Timestamp, TppId, duration_in_words};

/// A rule that a request breaks. `Display` is for the caller and says what would be right; each dialect chooses
/// status and code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The certificate cannot be read, identifies nobody, or was issued by nobody trusted here.
    #[error("{what} is not acceptable: {why}")]
    CertificateInvalid {
        /// Which certificate.
        what: &'static str,
        /// What is wrong and what would be right.
        why: String,
    },
    /// Two certificates of one request belong to different organisations.
    #[error(
        "{what} belongs to {other}, {signing} belongs to {signer}; both must carry the same organizationIdentifier"
    )]
    OrganizationMismatch {
        /// Which certificate.
        what: &'static str,
        /// The organisation in it.
        other: TppId,
        /// Which one is the signing certificate.
        signing: &'static str,
        /// The organisation that signs.
        signer: TppId,
    },
    /// The certificate grants none of the roles that the service needs.
    #[error("the certificate grants {}; this service needs {}", list(granted), list(needed))]
    RoleMissing {
        /// Roles in the certificate.
        granted: Vec<Role>,
        /// Roles of which one is needed.
        needed: Vec<Role>,
    },
    /// The certificate is not valid yet or not any more.
    #[error("{what} is valid from {from} to {to}; now it is {now}")]
    CertificateExpired {
        /// Which certificate.
        what: &'static str,
        /// First second of validity.
        from: Timestamp,
        /// Last second of validity.
        to: Timestamp,
        /// Now, by the tenant's clock.
        now: Timestamp,
    },
    /// The certificate was replaced or revoked.
    #[error("{what} was revoked or replaced by a newer one at {at}; use the newest certificate")]
    CertificateRevoked {
        /// Which certificate.
        what: &'static str,
        /// Since when.
        at: Timestamp,
    },
    /// The issuer of the certificate does not know it.
    #[error(
        "{what} is not known to the responder of its issuer; if it is new, try again in some minutes, else ask its issuer"
    )]
    CertificateUnknown {
        /// Which certificate.
        what: &'static str,
    },
    /// Nobody tells whether the certificate was revoked.
    #[error(
        "{what} could not be checked for revocation: neither its issuer's OCSP responder nor its revocation list answers; \
         try again in {retry_after} seconds"
    )]
    CertificateUnchecked {
        /// Which certificate.
        what: &'static str,
        /// In how many seconds its issuer is asked again.
        retry_after: i64,
    },
    /// No register tells whether the third party may act, at a bank that lets nobody in without that.
    #[error(
        "the register of payment institutions does not answer, and this bank serves only those that are listed there; try again \
         in {retry_after} seconds"
    )]
    RegisterUnanswered {
        /// In how many seconds it is asked again.
        retry_after: i64,
    },
    /// The third party calls more often than the bank takes it.
    #[error(
        "too many requests: one third party may make {calls} in {seconds} seconds; try again in {retry_after} seconds"
    )]
    TooManyCalls {
        /// How many it may make.
        calls: u32,
        /// In how many seconds.
        seconds: u64,
        /// In how many seconds one more is taken.
        retry_after: i64,
    },
    /// The third party makes more calls at once than the bank takes.
    #[error(
        "too many requests: one third party may make {most} at once; wait for an answer before the next one"
    )]
    TooManyAtOnce {
        /// How many it may make.
        most: usize,
    },
    /// The bank blocks the certificate.
    #[error("{what} was blocked by the bank at {at}")]
    CertificateBlocked {
        /// Which certificate.
        what: &'static str,
        /// Since when.
        at: Timestamp,
    },
    /// No such initial access token.
    #[error("the initial access token is unknown; fetch one from the onboarding endpoint")]
    InitialAccessTokenUnknown,
    /// The initial access token is too old.
    #[error("the initial access token expired at {at}; fetch a new one from the onboarding endpoint")]
    InitialAccessTokenExpired {
        /// Since when.
        at: Timestamp,
    },
    /// The initial access token has registered a client.
    #[error(
        "the initial access token registered a client before; fetch a new one from the onboarding endpoint"
    )]
    InitialAccessTokenUsed,
    /// The initial access token was given to another organisation.
    #[error("the initial access token was given to another organisation than the one in the certificate")]
    InitialAccessTokenForeign,
    /// A redirect URI cannot be registered.
    #[error("{0}")]
    RedirectUri(#[from] RedirectUriError),
    /// The sector identifier is no https URL.
    #[error("sector_identifier_uri must be an https URL without fragment, or be left out")]
    SectorIdentifierUri,
    /// The registration asks to prove itself with a key that did not come along.
    #[error("a client that proves itself with a key needs a signing certificate with an RSA or EC P-256 key")]
    SigningKeyMissing,
    /// No client with this id, or another secret.
    #[error("client id or client secret is wrong")]
    ClientCredentials,
    /// The organisation has not registered.
    #[error("{0} is not registered at this bank; register first")]
    NotRegistered(TppId),
    /// The third party may not act now.
    #[error(transparent)]
    Standing(#[from] StandingRefusal),
    /// The same request id came with another request.
    #[error(
        "the request id was used within the last {} for another request to this path; use a new UUID for each request",
        duration_in_words(*remembered)
    )]
    RequestIdReused {
        /// For how long.
        remembered: SignedDuration,
    },
    /// The request id came with another method or path.
    #[error(
        "the request id was used within the last {} for another method or path; use a new UUID for each request",
        duration_in_words(*remembered)
    )]
    RequestIdOfAnother {
        /// For how long.
        remembered: SignedDuration,
    },
    /// About a consent.
    #[error(transparent)]
    Consent(#[from] ConsentRefusal),
    /// About an authorisation.
    #[error(transparent)]
    Authorisation(#[from] AuthorisationRefusal),
    /// About a code or token.
    #[error(transparent)]
    Grant(#[from] GrantRefusal),
    /// About access to an account.
    #[error(transparent)]
    Access(#[from] AccessRefusal),
    /// About confirmation of funds.
    #[error(transparent)]
    Funds(#[from] FundsRefusal),
    /// About a payment.
    #[error(transparent)]
    Payment(#[from] PaymentRefusal),
}

pub(crate) fn list(roles: &[Role]) -> String {
    if roles.is_empty() {
        return "no role".to_owned();
    }
    roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(" or ")
}
