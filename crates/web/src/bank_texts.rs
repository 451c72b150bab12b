//! What a bank says on its pages beside their own words: in which languages they speak, and what stands at their foot.

use domain::{Language, Languages};

use crate::language::texts;

/// What a bank adds to the words of its pages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BankTexts {
    /// The languages that the pages offer.
    pub languages: Languages,
    /// A line of help; nothing if it is empty.
    pub help: InLanguages,
    /// Where links at the foot lead, in their order: with `https`, as whoever brings them has checked.
    pub links: Vec<(FootLink, InLanguages)>,
}

/// A text, or an address, as it is in each language.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InLanguages(Vec<(Language, String)>);

impl FromIterator<(Language, String)> for InLanguages {
    fn from_iter<T: IntoIterator<Item = (Language, String)>>(texts: T) -> Self {
        Self(texts.into_iter().collect())
    }
}

impl InLanguages {
    fn get(&self, language: Language) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == language).map(|(_, text)| text.as_str())
    }
}

/// What a link at the foot leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FootLink {
    /// The bank's help.
    Help,
    /// How the bank is reached.
    Contact,
    /// Who the bank is (Directive 2000/31/EC, Article 5).
    LegalNotice,
    /// What becomes of personal data.
    Privacy,
}

/// The foot of a page.
#[derive(Debug)]
pub(crate) struct Foot<'a> {
    pub(crate) help: Option<&'a str>,
    /// Words and addresses.
    pub(crate) links: Vec<(&'static str, &'a str)>,
}

impl BankTexts {
    /// What stands at the foot in a language, if anything does.
    pub(crate) fn foot(&self, language: Language) -> Option<Foot<'_>> {
        let words = texts(language);
        let word = |link| match link {
            FootLink::Help => words.foot_help,
            FootLink::Contact => words.foot_contact,
            FootLink::LegalNotice => words.foot_legal_notice,
            FootLink::Privacy => words.foot_privacy,
        };
        let links = self.links.iter().filter_map(|(link, to)| Some((word(*link), to.get(language)?)));
        let foot = Foot { help: self.help.get(language), links: links.collect() };
        (foot.help.is_some() || !foot.links.is_empty()).then_some(foot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foot_says_what_there_is_in_its_language() {
        let in_dutch = |text: &str| [(Language::Dutch, text.to_owned())].into_iter().collect();
        let mut bank = BankTexts::default();
        assert!(bank.foot(Language::Dutch).is_none());
        bank.links = vec![(FootLink::Privacy, in_dutch("https://bank.example/privacy"))];
        let foot = bank.foot(Language::Dutch).unwrap();
        assert_eq!(
            (foot.help, foot.links),
            (None, vec![(texts(Language::Dutch).foot_privacy, "https://bank.example/privacy")])
        );
        bank.help = in_dutch("Bel ons");
        assert_eq!(bank.foot(Language::Dutch).unwrap().help, Some("Bel ons"));
        assert!(bank.foot(Language::French).is_none());
    }
}
