//! Requests for money: an inquiry on one side, a response on the other, one payment that the payer decides about
//! (section 16.5). At a bank for tests one party answers every inquiry with money (section 17).

use gateway::PaymentRequest;
use gateway::domain::{
    Counterparty, Currency, Iban, Money, Payment, PaymentId, PaymentStatus, Timestamp, Transfer,
};
use serde::{Deserialize, Serialize};

use crate::accounts::{self, Seen};
use crate::call::{Call, breathe};
use crate::error::Error;
use crate::fields::Fields;
use crate::labels::{amount, label_account, label_counterparty, label_own};
use crate::pointers::follow;
use crate::records::{self, Record};
use crate::reply::{Reply, time};
use crate::users::number_of_customer;
use crate::wire;
use crate::wire::objects::{LabelAccount, Object, Stamped, Unsaid};
use crate::wire::payments::{Decision, INQUIRY, RESPONSE, Request};

/// The most that a bank for tests gives away at once, in minor units.
const MAX_GIFT: i64 = 50_000;

/// A request for money, on the side of whoever asks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RequestInquiry {
    amount: Money,
    description: String,
    merchant_reference: Option<String>,
    /// Who is asked.
    counterparty: Counterparty,
    /// The account that asks.
    iban: Iban,
    name: String,
    /// The payment that the other side decides about; none if it was answered at once.
    payment: Option<PaymentId>,
}

/// The same on the side of whoever is asked, under the number of their user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RequestResponse {
    /// The account that asks, and the number of its inquiry.
    account: i64,
    inquiry: i64,
    /// The account that is asked. One number can stand for accounts in several currencies.
    asked: (Iban, String),
}

/// What somebody who is asked for money answers.
#[derive(PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Wish {
    Accepted,
    Rejected,
}

/// `POST …/monetary-account/{account}/request-inquiry`
pub(crate) async fn create(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named_own(&call).await?;
    let body = call.json()?;
    let fields = Fields::of(&body);
    let amount = fields.positive_amount("amount_inquired")?;
    let pointed = follow(&call, fields.object("counterparty_alias")?).await?;
    let description = fields.text("description")?.to_owned();
    fields.truth("allow_bunqme")?;
    let merchant_reference = fields.optional_text("merchant_reference")?.map(str::to_owned);
    let account = seen.account();
    if amount.currency != account.currency {
        let text = format!("The field \"amount_inquired.currency\" must be {}.", account.currency.code());
        return Err(Error::bad(text));
    }
    let inquiry = RequestInquiry {
        amount,
        description,
        merchant_reference,
        counterparty: pointed.counterparty,
        iban: account.iban.clone(),
        name: account.name.clone(),
        payment: None,
    };
    if pointed.is_giver {
        give(&call, &seen, amount, &inquiry.description).await?;
        return Ok(Reply::id(call.bunq.add(&call.ctx, seen.id, inquiry).await?.id));
    }
    Ok(Reply::id(ask(&call, &seen, inquiry, pointed.user).await?))
}

/// The numbers of the users who see a request: the one who was named, or everybody who holds the account.
async fn asked_users(
    call: &Call,
    (iban, currency): (&Iban, Currency),
    named: Option<i64>,
) -> Result<Vec<i64>, Error> {
    if let Some(user) = named {
        return Ok(vec![user]);
    }
    let holders = call.bunq.edge.gateway.holders_of_number(&call.ctx, iban, currency).await?;
    let mut users = Vec::new();
    for holder in holders {
        users.push(number_of_customer(&call.bunq, &call.ctx, &holder).await?);
    }
    Ok(users)
}

/// The party with the money answers at once.
async fn give(call: &Call, seen: &Seen, amount: Money, what: &str) -> Result<(), Error> {
    if amount.minor > MAX_GIFT {
        return Err(Error::bad("At most 500.00 can be requested from this party at once."));
    }
    let from = (amount, crate::pointers::GIVER.1, what);
    call.bunq.edge.gateway.give_test_money(&call.ctx, &seen.account().id, from).await?;
    Ok(())
}

