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
use crate::records::{Record, find, look_up, parse, write};
use crate::schedules::{Instance, ScheduledPayment, payment_id};
use crate::state::Bunq;

/// Schedules whose time has come that are read at once.
const DUE_AT_ONCE: i64 = 50;

/// Schedules by the moment of their next time.
const DUE: &str = "due-schedules";

/// After every key of those.
const KEYS_END: &str = ":";

/// Instances of a schedule that are remembered.
const MAX_INSTANCES: usize = 200;

/// From the number of an account to its schedules that have not ended, each with the moment of its next time: how many
/// there are has a limit.
const ACTIVE: &str = "active-schedules";

type Active = Vec<(i64, Timestamp)>;

/// Under which key a schedule waits for its next time: in the order of the moments.
pub(crate) fn due_key(record: &Record<ScheduledPayment>) -> Option<String> {
    let next = record.value.next()?;
    // Whole seconds, rounded up: never before its time.
    let second = next.as_second() + i64::from(next.subsec_nanosecond() > 0);
    Some(format!("{second:012}/{:010}/{:010}", record.owner, record.id))
}

/// The moment that a key stands for.
fn moment_of(key: &str) -> Option<Timestamp> {
    Timestamp::from_second(key.split('/').next()?.parse().ok()?).ok()
}

/// After the keys of a moment, and before those of the next second.
fn end_of(moment: Timestamp) -> String {
    format!("{:012}", moment.as_second().saturating_add(1).max(0))
}

/// The schedules of the interface, all of them in one branch.
pub(crate) struct DueSchedules(pub(crate) Arc<Bunq>);

impl Due for DueSchedules {
    fn next<'a>(&'a self, tenant: &'a Tenant, after: Timestamp) -> Answer<'a, Option<Timestamp>> {
        Box::pin(async move {
            if *tenant != self.0.tenant {
                return Ok(None);
            }
            let begin = end_of(after);
            let next = self.0.drawer.first(DUE, (&begin, KEYS_END), 1).await?;
            Ok(next.first().and_then(|entry| moment_of(&entry.key)))
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
    let due = match bunq.drawer.first(DUE, ("", &end_of(moment)), DUE_AT_ONCE).await {
        Ok(due) => due,
        Err(error) => return Steps { failed: Err(error), ..steps },
    };
    for entry in due {
        breathe().await;
        // Somebody may change the schedule at this moment.
        match retry(|| make_instance(bunq, &entry)).await {
            Ok(()) => steps.made += 1,
            Err(GatewayError::Conflict) => {}
            Err(error) => steps.failed = Err(error),
        }
    }
    steps
}

/// Makes the next payment of the schedule that an entry is about: the one that the entry waits for.
async fn make_instance(bunq: &Bunq, entry: &Entry) -> Result<(), GatewayError> {
    let number = |part: Option<&str>| part.and_then(|part| part.parse::<i64>().ok()).unwrap_or(0);
    let mut parts = entry.key.split('/').skip(1);
    let (account, id) = (number(parts.next()), number(parts.next()));
    let record = find::<ScheduledPayment>(&bunq.drawer, account, id).await?;
    let due = match record {
        Some(record) if due_key(&record).as_ref() == Some(&entry.key) => {
            let payer = payer_of(bunq, &record).await?;
            let context = bunq.edge.gateway.context(bunq.tenant.as_str(), bunq.edge.gateway.new_request_id());
            payer.zip(record.value.next()).zip(context).map(|due| (record, due))
        }
        _ => None,
    };
    let Some((mut record, (((customer, account), at), context))) = due else {
        // It was changed or cancelled meanwhile, and waits under another key or not at all.
        return bunq.drawer.delete(&[(DUE, entry.key.clone())]).await;
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
    record.value.come += 1;
    record.value.instances.push(Instance { number, at, error });
    let surplus = record.value.instances.len().saturating_sub(MAX_INSTANCES);
    record.value.instances.drain(..surplus);
    save(bunq, &mut record, Some(entry.key.clone())).await
}

/// Whose account it is that a schedule pays from.
async fn payer_of(
    bunq: &Bunq,
    record: &Record<ScheduledPayment>,
) -> Result<Option<(CustomerId, AccountId)>, GatewayError> {
    let profile = find::<AccountProfile>(&bunq.drawer, 0, record.owner).await?;
    Ok(record.value.customer.clone().zip(profile.map(|profile| profile.value.account)))
}

/// How many schedules of an account have not ended.
pub(crate) async fn count_active(bunq: &Bunq, account: i64) -> Result<usize, GatewayError> {
    let active = look_up::<Active>(&bunq.drawer, ACTIVE, &account.to_string()).await?;
    Ok(active.map_or(0, |active| active.len()))
}

/// Saves a schedule, which waited under the key `before`, together with the moment that it waits for now.
///
/// # Errors
/// [`GatewayError::Conflict`]
pub(crate) async fn save(
    bunq: &Bunq,
    record: &mut Record<ScheduledPayment>,
    before: Option<String>,
) -> Result<(), GatewayError> {
    let after = due_key(record);
    // What has no next time any more is remembered as other orders are.
    record.forget_at = if record.value.next().is_none() { until(bunq.now(), ORDER) } else { None };
    let mut entries = vec![record.entry()];
    if let Some(key) = after.as_ref().filter(|after| before.as_ref() != Some(after)) {
        let known = bunq.drawer.entry(DUE, key).await?.map_or(0, |known| known.version);
        entries.push(Entry {
            kind: DUE,
            key: key.clone(),
            value: String::new(),
            forget_at: None,
            version: known,
        });
    }
    bunq.drawer.save(&entries).await?;
    record.version += 1;
    if let Some(key) = before.filter(|before| after.as_ref() != Some(before)) {
        bunq.drawer.delete(&[(DUE, key)]).await?;
    }
    note(bunq, record).await
}

/// Notes when a schedule has its next time, or that it has none any more.
async fn note(bunq: &Bunq, record: &Record<ScheduledPayment>) -> Result<(), GatewayError> {
    let change = |known: Option<&str>| {
        let known = known.map(|text| parse::<Active>(ACTIVE, text)).transpose().ok()?;
        let mut active = known.unwrap_or_default();
        active.retain(|(id, _)| *id != record.id);
        active.extend(record.value.next().map(|next| (record.id, next)));
        Some(write(&active))
    };
    bunq.drawer.update(ACTIVE, &record.owner.to_string(), change).await.map(|_| ())
}

/// Takes up schedules of a customer that earlier versions kept without their payer.
pub(crate) async fn adopt(bunq: &Bunq, customer: &CustomerId) -> Result<(), GatewayError> {
    for readable in bunq.edge.gateway.own_accounts(customer).await? {
        let Some(account) = accounts::number_of(bunq, &readable.account.id).await? else { continue };
        let active = look_up::<Active>(&bunq.drawer, ACTIVE, &account.to_string()).await?;
        for (id, _) in active.unwrap_or_default() {
            let known = find::<ScheduledPayment>(&bunq.drawer, account, id).await?;
            let Some(mut record) = known.filter(|known| known.value.customer.is_none()) else { continue };
            record.value.customer = Some(customer.clone());
            match save(bunq, &mut record, None).await {
                // Another session is opened at the same moment.
                Err(GatewayError::Conflict) => {}
                done => done?,
            }
        }
    }
    Ok(())
}
