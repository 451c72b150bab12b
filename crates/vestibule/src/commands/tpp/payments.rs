//! Payments, whether there is enough for one, and the OAuth client through which customers come.

use serde_json::{Value, json};
use tpp::{Order, ThirdParty};

use super::Session;
use super::kept::{oauth_client_json, oauth_client_text};
use crate::cli::{HeadlessArgs, OrderArgs, TppDraftArgs, TppFundsArgs, TppOauthClientArgs, TppPayArgs};
use crate::commands::{Failure, Next};
use crate::output;

impl From<&OrderArgs> for Order {
    fn from(args: &OrderArgs) -> Self {
        let OrderArgs { to, name, amount, description } = args.clone();
        Self { to, name, amount, description }
    }
}

impl Session<'_> {
    pub(super) async fn pay<C: ThirdParty>(&self, command: TppPayArgs) -> Result<(), Failure> {
        let mut client = self.client::<C>().await?;
        let (mut prepared, departure) = client.pay(&command.from, &(&command.order).into()).await?;
        let mut reason = None;
        if command.headless.is_some() {
            let customer = command.customer_iban.unwrap_or(command.from);
            let customer = customer.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            let headless = HeadlessArgs {
                headless: command.headless,
                customer_iban: Some(customer.to_ascii_uppercase()),
                no_browser: true,
            };
            let location = self.send_browser(&departure, &headless).await?;
            match client.arrive(departure.consent.as_deref(), &location, |_, _| {}).await {
                Ok(_) => {}
                // What the customer did not accept still has a status.
                Err(tpp::Error::Authorization { description, .. }) => reason = Some(description),
                Err(error) => return Err(error.into()),
            }
            prepared.status = client.payment_status(&prepared.id).await?;
        }
        let (id, status, url) = (&prepared.id, &prepared.status, &departure.url);
        if self.args.json {
            output::json(
                &json!({"id": number(id), "status": status, "authorizationUrl": url, "reason": reason}),
            );
            return Ok(());
        }
        let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        output::line(&format!("Payment {id} is {status}{reason}"));
        if command.headless.is_none() {
            output::line(&format!(
                "The customer decides about it at this address, or wherever authorise leads:\n\n  {url}\n"
            ));
            self.next(&[Next::new("tpp authorise"), Next::new("tpp status payment").and(id)]);
        }
        Ok(())
    }

    pub(super) async fn draft<C: ThirdParty>(&self, command: &TppDraftArgs) -> Result<(), Failure> {
        let mut client = self.client::<C>().await?;
        let (by, order) = (command.id.consent.as_deref(), (&command.order).into());
        let draft = client.draft(by, &command.account, &order).await?;
        self.say(
            || json!({"id": number(&draft.id), "status": draft.status}),
            || {
                output::line(&format!("Draft payment {} is {}", draft.id, draft.status));
                output::line("The customer accepts it at the bank: in its app, or where authorise leads.");
                self.next(&[Next::new("tpp authorise"), Next::new("tpp status draft").and(&draft.id)]);
            },
        );
        Ok(())
    }

    pub(super) async fn funds<C: ThirdParty>(&self, command: &TppFundsArgs) -> Result<(), Failure> {
        let TppFundsArgs { iban, amount, name } = command;
        let name = name.as_deref().unwrap_or(iban);
        let is_enough = self.client::<C>().await?.has_funds(iban, name, amount).await?;
        let what = if is_enough { "holds" } else { "does not hold" };
        self.say(
            || json!({ "hasSufficientFunds": is_enough }),
            || output::line(&format!("{iban} {what} {amount} EUR")),
        );
        Ok(())
    }

    pub(super) async fn oauth_client<C: ThirdParty>(
        &self,
        command: &TppOauthClientArgs,
    ) -> Result<(), Failure> {
        let found = self.client::<C>().await?.oauth_client(&command.redirect_uris).await?;
        let shown = (found.id.as_str(), found.secret.as_str(), &found.redirect_uris[..]);
        self.say(
            || oauth_client_json(shown, command.secrets),
            || oauth_client_text(shown, command.secrets).iter().for_each(|line| output::line(line)),
        );
        Ok(())
    }
}

/// An id as programs are told: a number where the bank counts.
pub(super) fn number(id: &str) -> Value {
    id.parse::<i64>().map_or_else(|_| id.into(), Value::from)
}
