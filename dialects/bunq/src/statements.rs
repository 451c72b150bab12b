//! Statements of an account over a period, and of single payments, as files (section 14.4).

use bytes::Bytes;
use gateway::domain::{Date, Money, TppId, Transaction};
use serde::{Deserialize, Serialize};

use crate::accounts::{self, Seen};
use crate::call::{Call, breathe};
use crate::error::Error;
use crate::fields::Fields;
use crate::labels::label_account;
use crate::ledger::{Ledger, find_one};
use crate::records::Record;
use crate::reply::Reply;
use crate::statement_files::{Statement, csv, mt940, pdf};
use crate::wire::accounts::{self as wire, Format, RegionalFormat};
use crate::wire::objects::{Object, State};

/// Longest period, in days.
const MAX_DAYS: i64 = 366 * 5;

/// Most transactions in one statement.
const MAX_TRANSACTIONS: i64 = 20_000;

/// Transactions that are read at once.
const CHUNK: i64 = 500;

/// The longest that the making of one file may take.
const MAX_TIME: std::time::Duration = std::time::Duration::from_secs(20);

/// A statement that was asked for. Its file is made when it is fetched.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CustomerStatement {
    from: Date,
    to: Date,
    format: Format,
    regional_format: Option<RegionalFormat>,
    /// The third party that asked for it; none for the customer in person.
    tpp: Option<TppId>,
    is_deleted: bool,
}

impl CustomerStatement {
    /// Whoever asked for it sees it.
    fn is_visible(&self, call: &Call) -> bool {
        !self.is_deleted && call.caller().is_ok_and(|caller| caller.tpp() == self.tpp.as_ref())
    }
}

/// A statement of one payment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PaymentStatement {
    payment: i64,
}

/// `POST …/monetary-account/{account}/customer-statement`
pub(crate) async fn create(call: Call) -> Result<Reply, Error> {
    let seen = readable(&call).await?;
    let body = call.json()?;
    let fields = Fields::of(&body);
    let format = fields.word("statement_format")?;
    let regional_format = fields.optional_word("regional_format")?;
    if format == Format::Csv && regional_format.is_none() {
        return Err(Error::bad("The field \"regional_format\" is required for CSV: EUROPEAN or UK_US."));
    }
    let (from, to) = (fields.day("date_start")?, fields.day("date_end")?);
    if to < from {
        return Err(Error::bad("The field \"date_end\" must not be before \"date_start\"."));
    }
    let days = from.until(to).map_or(i64::MAX, |span| i64::from(span.get_days()));
    if days > MAX_DAYS {
        return Err(Error::bad("A statement can cover at most five years."));
    }
    let statement = CustomerStatement {
        from,
        to,
        format,
        regional_format,
        tpp: call.caller()?.tpp().cloned(),
        is_deleted: false,
    };
    let statement = call.bunq.add(&call.ctx, seen.id, statement).await?;
    Ok(Reply::id(statement.id))
}

/// The account that the path names. Whoever may not see payments may not see statements of them.
async fn readable(call: &Call) -> Result<Seen, Error> {
    let seen = accounts::named(call).await?;
    if seen.readable.transactions.is_some() {
        return Ok(seen);
    }
    Err(Error::forbidden("The user did not grant access to payments; the role AISP is needed for that."))
}

fn render(seen: &Seen, statement: &Record<CustomerStatement>) -> Object {
    Object::CustomerStatement(statement.stamped(wire::CustomerStatement {
        date_start: statement.value.from.to_string(),
        date_end: statement.value.to.to_string(),
        status: State::Completed,
        statement_number: statement.id,
        statement_format: statement.value.format,
        regional_format: statement.value.regional_format,
        alias_monetary_account: label_account(seen.account()),
    }))
}

/// The statement that the path names, with its account.
async fn named(call: &Call) -> Result<(Seen, Record<CustomerStatement>), Error> {
    let seen = readable(call).await?;
    let found = call.record::<CustomerStatement>(seen.id, call.names.id.get()?).await?;
    if found.value.is_visible(call) { Ok((seen, found)) } else { Err(Error::not_found()) }
}

/// `GET …/monetary-account/{account}/customer-statement`
pub(crate) async fn list(call: Call) -> Result<Reply, Error> {
    let seen = readable(&call).await?;
    let is_visible = |statement: &Record<CustomerStatement>| statement.value.is_visible(&call);
    let (found, links) = call.page_of_visible::<CustomerStatement>(seen.id, is_visible).await?;
    Ok(Reply::page(found.iter().map(|statement| render(&seen, statement)), links))
}

/// `GET …/monetary-account/{account}/customer-statement/{id}`
pub(crate) async fn read(call: Call) -> Result<Reply, Error> {
    let (seen, statement) = named(&call).await?;
    Ok(Reply::one(render(&seen, &statement)))
}

