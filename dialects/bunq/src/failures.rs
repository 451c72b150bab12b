//! Failures that a test asks for, as this interface tells them.

use axum::response::Response;
use edge::{Failing, ToldFailure};

use crate::error::Error;
use crate::router::{REQUEST_ID, RESPONSE_ID, SERVER_SIGNATURE_NAME, add_common, is_dutch};

/// How the interface fails. A certificate is shown once here, and an approval is a key.
pub(crate) const FAILING: Failing = Failing {
    tell,
    knows: &[],
    names_consent: |_, _| false,
    is_of_program: |_, path, _| !path.ends_with(edge::openapi::DESCRIPTION),
    leaves_alone: |_| false,
    signature: Some(SERVER_SIGNATURE_NAME),
};

fn tell(told: &ToldFailure<'_>) -> Response {
    let error = Error::new(told.failure.status(), told.text);
    let mut response = error.response(is_dutch(told.asked));
    response.headers_mut().insert(RESPONSE_ID, told.id.clone());
    add_common(response.headers_mut(), told.asked.get(REQUEST_ID).cloned());
    response
}
