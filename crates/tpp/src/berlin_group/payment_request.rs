//! Payments as the interface wants them.

use berlin_group::wire;

use crate::Error;
use crate::payments::{Abroad, Paid, PaymentWish, Product, Repetition, Single};

/// A request for a payment.
#[derive(Debug)]
pub(super) struct PaymentRequest {
    /// Service and product as they are in paths.
    pub(super) product: String,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
    /// What it is, for people.
    pub(super) asked: String,
    /// Whether it is for a later day.
    pub(super) is_dated: bool,
}

impl PaymentRequest {
    /// What is sent to a branch for a wish, on a day at the bank, `YYYY-MM-DD`. `country` is that of the branch, as far as the
    /// bank says it.
    pub(super) fn new(wish: &PaymentWish, country: Option<&str>, today: &str) -> Result<Self, Error> {
        let single = match &wish.paid {
            Paid::Single(single) => single,
            Paid::Bulk(file) => {
                return Ok(Self {
                    product: format!("bulk-payments/{}", Product::Sepa.name()),
                    content_type: file.content_type,
                    body: file.content.clone(),
                    asked: file.summary.clone(),
                    is_dated: false,
                });
            }
        };
        let product = match single.product {
            Some(product) => product,
            None => usual_product(single, country.or_else(|| country_of(wish.from.as_deref()?))),
        };
        let mut body = request_of(single, product)?;
        body.debtor_account = wish.from.as_deref().map(account).transpose()?;
        let service = match &single.repeated {
            Some(repeated) => {
                repeat(&mut body, repeated, single.on.as_deref().unwrap_or(today));
                "periodic-payments"
            }
            None => {
                body.requested_execution_date.clone_from(&single.on);
                "payments"
            }
        };
        let body = serde_json::to_vec(&body).map_err(|error| Error::Setup(error.to_string()))?;
        Ok(Self {
            product: format!("{service}/{}", product.name()),
            content_type: "application/json",
            body,
            asked: in_words(single, product),
            is_dated: single.on.as_deref().is_some_and(|day| day > today),
        })
    }
}

/// The country whose payments in pounds are domestic.
const BRITISH: &str = "GB";

/// The country of an IBAN; none of a number of another kind.
fn country_of(number: &str) -> Option<&str> {
    is_like_iban(number).then(|| number.trim().get(..2)).flatten()
}

/// How a payment is made, by the payee's account, the currency, and the country of whoever pays. A payee of a payment in euros may have a bank and an address,
/// too.
fn usual_product(single: &Single, country: Option<&str>) -> Product {
    let to = single.order.to.trim();
    let currency = single.currency.as_deref().unwrap_or("EUR");
    let is_british =
        |country: Option<&str>| country.is_some_and(|country| country.eq_ignore_ascii_case(BRITISH));
    match currency {
        _ if to.contains('/') => Product::Uk,
        "GBP" if is_british(country) && is_british(to.get(..2)) => Product::Uk,
        "EUR" if is_like_iban(to) && single.abroad.charge_bearer.is_none() => Product::Sepa,
        _ => Product::CrossBorder,
    }
}

/// What every single payment has.
fn request_of(single: &Single, product: Product) -> Result<wire::PaymentRequest, Error> {
    let order = &single.order;
    let is_foreign = product == Product::CrossBorder && !is_like_iban(&order.to);
    let creditor_account = match is_foreign {
        true => wire::AccountReference {
            foreign_account_number: Some(order.to.trim().to_owned()),
            ..wire::AccountReference::default()
        },
        false => account(&order.to)?,
    };
    let currency = currency(single, product).to_owned();
    Ok(wire::PaymentRequest {
        instructed_amount: wire::Amount { currency, amount: order.amount.clone() },
        creditor_account,
        creditor_name: order.name.clone(),
        remittance_information_unstructured: Some(order.description.clone()).filter(|text| !text.is_empty()),
        end_to_end_identification: single.end_to_end_id.clone(),
        creditor_agent: single.abroad.agent.clone(),
        charge_bearer: single.abroad.charge_bearer.clone(),
        creditor_address: address(&single.abroad),
        ..wire::PaymentRequest::default()
    })
}

/// Where the payee lives, once the country is known.
fn address(abroad: &Abroad) -> Option<wire::Address> {
    Some(wire::Address {
        street_name: abroad.street.clone(),
        building_number: abroad.building.clone(),
        town_name: abroad.town.clone(),
        post_code: abroad.post_code.clone(),
        country: abroad.country.clone()?,
    })
}

fn repeat(body: &mut wire::PaymentRequest, repeated: &Repetition, first: &str) {
    let Repetition { frequency, until, execution_rule, day, months } = repeated.clone();
    body.start_date = Some(first.to_owned());
    body.frequency = Some(frequency);
    body.end_date = until;
    body.execution_rule = execution_rule;
    body.day_of_execution = day;
    body.months_of_execution = Some(months).filter(|months| !months.is_empty());
}

fn currency(single: &Single, product: Product) -> &str {
    let usual = if product == Product::Uk { "GBP" } else { "EUR" };
    single.currency.as_deref().unwrap_or(usual)
}

fn in_words(single: &Single, product: Product) -> String {
    let order = &single.order;
    let mut text = format!("{} {} to {}", order.amount, currency(single, product), order.name);
    if let Some(repeated) = &single.repeated {
        text += &format!(", {}", repeated.frequency);
    }
    if let Some(day) = &single.on {
        text += &format!(", {} {day}", if single.repeated.is_some() { "from" } else { "on" });
    }
    if let Some(until) = single.repeated.as_ref().and_then(|repeated| repeated.until.as_ref()) {
        text += &format!(" until {until}");
    }
    text
}

