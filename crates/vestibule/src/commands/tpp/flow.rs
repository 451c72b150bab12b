//! A whole job in one go, each step with its time.

use std::time::Instant;

use serde_json::{Value, json};
use tpp::kept_approvals::Matter;
use tpp::payments::Order;
use tpp::sandbox::TestAccountRequest;
use tpp::{Account, Approved, Departure, Reading, ThirdParty, TransactionsWish};

use super::Session;
use super::approvals::approved_json;
use super::payments::number;
use super::reading::{accounts_json, of_each, print_accounts, print_balances};
use crate::cli::{HeadlessArgs, TppConsentArgs, TppFlowArgs, TppFlowBunqArgs, TppRegisterArgs};
use crate::commands::{EXAMPLE_PAYEE, Failure, Next};
use crate::output;

/// Steps that were taken, shown as they end.
pub(super) struct Steps {
    json: bool,
    begun: Instant,
    last: Instant,
    done: Vec<(&'static str, u128)>,
}

impl Steps {
    pub(super) fn begin(json: bool) -> Self {
        let now = Instant::now();
        Self { json, begun: now, last: now, done: Vec::new() }
    }

    pub(super) fn done(&mut self, step: &'static str, what: &str) {
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

    /// Shows what came of them.
    pub(super) fn end(&self, mut json: Value, customer: &Customer, text: impl FnOnce()) {
        let total = self.begun.elapsed().as_millis();
        if !self.json {
            output::line(&format!("{:<16} {total:>6} ms\n", "together"));
            return text();
        }
        let step = |(step, took): &(&str, u128)| json!({"step": step, "milliseconds": took});
        json["steps"] = self.done.iter().map(step).collect();
        json["milliseconds"] = json!(total);
        let HeadlessArgs { customer_iban, .. } = &customer.headless;
        json["customer"] = json!({"iban": customer_iban, "digipassNumber": customer.digipass});
        output::json(&json);
    }
}

/// Who decides, and how.
pub(super) struct Customer {
    pub(super) headless: HeadlessArgs,
    /// Number of the device to log in with, if a sandbox told it.
    digipass: Option<String>,
}

impl Session<'_> {
    /// From nothing, or from what there is, to the first balance.
    pub(super) async fn flow_ais<C: ThirdParty>(&self, command: &TppFlowArgs) -> Result<(), Failure> {
        let mut steps = Steps::begin(self.args.json);
        let beginning = (&command.headless, command.persona.as_str(), command.tenant.as_deref());
        let named = command.redirect_uri.as_ref();
        let (mut client, tenant, customer) = self.begin::<C>(&mut steps, beginning, named).await?;
        let wish = TppConsentArgs {
            ibans: customer.headless.customer_iban.iter().cloned().collect(),
            valid_until: None,
            one_off: false,
            frequency_per_day: 4,
            savings: false,
            redirect_uri: command.redirect_uri.clone(),
            tenant: Some(tenant),
        };
        let consent = self.request_consent(&mut client, &wish).await?;
        let id = consent.approval.id;
        steps.done("consent", &id);
        let departure = client.depart(&Matter::Consent(id.clone()), None).await?;
        let approved = self.approve(&mut client, &mut steps, &departure, &customer).await?;
        let reading = Reading { by: Some(id), ..Reading::default() };
        let accounts = client.accounts(&reading).await?;
        steps.done("accounts", &format!("{} in the consent", accounts.len()));
        let read = async |client: &mut C, account: &Account| client.balances(&reading, account).await;
        let (all, _) = of_each(&mut client, &accounts, read).await?;
        let balances: Vec<_> = all
            .iter()
            .flat_map(|(account, all)| {
                all.iter().flat_map(|all| &all.balances).map(move |one| (*account, one))
            })
            .collect();
        steps.done("balances", &format!("{} read", balances.len()));
        let mut json = approved_json(&approved);
        json["balances"] = balances.iter().map(|(_, balance)| json!(balance)).collect();
        steps.end(json, &customer, || print_balances(balances.iter().copied()));
        Ok(())
    }

