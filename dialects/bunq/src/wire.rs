//! What clients read of the interface's answers, and what they send (sections 7 to 16). Everything that they do not need
//! is left out, because the interface adds fields at any time; the server adds the rest in `objects`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[cfg(feature = "server")]
pub(crate) mod accounts;
#[cfg(feature = "server")]
pub(crate) mod objects;
#[cfg(feature = "server")]
pub(crate) mod payments;
#[cfg(feature = "server")]
pub(crate) mod users;

/// The envelope of every answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Envelope<T> {
    /// One object a wrapper.
    #[serde(rename = "Response")]
    pub response: Vec<T>,
    /// Links to other pages of a list.
    #[serde(rename = "Pagination", default, skip_serializing_if = "Option::is_none")]
    pub pagination: Option<Pagination>,
}

/// Links of a page: relative, from `/v1` on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pagination {
    /// Where newer ones will be.
    pub future_url: Option<String>,
    /// Where newer ones are.
    pub newer_url: Option<String>,
    /// Where older ones are.
    pub older_url: Option<String>,
}

/// The body of every error.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ErrorBody {
    /// Usually one.
    #[serde(rename = "Error")]
    pub error: Vec<ErrorText>,
}

/// The text of an error.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ErrorText {
    /// In English.
    pub error_description: String,
    /// In the language that the caller asked for, as far as there is a translation.
    #[serde(default)]
    pub error_description_translated: String,
    /// What helps further: pages by their kind.
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub error_additional_parameter: Option<Vec<BTreeMap<&'static str, &'static str>>>,
}

/// An element of the answers about registration, sessions and things that were made.
#[derive(Debug, Clone, Deserialize)]
pub enum Element {
    /// The number of something.
    Id(Id),
    /// A token of an installation or session.
    Token(Token),
    /// The key that answers are signed with.
    ServerPublicKey(ServerPublicKey),
    /// An API key.
    CredentialPasswordIp(CredentialPasswordIp),
    /// A service provider.
    UserPaymentServiceProvider(User),
    /// A private customer.
    UserPerson(User),
    /// A business customer.
    UserCompany(User),
    /// A customer, as far as a service provider may act for them.
    UserApiKey(UserApiKey),
    /// Whether there is enough.
    ConfirmationOfFunds(ConfirmationOfFunds),
    /// A payment that the user decides about.
    DraftPayment(DraftPayment),
    /// The same without access to accounts.
    PaymentServiceProviderDraftPayment(DraftPayment),
    /// Something that this build does not know.
    #[serde(untagged)]
    Other(serde_json::Value),
}

/// A number.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Id {
    /// At most 2147483647.
    pub id: i64,
}

/// A token.
#[derive(Clone, Serialize, Deserialize)]
pub struct Token {
    /// 64 hexadecimal digits.
    pub token: String,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// A public key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServerPublicKey {
    /// SubjectPublicKeyInfo in PEM.
    pub server_public_key: String,
}

/// An API key.
#[derive(Clone, Serialize, Deserialize)]
pub struct CredentialPasswordIp {
    /// The key, while it waits for its first use.
    pub token_value: Option<String>,
    /// Until when it waits: `YYYY-MM-DD hh:mm:ss.ffffff`, UTC.
    #[serde(default)]
    pub expiry_time: Option<String>,
}

impl std::fmt::Debug for CredentialPasswordIp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CredentialPasswordIp").field("expiry_time", &self.expiry_time).finish_non_exhaustive()
    }
}

/// A user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    /// The number for paths.
    pub id: i64,
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// How long a session lasts, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_timeout: Option<i64>,
}

/// A user that a customer's approval made.
#[derive(Debug, Clone, Deserialize)]
pub struct UserApiKey {
    /// The number for paths.
    pub id: i64,
    /// The service provider, under its wrapper.
    pub requested_by_user: BTreeMap<String, User>,
    /// The customer, under their wrapper.
    #[serde(default)]
    pub granted_by_user: Option<BTreeMap<String, User>>,
}

/// A client.
#[derive(Clone, Serialize, Deserialize)]
pub struct OauthClient {
    /// Its number.
    pub id: i64,
    /// Whether it can be used.
    pub status: ClientStatus,
    /// What it calls itself.
    #[serde(default)]
    pub display_name: Option<String>,
    /// 64 hexadecimal digits.
    pub client_id: String,
    /// 64 hexadecimal digits.
    pub secret: String,
    /// Where browsers may be sent back to.
    #[serde(default)]
    pub callback_url: Vec<CallbackUrl>,
}

impl std::fmt::Debug for OauthClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OauthClient").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Whether an OAuth client can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ClientStatus {
    /// It can.
    Active,
    /// No more.
    Cancelled,
    /// Something that this build does not know.
    #[serde(other)]
    Other,
}

