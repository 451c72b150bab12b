//! The page of a third party's client on the customer's machine, at which a browser comes back from the bank. It is one
//! answer of a listener that is gone afterwards, so its style is in it.

use askama::Template;

use crate::assets::STYLE;

/// What a browser that came back is told.
#[derive(Debug, Template)]
#[template(path = "callback.html")]
pub struct CallbackPage {
    /// What the policy of the page names, so that its own style is taken and no other.
    nonce: String,
    title: &'static str,
    text: &'static str,
    /// Code and description of an error.
    error: Option<(String, String)>,
}

/// How a browser came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CameBack {
    /// With a code.
    Approved,
    /// With an error, and what was said about it.
    Refused {
        /// The code of the error.
        error: String,
        /// In a sentence; may be empty.
        description: String,
    },
    /// With neither, as after a payment whose third party asks what became of it.
    Bare,
}

impl CallbackPage {
    /// The page with a nonce that nobody can guess.
    pub fn new(came_back: CameBack, nonce: String) -> Self {
        let (title, text, error) = match came_back {
            CameBack::Approved => {
                ("You approved", "The bank sent you back with your approval, and it is taken up now.", None)
            }
            CameBack::Refused { error, description } => {
                let text = "The bank sent you back without an approval.";
                ("Nothing was approved", text, Some((error, description)))
            }
            CameBack::Bare => ("You are back", "The bank knows what you decided; it is asked now.", None),
        };
        Self { nonce, title, text, error }
    }

    /// The page, and the policy to send with it.
    pub fn render_with_policy(&self) -> (String, String) {
        // Rendering into memory fails only if a value's own Display does, and texts do not.
        let html = self.render().unwrap_or_default();
        let policy = format!(
            "default-src 'none'; style-src 'nonce-{}'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
            self.nonce
        );
        (html, policy)
    }

    fn style() -> &'static str {
        STYLE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_back_is_escaped_and_nothing_is_loaded() {
        let refused = CameBack::Refused { error: "<b>x</b>".into(), description: "</style><script>".into() };
        for came_back in [CameBack::Approved, refused, CameBack::Bare] {
            let (html, policy) = CallbackPage::new(came_back, "n0".into()).render_with_policy();
            assert!(html.contains("<h1>") && html.contains("back to the terminal"), "{html}");
            assert!(html.contains("<style nonce=\"n0\">") && policy.contains("'nonce-n0'"), "{policy}");
            assert!(!html.contains("<b>") && !html.contains("<script") && !html.contains("<link"), "{html}");
            assert_eq!(html.matches("</style>").count(), 1, "{html}");
        }
    }
}
