//! Scheduled payments (section 16.5). They are made by the bank itself when their time has come: as time goes by, and
//! at once when a clock is moved. Each is made once.

use gateway::domain::payments::check_transfers;
use gateway::domain::{CustomerId, PaymentId, Timestamp, Transfer};
use jiff::Span;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::accounts::{self, Seen};
use crate::call::{Call, breathe};
use crate::due_payments::{add, due_key, save};
use crate::error::{Error, retry};
use crate::fields::Fields;
use crate::ledger::made_of;
use crate::names::Number;
use crate::pagination::Page;
use crate::payments::{Renderer, planned};
use crate::pointers::transfer;
use crate::records::{Record, list as list_records};
use crate::reply::{Reply, time};
use crate::wire;
use crate::wire::ErrorText;
use crate::wire::objects::{Object, State};
use crate::wire::payments::{Planned, Schedule, ScheduleInstance, Times, Unit};

/// Most schedules of one account that have not ended.
const MAX_SCHEDULES: usize = 200;

/// A payment that is made again and again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ScheduledPayment {
    /// Who pays; absent in schedules of earlier versions until their user comes again.
    #[serde(default)]
    pub(crate) customer: Option<CustomerId>,
    pub(crate) transfer: Transfer,
    start: Timestamp,
    end: Option<Timestamp>,
    unit: Unit,
    size: i64,
    is_cancelled: bool,
    /// How many times have come.
    pub(crate) come: i64,
    pub(crate) instances: Vec<Instance>,
}

/// One time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Instance {
    pub(crate) number: i64,
    pub(crate) at: Timestamp,
    /// Why it could not be made; none if it was.
    pub(crate) error: Option<String>,
}

impl ScheduledPayment {
    /// The moment of a time, the first being 0; none after the last.
    fn moment(&self, number: i64) -> Option<Timestamp> {
        let count = number.checked_mul(self.size)?;
        let span = match self.unit {
            Unit::Once => (number == 0).then(Span::new)?,
            Unit::Hourly => Span::new().try_hours(count).ok()?,
            Unit::Daily => Span::new().try_days(count).ok()?,
            Unit::Weekly => Span::new().try_weeks(count).ok()?,
            Unit::Monthly => Span::new().try_months(count).ok()?,
            Unit::Yearly => Span::new().try_years(count).ok()?,
        };
        let moment = self.start.to_zoned_datetime(TimeZone::UTC).checked_add(span).ok()?.timestamp();
        (self.end.is_none_or(|end| moment <= end)).then_some(moment)
    }

    /// The next time; none after the end.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.moment(self.come).filter(|_| !self.is_cancelled)
    }

    fn status(&self) -> State {
        match self.next() {
            _ if self.is_cancelled => State::Cancelled,
            None => State::Finished,
            Some(_) => State::Active,
        }
    }
}

/// The payment of a schedule at one of its times.
pub(crate) fn payment_id(schedule: i64, number: i64) -> PaymentId {
    PaymentId::new(format!("schedule-{schedule}-{number}"))
}

/// What a request says about times.
fn read_schedule(
    call: &Call,
    fields: Fields<'_>,
) -> Result<(Timestamp, Option<Timestamp>, Unit, i64), Error> {
    let start = fields.optional_time("time_start")?;
    let start = start.ok_or_else(|| Error::bad("The field \"schedule.time_start\" is required."))?;
    if start < call.ctx.now {
        return Err(Error::bad("The field \"schedule.time_start\" must be in the future."));
    }
    let end = fields.optional_time("time_end")?;
    if end.is_some_and(|end| end < start) {
        return Err(Error::bad("The field \"schedule.time_end\" must not be before \"time_start\"."));
    }
    let unit = fields.word("recurrence_unit")?;
    let size = if unit == Unit::Once && fields.get("recurrence_size").is_none() {
        1
    } else {
        fields.integer("recurrence_size")?
    };
    if !(1..=1000).contains(&size) {
        return Err(Error::bad("The field \"schedule.recurrence_size\" must be from 1 to 1000."));
    }
    Ok((start, end, unit, size))
}

