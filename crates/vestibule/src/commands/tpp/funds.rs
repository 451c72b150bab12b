//! Whether an account holds an amount, and the consent to ask that.

use serde_json::{Value, json};
use tpp::kept_payments::KeptFundsConsent;
use tpp::{FundsWish, ThirdParty};

use super::Session;
use super::payment_wish::{checked_account, checked_amount};
use crate::cli::{FundsQuestionArgs, TppFundsArgs, TppFundsCommand, TppFundsConsentArgs};
use crate::commands::{Failure, Next};
use crate::output;

impl Session<'_> {
    pub(super) async fn funds<C: ThirdParty>(&self, command: &TppFundsArgs) -> Result<(), Failure> {
        match &command.command {
            None => self.ask_for_funds::<C>(&command.question).await,
            Some(TppFundsCommand::Consent(command)) => self.funds_consent::<C>(command).await,
            Some(TppFundsCommand::Status(command)) => {
                let mut client = self.client::<C>().await?;
                let (id, status) = client.funds_consent_status(command.id.as_deref()).await?;
                self.say(
                    || json!({"consentId": id, "consentStatus": status}),
                    || output::line(&format!("Consent for funds {id} is {status}")),
                );
                Ok(())
            }
            Some(TppFundsCommand::Revoke(command)) => {
                let id = self.client::<C>().await?.end_funds_consent(command.id.as_deref()).await?;
                self.say(
                    || json!({"consentId": id, "consentStatus": "terminatedByTpp"}),
                    || output::line(&format!("Consent for funds {id} was ended")),
                );
                Ok(())
            }
        }
    }

    async fn ask_for_funds<C: ThirdParty>(&self, question: &FundsQuestionArgs) -> Result<(), Failure> {
        let iban = checked_account("--iban", question.iban.as_deref().unwrap_or_default())?;
        let amount = question.amount.clone().unwrap_or_default();
        let currency = question.currency.as_deref().map(str::to_ascii_uppercase);
        let wish = FundsWish {
            holder: question.name.clone().unwrap_or_else(|| iban.clone()),
            account: iban,
            amount: checked_amount(&amount, currency.as_deref().unwrap_or("EUR"))?,
            currency,
            payee: question.payee.clone(),
            by: question.consent.clone(),
        };
        let answer = self.client::<C>().await?.has_funds(&wish).await?;
        let what = if answer.is_enough { "holds" } else { "does not hold" };
        self.say(
            || json!({ "hasSufficientFunds": answer.is_enough }),
            || output::line(&format!("{} {what} {} {}", wish.account, wish.amount, answer.currency)),
        );
        Ok(())
    }

    async fn funds_consent<C: ThirdParty>(&self, command: &TppFundsConsentArgs) -> Result<(), Failure> {
        let account = checked_account("--iban", &command.iban)?;
        let mut client = self.client::<C>().await?;
        let tenant = self.tenant(command.asking.tenant.as_deref(), &client.state())?;
        let redirect_uri = command.asking.redirect_uri.as_deref();
        let kept = client.request_funds_consent(&tenant, redirect_uri, &account).await?;
        self.say(
            || funds_consent_json(&kept),
            || {
                let id = &kept.approval.id;
                output::line(&format!("Consent for funds {id} of account {}", kept.account));
                self.next(&[Next::new("tpp authorise").option("--funds", id)]);
            },
        );
        Ok(())
    }
}

/// What is kept of such a consent, without its secrets.
pub(super) fn funds_consent_json(kept: &KeptFundsConsent) -> Value {
    let approval = &kept.approval;
    json!({
        "consentId": approval.id,
        "account": kept.account,
        "authorisationId": approval.authorisation,
        "tenant": approval.tenant,
        "redirectUri": approval.redirect_uri,
        "scaRedirect": approval.sca_redirect,
        "hasTokens": approval.tokens.is_some(),
    })
}
