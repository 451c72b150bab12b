//! Bodies that ask for payments, held against every rule that needs nothing but the body and the branch's day
//! (NextGenPSD2 1.3.6, 5.3; lengths of its OpenAPI description 1.3.11).

pub(crate) mod bulk;
mod repetition;
pub(crate) mod rules;

use gateway::domain::{
    AccountReference, Address, Counterparty, Currency, Execution, Iban, PayeeAccount, PaymentProduct,
    PaymentService, PaymentTerms, Routing, Transfer,
};
use http::StatusCode;
use serde_json::Value;

use self::rules::Days;
use crate::consents::reference;
use crate::error::{Error, shorten};
use crate::wire;

/// What a body asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ordered {
    /// Kind, product and time.
    pub(crate) terms: PaymentTerms,
    /// What is paid.
    pub(crate) transfers: Vec<Transfer>,
    /// The account that pays; the customer chooses it if it is absent.
    pub(crate) debtor: Option<AccountReference>,
}

/// A single payment, at once or on a day. `days` are those on which payments can be made.
///
/// # Errors
/// 400 `FORMAT_ERROR`, `EXECUTION_DATE_INVALID`, `PARAMETER_NOT_SUPPORTED`; 403 `PRODUCT_INVALID`
pub(crate) fn single(
    product: PaymentProduct,
    request: wire::PaymentRequest,
    days: Days,
) -> Result<Ordered, Error> {
    let periodic = [
        ("startDate", request.start_date.is_some()),
        ("frequency", request.frequency.is_some()),
        ("endDate", request.end_date.is_some()),
    ];
    if let Some((name, _)) = periodic.iter().find(|(_, given)| *given) {
        return Err(Error::format(format!(
            "{name} is for periodic payments; post them to periodic-payments/{}",
            product.name()
        )));
    }
    let execution = execution(&request, days)?;
    ordered(PaymentService::Single, product, request, execution)
}

/// When a payment is made that is made once.
fn execution(request: &wire::PaymentRequest, days: Days) -> Result<Execution, Error> {
    if request.requested_execution_time.is_some() {
        return Err(unsupported("requestedExecutionTime", "send a day as requestedExecutionDate"));
    }
    let Some(text) = &request.requested_execution_date else { return Ok(Execution::AtOnce) };
    let day = rules::execution_day("requestedExecutionDate", text, days)?;
    Ok(if day == days.today { Execution::AtOnce } else { Execution::On(day) })
}

fn unsupported(name: &str, right: &str) -> Error {
    let text = format!("{name} is not supported; {right}");
    Error::new(StatusCode::BAD_REQUEST, "PARAMETER_NOT_SUPPORTED", text)
}

/// A payment that is made again and again. `days` are those on which payments can be made.
///
/// # Errors
/// 400 `FORMAT_ERROR`, `EXECUTION_DATE_INVALID`, `PERIOD_INVALID`, `PARAMETER_NOT_SUPPORTED`; 403 `PRODUCT_INVALID`
pub(crate) fn periodic(
    product: PaymentProduct,
    request: wire::PaymentRequest,
    days: Days,
) -> Result<Ordered, Error> {
    if request.requested_execution_date.is_some() {
        return Err(Error::format(
            "requestedExecutionDate is for single payments; a periodic payment begins on startDate",
        ));
    }
    let execution = Execution::Repeated(repetition::repetition(&request, days)?);
    ordered(PaymentService::Periodic, product, request, execution)
}

fn ordered(
    service: PaymentService,
    product: PaymentProduct,
    request: wire::PaymentRequest,
    execution: Execution,
) -> Result<Ordered, Error> {
    let arrays = [
        (
            "remittanceInformationUnstructuredArray",
            request.remittance_information_unstructured_array.is_some(),
            "send one text as remittanceInformationUnstructured",
        ),
        (
            "remittanceInformationStructuredArray",
            request.remittance_information_structured_array.is_some(),
            "send one reference as remittanceInformationStructured",
        ),
        (
            "requestedExecutionTime",
            request.requested_execution_time.is_some(),
            "send a day as requestedExecutionDate",
        ),
    ];
    if let Some((name, _, right)) = arrays.iter().find(|(_, given, _)| *given) {
        return Err(unsupported(name, right));
    }
    let transfer = transfer(product, &request)?;
    let debtor = request.debtor_account.map(debtor).transpose()?;
    let terms = PaymentTerms { service, product, execution, batch_booking: None };
    Ok(Ordered { terms, transfers: vec![transfer], debtor })
}

fn debtor(account: wire::AccountReference) -> Result<AccountReference, Error> {
    reference(account).map_err(|error| error.of_member("debtorAccount"))
}

