//! A whole job in one go, each step with its time.

use std::time::Instant;

use serde_json::Value;
use tpp::bunq::{Account, Order, Period};
use tpp::sandbox::TestAccountRequest;

use super::Session;
use super::accounts::{ACCOUNT_HEADINGS, BALANCE_HEADINGS, account_line, amount_line, balance_line};
use super::bunq::FINISH;
use super::bunq_output::{account_json, account_text};
use crate::cli::{HeadlessArgs, TppConsentArgs, TppFlowAisArgs, TppFlowBunqArgs, TppRegisterArgs};
use crate::commands::Failure;
use crate::output;

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

    /// The customer, and what they need to log in if somebody is to do that in their place.
    fn customer(&mut self, customer: &Customer) {
        if let Some(iban) = &customer.headless.customer_iban {
            let device = customer.digipass.as_ref().map(|number| format!(", digipass {number}"));
            let what = format!("{iban}{}", device.unwrap_or_default());
            self.done("customer", &what);
            if self.json && customer.headless.headless.is_none() {
                output::error(&format!("The customer: {what}"));
            }
        }
    }

    fn taken(&self) -> Vec<Value> {
        let steps = self.done.iter();
        steps.map(|(step, took)| serde_json::json!({"step": step, "milliseconds": took})).collect()
    }
}

/// Who decides, and how.
struct Customer {
    headless: HeadlessArgs,
    /// Number of the device to log in with, if a sandbox told it.
    digipass: Option<String>,
}

impl Customer {
    fn json(&self) -> Value {
        serde_json::json!({"iban": self.headless.customer_iban, "digipassNumber": self.digipass})
    }
}

