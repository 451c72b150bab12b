//! Consents and account data.

use berlin_group::wire;
use tpp::berlin_group::Client;
use tpp::consents::{self, ConsentSession, TransactionsWish};
use tpp::kept_consents::{ConsentWish, KeptConsent};
use tpp::loopback::Loopback;
use tpp::state::State;

use super::Session;
use super::browser::{check_headless, pasted_or};
use super::bunq::day;
use crate::cli::{
    HeadlessArgs, TppAuthoriseArgs, TppConsentArgs, TppConsentIdArgs, TppReadArgs, TppRevokeArgs,
    TppTransactionsArgs,
};
use crate::commands::Failure;
use crate::output;

/// Names of the columns of transactions.
pub(super) const CSV_HEADER: &str =
    "account,status,bookingDate,amount,currency,counterparty,counterpartyAccount,remittance";

/// Names of the columns of accounts.
pub(super) const ACCOUNT_HEADINGS: [&str; 5] = ["ACCOUNT", "CUR", "KIND", "STATUS", "NAME"];

/// Names of the columns of balances.
pub(super) const BALANCE_HEADINGS: [&str; 5] = ["ACCOUNT", "KIND", "AMOUNT", "CUR", "DATE"];

impl Session<'_> {
    pub(super) async fn consent(&self, command: &TppConsentArgs) -> Result<(), Failure> {
        let state = self.meet().await?;
        if state.registration.is_none() {
            return Err(not_registered());
        }
        let tenant = self.tenant(command.tenant.as_deref(), &state)?;
        let client = self.client(&state, &tenant).await?;
        let asked = self.request_consent(&client, state, command).await?;
        let kept = asked.kept();
        if self.args.json {
            output::json(&consent_json(kept));
        } else {
            output::line(&format!("Consent {} until {}", kept.id, kept.valid_until));
            self.next(&["vestibule tpp authorise"]);
        }
        Ok(())
    }

    pub(super) async fn request_consent<'c>(
        &'c self,
        client: &'c Client,
        state: State,
        command: &TppConsentArgs,
    ) -> Result<ConsentSession<'c>, Failure> {
        let registration = state.registration.as_ref();
        let registered = registration.ok_or_else(not_registered)?;
        let uris = &registered.redirect_uris;
        let uri = command
            .redirect_uri
            .clone()
            .or_else(|| uris.iter().find(|uri| Loopback::fits(uri)).or(uris.first()).cloned());
        let uri = uri.ok_or_else(|| Failure::new("the registration has no redirect URI"))?;
        let wish = ConsentWish {
            ibans: command.ibans.clone(),
            recurring: !command.one_off,
            valid_until: day(command.valid_until.as_deref())?,
            frequency_per_day: command.frequency_per_day,
            savings: command.savings,
        };
        Ok(ConsentSession::request(client, &self.folder, state, &uri, &wish).await?)
    }

    pub(super) async fn authorise(&self, command: &TppAuthoriseArgs) -> Result<(), Failure> {
        check_headless(&command.headless)?;
        let (client, state, id) = self.client_of(command.id.consent.as_deref()).await?;
        let mut consent = self.open_consent(&client, state, &id).await?;
        let location = match command.location.as_deref() {
            Some("-") => {
                output::error("Paste the whole address that the browser came back to, and press Enter …");
                pasted_or(&finish(&id)).await?
            }
            Some(location) => location.to_owned(),
            None => self.send_customer(&mut consent, &command.headless).await?,
        };
        let status = consent.finish(&location).await?;
        if self.args.json {
            output::json(&serde_json::json!({"consentId": consent.kept().id, "consentStatus": status}));
        } else {
            output::line(&format!("Consent {} is {status}", consent.kept().id));
            self.next(&["vestibule tpp accounts", "vestibule tpp balances", "vestibule tpp transactions"]);
        }
        Ok(())
    }

    /// Sends the customer to the bank, with a browser or without, and returns where they came back to.
    pub(super) async fn send_customer(
        &self,
        consent: &mut ConsentSession<'_>,
        args: &HeadlessArgs,
    ) -> Result<String, Failure> {
        let url = consent.authorization_url().await?;
        let kept = consent.kept();
        self.send_browser((&url, &kept.redirect_uri), args, &finish(&kept.id)).await
    }

    pub(super) async fn consent_status(&self, command: &TppConsentIdArgs) -> Result<(), Failure> {
        let (client, state, id) = self.client_of(command.consent.as_deref()).await?;
        let mut consent = self.open_consent(&client, state, &id).await?;
        let status = consent.status().await?;
        if self.args.json {
            output::json(&serde_json::json!({"consentId": id, "consentStatus": status}));
        } else {
            output::line(&format!("Consent {id} is {status}"));
        }
        Ok(())
    }

    pub(super) async fn accounts(&self, command: &TppReadArgs) -> Result<(), Failure> {
        let (client, state, id) = self.client_of(command.id.consent.as_deref()).await?;
        let mut consent = self.reading(&client, state, &id, command).await?;
        let accounts = chosen(consent.accounts().await?, command.account.as_deref())?;
        if self.args.json {
            output::json(&serde_json::json!({"accounts": accounts}));
            return Ok(());
        }
        output::line(&account_line(ACCOUNT_HEADINGS));
        for account in accounts {
            output::line(&account_line([
                &number(&account),
                account.currency.as_deref().unwrap_or_default(),
                account.cash_account_type.as_deref().unwrap_or_default(),
                account.status.as_deref().unwrap_or_default(),
                account.name.as_deref().unwrap_or_default(),
            ]));
        }
        Ok(())
    }

    pub(super) async fn balances(&self, command: &TppReadArgs) -> Result<(), Failure> {
        let (client, state, id) = self.client_of(command.id.consent.as_deref()).await?;
        let mut consent = self.reading(&client, state, &id, command).await?;
        let accounts = chosen(consent.accounts().await?, command.account.as_deref())?;
        let mut all = Vec::new();
        for account in readable(&accounts, "balances", |links| links.balances.is_some())? {
            all.push((account, consent.balances(account).await?));
        }
        if self.args.json {
            let entries: Vec<_> = all.iter().map(|(_, balances)| balances).collect();
            output::json(&serde_json::json!({"balances": entries}));
            return Ok(());
        }
        output::line(&amount_line(BALANCE_HEADINGS));
        for (account, balances) in &all {
            for balance in &balances.balances {
                output::line(&balance_line(account, balance));
            }
        }
        Ok(())
    }

    pub(super) async fn transactions(&self, command: &TppTransactionsArgs) -> Result<(), Failure> {
        let (client, state, id) = self.client_of(command.read.id.consent.as_deref()).await?;
        let mut consent = self.reading(&client, state, &id, &command.read).await?;
        let accounts = chosen(consent.accounts().await?, command.read.account.as_deref())?;
        let wish = TransactionsWish {
            booking_status: Some(command.booking_status.name().to_owned()),
            from: day(command.from.as_deref())?,
            to: day(command.to.as_deref())?,
        };
        let mut all = Vec::new();
        for account in readable(&accounts, "transactions", |links| links.transactions.is_some())? {
            all.push((account, consent.transactions(account, &wish).await?));
        }
        if self.args.json {
            let entry = |(account, list): &(&wire::Account, wire::TransactionList)| serde_json::json!({"account": number(account), "booked": list.booked, "pending": list.pending});
            output::json(&serde_json::json!({"transactions": all.iter().map(entry).collect::<Vec<_>>()}));
            return Ok(());
        }
        output::line(&if command.csv { CSV_HEADER.to_owned() } else { Row::headings() });
        for (account, list) in &all {
            for (status, transactions) in [("pending", &list.pending), ("booked", &list.booked)] {
                for transaction in transactions {
                    let row = Row::new(account, status, transaction);
                    output::line(&if command.csv { row.as_csv() } else { row.as_text() });
                }
            }
        }
        Ok(())
    }

    pub(super) async fn refresh(&self, command: &TppConsentIdArgs) -> Result<(), Failure> {
        let (client, state, id) = self.client_of(command.consent.as_deref()).await?;
        let mut consent = self.open_consent(&client, state, &id).await?;
        consent.refresh().await?;
        self.done(&consent, "has new tokens");
        Ok(())
    }

    pub(super) async fn revoke(&self, command: &TppRevokeArgs) -> Result<(), Failure> {
        let (client, state, id) = self.client_of(command.id.consent.as_deref()).await?;
        let mut consent = self.open_consent(&client, state, &id).await?;
        consent.revoke(command.delete_consent).await?;
        self.done(&consent, if command.delete_consent { "was ended" } else { "has no tokens any more" });
        Ok(())
    }

    fn done(&self, consent: &ConsentSession<'_>, what: &str) {
        if self.args.json {
            output::json(&consent_json(consent.kept()));
        } else {
            output::line(&format!("Consent {} {what}", consent.kept().id));
        }
    }

    async fn reading<'c>(
        &'c self,
        client: &'c Client,
        state: State,
        id: &str,
        command: &TppReadArgs,
    ) -> Result<ConsentSession<'c>, Failure> {
        let mut consent = self.open_consent(client, state, id).await?;
        consent.psu_ip_address.clone_from(&command.psu_ip_address);
        consent.beyond_budget = command.beyond_budget;
        Ok(consent)
    }

    async fn open_consent<'c>(
        &'c self,
        client: &'c Client,
        state: State,
        id: &str,
    ) -> Result<ConsentSession<'c>, Failure> {
        let mut consent = ConsentSession::open(client, &self.folder, state, Some(id)).await?;
        consent.today = Some(self.today(consent.kept()));
        Ok(consent)
    }

    /// A client for the tenant of a consent that is kept, and the id of that consent: the one that is named, or the
    /// newest that can still be used.
    async fn client_of(&self, consent: Option<&str>) -> Result<(Client, State, String), Failure> {
        let state = self.meet().await?;
        let kept = consents::choose(&state, consent, |kept| self.today(kept))?;
        let (tenant, id) = (kept.tenant.clone(), kept.id.clone());
        let client = self.client(&state, &tenant).await?;
        Ok((client, state, id))
    }
}

