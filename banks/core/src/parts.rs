//! The ports that a bank behind the interface may leave out. What it offers it is asked for once.

use gateway::access::{AccountAccess, Details, Transactions};
use gateway::bank::{AccountKeeping, Answer, EntryNumbers};
use gateway::domain::{Account, CustomerId, Date, History, PaymentRefusal, Product, Timestamp};
use gateway::{Error, Noun};
use http::StatusCode;
use serde::de::IgnoredAny;

use crate::CoreBank;
use crate::bank::{misread, missing};
use crate::failure::Failure;
use crate::wire::{self, Code, Problem};

/// Most entries that are asked for in one call.
const PAGE: i64 = 500;

impl CoreBank {
    /// What the bank offers of that which it may leave out. A bank that has none of it need not have the path either.
    async fn offered(&self) -> Result<&wire::Parts, Error> {
        let ask = async || match self.client.get(&["parts"], &()).await {
            Err(Failure::Refused(StatusCode::NOT_FOUND, _) | Failure::Status(StatusCode::NOT_FOUND)) => {
                Ok(wire::Parts::default())
            }
            told => Ok::<_, Error>(told?),
        };
        self.offered.get_or_try_init(ask).await
    }

    /// A part of a history, in as many calls as it takes.
    async fn entries(
        &self,
        access: &AccountAccess<Transactions>,
        (newest, limit): (Option<i64>, i64),
        day: Date,
    ) -> Result<History, Error> {
        let mut history = self.page(access, (newest, limit.clamp(0, PAGE)), day).await?;
        let first = newest.map_or(history.count, |newest| newest.clamp(0, history.count));
        let wanted = limit.clamp(0, first);
        loop {
            let found = i64::try_from(history.transactions.len()).unwrap_or(i64::MAX);
            let numbers = history.transactions.iter().map(|(number, _)| *number);
            if found > wanted || !numbers.eq((first - found + 1..=first).rev()) {
                let expected = "one less from entry to entry, from the one that was asked for";
                return Err(misread(wire::unreadable("number", expected)));
            }
            if found == wanted {
                return Ok(history);
            }
            let older = self.page(access, (Some(first - found), (wanted - found).min(PAGE)), day).await?;
            if older.transactions.is_empty() {
                return Err(misread(wire::unreadable("entries", "those that count says there are")));
            }
            history.transactions.extend(older.transactions);
        }
    }

    async fn page(
        &self,
        access: &AccountAccess<Transactions>,
        (newest, limit): (Option<i64>, i64),
        day: Date,
    ) -> Result<History, Error> {
        let path = ["accounts", access.account().as_str(), "entries"];
        let page: Result<wire::Entries, _> =
            self.client.get(&path, &wire::EntriesQuery { day, limit, newest }).await;
        page.map_err(missing(Noun::Account))?.read().map_err(misread)
    }
}

impl EntryNumbers for CoreBank {
    fn is_offered(&self) -> Answer<'_, bool> {
        Box::pin(async { Ok(self.offered().await?.has_entry_numbers()) })
    }

    fn history<'a>(
        &'a self,
        access: &'a AccountAccess<Transactions>,
        newest_and_limit: (Option<i64>, i64),
        day: Date,
    ) -> Answer<'a, History> {
        Box::pin(self.entries(access, newest_and_limit, day))
    }

    fn entry_number<'a>(
        &'a self,
        access: &'a AccountAccess<Transactions>,
        entry: &'a str,
    ) -> Answer<'a, Option<i64>> {
        Box::pin(async move {
            let path = ["accounts", access.account().as_str(), "entry-number"];
            let asked = wire::EntryAsked { entry: entry.to_owned() };
            let found: Result<wire::EntryNumber, _> = self.client.get(&path, &asked).await;
            found.map_err(missing(Noun::Account))?.read().map_err(misread)
        })
    }
}

impl AccountKeeping for CoreBank {
    fn is_offered(&self) -> Answer<'_, bool> {
        Box::pin(async { Ok(self.offered().await?.has_account_keeping()) })
    }

    fn open_account<'a>(&'a self, customer: &'a CustomerId, product: Product) -> Answer<'a, Account> {
        Box::pin(async move {
            let path = ["customers", customer.as_str(), "accounts", "open"];
            // Not twice: there would be two.
            let opened: Result<wire::Account, _> =
                self.client.act(&path, &wire::OpenAccount::from(product)).await;
            opened.map_err(missing(Noun::Customer))?.read().map_err(misread)
        })
    }

    fn close_account<'a>(
        &'a self,
        access: &'a AccountAccess<Details>,
        now: Timestamp,
    ) -> Answer<'a, Result<(), PaymentRefusal>> {
        Box::pin(async move {
            let path = ["accounts", access.account().as_str(), "close"];
            let closed: Result<IgnoredAny, _> = self.client.ask(&path, &wire::CloseAccount { at: now }).await;
            match closed {
                Ok(_) => Ok(Ok(())),
                Err(Failure::Refused(_, Problem { code: Code::NotEmpty, .. })) => {
                    Ok(Err(PaymentRefusal::NotEmpty))
                }
                Err(failure) => Err(missing(Noun::Account)(failure)),
            }
        })
    }
}
