mod rows;

use gateway::domain::{AccountNumber, Date, ExecutionRule, Frequency, Money, Repetition};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use rows::{ABROAD_PAYEE, ANY, REPETITION, SEPA_PAYEE, UK_PAYEE};

const TODAY: &str = "2026-11-26";

fn today() -> Date {
    TODAY.parse().unwrap()
}

fn days() -> Days {
    Days::from(today(), 365)
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
        Periodic => periodic(product, body, days()),
        _ => single(product, body, days()),
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
        let days = Days::from(day, 365);
        for base in [right(product), changed(right(product), json!({"startDate": day.to_string(), "frequency": "Monthly"}))] {
            let body = changes.iter().fold(base, |body, (name, value)| changed(body, json!({*name: value})));
            let Ok(body) = serde_json::from_value::<wire::PaymentRequest>(body) else { continue };
            for ordered in [single(product, body.clone(), days), periodic(product, body, days)].into_iter().flatten() {
                prop_assert_eq!(ordered.terms.product, product);
                prop_assert!(ordered.transfers[0].amount.minor > 0);
                if let Execution::On(on) = ordered.terms.execution {
                    prop_assert!(on > day);
                }
            }
        }
    }
}
