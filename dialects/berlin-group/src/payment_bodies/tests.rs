use gateway::domain::{AccountNumber, ExecutionRule, Frequency, Money, Repetition};
use proptest::prelude::*;
use serde_json::json;

use super::*;

const TODAY: &str = "2026-11-26";

fn today() -> Date {
    TODAY.parse().unwrap()
}

/// A body that is right for a product.
fn right(product: PaymentProduct) -> Value {
    match product {
        PaymentProduct::SepaCreditTransfers => json!({
            "instructedAmount": {"currency": "EUR", "amount": "12.50"},
            "creditorAccount": {"iban": "NL91ABNA0417164300"},
            "creditorName": "Bakery",
        }),
        PaymentProduct::UkDomesticTransfers => json!({
            "instructedAmount": {"currency": "GBP", "amount": "12.50"},
            "creditorAccount": {"ukSortCode": "123456", "ukAccountNumber": "98765432"},
            "creditorName": "Bakery",
        }),
        PaymentProduct::CrossBorderCreditTransfers => json!({
            "instructedAmount": {"currency": "JPY", "amount": "1250"},
            "creditorAccount": {"foreignAccountNumber": "12-345 6"},
            "creditorName": "Bakery",
            "creditorAgent": "BOTKJPJT",
        }),
    }
}

/// The body with some members changed; those that are null are gone.
fn changed(mut body: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => body.as_object_mut().unwrap().remove(name),
            value => body.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    body
}

fn read(service: PaymentService, product: PaymentProduct, changes: Value) -> Result<Ordered, Error> {
    let base = match service {
        Periodic => changed(right(product), json!({"startDate": "2026-12-01", "frequency": "Monthly"})),
        _ => right(product),
    };
    let body = serde_json::from_value(changed(base, changes)).unwrap();
    match service {
        Periodic => periodic(product, body, today()),
        _ => single(product, body, today()),
    }
}

use PaymentProduct::{
    CrossBorderCreditTransfers as ABROAD, SepaCreditTransfers as SEPA, UkDomesticTransfers as UK,
};
use PaymentService::{Periodic, Single};

#[test]
fn a_sepa_payment_is_read() {
    let ordered = read(
        Single,
        SEPA,
        json!({
            "debtorAccount": {"iban": "nl21 vstb 2878 2313 91", "currency": "EUR"},
            "requestedExecutionDate": "2026-11-27",
            "remittanceInformationUnstructured": "Bread für März",
            "endToEndIdentification": "e2e",
            "creditorAgent": "ABNANL2A",
            "creditorAddress": {"country": "NL", "postcode": "1011 AB"},
            "chargeBearer": "SLEV",
            "purposeCode": "GDDS",
        }),
    )
    .unwrap();
    let terms =
        PaymentTerms { execution: Execution::On("2026-11-27".parse().unwrap()), ..PaymentTerms::AT_ONCE };
    assert_eq!(ordered.terms, terms);
    let iban = Iban::parse("NL21VSTB2878231391").unwrap();
    assert_eq!(
        ordered.debtor,
        Some(AccountReference { number: AccountNumber::Iban(iban), currency: Some("EUR".into()) })
    );
    let [transfer] = ordered.transfers.as_slice() else { panic!("one transfer") };
    assert_eq!(transfer.amount, Money { minor: 1250, currency: Currency::EUR });
    assert_eq!(transfer.creditor.name.as_deref(), Some("Bakery"));
    assert_eq!(transfer.creditor.iban, Some(Iban::parse("NL91ABNA0417164300").unwrap()));
    assert_eq!(transfer.remittance.as_deref(), Some("Bread für März"));
    assert_eq!(transfer.end_to_end_id.as_deref(), Some("e2e"));
    let routing = transfer.routing.as_deref().unwrap();
    assert_eq!(routing.agent.as_deref(), Some("ABNANL2A"));
    assert_eq!(routing.charge_bearer, None, "a SEPA transfer has nothing to choose");
    assert_eq!(routing.address.as_ref().unwrap().post_code.as_deref(), Some("1011 AB"));
    let plain = read(Single, SEPA, json!({"requestedExecutionDate": TODAY})).unwrap();
    assert_eq!((plain.terms, plain.debtor), (PaymentTerms::AT_ONCE, None));
    assert_eq!(plain.transfers[0].routing, None);
}

