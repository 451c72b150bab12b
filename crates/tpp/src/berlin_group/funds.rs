//! Confirmation of funds: a consent for it, and the question.

use serde::Deserialize;
use serde_json::json;

use super::calls::Access;
use super::client::Client;
use super::consent::approval;
use super::interface::Interface;
use super::payment_request::account;
use super::session::Session;
use crate::call::Call;
use crate::kept_approvals::Matter;
use crate::kept_payments::KeptFundsConsent;
use crate::third_party::{FundsAnswer, FundsWish};
use crate::{Error, Hint};

const CONSENTS: &str = "/v2/consents/confirmation-of-funds";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FundsConsentAnswer {
    consent_id: String,
    #[serde(default)]
    authorisation_id: Option<String>,
    #[serde(default, rename = "_links")]
    links: berlin_group::wire::AuthorisationLinks,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Confirmation {
    funds_available: bool,
}

impl Client {
    /// Asks for a consent to ask whether an account holds an amount, and keeps it.
    pub(super) async fn ask_for_funds_consent(
        &mut self,
        tenant: &str,
        redirect_uri: &str,
        number: &str,
    ) -> Result<KeptFundsConsent, Error> {
        let body = json!({ "account": account(number)? });
        let body = serde_json::to_vec(&body).map_err(|error| Error::Setup(error.to_string()))?;
        let interface = self.interface(tenant)?;
        let call = interface.request(CONSENTS, body, "application/json", redirect_uri);
        let answer: FundsConsentAnswer = interface.transport.json(interface.signed(call)?).await?;
        let whose = (tenant, redirect_uri);
        let kept = KeptFundsConsent {
            approval: approval(whose, answer.consent_id, answer.authorisation_id, answer.links)?,
            account: compact(number),
        };
        self.state.funds_consents.push(kept.clone());
        self.save()?;
        Ok(kept)
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
        let amount = json!({"currency": currency, "amount": wish.amount});
        let mut body = json!({"account": account(&wish.account)?, "instructedAmount": amount});
        if let Some(payee) = &wish.payee {
            body["payee"] = payee.as_str().into();
        }
        let body = serde_json::to_vec(&body).map_err(|error| Error::Setup(error.to_string()))?;
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
        let answer: Confirmation = self.transport.json(self.signed(call)?).await?;
        Ok(answer.funds_available)
    }
}

/// The number of an account without what people put in between.
fn compact(number: &str) -> String {
    number.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_uppercase()
}
