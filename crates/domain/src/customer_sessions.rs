//! Sessions of customers in the bank's own pages, where no third party sent them.

use jiff::{SignedDuration, Timestamp};

use crate::{Language, LoggedIn, SecretHash, Tenant};

/// A browser in a customer's own pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerSession {
    /// Hash of the secret in the cookie.
    pub hash: SecretHash,
    /// Where.
    pub tenant: Tenant,
    /// What the customer's device has to answer at the log-in.
    pub challenge: String,
    /// In whose name a challenge was answered wrongly, as [`crate::LogInFailures`] name them.
    pub named: Option<SecretHash>,
    /// Wrong answers so far.
    pub wrong_answers: i64,
    /// Language of the pages.
    pub language: Language,
    /// Who logged in, if somebody did.
    pub logged_in: Option<LoggedIn>,
    /// When the customer last did something.
    pub seen_at: Timestamp,
    /// Whether the customer logged out, or it goes on under another secret.
    pub ended: bool,
    /// Version of the row; 0 before it is stored.
    pub version: i64,
}

impl CustomerSession {
    /// Whether the customer did nothing for too long.
    pub fn is_idle_at(&self, now: Timestamp, idle_time: SignedDuration) -> bool {
        now.duration_since(self.seen_at) >= idle_time
    }

    /// A wrong answer; with too many of them the session ends.
    pub fn wrong_answer(self, most: i64, now: Timestamp) -> Self {
        let wrong_answers = self.wrong_answers + 1;
        Self { wrong_answers, ended: wrong_answers >= most, seen_at: now, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_sessions_and_too_many_wrong_answers_end() {
        let now = Timestamp::UNIX_EPOCH;
        let session = CustomerSession {
            hash: SecretHash::from_hex("00"),
            tenant: Tenant::parse("nl").unwrap(),
            challenge: "1".to_owned(),
            named: None,
            wrong_answers: 0,
            language: Language::Dutch,
            logged_in: None,
            seen_at: now,
            ended: false,
            version: 0,
        };
        let idle_time = SignedDuration::from_mins(5);
        let almost = now + SignedDuration::from_secs(299);
        assert!(!session.is_idle_at(almost, idle_time) && session.is_idle_at(now + idle_time, idle_time));
        let second = session.wrong_answer(3, now).wrong_answer(3, almost);
        assert_eq!((second.ended, second.wrong_answers, second.seen_at), (false, 2, almost));
        assert!(second.wrong_answer(3, almost).ended);
    }
}