impl Session<'_> {
    /// From nothing, or from what there is, to the first balance.
    pub(super) async fn flow_ais(&self, command: &TppFlowAisArgs) -> Result<(), Failure> {
        let mut steps = Steps::begin(self.args.json);
        self.check_persona(&command.headless, &command.persona).await?;
        let mut state = self.meet().await?;
        let tenant = self.tenant(command.tenant.as_deref(), &state)?;
        let mut redirect_uris = state.registration.as_ref().map(|kept| kept.redirect_uris.clone());
        let is_new = |uri: &String| redirect_uris.as_ref().is_none_or(|known| !known.contains(uri));
        if redirect_uris.is_none() || command.redirect_uri.as_ref().is_some_and(is_new) {
            let mut redirect_uris = redirect_uris.take().unwrap_or_default();
            redirect_uris.push(self.redirect_uri(command.redirect_uri.as_ref()));
            let tenant = Some(tenant.clone());
            let registration =
                TppRegisterArgs { tenant, redirect_uris, sector_identifier_uri: String::new() };
            state = self.register_with(state, registration, |_| {}).await?;
            let id = state.registration.as_ref().map(|kept| kept.client_id.clone()).unwrap_or_default();
            steps.done("registration", &id);
        }
        let customer = self.customer(&command.headless, &tenant, &command.persona).await?;
        steps.customer(&customer);
        let client = self.client(&state, &tenant).await?;
        let wish = TppConsentArgs {
            ibans: customer.headless.customer_iban.iter().cloned().collect(),
            valid_until: None,
            one_off: false,
            frequency_per_day: 4,
            savings: false,
            redirect_uri: command.redirect_uri.clone(),
            tenant: Some(tenant),
        };
        let mut consent = self.request_consent(&client, state, &wish).await?;
        steps.done("consent", &consent.kept().id.clone());
        let location = self.send_customer(&mut consent, &customer.headless).await?;
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
                "milliseconds": total, "balances": balances, "customer": customer.json(),
            }));
        } else {
            output::line(&format!("{:<16} {total:>6} ms\n", "together"));
            output::line(&amount_line(BALANCE_HEADINGS));
            for (account, balance) in &balances {
                output::line(&balance_line(account, balance));
            }
        }
        Ok(())
    }

    /// From nothing, or from what there is, to the first accounts and a payment that waits for the customer.
    pub(super) async fn flow_bunq(&self, command: &TppFlowBunqArgs) -> Result<(), Failure> {
        let mut steps = Steps::begin(self.args.json);
        self.check_persona(&command.headless, &command.persona).await?;
        let redirect_uri = self.redirect_uri(command.redirect_uri.as_ref());
        let mut client = self.bunq_client().await?;
        let tenant = self.tenant(None, &client.state())?;
        client.register(std::slice::from_ref(&redirect_uri), |_| {}).await?;
        let id = client.kept().oauth_client.as_ref().map(|kept| kept.client_id.clone());
        steps.done("registration", &id.unwrap_or_default());
        let decider = self.customer(&command.headless, &tenant, &command.persona).await?;
        steps.customer(&decider);
        let pending = client.begin_authorization(Some(&redirect_uri))?;
        let way = (pending.url.as_str(), pending.redirect_uri.as_str());
        let location = self.send_browser(way, &decider.headless, FINISH).await?;
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
        let payer = payer(&accounts, decider.headless.customer_iban.as_deref())?;
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
                "connection": user, "steps": steps.taken(), "milliseconds": total, "customer": decider.json(),
                "accounts": accounts.iter().map(account_json).collect::<Vec<_>>(),
                "transactions": read,
                "draftPayment": {"id": draft.id, "status": draft.status},
            }));
        } else {
            output::line(&format!("{:<16} {total:>6} ms\n", "together"));
            output::line(&account_line(ACCOUNT_HEADINGS));
            accounts.iter().for_each(|account| output::line(&account_text(account)));
            self.next(&["vestibule tpp authorise", &format!("vestibule tpp status draft {}", draft.id)]);
        }
        Ok(())
    }

    /// Checks that a customer of this kind can go through a flow, before anything is made.
    async fn check_persona(&self, headless: &HeadlessArgs, persona: &str) -> Result<(), Failure> {
        if !self.makes_customers(headless) {
            return Ok(());
        }
        let all = self.management().await?.personas().await?;
        let personas: Vec<&Value> = all["personas"].as_array().into_iter().flatten().collect();
        let list = "the others are listed by: vestibule account list --personas";
        let Some(found) = personas.iter().find(|known| known["name"] == persona) else {
            let names: Vec<_> = personas.iter().filter_map(|known| known["name"].as_str()).collect();
            return Err(Failure::new(format!(
                "persona {persona} is not one of {}; {list}",
                names.join(", ")
            )));
        };
        if found["usableAccounts"] == 0 {
            let description = found["description"].as_str().unwrap_or_default();
            return Err(Failure::new(format!(
                "persona {persona} has no account that a flow can read or pay from ({description}); {list}"
            )));
        }
        Ok(())
    }

    /// Whether the customer is a new one: nobody is named, and there is a sandbox to make one.
    fn makes_customers(&self, headless: &HeadlessArgs) -> bool {
        let is_sandbox =
            headless.headless.is_some() || self.announced.is_some() || self.args.management.is_some();
        headless.customer_iban.is_none() && is_sandbox
    }

    /// The customer who decides: the one that is named, or at a sandbox a new one.
    async fn customer(
        &self,
        headless: &HeadlessArgs,
        tenant: &str,
        persona: &str,
    ) -> Result<Customer, Failure> {
        let mut customer = Customer { headless: headless.clone(), digipass: None };
        if self.makes_customers(headless) {
            let request = TestAccountRequest {
                tenant: tenant.to_owned(),
                persona: Some(persona.to_owned()),
                ..TestAccountRequest::default()
            };
            let made = self.management().await?.test_account(&request).await?;
            let text = |value: &Value| value.as_str().map(str::to_owned);
            // The main account may be closed, where that is what the persona is for.
            let mut accounts = made["accounts"].as_array().into_iter().flatten();
            let usable = accounts.find(|account| account["status"] == "enabled");
            customer.headless.customer_iban = usable.and_then(|account| text(&account["iban"]));
            customer.digipass = text(&made["digipassNumber"]);
        }
        Ok(customer)
    }
}

/// The account that pays: the customer's that is named, or the first from which one can pay.
fn payer<'a>(accounts: &'a [Account], iban: Option<&str>) -> Result<&'a Account, Failure> {
    let can_pay = |account: &&Account| {
        account.details.status == "ACTIVE"
            && matches!(account.kind.as_str(), "MonetaryAccountBank" | "MonetaryAccountJoint")
            && account.iban().is_some()
            && account.details.currency.as_deref() == Some("EUR")
    };
    let named = accounts.iter().filter(can_pay).find(|account| account.iban() == iban);
    let payer = named.or_else(|| accounts.iter().find(can_pay));
    payer.ok_or_else(|| Failure::new("the customer connected no account that can pay"))
}
