//! The pages on which a customer authorises: log-in, decision, and what is shown when there is nothing to do.

use askama::Template;
use domain::{Choice, Language};

use crate::language::{Texts, texts};

/// The log-in.
#[derive(Debug, Template)]
#[template(path = "log_in.html")]
pub struct LogInPage {
    /// Language of the page.
    pub language: Language,
    /// Protects the form.
    pub csrf: String,
    /// Name of the third party, from its certificate.
    pub tpp_name: String,
    /// Identifier of the third party, from its certificate.
    pub tpp_id: String,
    /// What the customer's device has to answer: digits.
    pub challenge: String,
    /// What the customer typed before.
    pub iban: String,
    /// What went wrong.
    pub problem: Option<Problem>,
    /// The simulator of a bank for tests.
    pub simulator: Option<Simulator>,
}

/// What went wrong at the log-in.
#[derive(Debug, Clone)]
pub enum Problem {
    /// Wrong, with so many attempts left.
    Wrong(i64),
    /// Blocked.
    Blocked {
        /// Until this time of day.
        until: String,
        /// After so many failures.
        failures: i64,
    },
    /// As many challenges are open as may be at once.
    TooManyOpen {
        /// So many.
        most: usize,
        /// For so many minutes at most.
        minutes: i64,
    },
}

/// A simulated device.
#[derive(Debug, Clone, Default)]
pub struct Simulator {
    /// Its number, as typed.
    pub number: String,
    /// What it answers.
    pub answer: Option<String>,
}

/// The decision.
#[derive(Debug, Template)]
#[template(path = "decide.html")]
pub struct DecisionPage {
    /// Language of the page.
    pub language: Language,
    /// Protects the form.
    pub csrf: String,
    /// Name of the third party, from its certificate.
    pub tpp_name: String,
    /// Identifier of the third party, from its certificate.
    pub tpp_id: String,
    /// Name of the customer.
    pub customer_name: String,
    /// How many accounts the customer chooses.
    pub choice: Choice,
    /// The accounts, or those to choose from.
    pub accounts: Vec<ShownAccount>,
    /// Whether the third party gets access to accounts.
    pub shares_access: bool,
    /// That the third party asks whether the account holds an amount.
    pub funds: Option<ShownFunds>,
    /// Whether balances are asked for.
    pub balances: bool,
    /// Whether transactions are asked for.
    pub transactions: bool,
    /// Last day, as people write it.
    pub until: String,
    /// Whether it is for more than one time.
    pub recurring: bool,
    /// Whether the customer has yet to choose.
    pub must_choose: bool,
}

/// Confirmation of funds on the page.
#[derive(Debug, Clone)]
pub struct ShownFunds {
    /// For which card; may be empty.
    pub card: String,
}

/// An account on the page.
#[derive(Debug, Clone)]
pub struct ShownAccount {
    /// Its id in the form.
    pub id: String,
    /// Its number in groups, and its currency.
    pub number: String,
    /// Names of the holders.
    pub name: String,
    /// Whether it is a savings account.
    pub is_savings: bool,
}

/// Something a customer has to know, with nothing to do.
#[derive(Debug, Template)]
#[template(path = "notice.html")]
pub struct NoticePage {
    /// Language of the page.
    pub language: Language,
    /// In a few words.
    pub title: String,
    /// In a sentence.
    pub text: String,
}

/// Digits in groups of four, as people read them.
pub(crate) fn grouped(digits: &str) -> String {
    let groups = digits.as_bytes().chunks(4);
    groups.map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ")
}

