//! The way to the bank's provider, for a customer who logs in, or who came back and is not authenticated.

use askama::Template;
use domain::Language;

use crate::Asker;
use crate::brand::Brand;
use crate::customer_texts::{CustomerTexts, customer_texts};
use crate::language::{Texts, texts};

/// Leads to the provider; again, if the customer is not authenticated, with the reason, or back to the third party.
#[derive(Debug, Template)]
#[template(path = "provider.html")]
pub struct ProviderPage {
    /// Language of the page.
    pub language: Language,
    /// Protects the form.
    pub csrf: String,
    /// Whose page it is.
    pub brand: Brand,
    /// The third party that asks for something; none at the bank's own pages.
    pub asker: Option<Asker>,
    /// What leads to the provider.
    pub again: String,
    /// What went wrong, if anything did.
    pub problem: Option<NotAuthenticated>,
}

/// What went wrong at the bank's provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAuthenticated {
    /// The customer did not finish.
    Unfinished,
    /// What came back is not taken.
    Failed,
    /// It is not strong or fresh enough, or not for what is to be paid.
    Weak,
    /// It is another customer than the one who is asked, or none.
    Unknown,
}

impl ProviderPage {
    fn texts(&self) -> &'static Texts {
        texts(self.language)
    }

    fn says(&self) -> &'static CustomerTexts {
        customer_texts(self.language)
    }

    fn why(&self) -> Option<&'static str> {
        let texts = self.texts();
        Some(match self.problem? {
            NotAuthenticated::Unfinished => texts.not_authenticated,
            NotAuthenticated::Failed => texts.authentication_failed,
            NotAuthenticated::Weak => texts.authentication_weak,
            NotAuthenticated::Unknown => texts.authenticated_unknown,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_leads_there_again_and_back() {
        for (language, _) in Language::CODES {
            let page = |asker, problem| ProviderPage {
                language,
                csrf: "c".into(),
                brand: Brand { name: "<b>Bank</b>".into(), is_for_tests: false, ..Brand::default() },
                asker,
                again: "authorise.html".into(),
                problem,
            };
            let asker = Asker { name: "<b>Third</b>".into(), id: "PSDNL-DNB-1".into() };
            let html = page(Some(asker), Some(NotAuthenticated::Weak)).render().unwrap();
            assert!(!html.contains("<b>") && html.contains("href=\"authorise.html\""), "{html}");
            assert!(html.contains("value=\"cancel\"") && html.contains("role=\"alert\""), "{html}");
            let own = page(None, Some(NotAuthenticated::Unknown)).render().unwrap();
            assert!(!own.contains("value=\"cancel\""), "{own}");
            let first = page(None, None).render().unwrap();
            assert!(
                !first.contains("role=\"alert\"") && first.contains("href=\"authorise.html\""),
                "{first}"
            );
        }
    }
}
