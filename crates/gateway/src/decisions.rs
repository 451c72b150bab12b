//! The customer decides at the bank's page: accounts are shared, payments are made, or neither.

use domain::{
    Account, AccountId, AuthorisationId, AuthorizationCode, Choice, Consent, Decision, GrantedAccount,
    LoggedIn, Payment, PaymentId, PaymentRefusal, Session,
};

use crate::error::retry;
use crate::linked_answers::{AnswerClaim, Answered};
use crate::payments::{Declined, order_of};
use crate::sessions::{Journey, Open, Outcome, WayBack, end};
use crate::subjects::Matter;
use crate::waiting_payments::{WaitingPayment, payable};
use crate::{Changes, Ctx, Error, Gateway, LinkedAnswer, LogInProblem, secrets};

/// What a customer approves.
#[derive(Debug, Clone, Default)]
pub struct Approval {
    /// The accounts that were chosen, where there is a choice.
    pub accounts: Vec<AccountId>,
    /// The payments about which the customer decided: true for those to be made.
    pub payments: Vec<(PaymentId, bool)>,
    /// What the customer's device answered to the challenge of those to be made.
    pub answer: Option<LinkedAnswer>,
}

/// Why nothing was decided when a customer approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecisionProblem {
    /// What was chosen is not possible, or nothing was.
    Undecided,
    /// The customer's device has yet to answer for the payments that were chosen.
    Unanswered,
    /// It answered, and not as it should have.
    Answer(LogInProblem),
    /// The bank does not make one of the payments.
    Declined(Declined),
}

/// Why an approval is not done.
pub(crate) enum Undone {
    /// The browser still stands where it did.
    Problem(DecisionProblem),
    /// The bank has to be asked about the answer of the customer's device first.
    Ask(Box<AnswerClaim>),
}

impl From<DecisionProblem> for Undone {
    fn from(problem: DecisionProblem) -> Self {
        Self::Problem(problem)
    }
}

/// Where the browser stands after an approval, or why it is not done.
pub(crate) type Attempted = Result<Journey, Undone>;