/// Anybody else decides about a payment. Returns the number of the inquiry.
async fn ask(call: &Call, seen: &Seen, inquiry: RequestInquiry, named: Option<i64>) -> Result<i64, Error> {
    let RequestInquiry { amount, description, counterparty, iban, name, .. } = &inquiry;
    let creditor = Counterparty { name: Some(name.clone()), iban: Some(iban.clone()) };
    let remittance = Some(description.clone());
    let transfer = Transfer { creditor, amount: *amount, remittance, end_to_end_id: None, routing: None };
    let (id, now) = (call.bunq.number().await?, call.ctx.now);
    let mut known_by = Vec::new();
    if let Some(iban) = &counterparty.iban {
        let asked = (iban.clone(), amount.currency.code().to_owned());
        for user in asked_users(call, (iban, amount.currency), named).await? {
            let response = RequestResponse { account: seen.id, inquiry: id, asked: asked.clone() };
            known_by.push(Record::new(call.bunq.number().await?, user, now, response).entry());
        }
    }
    let request = PaymentRequest {
        id: None,
        tpp: None,
        debtor: counterparty.iban.clone(),
        transfers: vec![transfer],
        lifetime: call.bunq.rules().payment,
    };
    let known_by = |payment: &Payment| {
        let inquiry = RequestInquiry { payment: Some(payment.id.clone()), ..inquiry };
        known_by.push(Record::new(id, seen.id, now, inquiry).entry());
        known_by
    };
    call.initiate(request, known_by).await?;
    Ok(id)
}

async fn payment_of(call: &Call, inquiry: &RequestInquiry) -> Result<Option<Payment>, Error> {
    let Some(id) = &inquiry.payment else { return Ok(None) };
    call.payment(id).await.map(Some)
}

/// What became of a request, and what both sides see of it. Payments are kept to the second, records are not.
fn request<T>(
    call: &Call,
    known: &KnownInquiry,
    shown: &Record<T>,
    account: i64,
    (counterparty_alias, unsaid): (LabelAccount, Unsaid),
) -> (Timestamp, Request) {
    let (inquiry, payment, status) = (&known.inquiry.value, known.payment.as_ref(), known.status(call));
    let unanswered = known.inquiry.updated;
    let updated = payment.map_or(unanswered, |payment| payment.last_action_at.max(shown.created));
    let is_answered = matches!(status, Decision::Accepted | Decision::Rejected);
    let request = Request {
        time_responded: is_answered.then(|| time(updated)),
        time_expiry: payment.map(|payment| time(payment.expires_at)),
        monetary_account_id: account,
        amount_inquired: amount(inquiry.amount),
        amount_responded: (status == Decision::Accepted).then(|| amount(inquiry.amount)),
        status,
        description: inquiry.description.clone(),
        counterparty_alias,
        unsaid,
    };
    (updated, request)
}

/// A request with the payment that says what became of it; none where it was answered at once.
pub(crate) struct KnownInquiry {
    inquiry: Record<RequestInquiry>,
    payment: Option<Payment>,
}

impl KnownInquiry {
    async fn of(call: &Call, inquiry: Record<RequestInquiry>) -> Result<Self, Error> {
        let payment = payment_of(call, &inquiry.value).await?;
        Ok(Self { inquiry, payment })
    }

    fn status(&self, call: &Call) -> Decision {
        match self.payment.as_ref().map(|payment| payment.status_at(call.ctx.now)) {
            None => Decision::Accepted,
            Some(PaymentStatus::Cancelled) => Decision::Revoked,
            Some(status) => status.into(),
        }
    }

    /// Its number and status.
    pub(crate) fn state(&self, call: &Call) -> (i64, Decision) {
        (self.inquiry.id, self.status(call))
    }

