//! The body of a single euro payment.

use gateway::domain::{
    AccountNumber, AccountReference, Counterparty, Currency, Date, Execution, Iban, Money, PaymentProduct,
    PaymentService, PaymentTerms, Transfer, parse_day,
};
use serde::Deserialize;

use crate::error::Error;
use crate::wire;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PaymentRequest {
    instructed_amount: wire::Amount,
    creditor_account: wire::AccountReference,
    creditor_name: String,
    debtor_account: Option<wire::AccountReference>,
    requested_execution_date: Option<String>,
    remittance_information_unstructured: Option<String>,
    end_to_end_identification: Option<String>,
}

pub(crate) struct Ordered {
    pub(crate) terms: PaymentTerms,
    pub(crate) transfers: Vec<Transfer>,
    pub(crate) debtor: Option<AccountReference>,
}

pub(crate) fn single(
    product: PaymentProduct,
    request: PaymentRequest,
    today: Date,
) -> Result<Ordered, Error> {
    let execution = match &request.requested_execution_date {
        None => Execution::AtOnce,
        Some(text) => match parse_day(text).map_err(Error::format)? {
            day if day <= today => Execution::AtOnce,
            day => Execution::On(day),
        },
    };
    let amount = &request.instructed_amount;
    let currency = Currency::from_code(&amount.currency)
        .ok_or_else(|| Error::format("instructedAmount.currency is no code of ISO 4217"))?;
    let iban = |account: wire::AccountReference| {
        let iban = account.iban.ok_or_else(|| Error::format("an account is identified by iban"))?;
        Iban::parse(&iban).map_err(Error::format)
    };
    let debtor = request.debtor_account.map(iban).transpose()?;
    let transfer = Transfer {
        creditor: Counterparty {
            name: Some(request.creditor_name),
            iban: Some(iban(request.creditor_account)?),
        },
        amount: Money::parse(&amount.amount, currency).map_err(Error::format)?,
        remittance: request.remittance_information_unstructured,
        end_to_end_id: request.end_to_end_identification,
        routing: None,
    };
    Ok(Ordered {
        terms: PaymentTerms { service: PaymentService::Single, product, execution, batch_booking: None },
        transfers: vec![transfer],
        debtor: debtor.map(|iban| AccountReference { number: AccountNumber::Iban(iban), currency: None }),
    })
}
