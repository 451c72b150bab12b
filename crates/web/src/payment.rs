//! The page about payments: what is paid, to whom, when and from where, with the challenge that is bound to it; and the one
//! on which a payment is stopped that was approved before.

use askama::Template;
use domain::{Execution, Language, Money};

use crate::authorise::{Simulator, grouped};
use crate::brand::Brand;
use crate::language::{Texts, texts};
use crate::payment_texts::{PaymentTexts, payment_texts};
use crate::written;

/// Transfers that are shown at once; the others are one step away.
const FIRST_TRANSFERS: usize = 5;

/// Payments to decide about.
#[derive(Debug, Template)]
#[template(path = "payment.html")]
pub struct PaymentPage {
    /// Language of the page.
    pub language: Language,
    /// Whose page it is.
    pub brand: Brand,
    /// Protects the form.
    pub csrf: String,
    /// Name of the third party, from its certificate.
    pub tpp_name: String,
    /// Identifier of the third party, from its certificate.
    pub tpp_id: String,
    /// Name of the customer.
    pub customer_name: String,
    /// What the customer is asked.
    pub step: Step,
    /// The payments.
    pub payments: Vec<ShownPayment>,
    /// The accounts to choose from; of no interest if the payments say which account pays.
    pub accounts: Vec<PayingAccount>,
    /// The access to the accounts that pay which the third party gets beside.
    pub shares: Option<SharedAccess>,
    /// What went wrong.
    pub problem: Option<PaymentProblem>,
}

/// What the customer is asked.
#[derive(Debug, Clone)]
pub enum Step {
    /// What is to become of each of several payments.
    Choose,
    /// To approve those that are shown, with an answer that is bound to them.
    Answer {
        /// What the customer's device has to answer: digits. None where the bank's provider is answered instead.
        challenge: Option<String>,
        /// The simulator of a bank for tests.
        simulator: Option<Simulator>,
        /// What was chosen for each payment, those among them that are not shown.
        chosen: Vec<(String, &'static str)>,
        /// Whether there was a choice, to which the customer can go back.
        can_change: bool,
    },
    /// Whether a payment is stopped that was approved before.
    Stop,
}

/// What went wrong.
#[derive(Debug, Clone)]
pub enum PaymentProblem {
    /// Nothing was chosen: the account that pays, or what is to be paid.
    Undecided,
    /// A wrong answer, with so many attempts left.
    Wrong(i64),
    /// An answer to another challenge.
    Stale,
    /// No answer is taken for a while.
    Blocked {
        /// Until this time of day.
        until: String,
        /// After so many failures.
        failures: i64,
    },
    /// The bank does not make what was approved.
    Declined,
}

/// A payment on the page.
#[derive(Debug, Clone)]
pub struct ShownPayment {
    /// Its id in the form.
    pub id: String,
    /// The account that pays; none if the customer chooses it.
    pub from: Option<PayingAccount>,
    /// What is paid in all.
    pub total: Option<Money>,
    /// To whom.
    pub transfers: Vec<ShownTransfer>,
    /// When.
    pub when: Execution,
    /// Why it cannot be made as things are.
    pub obstacle: Option<Obstacle>,
}

/// Why a payment cannot be made as things are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// The account that pays does not hold enough.
    Funds,
    /// The account that is to be paid does not take it.
    Other,
}

/// A transfer of a payment on the page.
#[derive(Debug, Clone)]
pub struct ShownTransfer {
    /// How much.
    pub amount: Money,
    /// Name of the payee.
    pub name: String,
    /// Number of the payee's account, in groups.
    pub number: String,
    /// The payee's bank, if it was named.
    pub bank: String,
    /// Where the payee lives, if that was told.
    pub address: String,
    /// What it is for.
    pub remittance: String,
    /// Who bears the charges (ISO 20022, ChargeBearerType1Code), if that was asked for.
    pub charges: String,
}

