//! The port of a bank's own provider, where customers authenticate instead of at the gateway's page: their browser goes there
//! and comes back. What is consented to or paid stays on the gateway's pages.

use domain::{Language, Payment, Timestamp};

use crate::bank::Answer;

/// Authenticates customers at a place of the bank's own (OpenID Connect Core 1.0).
pub trait IdentityProvider: std::fmt::Debug + Send + Sync {
    /// Where the browser goes.
    fn send<'a>(&'a self, trip: &'a Trip) -> Answer<'a, String>;

    /// The origin of that place, or nothing while the provider is away: browsers let a form end there only if the page's policy
    /// names it.
    fn origin(&self) -> Answer<'_, String>;

    /// Who came back, once everything about it was checked; else why nobody is believed to be authenticated.
    ///
    /// [`crate::Error::Unavailable`] if the provider is away, or refuses the gateway itself.
    fn receive<'a>(
        &'a self,
        trip: &'a Trip,
        response: &'a ProviderResponse,
    ) -> Answer<'a, Result<Authenticated, ProviderRefusal>>;
}

/// A browser's way to the provider and back.
#[derive(Debug, Clone)]
pub struct Trip {
    /// Where it comes back.
    pub redirect_uri: String,
    /// `state`: the gateway alone makes it, for this browser and this moment of its session.
    pub state: String,
    /// `nonce` of the ID token.
    pub nonce: String,
    /// The code verifier (RFC 7636).
    pub verifier: String,
    /// Language of the pages.
    pub language: Language,
    /// What the customer approves with it (RFC 9396); nothing to log in alone.
    pub payments: Vec<Payment>,
    /// Whether the customer authenticates anew, also if the provider knows the browser: not before the browser was sent.
    pub is_anew: bool,
    /// When the browser was sent.
    pub sent_at: Timestamp,
    /// Now.
    pub now: Timestamp,
}

/// What a browser brings back.
#[derive(Clone)]
pub struct ProviderResponse {
    /// The authorization code, or the error code in its place.
    pub outcome: Result<String, String>,
    /// `iss` of the response (RFC 9207).
    pub issuer: Option<String>,
}

impl std::fmt::Debug for ProviderResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderResponse")
            .field("error", &self.outcome.as_ref().err())
            .finish_non_exhaustive()
    }
}

/// A customer whom the provider authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticated {
    /// By what the bank knows the customer.
    pub subject: String,
    /// When they authenticated.
    pub at: Timestamp,
}

/// Why nobody is believed to be authenticated. The words are for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderRefusal {
    /// The customer did not authenticate, or the provider did not let them.
    #[error("the provider answers {0}")]
    Denied(String),
    /// The code is not taken: used before, too old, or another one's.
    #[error("the provider does not take the code: {0}")]
    Code(String),
    /// What the provider says is not to be trusted.
    #[error("the provider's answer is not taken: {0}")]
    Untrusted(String),
    /// The authentication is weaker or older than the bank demands, or not for what is to be paid.
    #[error("the authentication is not enough: {0}")]
    NotEnough(String),
    /// The bank does not know whom the provider names.
    #[error("the bank has no customer whom the provider names")]
    Unknown,
    /// Somebody else authenticated than the customer who is logged in.
    #[error("another customer than the one who is logged in authenticated")]
    Another,
}
