//! Bulk payments: many SEPA transfers from one account on one day, in pain.001 (ISO 20022; EPC132-08) or in JSON
//! (NextGenPSD2 1.3.11).

use gateway::domain::payments::MAX_TRANSFERS;
use gateway::domain::{
    AccountNumber, AccountReference, Address, Counterparty, Currency, Date, Execution, Money, PaymentProduct,
    PaymentService, PaymentTerms, Routing, Transfer, parse_day, parse_moment,
};
use jiff::tz::Offset;

use super::rules::Days;
use super::{Ordered, rules};
use crate::error::{Error, shorten};
use crate::wire;
use crate::wire::pain001::{CreditTransfer, Initiation, PaymentInformation, PostalAddress, Value};

/// What a payer writes who has no reference of their own (EPC132-08, AT-T014).
const NO_REFERENCE: &str = "NOTPROVIDED";

/// A bulk payment. `days` are those on which payments can be made.
///
/// # Errors
/// 400 `FORMAT_ERROR`, `EXECUTION_DATE_INVALID`
pub(crate) fn ordered(document: &[u8], days: Days) -> Result<Ordered, Error> {
    let initiation =
        Initiation::read(document).map_err(|error| Error::format(format!("the body: {error}")))?;
    text(&initiation.message_id, rules::MAX_REFERENCE)?;
    let count = initiation.payments.iter().map(|payment| payment.transfers.len()).sum();
    if count > MAX_TRANSFERS {
        return Err(Error::format(format!(
            "the document has {count} transfers; send at most {MAX_TRANSFERS} at once"
        )));
    }
    let mut all = Vec::with_capacity(count);
    let mut common: Option<Common> = None;
    for payment in &initiation.payments {
        let own = Common::of(payment, days)?;
        match &common {
            Some(first) => first.check_same(&own, payment)?,
            None => common = Some(own),
        }
        let transfers = payment.transfers.iter().map(transfer).collect::<Result<Vec<_>, _>>()?;
        check_totals(payment.transactions.as_ref(), payment.control_sum.as_ref(), &transfers)?;
        all.extend(transfers);
    }
    check_totals(Some(&initiation.transactions), initiation.control_sum.as_ref(), &all)?;
    // The reader gives at least one.
    let common = common.ok_or_else(|| Error::format("CstmrCdtTrfInitn/PmtInf is missing"))?;
    let execution = if common.day == days.today { Execution::AtOnce } else { Execution::On(common.day) };
    let terms = PaymentTerms {
        service: PaymentService::Bulk,
        product: PaymentProduct::SepaCreditTransfers,
        execution,
        batch_booking: common.batch_booking,
    };
    Ok(Ordered { terms, transfers: all, debtor: Some(common.debtor) })
}

/// A bulk payment in JSON. `days` are those on which payments can be made.
///
/// # Errors
/// 400 `FORMAT_ERROR`, `EXECUTION_DATE_INVALID`, `PARAMETER_NOT_SUPPORTED`
pub(crate) fn in_json(request: wire::BulkPaymentRequest, days: Days) -> Result<Ordered, Error> {
    let wire::BulkPaymentRequest { debtor_account, batch_booking_preferred, payments, .. } = request;
    if payments.is_empty() || payments.len() > MAX_TRANSFERS {
        let count = payments.len();
        return Err(Error::format(format!(
            "payments has {count} elements; send 1 to {MAX_TRANSFERS} at once"
        )));
    }
    let mut transfers = Vec::with_capacity(payments.len());
    for (place, payment) in payments.into_iter().enumerate() {
        let of_all = [
            ("debtorAccount", payment.debtor_account.is_some()),
            ("requestedExecutionDate", payment.requested_execution_date.is_some()),
        ];
        let made = match of_all.iter().find(|(_, given)| *given) {
            Some((name, _)) => Err(Error::format(format!("{name} is said once for all, beside payments"))),
            None => super::single(PaymentProduct::SepaCreditTransfers, payment, days),
        };
        transfers.extend(made.map_err(|error| error.of_member(&format!("payments[{place}]")))?.transfers);
    }
    let common = wire::PaymentRequest {
        requested_execution_date: request.requested_execution_date,
        requested_execution_time: request.requested_execution_time,
        ..wire::PaymentRequest::default()
    };
    let terms = PaymentTerms {
        service: PaymentService::Bulk,
        product: PaymentProduct::SepaCreditTransfers,
        execution: super::execution(&common, days)?,
        batch_booking: batch_booking_preferred,
    };
    Ok(Ordered { terms, transfers, debtor: Some(super::debtor(debtor_account)?) })
}

