//! The page that a browser shows when it cannot be sent back to the third party.

use askama::Template;
use domain::Language;

use crate::brand::{Brand, WayOn};
use crate::language::{Texts, texts};

/// A request that a person cannot repair: it says what is wrong, and whom to tell.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// Language of the page.
    language: Language,
    /// What happened, in a few words.
    title: &'static str,
    /// What is wrong, for the developer of the third party.
    detail: String,
    /// The error code of the protocol.
    code: String,
    /// Whose page it is.
    brand: Brand,
    /// Where it leads on.
    way_on: Option<WayOn>,
}

impl ErrorPage {
    /// A request that cannot be completed. What is wrong is told in English, for the developers of the third party.
    pub fn refused(language: Language, detail: String, code: String) -> Self {
        Self::new(language, texts(language).refused, (detail, code))
    }

    /// A path under which nothing is served.
    pub fn not_found(language: Language, detail: String, code: String) -> Self {
        Self::new(language, texts(language).not_found, (detail, code))
    }

    /// Whose page it is, and where it leads on.
    #[must_use]
    pub fn of(self, brand: Brand, way_on: Option<WayOn>) -> Self {
        Self { brand, way_on, ..self }
    }

    fn new(language: Language, title: &'static str, (detail, code): (String, String)) -> Self {
        Self { language, title, detail, code, brand: Brand::default(), way_on: None }
    }

    fn texts(&self) -> &'static Texts {
        texts(self.language)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_in_every_language() {
        for (language, code) in Language::CODES {
            let detail = "redirect_uri \"<script>alert(1)</script>\" is not registered";
            let page = ErrorPage::refused(language, detail.into(), "invalid_request".into());
            let html = page.render().unwrap();
            assert!(!html.contains("<script") && html.contains("&#60;script&#62;"), "{html}");
            assert!(html.contains(&format!("<html lang=\"{code}\">")) && html.contains("viewport"), "{html}");
            assert!(html.contains(texts(language).refused), "{html}");
        }
        let led = ErrorPage::refused(Language::Dutch, "x".into(), "y".into());
        let way_on = WayOn::back("https://tpp.example/cb?a=\"><b>".into());
        let html = led
            .of(Brand { name: "Bank <b>".into(), is_for_tests: true, ..Brand::default() }, way_on)
            .render()
            .unwrap();
        assert!(html.contains("Terug naar de applicatie") && html.contains("TEST"), "{html}");
        assert!(!html.contains("<b>") && html.contains("href=\"https://tpp.example/cb?a="), "{html}");
        let missing = ErrorPage::not_found(Language::English, "Nothing".into(), "404".into());
        assert!(missing.render().unwrap().contains("There is no such page"));
    }
}
