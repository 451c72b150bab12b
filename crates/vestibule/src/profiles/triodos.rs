//! Triodos Bank: NextGenPSD2 of the Berlin Group.

use eidas::KeyIdRules;
use gateway::Profile;
use gateway::domain::{ConsentRules, RedirectCare, RedirectRules, ScaRules};
use gateway::profile::{
    AssertionAlgorithm, CertificateCheck, CertificateRules, ClientRules, KeyRules, Lifetimes, SignatureRules,
    TokenForm, TokenRules,
};
use http_signatures::cavage::{Hs2019, Rules};
use http_signatures::digest::Prefix;
use jiff::SignedDuration;

use super::Strictness;

/// How the bank runs its interface.
pub fn profile(strictness: Strictness) -> Profile {
    match strictness {
        Strictness::Lenient => lenient(),
        Strictness::Strict => strict(),
    }
}

/// What is taken as a signature (Berlin Group dialect, section 3.3).
fn signatures() -> SignatureRules {
    SignatureRules {
        signature: Rules {
            required: &["digest", "x-request-id"],
            required_if_present: &[],
            algorithm_optional: true,
            algorithm_aliases: true,
            ecdsa_raw: true,
            hs2019: Hs2019::Natural,
            date_window: 300,
            skew: 60,
        },
        key_id: KeyIdRules { issuer_may_differ: true, ..KeyIdRules::INTEROP },
        digest: Prefix::Optional,
        // Clients in the field send no digest, or that of some other text, when there is no body.
        digest_of_nothing: false,
    }
}

/// What working clients send is taken.
fn lenient() -> Profile {
    Profile {
        lifetimes: Lifetimes {
            initial_access_token: SignedDuration::from_hours(24),
            pushed_request: SignedDuration::from_secs(90),
            authorization_code: SignedDuration::from_mins(5),
            access_token: SignedDuration::from_mins(10),
            // As long as a consent to access may last.
            idle_refresh_token: SignedDuration::from_hours(24 * 180),
            refresh_answer: SignedDuration::from_mins(5),
            request_id: SignedDuration::from_hours(24),
        },
        tokens: TokenRules { form: TokenForm::Base64Url, lasting: false },
        sca: ScaRules {
            lifetime: SignedDuration::from_hours(24),
            idle_time: SignedDuration::from_mins(5),
            challenge_digits: 8,
            max_wrong_answers: 3,
            max_failures: 5,
            max_failures_of_all: 10,
            block_time: SignedDuration::from_mins(15),
            max_open_challenges: 3,
            max_authorisations: 50,
        },
        consents: ConsentRules {
            max_days: 180,
            max_frequency: 4,
            max_references: 100,
            waits: SignedDuration::from_hours(24),
            history_days: 90,
            // Consents are always asked for.
            unasked_days: 0,
        },
        cross_border_payments: false,
        payment_days_ahead: 365,
        redirects: RedirectRules { care: RedirectCare::Lenient, max_count: 100, max_bytes: 2000 },
        signatures: signatures(),
        certificates: CertificateRules {
            // The order of the interface description's error table, section 3.4.
            order: &[
                CertificateCheck::Organization,
                CertificateCheck::Registration,
                CertificateCheck::Role,
                CertificateCheck::Validity,
                CertificateCheck::Status,
                CertificateCheck::Standing,
            ],
            check_purpose: false,
        },
        clients: ClientRules {
            assertion_algorithms: &[
                AssertionAlgorithm::Ps256,
                AssertionAlgorithm::Es256,
                AssertionAlgorithm::Rs256,
            ],
            assertion_lifetime: SignedDuration::from_hours(1),
            assertion_skew: SignedDuration::from_secs(60),
            one_audience: false,
            own_error_codes: true,
        },
        rates: &[],
        calls: None,
        keys: KeyRules::NONE,
    }
}

/// The standards to the letter, FAPI 2.0 among them.
fn strict() -> Profile {
    let lenient = lenient();
    Profile {
        // FAPI 2.0 Security Profile, 5.3.2.1.
        lifetimes: Lifetimes { authorization_code: SignedDuration::from_secs(60), ..lenient.lifetimes },
        redirects: RedirectRules { care: RedirectCare::Strict, ..lenient.redirects },
        // NextGenPSD2 to the letter. The issuer's name may still be spelled in every known way: it is compared as a set
        // of attributes, whichever text a client's library makes of it.
        signatures: SignatureRules {
            signature: Rules::BERLIN_GROUP,
            key_id: KeyIdRules { decimal_serial: false, ..KeyIdRules::INTEROP },
            digest: Prefix::Required,
            digest_of_nothing: true,
        },
        certificates: CertificateRules { check_purpose: true, ..lenient.certificates },
        clients: ClientRules {
            // FAPI 2.0 leaves PKCS#1 v1.5 out.
            assertion_algorithms: &[AssertionAlgorithm::Ps256, AssertionAlgorithm::Es256],
            one_audience: true,
            own_error_codes: false,
            ..lenient.clients
        },
        ..lenient
    }
}
