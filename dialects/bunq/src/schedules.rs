//! Scheduled payments (section 16.5). No timer makes them: whoever looks at the account after their time has come
//! makes all that are due, each once.

use gateway::domain::payments::check_transfers;
use gateway::domain::{AccountId, CustomerId, PaymentId, Timestamp, Transfer};
use gateway::{Error as GatewayError, entry_of};
use jiff::Span;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::accounts::{self, Seen};
use crate::call::Call;
use crate::error::{Error, sentence};
use crate::fields::Fields;
use crate::labels::{amount, label_counterparty, label_own};
use crate::pagination::{MAX_COUNT, Page};
use crate::payments::{Renderer, of_entry};
use crate::pointers::transfer;
use crate::records::{Kept, Range, Record, find, list as list_records, look_up, parse, write};
use crate::reply::{Reply, time, wrapped};

const UNITS: [&str; 6] = ["ONCE", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"];

/// Most payments of one schedule that are made at once when somebody looks.
const MAX_DUE: usize = 100;

/// Instances of a schedule that are remembered.
const MAX_INSTANCES: usize = 200;

/// Most schedules of one account that have not ended.
const MAX_SCHEDULES: usize = 200;

/// From the number of an account to its schedules that have not ended, each with the moment of its next time: what
/// has to be known at every look at the account.
const ACTIVE: &str = "active-schedules";

type Active = Vec<(i64, Timestamp)>;

/// A payment that is made again and again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ScheduledPayment {
    transfer: Transfer,
    start: Timestamp,
    end: Option<Timestamp>,
    unit: String,
    size: i64,
    is_cancelled: bool,
    /// How many times have come.
    come: i64,
    instances: Vec<Instance>,
}

/// One time.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Instance {
    number: i64,
    at: Timestamp,
    /// Why it could not be made; none if it was.
    error: Option<String>,
}

impl Kept for ScheduledPayment {
    const KIND: &'static str = "scheduled-payment";
}

impl ScheduledPayment {
    /// The moment of a time, the first being 0; none after the last.
    fn moment(&self, number: i64) -> Option<Timestamp> {
        let count = number.checked_mul(self.size)?;
        let span = match self.unit.as_str() {
            "ONCE" => (number == 0).then(Span::new)?,
            "HOURLY" => Span::new().try_hours(count).ok()?,
            "DAILY" => Span::new().try_days(count).ok()?,
            "WEEKLY" => Span::new().try_weeks(count).ok()?,
            "MONTHLY" => Span::new().try_months(count).ok()?,
            _ => Span::new().try_years(count).ok()?,
        };
        let moment = self.start.to_zoned(TimeZone::UTC).checked_add(span).ok()?.timestamp();
        (self.end.is_none_or(|end| moment <= end)).then_some(moment)
    }

    /// The next time; none after the end.
    fn next(&self) -> Option<Timestamp> {
        self.moment(self.come).filter(|_| !self.is_cancelled)
    }

    fn status(&self) -> &'static str {
        match self.next() {
            _ if self.is_cancelled => "CANCELLED",
            None => "FINISHED",
            Some(_) => "ACTIVE",
        }
    }
}

fn payment_id(schedule: i64, number: i64) -> PaymentId {
    PaymentId::new(format!("schedule-{schedule}-{number}"))
}

/// Makes every payment of an account whose time has come, at most [`MAX_DUE`] at one look.
///
/// # Errors
/// [`GatewayError`]
pub(crate) async fn make_due(
    call: &Call,
    account: i64,
    payer: (&CustomerId, &AccountId),
) -> Result<(), GatewayError> {
    let drawer = &call.bunq.drawer;
    let active: Active = look_up(drawer, ACTIVE, &account.to_string()).await?.unwrap_or_default();
    let mut left = MAX_DUE;
    for (id, _) in active.into_iter().filter(|(_, next)| *next <= call.ctx.now) {
        let Some(mut record) = find::<ScheduledPayment>(drawer, account, id).await? else { continue };
        left = make_instances(call, &mut record, payer, left).await?;
        match record.save(drawer).await {
            // Somebody else looked at the same moment, and each payment was made once.
            Err(GatewayError::Conflict) => {}
            done => {
                done?;
                note(call, account, &record).await?;
            }
        }
    }
    Ok(())
}

