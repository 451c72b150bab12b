//! Every command shown in README and docs, run in the order in which it stands there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::{Program, free_folder};

use crate::BINARY;

/// The commands of all `sh` blocks of a page, continued lines joined.
fn commands(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let mut commands = Vec::new();
    let mut in_block = false;
    let mut command = String::new();
    for line in text.lines() {
        if line.starts_with("```") {
            in_block = line == "```sh";
        } else if in_block {
            match line.strip_suffix('\\') {
                Some(start) => command.push_str(start),
                None => commands.push(std::mem::take(&mut command) + line),
            }
        }
    }
    commands
}

/// A reader at their machine: a folder to work in, and the sandbox they started first.
struct Reader {
    sandbox: Program,
    folder: PathBuf,
    _guard: tempfile::TempDir,
}

impl Reader {
    fn new() -> Self {
        let (guard, folder) = free_folder();
        Self { sandbox: Program::sandbox(BINARY, &["--ephemeral"]), folder, _guard: guard }
    }

    /// Does what a line says; its only changes are other ports and another place for data.
    fn follow(&self, command: &str) {
        let command = command.replace("cargo run --release --", "vestibule");
        if let Some(arguments) = command.strip_prefix("vestibule sandbox") {
            self.start_sandbox(arguments);
        } else if command.starts_with("scripts/") {
            assert!(root().join(&command).is_file(), "{command}");
        } else {
            self.run(&command);
        }
    }

    fn start_sandbox(&self, arguments: &str) {
        let mut arguments: Vec<_> = arguments.split_whitespace().filter(|word| *word != "--json").collect();
        let data = self.folder.join("data").to_str().unwrap().to_owned();
        if !arguments.contains(&"--ephemeral") {
            arguments.extend(["--data", &data]);
        }
        let files: Vec<_> = arguments
            .iter()
            .map(|word| if word.ends_with(".pem") { self.folder.join(word) } else { PathBuf::from(word) })
            .collect();
        let arguments: Vec<_> = files.iter().map(|word| word.to_str().unwrap()).collect();
        let (code, log) = Program::sandbox(BINARY, &arguments).signal("TERM");
        assert_eq!(code, Some(0), "{arguments:?}: {log}");
    }

    fn run(&self, command: &str) {
        let [public, tls, management] = ["public", "tls", "management"].map(|name| self.sandbox.url(name));
        let mut command = command.replace("https://127.0.0.1:8443", &tls);
        if command.starts_with("vestibule tpp") && !command.contains("--bank") {
            command += &format!(" --bank {public}");
        }
        let asks_the_sandbox = command.starts_with("vestibule certificate new") && !command.contains("--ca");
        let manages = ["tpp", "account", "clock", "fault", "data", "snapshot", "reset"];
        let word = command.strip_prefix("vestibule ").and_then(|rest| rest.split(' ').next());
        if asks_the_sandbox || word.is_some_and(|word| manages.contains(&word)) {
            command += &format!(" --management {management}");
        }
        let command = command
            .replace("http://127.0.0.1:8080", &public)
            .replace("http://127.0.0.1:8081", &management)
            .replace("vestibule ", &format!("{BINARY} "));
        let output = Command::new("sh")
            .args(["-euc", &command])
            .current_dir(&self.folder)
            .env("HOME", &self.folder)
            .env("VESTIBULE_NOW", testkit::now().to_string())
            .env_remove("XDG_DATA_HOME")
            .output()
            .unwrap();
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        assert!(output.status.success(), "{command}\n{}{}", text(&output.stdout), text(&output.stderr));
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn follow(page: &str, at_least: usize) {
    let commands = commands(&root().join(page));
    assert!(commands.len() >= at_least, "{page} shows {} commands", commands.len());
    let reader = Reader::new();
    for command in commands {
        reader.follow(&command);
    }
}

#[test]
fn readme() {
    follow("README.md", 4);
}

#[test]
fn guide() {
    follow("docs/guide.md", 25);
}

/// A page with commands that no test runs must not appear unnoticed.
#[test]
fn no_other_page_shows_commands() {
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let page = entry.unwrap().path();
        if !page.ends_with("guide.md") && page.extension().is_some_and(|extension| extension == "md") {
            assert_eq!(commands(&page), Vec::<String>::new(), "{}", page.display());
        }
    }
}
