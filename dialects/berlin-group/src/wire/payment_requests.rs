//! Payments as a third party asks for them.

use serde::{Deserialize, Serialize};

use super::{AccountReference, Amount};

/// A request for many payments from one account at once, in JSON (NextGenPSD2 1.3.11, `bulkPaymentInitiation_json`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BulkPaymentRequest {
    /// The account that pays.
    pub debtor_account: AccountReference,
    /// Whether the payer wants one entry for all transfers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_booking_preferred: Option<bool>,
    /// The day on which they are made, `YYYY-MM-DD`; at once if it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_execution_date: Option<String>,
    /// Not supported by this profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_execution_time: Option<serde_json::Value>,
    /// The payments, without the account that pays and without days of their own.
    pub payments: Vec<PaymentRequest>,
}

/// A request for a payment, single or periodic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentRequest {
    /// The payer's own reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_to_end_identification: Option<String>,
    /// The account that pays; the customer chooses it if it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debtor_account: Option<AccountReference>,
    /// How much.
    pub instructed_amount: Amount,
    /// The payee's account.
    pub creditor_account: AccountReference,
    /// The payee's bank (BIC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creditor_agent: Option<String>,
    /// The payee.
    pub creditor_name: String,
    /// Where the payee lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creditor_address: Option<Address>,
    /// Who bears the charges (ISO 20022, ChargeBearerType1Code).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge_bearer: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remittance_information_unstructured: Option<String>,
    /// The payee's reference: a text, or an object with `reference`, `referenceType` and `referenceIssuer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remittance_information_structured: Option<serde_json::Value>,
    /// Not supported by this profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remittance_information_unstructured_array: Option<serde_json::Value>,
    /// Not supported by this profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remittance_information_structured_array: Option<serde_json::Value>,
    /// The day on which a single payment is made, `YYYY-MM-DD`; at once if it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_execution_date: Option<String>,
    /// Not supported by this profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_execution_time: Option<serde_json::Value>,
    /// The first day of a periodic payment, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_date: Option<String>,
    /// How often it is made: `Daily`, `Monthly` …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<String>,
    /// The last day, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_date: Option<String>,
    /// `following` or `preceding`: which business day stands in for a day that is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_rule: Option<String>,
    /// Day of the month, `1` to `31`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day_of_execution: Option<String>,
    /// The months of the frequency `MonthlyVariable`, `1` to `12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub months_of_execution: Option<Vec<String>>,
}

/// A postal address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    /// Street.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street_name: Option<String>,
    /// Number in the street.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub building_number: Option<String>,
    /// Town.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub town_name: Option<String>,
    /// Postal code: `postcode` at Triodos, `postCode` in the standard.
    #[serde(default, rename = "postcode", alias = "postCode", skip_serializing_if = "Option::is_none")]
    pub post_code: Option<String>,
    /// Country (ISO 3166-1, two letters).
    pub country: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_write_is_read_and_written_as_the_bank_writes_it() {
        let request = r#"{"instructedAmount": {"currency": "USD", "amount": 12.5}, "tenant": "nl",
            "creditorAccount": {"foreignAccountNumber": "123"}, "creditorName": "Shop", "endDate": null,
            "creditorAddress": {"postCode": "1", "country": "US"}}"#;
        let request: PaymentRequest = serde_json::from_str(request).unwrap();
        assert_eq!(request.instructed_amount.amount, "12.5");
        assert_eq!(request.end_date, None);
        let written = serde_json::to_value(&request).unwrap();
        let expected = serde_json::json!({
            "instructedAmount": {"currency": "USD", "amount": "12.5"},
            "creditorAccount": {"foreignAccountNumber": "123"}, "creditorName": "Shop",
            "creditorAddress": {"postcode": "1", "country": "US"},
        });
        assert_eq!(written, expected);
        assert_eq!(serde_json::from_value::<PaymentRequest>(written).unwrap(), request);
    }
}
