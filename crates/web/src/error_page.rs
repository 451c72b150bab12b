//! The page that a browser shows when it cannot be sent back to the third party.

use askama::Template;

/// A request that a person cannot repair: it says what is wrong, and whom to tell.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// What happened, in a few words.
    pub title: String,
    /// What is wrong, for the developer of the third party.
    pub detail: String,
    /// The error code of the protocol.
    pub code: String,
}

impl ErrorPage {
    /// One of each kind, for the test that renders them.
    #[cfg(test)]
    fn samples() -> Vec<Self> {
        vec![Self {
            title: "This request cannot be completed".into(),
            detail: "redirect_uri \"<script>alert(1)</script>\" is not registered".into(),
            code: "invalid_request".into(),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped() {
        for sample in ErrorPage::samples() {
            let html = sample.render().unwrap();
            assert!(!html.contains("<script") && html.contains("&#60;script&#62;"), "{html}");
            assert!(html.contains("<html lang=\"en\">") && html.contains("viewport"));
        }
    }
}
