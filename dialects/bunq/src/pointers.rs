//! Pointers: who is to be paid or asked, by account number, or by an address that this bank knows (section 2.3).

use gateway::domain::payments::{MAX_REMITTANCE_ELSEWHERE, MAX_TRANSFERS};
use gateway::domain::{AccountStatus, Counterparty, Iban, Product, Transfer};
use serde::Deserialize;

use crate::call::Call;
use crate::error::Error;
use crate::fields::Fields;
use crate::labels::user_of_email;
use crate::users::{self, User};

/// Parties of a bank for tests that have no account, and their names: the first gives money, the second takes it.
pub(crate) const GIVER: (&str, &str) = ("sugardaddy@bunq.com", "Sugar Daddy");
const TAKER: (&str, &str) = ("bravo@bunq.com", "Bravo");

/// Longest name and reference, in characters.
pub(crate) const MAX_NAME: usize = 140;

/// By what a pointer names somebody.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Kind {
    Iban,
    Email,
    PhoneNumber,
}

/// Whom a pointer leads to.
pub(crate) struct Pointed {
    /// Name and number.
    pub(crate) counterparty: Counterparty,
    /// Number of the user, if it is one of this bank that was named by address.
    pub(crate) user: Option<i64>,
    /// Whether it is the one who gives money away.
    pub(crate) is_giver: bool,
}

/// Follows a pointer in the body.
///
/// # Errors
/// 400
pub(crate) async fn follow(call: &Call, pointer: Fields<'_>) -> Result<Pointed, Error> {
    let kind: Kind = pointer.word("type")?;
    let value = pointer.text("value")?;
    let name = pointer.optional_text("name")?.map(str::trim).filter(|name| !name.is_empty());
    if name.is_some_and(|name| name.chars().count() > MAX_NAME) {
        return Err(Error::bad(format!("The name of the pointer has more than {MAX_NAME} characters.")));
    }
    if kind == Kind::Iban {
        let name = name.ok_or_else(|| Error::bad("A pointer of type IBAN needs a \"name\"."))?;
        let counterparty = Counterparty { name: Some(name.to_owned()), iban: Some(iban(value)?) };
        return Ok(Pointed { counterparty, user: None, is_giver: false });
    }
    if call.bunq.edge.gateway.is_for_tests() {
        for (address, name) in [GIVER, TAKER] {
            if kind == Kind::Email && value.eq_ignore_ascii_case(address) {
                let counterparty = Counterparty { name: Some(name.to_owned()), iban: None };
                return Ok(Pointed { counterparty, user: None, is_giver: address == GIVER.0 });
            }
        }
    }
    // These addresses can be guessed, and lead to names and account numbers: no real customer has one.
    let known = user_of_email(value).filter(|_| kind == Kind::Email && call.bunq.edge.gateway.is_for_tests());
    match known {
        Some(user) => of_user(call, user).await?.ok_or_else(|| nobody(kind)),
        None => Err(nobody(kind)),
    }
}

fn nobody(kind: Kind) -> Error {
    let what = if kind == Kind::Email { "e-mail address" } else { "number" };
    Error::bad(format!("No user of this bank has this {what}."))
}

/// A customer is paid on the first current account that is in use.
async fn of_user(call: &Call, id: i64) -> Result<Option<Pointed>, Error> {
    let user = users::find(&call.bunq, id).await?;
    let Some(User::Customer { customer }) = user.map(|user| user.value) else { return Ok(None) };
    let accounts = call.bunq.edge.gateway.own_accounts(&customer).await?;
    let is_payable = |account: &gateway::domain::Account| {
        account.status == AccountStatus::Enabled && account.product == Product::Current
    };
    let account = accounts.into_iter().map(|readable| readable.account).find(is_payable);
    Ok(account.map(|account| Pointed {
        counterparty: Counterparty { name: Some(account.name), iban: Some(account.iban) },
        user: Some(id),
        is_giver: false,
    }))
}

/// Reads an account number.
///
/// # Errors
/// 400
pub(crate) fn iban(text: &str) -> Result<Iban, Error> {
    Iban::parse(text).map_err(|_| {
        Error::bad("The IBAN is invalid: its country, characters, length or check digits are wrong, for example NL91ABNA0417164300 is right.")
    })
}

/// A payment as requests describe it: amount, counterparty, text.
///
/// # Errors
/// 400
pub(crate) async fn transfer(call: &Call, fields: Fields<'_>) -> Result<Transfer, Error> {
    let amount = fields.positive_amount("amount")?;
    let pointed = follow(call, fields.object("counterparty_alias")?).await?;
    let description = fields.optional_text("description")?;
    let description = description.ok_or_else(|| Error::bad("The field \"description\" is required."))?;
    let reference = fields.optional_text("merchant_reference")?;
    if reference.is_some_and(|text| text.chars().count() > MAX_NAME) {
        return Err(Error::bad(format!(
            "The field \"merchant_reference\" has more than {MAX_NAME} characters."
        )));
    }
    check_description(call, &pointed.counterparty, description)?;
    Ok(Transfer {
        creditor: pointed.counterparty,
        amount,
        remittance: Some(description.to_owned()),
        end_to_end_id: reference.map(str::to_owned),
        routing: None,
    })
}

/// A list of payments.
///
/// # Errors
/// 400
pub(crate) async fn transfers(call: &Call, fields: Fields<'_>, name: &str) -> Result<Vec<Transfer>, Error> {
    let list = fields.objects(name)?;
    if list.is_empty() {
        return Err(Error::bad(format!("The field \"{name}\" is required, with at least one element.")));
    }
    if list.len() > MAX_TRANSFERS {
        return Err(Error::bad(format!("The field \"{name}\" has more than {MAX_TRANSFERS} elements.")));
    }
    let mut transfers = Vec::new();
    for fields in list {
        transfers.push(transfer(call, fields).await?);
    }
    Ok(transfers)
}

/// Texts to other banks are short.
///
/// # Errors
/// 400
pub(crate) fn check_description(call: &Call, to: &Counterparty, text: &str) -> Result<(), Error> {
    let is_elsewhere = to.iban.as_ref().is_some_and(|iban| !call.bunq.edge.gateway.is_own(iban));
    let length = text.chars().count();
    if is_elsewhere && length > MAX_REMITTANCE_ELSEWHERE {
        return Err(Error::bad(format!(
            "The field \"description\" has {length} characters; to another bank it can have {MAX_REMITTANCE_ELSEWHERE}."
        )));
    }
    Ok(())
}
