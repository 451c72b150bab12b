//! Every command shown in README and docs, run in the order in which it stands there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::{Program, free_folder};

use crate::BINARY;

/// A block of code: what stands behind the fence, and its lines.
pub(crate) struct Block {
    kind: String,
    lines: Vec<String>,
}

impl Block {
    fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// The commands of the block, continued lines joined.
    fn commands(&self) -> Vec<String> {
        let mut commands = Vec::new();
        let mut command = String::new();
        for line in &self.lines {
            match line.strip_suffix('\\') {
                Some(start) => command.push_str(start),
                None => commands.push(std::mem::take(&mut command) + line),
            }
        }
        commands
    }
}

/// The blocks of code of a page.
pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let mut blocks: Vec<Block> = Vec::new();
    let mut in_block = false;
    for line in text.lines() {
        if let Some(kind) = line.strip_prefix("```") {
            in_block = !in_block;
            if in_block {
                blocks.push(Block { kind: kind.to_owned(), lines: Vec::new() });
            }
        } else if in_block {
            blocks.last_mut().unwrap().lines.push(line.to_owned());
        }
    }
    assert!(!in_block, "{page}: a block of code has no end");
    blocks
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

    /// Does what a line says; its only changes are other ports and another place for data. Returns what it printed.
    fn follow(&self, command: &str) -> String {
        let command = command.replace("cargo run --release --", "vestibule");
        if let Some(arguments) = command.strip_prefix("vestibule sandbox") {
            self.start_sandbox(arguments);
            String::new()
        } else if command.starts_with("scripts/") {
            assert!(root().join(&command).is_file(), "{command}");
            String::new()
        } else {
            self.run(&command)
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

    fn run(&self, command: &str) -> String {
        let [public, tls, management] = ["public", "tls", "management"].map(|name| self.sandbox.url(name));
        let mut command = command.replace("https://127.0.0.1:8443", &tls);
        if command.starts_with("vestibule tpp") && !command.contains("--bank") {
            command += &format!(" --bank {public}");
        }
        let asks_the_sandbox = command.starts_with("vestibule certificate new") && !command.contains("--ca");
        let asks_the_sandbox = asks_the_sandbox || command.starts_with("vestibule certificate revoke");
        let manages = [
            "tpp",
            "account",
            "bank",
            "clock",
            "logs",
            "fault",
            "data",
            "snapshot",
            "reset",
            "trusted-list",
            "register",
        ];
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
        text(&output.stdout)
    }
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs the `sh` blocks of a page in their order, and compares what they print with an `output` block that follows. A
/// block with the name of a file behind its kind is saved under that name.
fn follow(page: &str, at_least: usize) {
    let reader = Reader::new();
    let mut commands = 0;
    let mut printed = String::new();
    for block in blocks(page) {
        match block.kind.split_once(' ') {
            Some((_, file)) => fs::write(reader.folder.join(file), block.text() + "\n").unwrap(),
            None if block.kind == "sh" => {
                let all = block.commands();
                commands += all.len();
                printed = all.iter().map(|command| reader.follow(command)).collect();
            }
            None if block.kind == "output" => assert_eq!(printed.trim_end(), block.text(), "{page}"),
            None => {}
        }
    }
    assert!(commands >= at_least, "{page} shows {commands} commands");
}

/// The pages whose commands are run, each with how many there are at least.
const FOLLOWED: &[(&str, usize)] = &[
    ("README.md", 4),
    ("docs/guide.md", 25),
    ("docs/quick-start.md", 5),
    ("docs/onboarding.md", 3),
    ("docs/signatures.md", 10),
    ("docs/ci.md", 1),
];

fn follow_known(page: &str) {
    let (page, at_least) = FOLLOWED.iter().find(|(known, _)| *known == page).unwrap();
    follow(page, *at_least);
}

#[test]
fn readme() {
    follow_known("README.md");
}

#[test]
fn guide() {
    follow_known("docs/guide.md");
}

#[test]
fn quick_start() {
    follow_known("docs/quick-start.md");
}

#[test]
fn onboarding() {
    follow_known("docs/onboarding.md");
}

#[test]
fn signatures() {
    follow_known("docs/signatures.md");
}

#[test]
fn use_in_ci() {
    follow_known("docs/ci.md");
}

/// The pages in `docs`, and README.
pub(crate) fn pages() -> Vec<String> {
    let mut pages = vec!["README.md".to_owned()];
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") {
            pages.push(format!("docs/{name}"));
        }
    }
    pages.sort();
    pages
}

