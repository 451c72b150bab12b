//! Consents for confirmation of funds (PSD2, Article 65; NextGenPSD2, confirmation of funds consent): a customer lets a
//! third party that issued a card ask whether one account holds an amount. It is told yes or no, and nothing is
//! reserved. Such a consent has no last day: it is good until somebody ends it.
//!
//! Stored is what was decided; status is computed from that and the clock.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Account, AccountReference, ConsentRefusal, ConsentStatus, Currency, CustomerId, Decision, FundsConsentId,
    Interface, Money, Product, Tenant, TppId,
};

/// The card that the third party issued, as far as it tells: for the customer's eyes, not read by the bank.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Its number.
    pub number: Option<String>,
    /// Until when it is good.
    pub expiry_date: Option<Date>,
    /// What kind of card it is.
    pub information: Option<String>,
    /// How the customer came to it.
    pub registration_information: Option<String>,
}

/// A card is the customer's business: a log that prints one by mistake shows nothing of it.
impl std::fmt::Debug for Card {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Card(…)")
    }
}

/// A request for a consent, of the right shape.
#[derive(Debug, Clone)]
pub struct FundsConsentRequest {
    /// About which account.
    pub account: AccountReference,
    /// For which card.
    pub card: Card,
    /// Where the browser is to come back to.
    pub redirect_uri: String,
}

/// A consent for confirmation of funds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FundsConsent {
    /// Its id.
    pub id: FundsConsentId,
    /// Who asked for it.
    pub tpp: TppId,
    /// At which branch.
    pub tenant: Tenant,
    /// At which interface; there is no such consent at another.
    pub interface: Interface,
    /// About which account it lets the third party ask.
    pub account: AccountReference,
    /// For which card.
    pub card: Card,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Until when it can be authorised and confirmed.
    pub expires_at: Timestamp,
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

impl FundsConsent {
    /// A consent that is asked for, and waits so long to be authorised and confirmed.
    pub fn request(
        id: FundsConsentId,
        (tpp, tenant, interface): (TppId, Tenant, Interface),
        request: FundsConsentRequest,
        now: Timestamp,
        waits: SignedDuration,
    ) -> Self {
        Self {
            id,
            tpp,
            tenant,
            interface,
            account: request.account,
            card: request.card,
            created_at: now,
            expires_at: now.saturating_add(waits).unwrap_or(Timestamp::MAX),
            customer: None,
            approved_at: None,
            decision: Decision::Pending,
            last_action_at: now,
            version: 0,
        }
    }

    /// The consent as it was when it was asked for.
    pub fn as_requested(self) -> Self {
        Self {
            customer: None,
            approved_at: None,
            decision: Decision::Pending,
            last_action_at: self.created_at,
            version: 0,
            ..self
        }
    }

    /// What the consent is at `now`.
    pub fn status_at(&self, now: Timestamp) -> ConsentStatus {
        match self.decision {
            Decision::Rejected => ConsentStatus::Rejected,
            Decision::TerminatedByTpp => ConsentStatus::TerminatedByTpp,
            Decision::RevokedByPsu => ConsentStatus::RevokedByPsu,
            Decision::EndedByBank => ConsentStatus::Expired,
            Decision::Pending if now >= self.expires_at => ConsentStatus::Rejected,
            Decision::Pending => ConsentStatus::Received,
            Decision::Confirmed => ConsentStatus::Valid,
        }
    }

    /// When the consent may be forgotten: a while after it ended, and never while it is good.
    pub fn forget_at(&self) -> Option<Timestamp> {
        let (ended_at, remembered) = match self.decision {
            Decision::Confirmed => return None,
            Decision::Pending => (Ok(self.expires_at), crate::REMEMBERED),
            Decision::Rejected => (Ok(self.last_action_at), crate::REMEMBERED),
            Decision::TerminatedByTpp | Decision::RevokedByPsu | Decision::EndedByBank => {
                (Ok(self.last_action_at), crate::DISPUTABLE)
            }
        };
        Some(ended_at.and_then(|at| at.saturating_add(remembered)).unwrap_or(Timestamp::MAX))
    }

