//! A whole job in one go, each step with its time.

use std::time::Instant;

use tpp::TransportSettings;
use tpp::sandbox::{Management, TestAccountRequest};

use super::Session;
use super::accounts::balance_line;
use crate::cli::{HeadlessArgs, TppConsentArgs, TppFlowAisArgs, TppRegisterArgs};
use crate::commands::Failure;
use crate::output;

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
        let headless = self.customer(command).await?;
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
            let taken: Vec<_> = steps
                .done
                .iter()
                .map(|(step, took)| serde_json::json!({"step": step, "milliseconds": took}))
                .collect();
            let balances: Vec<_> = balances.iter().map(|(_, balance)| balance).collect();
            output::json(&serde_json::json!({
                "consentId": consent.kept().id, "consentStatus": status, "steps": taken,
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

    /// The customer who decides: the one that is named, or a new one of a sandbox if nobody sits at a browser.
    async fn customer(&self, command: &TppFlowAisArgs) -> Result<HeadlessArgs, Failure> {
        let mut headless = command.headless.clone();
        if headless.headless.is_some() && headless.customer_iban.is_none() {
            let transport = self.transport(TransportSettings::default())?;
            let management = Management::new(transport, &self.args.management);
            let request = TestAccountRequest {
                tenant: command.tenant.clone(),
                persona: Some(command.persona.clone()),
                ..TestAccountRequest::default()
            };
            let made = management.test_account(&request).await?;
            headless.customer_iban = made["iban"].as_str().map(str::to_owned);
        }
        Ok(headless)
    }
}
