//! What the page about payments shows of what the gateway found.

use eidas::visible;
use gateway::domain::{
    Account, AccountId, Address, Iban, PayeeAccount, Payment, PaymentId, PaymentRefusal, Product, Purpose,
    Transfer,
};
use gateway::sessions::DecisionView;
use gateway::{Approval, DecisionProblem, Declined, LinkedAnswer, LogInProblem, Payer, WaitingPayment};
use web::{
    Obstacle, PayingAccount, PaymentPage, PaymentProblem, SharedAccess, ShownPayment, ShownTransfer,
    Simulator, Step,
};

use crate::error::Error;
use crate::form::Form;
use crate::log_in_page::time_of_day;
use crate::pages::{Session, Typed, asks};

/// What the form says: accounts, `accept` or `reject` for payments, and what the customer's device answered.
pub(crate) fn approval(form: &Form) -> Result<Approval, Error> {
    let decision = |(id, value): (&str, &str)| match value {
        "accept" => Some((PaymentId::new(id), true)),
        "reject" => Some((PaymentId::new(id), false)),
        _ => None,
    };
    let challenge = form.one("challenge")?.unwrap_or_default().to_owned();
    let answer = form.one("answer")?.filter(|answer| !answer.trim().is_empty());
    Ok(Approval {
        accounts: form.all("account").map(AccountId::new).collect(),
        payments: form.with_prefix("payment.").filter_map(decision).collect(),
        answer: answer.map(|answer| LinkedAnswer { challenge, answer: answer.to_owned() }),
    })
}

/// The customer makes none of the payments that the form names.
pub(crate) fn refusal(form: &Form) -> Result<Approval, Error> {
    let mut approval = approval(form)?;
    for (_, is_made) in &mut approval.payments {
        *is_made = false;
    }
    Ok(Approval { answer: None, ..approval })
}

impl Session<'_> {
    pub(crate) fn payment_page(&self, view: &DecisionView, typed: Typed) -> PaymentPage {
        let problem = view.problem.as_ref().and_then(|problem| self.problem(problem));
        // Of several payments the customer says first what becomes of each, also after the bank did not make them.
        let approval = match (&view.payments[..], &problem) {
            ([only], _) => {
                Approval { payments: vec![(only.payment.id.clone(), true)], answer: None, ..typed.approval }
            }
            (_, Some(PaymentProblem::Declined | PaymentProblem::Undecided)) => Approval::default(),
            _ => typed.approval,
        };
        let is_made = |one: &&WaitingPayment| approval.payments.contains(&(one.payment.id.clone(), true));
        let step = match view.challenge(&approval) {
            _ if view.purpose == Purpose::Cancellation => Step::Stop,
            None => Step::Choose,
            Some(challenge) => {
                let number = Some(typed.number).filter(|number| !number.is_empty());
                let number = number.or(view.device_number.clone()).unwrap_or_default();
                let answer = self.gateway().simulated_answer(&number, &challenge);
                let simulator = answer.map(|answer| Simulator {
                    answer: Some(answer).filter(|_| typed.simulates && !number.is_empty()),
                    number,
                });
                let choice = |(id, is_made): &(PaymentId, bool)| {
                    (id.to_string(), if *is_made { "accept" } else { "reject" })
                };
                let chosen = approval.payments.iter().map(choice).collect();
                let challenge = Some(challenge).filter(|_| !self.gateway().has_provider());
                let simulator = simulator.filter(|_| challenge.is_some());
                Step::Answer { challenge, simulator, chosen, can_change: view.payments.len() > 1 }
            }
        };
        let is_shown = |one: &&WaitingPayment| !matches!(step, Step::Answer { .. }) || is_made(one);
        PaymentPage {
            language: view.language,
            brand: self.brand(),
            csrf: self.gateway().csrf_token(&self.secret),
            tpp_name: visible(&view.tpp.name).into_owned(),
            tpp_id: view.tpp.id.to_string(),
            customer_name: visible(&view.customer_name).into_owned(),
            payments: view.payments.iter().filter(is_shown).map(|one| shown_payment(one, view)).collect(),
            accounts: view.accounts.iter().map(|account| choosable(account, view, &approval)).collect(),
            shares: shared(view),
            problem,
            step,
        }
    }

    fn problem(&self, problem: &DecisionProblem) -> Option<PaymentProblem> {
        match problem {
            DecisionProblem::Undecided => Some(PaymentProblem::Undecided),
            DecisionProblem::Declined(_) => Some(PaymentProblem::Declined),
            DecisionProblem::Answer(LogInProblem::Wrong { left }) => Some(PaymentProblem::Wrong(*left)),
            DecisionProblem::Answer(LogInProblem::Stale) => Some(PaymentProblem::Stale),
            DecisionProblem::Answer(LogInProblem::Blocked { until, failures }) => {
                Some(PaymentProblem::Blocked { until: time_of_day(&self.ctx, *until), failures: *failures })
            }
            DecisionProblem::Unanswered | DecisionProblem::Answer(LogInProblem::TooManyOpen { .. }) => None,
        }
    }
}