/// A page with commands that no test runs must not appear unnoticed.
#[test]
fn no_other_page_shows_commands() {
    for page in pages().iter().filter(|page| !FOLLOWED.iter().any(|(known, _)| known == page)) {
        assert!(blocks(page).iter().all(|block| block.kind != "sh"), "{page}");
    }
}

/// A variable that a step of a workflow hands to the next ones, or that all of them have.
type Variables = Vec<(String, String)>;

/// The variables of a workflow, and the commands of each of its steps.
fn workflow(lines: &[String]) -> (Variables, Vec<String>) {
    let (mut variables, mut steps) = (Variables::new(), Vec::<String>::new());
    let (mut in_variables, mut in_step) = (false, false);
    for line in lines {
        let text = line.trim_start();
        let depth = line.len() - text.len();
        if depth == 0 {
            in_variables = text == "env:";
        } else if in_variables {
            let (name, value) = text.split_once(": ").unwrap();
            variables.push((name.to_owned(), value.to_owned()));
        }
        in_step &= depth >= 10;
        if in_step {
            steps.last_mut().unwrap().extend([text, "\n"]);
        } else if let Some(command) = text.strip_prefix("run: ") {
            in_step = command == "|";
            steps.push(if in_step { String::new() } else { command.to_owned() });
        }
    }
    (variables, steps)
}

/// Every step of the workflow, in order, as GitHub Actions runs them: each in a shell of its own, variables by a file.
#[test]
fn workflow_of_ci() {
    if testkit::system_program("/usr/bin/jq").is_none() {
        return;
    }
    let block = blocks("docs/ci.md").into_iter().find(|block| block.kind == "yaml").unwrap();
    let (mut variables, steps) = workflow(&block.lines);
    assert_eq!((variables.len(), steps.len()), (1, 6));
    let (_guard, folder) = free_folder();
    let (programs, handed) = (folder.join("programs"), folder.join("variables"));
    fs::create_dir(&programs).unwrap();
    std::os::unix::fs::symlink(BINARY, programs.join("vestibule")).unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let _bank = KilledAtTheEnd(folder.join("bank.pid"));
    for step in steps {
        fs::write(&handed, "").unwrap();
        let mut shell = Command::new("bash");
        shell.args(["-eo", "pipefail", "-c", &step]).current_dir(&folder).env("PATH", &path);
        shell.env("HOME", &folder).env("GITHUB_ENV", &handed).env_remove("XDG_DATA_HOME");
        let output = shell.envs(variables.iter().cloned()).output().unwrap();
        let log = fs::read_to_string(folder.join("bank.log")).unwrap_or_default();
        assert!(output.status.success(), "{step}\n{output:?}\n{log}");
        let more = fs::read_to_string(&handed).unwrap();
        let more = more.lines().filter_map(|line| line.split_once('='));
        variables.extend(more.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}

/// The process whose id a file holds, so that nothing is left behind a test that failed.
struct KilledAtTheEnd(PathBuf);

impl Drop for KilledAtTheEnd {
    fn drop(&mut self) {
        if let Ok(id) = fs::read_to_string(&self.0) {
            let _ = Command::new("kill").arg(id.trim()).stderr(std::process::Stdio::null()).status();
        }
    }
}
