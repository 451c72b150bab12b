//! What comes of a call to the bank that does not go well.

use gateway::Error;
use http::StatusCode;

use crate::trouble::Trouble;
use crate::wire::{Code, Problem};

/// What came of a call that did not go well.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The bank said no. Its own words are for whoever sets the way up ([`crate::words_behind`]), and for no log: they may be about its
    /// customers.
    #[error("the core bank refuses: {}, code {:?}", .0, .1.code)]
    Refused(StatusCode, Problem),
    /// An answer that is none of the interface.
    #[error("the core bank answered with {0}")]
    Status(StatusCode),
    /// An answer that is too large, or JSON that does not fit the interface: what it was asked for is not known, and that it is there
    /// is.
    #[error("{0}")]
    Odd(String),
    /// No answer, or none that means anything: nobody knows what the bank did.
    #[error("{text}")]
    Away {
        /// What happened.
        text: String,
        /// What is wrong with the way, as far as that is known.
        trouble: Option<Trouble>,
    },
}

impl Failure {
    pub(crate) fn away(text: impl Into<String>) -> Self {
        Self::Away { text: text.into(), trouble: None }
    }

    /// Whether the bank is there, and does not want what it is asked: the same again will not change its mind soon. One that says that
    /// it is asked too often, or that it waited too long for the question, cannot answer now.
    pub(crate) fn is_no(&self) -> bool {
        match self {
            Self::Refused(_, Problem { code: Code::Unavailable, .. }) => false,
            Self::Refused(StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT, _)
            | Self::Status(StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT) => false,
            Self::Refused(..) => true,
            Self::Status(status) => status.is_client_error(),
            Self::Odd(_) | Self::Away { .. } => false,
        }
    }

    /// Whether the bank is there, so that it is not asked the same once more and is in nobody's way.
    pub(crate) fn is_answer(&self) -> bool {
        self.is_no() || matches!(self, Self::Odd(_))
    }

    /// Whether the bank said that there is no such thing.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused(_, Problem { code: Code::NotFound, .. }))
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::unavailable(failure)
    }
}
