//! Payments as authorization details (RFC 9396): what the provider shows, and what the customer's approval is bound to.

use gateway::domain::{Execution, Money, PayeeAccount, Payment, Repetition, Transfer};
use serde_json::{Map, Value, json};

/// One object for each payment, with exact amounts and payees.
pub(crate) fn of_payments(kind: &str, payments: &[Payment]) -> Vec<Value> {
    payments.iter().map(|payment| of_payment(kind, payment)).collect()
}

fn of_payment(kind: &str, payment: &Payment) -> Value {
    let mut object = Map::new();
    object.insert("type".to_owned(), kind.into());
    object.insert("identifier".to_owned(), payment.id.as_str().into());
    object.insert("paymentService".to_owned(), payment.terms.service.name().into());
    object.insert("paymentProduct".to_owned(), payment.terms.product.name().into());
    if let Some(debtor) = &payment.debtor {
        object.insert("debtorAccount".to_owned(), json!({"iban": debtor.as_str()}));
    }
    match &payment.terms.execution {
        Execution::AtOnce => {}
        Execution::On(day) => {
            object.insert("requestedExecutionDate".to_owned(), day.to_string().into());
        }
        Execution::Repeated(Repetition { start, end, frequency, .. }) => {
            object.insert("startDate".to_owned(), start.to_string().into());
            object.insert("frequency".to_owned(), frequency.name().into());
            if let Some(end) = end {
                object.insert("endDate".to_owned(), end.to_string().into());
            }
        }
    }
    match &payment.transfers[..] {
        [only] => object.extend(of_transfer(only)),
        several => {
            if let Some(total) = payment.total() {
                object.insert("instructedAmount".to_owned(), amount(total));
            }
            let transfers = several.iter().map(|transfer| Value::Object(of_transfer(transfer)));
            object.insert("transfers".to_owned(), transfers.collect());
        }
    }
    Value::Object(object)
}

fn of_transfer(transfer: &Transfer) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("instructedAmount".to_owned(), amount(transfer.amount));
    if let Some(name) = &transfer.creditor.name {
        object.insert("creditorName".to_owned(), name.as_str().into());
    }
    let routing = transfer.routing.as_deref();
    let account = match (routing.and_then(|routing| routing.account.as_ref()), &transfer.creditor.iban) {
        (Some(PayeeAccount::British { sort_code, account_number }), _) => {
            Some(json!({"bban": format!("{sort_code}{account_number}")}))
        }
        (Some(PayeeAccount::Foreign(number)), _) => Some(json!({"bban": number})),
        (None, Some(iban)) => Some(json!({"iban": iban.as_str()})),
        (None, None) => None,
    };
    object.extend(account.map(|account| ("creditorAccount".to_owned(), account)));
    if let Some(agent) = routing.and_then(|routing| routing.agent.as_deref()) {
        object.insert("creditorAgent".to_owned(), agent.into());
    }
    if let Some(text) = &transfer.remittance {
        object.insert("remittanceInformationUnstructured".to_owned(), text.as_str().into());
    }
    object
}

fn amount(money: Money) -> Value {
    json!({"currency": money.currency.code(), "amount": money.to_decimal()})
}

/// Whether everything that was asked for was approved, and nothing else: a provider may add to an object (RFC 9396, 7.1), and
/// nothing of it may differ.
pub(crate) fn are_confirmed(asked: &[Value], approved: &Value) -> bool {
    let Some(approved) = approved.as_array() else { return false };
    let holds = |asked: &Value, approved: &Value| match (asked.as_object(), approved.as_object()) {
        (Some(asked), Some(approved)) => asked.iter().all(|(name, value)| approved.get(name) == Some(value)),
        _ => false,
    };
    approved.len() == asked.len()
        && asked.iter().all(|asked| approved.iter().filter(|one| holds(asked, one)).count() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_approved_is_all_that_was_asked_for_and_nothing_else() {
        let one = json!({"type": "p", "identifier": "1", "instructedAmount": {"currency": "EUR", "amount": "1.00"}});
        let two = json!({"type": "p", "identifier": "2"});
        let richer = json!({"type": "p", "identifier": "2", "debtorAccount": {"iban": "NL"}});
        let dearer = json!({"type": "p", "identifier": "1", "instructedAmount": {"currency": "EUR", "amount": "9.00"}});
        let asked = [one.clone(), two.clone()];
        for (approved, is_good) in [
            (json!([one, two]), true),
            (json!([two, one]), true),
            (json!([one, richer]), true),
            (json!([one]), false),
            (json!([one, one]), false),
            (json!([one, two, two]), false),
            (json!([dearer, two]), false),
            (json!([]), false),
            (json!(null), false),
            (json!({"0": one}), false),
        ] {
            assert_eq!(are_confirmed(&asked, &approved), is_good, "{approved}");
        }
    }
}
