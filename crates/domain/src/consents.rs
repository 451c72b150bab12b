//! Consents for account information: what a third party asks for, what the customer granted, and what that means
//! at a given time (NextGenPSD2 1.3.6, sections 6.3 and 6.4).
//!
//! Stored is what was decided; status is computed from that and the clock.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::{Access, ConsentId, CustomerId, GrantedAccount, Interface, Tenant, TppId};

/// How long a consent about which nothing was decided is remembered, from when it was asked for: as long as what has
/// ended, and a day more.
pub const UNDECIDED_REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 31);

/// What a bank allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsentRules {
    /// Longest validity in days, counted from the day of the request. Delegated Regulation (EU) 2018/389 in the
    /// version of 2022/2360, Article 10a: 180.
    pub max_days: i32,
    /// Most unattended reads a day (Article 36(5): 4).
    pub max_frequency: i64,
    /// Most accounts that one request may name.
    pub max_references: usize,
    /// How long a consent waits to be authorised and confirmed; less than [`UNDECIDED_REMEMBERED`].
    pub waits: SignedDuration,
    /// Days of history that later reads of a recurring consent see (Article 10a).
    pub history_days: i64,
    /// Days for which access is good that a browser asks for where no consent was asked for before.
    pub unasked_days: i64,
}

/// A request for a consent, of the right shape.
#[derive(Debug, Clone)]
pub struct ConsentRequest {
    /// What is asked for.
    pub access: Access,
    /// Whether it is for more than one time.
    pub recurring: bool,
    /// The last day that is asked for.
    pub valid_until: Date,
    /// Unattended reads a day.
    pub frequency_per_day: i64,
    /// Whether it is to be combined with a payment in one session.
    pub combined_service: bool,
    /// Where the browser is to come back to.
    pub redirect_uri: String,
}

/// A consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Its id.
    pub id: ConsentId,
    /// Who asked for it.
    pub tpp: TppId,
    /// At which branch.
    pub tenant: Tenant,
    /// At which interface; there is no such consent at another.
    pub interface: Interface,
    /// What was asked for.
    pub access: Access,
    /// What was granted; empty until a customer approves.
    pub granted: Vec<GrantedAccount>,
    /// Whether it is for more than one time.
    pub recurring: bool,
    /// The last day on which it is valid, by the bank's own calendar.
    pub valid_until: Date,
    /// Unattended reads a day, for each account and kind.
    pub frequency_per_day: i64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// The customer who approved it.
    pub customer: Option<CustomerId>,
    /// When; none until then, and for one that was stored before this was.
    pub approved_at: Option<Timestamp>,
    /// What was decided.
    pub decision: Decision,
    /// When something was last done to it.
    pub last_action_at: Timestamp,
    /// Version of the row; 0 before it is stored.
    pub version: i64,
}

/// What was decided about a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nothing yet, or approved and not yet confirmed.
    Pending,
    /// Approved and confirmed.
    Confirmed,
    /// The customer refused.
    Rejected,
    /// The third party ended it.
    TerminatedByTpp,
    /// The customer withdrew it at the bank.
    RevokedByPsu,
    /// The bank ended it: it blocked the third party, or the certificate on whose word that acts.
    EndedByBank,
}

impl Decision {
    /// Every decision with its name.
    pub const NAMES: [(Self, &'static str); 6] = [
        (Self::Pending, "pending"),
        (Self::Confirmed, "confirmed"),
        (Self::Rejected, "rejected"),
        (Self::TerminatedByTpp, "terminatedByTpp"),
        (Self::RevokedByPsu, "revokedByPsu"),
        (Self::EndedByBank, "endedByBank"),
    ];

    /// The stable name that is stored.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(decision, _)| *decision == self).map_or("pending", |(_, name)| name)
    }

    /// The decision with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(decision, _)| *decision)
    }
}

/// What a consent is at a given time (NextGenPSD2, consentStatus).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsentStatus {
    /// Not yet authorised, or authorised and not yet confirmed.
    Received,
    /// Usable.
    Valid,
    /// Refused, or never authorised in time.
    Rejected,
    /// Its last day is over, or the bank ended it before: the standard has no word for that.
    Expired,
    /// The third party ended it.
    TerminatedByTpp,
    /// The customer withdrew it.
    RevokedByPsu,
}