/// Makes at most `left` payments of a schedule and returns how many may be made after them.
async fn make_instances(
    call: &Call,
    record: &mut Record<ScheduledPayment>,
    payer: (&CustomerId, &AccountId),
    mut left: usize,
) -> Result<usize, GatewayError> {
    while let Some(at) = record.value.next().filter(|at| *at <= call.ctx.now && left > 0) {
        let number = record.value.come;
        let transfers = vec![record.value.transfer.clone()];
        let once = payment_id(record.id, number);
        let paid = call.bunq.edge.gateway.pay_once(&call.ctx, payer, transfers, once).await;
        let error = match paid {
            Ok(_) => None,
            Err(GatewayError::Refused(refusal)) => Some(sentence(&refusal.to_string())),
            Err(error) => return Err(error),
        };
        record.value.come += 1;
        record.value.instances.push(Instance { number, at, error });
        left -= 1;
    }
    let surplus = record.value.instances.len().saturating_sub(MAX_INSTANCES);
    record.value.instances.drain(..surplus);
    Ok(left)
}

/// Notes when a schedule has its next time, or that it has none any more.
async fn note(call: &Call, account: i64, record: &Record<ScheduledPayment>) -> Result<(), GatewayError> {
    let change = |known: Option<&str>| {
        let known = known.map(|text| parse::<Active>(ACTIVE, text)).transpose().ok()?;
        let mut active = known.unwrap_or_default();
        active.retain(|(id, _)| *id != record.id);
        active.extend(record.value.next().map(|next| (record.id, next)));
        Some(write(&active))
    };
    call.bunq.drawer.update(ACTIVE, &account.to_string(), change).await.map(|_| ())
}

/// What a request says about times.
fn read_schedule(
    call: &Call,
    fields: Fields<'_>,
) -> Result<(Timestamp, Option<Timestamp>, String, i64), Error> {
    let start = fields.optional_time("time_start")?;
    let start = start.ok_or_else(|| Error::bad("The field \"schedule.time_start\" is required."))?;
    if start < call.ctx.now {
        return Err(Error::bad("The field \"schedule.time_start\" must be in the future."));
    }
    let end = fields.optional_time("time_end")?;
    if end.is_some_and(|end| end < start) {
        return Err(Error::bad("The field \"schedule.time_end\" must not be before \"time_start\"."));
    }
    let unit = fields.word("recurrence_unit", &UNITS)?;
    let size = if unit == "ONCE" && fields.get("recurrence_size").is_none() {
        1
    } else {
        fields.integer("recurrence_size")?
    };
    if !(1..=1000).contains(&size) {
        return Err(Error::bad("The field \"schedule.recurrence_size\" must be from 1 to 1000."));
    }
    Ok((start, end, unit.to_owned(), size))
}

/// `POST …/monetary-account/{account}/schedule-payment`
pub(crate) async fn create(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named_own(&call).await?;
    let body = call.json()?;
    let fields = Fields::of(&body);
    fields.optional_word("purpose", &["PAYMENT"])?;
    let transfer = transfer(&call, fields.object("payment")?).await?;
    let (start, end, unit, size) = read_schedule(&call, fields.object("schedule")?)?;
    check_transfers(std::slice::from_ref(&transfer))?;
    let active = look_up::<Active>(&call.bunq.drawer, ACTIVE, &seen.id.to_string()).await;
    if active.map_err(|error| call.failed(error))?.is_some_and(|active| active.len() >= MAX_SCHEDULES) {
        return Err(Error::bad(format!("An account has at most {MAX_SCHEDULES} active schedules.")));
    }
    let scheduled = ScheduledPayment {
        transfer,
        start,
        end,
        unit,
        size,
        is_cancelled: false,
        come: 0,
        instances: Vec::new(),
    };
    let scheduled = call.bunq.add(&call.ctx, seen.id, scheduled).await.map_err(|error| call.failed(error))?;
    note(&call, seen.id, &scheduled).await.map_err(|error| call.failed(error))?;
    Ok(Reply::id(scheduled.id))
}

