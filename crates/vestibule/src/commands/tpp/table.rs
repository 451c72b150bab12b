//! Lines of tables, and comma-separated values.

use berlin_group::wire;

/// Names of the columns of transactions.
pub(super) const CSV_HEADER: &str =
    "account,status,bookingDate,amount,currency,counterparty,counterpartyAccount,remittance";

/// Names of the columns of accounts.
pub(super) const ACCOUNT_HEADINGS: [&str; 5] = ["ACCOUNT", "CUR", "KIND", "STATUS", "NAME"];

/// Names of the columns of balances.
pub(super) const BALANCE_HEADINGS: [&str; 5] = ["ACCOUNT", "KIND", "AMOUNT", "CUR", "DATE"];

/// An account on one line: number, currency, kind, status, name.
pub(super) fn account_line([number, currency, kind, status, name]: [&str; 5]) -> String {
    format!("{number:<24} {currency:<4} {kind:<5} {status:<8} {name}")
}

/// A balance on one line: number, kind, amount, currency, day.
pub(super) fn amount_line([number, kind, amount, currency, day]: [&str; 5]) -> String {
    format!("{number:<24} {kind:<14} {amount:>14} {currency:<4} {day}")
}

/// A transaction on one line.
pub(super) struct Row {
    account: String,
    status: &'static str,
    date: String,
    /// With a minus for money that went out.
    amount: String,
    currency: String,
    counterparty: String,
    counterparty_account: String,
    remittance: String,
}

impl Row {
    pub(super) fn new(account: &str, status: &'static str, transaction: &wire::Transaction) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let amount = &transaction.transaction_amount;
        let came_in = transaction.debtor_account.is_some() || transaction.debtor_name.is_some();
        let (name, other) = if came_in {
            (&transaction.debtor_name, &transaction.debtor_account)
        } else {
            (&transaction.creditor_name, &transaction.creditor_account)
        };
        // A bank that writes a sign itself is believed.
        let sign = if came_in || amount.amount.starts_with('-') { "" } else { "-" };
        Self {
            account: account.to_owned(),
            status,
            date: text(&transaction.booking_date),
            amount: format!("{sign}{}", amount.amount),
            currency: amount.currency.clone(),
            counterparty: text(name),
            counterparty_account: other.as_ref().and_then(|other| other.iban.clone()).unwrap_or_default(),
            remittance: text(&transaction.remittance_information_unstructured),
        }
    }

    pub(super) fn as_text(&self) -> String {
        let Self { status, date, amount, currency, counterparty, remittance, .. } = self;
        row_line([date, status, amount, currency, counterparty, remittance])
    }

    pub(super) fn headings() -> String {
        row_line(["DATE", "STATUS", "AMOUNT", "CUR", "COUNTERPARTY", "REMITTANCE"])
    }

    pub(super) fn as_csv(&self) -> String {
        let fields = [
            &self.account,
            self.status,
            &self.date,
            &self.amount,
            &self.currency,
            &self.counterparty,
            &self.counterparty_account,
            &self.remittance,
        ];
        fields.map(csv_field).join(",")
    }
}

/// A transaction on one line.
fn row_line([date, status, amount, currency, counterparty, remittance]: [&str; 6]) -> String {
    format!("{date:<10} {status:<7} {amount:>14} {currency:<4} {counterparty:<28} {remittance}")
}

/// A field of comma-separated values (RFC 4180, 2). A text that a spreadsheet would take for a formula gets a
/// quote in front.
fn csv_field(text: &str) -> String {
    let is_number = text.parse::<f64>().is_ok();
    let guarded = if text.starts_with(['=', '+', '-', '@']) && !is_number {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if guarded.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", guarded.replace('"', "\"\""));
    }
    guarded
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn amounts_of_money_that_went_out_have_a_minus() {
        for (side, amount, line) in [
            ("creditor", "12.50", "NL1,booked,2026-02-01,-12.50,EUR,Shop,NL13ABNA0000000000,Coffee"),
            ("debtor", "12.50", "NL1,booked,2026-02-01,12.50,EUR,Shop,NL13ABNA0000000000,Coffee"),
            ("creditor", "-12.50", "NL1,booked,2026-02-01,-12.50,EUR,Shop,NL13ABNA0000000000,Coffee"),
        ] {
            let mut transaction = json!({
                "bookingDate": "2026-02-01", "transactionAmount": {"currency": "EUR", "amount": amount},
                "remittanceInformationUnstructured": "Coffee",
            });
            transaction[format!("{side}Name")] = "Shop".into();
            transaction[format!("{side}Account")] = json!({"iban": "NL13ABNA0000000000"});
            let row = Row::new("NL1", "booked", &serde_json::from_value(transaction).unwrap());
            assert_eq!(row.as_csv(), line);
        }
    }

    #[test]
    fn fields_survive_commas_quotes_and_formulas() {
        for (text, field) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=1+1", "'=1+1"),
            ("-12.50", "-12.50"),
        ] {
            assert_eq!(csv_field(text), field);
        }
    }
}
