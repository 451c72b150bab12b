//! What is known of one certificate, how long it holds, and what is left of it when nobody answers.

use domain::Timestamp;
use eidas::status::{Standing, Status};
use jiff::SignedDuration;

use super::{AGAIN, LONGEST};

/// How long it is believed that a certificate was revoked, or is unknown: those that were suspended or are new become good
/// ones.
const NEGATIVE: SignedDuration = SignedDuration::from_secs(60);

/// What is known of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// The bank itself knows how it stands.
    Kept,
    Asked {
        /// What the issuer said last, if it holds; or said when it was revoked, whatever came later.
        standing: Option<Standing>,
        /// As of when it said so.
        as_of: Timestamp,
        /// When the issuer last said that it is good.
        good_at: Option<Timestamp>,
        /// When it is asked again beside the calls.
        again: Timestamp,
        /// When no call is answered any more before it was asked.
        end: Timestamp,
    },
}

/// How a certificate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Its issuer says that it is good, or the bank itself knows.
    Good,
    /// Its issuer revoked it.
    Revoked {
        /// Since when.
        at: Timestamp,
    },
    /// Its issuer says that it may not be used for a while.
    Suspended {
        /// Since when.
        at: Timestamp,
    },
    /// Its issuer does not know it: it never issued it, or has not heard of it yet.
    Unknown,
    /// Nobody tells.
    Unanswered {
        /// When its issuer last said that it is good.
        good_at: Option<Timestamp>,
    },
}

/// An answer, unless it says that a certificate is good and is older than the one that it is revoked: somebody on the way may have kept
/// it, or it is of a list that was made before.
pub(super) fn not_replayed(status: Status, before: Option<Known>) -> Result<Status, String> {
    match before {
        Some(Known::Asked {
            standing: Some(Standing::Revoked { .. } | Standing::Suspended { .. }),
            as_of,
            ..
        }) if status.standing == Standing::Good && status.this_update < as_of => {
            let then = status.this_update;
            Err(format!("what says that it is good is of {then}, and it was revoked by an answer of {as_of}"))
        }
        _ => Ok(status),
    }
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(now)
}

impl Known {
    /// What is known since an issuer said something.
    pub(super) fn said(status: Status, now: Timestamp) -> Self {
        let (standing, as_of) = (Some(status.standing), status.this_update);
        if status.standing == Standing::Good {
            // One that does not say until when holds as long as it was taken at all: a day from when it was made.
            let until = status.next_update.unwrap_or_else(|| later(as_of, LONGEST));
            let end = until.min(later(now, LONGEST));
            let again = later(now, end.duration_since(now) / 2);
            Self::Asked { standing, as_of, good_at: Some(now), again, end }
        } else {
            let end = later(now, NEGATIVE);
            Self::Asked { standing, as_of, good_at: None, again: end, end }
        }
    }

    /// What is left of it since the issuer was asked again and did not answer.
    pub(super) fn unanswered(before: Option<Self>, now: Timestamp) -> Self {
        let soon = later(now, AGAIN);
        match before {
            // What was said still holds.
            Some(Self::Asked { standing: standing @ Some(Standing::Good), as_of, good_at, end, .. })
                if now < end =>
            {
                Self::Asked { standing, as_of, good_at, again: soon.min(end), end }
            }
            // What was revoked stays so until its issuer says something else.
            Some(Self::Asked {
                standing: standing @ Some(Standing::Revoked { .. } | Standing::Suspended { .. }),
                as_of,
                ..
            }) => Self::Asked { standing, as_of, good_at: None, again: soon, end: soon },
            Some(Self::Asked { as_of, good_at, .. }) => {
                Self::Asked { standing: None, as_of, good_at, again: soon, end: soon }
            }
            Some(Self::Kept) | None => {
                Self::Asked { standing: None, as_of: now, good_at: None, again: soon, end: soon }
            }
        }
    }

    pub(super) fn holds_at(&self, now: Timestamp) -> bool {
        match self {
            Self::Kept => true,
            Self::Asked { end, .. } => now < *end,
        }
    }

    pub(super) fn is_asked_again_at(&self, now: Timestamp) -> bool {
        match self {
            Self::Kept => false,
            Self::Asked { again, .. } => *again <= now,
        }
    }

    pub(super) fn verdict(&self) -> Verdict {
        match *self {
            Self::Kept | Self::Asked { standing: Some(Standing::Good), .. } => Verdict::Good,
            Self::Asked { standing: Some(Standing::Revoked { at }), .. } => Verdict::Revoked { at },
            Self::Asked { standing: Some(Standing::Suspended { at }), .. } => Verdict::Suspended { at },
            Self::Asked { standing: Some(Standing::Unknown), .. } => Verdict::Unknown,
            Self::Asked { standing: None, good_at, .. } => Verdict::Unanswered { good_at },
        }
    }

    /// What is left of it when its time is over and nobody answers.
    pub(super) fn without_answer(&self) -> Verdict {
        match self.verdict() {
            Verdict::Good | Verdict::Unknown | Verdict::Unanswered { .. } => {
                let Self::Asked { good_at, .. } = *self else { return Verdict::Good };
                Verdict::Unanswered { good_at }
            }
            against @ (Verdict::Revoked { .. } | Verdict::Suspended { .. }) => against,
        }
    }
}