#[test]
fn amounts_are_texts_or_numbers() {
    for amount in [json!("12.5"), json!("12.50"), json!(12.5), json!(12.50), json!("0012.50")] {
        let body = json!({"instructedAmount": {"currency": "EUR", "amount": amount}});
        let ordered = read(Single, SEPA, body).unwrap();
        assert_eq!(ordered.transfers[0].amount.minor, 1250);
    }
    let whole = json!({"instructedAmount": {"currency": "EUR", "amount": 7}});
    assert_eq!(read(Single, SEPA, whole).unwrap().transfers[0].amount.minor, 700);
}

#[test]
fn accounts_without_an_iban_are_read() {
    let british = PayeeAccount::British { sort_code: "123456".into(), account_number: "98765432".into() };
    let debtor = json!({"debtorAccount": {"ukSortCode": "654321", "ukAccountNumber": "11112222"}});
    let ordered = read(Single, UK, debtor).unwrap();
    assert_eq!(ordered.transfers[0].routing.as_ref().unwrap().account, Some(british.clone()));
    assert_eq!(ordered.transfers[0].creditor.iban, None);
    assert_eq!(ordered.debtor.unwrap().shown(), "654321 11112222");
    let by_iban = read(Single, UK, json!({"creditorAccount": {"iban": "GB82WEST12345698765432"}})).unwrap();
    assert_eq!(by_iban.transfers[0].routing, None);

    let ordered = read(Single, ABROAD, json!({"chargeBearer": "SHAR"})).unwrap();
    let routing = ordered.transfers[0].routing.as_deref().unwrap();
    assert_eq!(routing.account, Some(PayeeAccount::Foreign("12-345 6".into())));
    assert_eq!(
        (routing.agent.as_deref(), routing.charge_bearer.as_deref()),
        (Some("BOTKJPJT"), Some("SHAR"))
    );
    let changes = json!({"creditorAccount": {"ukSortCode": "123456", "ukAccountNumber": "98765432"}});
    let routing = read(Single, ABROAD, changes).unwrap().transfers.remove(0).routing.unwrap();
    assert_eq!(routing.account, Some(british));
    let changes = json!({"creditorAccount": {"iban": "SA0380000000608010167519"}, "creditorAgent": null});
    assert_eq!(read(Single, ABROAD, changes).unwrap().transfers[0].routing, None);
}

#[test]
fn references_stand_in_for_texts() {
    for structured in [
        json!("RF18539007547034"),
        json!({"reference": "RF18539007547034", "referenceType": "SCOR", "referenceIssuer": null}),
    ] {
        let ordered = read(Single, SEPA, json!({"remittanceInformationStructured": structured})).unwrap();
        assert_eq!(ordered.transfers[0].remittance.as_deref(), Some("RF18539007547034"));
    }
}

#[test]
fn repetitions_are_read() {
    let start = || "2026-12-01".parse().unwrap();
    let plain = Repetition {
        start: start(),
        end: None,
        frequency: Frequency::Monthly,
        rule: None,
        day: None,
        months: Vec::new(),
    };
    for (changes, expected) in [
        (json!({}), plain.clone()),
        (
            json!({"endDate": "2026-12-31", "executionRule": "preceding", "dayOfExecution": "31"}),
            Repetition {
                end: Some("2026-12-31".parse().unwrap()),
                rule: Some(ExecutionRule::Preceding),
                day: Some(31),
                ..plain.clone()
            },
        ),
        // The standard's own example writes the day so.
        (json!({"dayOfExecution": "01"}), Repetition { day: Some(1), ..plain.clone() }),
        (json!({"frequency": "Weekly"}), Repetition { frequency: Frequency::Weekly, ..plain.clone() }),
        (
            json!({"frequency": "MonthlyVariable", "monthsOfExecution": ["10", "1", "4"], "executionRule": "following"}),
            Repetition {
                frequency: Frequency::MonthlyVariable,
                rule: Some(ExecutionRule::Following),
                months: vec![1, 4, 10],
                ..plain.clone()
            },
        ),
        (
            json!({"startDate": TODAY, "endDate": TODAY}),
            Repetition { start: today(), end: Some(today()), ..plain.clone() },
        ),
    ] {
        let ordered = read(Periodic, SEPA, changes.clone()).unwrap();
        assert_eq!(ordered.terms.service, Periodic);
        assert_eq!(ordered.terms.execution, Execution::Repeated(expected), "{changes}");
    }
}

