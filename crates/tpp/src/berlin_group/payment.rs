//! Payments: asked for, looked at, taken back.

use berlin_group::wire;
use http::Method;

use super::client::Client;
use super::consent::approval;
use super::making::{Made, digest};
use super::payment_request::PaymentRequest;
use super::session::Session;
use crate::Error;
use crate::call::Call;
use crate::kept_approvals::Matter;
use crate::kept_payments::KeptPayment;
use crate::payments::{Asked, Cancellation, PaymentDetails, PaymentStatus, PaymentWish, Product};
use crate::state::State;

impl Client {
    /// Asks for a payment and keeps it.
    pub(super) async fn ask_for_payment(
        &mut self,
        tenant: &str,
        redirect_uri: &str,
        wish: &PaymentWish,
    ) -> Result<Asked, Error> {
        let request = PaymentRequest::new(wish, self.country(tenant), &self.today(tenant))?;
        let interface = self.interface(tenant)?;
        let path = format!("/v1/{}", request.product);
        let call = interface.request(&path, request.body, request.content_type, redirect_uri);
        let digest = digest(&call);
        self.asking = Some(self.turn_to_ask(&call).await?);
        self.state = self.folder.reload(&self.state)?;
        let known = KeptPayment::untold(&self.state.payments, &digest).filter(|_| !wish.anew);
        if let Some(known) = known {
            return Ok(Asked { payment: known.clone(), is_known: true });
        }
        let (product, asked, is_dated) = (request.product, request.asked, request.is_dated);
        let made = Made::Payment { anew: wish.anew };
        let keep = |state: &mut State, answer: wire::Payment| {
            let id = answer.payment_id;
            let whose = (tenant, redirect_uri);
            let kept = KeptPayment {
                id: id.clone(),
                asked,
                debtor: wish.debtor(),
                product: Some(product),
                is_dated,
                status: answer.transaction_status,
                approval: Some(approval(whose, id, answer.authorisation_id, answer.links)?),
                is_cancelling: false,
                request: Some(digest),
            };
            state.add_payment(kept.clone());
            Ok(kept)
        };
        let payment = self.make(&interface, call, made, keep).await?;
        Ok(Asked { payment, is_known: false })
    }

    /// The payment with this id, or the newest one.
    pub(super) fn choose_payment(&self, id: Option<&str>) -> Result<&KeptPayment, Error> {
        KeptPayment::choose(&self.state.payments, id)
    }

    /// Takes up a payment that is kept.
    pub(super) async fn payment(&mut self, id: Option<&str>) -> Result<Session<'_>, Error> {
        let id = self.choose_payment(id)?.id.clone();
        self.session(Matter::Payment(id)).await
    }
}