impl ConsentStatus {
    /// The standard's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Valid => "valid",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::TerminatedByTpp => "terminatedByTpp",
            Self::RevokedByPsu => "revokedByPsu",
        }
    }

    /// Whether it never changes any more.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Received | Self::Valid)
    }
}

impl Consent {
    /// A consent that is asked for. The bank may shorten what was asked for; the consent says what holds.
    ///
    /// # Errors
    /// [`ConsentRefusal`]
    pub fn request(
        id: ConsentId,
        (tpp, tenant, interface): (TppId, Tenant, Interface),
        request: ConsentRequest,
        now: Timestamp,
        rules: &ConsentRules,
    ) -> Result<Self, ConsentRefusal> {
        let today = tenant.date_at(now);
        if request.combined_service {
            return Err(ConsentRefusal::CombinedService);
        }
        if !(1..=rules.max_frequency).contains(&request.frequency_per_day) {
            return Err(ConsentRefusal::Frequency { max: rules.max_frequency });
        }
        if !request.recurring && request.frequency_per_day > 1 {
            return Err(ConsentRefusal::FrequencyOfOneOff);
        }
        if request.valid_until < today {
            return Err(ConsentRefusal::ValidUntilInPast { valid_until: request.valid_until, today });
        }
        let latest = today.saturating_add(jiff::Span::new().days(rules.max_days));
        Ok(Self {
            id,
            tpp,
            tenant,
            interface,
            access: request.access,
            granted: Vec::new(),
            recurring: request.recurring,
            valid_until: request.valid_until.min(latest),
            frequency_per_day: request.frequency_per_day,
            created_at: now,
            customer: None,
            approved_at: None,
            decision: Decision::Pending,
            last_action_at: now,
            version: 0,
        })
    }

    /// The consent as it was when it was asked for.
    pub fn as_requested(self) -> Self {
        Self {
            granted: Vec::new(),
            customer: None,
            approved_at: None,
            decision: Decision::Pending,
            last_action_at: self.created_at,
            version: 0,
            ..self
        }
    }

    /// What the consent is at `now`.
    pub fn status_at(&self, now: Timestamp, rules: &ConsentRules) -> ConsentStatus {
        let is_over = self.tenant.date_at(now) > self.valid_until;
        let waited = now.duration_since(self.created_at);
        match self.decision {
            Decision::Rejected => ConsentStatus::Rejected,
            Decision::TerminatedByTpp => ConsentStatus::TerminatedByTpp,
            Decision::RevokedByPsu => ConsentStatus::RevokedByPsu,
            Decision::EndedByBank => ConsentStatus::Expired,
            Decision::Pending if is_over || waited >= rules.waits => ConsentStatus::Rejected,
            Decision::Pending => ConsentStatus::Received,
            Decision::Confirmed if is_over => ConsentStatus::Expired,
            Decision::Confirmed => ConsentStatus::Valid,
        }
    }

    /// The first moment after the last day.
    pub fn ends_at(&self) -> Timestamp {
        self.tenant.start_of(self.valid_until.tomorrow().unwrap_or(self.valid_until))
    }

    /// When the consent may be forgotten: a while after it ended. One that was valid is remembered for as long as its
    /// customer can dispute what was done with it.
    pub fn forget_at(&self) -> Timestamp {
        let (since, remembered) = match self.decision {
            Decision::Pending => (self.created_at, UNDECIDED_REMEMBERED),
            Decision::Rejected => (self.last_action_at, crate::REMEMBERED),
            Decision::Confirmed => (self.ends_at(), crate::DISPUTABLE),
            Decision::TerminatedByTpp | Decision::RevokedByPsu | Decision::EndedByBank => {
                (self.last_action_at, crate::DISPUTABLE)
            }
        };
        since.saturating_add(remembered).unwrap_or(Timestamp::MAX)
    }