/// The command that finishes the authorisation of a consent.
fn finish(id: &str) -> String {
    format!("vestibule tpp authorise --consent {id} --location -")
}

fn not_registered() -> Failure {
    Failure::new(
        "not registered yet; register with: vestibule tpp register --redirect-uri https://tpp.example/callback",
    )
}

/// What is kept of a consent, without its secrets.
pub(super) fn consent_json(kept: &KeptConsent) -> serde_json::Value {
    serde_json::json!({
        "consentId": kept.id,
        "authorisationId": kept.authorisation,
        "tenant": kept.tenant,
        "validUntil": kept.valid_until,
        "frequencyPerDay": kept.frequency_per_day,
        "redirectUri": kept.redirect_uri,
        "scaRedirect": kept.sca_redirect,
        "hasTokens": kept.tokens.is_some(),
    })
}

/// A balance on one line.
pub(super) fn balance_line(account: &wire::Account, balance: &wire::Balance) -> String {
    let amount = balance.balance_amount.as_ref();
    amount_line([
        &number(account),
        &balance.balance_type,
        amount.map_or("", |amount| &amount.amount),
        amount.map_or("", |amount| &amount.currency),
        balance.reference_date.as_deref().unwrap_or_default(),
    ])
}

/// An account on one line: number, currency, kind, status, name.
pub(super) fn account_line([number, currency, kind, status, name]: [&str; 5]) -> String {
    format!("{number:<24} {currency:<4} {kind:<5} {status:<8} {name}")
}

