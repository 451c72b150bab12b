//! Events: what happened on a user's accounts, newest first (section 14.5). Every event is a payment.

use gateway::domain::Transaction;
use http::StatusCode;
use serde_json::{Value, json};

use crate::accounts::{self, Seen};
use crate::call::Call;
use crate::error::Error;
use crate::payments::{Renderer, find_one, in_range, moment_of};
use crate::records::Range;
use crate::reply::{Reply, time, wrapped};

/// The newest payments of each account that the list of events goes through.
const WINDOW: i64 = 1000;

/// One event: a payment with the account it is on.
struct Event {
    id: i64,
    created: jiff::Timestamp,
    value: Value,
}

fn event(call: &Call, seen: &Seen, user: i64, (id, transaction): (i64, &Transaction)) -> Event {
    let created = moment_of(&call.ctx, transaction);
    let payment = Renderer::new(call, seen).payment(id, transaction);
    let value = json!({
        "id": id,
        "created": time(created),
        "updated": time(created),
        "action": "CREATE",
        "user_id": user.to_string(),
        "monetary_account_id": seen.id.to_string(),
        "object": wrapped("Payment", payment),
        "status": "FINALIZED",
    });
    Event { id, created, value }
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
            let listed = in_range(call, &seen, Range::Older(None), WINDOW).await?;
            events.extend(listed.payments.iter().map(|(id, one)| event(call, &seen, user, (*id, one))));
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
    let (user, id) = (call.user()?, call.id("id")?);
    for seen in accounts::visible(&call).await? {
        if seen.readable.transactions.is_none() {
            continue;
        }
        match find_one(&call, &seen, id).await {
            Ok((id, one)) => return Ok(Reply::one("Event", event(&call, &seen, user, (id, &one)).value)),
            Err(error) if error.status == StatusCode::NOT_FOUND => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::not_found())
}
