//! Confirmation of funds: a consent for it, and the question.

use berlin_group::wire;
use serde::Serialize;

use super::calls::Access;
use super::client::Client;
use super::consent::approval;
use super::interface::Interface;
use super::making::Made;
use super::payment_request::account;
use super::session::Session;
use crate::call::Call;
use crate::funds::{FundsAnswer, FundsWish};
use crate::kept_approvals::Matter;
use crate::kept_payments::KeptFundsConsent;
use crate::payments::compact;
use crate::{Error, Hint};

const CONSENTS: &str = "/v2/consents/confirmation-of-funds";

impl Client {
    /// Asks for a consent to ask whether an account holds an amount, and keeps it.
    pub(super) async fn ask_for_funds_consent(
        &mut self,
        tenant: &str,
        redirect_uri: &str,
        number: &str,
    ) -> Result<KeptFundsConsent, Error> {
        let request = wire::FundsConsentRequest {
            account: account(number)?,
            card_number: None,
            card_expiry_date: None,
            card_information: None,
            registration_information: None,
        };
        let interface = self.interface(tenant)?;
        let call = interface.request(CONSENTS, body(&request)?, "application/json", redirect_uri);
        let _turn = self.turn_to_ask(&call).await?;
        self.make(&interface, call, Made::Consent, |state, answer: wire::FundsConsent| {
            let whose = (tenant, redirect_uri);
            let kept = KeptFundsConsent {
                approval: approval(whose, answer.consent_id, Some(answer.authorisation_id), answer.links)?,
                account: compact(number),
            };
            state.funds_consents.push(kept.clone());
            Ok(kept)
        })
        .await
    }

    /// The consent with this id, or the newest one that can still be used, of an account if one is named.
    pub(super) fn choose_funds_consent(
        &self,
        id: Option<&str>,
        number: Option<&str>,
    ) -> Result<&KeptFundsConsent, Error> {
        let all = &self.state.funds_consents;
        if let Some(id) = id {
            let text = || format!("consent for funds {id} is not kept here; those that are, are listed");
            return all
                .iter()
                .find(|kept| kept.approval.id == id)
                .ok_or_else(|| Error::missing(text(), Hint::Show));
        }
        let number = number.map(compact);
        let is_it = |kept: &&KeptFundsConsent| {
            kept.approval.ended.is_none() && number.as_ref().is_none_or(|number| kept.account == *number)
        };
        all.iter().rev().find(is_it).ok_or_else(|| {
            let which = number.as_ref().map(|number| format!(" for account {number}")).unwrap_or_default();
            let text = format!("no consent to ask for funds is kept{which}; ask for one");
            Error::missing(text, Hint::FundsConsent(number.clone()))
        })
    }

    /// Takes up a consent for confirmation of funds.
    pub(super) async fn funds_consent(
        &mut self,
        id: Option<&str>,
        number: Option<&str>,
    ) -> Result<Session<'_>, Error> {
        let id = self.choose_funds_consent(id, number)?.approval.id.clone();
        self.session(Matter::Funds(id)).await
    }
}

impl Session<'_> {
    /// Whether the account holds an amount.
    pub(super) async fn ask_for_funds(&mut self, wish: &FundsWish) -> Result<FundsAnswer, Error> {
        let is_british = self.branch.interface.tenant().starts_with("uk");
        let usual = if is_british { "GBP" } else { "EUR" };
        let currency = wish.currency.as_deref().unwrap_or(usual);
        let amount = wire::Amount { currency: currency.to_owned(), amount: wish.amount.clone() };
        let body = body(&wire::FundsConfirmationRequest {
            account: account(&wish.account)?,
            instructed_amount: amount,
            payee: wish.payee.clone(),
            card_number: None,
        })?;
        let ask =
            async |interface: &Interface, access: Access<'_>| interface.ask_for_funds(&body, access).await;
        let is_enough = self.with_token(ask).await?;
        Ok(FundsAnswer { is_enough, currency: currency.to_owned() })
    }
}

impl Interface {
    async fn ask_for_funds(&self, body: &[u8], access: Access<'_>) -> Result<bool, Error> {
        let call = Call::new(http::Method::POST, self.api("/v1/funds-confirmations"), body.to_vec())
            .header("content-type", "application/json")
            .header("consent-id", access.consent)
            .header("authorization", format!("Bearer {}", access.token));
        let answer: wire::FundsConfirmation = self.transport.json(self.signed(call)?).await?;
        Ok(answer.funds_available)
    }
}

fn body(request: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(request).map_err(|error| Error::Setup(error.to_string()))
}
