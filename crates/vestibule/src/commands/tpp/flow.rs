//! A whole job in one go, each step with its time.

use std::time::Instant;

use tpp::TransportSettings;
use tpp::bunq::{Account, Order, Period};
use tpp::sandbox::{Management, TestAccountRequest};

use super::Session;
use super::accounts::balance_line;
use super::bunq_output::{account_json, account_text};
use crate::cli::{HeadlessArgs, TppConsentArgs, TppFlowAisArgs, TppFlowBunqArgs, TppRegisterArgs};
use crate::commands::Failure;
use crate::output;

/// The branch whose customers a sandbox serves in the dialect bunq.
const BUNQ_TENANT: &str = "nl";

/// Whom the first payment goes to.
const PAYEE: (&str, &str) = ("NL91ABNA0417164300", "Example Shop");

/// Steps that were taken, shown as they end.
struct Steps {
    json: bool,
    begun: Instant,
    last: Instant,
    done: Vec<(&'static str, u128)>,
}

impl Steps {
    fn begin(json: bool) -> Self {
        let now = Instant::now();
        Self { json, begun: now, last: now, done: Vec::new() }
    }

    fn done(&mut self, step: &'static str, what: &str) {
        let took = self.last.elapsed().as_millis();
        self.last = Instant::now();
        self.done.push((step, took));
        if !self.json {
            output::line(&format!("{step:<16} {took:>6} ms   {what}"));
        }
    }

    fn taken(&self) -> Vec<serde_json::Value> {
        let steps = self.done.iter();
        steps.map(|(step, took)| serde_json::json!({"step": step, "milliseconds": took})).collect()
    }
}

impl Session<'_> {
    /// From nothing, or from what there is, to the first balance.
    pub(super) async fn flow_ais(&self, command: &TppFlowAisArgs) -> Result<(), Failure> {
        let mut steps = Steps::begin(self.args.json);
        let mut state = self.load()?;
        if state.registration.is_none() {
            let registration = TppRegisterArgs {
                tenant: command.tenant.clone(),
                redirect_uris: vec![command.redirect_uri.clone()],
                sector_identifier_uri: String::new(),
            };
            state = self.register_with(state, registration, |_| {}).await?;
            let id = state.registration.as_ref().map(|kept| kept.client_id.clone()).unwrap_or_default();
            steps.done("registration", &id);
        }
        let headless = self.customer(&command.headless, &command.tenant, &command.persona).await?;
        if let Some(iban) = &headless.customer_iban {
            steps.done("customer", iban);
        }
        let client = self.client(&state, &command.tenant).await?;
        let wish = TppConsentArgs {
            ibans: headless.customer_iban.iter().cloned().collect(),
            valid_until: None,
            one_off: false,
            frequency_per_day: 4,
            savings: false,
            redirect_uri: None,
            tenant: Some(command.tenant.clone()),
        };
        let mut consent = self.request_consent(&client, state, &wish).await?;
        steps.done("consent", &consent.kept().id.clone());
        let location = self.send_customer(&mut consent, &headless).await?;
        steps.done("authorisation", "the customer came back");
        consent.redeem(&location).await?;
        steps.done("tokens", "code redeemed");
        consent.confirm().await?;
        let status = consent.status().await?;
        steps.done("confirmation", &format!("consent is {status}"));
        let accounts = consent.accounts().await?;
        steps.done("accounts", &format!("{} in the consent", accounts.len()));
        let mut balances = Vec::new();
        for account in accounts.iter().filter(|account| account.links.balances.is_some()) {
            let read = consent.balances(account).await?;
            balances.extend(read.balances.iter().map(|balance| (account, balance.clone())));
        }
        steps.done("balances", &format!("{} read", balances.len()));
        let total = steps.begun.elapsed().as_millis();
        if self.args.json {
            let balances: Vec<_> = balances.iter().map(|(_, balance)| balance).collect();
            output::json(&serde_json::json!({
                "consentId": consent.kept().id, "consentStatus": status, "steps": steps.taken(),
                "milliseconds": total, "balances": balances,
            }));
        } else {
            output::line(&format!("{:<16} {total:>6} ms\n", "together"));
            for (account, balance) in &balances {
                output::line(&balance_line(account, balance));
            }
        }
        Ok(())
    }

