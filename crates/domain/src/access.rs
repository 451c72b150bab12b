//! Access to account data: what is counted, how far back it goes, and why it is refused.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::{Consent, Product, Tenant};

/// How long after its day a call may still come to be counted: it began before midnight and took long, or came to a machine whose clock is
/// behind.
const BEHIND: SignedDuration = SignedDuration::from_mins(10);

/// Kinds of reads that are counted, each on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReadKind {
    /// Balances of an account.
    Balances,
    /// Transactions of an account.
    Transactions,
}

impl ReadKind {
    /// The word for messages, and the stable name that is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Balances => "BALANCES",
            Self::Transactions => "TRANSACTIONS",
        }
    }
}

/// How many unattended reads of a kind were counted on a day, of one account by one consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadCount {
    /// The last day on which one was counted.
    pub day: Date,
    /// How many were.
    pub count: i64,
}

impl ReadCount {
    /// The count that holds for a call of a moment, after what was counted last. A call of just before midnight that comes after one of the
    /// next day counts on that day, so that nobody has a day twice.
    pub fn for_call(last: Option<Self>, tenant: &Tenant, now: Timestamp) -> Self {
        let today = tenant.date_at(now);
        let holds = |last: &Self| {
            last.day == today || (last.day > today && tenant.start_of(last.day) <= now + BEHIND)
        };
        last.filter(holds).unwrap_or(Self { day: today, count: 0 })
    }
}

/// Whether a read counts against the daily limit: without the customer, and only for recurring consents.
pub fn is_counted(consent: &Consent, attended: bool) -> bool {
    consent.recurring && !attended
}

/// The first day of history that a read may see: everything with the first read of a consent and account, and
/// with one-off consents; so many days otherwise.
pub fn earliest_day(consent: &Consent, is_first_read: bool, today: Date, history_days: i64) -> Date {
    if is_first_read || !consent.recurring {
        return Date::MIN;
    }
    today.saturating_sub(jiff::Span::new().days(history_days))
}

/// A rule about access to accounts that a request breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessRefusal {
    /// The account is of another kind than the path.
    #[error("account {id} is not a {} account", expected.name())]
    Product {
        /// Which account.
        id: String,
        /// What the path is for.
        expected: Product,
    },
    /// The consent does not cover this kind of read.
    #[error("the consent does not cover {what} of account {id}")]
    NotGranted {
        /// Which account.
        id: String,
        /// What was asked for.
        what: &'static str,
    },
    /// The account is closed or blocked.
    #[error("account {id} cannot be read: its status is {status}")]
    Unavailable {
        /// Which account.
        id: String,
        /// What it is.
        status: &'static str,
    },
    /// Too many reads without the customer. Recorded words.
    #[error("The daily limit of {limit} unattended {} requests for product {id} has been reached", kind.name())]
    LimitReached {
        /// How many a day.
        limit: i64,
        /// Of which kind.
        kind: ReadKind,
        /// Of which account.
        id: String,
        /// When reads are counted anew, in seconds from now.
        retry_after: i64,
    },
    /// The end is before the beginning.
    #[error("the last day {to} is before the first, {from}")]
    Period {
        /// First day.
        from: Date,
        /// Last day.
        to: Date,
    },
    /// The beginning is in the future, and no end was given.
    #[error("the first day {from} is in the future: without a last day the period ends today, {today}")]
    PeriodInFuture {
        /// First day.
        from: Date,
        /// Today at the bank.
        today: Date,
    },
    /// The page token was not made here, or for another account or consent.
    #[error(
        "the page is not one that was given out for this account and consent; follow the next link as it is"
    )]
    EdgeToken,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_call_of_yesterday_counts_today_and_no_other_does() {
        let (tenant, day) = (Tenant::parse("uk").unwrap(), |text: &str| text.parse::<Date>().unwrap());
        let last = ReadCount { day: day("2026-03-03"), count: 4 };
        for (now, expected) in [
            ("2026-03-03T12:00:00Z", last),
            ("2026-03-02T23:59:59Z", last),
            ("2026-03-02T23:50:00Z", last),
            ("2026-03-02T23:49:59Z", ReadCount { day: day("2026-03-02"), count: 0 }),
            ("2026-03-04T00:00:00Z", ReadCount { day: day("2026-03-04"), count: 0 }),
        ] {
            let now = now.parse().unwrap();
            assert_eq!(ReadCount::for_call(Some(last), &tenant, now), expected, "{now}");
            let first = ReadCount { day: tenant.date_at(now), count: 0 };
            assert_eq!(ReadCount::for_call(None, &tenant, now), first);
        }
    }
}