    /// Checks that the consent can still be authorised.
    ///
    /// # Errors
    /// [`ConsentRefusal::Final`]
    pub fn check_open(&self, now: Timestamp, rules: &ConsentRules) -> Result<(), ConsentRefusal> {
        match self.status_at(now, rules) {
            ConsentStatus::Received => Ok(()),
            status => Err(ConsentRefusal::Final { id: self.id.to_string(), status }),
        }
    }

    /// Checks that data may be read with the consent.
    ///
    /// # Errors
    /// [`ConsentRefusal::NotValid`]
    pub fn check_valid(&self, now: Timestamp, rules: &ConsentRules) -> Result<(), ConsentRefusal> {
        match self.status_at(now, rules) {
            ConsentStatus::Valid => Ok(()),
            status => Err(ConsentRefusal::NotValid { id: self.id.to_string(), status }),
        }
    }

    /// The customer approves; the third party has yet to confirm.
    ///
    /// # Errors
    /// [`ConsentRefusal::Final`]
    pub fn approve(
        self,
        customer: CustomerId,
        granted: Vec<GrantedAccount>,
        now: Timestamp,
        rules: &ConsentRules,
    ) -> Result<Self, ConsentRefusal> {
        self.check_open(now, rules)?;
        Ok(Self { customer: Some(customer), approved_at: Some(now), granted, last_action_at: now, ..self })
    }

    /// The third party confirms with a token of the approval. A consent that is valid stays so.
    ///
    /// # Errors
    /// [`ConsentRefusal::Final`]
    pub fn confirm(self, now: Timestamp, rules: &ConsentRules) -> Result<Self, ConsentRefusal> {
        match self.status_at(now, rules) {
            ConsentStatus::Valid => Ok(self),
            ConsentStatus::Received => Ok(self.decided(Decision::Confirmed, now)),
            status => Err(ConsentRefusal::Final { id: self.id.to_string(), status }),
        }
    }

    /// The customer refuses. What is final stays as it is.
    pub fn reject(self, now: Timestamp, rules: &ConsentRules) -> Self {
        self.end(Decision::Rejected, now, rules)
    }

    /// The third party ends it. What is final stays as it is.
    pub fn terminate(self, now: Timestamp, rules: &ConsentRules) -> Self {
        self.end(Decision::TerminatedByTpp, now, rules)
    }

    /// The customer withdraws it at the bank. What is final stays as it is.
    pub fn revoke_by_psu(self, now: Timestamp, rules: &ConsentRules) -> Self {
        self.end(Decision::RevokedByPsu, now, rules)
    }

    /// The bank ends it.
    pub fn end_by_bank(self, now: Timestamp, rules: &ConsentRules) -> Self {
        self.end(Decision::EndedByBank, now, rules)
    }

    /// Somebody ends it, for the reason that the decision says. What is final stays as it is.
    pub fn end(self, why: Decision, now: Timestamp, rules: &ConsentRules) -> Self {
        if self.status_at(now, rules).is_final() { self } else { self.decided(why, now) }
    }

    fn decided(self, decision: Decision, now: Timestamp) -> Self {
        Self { decision, last_action_at: now, ..self }
    }
}