/// What all transfers of a bulk payment share.
struct Common {
    debtor: AccountReference,
    day: Date,
    batch_booking: Option<bool>,
}

impl Common {
    fn of(payment: &PaymentInformation, days: Days) -> Result<Self, Error> {
        text(&payment.id, rules::MAX_REFERENCE)?;
        one_of(&payment.method, &["TRF"])?;
        sepa_terms(payment.service_level.as_ref(), payment.charge_bearer.as_ref())?;
        let Value { path, text } = &payment.debtor;
        let number = AccountNumber::Iban(rules::iban(path, text)?);
        let currency = payment.debtor_currency.as_ref();
        if let Some(currency) = currency {
            one_of(currency, &["EUR"])?;
        }
        let booking = payment.batch_booking.as_ref().map(|value| one_of(value, &["true", "false", "1", "0"]));
        Ok(Self {
            debtor: AccountReference { number, currency: currency.map(|value| value.text.clone()) },
            day: execution_day(&payment.execution_date, payment.is_moment, days)?,
            batch_booking: booking.transpose()?.map(|text| matches!(text, "true" | "1")),
        })
    }

    fn check_same(&self, other: &Self, payment: &PaymentInformation) -> Result<(), Error> {
        if self.debtor.number != other.debtor.number {
            return Err(Error::format(format!(
                "{} is another account than that of PmtInf[1]; send one document for each account that pays",
                payment.debtor.path
            )));
        }
        if self.day != other.day {
            return Err(Error::format(format!(
                "{} is another day than that of PmtInf[1]; send one document for each day",
                payment.execution_date.path
            )));
        }
        if self.batch_booking != other.batch_booking {
            let path = payment.batch_booking.as_ref().map_or(&payment.id.path, |value| &value.path);
            return Err(Error::format(format!(
                "{path}: BtchBookg is not that of PmtInf[1]; send the same one in each PmtInf, or none"
            )));
        }
        Ok(())
    }
}

/// The day as it is written: a moment counts as the day that it names, whatever its offset.
fn execution_day(value: &Value, is_moment: bool, days: Days) -> Result<Date, Error> {
    let Value { path, text } = value;
    if !is_moment {
        return rules::execution_day(path, text, days);
    }
    parse_moment(text, Some(Offset::UTC))
        .map_err(|error| Error::format(format!("{path} \"{}\": {error}", shorten(text))))?;
    let day = text.get(..10).and_then(|day| parse_day(day).ok());
    let day = day.map_or_else(|| text.clone(), |day| day.to_string());
    rules::execution_day(path, &day, days)
}

fn transfer(transfer: &CreditTransfer) -> Result<Transfer, Error> {
    sepa_terms(transfer.service_level.as_ref(), transfer.charge_bearer.as_ref())?;
    let Value { path, text: amount } = &transfer.amount;
    if transfer.currency != Currency::EUR.code() {
        let got = shorten(&transfer.currency);
        return Err(Error::format(format!("{path}: SEPA transfers are in EUR, not in \"{got}\"")));
    }
    let amount = rules::amount(path, amount, Currency::EUR)?;
    text(&transfer.end_to_end_id, rules::MAX_REFERENCE)?;
    text(&transfer.creditor_name, rules::MAX_NAME)?;
    let Value { path, text: iban } = &transfer.creditor;
    let iban = rules::sepa_iban(path, iban)?;
    if let Some(currency) = &transfer.creditor_currency {
        one_of(currency, &["EUR"])?;
    }
    if let Some(Value { path, text }) = &transfer.creditor_agent {
        rules::bic(path, text)?;
    }
    let routing = Routing {
        account: None,
        agent: transfer.creditor_agent.as_ref().map(|value| value.text.clone()),
        address: transfer.creditor_address.as_ref().map(address).transpose()?,
        charge_bearer: None,
    };
    let end_to_end_id = &transfer.end_to_end_id.text;
    Ok(Transfer {
        creditor: Counterparty { name: Some(transfer.creditor_name.text.clone()), iban: Some(iban) },
        amount,
        remittance: remittance(transfer)?,
        end_to_end_id: (end_to_end_id != NO_REFERENCE).then(|| end_to_end_id.clone()),
        routing: (routing != Routing::default()).then(|| Box::new(routing)),
    })
}

