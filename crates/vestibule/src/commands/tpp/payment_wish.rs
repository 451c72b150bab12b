//! What is to be paid, as the command line says it.

use gateway::domain::{Currency, Iban, Money};
use tpp::payments::{Abroad, BulkFile, Order, Paid, PaymentWish, Product, Repetition, Single};

use super::reading::day;
use crate::cli::{AbroadArgs, ProductArg, TppPayArgs, WhenArgs};
use crate::commands::{Failure, distinct, unreadable};

/// What the command line asks to be paid, checked as far as that is possible here.
pub(super) fn wish(command: &TppPayArgs) -> Result<PaymentWish, Failure> {
    if let Some(path) = &command.file {
        let content = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
        let file = BulkFile::read(&path.display().to_string(), content)?;
        return Ok(PaymentWish { from: None, paid: Paid::Bulk(Box::new(file)), anew: command.again.anew });
    }
    let payee = &command.payee;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let to = text(&payee.to);
    let product = payee.product.map(product);
    let is_british = product == Some(Product::Uk) || (product.is_none() && to.contains('/'));
    let usual = if is_british { "GBP" } else { "EUR" };
    let currency = payee.currency.as_deref().map(str::to_ascii_uppercase);
    check_payee(command, &to, currency.as_deref())?;
    let from = command.from.as_deref().map(|from| checked_account("--from", from)).transpose()?;
    let single = Single {
        order: Order {
            to,
            name: text(&payee.name),
            amount: checked_amount(&text(&payee.amount), currency.as_deref().unwrap_or(usual))?,
            description: text(&payee.reference),
        },
        currency,
        end_to_end_id: payee.end_to_end.clone(),
        product,
        on: day(command.when.on.as_deref())?,
        repeated: repetition(&command.when)?,
        abroad: abroad(&command.abroad),
    };
    Ok(PaymentWish { from, paid: Paid::Single(Box::new(single)), anew: command.again.anew })
}

/// Checks the payee of a payment, unless it goes to a country without IBANs.
fn check_payee(command: &TppPayArgs, to: &str, currency: Option<&str>) -> Result<(), Failure> {
    let TppPayArgs { payee, abroad, .. } = command;
    if payee.name.as_deref().is_some_and(|name| name.trim().is_empty()) {
        return Err(Failure::new("--name is empty; banks want the name of the payee, of 1 to 70 characters"));
    }
    let goes_abroad = payee.product == Some(ProductArg::CrossBorder)
        || currency.is_some_and(|currency| currency != "EUR")
        || abroad.bic.is_some()
        || abroad.country.is_some();
    if goes_abroad && !to.trim().is_empty() {
        return Ok(());
    }
    checked_account("--to", to).map(|_| ()).map_err(|failure| {
        Failure::new(format!(
            "{failure}; the number of an account in a country without IBANs goes with --country, --bic or --product \
             cross-border"
        ))
    })
}

/// An account by its number: an IBAN, or a British sort code and number, which the interface checks.
pub(super) fn checked_account(option: &str, text: &str) -> Result<String, Failure> {
    if text.contains('/') {
        return Ok(text.to_owned());
    }
    checked_iban(option, text).map_err(|failure| {
        Failure::new(format!("{failure}, or of a British account sort code and number, as 20-00-00/55779911"))
    })
}

/// An IBAN without what people put in between.
pub(super) fn checked_iban(option: &str, text: &str) -> Result<String, Failure> {
    let iban = Iban::parse(text).map_err(|_| {
        let why =
            "; it has a country, two check digits that fit, and as many characters as the country writes";
        let (shown, why) = if text.trim().is_empty() { ("an empty text", "") } else { (text, why) };
        Failure::new(format!("{option}: {shown} is no IBAN{why}; expected one such as NL91ABNA0417164300"))
    })?;
    Ok(iban.as_str().to_owned())
}

/// A positive amount as banks write amounts.
pub(super) fn checked_amount(text: &str, currency: &str) -> Result<String, Failure> {
    let shown =
        |text: &str| if text.trim().is_empty() { "an empty text".to_owned() } else { text.to_owned() };
    let known = Currency::from_code(currency).ok_or_else(|| {
        let currency = shown(currency);
        Failure::new(format!("{currency} is no currency; expected a code of ISO 4217, for example EUR"))
    })?;
    let money = Money::parse(text, known);
    let money = money.map_err(|error| Failure::new(format!("{} is no amount; {error}", shown(text))))?;
    if money.minor <= 0 {
        let text = format!("{text} is no amount; expected more than nothing, for example 12.50");
        return Err(Failure::new(text));
    }
    Ok(money.to_decimal())
}

fn product(product: ProductArg) -> Product {
    match product {
        ProductArg::Sepa => Product::Sepa,
        ProductArg::Uk => Product::Uk,
        ProductArg::CrossBorder => Product::CrossBorder,
    }
}

fn repetition(when: &WhenArgs) -> Result<Option<Repetition>, Failure> {
    let Some(every) = when.every else { return Ok(None) };
    let number = |name: &str, number: u8, last: u8| match (1..=last).contains(&number) {
        true => Ok(number.to_string()),
        false => Err(Failure::new(format!("{name} is from 1 to {last}, not {number}"))),
    };
    distinct("--months", &when.months)?;
    let months = when.months.iter().map(|month| number("--months", *month, 12));
    Ok(Some(Repetition {
        frequency: every.name().to_owned(),
        until: day(when.until.as_deref())?,
        execution_rule: when.execution_rule.map(|rule| rule.name().to_owned()),
        day: when.day_of_execution.map(|day| number("--day-of-execution", day, 31)).transpose()?,
        months: months.collect::<Result<_, _>>()?,
    }))
}

fn abroad(args: &AbroadArgs) -> Abroad {
    let AbroadArgs { bic, charge_bearer, country, town, postcode, street, building } = args.clone();
    Abroad { agent: bic, charge_bearer, street, building, town, post_code: postcode, country }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_checked_before_anything_is_asked_for() {
        assert_eq!(checked_amount("12.5", "EUR").unwrap(), "12.50");
        for (text, currency, reason) in [
            ("12,50", "EUR", "12,50 is no amount; an amount in EUR is a decimal number"),
            ("0", "EUR", "expected more than nothing"),
            ("-1", "EUR", "expected more than nothing"),
            ("1.005", "EUR", "at most two places"),
            ("1.5", "JPY", "no fraction digits"),
            ("1", "EURO", "EURO is no currency"),
        ] {
            let error = checked_amount(text, currency).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
