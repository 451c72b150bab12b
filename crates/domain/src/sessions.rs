//! Sessions: a customer's browser at the bank's pages, from the authorization request to the way back.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{AuthorisationId, CustomerId, Interface, SecretHash, Subject, Tenant, TppId};

/// How a bank authenticates customers at its pages (Delegated Regulation (EU) 2018/389, Article 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScaRules {
    /// How long an authorisation may take from its beginning to its confirmation.
    pub lifetime: SignedDuration,
    /// Longest time without activity (Article 4(3)(d): 5 minutes).
    pub idle_time: SignedDuration,
    /// Digits of a challenge.
    pub challenge_digits: usize,
    /// Wrong answers that end an authorisation.
    pub max_wrong_answers: i64,
    /// Consecutive failures at the authorisations of one third party that block a customer's log-in for that third
    /// party (Article 4(3)(b): 5).
    pub max_failures: i64,
    /// Failures within `block_time`, whichever third parties they were for, that block a customer's log-in altogether.
    /// It has to take two third parties to come there, so that none can lock out the customers of others.
    pub max_failures_of_all: i64,
    /// How long a log-in stays blocked.
    pub block_time: SignedDuration,
    /// Browsers of one third party with a challenge that one customer has yet to answer.
    pub max_open_challenges: usize,
    /// Authorisations of one consent or payment that a third party can begin for one purpose: whoever reads it reads them all, and
    /// those that wait end in one batch with it.
    pub max_authorisations: usize,
}

/// An authorization request that has passed every check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client: TppId,
    /// At which interface: by its rules the request is answered, and there alone its tokens are worth something.
    pub interface: Interface,
    /// What is to be authorised.
    #[serde(flatten)]
    pub subject: Subject,
    /// Where the browser goes back to.
    pub redirect_uri: String,
    /// `state`, returned as it came.
    pub state: Option<String>,
    /// `nonce` for the ID token.
    pub nonce: Option<String>,
    /// SHA-256 of the code verifier, base64url without padding; none where the interface has no PKCE.
    pub code_challenge: Option<String>,
    /// Whether a refresh token is asked for.
    pub offline_access: bool,
    /// The pushed request that it came from; it is used up when the customer logs in.
    #[serde(default)]
    pub pushed: Option<SecretHash>,
}

/// A browser session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Hash of the secret in the cookie.
    pub hash: SecretHash,
    /// Where.
    pub tenant: Tenant,
    /// What is being authorised.
    pub authorisation: AuthorisationId,
    /// What the third party sent.
    pub request: AuthorizationRequest,
    /// What the customer's device has to answer at the log-in; after it, the nonce of challenges about payments
    /// ([`crate::dynamic_linking`]). Where customers authenticate at a provider of the bank, what its answers are bound to, and
    /// behind a space the payments that one of them confirmed.
    pub challenge: String,
    /// In whose name a challenge was answered wrongly, as [`LogInFailures`] name them: the next challenge is theirs.
    pub named: Option<SecretHash>,
    /// Language of the pages.
    pub language: Language,
    /// Who logged in, if somebody did.
    pub logged_in: Option<LoggedIn>,
    /// When the customer last did something.
    pub seen_at: Timestamp,
    /// Whether the browser was sent back.
    pub ended: bool,
    /// Version of the row; 0 before it is stored.
    pub version: i64,
}

/// A customer who proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedIn {
    /// Who.
    pub customer: CustomerId,
    /// When.
    pub at: Timestamp,
}

impl Session {
    /// Whether the customer did nothing for too long.
    pub fn is_idle_at(&self, now: Timestamp, idle_time: SignedDuration) -> bool {
        now.duration_since(self.seen_at) >= idle_time
    }
}

/// A language of the bank's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    English,
    /// Dutch.
    Dutch,
    /// French.
    French,
    /// German.
    German,
}

impl Language {
    /// Every language with its code (ISO 639-1).
    pub const CODES: [(Self, &'static str); 4] =
        [(Self::English, "en"), (Self::Dutch, "nl"), (Self::French, "fr"), (Self::German, "de")];

    /// Its code (ISO 639-1).
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Dutch => "nl",
            Self::French => "fr",
            Self::German => "de",
        }
    }

    /// The language with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|(_, known)| *known == code).map(|(language, _)| *language)
    }

    /// The language with this code as it is stored. Processes of several releases share a database; a customer who chose a language of a
    /// later one reads English here. None if it has not the form of a code.
    pub fn from_stored(code: &str) -> Option<Self> {
        let is_code = code.len() == 2 && code.bytes().all(|octet| octet.is_ascii_lowercase());
        Self::from_code(code).or_else(|| is_code.then_some(Self::English))
    }
}