/// `DELETE …/monetary-account/{account}/customer-statement/{id}`
pub(crate) async fn delete(call: Call) -> Result<Reply, Error> {
    let (_, mut statement) = named(&call).await?;
    statement.value.is_deleted = true;
    statement.forget_at = Some(call.ctx.now);
    statement.save(&call.bunq.drawer).await?;
    Ok(Reply::empty())
}

/// `GET …/monetary-account/{account}/customer-statement/{id}/content`
pub(crate) async fn content(call: Call) -> Result<Reply, Error> {
    let (seen, record) = named(&call).await?;
    let made = tokio::time::timeout(MAX_TIME, file(&call, &seen, record)).await;
    made.map_err(|_| {
        Error::bad(
            "The statement could not be made in time; ask for one of a shorter period, or try again later.",
        )
    })?
}

/// Makes the file of a statement.
async fn file(call: &Call, seen: &Seen, record: Record<CustomerStatement>) -> Result<Reply, Error> {
    let value = record.value;
    let (opening, transactions) = in_period(call, seen, value.from, value.to).await?;
    let (from, to, account) = (value.from, value.to, seen.account().clone());
    let statement = Statement { account, number: record.id, from, to, opening, transactions };
    let is_european = value.regional_format == Some(RegionalFormat::European);
    let (write, kind): (Box<dyn FnOnce() -> Vec<u8> + Send>, _) = match value.format {
        Format::Csv => (Box::new(move || csv(&statement, is_european)), "text/csv"),
        Format::Mt940 => (Box::new(move || mt940(&statement)), "text/plain"),
        Format::Pdf => (Box::new(move || pdf(&statement)), "application/pdf"),
    };
    // A long one takes long enough to keep others waiting.
    let written = tokio::task::spawn_blocking(write).await.map_err(gateway::Error::internal)?;
    Ok(Reply::content(Bytes::from(written), kind))
}

/// What was there before a transaction.
fn before(one: &Transaction) -> Money {
    let after = one.balance_after.map_or(0, |money| money.minor);
    Money { minor: after - one.amount.minor, currency: one.amount.currency }
}

/// The transactions of a period, oldest first, and what was there before them. What lies outside of the period is not
/// read.
async fn in_period(
    call: &Call,
    seen: &Seen,
    from: Date,
    to: Date,
) -> Result<(Money, Vec<Transaction>), Error> {
    let ledger = Ledger::of(call, seen).await?;
    let earlier = match from.yesterday() {
        Ok(day) => ledger.count_up_to(day).await?,
        Err(_) => 0,
    };
    let mut newest = ledger.count_up_to(to).await?.max(earlier);
    if newest - earlier > MAX_TRANSACTIONS {
        return Err(Error::bad(format!(
            "There are more than {MAX_TRANSACTIONS} payments in this period; ask for a shorter one."
        )));
    }
    let mut found = Vec::new();
    while newest > earlier {
        breathe().await;
        let chunk = ledger.up_to(newest, CHUNK.min(newest - earlier)).await?;
        let Some(length) = i64::try_from(chunk.len()).ok().filter(|length| *length > 0) else { break };
        newest -= length;
        found.extend(chunk.into_iter().map(|(_, one)| one));
    }
    found.reverse();
    let zero = Money { minor: 0, currency: seen.account().currency };
    let last_before = ledger.up_to(earlier, 1).await?.pop();
    let opening = last_before.and_then(|(_, one)| one.balance_after);
    Ok((opening.or_else(|| found.first().map(before)).unwrap_or(zero), found))
}

/// `POST …/event/{event}/statement`
pub(crate) async fn create_of_payment(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named(&call).await?;
    let payment = call.names.event.get()?;
    find_one(&call, &seen, payment).await?;
    let statement = call.bunq.add(&call.ctx, payment, PaymentStatement { payment }).await?;
    Ok(Reply::id(statement.id))
}

async fn of_payment(call: &Call) -> Result<(Seen, Transaction, Record<PaymentStatement>), Error> {
    let seen = accounts::named(call).await?;
    let payment = call.names.event.get()?;
    let (_, transaction) = find_one(call, &seen, payment).await?;
    let found = call.record::<PaymentStatement>(payment, call.names.id.get()?).await?;
    Ok((seen, transaction, found))
}

/// `GET …/event/{event}/statement/{id}`
pub(crate) async fn read_of_payment(call: Call) -> Result<Reply, Error> {
    let (_, _, statement) = of_payment(&call).await?;
    let rendered = statement.stamped(wire::PaymentStatement { status: State::Completed });
    Ok(Reply::one(Object::ExportStatementPayment(rendered)))
}

/// `GET …/event/{event}/statement/{id}/content`
pub(crate) async fn content_of_payment(call: Call) -> Result<Reply, Error> {
    let (seen, transaction, record) = of_payment(&call).await?;
    let day = transaction.booking_date;
    let statement = Statement {
        account: seen.account().clone(),
        number: record.id,
        from: day,
        to: day,
        opening: before(&transaction),
        transactions: vec![transaction],
    };
    Ok(Reply::content(Bytes::from(pdf(&statement)), "application/pdf"))
}
