//! What happens at the bank.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use super::{Query, Refused, Served};
use crate::wire::{self, Code, EventsQuery};

/// Most events of an answer, and the longest wait for one in seconds.
const MOST: usize = 1000;
const LONGEST: u64 = 30;

pub(super) async fn events(
    State(served): State<Served>,
    Query(asked): Query<EventsQuery>,
) -> Result<Json<wire::Events>, Refused> {
    if asked.limit == 0 || asked.wait > LONGEST {
        return Err(Refused::malformed("limit is a number from 1 on, and wait one of 0 to 30 seconds"));
    }
    let Some(events) = &served.bank.events else {
        return Err(Refused::new(StatusCode::NOT_FOUND, Code::Malformed, "this bank tells no events"));
    };
    let wait = Duration::from_secs(asked.wait);
    let told = events.events(asked.after.as_deref(), asked.limit.min(MOST), wait).await?;
    let unknown = || Refused::new(StatusCode::NOT_FOUND, Code::NotFound, "after is no event of this bank");
    let events = told.ok_or_else(unknown)?.into_iter().map(wire::value).collect();
    Ok(Json(wire::Events { events }))
}