/// The access that a third party gets beside, to the accounts that pay.
fn shared(view: &DecisionView) -> Option<SharedAccess> {
    let consent = view.consent.as_ref()?;
    Some(SharedAccess {
        balances: asks(Some(consent), |granted| granted.balances, &view.accounts),
        transactions: asks(Some(consent), |granted| granted.transactions, &view.accounts),
        until: web::day(view.language, consent.valid_until),
        recurring: consent.recurring,
    })
}

fn shown_payment(waiting: &WaitingPayment, view: &DecisionView) -> ShownPayment {
    let payment = &waiting.payment;
    // Without an account that could pay, no balance is too low.
    let lacks_funds = !waiting.payers.is_empty() && !waiting.payers.iter().any(|payer| payer.is_covered);
    let declined = match &view.problem {
        Some(DecisionProblem::Declined(declined)) => Some(declined).filter(|it| it.payment == payment.id),
        _ => None,
    };
    ShownPayment {
        id: payment.id.to_string(),
        obstacle: match declined {
            _ if view.purpose == Purpose::Cancellation => None,
            Some(Declined { refusal: PaymentRefusal::InsufficientFunds, .. }) => Some(Obstacle::Funds),
            Some(_) => Some(Obstacle::Other),
            None => lacks_funds.then_some(Obstacle::Funds),
        },
        from: from(waiting, view),
        total: payment.total(),
        when: payment.terms.execution.clone(),
        transfers: payment.transfers.iter().map(shown_transfer).collect(),
    }
}

/// The account that pays, if the customer has no choice: the third party named it, or it was chosen before.
fn from(waiting: &WaitingPayment, view: &DecisionView) -> Option<PayingAccount> {
    let Payment { debtor, decision, .. } = &waiting.payment;
    let chosen = decision.payer().map(|(_, account)| account);
    let is_it = |payer: &&Payer| chosen.is_none_or(|account| *account == payer.account);
    let payer = waiting.payers.iter().find(is_it);
    let account = payer.and_then(|payer| view.accounts.iter().find(|account| account.id == payer.account));
    match (chosen, debtor) {
        (None, None) => None,
        (_, debtor) => Some(PayingAccount {
            id: String::new(),
            number: account
                .map(|account| &account.iban)
                .or(debtor.as_ref())
                .map(Iban::grouped)
                .unwrap_or_default(),
            name: account.map(|account| visible(&account.name).into_owned()).unwrap_or_default(),
            is_savings: false,
            available: payer.map(|payer| payer.available),
            lacks_funds: false,
            is_chosen: true,
        }),
    }
}

fn choosable(account: &Account, view: &DecisionView, approval: &Approval) -> PayingAccount {
    let mut payers = view.payments.iter().flat_map(|one| &one.payers);
    let payer = payers.find(|payer| payer.account == account.id);
    PayingAccount {
        id: account.id.to_string(),
        number: account.iban.grouped(),
        name: visible(&account.name).into_owned(),
        is_savings: account.product == Product::Savings,
        available: payer.map(|payer| payer.available),
        lacks_funds: payer.is_some_and(|payer| !payer.is_covered),
        is_chosen: approval.accounts.contains(&account.id),
    }
}

