//! Payments as the interface wants them.

use serde_json::{Map, Value, json};

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
    /// What is sent for a wish on a day at the bank, `YYYY-MM-DD`.
    pub(super) fn new(wish: &PaymentWish, today: &str) -> Result<Self, Error> {
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
            None => usual_product(single),
        };
        let mut body = members(single, product)?;
        if let Some(from) = &wish.from {
            body.insert("debtorAccount".to_owned(), account(from)?);
        }
        let first = single.on.as_deref();
        let service = match &single.repeated {
            Some(repeated) => {
                insert_repetition(&mut body, repeated, first.unwrap_or(today));
                "periodic-payments"
            }
            None => {
                insert(&mut body, "requestedExecutionDate", first);
                "payments"
            }
        };
        let body = serde_json::to_vec(&body).map_err(|error| Error::Setup(error.to_string()))?;
        Ok(Self {
            product: format!("{service}/{}", product.name()),
            content_type: "application/json",
            body,
            asked: in_words(single, product),
            is_dated: first.is_some_and(|day| day > today),
        })
    }
}

/// How a payment is made, by the payee's account and the currency.
fn usual_product(single: &Single) -> Product {
    let is_foreign = single.currency.as_deref().is_some_and(|currency| currency != "EUR");
    match () {
        () if single.order.to.contains('/') => Product::Uk,
        () if is_foreign || !is_like_iban(&single.order.to) || !single.abroad.is_empty() => {
            Product::CrossBorder
        }
        () => Product::Sepa,
    }
}

/// What every single payment has.
fn members(single: &Single, product: Product) -> Result<Map<String, Value>, Error> {
    let order = &single.order;
    let is_foreign = product == Product::CrossBorder && !is_like_iban(&order.to);
    let creditor = match is_foreign {
        true => json!({"foreignAccountNumber": order.to.trim()}),
        false => account(&order.to)?,
    };
    let mut body = Map::new();
    let amount = json!({"currency": currency(single, product), "amount": order.amount});
    body.insert("instructedAmount".to_owned(), amount);
    body.insert("creditorAccount".to_owned(), creditor);
    insert(&mut body, "creditorName", Some(&order.name));
    let remittance = Some(order.description.as_str()).filter(|text| !text.is_empty());
    insert(&mut body, "remittanceInformationUnstructured", remittance);
    insert(&mut body, "endToEndIdentification", single.end_to_end_id.as_deref());
    let Abroad { agent, charge_bearer, street, building, town, post_code, country } = &single.abroad;
    insert(&mut body, "creditorAgent", agent.as_deref());
    insert(&mut body, "chargeBearer", charge_bearer.as_deref());
    let mut address = Map::new();
    for (name, value) in [
        ("streetName", street),
        ("buildingNumber", building),
        ("townName", town),
        ("postCode", post_code),
        ("country", country),
    ] {
        insert(&mut address, name, value.as_deref());
    }
    if !address.is_empty() {
        body.insert("creditorAddress".to_owned(), Value::Object(address));
    }
    Ok(body)
}

fn insert_repetition(body: &mut Map<String, Value>, repeated: &Repetition, first: &str) {
    let Repetition { frequency, until, execution_rule, day, months } = repeated;
    insert(body, "startDate", Some(first));
    insert(body, "frequency", Some(frequency));
    insert(body, "endDate", until.as_deref());
    insert(body, "executionRule", execution_rule.as_deref());
    insert(body, "dayOfExecution", day.as_deref());
    if !months.is_empty() {
        body.insert("monthsOfExecution".to_owned(), json!(months));
    }
}

fn insert(body: &mut Map<String, Value>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        body.insert(name.to_owned(), value.into());
    }
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
pub(super) fn account(text: &str) -> Result<Value, Error> {
    let Some((sort_code, number)) = text.split_once('/') else {
        let iban: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        return Ok(json!({ "iban": iban.to_ascii_uppercase() }));
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
    Ok(json!({"ukSortCode": sort_code, "ukAccountNumber": number}))
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
    use super::*;
    use crate::payments::Order;

    fn wish(to: &str, change: impl FnOnce(&mut Single)) -> PaymentWish {
        let order = Order {
            to: to.to_owned(),
            name: "Shop".to_owned(),
            amount: "12.50".to_owned(),
            description: "Order 7".to_owned(),
        };
        let mut single = Single {
            order,
            currency: None,
            end_to_end_id: None,
            product: None,
            on: None,
            repeated: None,
            abroad: Abroad::default(),
        };
        change(&mut single);
        PaymentWish { from: None, paid: Paid::Single(Box::new(single)) }
    }

    fn request(wish: &PaymentWish) -> (PaymentRequest, Value) {
        let request = PaymentRequest::new(wish, "2026-11-26").unwrap();
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
            let error = PaymentRequest::new(&wish(wrong, |_| {}), "2026-11-26").unwrap_err().to_string();
            assert!(error.contains("for example 20-00-00/55779911"), "{error}");
        }
    }
}