    /// The request as answers show it to who made it.
    pub(crate) fn render(&self, call: &Call) -> Stamped<wire::payments::RequestInquiry> {
        let inquiry = &self.inquiry;
        let value = &inquiry.value;
        let other = (label_counterparty(&value.counterparty), INQUIRY);
        let (updated, request) = request(call, self, inquiry, inquiry.owner, other);
        let rendered = wire::payments::RequestInquiry {
            request,
            user_alias_created: label_own(&value.iban, &value.name).label_user,
            merchant_reference: value.merchant_reference.clone(),
        };
        inquiry.stamped_at(updated, rendered)
    }
}

async fn render(
    call: &Call,
    inquiry: &Record<RequestInquiry>,
) -> Result<Stamped<wire::payments::RequestInquiry>, Error> {
    Ok(KnownInquiry::of(call, inquiry.clone()).await?.render(call))
}

async fn named(call: &Call) -> Result<Record<RequestInquiry>, Error> {
    call.record::<RequestInquiry>(accounts::named_own(call).await?.id, call.names.id.get()?).await
}

/// The newest requests that an account made, and those with these numbers; newest first.
pub(crate) async fn newest(
    call: &Call,
    seen: &Seen,
    which: (usize, &[i64]),
) -> Result<Vec<KnownInquiry>, Error> {
    let mut inquiries = Vec::new();
    for inquiry in records::newest(&call.bunq.drawer, seen.id, |_| true, which).await? {
        breathe().await;
        inquiries.push(KnownInquiry::of(call, inquiry).await?);
    }
    Ok(inquiries)
}

/// The newest requests to an account, and those with these numbers; newest first.
pub(crate) async fn newest_responses(
    call: &Call,
    seen: &Seen,
    which: (usize, &[i64]),
) -> Result<Vec<KnownResponse>, Error> {
    let (user, drawer) = (call.session()?.user, &call.bunq.drawer);
    let for_account = |response: &Record<RequestResponse>| is_for(&response.value, seen);
    let mut responses = Vec::new();
    for response in records::newest(drawer, user, for_account, which).await? {
        breathe().await;
        let inquiry = inquiry_of(call, &response.value).await?;
        let known = KnownInquiry::of(call, inquiry).await?;
        responses.push(KnownResponse { response, known });
    }
    Ok(responses)
}

/// `GET …/monetary-account/{account}/request-inquiry`
pub(crate) async fn list(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named_own(&call).await?;
    let (found, links) = call.page_of::<RequestInquiry>(seen.id).await?;
    let mut elements = Vec::new();
    for inquiry in &found {
        breathe().await;
        elements.push(Object::RequestInquiry(render(&call, inquiry).await?));
    }
    Ok(Reply::page(elements, links))
}

/// `GET …/monetary-account/{account}/request-inquiry/{id}`
pub(crate) async fn read(call: Call) -> Result<Reply, Error> {
    let inquiry = named(&call).await?;
    Ok(Reply::one(Object::RequestInquiry(render(&call, &inquiry).await?)))
}

/// `PUT …/monetary-account/{account}/request-inquiry/{id}`: answers the whole object.
pub(crate) async fn revoke(call: Call) -> Result<Reply, Error> {
    let inquiry = named(&call).await?;
    let body = call.json()?;
    Fields::of(&body).constant("status", "REVOKED")?;
    let Some(payment) = &inquiry.value.payment else {
        return Err(Error::bad("The request was accepted and cannot be revoked any more."));
    };
    call.bunq.edge.gateway.cancel_payment(&call.ctx, None, payment).await?;
    Ok(Reply::one(Object::RequestInquiry(render(&call, &inquiry).await?)))
}

/// Whether a request is for an account.
fn is_for(response: &RequestResponse, seen: &Seen) -> bool {
    let account = seen.account();
    response.asked.0 == account.iban && response.asked.1 == account.currency.code()
}

async fn inquiry_of(call: &Call, response: &RequestResponse) -> Result<Record<RequestInquiry>, Error> {
    call.record::<RequestInquiry>(response.account, response.inquiry).await
}

