//! The one binary: sandbox bank, gateway, certificate tools, client of the third party.

mod cli;
mod commands;
mod logging;
mod output;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use gateway::domain::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{Cli, Command};

/// Calls make many small allocations on many threads, which the system's allocator makes wait for each other. Libraries in C have it, too
/// (its feature `override`), SQLite among them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long is waited at the end for threads that nobody waits for: a name server that says nothing keeps one for up to 20 seconds.
const LAST_THREADS: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    // What says that an argument is no option repeats it, and this one may be a private key.
    if std::env::args_os().any(|argument| argument.to_string_lossy().contains("-----BEGIN")) {
        output::error("error: a file's name is expected on the command line, not what is in the file");
        return ExitCode::from(2);
    }
    let cli = Cli::try_parse().unwrap_or_else(|error| misused(&error));
    // A gateway's configuration says how it logs.
    if !matches!(cli.command, Command::Serve(_)) {
        logging::start("warn", false, None);
    }
    if let Some(now) = cli.now {
        tpp::clock::begin(now);
    }
    let is_for_programs = cli.command.is_for_programs();
    // What these do is not what they write.
    let is_server = matches!(cli.command, Command::Serve(_) | Command::Sandbox(_));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // Most wait for a name server, and those of the database and the core bank must not wait for theirs to be free.
        .max_blocking_threads(64)
        .build();
    let result = match runtime {
        Err(error) => Err(commands::Failure::new(format!("the runtime cannot start: {error}"))),
        Ok(runtime) => {
            let ended = runtime.block_on(run(cli.command, cli.now));
            runtime.shutdown_timeout(LAST_THREADS);
            ended
        }
    };
    match result {
        Ok(_) if !is_server && !output::is_whole() => ExitCode::FAILURE,
        Ok(code) => code,
        Err(failure) => {
            // What no command knew better.
            let failure = failure.with(&commands::Hints::default());
            if is_for_programs {
                output::json(&failure.json());
            }
            output::error(&format!("error: {failure}"));
            ExitCode::FAILURE
        }
    }
}

/// Does what a command says.
async fn run(command: Command, now: Option<Timestamp>) -> Result<ExitCode, commands::Failure> {
    survive_full_files();
    match command {
        Command::Sandbox(args) => commands::sandbox::run(args, now).await,
        Command::Serve(args) => commands::serve::run(args, now).await,
        Command::Config(command) => Ok(commands::config::run(command)),
        Command::Admin(args) => commands::admin::run(*args).await,
        Command::Audit(args) => commands::audit::run(*args).await,
        Command::Keys(command) => commands::keys::run(command).await,
        Command::Statistics(args) => commands::statistics::run(*args).await,
        Command::Certificate(command) => commands::certificate::run(command).await,
        Command::Account(command) => commands::account::run(command).await,
        Command::Bank(args) => commands::bank::run(args).await,
        Command::Clock(args) => commands::clock::run(args).await,
        Command::Data(args) => commands::data::run(args).await,
        Command::Fault(args) => commands::fault::run(args).await,
        Command::TrustedList(args) => commands::trusted_list::run(args).await,
        Command::Register(args) => commands::register::run(args).await,
        Command::Logs(args) => commands::logs::run(args).await,
        Command::Snapshot(args) => commands::snapshot::run(args).await,
        Command::Reset(args) => commands::snapshot::reset(args).await,
        Command::CoreBank(args) => commands::core_bank::run(*args, now).await,
        Command::Tpp(args) => commands::tpp::run(args).await,
    }
}

/// A file that reaches the size that the system allows is an error of whoever writes to it, like a full disk, and not
/// the end of the process. Once somebody waits for the signal it kills no more, even after they stop waiting.
fn survive_full_files() {
    let number = rustix::process::Signal::XFSZ.as_raw();
    if let Err(error) = signal(SignalKind::from_raw(number)) {
        tracing::warn!(%error, "a file that grows too large will end the program");
    }
}

/// Ends the program over arguments that say nothing sensible, or that ask for help alone.
fn misused(error: &clap::Error) -> ! {
    if error.use_stderr() && std::env::args().any(|argument| argument == "--json") {
        let text = error.render().to_string();
        // What is wrong stands before the first empty line, the names of what is missing each on a line.
        let lines: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
        let message = lines.join(" ");
        let message = message.trim_start_matches("error: ");
        output::json(&serde_json::json!({"error": {"kind": "usage", "message": message}}));
    }
    let said = error.print();
    if !error.use_stderr() {
        output::written(said);
    }
    std::process::exit(if output::is_whole() { error.exit_code() } else { 1 })
}
