//! `/xs2a-bg/{tenant}/v1/{payment-service}/{payment-product}`: payments (NextGenPSD2 1.3.6, 5).

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use edge::{Edge, note_subject};
use gateway::domain::{
    Authorisation, Iban, Interface, Payment, PaymentProduct, PaymentService, Purpose, RejectReason, Subject,
    SubjectKind, TransactionStatus,
};
use gateway::{Cancellation, PaymentInitiation, PaymentView, RequestedPayment};
use http::StatusCode;
use http::header::HeaderName;

use crate::auth::{About, Signed};
use crate::authorisations::SubjectPath;
use crate::consents::{Created, created};
use crate::error::Error;
use crate::payment_bodies::Ordered;
use crate::payment_bodies::rules::Days;
use crate::wording::status_told;
use crate::{links, payment_bodies, wire};

/// Services and products that the bank offers.
const OFFERED: [(PaymentService, &[PaymentProduct]); 3] = {
    use PaymentProduct::{CrossBorderCreditTransfers, SepaCreditTransfers, UkDomesticTransfers};
    [
        (PaymentService::Single, &[SepaCreditTransfers, UkDomesticTransfers, CrossBorderCreditTransfers]),
        (PaymentService::Periodic, &[SepaCreditTransfers, UkDomesticTransfers]),
        (PaymentService::Bulk, &[SepaCreditTransfers]),
    ]
};

/// Payments, with the authorisations that approve them.
pub(crate) struct Payments;

impl SubjectPath for Payments {
    const KIND: SubjectKind = SubjectKind::Payment;

    fn link(call: &Signed, id: &str) -> Result<String, Error> {
        Ok(links::payment(&call.ctx.tenant, product(call)?, id))
    }

    fn product(call: &Signed) -> Result<Option<(PaymentService, PaymentProduct)>, Error> {
        product(call).map(Some)
    }
}

/// Payments, with the authorisations that cancel them.
pub(crate) struct Cancellations;

impl SubjectPath for Cancellations {
    const KIND: SubjectKind = SubjectKind::Payment;
    const PURPOSE: Purpose = Purpose::Cancellation;

    fn link(call: &Signed, id: &str) -> Result<String, Error> {
        Payments::link(call, id)
    }

    fn product(call: &Signed) -> Result<Option<(PaymentService, PaymentProduct)>, Error> {
        Payments::product(call)
    }
}

/// Asks for a payment.
pub(crate) async fn create(
    State(edge): State<Edge>,
    About(call, _): About<Payments>,
) -> Result<Created<wire::Payment>, Error> {
    let (service, product) = product(&call)?;
    check_offered(&edge, product)?;
    call.no_session()?;
    call.customer_address()?;
    let redirect_uri = call.redirect_uri()?;
    let starts_explicitly = call.explicit_start()?;
    let key = call.key(&edge);
    let requested = match ordered(&edge, &call, (service, product)) {
        Ok(Ordered { terms, transfers, debtor }) => {
            let request = PaymentInitiation { terms, debtor, transfers, redirect_uri, starts_explicitly };
            edge.gateway.request_payment(&call.ctx, call.tpp(), request, &key).await?
        }
        // A day that is over now was none when the same request came first.
        Err(refusal) => edge.gateway.requested_payment_before(&call.ctx, &key).await?.ok_or(refusal)?,
    };
    let RequestedPayment { payment, authorisation } = requested;
    note_subject(Subject::Payment(payment.id.clone()));
    let link = links::payment(&call.ctx.tenant, (service, product), payment.id.as_str());
    let links = match &authorisation {
        Some(begun) => authorisation_links(&edge, &call, (&link, begun)),
        None => links::to_start(&link),
    };
    let body = wire::Payment {
        transaction_status: TransactionStatus::Rcvd.name().to_owned(),
        debtor_account: payment.debtor.as_ref().map(account),
        authorisation_id: authorisation.map(|begun| begun.id.to_string()),
        ..unnamed(&payment, links)
    };
    Ok(created(&call, link, body))
}

/// Reads a payment.
pub(crate) async fn read(
    State(edge): State<Edge>,
    About(call, _): About<Payments>,
) -> Result<Json<wire::Payment>, Error> {
    let subject = call.subject(SubjectKind::Payment)?;
    let view = edge.gateway.requested_payment(&call.ctx, call.sought::<Payments>(&subject)?).await?;
    let link = Payments::link(&call, subject.id())?;
    let links = match view.status {
        // Another customer has to approve.
        TransactionStatus::Patc => links::to_start(&link),
        _ => links::itself(&link),
    };
    render(&edge, &view, links).await.map(Json)
}

/// Reads the status of a payment.
pub(crate) async fn status(
    State(edge): State<Edge>,
    About(call, _): About<Payments>,
) -> Result<Json<wire::PaymentStatus>, Error> {
    let subject = call.subject(SubjectKind::Payment)?;
    let view = edge.gateway.requested_payment(&call.ctx, call.sought::<Payments>(&subject)?).await?;
    Ok(Json(wire::PaymentStatus {
        transaction_status: status_told(view.status).name().to_owned(),
        funds_available: view.funds_available,
        psu_message: message(view.status, view.reason),
    }))
}

