//! Accounts, balances, movements.

use axum::Json;
use axum::extract::State;
use gateway::bank_end::access;
use gateway::domain::{AccountId, BookingStatus, TransactionQuery};

use super::{Body, Path, Query, Refused, Served};
use crate::wire;

/// Most movements of a page.
const PAGE: usize = 500;

pub(super) async fn find(
    State(served): State<Served>,
    Body(find): Body<wire::FindAccounts>,
) -> Result<Json<wire::Accounts>, Refused> {
    let branch = served.branch(&find.branch)?;
    let found = served.bank.accounts.find_accounts(&branch, &find.read()?).await?;
    Ok(Json(found.into()))
}

pub(super) async fn account(
    State(served): State<Served>,
    Path(account): Path<String>,
) -> Result<Json<wire::Account>, Refused> {
    Ok(Json(served.bank.accounts.account(&access(AccountId::new(account))).await?.into()))
}

pub(super) async fn balances(
    State(served): State<Served>,
    Path(account): Path<String>,
    Query(asked): Query<wire::OnDay>,
) -> Result<Json<wire::Balances>, Refused> {
    let access = access(AccountId::new(account));
    Ok(Json(served.bank.accounts.balances(&access, asked.day).await?.into()))
}

pub(super) async fn booked(
    State(served): State<Served>,
    Path(account): Path<String>,
    Query(asked): Query<wire::BookedQuery>,
) -> Result<Json<wire::Transactions>, Refused> {
    if asked.limit == 0 {
        return Err(Refused::malformed("limit is a number from 1 on"));
    }
    let limit = asked.limit.min(PAGE);
    let query = TransactionQuery {
        status: BookingStatus::Booked,
        from: asked.from,
        to: asked.to,
        after: asked.after(),
        // One more tells whether there are more.
        limit: limit + 1,
    };
    let access = access(AccountId::new(account));
    let mut found = served.bank.accounts.booked(&access, &query, asked.day).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    Ok(Json(wire::Transactions { transactions: found.into_iter().map(Into::into).collect(), more }))
}

pub(super) async fn pending(
    State(served): State<Served>,
    Path(account): Path<String>,
    Query(asked): Query<wire::OnDay>,
) -> Result<Json<wire::Transactions>, Refused> {
    let found = served.bank.accounts.pending(&access(AccountId::new(account)), asked.day).await?;
    Ok(Json(wire::Transactions { transactions: found.into_iter().map(Into::into).collect(), more: false }))
}

pub(super) async fn funds(
    State(served): State<Served>,
    Path(account): Path<String>,
    Query(asked): Query<wire::OnDay>,
) -> Result<Json<wire::Funds>, Refused> {
    Ok(Json(served.bank.accounts.funds(&access(AccountId::new(account)), asked.day).await?.into()))
}

pub(super) async fn holders(
    State(served): State<Served>,
    Path(account): Path<String>,
) -> Result<Json<wire::Customers>, Refused> {
    let holders = served.bank.accounts.holders(&access(AccountId::new(account))).await?;
    Ok(Json(wire::Customers { customers: holders.into_iter().map(Into::into).collect() }))
}

pub(super) async fn check_funds(
    State(served): State<Served>,
    Body(asked): Body<wire::CheckFunds>,
) -> Result<Json<wire::FundsChecked>, Refused> {
    let branch = served.branch(&asked.account.branch)?;
    let (reference, amount) = (asked.account.read()?, asked.amount.read()?);
    let available = served.bank.accounts.has_funds(&branch, &reference, amount, asked.day).await?;
    Ok(Json(wire::FundsChecked { available }))
}
