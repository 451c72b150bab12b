//! What every page of the bank carries: its name, the mark of a bank for tests, and where there is one, a way on.

use std::sync::Arc;

use domain::Language;

use crate::bank_texts::{BankTexts, Foot};
use crate::language::Texts;

/// Whose page it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Brand {
    /// The bank's name; empty where it is not known at which branch the browser is.
    pub name: String,
    /// Whether nothing at this bank is real.
    pub is_for_tests: bool,
    /// The bank's logo, if it brings one.
    pub logo: Option<ShownLogo>,
    /// In which languages the pages speak, and what stands at their foot.
    pub texts: Arc<BankTexts>,
}

impl Brand {
    /// Whether the name stands beside the logo.
    pub(crate) fn has_name_beside(&self) -> bool {
        self.name.is_empty() || !self.logo.as_ref().is_some_and(|logo| logo.says_name)
    }

    /// What stands at the foot of a page in a language.
    pub(crate) fn foot(&self, language: &Language) -> Option<Foot<'_>> {
        self.texts.foot(*language)
    }
}

/// A logo as pages show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownLogo {
    /// Its path at the bank's pages.
    pub path: &'static str,
    /// Whether the bank's name is part of it.
    pub says_name: bool,
}

/// Where a page leads on that has nothing to do itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayOn {
    href: String,
    to: WayOnTo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WayOnTo {
    ThirdParty,
    LogIn,
    Newer,
    Overview,
}

impl WayOn {
    /// Back to the third party, at an address that it registered; none if a browser would take that for a script.
    pub fn back(href: String) -> Option<Self> {
        let scheme = href.split(':').next().unwrap_or_default().to_ascii_lowercase();
        let is_page = !matches!(scheme.as_str(), "javascript" | "data" | "vbscript" | "blob");
        is_page.then_some(Self { href, to: WayOnTo::ThirdParty })
    }

    /// To the log-in of the bank's own pages.
    pub fn log_in(href: String) -> Self {
        Self { href, to: WayOnTo::LogIn }
    }

    /// The same in a language that was chosen, where the session that knew it is over.
    #[must_use]
    pub fn in_language(self, language: Language) -> Self {
        Self { href: format!("{}?lang={}", self.href, language.code()), ..self }
    }

    /// To the same page as it is now.
    pub fn newer(href: String) -> Self {
        Self { href, to: WayOnTo::Newer }
    }

    /// To the overview of the customer's own pages.
    pub fn overview(href: String) -> Self {
        Self { href, to: WayOnTo::Overview }
    }

    /// The address.
    pub(crate) fn href(&self) -> &str {
        &self.href
    }

    /// What the link says.
    pub(crate) fn text(&self, texts: &'static Texts) -> &'static str {
        match self.to {
            WayOnTo::ThirdParty => texts.back_to_application,
            WayOnTo::LogIn => texts.to_log_in,
            WayOnTo::Newer => texts.to_newer,
            WayOnTo::Overview => texts.to_overview,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_into_a_script() {
        for address in ["javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "blob:x"] {
            assert_eq!(WayOn::back(address.to_owned()), None, "{address}");
        }
        for address in ["https://tpp.example/cb?error=x", "com.example.app:/oauth"] {
            assert_eq!(WayOn::back(address.to_owned()).unwrap().href(), address);
        }
    }
}
