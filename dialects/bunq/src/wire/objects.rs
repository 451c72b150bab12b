//! What the server answers: every object under its wrapper, with all members that the interface has (sections 7 to 18).
//! Members that a client of this project reads too are those of [`crate::wire`].

use serde::{Deserialize, Serialize, Serializer};

use super::accounts::{Account, CustomerStatement, PaymentStatement};
use super::payments::{
    BookedPayment, DraftPayment, Event, IssuerTransaction, PaymentBatch, ProviderDraft, RequestInquiry,
    RequestResponse, Schedule, ScheduleInstance, ScheduledPayment,
};
use super::users::{Customer, CustomerLimit, Provider, UserApiKey};
use super::{
    CallbackUrl, ConfirmationOfFunds, CredentialPasswordIp, Id, Label, OauthClient, ServerPublicKey, Token,
};

/// An element of an answer; its name is its wrapper. Never printed: there are tokens in some of them.
#[derive(Serialize)]
pub(crate) enum Object {
    Id(Id),
    Uuid {
        uuid: String,
    },
    Token(Stamped<Token>),
    ServerPublicKey(ServerPublicKey),
    CredentialPasswordIp(Stamped<Credential>),
    DeviceServer(Stamped<DeviceServer>),
    PermittedIp(Stamped<PermittedIp>),
    OauthClient(OauthClient),
    /// What is told of a client whose access to a user has ended.
    #[serde(rename = "OauthClient")]
    EndedClient {
        status: State,
        user_id: i64,
        name: String,
    },
    OauthCallbackUrl(CallbackUrl),
    ApiKey {
        api_key: String,
    },
    UserPaymentServiceProvider(Provider),
    UserPerson(Customer),
    UserCompany(Customer),
    UserApiKey(Stamped<UserApiKey>),
    UserLegalNameArray {
        legal_names: Vec<String>,
    },
    CustomerLimit(CustomerLimit),
    MonetaryAccountBank(Account),
    MonetaryAccountJoint(Account),
    MonetaryAccountSavings(Account),
    MonetaryAccountExternal(Account),
    MonetaryAccountExternalSavings(Account),
    MonetaryAccountCard(Account),
    Payment(BookedPayment),
    PaymentBatch(Stamped<PaymentBatch>),
    DraftPayment(Box<Stamped<DraftPayment>>),
    ScheduledPayment(Stamped<ScheduledPayment>),
    Schedule(Schedule),
    ScheduleInstance(Box<ScheduleInstance>),
    RequestInquiry(Stamped<RequestInquiry>),
    RequestResponse(Stamped<RequestResponse>),
    PaymentServiceProviderDraftPayment(Stamped<ProviderDraft>),
    PaymentServiceProviderIssuerTransaction(Stamped<IssuerTransaction>),
    ConfirmationOfFunds(ConfirmationOfFunds),
    Event(Box<Stamped<Event>>),
    CustomerStatement(Stamped<CustomerStatement>),
    ExportStatementPayment(Stamped<PaymentStatement>),
    AttachmentPublic(AttachmentPublic),
    Avatar {
        uuid: String,
        image: [Image; 1],
    },
    NotificationFilterUrl(NotificationFilter),
    NotificationFilterFailure(Stamped<FilterFailure>),
    CertificatePinned {
        id: i64,
        certificate_chain: String,
    },
    HealthResult {
        status: &'static str,
    },
}

/// An object with its number and its times, `YYYY-MM-DD hh:mm:ss.ffffff`, UTC.
#[derive(Serialize)]
pub(crate) struct Stamped<T> {
    pub(crate) id: i64,
    pub(crate) created: String,
    pub(crate) updated: String,
    #[serde(flatten)]
    pub(crate) object: T,
}

/// Members that the interface has and this bank says nothing in: those that are null, and those that are empty lists,
/// with blanks between their names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unsaid(pub(super) &'static str, pub(super) &'static str);

impl Serialize for Unsaid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nulls = self.0.split_whitespace().map(|name| (name, None));
        let lists = self.1.split_whitespace().map(|name| (name, Some([(); 0])));
        serializer.collect_map(nulls.chain(lists))
    }
}