    /// Checks that the consent can still be authorised.
    ///
    /// # Errors
    /// [`ConsentRefusal::Final`]
    pub fn check_open(&self, now: Timestamp) -> Result<(), ConsentRefusal> {
        match self.status_at(now) {
            ConsentStatus::Received => Ok(()),
            status => Err(ConsentRefusal::Final { id: self.id.to_string(), status }),
        }
    }

    /// Checks that the third party may ask with the consent.
    ///
    /// # Errors
    /// [`ConsentRefusal::NotValid`]
    pub fn check_valid(&self, now: Timestamp) -> Result<(), ConsentRefusal> {
        match self.status_at(now) {
            ConsentStatus::Valid => Ok(()),
            status => Err(ConsentRefusal::NotValid { id: self.id.to_string(), status }),
        }
    }

    /// The customer approves; the third party has yet to confirm.
    ///
    /// # Errors
    /// [`ConsentRefusal::Final`]
    pub fn approve(self, customer: CustomerId, now: Timestamp) -> Result<Self, ConsentRefusal> {
        self.check_open(now)?;
        Ok(Self { customer: Some(customer), approved_at: Some(now), last_action_at: now, ..self })
    }

    /// The third party confirms with a token of the approval. A consent that is valid stays so.
    ///
    /// # Errors
    /// [`ConsentRefusal::Final`]
    pub fn confirm(self, now: Timestamp) -> Result<Self, ConsentRefusal> {
        if self.status_at(now) == ConsentStatus::Valid {
            return Ok(self);
        }
        self.check_open(now)?;
        Ok(Self { decision: Decision::Confirmed, last_action_at: now, ..self })
    }

    /// Somebody ends it, for the reason that the decision says. What is final stays as it is.
    pub fn end(self, why: Decision, now: Timestamp) -> Self {
        if self.status_at(now).is_final() {
            return self;
        }
        Self { decision: why, last_action_at: now, ..self }
    }

    /// The account that a question is about, of those that the customer of the consent holds now.
    ///
    /// # Errors
    /// [`FundsRefusal`]
    pub fn account_of<'a>(
        &self,
        question: &FundsQuestion,
        held: &'a [Account],
    ) -> Result<&'a Account, FundsRefusal> {
        let number = AccountReference { currency: None, ..question.account.clone() };
        let covered = held.iter().filter(|account| self.account.names(account) && number.names(account));
        let covered: Vec<&Account> = covered.collect();
        let Some(first) = covered.first() else {
            return Err(FundsRefusal::NoAccess(question.account.shown()));
        };
        if first.product != Product::Current {
            return Err(FundsRefusal::Product(question.account.shown()));
        }
        let asked = question.amount.currency;
        if question.account.currency.as_deref().is_some_and(|currency| currency != asked.code()) {
            return Err(FundsRefusal::Currencies);
        }
        let account = covered.iter().find(|account| account.currency == asked);
        account.copied().ok_or(FundsRefusal::Currency { account: first.currency, asked })
    }

    /// Checks that a question is about the card that the consent is for, if both say which one.
    ///
    /// # Errors
    /// [`FundsRefusal::Card`]
    pub fn check_card(&self, question: &FundsQuestion) -> Result<(), FundsRefusal> {
        match (&self.card.number, &question.card_number) {
            (Some(own), Some(other)) if own != other => Err(FundsRefusal::Card),
            _ => Ok(()),
        }
    }
}

/// Whether an account holds an amount.
#[derive(Debug, Clone)]
pub struct FundsQuestion {
    /// Which account.
    pub account: AccountReference,
    /// How much.
    pub amount: Money,
    /// With which card the customer is about to pay.
    pub card_number: Option<String>,
}