/// A balance on one line: number, kind, amount, currency, day.
pub(super) fn amount_line([number, kind, amount, currency, day]: [&str; 5]) -> String {
    format!("{number:<24} {kind:<14} {amount:>14} {currency:<4} {day}")
}

/// The accounts that have a link to what is to be read. What the others lack is said, and is an error if there are no
/// others.
fn readable<'a>(
    accounts: &'a [wire::Account],
    what: &str,
    is_linked: impl Fn(&wire::AccountLinks) -> bool,
) -> Result<Vec<&'a wire::Account>, Failure> {
    let (readable, others): (Vec<_>, Vec<_>) = accounts.iter().partition(|account| is_linked(&account.links));
    let why = |account: &&wire::Account| match account.status.as_deref() {
        Some(status @ ("blocked" | "deleted")) => {
            format!("account {} is {status} at the bank, so its {what} cannot be read", number(account))
        }
        _ => format!("the consent does not cover {what} of account {}", number(account)),
    };
    match (readable.is_empty(), others.iter().map(why).collect::<Vec<_>>()) {
        (true, others) if !others.is_empty() => Err(Failure::new(others.join("; "))),
        (_, others) => {
            others.iter().for_each(|text| output::error(text));
            Ok(readable)
        }
    }
}

fn chosen(accounts: Vec<wire::Account>, iban: Option<&str>) -> Result<Vec<wire::Account>, Failure> {
    let Some(iban) = iban else { return Ok(accounts) };
    let wanted: String = iban.chars().filter(|c| !c.is_whitespace()).collect();
    let chosen: Vec<_> =
        accounts.into_iter().filter(|account| number(account).eq_ignore_ascii_case(&wanted)).collect();
    if chosen.is_empty() {
        return Err(Failure::new(format!("the consent does not cover account {wanted}")));
    }
    Ok(chosen)
}

