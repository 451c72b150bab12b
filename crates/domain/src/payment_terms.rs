//! What kind of payment it is and when it is made (NextGenPSD2, payment services and products), and what became of it
//! in the words of ISO 20022.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Kind, product and time of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentTerms {
    /// One transfer, one that is repeated, or many at once.
    pub service: PaymentService,
    /// By which scheme.
    pub product: PaymentProduct,
    /// When.
    pub execution: Execution,
    /// Whether the payer wants one entry for all transfers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_booking: Option<bool>,
}

impl PaymentTerms {
    /// One credit transfer or several, as soon as it is approved.
    pub const AT_ONCE: Self = Self {
        service: PaymentService::Single,
        product: PaymentProduct::SepaCreditTransfers,
        execution: Execution::AtOnce,
        batch_booking: None,
    };
}

/// Payment services (NextGenPSD2, `{payment-service}`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaymentService {
    /// `payments`
    Single,
    /// `periodic-payments`
    Periodic,
    /// `bulk-payments`
    Bulk,
}

/// Payment products (NextGenPSD2, `{payment-product}`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaymentProduct {
    /// Euro transfers within the SEPA.
    SepaCreditTransfers,
    /// Sterling transfers within the United Kingdom.
    UkDomesticTransfers,
    /// Transfers to other countries or in other currencies.
    CrossBorderCreditTransfers,
}

/// When a payment is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Execution {
    /// As soon as the bank can.
    AtOnce,
    /// On a day.
    On(Date),
    /// Again and again.
    Repeated(Repetition),
}

/// The days of a periodic payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repetition {
    /// The first day on which it can be made.
    pub start: Date,
    /// The last one; none if it goes on until it is cancelled.
    pub end: Option<Date>,
    /// How often.
    pub frequency: Frequency,
    /// Which business day is taken in place of one that is none; the following one by default.
    pub rule: Option<ExecutionRule>,
    /// Day of the month, 1 to 31; a month that is shorter has it on its last day. The day of `start` if absent.
    pub day: Option<i8>,
    /// The months of [`Frequency::MonthlyVariable`], 1 to 12.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub months: Vec<i8>,
}

/// How often a periodic payment is made (NextGenPSD2, `frequencyCode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the standard's words")]
pub enum Frequency {
    Daily,
    Weekly,
    EveryTwoWeeks,
    Monthly,
    EveryTwoMonths,
    Quarterly,
    SemiAnnual,
    Annual,
    MonthlyVariable,
}

/// Which business day stands in for a day that is none (NextGenPSD2, `executionRule`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExecutionRule {
    /// The one after it.
    Following,
    /// The one before it.
    Preceding,
}

macro_rules! names {
    ($kind:ident: $what:literal; $($variant:ident = $name:literal),+ $(,)?) => {
        impl $kind {
            #[doc = concat!("Every ", $what, " with its name.")]
            pub const NAMES: &[(Self, &'static str)] = &[$((Self::$variant, $name)),+];

            /// The name that is stored and shown.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }

            #[doc = concat!("The ", $what, " with this name.")]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::NAMES.iter().find(|(_, known)| *known == name).map(|(one, _)| *one)
            }
        }
    };
}

names! {
    PaymentService: "payment service";
    Single = "payments",
    Periodic = "periodic-payments",
    Bulk = "bulk-payments",
}

names! {
    PaymentProduct: "payment product";
    SepaCreditTransfers = "sepa-credit-transfers",
    UkDomesticTransfers = "uk-domestic-transfers",
    CrossBorderCreditTransfers = "cross-border-credit-transfers",
}

names! {
    Frequency: "frequency";
    Daily = "Daily",
    Weekly = "Weekly",
    EveryTwoWeeks = "EveryTwoWeeks",
    Monthly = "Monthly",
    EveryTwoMonths = "EveryTwoMonths",
    Quarterly = "Quarterly",
    SemiAnnual = "SemiAnnual",
    Annual = "Annual",
    MonthlyVariable = "MonthlyVariable",
}

names! {
    ExecutionRule: "rule for days that are no business days";
    Following = "following",
    Preceding = "preceding",
}

/// What a payment is for whoever asks the bank (ISO 20022, ExternalPaymentTransactionStatus1Code).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TransactionStatus {
    /// Received; nothing was checked but its form.
    Rcvd,
    /// Further checks go on.
    Pdng,
    /// Technically right, and the customer was authenticated.
    Actc,
    /// Technically right; more customers have to approve.
    Patc,
    /// Technically right, and the money is there.
    Acfc,
    /// The customer's profile was checked too.
    Accp,
    /// Accepted with a change.
    Acwc,
    /// Settlement goes on.
    Acsp,
    /// Accepted, and the payee not yet credited.
    Acwp,
    /// The account that pays was debited.
    Acsc,
    /// The account that is paid was credited.
    Accc,
    /// Some transfers were accepted, and others were not.
    Part,
    /// Rejected.
    Rjct,
    /// Cancelled.
    Canc,
}

