//! The error of every use case, which each edge translates into its own words.

use domain::{
    AccessRefusal, AuthorisationRefusal, ConsentRefusal, FundsRefusal, GrantRefusal, PaymentRefusal, Refusal,
    StandingRefusal,
};
use store::{Fault, StoreError};

use crate::randomness::pause;

/// Why a use case did not succeed. The fault behind a failure is for the log alone, which takes it where the request's id
/// is known; answers that are made of it share it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// A rule said no.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// There is no such thing, or it is somebody else's.
    #[error("{} not found", .0.name())]
    NotFound(Noun),
    /// Others changed the same thing again and again meanwhile.
    #[error("others are changing the same data; try again")]
    Conflict,
    /// Something the gateway depends on does not answer.
    #[error("the service is not available; try again later")]
    Unavailable(#[source] Fault),
    /// A fault of the gateway itself.
    #[error("internal error")]
    Internal(#[source] Fault),
}

impl Error {
    /// Something the gateway depends on does not answer.
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into().into())
    }

    /// A fault of the gateway itself.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into().into())
    }
}

/// Kinds of things that can be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noun {
    /// A certificate.
    Certificate,
    /// A consent.
    Consent,
    /// An authorisation.
    Authorisation,
    /// An account.
    Account,
    /// A customer.
    Customer,
    /// A payment.
    Payment,
    /// A third party.
    ThirdParty,
}

impl Noun {
    /// The word for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Consent => "consent",
            Self::Authorisation => "authorisation",
            Self::Account => "account",
            Self::Customer => "customer",
            Self::Payment => "payment",
            Self::ThirdParty => "third party",
        }
    }
}

macro_rules! refused_by {
    ($($refusal:ty),*) => {
        $(impl From<$refusal> for Error {
            fn from(refusal: $refusal) -> Self {
                Self::Refused(refusal.into())
            }
        })*
    };
}

refused_by!(
    AccessRefusal,
    AuthorisationRefusal,
    ConsentRefusal,
    FundsRefusal,
    GrantRefusal,
    PaymentRefusal,
    StandingRefusal
);

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::Conflict,
            StoreError::Unavailable(_) => Self::unavailable(error),
            StoreError::Violation(_) | StoreError::Corrupt { .. } | StoreError::Newer { .. } => {
                Self::internal(error)
            }
        }
    }
}

/// Further attempts.
const RETRIES: u32 = 29;

/// How long may be waited before each further attempt: twice as long each time, so that a crowd on one row thins out by
/// itself, and a quarter of a second at most.
const LONGEST_DOUBLING: u32 = 8;

/// Runs load, decide, save until no row moved on meanwhile, thirty times at most, with a random pause before each
/// further time.
///
/// # Errors
/// Those of the attempt; [`Error::Conflict`] only if others were faster time and again.
pub async fn retry<T, F>(attempt: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    for retry in 0..RETRIES {
        match attempt().await {
            Err(Error::Conflict) => tokio::time::sleep(pause(1 << retry.min(LONGEST_DOUBLING))).await,
            done => return done,
        }
    }
    attempt().await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn a_conflict_is_tried_again_a_few_times_and_nothing_else_is() {
        let count = Cell::new(0);
        let fail = |error: fn() -> Error| {
            let count = &count;
            async move {
                count.set(count.get() + 1);
                Err::<(), _>(error())
            }
        };
        for (error, attempts) in [
            ((|| Error::Conflict) as fn() -> Error, 30),
            (|| StoreError::Violation(store::fault("CHECK")).into(), 1),
            (|| StoreError::Unavailable(store::fault("full")).into(), 1),
        ] {
            count.set(0);
            assert!(retry(|| fail(error)).await.is_err());
            assert_eq!(count.get(), attempts);
        }
    }
}
