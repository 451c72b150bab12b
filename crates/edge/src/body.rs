//! Reading a body within limits.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::Rejected;

/// Largest body, in bytes.
pub const MAX_BODY: usize = 1024 * 1024;

/// Time a body may take.
const TIME: Duration = Duration::from_secs(20);

/// Reads a body to its end. The size is limited while it arrives, not by what its header claims.
///
/// # Errors
/// [`Rejected::BodyTooLarge`], [`Rejected::BodyTimeout`], [`Rejected::BodyBroken`]
pub async fn read_body(body: Body) -> Result<Bytes, Rejected> {
    match tokio::time::timeout(TIME, Limited::new(body, MAX_BODY).collect()).await {
        Err(_) => Err(Rejected::BodyTimeout(TIME.as_secs())),
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Rejected::BodyTooLarge(MAX_BODY)),
        Ok(Err(_)) => Err(Rejected::BodyBroken),
    }
}
