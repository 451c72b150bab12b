//! What the authority of a sandbox does for whoever asks how its certificates stand: for tests of banks that ask, it can be made
//! to say nothing, or to speak for a short time only.

use std::sync::{Mutex, PoisonError};

use gateway::domain::Timestamp;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// How long what it says holds, in seconds: from one to a week.
const FITTING: std::ops::RangeInclusive<i64> = 1..=7 * 24 * 3600;

/// How the responder and the revocation lists are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct StatusService {
    /// Whether the OCSP responder answers.
    ocsp: bool,
    /// Whether the revocation lists are there.
    lists: bool,
    /// Whether the root revoked the issuing authority.
    issuing_revoked: bool,
    /// How long what they say holds, in seconds. A day unless somebody wants it otherwise.
    valid_seconds: i64,
}

impl Default for StatusService {
    fn default() -> Self {
        Self { ocsp: true, lists: true, issuing_revoked: false, valid_seconds: 24 * 3600 }
    }
}

impl StatusService {
    /// What is wrong with it.
    pub(crate) fn problem(&self) -> Option<String> {
        (!FITTING.contains(&self.valid_seconds))
            .then(|| format!("validSeconds must lie from {} to {}", FITTING.start(), FITTING.end()))
    }
}

/// How they are now. A start begins anew.
#[derive(Debug, Default)]
pub(crate) struct StatusServices(Mutex<(StatusService, Option<Timestamp>)>);

impl StatusServices {
    pub(crate) fn now(&self) -> StatusService {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Lets them be otherwise from now on.
    pub(crate) fn set(&self, service: StatusService, now: Timestamp) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = service.issuing_revoked.then(|| current.1.unwrap_or(now));
        *current = (service, since);
    }

    /// Since when the issuing authority is revoked, if it is.
    pub(crate) fn issuing_revoked(&self) -> Option<Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    pub(crate) fn answers(&self) -> bool {
        self.now().ocsp
    }

    pub(crate) fn has_lists(&self) -> bool {
        self.now().lists
    }

    /// From when until when holds what is said now.
    pub(crate) fn times(&self, now: Timestamp) -> (Timestamp, Timestamp) {
        let valid = SignedDuration::from_secs(self.now().valid_seconds);
        (now, now.saturating_add(valid).unwrap_or(now))
    }
}