/// The same to whom a request is made.
pub(crate) struct KnownResponse {
    response: Record<RequestResponse>,
    known: KnownInquiry,
}

impl KnownResponse {
    /// Its number and status.
    pub(crate) fn state(&self, call: &Call) -> (i64, Decision) {
        (self.response.id, self.known.status(call))
    }

    /// The request as answers show it to who is asked.
    pub(crate) fn render(&self, call: &Call, seen: &Seen) -> Stamped<wire::payments::RequestResponse> {
        let (value, response) = (&self.known.inquiry.value, &self.response);
        let other = (label_own(&value.iban, &value.name), RESPONSE);
        let (updated, request) = request(call, &self.known, response, seen.id, other);
        let alias = label_account(seen.account());
        let rendered = wire::payments::RequestResponse { request, alias, kind: "INTERNAL", sub_type: "ONCE" };
        response.stamped_at(updated, rendered)
    }
}

async fn render_response(
    call: &Call,
    seen: &Seen,
    response: &Record<RequestResponse>,
    inquiry: &Record<RequestInquiry>,
) -> Result<Stamped<wire::payments::RequestResponse>, Error> {
    let known = KnownInquiry::of(call, inquiry.clone()).await?;
    Ok(KnownResponse { response: response.clone(), known }.render(call, seen))
}

/// `GET …/monetary-account/{account}/request-response`
pub(crate) async fn list_responses(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named_own(&call).await?;
    let user = call.session()?.user;
    let for_account = |response: &Record<RequestResponse>| is_for(&response.value, &seen);
    let (found, links) = call.page_of_visible::<RequestResponse>(user, for_account).await?;
    let mut elements = Vec::new();
    for response in &found {
        breathe().await;
        let inquiry = inquiry_of(&call, &response.value).await?;
        elements.push(Object::RequestResponse(render_response(&call, &seen, response, &inquiry).await?));
    }
    Ok(Reply::page(elements, links))
}

/// The request that the path names, with the account that is asked and the inquiry.
async fn named_response(
    call: &Call,
) -> Result<(Seen, Record<RequestResponse>, Record<RequestInquiry>), Error> {
    let seen = accounts::named_own(call).await?;
    let user = call.session()?.user;
    let response = call.record::<RequestResponse>(user, call.names.id.get()?).await?;
    if !is_for(&response.value, &seen) {
        return Err(Error::not_found());
    }
    let inquiry = inquiry_of(call, &response.value).await?;
    Ok((seen, response, inquiry))
}

/// `GET …/monetary-account/{account}/request-response/{id}`
pub(crate) async fn read_response(call: Call) -> Result<Reply, Error> {
    let (seen, response, inquiry) = named_response(&call).await?;
    Ok(Reply::one(Object::RequestResponse(render_response(&call, &seen, &response, &inquiry).await?)))
}

/// `PUT …/monetary-account/{account}/request-response/{id}`: answers the whole object.
pub(crate) async fn respond(call: Call) -> Result<Reply, Error> {
    let (seen, response, inquiry) = named_response(&call).await?;
    let body = call.json()?;
    let fields = Fields::of(&body);
    let wish: Wish = fields.word("status")?;
    let payment = inquiry.value.payment.as_ref().ok_or_else(Error::not_found)?;
    let gateway = &call.bunq.edge.gateway;
    if wish == Wish::Rejected {
        gateway.reject_payment(&call.ctx, payment).await?;
    } else {
        if !call.is_signed {
            return Err(Error::signature_required());
        }
        if fields.optional_amount("amount_responded")?.is_some_and(|amount| amount != inquiry.value.amount) {
            return Err(Error::bad("The field \"amount_responded\" must be the amount that was inquired."));
        }
        let customer = call.caller()?.customer().ok_or_else(Error::not_found)?;
        gateway.approve_payment(&call.ctx, payment, (customer, &seen.account().id)).await?;
    }
    Ok(Reply::one(Object::RequestResponse(render_response(&call, &seen, &response, &inquiry).await?)))
}