impl Gateway {
    /// The customer approves, with what they chose where there is a choice. Payments are made, and everything that is
    /// decided with them is stored, in one batch. If nothing could be decided, the page is shown again with the reason.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn approve(&self, ctx: &Ctx, secret: &str, approval: &Approval) -> Result<Journey, Error> {
        match self.try_approve(ctx, secret, approval).await? {
            Ok(journey) => Ok(journey),
            Err(problem) => {
                let mut journey = self.visit(ctx, secret, None).await?;
                if let Journey::Decide(view) = &mut journey {
                    view.problem = Some(problem);
                }
                Ok(journey)
            }
        }
    }

    /// Where the customer's device answers, this is decided twice: until the bank has to be asked about the answer, and after it was
    /// asked. It is asked once, whatever moves meanwhile: it may take a right answer once, and count wrong ones.
    async fn try_approve(
        &self,
        ctx: &Ctx,
        secret: &str,
        approval: &Approval,
    ) -> Result<Result<Journey, DecisionProblem>, Error> {
        let claimed = match self.decide(ctx, secret, (approval, Answered::NotYet)).await? {
            Ok(journey) => return Ok(Ok(journey)),
            Err(Undone::Problem(problem)) => return Ok(Err(problem)),
            Err(Undone::Ask(claimed)) => *claimed,
        };
        let payments = match self.ask_about(ctx, (secret, approval), claimed).await? {
            Ok(payments) => payments,
            Err(standing) => return Ok(standing),
        };
        let decided = self.decide(ctx, secret, (approval, Answered::Rightly(&payments))).await?;
        Ok(decided.map_err(|undone| match undone {
            Undone::Problem(problem) => problem,
            Undone::Ask(_) => DecisionProblem::Unanswered,
        }))
    }

    async fn decide(
        &self,
        ctx: &Ctx,
        secret: &str,
        said: (&Approval, Answered<'_>),
    ) -> Result<Attempted, Error> {
        let (approval, _) = said;
        retry(|| async {
            let open = match self.find_session(ctx, secret).await? {
                Ok(open) => *open,
                Err(elsewhere) => return Ok(Ok(elsewhere)),
            };
            let Some(logged_in) = open.session.logged_in.clone() else {
                return Ok(Err(DecisionProblem::Undecided.into()));
            };
            if let Some(payment) = open.payment_for_tpp() {
                return self.decide_for_tpp(ctx, open, (logged_in, payment), said).await;
            }
            // There is nothing to choose: the consent names its account, which the customer holds.
            if let Matter::FundsConsent(_) = &open.matter {
                let (changes, way_back) = self.grant(ctx, Changes::new(), open, logged_in, Vec::new())?;
                self.0.store.save(changes).await?;
                return Ok(Ok(Journey::Leave(way_back)));
            }
            let accounts = self.0.bank.customers.accounts_of(&logged_in.customer).await?;
            let waiting = self.waiting_payments(ctx, &accounts, &open).await?;
            let consent = match &open.matter {
                Matter::Consent(consent) if waiting.is_empty() => consent,
                _ => return self.decide_payments(ctx, (open, logged_in), (accounts, waiting), said).await,
            };
            // The page showed payments, and all of them are gone: whoever meant to pay shares nothing instead.
            if !approval.payments.is_empty() {
                let (changes, way_back) = self.refuse(ctx, Changes::new(), open, Outcome::PaymentGone);
                self.0.store.save(changes).await?;
                return Ok(Ok(Journey::Leave(way_back)));
            }
            let granted = choose(offered(accounts, consent), consent, approval);
            let Some(granted) = granted else { return Ok(Err(DecisionProblem::Undecided.into())) };
            let (changes, way_back) = self.grant(ctx, Changes::new(), open, logged_in, granted)?;
            self.0.store.save(changes).await?;
            Ok(Ok(Journey::Leave(way_back)))
        })
        .await
    }

    /// The customer decides about payments that wait. Beside a consent, the accounts that pay are what the third party
    /// gets access to.
    async fn decide_payments(
        &self,
        ctx: &Ctx,
        (open, logged_in): (Open, LoggedIn),
        (accounts, waiting): (Vec<Account>, Vec<Payment>),
        said @ (approval, _): (&Approval, Answered<'_>),
    ) -> Result<Attempted, Error> {
        let (mut changes, mut orders, mut granted) = (Changes::new(), Vec::new(), Vec::new());
        let (mut decided, mut paid) = (0, Vec::new());
        for payment in waiting {
            let decision = approval.payments.iter().find(|(id, _)| *id == payment.id).map(|(_, yes)| *yes);
            let changed = match decision {
                None => continue,
                Some(false) => payment.reject(ctx.now)?,
                Some(true) => {
                    let is_chosen = |account: &Account| {
                        payment.debtor.is_some() || approval.accounts.contains(&account.id)
                    };
                    let Some(account) = payable(&accounts, &payment).into_iter().find(is_chosen) else {
                        return Ok(Err(DecisionProblem::Undecided.into()));
                    };
                    if !granted.iter().any(|known: &GrantedAccount| known.account == account.id) {
                        granted
                            .extend(open.matter.consent().and_then(|consent| consent.access.grant(&account)));
                    }
                    paid.push(payment.clone());
                    payment.approve(logged_in.customer.clone(), &account, ctx.now)?
                }
            };
            decided += 1;
            changes = changes.put_payment(&changed);
            orders.extend(order_of(&changed));
        }
        if decided == 0 {
            return Ok(Err(DecisionProblem::Undecided.into()));
        }
        if let Err(undone) = self.check_linked_answer(ctx, (&open, &logged_in), &paid, said).await? {
            return Ok(Err(undone));
        }
        if orders.is_empty() {
            let (changes, way_back) = self.refuse(ctx, changes, open, Outcome::Cancelled);
            self.0.store.save(changes).await?;
            return Ok(Ok(Journey::Leave(way_back)));
        }
        let session = open.session.clone();
        let (changes, way_back) = self.grant(ctx, changes, open, logged_in, granted)?;
        match self.0.bank.payments.submit(&orders, changes, ctx.now).await? {
            Ok(_) => Ok(Ok(Journey::Leave(way_back))),
            Err(declined) => {
                // What was confirmed was used, and is not used again.
                let session = self.with_new_nonce(ctx, session);
                self.0.store.save(Changes::new().put_session(&session)).await?;
                Ok(Err(DecisionProblem::Declined(declined).into()))
            }
        }
    }

    /// Adds the approval to `changes`, and the end of the session: with a code, unless it was about one payment of which
    /// the third party asks what became of it.
    fn grant(
        &self,
        ctx: &Ctx,
        changes: Changes,
        open: Open,
        logged_in: LoggedIn,
        granted: Vec<GrantedAccount>,
    ) -> Result<(Changes, WayBack), Error> {
        let Open { session, matter, authorisation } = open;
        // The bank may have been asked for long: what a block that came meanwhile ends has ended, and nothing is added to that.
        let changes = Changes::new().unless_blocked(&session.request.client, ctx.now).and(changes);
        let customer = logged_in.customer.clone();
        let mut approved = authorisation.approve(customer.clone());
        let profile = self.profile(session.request.interface);
        let (lifetime, rules) = (profile.sca.lifetime, &profile.consents);
        let changes = match matter {
            Matter::Payment(_) => {
                let changes = changes.put_authorisation(&approved.confirm(ctx.now, lifetime)?);
                return Ok(end(changes, session, Outcome::PaymentDecided));
            }
            Matter::FundsConsent(consent) => {
                changes.put_funds_consent(&consent.approve(customer.clone(), ctx.now)?)
            }
            Matter::Consent(consent) => {
                let mut consent = consent.approve(customer.clone(), granted, ctx.now, rules)?;
                if !consent.access.is_confirmed_by_tpp() {
                    consent = consent.confirm(ctx.now, rules)?;
                    approved = approved.confirm(ctx.now, lifetime)?;
                }
                changes.put_consent(&consent)
            }
        };
        let changes = changes.put_authorisation(&approved);
        Ok(self.end_with_code(ctx, changes, session, (logged_in, approved.id)))
    }

    /// Adds a code for an approval to `changes`, and the end of the session with it.
    pub(crate) fn end_with_code(
        &self,
        ctx: &Ctx,
        changes: Changes,
        session: Session,
        (logged_in, authorisation): (LoggedIn, AuthorisationId),
    ) -> (Changes, WayBack) {
        let lifetime = self.profile(session.request.interface).lifetimes.authorization_code;
        let secret = self.secret_for(session.request.interface);
        let code = AuthorizationCode {
            hash: secrets::hash(&secret),
            tenant: ctx.tenant.clone(),
            authorisation,
            request: session.request.clone(),
            customer: logged_in.customer,
            authenticated_at: logged_in.at,
            expires_at: ctx.now.saturating_add(lifetime).unwrap_or(ctx.now),
            grant: None,
            version: 0,
        };
        end(changes.put_authorization_code(&code), session, Outcome::Code(secret))
    }

    /// The customer cancels: what the request is about is refused.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn cancel(&self, ctx: &Ctx, secret: &str) -> Result<Journey, Error> {
        retry(|| async {
            let open = match self.find_session(ctx, secret).await? {
                Ok(open) => open,
                Err(elsewhere) => return Ok(elsewhere),
            };
            if let Some(payment) = open.payment_for_tpp() {
                return self.refuse_for_tpp(ctx, *open, payment).await;
            }
            let mut changes = Changes::new();
            if let Matter::Payment(payment) = &open.matter {
                changes = changes.put_payment(&payment.clone().reject(ctx.now)?);
            }
            let outcome = self.why_cancelled(ctx, &open).await?;
            let (changes, way_back) = self.refuse(ctx, changes, *open, outcome);
            self.0.store.save(changes).await?;
            Ok(Journey::Leave(way_back))
        })
        .await
    }

    /// The customer approved payments that the bank does not make as things are, and goes back. The payments wait as
    /// before.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn leave_unpaid(&self, ctx: &Ctx, secret: &str, declined: &Declined) -> Result<Journey, Error> {
        retry(|| async {
            let open = match self.find_session(ctx, secret).await? {
                Ok(open) => open,
                Err(elsewhere) => return Ok(elsewhere),
            };
            let outcome = Outcome::NotPaid(declined.refusal.clone());
            let (changes, way_back) = self.refuse(ctx, Changes::new(), *open, outcome);
            self.0.store.save(changes).await?;
            Ok(Journey::Leave(way_back))
        })
        .await
    }

    /// Whoever leaves payments alone for which there is no money is said to do so: the third party is to know why. Where one
    /// of them could have been made, that is no reason, and it would be told of all.
    async fn why_cancelled(&self, ctx: &Ctx, open: &Open) -> Result<Outcome, Error> {
        let Some(logged_in) = &open.session.logged_in else { return Ok(Outcome::Cancelled) };
        let accounts = self.0.bank.customers.accounts_of(&logged_in.customer).await?;
        let waiting = self.waiting_payments(ctx, &accounts, open).await?;
        let waiting = self.waiting_with_payers(ctx, &accounts, waiting).await?;
        let lacks_funds = |one: &WaitingPayment| !one.payers.iter().any(|payer| payer.is_covered);
        Ok(if !waiting.is_empty() && waiting.iter().all(lacks_funds) {
            Outcome::CancelledUnpaid(PaymentRefusal::InsufficientFunds)
        } else {
            Outcome::Cancelled
        })
    }

    /// Adds the refusal of the consent to `changes`, and the end of the session.
    fn refuse(&self, ctx: &Ctx, changes: Changes, open: Open, outcome: Outcome) -> (Changes, WayBack) {
        let changes = changes.put_authorisation(&open.authorisation.fail());
        match open.matter {
            Matter::Consent(consent) => {
                let rules = self.rules_of(&consent);
                end(changes.put_consent(&consent.reject(ctx.now, rules)), open.session, outcome)
            }
            Matter::FundsConsent(consent) => {
                let rejected = consent.end(Decision::Rejected, ctx.now);
                end(changes.put_funds_consent(&rejected), open.session, outcome)
            }
            Matter::Payment(_) => end(changes, open.session, Outcome::PaymentDecided),
        }
    }
}

/// The accounts of a customer that a consent covers or offers.
pub(crate) fn offered(accounts: Vec<Account>, consent: &Consent) -> Vec<(Account, GrantedAccount)> {
    let granted = |account: Account| consent.access.grant(&account).map(|granted| (account, granted));
    accounts.into_iter().filter_map(granted).collect()
}

/// What is granted of what was offered; nothing if the customer has yet to choose.
fn choose(
    offered: Vec<(Account, GrantedAccount)>,
    consent: &Consent,
    approval: &Approval,
) -> Option<Vec<GrantedAccount>> {
    let mut granted: Vec<_> = offered.into_iter().map(|(_, granted)| granted).collect();
    let choice = consent.access.choice();
    if choice != Choice::None {
        granted.retain(|granted| approval.accounts.contains(&granted.account));
        granted.truncate(if choice == Choice::One { 1 } else { usize::MAX });
        if granted.is_empty() {
            return None;
        }
    }
    Some(granted)
}
