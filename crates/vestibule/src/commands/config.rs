//! `vestibule config`

use std::path::Path;
use std::process::ExitCode;

use vestibule::configuration::{Configuration, Problem, example, reference};

use crate::cli::ConfigCommand;
use crate::output;

/// Writes, checks or explains.
pub(crate) fn run(command: ConfigCommand) -> ExitCode {
    match command {
        ConfigCommand::Example => output::text(&example()),
        ConfigCommand::Reference => output::text(&reference()),
        ConfigCommand::Check { file, reload } => match check(&file, reload) {
            Ok(configuration) => match configuration.remarks() {
                [] => output::line(&format!("{} is right.", file.display())),
                remarks => {
                    output::error(&lines(&file, remarks));
                    let rest = "is right, but for certificates that should be other ones";
                    output::line(&format!("{} {rest}.", file.display()));
                }
            },
            Err(problems) => {
                output::error(&problems);
                return ExitCode::FAILURE;
            }
        },
    }
    ExitCode::SUCCESS
}

fn check(file: &Path, is_reload: bool) -> Result<Configuration, String> {
    let check = if is_reload { Configuration::check_reload } else { Configuration::check };
    told(file, check(file, tpp::clock::now()))
}

/// Reads a configuration.
///
/// # Errors
/// Everything that is wrong with it, each on a line of its own.
pub(super) fn read(file: &Path) -> Result<Configuration, String> {
    told(file, Configuration::read(file, tpp::clock::now()))
}

/// Reads it again while a gateway serves by what was read before.
///
/// # Errors
/// As [`read`]
pub(super) fn read_again(file: &Path, before: &Configuration) -> Result<Configuration, String> {
    told(file, Configuration::read_again(file, tpp::clock::now(), before))
}

fn told(file: &Path, read: Result<Configuration, Vec<Problem>>) -> Result<Configuration, String> {
    read.map_err(|problems| lines(file, &problems))
}

/// Each with its place, on a line of its own.
pub(super) fn lines(file: &Path, problems: &[Problem]) -> String {
    let line = |problem: &Problem| {
        let place = problem.line.map(|line| format!(":{line}")).unwrap_or_default();
        format!("{}{place}: {}", file.display(), problem.text)
    };
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}
