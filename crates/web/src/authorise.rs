//! The pages on which a customer authorises: log-in, decision, and what is shown when there is nothing to do.

use askama::Template;
use domain::{Choice, Language};

use crate::brand::{Brand, WayOn};
use crate::customer_texts::{CustomerTexts, customer_texts};
use crate::language::{Texts, texts};

/// The log-in.
#[derive(Debug, Template)]
#[template(path = "log_in.html")]
pub struct LogInPage {
    /// Language of the page.
    pub language: Language,
    /// Protects the form.
    pub csrf: String,
    /// Whose page it is.
    pub brand: Brand,
    /// The third party that asks for something; none at the bank's own pages.
    pub asker: Option<Asker>,
    /// Where the form goes.
    pub action: String,
    /// What the customer's device has to answer: digits.
    pub challenge: String,
    /// What the customer typed before.
    pub iban: String,
    /// What went wrong.
    pub problem: Option<Problem>,
    /// The simulator of a bank for tests.
    pub simulator: Option<Simulator>,
    /// Customers of a bank for tests, the newest first.
    pub customers: Vec<TestCustomer>,
    /// Whether number and answer were filled in for one of them.
    pub is_filled_in: bool,
}

/// A third party that asks for something.
#[derive(Debug, Clone)]
pub struct Asker {
    /// Its name, from its certificate.
    pub name: String,
    /// Its identifier, from its certificate.
    pub id: String,
}

/// A customer of a bank for tests.
#[derive(Debug, Clone)]
pub struct TestCustomer {
    /// Name.
    pub name: String,
    /// An account number.
    pub iban: String,
    /// The same in groups.
    pub number: String,
    /// Number of the device.
    pub device_number: String,
    /// What the customer is good for, in English; may be empty.
    pub description: String,
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
    /// Whose page it is.
    pub brand: Brand,
    /// Where it leads on.
    pub way_on: Option<WayOn>,
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

    fn says(&self) -> &'static CustomerTexts {
        customer_texts(self.language)
    }

    /// The answer that stands in its field already.
    fn filled_in(&self) -> Option<&str> {
        self.simulator.as_ref()?.answer.as_deref().filter(|_| self.is_filled_in)
    }

    fn take(&self, customer: &TestCustomer) -> String {
        self.says().take.replace("{name}", &customer.name)
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        let plain = |language, problem, simulator: Option<Simulator>| Self {
            language,
            csrf: "c".into(),
            brand: Brand {
                name: "<b>Bank</b>".into(),
                is_for_tests: simulator.is_some(),
                ..Brand::default()
            },
            asker: Some(Asker { name: "<b>Third & Party</b>".into(), id: "PSDNL-DNB-1".into() }),
            action: "authorise.html".into(),
            challenge: "12345678".into(),
            iban: "NL91".into(),
            problem,
            simulator,
            customers: Vec::new(),
            is_filled_in: false,
        };
        let customer = TestCustomer {
            name: "J. <i>Jansen</i>".into(),
            iban: "NL91ABNA0417164300".into(),
            number: "NL91 ABNA 0417 1643 00".into(),
            device_number: "1234567890".into(),
            description: "<b>Somebody</b>".into(),
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
            Self {
                asker: None,
                customers: vec![customer],
                is_filled_in: true,
                ..plain(
                    Language::Dutch,
                    None,
                    Some(Simulator { number: "1".into(), answer: Some("123456".into()) }),
                )
            },
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
            brand: Brand::default(),
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
        Self::new(language, texts.over, texts.over_text)
    }

    /// The page was shown to a session that a newer one replaced.
    pub fn stale(language: Language) -> Self {
        Self::new(language, texts(language).over, customer_texts(language).stale_text)
    }

    /// Nobody is logged in here.
    pub fn not_logged_in(language: Language) -> Self {
        let says = customer_texts(language);
        Self::new(language, says.left, says.left_text)
    }

    /// The customer did nothing for too long.
    pub fn idle(language: Language) -> Self {
        let says = customer_texts(language);
        Self::new(language, says.idle, says.idle_text)
    }

    /// The customer answered wrongly too often.
    pub fn too_many_wrong(language: Language) -> Self {
        let says = customer_texts(language);
        Self::new(language, says.too_many_wrong, says.too_many_wrong_text)
    }

    /// There is no such thing, or it is somebody else's.
    pub fn not_found(language: Language) -> Self {
        Self::new(language, texts(language).not_found, customer_texts(language).not_found_text)
    }

    /// Whose page it is, and where it leads on.
    #[must_use]
    pub fn of(self, brand: Brand, way_on: Option<WayOn>) -> Self {
        Self { brand, way_on, ..self }
    }

    fn new(language: Language, title: &str, text: &str) -> Self {
        let (title, text) = (title.to_owned(), text.to_owned());
        Self { language, title, text, brand: Brand::default(), way_on: None }
    }

    /// A form that another site sent.
    pub fn forbidden(language: Language) -> Self {
        let texts = texts(language);
        Self::new(language, texts.forbidden, texts.forbidden_text)
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
