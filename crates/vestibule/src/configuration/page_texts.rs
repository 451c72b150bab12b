//! In which languages the pages speak, and what the bank adds at their foot.

use std::collections::HashMap;
use std::sync::Arc;

use gateway::domain::{Language, Languages};
use toml::Spanned;
use toml::de::DeValue;
use url::Url;
use web::{BankTexts, FootLink};

use super::section::{Fault, Place, Reader, Value, section};
use super::values::parsed;

/// Most characters of a line.
const LINE: usize = 200;

/// Most octets of an address.
const ADDRESS: usize = 500;

section! {
    /// The languages of the pages, and what the bank adds at their foot. An addition is one for all languages, or a table with one for
    /// each language that is offered, as in { en = "…", nl = "…" }. It is shown as it stands, never as markup.
    Texts "texts" {
        /// The languages that the pages offer, in this order: en, nl, fr, de. A customer whose browser asks for none of them gets
        /// that of the branch, if it is offered, or else the first.
        languages: Vec<Spoken>, Default("[\"en\", \"nl\", \"fr\", \"de\"]");
        /// A line of help, such as a number to call.
        help: Option<ForLanguages<Line>>, Optional("\"Questions? Call 020 123 4567.\"");
        /// Where the bank helps.
        help_url: Option<ForLanguages<Link>>, Optional("\"https://www.bank.example.com/help\"");
        /// How the bank is reached.
        contact_url: Option<ForLanguages<Link>>, Optional("\"https://www.bank.example.com/contact\"");
        /// Who the bank is (imprint).
        legal_notice_url: Option<ForLanguages<Link>>, Optional("\"https://www.bank.example.com/legal\"");
        /// What becomes of personal data.
        privacy_url: Option<ForLanguages<Link>>, Optional("\"https://www.bank.example.com/privacy\"");
    }
}

impl Texts {
    /// What the pages take of it.
    pub(crate) fn of_pages(&self) -> Arc<BankTexts> {
        let languages = self.offered().unwrap_or_default();
        let links = [
            (FootLink::Help, &self.help_url),
            (FootLink::Contact, &self.contact_url),
            (FootLink::LegalNotice, &self.legal_notice_url),
            (FootLink::Privacy, &self.privacy_url),
        ];
        let link = |(kind, to): (FootLink, &Option<ForLanguages<Link>>)| {
            let to = to.as_ref()?.in_each(&languages, |link| link.0.to_string()).collect();
            Some((kind, to))
        };
        let links = links.into_iter().filter_map(link).collect();
        let help = self.help.as_ref();
        let help = help.into_iter().flat_map(|help| help.in_each(&languages, |line| line.0.clone()));
        Arc::new(BankTexts { help: help.collect(), links, languages: languages.clone() })
    }

    fn offered(&self) -> Option<Languages> {
        Languages::new(self.languages.iter().map(|spoken| spoken.0))
    }

    /// Checks what belongs together.
    pub(super) fn check(&self, reader: &mut Reader<'_>) {
        let Some(languages) = self.offered() else {
            let text = match self.languages.is_empty() {
                true => "pages speak a language at least, such as [\"en\"]",
                false => "a language is named twice",
            };
            return reader.together("texts.languages", text);
        };
        let codes = |languages: &[Language]| {
            languages.iter().map(|language| language.code()).collect::<Vec<_>>().join(", ")
        };
        let named = [
            ("texts.help", self.help.as_ref().and_then(ForLanguages::named)),
            ("texts.help_url", self.help_url.as_ref().and_then(ForLanguages::named)),
            ("texts.contact_url", self.contact_url.as_ref().and_then(ForLanguages::named)),
            ("texts.legal_notice_url", self.legal_notice_url.as_ref().and_then(ForLanguages::named)),
            ("texts.privacy_url", self.privacy_url.as_ref().and_then(ForLanguages::named)),
        ];
        for (key, named) in named {
            let Some(named) = named else { continue };
            let missing: Vec<_> = languages.iter().filter(|offered| !named.contains(offered)).collect();
            if !missing.is_empty() {
                let missing = codes(&missing);
                reader.together(
                    key,
                    format!("{missing} is missing: write one for each language that is offered"),
                );
            }
            let useless: Vec<_> = named.into_iter().filter(|named| !languages.offers(*named)).collect();
            if !useless.is_empty() {
                let useless = codes(&useless);
                reader
                    .together(key, format!("{useless} is not offered: leave it out, or add it to languages"));
            }
        }
    }
}

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spoken(Language);

impl Value for Spoken {
    fn what() -> String {
        "one of en, nl, fr, de".to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, _: &Place<'_>) -> Result<Self, Vec<Fault>> {
        parsed(value, &Self::what(), |text| Language::from_code(text).map(Self))
    }
}

/// One value for all languages, or one for each.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ForLanguages<V> {
    All(V),
    Each(HashMap<Language, V>),
}

impl<V> ForLanguages<V> {
    /// The languages that have one of their own.
    fn named(&self) -> Option<Vec<Language>> {
        match self {
            Self::All(_) => None,
            Self::Each(values) => {
                let all = Language::CODES.map(|(language, _)| language);
                Some(all.into_iter().filter(|language| values.contains_key(language)).collect())
            }
        }
    }

    fn in_each<'a>(
        &'a self,
        languages: &'a Languages,
        text: impl Fn(&V) -> String + 'a,
    ) -> impl Iterator<Item = (Language, String)> + 'a {
        languages.iter().filter_map(move |language| {
            let value = match self {
                Self::All(value) => Some(value),
                Self::Each(values) => values.get(&language),
            };
            Some((language, text(value?)))
        })
    }
}

impl<V: Value> Value for ForLanguages<V> {
    fn what() -> String {
        format!("{}, or a table of them by language", V::what())
    }

    fn read(value: &Spanned<DeValue<'_>>, place: &Place<'_>) -> Result<Self, Vec<Fault>> {
        let DeValue::Table(table) = value.get_ref() else { return V::read(value, place).map(Self::All) };
        let (mut values, mut faults) = (HashMap::new(), Vec::new());
        for (name, value) in table {
            let Some(language) = Language::from_code(name.get_ref()) else {
                let text = format!("\"{}\" is not {}", name.get_ref().escape_debug(), Spoken::what());
                faults.push(Fault { at: name.span().start, text });
                continue;
            };
            match V::read(value, place) {
                Ok(value) => {
                    values.insert(language, value);
                }
                Err(wrong) => faults.extend(wrong),
            }
        }
        if faults.is_empty() { Ok(Self::Each(values)) } else { Err(faults) }
    }
}

/// A line of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line(String);

impl Value for Line {
    fn what() -> String {
        "a line of text".to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, _: &Place<'_>) -> Result<Self, Vec<Fault>> {
        parsed(value, "a line of 1 to 200 characters without control characters", |text| {
            let is_line = !text.trim().is_empty()
                && text.chars().count() <= LINE
                && !text.chars().any(char::is_control);
            is_line.then(|| Self(text.to_owned()))
        })
    }
}

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link(Url);

impl Value for Link {
    fn what() -> String {
        "an address with https://".to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, _: &Place<'_>) -> Result<Self, Vec<Fault>> {
        let what = "https:// with a host, and without a user, of at most 500 octets";
        parsed(value, what, |text| {
            let url = Url::parse(text).ok().filter(|url| url.as_str().len() <= ADDRESS)?;
            let is_anonymous = url.username().is_empty() && url.password().is_none();
            (url.scheme() == "https" && url.has_host() && is_anonymous).then_some(Self(url))
        })
    }
}
