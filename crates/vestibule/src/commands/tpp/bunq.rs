//! `vestibule tpp` at banks that speak the interface of bunq.

use bunq::wire::Payment;
use serde_json::json;
use tpp::bunq::{Account, Client, Connection, Order, Period, Prepared, compact};

use super::Session;
use super::accounts::{ACCOUNT_HEADINGS, BALANCE_HEADINGS, CSV_HEADER, Row, account_line, amount_line};
use super::browser::{check_headless, pasted_or};
use super::bunq_output::{
    BALANCE, account_json, account_text, balance_json, number, oauth_client_json, oauth_client_text,
    payment_json, row,
};
use crate::cli::{
    BookingStatusArg, HeadlessArgs, OrderArgs, TppAuthoriseArgs, TppCommand, TppDraftArgs, TppFlowCommand,
    TppFundsArgs, TppOauthClientArgs, TppPayArgs, TppReadArgs, TppRegisterArgs, TppStatusCommand,
    TppTransactionsArgs,
};
use crate::commands::Failure;
use crate::output;

impl Session<'_> {
    pub(super) async fn run_bunq(&self, command: TppCommand) -> Result<(), Failure> {
        match command {
            TppCommand::Certificate(command) => self.certificate(command).await,
            TppCommand::Register(command) => self.bunq_register(&command).await,
            TppCommand::Show(command) => self.show(&command),
            TppCommand::Authorise(command) => self.bunq_authorise(&command).await,
            TppCommand::Accounts(command) => self.bunq_accounts(&command).await,
            TppCommand::Balances(command) => self.bunq_balances(&command).await,
            TppCommand::Transactions(command) => self.bunq_transactions(&command).await,
            TppCommand::OauthClient(command) => self.bunq_oauth_client(&command).await,
            TppCommand::Pay(command) => self.bunq_pay(&command).await,
            TppCommand::Draft(command) => self.bunq_draft(&command).await,
            TppCommand::Funds(command) => self.bunq_funds(&command).await,
            TppCommand::Flow(TppFlowCommand::Bunq(command)) => self.flow_bunq(&command).await,
            TppCommand::Forget => self.forget(),
            TppCommand::Status(command) => self.bunq_status(&command).await,
            TppCommand::Flow(TppFlowCommand::Ais(_)) => {
                Err(not_here("flow ais", "its counterpart is: vestibule tpp flow bunq --headless approve"))
            }
            TppCommand::Consent(_) => Err(not_here(
                "consent",
                "customers choose accounts when they are sent to the bank with: vestibule tpp authorise",
            )),
            TppCommand::Refresh(_) => Err(not_here("refresh", "sessions are renewed by themselves")),
            TppCommand::Revoke(_) => {
                Err(not_here("revoke", "customers withdraw their approval in the bank's app"))
            }
        }
    }

    /// A client of the bank that goes on from what is kept.
    pub(super) async fn bunq_client(&self) -> Result<Client, Failure> {
        self.bunq_client_with(self.meet().await?)
    }

    async fn bunq_register(&self, command: &TppRegisterArgs) -> Result<(), Failure> {
        let mut client = self.bunq_client().await?;
        client.register(&command.redirect_uris, |text| self.progress(text)).await?;
        let state = client.state();
        if self.args.json {
            output::json(&self.state_json(&state, true));
        } else {
            output::line(&format!("Registered at {}", state.bank));
            output::line(&self.state_text(&state, true));
            self.next(&["vestibule tpp authorise"]);
        }
        Ok(())
    }

    async fn bunq_oauth_client(&self, command: &TppOauthClientArgs) -> Result<(), Failure> {
        let mut client = self.bunq_client().await?;
        client.find_oauth_client().await?;
        for uri in &command.redirect_uris {
            client.add_callback_url(uri).await?;
        }
        let kept = client.kept().oauth_client.as_ref().ok_or_else(|| {
            Failure::new(
                "the bank knows no active OAuth client; register one with: vestibule tpp register --redirect-uri \
                 https://tpp.example/callback",
            )
        })?;
        if self.args.json {
            output::json(&oauth_client_json(kept, command.secrets));
        } else {
            oauth_client_text(kept, command.secrets).iter().for_each(|line| output::line(line));
        }
        Ok(())
    }

    async fn bunq_authorise(&self, command: &TppAuthoriseArgs) -> Result<(), Failure> {
        if command.id.consent.is_some() {
            return Err(Failure::new(
                "authorise makes a new connection at banks of the dialect bunq; leave --consent out",
            ));
        }
        check_headless(&command.headless)?;
        let mut client = self.bunq_client().await?;
        let location = match command.location.as_deref() {
            Some("-") => {
                output::error("Paste the whole address that the browser came back to, and press Enter …");
                pasted_or(FINISH).await?
            }
            Some(location) => location.to_owned(),
            None => {
                let pending = client.begin_authorization(None)?;
                let way = (pending.url.as_str(), pending.redirect_uri.as_str());
                self.send_browser(way, &command.headless, FINISH).await?
            }
        };
        let connection = client.finish_authorization(&location).await?;
        let user = client.user_of(connection).await?;
        let customer = client.customer_of(connection);
        if self.args.json {
            output::json(&json!({"connection": user, "customer": customer}));
        } else {
            output::line(&format!("Connected as user {user}: {}", customer.unwrap_or("no name")));
            self.next(&["vestibule tpp accounts", "vestibule tpp balances", "vestibule tpp transactions"]);
        }
        Ok(())
    }

    /// The accounts of a connection, all or the one that is named.
    async fn bunq_connected(
        &self,
        connection: Option<&str>,
        iban: Option<&str>,
    ) -> Result<(Client, Connection, Vec<Account>), Failure> {
        let mut client = self.bunq_client().await?;
        let connection = client.connection(connection)?;
        let mut accounts = client.accounts(connection).await?;
        if let Some(iban) = iban {
            let wanted = compact(iban);
            accounts.retain(|account| number(account).eq_ignore_ascii_case(&wanted));
            if accounts.is_empty() {
                return Err(Failure::new(format!("the connection does not cover account {wanted}")));
            }
        }
        Ok((client, connection, accounts))
    }

    async fn bunq_read(&self, args: &TppReadArgs) -> Result<(Client, Connection, Vec<Account>), Failure> {
        self.bunq_connected(args.id.consent.as_deref(), args.account.as_deref()).await
    }

    async fn bunq_accounts(&self, command: &TppReadArgs) -> Result<(), Failure> {
        let (_, _, accounts) = self.bunq_read(command).await?;
        if self.args.json {
            let accounts: Vec<_> = accounts.iter().map(account_json).collect();
            output::json(&json!({ "accounts": accounts }));
        } else {
            output::line(&account_line(ACCOUNT_HEADINGS));
            accounts.iter().for_each(|account| output::line(&account_text(account)));
        }
        Ok(())
    }

    async fn bunq_balances(&self, command: &TppReadArgs) -> Result<(), Failure> {
        let (_, _, accounts) = self.bunq_read(command).await?;
        let mut all = Vec::new();
        if !self.args.json {
            output::line(&amount_line(BALANCE_HEADINGS));
        }
        for account in &accounts {
            // A balance that may not be seen has neither value nor currency.
            let Some(balance) = &account.details.balance else { continue };
            let (Some(value), Some(currency)) = (&balance.value, &balance.currency) else { continue };
            if self.args.json {
                all.push(balance_json(account, value, currency));
            } else {
                output::line(&amount_line([&number(account), BALANCE, value, currency, ""]));
            }
        }
        if self.args.json {
            output::json(&json!({ "balances": all }));
        }
        Ok(())
    }

    async fn bunq_transactions(&self, command: &TppTransactionsArgs) -> Result<(), Failure> {
        let period = Period { from: day(command.from.as_deref())?, to: day(command.to.as_deref())? };
        let (mut client, connection, accounts) = self.bunq_read(&command.read).await?;
        let mut all = Vec::new();
        for account in &accounts {
            // Whatever the bank lists is booked.
            let booked = match command.booking_status {
                BookingStatusArg::Pending => Vec::new(),
                _ => client.payments(connection, account.details.id, &period).await?,
            };
            all.push((number(account), booked));
        }
        if self.args.json {
            let entry = |(account, booked): &(String, Vec<Payment>)| {
                let booked: Vec<_> = booked.iter().map(payment_json).collect();
                json!({"account": account, "booked": booked, "pending": []})
            };
            output::json(&json!({"transactions": all.iter().map(entry).collect::<Vec<_>>()}));
            return Ok(());
        }
        output::line(&if command.csv { CSV_HEADER.to_owned() } else { Row::headings() });
        for (account, booked) in &all {
            for payment in booked {
                let row = row(account, payment);
                output::line(&if command.csv { row.as_csv() } else { row.as_text() });
            }
        }
        Ok(())
    }

    async fn bunq_pay(&self, command: &TppPayArgs) -> Result<(), Failure> {
        let mut client = self.bunq_client().await?;
        let mut prepared = client.provider_draft(&command.from, &order(&command.order)).await?;
        let pending = client.begin_authorization(None)?;
        let mut reason = None;
        if command.headless.is_some() {
            let customer = command.customer_iban.as_ref().unwrap_or(&command.from);
            let headless = HeadlessArgs {
                headless: command.headless,
                customer_iban: Some(compact(customer)),
                no_browser: true,
            };
            let way = (pending.url.as_str(), pending.redirect_uri.as_str());
            let location = self.send_browser(way, &headless, FINISH).await?;
            match client.finish_authorization(&location).await {
                Ok(_) => {}
                // What the customer did not accept still has a status.
                Err(tpp::Error::Authorization { description, .. }) => reason = Some(description),
                Err(error) => return Err(error.into()),
            }
            prepared.status = client.provider_draft_status(prepared.id).await?;
        }
        if self.args.json {
            let Prepared { id, status } = &prepared;
            let answer =
                json!({"id": id, "status": status, "authorizationUrl": pending.url, "reason": reason});
            output::json(&answer);
            return Ok(());
        }
        let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        output::line(&format!("Payment {} is {}{reason}", prepared.id, prepared.status));
        if command.headless.is_none() {
            output::line(&format!(
                "The customer decides about it at this address, or wherever authorise leads:\n\n  {}\n",
                pending.url
            ));
            let status = format!("vestibule tpp status payment {}", prepared.id);
            self.next(&["vestibule tpp authorise", &status]);
        }
        Ok(())
    }

    async fn bunq_status(&self, command: &TppStatusCommand) -> Result<(), Failure> {
        let mut client = self.bunq_client().await?;
        let (what, id, status) = match command {
            TppStatusCommand::Consent(_) => {
                return Err(not_here(
                    "status consent",
                    "whether a customer's approval still stands shows when accounts are read: vestibule tpp accounts",
                ));
            }
            TppStatusCommand::Draft(draft) => {
                let connection = client.connection(draft.connection.consent.as_deref())?;
                ("Draft payment", draft.id, client.draft_status(connection, draft.id).await?)
            }
            TppStatusCommand::Payment(payment) => {
                ("Payment", payment.id, client.provider_draft_status(payment.id).await?)
            }
        };
        if self.args.json {
            output::json(&json!({"id": id, "status": status}));
        } else {
            output::line(&format!("{what} {id} is {status}"));
        }
        Ok(())
    }

    async fn bunq_draft(&self, command: &TppDraftArgs) -> Result<(), Failure> {
        let connected = self.bunq_connected(command.id.consent.as_deref(), Some(&command.account)).await;
        let (mut client, connection, accounts) = connected?;
        let account = accounts.first().ok_or_else(|| Failure::new("the connection has no account"))?;
        let draft = client.draft(connection, account.details.id, &order(&command.order)).await?;
        if self.args.json {
            output::json(&json!({"id": draft.id, "status": draft.status}));
        } else {
            output::line(&format!("Draft payment {} is {}", draft.id, draft.status));
            output::line("The customer accepts it at the bank: in its app, or where authorise leads.");
            self.next(&["vestibule tpp authorise", &format!("vestibule tpp status draft {}", draft.id)]);
        }
        Ok(())
    }

    async fn bunq_funds(&self, command: &TppFundsArgs) -> Result<(), Failure> {
        let mut client = self.bunq_client().await?;
        let name = command.name.as_deref().unwrap_or(&command.iban);
        let is_enough = client.has_funds(&command.iban, name, &command.amount).await?;
        if self.args.json {
            output::json(&json!({ "hasSufficientFunds": is_enough }));
        } else {
            let what = if is_enough { "holds" } else { "does not hold" };
            output::line(&format!("{} {what} {} EUR", command.iban, command.amount));
        }
        Ok(())
    }
}

/// The command that finishes an authorisation.
pub(super) const FINISH: &str = "vestibule tpp authorise --location -";

fn not_here(command: &str, instead: &str) -> Failure {
    Failure::new(format!("{command} is not offered at banks of the dialect bunq: {instead}"))
}

fn order(args: &OrderArgs) -> Order {
    Order {
        to: args.to.clone(),
        name: args.name.clone(),
        amount: args.amount.clone(),
        description: args.description.clone(),
    }
}

/// A day as banks write days.
pub(super) fn day(text: Option<&str>) -> Result<Option<String>, Failure> {
    let Some(text) = text else { return Ok(None) };
    match gateway::domain::parse_day(text) {
        Ok(day) => Ok(Some(day.to_string())),
        Err(error) => Err(Failure::new(format!("{text} is no day; {error}"))),
    }
}
