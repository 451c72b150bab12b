//! Authorisations: one attempt of a customer to authorise a consent (NextGenPSD2, authorisation sub-resource).

use jiff::{SignedDuration, Timestamp};

use crate::{AuthorisationId, ConsentId, CustomerId};

/// How long an authorisation may take from its start to its confirmation.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// Wrong answers that end an authorisation.
pub const MAX_WRONG_ANSWERS: i64 = 3;

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorisation {
    /// Its id.
    pub id: AuthorisationId,
    /// What is to be authorised.
    pub consent: ConsentId,
    /// Which attempt it is, from 1 on.
    pub number: i64,
    /// Where the browser is to come back to.
    pub redirect_uri: String,
    /// When it began.
    pub created_at: Timestamp,
    /// How far it is.
    pub progress: Progress,
    /// Who approved it.
    pub customer: Option<CustomerId>,
    /// Wrong answers of the customer so far.
    pub wrong_answers: i64,
    /// Version of the row; 0 before it is stored.
    pub version: i64,
}

/// How far an authorisation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Nobody has come yet.
    Received,
    /// The customer opened the bank's page.
    Started,
    /// The customer approved; the third party has yet to confirm.
    Approved,
    /// The third party confirmed.
    Confirmed,
    /// It was cancelled, or log-in failed for good.
    Failed,
}

impl Progress {
    const NAMES: [(Self, &'static str); 5] = [
        (Self::Received, "received"),
        (Self::Started, "started"),
        (Self::Approved, "approved"),
        (Self::Confirmed, "confirmed"),
        (Self::Failed, "failed"),
    ];

    /// The stable name that is stored.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(progress, _)| *progress == self).map_or("received", |(_, name)| name)
    }

    /// The progress with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(progress, _)| *progress)
    }
}

/// What an authorisation is at a given time (NextGenPSD2, scaStatus).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScaStatus {
    /// Nobody has come yet.
    Received,
    /// The customer is at it.
    Started,
    /// Approved, waiting for the third party's confirmation.
    Unconfirmed,
    /// Done.
    Finalised,
    /// It came to nothing.
    Failed,
}

impl ScaStatus {
    /// The standard's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Started => "started",
            Self::Unconfirmed => "unconfirmed",
            Self::Finalised => "finalised",
            Self::Failed => "failed",
        }
    }
}

impl Authorisation {
    /// An attempt that begins now.
    pub fn begin(
        id: AuthorisationId,
        (consent, number): (ConsentId, i64),
        redirect_uri: String,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            consent,
            number,
            redirect_uri,
            created_at: now,
            progress: Progress::Received,
            customer: None,
            wrong_answers: 0,
            version: 0,
        }
    }

    /// What it is at `now`.
    pub fn status_at(&self, now: Timestamp) -> ScaStatus {
        let is_late = now.duration_since(self.created_at) >= LIFETIME;
        match self.progress {
            Progress::Confirmed => ScaStatus::Finalised,
            Progress::Failed => ScaStatus::Failed,
            Progress::Received | Progress::Started | Progress::Approved if is_late => ScaStatus::Failed,
            Progress::Received => ScaStatus::Received,
            Progress::Started => ScaStatus::Started,
            Progress::Approved => ScaStatus::Unconfirmed,
        }
    }

    /// Whether a customer can still act on it.
    pub fn is_pending_at(&self, now: Timestamp) -> bool {
        matches!(self.status_at(now), ScaStatus::Received | ScaStatus::Started)
    }

    /// The customer opened the page.
    pub fn start(self) -> Self {
        Self { progress: Progress::Started, ..self }
    }

    /// A wrong answer; the third one ends the attempt.
    pub fn wrong_answer(self) -> Self {
        let wrong_answers = self.wrong_answers + 1;
        let progress = if wrong_answers >= MAX_WRONG_ANSWERS { Progress::Failed } else { self.progress };
        Self { wrong_answers, progress, ..self }
    }

    /// Cancelled, timed out, or not allowed.
    pub fn fail(self) -> Self {
        Self { progress: Progress::Failed, ..self }
    }

    /// The customer approved.
    pub fn approve(self, customer: CustomerId) -> Self {
        Self { progress: Progress::Approved, customer: Some(customer), ..self }
    }

    /// The third party confirms. Doing so again changes nothing.
    ///
    /// # Errors
    /// [`AuthorisationRefusal::NotApproved`]
    pub fn confirm(self, now: Timestamp) -> Result<Self, AuthorisationRefusal> {
        match self.status_at(now) {
            ScaStatus::Finalised => Ok(self),
            ScaStatus::Unconfirmed => Ok(Self { progress: Progress::Confirmed, ..self }),
            status => Err(AuthorisationRefusal::NotApproved { id: self.id, status }),
        }
    }
}

/// A rule about authorisations that a request breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorisationRefusal {
    /// Confirmed before the customer approved, or too late.
    #[error(
        "authorisation {id} has scaStatus {}; it can be confirmed while it is unconfirmed, within 24 hours",
        status.name()
    )]
    NotApproved {
        /// Which authorisation.
        id: AuthorisationId,
        /// What it is.
        status: ScaStatus,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_goes_forward_or_fails() {
        let now = Timestamp::UNIX_EPOCH;
        let begun = || {
            Authorisation::begin(AuthorisationId::new("a"), (ConsentId::new("c"), 1), "https://x".into(), now)
        };
        assert_eq!(begun().status_at(now), ScaStatus::Received);
        assert!(begun().confirm(now).is_err());
        let approved = begun().start().approve(CustomerId::new("p"));
        assert_eq!(approved.status_at(now), ScaStatus::Unconfirmed);
        let confirmed = approved.clone().confirm(now).unwrap();
        assert_eq!(confirmed.status_at(now + LIFETIME), ScaStatus::Finalised);
        assert_eq!(confirmed.clone().confirm(now + LIFETIME), Ok(confirmed));
        assert_eq!(approved.status_at(now + LIFETIME), ScaStatus::Failed);
        assert!(approved.confirm(now + LIFETIME).is_err());
        assert!(!begun().fail().is_pending_at(now) && begun().start().is_pending_at(now));
    }

    #[test]
    fn the_third_wrong_answer_ends_it() {
        let now = Timestamp::UNIX_EPOCH;
        let mut attempt =
            Authorisation::begin(AuthorisationId::new("a"), (ConsentId::new("c"), 1), String::new(), now)
                .start();
        for _ in 0..2 {
            attempt = attempt.wrong_answer();
            assert!(attempt.is_pending_at(now));
        }
        assert_eq!(attempt.wrong_answer().status_at(now), ScaStatus::Failed);
    }

    #[test]
    fn progress_has_stable_names() {
        for (progress, name) in Progress::NAMES {
            assert_eq!((progress.name(), Progress::from_name(name)), (name, Some(progress)));
        }
    }
}
