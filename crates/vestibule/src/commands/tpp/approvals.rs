//! What customers approve: asked for, decided, renewed, given back.

use serde_json::{Value, json};
use tpp::kept_approvals::Wanted;
use tpp::kept_consents::{ConsentWish, KeptConsent};
use tpp::{Approved, ThirdParty};

use super::Session;
use super::browser::{decider, pasted_or};
use super::kept::consent_json;
use super::payments::{status_json, status_text};
use super::reading::day;
use crate::cli::{
    HeadlessArgs, TppAuthoriseArgs, TppConsentArgs, TppConsentIdArgs, TppRevokeArgs, TppStatusCommand,
};
use crate::commands::{Failure, Next};
use crate::output;

impl Session<'_> {
    pub(super) async fn consent<C: ThirdParty>(&self, command: &TppConsentArgs) -> Result<(), Failure> {
        let mut client = self.client::<C>().await?;
        let kept = self.request_consent(&mut client, command).await?;
        self.say(
            || consent_json(&kept),
            || {
                output::line(&format!("Consent {} until {}", kept.approval.id, kept.valid_until));
                self.next(&[Next::new("tpp authorise")]);
            },
        );
        Ok(())
    }

    pub(super) async fn request_consent<C: ThirdParty>(
        &self,
        client: &mut C,
        command: &TppConsentArgs,
    ) -> Result<KeptConsent, Failure> {
        let tenant = self.tenant(command.tenant.as_deref(), &client.state())?;
        let wish = ConsentWish {
            ibans: command.ibans.clone(),
            recurring: !command.one_off,
            valid_until: day(command.valid_until.as_deref())?,
            frequency_per_day: command.frequency_per_day,
            savings: command.savings,
        };
        Ok(client.request_consent(&tenant, command.redirect_uri.as_deref(), &wish).await?)
    }

    pub(super) async fn authorise<C: ThirdParty>(&self, command: &TppAuthoriseArgs) -> Result<(), Failure> {
        let mut client = self.client::<C>().await?;
        let matter = client.awaiting(&wanted(command))?;
        if command.location.is_none()
            && let Some(approved) = client.resume(&matter).await?
        {
            return self.tell_approved(&mut client, &approved, None).await;
        }
        let headless = decider(&mut client, &matter, &command.headless).await?;
        let location = match command.location.as_deref() {
            Some("-") => {
                output::error("Paste the whole address that the browser came back to, and press Enter …");
                pasted_or(Next::finish(&matter)).await?
            }
            Some(location) => location.to_owned(),
            None => self.send_browser(&client.depart(&matter, None).await?, &headless).await?,
        };
        let approved = client.arrive(&matter, &location, |_, _| {}).await?;
        self.tell_approved(&mut client, &approved, Some(&headless)).await
    }

    /// Says what was approved, and what comes next. `by` is who decided, if that was this command.
    async fn tell_approved<C: ThirdParty>(
        &self,
        client: &mut C,
        approved: &Approved,
        by: Option<&HeadlessArgs>,
    ) -> Result<(), Failure> {
        if self.args.json {
            output::json(&approved_json(approved));
        } else if let Approved::Payment(now) = approved {
            output::line(&status_text(now));
            self.next_of(now, by).await;
        } else {
            self.print_approved(approved);
        }
        match approved {
            Approved::Payment(now) => Ok(client.told(&now.id)?),
            _ => Ok(()),
        }
    }

    fn print_approved(&self, approved: &Approved) {
        let text = match approved {
            Approved::Consent { id, status } => format!("Consent {id} is {status}"),
            Approved::Connection { user, customer } => {
                format!("Connected as user {user}: {}", customer.as_deref().unwrap_or("no name"))
            }
            Approved::Payment(now) => status_text(now),
            Approved::Funds { id, account, status } => {
                output::line(&format!("Consent for funds {id} is {status}"));
                return self.next(&[Next::new("tpp funds").option("--iban", account).and("--amount 10.00")]);
            }
        };
        output::line(&text);
        self.next(&["tpp accounts", "tpp balances", "tpp transactions"].map(Next::new));
    }

    pub(super) async fn refresh<C: ThirdParty>(&self, command: &TppConsentIdArgs) -> Result<(), Failure> {
        let kept = self.client::<C>().await?.refresh(command.consent.as_deref()).await?;
        self.changed(&kept, "has new tokens");
        Ok(())
    }

    pub(super) async fn revoke<C: ThirdParty>(&self, command: &TppRevokeArgs) -> Result<(), Failure> {
        let (by, delete) = (command.id.consent.as_deref(), command.delete_consent);
        let kept = self.client::<C>().await?.revoke(by, delete).await?;
        self.changed(&kept, if delete { "was ended" } else { "has no tokens any more" });
        Ok(())
    }

    fn changed(&self, kept: &KeptConsent, what: &str) {
        self.say(|| consent_json(kept), || output::line(&format!("Consent {} {what}", kept.approval.id)));
    }

    /// What became of a consent or a payment.
    pub(super) async fn status<C: ThirdParty>(&self, command: &TppStatusCommand) -> Result<(), Failure> {
        let (id, status) = match command {
            TppStatusCommand::Consent(consent) => {
                let mut client = self.client::<C>().await?;
                let (id, status) = client.consent_status(consent.consent.as_deref()).await?;
                self.say(
                    || json!({"consentId": &id, "consentStatus": &status}),
                    || output::line(&format!("Consent {id} is {status}")),
                );
                return Ok(());
            }
            TppStatusCommand::Draft(draft) => {
                let by = draft.connection.consent.as_deref();
                (draft.id, self.client::<C>().await?.draft_status(by, &draft.id.to_string()).await?)
            }
            TppStatusCommand::Payment(payment) => return self.payment_status::<C>(payment).await,
        };
        self.say(
            || json!({"id": id, "status": status}),
            || output::line(&format!("Draft payment {id} is {status}")),
        );
        Ok(())
    }
}

/// What the customer is asked to approve.
fn wanted(command: &TppAuthoriseArgs) -> Wanted {
    match (&command.payment, &command.funds) {
        (Some(payment), _) => Wanted::Payment(payment.clone()),
        (_, Some(consent)) => Wanted::Funds(consent.clone()),
        _ => Wanted::Consent(command.id.consent.clone()),
    }
}

/// For programs.
pub(super) fn approved_json(approved: &Approved) -> Value {
    match approved {
        Approved::Consent { id, status } | Approved::Funds { id, status, .. } => {
            json!({"consentId": id, "consentStatus": status})
        }
        Approved::Payment(now) => status_json(now),
        Approved::Connection { user, customer } => json!({"connection": user, "customer": customer}),
    }
}
