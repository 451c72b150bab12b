//! Authorisations: one attempt of a customer to authorise a subject (NextGenPSD2, authorisation sub-resource).

use jiff::{SignedDuration, Timestamp};

use crate::{AuthorisationId, CustomerId, Subject, duration_in_words};

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorisation {
    /// Its id.
    pub id: AuthorisationId,
    /// What is to be authorised.
    pub subject: Subject,
    /// What for.
    pub purpose: Purpose,
    /// Which attempt at its subject it is, from 1 on.
    pub number: i64,
    /// Where the browser is to come back to.
    pub redirect_uri: String,
    /// When it began.
    pub created_at: Timestamp,
    /// How far it is.
    pub progress: Progress,
    /// Wrong answers of the customer so far.
    pub wrong_answers: i64,
    /// Version of the row; 0 before it is stored.
    pub version: i64,
}

/// What an authorisation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// That its subject comes into force.
    Approval,
    /// That a payment which was approved is cancelled (NextGenPSD2, cancellation authorisation).
    Cancellation,
}

impl Purpose {
    /// The stable name that is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Approval => "approval",
            Self::Cancellation => "cancellation",
        }
    }

    /// The purpose with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Approval, Self::Cancellation].into_iter().find(|purpose| purpose.name() == name)
    }
}

/// How far an authorisation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Nobody has come yet.
    Received,
    /// The customer opened the bank's page.
    Started,
    /// The customer approved; the third party has yet to confirm.
    Approved {
        /// Who that is.
        by: CustomerId,
    },
    /// The third party confirmed what the customer approved.
    Confirmed {
        /// Who that is.
        by: CustomerId,
    },
    /// It was cancelled, or log-in failed for good.
    Failed,
}

impl Progress {
    /// The stable name that is stored.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Started => "started",
            Self::Approved { .. } => "approved",
            Self::Confirmed { .. } => "confirmed",
            Self::Failed => "failed",
        }
    }

    /// The customer who approved.
    pub fn customer(&self) -> Option<&CustomerId> {
        match self {
            Self::Approved { by } | Self::Confirmed { by } => Some(by),
            Self::Received | Self::Started | Self::Failed => None,
        }
    }

    /// The progress with this name and customer; none if there is no such progress, or it lacks its customer.
    pub fn from_stored(name: &str, customer: Option<CustomerId>) -> Option<Self> {
        match (name, customer) {
            ("received", _) => Some(Self::Received),
            ("started", _) => Some(Self::Started),
            ("failed", _) => Some(Self::Failed),
            ("approved", Some(by)) => Some(Self::Approved { by }),
            ("confirmed", Some(by)) => Some(Self::Confirmed { by }),
            _ => None,
        }
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
        (subject, number): (Subject, i64),
        redirect_uri: String,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            subject,
            purpose: Purpose::Approval,
            number,
            redirect_uri,
            created_at: now,
            progress: Progress::Received,
            wrong_answers: 0,
            version: 0,
        }
    }

    /// The same attempt, at something else.
    pub fn for_purpose(self, purpose: Purpose) -> Self {
        Self { purpose, ..self }
    }

    /// What it is at `now`, if it may take so long from its beginning to its confirmation.
    pub fn status_at(&self, now: Timestamp, lifetime: SignedDuration) -> ScaStatus {
        let is_late = now.duration_since(self.created_at) >= lifetime;
        match self.progress {
            Progress::Confirmed { .. } => ScaStatus::Finalised,
            Progress::Failed => ScaStatus::Failed,
            Progress::Received | Progress::Started | Progress::Approved { .. } if is_late => {
                ScaStatus::Failed
            }
            Progress::Received => ScaStatus::Received,
            Progress::Started => ScaStatus::Started,
            Progress::Approved { .. } => ScaStatus::Unconfirmed,
        }
    }

    /// Whether it counts among as many as can be begun: those for approval for good, since what they are about waits for a short time
    /// alone, others for as long as one may take.
    pub fn counts_at(&self, now: Timestamp, lifetime: SignedDuration) -> bool {
        match self.purpose {
            Purpose::Approval => true,
            Purpose::Cancellation => now.duration_since(self.created_at) < lifetime,
        }
    }

    /// Whether a customer can still act on it.
    pub fn is_pending_at(&self, now: Timestamp, lifetime: SignedDuration) -> bool {
        matches!(self.status_at(now, lifetime), ScaStatus::Received | ScaStatus::Started)
    }

    /// The customer opened the page.
    pub fn start(self) -> Self {
        Self { progress: Progress::Started, ..self }
    }

    /// A wrong answer; as many as there may be end the attempt.
    pub fn wrong_answer(self, most: i64) -> Self {
        let wrong_answers = self.wrong_answers + 1;
        let counted = Self { wrong_answers, ..self };
        if wrong_answers >= most { counted.fail() } else { counted }
    }

    /// Cancelled, timed out, or not allowed.
    pub fn fail(self) -> Self {
        Self { progress: Progress::Failed, ..self }
    }

    /// The customer approved.
    pub fn approve(self, by: CustomerId) -> Self {
        Self { progress: Progress::Approved { by }, ..self }
    }

    /// The third party confirms. Doing so again changes nothing.
    ///
    /// # Errors
    /// [`AuthorisationRefusal::NotApproved`]
    pub fn confirm(self, now: Timestamp, lifetime: SignedDuration) -> Result<Self, AuthorisationRefusal> {
        match (self.status_at(now, lifetime), self.progress) {
            (
                ScaStatus::Finalised | ScaStatus::Unconfirmed,
                Progress::Approved { by } | Progress::Confirmed { by },
            ) => Ok(Self { progress: Progress::Confirmed { by }, ..self }),
            (status, _) => Err(AuthorisationRefusal::NotApproved { id: self.id, status, lifetime }),
        }
    }
}