    /// From nothing, or from what there is, to the first accounts and a payment that waits for the customer.
    pub(super) async fn flow_bunq<C: ThirdParty>(&self, command: &TppFlowBunqArgs) -> Result<(), Failure> {
        let mut steps = Steps::begin(self.args.json);
        let redirect_uri = self.redirect_uri(command.redirect_uri.as_ref());
        let beginning = (&command.headless, command.persona.as_str(), None);
        let (mut client, _, customer) = self.begin::<C>(&mut steps, beginning, Some(&redirect_uri)).await?;
        let departure = client.depart(&Matter::Connection, Some(&redirect_uri)).await?;
        let approved = self.approve(&mut client, &mut steps, &departure, &customer).await?;
        let reading = Reading::default();
        let accounts = client.accounts(&reading).await?;
        steps.done("accounts", &format!("{} connected", accounts.len()));
        let wish = TransactionsWish { booking_status: "booked".to_owned(), ..TransactionsWish::default() };
        let read =
            async |client: &mut C, account: &Account| client.transactions(&reading, account, &wish).await;
        let (all, _) = of_each(&mut client, &accounts, read).await?;
        let read: usize = all.iter().map(|(_, list)| list.booked.len()).sum();
        steps.done("transactions", &format!("{read} read"));
        let payer = payer(&accounts, customer.headless.customer_iban.as_deref())?;
        let order = Order {
            to: EXAMPLE_PAYEE.0.to_owned(),
            name: EXAMPLE_PAYEE.1.to_owned(),
            amount: "12.50".to_owned(),
            description: "First payment".to_owned(),
        };
        let draft = client.draft(None, payer.number(), (&order, false)).await?;
        steps.done("draft payment", &format!("{} is {}", draft.id, draft.status));
        let mut json = approved_json(&approved);
        json["accounts"] = accounts_json(&accounts).into();
        json["transactions"] = read.into();
        json["draftPayment"] = json!({"id": number(&draft.id), "status": draft.status});
        steps.end(json, &customer, || {
            print_accounts(&accounts);
            self.next(&[Next::new("tpp authorise"), Next::new("tpp status draft").and(&draft.id)]);
        });
        Ok(())
    }

    /// How each flow begins: a client that is registered, its tenant, and a customer.
    pub(super) async fn begin<C: ThirdParty>(
        &self,
        steps: &mut Steps,
        (headless, persona, tenant): (&HeadlessArgs, &str, Option<&str>),
        redirect_uri: Option<&String>,
    ) -> Result<(C, String, Customer), Failure> {
        self.check_persona(headless, persona).await?;
        let mut client: C = self.client().await?;
        let state = client.state();
        let tenant = self.tenant(tenant, &state)?;
        let is_registered = |client: &C| client.is_registered(redirect_uri.map(String::as_str));
        if !is_registered(&client) {
            let _turn = self.enrolling().await?;
            // Another command may have registered while this one waited.
            let state = self.folder.reload(&state)?;
            client = self.client_with(state.clone())?;
            if !is_registered(&client) {
                let mut redirect_uris = state.redirect_uris().map(<[String]>::to_vec).unwrap_or_default();
                redirect_uris.push(self.redirect_uri(redirect_uri));
                let registration = TppRegisterArgs {
                    tenant: Some(tenant.clone()),
                    redirect_uris,
                    sector_identifier_uri: String::new(),
                };
                client = self.register_with(state, registration, |_| {}).await?;
                steps.done("registration", client.state().client_id().unwrap_or_default());
            }
        }
        let customer = self.customer(headless, &tenant, persona).await?;
        steps.customer(&customer);
        Ok((client, tenant, customer))
    }

    /// Sends the customer to the bank, and takes up what they approved.
    pub(super) async fn approve<C: ThirdParty>(
        &self,
        client: &mut C,
        steps: &mut Steps,
        departure: &Departure,
        customer: &Customer,
    ) -> Result<Approved, Failure> {
        let location = self.send_browser(departure, &customer.headless).await?;
        steps.done("authorisation", "the customer came back");
        Ok(client.arrive(&departure.matter, &location, |step, what| steps.done(step, what)).await?)
    }

    /// Checks that a customer of this kind can go through a flow, before anything is made.
    async fn check_persona(&self, headless: &HeadlessArgs, persona: &str) -> Result<(), Failure> {
        if !self.makes_customers(headless) {
            return Ok(());
        }
        let all = self.management().await?.personas().await?;
        let personas: Vec<&Value> = all["personas"].as_array().into_iter().flatten().collect();
        let others = || Next::new("account list").and("--personas").after("; the others are listed by: ");
        let Some(found) = personas.iter().find(|known| known["name"] == persona) else {
            let names: Vec<_> = personas.iter().filter_map(|known| known["name"].as_str()).collect();
            let text = format!("persona {persona} is not one of {}", names.join(", "));
            return Err(Failure::new(text).next(others()));
        };
        if found["usableAccounts"] == 0 {
            let description = found["description"].as_str().unwrap_or_default();
            let text =
                format!("persona {persona} has no account that a flow can read or pay from ({description})");
            return Err(Failure::new(text).next(others()));
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
    let mut payers = accounts.iter().filter(|account| account.can_pay);
    let named = payers.clone().find(|account| account.details.iban.as_deref() == iban);
    let none = || Failure::new("the customer connected no account that can pay");
    named.or_else(|| payers.next()).ok_or_else(none)
}
