//! The binary as a process of its own, and other programs.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::thread::JoinHandle;

use serde_json::Value;

use crate::clock::now;

/// A running `vestibule sandbox`; it is killed when this is dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    /// The line of JSON that it printed when it was ready.
    pub ready: Value,
}

impl Program {
    /// Starts `binary sandbox --json` on free ports with further arguments and waits until it is ready. It is in
    /// the time of the tests.
    pub fn sandbox(binary: &str, arguments: &[&str]) -> Self {
        Self::start(command(binary), arguments)
    }

    /// The same in the real time, for clients of other hands, which know no other.
    pub fn sandbox_in_real_time(binary: &str, arguments: &[&str]) -> Self {
        Self::start(Command::new(binary), arguments)
    }

    /// One that keeps nothing and logs at a level, and a reader of its log, so that a full pipe does not stop it. The log
    /// ends with the program: [`Program::kill`] it first.
    pub fn logging(binary: &str, level: &str) -> (Self, JoinHandle<String>) {
        let mut command = command(binary);
        command.env("VESTIBULE_LOG", level);
        let mut program = Self::start(command, &["--ephemeral"]);
        let log = program.child.stderr.take().unwrap();
        (program, std::thread::spawn(move || read_log(log)))
    }

    fn start(mut command: Command, arguments: &[&str]) -> Self {
        command.args(["sandbox", "--json"]);
        for option in ["--listen", "--tls-listen", "--management-listen"] {
            if !arguments.contains(&option) {
                command.args([option, "127.0.0.1:0"]);
            }
        }
        let mut child =
            command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line.is_empty() {
            let output = child.wait_with_output().unwrap();
            panic!("not ready: {}", String::from_utf8_lossy(&output.stderr));
        }
        Self { child, ready: serde_json::from_str(&line).unwrap() }
    }

    /// One of its addresses: `public`, `tls` or `management`.
    pub fn url(&self, name: &str) -> String {
        self.ready[name].as_str().unwrap().to_owned()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it as `kill -9` does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends it a signal by name and waits for its end; returns what it wrote to standard error as well.
    pub fn signal(mut self, name: &str) -> (Option<i32>, String) {
        run("kill", &["-s", name, &self.id().to_string()]);
        let status = self.child.wait().unwrap();
        (status.code(), read_log(self.child.stderr.take().unwrap()))
    }
}

/// Reads a log to its end, but for what says that a start took long, which is the machine's doing.
fn read_log(mut log: ChildStderr) -> String {
    let mut text = String::new();
    log.read_to_string(&mut text).unwrap();
    text.split_inclusive('\n').filter(|line| !line.starts_with("Waiting for ")).collect()
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A call of our own binary, in the time of the tests.
pub fn command(binary: &str) -> Command {
    let mut command = Command::new(binary);
    command.env("VESTIBULE_NOW", now().to_string());
    command
}

/// Runs a program to its end.
pub fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"))
}

/// Runs `openssl` and returns what it printed.
pub fn openssl(arguments: &[&str]) -> String {
    let output = run("openssl", arguments);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// A folder that is deleted at the end of the test.
pub fn free_folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path: &Path = folder.path();
    let path = path.to_owned();
    (folder, path)
}
