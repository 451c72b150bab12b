//! Events: what happened on a user's accounts, newest first (section 14.5). Every event is a payment.

use http::StatusCode;

use crate::accounts::{self, Seen};
use crate::call::{Call, breathe};
use crate::error::Error;
use crate::ledger::{Ledger, Numbered, find_one};
use crate::pagination::Page;
use crate::payments::{Renderer, moment_of};
use crate::records::{Range, stamped};
use crate::reply::Reply;
use crate::wire;
use crate::wire::objects::{Object, State};

/// Where an event stands among all: by time, those of one moment by number.
type Key = (jiff::Timestamp, i64);

/// One event: a payment on one of the accounts.
type Event = (Key, Object);

fn key(call: &Call, (id, transaction): &Numbered) -> Key {
    (moment_of(&call.ctx, transaction), *id)
}

fn event(call: &Call, seen: &Seen, user: i64, one: &Numbered) -> Event {
    let (moment, id) = key(call, one);
    let event = wire::payments::Event {
        action: "CREATE",
        user_id: user.to_string(),
        monetary_account_id: seen.id.to_string(),
        object: Renderer::new(call, seen).object(one),
        status: State::Finalized,
    };
    ((moment, id), Object::Event(Box::new(stamped(id, (moment, moment), event))))
}

/// The account that an event is on, and its payment.
async fn find(call: &Call, accounts: &[Seen], id: i64) -> Result<Option<(usize, Numbered)>, Error> {
    for (position, seen) in accounts.iter().enumerate() {
        match find_one(call, seen, id).await {
            Ok(found) => return Ok(Some((position, found))),
            Err(error) if error.status == StatusCode::NOT_FOUND => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// The accounts whose payments the caller may see.
async fn readable(call: &Call) -> Result<Vec<Seen>, Error> {
    let mut accounts = accounts::visible(call).await?;
    accounts.retain(|seen| seen.readable.transactions.is_some());
    Ok(accounts)
}

/// The events that the filters leave and that may belong on a page, newest first: from each account no more than the
/// page holds.
async fn candidates(call: &Call, page: &Page) -> Result<Vec<Event>, Error> {
    let user = call.user()?;
    let filter = |name: &str| call.query.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    let account = filter("monetary_account_id");
    if filter("status").is_some_and(|status| status == "AWAITING_REPLY") {
        return Ok(Vec::new());
    }
    let all = readable(call).await?;
    let bound = match page.range {
        // Every event is newer than 0, which no event has.
        Range::Older(None) | Range::Newer(0) => None,
        Range::Older(Some(id)) | Range::Newer(id) => match find(call, &all, id).await? {
            Some((_, found)) => Some(key(call, &found)),
            // Whatever that was, nothing is known to be older or newer.
            None => return Ok(Vec::new()),
        },
    };
    let mut events = Vec::new();
    for seen in all.iter().filter(|seen| account.is_none_or(|account| *account == seen.id.to_string())) {
        breathe().await;
        let ledger = Ledger::of(call, seen).await?;
        let found = match (page.range, bound) {
            (Range::Newer(_), bound) => {
                let is_known = |one: &Numbered| bound.is_some_and(|bound| key(call, one) <= bound);
                let known = ledger.count_older(is_known).await?;
                ledger.after(known, page.limit()).await?
            }
            (_, Some(bound)) => {
                let older = ledger.count_older(|one| key(call, one) < bound).await?;
                ledger.up_to(older, page.limit()).await?
            }
            (_, None) => ledger.up_to(i64::MAX, page.limit()).await?,
        };
        events.extend(found.iter().map(|one| event(call, seen, user, one)));
    }
    events.sort_by_key(|(key, _)| std::cmp::Reverse(*key));
    Ok(events)
}

/// `GET /user/{user}/event`
pub(crate) async fn list(call: Call) -> Result<Reply, Error> {
    let page = call.page()?;
    let mut events = candidates(&call, &page).await?;
    let links = page.close(&call.path, &mut events, |((_, id), _)| *id, |_| 1);
    Ok(Reply::page(events.into_iter().map(|(_, event)| event), links))
}

/// `GET /user/{user}/event/{id}`
pub(crate) async fn read(call: Call) -> Result<Reply, Error> {
    let (user, id) = (call.user()?, call.names.id.get()?);
    let accounts = readable(&call).await?;
    let (position, found) = find(&call, &accounts, id).await?.ok_or_else(Error::not_found)?;
    Ok(Reply::one(event(&call, &accounts[position], user, &found).1))
}