fn number(account: &wire::Account) -> String {
    account.iban.clone().unwrap_or_else(|| account.resource_id.clone())
}

/// A transaction on one line.
pub(super) struct Row {
    pub(super) account: String,
    pub(super) status: &'static str,
    pub(super) date: String,
    /// With a minus for money that went out.
    pub(super) amount: String,
    pub(super) currency: String,
    pub(super) counterparty: String,
    pub(super) counterparty_account: String,
    pub(super) remittance: String,
}

impl Row {
    fn new(account: &wire::Account, status: &'static str, transaction: &wire::Transaction) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let amount = &transaction.transaction_amount;
        let came_in = transaction.debtor_account.is_some() || transaction.debtor_name.is_some();
        let (name, other) = if came_in {
            (&transaction.debtor_name, &transaction.debtor_account)
        } else {
            (&transaction.creditor_name, &transaction.creditor_account)
        };
        // A bank that writes a sign itself is believed.
        let sign = if came_in || amount.amount.starts_with('-') { "" } else { "-" };
        Self {
            account: number(account),
            status,
            date: text(&transaction.booking_date),
            amount: format!("{sign}{}", amount.amount),
            currency: amount.currency.clone(),
            counterparty: text(name),
            counterparty_account: other.as_ref().and_then(|other| other.iban.clone()).unwrap_or_default(),
            remittance: text(&transaction.remittance_information_unstructured),
        }
    }

    pub(super) fn as_text(&self) -> String {
        let Self { status, date, amount, currency, counterparty, remittance, .. } = self;
        row_line([date, status, amount, currency, counterparty, remittance])
    }

    pub(super) fn headings() -> String {
        row_line(["DATE", "STATUS", "AMOUNT", "CUR", "COUNTERPARTY", "REMITTANCE"])
    }

    pub(super) fn as_csv(&self) -> String {
        let fields = [
            &self.account,
            self.status,
            &self.date,
            &self.amount,
            &self.currency,
            &self.counterparty,
            &self.counterparty_account,
            &self.remittance,
        ];
        fields.map(csv_field).join(",")
    }
}

/// A transaction on one line.
fn row_line([date, status, amount, currency, counterparty, remittance]: [&str; 6]) -> String {
    format!("{date:<10} {status:<7} {amount:>14} {currency:<4} {counterparty:<28} {remittance}")
}

/// A field of comma-separated values (RFC 4180, 2). A text that a spreadsheet would take for a formula gets a
/// quote in front.
fn csv_field(text: &str) -> String {
    let is_number = text.parse::<f64>().is_ok();
    let guarded = if text.starts_with(['=', '+', '-', '@']) && !is_number {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if guarded.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", guarded.replace('"', "\"\""));
    }
    guarded
}

#[cfg(test)]
mod tests {
    use super::csv_field;

    #[test]
    fn fields_survive_commas_quotes_and_formulas() {
        for (text, field) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=1+1", "'=1+1"),
            ("-12.50", "-12.50"),
        ] {
            assert_eq!(csv_field(text), field);
        }
    }
}
