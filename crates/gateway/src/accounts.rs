//! Account information: which accounts, their balances and transactions, how often and how far back.

use domain::access::{earliest_day, is_counted};
use domain::{
    AccessRefusal, Account, AccountId, AccountStatus, Balance, BookingStatus, Consent, Date, GrantedAccount,
    Position, Product, ReadCount, ReadKind, Transaction, TransactionQuery,
};

use crate::access::{AccountAccess, Balances, ConsentAccess, Details, Scope, Transactions};
use crate::error::retry;
use crate::{Changes, Ctx, Error, Gateway, Noun};

/// Booked transactions on one page.
const PAGE: usize = 100;

/// An account as one third party sees it.
#[derive(Debug, Clone)]
pub struct AccountView {
    /// The id that this third party knows it by.
    pub resource_id: String,
    /// The account.
    pub account: Account,
    /// Whether the consent covers its balances.
    pub balances: bool,
    /// Whether the consent covers its transactions.
    pub transactions: bool,
}

/// Which account, and how it is asked for.
#[derive(Debug, Clone, Copy)]
pub struct AccountRead<'a> {
    /// The id that the third party knows it by.
    pub id: &'a str,
    /// The kind of account that the path is for.
    pub product: Product,
    /// Whether the customer takes part.
    pub attended: bool,
}

/// Which transactions are asked for.
#[derive(Debug, Clone, Default)]
pub struct TransactionsRequest {
    /// Booked, pending or both; both if absent.
    pub status: Option<BookingStatus>,
    /// First booking date; as far back as allowed if absent.
    pub from: Option<Date>,
    /// Last booking date; today if absent.
    pub to: Option<Date>,
    /// The page token of an earlier answer, which holds everything else.
    pub edge_token: Option<String>,
}

/// A page of transactions.
#[derive(Debug, Clone)]
pub struct TransactionsPage {
    /// The account.
    pub view: AccountView,
    /// What was asked for, and what holds.
    pub criteria: Criteria,
    /// Booked ones, newest first.
    pub booked: Vec<Transaction>,
    /// Pending ones, newest first; on the first page alone.
    pub pending: Vec<Transaction>,
    /// The token of the next page, if there is one.
    pub next: Option<String>,
}

/// What a list of transactions is limited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Criteria {
    /// Booked, pending or both.
    pub status: BookingStatus,
    /// First booking date.
    pub from: Date,
    /// Last booking date.
    pub to: Date,
}

