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
        ConfigCommand::Check { file } => match told(&file, Configuration::check(&file, tpp::clock::now())) {
            Ok(_) => output::line(&format!("{} is right.", file.display())),
            Err(problems) => {
                output::error(&problems);
                return ExitCode::FAILURE;
            }
        },
    }
    ExitCode::SUCCESS
}

/// Reads a configuration.
///
/// # Errors
/// Everything that is wrong with it, each on a line of its own.
pub(super) fn read(file: &Path) -> Result<Configuration, String> {
    told(file, Configuration::read(file, tpp::clock::now()))
}

fn told(file: &Path, read: Result<Configuration, Vec<Problem>>) -> Result<Configuration, String> {
    read.map_err(|problems| {
        let line = |problem: &Problem| {
            let place = problem.line.map(|line| format!(":{line}")).unwrap_or_default();
            format!("{}{place}: {}", file.display(), problem.text)
        };
        problems.iter().map(line).collect::<Vec<_>>().join("\n")
    })
}
