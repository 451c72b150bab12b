//! What tests need that is not part of the repository: programs of other hands, and the descriptions of the banks.
//!
//! Whatever is missing goes through [`missing`], so that no test is skipped unseen.

use std::io::Write;
use std::path::{Path, PathBuf};

/// Says that a test is not run because something is missing, and how to get it.
///
/// The line is written past the capture of the test harness, so that it is seen although the test passes.
///
/// # Panics
/// With `VESTIBULE_REQUIRE_ALL`, as `scripts/test` sets it: there, a test that would be skipped fails.
pub fn missing(what: &str, remedy: &str) {
    let is_required = std::env::var_os("VESTIBULE_REQUIRE_ALL").is_some_and(|value| !value.is_empty());
    say(&skipped(what, remedy, is_required));
}

fn skipped(what: &str, remedy: &str, is_required: bool) -> String {
    assert!(!is_required, "{what} is missing: {remedy}");
    format!("skipped: {what} is missing: {remedy}")
}

/// A program or folder of an environment that a script makes in `target`, or none if it was not made. A variable can say
/// where it is.
pub fn environment(variable: &str, name: &str, script: &str) -> Option<PathBuf> {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target").join(name);
    // The two Python environments lie side by side.
    let chosen = std::env::var_os(variable).map(PathBuf::from).map(|folder| folder.with_file_name(name));
    found(chosen.unwrap_or(made), &format!("run {script}"))
}

/// A program of the system, or none.
pub fn system_program(path: &str) -> Option<PathBuf> {
    found(path.into(), "run scripts/prerequisites")
}

fn found(path: PathBuf, remedy: &str) -> Option<PathBuf> {
    if path.exists() {
        return Some(path);
    }
    missing(&path.display().to_string(), remedy);
    None
}

/// A file of the banks' descriptions, which are not part of the repository: `VESTIBULE_SPEC_DIR` says where they lie, else
/// they are looked for beside it.
///
/// Nobody can be asked to have them, so without the folder a test is skipped even where everything is required. With the
/// folder, a file that is missing in it is a failure.
///
/// # Panics
/// If the folder is there and the file is not.
pub fn specification(file: &str) -> Option<PathBuf> {
    let chosen = std::env::var_os("VESTIBULE_SPEC_DIR").map(PathBuf::from);
    let is_chosen = chosen.is_some();
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/spec");
    let folder = chosen.unwrap_or_else(|| beside.into());
    if !is_chosen && !folder.exists() {
        say(&format!("skipped: {file} of the banks' descriptions; set VESTIBULE_SPEC_DIR to their folder"));
        return None;
    }
    let path = folder.join(file);
    assert!(path.is_file(), "{} is missing", path.display());
    Some(path)
}

/// The program of the last release, which `VESTIBULE_LAST_RELEASE` names; `scripts/last-release` builds it.
///
/// Before the first release nobody can have one, so without the variable a test is skipped even where everything is required.
///
/// # Panics
/// If there is no such program.
pub fn last_release() -> Option<PathBuf> {
    let Some(path) = std::env::var_os("VESTIBULE_LAST_RELEASE").filter(|path| !path.is_empty()) else {
        say("skipped: the last release; VESTIBULE_LAST_RELEASE=$(scripts/last-release) names its program");
        return None;
    };
    let path = PathBuf::from(path);
    assert!(path.is_file(), "{} is missing", path.display());
    Some(path)
}

/// Writes a line that the test harness does not capture.
fn say(line: &str) {
    // Nothing is lost with a line that nobody can read.
    let _ = writeln!(std::io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::skipped;

    #[test]
    fn a_test_is_skipped_with_a_line() {
        assert_eq!(skipped("javac", "install it", false), "skipped: javac is missing: install it");
    }

    #[test]
    #[should_panic(expected = "javac is missing: install it")]
    fn where_everything_is_required_it_fails() {
        skipped("javac", "install it", true);
    }
}