fn render_payment(seen: &Seen, scheduled: &ScheduledPayment) -> Value {
    let (account, transfer) = (seen.account(), &scheduled.transfer);
    json!({
        "amount": amount(transfer.amount),
        "alias": label_own(account.iban.as_str(), &account.name),
        "counterparty_alias": label_counterparty(&transfer.creditor),
        "description": transfer.remittance.as_deref().unwrap_or_default(),
        "merchant_reference": transfer.end_to_end_id,
        "attachment": [],
    })
}

fn render_schedule(scheduled: &ScheduledPayment) -> Value {
    json!({
        "time_start": time(scheduled.start),
        "time_end": scheduled.end.map(time),
        "recurrence_unit": scheduled.unit,
        "recurrence_size": scheduled.size,
        "status": scheduled.status(),
    })
}

fn render(seen: &Seen, record: &Record<ScheduledPayment>) -> Value {
    json!({
        "id": record.id,
        "created": time(record.created),
        "updated": time(record.updated),
        "payment": render_payment(seen, &record.value),
        "schedule": render_schedule(&record.value),
        "status": record.value.status(),
        "purpose": "PAYMENT",
    })
}

async fn named(call: &Call, seen: &Seen, name: &str) -> Result<Record<ScheduledPayment>, Error> {
    call.record::<ScheduledPayment>(seen.id, call.id(name)?).await
}

/// `GET …/monetary-account/{account}/schedule-payment`
pub(crate) async fn list(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named_own(&call).await?;
    let (found, links) = call.page_of::<ScheduledPayment>(seen.id).await?;
    let elements = found.iter().map(|one| wrapped("ScheduledPayment", render(&seen, one))).collect();
    Ok(Reply::page(elements, links))
}

/// `GET …/monetary-account/{account}/schedule-payment/{id}`
pub(crate) async fn read(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named_own(&call).await?;
    let record = named(&call, &seen, "id").await?;
    Ok(Reply::one("ScheduledPayment", render(&seen, &record)))
}

/// `PUT …/monetary-account/{account}/schedule-payment/{id}`: answers the whole object.
pub(crate) async fn change(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named_own(&call).await?;
    let mut record = named(&call, &seen, "id").await?;
    if record.value.status() != "ACTIVE" {
        return Err(Error::bad("The schedule has ended and cannot be changed any more."));
    }
    let body = call.json()?;
    let fields = Fields::of(&body);
    if fields.get("payment").is_some() {
        record.value.transfer = transfer(&call, fields.object("payment")?).await?;
        check_transfers(std::slice::from_ref(&record.value.transfer))?;
    }
    if fields.get("schedule").is_some() {
        let (start, end, unit, size) = read_schedule(&call, fields.object("schedule")?)?;
        if record.value.come > 0 {
            let text =
                "Payments of this schedule were made; delete it and make another one with other times.";
            return Err(Error::bad(text));
        }
        record.value = ScheduledPayment { start, end, unit, size, ..record.value };
    }
    record.updated = call.ctx.now;
    record.save(&call.bunq.drawer).await.map_err(|error| call.failed(error))?;
    note(&call, seen.id, &record).await.map_err(|error| call.failed(error))?;
    Ok(Reply::one("ScheduledPayment", render(&seen, &record)))
}

