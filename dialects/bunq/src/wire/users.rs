//! Users as the server shows them (section 10.2).

use serde::Serialize;

use super::objects::{LabelAvatar, State, Unsaid};
use super::{Amount, Pointer, User};

/// A service provider.
#[derive(Serialize)]
pub(crate) struct Provider {
    #[serde(flatten)]
    pub(crate) user: ShortUser,
    pub(crate) created: String,
    pub(crate) updated: String,
    pub(crate) alias: [Pointer; 1],
    pub(crate) public_uuid: String,
    pub(crate) certificate_distinguished_name: String,
    #[serde(flatten)]
    pub(crate) settings: UserSettings,
}

/// A user as others see it, too.
#[derive(Serialize)]
pub(crate) struct ShortUser {
    #[serde(flatten)]
    pub(crate) user: User,
    pub(crate) public_nick_name: String,
    pub(crate) avatar: LabelAvatar,
}

/// What is the same for every user.
#[derive(Serialize)]
pub(crate) struct UserSettings {
    pub(crate) status: State,
    pub(crate) sub_status: &'static str,
    pub(crate) language: &'static str,
    pub(crate) region: &'static str,
    pub(crate) daily_limit_without_confirmation_login: Amount,
    #[serde(flatten)]
    pub(crate) unsaid: Unsaid,
}

pub(crate) const SETTINGS: Unsaid = Unsaid("", "relations notification_filters");

/// A customer: what every role may see, and the rest.
#[derive(Serialize)]
pub(crate) struct Customer {
    #[serde(flatten)]
    pub(crate) user: ShortUser,
    pub(crate) created: String,
    pub(crate) updated: String,
    pub(crate) public_uuid: String,
    pub(crate) alias: Vec<Pointer>,
    #[serde(flatten)]
    pub(crate) names: Names,
    #[serde(flatten)]
    pub(crate) more: Option<CustomerDetails>,
}

/// The names of a customer.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Names {
    Person { legal_name: String, nationality: String },
    Company { name: String },
}

/// What a customer in person sees of themselves.
#[derive(Serialize)]
pub(crate) struct CustomerDetails {
    pub(crate) version_terms_of_service: &'static str,
    #[serde(flatten)]
    pub(crate) settings: UserSettings,
    #[serde(flatten)]
    pub(crate) kind: KindDetails,
    #[serde(flatten)]
    pub(crate) unsaid: Unsaid,
}

/// The details that persons and companies have of their own.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum KindDetails {
    Person { first_name: String, middle_name: &'static str, last_name: String, gender: &'static str },
    Company { country: String },
}

pub(crate) const PERSON: Unsaid =
    Unsaid("address_main address_postal date_of_birth place_of_birth country_of_birth", "tax_resident");

pub(crate) const COMPANY: Unsaid = Unsaid(
    "address_main address_postal chamber_of_commerce_number type_of_business_entity sector_of_industry \
     counter_bank_iban",
    "tax_resident directors ubo billing_contract",
);

/// A customer, as far as somebody may act for them.
#[derive(Serialize)]
pub(crate) struct UserApiKey {
    pub(crate) requested_by_user: AnyUser,
    pub(crate) granted_by_user: AnyUser,
}

/// A user under its wrapper.
#[derive(Serialize)]
pub(crate) enum AnyUser {
    #[serde(rename = "UserPaymentServiceProvider")]
    Provider(ShortUser),
    #[serde(rename = "UserPerson")]
    Person(ShortUser),
    #[serde(rename = "UserCompany")]
    Company(ShortUser),
}

/// How many accounts and cards a customer can have.
#[derive(Default, Serialize)]
pub(crate) struct CustomerLimit {
    pub(crate) limit_monetary_account: usize,
    pub(crate) limit_card_debit_maestro: u8,
    pub(crate) limit_card_debit_mastercard: u8,
    pub(crate) limit_card_debit_wildcard: u8,
}
