//! Callbacks: what happened on accounts is told to those who asked for it (section 18).
//!
//! One task (`callback_jobs.rs`) looks at the accounts with filters and tells what came after what it told last. So the
//! history of an account is the queue: it is bounded by what is being told, survives a restart, and no request waits for
//! it, whatever moved the money. What could not be told is a failure (`callback_failures.rs`), which the same task tries
//! again.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use edge::outbound;
use gateway::domain::{Interface, RequestId, TppId};
use gateway::{ActingTpp, Ctx, Error as GatewayError, Usage};
use http::{HeaderMap, HeaderValue, header};

use crate::accounts::{self, Seen};
use crate::call::Call;
use crate::callback_decisions;
use crate::callback_failures::{self, Failure};
use crate::error::Error;
use crate::ledger::in_range;
use crate::notifications::{FILTERS, Filter, pinned_by};
use crate::payments::Renderer;
use crate::records::{Range, look_up};
use crate::reply::ascii;
use crate::router::SERVER_SIGNATURE;
use crate::state::Bunq;
use crate::users::{self, User};
use crate::wire::objects::{Category, Notification, Object, State};

/// Payments of one account that are told before others have their turn.
const MOST: i64 = 20;

/// Of a user's accounts, and what was told of each, that are forgotten with the filters.
const MOST_TOLD: i64 = 1000;

/// From filters and an account to the number of the payment that was told last.
const TOLD: &str = "notification-told";

/// Categories of what changes a balance.
const OF_PAYMENTS: [Category; 2] = [Category::Mutation, Category::Payment];

/// The category, and the type of event, by which a third party learns that a user withdrew its access.
const OF_ACCESS: (Category, &str) = (Category::Oauth, "OAUTH_REVOKED");

/// Begins at what is on the accounts now: what filters are about is what comes after them.
pub(crate) async fn begin(call: &Call, key: &str, filters: &[Filter]) -> Result<(), Error> {
    if matches!(call.caller()?, User::Provider { .. }) {
        return Ok(());
    }
    for seen in accounts::visible(call).await? {
        if !is_about(key, &seen) {
            continue;
        }
        if seen.readable.transactions.is_some() {
            note(call, key, &seen, newest(call, &seen).await?).await?;
        }
        callback_decisions::begin(call, key, filters, &seen).await?;
    }
    Ok(())
}

/// Filters of a user are about all accounts, those below an account about that one.
fn is_about(key: &str, seen: &Seen) -> bool {
    key.split_once("/account/").is_none_or(|(_, account)| account == seen.id.to_string())
}

/// The number of the newest payment, or 0.
async fn newest(call: &Call, seen: &Seen) -> Result<i64, Error> {
    let listed = in_range(call, seen, Range::Older(None), 1).await?;
    Ok(listed.payments.first().map_or(0, |(id, _)| *id))
}

/// Notes what was told. It only rises: who begins anew and who tells at the same moment do not undo each other's work.
async fn note(call: &Call, key: &str, seen: &Seen, told: i64) -> Result<(), Error> {
    let rise = |known: Option<&str>| {
        let known = known.and_then(|known| known.parse::<i64>().ok());
        known.is_none_or(|known| known < told).then(|| told.to_string())
    };
    call.bunq.drawer.update(TOLD, &format!("{key}/{}", seen.id), rise).await?;
    Ok(())
}

/// Forgets filters, and what was told by them.
pub(crate) async fn forget(bunq: &Bunq, key: &str) -> Result<(), GatewayError> {
    // Every key that begins with the own one and a slash comes before it with the next character.
    let (begin, end) = (format!("{key}/"), format!("{key}0"));
    let mut keys = vec![(FILTERS, key.to_owned())];
    for kind in [TOLD, callback_decisions::TOLD_STATES] {
        let told = bunq.drawer.first(kind, (&begin, &end), MOST_TOLD).await?;
        // Filters of one account of the user have keys of their own below.
        let is_own = |told: &String| told.strip_prefix(&begin).is_some_and(|of| !of.starts_with("account/"));
        keys.extend(told.into_iter().map(|entry| entry.key).filter(is_own).map(|key| (kind, key)));
    }
    bunq.drawer.delete(&keys).await
}