impl Gateway {
    /// The accounts of a kind that the consent covers, and that the bank still knows: one that it has put away takes no other
    /// one away.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn accounts(
        &self,
        access: &ConsentAccess,
        product: Product,
    ) -> Result<Vec<AccountView>, Error> {
        let mut views = Vec::new();
        for (granted, proof) in access.all(product) {
            let Some(account) = self.account_if_known(&proof).await? else { continue };
            views.push(self.view(access.consent(), granted, account));
        }
        Ok(views)
    }

    /// An account, if the bank knows it. How long a bank goes on telling of one that was closed is for the bank.
    pub(crate) async fn account_if_known(
        &self,
        access: &AccountAccess<Details>,
    ) -> Result<Option<Account>, Error> {
        match self.0.bank.accounts.account(access).await {
            Err(Error::NotFound(Noun::Account)) => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// One account.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`AccessRefusal`]
    pub async fn account(
        &self,
        access: &ConsentAccess,
        id: &str,
        product: Product,
    ) -> Result<AccountView, Error> {
        let granted = access.find(self, id, product)?;
        let account = self.0.bank.accounts.account(&Details::prove(granted, id)?).await?;
        Ok(self.view(access.consent(), granted, account))
    }

    /// The balances of an account. An unattended read is counted, durably, once the bank has answered and before anything is told.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`AccessRefusal`]
    pub async fn balances(
        &self,
        ctx: &Ctx,
        access: &ConsentAccess,
        read: AccountRead<'_>,
    ) -> Result<(AccountView, Vec<Balance>), Error> {
        let granted = access.find(self, read.id, read.product)?;
        let proof = Balances::prove(granted, read.id)?;
        let (account, balances) = self.0.bank.accounts.balances(&proof, ctx.today()).await?;
        check_readable(&account, read.id)?;
        let consent = access.consent();
        retry(|| async {
            let changes = self.count(ctx, consent, granted, read, ReadKind::Balances).await?;
            self.save_if_any(changes).await
        })
        .await?;
        Ok((self.view(consent, granted, account), balances))
    }

    /// Transactions of an account. The first read of a consent and account sees the whole history, later ones
    /// so many days as the bank shows then; the pages of a read belong to it and are not counted. A read is counted, durably, once the
    /// bank has answered and before anything is told.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`AccessRefusal`]
    pub async fn transactions(
        &self,
        ctx: &Ctx,
        access: &ConsentAccess,
        read: AccountRead<'_>,
        request: TransactionsRequest,
    ) -> Result<TransactionsPage, Error> {
        let granted = access.find(self, read.id, read.product)?;
        let proof = Transactions::prove(granted, read.id)?;
        let account = self.0.bank.accounts.account(&Details::prove(granted, read.id)?).await?;
        check_readable(&account, read.id)?;
        let view = self.view(access.consent(), granted, account);
        let consent = access.consent();
        if let Some(token) = &request.edge_token {
            let opened = self.0.keys.open(&sealed_for(consent, granted), token);
            let (criteria, after) = opened.as_deref().and_then(read_edge).ok_or(AccessRefusal::EdgeToken)?;
            return self.page(ctx, (consent, granted, &proof), (view, criteria, after)).await;
        }
        let (from, to) = (request.from.unwrap_or(Date::MIN), request.to.unwrap_or(ctx.today()));
        match request.to {
            None if from > to => return Err(AccessRefusal::PeriodInFuture { from, today: to }.into()),
            Some(to) if from > to => return Err(AccessRefusal::Period { from, to }.into()),
            _ => {}
        }
        let asked = Criteria { status: request.status.unwrap_or(BookingStatus::Both), from, to };
        retry(|| async {
            let (criteria, changes) = self.first_page(ctx, (consent, granted), read, asked).await?;
            let page = self.page(ctx, (consent, granted, &proof), (view.clone(), criteria, None)).await?;
            self.save_if_any(changes).await?;
            Ok(page)
        })
        .await
    }

    /// Reads a page of the bank.
    async fn page(
        &self,
        ctx: &Ctx,
        (consent, granted, proof): (&Consent, &GrantedAccount, &AccountAccess<Transactions>),
        (view, criteria, after): (AccountView, Criteria, Option<Position>),
    ) -> Result<TransactionsPage, Error> {
        let mut page = TransactionsPage { view, criteria, booked: vec![], pending: vec![], next: None };
        let (bank, today) = (&self.0.bank.accounts, ctx.today());
        let Criteria { status, from, to } = criteria;
        if status != BookingStatus::Pending {
            let query = TransactionQuery { status, from, to, after, limit: PAGE + 1 };
            page.booked = bank.booked(proof, &query, today).await?;
        }
        // What is pending is entered up to today, and booked on no day yet.
        if status != BookingStatus::Booked && after.is_none() && (from..=to).contains(&today) {
            page.pending = bank.pending(proof, today).await?;
        }
        if page.booked.len() > PAGE {
            page.booked.truncate(PAGE);
            let (sealed_for, last) = (sealed_for(consent, granted), page.booked.last());
            page.next = last.map(|last| self.0.keys.seal(&sealed_for, &write_edge(&criteria, last)));
        }
        Ok(page)
    }

    /// Decides what a first page may show, and what has to be saved before it is told: that there was a read, and its count.
    async fn first_page(
        &self,
        ctx: &Ctx,
        (consent, granted): (&Consent, &GrantedAccount),
        read: AccountRead<'_>,
        asked: Criteria,
    ) -> Result<(Criteria, Option<Changes>), Error> {
        let is_first = !self.0.store.was_read(&consent.id, &granted.account).await?;
        let mut changes = self.count(ctx, consent, granted, read, ReadKind::Transactions).await?;
        if is_first {
            let first = changes.unwrap_or_default().add_first_read(&consent.id, &granted.account, ctx.now);
            changes = Some(first);
        }
        let history_days = self.rules_of(consent).history_days;
        let earliest = earliest_day(consent, is_first, ctx.today(), history_days);
        Ok((Criteria { from: asked.from.max(earliest), ..asked }, changes))
    }

    /// The change that counts an unattended read, if it is one.
    async fn count(
        &self,
        ctx: &Ctx,
        consent: &Consent,
        granted: &GrantedAccount,
        read: AccountRead<'_>,
        kind: ReadKind,
    ) -> Result<Option<Changes>, Error> {
        if !is_counted(consent, read.attended) {
            return Ok(None);
        }
        let limit = consent.frequency_per_day;
        let which: (_, &AccountId) = (&consent.id, &granted.account);
        let last = self.0.store.read_count(which.0, which.1, kind).await?;
        let ReadCount { day, count } = ReadCount::for_call(last, &ctx.tenant, ctx.now);
        if count >= limit {
            let midnight = ctx.tenant.start_of(day.tomorrow().unwrap_or(day));
            let retry_after = midnight.duration_since(ctx.now).as_secs().saturating_add(1);
            return Err(
                AccessRefusal::LimitReached { limit, kind, id: read.id.to_owned(), retry_after }.into()
            );
        }
        let next = ReadCount { day, count: count + 1 };
        Ok(Some(Changes::new().count_read(which, kind, (last, next))))
    }

    async fn save_if_any(&self, changes: Option<Changes>) -> Result<(), Error> {
        match changes {
            Some(changes) => Ok(self.0.store.save(changes).await?),
            None => Ok(()),
        }
    }

    fn view(&self, consent: &Consent, granted: &GrantedAccount, account: Account) -> AccountView {
        AccountView {
            resource_id: self.resource_id(&consent.tpp, &granted.account),
            account,
            balances: granted.balances,
            transactions: granted.transactions,
        }
    }
}

/// Checks that an account is in use.
fn check_readable(account: &Account, id: &str) -> Result<(), AccessRefusal> {
    if account.status == AccountStatus::Enabled {
        return Ok(());
    }
    Err(AccessRefusal::Unavailable { id: id.to_owned(), status: account.status.name() })
}

/// What a page token is good for.
fn sealed_for<'a>(consent: &'a Consent, granted: &'a GrantedAccount) -> [&'a str; 2] {
    [consent.id.as_str(), granted.account.as_str()]
}

