//! Where a customer's browser stands at the bank's pages, and what it is shown there.

use domain::dynamic_linking::challenge;
use domain::{Account, AuthorizationRequest, Consent, FundsConsent, Language, PaymentRefusal, Purpose, Tpp};

use crate::decisions::{Approval, DecisionProblem};
use crate::log_in::LogInProblem;
use crate::waiting_payments::WaitingPayment;

/// A way back to the third party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayBack {
    /// The request that is answered: where to, and by which rules.
    pub request: Box<AuthorizationRequest>,
    /// How it ended.
    pub outcome: Outcome,
}

/// How an authorisation ended for the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Approved: a code for the third party.
    Code(String),
    /// The customer is through with the one payment that the request was about; the third party asks what became of it.
    PaymentDecided,
    /// The bank does not make a payment as things are, and the customer went back; the payment waits as before.
    NotPaid(PaymentRefusal),
    /// The payments that were shown were decided or cancelled before; nothing was paid or shared.
    PaymentGone,
    /// The bank made the payment meanwhile that was to be cancelled, or began to: it goes on.
    NotStopped(PaymentRefusal),
    /// The customer cancelled.
    Cancelled,
    /// The customer cancelled, and there was no money for anything that waited, which waits as before.
    CancelledUnpaid(PaymentRefusal),
    /// There is nothing to authorise any more.
    NothingPending,
    /// Too many wrong answers at the log-in.
    LogInFailed,
    /// Too many wrong answers, the last one to the challenge of payments.
    AnswersWrong,
    /// The customer did nothing for too long.
    TimedOut,
    /// The consent names accounts that the customer does not hold.
    NoAccess,
    /// The customer approved this payment before; another holder of the account has to approve it.
    ApprovedBefore,
}

/// Where a customer's browser stands on its way through the bank's pages.
#[derive(Debug)]
pub enum Journey {
    /// Through the log-in: it goes on under a new secret.
    LoggedIn(String),
    /// At the log-in.
    LogIn(Box<LogInView>),
    /// At the decision.
    Decide(Box<DecisionView>),
    /// On the way back.
    Leave(WayBack),
    /// Nowhere: there is no such session, or it has ended.
    Ended,
}

/// What the log-in page shows.
#[derive(Debug)]
pub struct LogInView {
    /// Why the last attempt did not succeed.
    pub problem: Option<LogInProblem>,
    /// Who asks.
    pub tpp: Tpp,
    /// What the customer's device has to answer.
    pub challenge: String,
    /// Language of the page.
    pub language: Language,
    /// Where the browser goes back to.
    pub redirect_uri: String,
}

/// What the decision page shows.
#[derive(Debug)]
pub struct DecisionView {
    /// Why nothing was decided when the customer approved.
    pub problem: Option<DecisionProblem>,
    /// Who asks.
    pub tpp: Tpp,
    /// What the authorisation is for.
    pub purpose: Purpose,
    /// For which consent; none if it is about something else.
    pub consent: Option<Consent>,
    /// For which consent for confirmation of funds; none if it is about something else.
    pub funds_consent: Option<FundsConsent>,
    /// Name of the customer.
    pub customer_name: String,
    /// The accounts that the consent covers, or may be chosen from; those that can pay, if it is about one payment.
    pub accounts: Vec<Account>,
    /// Payments of the third party that wait for this customer. While there are some, the accounts that pay are those
    /// that the third party gets access to.
    pub payments: Vec<WaitingPayment>,
    /// Language of the page.
    pub language: Language,
    /// Where the browser goes back to.
    pub redirect_uri: String,
    /// The number of the customer's device, at a bank for tests.
    pub device_number: Option<String>,
    pub(super) nonce: String,
    pub(super) challenge_digits: usize,
}

impl DecisionView {
    /// What the customer's device has to answer so that the payments that an approval names are made; none if it names
    /// none.
    pub fn challenge(&self, approval: &Approval) -> Option<String> {
        let is_made = |one: &&WaitingPayment| approval.payments.contains(&(one.payment.id.clone(), true));
        let made: Vec<_> = self.payments.iter().filter(is_made).map(|one| &one.payment).collect();
        (!made.is_empty()).then(|| challenge(made, &self.nonce, self.challenge_digits))
    }
}
