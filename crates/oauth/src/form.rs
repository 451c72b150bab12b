//! Parameters of forms and queries, and what is said of wrong ones.

pub(crate) use edge::{Form, media_type};

use edge::FormError;

use crate::error::Error;

impl From<FormError> for Error {
    fn from(error: FormError) -> Self {
        match error {
            FormError::Rejected(rejected) => rejected.into(),
            other => Self::bad("invalid_request", other),
        }
    }
}