fn shown_transfer(transfer: &Transfer) -> ShownTransfer {
    let routing = transfer.routing.as_deref().cloned().unwrap_or_default();
    let number = match &routing.account {
        Some(PayeeAccount::British { sort_code, account_number }) => {
            let pairs: Vec<_> = sort_code.as_bytes().chunks(2).map(String::from_utf8_lossy).collect();
            format!("{} {account_number}", pairs.join("-"))
        }
        Some(PayeeAccount::Foreign(number)) => one_line(number),
        None => transfer.creditor.iban.as_ref().map(Iban::grouped).unwrap_or_default(),
    };
    ShownTransfer {
        amount: transfer.amount,
        name: one_line(transfer.creditor.name.as_deref().unwrap_or_default()),
        number,
        bank: one_line(&routing.agent.unwrap_or_default()),
        address: routing.address.as_ref().map(address).unwrap_or_default(),
        remittance: one_line(transfer.remittance.as_deref().unwrap_or_default()),
        charges: one_line(&routing.charge_bearer.unwrap_or_default()),
    }
}

/// Street and number, postal code and town, country.
fn address(address: &Address) -> String {
    let pair = |one: &Option<String>, other: &Option<String>| {
        [one.as_deref(), other.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    let parts = [
        pair(&address.street, &address.building),
        pair(&address.post_code, &address.town),
        address.country.clone(),
    ];
    one_line(&parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", "))
}

/// A text of somebody else's on one line, with nothing hidden in it.
pub(crate) fn one_line(text: &str) -> String {
    visible(&text.replace(['\r', '\n', '\t'], " ")).into_owned()
}

#[cfg(test)]
mod tests {
    use gateway::domain::{Counterparty, Currency, Money, Routing};

    use super::*;

    fn transfer(routing: Routing) -> Transfer {
        Transfer {
            creditor: Counterparty { name: Some("Sm\u{202e}ith\n& Co".to_owned()), iban: None },
            amount: Money { minor: 1, currency: Currency::GBP },
            remittance: None,
            end_to_end_id: None,
            routing: Some(Box::new(routing)),
        }
    }

    #[test]
    fn payees_without_an_iban_have_their_numbers_as_their_country_writes_them() {
        let british =
            PayeeAccount::British { sort_code: "123456".to_owned(), account_number: "12345678".to_owned() };
        let shown = shown_transfer(&transfer(Routing { account: Some(british), ..Routing::default() }));
        assert_eq!(
            (shown.number.as_str(), shown.name.as_str()),
            ("12-34-56 12345678", r"Sm\u{202e}ith & Co")
        );
        let address = Address {
            street: Some("Main Street".to_owned()),
            building: Some("1".to_owned()),
            town: Some("Springfield".to_owned()),
            post_code: None,
            country: "US".to_owned(),
        };
        let shown = shown_transfer(&transfer(Routing {
            account: Some(PayeeAccount::Foreign("000123".to_owned())),
            agent: Some("CHASUS33".to_owned()),
            address: Some(address),
            charge_bearer: Some("SHAR".to_owned()),
        }));
        assert_eq!(shown.number, "000123");
        assert_eq!(shown.address, "Main Street 1, Springfield, US");
        assert_eq!((shown.bank.as_str(), shown.charges.as_str()), ("CHASUS33", "SHAR"));
    }

    #[test]
    fn whoever_refuses_makes_nothing_and_needs_no_answer() {
        let form =
            Form::parse(b"payment.1=accept&payment.2=reject&payment.3=later&answer=123456&challenge=1")
                .unwrap();
        let given = approval(&form).unwrap();
        assert_eq!(given.payments, [(PaymentId::new("1"), true), (PaymentId::new("2"), false)]);
        assert_eq!(given.answer.map(|given| given.answer).as_deref(), Some("123456"));
        let refused = refusal(&form).unwrap();
        assert!(refused.answer.is_none() && refused.payments.iter().all(|(_, is_made)| !is_made));
        let unanswered = Form::parse(b"payment.1=accept&answer=+&challenge=1").unwrap();
        assert!(approval(&unanswered).unwrap().answer.is_none());
    }
}