/// A rule about authorisations that a request breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorisationRefusal {
    /// Confirmed before the customer approved, or too late.
    #[error(
        "authorisation {id} is {}; it can be confirmed while it is unconfirmed, within {}",
        status.name(),
        duration_in_words(*lifetime)
    )]
    NotApproved {
        /// Which authorisation.
        id: AuthorisationId,
        /// What it is.
        status: ScaStatus,
        /// How long it may take.
        lifetime: SignedDuration,
    },
    /// One more for approval than can be begun.
    #[error(
        "{max} authorisations of it were begun, which is as many as there can be; use the newest one while it can be approved, \
         or ask for what it is about anew"
    )]
    TooMany {
        /// Most of them.
        max: usize,
    },
    /// One more of a payment's cancellation than can be begun in some time. A payment can go on for years, and asking for it anew would
    /// be another one.
    #[error(
        "{max} authorisations of its cancellation were begun within {}, which is as many as there can be; use the newest one while it \
         can be approved, or begin another one {} after the first of them",
        duration_in_words(*within),
        duration_in_words(*within)
    )]
    TooManyCancellations {
        /// Most of them.
        max: usize,
        /// In which time.
        within: SignedDuration,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SubjectKind;

    const LIFETIME: SignedDuration = SignedDuration::from_hours(24);

    #[test]
    fn an_attempt_goes_forward_or_fails() {
        let now = Timestamp::UNIX_EPOCH;
        let begun = || {
            let subject = SubjectKind::Payment.with_id("p");
            Authorisation::begin(AuthorisationId::new("a"), (subject, 1), "https://x".into(), now)
        };
        assert_eq!(begun().status_at(now, LIFETIME), ScaStatus::Received);
        assert!(begun().confirm(now, LIFETIME).is_err());
        let approved = begun().start().approve(CustomerId::new("p"));
        assert_eq!(approved.status_at(now, LIFETIME), ScaStatus::Unconfirmed);
        let confirmed = approved.clone().confirm(now, LIFETIME).unwrap();
        assert_eq!(confirmed.status_at(now + LIFETIME, LIFETIME), ScaStatus::Finalised);
        assert_eq!(confirmed.clone().confirm(now + LIFETIME, LIFETIME), Ok(confirmed));
        assert_eq!(approved.status_at(now + LIFETIME, LIFETIME), ScaStatus::Failed);
        assert!(approved.confirm(now + LIFETIME, LIFETIME).is_err());
        assert!(!begun().fail().is_pending_at(now, LIFETIME) && begun().start().is_pending_at(now, LIFETIME));
    }

    #[test]
    fn those_for_approval_count_for_good_and_those_of_a_cancellation_for_a_day() {
        let now = Timestamp::UNIX_EPOCH;
        let subject = SubjectKind::Payment.with_id("p");
        let begun = Authorisation::begin(AuthorisationId::new("a"), (subject, 1), String::new(), now);
        let of_cancellation = begun.clone().for_purpose(Purpose::Cancellation);
        for (after, counts) in [(SignedDuration::ZERO, true), (LIFETIME, false)] {
            assert!(begun.counts_at(now + after, LIFETIME));
            assert_eq!(of_cancellation.counts_at(now + after, LIFETIME), counts, "{after:?}");
        }
    }

    #[test]
    fn the_third_wrong_answer_ends_it() {
        let now = Timestamp::UNIX_EPOCH;
        let subject = SubjectKind::Consent.with_id("c");
        let begun = Authorisation::begin(AuthorisationId::new("a"), (subject, 1), String::new(), now);
        let mut attempt = begun.start();
        for _ in 0..2 {
            attempt = attempt.wrong_answer(3);
            assert!(attempt.is_pending_at(now, LIFETIME));
        }
        assert_eq!(attempt.wrong_answer(3).status_at(now, LIFETIME), ScaStatus::Failed);
    }

    #[test]
    fn progress_has_stable_names_and_nobody_approves_without_a_customer() {
        let by = CustomerId::new("p");
        for (progress, name) in [
            (Progress::Received, "received"),
            (Progress::Started, "started"),
            (Progress::Approved { by: by.clone() }, "approved"),
            (Progress::Confirmed { by }, "confirmed"),
            (Progress::Failed, "failed"),
        ] {
            assert_eq!(progress.name(), name);
            assert_eq!(Progress::from_stored(name, progress.customer().cloned()), Some(progress.clone()));
            assert_eq!(Progress::from_stored(name, None).is_none(), progress.customer().is_some());
        }
        assert_eq!(Progress::from_stored("exempted", None), None);
    }
}
