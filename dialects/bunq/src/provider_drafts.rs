//! Draft payments of a service provider that knows the payer's account number and nothing else (section 16.3). The
//! user decides about them at the authorization page.

use gateway::PaymentRequest;
use gateway::domain::{Counterparty, Iban, Payment, PaymentId, PaymentStatus, Subject, Transfer};
use serde::{Deserialize, Serialize};

use crate::call::{Call, breathe};
use crate::error::Error;
use crate::fields::Fields;
use crate::labels::amount;
use crate::payments::check_may_pay;
use crate::pointers::{MAX_NAME, check_description, iban};
use crate::records::Record;
use crate::reply::Reply;
use crate::users::User;
use crate::wire;
use crate::wire::objects::Object;

/// A draft payment of a service provider.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ProviderDraft {
    payment: PaymentId,
}

/// The service provider that calls in person, with the right to start payments.
///
/// # Errors
/// 403
pub(crate) fn check_provider(call: &Call) -> Result<i64, Error> {
    let user = call.user()?;
    match call.caller()? {
        User::Provider { roles, .. } => check_may_pay(roles).map(|()| user),
        User::Customer { .. } | User::Key { .. } => Err(Error::forbidden(
            "Only a payment service provider can do this, with a session of its own key.",
        )),
    }
}

/// `POST /user/{user}/payment-service-provider-draft-payment`
pub(crate) async fn create(call: Call) -> Result<Reply, Error> {
    let user = check_provider(&call)?;
    let body = call.json()?;
    let fields = Fields::of(&body);
    let debtor: Iban = iban(fields.text("sender_iban")?)?;
    fields.optional_text("sender_name")?;
    let creditor = Counterparty {
        iban: Some(iban(fields.text("counterparty_iban")?)?),
        name: Some(fields.short_text("counterparty_name", MAX_NAME)?.to_owned()),
    };
    let description = fields.text("description")?;
    check_description(&call, &creditor, description)?;
    let transfer = Transfer {
        creditor,
        amount: fields.positive_amount("amount")?,
        remittance: Some(description.to_owned()),
        end_to_end_id: None,
        routing: None,
    };
    let request = PaymentRequest {
        id: None,
        tpp: call.acting().cloned(),
        debtor: Some(debtor),
        transfers: vec![transfer],
        lifetime: call.bunq.rules().payment,
    };
    let id = call.bunq.number().await?;
    let draft = |payment: &Payment| ProviderDraft { payment: payment.id.clone() };
    let known_by = |payment: &Payment| vec![Record::new(id, user, call.ctx.now, draft(payment)).entry()];
    call.initiate(request, known_by).await?;
    Ok(Reply::id(id))
}

async fn render(call: &Call, draft: &Record<ProviderDraft>) -> Result<Object, Error> {
    let payment = call.payment(&draft.value.payment).await?;
    let transfer = payment.transfers.first().ok_or_else(Error::not_found)?;
    let iban = |iban: &Option<Iban>| iban.as_ref().map(|iban| iban.as_str().to_owned());
    let rendered = wire::payments::ProviderDraft {
        sender_iban: iban(&payment.debtor),
        receiver_iban: iban(&transfer.creditor.iban),
        amount: amount(transfer.amount),
        status: payment.status_at(call.ctx.now).into(),
    };
    let updated = payment.last_action_at.max(draft.created);
    Ok(Object::PaymentServiceProviderDraftPayment(draft.stamped_at(updated, rendered)))
}

async fn named(call: &Call) -> Result<Record<ProviderDraft>, Error> {
    let user = check_provider(call)?;
    let draft = call.record::<ProviderDraft>(user, call.names.id.get()?).await?;
    edge::note_subject(Subject::Payment(draft.value.payment.clone()));
    Ok(draft)
}

/// `GET /user/{user}/payment-service-provider-draft-payment`
pub(crate) async fn list(call: Call) -> Result<Reply, Error> {
    let user = check_provider(&call)?;
    let (found, links) = call.page_of::<ProviderDraft>(user).await?;
    let mut elements = Vec::new();
    for draft in &found {
        breathe().await;
        elements.push(render(&call, draft).await?);
    }
    Ok(Reply::page(elements, links))
}

/// `GET /user/{user}/payment-service-provider-draft-payment/{id}`
pub(crate) async fn read(call: Call) -> Result<Reply, Error> {
    let draft = named(&call).await?;
    Ok(Reply::one(render(&call, &draft).await?))
}

/// What a service provider wants to become of its draft.
#[derive(PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Wish {
    Cancelled,
    Rejected,
}

/// `PUT /user/{user}/payment-service-provider-draft-payment/{id}`
pub(crate) async fn change(call: Call) -> Result<Reply, Error> {
    let draft = named(&call).await?;
    let body = call.json()?;
    let wish: Wish = Fields::of(&body).word("status")?;
    let (gateway, id) = (&call.bunq.edge.gateway, &draft.value.payment);
    if wish == Wish::Cancelled {
        gateway.cancel_payment(&call.ctx, call.caller()?.tpp(), id).await?;
    } else {
        gateway.reject_payment(&call.ctx, id).await?;
    }
    Ok(Reply::id(draft.id))
}

/// Whether nobody has decided yet.
pub(crate) fn is_pending(payment: &Payment, now: gateway::domain::Timestamp) -> bool {
    payment.status_at(now) == PaymentStatus::Pending
}
