//! Payments: the booked transactions of an account with numbers, and payments that customers make in person
//! (sections 14.2 and 16.5).

use gateway::domain::{Counterparty, Interface, PaymentId, Subject, Timestamp, Transaction, Transfer};
use gateway::{Ctx, entry_of};
use jiff::SignedDuration;

use crate::accounts::{self, Seen};
use crate::call::Call;
use crate::error::Error;
use crate::fields::Fields;
use crate::labels::{amount, label_account, label_counterparty, shown};
use crate::ledger::{Numbered, find_one, in_range, number_of_entry};
use crate::pagination::Page;
use crate::pointers::transfer;
use crate::reply::{Reply, time};
use crate::users::User;
use crate::wire;
use crate::wire::objects::Object;
use crate::wire::payments::{BookedPayment, PAYMENT, PlannedPayment};

/// `GET …/monetary-account/{account}/payment`
pub(crate) async fn list(call: Call) -> Result<Reply, Error> {
    let (seen, page) = (accounts::named(&call).await?, call.page()?);
    let listed = in_range(&call, &seen, page.range, page.count).await?;
    let renderer = Renderer::new(&call, &seen);
    let ids: Vec<i64> = listed.payments.iter().map(|(id, _)| *id).collect();
    let elements = listed.payments.iter().map(|one| renderer.object(one));
    Ok(Reply::page(elements, page.links(&call.path, &ids, listed.has_older, listed.has_newer)))
}

/// `GET …/monetary-account/{account}/payment/{id}`
pub(crate) async fn read(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named(&call).await?;
    let found = find_one(&call, &seen, call.names.id.get()?).await?;
    Ok(Reply::one(Renderer::new(&call, &seen).object(&found)))
}

/// `POST …/monetary-account/{account}/payment`
pub(crate) async fn create(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named_own(&call).await?;
    let body = call.json()?;
    let transfer = transfer(&call, Fields::of(&body)).await?;
    let payer = (call.caller()?.customer().ok_or_else(Error::not_found)?, &seen.account().id);
    let payment = call.bunq.edge.gateway.pay(&call.ctx, Interface::Bunq, payer, vec![transfer]).await?;
    edge::note_subject(Subject::Payment(payment.clone()));
    Ok(Reply::id(first_booked(&call, &seen, &payment).await?))
}

/// The number of the first transaction that a payment made.
///
/// # Errors
/// 491 if there is none yet
pub(crate) async fn first_booked(call: &Call, seen: &Seen, payment: &PaymentId) -> Result<i64, Error> {
    // A core bank that does not answer in time has it perhaps, and is asked about it until it says.
    let text = "The bank has taken the payment and has not said yet that it is booked. Look at the payments of the account \
                before you make it again.";
    number_of_entry(call, seen, &entry_of(payment, 0)).await?.ok_or_else(|| Error::unavailable(text))
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

/// Renders transactions of one account.
pub(crate) struct Renderer<'a> {
    call: &'a Call,
    seen: &'a Seen,
    /// Whether the caller sees what the customer sees.
    in_full: bool,
}

impl<'a> Renderer<'a> {
    pub(crate) fn new(call: &'a Call, seen: &'a Seen) -> Self {
        Self { call, seen, in_full: call.caller().is_ok_and(User::sees_all) }
    }

    /// A transaction with its number.
    pub(crate) fn payment(&self, (id, transaction): &Numbered) -> BookedPayment {
        let moment = time(moment_of(&self.call.ctx, transaction));
        let (kind, sub_type) = kind_of(self.call, transaction);
        BookedPayment {
            payment: wire::Payment {
                id: *id,
                created: moment.clone(),
                amount: amount(transaction.amount),
                description: transaction.remittance.clone().unwrap_or_default(),
                counterparty_alias: Some(label_counterparty(&transaction.counterparty)),
            },
            updated: moment,
            monetary_account_id: self.seen.id,
            kind,
            sub_type,
            merchant_reference: transaction.end_to_end_id.clone(),
            alias: label_account(self.seen.account()),
            batch_id: made_by(transaction, "batch-"),
            scheduled_id: made_by(transaction, "schedule-"),
            balance_after_mutation: shown(transaction.balance_after.filter(|_| self.in_full)),
            unsaid: PAYMENT,
        }
    }

    /// The same under its wrapper.
    pub(crate) fn object(&self, one: &Numbered) -> Object {
        Object::Payment(self.payment(one))
    }
}

/// A payment of an account that is still to be made.
pub(crate) fn planned(seen: &Seen, transfer: &Transfer) -> PlannedPayment {
    PlannedPayment {
        amount: amount(transfer.amount),
        alias: label_account(seen.account()),
        counterparty_alias: label_counterparty(&transfer.creditor),
        description: transfer.remittance.clone().unwrap_or_default(),
        merchant_reference: transfer.end_to_end_id.clone(),
        attachment: [],
    }
}

/// The number of the batch or schedule that made a payment, on the payer's side.
fn made_by(transaction: &Transaction, what: &str) -> Option<i64> {
    let rest = transaction.id.strip_prefix(what).filter(|_| transaction.amount.minor < 0)?;
    rest.split('-').next()?.parse().ok()
}

/// When a transaction was made: to the second where that is known, else at the beginning of its day, in the order of
/// the books.
pub(crate) fn moment_of(ctx: &Ctx, transaction: &Transaction) -> Timestamp {
    transaction.entered_at.unwrap_or_else(|| {
        let start = ctx.tenant.start_of(transaction.booking_date);
        let place = SignedDuration::from_micros(transaction.sequence.clamp(0, 80_000_000_000));
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
pub(crate) async fn roles_of_caller(call: &Call) -> Result<Option<Vec<eidas::Role>>, Error> {
    let provider = match call.caller()? {
        User::Customer { .. } => return Ok(None),
        User::Provider { roles, .. } => return Ok(Some(roles.clone())),
        User::Key { provider, .. } => *provider,
    };
    let user = crate::users::find(&call.bunq, provider).await?;
    let client = user.and_then(|user| user.value.client(provider));
    Ok(Some(client.map(|(_, roles)| roles).unwrap_or_default()))
}
