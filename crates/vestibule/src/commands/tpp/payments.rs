//! Payments: asked for, looked at, taken back.

use std::time::Duration;

use serde_json::{Value, json};
use tpp::kept_approvals::Matter;
use tpp::payments::{Asked, Cancellation, Order, PaymentStatus, follow};
use tpp::{Approved, Departure, ThirdParty};

use super::Session;
use super::browser::{decider, nobody};
use super::kept::{oauth_client_json, oauth_client_text};
use super::payment_wish::{checked_amount, checked_iban, wish};
use crate::cli::{
    HeadlessArgs, TppDraftArgs, TppOauthClientArgs, TppPayArgs, TppPaymentCancelArgs, TppPaymentCommand,
    TppPaymentIdArgs, TppPaymentStatusArgs,
};
use crate::commands::{Failure, Next};
use crate::output;

impl Session<'_> {
    pub(super) async fn pay<C: ThirdParty>(&self, command: &TppPayArgs) -> Result<(), Failure> {
        let wish = wish(command)?;
        let headless = HeadlessArgs {
            headless: command.headless,
            customer_iban: match &command.customer_iban {
                Some(named) => Some(checked_iban("--customer-iban", named)?),
                None => wish.debtor().filter(|number| !number.contains('/')),
            },
            digipass: command.digipass.clone(),
            no_browser: true,
        };
        if headless.headless.is_some() && headless.customer_iban.is_none() {
            return Err(nobody("the account that pays is not named as an IBAN"));
        }
        let mut client = self.client::<C>().await?;
        let tenant = self.tenant(command.asking.tenant.as_deref(), &client.state())?;
        let redirect_uri = command.asking.redirect_uri.as_deref();
        let Asked { payment: kept, is_known } = client.pay(&tenant, redirect_uri, &wish).await?;
        let matter = Matter::Payment(kept.id.clone());
        if is_known {
            output::error(
                "The same payment was asked for before, by a command that did not come to its end: going on with it. \
                 --anew asks for another one.",
            );
            if let Some(now) = stands(&mut client, &matter, &kept.id).await? {
                return self.tell(&mut client, &now).await;
            }
        }
        let departure = client.depart(&matter, redirect_uri).await;
        let departure = departure.map_err(|error| Failure::from(error).next(go_on(&kept.id)))?;
        let waits = PaymentStatus {
            id: kept.id,
            status: kept.status,
            funds_available: None,
            reason: None,
            rests: true,
        };
        self.decide(&mut client, waits, &departure, &headless).await
    }

    /// Has the customer decide about a payment if that is wanted right away, and says where it stands.
    async fn decide<C: ThirdParty>(
        &self,
        client: &mut C,
        waits: PaymentStatus,
        departure: &Departure,
        headless: &HeadlessArgs,
    ) -> Result<(), Failure> {
        let mut now = waits;
        if headless.headless.is_some() {
            let location = self.send_browser(departure, headless).await;
            let location = location.map_err(|failure| failure.next(go_on(&now.id)))?;
            now = match client.arrive(&departure.matter, &location, |_, _| {}).await {
                Ok(Approved::Payment(status)) => status,
                Ok(_) => client.status_after(&now.id, None).await?,
                // What the customer did not accept still has a status.
                Err(tpp::Error::Authorization { description, .. }) => {
                    client.status_after(&now.id, Some(description)).await?
                }
                Err(error @ tpp::Error::Unreachable { .. }) => {
                    return Err(Failure::from(error).next(go_on(&now.id)));
                }
                Err(error) => return Err(error.into()),
            };
        }
        if self.args.json {
            let mut json = status_json(&now);
            json["authorizationUrl"] = departure.url.clone().into();
            output::json(&json);
            return Ok(client.told(&now.id)?);
        }
        output::line(&status_text(&now));
        if headless.headless.is_none() {
            let url = &departure.url;
            output::line(&format!(
                "The customer decides about it at this address, or wherever authorise leads:\n\n  {url}\n"
            ));
            self.next(&[authorise(&now.id), Next::payment_status(&now.id)]);
        } else {
            self.next_of(&now, Some(headless)).await;
        }
        Ok(client.told(&now.id)?)
    }

    /// Says where a payment stands, and what comes next.
    async fn tell<C: ThirdParty>(&self, client: &mut C, now: &PaymentStatus) -> Result<(), Failure> {
        if self.args.json {
            output::json(&status_json(now));
        } else {
            output::line(&status_text(now));
            match now.status.as_str() {
                "PATC" => self.next_of_joint(client, now).await,
                _ => self.next_of(now, None).await,
            }
        }
        Ok(client.told(&now.id)?)
    }

    /// Prints how each holder of the account approves at a sandbox, since nobody remembers here who did.
    async fn next_of_joint<C: ThirdParty>(&self, client: &mut C, now: &PaymentStatus) {
        let debtor = client.payment_details(Some(&now.id)).await.ok().and_then(|(_, details)| details.debtor);
        let account = debtor.unwrap_or_default();
        let devices = self.holders(&account).await.into_iter();
        let mut commands: Vec<_> = devices.map(|device| decided_by(&now.id, &account, &device)).collect();
        commands.extend([authorise(&now.id), Next::payment_status(&now.id)]);
        self.next(&commands);
    }

    pub(super) async fn payment<C: ThirdParty>(&self, command: &TppPaymentCommand) -> Result<(), Failure> {
        match command {
            TppPaymentCommand::Status(command) => self.payment_status::<C>(command).await,
            TppPaymentCommand::Show(command) => self.payment_details::<C>(command).await,
            TppPaymentCommand::Cancel(command) => self.cancel_payment::<C>(command).await,
        }
    }

    pub(super) async fn payment_status<C: ThirdParty>(
        &self,
        command: &TppPaymentStatusArgs,
    ) -> Result<(), Failure> {
        let mut client = self.client::<C>().await?;
        let (id, wait) = (command.payment.id.as_deref(), command.wait);
        let seen = |status: &PaymentStatus| {
            if wait.is_some() && !status.rests {
                self.progress(&status_text(status));
            }
        };
        let now = follow(&mut client, id, Duration::from_secs(wait.unwrap_or(0)), seen).await?;
        if let Some(seconds) = wait.filter(|_| !now.rests) {
            let text =
                format!("payment {} is still {} after {seconds} seconds; ask again", now.id, now.status);
            return Err(Failure::new(text).next(Next::payment_status(&now.id)));
        }
        self.tell(&mut client, &now).await
    }

    async fn payment_details<C: ThirdParty>(&self, command: &TppPaymentIdArgs) -> Result<(), Failure> {
        let mut client = self.client::<C>().await?;
        let (id, details) = client.payment_details(command.id.as_deref()).await?;
        let json = || {
            let mut json = json!(details);
            json["id"] = number(&id);
            json
        };
        let text = || {
            let debtor = [&details.debtor, &details.debtor_name];
            let debtor =
                debtor.into_iter().flatten().cloned().reduce(|number, name| format!("{number} {name}"));
            let rows = [
                ("Payment", Some(id.clone())),
                ("Status", Some(in_words(&details.status))),
                ("Reason", details.reason.clone()),
                ("Asked for", details.asked.clone()),
                ("Product", details.product.clone()),
                ("From", debtor),
                ("To", details.creditor.clone()),
                ("Amount", details.amount.clone()),
            ];
            for (name, value) in rows {
                if let Some(value) = value {
                    output::line(&format!("{name:<10} {value}"));
                }
            }
        };
        self.say(json, text);
        Ok(client.told(&id)?)
    }

    async fn cancel_payment<C: ThirdParty>(&self, command: &TppPaymentCancelArgs) -> Result<(), Failure> {
        let mut client = self.client::<C>().await?;
        match client.cancel_payment(command.payment.id.as_deref()).await? {
            Cancellation::Done(now) => {
                self.say(|| status_json(&now), || output::line(&status_text(&now)));
                Ok(client.told(&now.id)?)
            }
            Cancellation::Approve(matter) => {
                let waits = client.payment_status(matter.id()).await?;
                let headless = decider(&mut client, &matter, &command.headless).await;
                let headless = headless.map_err(|failure| failure.next(go_on(&waits.id)))?;
                let departure = client.depart(&matter, None).await?;
                self.decide(&mut client, waits, &departure, &headless).await
            }
        }
    }

    /// Prints the commands that come after a status. `by` is who decided just now, if that was this command.
    pub(super) async fn next_of(&self, now: &PaymentStatus, by: Option<&HeadlessArgs>) {
        match (now.status.as_str(), by) {
            ("PATC", Some(by)) if by.headless.is_some() => {
                let others = self.other_holders(by).await.into_iter();
                let account = by.customer_iban.as_deref().unwrap_or_default();
                let mut commands: Vec<_> =
                    others.map(|device| decided_by(&now.id, account, &device)).collect();
                commands.extend([authorise(&now.id), Next::payment_status(&now.id)]);
                self.next(&commands);
            }
            ("RCVD" | "PATC" | "PENDING", _) => {
                self.next(&[authorise(&now.id), Next::payment_status(&now.id)]);
            }
            _ if now.rests => {}
            _ => self.next(&[Next::payment_status(&now.id).and("--wait")]),
        }
    }

    /// The devices of the others who hold the account with which somebody decided at a sandbox; none where it does not tell.
    async fn other_holders(&self, by: &HeadlessArgs) -> Vec<String> {
        let devices = self.holders(by.customer_iban.as_deref().unwrap_or_default()).await.into_iter();
        match &by.digipass {
            Some(known) => devices.filter(|device| digits(device) != digits(known)).collect(),
            // Where nobody says which one, the sandbox takes the first.
            None => devices.skip(1).collect(),
        }
    }

    /// The devices of all who hold an account at a sandbox; none where it does not tell.
    async fn holders(&self, account: &str) -> Vec<String> {
        let Ok(management) = self.management().await else { return Vec::new() };
        let Ok(all) = management.test_accounts().await else { return Vec::new() };
        let holds = |customer: &&Value| {
            let mut accounts = customer["accounts"].as_array().into_iter().flatten();
            accounts.any(|known| known["iban"] == account)
        };
        let mut holders: Vec<_> =
            all["testAccounts"].as_array().into_iter().flatten().filter(holds).collect();
        holders.sort_by_key(|holder| holder["customerId"].as_str().map(str::to_owned));
        let devices = holders.into_iter().filter_map(|holder| holder["digipassNumber"].as_str());
        devices.map(str::to_owned).collect()
    }

    pub(super) async fn draft<C: ThirdParty>(&self, command: &TppDraftArgs) -> Result<(), Failure> {
        let account = checked_iban("--account", &command.account)?;
        let order = Order {
            to: checked_iban("--to", &command.order.to)?,
            name: command.order.name.clone(),
            amount: checked_amount(&command.order.amount, "EUR")?,
            description: command.order.description.clone(),
        };
        let mut client = self.client::<C>().await?;
        let draft =
            client.draft(command.id.consent.as_deref(), &account, (&order, command.again.anew)).await?;
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

/// Where a payment of an earlier command stands, unless its customer has yet to decide. What they approved is confirmed.
async fn stands<C: ThirdParty>(
    client: &mut C,
    matter: &Matter,
    id: &str,
) -> Result<Option<PaymentStatus>, Failure> {
    if let Some(Approved::Payment(now)) = client.resume(matter).await? {
        return Ok(Some(now));
    }
    let now = client.payment_status(Some(id)).await?;
    let waits = matches!(now.status.as_str(), "RCVD" | "PATC" | "PENDING");
    Ok((!waits).then_some(now))
}

/// Goes on with a payment that was asked for, where what came after that failed.
fn go_on(id: &str) -> Next {
    authorise(id).after("; the payment is kept; go on with it with: ")
}

/// The digits of a device's number, which people write with other things in between.
fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

/// Has the customer with a device decide about a payment at a sandbox.
fn decided_by(id: &str, account: &str, device: &str) -> Next {
    let next = authorise(id).and("--headless approve");
    next.option("--customer-iban", account).option("--digipass", device)
}

/// Sends the customer to the bank with a payment.
fn authorise(id: &str) -> Next {
    Next::new("tpp authorise").option("--payment", id)
}

/// For programs.
pub(super) fn status_json(now: &PaymentStatus) -> Value {
    let mut json = json!(now);
    json["id"] = number(&now.id);
    json
}

/// For people.
pub(super) fn status_text(now: &PaymentStatus) -> String {
    // Of what is under way or made, that goes without saying.
    let waits = matches!(now.status.as_str(), "PDNG" | "ACTC" | "ACCP" | "ACFC" | "ACWC");
    let funds = match now.funds_available {
        Some(true) if waits => ", and the money is there",
        Some(false) => ", and the money is not there",
        _ => "",
    };
    let reason = now.reason.as_ref().map(|reason| format!("; {reason}")).unwrap_or_default();
    format!("Payment {} is {}{funds}{reason}", now.id, in_words(&now.status))
}

/// A status with what it means (ISO 20022, ExternalPaymentTransactionStatus1Code).
fn in_words(status: &str) -> String {
    let meaning = match status {
        "RCVD" => "it waits for the customer",
        "PDNG" => "the bank is still checking it",
        "ACTC" | "ACCP" | "ACFC" => "the bank took it",
        "ACWC" => "the bank took it with a change",
        "PATC" => "another holder of the account has to approve it too",
        "ACSP" => "the bank is making it",
        "ACWP" => "made, and the payee's account is not credited yet",
        "ACSC" => "the money has left the account",
        "ACCC" => "the payee has the money",
        "PART" => "a part of it was made",
        "RJCT" => "it is refused",
        "CANC" => "it is taken back",
        _ => return status.to_owned(),
    };
    format!("{status} ({meaning})")
}

/// An id as programs are told: a number where the bank counts.
pub(super) fn number(id: &str) -> Value {
    id.parse::<i64>().map_or_else(|_| id.into(), Value::from)
}
