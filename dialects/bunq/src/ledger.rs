//! The history of an account: its transactions by number. Numbers follow from places in the history, so nothing is
//! copied, and whatever is looked up costs the same however long the history is.

use gateway::access::{AccountAccess, Transactions};
use gateway::domain::{Date, PaymentId, Transaction};
use gateway::{Error as GatewayError, entry_of};

use crate::accounts::Seen;
use crate::call::Call;
use crate::error::Error;
use crate::records::{Range, look_up, parse, write};
use crate::state::Bunq;

/// Numbers that are given to an account's transactions at once.
const EXTENT: i64 = 1024;

/// How many extents are added to an account at once.
const ADDED_AT_ONCE: usize = 64;

/// From the number of an account to the first numbers of its extents.
const EXTENTS: &str = "payment-numbers";

/// The numbers of an account's transactions: their places in its history, in extents of numbers.
struct PaymentNumbers(Vec<i64>);

impl PaymentNumbers {
    /// The numbers of an account with so many transactions; extents are added as needed.
    async fn of(bunq: &Bunq, account: i64, count: i64) -> Result<Self, GatewayError> {
        let key = account.to_string();
        loop {
            let extents = look_up::<Vec<i64>>(&bunq.drawer, EXTENTS, &key).await?.unwrap_or_default();
            let missing = missing(&extents, count);
            if missing == 0 {
                return Ok(Self(extents));
            }
            let mut firsts = Vec::new();
            while firsts.len() < missing.min(ADDED_AT_ONCE) {
                firsts.push(bunq.numbers(EXTENT).await?);
            }
            let add = |known: Option<&str>| {
                let known = known.map(|text| parse::<Vec<i64>>(EXTENTS, text));
                let known = known.transpose().ok()?.unwrap_or_default();
                let extended = extended(&known, &firsts, count);
                (extended.len() > known.len()).then(|| write(&extended))
            };
            bunq.drawer.update(EXTENTS, &key, add).await?;
        }
    }

    /// The number of the transaction at a place, the first one being 1.
    fn at(&self, place: i64) -> Option<i64> {
        let index = usize::try_from((place - 1) / EXTENT).ok()?;
        Some(self.0.get(index)? + (place - 1) % EXTENT)
    }

    /// How many transactions have numbers below one.
    fn below(&self, number: i64) -> i64 {
        self.0.iter().map(|first| (number - first).clamp(0, EXTENT)).sum()
    }
}

/// How many extents an account with so many transactions has too few.
fn missing(extents: &[i64], count: i64) -> usize {
    let needed = usize::try_from(count.max(0).unsigned_abs().div_ceil(EXTENT.unsigned_abs()));
    needed.unwrap_or(usize::MAX).saturating_sub(extents.len())
}

/// Extents with those of new ones that are needed. Numbers must rise, and somebody else may have added some meanwhile.
fn extended(extents: &[i64], firsts: &[i64], count: i64) -> Vec<i64> {
    let behind = extents.last().copied().unwrap_or(0);
    let new = firsts.iter().copied().filter(|first| *first > behind).take(missing(extents, count));
    extents.iter().copied().chain(new).collect()
}

/// The history of one account with the numbers of its transactions. Every look at it costs what it returns and no
/// more, however long the history is.
pub(crate) struct Ledger<'a> {
    call: &'a Call,
    proof: &'a AccountAccess<Transactions>,
    numbers: PaymentNumbers,
    /// How many transactions there are.
    total: i64,
}

/// A transaction with its number.
pub(crate) type Numbered = (i64, Transaction);

impl<'a> Ledger<'a> {
    /// Opens the history of an account.
    ///
    /// # Errors
    /// 403 if the caller may not see it.
    pub(crate) async fn of(call: &'a Call, seen: &'a Seen) -> Result<Self, Error> {
        let proof = seen.readable.transactions.as_ref().ok_or_else(|| {
            Error::forbidden("The user did not grant access to payments; the role AISP is needed for that.")
        })?;
        let day = call.ctx.today();
        let total = call.bunq.edge.gateway.booked_up_to(&call.ctx, proof, day).await?;
        let numbers = PaymentNumbers::of(&call.bunq, seen.id, total).await?;
        Ok(Self { call, proof, numbers, total })
    }

    /// How many transactions there were at the end of a day.
    pub(crate) async fn count_up_to(&self, day: Date) -> Result<i64, Error> {
        let count = self.call.bunq.edge.gateway.booked_up_to(&self.call.ctx, self.proof, day).await?;
        // What is booked at this moment has no number here.
        Ok(count.min(self.total))
    }

    /// Up to `limit` transactions, newest first, the first of them at a place.
    pub(crate) async fn up_to(&self, newest: i64, limit: i64) -> Result<Vec<Numbered>, Error> {
        let range = (Some(newest), limit.max(0));
        let found =
            self.call.bunq.edge.gateway.history(&self.call.ctx, self.proof, range).await?.transactions;
        let numbered = |(place, transaction)| Some((self.numbers.at(place)?, transaction));
        Ok(found.into_iter().filter_map(numbered).collect())
    }

