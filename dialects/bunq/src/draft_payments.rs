//! Draft payments: a service provider with access prepares them, the user accepts them at the bank (section 16.2).

use gateway::PaymentRequest;
use gateway::domain::payments::MAX_TRANSFERS;
use gateway::domain::{
    Iban, Interface, Payment, PaymentId, PaymentRefusal, PaymentStatus, Subject, Timestamp, TppId,
};
use serde::{Deserialize, Serialize};

use crate::accounts::{self, Seen};
use crate::call::{Call, breathe};
use crate::error::Error;
use crate::fields::Fields;
use crate::labels::{is_in_person, label_user};
use crate::ledger::made_of;
use crate::payment_batches::{add_batch, payment_of_batch};
use crate::payments::{Renderer, check_may_pay, planned, roles_of_caller};
use crate::pointers::transfers;
use crate::records::{self, Record, stamped};
use crate::reply::{Reply, time};
use crate::users::{self, User};
use crate::wire;
use crate::wire::objects::{Object, Stamped};
use crate::wire::payments::{DRAFT, Decision, DraftEntry, DraftResponse, PaymentBatch};

/// A draft payment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DraftPayment {
    payment: PaymentId,
    /// Number of the user who prepared it.
    creator: i64,
    /// The third party that prepared it, whichever of its users it did that with; none for the customer in person.
    tpp: Option<TppId>,
    /// Number of its first entry; the others follow.
    first_entry: i64,
    /// Number of the batch that several entries become.
    batch: Option<i64>,
    /// How many entries it has; absent in drafts of earlier versions.
    #[serde(default)]
    count: Option<usize>,
}

/// What somebody wants to become of a draft.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Wish {
    Accepted,
    Rejected,
    Cancelled,
}

/// `POST …/monetary-account/{account}/draft-payment`
pub(crate) async fn create(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named(&call).await?;
    if let Some(roles) = roles_of_caller(&call).await? {
        check_may_pay(&roles)?;
    }
    let body = call.json()?;
    let fields = Fields::of(&body);
    fields.optional_constant("status", "PENDING")?;
    if fields.integer("number_of_required_accepts")? != 1 {
        return Err(Error::bad("The field \"number_of_required_accepts\" must be 1."));
    }
    if fields.get("schedule").is_some() {
        let text =
            "Drafts with a \"schedule\" are not offered by this bank; leave it out, or schedule a payment.";
        return Err(Error::bad(text));
    }
    let transfers = transfers(&call, fields, "entries").await?;
    let own = seen.account().currency;
    if let Some(other) = transfers.iter().map(|one| one.amount.currency).find(|currency| *currency != own) {
        let (account, amount) = (own.code(), other.code());
        return Err(PaymentRefusal::DebtorCurrency { account, amount }.into());
    }
    let count = i64::try_from(transfers.len()).unwrap_or(1);
    let batch = if count > 1 { Some(add_batch(&call, &seen, transfers.len()).await?) } else { None };
    let tpp = call.caller()?.tpp().cloned();
    let debtor: Option<Iban> = Some(seen.account().iban.clone());
    let request = PaymentRequest {
        id: batch.map(payment_of_batch),
        tpp: call.acting().cloned(),
        debtor,
        transfers,
        lifetime: call.bunq.rules().payment,
    };
    // Of the entries, and after them of the draft.
    let first_entry = call.bunq.numbers(count.saturating_add(1)).await?;
    let (id, creator) = (first_entry.saturating_add(count), call.session()?.user);
    let known_by = |payment: &Payment| {
        let (payment, count) = (payment.id.clone(), Some(payment.transfers.len()));
        let draft = DraftPayment { payment, creator, tpp, first_entry, batch, count };
        vec![Record::new(id, seen.id, call.ctx.now, draft).entry()]
    };
    call.initiate(request, known_by).await?;
    Ok(Reply::id(id))
}

