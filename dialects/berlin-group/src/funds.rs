//! `/xs2a-bg/{tenant}/v2/consents/confirmation-of-funds` and `/xs2a-bg/{tenant}/v1/funds-confirmations`: whether an
//! account holds an amount, for those who issue cards (PSD2, Article 65).

use axum::Json;
use axum::extract::State;
use edge::{Edge, note_subject};
use gateway::domain::{
    Authorisation, Card, Currency, FundsConsent, FundsConsentId, FundsConsentRequest, FundsQuestion, Money,
    Subject, SubjectKind, parse_day,
};
use gateway::{AccessCredentials, Ctx, RequestedFundsConsent, Sought};
use http::StatusCode;

use crate::auth::{About, Signed};
use crate::authorisations::SubjectPath;
use crate::consents::{Created, created, reference, render_reference};
use crate::error::{Error, shorten};
use crate::payment_bodies::rules;
use crate::{links, wire};

/// Consents for confirmation of funds.
pub(crate) struct FundsConsents;

impl SubjectPath for FundsConsents {
    const KIND: SubjectKind = SubjectKind::FundsConsent;

    fn link(call: &Signed, id: &str) -> Result<String, Error> {
        Ok(links::funds_consent(&call.ctx.tenant, id))
    }
}

/// A call of a third party that issues cards.
type Call = About<FundsConsents>;

/// Asks for a consent.
pub(crate) async fn create(
    State(edge): State<Edge>,
    About(call, _): Call,
) -> Result<Created<wire::FundsConsent>, Error> {
    call.psu_ip_address()?.ok_or_else(|| {
        Error::format("the PSU-IP-Address header is missing; send the address from which the customer came")
    })?;
    let request = parse(call.json()?, call.redirect_uri()?)?;
    let RequestedFundsConsent { consent, authorisation } =
        edge.gateway.request_funds_consent(&call.ctx, call.tpp(), request, &call.key(&edge)).await?;
    note_subject(Subject::FundsConsent(consent.id.clone()));
    let body = render(&edge, &call.ctx, &consent, &authorisation);
    Ok(created(&call, body.links.itself.clone().unwrap_or_default(), body))
}

/// Reads a consent.
pub(crate) async fn read(
    State(edge): State<Edge>,
    About(call, _): Call,
) -> Result<Json<wire::FundsConsent>, Error> {
    let subject = call.subject(SubjectKind::FundsConsent)?;
    let consent = edge.gateway.funds_consent(&call.ctx, call.tpp(), subject.id()).await?;
    let authorisations = edge.gateway.authorisations(&call.ctx, Sought::new(call.tpp(), &subject)).await?;
    let newest = authorisations.last().ok_or(gateway::Error::Conflict)?;
    Ok(Json(render(&edge, &call.ctx, &consent, newest)))
}

/// Reads the status of a consent. A bearer token is ignored, as it is with consents for account information.
pub(crate) async fn status(
    State(edge): State<Edge>,
    About(call, _): Call,
) -> Result<Json<wire::ConsentStatus>, Error> {
    let subject = call.subject(SubjectKind::FundsConsent)?;
    let consent = edge.gateway.funds_consent(&call.ctx, call.tpp(), subject.id()).await?;
    Ok(Json(wire::ConsentStatus { consent_status: consent.status_at(call.ctx.now).name().to_owned() }))
}

/// Ends a consent.
pub(crate) async fn delete(State(edge): State<Edge>, About(call, _): Call) -> Result<StatusCode, Error> {
    let subject = call.subject(SubjectKind::FundsConsent)?;
    edge.gateway.delete_funds_consent(&call.ctx, call.tpp(), subject.id(), call.bearer()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tells whether the account of a consent holds an amount.
pub(crate) async fn confirm(
    State(edge): State<Edge>,
    About(call, _): Call,
) -> Result<Json<wire::FundsConfirmation>, Error> {
    let consent = FundsConsentId::new(call.consent_id()?);
    note_subject(Subject::FundsConsent(consent.clone()));
    let question = parse_question(call.json()?)?;
    let certificate = call.peer_fingerprint();
    let credentials =
        AccessCredentials { tpp: call.tpp(), token: call.bearer()?, certificate: certificate.as_deref() };
    let funds_available = edge.gateway.confirm_funds(&call.ctx, credentials, &consent, &question).await?;
    Ok(Json(wire::FundsConfirmation { funds_available }))
}

fn parse(request: wire::FundsConsentRequest, redirect_uri: String) -> Result<FundsConsentRequest, Error> {
    let day = |text: String| {
        parse_day(&text).map_err(|error| {
            Error::format(format!("cardExpiryDate \"{}\" is no date; {error}", shorten(&text)))
        })
    };
    Ok(FundsConsentRequest {
        account: reference(request.account)?,
        card: Card {
            number: text(35, "cardNumber", request.card_number)?,
            expiry_date: request.card_expiry_date.map(day).transpose()?,
            information: text(140, "cardInformation", request.card_information)?,
            registration_information: text(140, "registrationInformation", request.registration_information)?,
        },
        redirect_uri,
    })
}

fn parse_question(request: wire::FundsConfirmationRequest) -> Result<FundsQuestion, Error> {
    // Who is paid is told to nobody.
    text(70, "payee", request.payee)?;
    let wire::Amount { currency, amount } = request.instructed_amount;
    let known = Currency::from_code(&currency).ok_or_else(|| {
        Error::format(format!("currency \"{}\" is no code of ISO 4217", shorten(&currency)))
    })?;
    let amount =
        Money::parse(&amount, known).map_err(|error| Error::format(format!("instructedAmount: {error}")))?;
    Ok(FundsQuestion {
        account: reference(request.account)?,
        amount,
        card_number: text(35, "cardNumber", request.card_number)?,
    })
}

/// A text of the standard's length, of characters that can be shown.
fn text(max: usize, name: &str, value: Option<String>) -> Result<Option<String>, Error> {
    if let Some(value) = &value {
        rules::text(name, value, max)?;
    }
    Ok(value)
}

fn render(
    edge: &Edge,
    ctx: &Ctx,
    consent: &FundsConsent,
    authorisation: &Authorisation,
) -> wire::FundsConsent {
    // A consent that was just asked for has the status of that moment, also when the request is repeated.
    let at = if consent.version == 0 { consent.created_at } else { ctx.now };
    let card = consent.card.clone();
    wire::FundsConsent {
        request: wire::FundsConsentRequest {
            account: render_reference(&consent.account),
            card_number: card.number,
            card_expiry_date: card.expiry_date.map(|day| day.to_string()),
            card_information: card.information,
            registration_information: card.registration_information,
        },
        consent_status: consent.status_at(at).name().to_owned(),
        consent_id: consent.id.to_string(),
        authorisation_id: authorisation.id.to_string(),
        // The contract's scope asks for no refresh token; who wants one adds offline_access.
        links: links::authorisation(
            &edge.public_url,
            (&consent.tenant, &consent.tpp),
            &links::funds_consent(&consent.tenant, consent.id.as_str()),
            (authorisation, false),
        ),
    }
}
