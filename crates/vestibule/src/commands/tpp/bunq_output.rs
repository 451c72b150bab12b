//! What banks of the dialect bunq say, in the columns and under the names of the other dialect as far as it exists
//! there, and what is kept about them.

use bunq::wire::Payment;
use serde_json::{Value, json};
use tpp::bunq::{Account, BunqState, KeptConnection, KeptOauthClient};

use super::accounts::{Row, account_line};

/// What an account's balance is called in NextGenPSD2.
pub(super) const BALANCE: &str = "interimAvailable";

pub(super) fn number(account: &Account) -> String {
    account.iban().map_or_else(|| account.details.id.to_string(), str::to_owned)
}

fn kind(account: &Account) -> &'static str {
    if account.kind.ends_with("Savings") { "SVGS" } else { "CACC" }
}

pub(super) fn account_json(account: &Account) -> Value {
    let details = &account.details;
    json!({
        "resourceId": details.id.to_string(),
        "iban": account.iban(),
        "currency": details.currency,
        "cashAccountType": kind(account),
        "name": details.description,
        "status": details.status,
    })
}

pub(super) fn account_text(account: &Account) -> String {
    let details = &account.details;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (currency, name) = (text(&details.currency), text(&details.description));
    account_line([&number(account), &currency, kind(account), &details.status, &name])
}

pub(super) fn balance_json(account: &Account, value: &str, currency: &str) -> Value {
    json!({
        "account": {"iban": account.iban()},
        "balances": [{
            "balanceType": BALANCE,
            "balanceAmount": {"currency": currency, "amount": value},
        }],
    })
}

/// Amounts have no sign in the other dialect: the other side's part says whether money came in.
pub(super) fn payment_json(payment: &Payment) -> Value {
    let value = payment.amount.value.as_deref().unwrap_or_default();
    let amount = json!({"currency": payment.amount.currency, "amount": value.trim_start_matches('-')});
    let mut json = json!({
        "transactionId": payment.id.to_string(),
        "bookingDate": booking_date(payment),
        "transactionAmount": amount,
        "remittanceInformationUnstructured": payment.description,
    });
    if let Some(other) = &payment.counterparty_alias {
        let side = if value.starts_with('-') { "creditor" } else { "debtor" };
        json[format!("{side}Name")] = json!(other.display_name);
        json[format!("{side}Account")] = json!({ "iban": other.iban });
    }
    json
}

pub(super) fn row(account: &str, payment: &Payment) -> Row {
    let other = payment.counterparty_alias.clone();
    let (name, iban) = other.map(|other| (other.display_name, other.iban)).unwrap_or_default();
    Row {
        account: account.to_owned(),
        status: "booked",
        date: booking_date(payment).to_owned(),
        amount: payment.amount.value.clone().unwrap_or_default(),
        currency: payment.amount.currency.clone().unwrap_or_default(),
        counterparty: name.unwrap_or_default(),
        counterparty_account: iban.unwrap_or_default(),
        remittance: payment.description.clone(),
    }
}

fn booking_date(payment: &Payment) -> &str {
    payment.created.get(..10).unwrap_or(&payment.created)
}

pub(super) fn oauth_client_json(kept: &KeptOauthClient, secrets: bool) -> Value {
    json!({
        "clientId": kept.client_id,
        "clientSecret": if secrets { kept.client_secret.as_str() } else { "hidden" },
        "callbackUrls": kept.callback_urls,
    })
}

pub(super) fn oauth_client_text(kept: &KeptOauthClient, secrets: bool) -> Vec<String> {
    vec![
        format!("  Client id       {}", kept.client_id),
        format!("  Client secret   {}", hidden(&kept.client_secret, secrets)),
        format!("  Callback URLs   {}", kept.callback_urls.join(" ")),
    ]
}

fn hidden(secret: &str, secrets: bool) -> &str {
    if secrets { secret } else { "(hidden; --secrets shows it)" }
}

/// The connections that the bank still takes, as far as that is known here.
fn living(kept: &BunqState) -> impl Iterator<Item = &KeptConnection> {
    kept.connections.iter().filter(|connection| !connection.ended)
}

/// What is kept about a bank, as JSON.
pub(super) fn kept_json(kept: &BunqState, secrets: bool) -> Value {
    let secret = |text: &String| if secrets { text.clone() } else { "hidden".to_owned() };
    let answer = kept.installation.as_ref().and_then(|installation| installation.answer.as_ref());
    let connections = living(kept).map(|connection| {
        json!({
            "connection": connection.user_id,
            "customer": connection.customer,
            "accessToken": secret(&connection.access_token),
        })
    });
    json!({
        "installationToken": answer.map(|answer| secret(&answer.token)),
        "apiKey": kept.api_key.as_ref().map(secret),
        "oauthClient": kept.oauth_client.as_ref().map(|client| oauth_client_json(client, secrets)),
        "connections": connections.collect::<Vec<_>>(),
    })
}

/// What is kept about a bank, for people.
pub(super) fn kept_text(kept: &BunqState, secrets: bool) -> Vec<String> {
    let mut lines = match &kept.oauth_client {
        Some(client) => oauth_client_text(client, secrets),
        None => vec!["  Not registered yet".to_owned()],
    };
    lines.extend(kept.api_key.as_ref().map(|key| format!("  API key         {}", hidden(key, secrets))));
    lines.extend(living(kept).map(|connection| {
        let user = connection.user_id.map_or_else(|| "not used yet".to_owned(), |user| user.to_string());
        format!("  Connection      {user} {}", connection.customer.as_deref().unwrap_or_default())
    }));
    lines
}

#[cfg(test)]
mod tests {
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
        let out = payment_json(&payment("-12.50"));
        assert_eq!(
            out,
            json!({
                "transactionId": "1001", "bookingDate": "2026-02-01",
                "transactionAmount": {"currency": "EUR", "amount": "12.50"},
                "remittanceInformationUnstructured": "Coffee",
                "creditorName": "Shop", "creditorAccount": {"iban": "NL13ABNA0000000000"},
            })
        );
        assert_eq!(payment_json(&payment("12.50"))["debtorName"], "Shop");
        let line = "NL1,booked,2026-02-01,-12.50,EUR,Shop,NL13ABNA0000000000,Coffee";
        assert_eq!(row("NL1", &payment("-12.50")).as_csv(), line);
    }
}