/// A third party sees its own drafts, the user all of them.
fn is_visible(call: &Call, draft: &Record<DraftPayment>) -> bool {
    call.caller().is_ok_and(|caller| is_in_person(caller) || caller.tpp() == draft.value.tpp.as_ref())
}

/// What a draft weighs in an answer: its entries, and the payments that they become.
fn weight(draft: &Record<DraftPayment>) -> usize {
    let most = if draft.value.batch.is_some() { MAX_TRANSFERS } else { 1 };
    2 * draft.value.count.unwrap_or(most)
}

/// When a draft was last changed. Payments are kept to the second, drafts are not.
fn updated(draft: &Record<DraftPayment>, payment: &Payment) -> Timestamp {
    payment.last_action_at.max(draft.created)
}

async fn render(
    call: &Call,
    seen: &Seen,
    draft: &Record<DraftPayment>,
) -> Result<Stamped<wire::payments::DraftPayment>, Error> {
    let payment = call.payment(&draft.value.payment).await?;
    render_with(call, seen, (draft, &payment)).await
}

async fn render_with(
    call: &Call,
    seen: &Seen,
    (draft, payment): (&Record<DraftPayment>, &Payment),
) -> Result<Stamped<wire::payments::DraftPayment>, Error> {
    let status = Decision::from(payment.status_at(call.ctx.now));
    let entries = payment.transfers.iter().zip(draft.value.first_entry..);
    let entry = |(transfer, id)| DraftEntry { id, kind: "BUNQ", payment: planned(seen, transfer) };
    let name = users::provider_name(&call.bunq, draft.value.creator).await?;
    let name = name.unwrap_or_else(|| seen.account().name.clone());
    let label = label_user(draft.value.creator, &name, call.ctx.tenant.country());
    let response = DraftResponse { status, user_alias_created: label.clone() };
    let rendered = wire::payments::DraftPayment {
        monetary_account_id: seen.id,
        user_alias_created: label,
        responses: Some(response).filter(|_| status != Decision::Pending).into_iter().collect(),
        status,
        kind: "BUNQ",
        entries: entries.map(entry).collect(),
        object: object(call, seen, payment, draft.value.batch).await?,
        unsaid: DRAFT,
    };
    Ok(draft.stamped_at(updated(draft, payment), rendered))
}

/// What an accepted draft became.
async fn object(
    call: &Call,
    seen: &Seen,
    payment: &Payment,
    batch: Option<i64>,
) -> Result<Option<Object>, Error> {
    let renderer = Renderer::new(call, seen);
    let made = match payment.status_at(call.ctx.now) {
        PaymentStatus::Submitted => made_of(call, seen, &payment.id, payment.transfers.len()).await?,
        _ => None,
    };
    let made = made.unwrap_or_default();
    Ok(match (batch, made.last()) {
        (_, None) => None,
        (None, Some(one)) => Some(renderer.object(one)),
        (Some(id), Some(_)) => {
            let payments = made.iter().map(|one| renderer.payment(one)).collect();
            let times = (payment.last_action_at, payment.last_action_at);
            Some(Object::PaymentBatch(stamped(id, times, PaymentBatch { payments })))
        }
    })
}

/// The draft that the path names, with its account.
async fn named(call: &Call) -> Result<(Seen, Record<DraftPayment>), Error> {
    let seen = accounts::named(call).await?;
    let draft = call.record::<DraftPayment>(seen.id, call.names.id.get()?).await?;
    if !is_visible(call, &draft) {
        return Err(Error::not_found());
    }
    edge::note_subject(Subject::Payment(draft.value.payment.clone()));
    Ok((seen, draft))
}

/// A draft with the payment that says what became of it.
pub(crate) struct KnownDraft {
    draft: Record<DraftPayment>,
    payment: Payment,
}

impl KnownDraft {
    /// Its number and status.
    pub(crate) fn state(&self, call: &Call) -> (i64, Decision) {
        (self.draft.id, self.payment.status_at(call.ctx.now).into())
    }