    /// How many transactions at the beginning of the history are all older than something, by halving.
    pub(crate) async fn count_older(&self, is_older: impl Fn(&Numbered) -> bool) -> Result<i64, Error> {
        let (mut older, mut all) = (0, self.total);
        while older < all {
            let middle = older + (all - older + 1) / 2;
            match self.up_to(middle, 1).await?.first() {
                Some(one) if is_older(one) => older = middle,
                _ => all = middle - 1,
            }
        }
        Ok(older)
    }

    /// The newest `limit` transactions of those that come directly after a place, newest first.
    pub(crate) async fn after(&self, place: i64, limit: i64) -> Result<Vec<Numbered>, Error> {
        let newest = (place + limit).min(self.total);
        self.up_to(newest, newest - place).await
    }
}

/// Transactions of an account with their numbers, newest first, and whether there are others.
pub(crate) struct Listed {
    pub(crate) payments: Vec<Numbered>,
    pub(crate) has_older: bool,
    pub(crate) has_newer: bool,
}

/// The transactions in a range.
///
/// # Errors
/// 403 if the caller may not see them.
pub(crate) async fn in_range(call: &Call, seen: &Seen, range: Range, limit: i64) -> Result<Listed, Error> {
    let ledger = Ledger::of(call, seen).await?;
    let payments = match range {
        Range::Older(None) => ledger.up_to(ledger.total, limit).await?,
        Range::Older(Some(id)) => ledger.up_to(ledger.numbers.below(id).min(ledger.total), limit).await?,
        Range::Newer(id) => ledger.after(ledger.numbers.below(id.saturating_add(1)), limit).await?,
    };
    let place = |one: Option<&Numbered>| one.map(|(id, _)| ledger.numbers.below(*id) + 1);
    Ok(Listed {
        has_older: place(payments.last()).is_some_and(|oldest| oldest > 1),
        has_newer: place(payments.first()).is_some_and(|newest| newest < ledger.total),
        payments,
    })
}

/// The number of the transaction that an entry made on an account.
pub(crate) async fn number_of_entry(call: &Call, seen: &Seen, entry: &str) -> Result<Option<i64>, Error> {
    let Some(proof) = &seen.readable.transactions else { return Ok(None) };
    let place = call.bunq.edge.gateway.entry_number(proof, entry).await?;
    let Some(place) = place else { return Ok(None) };
    let numbers = PaymentNumbers::of(&call.bunq, seen.id, place).await?;
    Ok(numbers.at(place))
}

/// The transactions that a payment with so many transfers made on the account that paid, in their order. They were
/// booked together, so they lie side by side. None if it was not made.
pub(crate) async fn made_of(
    call: &Call,
    seen: &Seen,
    payment: &PaymentId,
    count: usize,
) -> Result<Option<Vec<Numbered>>, Error> {
    let Some(proof) = &seen.readable.transactions else { return Ok(None) };
    let Some(first) = call.bunq.edge.gateway.entry_number(proof, &entry_of(payment, 0)).await? else {
        return Ok(None);
    };
    let length = i64::try_from(count).unwrap_or(0);
    let mut made = Ledger::of(call, seen).await?.up_to(first + length - 1, length).await?;
    made.reverse();
    let is_own = |(index, (_, one)): (usize, &Numbered)| one.id == entry_of(payment, index);
    Ok((made.len() == count && made.iter().enumerate().all(is_own)).then_some(made))
}

/// One transaction of an account by its number.
///
/// # Errors
/// 404
pub(crate) async fn find_one(call: &Call, seen: &Seen, id: i64) -> Result<Numbered, Error> {
    let listed = in_range(call, seen, Range::Older(Some(id.saturating_add(1))), 1).await?;
    listed.payments.into_iter().find(|(found, _)| *found == id).ok_or_else(Error::not_found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_places_and_lead_back() {
        let numbers = PaymentNumbers(vec![5000, 9000]);
        assert_eq!((numbers.at(1), numbers.at(1024), numbers.at(1025)), (Some(5000), Some(6023), Some(9000)));
        assert_eq!(numbers.at(2049), None);
        for place in [1, 2, 1024, 1025, 2048] {
            assert_eq!(numbers.below(numbers.at(place).unwrap()), place - 1);
        }
        assert_eq!((numbers.below(1), numbers.below(7000), numbers.below(99_999)), (0, 1024, 2048));
    }

    #[test]
    fn all_extents_that_are_missing_are_added_at_once_and_numbers_rise() {
        assert_eq!([0, 1, 1024, 1025, 3000].map(|count| missing(&[], count)), [0, 1, 1, 2, 3]);
        assert_eq!((missing(&[1, 1025], 3000), missing(&[1, 1025, 2049], 3000)), (1, 0));
        assert_eq!(extended(&[], &[1, 1025, 2049], 3000), [1, 1025, 2049]);
        // Somebody else added two, with numbers behind the first ones of these.
        assert_eq!(extended(&[4097, 5121], &[1, 1025, 8193, 9217], 3000), [4097, 5121, 8193]);
        assert_eq!(extended(&[4097, 5121, 6145], &[8193], 3000), [4097, 5121, 6145]);
        assert_eq!(extended(&[4097], &[1], 3000), [4097]);
    }
}
