//! A customer without a browser: logs in and decides by the rules of the pages.

use gateway::domain::{AccountId, Choice, Iban, Interface, PaymentId, number_in_words};
use gateway::sessions::{Journey, WayBack};
use gateway::{Approval, Ctx, DecisionProblem, LinkedAnswer, LogInAttempt, LogInProblem, WaitingPayment};
use http::StatusCode;

use super::refused::{Refused, refused};
use super::{ApprovalRequest, Decision, Headless};

/// An answer that no device gives.
const WRONG_ANSWER: &str = "000000";

/// A customer without a browser.
pub(super) struct Customer<'a> {
    pub(super) headless: &'a Headless,
    pub(super) ctx: Ctx,
    pub(super) iban: Iban,
    pub(super) secret: String,
    /// By whose rules the session goes.
    pub(super) interface: Interface,
}

impl Customer<'_> {
    /// Does what is asked for, and says where the browser would go.
    pub(super) async fn go(&mut self, request: &ApprovalRequest) -> Result<WayBack, Refused> {
        let gateway = &self.headless.services.edge.gateway;
        if request.decision == Decision::WrongAnswer {
            return self.answer_wrongly().await;
        }
        let known = (self.headless.device_numbers)(self.ctx.tenant.clone(), self.iban.clone()).await?;
        let known = known.ok_or_else(|| {
            let (tenant, iban) = (&self.ctx.tenant, self.iban.as_str());
            let text = format!(
                "no customer of tenant {tenant} has iban {iban}; GET /test-accounts lists those of every tenant"
            );
            refused(StatusCode::NOT_FOUND, "unknown_account", text)
        })?;
        let number = request.digipass_number.as_ref().unwrap_or(&known);
        match self.log_in(number).await? {
            Journey::LoggedIn(secret) => self.secret = secret,
            other => return self.left(other, &known),
        }
        let journey = match request.decision {
            Decision::Expire => {
                self.ctx.now += gateway.profile(self.interface).sca.idle_time;
                gateway.visit(&self.ctx, &self.secret, None).await
            }
            Decision::Reject => gateway.cancel(&self.ctx, &self.secret).await,
            _ => {
                let approval = match self.choose(request.account.as_deref(), number).await? {
                    Ok(approval) => approval,
                    Err(way_back) => return Ok(way_back),
                };
                match gateway.approve(&self.ctx, &self.secret, &approval).await {
                    Ok(Journey::Decide(view)) => match view.problem {
                        Some(DecisionProblem::Declined(declined)) => {
                            gateway.leave_unpaid(&self.ctx, &self.secret, &declined).await
                        }
                        Some(DecisionProblem::Answer(problem)) => {
                            return Err(self.not_answered(problem, &known));
                        }
                        Some(DecisionProblem::Undecided | DecisionProblem::Unanswered) | None => {
                            Ok(Journey::Ended)
                        }
                    },
                    decided => decided,
                }
            }
        };
        match journey? {
            Journey::Leave(way_back) => Ok(way_back),
            _ => Err(self.no_account()),
        }
    }

    fn no_account(&self) -> Refused {
        let text = format!(
            "the customer with iban {} has no account that fits what is asked for; take another customer, or ask for \
             another kind of account",
            self.iban.as_str()
        );
        refused(StatusCode::CONFLICT, "no_account", text)
    }

    async fn answer_wrongly(&self) -> Result<WayBack, Refused> {
        loop {
            match self.log_in(WRONG_ANSWER).await? {
                Journey::LogIn(view) if matches!(view.problem, Some(LogInProblem::Wrong { .. })) => {}
                other => return self.left(other, ""),
            }
        }
    }

    async fn log_in(&self, answer: &str) -> Result<Journey, Refused> {
        let gateway = &self.headless.services.edge.gateway;
        let attempt = LogInAttempt { iban: self.iban.as_str(), answer, challenge: None };
        Ok(gateway.log_in(&self.ctx, &self.secret, attempt).await?)
    }

    /// The way back of a log-in that led nowhere; `known` is the number of a device that would have.
    fn left(&self, journey: Journey, known: &str) -> Result<WayBack, Refused> {
        let problem = match journey {
            Journey::Leave(way_back) => return Ok(way_back),
            Journey::LogIn(view) => view.problem,
            Journey::LoggedIn(_) | Journey::Decide(_) | Journey::Ended => None,
        };
        Err(match problem {
            Some(problem) => self.not_answered(problem, known),
            None => {
                log_in_failed("the session ended meanwhile, or the url was used before; begin with a new url")
            }
        })
    }

    /// Why a log-in or an answer for payments led nowhere, and what would lead on.
    fn not_answered(&self, problem: LogInProblem, known: &str) -> Refused {
        let iban = self.iban.as_str();
        match problem {
            LogInProblem::Blocked { until, failures } => {
                let failures = number_in_words(failures);
                let text = format!(
                    "log-in of the customer with iban {iban} is blocked until {until} after {failures} wrong answers in a \
                     row; take another customer, or move the clock to then"
                );
                refused(StatusCode::CONFLICT, "log_in_blocked", text)
            }
            LogInProblem::TooManyOpen { most, idle_time } => {
                let most = number_in_words(i64::try_from(most).unwrap_or(i64::MAX));
                let text = format!(
                    "the customer has {most} open challenges of this third party in browsers; answer or cancel one, or \
                     let {} minutes go by",
                    idle_time.as_mins()
                );
                let refused = refused(StatusCode::TOO_MANY_REQUESTS, "too_many_challenges", text);
                Refused { retry_after: Some(idle_time.as_secs()), ..refused }
            }
            LogInProblem::Wrong { left } => {
                let left = number_in_words(left);
                log_in_failed(&format!(
                    "digipassNumber is not that of a holder of {iban}: {known} is, and is taken without digipassNumber; \
                     wrong answers left before the authorisation fails: {left}"
                ))
            }
            LogInProblem::Stale => log_in_failed("the challenge is not the one that is shown; call again"),
        }
    }

    /// What to approve: every payment, and of the accounts the one that is named, or all where several can be chosen,
    /// or the one the customer logged in with, or the first. The way back if there is nothing to decide any more.
    /// The device answers for the payments, as it does on the page.
    async fn choose(
        &self,
        named: Option<&str>,
        device_number: &str,
    ) -> Result<Result<Approval, WayBack>, Refused> {
        let gateway = &self.headless.services.edge.gateway;
        let visit = gateway.visit(&self.ctx, &self.secret, None).await?;
        let view = match visit {
            Journey::Decide(view) => *view,
            // Somebody else decided meanwhile.
            Journey::Leave(way_back) => return Ok(Err(way_back)),
            Journey::LoggedIn(_) | Journey::LogIn(_) | Journey::Ended => return Ok(Ok(Approval::default())),
        };
        let mut accounts = view.accounts.clone();
        if let Some(text) = named {
            let bad = |error| refused(StatusCode::BAD_REQUEST, "invalid_request", error);
            let iban = Iban::parse(text).map_err(|error| bad(format!("account: {error}")))?;
            accounts.retain(|account| account.iban == iban);
            if accounts.is_empty() && view.accounts.is_empty() {
                return Err(self.no_account());
            }
            if accounts.is_empty() {
                let choice: Vec<_> = view.accounts.iter().map(|account| account.iban.as_str()).collect();
                let (iban, choice) = (iban.as_str(), choice.join(", "));
                return Err(bad(format!(
                    "account {iban} is not one that the customer can choose here: {choice}"
                )));
            }
        }
        let payments = all_that_can_be_paid(&view.payments);
        let choice = view.consent.as_ref().map(|consent| consent.access.choice());
        if payments.is_empty() && choice == Some(Choice::Several) {
            let accounts = accounts.into_iter().map(|account| account.id).collect();
            return Ok(Ok(Approval { accounts, ..Approval::default() }));
        }
        let own = accounts.iter().find(|account| account.iban == self.iban).or(accounts.first());
        let accounts: Vec<AccountId> = own.map(|account| account.id.clone()).into_iter().collect();
        let chosen = Approval { accounts, payments, answer: None };
        let answer = view.challenge(&chosen).and_then(|challenge| {
            let answer = gateway.simulated_answer(device_number, &challenge)?;
            Some(LinkedAnswer { challenge, answer })
        });
        Ok(Ok(Approval { answer, ..chosen }))
    }
}

/// What cannot be paid is left for later, unless there is nothing else.
fn all_that_can_be_paid(payments: &[WaitingPayment]) -> Vec<(PaymentId, bool)> {
    let is_covered = |one: &WaitingPayment| one.payers.iter().any(|payer| payer.is_covered);
    let is_any = payments.iter().any(is_covered);
    let chosen = payments.iter().filter(|one| !is_any || is_covered(one));
    chosen.map(|one| (one.payment.id.clone(), true)).collect()
}

/// How a log-in ended that led nowhere.
fn log_in_failed(text: &str) -> Refused {
    refused(StatusCode::CONFLICT, "log_in_failed", format!("the log-in did not succeed: {text}"))
}
