//! An error as the management API tells it.

use axum::Json;
use axum::response::{IntoResponse, Response};
use edge::{NotBegun, with_fault};
use gateway::Fault;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::error::{DENIED, Error, refused_as};

/// An answer that is an error, in the format of the management API.
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
    /// In how many seconds the request would be right.
    pub(super) retry_after: Option<i64>,
    pub(super) fault: Option<Fault>,
}

pub(super) fn refused(status: StatusCode, code: &'static str, message: impl ToString) -> Refused {
    Refused { status, code, message: message.to_string(), retry_after: None, fault: None }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = json!({"error": self.code, "message": self.message});
        let mut response = (self.status, Json(body)).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        with_fault(response, self.fault)
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let message = error.description.unwrap_or_default();
        Self { status: error.status, code: error.error, message, retry_after: None, fault: error.fault }
    }
}

impl From<gateway::Error> for Refused {
    fn from(error: gateway::Error) -> Self {
        refused_as(DENIED, error).into()
    }
}

impl From<NotBegun> for Refused {
    fn from(NotBegun { status, text, fault }: NotBegun) -> Self {
        Self { fault, ..refused(status, "invalid_request", text) }
    }
}