fn transfer(product: PaymentProduct, request: &wire::PaymentRequest) -> Result<Transfer, Error> {
    let wire::Amount { currency, amount } = &request.instructed_amount;
    let currency = currency_of(product, currency)?;
    let amount = rules::amount("instructedAmount.amount", amount, currency)?;
    check_payee_currency(&request.creditor_account, currency)?;
    let payee = payee(product, &request.creditor_account)?;
    rules::text("creditorName", &request.creditor_name, rules::MAX_NAME)?;
    if let Some(id) = &request.end_to_end_identification {
        rules::text("endToEndIdentification", id, rules::MAX_REFERENCE)?;
    }
    let iban = match &payee {
        Payee::Iban(iban) => Some(iban.clone()),
        Payee::Account(_) => None,
    };
    Ok(Transfer {
        creditor: Counterparty { name: Some(request.creditor_name.clone()), iban },
        amount,
        remittance: remittance(request)?,
        end_to_end_id: request.end_to_end_identification.clone(),
        routing: routing(product, payee, request)?,
    })
}

/// The currency of an amount, if payments of the product are made in it.
fn currency_of(product: PaymentProduct, code: &str) -> Result<Currency, Error> {
    use PaymentProduct as P;
    let currency = Currency::from_code(code).filter(|known| known.exponent().is_some()).ok_or_else(|| {
        Error::format(format!(
            "instructedAmount.currency \"{}\" is no currency of ISO 4217; send a code such as EUR",
            shorten(code)
        ))
    })?;
    match (product, currency) {
        (P::SepaCreditTransfers, Currency::EUR) | (P::UkDomesticTransfers, Currency::GBP) => Ok(currency),
        (P::SepaCreditTransfers, _) => {
            Err(Error::format(format!("instructedAmount.currency: SEPA transfers are in EUR, not in {code}")))
        }
        (P::UkDomesticTransfers, _) => Err(Error::new(
            StatusCode::FORBIDDEN,
            "PRODUCT_INVALID",
            format!(
                "instructedAmount.currency: transfers within the United Kingdom are in GBP, not in {code}"
            ),
        )),
        (P::CrossBorderCreditTransfers, Currency::EUR) => Err(Error::format(
            "instructedAmount.currency: cross-border transfers are in other currencies than EUR; \
             send euros with sepa-credit-transfers",
        )),
        (P::CrossBorderCreditTransfers, _) => Ok(currency),
    }
}

/// Checks that the account that is paid is named as one in the currency that is paid, if in any.
fn check_payee_currency(account: &wire::AccountReference, paid: Currency) -> Result<(), Error> {
    let Some(code) = &account.currency else { return Ok(()) };
    match Currency::from_code(code) {
        Some(currency) if currency == paid => Ok(()),
        Some(currency) => {
            let (named, paid) = (currency.code(), paid.code());
            Err(Error::new(
                StatusCode::FORBIDDEN,
                "PRODUCT_INVALID",
                format!(
                    "creditorAccount.currency is {named}, and instructedAmount is in {paid}; no payment is exchanged"
                ),
            ))
        }
        None => Err(Error::format(format!(
            "creditorAccount.currency \"{}\" is no code of ISO 4217",
            shorten(code)
        ))),
    }
}

/// The account that is paid.
enum Payee {
    Iban(Iban),
    Account(PayeeAccount),
}

fn payee(product: PaymentProduct, account: &wire::AccountReference) -> Result<Payee, Error> {
    use PaymentProduct as P;
    let wire::AccountReference { iban, uk_sort_code, uk_account_number, foreign_account_number, .. } =
        account;
    match (product, iban, uk_sort_code, uk_account_number, foreign_account_number) {
        (P::SepaCreditTransfers, Some(iban), None, None, None) => {
            Ok(Payee::Iban(rules::sepa_iban("creditorAccount.iban", iban)?))
        }
        (P::UkDomesticTransfers, Some(iban), None, None, None) => {
            let iban = rules::iban("creditorAccount.iban", iban)?;
            if iban.sort_code_and_account_number().is_none() {
                return Err(Error::format(
                    "creditorAccount.iban is no British account; send one, or ukSortCode and ukAccountNumber",
                ));
            }
            Ok(Payee::Iban(iban))
        }
        (P::CrossBorderCreditTransfers, Some(iban), None, None, None) => {
            Ok(Payee::Iban(rules::iban("creditorAccount.iban", iban)?))
        }
        (P::UkDomesticTransfers | P::CrossBorderCreditTransfers, None, Some(sort), Some(number), None) => {
            british(sort, number).map(Payee::Account)
        }
        (P::CrossBorderCreditTransfers, None, None, None, Some(number)) => {
            rules::foreign_account_number("creditorAccount.foreignAccountNumber", number)?;
            Ok(Payee::Account(PayeeAccount::Foreign(number.clone())))
        }
        (P::SepaCreditTransfers, ..) => Err(Error::format("creditorAccount: send iban, and nothing else")),
        (P::UkDomesticTransfers, ..) => Err(Error::format(
            "creditorAccount: send ukSortCode (6 digits) and ukAccountNumber (8 digits), and nothing else",
        )),
        (P::CrossBorderCreditTransfers, ..) => Err(Error::format(
            "creditorAccount: send either iban, or foreignAccountNumber, or ukSortCode and ukAccountNumber",
        )),
    }
}

