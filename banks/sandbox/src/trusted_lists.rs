//! The trusted lists of a sandbox, for tests of banks that read some: a list of lists and that of its country, in which the service is
//! listed that issues its test certificates.

use std::sync::{Mutex, PoisonError};

use eidas::Certificate;
use gateway::domain::Timestamp;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use trusted_lists::ListKind;
use trusted_lists::issue::{NewList, NewPeriod, NewPointer, NewService, signed};

use crate::authorities::Authorities;

/// Since when the service issues.
const BEGIN: &str = "2020-01-01T00:00:00Z";

/// The country of the national list.
pub(crate) const COUNTRY: &str = "NL";

/// How long until the next list should be there, in seconds: at most half a year.
const FITTING: std::ops::RangeInclusive<i64> = 1..=180 * 24 * 3600;

/// What a list may say that certificates are for.
const PURPOSES: [&str; 3] = ["ForWebSiteAuthentication", "ForeSeals", "ForeSignatures"];

/// Whether the service issues qualified certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ServiceStatus {
    /// It does.
    Granted,
    /// It did once.
    Withdrawn,
}

/// What the lists say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Said {
    status: ServiceStatus,
    purposes: Vec<String>,
    next_update_seconds: i64,
}

impl Default for Said {
    fn default() -> Self {
        let purposes = PURPOSES[..2].iter().map(|purpose| (*purpose).to_owned()).collect();
        Self { status: ServiceStatus::Granted, purposes, next_update_seconds: *FITTING.end() }
    }
}

impl Said {
    /// What is wrong with it.
    pub(crate) fn problem(&self) -> Option<String> {
        if !FITTING.contains(&self.next_update_seconds) {
            return Some(format!("nextUpdateSeconds must lie from {} to {}", FITTING.start(), FITTING.end()));
        }
        let unknown = self.purposes.iter().find(|purpose| !PURPOSES.contains(&purpose.as_str()))?;
        Some(format!("purposes: \"{}\" is not one of {}", unknown.escape_debug(), PURPOSES.join(", ")))
    }
}

/// What the lists say now. A start begins anew.
#[derive(Debug, Default)]
pub(crate) struct Lists(Mutex<(Said, Option<Timestamp>)>);

impl Lists {
    /// Lets them say something else from a moment on.
    pub(crate) fn set(&self, said: Said, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (said, Some(now));
    }

    /// What they say, and since when.
    pub(crate) fn now(&self) -> (Said, Option<Timestamp>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The list of lists, which points to an address.
    pub(crate) fn list_of_lists(
        &self,
        authorities: &Authorities,
        national: String,
        now: Timestamp,
    ) -> Result<String, String> {
        let pointer = NewPointer {
            kind: ListKind::National,
            territory: COUNTRY.to_owned(),
            location: national,
            signer: authorities.root_der().to_vec(),
        };
        let pointers = vec![pointer];
        let list = NewList { pointers, ..self.list(ListKind::ListOfLists, "EU", now) };
        sign(&list, authorities)
    }

    /// The list of its country.
    pub(crate) fn national(&self, authorities: &Authorities, now: Timestamp) -> Result<String, String> {
        let (Said { status, purposes, .. }, since) = self.now();
        let begin = BEGIN.parse().unwrap_or(Timestamp::UNIX_EPOCH);
        let period = |status: &str, since| NewPeriod {
            kind: "CA/QC".to_owned(),
            status: status.to_owned(),
            since,
            purposes: purposes.clone(),
            qualifier: None,
        };
        let granted = period("granted", begin);
        let service = NewService {
            provider: "Vestibule Sandbox (TEST)".to_owned(),
            name: "Issuing test certificates (TEST)".to_owned(),
            certificate: authorities.issuing_der().to_vec(),
            periods: match status {
                ServiceStatus::Granted => vec![granted],
                ServiceStatus::Withdrawn => vec![period("withdrawn", since.unwrap_or(now)), granted],
            },
        };
        sign(&NewList { services: vec![service], ..self.list(ListKind::National, COUNTRY, now) }, authorities)
    }

    /// Each list is one of its own: its number is the second in which it is made.
    fn list(&self, kind: ListKind, territory: &str, now: Timestamp) -> NewList {
        let holds = SignedDuration::from_secs(self.now().0.next_update_seconds);
        NewList {
            kind,
            territory: territory.to_owned(),
            sequence: u64::try_from(now.as_second()).unwrap_or_default(),
            issued: now,
            next_update: now.saturating_add(holds).unwrap_or(now),
            pointers: Vec::new(),
            services: Vec::new(),
            pivots: Vec::new(),
        }
    }
}

fn sign(list: &NewList, authorities: &Authorities) -> Result<String, String> {
    let signer = Certificate::from_der(authorities.root_der()).map_err(|error| error.to_string())?;
    signed(list, &signer, authorities.root_key_pem()).map_err(|error| error.to_string())
}