/// Members that are changed, the code, and what is said. `x*9` is nine times x.
type Row = (&'static str, &'static str, &'static str);

/// With any payment.
const ANY: &[Row] = &[
    (
        r#"{"instructedAmount": {"currency": "XYZ", "amount": "1"}}"#,
        "FORMAT_ERROR",
        r#"instructedAmount.currency "XYZ" is no currency of ISO 4217; send a code such as EUR"#,
    ),
    (
        r#"{"instructedAmount": {"currency": "eur", "amount": "1"}}"#,
        "FORMAT_ERROR",
        r#"instructedAmount.currency "eur" is no currency of ISO 4217; send a code such as EUR"#,
    ),
    (
        r#"{"instructedAmount": {"currency": "XAU", "amount": "1"}}"#,
        "FORMAT_ERROR",
        r#"instructedAmount.currency "XAU" is no currency of ISO 4217; send a code such as EUR"#,
    ),
    (
        r#"{"instructedAmount": {"currency": "GBP", "amount": "1"}}"#,
        "FORMAT_ERROR",
        "instructedAmount.currency: SEPA transfers are in EUR, not in GBP",
    ),
    (
        r#"{"instructedAmount": {"currency": "EUR", "amount": "1,50"}}"#,
        "FORMAT_ERROR",
        r#"instructedAmount.amount "1,50": an amount in EUR is a decimal number of up to 14 digits with at most two places, for example 12.50"#,
    ),
    (
        r#"{"instructedAmount": {"currency": "EUR", "amount": "1.505"}}"#,
        "FORMAT_ERROR",
        r#"instructedAmount.amount "1.505": an amount in EUR is a decimal number of up to 14 digits with at most two places, for example 12.50"#,
    ),
    (
        r#"{"instructedAmount": {"currency": "EUR", "amount": 1.505}}"#,
        "FORMAT_ERROR",
        r#"instructedAmount.amount "1.505": an amount in EUR is a decimal number of up to 14 digits with at most two places, for example 12.50"#,
    ),
    (
        r#"{"instructedAmount": {"currency": "EUR", "amount": "1e3"}}"#,
        "FORMAT_ERROR",
        r#"instructedAmount.amount "1e3": an amount in EUR is a decimal number of up to 14 digits with at most two places, for example 12.50"#,
    ),
    (
        r#"{"instructedAmount": {"currency": "EUR", "amount": "+1"}}"#,
        "FORMAT_ERROR",
        r#"instructedAmount.amount "+1": an amount in EUR is a decimal number of up to 14 digits with at most two places, for example 12.50"#,
    ),
    (
        r#"{"instructedAmount": {"currency": "EUR", "amount": ""}}"#,
        "FORMAT_ERROR",
        r#"instructedAmount.amount "": an amount in EUR is a decimal number of up to 14 digits with at most two places, for example 12.50"#,
    ),
    (
        r#"{"instructedAmount": {"currency": "EUR", "amount": "0.00"}}"#,
        "FORMAT_ERROR",
        "instructedAmount.amount: the amount must be greater than 0",
    ),
    (
        r#"{"instructedAmount": {"currency": "EUR", "amount": -1}}"#,
        "FORMAT_ERROR",
        "instructedAmount.amount: the amount must be greater than 0",
    ),
    (
        r#"{"instructedAmount": {"currency": "EUR", "amount": "1000000000"}}"#,
        "FORMAT_ERROR",
        "instructedAmount.amount: the amount must be at most 999999999.99 EUR",
    ),
    (r#"{"creditorName": "ä*71"}"#, "FORMAT_ERROR", "creditorName has 71 characters; send at most 70"),
    (r#"{"creditorName": " "}"#, "FORMAT_ERROR", "creditorName is empty; send 1 to 70 characters"),
    (
        r#"{"creditorName": "Ba\nkery"}"#,
        "FORMAT_ERROR",
        "creditorName holds the character U+000A, which cannot be shown; send characters that can",
    ),
    (
        r#"{"creditorName": "Ba\u202ekery"}"#,
        "FORMAT_ERROR",
        "creditorName holds the character U+202E, which cannot be shown; send characters that can",
    ),
    (
        r#"{"endToEndIdentification": "ä*36"}"#,
        "FORMAT_ERROR",
        "endToEndIdentification has 36 characters; send at most 35",
    ),
    (
        r#"{"endToEndIdentification": ""}"#,
        "FORMAT_ERROR",
        "endToEndIdentification is empty; send 1 to 35 characters",
    ),
    (
        r#"{"remittanceInformationUnstructured": "ä*141"}"#,
        "FORMAT_ERROR",
        "remittanceInformationUnstructured has 141 characters; send at most 140",
    ),
    (
        r#"{"remittanceInformationUnstructured": "a", "remittanceInformationStructured": {"reference": "b"}}"#,
        "FORMAT_ERROR",
        "send either remittanceInformationUnstructured or remittanceInformationStructured, not both",
    ),
    (
        r#"{"remittanceInformationStructured": {}}"#,
        "FORMAT_ERROR",
        "remittanceInformationStructured is a text, or an object with the text reference",
    ),
    (
        r#"{"remittanceInformationStructured": ["a"]}"#,
        "FORMAT_ERROR",
        "remittanceInformationStructured is a text, or an object with the text reference",
    ),
    (
        r#"{"remittanceInformationStructured": {"reference": 7}}"#,
        "FORMAT_ERROR",
        "remittanceInformationStructured.reference is a text",
    ),
    (
        r#"{"remittanceInformationStructured": {"reference": "ä*36"}}"#,
        "FORMAT_ERROR",
        "remittanceInformationStructured.reference has 36 characters; send at most 35",
    ),
    (
        r#"{"remittanceInformationStructured": {"reference": "a", "referenceIssuer": "ä*36"}}"#,
        "FORMAT_ERROR",
        "remittanceInformationStructured.referenceIssuer has 36 characters; send at most 35",
    ),
    (
        r#"{"remittanceInformationUnstructuredArray": ["a"]}"#,
        "PARAMETER_NOT_SUPPORTED",
        "remittanceInformationUnstructuredArray is not supported; send one text as remittanceInformationUnstructured",
    ),
    (
        r#"{"remittanceInformationStructuredArray": []}"#,
        "PARAMETER_NOT_SUPPORTED",
        "remittanceInformationStructuredArray is not supported; send one reference as remittanceInformationStructured",
    ),
    (
        r#"{"requestedExecutionTime": "2026-12-01T12:00:00Z"}"#,
        "PARAMETER_NOT_SUPPORTED",
        "requestedExecutionTime is not supported; send a day as requestedExecutionDate",
    ),
    (
        r#"{"debtorAccount": {"iban": "NL00"}}"#,
        "FORMAT_ERROR",
        "debtorAccount: Invalid iban: NL00 (those of its country have 18 characters)",
    ),
    (
        r#"{"debtorAccount": {}}"#,
        "FORMAT_ERROR",
        "debtorAccount: an account is identified by iban alone, or by ukSortCode (6 digits) and ukAccountNumber (8 digits)",
    ),
    (
        r#"{"debtorAccount": {"foreignAccountNumber": "1"}}"#,
        "FORMAT_ERROR",
        "debtorAccount: an account is identified by iban alone, or by ukSortCode (6 digits) and ukAccountNumber (8 digits)",
    ),
    (
        r#"{"debtorAccount": {"iban": "NL91ABNA0417164300", "currency": "euro"}}"#,
        "FORMAT_ERROR",
        r#"debtorAccount: currency "euro" is no code of ISO 4217"#,
    ),
    (
        r#"{"requestedExecutionDate": "2026-11-25"}"#,
        "EXECUTION_DATE_INVALID",
        "requestedExecutionDate 2026-11-25 is in the past; send a day from 2026-11-26, which is today at this bank, to 2027-11-26",
    ),
    (
        r#"{"requestedExecutionDate": "2027-11-27"}"#,
        "EXECUTION_DATE_INVALID",
        "requestedExecutionDate 2027-11-27 is too far ahead; send a day from 2026-11-26, which is today at this bank, to 2027-11-26",
    ),
    (
        r#"{"requestedExecutionDate": "27.11.2026"}"#,
        "FORMAT_ERROR",
        r#"requestedExecutionDate "27.11.2026" is no date; expected YYYY-MM-DD, a day in a year from 1900 to 9999"#,
    ),
    (
        r#"{"startDate": "2026-12-01"}"#,
        "FORMAT_ERROR",
        "startDate is for periodic payments; post them to periodic-payments/sepa-credit-transfers",
    ),
    (
        r#"{"frequency": "Monthly"}"#,
        "FORMAT_ERROR",
        "frequency is for periodic payments; post them to periodic-payments/sepa-credit-transfers",
    ),
    (
        r#"{"endDate": "2026-12-01"}"#,
        "FORMAT_ERROR",
        "endDate is for periodic payments; post them to periodic-payments/sepa-credit-transfers",
    ),
];

/// With the payee of a SEPA payment.
const SEPA_PAYEE: &[Row] = &[
    (r#"{"creditorAccount": {}}"#, "FORMAT_ERROR", "creditorAccount: send iban, and nothing else"),
    (
        r#"{"creditorAccount": {"ukSortCode": "123456", "ukAccountNumber": "98765432"}}"#,
        "FORMAT_ERROR",
        "creditorAccount: send iban, and nothing else",
    ),
    (
        r#"{"creditorAccount": {"iban": "NL91ABNA0417164300", "foreignAccountNumber": "1"}}"#,
        "FORMAT_ERROR",
        "creditorAccount: send iban, and nothing else",
    ),
    (
        r#"{"creditorAccount": {"iban": "NL91ABNA0417164301"}}"#,
        "FORMAT_ERROR",
        "creditorAccount.iban: Invalid iban: NL91ABNA0417164301 (its check digits do not fit: a character is wrong)",
    ),
    (
        r#"{"creditorAccount": {"iban": "SA0380000000608010167519"}}"#,
        "FORMAT_ERROR",
        "creditorAccount.iban: SEPA transfers do not reach the country SA",
    ),
    (
        r#"{"creditorAgent": "ABNANL2"}"#,
        "FORMAT_ERROR",
        r#"creditorAgent "ABNANL2" is no BIC; send 8 or 11 capital letters and digits, for example ABNANL2A"#,
    ),
    (
        r#"{"creditorAgent": "abnanl2a"}"#,
        "FORMAT_ERROR",
        r#"creditorAgent "abnanl2a" is no BIC; send 8 or 11 capital letters and digits, for example ABNANL2A"#,
    ),
    (
        r#"{"creditorAgent": "ABNANL1A"}"#,
        "FORMAT_ERROR",
        r#"creditorAgent "ABNANL1A" is no BIC; send 8 or 11 capital letters and digits, for example ABNANL2A"#,
    ),
    (
        r#"{"creditorAgent": "ABNANL2O"}"#,
        "FORMAT_ERROR",
        r#"creditorAgent "ABNANL2O" is no BIC; send 8 or 11 capital letters and digits, for example ABNANL2A"#,
    ),
    (
        r#"{"creditorAgent": "AB1ANL2A"}"#,
        "FORMAT_ERROR",
        r#"creditorAgent "AB1ANL2A" is no BIC; send 8 or 11 capital letters and digits, for example ABNANL2A"#,
    ),
    (
        r#"{"creditorAgent": "ABNANL2AX"}"#,
        "FORMAT_ERROR",
        r#"creditorAgent "ABNANL2AX" is no BIC; send 8 or 11 capital letters and digits, for example ABNANL2A"#,
    ),
    (
        r#"{"creditorAgent": "ABNANL2A-XX"}"#,
        "FORMAT_ERROR",
        r#"creditorAgent "ABNANL2A-XX" is no BIC; send 8 or 11 capital letters and digits, for example ABNANL2A"#,
    ),
    (
        r#"{"creditorAgent": ""}"#,
        "FORMAT_ERROR",
        r#"creditorAgent "" is no BIC; send 8 or 11 capital letters and digits, for example ABNANL2A"#,
    ),
    (
        r#"{"chargeBearer": "DEBT"}"#,
        "FORMAT_ERROR",
        r#"chargeBearer "DEBT" is not one of SHAR, SLEV for this product"#,
    ),
    (
        r#"{"creditorAddress": {"country": "Nederland"}}"#,
        "FORMAT_ERROR",
        r#"creditorAddress.country "Nederland" is no country; send its code of two capital letters, for example NL"#,
    ),
    (
        r#"{"creditorAddress": {"country": "nl"}}"#,
        "FORMAT_ERROR",
        r#"creditorAddress.country "nl" is no country; send its code of two capital letters, for example NL"#,
    ),
    (
        r#"{"creditorAddress": {"country": "NL", "streetName": "ä*71"}}"#,
        "FORMAT_ERROR",
        "creditorAddress.streetName has 71 characters; send at most 70",
    ),
    (
        r#"{"creditorAddress": {"country": "NL", "buildingNumber": "ä*17"}}"#,
        "FORMAT_ERROR",
        "creditorAddress.buildingNumber has 17 characters; send at most 16",
    ),
    (
        r#"{"creditorAddress": {"country": "NL", "townName": "ä*36"}}"#,
        "FORMAT_ERROR",
        "creditorAddress.townName has 36 characters; send at most 35",
    ),
    (
        r#"{"creditorAddress": {"country": "NL", "postCode": "\t1"}}"#,
        "FORMAT_ERROR",
        "creditorAddress.postcode holds the character U+0009, which cannot be shown; send characters that can",
    ),
];

/// With the payee of a payment within the United Kingdom.
const UK_PAYEE: &[Row] = &[
    (
        r#"{"creditorAccount": {"ukSortCode": "12-34-56", "ukAccountNumber": "98765432"}}"#,
        "FORMAT_ERROR",
        "creditorAccount.ukSortCode has 6 digits, and nothing else",
    ),
    (
        r#"{"creditorAccount": {"ukSortCode": "１２", "ukAccountNumber": "98765432"}}"#,
        "FORMAT_ERROR",
        "creditorAccount.ukSortCode has 6 digits, and nothing else",
    ),
    (
        r#"{"creditorAccount": {"ukSortCode": "123456", "ukAccountNumber": "9876543"}}"#,
        "FORMAT_ERROR",
        "creditorAccount.ukAccountNumber has 8 digits, and nothing else",
    ),
    (
        r#"{"creditorAccount": {"ukSortCode": "123456"}}"#,
        "FORMAT_ERROR",
        "creditorAccount: send ukSortCode (6 digits) and ukAccountNumber (8 digits), and nothing else",
    ),
    (
        r#"{"creditorAccount": {"foreignAccountNumber": "123456"}}"#,
        "FORMAT_ERROR",
        "creditorAccount: send ukSortCode (6 digits) and ukAccountNumber (8 digits), and nothing else",
    ),
    (
        r#"{"creditorAccount": {"iban": "NL91ABNA0417164300"}}"#,
        "FORMAT_ERROR",
        "creditorAccount.iban is no British account; send one, or ukSortCode and ukAccountNumber",
    ),
    (
        r#"{"instructedAmount": {"currency": "EUR", "amount": "1"}}"#,
        "PRODUCT_INVALID",
        "instructedAmount.currency: transfers within the United Kingdom are in GBP, not in EUR",
    ),
];

/// With the payee of a cross-border payment.
const ABROAD_PAYEE: &[Row] = &[
    (
        r#"{"creditorAccount": {}}"#,
        "FORMAT_ERROR",
        "creditorAccount: send either iban, or foreignAccountNumber, or ukSortCode and ukAccountNumber",
    ),
    (
        r#"{"creditorAccount": {"iban": "SA0380000000608010167519", "foreignAccountNumber": "1"}}"#,
        "FORMAT_ERROR",
        "creditorAccount: send either iban, or foreignAccountNumber, or ukSortCode and ukAccountNumber",
    ),
    (
        r#"{"creditorAccount": {"foreignAccountNumber": ""}}"#,
        "FORMAT_ERROR",
        "creditorAccount.foreignAccountNumber is an account number of 1 to 34 letters, digits, blanks, or - / .",
    ),
    (
        r#"{"creditorAccount": {"foreignAccountNumber": "--"}}"#,
        "FORMAT_ERROR",
        "creditorAccount.foreignAccountNumber is an account number of 1 to 34 letters, digits, blanks, or - / .",
    ),
    (
        r#"{"creditorAccount": {"foreignAccountNumber": "1*35"}}"#,
        "FORMAT_ERROR",
        "creditorAccount.foreignAccountNumber is an account number of 1 to 34 letters, digits, blanks, or - / .",
    ),
    (
        r#"{"creditorAccount": {"foreignAccountNumber": "1é"}}"#,
        "FORMAT_ERROR",
        "creditorAccount.foreignAccountNumber is an account number of 1 to 34 letters, digits, blanks, or - / .",
    ),
    (
        r#"{"creditorAgent": null}"#,
        "FORMAT_ERROR",
        "creditorAgent is missing; send the BIC of the payee's bank, or the payee's account as iban",
    ),
    (
        r#"{"chargeBearer": "share"}"#,
        "FORMAT_ERROR",
        r#"chargeBearer "share" is not one of DEBT, CRED, SHAR, SLEV for this product"#,
    ),
    (
        r#"{"instructedAmount": {"currency": "EUR", "amount": "1"}}"#,
        "FORMAT_ERROR",
        "instructedAmount.currency: cross-border transfers are in other currencies than EUR; send euros with sepa-credit-transfers",
    ),
    (
        r#"{"instructedAmount": {"currency": "JPY", "amount": "1.50"}}"#,
        "FORMAT_ERROR",
        r#"instructedAmount.amount "1.50": an amount in JPY is a decimal number of up to 14 digits with no fraction digits, for example 1250"#,
    ),
];

/// With the repetition of a periodic payment.
const REPETITION: &[Row] = &[
    (r#"{"startDate": null}"#, "FORMAT_ERROR", "startDate is missing; send the first day, YYYY-MM-DD"),
    (
        r#"{"startDate": "2026-11-25"}"#,
        "EXECUTION_DATE_INVALID",
        "startDate 2026-11-25 is in the past; send a day from 2026-11-26, which is today at this bank, to 2027-11-26",
    ),
    (
        r#"{"startDate": "2028-01-01"}"#,
        "EXECUTION_DATE_INVALID",
        "startDate 2028-01-01 is too far ahead; send a day from 2026-11-26, which is today at this bank, to 2027-11-26",
    ),
    (
        r#"{"startDate": "tomorrow"}"#,
        "FORMAT_ERROR",
        r#"startDate "tomorrow" is no date; expected YYYY-MM-DD, a day in a year from 1900 to 9999"#,
    ),
    (r#"{"frequency": null}"#, "FORMAT_ERROR", "frequency is missing; send how often, for example Monthly"),
    (
        r#"{"frequency": "monthly"}"#,
        "FORMAT_ERROR",
        r#"frequency "monthly" is not one of Daily, Weekly, EveryTwoWeeks, Monthly, EveryTwoMonths, Quarterly, SemiAnnual, Annual, MonthlyVariable"#,
    ),
    (
        r#"{"executionRule": "modified"}"#,
        "FORMAT_ERROR",
        r#"executionRule "modified" is not one of following, preceding"#,
    ),
    (
        r#"{"endDate": "2026-13-01"}"#,
        "FORMAT_ERROR",
        r#"endDate "2026-13-01" is no date; expected YYYY-MM-DD, a day in a year from 1900 to 9999"#,
    ),
    (
        r#"{"endDate": "2026-11-30"}"#,
        "PERIOD_INVALID",
        "endDate 2026-11-30 is before startDate 2026-12-01; send a later day, or leave it out",
    ),
    (
        r#"{"endDate": "2026-12-30", "dayOfExecution": "31"}"#,
        "PERIOD_INVALID",
        "no day of execution lies between startDate 2026-12-01 and endDate 2026-12-30",
    ),
    (
        r#"{"frequency": "MonthlyVariable", "monthsOfExecution": ["1"], "endDate": "2026-12-31"}"#,
        "PERIOD_INVALID",
        "no day of execution lies between startDate 2026-12-01 and endDate 2026-12-31",
    ),
    (r#"{"dayOfExecution": "0"}"#, "FORMAT_ERROR", r#"dayOfExecution "0" is not one of "1" to "31""#),
    (r#"{"dayOfExecution": "32"}"#, "FORMAT_ERROR", r#"dayOfExecution "32" is not one of "1" to "31""#),
    (r#"{"dayOfExecution": "+1"}"#, "FORMAT_ERROR", r#"dayOfExecution "+1" is not one of "1" to "31""#),
    (r#"{"dayOfExecution": "1 "}"#, "FORMAT_ERROR", r#"dayOfExecution "1 " is not one of "1" to "31""#),
    (r#"{"dayOfExecution": "٣"}"#, "FORMAT_ERROR", r#"dayOfExecution "٣" is not one of "1" to "31""#),
    (r#"{"dayOfExecution": "001"}"#, "FORMAT_ERROR", r#"dayOfExecution "001" is not one of "1" to "31""#),
    (r#"{"dayOfExecution": ""}"#, "FORMAT_ERROR", r#"dayOfExecution "" is not one of "1" to "31""#),
    (
        r#"{"dayOfExecution": "1", "frequency": "Weekly"}"#,
        "FORMAT_ERROR",
        "dayOfExecution is a day of the month; leave it out with the frequency Weekly",
    ),
    (
        r#"{"monthsOfExecution": ["1"]}"#,
        "FORMAT_ERROR",
        "monthsOfExecution goes with the frequency MonthlyVariable; leave it out with Monthly",
    ),
    (
        r#"{"frequency": "MonthlyVariable"}"#,
        "FORMAT_ERROR",
        r#"monthsOfExecution is missing; the frequency MonthlyVariable needs it, for example ["1", "7"]"#,
    ),
    (
        r#"{"frequency": "MonthlyVariable", "monthsOfExecution": []}"#,
        "FORMAT_ERROR",
        "monthsOfExecution has 1 to 11 months",
    ),
    (
        r#"{"frequency": "MonthlyVariable", "monthsOfExecution": ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"]}"#,
        "FORMAT_ERROR",
        "monthsOfExecution has 1 to 11 months",
    ),
    (
        r#"{"frequency": "MonthlyVariable", "monthsOfExecution": ["13"]}"#,
        "FORMAT_ERROR",
        r#"monthsOfExecution: "13" is not one of "1" to "12""#,
    ),
    (
        r#"{"frequency": "MonthlyVariable", "monthsOfExecution": ["1", "01"]}"#,
        "FORMAT_ERROR",
        "monthsOfExecution names the month 1 more than once",
    ),
    (
        r#"{"requestedExecutionDate": "2026-12-01"}"#,
        "FORMAT_ERROR",
        "requestedExecutionDate is for single payments; a periodic payment begins on startDate",
    ),
    (r#"{"creditorName": ""}"#, "FORMAT_ERROR", "creditorName is empty; send 1 to 70 characters"),
];

#[test]
fn what_is_wrong_is_said() {
    for (service, product, rows) in [
        (Single, SEPA, ANY),
        (Single, SEPA, SEPA_PAYEE),
        (Single, UK, UK_PAYEE),
        (Single, ABROAD, ABROAD_PAYEE),
        (Periodic, SEPA, REPETITION),
    ] {
        for (changes, code, text) in rows {
            let mut changes: Value = serde_json::from_str(changes).unwrap();
            lengthen(&mut changes);
            let status = if *code == "PRODUCT_INVALID" { 403 } else { 400 };
            let error = read(service, product, changes.clone()).expect_err(&changes.to_string());
            assert_eq!(error.parts(), (status, *code, *text), "{changes}");
        }
    }
}

fn lengthen(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some((one, count)) = text.split_once('*') {
                *text = one.repeat(count.parse().unwrap());
            }
        }
        Value::Object(members) => members.values_mut().for_each(lengthen),
        _ => {}
    }
}

/// Values of every kind, many of them nearly right.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        "\\PC{0,8}".prop_map(Value::from),
        "[0-9]{1,3}([.][0-9]{1,3})?".prop_map(Value::from),
        "20(26|27)-[01][0-9]-[0-3][0-9]".prop_map(Value::from),
        prop::sample::select(vec!["Monthly", "MonthlyVariable", "Weekly", "following", "SHAR", "ABNANL2A"])
            .prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(json!(["1", "12"])),
        Just(json!({"iban": "NL91ABNA0417164300", "country": "NL", "reference": "1"})),
        ("[A-Z]{3}", "[0-9]{1,12}")
            .prop_map(|(currency, amount)| json!({"currency": currency, "amount": amount})),
    ]
}

const MEMBERS: &[&str] = &[
    "instructedAmount",
    "creditorAccount",
    "creditorName",
    "debtorAccount",
    "requestedExecutionDate",
    "endToEndIdentification",
    "creditorAgent",
    "creditorAddress",
    "chargeBearer",
    "startDate",
    "endDate",
    "frequency",
    "executionRule",
    "dayOfExecution",
    "monthsOfExecution",
    "remittanceInformationUnstructured",
    "remittanceInformationStructured",
];

proptest! {
    #[test]
    fn no_body_panics_and_what_is_taken_keeps_the_rules(
        product in prop::sample::select(vec![SEPA, UK, ABROAD]),
        changes in prop::collection::vec((prop::sample::select(MEMBERS), value()), 0..4),
        day in (1_i16..=9999, 1_i16..=365),
    ) {
        let day = Date::new(day.0, 1, 1).unwrap().with().day_of_year(day.1).build().unwrap();
        for base in [right(product), changed(right(product), json!({"startDate": day.to_string(), "frequency": "Monthly"}))] {
            let body = changes.iter().fold(base, |body, (name, value)| changed(body, json!({*name: value})));
            let Ok(body) = serde_json::from_value::<wire::PaymentRequest>(body) else { continue };
            for ordered in [single(product, body.clone(), day), periodic(product, body, day)].into_iter().flatten() {
                prop_assert_eq!(ordered.terms.product, product);
                prop_assert!(ordered.transfers[0].amount.minor > 0);
                if let Execution::On(on) = ordered.terms.execution {
                    prop_assert!(on > day);
                }
            }
        }
    }
}
