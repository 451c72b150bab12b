//! The languages that a bank's pages offer.

use crate::{Language, Tenant};

/// The languages that a bank's pages offer, the first one before all; where a bank does not choose, all that there are.
///
/// ```
/// use domain::{Language, Languages, Tenant};
///
/// let languages = Languages::new([Language::French, Language::English]).unwrap();
/// assert!(languages.offers(Language::English) && !languages.offers(Language::Dutch));
/// assert_eq!(languages.at(&Tenant::parse("be_fr").unwrap()), Language::French);
/// assert_eq!(languages.at(&Tenant::parse("nl").unwrap()), languages.first());
/// assert_eq!(Languages::new([]), None);
/// assert_eq!(Languages::new([Language::German, Language::German]), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Languages(Vec<Language>);

impl Languages {
    /// Some languages in their order; none if there is no language, or one is there twice.
    pub fn new(languages: impl IntoIterator<Item = Language>) -> Option<Self> {
        let mut offered = Vec::new();
        for language in languages {
            if offered.contains(&language) {
                return None;
            }
            offered.push(language);
        }
        (!offered.is_empty()).then_some(Self(offered))
    }

    /// The first one.
    pub fn first(&self) -> Language {
        self.0.first().copied().unwrap_or(Language::English)
    }

    /// Whether pages can be had in a language.
    pub fn offers(&self, language: Language) -> bool {
        self.0.contains(&language)
    }

    /// Whether there is a choice.
    pub fn are_several(&self) -> bool {
        self.0.len() > 1
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Language> + '_ {
        self.0.iter().copied()
    }

    /// The language in which pages open at a branch: its own if it is offered, else the first.
    pub fn at(&self, branch: &Tenant) -> Language {
        Some(branch.language()).filter(|language| self.offers(*language)).unwrap_or_else(|| self.first())
    }
}

impl Default for Languages {
    fn default() -> Self {
        Self(Language::CODES.map(|(language, _)| language).to_vec())
    }
}
