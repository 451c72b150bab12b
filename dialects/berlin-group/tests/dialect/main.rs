//! The dialect from outside: the real server, real certificates, real signatures.
#![expect(clippy::unwrap_used, reason = "a test may stop anywhere")]

mod onboarding;
mod refusals;
mod strict;
mod terse;