impl LogInPage {
    fn texts(&self) -> &'static Texts {
        texts(self.language)
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        let plain = |language, problem, simulator| Self {
            language,
            csrf: "c".into(),
            tpp_name: "<b>Third & Party</b>".into(),
            tpp_id: "PSDNL-DNB-1".into(),
            challenge: "12345678".into(),
            iban: "NL91".into(),
            problem,
            simulator,
        };
        let simulator = Simulator { number: "1".into(), answer: Some("123456".into()) };
        vec![
            plain(Language::English, None, None),
            plain(Language::Dutch, Some(Problem::Wrong(2)), Some(simulator)),
            plain(Language::Dutch, Some(Problem::TooManyOpen { most: 3, minutes: 5 }), None),
            plain(
                Language::French,
                Some(Problem::Blocked { until: "12:15".into(), failures: 5 }),
                Some(Simulator::default()),
            ),
        ]
    }
}

impl DecisionPage {
    fn texts(&self) -> &'static Texts {
        texts(self.language)
    }

    fn title(&self) -> &'static str {
        if self.funds.is_some() { self.texts().decide_funds } else { self.texts().decide }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        let account = |id: &str| ShownAccount {
            id: id.into(),
            number: "NL91 ABNA 0417 1643 00, EUR".into(),
            name: "J. <i>Jansen</i>".into(),
            is_savings: id == "2",
        };
        let plain = |language, choice, accounts: Vec<ShownAccount>| Self {
            language,
            csrf: "c".into(),
            tpp_name: "<b>Third & Party</b>".into(),
            tpp_id: "PSDNL-DNB-1".into(),
            customer_name: "J. Jansen".into(),
            choice,
            accounts,
            shares_access: true,
            funds: None,
            balances: true,
            transactions: choice != Choice::None,
            until: "3 March 2026".into(),
            recurring: choice != Choice::None,
            must_choose: choice != Choice::None,
        };
        vec![
            plain(Language::English, Choice::One, vec![account("1"), account("2")]),
            plain(Language::Dutch, Choice::None, vec![account("1")]),
            plain(Language::French, Choice::One, vec![]),
            plain(Language::English, Choice::Several, vec![account("1"), account("2")]),
            Self {
                shares_access: false,
                funds: Some(ShownFunds { card: "<i>Debit</i> …1234".into() }),
                ..plain(Language::Dutch, Choice::None, vec![account("1")])
            },
        ]
    }
}

impl NoticePage {
    /// There is no session, or it has ended.
    pub fn over(language: Language) -> Self {
        let texts = texts(language);
        Self { language, title: texts.over.to_owned(), text: texts.over_text.to_owned() }
    }

    /// A form that another site sent.
    pub fn forbidden(language: Language) -> Self {
        let texts = texts(language);
        Self { language, title: texts.forbidden.to_owned(), text: texts.forbidden_text.to_owned() }
    }

    fn texts(&self) -> &'static Texts {
        texts(self.language)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_renders_with_its_values_escaped() {
        let pages: Vec<String> = LogInPage::samples()
            .iter()
            .map(|page| page.render().unwrap())
            .chain(DecisionPage::samples().iter().map(|page| page.render().unwrap()))
            .chain(Language::CODES.map(|(language, _)| NoticePage::over(language).render().unwrap()))
            .chain(Language::CODES.map(|(language, _)| NoticePage::forbidden(language).render().unwrap()))
            .collect();
        assert!(pages[0].contains(">1234 5678<"), "{}", pages[0]);
        for html in pages {
            assert!(!html.contains("<b>") && !html.contains("<i>") && !html.contains("<script"), "{html}");
            assert!(html.contains("<main") && html.contains("viewport") && html.contains("<h1>"));
            assert!(!html.contains("style=") && !html.contains("onclick"), "the policy forbids both");
            let fields = html.matches("<input").count() - html.matches("type=\"hidden\"").count();
            assert!(html.matches("<label").count() >= fields, "every field has a label: {html}");
        }
    }

    #[test]
    fn days_are_written_as_people_do() {
        assert_eq!(texts(Language::Dutch).day(2026, 3, 1), "1 maart 2026");
        assert_eq!(texts(Language::French).day(2026, 3, 1), "1er mars 2026");
    }
}