/// An account that pays.
#[derive(Debug, Clone)]
pub struct PayingAccount {
    /// Its id in the form.
    pub id: String,
    /// Its number, in groups.
    pub number: String,
    /// Names of the holders.
    pub name: String,
    /// Whether it is a savings account.
    pub is_savings: bool,
    /// What can be spent of it now, if that is known.
    pub available: Option<Money>,
    /// Whether it does not hold enough for the payment that it could make.
    pub lacks_funds: bool,
    /// Whether the customer chose it.
    pub is_chosen: bool,
}

/// Access that a third party gets to the accounts that pay.
#[derive(Debug, Clone)]
pub struct SharedAccess {
    /// Whether balances are asked for.
    pub balances: bool,
    /// Whether transactions are asked for.
    pub transactions: bool,
    /// Last day, as people write it.
    pub until: String,
    /// Whether it is for more than one time.
    pub recurring: bool,
}

impl PaymentPage {
    fn texts(&self) -> &'static Texts {
        texts(self.language)
    }

    fn says(&self) -> &'static PaymentTexts {
        payment_texts(self.language)
    }

    fn title(&self) -> &'static str {
        match self.step {
            Step::Stop => self.says().title_stop,
            Step::Choose => self.says().title_several,
            Step::Answer { .. } if self.payments.len() > 1 => self.says().title_several,
            Step::Answer { .. } => self.says().title,
        }
    }

    fn is_choice(&self) -> bool {
        matches!(self.step, Step::Choose)
    }

    fn is_stop(&self) -> bool {
        matches!(self.step, Step::Stop)
    }

    /// What is missing, in a sentence.
    fn to_choose(&self) -> &'static str {
        if self.chooses_account() { self.says().choose_account } else { self.says().choose_payment }
    }

    /// Accounts are offered unless the payments say which account pays.
    fn chooses_account(&self) -> bool {
        !self.is_stop() && self.payments.iter().any(|payment| payment.from.is_none())
    }

    /// Whether there is an account for each payment.
    fn can_be_paid(&self) -> bool {
        !self.chooses_account() || !self.accounts.is_empty()
    }

    fn money(&self, money: &Money) -> String {
        written::money(self.language, *money)
    }

    fn when(&self, payment: &ShownPayment) -> Vec<String> {
        written::when(self.language, &payment.when)
    }

    /// What stands in the way of a payment, in a sentence.
    fn obstacle(&self, payment: &ShownPayment) -> Option<&'static str> {
        Some(match (payment.obstacle?, &payment.when) {
            (Obstacle::Funds, Execution::AtOnce) => self.says().lacks_funds,
            (Obstacle::Funds, _) => self.says().will_lack_funds,
            (Obstacle::Other, _) => self.says().cannot_be_paid,
        })
    }

    fn charges<'a>(&self, transfer: &'a ShownTransfer) -> &'a str {
        match transfer.charges.as_str() {
            "DEBT" => self.says().charges_debtor,
            "CRED" => self.says().charges_creditor,
            "SHAR" => self.says().charges_shared,
            "SLEV" => self.says().charges_scheme,
            other => other,
        }
    }

    /// That so many failures block the answers, and that what follows is until when.
    fn blocked(&self, failures: &i64) -> String {
        self.says().blocked.replace("{failures}", &self.texts().number(*failures))
    }

    fn transfers_in_all(&self, payment: &ShownPayment) -> String {
        self.says().transfers.replace("{n}", &payment.transfers.len().to_string())
    }

    fn others(&self, payment: &ShownPayment) -> String {
        let others = payment.transfers.len().saturating_sub(FIRST_TRANSFERS);
        self.says().show_others.replace("{n}", &others.to_string())
    }

    fn some(&self, first: &usize, count: usize) -> String {
        let (first, last) = (first.to_string(), (first + count - 1).to_string());
        self.says().some_transfers.replace("{first}", &first).replace("{last}", &last)
    }
}