/// A callback URL.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CallbackUrl {
    /// Its number.
    #[serde(default)]
    pub id: i64,
    /// When it was registered: `YYYY-MM-DD hh:mm:ss.ffffff`, UTC.
    #[serde(default)]
    pub created: String,
    /// When it was changed.
    #[serde(default)]
    pub updated: String,
    /// The URL.
    pub url: String,
}

/// An amount: a decimal text and a currency; both absent if it is hidden.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// For example `12.50`.
    pub value: Option<String>,
    /// ISO 4217.
    pub currency: Option<String>,
}

/// Who is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    /// `IBAN`, `EMAIL` or `PHONE_NUMBER`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The number or address.
    pub value: String,
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// An account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MonetaryAccount {
    /// Its number.
    pub id: i64,
    /// `ACTIVE`, `BLOCKED`, `CANCELLED` …
    pub status: String,
    /// What the holder calls it.
    #[serde(default)]
    pub description: Option<String>,
    /// Its currency.
    #[serde(default)]
    pub currency: Option<String>,
    /// What it holds, if that may be seen.
    #[serde(default)]
    pub balance: Option<Amount>,
    /// Its account number, and other ways to name it.
    #[serde(default)]
    pub alias: Vec<Pointer>,
}

/// The other side of a transaction.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Label {
    /// Its account number.
    #[serde(default)]
    pub iban: Option<String>,
    /// Its name.
    #[serde(default)]
    pub display_name: Option<String>,
}

/// A transaction. The label of the other side is what a client reads of it, or all that the server says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Payment<L = Label> {
    /// Its number.
    pub id: i64,
    /// When: `YYYY-MM-DD hh:mm:ss.ffffff`, UTC.
    pub created: String,
    /// How much; negative for money that went out.
    pub amount: Amount,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// The other side.
    #[serde(default = "nobody")]
    pub counterparty_alias: Option<L>,
}

fn nobody<L>() -> Option<L> {
    None
}

/// A payment that the user decides about.
#[derive(Debug, Clone, Deserialize)]
pub struct DraftPayment {
    /// `PENDING`, `ACCEPTED` …
    pub status: String,
}

/// Whether there is enough.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ConfirmationOfFunds {
    /// It is there.
    pub has_sufficient_funds: bool,
}

/// An access token.
#[derive(Clone, Serialize, Deserialize)]
pub struct AccessToken {
    /// 64 hexadecimal digits; it is used as an API key.
    pub access_token: String,
    /// `bearer`
    pub token_type: String,
    /// The `state` of the authorization request.
    #[serde(default)]
    pub state: Option<String>,
}

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessToken").field("token_type", &self.token_type).finish_non_exhaustive()
    }
}

/// `POST /installation`
#[derive(Debug, Serialize)]
pub struct InstallationRequest<'a> {
    /// SubjectPublicKeyInfo in PEM.
    pub client_public_key: &'a str,
}

/// `POST /payment-service-provider-credential`
#[derive(Serialize)]
pub struct CredentialRequest<'a> {
    /// The certificate in PEM.
    pub client_payment_service_provider_certificate: &'a str,
    /// Its chain in PEM; the certificate itself if it is its own issuer.
    pub client_payment_service_provider_certificate_chain: &'a str,
    /// Signature with the certificate's key over the installation's public key and its token, in base64.
    pub client_public_key_signature: &'a str,
}

/// `POST /device-server`
#[derive(Serialize)]
pub struct DeviceRequest<'a> {
    /// For people.
    pub description: &'a str,
    /// The API key.
    pub secret: &'a str,
    /// Addresses, or `*`.
    pub permitted_ips: Vec<&'a str>,
}

/// `POST /session-server`
#[derive(Serialize)]
pub struct SessionRequest<'a> {
    /// The API key.
    pub secret: &'a str,
}

/// `POST …/draft-payment`
#[derive(Debug, Serialize)]
pub struct DraftPaymentRequest {
    /// What is to be paid.
    pub entries: Vec<DraftEntry>,
    /// Always 1.
    pub number_of_required_accepts: i64,
}

/// An entry of a draft.
#[derive(Debug, Serialize)]
pub struct DraftEntry {
    /// How much.
    pub amount: Amount,
    /// Whom.
    pub counterparty_alias: Pointer,
    /// What for.
    pub description: String,
}

/// `POST …/payment-service-provider-draft-payment`
#[derive(Debug, Serialize)]
pub struct ProviderDraftRequest {
    /// Whose account pays.
    pub sender_iban: String,
    /// Whom.
    pub counterparty_iban: String,
    /// Whom, by name.
    pub counterparty_name: String,
    /// What for.
    pub description: String,
    /// How much.
    pub amount: Amount,
}

/// `POST …/confirmation-of-funds`
#[derive(Debug, Serialize)]
pub struct FundsRequest {
    /// Whose account.
    pub pointer_iban: Pointer,
    /// How much.
    pub amount: Amount,
}