impl FundsQuestion {
    /// Checks what is asked, whoever asks.
    ///
    /// # Errors
    /// [`FundsRefusal::NotPositive`]
    pub fn check(&self) -> Result<(), FundsRefusal> {
        if self.amount.minor > 0 { Ok(()) } else { Err(FundsRefusal::NotPositive) }
    }
}

/// A rule about confirmation of funds that a request breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FundsRefusal {
    /// Nothing, or less.
    #[error("instructedAmount must be greater than 0")]
    NotPositive,
    /// No account has the number.
    #[error("no account of this bank has IBAN [{0}]")]
    Unknown(String),
    /// The account exists and the consent is not about it, or its customer does not hold it any more.
    #[error(
        "Access to IBAN [{0}] is not allowed: the consent is about another account, or the customer lost this one"
    )]
    NoAccess(String),
    /// A savings account.
    #[error(
        "Access to IBAN [{0}] is not allowed: nobody pays from a savings account; ask about a current account"
    )]
    Product(String),
    /// The account is kept in another currency.
    #[error("the account is kept in {}, not in {}; ask in the currency of the account", account.code(), asked.code())]
    Currency {
        /// That of the account.
        account: Currency,
        /// That of the question.
        asked: Currency,
    },
    /// The question names two currencies.
    #[error(
        "account.currency is not the currency of instructedAmount; name the same currency in both, or leave account.currency out"
    )]
    Currencies,
    /// Another card than that of the consent.
    #[error("cardNumber is not that of the card that the consent is for")]
    Card,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountId, AccountNumber, AccountStatus, Iban};

    fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn iban(text: &str) -> AccountReference {
        AccountReference { number: AccountNumber::Iban(Iban::parse(text).unwrap()), currency: None }
    }

    const OWN: &str = "NL91 ABNA 0417 1643 00";
    const OTHER: &str = "NL20 INGB 0001 2345 67";

    fn consent() -> FundsConsent {
        let who = (TppId::new("PSDNL-DNB-1"), Tenant::parse("nl").unwrap(), Interface::BerlinGroup);
        let card = Card { number: Some("5409".into()), ..Card::default() };
        let request = FundsConsentRequest { account: iban(OWN), card, redirect_uri: String::new() };
        FundsConsent::request(FundsConsentId::new("f"), who, request, now(), SignedDuration::from_hours(24))
    }

    fn account(number: &str, product: Product, currency: Currency) -> Account {
        Account {
            id: AccountId::new(format!("{number} {}", currency.code())),
            iban: Iban::parse(number).unwrap(),
            currency,
            product,
            name: "J. Jansen".into(),
            status: AccountStatus::Enabled,
        }
    }

    fn question(number: &str, currency: Currency) -> FundsQuestion {
        FundsQuestion { account: iban(number), amount: Money { minor: 1200, currency }, card_number: None }
    }

    #[test]
    fn status_follows_from_decision_and_clock() {
        let later = |hours: i64| now() + SignedDuration::from_hours(hours);
        let received = consent();
        assert_eq!(received.status_at(later(23)), ConsentStatus::Received);
        assert_eq!(received.status_at(later(24)), ConsentStatus::Rejected);
        assert!(received.clone().confirm(later(24)).is_err() && received.check_valid(now()).is_err());
        let approved = received.clone().approve(CustomerId::new("p"), later(1)).unwrap();
        assert_eq!(approved.status_at(later(2)), ConsentStatus::Received);
        let valid = approved.confirm(later(1)).unwrap();
        assert_eq!(valid.status_at(later(24 * 4000)), ConsentStatus::Valid, "until somebody ends it");
        assert_eq!(valid.clone().confirm(later(2)), Ok(valid.clone()));
        assert!(valid.check_open(later(2)).is_err() && valid.check_valid(later(2)).is_ok());
        assert_eq!(valid.forget_at(), None);
        for (why, status) in [
            (Decision::TerminatedByTpp, ConsentStatus::TerminatedByTpp),
            (Decision::RevokedByPsu, ConsentStatus::RevokedByPsu),
            (Decision::Rejected, ConsentStatus::Rejected),
            (Decision::EndedByBank, ConsentStatus::Expired),
        ] {
            let ended = valid.clone().end(why, later(3));
            assert_eq!(ended.status_at(later(3)), status);
            assert_eq!(ended.clone().end(Decision::TerminatedByTpp, later(4)), ended, "what is final stays");
            assert!(ended.clone().confirm(later(4)).is_err() && ended.check_valid(later(4)).is_err());
            assert!(ended.forget_at().unwrap() >= later(3) + crate::REMEMBERED);
            assert_eq!(ended.as_requested(), received);
        }
        assert_eq!(received.forget_at().unwrap(), later(24) + crate::REMEMBERED);
    }

    #[test]
    fn a_question_is_about_the_account_of_the_consent() {
        use Currency::{EUR, USD};
        use FundsRefusal as R;
        let shown = |number: &str| iban(number).shown();
        let current = || account(OWN, Product::Current, EUR);
        let in_dollars = || account(OWN, Product::Current, USD);
        let consent = consent();
        let both = [in_dollars(), current()];
        assert_eq!(consent.account_of(&question(OWN, EUR), &both), Ok(&both[1]));
        assert_eq!(consent.account_of(&question(OWN, USD), &both), Ok(&both[0]));
        let in_euro = AccountReference { currency: Some("EUR".into()), ..iban(OWN) };
        let named = FundsQuestion { account: in_euro.clone(), ..question(OWN, EUR) };
        assert_eq!(consent.account_of(&named, &both), Ok(&both[1]));
        let named = FundsQuestion { account: in_euro.clone(), ..question(OWN, USD) };
        assert_eq!(consent.account_of(&named, &both), Err(R::Currencies));
        for (held, question, refusal) in [
            (vec![], question(OWN, EUR), R::NoAccess(shown(OWN))),
            (vec![account(OTHER, Product::Current, EUR)], question(OWN, EUR), R::NoAccess(shown(OWN))),
            (vec![current()], question(OTHER, EUR), R::NoAccess(shown(OTHER))),
            (
                vec![current(), account(OTHER, Product::Current, EUR)],
                question(OTHER, EUR),
                R::NoAccess(shown(OTHER)),
            ),
            (vec![account(OWN, Product::Savings, EUR)], question(OWN, EUR), R::Product(shown(OWN))),
            (vec![current()], question(OWN, USD), R::Currency { account: EUR, asked: USD }),
        ] {
            assert_eq!(consent.account_of(&question, &held), Err(refusal));
        }
        // A consent about one currency of a number covers no other.
        let narrow = FundsConsent { account: in_euro, ..consent };
        let refusal = R::Currency { account: EUR, asked: USD };
        assert_eq!(narrow.account_of(&question(OWN, USD), &both), Err(refusal));
    }

    #[test]
    fn amounts_are_positive_and_cards_the_same() {
        let nothing = Money { minor: 0, currency: Currency::EUR };
        let question = question(OWN, Currency::EUR);
        assert!(question.check().is_ok());
        assert_eq!(
            FundsQuestion { amount: nothing, ..question.clone() }.check(),
            Err(FundsRefusal::NotPositive)
        );
        let with = |number: &str| FundsQuestion { card_number: Some(number.into()), ..question.clone() };
        let consent = consent();
        assert!(consent.check_card(&question).is_ok() && consent.check_card(&with("5409")).is_ok());
        assert_eq!(consent.check_card(&with("5410")), Err(FundsRefusal::Card));
        let without = FundsConsent { card: Card::default(), ..consent };
        assert!(without.check_card(&with("5410")).is_ok());
    }
}
