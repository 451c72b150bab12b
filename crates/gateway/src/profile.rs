//! What differs from bank to bank, as data: a bank of the same dialect is another set of these numbers and choices.

use domain::{ConsentRules, Interface, ScaRules};
use jiff::SignedDuration;

/// How a bank runs one of its interfaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// How long what it gives out may be used.
    pub lifetimes: Lifetimes,
    /// What its tokens are like.
    pub tokens: TokenRules,
    /// How it authenticates customers.
    pub sca: ScaRules,
    /// What it grants access to accounts for.
    pub consents: ConsentRules,
}

/// How long what a bank gives out may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// An initial access token, which registers once.
    pub initial_access_token: SignedDuration,
    /// A pushed authorization request, which waits for its browser.
    pub pushed_request: SignedDuration,
    /// An authorization code.
    pub authorization_code: SignedDuration,
    /// An access token that comes with refresh tokens.
    pub access_token: SignedDuration,
    /// The answer to a refresh: a client that lost it may ask for it again.
    pub refresh_answer: SignedDuration,
    /// A request id: the same request again, and another one with the same id, are recognised.
    pub request_id: SignedDuration,
}

/// What the tokens of an interface are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenRules {
    /// How codes and access tokens look.
    pub form: TokenForm,
    /// Whether an access token lasts as long as what it is about: OAuth without refresh tokens.
    pub lasting: bool,
}

/// How codes and access tokens look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenForm {
    /// 43 characters of base64url.
    Base64Url,
    /// 64 hexadecimal digits.
    Hexadecimal,
}

/// The profiles of a bank, one for each interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profiles {
    /// Of [`Interface::BerlinGroup`].
    pub berlin_group: Profile,
    /// Of [`Interface::Bunq`].
    pub bunq: Profile,
}

impl Profiles {
    /// The profile of an interface.
    pub fn at(&self, interface: Interface) -> &Profile {
        match interface {
            Interface::BerlinGroup => &self.berlin_group,
            Interface::Bunq => &self.bunq,
        }
    }
}