/// What state something is in.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum State {
    Active,
    Inactive,
    PendingFirstUse,
    Expired,
    Completed,
    Finished,
    /// A time of a schedule whose payment was made, and one whose payment the bank refused.
    FinishedSuccessfully,
    FailedUserError,
    Finalized,
    Cancelled,
}

/// An API key.
#[derive(Serialize)]
pub(crate) struct Credential {
    pub(crate) status: State,
    #[serde(flatten)]
    pub(crate) key: CredentialPasswordIp,
    /// The first one that used it.
    pub(crate) permitted_device: Option<Device>,
}

/// What is known of a device.
#[derive(Serialize)]
pub(crate) struct Device {
    pub(crate) description: String,
    pub(crate) ip: String,
}

#[derive(Serialize)]
pub(crate) struct DeviceServer {
    #[serde(flatten)]
    pub(crate) device: Device,
    pub(crate) status: State,
}

#[derive(Serialize)]
pub(crate) struct PermittedIp {
    pub(crate) ip: String,
    pub(crate) status: State,
}

/// An avatar: users of this bank have no pictures.
#[derive(Clone, Serialize)]
pub(crate) struct LabelAvatar {
    pub(crate) uuid: String,
    pub(crate) style: &'static str,
    #[serde(flatten)]
    pub(crate) unsaid: Unsaid,
}

pub(crate) const AVATAR: Unsaid = Unsaid("anchor_uuid", "image");

/// How a user appears in other objects.
#[derive(Clone, Serialize)]
pub(crate) struct LabelUser {
    /// Absent for whoever is no customer of this bank.
    pub(crate) uuid: Option<String>,
    pub(crate) display_name: String,
    pub(crate) country: String,
    pub(crate) avatar: Option<LabelAvatar>,
    pub(crate) public_nick_name: String,
}

/// How an account appears in other objects.
#[derive(Serialize)]
pub(crate) struct LabelAccount {
    #[serde(flatten)]
    pub(crate) label: Label,
    pub(crate) is_light: bool,
    pub(crate) avatar: LabelAvatar,
    pub(crate) label_user: LabelUser,
    pub(crate) country: String,
    #[serde(flatten)]
    pub(crate) unsaid: Unsaid,
}

pub(crate) const LABEL: Unsaid = Unsaid(
    "merchant_category_code swift_bic swift_account_number transferwise_account_number transferwise_bank_code",
    "",
);

#[derive(Serialize)]
pub(crate) struct AttachmentPublic {
    pub(crate) uuid: String,
    pub(crate) created: String,
    pub(crate) updated: String,
    pub(crate) attachment: Attachment,
}

#[derive(Serialize)]
pub(crate) struct Attachment {
    pub(crate) description: String,
    pub(crate) content_type: String,
}

/// The picture of an avatar.
#[derive(Serialize)]
pub(crate) struct Image {
    pub(crate) attachment_public_uuid: String,
    pub(crate) content_type: String,
    #[serde(flatten)]
    pub(crate) unsaid: Unsaid,
}

pub(crate) const IMAGE: Unsaid = Unsaid("height width", "");

/// Who is told of what.
#[derive(Serialize)]
pub(crate) struct NotificationFilter {
    pub(crate) category: Category,
    pub(crate) notification_target: String,
}

/// Categories of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Category {
    Billing,
    CardTransactionSuccessful,
    CardTransactionFailed,
    Chat,
    DraftPayment,
    Ideal,
    Sofort,
    Mutation,
    Oauth,
    Payment,
    Request,
    ScheduleResult,
    ScheduleStatus,
    Share,
    TabResult,
    BunqmeTab,
    Support,
    MonetaryAccountProfile,
    Promotion,
    UserApproval,
}

impl std::fmt::Display for Category {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.serialize(f)
    }
}

/// A callback that could not be delivered.
#[derive(Serialize)]
pub(crate) struct FilterFailure {
    pub(crate) notification_filters: [NotificationFilter; 1],
    pub(crate) category: Category,
    pub(crate) event_type: String,
    pub(crate) object_id: i64,
    pub(crate) exception_message: String,
    pub(crate) response_code: Option<u16>,
}

/// What a callback tells, under its wrapper.
#[derive(Serialize)]
pub(crate) enum Notification<'a> {
    NotificationUrl { target_url: &'a str, category: Category, event_type: &'a str, object: &'a Object },
}
