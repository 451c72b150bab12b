//! What the bank may leave out: numbers of entries, accounts that customers open and close.

use axum::Json;
use axum::extract::State;
use gateway::bank_end::access;
use gateway::domain::{AccountId, CustomerId};
use http::StatusCode;
use serde_json::{Value, json};

use super::{Body, Path, Query, Refused, Served};
use crate::wire::{self, Code};

/// Most entries of an answer.
const PAGE: i64 = 500;

pub(super) async fn parts(State(served): State<Served>) -> Result<Json<wire::Parts>, Refused> {
    let mut parts = Vec::new();
    if served.bank.numbers.is_offered().await? {
        parts.push(wire::ENTRY_NUMBERS.to_owned());
    }
    if served.bank.keeping.is_offered().await? {
        parts.push(wire::ACCOUNT_KEEPING.to_owned());
    }
    Ok(Json(wire::Parts { parts }))
}

/// What a bank leaves out is as if there were no such path.
fn left_out(what: &str) -> Refused {
    Refused::new(StatusCode::NOT_FOUND, Code::Malformed, format!("this bank does not {what}"))
}

async fn numbers_entries(served: &Served) -> Result<(), Refused> {
    if served.bank.numbers.is_offered().await? { Ok(()) } else { Err(left_out("number entries")) }
}

async fn keeps_accounts(served: &Served) -> Result<(), Refused> {
    if served.bank.keeping.is_offered().await? { Ok(()) } else { Err(left_out("open and close accounts")) }
}

pub(super) async fn entries(
    State(served): State<Served>,
    Path(account): Path<String>,
    Query(asked): Query<wire::EntriesQuery>,
) -> Result<Json<wire::Entries>, Refused> {
    numbers_entries(&served).await?;
    if asked.limit < 0 || asked.newest.is_some_and(|newest| newest < 0) {
        return Err(Refused::malformed("limit and newest are numbers from 0 on"));
    }
    let range = (asked.newest, asked.limit.min(PAGE));
    let history = served.bank.numbers.history(&access(AccountId::new(account)), range, asked.day).await?;
    Ok(Json(history.into()))
}

pub(super) async fn entry_number(
    State(served): State<Served>,
    Path(account): Path<String>,
    Query(asked): Query<wire::EntryAsked>,
) -> Result<Json<wire::EntryNumber>, Refused> {
    numbers_entries(&served).await?;
    let number = served.bank.numbers.entry_number(&access(AccountId::new(account)), &asked.entry).await?;
    Ok(Json(wire::EntryNumber { number }))
}

pub(super) async fn open_account(
    State(served): State<Served>,
    Path(customer): Path<String>,
    Body(asked): Body<wire::OpenAccount>,
) -> Result<Json<wire::Account>, Refused> {
    keeps_accounts(&served).await?;
    let opened = served.bank.keeping.open_account(&CustomerId::new(customer), asked.read()?).await?;
    Ok(Json(opened.into()))
}

pub(super) async fn close_account(
    State(served): State<Served>,
    Path(account): Path<String>,
    Body(asked): Body<wire::CloseAccount>,
) -> Result<Json<Value>, Refused> {
    keeps_accounts(&served).await?;
    match served.bank.keeping.close_account(&access(AccountId::new(account)), asked.at).await? {
        Ok(()) => Ok(Json(json!({}))),
        Err(refusal) => Err(Refused::new(StatusCode::CONFLICT, Code::NotEmpty, refusal.to_string())),
    }
}
