//! Scheduled payments whose time has come. The bank itself makes them, in turn with whatever else comes due: as time goes
//! by, and at once when a clock is moved. Each is made once, and nobody makes one by looking.

use std::pin::Pin;
use std::sync::Arc;

use edge::{Due, Steps};
use gateway::bank::Answer;
use gateway::domain::{AccountId, CustomerId, Interface, Tenant, Timestamp};
use gateway::{Ctx, Entry, Error as GatewayError, retry};

use crate::accounts::{self, AccountProfile};
use crate::call::breathe;
use crate::error::sentence;
use crate::lives::{ORDER, until};
use crate::records::{Record, find, index, parse, write};
use crate::schedules::{Instance, ScheduledPayment, payment_id};
use crate::state::Bunq;
use crate::waiting;

/// Schedules whose time has come that are read at once.
const DUE_AT_ONCE: i64 = 50;

/// Schedules by the moment of their next time.
const DUE: &str = "due-schedules";

/// Instances of a schedule that are remembered.
const MAX_INSTANCES: usize = 200;

/// From the number of an account to its schedules that have not ended, each with the moment of its next time: how many
/// there are has a limit.
const ACTIVE: &str = "active-schedules";

/// Under which key a schedule waits for its next time.
pub(crate) fn due_key(record: &Record<ScheduledPayment>) -> Option<String> {
    Some(waiting::key(record.value.next()?, (record.owner, record.id)))
}

/// The schedules of the interface, all of them in one branch.
pub(crate) struct DueSchedules(pub(crate) Arc<Bunq>);

impl Due for DueSchedules {
    fn next<'a>(&'a self, tenant: &'a Tenant, after: Timestamp) -> Answer<'a, Option<Timestamp>> {
        Box::pin(async move {
            if *tenant != self.0.tenant {
                return Ok(None);
            }
            waiting::next(&self.0.drawer, DUE, after).await
        })
    }

    fn make<'a>(
        &'a self,
        _: &'a Tenant,
        moment: Timestamp,
        _: Timestamp,
    ) -> Pin<Box<dyn Future<Output = Steps> + Send + 'a>> {
        Box::pin(async move { make_due(&self.0, moment).await })
    }
}

/// Makes the payments of schedules whose time has come at a moment, some of them. Nothing else makes them: whoever reads
/// writes nothing.
async fn make_due(bunq: &Bunq, moment: Timestamp) -> Steps {
    let mut steps = Steps { made: 0, failed: Ok(()) };
    let due = match waiting::due(&bunq.drawer, DUE, ("", moment), DUE_AT_ONCE).await {
        Ok(due) => due,
        Err(error) => return Steps { failed: Err(error), ..steps },
    };
    for key in due {
        breathe().await;
        // Somebody may change the schedule at this moment.
        match retry(|| make_instance(bunq, &key)).await {
            Ok(()) => steps.made += 1,
            Err(GatewayError::Conflict) => {}
            Err(error) => steps.failed = Err(error),
        }
    }
    steps
}

/// Makes the next payment of the schedule that waits under a key, if it still does.
async fn make_instance(bunq: &Bunq, key: &str) -> Result<(), GatewayError> {
    let Some(entry) = bunq.drawer.entry(DUE, key).await? else { return Ok(()) };
    let (account, id) = waiting::record_of(key);
    let record = find::<ScheduledPayment>(&bunq.drawer, account, id).await?;
    let due = match &record {
        Some(record) if due_key(record).as_deref() == Some(key) => {
            let payer = payer_of(bunq, record).await?;
            let context = bunq.edge.gateway.context(bunq.tenant.as_str(), bunq.edge.gateway.new_request_id());
            payer.zip(record.value.next()).zip(context).map(|due| (record, due))
        }
        _ => None,
    };
    let Some((record, (((customer, account), at), context))) = due else {
        // It waits for nothing any more, as long as nobody changes the schedule at this moment.
        let unchanged: Vec<Entry> = record.iter().map(Record::entry).collect();
        return bunq.drawer.exchange(&unchanged, &[entry]).await;
    };
    let number = record.value.come;
    let transfers = vec![record.value.transfer.clone()];
    let once = (Interface::Bunq, payment_id(record.id, number));
    // As of its own moment, also if the bank was not there then, or its clock jumped.
    let then = Ctx { now: at, ..context };
    let error = match bunq.edge.gateway.pay_once(&then, (&customer, &account), transfers, once).await {
        Ok(_) => None,
        Err(GatewayError::Refused(refusal)) => Some(sentence(&refusal.to_string())),
        Err(error) => return Err(error),
    };
    let instance = Instance { number, at, error };
    retry(|| note_instance(bunq, (record.owner, record.id), &instance)).await
}

