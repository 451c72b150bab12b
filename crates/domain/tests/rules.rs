//! Rules that hold of all sources and that no compiler holds.
#![expect(clippy::unwrap_used, reason = "a test may stop anywhere")]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every Rust file below a folder, with its text up to its tests.
fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let end = text.find("#[cfg(test)]\nmod tests").unwrap_or(text.len());
            found.push((path, text[..end].to_owned()));
        }
    }
}

/// The sources of every crate.
fn all_sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for group in ["crates", "dialects", "banks"] {
        for entry in fs::read_dir(root().join(group)).unwrap() {
            let source = entry.unwrap().path().join("src");
            // What tests alone hold is no secret.
            if source.is_dir() && !source.starts_with(root().join("crates/testkit")) {
                sources(&source, &mut found);
            }
        }
    }
    found
}

/// The type that a line begins to define.
fn defined(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("pub(crate) ").or(line.strip_prefix("pub(super) ")).unwrap_or(line);
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let rest = ["struct ", "enum ", "trait "].iter().find_map(|kind| line.strip_prefix(kind))?;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

/// The attributes and the comment before line `at`.
fn before<'t>(lines: &[&'t str], at: usize) -> impl Iterator<Item = &'t str> {
    let lines: Vec<_> = lines[..at].iter().rev().map(|line| line.trim()).collect();
    lines
        .into_iter()
        .take_while(|line| line.starts_with("///") || line.starts_with("#[") || line.starts_with(")]"))
}

#[test]
fn each_public_type_of_the_libraries_has_an_example() {
    let (mut missing, mut types) = (Vec::new(), 0);
    for library in ["eidas", "http-signatures", "pem-text"] {
        let mut found = Vec::new();
        sources(&root().join("crates").join(library).join("src"), &mut found);
        for (path, text) in found {
            let lines: Vec<_> = text.lines().collect();
            let public = lines.iter().enumerate().filter(|(_, line)| line.starts_with("pub "));
            for (at, name) in public.filter_map(|(at, line)| Some((at, defined(line)?))) {
                types += 1;
                if !before(&lines, at).any(|line| line == "/// ```") {
                    missing.push(format!("{}: {name}", path.display()));
                }
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
    assert!(types > 50, "only {types} types were found");
}

/// What holds a secret as text.
const SECRETS: [&str; 17] = [
    "access_token",
    "api_key",
    "assertion",
    "client_assertion",
    "client_secret",
    "code_verifier",
    "id_token",
    "initial_access_token",
    "key_pem",
    "pass_phrase",
    "password",
    "pkcs8",
    "private_key",
    "refresh_token",
    "secret",
    "token",
    "token_value",
];

/// What is named like a secret and is none.
const NO_SECRETS: [(&str, &str); 2] = [
    // A file's name.
    ("KeptIdentity", "private_key"),
    // Where tokens are asked for.
    ("Addresses", "token"),
];

/// The members of a line that hold text under the name of a secret.
fn secrets(line: &str) -> Vec<&str> {
    let members = line.split([',', '{', '(']).filter_map(|member| member.split_once(": "));
    let texts = members.filter(|(_, kind)| ["String", "str", "u8"].iter().any(|text| kind.contains(text)));
    texts
        .filter_map(|(name, _)| name.split_whitespace().last())
        .filter(|name| SECRETS.contains(name))
        .collect()
}

/// Debug forms end up in logs and in messages of failed assertions. A type that holds a secret has none, or one written
/// by hand that leaves it out.
#[test]
fn no_debug_form_shows_a_secret() {
    let (mut shown, mut held) = (Vec::new(), 0);
    for (path, text) in all_sources() {
        let lines: Vec<_> = text.lines().collect();
        let mut within = None;
        for (at, line) in lines.iter().enumerate() {
            if let Some(name) = defined(line) {
                let derives =
                    before(&lines, at).any(|line| line.starts_with("#[derive(") && line.contains("Debug"));
                within = Some((name, derives));
            }
            if line.trim_start().starts_with("//") {
                continue;
            }
            let Some((name, derives)) = within else { continue };
            for secret in secrets(line) {
                held += 1;
                if derives && !NO_SECRETS.contains(&(name, secret)) {
                    shown.push(format!("{}:{}: {name} shows {secret}", path.display(), at + 1));
                }
            }
            // A body ends where its line began, and a function is none.
            if line.starts_with('}') || line.trim_end().ends_with(");") || line.contains("fn ") {
                within = None;
            }
        }
    }
    assert_eq!(shown, Vec::<String>::new());
    assert!(held > 30, "only {held} secrets were found");
}
