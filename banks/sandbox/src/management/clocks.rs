//! The tenants' clocks: read, set, moved on, and put back to the bank's own time.

use axum::Json;
use axum::extract::{Request, State};
use edge::Agenda;
use gateway::domain::{Tenant, Timestamp, is_too_long_a_span, parse_moment};
use gateway::{Clock, Turn};
use serde::{Deserialize, Serialize};

use super::{Error, Management, json};
use crate::Sandbox;
use crate::clock::{ClockError, SandboxClock};
use crate::test_certificates::known_tenant;

/// Stops of a clock on its way at which payments are made, in one move; what is due after those is done at its end.
const MAX_STOPS: usize = 5000;

/// Small batches of what has ended that are forgotten before a move is answered; the rest is forgotten beside the calls.
const MAX_BATCHES: usize = 40;

/// A tenant's clock.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TenantClock {
    tenant: String,
    now: Timestamp,
    offset_seconds: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockMove {
    tenant: Option<String>,
    /// A moment as in RFC 3339.
    now: Option<String>,
    /// A span as in ISO 8601.
    advance: Option<String>,
    /// Back to the bank's own time.
    reset: Option<bool>,
}

/// Where a clock goes.
enum Move {
    To(Timestamp),
    By(jiff::Span),
    Back,
}

impl ClockMove {
    fn wanted(&self) -> Result<Move, Error> {
        match (&self.now, &self.advance, self.reset) {
            (Some(now), None, None) => Ok(Move::To(moment(now)?)),
            (None, Some(advance), None) => Ok(Move::By(span(advance)?)),
            (None, None, Some(true)) => Ok(Move::Back),
            _ => {
                let text = "send one of now (RFC 3339, for example 2027-01-31T12:00:00Z), advance (ISO 8601, for example \
                            P90D) and reset (true)";
                Err(Error::bad("invalid_request", text))
            }
        }
    }
}

pub(super) async fn read_all(State(sandbox): State<Sandbox>) -> Json<serde_json::Value> {
    clocks(&sandbox, &sandbox.gateway.settings().tenants)
}

pub(super) async fn move_them(
    State(Management { sandbox, due, moving, .. }): State<Management>,
    request: Request,
) -> Result<Json<serde_json::Value>, Error> {
    let wish: ClockMove = json(request).await?;
    let tenants = match &wish.tenant {
        Some(name) => vec![known_tenant(&sandbox, name)?],
        None => sandbox.gateway.settings().tenants.clone(),
    };
    let to = wish.wanted()?;
    let alone = moving.lock().await;
    // Another process may move a clock of the same bank, and may have done so just now.
    let mut turn = sandbox.gateway.turn("clock").await?;
    if sandbox.gateway.shares_its_store() {
        sandbox.clock.reload().await?;
    }
    // What is due already is done before time goes on.
    due.do_due(&sandbox.gateway).await;
    let mut ways = Vec::new();
    for tenant in &tenants {
        let until = match to {
            Move::To(now) => SandboxClock::possible(now)?,
            Move::By(span) => sandbox.clock.after(tenant, span)?,
            Move::Back => sandbox.clock.now(None),
        };
        ways.push((tenant, until));
    }
    let has_stopped = stop_where_something_is_due(&sandbox, &due, &mut turn, &ways).await?;
    for (tenant, until) in ways {
        match to {
            Move::To(now) => sandbox.clock.set(tenant, now).await?,
            Move::By(_) if has_stopped => sandbox.clock.set(tenant, until).await?,
            Move::By(span) => sandbox.clock.advance(tenant, span).await?,
            Move::Back => sandbox.clock.reset(tenant).await?,
        }
    }
    due.do_due(&sandbox.gateway).await;
    turn.end().await?;
    drop(alone);
    forget_what_ended(&sandbox, &tenants).await?;
    match (&wish.tenant, &tenants[..]) {
        (Some(_), [one]) => Ok(Json(serde_json::json!(read_clock(&sandbox, one)))),
        _ => Ok(clocks(&sandbox, &tenants)),
    }
}

/// Lets clocks stop on their ways at each moment at which something comes due, whoever does it, so that all of it is done on
/// its own day, with what the accounts hold then. They go side by side, and arrive together: what is due first in any
/// branch is done first. Says whether they stopped.
async fn stop_where_something_is_due(
    sandbox: &Sandbox,
    due: &Agenda,
    turn: &mut Turn,
    ways: &[(&Tenant, Timestamp)],
) -> Result<bool, Error> {
    for stops in 0..MAX_STOPS {
        // How far it is from the next stop to the end.
        let mut longest = None;
        for &(tenant, until) in ways {
            let next = due.next(tenant, sandbox.clock.now(Some(tenant))).await?;
            longest = longest.max(next.filter(|next| *next < until).map(|next| until.duration_since(next)));
        }
        let Some(left) = longest else { return Ok(stops > 0) };
        turn.keep().await?;
        for &(tenant, until) in ways {
            let stop = until.saturating_sub(left).unwrap_or(until);
            if stop > sandbox.clock.now(Some(tenant)) {
                sandbox.clock.set(tenant, stop).await?;
            }
        }
        due.do_due(&sandbox.gateway).await;
    }
    Ok(true)
}

/// Forgets what has ended by clocks that were moved, so that whoever calls next finds what they find at any other time. Between
/// two batches others write.
async fn forget_what_ended(sandbox: &Sandbox, tenants: &[Tenant]) -> Result<(), Error> {
    for tenant in tenants {
        for _ in 0..MAX_BATCHES {
            let now = sandbox.gateway.now(tenant);
            let (forgotten, failed) = sandbox.gateway.forget(tenant, now).await;
            // What is left is forgotten beside the calls.
            failed?;
            if !forgotten.is_more {
                break;
            }
        }
    }
    Ok(())
}

fn moment(text: &str) -> Result<Timestamp, Error> {
    parse_moment(text, None).map_err(|error| Error::bad("invalid_request", format!("now: {error}")))
}

/// A span of time: `P`, then numbers with their units, perhaps with a minus sign before it.
fn span(text: &str) -> Result<jiff::Span, Error> {
    let is_iso = text.trim_start_matches('-').starts_with('P');
    let span = text.parse::<jiff::Span>().ok().filter(|_| is_iso);
    span.ok_or_else(|| {
        if is_iso && is_too_long_a_span(text) {
            return ClockError::OutOfRange.into();
        }
        let text = "advance: a span is written as in ISO 8601, for example P90D, PT1H30M or -P1D";
        Error::bad("invalid_request", text)
    })
}

fn read_clock(sandbox: &Sandbox, tenant: &Tenant) -> TenantClock {
    TenantClock {
        tenant: tenant.to_string(),
        now: sandbox.clock.now(Some(tenant)),
        offset_seconds: sandbox.clock.offset(tenant).as_secs(),
    }
}

fn clocks(sandbox: &Sandbox, tenants: &[Tenant]) -> Json<serde_json::Value> {
    let clocks: Vec<_> = tenants.iter().map(|tenant| read_clock(sandbox, tenant)).collect();
    Json(serde_json::json!({"clocks": clocks}))
}
