//! Account data.

use berlin_group::wire;
use serde_json::{Value, json};
use tpp::{Account, Error, Reading, ThirdParty, TransactionsWish};

use super::Session;
use super::table::{ACCOUNT_HEADINGS, BALANCE_HEADINGS, CSV_HEADER, Row, account_line, amount_line};
use crate::cli::{TppReadArgs, TppTransactionsArgs};
use crate::commands::Failure;
use crate::output;

impl From<TppReadArgs> for Reading {
    fn from(args: TppReadArgs) -> Self {
        let TppReadArgs { id, account, psu_ip_address, beyond_budget } = args;
        Self { by: id.consent, account, psu_ip_address, beyond_budget }
    }
}

impl Session<'_> {
    pub(super) async fn accounts<C: ThirdParty>(&self, command: TppReadArgs) -> Result<(), Failure> {
        let accounts = self.client::<C>().await?.accounts(&command.into()).await?;
        self.say(|| json!({"accounts": accounts_json(&accounts)}), || print_accounts(&accounts));
        Ok(())
    }

    pub(super) async fn balances<C: ThirdParty>(&self, command: TppReadArgs) -> Result<(), Failure> {
        let mut client = self.client::<C>().await?;
        let reading = command.into();
        let accounts = client.accounts(&reading).await?;
        let read = async |client: &mut C, account: &Account| client.balances(&reading, account).await;
        let all = told(of_each(&mut client, &accounts, read).await?)?;
        let seen = all.iter().filter_map(|(account, balances)| Some((*account, balances.as_ref()?)));
        self.say(
            || json!({"balances": seen.clone().map(|(_, balances)| balances).collect::<Vec<_>>()}),
            || {
                let seen = seen.clone();
                print_balances(
                    seen.flat_map(|(account, it)| it.balances.iter().map(move |one| (account, one))),
                );
            },
        );
        Ok(())
    }

    pub(super) async fn transactions<C: ThirdParty>(
        &self,
        command: TppTransactionsArgs,
    ) -> Result<(), Failure> {
        let mut client = self.client::<C>().await?;
        let reading = command.read.into();
        let accounts = client.accounts(&reading).await?;
        let wish = TransactionsWish {
            booking_status: command.booking_status.name().to_owned(),
            from: day(command.from.as_deref())?,
            to: day(command.to.as_deref())?,
        };
        let read =
            async |client: &mut C, account: &Account| client.transactions(&reading, account, &wish).await;
        let all = told(of_each(&mut client, &accounts, read).await?)?;
        if self.args.json {
            let entry = |(account, list): &(&Account, wire::TransactionList)| json!({"account": account.number(), "booked": list.booked, "pending": list.pending});
            output::json(&json!({"transactions": all.iter().map(entry).collect::<Vec<_>>()}));
            return Ok(());
        }
        output::line(&if command.csv { CSV_HEADER.to_owned() } else { Row::headings() });
        for (account, list) in &all {
            for (status, transactions) in [("pending", &list.pending), ("booked", &list.booked)] {
                for transaction in transactions {
                    let row = Row::new(account.number(), status, transaction);
                    output::line(&if command.csv { row.as_csv() } else { row.as_text() });
                }
            }
        }
        Ok(())
    }
}

/// What was read of each account, and what could not be read of others.
type Readings<'a, T> = (Vec<(&'a Account, T)>, Vec<Error>);

/// Reads something of each account.
pub(super) async fn of_each<'a, C: ThirdParty, T>(
    client: &mut C,
    accounts: &'a [Account],
    read: impl AsyncFn(&mut C, &Account) -> Result<T, Error>,
) -> Result<Readings<'a, T>, Failure> {
    let (mut all, mut others) = (Vec::new(), Vec::new());
    for account in accounts {
        match read(client, account).await {
            Ok(it) => all.push((account, it)),
            Err(error @ Error::Unreadable { .. }) => others.push(error),
            Err(error) => return Err(error.into()),
        }
    }
    Ok((all, others))
}

/// What was read. What could not be is said, and is an error if there is nothing else.
fn told<T>((all, others): Readings<'_, T>) -> Result<Vec<(&Account, T)>, Failure> {
    let others: Vec<String> = others.iter().map(ToString::to_string).collect();
    if all.is_empty() && !others.is_empty() {
        return Err(Failure::new(others.join("; ")));
    }
    others.iter().for_each(|text| output::error(text));
    Ok(all)
}

/// Accounts as programs are told. Links are an account's only where there are some.
pub(super) fn accounts_json(accounts: &[Account]) -> Vec<Value> {
    let of_one = |account: &Account| {
        let mut json = json!(account.details);
        if account.details.links == wire::AccountLinks::default()
            && let Some(members) = json.as_object_mut()
        {
            members.remove("_links");
        }
        json
    };
    accounts.iter().map(of_one).collect()
}

pub(super) fn print_accounts(accounts: &[Account]) {
    output::line(&account_line(ACCOUNT_HEADINGS));
    for account in accounts {
        let wire::Account { currency, cash_account_type, status, name, .. } = &account.details;
        let [currency, kind, status, name] =
            [currency, cash_account_type, status, name].map(|text| text.as_deref().unwrap_or_default());
        output::line(&account_line([account.number(), currency, kind, status, name]));
    }
}

pub(super) fn print_balances<'b>(balances: impl Iterator<Item = (&'b Account, &'b wire::Balance)>) {
    output::line(&amount_line(BALANCE_HEADINGS));
    for (account, balance) in balances {
        let amount = balance.balance_amount.as_ref();
        let value = amount.map_or("", |amount| &amount.amount);
        let currency = amount.map_or("", |amount| &amount.currency);
        let day = balance.reference_date.as_deref().unwrap_or_default();
        output::line(&amount_line([account.number(), &balance.balance_type, value, currency, day]));
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
