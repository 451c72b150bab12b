//! Callbacks that could not be delivered: up to five further attempts, one minute apart, then again when their user says
//! so (section 18).

use bytes::Bytes;
use gateway::domain::{RequestId, Timestamp};
use gateway::{Ctx, Entry, Error as GatewayError};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::callbacks::{Access, Outcome, access, deliver};
use crate::error::Error;
use crate::fields::Fields;
use crate::names::whole_number;
use crate::notifications::Filter;
use crate::records::{Range, Record, find, key_of, list as list_records};
use crate::reply::Reply;
use crate::state::Bunq;
use crate::wire::objects::{Category, FilterFailure, Object};
use crate::{users, waiting};

/// Attempts after the first one.
const RETRIES: u32 = 5;

/// Between two attempts, by the bank's clock.
const PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// Failures of one user that are kept; older ones are forgotten.
const MOST: usize = 100;

/// Failures by the moment of their next attempt.
pub(crate) const WAITING: &str = "callbacks-waiting";

/// A callback that could not be delivered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Failure {
    filter: Filter,
    event_type: String,
    object_id: i64,
    /// What is to be delivered.
    body: String,
    attempts: u32,
    /// When it is tried again; none once that is over.
    next: Option<Timestamp>,
    message: String,
    response_code: Option<u16>,
}

impl Failure {
    pub(crate) fn new(
        filter: &Filter,
        (event_type, object_id): (&str, i64),
        body: &Bytes,
        now: Timestamp,
        outcome: Outcome,
    ) -> Self {
        let mut failure = Self {
            filter: filter.clone(),
            event_type: event_type.to_owned(),
            object_id,
            body: String::from_utf8_lossy(body).into_owned(),
            attempts: 0,
            next: None,
            message: String::new(),
            response_code: None,
        };
        failure.attempted(outcome, now);
        failure
    }

    /// Notes an attempt that did not succeed.
    fn attempted(&mut self, outcome: Outcome, now: Timestamp) {
        if outcome != Outcome::NotTried {
            self.attempts += 1;
        }
        (self.message, self.response_code) = match outcome {
            Outcome::Refused(status) => {
                (format!("The server answered with the status {status} instead of 200."), Some(status))
            }
            // What is behind an address is told to nobody.
            _ => ("The server could not be reached.".to_owned(), None),
        };
        let again = self.attempts <= RETRIES;
        self.next = again.then(|| later(now));
    }
}

impl Record<Failure> {
    /// Under which key it waits for its next attempt.
    fn waits_under(&self) -> Option<String> {
        Some(waiting::key(self.value.next?, (self.owner, self.id)))
    }

    /// Writes it, which waited under the key `before`, together with the moment that it waits for now.
    async fn keep(&self, bunq: &Bunq, before: Option<&str>) -> Result<(), GatewayError> {
        let (waits, waited) = waiting::moved(&bunq.drawer, WAITING, (before, self.waits_under())).await?;
        let written: Vec<Entry> = std::iter::once(self.entry()).chain(waits).collect();
        bunq.drawer.exchange(&written, waited.as_slice()).await
    }

    /// Deletes it, and that it waits.
    async fn forget(&self, bunq: &Bunq) -> Result<(), GatewayError> {
        let waits = self.waits_under().map(|key| (WAITING, key));
        let keys: Vec<_> = std::iter::once(key_of::<Failure>(self.owner, self.id)).chain(waits).collect();
        bunq.drawer.delete(&keys).await
    }
}

/// Keeps a failure, and as many before it as are kept.
pub(crate) async fn add(bunq: &Bunq, ctx: &Ctx, user: i64, failure: Failure) -> Result<(), GatewayError> {
    Record::new(bunq.number().await?, user, ctx.now, failure).keep(bunq, None).await?;
    let limit = i64::try_from(MOST).unwrap_or(i64::MAX).saturating_add(10);
    let all = list_records::<Failure>(&bunq.drawer, user, Range::Older(None), limit).await?;
    for old in all.iter().skip(MOST) {
        old.forget(bunq).await?;
    }
    Ok(())
}

