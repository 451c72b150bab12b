//! Payments that customers decide about, and whether there is enough for one.

use bunq::wire::{
    Amount, DraftEntry, DraftPaymentRequest, Element, FundsRequest, Pointer, ProviderDraftRequest,
};

use serde::{Deserialize, Serialize};

use super::client::{Client, Whose};
use super::connection::Connection;
use super::making::{Looks, Making};
use crate::Error;
use crate::kept_payments::KeptPayment;
use crate::payments::{Asked, Order, PaymentDetails, compact};
use crate::state::State;
use crate::third_party::Prepared;

const PROVIDER_DRAFT: &str = "PaymentServiceProviderDraftPayment";

/// The status of what was just made.
pub(super) const PENDING: &str = "PENDING";

/// A payment of a provider, as the bank has it.
#[derive(Debug, Deserialize)]
struct ProviderDraft {
    status: String,
    #[serde(default)]
    sender_iban: Option<String>,
    #[serde(default)]
    receiver_iban: Option<String>,
    #[serde(default)]
    amount: Option<Amount>,
}

/// What is to become of it.
#[derive(Debug, Serialize)]
struct StatusChange {
    status: &'static str,
}

/// The currency of payments here, and of a question that names none.
pub(super) const CURRENCY: &str = "EUR";

impl Client {
    /// Prepares a payment from one of a connected customer's accounts, which is named by its number. The
    /// customer decides about it in the bank's app.
    pub(super) async fn draft_from(
        &mut self,
        connection: Connection,
        account: &str,
        (order, anew): (&Order, bool),
    ) -> Result<Prepared, Error> {
        let user = self.user_of(connection).await?;
        let path = format!("/v1/user/{user}/monetary-account/{account}/draft-payment");
        let entry = DraftEntry {
            amount: euros(&order.amount),
            counterparty_alias: pointer(&order.to, &order.name),
            description: order.description.clone(),
        };
        let request = DraftPaymentRequest { entries: vec![entry], number_of_required_accepts: 1 };
        let looks = Looks { description: Some(order.description.clone()), ..looks(None, order) };
        let whose = Whose::Connection(connection.0);
        let making = Making { whose, path: &path, wrapper: "DraftPayment", looks, anew };
        let (id, _) = self.make(&making, &request, |_, _, _| {}).await?;
        // It is made, whatever becomes of the question.
        let status = self.status(whose, &path, &id).await.unwrap_or_else(|_| PENDING.to_owned());
        Ok(Prepared { id, status })
    }

    /// Prepares a payment from an account of which nothing but its IBAN is known, and keeps it. The customer decides about
    /// it where they approve: send them to the page of [`Client::begin_authorization`].
    pub(super) async fn provider_draft(
        &mut self,
        from: &str,
        (order, anew): (&Order, bool),
    ) -> Result<Asked, Error> {
        let path = self.provider_drafts().await?;
        let from = compact(from);
        let request = ProviderDraftRequest {
            sender_iban: from.clone(),
            counterparty_iban: compact(&order.to),
            counterparty_name: order.name.clone(),
            description: order.description.clone(),
            amount: euros(&order.amount),
        };
        let kept = KeptPayment {
            asked: format!("{} EUR to {}", order.amount, order.name),
            debtor: Some(from.clone()),
            status: PENDING.to_owned(),
            ..KeptPayment::default()
        };
        let looks = looks(Some(from), order);
        let making = Making { whose: Whose::Own, path: &path, wrapper: PROVIDER_DRAFT, looks, anew };
        let keep = |state: &mut State, id: &str, digest: &str| {
            let request = Some(digest.to_owned());
            state.add_payment(KeptPayment { id: id.to_owned(), request, ..kept.clone() });
        };
        let (id, is_known) = self.make(&making, &request, keep).await?;
        // It is kept, whatever becomes of the question.
        if let Ok(status) = self.provider_draft_status(&id).await {
            self.note_payment(id.clone(), status)?;
        }
        let payment = KeptPayment::choose(&self.rest.payments, Some(&id))?.clone();
        Ok(Asked { payment, is_known })
    }

    /// What became of a payment of [`Client::provider_draft`].
    pub(super) async fn provider_draft_status(&mut self, id: &str) -> Result<String, Error> {
        let path = self.provider_drafts().await?;
        self.status(Whose::Own, &path, id).await
    }