/// Consecutive failures of one customer at the authorisations of one third party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogInFailures {
    /// Where.
    pub tenant: Tenant,
    /// Hash of who the customer is, however they were named; of the account number if nobody has it.
    pub psu: SecretHash,
    /// For whom the customer was to authorise.
    pub tpp: TppId,
    /// How many since the last success.
    pub count: i64,
    /// The last one.
    pub last_at: Timestamp,
    /// Version of the row; 0 before it is stored.
    pub version: i64,
}

impl LogInFailures {
    /// Until when the log-in is blocked for this third party, if it is at `now`.
    pub fn blocked_until(&self, now: Timestamp, rules: &ScaRules) -> Option<Timestamp> {
        let until = self.counts_until(rules);
        (self.count >= rules.max_failures && now < until).then_some(until)
    }

    /// Until when the failures of a customer at all third parties block the log-in altogether, if they do at `now`.
    pub fn all_blocked_until(all: &[Self], now: Timestamp, rules: &ScaRules) -> Option<Timestamp> {
        let recent = || all.iter().filter(|failures| now < failures.counts_until(rules));
        let count: i64 = recent().map(|failures| failures.count).sum();
        let first = recent().map(|failures| failures.counts_until(rules)).min();
        first.filter(|_| count >= rules.max_failures_of_all)
    }

    fn counts_until(&self, rules: &ScaRules) -> Timestamp {
        self.last_at.saturating_add(rules.block_time).unwrap_or(self.last_at)
    }

    /// One more failure. After a block the count begins anew.
    pub fn failed(self, now: Timestamp, rules: &ScaRules) -> Self {
        let count = if self.count >= rules.max_failures { 1 } else { self.count + 1 };
        Self { count, last_at: now, ..self }
    }

    /// One that was counted is none.
    pub fn taken_back(self) -> Self {
        Self { count: (self.count - 1).max(0), ..self }
    }

    /// A success: the count begins anew.
    pub fn cleared(self) -> Self {
        Self { count: 0, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK_TIME: SignedDuration = SignedDuration::from_mins(15);

    const RULES: ScaRules = ScaRules {
        lifetime: SignedDuration::from_hours(24),
        idle_time: SignedDuration::from_mins(5),
        challenge_digits: 8,
        max_wrong_answers: 3,
        max_failures: 5,
        max_failures_of_all: 10,
        block_time: BLOCK_TIME,
        max_open_challenges: 3,
        max_authorisations: 50,
    };

    #[test]
    fn five_failures_block_for_a_while() {
        let now = Timestamp::UNIX_EPOCH;
        let mut failures = LogInFailures {
            tenant: Tenant::parse("nl").unwrap(),
            psu: SecretHash::from_hex("00"),
            tpp: TppId::new("PSDNL-DNB-1"),
            count: 0,
            last_at: now,
            version: 0,
        };
        for _ in 0..5 {
            assert_eq!(failures.blocked_until(now, &RULES), None);
            failures = failures.failed(now, &RULES);
        }
        assert_eq!(failures.blocked_until(now, &RULES), Some(now + BLOCK_TIME));
        assert_eq!(failures.blocked_until(now + BLOCK_TIME, &RULES), None);
        assert_eq!(failures.clone().failed(now + BLOCK_TIME, &RULES).count, 1);
        let fewer = failures.clone().taken_back();
        assert_eq!((fewer.count, fewer.blocked_until(now, &RULES)), (4, None));
        let none = failures.cleared();
        assert_eq!((none.blocked_until(now, &RULES), none.taken_back().count), (None, 0));
    }

    #[test]
    fn no_third_party_alone_blocks_a_customer_for_all() {
        let now = Timestamp::UNIX_EPOCH;
        let failures = |tpp: &str, count, seconds| LogInFailures {
            tenant: Tenant::parse("nl").unwrap(),
            psu: SecretHash::from_hex("00"),
            tpp: TppId::new(tpp),
            count,
            last_at: now + SignedDuration::from_secs(seconds),
            version: 0,
        };
        let blocked = |all: &[LogInFailures], at| LogInFailures::all_blocked_until(all, at, &RULES);
        assert_eq!(blocked(&[failures("a", 5, 0), failures("b", 4, 0)], now), None);
        let two = [failures("a", 5, 0), failures("b", 5, 60)];
        // The first ones are forgotten first, and then there are not enough any more.
        assert_eq!(blocked(&two, now), Some(now + BLOCK_TIME));
        assert_eq!(blocked(&two, now + BLOCK_TIME), None);
    }

    #[test]
    fn languages_have_codes() {
        for (language, code) in Language::CODES {
            assert_eq!((language.code(), Language::from_code(code)), (code, Some(language)));
        }
        assert_eq!(Language::from_code("pl"), None);
        // Of a later release, and of none.
        assert_eq!(Language::from_stored("pl"), Some(Language::English));
        assert_eq!(Language::from_stored("de"), Some(Language::German));
        assert_eq!(["", "d", "DE", "deu"].map(Language::from_stored), [None; 4]);
    }
}