/// Tells what is new; says whether there may be more to tell later.
///
/// # Errors
/// [`Error`] for what is to be tried again.
pub(crate) async fn look(bunq: &Arc<Bunq>, request: RequestId, key: &str) -> Result<bool, Error> {
    let ctx = bunq.context(request)?;
    let filters = look_up::<Vec<Filter>>(&bunq.drawer, FILTERS, key).await?;
    let filters = filters.unwrap_or_default();
    let user = key.split('/').nth(1).and_then(|user| user.parse().ok());
    let (Some(user), false) = (user, filters.is_empty()) else { return Ok(false) };
    let value = users::find(bunq, user).await?.map(|record| record.value);
    let value = match value {
        // A service provider has no accounts; there is nothing to look at.
        Some(User::Provider { .. }) => return Ok(false),
        Some(value) => value,
        // One that stood for an approval, which ended long ago.
        None => {
            forget(bunq, key).await?;
            return Ok(false);
        }
    };
    let access = access(bunq, &ctx, &value).await?;
    if access == Access::Suspended {
        // What comes meanwhile waits in the history of the accounts.
        return Ok(true);
    }
    let has_access = access != Access::Ended;
    let call = Call::of_bank(bunq, ctx, (user, value), access.acting());
    let mut teller = Teller { call: &call, user, unreachable: HashSet::new() };
    if !has_access {
        tell_of_access(&mut teller, &filters).await?;
        forget(&call.bunq, key).await?;
        return Ok(false);
    }
    let mut outcome = Ok(());
    for seen in accounts::visible(&call).await? {
        if is_about(key, &seen) {
            // What cannot be told of one account keeps nothing of another one waiting.
            let told = tell_of_account(&mut teller, key, &filters, &seen).await;
            outcome = outcome.and(told);
        }
    }
    outcome.map(|()| true)
}

async fn tell_of_account(
    teller: &mut Teller<'_>,
    key: &str,
    filters: &[Filter],
    seen: &Seen,
) -> Result<(), Error> {
    if seen.readable.transactions.is_some() {
        tell_of_payments(teller, key, filters, seen).await?;
    }
    callback_decisions::tell(teller, key, filters, seen).await
}

/// Whether a user may still see the customer's data.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// A customer always may.
    InPerson,
    /// A third party while it may act and its approval lasts.
    Granted(ActingTpp),
    /// A third party that may not act, and perhaps may again. Until then nothing is sent to it.
    Suspended,
    /// No longer.
    Ended,
}

impl Access {
    fn acting(self) -> Option<ActingTpp> {
        match self {
            Self::Granted(acting) => Some(acting),
            Self::InPerson | Self::Suspended | Self::Ended => None,
        }
    }
}

/// What a user may see now.
///
/// # Errors
/// [`GatewayError`] for what is no answer.
pub(crate) async fn access(bunq: &Bunq, ctx: &Ctx, user: &User) -> Result<Access, GatewayError> {
    let User::Key { tpp, grant, .. } = user else { return Ok(Access::InPerson) };
    let gateway = &bunq.edge.gateway;
    let acting = match gateway.may_act_so(ctx, Interface::Bunq, tpp, Usage::IsTold).await {
        Err(GatewayError::Refused(_)) => return Ok(Access::Suspended),
        acting => acting?,
    };
    match gateway.check_grant(ctx, &acting, grant).await {
        Err(GatewayError::Refused(_) | GatewayError::NotFound(_)) => Ok(Access::Ended),
        granted => granted.map(|_| Access::Granted(acting)),
    }
}

