//! Payments: the booked transactions of an account with numbers, and payments that customers make in person
//! (sections 14.2 and 16.5).

use gateway::domain::{Counterparty, PaymentId, Timestamp, Transaction};
use gateway::{Ctx, Error as GatewayError, entry_of};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::accounts::{self, Seen};
use crate::call::Call;
use crate::error::Error;
use crate::fields::Fields;
use crate::labels::{amount, hidden_amount, is_in_person, label_counterparty, label_own};
use crate::lives::ORDER;
use crate::pagination::Page;
use crate::pointers::{transfer, transfers};
use crate::records::{Kept, Range, Record, look_up, parse, write};
use crate::reply::{Reply, time, wrapped};
use crate::state::Bunq;
use crate::users::User;

/// Numbers that are given to an account's transactions at once.
const EXTENT: i64 = 1024;

/// From the number of an account to the first numbers of its extents.
const EXTENTS: &str = "payment-numbers";

/// The numbers of an account's transactions: their places in its history, in extents of numbers.
pub(crate) struct PaymentNumbers(Vec<i64>);

impl PaymentNumbers {
    /// The numbers of an account with so many transactions; extents are added as needed.
    async fn of(bunq: &Bunq, account: i64, count: i64) -> Result<Self, GatewayError> {
        let key = account.to_string();
        let is_enough = |extents: &[i64]| i64::try_from(extents.len()).unwrap_or(0) * EXTENT >= count;
        loop {
            let extents = look_up::<Vec<i64>>(&bunq.drawer, EXTENTS, &key).await?.unwrap_or_default();
            if is_enough(&extents) {
                return Ok(Self(extents));
            }
            let first = bunq.numbers(EXTENT).await?;
            let add = |known: Option<&str>| {
                let known = known.map(|text| parse::<Vec<i64>>(EXTENTS, text));
                let mut extents = known.transpose().ok()?.unwrap_or_default();
                // Numbers must rise; somebody else may have added an extent meanwhile.
                let is_new = !is_enough(&extents) && extents.last().is_none_or(|last| *last < first);
                is_new.then(|| {
                    extents.push(first);
                    write(&extents)
                })
            };
            bunq.drawer.update(EXTENTS, &key, add).await?;
        }
    }

    /// The number of the transaction at a place, the first one being 1.
    fn at(&self, place: i64) -> Option<i64> {
        let index = usize::try_from((place - 1) / EXTENT).ok()?;
        Some(self.0.get(index)? + (place - 1) % EXTENT)
    }

    /// How many transactions have numbers below one.
    fn below(&self, number: i64) -> i64 {
        self.0.iter().map(|first| (number - first).clamp(0, EXTENT)).sum()
    }
}

/// Renders transactions of one account.
pub(crate) struct Renderer<'a> {
    call: &'a Call,
    seen: &'a Seen,
    in_person: bool,
}

impl<'a> Renderer<'a> {
    pub(crate) fn new(call: &'a Call, seen: &'a Seen) -> Self {
        Self { call, seen, in_person: call.caller().is_ok_and(is_in_person) }
    }

    /// A payment without its wrapper.
    pub(crate) fn payment(&self, id: i64, transaction: &Transaction) -> Value {
        let account = self.seen.account();
        let moment = time(moment_of(&self.call.ctx, transaction));
        let (kind, sub_kind) = kind_of(self.call, transaction);
        let balance = transaction.balance_after.filter(|_| self.in_person);
        json!({
            "id": id,
            "created": moment,
            "updated": moment,
            "monetary_account_id": self.seen.id,
            "amount": amount(transaction.amount),
            "description": transaction.remittance.as_deref().unwrap_or_default(),
            "type": kind,
            "sub_type": sub_kind,
            "merchant_reference": transaction.end_to_end_id,
            "alias": label_own(account.iban.as_str(), &account.name),
            "counterparty_alias": label_counterparty(&transaction.counterparty),
            "attachment": [],
            "geolocation": null,
            "batch_id": made_by(transaction, "batch-"),
            "scheduled_id": made_by(transaction, "schedule-"),
            "address_billing": null,
            "address_shipping": null,
            "request_reference_split_the_bill": [],
            "balance_after_mutation": balance.map_or_else(hidden_amount, amount),
            "payment_auto_allocate_instance": null,
        })
    }
}

