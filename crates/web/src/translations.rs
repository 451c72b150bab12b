//! Tests that every page says everything in every language that there is.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::Path;

use domain::Language;

use crate::customer_texts::customer_texts;
use crate::language::texts;
use crate::payment_texts::payment_texts;

/// The texts of a list of words with what each is named after; those of a row of words have its number.
fn named(words: &impl Debug) -> Vec<(String, String)> {
    let (mut found, mut row) = (Vec::new(), String::new());
    for line in format!("{words:#?}").lines().map(str::trim) {
        let (name, text) = line.split_once(": ").unwrap_or(("", line));
        if text == "[" {
            name.clone_into(&mut row);
        } else if let Some(text) = text.strip_prefix('"').and_then(|text| text.strip_suffix("\",")) {
            let place = if name.is_empty() { format!("{row} {}", found.len()) } else { name.to_owned() };
            found.push((place, text.to_owned()));
        }
    }
    found
}

fn all(language: Language) -> Vec<(String, String)> {
    let lists = [named(texts(language)), named(customer_texts(language)), named(payment_texts(language))];
    lists.concat()
}

/// What stands in braces.
fn places(text: &str) -> BTreeSet<String> {
    let open = text.split('{').skip(1);
    open.filter_map(|rest| Some(rest.split_once('}')?.0.to_lowercase())).collect()
}

#[test]
fn no_text_of_any_page_is_missing_in_any_language() {
    let english = all(Language::English);
    assert!(english.len() > 240, "{}", english.len());
    // What follows a day is nothing in most languages.
    let may_be_empty = ["after_day"];
    for (language, code) in Language::CODES {
        let spoken = all(language);
        assert_eq!(spoken.len(), english.len(), "{code}");
        for ((name, text), (_, english)) in spoken.iter().zip(&english) {
            assert!(!text.trim().is_empty() || may_be_empty.contains(&name.as_str()), "{code}: {name}");
            assert_eq!(text.trim(), text, "{code}: {name}");
            assert_eq!(places(text), places(english), "{code}: {name}: {text}");
            let is_sentence = english.split(' ').count() > 2;
            let is_translated = language == Language::English || text != english;
            assert!(is_translated || !is_sentence, "{code}: {name} is English: {text}");
        }
    }
}

#[test]
fn every_text_of_the_banks_pages_comes_from_the_lists_of_words() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut read = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        // The page of a third party's client, and what a bank publishes for third parties, which are English.
        let name = path.file_name().unwrap();
        if name == "callback.html" || name == "statistics.html" {
            continue;
        }
        let mut page = std::fs::read_to_string(&path).unwrap();
        for (begin, end) in [("{{", "}}"), ("{%", "%}")] {
            page = without(&page, (begin, end), |_| String::new());
        }
        let spoken = ["alt", "title", "aria-label", "placeholder"];
        let words = without(&page, ("<", ">"), |tag| {
            let attributes = spoken.iter().filter_map(|name| tag.split_once(&format!(" {name}=\"")));
            attributes.map(|(_, rest)| rest.split('"').next().unwrap_or_default()).collect()
        });
        let words = words.replace("TEST", "");
        let letters: String = words.chars().filter(|character| character.is_alphabetic()).collect();
        assert!(letters.is_empty(), "{}: {letters}", path.display());
        read += 1;
    }
    assert!(read > 15, "{read}");
}

/// A text with something else in place of what stands between two marks.
fn without(text: &str, (begin, end): (&str, &str), instead: impl Fn(&str) -> String) -> String {
    let (mut left, mut rest) = (String::new(), text);
    while let Some((before, inside)) = rest.split_once(begin) {
        let (inside, after) = inside.split_once(end).unwrap();
        left.push_str(before);
        left.push_str(&instead(inside));
        rest = after;
    }
    left + rest
}
