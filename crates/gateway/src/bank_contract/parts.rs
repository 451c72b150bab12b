//! What holds of the parts that a bank may leave out, where it offers them.

use domain::{
    AccountStatus, BookingStatus, PaymentId, PaymentRefusal, PaymentTerms, Product, TransactionQuery,
};

use super::Parties;
use crate::access::{AccountAccess, Transactions};
use crate::{Error, entry_of};

impl Parties<'_> {
    /// Whether the bank numbers entries. It may leave that out.
    ///
    /// # Errors
    /// [`Error::Unavailable`]
    pub async fn numbers_entries(&self) -> Result<bool, Error> {
        self.bank.numbers.is_offered().await
    }

    /// Whether customers open and close accounts by themselves. The bank may leave that out.
    ///
    /// # Errors
    /// [`Error::Unavailable`]
    pub async fn keeps_accounts(&self) -> Result<bool, Error> {
        self.bank.keeping.is_offered().await
    }

    pub(super) async fn entries_are_numbered(&self) {
        let (numbers, payments) = (&self.bank.numbers, &self.bank.payments);
        if !self.numbers_entries().await.unwrap() {
            return;
        }
        let day = self.tenant.date_at(self.now);
        let access = AccountAccess::<Transactions>::to_own(self.payer.1);
        let nothing = numbers.history(&access, (None, 0), day).await.unwrap();
        assert!(nothing.transactions.is_empty(), "no more than were asked for");
        let before = numbers.history(&access, (None, 20), day).await.unwrap();
        assert_eq!(before.count, nothing.count);
        let (mut newest, mut one_by_one) = (before.count, Vec::new());
        while newest > 0 && one_by_one.len() < 20 {
            let one = numbers.history(&access, (Some(newest), 1), day).await.unwrap();
            assert_eq!((one.count, one.transactions.len()), (before.count, 1), "from {newest} on");
            one_by_one.extend(one.transactions);
            newest -= 1;
        }
        assert_eq!(one_by_one, before.transactions, "one by one as at once");
        let expected: Vec<_> = (1..=before.count).rev().take(20).collect();
        let found: Vec<_> = before.transactions.iter().map(|(number, _)| *number).collect();
        assert_eq!(found, expected, "numbers have no gaps");

        let payment = [self.payment_of("numbered", PaymentTerms::AT_ONCE, &[100, 200])];
        payments.submit(&payment, self.note("numbered", 0), self.now).await.unwrap().unwrap();
        let after = numbers.history(&access, (None, 22), day).await.unwrap();
        assert_eq!(after.count, before.count + 2, "the history grows at its end");
        assert_eq!(after.transactions[2..], before.transactions[..], "and what was there keeps its number");
        for ((index, minor), number) in [100, 200].into_iter().enumerate().zip(before.count + 1..) {
            let entry = entry_of(payment[0].id(), index);
            let found = numbers.entry_number(&access, &entry).await.unwrap();
            assert_eq!(found, Some(number), "an entry is found by its payment");
            let (_, made) = after.transactions.iter().find(|(one, _)| *one == number).unwrap();
            assert_eq!((&made.id, made.amount), (&entry, self.money(-minor)));
        }
        let unknown = entry_of(&PaymentId::new(format!("contract-{}none", self.run)), 0);
        assert_eq!(numbers.entry_number(&access, &unknown).await.unwrap(), None);
        let newest: Vec<_> = after.transactions.iter().take(2).map(|(_, one)| one.clone()).collect();
        // Which day that is, is the bank's to say: late in the evening it may be another one than here.
        let (from, to) = (newest[1].booking_date, newest[0].booking_date);
        let query = TransactionQuery { status: BookingStatus::Booked, from, to, after: None, limit: 2 };
        let booked = self.bank.accounts.booked(&access, &query, day.max(to)).await.unwrap();
        assert_eq!(booked, newest, "what is numbered is what is booked");
    }

    pub(super) async fn accounts_are_opened_and_closed(&self) {
        let (keeping, customers) = (&self.bank.keeping, &self.bank.customers);
        if !self.keeps_accounts().await.unwrap() {
            return;
        }
        let (payer, account) = self.payer;
        let opened = keeping.open_account(payer, Product::Savings).await.unwrap();
        assert_eq!((opened.product, opened.status), (Product::Savings, AccountStatus::Enabled));
        assert_eq!(opened.currency, self.tenant.currency());
        assert!(customers.accounts_of(payer).await.unwrap().contains(&opened), "it is the customer's");
        let day = self.tenant.date_at(self.now);
        let funds = self.bank.accounts.funds(&AccountAccess::to_own(&opened), day).await.unwrap();
        assert_eq!(funds.booked.minor, 0, "it is empty");
        for _ in 0..2 {
            let closed = keeping.close_account(&AccountAccess::to_own(&opened), self.now).await.unwrap();
            assert_eq!(closed, Ok(()), "an empty account is closed, and stays so");
            let status = self.bank.accounts.account(&AccountAccess::to_own(&opened)).await.unwrap().status;
            assert_eq!(status, AccountStatus::Deleted);
        }
        let refused = keeping.close_account(&AccountAccess::to_own(account), self.now).await.unwrap();
        assert_eq!(refused, Err(PaymentRefusal::NotEmpty), "what has money on it stays open");
        assert_eq!(self.bank.accounts.account(&AccountAccess::to_own(account)).await.unwrap(), *account);
    }
}