/// The text for the payee, or the payee's reference in its place.
fn remittance(transfer: &CreditTransfer) -> Result<Option<String>, Error> {
    match (&transfer.unstructured, &transfer.reference) {
        (Some(_), Some(reference)) => {
            Err(Error::format(format!("{}: a transfer has either Ustrd or Strd, not both", reference.path)))
        }
        (Some(unstructured), None) => {
            text(unstructured, rules::MAX_REMITTANCE)?;
            Ok(Some(unstructured.text.clone()))
        }
        (None, Some(reference)) => {
            text(reference, rules::MAX_REFERENCE)?;
            Ok(Some(reference.text.clone()))
        }
        (None, None) => Ok(None),
    }
}

fn address(address: &PostalAddress) -> Result<Address, Error> {
    let PostalAddress { street, building, town, post_code, country } = address;
    let line = |value: &Option<Value>, max| {
        let checked = value.as_ref().map(|value| text(value, max).map(|()| value.text.clone()));
        checked.transpose()
    };
    rules::country(&country.path, &country.text)?;
    Ok(Address {
        street: line(street, rules::MAX_STREET)?,
        building: line(building, rules::MAX_POST_CODE)?,
        town: line(town, rules::MAX_TOWN)?,
        post_code: line(post_code, rules::MAX_POST_CODE)?,
        country: country.text.clone(),
    })
}

/// What an order says of how it is to be made, where it says so: as SEPA transfers are.
fn sepa_terms(service_level: Option<&Value>, charge_bearer: Option<&Value>) -> Result<(), Error> {
    if let Some(level) = service_level {
        one_of(level, &["SEPA"])?;
    }
    charge_bearer.map_or(Ok(()), |value| rules::charge_bearer(&value.path, &value.text, false))
}

/// Number and sum of transfers, as somebody counted them.
fn check_totals(count: Option<&Value>, sum: Option<&Value>, transfers: &[Transfer]) -> Result<(), Error> {
    if let Some(Value { path, text }) = count {
        let is_number = (1..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if !is_number {
            let got = shorten(text);
            return Err(Error::format(format!(
                "{path} \"{got}\" is no number; send how many transfers follow"
            )));
        }
        if text.parse() != Ok(transfers.len()) {
            return Err(Error::format(format!(
                "{path} says {text}, and there are {} transfers; send all of them, or the right number",
                transfers.len()
            )));
        }
    }
    if let Some(Value { path, text }) = sum {
        let minor = transfers.iter().fold(0_i64, |sum, transfer| sum.saturating_add(transfer.amount.minor));
        let right = Money { minor, currency: Currency::EUR }.to_decimal();
        // A sum may have more places than a currency, as long as they say nothing.
        let shortened = match text.split_once('.') {
            Some((whole, places)) if places.len() > 2 && places.len() <= 17 => {
                format!("{whole}.{:0<2}", places.trim_end_matches('0'))
            }
            _ => text.clone(),
        };
        let said = Money::parse(&shortened, Currency::EUR).map_err(|_| {
            Error::format(format!("{path} \"{}\" is no sum in EUR; send {right}", shorten(text)))
        })?;
        if said.minor != minor {
            return Err(Error::format(format!(
                "{path} says {text}, and the transfers come to {right}; send all of them, or the right sum"
            )));
        }
    }
    Ok(())
}

fn text(value: &Value, max: usize) -> Result<(), Error> {
    rules::text(&value.path, &value.text, max)
}

fn one_of<'v>(value: &'v Value, known: &[&str]) -> Result<&'v str, Error> {
    let Value { path, text } = value;
    if known.contains(&text.as_str()) {
        return Ok(text);
    }
    Err(Error::format(format!("{path} \"{}\" is not one of {}", shorten(text), known.join(", "))))
}

#[cfg(test)]
mod tests;
