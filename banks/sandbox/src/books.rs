//! The sandbox's books: what accounts hold. What moves money is a batch (`batch.rs`).

use std::sync::Arc;

use gateway::domain::{AccountId, AccountStatus, Date, PaymentRefusal, Timestamp};
use gateway::{Error, Noun, retry};
use store::Changes;

use crate::clock::SandboxClock;
use crate::ledger::{AccountChanges, BookedAccount, HistoryChanges, Ledger, Told};

/// The bank's own code for a transfer.
pub(crate) const TRANSFER_CODE: &str = "OV";

/// How the ids of the bank's accounts with the rest of the world begin.
pub(crate) const WORLD: &str = "world:";

/// Whether an account is the bank's own with the rest of the world.
pub(crate) fn is_world(account: &AccountId) -> bool {
    account.as_str().starts_with(WORLD)
}

/// Where the books are kept, and what time it is at each branch.
#[derive(Debug, Clone)]
pub(crate) struct Books {
    pub(crate) store: Ledger,
    pub(crate) clock: Arc<SandboxClock>,
}

/// Closes an account with nothing on it and nothing on its way, as nobody books on it.
///
/// # Errors
/// [`Error`]
pub(crate) async fn close(
    store: &Ledger,
    account: &AccountId,
    now: Timestamp,
) -> Result<Result<(), PaymentRefusal>, Error> {
    retry(|| async {
        let booked = store.account(account).await?.ok_or(Error::NotFound(Noun::Account))?;
        let day = booking_day(store, account, booked.tenant.date_at(now)).await?;
        let (balance, available) = balance_and_available(store, &booked, day).await?;
        if balance != 0 || available != booked.credit_limit {
            return Ok(Err(PaymentRefusal::NotEmpty));
        }
        let closed = Changes::new()
            .touch_account(account, booked.version)
            .set_account_status(account, AccountStatus::Deleted);
        let closed = store.telling(closed, now, || Told::Closed { account: account.to_string() });
        Ok(Ok(store.save(closed).await?))
    })
    .await
}

/// What an account holds as of a day: booked, and what can be spent, which is less by what is set aside.
///
/// # Errors
/// [`Error`]
pub(crate) async fn balance_and_available(
    store: &Ledger,
    booked: &BookedAccount,
    day: Date,
) -> Result<(i64, i64), Error> {
    let id = &booked.account.id;
    let balance = store.booked_balance(id, day).await?;
    let pending = store.entered_since(id, day, day).await?;
    Ok((balance, balance + pending + booked.credit_limit - booked.reserved))
}

/// The day on which the next entry is booked: a clock that was set back must not put it before older ones.
pub(crate) async fn booking_day(store: &Ledger, account: &AccountId, today: Date) -> Result<Date, Error> {
    Ok(store.last_entered_day(account).await?.map_or(today, |last| last.max(today)))
}
