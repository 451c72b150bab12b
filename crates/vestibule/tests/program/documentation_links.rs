//! Every link in README and docs leads somewhere: to a file of the repository, and to a heading that is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::documentation::{pages, root};

/// The text of a page without its blocks of code.
fn prose(page: &Path) -> String {
    let text = fs::read_to_string(page).unwrap();
    text.split("```").step_by(2).collect()
}

/// The names that the headings of a page can be linked by.
fn anchors(page: &Path) -> BTreeSet<String> {
    let text = prose(page);
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
}

/// As hosts of repositories make them: letters in lower case, digits, hyphens, and hyphens for blanks.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut links = 0;
    for page in pages() {
        let path = root().join(&page);
        for target in prose(&path).split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            if target.starts_with("https://") || target.starts_with("http://") {
                continue;
            }
            let (file, name) = target.split_once('#').unwrap_or((target, ""));
            let other = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(other.exists(), "{page}: {target}: there is no such file");
            assert!(
                name.is_empty() || anchors(&other).contains(name),
                "{page}: {target}: there is no such heading"
            );
            links += 1;
        }
    }
    assert!(links > 30, "{links} links are found");
}
