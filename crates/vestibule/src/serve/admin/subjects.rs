//! Consents and payments of all third parties.

use axum::extract::{Path, RawQuery, Request, State};
use axum::{Extension, Json};
use gateway::domain::{
    Consent, ConsentId, ConsentStatus, FundsConsent, FundsConsentId, Payment, PaymentId, PaymentStatus, TppId,
};
use serde_json::{Value, json};

use super::{Act, Admin, Error, Query, Staff, body, told};

/// What lists of consents and payments are asked by.
const KNOWN: [&str; 4] = ["third_party", "state", "after", "limit"];

/// States of consents by their names.
const CONSENTS: [(&str, ConsentStatus); 6] = [
    ("received", ConsentStatus::Received),
    ("valid", ConsentStatus::Valid),
    ("rejected", ConsentStatus::Rejected),
    ("expired", ConsentStatus::Expired),
    ("terminatedByTpp", ConsentStatus::TerminatedByTpp),
    ("revokedByPsu", ConsentStatus::RevokedByPsu),
];

/// States of payments by their names.
const PAYMENTS: [(&str, PaymentStatus); 6] = [
    ("pending", PaymentStatus::Pending),
    ("submitted", PaymentStatus::Submitted),
    ("refused", PaymentStatus::Refused),
    ("rejected", PaymentStatus::Rejected),
    ("cancelled", PaymentStatus::Cancelled),
    ("expired", PaymentStatus::Expired),
];

fn tell_consent((consent, status): &(Consent, ConsentStatus)) -> Value {
    json!({
        "id": consent.id.as_str(),
        "thirdParty": consent.tpp.as_str(),
        "branch": consent.tenant.as_str(),
        "interface": consent.interface.name(),
        "state": status.name(),
        "decision": consent.decision.name(),
        "customer": consent.customer.as_ref().map(|customer| customer.as_str()),
        "recurring": consent.recurring,
        "frequencyPerDay": consent.frequency_per_day,
        "validUntil": consent.valid_until,
        "createdAt": consent.created_at,
        "lastActionAt": consent.last_action_at,
    })
}

fn tell_funds_consent((consent, status): &(FundsConsent, ConsentStatus)) -> Value {
    json!({
        "id": consent.id.as_str(),
        "thirdParty": consent.tpp.as_str(),
        "branch": consent.tenant.as_str(),
        "interface": consent.interface.name(),
        "state": status.name(),
        "decision": consent.decision.name(),
        "customer": consent.customer.as_ref().map(|customer| customer.as_str()),
        "createdAt": consent.created_at,
        "lastActionAt": consent.last_action_at,
    })
}

fn tell_payment((payment, status): &(Payment, PaymentStatus)) -> Value {
    let state = PAYMENTS.iter().find(|(_, known)| known == status).map(|(name, _)| *name);
    let transfers: Vec<Value> = payment
        .transfers
        .iter()
        .map(|transfer| {
            json!({
                "amount": transfer.amount.to_decimal(),
                "currency": transfer.amount.currency.code(),
                "payee": transfer.creditor.name,
            })
        })
        .collect();
    json!({
        "id": payment.id.as_str(),
        "thirdParty": payment.tpp.as_ref().map(|tpp| tpp.as_str()),
        "branch": payment.tenant.as_str(),
        "interface": payment.interface.name(),
        "state": state,
        "decision": payment.decision.name(),
        "reason": payment.decision.reason().map(|reason| reason.name()),
        "debtor": payment.debtor.as_ref().map(|iban| iban.as_str()),
        "transfers": transfers,
        "createdAt": payment.created_at,
        "expiresAt": payment.expires_at,
        "lastActionAt": payment.last_action_at,
    })
}

/// What a list is asked by: of which third party, in which state.
fn asked<T: Copy>(
    query: Option<&str>,
    states: &[(&str, T)],
) -> Result<(Query, Option<TppId>, Option<T>), Error> {
    let query = Query::of(query, &KNOWN)?;
    let tpp = query.one("third_party")?.map(TppId::new);
    let state = query.word("state", states)?;
    Ok((query, tpp, state))
}

pub(super) async fn consents(
    State(admin): State<Admin>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Error> {
    let (query, tpp, state) = asked(query.as_deref(), &CONSENTS)?;
    let found = admin.gateway.find_consents(tpp.as_ref(), state, &query.page()?).await?;
    Ok(told("consents", found, |consent| tell_consent(&consent)))
}

pub(super) async fn consent(
    State(admin): State<Admin>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Error> {
    Ok(Json(tell_consent(&admin.gateway.any_consent(&ConsentId::new(id)).await?)))
}

pub(super) async fn funds_consents(
    State(admin): State<Admin>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Error> {
    let (query, tpp, state) = asked(query.as_deref(), &CONSENTS)?;
    let found = admin.gateway.find_funds_consents(tpp.as_ref(), state, &query.page()?).await?;
    Ok(told("fundsConsents", found, |consent| tell_funds_consent(&consent)))
}

pub(super) async fn funds_consent(
    State(admin): State<Admin>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Error> {
    Ok(Json(tell_funds_consent(&admin.gateway.any_funds_consent(&FundsConsentId::new(id)).await?)))
}

pub(super) async fn payments(
    State(admin): State<Admin>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Error> {
    let (query, tpp, state) = asked(query.as_deref(), &PAYMENTS)?;
    let found = admin.gateway.find_payments(tpp.as_ref(), state, &query.page()?).await?;
    Ok(told("payments", found, |payment| tell_payment(&payment)))
}

pub(super) async fn payment(
    State(admin): State<Admin>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Error> {
    Ok(Json(tell_payment(&admin.gateway.any_payment(&PaymentId::new(id)).await?)))
}

pub(super) async fn end_consent(
    State(admin): State<Admin>,
    Extension(staff): Extension<Staff>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, Error> {
    let Act { reason } = body(request).await?;
    Ok(Json(tell_consent(&admin.gateway.end_consent(&ConsentId::new(id), reason.of(&staff)?).await?)))
}

pub(super) async fn end_funds_consent(
    State(admin): State<Admin>,
    Extension(staff): Extension<Staff>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, Error> {
    let Act { reason } = body(request).await?;
    Ok(Json(tell_funds_consent(
        &admin.gateway.end_funds_consent(&FundsConsentId::new(id), reason.of(&staff)?).await?,
    )))
}