/// A rule about consents that a request breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsentRefusal {
    /// No array at all.
    #[error("the consent asks for nothing; name accounts, or let the customer choose")]
    AccessEmpty,
    /// Some arrays are empty and some are not.
    #[error(
        "the consent names accounts for one way of access and none for another; name them for all, or for none to let \
         the customer choose"
    )]
    AccessMixed,
    /// Too many references.
    #[error("the consent names more than {max} accounts")]
    TooManyReferences {
        /// Most of them.
        max: usize,
    },
    /// A number that the bank does not offer in this interface.
    #[error("Access to IBAN [{0}] is not allowed")]
    AccountNotAllowed(String),
    /// A savings account, where it is to be asked whether the account could pay.
    #[error(
        "Access to IBAN [{0}] is not allowed: nobody pays from a savings account; name a current account"
    )]
    AccountProduct(String),
    /// The account is kept in another currency.
    #[error(
        "Access to IBAN [{number}] in {asked} is not allowed: the account is kept in {}; name that currency, or leave \
         currency out", kept.join(", ")
    )]
    AccountCurrency {
        /// Of the account.
        number: String,
        /// That of the request.
        asked: String,
        /// In which currencies there are accounts of the number.
        kept: Vec<&'static str>,
    },
    /// Together with a payment.
    #[error("a consent cannot be combined with a payment in one session")]
    CombinedService,
    /// Too often, or never.
    #[error("unattended reads a day must be from 1 to {max}")]
    Frequency {
        /// Most often.
        max: i64,
    },
    /// More than once for a one-off consent.
    #[error("a consent for one time allows one unattended read a day")]
    FrequencyOfOneOff,
    /// Over before it begins.
    #[error("the last day {valid_until} is in the past; today is {today}")]
    ValidUntilInPast {
        /// What was asked for.
        valid_until: Date,
        /// Today at the bank.
        today: Date,
    },
    /// The redirect URI is not one of the registration's.
    #[error(
        "the redirect URI is not registered; it must equal one of the registration, character by character"
    )]
    RedirectUri,
    /// Data are asked for with a consent that is not valid.
    #[error("Operation not possible on consent {id} with status {}", status.name())]
    NotValid {
        /// Which consent.
        id: String,
        /// What it is.
        status: ConsentStatus,
    },
    /// The consent cannot be authorised any more.
    #[error("consent {id} has status {} and cannot be authorised any more", status.name())]
    Final {
        /// Which consent.
        id: String,
        /// What it is.
        status: ConsentStatus,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant() -> Tenant {
        Tenant::parse("nl").unwrap()
    }

    const RULES: ConsentRules = ConsentRules {
        max_days: 180,
        max_frequency: 4,
        max_references: 100,
        waits: SignedDuration::from_hours(24),
        history_days: 90,
        unasked_days: 90,
    };

    fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn offered() -> Access {
        Access::BankOffered { accounts: true, balances: true, transactions: false, restricted_to: vec![] }
    }

    fn asked(valid_until: &str) -> ConsentRequest {
        ConsentRequest {
            access: offered(),
            recurring: true,
            valid_until: valid_until.parse().unwrap(),
            frequency_per_day: 4,
            combined_service: false,
            redirect_uri: "https://tpp.example/cb".into(),
        }
    }

    fn consent(request: ConsentRequest) -> Result<Consent, ConsentRefusal> {
        let who = (TppId::new("PSDNL-DNB-1"), tenant(), Interface::BerlinGroup);
        Consent::request(ConsentId::new("c"), who, request, now(), &RULES)
    }

    #[test]
    fn validity_is_what_was_asked_but_never_more_than_allowed() {
        let until = |asked_until: &str| consent(asked(asked_until)).unwrap().valid_until.to_string();
        assert_eq!(until("2026-03-01"), "2026-03-01");
        assert_eq!(until("2026-08-28"), "2026-08-28");
        assert_eq!(until("2026-08-29"), "2026-08-28");
        assert_eq!(until("9999-12-31"), "2026-08-28");
    }

    #[test]
    fn refuses_with_the_rule() {
        use ConsentRefusal as R;
        let good = || asked("2026-05-01");
        for (request, refusal) in [
            (ConsentRequest { combined_service: true, ..good() }, R::CombinedService),
            (ConsentRequest { frequency_per_day: 5, ..good() }, R::Frequency { max: 4 }),
            (ConsentRequest { frequency_per_day: 0, ..good() }, R::Frequency { max: 4 }),
            (ConsentRequest { recurring: false, ..good() }, R::FrequencyOfOneOff),
            (
                asked("2026-02-28"),
                R::ValidUntilInPast {
                    valid_until: "2026-02-28".parse().unwrap(),
                    today: "2026-03-01".parse().unwrap(),
                },
            ),
        ] {
            assert_eq!(consent(request), Err(refusal));
        }
    }

    #[test]
    fn when_a_customer_approved_is_known_whenever_it_is_confirmed() {
        let later = |hours: i64| now() + SignedDuration::from_hours(hours);
        let asked = consent(asked("2026-03-10")).unwrap();
        assert_eq!(asked.approved_at, None);
        let approved = asked.clone().approve(CustomerId::new("p"), Vec::new(), later(1), &RULES).unwrap();
        let confirmed = approved.confirm(later(2), &RULES).unwrap();
        assert_eq!((confirmed.approved_at, confirmed.last_action_at), (Some(later(1)), later(2)));
        assert_eq!(confirmed.as_requested(), asked);
    }

    #[test]
    fn status_follows_from_decision_and_clock() {
        let later = |hours: i64| now() + SignedDuration::from_hours(hours);
        let received = consent(asked("2026-03-10")).unwrap();
        assert_eq!(received.status_at(later(23), &RULES), ConsentStatus::Received);
        assert_eq!(received.status_at(later(24), &RULES), ConsentStatus::Rejected);
        let valid = received.clone().confirm(later(1), &RULES).unwrap();
        assert_eq!(valid.status_at(later(25), &RULES), ConsentStatus::Valid);
        // The last day ends at midnight in Amsterdam, which is 23:00 in UTC.
        let last: Timestamp = "2026-03-10T22:59:59Z".parse().unwrap();
        assert_eq!(valid.status_at(last, &RULES), ConsentStatus::Valid);
        assert_eq!(valid.status_at(valid.ends_at(), &RULES), ConsentStatus::Expired);
        assert_eq!(valid.ends_at(), last + SignedDuration::from_secs(1));
        for (ended, status) in [
            (valid.clone().terminate(later(2), &RULES), ConsentStatus::TerminatedByTpp),
            (valid.clone().revoke_by_psu(later(2), &RULES), ConsentStatus::RevokedByPsu),
            (received.clone().reject(later(2), &RULES), ConsentStatus::Rejected),
        ] {
            assert!(status.is_final());
            assert_eq!(ended.status_at(later(2), &RULES), status);
            assert_eq!(ended.clone().terminate(later(3), &RULES), ended, "what is final stays");
            assert!(
                ended.clone().confirm(later(3), &RULES).is_err()
                    && ended.check_open(later(3), &RULES).is_err()
            );
        }
        assert!(valid.check_open(later(2), &RULES).is_err() && valid.check_valid(later(2), &RULES).is_ok());
        assert!(received.check_valid(later(2), &RULES).is_err());
    }

    #[test]
    fn what_the_bank_ended_has_expired_and_stays_so() {
        let ended = Consent { decision: Decision::EndedByBank, ..consent(asked("2026-07-01")).unwrap() };
        assert_eq!(ended.status_at(ended.created_at, &RULES), ConsentStatus::Expired);
        let now = ended.created_at;
        assert_eq!(ended.clone().terminate(now, &RULES), ended);
    }

    #[test]
    fn decisions_have_stable_names() {
        for (decision, name) in Decision::NAMES {
            assert_eq!((decision.name(), Decision::from_name(name)), (name, Some(decision)));
        }
    }

    proptest::proptest! {
        #[test]
        fn on_any_day_validity_ends_with_its_last_day(
            second in 1_577_836_800_i64..3_786_912_000,
            ahead in -2_i64..400,
            name in "nl|be_fr|uk",
        ) {
            let (tenant, now) = (Tenant::parse(&name).unwrap(), Timestamp::from_second(second).unwrap());
            let today = tenant.date_at(now);
            let wanted = today + jiff::Span::new().days(ahead);
            let who = (TppId::new("PSDNL-DNB-1"), tenant.clone(), Interface::BerlinGroup);
            let request = asked(&wanted.to_string());
            let consent = Consent::request(ConsentId::new("c"), who, request, now, &RULES);
            if ahead < 0 {
                let refused = ConsentRefusal::ValidUntilInPast { valid_until: wanted, today };
                proptest::prop_assert_eq!(consent, Err(refused));
                return Ok(());
            }
            let valid = consent.unwrap().confirm(now, &RULES).unwrap();
            proptest::prop_assert_eq!(valid.valid_until, today + jiff::Span::new().days(ahead.min(180)));
            let last = valid.ends_at() - SignedDuration::from_secs(1);
            proptest::prop_assert_eq!(tenant.date_at(last), valid.valid_until);
            proptest::prop_assert_eq!(valid.status_at(last, &RULES), ConsentStatus::Valid);
            proptest::prop_assert_eq!(valid.status_at(valid.ends_at(), &RULES), ConsentStatus::Expired);
        }
    }
}
