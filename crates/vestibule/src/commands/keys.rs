//! `vestibule keys`

use std::process::ExitCode;

use serde_json::json;
use vestibule::{SealedKeys, seal_keys};

use super::{Failure, config};
use crate::cli::KeysCommand;
use crate::output;

/// Seals what a gateway keeps secret.
pub(crate) async fn run(command: KeysCommand) -> Result<ExitCode, Failure> {
    let KeysCommand::Seal(args) = command;
    let configuration = config::read(&args.config).map_err(Failure::new)?;
    let SealedKeys { key, kept, anew } = seal_keys(&configuration).await?;
    if args.json {
        output::json(&json!({"key": key, "kept": kept, "sealed": anew}));
    } else {
        output::line(&format!("{kept} secrets are sealed by the key {key}; {anew} of them were sealed now."));
    }
    Ok(ExitCode::SUCCESS)
}
