//! What the customer allowed to be read, counted as the bank counts it.

use berlin_group::wire;

use super::session::Session;
use crate::Error;
use crate::accounts::{Account, TransactionsWish};
use crate::kept_consents::KeptRead;
use crate::pages::Pages;

impl Session<'_> {
    /// The accounts that the consent covers, savings last.
    pub(super) async fn accounts(&mut self) -> Result<Vec<Account>, Error> {
        let mut all = Vec::new();
        for path in ["/v1/accounts", "/v2/savings"] {
            let read =
                self.with_token(async |interface, access| interface.accounts(path, access).await).await?;
            all.extend(read.into_iter().map(account));
        }
        Ok(all)
    }

    /// The balances of an account.
    pub(super) async fn balances(&mut self, account: &Account) -> Result<wire::Balances, Error> {
        let link = linked(account.details.links.balances.as_deref(), account, "balances")?;
        self.check_budget(&account.details.resource_id, "balances")?;
        let balances =
            self.with_token(async |interface, access| interface.balances(&link, access).await).await?;
        self.count(&account.details.resource_id, "balances")?;
        Ok(balances)
    }

    /// Transactions of an account, all pages.
    pub(super) async fn transactions(
        &mut self,
        account: &Account,
        wish: &TransactionsWish,
    ) -> Result<wire::TransactionList, Error> {
        let mut link = linked(account.details.links.transactions.as_deref(), account, "transactions")?;
        self.check_budget(&account.details.resource_id, "transactions")?;
        let mut parameters = vec![("bookingStatus", wish.booking_status.clone())];
        parameters.extend(wish.from.clone().map(|from| ("dateFrom", from)));
        parameters.extend(wish.to.clone().map(|to| ("dateTo", to)));
        let mut all = wire::TransactionList {
            booked: Vec::new(),
            pending: Vec::new(),
            links: wire::TransactionLinks::default(),
        };
        let (mut pages, mut is_first) = (Pages::from(&link), true);
        loop {
            let page = self
                .with_token(async |interface, access| {
                    interface.transactions(&link, &parameters, access).await
                })
                .await?
                .transactions;
            // The pages of a read belong to it.
            if std::mem::take(&mut is_first) {
                self.count(&account.details.resource_id, "transactions")?;
            }
            all.booked.extend(page.booked);
            all.pending.extend(page.pending);
            let Some(next) = page.links.next.filter(|next| !next.is_empty()) else { return Ok(all) };
            pages.turn_to(&next)?;
            link = next;
            // The next link holds the criteria.
            parameters.clear();
        }
    }

    /// Whether a read is one that the bank counts: without the customer, and for more than one time.
    fn is_counted(&self) -> bool {
        self.psu_ip_address.is_none() && self.consent().is_some_and(|kept| kept.recurring)
    }

    /// Checks that today's unattended reads are not used up by this side's own count.
    fn check_budget(&self, account: &str, kind: &str) -> Result<(), Error> {
        let Some(kept) = self.consent() else { return Ok(()) };
        let day = self.today();
        let is_it = |read: &&KeptRead| read.day == day && read.account == account && read.kind == kind;
        let spent = kept.reads.iter().find(is_it).map_or(0, |read| read.count);
        let limit = kept.frequency_per_day;
        if !self.is_counted() || self.beyond_budget || spent < limit {
            return Ok(());
        }
        Err(Error::Budget { limit, kind: kind.to_owned(), account: account.to_owned() })
    }

    /// Counts a read that the bank answered, as the bank counts: a refused one costs nothing.
    fn count(&mut self, account: &str, kind: &str) -> Result<(), Error> {
        if !self.is_counted() {
            return Ok(());
        }
        let (day, matter) = (self.today(), &self.matter);
        self.client.update(|state| {
            let mut consents = state.consents.iter_mut();
            let kept = consents.find(|kept| Some(kept.approval.id.as_str()) == matter.id());
            let kept = kept.ok_or_else(|| matter.forgotten())?;
            kept.reads.retain(|read| read.day == day);
            let known = kept.reads.iter_mut().find(|read| read.account == account && read.kind == kind);
            match known {
                Some(read) => read.count += 1,
                None => {
                    let (account, kind) = (account.to_owned(), kind.to_owned());
                    kept.reads.push(KeptRead { account, kind, day, count: 1 });
                }
            }
            Ok(())
        })
    }
}

fn account(details: wire::Account) -> Account {
    let can_pay = details.iban.is_some()
        && details.cash_account_type.as_deref() != Some("SVGS")
        && details.status.as_deref().is_none_or(|status| status == "enabled");
    Account { details, can_pay, balances: None }
}

/// The link to what is to be read, or what is known about its absence.
fn linked(link: Option<&str>, account: &Account, what: &'static str) -> Result<String, Error> {
    link.map(str::to_owned).ok_or_else(|| {
        let status = account.details.status.clone().filter(|it| matches!(it.as_str(), "blocked" | "deleted"));
        Error::Unreadable { account: account.number().to_owned(), what, status }
    })
}