async fn tell_of_payments(
    teller: &mut Teller<'_>,
    key: &str,
    filters: &[Filter],
    seen: &Seen,
) -> Result<(), Error> {
    let call = teller.call;
    let Some(told) = look_up::<i64>(&call.bunq.drawer, TOLD, &format!("{key}/{}", seen.id)).await? else {
        // An account that came after the filters.
        return note(call, key, seen, newest(call, seen).await?).await;
    };
    let new = in_range(call, seen, Range::Newer(told), MOST).await?;
    let renderer = Renderer::new(call, seen);
    for one in new.payments.iter().rev() {
        let (id, object) = (one.0, renderer.object(one));
        let direction = if one.1.amount.minor < 0 { "CREATED" } else { "RECEIVED" };
        for filter in filters.iter().filter(|filter| OF_PAYMENTS.contains(&filter.category)) {
            teller.tell(filter, format!("{}_{direction}", filter.category), id, &object).await?;
        }
        note(call, key, seen, id).await?;
    }
    Ok(())
}

async fn tell_of_access(teller: &mut Teller<'_>, filters: &[Filter]) -> Result<(), Error> {
    let (category, event_type) = OF_ACCESS;
    let name = teller.call.caller()?.tpp().map(TppId::as_str).unwrap_or_default().to_owned();
    let object = Object::EndedClient { status: State::Cancelled, user_id: teller.user, name };
    for filter in filters.iter().filter(|filter| filter.category == category) {
        teller.tell(filter, event_type.to_owned(), teller.user, &object).await?;
    }
    Ok(())
}

/// Tells one user's servers.
pub(crate) struct Teller<'a> {
    pub(crate) call: &'a Call,
    user: i64,
    /// Servers that did not take what was told before, so that the rest is tried later.
    unreachable: HashSet<String>,
}

impl Teller<'_> {
    pub(crate) async fn tell(
        &mut self,
        filter: &Filter,
        event_type: String,
        object_id: i64,
        object: &Object,
    ) -> Result<(), Error> {
        let notification = Notification::NotificationUrl {
            target_url: &filter.target,
            category: filter.category,
            event_type: &event_type,
            object,
        };
        let body = ascii(&notification);
        let Call { bunq, ctx, .. } = self.call;
        // What happened after a third party's access ended is none of its business, however close together they are.
        let access = access(bunq, ctx, self.call.caller()?).await?;
        match access {
            // Nothing is noted as told; it is told when the third party may act again.
            Access::Suspended => return Err(Error::unauthorised()),
            Access::Ended if filter.category != OF_ACCESS.0 => return Ok(()),
            Access::InPerson | Access::Granted(_) | Access::Ended => {}
        }
        let outcome = if self.unreachable.contains(&filter.target) {
            Outcome::NotTried
        } else {
            deliver(bunq, self.user, &filter.target, body.clone()).await?
        };
        if outcome == Outcome::Taken {
            return Ok(());
        }
        self.unreachable.insert(filter.target.clone());
        let failure = Failure::new(filter, (&event_type, object_id), &body, ctx.now, outcome);
        Ok(callback_failures::add(bunq, ctx, self.user, failure).await?)
    }
}

/// What came of telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The server took it.
    Taken,
    /// The server answered with this status.
    Refused(u16),
    /// There is no such server, or none that may be called.
    NotReached,
    /// It was not tried, because what came before could not be told.
    NotTried,
}

/// Posts a body to a target, signed as answers are.
pub(crate) async fn deliver(
    bunq: &Bunq,
    user: i64,
    target: &str,
    body: Bytes,
) -> Result<Outcome, GatewayError> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Some(signature) = bunq.key().await?.sign(&body) {
        headers.insert(SERVER_SIGNATURE, signature);
    }
    let pinned = pinned_by(bunq, user).await?;
    Ok(match outbound::post(target, headers, body, pinned.as_deref(), &bunq.edge.loopback).await {
        Ok(status) if status.is_success() => Outcome::Taken,
        Ok(status) => Outcome::Refused(status.as_u16()),
        Err(_) => Outcome::NotReached,
    })
}