/// `POST …/monetary-account/{account}/schedule-payment`
pub(crate) async fn create(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named_own(&call).await?;
    let body = call.json()?;
    let fields = Fields::of(&body);
    fields.optional_constant("purpose", "PAYMENT")?;
    let transfer = transfer(&call, fields.object("payment")?).await?;
    let (start, end, unit, size) = read_schedule(&call, fields.object("schedule")?)?;
    check_transfers(std::slice::from_ref(&transfer))?;
    let scheduled = ScheduledPayment {
        customer: call.caller()?.customer().cloned(),
        transfer,
        start,
        end,
        unit,
        size,
        is_cancelled: false,
        come: 0,
        instances: Vec::new(),
    };
    let id = call.bunq.number().await?;
    let record = Record::new(id, seen.id, call.ctx.now, scheduled);
    if !add(&call.bunq, &record, MAX_SCHEDULES).await? {
        return Err(Error::bad(format!("An account has at most {MAX_SCHEDULES} active schedules.")));
    }
    Ok(Reply::id(id))
}

fn times(scheduled: &ScheduledPayment) -> Times {
    Times {
        time_start: time(scheduled.start),
        time_end: scheduled.end.map(time),
        recurrence_unit: scheduled.unit,
        recurrence_size: scheduled.size,
        status: scheduled.status(),
    }
}

fn render(seen: &Seen, record: &Record<ScheduledPayment>) -> Object {
    Object::ScheduledPayment(record.stamped(wire::payments::ScheduledPayment {
        payment: planned(seen, &record.value.transfer),
        schedule: times(&record.value),
        status: record.value.status(),
        purpose: "PAYMENT",
    }))
}

/// The schedule that the path names, with its account.
async fn named(call: &Call, name: Number) -> Result<(Seen, Record<ScheduledPayment>), Error> {
    let seen = accounts::named_own(call).await?;
    let record = call.record::<ScheduledPayment>(seen.id, name.get()?).await?;
    Ok((seen, record))
}

/// `GET …/monetary-account/{account}/schedule-payment`
pub(crate) async fn list(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named_own(&call).await?;
    let (found, links) = call.page_of::<ScheduledPayment>(seen.id).await?;
    Ok(Reply::page(found.iter().map(|one| render(&seen, one)), links))
}

/// `GET …/monetary-account/{account}/schedule-payment/{id}`
pub(crate) async fn read(call: Call) -> Result<Reply, Error> {
    let (seen, record) = named(&call, call.names.id).await?;
    Ok(Reply::one(render(&seen, &record)))
}

/// `PUT …/monetary-account/{account}/schedule-payment/{id}`: answers the whole object.
pub(crate) async fn change(call: Call) -> Result<Reply, Error> {
    let body = call.json()?;
    let (seen, record) = retry(|| change_once(&call, Fields::of(&body))).await?;
    Ok(Reply::one(render(&seen, &record)))
}

async fn change_once(call: &Call, fields: Fields<'_>) -> Result<(Seen, Record<ScheduledPayment>), Error> {
    let (seen, mut record) = named(call, call.names.id).await?;
    if record.value.next().is_none() {
        return Err(Error::bad("The schedule has ended and cannot be changed any more."));
    }
    let before = due_key(&record);
    if fields.get("payment").is_some() {
        record.value.transfer = transfer(call, fields.object("payment")?).await?;
        check_transfers(std::slice::from_ref(&record.value.transfer))?;
    }
    if fields.get("schedule").is_some() {
        let (start, end, unit, size) = read_schedule(call, fields.object("schedule")?)?;
        // One may be made whose time is not noted yet.
        let next = payment_id(record.id, record.value.come);
        if record.value.come > 0 || made_of(call, &seen, &next, 1).await?.is_some() {
            let text =
                "Payments of this schedule were made; delete it and make another one with other times.";
            return Err(Error::bad(text));
        }
        record.value = ScheduledPayment { start, end, unit, size, ..record.value };
    }
    record.updated = call.ctx.now;
    save(&call.bunq, &record, before.as_deref()).await?;
    Ok((seen, record))
}