names! {
    TransactionStatus: "status of a payment";
    Rcvd = "RCVD",
    Pdng = "PDNG",
    Actc = "ACTC",
    Patc = "PATC",
    Acfc = "ACFC",
    Accp = "ACCP",
    Acwc = "ACWC",
    Acsp = "ACSP",
    Acwp = "ACWP",
    Acsc = "ACSC",
    Accc = "ACCC",
    Part = "PART",
    Rjct = "RJCT",
    Canc = "CANC",
}

/// Why a bank does not make a payment (ISO 20022, ExternalStatusReason1Code), and whose account that is about where the
/// code leaves it open.
///
/// ```
/// use domain::RejectReason;
///
/// assert_eq!(RejectReason::SameAccount.name(), "AG01-SAME");
/// // What a later program says more precisely is read as far as it is known.
/// assert_eq!(RejectReason::from_stored("AG01-LATE"), Some(RejectReason::Ag01));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE", try_from = "String")]
pub enum RejectReason {
    /// The number of the account that is to be paid is nobody's.
    Ac01,
    /// The account is closed.
    Ac04,
    /// The account is blocked.
    Ac06,
    /// This kind of account makes or takes no such payments.
    Ag01,
    /// There is not enough money.
    Am04,
    /// The customer or the third party asked to stop it.
    Cust,
    /// The bank does not say why.
    Ms03,
    /// For reasons of the law.
    Rr04,
    /// Nobody approved it in time.
    Tm01,
    /// `AC04`: the account that pays.
    #[serde(rename = "AC04-DBTR")]
    DebtorClosed,
    /// `AC04`: the account that is to be paid.
    #[serde(rename = "AC04-CDTR")]
    CreditorClosed,
    /// `AC06`: the account that pays.
    #[serde(rename = "AC06-DBTR")]
    DebtorBlocked,
    /// `AC06`: the account that is to be paid.
    #[serde(rename = "AC06-CDTR")]
    CreditorBlocked,
    /// `AG01`: the account that pays.
    #[serde(rename = "AG01-DBTR")]
    DebtorUnfit,
    /// `AG01`: the account that is to be paid.
    #[serde(rename = "AG01-CDTR")]
    CreditorUnfit,
    /// `AG01`: both are one account.
    #[serde(rename = "AG01-SAME")]
    SameAccount,
}

names! {
    RejectReason: "reason for a rejection";
    Ac01 = "AC01",
    Ac04 = "AC04",
    Ac06 = "AC06",
    Ag01 = "AG01",
    Am04 = "AM04",
    Cust = "CUST",
    Ms03 = "MS03",
    Rr04 = "RR04",
    Tm01 = "TM01",
    DebtorClosed = "AC04-DBTR",
    CreditorClosed = "AC04-CDTR",
    DebtorBlocked = "AC06-DBTR",
    CreditorBlocked = "AC06-CDTR",
    DebtorUnfit = "AG01-DBTR",
    CreditorUnfit = "AG01-CDTR",
    SameAccount = "AG01-SAME",
}

