//! The labels under which users and accounts appear in other objects (section 2.4).

use gateway::domain::{Account, Counterparty, Iban, Money};

use crate::names::whole_number;
use crate::users::User;
use crate::wire::objects::{AVATAR, LABEL, LabelAccount, LabelAvatar, LabelUser};
use crate::wire::{Amount, Label, Pointer};

/// Where e-mail addresses of test customers would be, if there were any post.
const EMAIL_DOMAIN: &str = "customers.sandbox.example";

/// The e-mail address of a user: other users can be paid by it.
pub(crate) fn email_of(user: i64) -> String {
    format!("user-{user}@{EMAIL_DOMAIN}")
}

/// The number of the user with an e-mail address.
pub(crate) fn user_of_email(email: &str) -> Option<i64> {
    let (name, domain) = email.split_once('@')?;
    whole_number(name.strip_prefix("user-").filter(|_| domain.eq_ignore_ascii_case(EMAIL_DOMAIN))?)
}

/// A UUID that stands for something: always the same one.
pub(crate) fn public_uuid(what: &str) -> String {
    let hex = gateway::fingerprint(what.as_bytes());
    // The bits of a version 4 UUID; the rest of the digest stays.
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

/// An avatar: users of this bank have no pictures.
pub(crate) fn avatar(what: &str) -> LabelAvatar {
    LabelAvatar { uuid: public_uuid(&format!("avatar/{what}")), style: "NONE", unsaid: AVATAR }
}

/// An amount.
pub(crate) fn amount(money: Money) -> Amount {
    Amount { value: Some(money.to_decimal()), currency: Some(money.currency.code().to_owned()) }
}

/// An amount that the caller may see or not.
pub(crate) fn shown(money: Option<Money>) -> Amount {
    money.map(amount).unwrap_or_default()
}

/// The number of an account with the name of its holder.
pub(crate) fn pointer(account: &Account) -> Pointer {
    let value = account.iban.as_str().to_owned();
    Pointer { kind: "IBAN".to_owned(), value, name: Some(account.name.clone()) }
}

/// `LabelUser` of a user.
pub(crate) fn label_user(id: i64, name: &str, country: &str) -> LabelUser {
    let what = format!("user/{id}");
    LabelUser { avatar: Some(avatar(&what)), ..label_name(Some(public_uuid(&what)), name, country) }
}

fn label_name(uuid: Option<String>, name: &str, country: &str) -> LabelUser {
    let (display_name, public_nick_name) = (name.to_owned(), name.to_owned());
    LabelUser { uuid, display_name, country: country.to_owned(), avatar: None, public_nick_name }
}

/// `LabelMonetaryAccount` of an account of this bank.
pub(crate) fn label_account(account: &Account) -> LabelAccount {
    label_own(&account.iban, &account.name)
}

/// The same by number and name of the holder.
pub(crate) fn label_own(iban: &Iban, name: &str) -> LabelAccount {
    label(Some(iban), name, Some(public_uuid(&format!("holder/{name}"))))
}

/// The name of whoever is on the other side, the same wherever it is shown: in lists and in every file.
pub(crate) fn name_of(counterparty: &Counterparty) -> &str {
    counterparty.name.as_deref().filter(|name| !name.is_empty()).unwrap_or("Unknown")
}

/// `LabelMonetaryAccount` of whoever is on the other side.
pub(crate) fn label_counterparty(counterparty: &Counterparty) -> LabelAccount {
    label(counterparty.iban.as_ref(), name_of(counterparty), None)
}

fn label(iban: Option<&Iban>, name: &str, uuid: Option<String>) -> LabelAccount {
    let iban = iban.map(Iban::as_str);
    let country = iban.and_then(|iban| iban.get(..2)).unwrap_or("NL");
    LabelAccount {
        label: Label { iban: iban.map(str::to_owned), display_name: Some(name.to_owned()) },
        is_light: false,
        avatar: avatar(&format!("label/{name}")),
        label_user: label_name(uuid, name, country),
        country: country.to_owned(),
        unsaid: LABEL,
    }
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
