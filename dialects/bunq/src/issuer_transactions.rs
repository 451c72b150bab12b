//! Issuer transactions: the payer is unknown and chooses an account at the bank's page (section 16.4).

use gateway::PaymentRequest;
use gateway::domain::{Counterparty, Payment, PaymentId, Subject, TppId, Transfer};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::call::{Call, breathe};
use crate::error::Error;
use crate::fields::Fields;
use crate::labels::{amount, label_account, label_counterparty};
use crate::oauth_clients::check_url;
use crate::pointers::{check_description, follow};
use crate::provider_drafts::{check_provider, is_pending};
use crate::records::{Record, find, index_until, look_up};
use crate::reply::{Reply, time};
use crate::state::Bunq;
use crate::users::User;
use crate::wire;
use crate::wire::objects::Object;

/// From a public UUID to the provider's user and the number.
const BY_UUID: &str = "issuer-transaction-by-uuid";

/// A transaction whose payer is unknown.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct IssuerTransaction {
    pub(crate) payment: PaymentId,
    pub(crate) tpp: TppId,
    public_uuid: String,
    pub(crate) url_redirect: String,
}

/// `POST /user/{user}/payment-service-provider-issuer-transaction`
pub(crate) async fn create(call: Call) -> Result<Reply, Error> {
    let user = check_provider(&call)?;
    let User::Provider { tpp, .. } = call.caller()? else { return Err(Error::unauthorised()) };
    let body = call.json()?;
    let fields = Fields::of(&body);
    fields.optional_constant("status", "PENDING")?;
    let creditor: Counterparty = follow(&call, fields.object("counterparty_alias")?).await?.counterparty;
    let description = fields.text("description")?;
    check_description(&call, &creditor, description)?;
    let url_redirect = check_url("url_redirect", fields.text("url_redirect")?)?;
    let lifetime = match fields.optional_time("time_expiry")? {
        None => call.bunq.rules().linked_payment,
        Some(at) => at.duration_since(call.ctx.now),
    };
    let longest = call.bunq.rules().longest_linked_payment;
    if !(SignedDuration::from_secs(1)..=longest).contains(&lifetime) {
        let days = longest.as_hours() / 24;
        return Err(Error::bad(format!(
            "The field \"time_expiry\" must be in the future, at most {days} days ahead."
        )));
    }
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
        debtor: None,
        transfers: vec![transfer],
        lifetime,
    };
    let public_uuid = call.bunq.edge.gateway.new_secret_uuid();
    let id = call.bunq.number().await?;
    let known_by = |payment: &Payment| {
        let (payment, tpp) = (payment.id.clone(), tpp.clone());
        let transaction = IssuerTransaction { payment, tpp, public_uuid: public_uuid.clone(), url_redirect };
        let record = Record::new(id, user, call.ctx.now, transaction);
        let by_uuid = index_until(BY_UUID, public_uuid, &(user, id), record.forget_at);
        vec![record.entry(), by_uuid]
    };
    call.initiate(request, known_by).await?;
    Ok(Reply::id(id))
}

/// The transaction with a public UUID.
pub(crate) async fn by_uuid(
    bunq: &Bunq,
    uuid: &str,
) -> Result<Option<Record<IssuerTransaction>>, gateway::Error> {
    match look_up::<(i64, i64)>(&bunq.drawer, BY_UUID, uuid).await? {
        Some((user, id)) => find(&bunq.drawer, user, id).await,
        None => Ok(None),
    }
}

async fn render(call: &Call, transaction: &Record<IssuerTransaction>) -> Result<Object, Error> {
    let value = &transaction.value;
    let payment = call.payment(&value.payment).await?;
    let transfer = payment.transfers.first().ok_or_else(Error::not_found)?;
    // Whoever paid may have left the bank since.
    let payer = call.bunq.edge.gateway.payer(&payment).await?;
    let rendered = wire::payments::IssuerTransaction {
        public_uuid: value.public_uuid.clone(),
        alias: payer.as_ref().map(label_account),
        counterparty_alias: label_counterparty(&transfer.creditor),
        amount: amount(transfer.amount),
        description: transfer.remittance.clone().unwrap_or_default(),
        url_redirect: value.url_redirect.clone(),
        time_expiry: time(payment.expires_at),
        status: payment.status_at(call.ctx.now).into(),
    };
    let updated = payment.last_action_at.max(transaction.created);
    Ok(Object::PaymentServiceProviderIssuerTransaction(transaction.stamped_at(updated, rendered)))
}

async fn named(call: &Call) -> Result<Record<IssuerTransaction>, Error> {
    let user = check_provider(call)?;
    let transaction = call.record::<IssuerTransaction>(user, call.names.id.get()?).await?;
    edge::note_subject(Subject::Payment(transaction.value.payment.clone()));
    Ok(transaction)
}

/// `GET /user/{user}/payment-service-provider-issuer-transaction`
pub(crate) async fn list(call: Call) -> Result<Reply, Error> {
    let user = check_provider(&call)?;
    let (found, links) = call.page_of::<IssuerTransaction>(user).await?;
    let mut elements = Vec::new();
    for transaction in &found {
        breathe().await;
        elements.push(render(&call, transaction).await?);
    }
    Ok(Reply::page(elements, links))
}

/// `GET /user/{user}/payment-service-provider-issuer-transaction/{id}`
pub(crate) async fn read(call: Call) -> Result<Reply, Error> {
    let transaction = named(&call).await?;
    Ok(Reply::one(render(&call, &transaction).await?))
}

/// `PUT /user/{user}/payment-service-provider-issuer-transaction/{id}`
pub(crate) async fn change(call: Call) -> Result<Reply, Error> {
    let transaction = named(&call).await?;
    let body = call.json()?;
    Fields::of(&body).constant("status", "CANCELLED")?;
    let (tpp, payment) = (call.caller()?.tpp(), &transaction.value.payment);
    call.bunq.edge.gateway.cancel_payment(&call.ctx, tpp, payment).await?;
    Ok(Reply::id(transaction.id))
}

/// `GET /payment-service-provider-issuer-transaction-public/{uuid}`: whoever knows the UUID is the payer.
pub(crate) async fn read_public(call: Call) -> Result<Reply, Error> {
    let found = by_uuid(&call.bunq, &call.names.uuid).await?;
    Ok(Reply::one(render(&call, &found.ok_or_else(Error::not_found)?).await?))
}

/// `PUT /payment-service-provider-issuer-transaction-public/{uuid}`: the payer does not want to pay.
pub(crate) async fn reject_public(call: Call) -> Result<Reply, Error> {
    let body = call.json()?;
    Fields::of(&body).constant("status", "REJECTED")?;
    let found = by_uuid(&call.bunq, &call.names.uuid).await?;
    let transaction = found.ok_or_else(Error::not_found)?;
    call.bunq.edge.gateway.reject_payment(&call.ctx, &transaction.value.payment).await?;
    Ok(Reply::id(transaction.id))
}

/// Whether the payer can still decide.
pub(crate) async fn is_open(
    bunq: &Bunq,
    ctx: &gateway::Ctx,
    transaction: &IssuerTransaction,
) -> Result<bool, gateway::Error> {
    let payment = bunq.edge.gateway.payment(ctx, &transaction.payment).await?;
    Ok(is_pending(&payment, ctx.now))
}
