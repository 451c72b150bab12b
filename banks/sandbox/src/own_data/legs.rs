//! The legs of movements: each has its place in the history of its account, and whatever lies behind it is carried on.

use gateway::Error;
use gateway::domain::{Account, AccountId, Counterparty, Date, Money, Timestamp};
use store::Changes;

use super::Refused;
use crate::books::TRANSFER_CODE;
use crate::ledger::{BookedAccount, HistoryChanges, Ledger, Posting};

/// One leg, before its place in the history of its account is known.
pub(super) struct Leg {
    /// The line of the file that moves it.
    pub(super) line: u64,
    pub(super) entry: String,
    pub(super) entered_on: Date,
    pub(super) date: Date,
    pub(super) amount: i64,
    pub(super) counterparty: Counterparty,
    pub(super) remittance: Option<String>,
    pub(super) end_to_end_id: Option<String>,
    pub(super) entered_at: Option<Timestamp>,
}

/// The balance of an account after something moved it: as much as an amount can say, or it is refused.
fn held(booked: &BookedAccount, line: u64, balance: i64, moved: i64) -> Result<i64, Refused> {
    let Account { iban, currency, .. } = &booked.account;
    let after = balance.checked_add(moved).map(|minor| Money { minor, currency: *currency });
    let after = after.filter(|after| Money::parse(&after.to_decimal(), *currency).is_ok());
    after.map(|after| after.minor).ok_or_else(|| {
        let text = format!(
            "this is more than an account can hold: a balance of {} has up to 14 digits before the dot",
            iban.as_str()
        );
        Refused::at(line, text)
    })
}

/// Carries legs into the balances and places of all that is booked behind them.
pub(super) async fn carry_on(
    store: &Ledger,
    booked: &BookedAccount,
    legs: &[Leg],
) -> Result<Result<Changes, Refused>, Error> {
    let id = &booked.account.id;
    let days: Vec<_> = legs.chunk_by(|one, other| one.date == other.date).collect();
    let (mut changes, mut moved) = (Changes::new(), 0);
    for (at, day) in days.iter().enumerate() {
        let (line, date) = (day[0].line, day[0].date);
        let sum: i64 = day.iter().map(|leg| leg.amount).sum();
        moved += sum;
        let until = days.get(at + 1).map_or(Date::MAX, |next| next[0].date);
        for balance in store.balances_between(id, date, until).await? {
            if let Err(refused) = held(booked, line, balance, moved) {
                return Ok(Err(refused));
            }
        }
        let count = i64::try_from(day.len()).unwrap_or(i64::MAX);
        changes = changes.shift_history(id, date, (sum, count));
    }
    Ok(Ok(changes))
}

/// Legs at their places: behind what is booked on their day, and each behind those before it.
pub(super) async fn place(
    store: &Ledger,
    booked: &BookedAccount,
    legs: &[Leg],
) -> Result<Result<Vec<Posting>, Refused>, Error> {
    let id = &booked.account.id;
    let mut postings = Vec::new();
    let (mut sum, mut count) = (0, 0);
    for day in legs.chunk_by(|one, other| one.date == other.date) {
        let date = day[0].date;
        let before = store.booked_balance(id, date).await?;
        let places = store.count_booked(id, date).await?;
        let last = store.last_sequence(id, date).await?;
        for (sequence, leg) in (last + 1..).zip(day) {
            // Both the balance before and the one after are checked, so their difference stays small.
            sum += leg.amount;
            count += 1;
            let balance = match held(booked, leg.line, before, sum) {
                Ok(balance) => balance,
                Err(refused) => return Ok(Err(refused)),
            };
            postings.push(posting(id, leg, sequence, Some((balance, places + count))));
        }
    }
    Ok(Ok(postings))
}

pub(super) fn posting(account: &AccountId, leg: &Leg, sequence: i64, place: Option<(i64, i64)>) -> Posting {
    Posting {
        entry: leg.entry.clone(),
        account: account.clone(),
        entered_on: leg.entered_on,
        booking_date: leg.date,
        sequence,
        value_date: leg.date,
        amount: leg.amount,
        balance_after: place.map(|(balance, _)| balance),
        place: place.map(|(_, place)| place),
        counterparty: leg.counterparty.clone(),
        remittance: leg.remittance.clone(),
        code: Some(TRANSFER_CODE.to_owned()),
        end_to_end_id: leg.end_to_end_id.clone(),
        entered_at: leg.entered_at,
    }
}