/// `DELETE …/monetary-account/{account}/schedule-payment/{id}`
pub(crate) async fn delete(call: Call) -> Result<Reply, Error> {
    retry(|| cancel(&call)).await?;
    Ok(Reply::empty())
}

async fn cancel(call: &Call) -> Result<(), Error> {
    let (_, mut record) = named(call, call.names.id).await?;
    let before = due_key(&record);
    record.value.is_cancelled = true;
    record.updated = call.ctx.now;
    Ok(save(&call.bunq, &record, before.as_deref()).await?)
}

fn schedule_of(seen: &Seen, record: &Record<ScheduledPayment>) -> Object {
    let object = Planned::Payment(planned(seen, &record.value.transfer));
    Object::Schedule(Schedule { id: record.id, times: times(&record.value), object })
}

/// `GET /user/{user}/schedule`
pub(crate) async fn list_of_user(call: Call) -> Result<Reply, Error> {
    call.user()?;
    if !crate::labels::is_in_person(call.caller()?) {
        return Err(Error::forbidden("Only the user in person can see schedules."));
    }
    let page = call.page()?;
    let mut found = Vec::new();
    let visible = accounts::visible(&call).await?;
    for seen in &visible {
        breathe().await;
        let listed =
            list_records::<ScheduledPayment>(&call.bunq.drawer, seen.id, page.range, page.limit()).await?;
        found.extend(listed.into_iter().map(|record| (seen, record)));
    }
    found.sort_by_key(|(_, record)| std::cmp::Reverse(record.id));
    let links = page.close(&call.path, &mut found, |(_, record)| record.id, |_| 1);
    Ok(Reply::page(found.iter().map(|(seen, record)| schedule_of(seen, record)), links))
}

/// `GET …/monetary-account/{account}/schedule`
pub(crate) async fn list_schedules(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named_own(&call).await?;
    let (found, links) = call.page_of::<ScheduledPayment>(seen.id).await?;
    Ok(Reply::page(found.iter().map(|record| schedule_of(&seen, record)), links))
}

/// `GET …/monetary-account/{account}/schedule/{id}`
pub(crate) async fn read_one(call: Call) -> Result<Reply, Error> {
    let (seen, record) = named(&call, call.names.id).await?;
    Ok(Reply::one(schedule_of(&seen, &record)))
}

async fn instance(
    call: &Call,
    seen: &Seen,
    record: &Record<ScheduledPayment>,
    instance: &Instance,
) -> Result<Object, Error> {
    let made = made_of(call, seen, &payment_id(record.id, instance.number), 1).await?;
    let made = made.and_then(|mut made| made.pop());
    let error = |text: &String| ErrorText {
        error_description: text.clone(),
        error_description_translated: text.clone(),
        error_additional_parameter: None,
    };
    Ok(Object::ScheduleInstance(Box::new(ScheduleInstance {
        id: instance.number + 1,
        state: instance.error.as_ref().map_or(State::FinishedSuccessfully, |_| State::FailedUserError),
        time_start: time(instance.at),
        time_end: time(instance.at),
        error_message: instance.error.iter().map(error).collect(),
        scheduled_object: Planned::Payment(planned(seen, &record.value.transfer)),
        result_object: made.map(|one| Renderer::new(call, seen).object(&one)),
    })))
}

/// `GET …/schedule/{schedule}/schedule-instance`
pub(crate) async fn list_instances(call: Call) -> Result<Reply, Error> {
    let (seen, record) = named(&call, call.names.schedule).await?;
    let mut elements = Vec::new();
    for one in record.value.instances.iter().rev() {
        breathe().await;
        elements.push(instance(&call, &seen, &record, one).await?);
    }
    Ok(Reply::page(elements, Page::none()))
}

/// `GET …/schedule/{schedule}/schedule-instance/{id}`
pub(crate) async fn read_instance(call: Call) -> Result<Reply, Error> {
    let ((seen, record), id) = (named(&call, call.names.schedule).await?, call.names.id.get()?);
    let found = record.value.instances.iter().find(|one| one.number + 1 == id);
    let found = found.ok_or_else(Error::not_found)?;
    Ok(Reply::one(instance(&call, &seen, &record, found).await?))
}