/// The number of the batch or schedule that made a payment, on the payer's side.
fn made_by(transaction: &Transaction, what: &str) -> Option<i64> {
    let rest = transaction.id.strip_prefix(what).filter(|_| transaction.amount.minor < 0)?;
    rest.split('-').next()?.parse().ok()
}

/// When a transaction was made: to the second where that is known, else in the order of its day.
pub(crate) fn moment_of(ctx: &Ctx, transaction: &Transaction) -> Timestamp {
    transaction.entered_at.unwrap_or_else(|| {
        let start = ctx.tenant.start_of(transaction.booking_date);
        let place = SignedDuration::from_secs(transaction.sequence.clamp(0, 80_000));
        start.saturating_add(place).unwrap_or(start)
    })
}

/// `type` and `sub_type`, by the bank's own code and who is on the other side.
fn kind_of(call: &Call, transaction: &Transaction) -> (&'static str, &'static str) {
    let Counterparty { iban, .. } = &transaction.counterparty;
    let is_here = iban.as_ref().is_none_or(|iban| call.bunq.edge.gateway.is_own(iban));
    match transaction.code.as_deref() {
        Some("BA") => ("MASTERCARD", "PAYMENT"),
        Some("ID") => ("IDEAL", "PAYMENT"),
        Some("IC") => ("EBA_SDD", "SDD"),
        _ if is_here => ("BUNQ", "PAYMENT"),
        _ => ("EBA_SCT", "SCT"),
    }
}

/// Transactions of an account with their numbers, newest first, and how many there are.
pub(crate) struct Listed {
    pub(crate) payments: Vec<(i64, Transaction)>,
    has_older: bool,
    has_newer: bool,
}

/// The transactions in a range.
///
/// # Errors
/// 403 if the caller may not see them.
pub(crate) async fn in_range(call: &Call, seen: &Seen, range: Range, limit: i64) -> Result<Listed, Error> {
    let failed = |error| call.failed(error);
    let proof = seen.readable.transactions.as_ref().ok_or_else(|| {
        Error::forbidden("The user did not grant access to payments; the role AISP is needed for that.")
    })?;
    let gateway = &call.bunq.edge.gateway;
    let total = gateway.history(&call.ctx, proof, (None, 0)).await.map_err(failed)?.count;
    let numbers = PaymentNumbers::of(&call.bunq, seen.id, total).await.map_err(failed)?;
    let (newest, limit) = match range {
        Range::Older(None) => (total, limit),
        Range::Older(Some(id)) => (numbers.below(id).min(total), limit),
        Range::Newer(id) => {
            let first = numbers.below(id.saturating_add(1)) + 1;
            let newest = (first + limit - 1).min(total);
            (newest, newest - first + 1)
        }
    };
    let limit = limit.max(0);
    let history = gateway.history(&call.ctx, proof, (Some(newest), limit)).await.map_err(failed)?;
    let places: Vec<i64> = history.transactions.iter().map(|(place, _)| *place).collect();
    let numbered = |(place, transaction)| Some((numbers.at(place)?, transaction));
    Ok(Listed {
        payments: history.transactions.into_iter().filter_map(numbered).collect(),
        has_older: places.last().is_some_and(|oldest| *oldest > 1),
        has_newer: places.first().is_some_and(|newest| *newest < total),
    })
}