fn british(sort_code: &str, account_number: &str) -> Result<PayeeAccount, Error> {
    for (name, value, digits) in [("ukSortCode", sort_code, 6), ("ukAccountNumber", account_number, 8)] {
        if value.len() != digits || !value.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Error::format(format!(
                "creditorAccount.{name} has {digits} digits, and nothing else"
            )));
        }
    }
    Ok(PayeeAccount::British { sort_code: sort_code.to_owned(), account_number: account_number.to_owned() })
}

/// The text for the payee, or the payee's reference in its place: a transfer carries one of them (EPC125-05).
fn remittance(request: &wire::PaymentRequest) -> Result<Option<String>, Error> {
    const UNSTRUCTURED: &str = "remittanceInformationUnstructured";
    const STRUCTURED: &str = "remittanceInformationStructured";
    let text = request.remittance_information_unstructured.as_ref();
    if let Some(text) = text {
        rules::text(UNSTRUCTURED, text, rules::MAX_REMITTANCE)?;
    }
    let Some(structured) = &request.remittance_information_structured else { return Ok(text.cloned()) };
    if text.is_some() {
        return Err(Error::format(format!("send either {UNSTRUCTURED} or {STRUCTURED}, not both")));
    }
    let wrong = || Error::format(format!("{STRUCTURED} is a text, or an object with the text reference"));
    match structured {
        Value::String(reference) => {
            rules::text(STRUCTURED, reference, rules::MAX_REMITTANCE)?;
            Ok(Some(reference.clone()))
        }
        Value::Object(members) => {
            for name in ["reference", "referenceType", "referenceIssuer"] {
                match members.get(name) {
                    Some(Value::String(text)) => {
                        rules::text(&format!("{STRUCTURED}.{name}"), text, rules::MAX_REFERENCE)?;
                    }
                    None | Some(Value::Null) => {}
                    Some(_) => return Err(Error::format(format!("{STRUCTURED}.{name} is a text"))),
                }
            }
            members
                .get("reference")
                .and_then(Value::as_str)
                .map(|text| Some(text.to_owned()))
                .ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}

/// Where the money goes, as far as an IBAN does not say so.
fn routing(
    product: PaymentProduct,
    payee: Payee,
    request: &wire::PaymentRequest,
) -> Result<Option<Box<Routing>>, Error> {
    let account = match payee {
        Payee::Iban(_) => None,
        Payee::Account(account) => Some(account),
    };
    let is_abroad = product == PaymentProduct::CrossBorderCreditTransfers;
    match &request.creditor_agent {
        Some(bic) => rules::bic("creditorAgent", bic)?,
        None if is_abroad && account.is_some() => {
            return Err(Error::format(
                "creditorAgent is missing; send the BIC of the payee's bank, or the payee's account as iban",
            ));
        }
        None => {}
    }
    let address = request.creditor_address.as_ref().map(address).transpose()?;
    let charge_bearer = request.charge_bearer.as_deref();
    if let Some(code) = charge_bearer {
        rules::charge_bearer("chargeBearer", code, is_abroad)?;
    }
    let routing = Routing {
        account,
        agent: request.creditor_agent.clone(),
        address,
        charge_bearer: charge_bearer.filter(|_| is_abroad).map(str::to_owned),
    };
    Ok((routing != Routing::default()).then(|| Box::new(routing)))
}

fn address(address: &wire::Address) -> Result<Address, Error> {
    let wire::Address { street_name, building_number, town_name, post_code, country } = address;
    let lines = [
        ("streetName", street_name, rules::MAX_STREET),
        ("buildingNumber", building_number, rules::MAX_POST_CODE),
        ("townName", town_name, rules::MAX_TOWN),
        ("postcode", post_code, rules::MAX_POST_CODE),
    ];
    for (name, value, max) in lines {
        if let Some(value) = value {
            rules::text(&format!("creditorAddress.{name}"), value, max)?;
        }
    }
    rules::country("creditorAddress.country", country)?;
    Ok(Address {
        street: street_name.clone(),
        building: building_number.clone(),
        town: town_name.clone(),
        post_code: post_code.clone(),
        country: country.clone(),
    })
}

#[cfg(test)]
mod tests;