impl RejectReason {
    /// The reasons of ISO 20022, which do not say which of two accounts they are about.
    pub const CODES: &[(Self, &'static str)] = Self::NAMES.split_at(9).0;

    /// The reason with this name as it is stored. Processes of several releases share a database, so one that this release does not
    /// know is the code in front of the hyphen, and a code that it does not know [`Self::Ms03`]: reasons are told to people, and nothing is
    /// decided by them. None if it has not the form of a reason.
    pub fn from_stored(name: &str) -> Option<Self> {
        let is_part = |part: &str| {
            part.len() == 4 && part.bytes().all(|octet| octet.is_ascii_uppercase() || octet.is_ascii_digit())
        };
        let (code, more) = name.split_once('-').unwrap_or((name, "MORE"));
        let unknown =
            || (is_part(code) && is_part(more)).then(|| Self::from_name(code).unwrap_or(Self::Ms03));
        Self::from_name(name).or_else(unknown)
    }

    /// The code of ISO 20022.
    pub fn code(self) -> &'static str {
        self.name().split_once('-').map_or(self.name(), |(code, _)| code)
    }

    /// In words, for messages.
    pub fn text(self) -> &'static str {
        match self {
            Self::Ac01 => "the number of the account that is to be paid is nobody's",
            Self::Ac04 => "the account is closed",
            Self::Ac06 => "the account is blocked",
            Self::Ag01 => "the account makes or takes no such payments",
            Self::Am04 => "the account has insufficient funds",
            Self::Cust => "it was stopped on request",
            Self::Ms03 => "the bank does not say why",
            Self::Rr04 => "for legal reasons",
            Self::Tm01 => "it was not approved and confirmed in time",
            Self::DebtorClosed => "the account that pays is closed",
            Self::CreditorClosed => "the account that is to be paid is closed",
            Self::DebtorBlocked => "the account that pays is blocked",
            Self::CreditorBlocked => "the account that is to be paid is blocked",
            Self::DebtorUnfit => "the account that pays makes no such payments",
            Self::CreditorUnfit => "the account that is to be paid takes no such payments",
            Self::SameAccount => "the account that pays and the account that is paid are the same",
        }
    }
}

impl TryFrom<String> for RejectReason {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::from_stored(&name).ok_or("it has not the form of a reason")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for (service, name) in PaymentService::NAMES {
            assert_eq!((service.name(), PaymentService::from_name(name)), (*name, Some(*service)));
        }
        for (product, name) in PaymentProduct::NAMES {
            assert_eq!((product.name(), PaymentProduct::from_name(name)), (*name, Some(*product)));
            assert_eq!(serde_json::to_value(product).unwrap(), *name);
        }
        for (status, name) in TransactionStatus::NAMES {
            assert_eq!((status.name(), TransactionStatus::from_name(name)), (*name, Some(*status)));
            assert_eq!(serde_json::to_value(status).unwrap(), *name);
        }
        for (reason, name) in RejectReason::NAMES {
            assert_eq!((reason.name(), RejectReason::from_name(name)), (*name, Some(*reason)));
            assert_eq!(serde_json::to_value(reason).unwrap(), *name);
            assert!(RejectReason::CODES.iter().any(|(_, code)| *code == reason.code()), "{name}");
        }
        for (frequency, name) in Frequency::NAMES {
            assert_eq!((frequency.name(), Frequency::from_name(name)), (*name, Some(*frequency)));
        }
        assert_eq!(Frequency::from_name("daily"), None);
    }

    #[test]
    fn reasons_of_a_later_release_are_read_as_far_as_they_are_known() {
        let read = |name: &str| {
            let stored = RejectReason::from_stored(name);
            assert_eq!(serde_json::from_value(name.into()).ok(), stored, "{name}");
            stored
        };
        for (reason, name) in RejectReason::NAMES {
            assert_eq!(read(name), Some(*reason));
            assert_eq!(read(&format!("{}-NEW1", reason.code())), RejectReason::from_name(reason.code()));
        }
        for later in ["AM05", "AM05-DBTR"] {
            assert_eq!(read(later), Some(RejectReason::Ms03), "{later}");
        }
        for wrong in ["", "AG0", "ag01", "AG01-", "AG01-same", "AG01-SAME-X", "AG01 SAME", "-SAME", "{}"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn terms_come_back_from_what_is_stored() {
        let repeated = Execution::Repeated(Repetition {
            start: "2027-01-31".parse().unwrap(),
            end: None,
            frequency: Frequency::Monthly,
            rule: Some(ExecutionRule::Preceding),
            day: Some(31),
            months: Vec::new(),
        });
        for execution in [Execution::AtOnce, Execution::On("2027-01-01".parse().unwrap()), repeated] {
            let terms = PaymentTerms { execution, ..PaymentTerms::AT_ONCE };
            let stored = serde_json::to_string(&terms).unwrap();
            assert_eq!(serde_json::from_str::<PaymentTerms>(&stored).unwrap(), terms);
        }
    }
}