/// The number of the transaction that an entry made on an account, and the transaction.
///
/// # Errors
/// [`Error`]
pub(crate) async fn of_entry(
    call: &Call,
    seen: &Seen,
    entry: &str,
) -> Result<Option<(i64, Transaction)>, Error> {
    let failed = |error| call.failed(error);
    let Some(proof) = &seen.readable.transactions else { return Ok(None) };
    let gateway = &call.bunq.edge.gateway;
    let Some(place) = gateway.entry_number(proof, entry).await.map_err(failed)? else { return Ok(None) };
    let numbers = PaymentNumbers::of(&call.bunq, seen.id, place).await.map_err(failed)?;
    let history = gateway.history(&call.ctx, proof, (Some(place), 1)).await.map_err(failed)?;
    let found = history.transactions.into_iter().next();
    Ok(found.and_then(|(place, transaction)| Some((numbers.at(place)?, transaction))))
}

/// `GET …/monetary-account/{account}/payment`
pub(crate) async fn list(call: Call) -> Result<Reply, Error> {
    let (seen, page) = (accounts::named(&call).await?, call.page()?);
    let listed = in_range(&call, &seen, page.range, page.count).await?;
    let renderer = Renderer::new(&call, &seen);
    let ids: Vec<i64> = listed.payments.iter().map(|(id, _)| *id).collect();
    let elements =
        listed.payments.iter().map(|(id, one)| wrapped("Payment", renderer.payment(*id, one))).collect();
    Ok(Reply::page(elements, page.links(&call.path, &ids, listed.has_older, listed.has_newer)))
}

/// `GET …/monetary-account/{account}/payment/{id}`
pub(crate) async fn read(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named(&call).await?;
    let (id, transaction) = find_one(&call, &seen, call.id("id")?).await?;
    Ok(Reply::one("Payment", Renderer::new(&call, &seen).payment(id, &transaction)))
}

/// One transaction of an account by its number.
///
/// # Errors
/// 404
pub(crate) async fn find_one(call: &Call, seen: &Seen, id: i64) -> Result<(i64, Transaction), Error> {
    let listed = in_range(call, seen, Range::Older(Some(id.saturating_add(1))), 1).await?;
    listed.payments.into_iter().find(|(found, _)| *found == id).ok_or_else(Error::not_found)
}

/// `POST …/monetary-account/{account}/payment`
pub(crate) async fn create(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named_own(&call).await?;
    let body = call.json()?;
    let transfer = transfer(&call, Fields::of(&body)).await?;
    let payer = (call.caller()?.customer().ok_or_else(Error::not_found)?, &seen.account().id);
    let payment = call.bunq.edge.gateway.pay(&call.ctx, payer, vec![transfer]).await;
    let payment = payment.map_err(|error| call.failed(error))?;
    let booked = of_entry(&call, &seen, &entry_of(&payment, 0)).await?;
    let (id, _) = booked.ok_or_else(Error::not_found)?;
    Ok(Reply::id(id))
}

/// Payments that were made together, or are to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PaymentBatch {
    count: usize,
}

impl Kept for PaymentBatch {
    const KIND: &'static str = "payment-batch";
    const LIFE: Option<SignedDuration> = Some(ORDER);
}

/// `POST …/monetary-account/{account}/payment-batch`
pub(crate) async fn create_batch(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named_own(&call).await?;
    let body = call.json()?;
    let transfers = transfers(&call, Fields::of(&body), "payments").await?;
    let payer = (call.caller()?.customer().ok_or_else(Error::not_found)?, &seen.account().id);
    let batch = add_batch(&call, &seen, transfers.len()).await?;
    let paid = call.bunq.edge.gateway.pay_once(&call.ctx, payer, transfers, payment_of_batch(batch)).await;
    paid.map_err(|error| call.failed(error))?;
    Ok(Reply::id(batch))
}

/// Notes a batch before its payments are made, and returns its number. Nobody sees it before that.
///
/// # Errors
/// [`Error`]
pub(crate) async fn add_batch(call: &Call, seen: &Seen, count: usize) -> Result<i64, Error> {
    let batch = call.bunq.add(&call.ctx, seen.id, PaymentBatch { count }).await;
    Ok(batch.map_err(|error| call.failed(error))?.id)
}

/// The payment whose transfers are a batch.
pub(crate) fn payment_of_batch(batch: i64) -> PaymentId {
    PaymentId::new(format!("batch-{batch}"))
}