/// Tries a failure again whose time has come.
pub(crate) async fn retry(bunq: &Bunq, request: RequestId, key: &str) -> Result<(), Error> {
    let (ctx, (user, id)) = (bunq.context(request)?, waiting::record_of(key));
    let failure = find::<Failure>(&bunq.drawer, user, id).await?;
    let Some(mut failure) = failure.filter(|failure| failure.waits_under().as_deref() == Some(key)) else {
        // It was forgotten, or waits under another key.
        return Ok(bunq.drawer.delete(&[(WAITING, key.to_owned())]).await?);
    };
    let access = match users::find(bunq, user).await? {
        Some(user) => access(bunq, &ctx, &user.value).await?,
        None => Access::Ended,
    };
    match access {
        Access::Suspended => failure.value.next = Some(later(ctx.now)),
        // A third party whose access has ended learns that, and nothing else any more.
        Access::Ended if failure.value.filter.category != Category::Oauth => {
            return Ok(failure.forget(bunq).await?);
        }
        Access::InPerson | Access::Granted(_) | Access::Ended => {
            let body = Bytes::from(failure.value.body.clone());
            let outcome = deliver(bunq, user, &failure.value.filter.target, body).await?;
            if outcome == Outcome::Taken {
                return Ok(failure.forget(bunq).await?);
            }
            failure.value.attempted(outcome, ctx.now);
            failure.updated = ctx.now;
        }
    }
    match failure.keep(bunq, Some(key)).await {
        // The user asked for it at the same moment.
        Err(GatewayError::Conflict) => Ok(()),
        kept => Ok(kept?),
    }
}

/// When what failed is tried again.
fn later(now: Timestamp) -> Timestamp {
    now.saturating_add(PAUSE).unwrap_or(Timestamp::MAX)
}

fn render(failure: &Record<Failure>) -> Object {
    let value = &failure.value;
    Object::NotificationFilterFailure(failure.stamped(FilterFailure {
        notification_filters: [value.filter.render()],
        category: value.filter.category,
        event_type: value.event_type.clone(),
        object_id: value.object_id,
        exception_message: value.message.clone(),
        response_code: value.response_code,
    }))
}

/// `GET /user/{user}/notification-filter-failure`
pub(crate) async fn list(call: Call) -> Result<Reply, Error> {
    let user = call.user()?;
    let (found, links) = call.page_of::<Failure>(user).await?;
    Ok(Reply::page(found.iter().map(render), links))
}

/// `POST /user/{user}/notification-filter-failure`: tries failures again, as often as at first.
pub(crate) async fn try_again(call: Call) -> Result<Reply, Error> {
    let user = call.user()?;
    let body = call.json()?;
    let text = Fields::of(&body).text("notification_filter_failed_ids")?;
    let wrong = || {
        let text = "The field \"notification_filter_failed_ids\" must hold 1 to 100 numbers with commas between them.";
        Error::bad(text)
    };
    let ids: Vec<i64> =
        text.split(',').map(|id| whole_number(id.trim()).ok_or_else(wrong)).collect::<Result<_, _>>()?;
    if ids.len() > MOST {
        return Err(wrong());
    }
    let mut failures = Vec::new();
    for id in ids {
        failures.push(call.record::<Failure>(user, id).await?);
    }
    // In whole seconds, rounded down: at once.
    let now = Timestamp::from_second(call.ctx.now.as_second()).unwrap_or(call.ctx.now);
    let mut last = user;
    for mut failure in failures {
        let before = failure.waits_under();
        failure.value.attempts = 0;
        failure.value.next = Some(now);
        failure.updated = call.ctx.now;
        match failure.keep(&call.bunq, before.as_deref()).await {
            // It is being tried at this moment.
            Ok(()) | Err(GatewayError::Conflict) => last = failure.id,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Reply::id(last))
}
