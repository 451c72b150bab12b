//! Events: what happened on a user's accounts, newest first (section 14.5). Every event is a payment.

use serde_json::{Value, json};

use crate::accounts::{self, Seen};
use crate::call::Call;
use crate::error::Error;
use crate::payments::{Renderer, in_range, moment_of};
use crate::records::Range;
use crate::reply::{Reply, time, wrapped};

/// Payments of each account that are looked at.
const WINDOW: i64 = 1000;

/// One event: a payment with the account it is on.
struct Event {
    id: i64,
    created: jiff::Timestamp,
    value: Value,
}

async fn events_of(call: &Call, seen: &Seen, user: i64) -> Result<Vec<Event>, Error> {
    let listed = in_range(call, seen, Range::Older(None), WINDOW).await?;
    let renderer = Renderer::new(call, seen);
    let event = |(id, transaction): &(i64, gateway::domain::Transaction)| {
        let created = moment_of(&call.ctx, transaction);
        let value = json!({
            "id": id,
            "created": time(created),
            "updated": time(created),
            "action": "CREATE",
            "user_id": user.to_string(),
            "monetary_account_id": seen.id.to_string(),
            "object": wrapped("Payment", renderer.payment(*id, transaction)),
            "status": "FINALIZED",
        });
        Event { id: *id, created, value }
    };
    Ok(listed.payments.iter().map(event).collect())
}

/// Every event that the filters leave, newest first.
async fn all(call: &Call) -> Result<Vec<Event>, Error> {
    let user = call.user()?;
    let filter = |name: &str| call.query.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    let account = filter("monetary_account_id");
    if filter("status").is_some_and(|status| status == "AWAITING_REPLY") {
        return Ok(Vec::new());
    }
    let mut events = Vec::new();
    for seen in accounts::visible(call).await? {
        let is_wanted = account.is_none_or(|account| *account == seen.id.to_string());
        if is_wanted && seen.readable.transactions.is_some() {
            events.extend(events_of(call, &seen, user).await?);
        }
    }
    events.sort_by_key(|event| std::cmp::Reverse((event.created, event.id)));
    Ok(events)
}

/// `GET /user/{user}/event`
pub(crate) async fn list(call: Call) -> Result<Reply, Error> {
    let page = call.page()?;
    let events = all(&call).await?;
    let place = |id: i64| events.iter().position(|event| event.id == id);
    let count = usize::try_from(page.count).unwrap_or(usize::MAX);
    let (from, to) = match page.range {
        Range::Older(None) => (0, count),
        Range::Older(Some(id)) => {
            let from = place(id).map_or(events.len(), |place| place + 1);
            (from, from.saturating_add(count))
        }
        Range::Newer(id) => {
            let to = place(id).unwrap_or(0);
            (to.saturating_sub(count), to)
        }
    };
    let (from, to) = (from.min(events.len()), to.min(events.len()));
    let selected = &events[from..to];
    let ids: Vec<i64> = selected.iter().map(|event| event.id).collect();
    let elements = selected.iter().map(|event| wrapped("Event", event.value.clone())).collect();
    Ok(Reply::page(elements, page.links(&call.path, &ids, to < events.len(), from > 0)))
}

/// `GET /user/{user}/event/{id}`
pub(crate) async fn read(call: Call) -> Result<Reply, Error> {
    let id = call.id("id")?;
    let event = all(&call).await?.into_iter().find(|event| event.id == id);
    Ok(Reply::one("Event", event.ok_or_else(Error::not_found)?.value))
}
