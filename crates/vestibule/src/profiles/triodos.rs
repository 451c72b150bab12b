//! Triodos Bank: NextGenPSD2 of the Berlin Group.

use gateway::domain::{ConsentRules, ScaRules};
use gateway::profile::{Lifetimes, TokenForm, TokenRules};
use gateway::{Profile, Strictness};
use jiff::SignedDuration;

/// How the bank runs its interface.
pub fn profile(strictness: Strictness) -> Profile {
    Profile {
        lifetimes: Lifetimes {
            initial_access_token: SignedDuration::from_hours(24),
            pushed_request: SignedDuration::from_secs(90),
            authorization_code: match strictness {
                Strictness::Lenient => SignedDuration::from_mins(5),
                // FAPI 2.0 Security Profile, 5.3.2.1.
                Strictness::Strict => SignedDuration::from_secs(60),
            },
            access_token: SignedDuration::from_mins(10),
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
    }
}
