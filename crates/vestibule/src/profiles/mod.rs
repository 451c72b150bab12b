//! How banks run their interfaces, one file a bank. Another bank of a dialect that is there is one more file here.

pub mod bunq;
pub mod triodos;

use gateway::Profiles;

/// How much a bank puts up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// What working clients send is taken.
    Lenient,
    /// The standards to the letter.
    Strict,
}

/// Limits on how often callers may call, where an interface has such limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RateLimits {
    /// The interface's own numbers at a strict bank, generous ones at a lenient one.
    #[default]
    On,
    /// The interface's own numbers.
    Strict,
    /// None.
    Off,
}

/// The profiles of the sandbox: it runs each interface as the bank does that is known for it.
pub fn of_sandbox(strictness: Strictness, rate_limits: RateLimits) -> Profiles {
    Profiles { berlin_group: triodos::profile(strictness), bunq: bunq::profile(strictness, rate_limits) }
}

#[cfg(test)]
mod tests {
    use gateway::domain::consents::UNDECIDED_REMEMBERED;

    use super::*;

    #[test]
    fn profiles_keep_what_others_build_on() {
        for strictness in [Strictness::Lenient, Strictness::Strict] {
            let Profiles { berlin_group, bunq } = of_sandbox(strictness, RateLimits::On);
            for profile in [berlin_group, bunq] {
                assert!(profile.consents.waits < UNDECIDED_REMEMBERED);
                assert!(
                    profile.sca.max_failures < profile.sca.max_failures_of_all,
                    "it takes two third parties"
                );
            }
        }
    }
}
