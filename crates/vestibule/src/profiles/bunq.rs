//! bunq: its PSD2 API.

use gateway::Profile;
use gateway::domain::ConsentRules;
use gateway::profile::{
    CertificateCheck, CertificateRules, KeyRules, Newcomers, RateLimit, TokenForm, TokenRules,
};
use jiff::SignedDuration;

use super::{RateLimits, Strictness, triodos};

/// The provider's classic numbers.
const CLASSIC: &[RateLimit] = &[
    RateLimit { method: Some("POST"), endpoint: Some("/session-server"), calls: 1, seconds: 30 },
    RateLimit { method: Some("GET"), endpoint: None, calls: 3, seconds: 3 },
    RateLimit { method: Some("PUT"), endpoint: None, calls: 2, seconds: 3 },
    RateLimit { method: None, endpoint: None, calls: 5, seconds: 3 },
];

/// What a generous bank allows, for programs that run wild.
const GENEROUS: &[RateLimit] = &[RateLimit { method: None, endpoint: None, calls: 30_000, seconds: 3 }];

/// How the bank runs its interface. Where its customers come to the pages, a sandbox has one way to authenticate them.
pub fn profile(strictness: Strictness, rate_limits: RateLimits) -> Profile {
    let at_the_same_pages = triodos::profile(strictness);
    Profile {
        // RFC 6749 without refresh tokens.
        tokens: TokenRules { form: TokenForm::Hexadecimal, lasting: true },
        consents: ConsentRules {
            // Delegated Regulation (EU) 2018/389, Article 10, in its first version: what clients count with.
            unasked_days: 90,
            ..at_the_same_pages.consents
        },
        certificates: CertificateRules {
            order: &[CertificateCheck::Status, CertificateCheck::Role],
            ..at_the_same_pages.certificates
        },
        rates: match (rate_limits, strictness) {
            (RateLimits::Off, _) => &[],
            (RateLimits::On, Strictness::Strict) | (RateLimits::Strict, _) => CLASSIC,
            (RateLimits::On, Strictness::Lenient) => GENEROUS,
        },
        keys: KeyRules {
            // The bank itself gives 4 hours, its sandbox one.
            first_use: SignedDuration::from_hours(1),
            // Both as the provider's documentation says. Its sandbox was once recorded with 324000 seconds for the
            // second, which is 90 hours.
            first_session: SignedDuration::from_hours(1),
            session: SignedDuration::from_hours(24 * 90),
            customer_session: SignedDuration::from_hours(24 * 7),
            customer_sessions: [SignedDuration::from_secs(60), SignedDuration::from_secs(604_800)],
            payment: SignedDuration::from_hours(24 * 7),
            linked_payment: SignedDuration::from_mins(10),
            longest_linked_payment: SignedDuration::from_hours(24 * 30),
            newcomers: Newcomers { installations: 20_000, customers: 2_000, third_parties: 2_000 },
        },
        ..at_the_same_pages
    }
}
