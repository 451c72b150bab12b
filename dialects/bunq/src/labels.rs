//! The labels under which users and accounts appear in other objects (section 2.4).

use gateway::domain::{Counterparty, Money};
use serde_json::{Value, json};

use crate::users::User;

/// Where e-mail addresses of test customers would be, if there were any post.
const EMAIL_DOMAIN: &str = "customers.sandbox.example";

/// The e-mail address of a user: other users can be paid by it.
pub(crate) fn email_of(user: i64) -> String {
    format!("user-{user}@{EMAIL_DOMAIN}")
}

/// The number of the user with an e-mail address.
pub(crate) fn user_of_email(email: &str) -> Option<i64> {
    let (name, domain) = email.split_once('@')?;
    name.strip_prefix("user-").filter(|_| domain.eq_ignore_ascii_case(EMAIL_DOMAIN))?.parse().ok()
}

/// A UUID that stands for something: always the same one.
pub(crate) fn public_uuid(what: &str) -> String {
    let hex = gateway::fingerprint(what.as_bytes());
    // The bits of a version 4 UUID; the rest of the digest stays.
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

/// An avatar: users of this bank have no pictures.
pub(crate) fn avatar(what: &str) -> Value {
    json!({"uuid": public_uuid(&format!("avatar/{what}")), "anchor_uuid": null, "image": [], "style": "NONE"})
}

/// An amount.
pub(crate) fn amount(money: Money) -> Value {
    json!({"value": money.to_decimal(), "currency": money.currency.code()})
}

/// An amount that the caller may not see.
pub(crate) fn hidden_amount() -> Value {
    json!({"value": null, "currency": null})
}

/// `LabelUser` of a user.
pub(crate) fn label_user(id: i64, name: &str, country: &str) -> Value {
    let what = format!("user/{id}");
    json!({
        "uuid": public_uuid(&what),
        "display_name": name,
        "country": country,
        "avatar": avatar(&what),
        "public_nick_name": name,
    })
}

/// `LabelMonetaryAccount` of an account of this bank.
pub(crate) fn label_own(iban: &str, name: &str) -> Value {
    label(Some(iban), name, Value::String(public_uuid(&format!("holder/{name}"))))
}

/// The name of whoever is on the other side, the same wherever it is shown: in lists and in every file.
pub(crate) fn name_of(counterparty: &Counterparty) -> &str {
    counterparty.name.as_deref().filter(|name| !name.is_empty()).unwrap_or("Unknown")
}

/// `LabelMonetaryAccount` of whoever is on the other side.
pub(crate) fn label_counterparty(counterparty: &Counterparty) -> Value {
    let iban = counterparty.iban.as_ref().map(gateway::domain::Iban::as_str);
    label(iban, name_of(counterparty), Value::Null)
}

fn label(iban: Option<&str>, name: &str, uuid: Value) -> Value {
    let country = iban.and_then(|iban| iban.get(..2)).unwrap_or("NL");
    json!({
        "iban": iban,
        "is_light": false,
        "display_name": name,
        "avatar": avatar(&format!("label/{name}")),
        "label_user": {
            "uuid": uuid,
            "display_name": name,
            "country": country,
            "avatar": null,
            "public_nick_name": name,
        },
        "country": country,
        "merchant_category_code": null,
        "swift_bic": null,
        "swift_account_number": null,
        "transferwise_account_number": null,
        "transferwise_bank_code": null,
    })
}

/// Whether a user is a customer in person, who sees everything of their own accounts.
pub(crate) fn is_in_person(user: &User) -> bool {
    matches!(user, User::Customer { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_back_to_its_user() {
        assert_eq!(user_of_email(&email_of(12)), Some(12));
        for other in
            ["user-12@example.org", "12@customers.sandbox.example", "user-x@customers.sandbox.example", ""]
        {
            assert_eq!(user_of_email(other), None, "{other}");
        }
    }

    #[test]
    fn uuids_have_the_form_of_version_4() {
        let uuid = public_uuid("x");
        assert_eq!((uuid.len(), &uuid[14..15], &uuid[19..20]), (36, "4", "8"));
        assert_ne!(uuid, public_uuid("y"));
    }
}