/// An account by its number: an IBAN, or a British sort code and number.
pub(super) fn account(text: &str) -> Result<wire::AccountReference, Error> {
    let Some((sort_code, number)) = text.split_once('/') else {
        let iban: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        return Ok(wire::AccountReference { iban: Some(iban.to_ascii_uppercase()), ..Default::default() });
    };
    let digits = |text: &str| text.chars().filter(|c| !matches!(c, '-' | ' ')).collect::<String>();
    let (sort_code, number) = (digits(sort_code), digits(number));
    let are_digits = |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    if !are_digits(&sort_code, 6) || !are_digits(&number, 8) {
        return Err(Error::Setup(format!(
            "{text} is no account; a British one is a sort code of 6 digits and a number of 8, for example \
             20-00-00/55779911"
        )));
    }
    Ok(wire::AccountReference {
        uk_sort_code: Some(sort_code),
        uk_account_number: Some(number),
        ..Default::default()
    })
}

/// Whether a text begins as IBANs do, with a country and two digits.
fn is_like_iban(text: &str) -> bool {
    let octets: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    octets.len() > 4
        && octets[..2].iter().all(u8::is_ascii_alphabetic)
        && octets[2..4].iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::payments::Order;

    fn wish(to: &str, change: impl FnOnce(&mut Single)) -> PaymentWish {
        let order = Order {
            to: to.to_owned(),
            name: "Shop".to_owned(),
            amount: "12.50".to_owned(),
            description: "Order 7".to_owned(),
        };
        let mut single = Single::of(order);
        change(&mut single);
        PaymentWish { from: None, paid: Paid::Single(Box::new(single)), anew: false }
    }

    fn request(wish: &PaymentWish) -> (PaymentRequest, Value) {
        let request = PaymentRequest::new(wish, Some("GB"), "2026-11-26").unwrap();
        let body = serde_json::from_slice(&request.body).unwrap();
        (request, body)
    }

    #[test]
    fn products_follow_from_the_payee_and_the_currency() {
        let of = |to: &str, change: fn(&mut Single)| request(&wish(to, change)).0.product;
        let iban = "NL91 ABNA 0417 1643 00";
        for (to, change, product) in [
            (iban, (|_| {}) as fn(&mut Single), "payments/sepa-credit-transfers"),
            ("20-00-00/55779911", |_| {}, "payments/uk-domestic-transfers"),
            (iban, |it| it.abroad.agent = Some("ABNANL2A".to_owned()), "payments/sepa-credit-transfers"),
            (
                "GB29 NWBK 6016 1331 9268 19",
                |it| it.currency = Some("GBP".to_owned()),
                "payments/uk-domestic-transfers",
            ),
            (iban, |it| it.currency = Some("GBP".to_owned()), "payments/cross-border-credit-transfers"),
            (iban, |it| it.currency = Some("USD".to_owned()), "payments/cross-border-credit-transfers"),
            ("026009593 1234", |_| {}, "payments/cross-border-credit-transfers"),
            (iban, |it| it.product = Some(Product::Uk), "payments/uk-domestic-transfers"),
            (iban, |it| it.repeated = Some(Repetition::default()), "periodic-payments/sepa-credit-transfers"),
        ] {
            assert_eq!(of(to, change), product);
        }
    }

    #[test]
    fn requests_are_written_as_the_bank_reads_them() {
        let (once, body) = request(&wish("nl91 abna 0417 1643 00", |_| {}));
        let mut expected = json!({
            "instructedAmount": {"currency": "EUR", "amount": "12.50"},
            "creditorAccount": {"iban": "NL91ABNA0417164300"},
            "creditorName": "Shop",
            "remittanceInformationUnstructured": "Order 7",
        });
        assert_eq!(body, expected);
        assert_eq!((once.asked.as_str(), once.is_dated), ("12.50 EUR to Shop", false));

        let (later, body) = request(&wish("NL91ABNA0417164300", |it| it.on = Some("2026-11-30".to_owned())));
        expected["requestedExecutionDate"] = "2026-11-30".into();
        assert_eq!(body, expected);
        assert!(later.is_dated && later.asked.ends_with(", on 2026-11-30"));

        let (_, body) = request(&wish("20-00-00/55779911", |it| {
            it.repeated = Some(Repetition {
                frequency: "MonthlyVariable".to_owned(),
                until: Some("2027-12-01".to_owned()),
                execution_rule: Some("preceding".to_owned()),
                day: Some("31".to_owned()),
                months: vec!["1".to_owned(), "7".to_owned()],
            });
        }));
        assert_eq!(body["instructedAmount"]["currency"], "GBP");
        let british = json!({"ukSortCode": "200000", "ukAccountNumber": "55779911"});
        assert_eq!((&body["creditorAccount"], &body["startDate"]), (&british, &json!("2026-11-26")));
        assert_eq!((&body["dayOfExecution"], &body["monthsOfExecution"]), (&json!("31"), &json!(["1", "7"])));

        let (_, body) = request(&wish("026009593 1234", |it| {
            it.abroad = Abroad {
                agent: Some("BOFAUS3N".to_owned()),
                country: Some("US".to_owned()),
                ..Abroad::default()
            };
        }));
        assert_eq!(body["creditorAccount"], json!({"foreignAccountNumber": "026009593 1234"}));
        assert_eq!(body["creditorAddress"], json!({"country": "US"}));
        for wrong in ["20-00-0/55779911", "20-00-00/5577991", "/", "x/y"] {
            let error =
                PaymentRequest::new(&wish(wrong, |_| {}), Some("NL"), "2026-11-26").unwrap_err().to_string();
            assert!(error.contains("for example 20-00-00/55779911"), "{error}");
        }
    }
}