impl Session<'_> {
    /// The status of the payment, which is kept.
    pub(super) async fn payment_status(&mut self) -> Result<PaymentStatus, Error> {
        let read: wire::PaymentStatus = self.branch.interface.status(&self.path()).await?;
        let status = read.transaction_status;
        self.note_payment(&status)?;
        let rests = self.payment().is_some_and(|kept| rests(kept, &status));
        let (funds_available, reason) = (read.funds_available, read.psu_message);
        Ok(PaymentStatus { id: self.id(), status, funds_available, reason, rests })
    }

    /// The payment as the bank has it.
    pub(super) async fn payment_details(&mut self) -> Result<PaymentDetails, Error> {
        let call = Call::get(self.branch.interface.api(&self.path()));
        let interface = &self.branch.interface;
        let read: wire::Payment = interface.transport.json(interface.signed(call)?).await?;
        self.note_payment(&read.transaction_status)?;
        // Why it was refused, or some of a bulk payment, is said with its status alone.
        let product = self.payment().and_then(|kept| kept.product.as_deref());
        let is_bulk = product.is_some_and(|product| product.starts_with("bulk-payments/"));
        let reason = match read.transaction_status.as_str() {
            "RJCT" | "PART" => self.payment_status().await?.reason,
            "ACSP" if is_bulk => self.payment_status().await?.reason,
            _ => None,
        };
        let kept = self.payment();
        Ok(PaymentDetails {
            status: read.transaction_status,
            reason,
            product: kept.and_then(|kept| kept.product.clone()),
            asked: kept.map(|kept| kept.asked.clone()),
            debtor: read.debtor_account.and_then(number),
            debtor_name: read.debtor_name,
            creditor: None,
            amount: None,
        })
    }

    /// Takes the payment back, or has the customer asked whether it may be.
    pub(super) async fn cancel(&mut self) -> Result<Cancellation, Error> {
        self.check_usable()?;
        let interface = &self.branch.interface;
        let call = Call::new(Method::DELETE, interface.api(&self.path()), Vec::new())
            .header("tpp-redirect-uri", self.approval().redirect_uri.clone());
        let url = call.url.clone();
        let body = interface.transport.send(interface.signed(call)?).await?;
        // A bank that takes it back at once need not say anything about it.
        let answer: Option<wire::Payment> = match body.is_empty() {
            true => None,
            false => Some(
                serde_json::from_slice(&body)
                    .map_err(|error| Error::Answer { url, reason: error.to_string() })?,
            ),
        };
        match answer {
            Some(answer) if answer.links.sca_redirect.is_some() && answer.transaction_status != "CANC" => {
                self.keep_cancellation(answer)?;
                Ok(Cancellation::Approve(self.matter.clone()))
            }
            answer => {
                let status = answer.map_or_else(|| "CANC".to_owned(), |answer| answer.transaction_status);
                self.note_payment(&status)?;
                Ok(Cancellation::Done(PaymentStatus {
                    id: self.id(),
                    status,
                    funds_available: None,
                    reason: None,
                    rests: true,
                }))
            }
        }
    }

    /// From now on, what the customer is asked to approve is to take the payment back.
    fn keep_cancellation(&mut self, answer: wire::Payment) -> Result<(), Error> {
        let kept = self.approval();
        let whose = (kept.tenant.as_str(), kept.redirect_uri.as_str());
        let fresh = approval(whose, kept.id.clone(), answer.authorisation_id, answer.links)?;
        self.change_payment(|payment| (payment.approval, payment.is_cancelling) = (Some(fresh), true))
    }

    fn note_payment(&mut self, status: &str) -> Result<(), Error> {
        self.change_payment(|kept| kept.status = status.to_owned())?;
        if matches!(status, "RJCT" | "CANC") { self.end(status) } else { Ok(()) }
    }

    fn change_payment(&mut self, change: impl FnOnce(&mut KeptPayment)) -> Result<(), Error> {
        let (id, none) = (self.id(), self.matter.forgotten());
        self.client.update(|state| {
            let kept = state.payments.iter_mut().find(|kept| kept.id == id).ok_or(none)?;
            change(kept);
            Ok(())
        })
    }

    pub(super) fn id(&self) -> String {
        self.approval().id.clone()
    }
}

/// Whether a payment stays at a status until somebody does something, or a day comes.
fn rests(kept: &KeptPayment, status: &str) -> bool {
    let (service, product) = kept.product.as_deref().and_then(|it| it.split_once('/')).unwrap_or_default();
    match status {
        "ACSC" | "ACCC" | "ACWP" | "PART" | "PATC" | "RJCT" | "CANC" => true,
        "RCVD" => !kept.approval.as_ref().is_some_and(|approval| approval.confirmed),
        "ACTC" => kept.is_dated,
        "ACCP" => service == "periodic-payments",
        // Whatever is not instant settles with others on a business day.
        "ACSP" => service == "bulk-payments" || product != Product::Sepa.name(),
        _ => false,
    }
}

/// An account by the number that it has.
fn number(account: wire::AccountReference) -> Option<String> {
    let british = account.uk_sort_code.zip(account.uk_account_number);
    account.iban.or_else(|| british.map(|(sort_code, number)| format!("{sort_code}/{number}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_payments_rest() {
        let kept = |product: &str, is_dated| KeptPayment {
            product: Some(product.to_owned()),
            is_dated,
            status: "RCVD".to_owned(),
            ..KeptPayment::default()
        };
        for (product, is_dated, resting, moving) in [
            ("payments/sepa-credit-transfers", false, "RCVD ACSC ACCC RJCT CANC PATC", "ACTC ACSP PDNG ACCP"),
            ("payments/sepa-credit-transfers", true, "RCVD ACTC ACSC", "ACSP"),
            ("payments/uk-domestic-transfers", false, "RCVD ACSP ACSC", "ACTC ACCP"),
            ("periodic-payments/sepa-credit-transfers", false, "ACCP", "ACTC ACSP"),
            ("bulk-payments/sepa-credit-transfers", false, "ACSP PART ACSC", "ACTC ACCP"),
        ] {
            let kept = kept(product, is_dated);
            assert!(resting.split(' ').all(|status| rests(&kept, status)), "{product}");
            assert!(!moving.split(' ').any(|status| rests(&kept, status)), "{product}");
        }
    }
}
