//! `/xs2a-bg/{tenant}/v1/accounts` and `/xs2a-bg/{tenant}/v2/savings`: account information (NextGenPSD2 1.3.6, 6.5).

use axum::Json;
use axum::extract::State;
use edge::{Check, Edge, note_passed, note_subject};
use gateway::accounts::{AccountRead, Criteria};
use gateway::domain::{
    Account, AccountStatus, BookingStatus, ConsentId, Date, Money, Product, Subject, Tenant, Transaction,
    parse_day,
};
use gateway::{AccessCredentials, AccountView, ConsentAccess, TransactionsRequest};

use crate::auth::Signed;
use crate::error::{Error, shorten};
use crate::{links, wire};

/// Current accounts.
pub(crate) mod current {
    use super::{AccountKind, Product};

    /// The kind of account.
    pub(crate) struct Kind;

    impl AccountKind for Kind {
        const PRODUCT: Product = Product::Current;
    }
}

/// Savings accounts.
pub(crate) mod savings {
    use super::{AccountKind, Product};

    /// The kind of account.
    pub(crate) struct Kind;

    impl AccountKind for Kind {
        const PRODUCT: Product = Product::Savings;
    }
}

/// A kind of account, which decides the paths.
pub(crate) trait AccountKind {
    const PRODUCT: Product;
}

/// Lists the accounts of a kind that the consent covers.
pub(crate) async fn list<K: AccountKind>(
    State(edge): State<Edge>,
    call: Signed,
) -> Result<Json<wire::AccountList>, Error> {
    let access = access(&edge, &call).await?;
    let views = edge.gateway.accounts(&access, K::PRODUCT).await?;
    Ok(Json(wire::AccountList {
        accounts: views.iter().map(|view| render_account(&call.ctx.tenant, view)).collect(),
    }))
}

/// Reads one account.
pub(crate) async fn details<K: AccountKind>(
    State(edge): State<Edge>,
    call: Signed,
) -> Result<Json<wire::AccountDetails>, Error> {
    let id = call.id("account")?;
    let access = access(&edge, &call).await?;
    let view = edge.gateway.account(&access, &id, K::PRODUCT).await?;
    Ok(Json(wire::AccountDetails { account: render_account(&call.ctx.tenant, &view) }))
}

/// Reads balances.
pub(crate) async fn balances<K: AccountKind>(
    State(edge): State<Edge>,
    call: Signed,
) -> Result<Json<wire::Balances>, Error> {
    let id = call.id("account")?;
    let attended = call.psu_ip_address()?.is_some();
    let access = access(&edge, &call).await?;
    let read = AccountRead { id: &id, product: K::PRODUCT, attended };
    let (view, balances) = edge.gateway.balances(&call.ctx, &access, read).await?;
    let balances = balances.into_iter().map(|balance| wire::Balance {
        balance_type: balance.kind.name().to_owned(),
        balance_amount: Some(amount(balance.amount)),
        reference_date: Some(balance.reference_date.to_string()),
        credit_limit_included: Some(balance.credit_limit_included),
    });
    Ok(Json(wire::Balances { account: reference(&view.account), balances: balances.collect() }))
}

/// Reads transactions.
pub(crate) async fn transactions<K: AccountKind>(
    State(edge): State<Edge>,
    call: Signed,
) -> Result<Json<wire::Transactions>, Error> {
    read_transactions::<K>(&edge, &call, parse(&call)?).await
}

/// Reads a page of transactions by its token alone: the older form of the link.
pub(crate) async fn transactions_page<K: AccountKind>(
    State(edge): State<Edge>,
    call: Signed,
) -> Result<Json<wire::Transactions>, Error> {
    let request = parse(&call)?;
    if request.edge_token.is_none() {
        return Err(Error::format("edgeToken is missing; follow the next link of an earlier answer"));
    }
    read_transactions::<K>(&edge, &call, request).await
}

async fn read_transactions<K: AccountKind>(
    edge: &Edge,
    call: &Signed,
    request: TransactionsRequest,
) -> Result<Json<wire::Transactions>, Error> {
    let id = call.id("account")?;
    let attended = call.psu_ip_address()?.is_some();
    let access = access(edge, call).await?;
    let read = AccountRead { id: &id, product: K::PRODUCT, attended };
    let page = edge.gateway.transactions(&call.ctx, &access, read, request).await?;
    let base = links::account(&call.ctx.tenant, K::PRODUCT, &id);
    let next = page.next.as_ref().map(|token| {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("edgeToken", token).finish();
        format!("{base}/transactions?{query}")
    });
    let links = wire::TransactionLinks {
        first: Some(format!("{base}/transactions?{}", first_query(&page.criteria))),
        account: Some(base),
        next,
    };
    let today = call.ctx.today();
    Ok(Json(wire::Transactions {
        account: reference(&page.view.account),
        transactions: wire::TransactionList {
            booked: page.booked.iter().map(|one| render_transaction(one, None)).collect(),
            pending: page.pending.iter().map(|one| render_transaction(one, Some(today))).collect(),
            links,
        },
    }))
}

