//! What the bank says, in the words of NextGenPSD2, as far as there is one.

use berlin_group::wire;
use bunq::wire::{MonetaryAccount, Payment};

use super::connection::day_of;
use crate::accounts::Account;

/// What an account's balance is called there.
const BALANCE: &str = "interimAvailable";

/// An account of a kind such as `MonetaryAccountBank`.
pub(super) fn account_in_words(kind: &str, account: MonetaryAccount) -> Account {
    let alias = account.alias.into_iter().find(|alias| alias.kind == "IBAN");
    let iban = alias.map(|alias| alias.value);
    // A balance that may not be seen has neither value nor currency.
    let balance = account.balance.and_then(|balance| Some((balance.value?, balance.currency?)));
    let balances = balance.map(|(amount, currency)| wire::Balances {
        account: wire::AccountReference { iban: iban.clone(), ..wire::AccountReference::default() },
        balances: vec![wire::Balance {
            balance_type: BALANCE.to_owned(),
            balance_amount: Some(wire::Amount { currency, amount }),
            reference_date: None,
            credit_limit_included: None,
        }],
    });
    let can_pay = account.status == "ACTIVE"
        && matches!(kind, "MonetaryAccountBank" | "MonetaryAccountJoint")
        && iban.is_some()
        && account.currency.as_deref() == Some("EUR");
    let details = wire::Account {
        iban,
        uk_sort_code: None,
        uk_account_number: None,
        currency: account.currency,
        resource_id: account.id.to_string(),
        cash_account_type: Some(if kind.ends_with("Savings") { "SVGS" } else { "CACC" }.to_owned()),
        name: account.description,
        status: Some(account.status),
        links: wire::AccountLinks::default(),
    };
    Account { details, can_pay, balances }
}

/// Amounts have no sign there: the other side's part says whether money came in.
pub(super) fn payment_in_words(payment: Payment) -> wire::Transaction {
    let value = payment.amount.value.clone().unwrap_or_default();
    let (name, iban) = payment
        .counterparty_alias
        .as_ref()
        .map_or((None, None), |other| (other.display_name.clone(), other.iban.clone()));
    let account = Some(wire::AccountReference { iban, ..wire::AccountReference::default() });
    let mut transaction = wire::Transaction {
        transaction_id: Some(payment.id.to_string()),
        booking_date: Some(day_of(&payment).to_owned()),
        value_date: None,
        transaction_amount: wire::Amount {
            currency: payment.amount.currency.clone().unwrap_or_default(),
            amount: value.trim_start_matches('-').to_owned(),
        },
        creditor_name: None,
        creditor_account: None,
        debtor_name: None,
        debtor_account: None,
        remittance_information_unstructured: Some(payment.description),
        proprietary_bank_transaction_code: None,
        end_to_end_identification: None,
    };
    if value.starts_with('-') {
        (transaction.creditor_name, transaction.creditor_account) = (name, account);
    } else {
        (transaction.debtor_name, transaction.debtor_account) = (name, account);
    }
    transaction
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn payment(value: &str) -> Payment {
        serde_json::from_value(json!({
            "id": 1001, "created": "2026-02-01 10:00:00.000001", "description": "Coffee",
            "amount": {"currency": "EUR", "value": value},
            "counterparty_alias": {"iban": "NL13ABNA0000000000", "display_name": "Shop"},
        }))
        .unwrap()
    }

    #[test]
    fn payments_look_like_transactions_of_the_other_dialect() {
        let out = serde_json::to_value(payment_in_words(payment("-12.50"))).unwrap();
        assert_eq!(
            out,
            json!({
                "transactionId": "1001", "bookingDate": "2026-02-01",
                "transactionAmount": {"currency": "EUR", "amount": "12.50"},
                "remittanceInformationUnstructured": "Coffee",
                "creditorName": "Shop", "creditorAccount": {"iban": "NL13ABNA0000000000"},
            })
        );
        assert_eq!(payment_in_words(payment("12.50")).debtor_name.as_deref(), Some("Shop"));
    }

    #[test]
    fn an_account_is_known_by_its_first_iban() {
        let account = |balance: serde_json::Value| {
            let details = json!({
                "id": 20, "created": "2026-01-05 09:11:13.000000", "updated": "2026-01-05 09:11:13.000000",
                "alias": [
                    {"type": "EMAIL", "value": "e@example.org", "name": "e@example.org"},
                    {"type": "IBAN", "value": "NL18BUNQ2025104049", "name": "E. Example"},
                ],
                "avatar": {"uuid": "5a44", "image": [], "anchor_uuid": null, "style": "NONE"},
                "balance": balance, "country": null, "currency": "EUR",
                "daily_limit": {"currency": null, "value": null}, "description": "Main", "display_name": null,
                "public_uuid": null, "status": "ACTIVE", "sub_status": "NONE", "connected_cards": [],
            });
            account_in_words("MonetaryAccountSavings", serde_json::from_value(details).unwrap())
        };
        let seen = account(json!({"currency": "EUR", "value": "100.50"}));
        assert_eq!((seen.number(), seen.details.resource_id.as_str()), ("NL18BUNQ2025104049", "20"));
        assert!(!seen.can_pay, "nobody pays from savings");
        let balances = seen.balances.unwrap().balances;
        assert_eq!(balances[0].balance_amount.as_ref().unwrap().amount, "100.50");
        assert!(account(json!({"currency": null, "value": null})).balances.is_none());
    }
}
