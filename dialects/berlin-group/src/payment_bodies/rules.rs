//! Rules for single values of payments. Each names the member, or the element, that breaks it.

use gateway::domain::payments::check_transfers;
use gateway::domain::{Counterparty, Currency, Date, Iban, Money, Transfer, hidden_in, parse_day};
use http::StatusCode;
use jiff::ToSpan;

use crate::error::{Error, shorten};

/// Longest name of a person or company, in characters.
pub(crate) const MAX_NAME: usize = 70;
/// Longest reference, in characters.
pub(crate) const MAX_REFERENCE: usize = 35;
/// Longest text for the payee, in characters.
pub(crate) const MAX_REMITTANCE: usize = 140;
/// Longest name of a street, in characters.
pub(crate) const MAX_STREET: usize = 70;
/// Longest name of a town, in characters (ISO 20022, PostalAddress).
pub(crate) const MAX_TOWN: usize = 35;
/// Longest postal code and number in a street, in characters (ISO 20022, PostalAddress).
pub(crate) const MAX_POST_CODE: usize = 16;
/// Longest account number that is no IBAN, in characters (ISO 20022, GenericAccountIdentification1).
const MAX_FOREIGN_NUMBER: usize = 34;

/// Countries whose banks are reached by SEPA credit transfers (EPC409-09).
const SEPA: &[&str] = &[
    "AD", "AL", "AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GI", "GR",
    "HR", "HU", "IE", "IS", "IT", "LI", "LT", "LU", "LV", "MC", "MD", "ME", "MK", "MT", "NL", "NO", "PL",
    "PT", "RO", "RS", "SE", "SI", "SK", "SM", "VA",
];

/// A text that people read: not blank, not too long, and nothing in it that cannot be seen or turns what is shown around.
pub(crate) fn text(name: &str, value: &str, max: usize) -> Result<(), Error> {
    let length = value.chars().count();
    if length > max {
        return Err(Error::format(format!("{name} has {length} characters; send at most {max}")));
    }
    if value.trim().is_empty() {
        return Err(Error::format(format!("{name} is empty; send 1 to {max} characters")));
    }
    if let Some(hidden) = hidden_in(value) {
        return Err(Error::format(format!(
            "{name} holds the character U+{:04X}, which cannot be shown; send characters that can",
            u32::from(hidden)
        )));
    }
    Ok(())
}

/// An amount that one transfer can carry.
pub(crate) fn amount(name: &str, text: &str, currency: Currency) -> Result<Money, Error> {
    let amount = Money::parse(text, currency)
        .map_err(|error| Error::format(format!("{name} \"{}\": {error}", shorten(text))))?;
    let transfer = Transfer {
        creditor: Counterparty::default(),
        amount,
        remittance: None,
        end_to_end_id: None,
        routing: None,
    };
    check_transfers(&[transfer]).map_err(|refusal| Error::format(format!("{name}: {refusal}")))?;
    Ok(amount)
}

/// An IBAN.
pub(crate) fn iban(name: &str, text: &str) -> Result<Iban, Error> {
    Iban::parse(text).map_err(|error| Error::format(error).of_member(name))
}

/// An IBAN of a country that takes part in SEPA.
pub(crate) fn sepa_iban(name: &str, text: &str) -> Result<Iban, Error> {
    let iban = iban(name, text)?;
    let country = iban.as_str().get(..2).unwrap_or_default();
    if SEPA.contains(&country) {
        return Ok(iban);
    }
    Err(Error::format(format!("{name}: SEPA transfers do not reach the country {country}")))
}

/// An account number as a country without IBANs writes it.
pub(crate) fn foreign_account_number(name: &str, number: &str) -> Result<(), Error> {
    let is_right = (1..=MAX_FOREIGN_NUMBER).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_alphanumeric() || b" -/.".contains(&b))
        && number.bytes().any(|b| b.is_ascii_alphanumeric());
    if is_right {
        return Ok(());
    }
    Err(Error::format(format!(
        "{name} is an account number of 1 to {MAX_FOREIGN_NUMBER} letters, digits, blanks, or - / ."
    )))
}

/// A BIC (ISO 9362, in the pattern of NextGenPSD2).
pub(crate) fn bic(name: &str, text: &str) -> Result<(), Error> {
    let octets = text.as_bytes();
    let is_right = matches!(octets.len(), 8 | 11)
        && octets.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && octets.iter().take(6).all(u8::is_ascii_uppercase)
        && !matches!(octets.get(6), Some(b'0' | b'1'))
        && octets.get(7) != Some(&b'O');
    if is_right {
        return Ok(());
    }
    Err(Error::format(format!(
        "{name} \"{}\" is no BIC; send 8 or 11 capital letters and digits, for example ABNANL2A",
        shorten(text)
    )))
}

/// A country (ISO 3166-1).
pub(crate) fn country(name: &str, code: &str) -> Result<(), Error> {
    if code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase()) {
        return Ok(());
    }
    Err(Error::format(format!(
        "{name} \"{}\" is no country; send its code of two capital letters, for example NL",
        shorten(code)
    )))
}

/// Who bears the charges. Within a country or SEPA each side bears its own, which two of the codes say.
pub(crate) fn charge_bearer(name: &str, code: &str, is_abroad: bool) -> Result<(), Error> {
    let right = if is_abroad { "DEBT, CRED, SHAR, SLEV" } else { "SHAR, SLEV" };
    if right.split(", ").any(|known| known == code) {
        return Ok(());
    }
    Err(Error::format(format!("{name} \"{}\" is not one of {right} for this product", shorten(code))))
}

/// A day, whatever it is for.
pub(crate) fn day(name: &str, text: &str) -> Result<Date, Error> {
    parse_day(text)
        .map_err(|error| Error::format(format!("{name} \"{}\" is no date; {error}", shorten(text))))
}

/// The days on which payments can be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Days {
    /// The branch's day.
    pub(crate) today: Date,
    last: Date,
}

impl Days {
    /// Today, and so many days to come.
    pub(crate) fn from(today: Date, ahead: i32) -> Self {
        Self { today, last: today.saturating_add(ahead.days()) }
    }
}

/// A day on which a payment can be made: today or one of the days to come.
pub(crate) fn execution_day(name: &str, text: &str, days: Days) -> Result<Date, Error> {
    let (day, Days { today, last }) = (day(name, text)?, days);
    let wrong = match day {
        _ if day < today => "is in the past",
        _ if day > last => "is too far ahead",
        _ => return Ok(day),
    };
    let text =
        format!("{name} {day} {wrong}; send a day from {today}, which is today at this bank, to {last}");
    Err(Error::new(StatusCode::BAD_REQUEST, "EXECUTION_DATE_INVALID", text))
}
