//! Payments from a customer's accounts that third parties asked for, and an end to those that are not made yet.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use edge::redirect;
use eidas::visible;
use gateway::domain::{Iban, ListPlace, PaymentDecision, PaymentRefusal, Refusal, Transfer};
use gateway::{Noun, OwnPayment, PaymentsPlace, WayOut};
use http::StatusCode;
use web::{OwnPaymentPage, OwnPayments, OwnPaymentsPage, OwnShownPayment, OwnTransfer, OwnWayOut};

use super::{Inside, Visitor, after};
use crate::payment_page::one_line;
use crate::router::{LimitedBody, Services};

/// All payments, a page of them.
pub(crate) async fn all_payments(
    State(services): State<Services>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.as_deref();
    let page = async |inside: Inside<'_>| {
        let after = after(query, place, Noun::Payment)?.unwrap_or_else(PaymentsPlace::start);
        Ok(inside.all_payments(after).await?)
    };
    visitor.show(&services, query, page).await
}

/// One payment, and the question whether to end it.
pub(crate) async fn payment(
    State(services): State<Services>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Response {
    let page = async |inside: Inside<'_>| Ok(inside.payment(&visitor.which, false).await?);
    visitor.show(&services, query.as_deref(), page).await
}

/// Ends a payment that is not made yet.
pub(crate) async fn end_payment(
    State(services): State<Services>,
    visitor: Visitor,
    body: LimitedBody,
) -> Response {
    let done = async |inside: Inside<'_>| {
        let (gateway, id) = (&services.edge.gateway, visitor.which.as_str());
        match gateway.end_own_payment(&visitor.call.ctx, &inside.insider, id).await {
            Ok(_) => {
                let page = format!("{}/payments/{id}", visitor.base());
                Ok(redirect(StatusCode::SEE_OTHER, &page))
            }
            Err(gateway::Error::Refused(Refusal::Payment(
                PaymentRefusal::NotCancellable { .. }
                | PaymentRefusal::LastExecutionMade { .. }
                | PaymentRefusal::Final { .. },
            ))) => Ok(inside.payment(id, true).await?),
            Err(error) => Err(error.into()),
        }
    };
    visitor.act(&services, (&body, "end"), done).await
}

impl Inside<'_> {
    /// A page of the payments.
    pub(super) async fn payments(&self, after: PaymentsPlace) -> Result<OwnPayments, gateway::Error> {
        let (gateway, ctx) = (&self.services.edge.gateway, &self.visitor.call.ctx);
        let found = gateway.own_payments(ctx, &self.insider, after).await?;
        let (waiting, others): (Vec<_>, Vec<_>) =
            found.payments.iter().partition(|payment| payment.way_out.is_some());
        let shown =
            |payments: Vec<&OwnPayment>| payments.into_iter().map(|one| self.payment_shown(one)).collect();
        let older =
            found.next.map(|next| format!("{}/payments?after={}", self.visitor.base(), address(&next)));
        Ok(OwnPayments { waiting: shown(waiting), others: shown(others), older })
    }

    async fn all_payments(&self, after: PaymentsPlace) -> Result<Response, gateway::Error> {
        let is_later_page = after != PaymentsPlace::start();
        let payments = self.payments(after).await?;
        let page = OwnPaymentsPage { own: self.own(), payments, is_later_page };
        Ok(web::page(StatusCode::OK, &page))
    }

    /// The page about a payment; `is_too_late` if the customer wanted to end it and could not.
    async fn payment(&self, id: &str, is_too_late: bool) -> Result<Response, gateway::Error> {
        let (gateway, ctx) = (&self.services.edge.gateway, &self.visitor.call.ctx);
        let payment = gateway.own_payment_of(ctx, &self.insider, id).await?;
        let page = OwnPaymentPage { own: self.own(), payment: self.payment_shown(&payment), is_too_late };
        Ok(web::page(if is_too_late { StatusCode::CONFLICT } else { StatusCode::OK }, &page))
    }

    fn payment_shown(&self, own: &OwnPayment) -> OwnShownPayment {
        let payment = &own.view.payment;
        OwnShownPayment {
            id: payment.id.to_string(),
            tpp_name: own.tpp_name.as_ref().map(|name| visible(name).into_owned()),
            from: payment.debtor.as_ref().map(Iban::grouped).unwrap_or_default(),
            total: payment.total(),
            transfers: payment.transfers.iter().map(transfer).collect(),
            when: payment.terms.execution.clone(),
            status: own.view.status,
            is_approved: matches!(payment.decision, PaymentDecision::Approved { .. }),
            reason: own.view.reason,
            on: self.moment(payment.last_action_at),
            way_out: own.way_out.map(|way_out| match way_out {
                WayOut::Refuse => OwnWayOut::Refuse,
                WayOut::Stop => OwnWayOut::Stop,
            }),
        }
    }
}

/// A place as an address has it: which part of the list, and where in it.
fn address(place: &PaymentsPlace) -> String {
    match place {
        PaymentsPlace::Undecided(place) => format!("u.{place}"),
        PaymentsPlace::Decided(place) => format!("d.{place}"),
    }
}

fn place(text: &str) -> Option<PaymentsPlace> {
    let (part, place) = text.split_once('.')?;
    let place = ListPlace::parse(place)?;
    match part {
        "u" => Some(PaymentsPlace::Undecided(place)),
        "d" => Some(PaymentsPlace::Decided(place)),
        _ => None,
    }
}

fn transfer(transfer: &Transfer) -> OwnTransfer {
    let creditor = &transfer.creditor;
    let number = creditor.iban.as_ref().map(Iban::grouped).unwrap_or_default();
    let name = one_line(creditor.name.as_deref().unwrap_or_default());
    OwnTransfer {
        // A payee without a name is known by the number alone.
        name: if name.is_empty() { number.clone() } else { name },
        number,
        remittance: one_line(transfer.remittance.as_deref().unwrap_or_default()),
        amount: transfer.amount,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_addresses_are_read_or_refused() {
        for text in ["u.1800000000.7", "d.1800000000.a-b"] {
            assert_eq!(address(&place(text).unwrap()), text);
        }
        for wrong in ["", "u", "x.1800000000.7", "1800000000.7", "d.y.7"] {
            assert!(place(wrong).is_none(), "{wrong}");
        }
    }
}
