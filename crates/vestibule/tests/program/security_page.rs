//! `docs/security.md` names the test of each control: they are there.

use std::fs;
use std::path::{Path, PathBuf};

/// Every Rust file below a folder, outside of what is built.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Whether a source has a test of this name: a function behind an attribute that makes it one.
fn has_test(source: &str, name: &str) -> bool {
    let lines: Vec<_> = source.lines().map(str::trim_start).collect();
    let is_named = |line: &&str| {
        let line = line.strip_prefix("async ").unwrap_or(line);
        line.strip_prefix("fn ")
            .and_then(|rest| rest.strip_prefix(name))
            .is_some_and(|rest| rest.starts_with('('))
    };
    lines.iter().enumerate().filter(|(_, line)| is_named(line)).any(|(at, _)| {
        let before =
            lines[..at].iter().rev().take_while(|line| line.starts_with('#') || line.starts_with("//"));
        before.into_iter().any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
            // One of a block of property tests.
            || source.contains("proptest!") && lines[..at].iter().rev().take(3).any(|line| *line == "#[test]")
    })
}

#[test]
fn each_control_names_a_test_that_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = fs::read_to_string(root.join("docs/security.md")).unwrap();
    let mut files = Vec::new();
    ["crates", "dialects", "banks"].iter().for_each(|part| sources(&root.join(part), &mut files));
    let controls = page.split_once("\n## Controls\n").unwrap().1.split_once("\n## ").unwrap().0;
    let rows: Vec<_> =
        controls.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| Threat |")).collect();
    assert!(rows.len() > 30, "{}", rows.len());
    for row in rows {
        let named = row.rsplit('|').nth(1).unwrap();
        let tests: Vec<_> = named
            .split('`')
            .skip(1)
            .step_by(2)
            .map(|test| test.split_once("::").unwrap_or((test, "")))
            .collect();
        assert!(!tests.is_empty(), "no test is named: {row}");
        for (file, test) in tests {
            let is_there = files.iter().filter(|path| path.file_stem().is_some_and(|stem| stem == file));
            let is_there =
                is_there.into_iter().any(|path| has_test(&fs::read_to_string(path).unwrap(), test));
            assert!(is_there, "there is no test {file}::{test}: {row}");
        }
    }
    assert!(!has_test("fn this_is_none() {}", "this_is_none"));
}
