//! How long the dialect's own rows live, and how many of them somebody without credentials can make.
//!
//! What a client made and never used goes soon; what is used goes long after the last use.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use gateway::domain::DISPUTABLE;
use jiff::{SignedDuration, Timestamp};

use crate::error::Error;
use crate::records::Kept;

/// An installation with which no session was opened.
pub(crate) const UNUSED: SignedDuration = SignedDuration::from_hours(24 * 7);

/// An installation, a device and a provider's key, after the last session that was opened with them.
pub(crate) const IN_USE: SignedDuration = DISPUTABLE;

/// The user and the credential that stand for one approval, which lasts 90 days.
pub(crate) const APPROVAL: SignedDuration = SignedDuration::from_hours(24 * 130);

/// What was asked to be paid, and what became of it: a little less than the payment itself, which is kept if it was made.
pub(crate) const ORDER: SignedDuration = SignedDuration::from_hours(24 * 390);

/// A callback that could not be delivered, after the last attempt that anybody asks for.
const FAILURE: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Kinds of records, the type of each, and how long one is kept after it was made where that is known then.
macro_rules! kept {
    ($($kind:literal $module:ident :: $type:ident $(, $life:expr)?;)*) => {$(
        impl Kept for crate::$module::$type {
            const KIND: &'static str = $kind;
            $(const LIFE: Option<SignedDuration> = Some($life);)?
        }
    )*};
}

kept! {
    "account" accounts::AccountProfile;
    "notification-filter-failure" callback_failures::Failure, FAILURE;
    "credential" credentials::Credential;
    "device" devices::DeviceServer;
    "draft-payment" draft_payments::DraftPayment, ORDER;
    "installation" installations::KeptInstallation;
    "issuer-transaction" issuer_transactions::IssuerTransaction, ORDER;
    "certificate-pinned" notifications::CertificatePinned;
    "oauth-client" oauth_clients::OauthClient;
    "payment-batch" payment_batches::PaymentBatch, ORDER;
    "provider-draft-payment" provider_drafts::ProviderDraft, ORDER;
    "request-inquiry" requests::RequestInquiry, ORDER;
    "request-response" requests::RequestResponse, ORDER;
    "scheduled-payment" schedules::ScheduledPayment;
    "customer-statement" statements::CustomerStatement, ORDER;
    "payment-statement" statements::PaymentStatement, ORDER;
    "user" users::User;
}

/// One network makes at most this part of what all make: nobody uses up everybody's day.
const SHARES: u32 = 4;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The end of a life that begins now.
pub(crate) fn until(now: Timestamp, life: SignedDuration) -> Option<Timestamp> {
    now.saturating_add(life).ok()
}

/// How many of something were made in this day; a day begins with the first of them.
#[derive(Debug)]
pub(crate) struct Quota {
    what: &'static str,
    most: u32,
    day: Mutex<Day>,
}

/// What was made since a day began.
#[derive(Debug)]
struct Day {
    start: Timestamp,
    all: u32,
    /// By networks, each of which made something: no more of them than things can be made.
    by_network: HashMap<IpAddr, u32>,
}

impl Day {
    fn new(start: Timestamp) -> Self {
        Self { start, all: 0, by_network: HashMap::new() }
    }
}

impl Quota {
    pub(crate) fn new(what: &'static str, most: u32) -> Self {
        Self { what, most, day: Mutex::new(Day::new(Timestamp::MIN)) }
    }

    /// Counts one more, for a caller from this address.
    ///
    /// # Errors
    /// 429
    pub(crate) fn take(&self, now: Timestamp, address: IpAddr) -> Result<(), Error> {
        let mut day = self.day.lock().unwrap_or_else(PoisonError::into_inner);
        let age = now.duration_since(day.start);
        // A clock that was set back must not lock anyone out.
        if !(SignedDuration::ZERO..DAY).contains(&age) {
            *day = Day::new(now);
        }
        let (network, share) = (edge::network(address), self.most.div_ceil(SHARES));
        let own = day.by_network.get(&network).copied().unwrap_or(0);
        let (most, whom) = match () {
            () if own >= share => (share, "one network"),
            () if day.all >= self.most => (self.most, "all callers together"),
            () => {
                day.all += 1;
                day.by_network.insert(network, own + 1);
                return Ok(());
            }
        };
        let text = format!(
            "Too many requests. This bank makes at most {most} {} in 24 hours for {whom}. Use those that you have.",
            self.what
        );
        Err(Error::too_many(text, (DAY - age).as_secs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_its_quota_and_the_next_one_too() {
        let quota = Quota::new("things", 8);
        let start = Timestamp::UNIX_EPOCH;
        let hours = |hours| start + SignedDuration::from_hours(hours);
        let from = |place: u8| IpAddr::from([192, 0, 2, place]);
        assert!(quota.take(start, from(1)).is_ok() && quota.take(hours(1), from(1)).is_ok());
        let refused = quota.take(hours(3), from(1)).unwrap_err();
        assert_eq!(refused.status, http::StatusCode::TOO_MANY_REQUESTS);
        assert!(refused.text.contains("at most 2 things in 24 hours for one network"), "{}", refused.text);
        let response = refused.response(false);
        assert_eq!(response.headers()["retry-after"], (21 * 3600).to_string());
        for place in [2, 2, 3, 3, 4, 4] {
            assert!(quota.take(hours(3), from(place)).is_ok(), "the others have theirs");
        }
        let refused = quota.take(hours(4), from(5)).unwrap_err();
        assert!(refused.text.contains("at most 8 things in 24 hours for all callers"), "{}", refused.text);
        assert_eq!(quota.day.lock().unwrap().by_network.len(), 4, "those who are refused take no room");
        assert!(quota.take(hours(24), from(1)).is_ok(), "the next day");
        assert!(quota.take(hours(2), from(1)).is_ok(), "a clock that was set back");
    }

    #[test]
    fn addresses_of_one_network_share() {
        let quota = Quota::new("things", 4);
        let take = |address: &str| quota.take(Timestamp::UNIX_EPOCH, address.parse().unwrap());
        assert!(take("2001:db8:1:2::1").is_ok() && take("2001:db8:1:2::2").is_err());
        assert!(take("2001:db8:1:3::1").is_ok());
    }
}