impl ShownPayment {
    /// Its only transfer.
    fn only(&self) -> Option<&ShownTransfer> {
        match &self.transfers[..] {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Those that are shown at once, and those that are one step away: two more are no reason for a step.
    fn parts(&self) -> (&[ShownTransfer], &[ShownTransfer]) {
        let first =
            if self.transfers.len() <= FIRST_TRANSFERS + 2 { self.transfers.len() } else { FIRST_TRANSFERS };
        self.transfers.split_at(first)
    }
}

#[cfg(test)]
mod tests {
    use domain::Currency;

    use super::*;

    fn euro(minor: i64) -> Money {
        Money { minor, currency: Currency::EUR }
    }

    fn transfer(minor: i64) -> ShownTransfer {
        ShownTransfer {
            amount: euro(minor),
            name: "<b>Shop</b>".into(),
            number: "NL91 ABNA 0417 1643 00".into(),
            bank: String::new(),
            address: String::new(),
            remittance: "<i>Coffee</i>".into(),
            charges: String::new(),
        }
    }

    fn account(id: &str) -> PayingAccount {
        PayingAccount {
            id: id.into(),
            number: "NL21 VSTB 2878 2313 91".into(),
            name: "J. <i>Jansen</i>".into(),
            is_savings: id == "2",
            available: Some(euro(150_050)),
            lacks_funds: id == "2",
            is_chosen: id == "1",
        }
    }

    fn payment(transfers: Vec<ShownTransfer>) -> ShownPayment {
        let total = transfers.iter().map(|one| one.amount.minor).sum();
        ShownPayment {
            id: "p".into(),
            from: Some(account("1")),
            total: Some(euro(total)),
            transfers,
            when: Execution::AtOnce,
            obstacle: None,
        }
    }

    fn answer() -> Step {
        let simulator = Simulator { number: "1234567890".into(), answer: Some("123456".into()) };
        let chosen = vec![("p".to_owned(), "accept")];
        Step::Answer {
            challenge: Some("12345678".into()),
            simulator: Some(simulator),
            chosen,
            can_change: true,
        }
    }

    fn page(language: Language, step: Step, payments: Vec<ShownPayment>) -> PaymentPage {
        PaymentPage {
            language,
            brand: Brand::default(),
            csrf: "c".into(),
            tpp_name: "<b>Third & Party</b>".into(),
            tpp_id: "PSDNL-DNB-1".into(),
            customer_name: "J. <i>Jansen</i>".into(),
            step,
            payments,
            accounts: vec![account("1"), account("2")],
            shares: None,
            problem: None,
        }
    }

    /// Without marks and line ends, as it is read.
    fn text(html: &str) -> String {
        let mut text = String::new();
        for part in html.split('<') {
            text.push_str(part.split_once('>').map_or("", |(_, text)| text));
            text.push(' ');
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_sample_renders_with_its_values_escaped() {
        let one = || payment(vec![transfer(1250)]);
        let unknown_payer = ShownPayment { from: None, obstacle: Some(Obstacle::Funds), ..one() };
        let shares =
            SharedAccess { balances: true, transactions: true, until: "3 mars".into(), recurring: true };
        let wrong = Some(PaymentProblem::Wrong(2));
        let samples = [
            page(Language::English, answer(), vec![one()]),
            PaymentPage { problem: wrong, ..page(Language::Dutch, answer(), vec![unknown_payer.clone()]) },
            PaymentPage { shares: Some(shares), ..page(Language::French, Step::Choose, vec![one(), one()]) },
            PaymentPage {
                problem: Some(PaymentProblem::Undecided),
                accounts: Vec::new(),
                ..page(Language::French, answer(), vec![unknown_payer])
            },
            PaymentPage {
                problem: Some(PaymentProblem::Stale),
                ..page(Language::Dutch, answer(), vec![one()])
            },
            PaymentPage {
                problem: Some(PaymentProblem::Blocked { until: "12:15".into(), failures: 5 }),
                ..page(Language::English, answer(), vec![one(), one()])
            },
            PaymentPage {
                problem: Some(PaymentProblem::Declined),
                ..page(Language::English, answer(), vec![one()])
            },
            page(Language::English, Step::Stop, vec![one()]),
            page(Language::English, answer(), vec![payment((0..100).map(transfer).collect())]),
        ];
        for html in samples.iter().map(|page| page.render().unwrap()) {
            assert!(!html.contains("<b>") && !html.contains("<i>") && !html.contains("<script"), "{html}");
            assert!(html.contains("<main") && html.contains("viewport") && html.contains("<h1>"));
            assert!(!html.contains("style=") && !html.contains("onclick"), "the policy forbids both");
            let fields = html.matches("<input").count() - html.matches("type=\"hidden\"").count();
            assert!(html.matches("<label").count() >= fields, "every field has a label: {html}");
        }
    }

    #[test]
    fn amount_and_payee_are_shown_beside_the_challenge() {
        let html = page(Language::Dutch, answer(), vec![payment(vec![transfer(123_450)])]).render().unwrap();
        let read = text(&html);
        for shown in [
            "€\u{a0}1.234,50",
            "&#60;b&#62;Shop&#60;/b&#62;",
            "NL91 ABNA 0417 1643 00",
            "Zo snel mogelijk",
            "NL21 VSTB 2878 2313 91",
            "€\u{a0}1.500,50 beschikbaar",
            "1234 5678",
            "123456",
        ] {
            assert!(html.contains(shown) || read.contains(shown), "{shown}: {read}");
        }
        assert!(html.contains("name=\"payment.p\" value=\"accept\"") && html.contains("name=\"challenge\""));
    }

    #[test]
    fn what_a_foreign_payee_needs_is_shown() {
        let abroad = ShownTransfer {
            bank: "CHASUS33".into(),
            address: "1 Main Street, Springfield, US".into(),
            charges: "SHAR".into(),
            ..transfer(1)
        };
        let when = Execution::On("2027-03-01".parse().unwrap());
        let obstacle = Some(Obstacle::Funds);
        let shown = ShownPayment { when, obstacle, ..payment(vec![abroad]) };
        let read = text(&page(Language::English, answer(), vec![shown]).render().unwrap());
        for shown in [
            "CHASUS33",
            "1 Main Street, Springfield, US",
            "You and the payee each pay your own bank",
            "On 1 March 2027",
            "will not hold enough",
        ] {
            assert!(read.contains(shown), "{shown}: {read}");
        }
    }

    #[test]
    fn of_a_hundred_transfers_five_are_shown_and_none_is_left_out() {
        let many = payment((1..=100).map(transfer).collect());
        let html = page(Language::English, answer(), vec![many]).render().unwrap();
        let (before, folded) = html.split_once("<details").unwrap();
        assert_eq!((before.matches("<tr>").count(), folded.matches("<tr>").count()), (1 + 5, 1 + 95));
        let read = text(&html);
        for shown in
            ["€50.50", "in 100 transfers", "Transfers 1 to 5", "Show the other 95 transfers", "€1.00"]
        {
            assert!(read.contains(shown), "{shown}: {read}");
        }
        let seven = payment((1..=7).map(transfer).collect());
        assert!(!page(Language::English, answer(), vec![seven]).render().unwrap().contains("<details"));
    }

    #[test]
    fn a_payment_is_stopped_or_kept() {
        let html = page(Language::English, Step::Stop, vec![payment(vec![transfer(1)])]).render().unwrap();
        assert!(html.contains("value=\"approve\"") && html.contains("value=\"cancel\""));
        assert!(text(&html).contains("Stop this payment?") && !html.contains("name=\"answer\""));
    }
}