/// A batch whose payments were made.
async fn render_batch(
    call: &Call,
    seen: &Seen,
    batch: &Record<PaymentBatch>,
) -> Result<Option<Value>, Error> {
    let mut payments = Vec::new();
    let renderer = Renderer::new(call, seen);
    let payment = payment_of_batch(batch.id);
    for index in 0..batch.value.count {
        let Some((id, one)) = of_entry(call, seen, &entry_of(&payment, index)).await? else {
            return Ok(None);
        };
        payments.push(renderer.payment(id, &one));
    }
    let (created, updated) = (time(batch.created), time(batch.updated));
    Ok(Some(json!({"id": batch.id, "created": created, "updated": updated, "payments": payments})))
}

/// `GET …/monetary-account/{account}/payment-batch`
pub(crate) async fn list_batches(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named_own(&call).await?;
    let (found, links) = call.page_of::<PaymentBatch>(seen.id).await?;
    let mut elements = Vec::new();
    for batch in &found {
        elements.extend(render_batch(&call, &seen, batch).await?.map(|batch| wrapped("PaymentBatch", batch)));
    }
    Ok(Reply::page(elements, links))
}

/// `GET …/monetary-account/{account}/payment-batch/{id}`
pub(crate) async fn read_batch(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named_own(&call).await?;
    Ok(Reply::one("PaymentBatch", named_batch(&call, &seen).await?))
}

/// `PUT …/monetary-account/{account}/payment-batch/{id}`: what was paid stays paid.
pub(crate) async fn change_batch(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named_own(&call).await?;
    named_batch(&call, &seen).await?;
    Ok(Reply::id(call.id("id")?))
}

async fn named_batch(call: &Call, seen: &Seen) -> Result<Value, Error> {
    let batch = call.record::<PaymentBatch>(seen.id, call.id("id")?).await?;
    render_batch(call, seen, &batch).await?.ok_or_else(Error::not_found)
}

/// `GET …/monetary-account/{account}/mastercard-action` and below: this bank issues no cards, so there are none.
pub(crate) async fn no_card_actions(call: Call) -> Result<Reply, Error> {
    accounts::named(&call).await?;
    call.page()?;
    Ok(Reply::page(Vec::new(), Page::none()))
}

/// One of them.
pub(crate) async fn no_card_action(call: Call) -> Result<Reply, Error> {
    accounts::named(&call).await?;
    Err(Error::not_found())
}

/// Whether the caller's role lets it start payments.
///
/// # Errors
/// 403
pub(crate) fn check_may_pay(roles: &[eidas::Role]) -> Result<(), Error> {
    if roles.contains(&eidas::Role::PaymentInitiation) {
        return Ok(());
    }
    Err(Error::forbidden("The certificate does not grant the role PISP, which is needed for this."))
}

/// The roles of the service provider that calls, in person or for a user; none for customers in person.
///
/// # Errors
/// [`Error`]
pub(crate) async fn roles_of_caller(call: &Call) -> Result<Option<Vec<eidas::Role>>, Error> {
    let provider = match call.caller()? {
        User::Customer { .. } => return Ok(None),
        User::Provider { roles, .. } => return Ok(Some(roles.clone())),
        User::Key { provider, .. } => *provider,
    };
    let user = crate::users::find(&call.bunq, provider).await.map_err(|error| call.failed(error))?;
    match user.map(|user| user.value) {
        Some(User::Provider { roles, .. }) => Ok(Some(roles)),
        _ => Ok(Some(Vec::new())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_places_and_lead_back() {
        let numbers = PaymentNumbers(vec![5000, 9000]);
        assert_eq!((numbers.at(1), numbers.at(1024), numbers.at(1025)), (Some(5000), Some(6023), Some(9000)));
        assert_eq!(numbers.at(2049), None);
        for place in [1, 2, 1024, 1025, 2048] {
            assert_eq!(numbers.below(numbers.at(place).unwrap()), place - 1);
        }
        assert_eq!((numbers.below(1), numbers.below(7000), numbers.below(99_999)), (0, 1024, 2048));
    }
}
