//! bunq: its PSD2 API.

use gateway::domain::ConsentRules;
use gateway::profile::{TokenForm, TokenRules};
use gateway::{Profile, Strictness};

use super::triodos;

/// How the bank runs its interface. Where its customers come to the pages, a sandbox has one way to authenticate them.
pub fn profile(strictness: Strictness) -> Profile {
    let at_the_same_pages = triodos::profile(strictness);
    Profile {
        // RFC 6749 without refresh tokens.
        tokens: TokenRules { form: TokenForm::Hexadecimal, lasting: true },
        consents: ConsentRules {
            // Delegated Regulation (EU) 2018/389, Article 10, in its first version: what clients count with.
            unasked_days: 90,
            ..at_the_same_pages.consents
        },
        ..at_the_same_pages
    }
}