/// What is said beside a status: why, if the bank says so, and that a part is not made, which the status does not tell.
fn message(status: TransactionStatus, reason: Option<RejectReason>) -> Option<String> {
    let partly = (status == TransactionStatus::Part).then(|| "not every transfer is made".to_owned());
    let why = reason.map(|reason| format!("{}: {}", reason.code(), reason.text()));
    let said: Vec<_> = partly.into_iter().chain(why).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// Takes a payment back: at once, or the customer has to authorise that.
pub(crate) async fn cancel(
    State(edge): State<Edge>,
    About(call, _): About<Cancellations>,
) -> Result<Response, Error> {
    let subject = call.subject(SubjectKind::Payment)?;
    let redirect_uri = call.redirect_uri()?;
    let link = Payments::link(&call, subject.id())?;
    let sought = call.sought::<Cancellations>(&subject)?;
    let cancelled =
        edge.gateway.cancel_requested_payment(&call.ctx, sought, &redirect_uri, &call.key(&edge)).await?;
    Ok(match cancelled {
        Cancellation::Done(view, newest) => {
            let body = render(&edge, &view, links::itself(&link)).await?;
            let authorisation_id = newest.map(|newest| newest.id.to_string());
            Json(wire::Payment { authorisation_id, ..body }).into_response()
        }
        Cancellation::ToAuthorise(view, begun) => {
            let body = render(&edge, &view, authorisation_links(&edge, &call, (&link, &begun))).await?;
            let body = wire::Payment { authorisation_id: Some(begun.id.to_string()), ..body };
            let approach = (HeaderName::from_static("aspsp-sca-approach"), "REDIRECT");
            (StatusCode::ACCEPTED, [approach], Json(body)).into_response()
        }
    })
}

/// What the body asks for.
fn ordered(
    edge: &Edge,
    call: &Signed,
    (service, product): (PaymentService, PaymentProduct),
) -> Result<Ordered, Error> {
    let ahead = edge.gateway.profile(Interface::BerlinGroup).payment_days_ahead;
    let days = Days::from(call.ctx.today(), ahead);
    match service {
        PaymentService::Single => payment_bodies::single(product, call.json()?, days),
        PaymentService::Periodic => payment_bodies::periodic(product, call.json()?, days),
        PaymentService::Bulk if call.is_json()? => payment_bodies::bulk::in_json(call.json()?, days),
        PaymentService::Bulk => payment_bodies::bulk::ordered(call.xml()?, days),
    }
}

/// Service and product that the path names.
///
/// # Errors
/// 404 for a product that is not offered.
fn product(call: &Signed) -> Result<(PaymentService, PaymentProduct), Error> {
    let named = call.path_segment_after("v1");
    let offered = OFFERED.iter().find(|(service, _)| service.name() == named);
    let &(service, products) = offered.ok_or(edge::Rejected::NotFound)?;
    let named = call.path_parameter("product");
    let product = products.iter().find(|product| product.name() == named);
    let product = product.ok_or_else(|| {
        let names: Vec<_> = products.iter().map(|product| product.name()).collect();
        Error::new(
            StatusCode::NOT_FOUND,
            "PRODUCT_UNKNOWN",
            format!("the product is not offered here; {} has {}", service.name(), names.join(", ")),
        )
    })?;
    Ok((service, *product))
}

fn check_offered(edge: &Edge, product: PaymentProduct) -> Result<(), Error> {
    if product == PaymentProduct::CrossBorderCreditTransfers
        && !edge.gateway.profile(Interface::BerlinGroup).cross_border_payments
    {
        return Err(Error::new(
            StatusCode::NOT_IMPLEMENTED,
            "SERVICE_INVALID",
            "cross-border-credit-transfers is not supported at present; use sepa-credit-transfers within the SEPA",
        ));
    }
    Ok(())
}

fn authorisation_links(
    edge: &Edge,
    call: &Signed,
    (link, begun): (&str, &Authorisation),
) -> wire::AuthorisationLinks {
    links::authorisation(&edge.public_url, (&call.ctx.tenant, call.tpp().id()), link, (begun, false))
}

/// A payment with the account that pays and, once a customer approved, whose that is.
async fn render(
    edge: &Edge,
    view: &PaymentView,
    links: wire::AuthorisationLinks,
) -> Result<wire::Payment, Error> {
    let payer = edge.gateway.payer(&view.payment).await?;
    let number = payer.as_ref().map(|payer| &payer.iban).or(view.payment.debtor.as_ref());
    Ok(wire::Payment {
        transaction_status: status_told(view.status).name().to_owned(),
        debtor_account: number.map(account),
        debtor_name: payer.as_ref().map(|payer| payer.name.clone()),
        ..unnamed(&view.payment, links)
    })
}

fn unnamed(payment: &Payment, links: wire::AuthorisationLinks) -> wire::Payment {
    wire::Payment {
        transaction_status: String::new(),
        payment_id: payment.id.to_string(),
        authorisation_id: None,
        debtor_account: None,
        debtor_name: None,
        links,
    }
}

fn account(iban: &Iban) -> wire::AccountReference {
    let british = iban.sort_code_and_account_number();
    wire::AccountReference {
        iban: Some(iban.as_str().to_owned()),
        uk_sort_code: british.map(|(sort_code, _)| sort_code.to_owned()),
        uk_account_number: british.map(|(_, number)| number.to_owned()),
        ..wire::AccountReference::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bank may say that a part is not made, and not why.
    #[test]
    fn that_a_part_is_not_made_is_told_with_and_without_a_reason() {
        let (part, all) = (TransactionStatus::Part, TransactionStatus::Rjct);
        let reason = Some(RejectReason::Am04);
        let why = format!("AM04: {}", RejectReason::Am04.text());
        for (status, reason, said) in [
            (part, reason, Some(format!("not every transfer is made; {why}"))),
            (part, None, Some("not every transfer is made".to_owned())),
            (all, reason, Some(why)),
            (TransactionStatus::Acsc, None, None),
        ] {
            assert_eq!(message(status, reason), said, "{status:?} {reason:?}");
        }
    }
}