/// Notes what came of a time, whatever somebody made of the schedule while its payment was under way.
async fn note_instance(
    bunq: &Bunq,
    (account, id): (i64, i64),
    instance: &Instance,
) -> Result<(), GatewayError> {
    let record = find::<ScheduledPayment>(&bunq.drawer, account, id).await?;
    let Some(mut record) = record.filter(|known| known.value.come == instance.number) else { return Ok(()) };
    let before = due_key(&record);
    record.value.come += 1;
    record.value.instances.push(instance.clone());
    let surplus = record.value.instances.len().saturating_sub(MAX_INSTANCES);
    record.value.instances.drain(..surplus);
    save(bunq, &record, before.as_deref()).await
}

/// Whose account it is that a schedule pays from.
async fn payer_of(
    bunq: &Bunq,
    record: &Record<ScheduledPayment>,
) -> Result<Option<(CustomerId, AccountId)>, GatewayError> {
    let profile = find::<AccountProfile>(&bunq.drawer, 0, record.owner).await?;
    Ok(record.value.customer.clone().zip(profile.map(|profile| profile.value.account)))
}

/// Saves a new schedule, unless its account has as many that have not ended as it can have; says whether it was saved.
///
/// # Errors
/// [`GatewayError`]
pub(crate) async fn add(
    bunq: &Bunq,
    record: &Record<ScheduledPayment>,
    most: usize,
) -> Result<bool, GatewayError> {
    retry(|| async {
        let active = Active::of(bunq, record.owner).await?;
        if active.schedules.len() >= most {
            return Ok(false);
        }
        active.save(bunq, record, None).await.map(|()| true)
    })
    .await
}

/// Saves a schedule, which waited under the key `before`, together with the moment that it waits for now: all of it or nothing,
/// so that what is refused pays nothing and what is active is made.
///
/// # Errors
/// [`GatewayError::Conflict`]
pub(crate) async fn save(
    bunq: &Bunq,
    record: &Record<ScheduledPayment>,
    before: Option<&str>,
) -> Result<(), GatewayError> {
    Active::of(bunq, record.owner).await?.save(bunq, record, before).await
}

/// The schedules of an account that have not ended, each with the moment of its next time, as they were loaded.
struct Active {
    schedules: Vec<(i64, Timestamp)>,
    entry: Entry,
}

impl Active {
    async fn of(bunq: &Bunq, account: i64) -> Result<Self, GatewayError> {
        let key = account.to_string();
        let known = bunq.drawer.entry(ACTIVE, &key).await?;
        let entry = known.unwrap_or_else(|| index(ACTIVE, key, &Vec::<(i64, Timestamp)>::new()));
        Ok(Self { schedules: parse(ACTIVE, &entry.value)?, entry })
    }

    async fn save(
        mut self,
        bunq: &Bunq,
        record: &Record<ScheduledPayment>,
        before: Option<&str>,
    ) -> Result<(), GatewayError> {
        let (next, after) = (record.value.next(), due_key(record));
        // What has no next time any more is remembered as other orders are.
        let forget_at = if next.is_none() { until(bunq.now(), ORDER) } else { None };
        self.schedules.retain(|(id, _)| *id != record.id);
        self.schedules.extend(next.map(|next| (record.id, next)));
        let active = Entry { value: write(&self.schedules), ..self.entry };
        let mut written = vec![Entry { forget_at, ..record.entry() }, active];
        let (waits, waited) = waiting::moved(&bunq.drawer, DUE, (before, after)).await?;
        written.extend(waits);
        bunq.drawer.exchange(&written, waited.as_slice()).await
    }
}

/// Takes up schedules of a customer that earlier versions kept without their payer.
pub(crate) async fn adopt(bunq: &Bunq, customer: &CustomerId) -> Result<(), GatewayError> {
    for readable in bunq.edge.gateway.own_accounts(customer).await? {
        let Some(account) = accounts::number_of(bunq, &readable.account.id).await? else { continue };
        for (id, _) in Active::of(bunq, account).await?.schedules {
            retry(|| adopt_one(bunq, customer, (account, id))).await?;
        }
    }
    Ok(())
}

async fn adopt_one(
    bunq: &Bunq,
    customer: &CustomerId,
    (account, id): (i64, i64),
) -> Result<(), GatewayError> {
    let known = find::<ScheduledPayment>(&bunq.drawer, account, id).await?;
    let Some(mut record) = known.filter(|known| known.value.customer.is_none()) else { return Ok(()) };
    record.value.customer = Some(customer.clone());
    save(bunq, &record, None).await
}
