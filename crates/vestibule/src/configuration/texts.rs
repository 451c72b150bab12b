//! What is said of the file: an example of it, and the reference page.

use super::keys::{
    Admin, Audit, Bank, CoreBank, Database, Interface, Limits, Lives, Log, Management, Pages, Proxy,
    Register, Sealing, Traces, Trust, TrustedLists,
};
use super::looks::Looks;
use super::page_texts::Texts;
use super::provider::Provider;
use super::section::{Given, Key, Section};

/// Columns of a line of the example.
const WIDTH: usize = 100;

/// A section as it is described.
struct Described {
    name: &'static str,
    about: String,
    keys: &'static [Key],
    /// Whether an ordinary file has it.
    is_usual: bool,
}

fn described<S: Section>(is_usual: bool) -> Described {
    Described { name: S::NAME, about: joined(S::ABOUT), keys: S::KEYS, is_usual }
}

fn sections() -> Vec<Described> {
    vec![
        described::<Bank>(true),
        described::<Interface>(true),
        described::<Pages>(true),
        described::<Proxy>(false),
        described::<Trust>(true),
        described::<Database>(true),
        described::<Sealing>(false),
        described::<CoreBank>(true),
        described::<TrustedLists>(false),
        described::<Register>(false),
        described::<Provider>(false),
        described::<Limits>(false),
        described::<Looks>(true),
        described::<Texts>(true),
        described::<Management>(true),
        described::<Admin>(false),
        described::<Audit>(true),
        described::<Lives>(true),
        described::<Traces>(false),
        described::<Log>(true),
    ]
}

/// The lines of a comment as one text.
fn joined(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

/// A text as lines of comments.
fn comment(text: &str) -> String {
    let mut lines = vec!["#".to_owned()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < WIDTH => *line += &format!(" {word}"),
            _ => lines.push(format!("# {word}")),
        }
    }
    lines.join("\n") + "\n"
}

/// Keys that may be left out, and that an ordinary file has all the same.
const USUAL: [(&str, &str); 5] = [
    ("interface", "certificate_file"),
    ("interface", "key_file"),
    ("pages", "certificate_file"),
    ("pages", "key_file"),
    ("database", "address"),
];

/// A whole file with comments, which is right once the files are there that it names.
pub fn example() -> String {
    let mut text = comment(
        "The configuration of `vestibule serve`. What stands behind a # and an equals sign is the default, or left out at \
         an ordinary bank. Paths begin at the folder of this file. `vestibule config check` says what is wrong with it.",
    );
    for section in sections() {
        text += "\n";
        text += &comment(&section.about);
        let off = if section.is_usual { "" } else { "#" };
        text += &format!("{off}[{}]\n", section.name);
        for key in section.keys {
            text += "\n";
            text += &comment(&format!("{} ({})", joined(key.text), (key.what)()));
            let (written, is_on) = match key.given {
                Given::Required(value) => (value, section.is_usual),
                Given::Optional(value) => (value, USUAL.contains(&(section.name, key.name))),
                Given::Default(value) => (value, false),
            };
            text += &format!("{}{} = {written}\n", if is_on { "" } else { "#" }, key.written());
        }
    }
    text
}

/// The reference page.
pub fn reference() -> String {
    let mut text = "# Configuration of a gateway\n\n\
        `vestibule serve` is configured by one TOML file. `vestibule config example > vestibule.toml` writes a complete one with comments, and\n\
        `vestibule config check vestibule.toml` says everything that is wrong with it, with line numbers. Sections and keys that\n\
        are not in these tables are refused. Paths begin at the folder of the file. Secrets never stand in the file: a key that\n\
        ends in `_file` names a file that holds the secret, and the same key without `_file` takes `\"env:NAME\"`, a variable of the\n\
        environment.\n\n\
        This page is made by `vestibule config reference`.\n"
        .to_owned();
    for section in sections() {
        text += &format!("\n## `[{}]`\n\n{}\n\n", section.name, section.about);
        text += "| Key | Value | Without it | Meaning |\n|---|---|---|---|\n";
        for key in section.keys {
            let without = match key.given {
                Given::Required(_) => "refused".to_owned(),
                Given::Default(value) => format!("`{value}`"),
                Given::Optional(_) => "none".to_owned(),
            };
            text +=
                &format!("| `{}` | {} | {without} | {} |\n", key.written(), (key.what)(), joined(key.text));
        }
    }
    text
}
