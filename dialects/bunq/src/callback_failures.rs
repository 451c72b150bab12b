//! Callbacks that could not be delivered: up to five further attempts, one minute apart, then again when their user says
//! so (section 18).

use bytes::Bytes;
use gateway::domain::{RequestId, Timestamp};
use gateway::{Ctx, Error as GatewayError};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::callbacks::{Access, Outcome, access, deliver};
use crate::error::Error;
use crate::fields::Fields;
use crate::names::whole_number;
use crate::notifications::Filter;
use crate::records::{Range, Record, find, list as list_records};
use crate::reply::Reply;
use crate::state::Bunq;
use crate::users;
use crate::wire::objects::{Category, FilterFailure, Object};

/// Attempts after the first one.
const RETRIES: u32 = 5;

/// Between two attempts, by the bank's clock.
const PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// Failures of one user that are kept; older ones are forgotten.
const MOST: usize = 100;

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

    /// Whether it is tried again by itself.
    pub(crate) fn is_waiting(&self) -> bool {
        self.next.is_some()
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
        self.next = again.then(|| now.saturating_add(PAUSE).unwrap_or(Timestamp::MAX));
    }
}

/// Keeps a failure, and as many before it as are kept; returns its number.
pub(crate) async fn keep(bunq: &Bunq, ctx: &Ctx, user: i64, failure: Failure) -> Result<i64, GatewayError> {
    let added = bunq.add(ctx, user, failure).await?;
    let limit = i64::try_from(MOST).unwrap_or(i64::MAX).saturating_add(10);
    let all = list_records::<Failure>(&bunq.drawer, user, Range::Older(None), limit).await?;
    for old in all.iter().skip(MOST) {
        old.delete(&bunq.drawer).await?;
    }
    Ok(added.id)
}

/// Tries a failure again if its time has come; says whether it is to be tried once more.
pub(crate) async fn retry(bunq: &Bunq, request: RequestId, (user, id): (i64, i64)) -> Result<bool, Error> {
    let ctx = bunq.context(request)?;
    let Some(mut failure) = find::<Failure>(&bunq.drawer, user, id).await? else {
        return Ok(false);
    };
    let Some(next) = failure.value.next else { return Ok(false) };
    if ctx.now < next {
        return Ok(true);
    }
    let access = match users::find(bunq, user).await? {
        Some(user) => access(bunq, &ctx, &user.value).await?,
        None => Access::Ended,
    };
    match access {
        Access::Suspended => return Ok(true),
        // A third party whose access has ended learns that, and nothing else any more.
        Access::Ended if failure.value.filter.category != Category::Oauth => {
            failure.delete(&bunq.drawer).await?;
            return Ok(false);
        }
        Access::InPerson | Access::Granted(_) | Access::Ended => {}
    }
    let body = Bytes::from(failure.value.body.clone());
    let outcome = deliver(bunq, user, &failure.value.filter.target, body).await?;
    if outcome == Outcome::Taken {
        failure.delete(&bunq.drawer).await?;
        return Ok(false);
    }
    failure.value.attempted(outcome, ctx.now);
    failure.updated = ctx.now;
    match failure.save(&bunq.drawer).await {
        // The user asked for it at the same moment.
        Ok(()) | Err(GatewayError::Conflict) => Ok(failure.value.is_waiting()),
        Err(error) => Err(error.into()),
    }
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
    let mut last = user;
    for mut failure in failures {
        failure.value.attempts = 0;
        failure.value.next = Some(call.ctx.now);
        failure.updated = call.ctx.now;
        match failure.save(&call.bunq.drawer).await {
            // It is being tried at this moment.
            Ok(()) | Err(GatewayError::Conflict) => last = failure.id,
            Err(error) => return Err(error.into()),
        }
    }
    call.bunq.callbacks.look_again();
    Ok(Reply::id(last))
}
