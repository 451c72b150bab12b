//! The guides: the files of `docs/`, rendered.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;

use crate::markdown::{self, Heading};
use crate::not_found::not_found;
use crate::settings::Portal;
use crate::shell::Shell;

/// One guide: a file of `docs/` by its name without the ending.
pub(crate) struct Guide {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
}

/// Lists files of `docs/` with their contents.
macro_rules! guides {
    ($($name:literal),* $(,)?) => {
        &[$(Guide { name: $name, text: include_str!(concat!("../../../docs/", $name, ".md")) }),*]
    };
}

/// The guides in the order in which they are read. What is for those who change the program is not among them.
pub(crate) const GUIDES: &[Guide] = guides![
    "quick-start",
    "onboarding",
    "signatures",
    "errors",
    "guide",
    "sandbox-payments",
    "ci",
    "configuration",
    "security",
    "differences",
];

impl Guide {
    /// Its first heading.
    pub(crate) fn title(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches("# ")
    }

    /// Its first paragraph up to the end of a sentence, without marks.
    pub(crate) fn lead(&self) -> String {
        let paragraph =
            self.text.split("\n\n").nth(1).unwrap_or_default().replace('\n', " ").replace('`', "");
        let end = paragraph.find(". ").map_or(paragraph.len(), |end| end + 1);
        paragraph[..end].to_owned()
    }
}

#[derive(Template)]
#[template(path = "guides.html")]
struct GuidesPage {
    shell: Shell,
}

#[derive(Template)]
#[template(path = "guide.html")]
struct GuidePage {
    shell: Shell,
    guide: &'static Guide,
    headings: Vec<Heading>,
    html: String,
}

/// Routes of the pages.
pub(crate) fn routes() -> Router<Portal> {
    Router::new().route("/portal/guides", get(list)).route("/portal/guides/{name}", get(show))
}

async fn list(State(portal): State<Portal>, shell: Shell) -> Response {
    Shell::answer(&portal, &GuidesPage { shell })
}

async fn show(State(portal): State<Portal>, Path(name): Path<String>, shell: Shell) -> Response {
    let Some(guide) = GUIDES.iter().find(|guide| guide.name == name) else {
        return not_found(&portal, shell, "/portal/guides");
    };
    let rendered = markdown::render(guide.text, &|text| portal.settings.with_own_addresses(text));
    let page = GuidePage { shell, guide, headings: rendered.headings, html: rendered.html };
    Shell::answer(&portal, &page)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_page_of_docs_is_a_guide() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        for entry in fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let Some(name) = name.strip_suffix(".md") else { continue };
            // For those who change the program.
            let is_inside = name == "architecture";
            assert_eq!(GUIDES.iter().any(|guide| guide.name == name), !is_inside, "{name}");
        }
    }

    #[test]
    fn a_guide_has_a_title_and_a_lead() {
        for guide in GUIDES {
            assert!(!guide.title().contains('#') && guide.title().len() > 4, "{}", guide.name);
            assert!(
                guide.lead().len() > 20 && !guide.lead().contains('|'),
                "{}: {}",
                guide.name,
                guide.lead()
            );
        }
    }
}