/// Consent and token of a call.
async fn access(edge: &Edge, call: &Signed) -> Result<ConsentAccess, Error> {
    let consent = ConsentId::new(call.consent_id()?);
    note_subject(Subject::Consent(consent.clone()));
    let certificate = call.peer_fingerprint();
    let credentials =
        AccessCredentials { tpp: call.tpp(), token: call.bearer()?, certificate: certificate.as_deref() };
    let access = edge.gateway.access(&call.ctx, credentials, &consent).await?;
    note_passed(Check::AccessToken);
    note_passed(Check::Consent);
    Ok(access)
}

/// The criteria of a first page, or the token of a later one, beside which everything else is ignored.
fn parse(call: &Signed) -> Result<TransactionsRequest, Error> {
    if let Some(token) = call.query("edgeToken")?.filter(|token| !token.is_empty()) {
        return Ok(TransactionsRequest { edge_token: Some(token), ..TransactionsRequest::default() });
    }
    let date = |name: &'static str| -> Result<Option<Date>, Error> {
        let Some(text) = call.query(name)? else { return Ok(None) };
        let date = parse_day(&text)
            .map_err(|error| Error::format(format!("{name} \"{}\" is no date; {error}", shorten(&text))))?;
        Ok(Some(date))
    };
    let status = match call.query("bookingStatus")?.as_deref() {
        None => None,
        Some("all") => Some(BookingStatus::Both),
        Some("information") => {
            let text = "bookingStatus information is not supported; use booked, pending or both";
            return Err(Error::new(http::StatusCode::BAD_REQUEST, "PARAMETER_NOT_SUPPORTED", text));
        }
        Some(name) => Some(BookingStatus::from_name(name).ok_or_else(|| {
            Error::format(format!("bookingStatus \"{}\" is not one of booked, pending, both", shorten(name)))
        })?),
    };
    Ok(TransactionsRequest { status, from: date("dateFrom")?, to: date("dateTo")?, edge_token: None })
}

fn first_query(criteria: &Criteria) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("bookingStatus", criteria.status.name());
    // A period that lies before everything that may be seen is empty, and its beginning would be after its end.
    if criteria.from != Date::MIN && criteria.from <= criteria.to {
        query.append_pair("dateFrom", &criteria.from.to_string());
    }
    query.append_pair("dateTo", &criteria.to.to_string()).finish()
}

fn render_account(tenant: &Tenant, view: &AccountView) -> wire::Account {
    let AccountView { resource_id, account, balances, transactions } = view;
    let base = links::account(tenant, account.product, resource_id);
    let wire::AccountReference { iban, uk_sort_code, uk_account_number, .. } = reference(account);
    // An account that is blocked or closed tells its details alone.
    let is_readable = account.status == AccountStatus::Enabled;
    wire::Account {
        iban,
        uk_sort_code,
        uk_account_number,
        currency: Some(account.currency.code().to_owned()),
        resource_id: resource_id.clone(),
        cash_account_type: Some(account.product.code().to_owned()),
        name: Some(account.name.clone()),
        status: Some(account.status.name().to_owned()),
        links: wire::AccountLinks {
            balances: (*balances && is_readable).then(|| format!("{base}/balances")),
            transactions: (*transactions && is_readable).then(|| format!("{base}/transactions")),
            account: Some(base),
        },
    }
}

fn reference(account: &Account) -> wire::AccountReference {
    let british = account.iban.sort_code_and_account_number();
    wire::AccountReference {
        iban: Some(account.iban.as_str().to_owned()),
        uk_sort_code: british.map(|(sort_code, _)| sort_code.to_owned()),
        uk_account_number: british.map(|(_, account_number)| account_number.to_owned()),
        currency: None,
        ..wire::AccountReference::default()
    }
}

fn amount(money: Money) -> wire::Amount {
    wire::Amount { currency: money.currency.code().to_owned(), amount: money.to_decimal() }
}

/// Only the other side is named, and an account of it is always there, if only empty: that is how clients tell
/// money that came in from money that went out. What is `pending` has the day on which it is so in place of the day on
/// which it will be booked, which may lie outside the period that was asked for.
fn render_transaction(transaction: &Transaction, pending: Option<Date>) -> wire::Transaction {
    let is_booked = pending.is_none();
    let counterparty = &transaction.counterparty;
    let other = Some(wire::AccountReference {
        iban: counterparty.iban.as_ref().map(|iban| iban.as_str().to_owned()),
        ..wire::AccountReference::default()
    });
    let name = counterparty.name.clone();
    let came_in = transaction.amount.minor >= 0;
    let (debtor, creditor) =
        if came_in { ((name, other), (None, None)) } else { ((None, None), (name, other)) };
    wire::Transaction {
        transaction_id: is_booked.then(|| transaction.id.clone()),
        booking_date: Some(pending.unwrap_or(transaction.booking_date).to_string()),
        value_date: is_booked.then(|| transaction.value_date.to_string()),
        transaction_amount: amount(transaction.amount.abs()),
        creditor_name: creditor.0,
        creditor_account: creditor.1,
        debtor_name: debtor.0,
        debtor_account: debtor.1,
        remittance_information_unstructured: transaction.remittance.clone(),
        proprietary_bank_transaction_code: transaction.code.clone(),
        end_to_end_identification: transaction.end_to_end_id.clone(),
    }
}