/// `DELETE …/monetary-account/{account}/schedule-payment/{id}`
pub(crate) async fn delete(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named_own(&call).await?;
    let mut record = named(&call, &seen, "id").await?;
    record.value.is_cancelled = true;
    record.updated = call.ctx.now;
    record.save(&call.bunq.drawer).await.map_err(|error| call.failed(error))?;
    note(&call, seen.id, &record).await.map_err(|error| call.failed(error))?;
    Ok(Reply::empty())
}

fn schedule_of(seen: &Seen, record: &Record<ScheduledPayment>) -> Value {
    let mut schedule = render_schedule(&record.value);
    schedule["id"] = record.id.into();
    schedule["object"] = wrapped("Payment", render_payment(seen, &record.value));
    wrapped("Schedule", schedule)
}

/// `GET /user/{user}/schedule`
pub(crate) async fn list_of_user(call: Call) -> Result<Reply, Error> {
    call.user()?;
    if !crate::labels::is_in_person(call.caller()?) {
        return Err(Error::forbidden("Only the user in person can see schedules."));
    }
    let mut elements = Vec::new();
    for seen in accounts::visible(&call).await? {
        let found =
            list_records::<ScheduledPayment>(&call.bunq.drawer, seen.id, Range::Older(None), MAX_COUNT).await;
        let found = found.map_err(|error| call.failed(error))?;
        elements.extend(found.iter().map(|record| schedule_of(&seen, record)));
    }
    Ok(Reply::page(elements, Page::none()))
}

/// `GET …/monetary-account/{account}/schedule`
pub(crate) async fn list_schedules(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named_own(&call).await?;
    let (found, links) = call.page_of::<ScheduledPayment>(seen.id).await?;
    Ok(Reply::page(found.iter().map(|record| schedule_of(&seen, record)).collect(), links))
}

/// `GET …/monetary-account/{account}/schedule/{id}`
pub(crate) async fn read_one(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named_own(&call).await?;
    let record = named(&call, &seen, "id").await?;
    Ok(Reply::all(vec![schedule_of(&seen, &record)]))
}

async fn instance(
    call: &Call,
    seen: &Seen,
    record: &Record<ScheduledPayment>,
    instance: &Instance,
) -> Result<Value, Error> {
    let entry = entry_of(&payment_id(record.id, instance.number), 0);
    let made = of_entry(call, seen, &entry).await?;
    let renderer = Renderer::new(call, seen);
    let made = made.map(|(id, transaction)| wrapped("Payment", renderer.payment(id, &transaction)));
    Ok(wrapped(
        "ScheduleInstance",
        json!({
            "id": instance.number + 1,
            "state": if instance.error.is_none() { "FINISHED_SUCCESSFULLY" } else { "FAILED_USER_ERROR" },
            "time_start": time(instance.at),
            "time_end": time(instance.at),
            "error_message": instance.error.iter().map(|text| {
                json!({"error_description": text, "error_description_translated": text})
            }).collect::<Vec<_>>(),
            "scheduled_object": wrapped("Payment", render_payment(seen, &record.value)),
            "result_object": made,
        }),
    ))
}

/// `GET …/schedule/{schedule}/schedule-instance`
pub(crate) async fn list_instances(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named_own(&call).await?;
    let record = named(&call, &seen, "schedule").await?;
    let mut elements = Vec::new();
    for one in record.value.instances.iter().rev() {
        elements.push(instance(&call, &seen, &record, one).await?);
    }
    Ok(Reply::page(elements, Page::none()))
}

/// `GET …/schedule/{schedule}/schedule-instance/{id}`
pub(crate) async fn read_instance(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named_own(&call).await?;
    let (record, id) = (named(&call, &seen, "schedule").await?, call.id("id")?);
    let found = record.value.instances.iter().find(|one| one.number + 1 == id);
    let found = found.ok_or_else(Error::not_found)?;
    Ok(Reply::all(vec![instance(&call, &seen, &record, found).await?]))
}