    /// A payment of [`Client::provider_draft`] as the bank has it.
    pub(super) async fn provider_draft_details(&mut self, id: &str) -> Result<PaymentDetails, Error> {
        let path = self.provider_drafts().await?;
        let request = self.get(&format!("{path}/{id}"));
        let answer = self.with_session(Whose::Own, &request).await?;
        let (found, _) = answer.under::<ProviderDraft>(&[PROVIDER_DRAFT])?;
        let none =
            || Error::Answer { url: request.url.clone(), reason: format!("it has no {PROVIDER_DRAFT}") };
        let (_, draft) = found.into_iter().next().ok_or_else(none)?;
        let amount = draft.amount.and_then(|amount| Some((amount.value?, amount.currency?)));
        Ok(PaymentDetails {
            status: draft.status,
            debtor: draft.sender_iban,
            creditor: draft.receiver_iban,
            amount: amount.map(|(value, currency)| format!("{value} {currency}")),
            ..PaymentDetails::default()
        })
    }

    /// Takes a payment of [`Client::provider_draft`] back.
    pub(super) async fn cancel_provider_draft(&mut self, id: &str) -> Result<(), Error> {
        let path = self.provider_drafts().await?;
        let request = self.put(&format!("{path}/{id}"), &StatusChange { status: "CANCELLED" })?;
        self.with_session(Whose::Own, &request).await.map(|_| ())
    }

    /// What became of a payment of [`Client::draft`]: it is looked for at every account of the connection.
    pub(super) async fn draft_status_at(
        &mut self,
        connection: Connection,
        id: &str,
    ) -> Result<String, Error> {
        let user = self.user_of(connection).await?;
        for account in self.accounts_of(connection).await? {
            let account = &account.details.resource_id;
            let path = format!("/v1/user/{user}/monetary-account/{account}/draft-payment");
            match self.status(Whose::Connection(connection.0), &path, id).await {
                Err(Error::Bank(error)) if error.status == 404 => {}
                other => return other,
            }
        }
        Err(Error::Setup(format!("no account of the connection has a draft payment {id}")))
    }

    /// Whether an account holds an amount. `name` is that of its holder.
    pub(super) async fn holds(&mut self, iban: &str, name: &str, amount: Amount) -> Result<bool, Error> {
        let user = self.session(Whose::Own).await?.user_id;
        let request = FundsRequest { pointer_iban: pointer(iban, name), amount };
        let request = self.post(&format!("/v1/user/{user}/confirmation-of-funds"), &request)?;
        let answer = self.with_session(Whose::Own, &request).await?;
        answer.find("ConfirmationOfFunds", |element| match element {
            Element::ConfirmationOfFunds(answer) => Some(answer.has_sufficient_funds),
            _ => None,
        })
    }

    async fn provider_drafts(&mut self) -> Result<String, Error> {
        let user = self.session(Whose::Own).await?.user_id;
        Ok(format!("/v1/user/{user}/payment-service-provider-draft-payment"))
    }

    async fn status(&mut self, whose: Whose, path: &str, id: &str) -> Result<String, Error> {
        let request = self.get(&format!("{path}/{id}"));
        let answer = self.with_session(whose, &request).await?;
        answer.find("draft payment", |element| match element {
            Element::DraftPayment(draft) | Element::PaymentServiceProviderDraftPayment(draft) => {
                Some(draft.status)
            }
            _ => None,
        })
    }
}

/// What the bank shows of a payment.
fn looks(from: Option<String>, order: &Order) -> Looks {
    Looks { from, to: compact(&order.to), amount: order.amount.clone(), description: None }
}

/// An amount of the currency of payments here.
pub(super) fn euros(amount: &str) -> Amount {
    money(amount, CURRENCY)
}

/// An amount of any currency.
pub(super) fn money(amount: &str, currency: &str) -> Amount {
    Amount { value: Some(amount.to_owned()), currency: Some(currency.to_owned()) }
}

fn pointer(iban: &str, name: &str) -> Pointer {
    Pointer { kind: "IBAN".to_owned(), value: compact(iban), name: Some(name.to_owned()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn requests_are_written_as_the_bank_reads_them() {
        let order = Order {
            to: "nl13 abna 0000 0000 00".to_owned(),
            name: "Shop".to_owned(),
            amount: "12.50".to_owned(),
            description: "Coffee".to_owned(),
        };
        let entry = DraftEntry {
            amount: euros(&order.amount),
            counterparty_alias: pointer(&order.to, &order.name),
            description: order.description,
        };
        assert_eq!(
            serde_json::to_value(&entry).unwrap(),
            json!({
                "amount": {"value": "12.50", "currency": "EUR"},
                "counterparty_alias": {"type": "IBAN", "value": "NL13ABNA0000000000", "name": "Shop"},
                "description": "Coffee",
            })
        );
    }
}
