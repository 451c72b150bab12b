//! What differs from bank to bank, as data: a bank of the same dialect is another set of these numbers and choices.

use domain::{ConsentRules, Interface, RedirectRules, ScaRules};
use eidas::KeyIdRules;
use http_signatures::cavage;
use http_signatures::digest::Prefix;
use jiff::SignedDuration;

/// How a bank runs one of its interfaces.
#[derive(Debug, Clone)]
pub struct Profile {
    /// How long what it gives out may be used.
    pub lifetimes: Lifetimes,
    /// What its tokens are like.
    pub tokens: TokenRules,
    /// How it authenticates customers.
    pub sca: ScaRules,
    /// What it grants access to accounts for.
    pub consents: ConsentRules,
    /// Whether it makes payments to other countries and in other currencies.
    pub cross_border_payments: bool,
    /// How many days ahead a payment can be asked for.
    pub payment_days_ahead: i32,
    /// Where it lets third parties have browsers sent back to.
    pub redirects: RedirectRules,
    /// What it demands of signatures over messages.
    pub signatures: SignatureRules,
    /// What it demands of certificates.
    pub certificates: CertificateRules,
    /// How clients of its authorization server prove themselves.
    pub clients: ClientRules,
    /// How often it may be called: of these the first that is for a call. None for calls without limit.
    pub rates: &'static [RateLimit],
    /// How often one third party may call. None for calls without limit.
    pub calls: Option<CallLimits>,
    /// What it does with API keys, if it has them.
    pub keys: KeyRules,
}

/// What an interface does with API keys and their sessions, and with payments that are asked for in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRules {
    /// How long a fresh key waits for its first device.
    pub first_use: SignedDuration,
    /// How long the first session of a third party's key lasts.
    pub first_session: SignedDuration,
    /// How long later sessions of a third party last, and those of one approval.
    pub session: SignedDuration,
    /// How long a session of a customer in person lasts, unless they choose otherwise.
    pub customer_session: SignedDuration,
    /// The shortest and the longest that they may choose.
    pub customer_sessions: [SignedDuration; 2],
    /// How long a payment waits for its customer.
    pub payment: SignedDuration,
    /// How long one waits whose customer is sent a link, unless the third party chooses otherwise.
    pub linked_payment: SignedDuration,
    /// The longest that it may choose.
    pub longest_linked_payment: SignedDuration,
    /// What can be made in a day by those who have no key yet.
    pub newcomers: Newcomers,
}

impl KeyRules {
    /// Of an interface without API keys.
    pub const NONE: Self = Self {
        first_use: SignedDuration::ZERO,
        first_session: SignedDuration::ZERO,
        session: SignedDuration::ZERO,
        customer_session: SignedDuration::ZERO,
        customer_sessions: [SignedDuration::ZERO; 2],
        payment: SignedDuration::ZERO,
        linked_payment: SignedDuration::ZERO,
        longest_linked_payment: SignedDuration::ZERO,
        newcomers: Newcomers { installations: 0, customers: 0, third_parties: 0 },
    };
}

/// What can be made in a day by those who have no key yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Newcomers {
    /// Installations of clients.
    pub installations: u32,
    /// Customers without log-in, at a bank for tests. Their books are kept.
    pub customers: u32,
    /// Third parties that come for the first time, with certificates that they may have signed themselves.
    pub third_parties: u32,
}

/// What a bank demands of signatures over messages.
#[derive(Debug, Clone, Copy)]
pub struct SignatureRules {
    /// Rules for the signature header.
    pub signature: cavage::Rules,
    /// Rules for the key id.
    pub key_id: KeyIdRules,
    /// How the digest is written.
    pub digest: Prefix,
    /// Whether the digest of an empty body is looked at.
    pub digest_of_nothing: bool,
}

impl SignatureRules {
    /// The rules for a call that has to sign these headers.
    pub fn requiring(&self, required: &'static [&'static str]) -> Self {
        Self { signature: cavage::Rules { required, ..self.signature }, ..*self }
    }
}

/// What a bank demands of certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificateRules {
    /// In which order certificates are checked.
    pub order: &'static [CertificateCheck],
    /// Whether a certificate for seals has to sign, and one for websites to be in TLS.
    pub check_purpose: bool,
}

impl CertificateRules {
    /// Every check once: those that the order leaves out come last, so that none is forgotten.
    pub fn in_order(&self) -> impl Iterator<Item = CertificateCheck> + use<> {
        let order = self.order;
        let left_out = CertificateCheck::ALL.into_iter().filter(|check| !order.contains(check));
        order.iter().copied().chain(left_out)
    }
}

/// A check about who calls, by the certificates of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateCheck {
    /// All of them belong to one organisation.
    Organization,
    /// It has registered.
    Registration,
    /// Each has a role that the call needs.
    Role,
    /// Each is in its time.
    Validity,
    /// None was revoked or blocked.
    Status,
    /// The bank does not block the organisation.
    Standing,
}

impl CertificateCheck {
    /// Every check.
    pub const ALL: [Self; 6] =
        [Self::Organization, Self::Registration, Self::Role, Self::Validity, Self::Status, Self::Standing];
}

/// How clients of an authorization server prove themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientRules {
    /// What their assertions may be signed with.
    pub assertion_algorithms: &'static [AssertionAlgorithm],
    /// Longest time until an assertion expires: so long it is remembered.
    pub assertion_lifetime: SignedDuration,
    /// How far in the future an assertion may have been made.
    pub assertion_skew: SignedDuration,
    /// Whether the audience of an assertion is the issuer alone, as a text (FAPI 2.0 Security Profile, 5.3.2.1).
    pub one_audience: bool,
    /// Whether codes and refresh tokens that are not the client's are refused with codes of the bank's own, instead of
    /// the standard's (RFC 6749, 5.2).
    pub own_error_codes: bool,
}

/// What an assertion may be signed with (RFC 7518, 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssertionAlgorithm {
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

/// How often one address may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// With this method alone, or with any.
    pub method: Option<&'static str>,
    /// At this endpoint alone, or at any, each for itself.
    pub endpoint: Option<&'static str>,
    /// So many calls.
    pub calls: u32,
    /// In so many seconds.
    pub seconds: i64,
}

impl RateLimit {
    /// Whether it is for calls with a method at an endpoint.
    pub fn is_for(&self, method: &str, endpoint: &str) -> bool {
        self.method.is_none_or(|own| own == method) && self.endpoint.is_none_or(|own| own == endpoint)
    }
}

/// How often one third party may call, once it is certain who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// So many calls, which come back evenly.
    pub calls: u32,
    /// In this time.
    pub within: std::time::Duration,
    /// How many may be answered at once.
    pub at_once: usize,
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
    /// A refresh token of what has no last day, while nobody uses it.
    pub idle_refresh_token: SignedDuration,
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
#[derive(Debug, Clone)]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_order_leaves_a_check_out() {
        use CertificateCheck::{Organization, Registration, Role, Standing, Status, Validity};
        for (order, all) in [
            (&[][..], [Organization, Registration, Role, Validity, Status, Standing]),
            (&[Status, Role], [Status, Role, Organization, Registration, Validity, Standing]),
        ] {
            let rules = CertificateRules { order, check_purpose: false };
            assert!(rules.in_order().eq(all), "{order:?}");
        }
    }
}