    /// The draft as answers show it. The bank is asked what an accepted one became.
    pub(crate) async fn render(
        &self,
        call: &Call,
        seen: &Seen,
    ) -> Result<Stamped<wire::payments::DraftPayment>, Error> {
        render_with(call, seen, (&self.draft, &self.payment)).await
    }
}

/// The newest drafts that the caller may see, and those with these numbers; newest first.
pub(crate) async fn newest(
    call: &Call,
    seen: &Seen,
    which: (usize, &[i64]),
) -> Result<Vec<KnownDraft>, Error> {
    let is_visible = |draft: &Record<DraftPayment>| is_visible(call, draft);
    let mut drafts = Vec::new();
    for draft in records::newest(&call.bunq.drawer, seen.id, is_visible, which).await? {
        breathe().await;
        let payment = call.payment(&draft.value.payment).await?;
        drafts.push(KnownDraft { draft, payment });
    }
    Ok(drafts)
}

/// `GET …/monetary-account/{account}/draft-payment`
pub(crate) async fn list(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named(&call).await?;
    let is_visible = |one: &Record<DraftPayment>| is_visible(&call, one);
    let (found, links) = call.page_of_weighed::<DraftPayment>(seen.id, is_visible, weight).await?;
    let mut elements = Vec::new();
    for draft in &found {
        breathe().await;
        elements.push(Object::DraftPayment(Box::new(render(&call, &seen, draft).await?)));
    }
    Ok(Reply::page(elements, links))
}

/// `GET …/monetary-account/{account}/draft-payment/{id}`
pub(crate) async fn read(call: Call) -> Result<Reply, Error> {
    let (seen, draft) = named(&call).await?;
    Ok(Reply::one(Object::DraftPayment(Box::new(render(&call, &seen, &draft).await?))))
}

/// `PUT …/monetary-account/{account}/draft-payment/{id}`: whoever prepared it cancels it, the user in person accepts
/// or rejects it.
pub(crate) async fn change(call: Call) -> Result<Reply, Error> {
    let (seen, draft) = named(&call).await?;
    let body = call.json()?;
    let fields = Fields::of(&body);
    let wish: Wish = fields.word("status")?;
    if wish == Wish::Accepted && !call.is_signed {
        return Err(Error::signature_required());
    }
    let payment = call.payment(&draft.value.payment).await?;
    if let Some(seen_at) = fields.optional_text("previous_updated_timestamp")?
        && seen_at != time(updated(&draft, &payment))
    {
        return Err(Error::bad(format!(
            "The draft was changed at {}, which is not \"previous_updated_timestamp\". Read it again and decide anew.",
            time(updated(&draft, &payment))
        )));
    }
    let (gateway, id) = (&call.bunq.edge.gateway, &payment.id);
    let changed = match (wish, call.caller()?) {
        (Wish::Cancelled, caller) if caller.tpp() == payment.tpp.as_ref() => {
            gateway.cancel_payment(&call.ctx, caller.tpp(), id).await
        }
        (Wish::Cancelled, _) => {
            let text = "Only the payment service provider that prepared this draft can cancel it; reject it instead.";
            return Err(Error::forbidden(text));
        }
        (Wish::Rejected, User::Customer { .. }) => gateway.reject_payment(&call.ctx, id).await,
        (Wish::Accepted, User::Customer { customer }) => {
            // Nothing is paid for a third party that may not act, as at the bank's page.
            if let Some(tpp) = &payment.tpp {
                gateway.may_act(&call.ctx, Interface::Bunq, tpp).await?;
            }
            gateway.approve_payment(&call.ctx, id, (customer, &seen.account().id)).await
        }
        _ => {
            return Err(Error::forbidden(
                "A payment service provider can only cancel its draft; the user accepts or rejects it at the bank.",
            ));
        }
    };
    changed?;
    Ok(Reply::id(draft.id))
}