/// What a page token says: the criteria, and where the page before ended.
fn write_edge(criteria: &Criteria, last: &Transaction) -> String {
    let Criteria { status, from, to } = criteria;
    format!("{}|{from}|{to}|{}|{}", status.name(), last.booking_date, last.sequence)
}

fn read_edge(text: &str) -> Option<(Criteria, Option<Position>)> {
    let mut parts = text.split('|');
    let mut next = || parts.next();
    let status = BookingStatus::from_name(next()?)?;
    let (from, to) = (next()?.parse().ok()?, next()?.parse().ok()?);
    let (booking_date, sequence) = (next()?.parse().ok()?, next()?.parse().ok()?);
    Some((Criteria { status, from, to }, Some(Position { booking_date, sequence })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_token_holds_criteria_and_position() {
        let criteria = Criteria { status: BookingStatus::Both, from: Date::MIN, to: Date::MAX };
        let last = Transaction {
            id: "1".into(),
            sequence: 7,
            booking_date: "2026-01-02".parse().unwrap(),
            value_date: Date::MIN,
            amount: domain::Money { minor: 1, currency: domain::Currency::EUR },
            counterparty: domain::Counterparty::default(),
            remittance: None,
            code: None,
            end_to_end_id: None,
            entered_at: None,
            balance_after: None,
        };
        let position = Position { booking_date: last.booking_date, sequence: 7 };
        assert_eq!(read_edge(&write_edge(&criteria, &last)), Some((criteria, Some(position))));
        assert_eq!(read_edge("both|x"), None);
    }
}