    /// From nothing, or from what there is, to the first accounts and a payment that waits for the customer.
    pub(super) async fn flow_bunq(&self, command: &TppFlowBunqArgs) -> Result<(), Failure> {
        let mut steps = Steps::begin(self.args.json);
        let mut client = self.bunq_client().await?;
        client.register(std::slice::from_ref(&command.redirect_uri), |_| {}).await?;
        let id = client.kept().oauth_client.as_ref().map(|kept| kept.client_id.clone());
        steps.done("registration", &id.unwrap_or_default());
        let headless = self.customer(&command.headless, BUNQ_TENANT, &command.persona).await?;
        if let Some(iban) = &headless.customer_iban {
            steps.done("customer", iban);
        }
        let pending = client.begin_authorization(Some(&command.redirect_uri))?;
        let location = self.send_browser(&pending.url, &pending.redirect_uri, &headless).await?;
        steps.done("authorisation", "the customer came back");
        let connection = client.finish_authorization(&location).await?;
        let user = client.user_of(connection).await?;
        let customer = client.customer_of(connection).unwrap_or_default();
        steps.done("session", &format!("code exchanged; user {user} {customer}"));
        let accounts = client.accounts(connection).await?;
        steps.done("accounts", &format!("{} connected", accounts.len()));
        let mut read = 0;
        for account in &accounts {
            read += client.payments(connection, account.details.id, &Period::default()).await?.len();
        }
        steps.done("transactions", &format!("{read} read"));
        let payer = payer(&accounts, headless.customer_iban.as_deref())?;
        let order = Order {
            to: PAYEE.0.to_owned(),
            name: PAYEE.1.to_owned(),
            amount: "12.50".to_owned(),
            description: "First payment".to_owned(),
        };
        let draft = client.draft(connection, payer.details.id, &order).await?;
        steps.done("draft payment", &format!("{} is {}", draft.id, draft.status));
        let total = steps.begun.elapsed().as_millis();
        if self.args.json {
            output::json(&serde_json::json!({
                "connection": user, "steps": steps.taken(), "milliseconds": total,
                "accounts": accounts.iter().map(account_json).collect::<Vec<_>>(),
                "transactions": read,
                "draftPayment": {"id": draft.id, "status": draft.status},
            }));
        } else {
            output::line(&format!("{:<16} {total:>6} ms\n", "together"));
            accounts.iter().for_each(|account| output::line(&account_text(account)));
        }
        Ok(())
    }

    /// The customer who decides: the one that is named, or a new one of a sandbox if nobody sits at a browser.
    async fn customer(
        &self,
        headless: &HeadlessArgs,
        tenant: &str,
        persona: &str,
    ) -> Result<HeadlessArgs, Failure> {
        let mut headless = headless.clone();
        if headless.headless.is_some() && headless.customer_iban.is_none() {
            let transport = self.transport(TransportSettings::default())?;
            let management = Management::new(transport, &self.args.management);
            let request = TestAccountRequest {
                tenant: tenant.to_owned(),
                persona: Some(persona.to_owned()),
                ..TestAccountRequest::default()
            };
            let made = management.test_account(&request).await?;
            headless.customer_iban = made["iban"].as_str().map(str::to_owned);
        }
        Ok(headless)
    }
}

/// The account that pays: the customer's that is named, or the first from which one can pay.
fn payer<'a>(accounts: &'a [Account], iban: Option<&str>) -> Result<&'a Account, Failure> {
    let can_pay = |account: &&Account| {
        account.details.status == "ACTIVE"
            && matches!(account.kind.as_str(), "MonetaryAccountBank" | "MonetaryAccountJoint")
            && account.iban().is_some()
    };
    let named = accounts.iter().filter(can_pay).find(|account| account.iban() == iban);
    let payer = named.or_else(|| accounts.iter().find(can_pay));
    payer.ok_or_else(|| Failure::new("the customer connected no account that can pay"))
}
