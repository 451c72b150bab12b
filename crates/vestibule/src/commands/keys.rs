//! `vestibule keys`

use std::process::ExitCode;

use serde_json::json;
use vestibule::{RotatedKey, SealedKeys, rotate_keys, seal_keys};

use super::{Failure, config};
use crate::cli::{KeysArgs, KeysCommand, RotateArgs};
use crate::output;

/// Seals what a gateway keeps secret, or lets it sign with another key.
pub(crate) async fn run(command: KeysCommand) -> Result<ExitCode, Failure> {
    match command {
        KeysCommand::Seal(args) => seal(&args).await,
        KeysCommand::Rotate(args) => rotate(&args).await,
    }
}

async fn rotate(RotateArgs { keys: args, leaked }: &RotateArgs) -> Result<ExitCode, Failure> {
    let configuration = config::read(&args.config).map_err(Failure::new)?;
    let RotatedKey { key, algorithm } = rotate_keys(&configuration, tpp::clock::now(), *leaked).await?;
    if args.json {
        output::json(&json!({"keyId": key, "algorithm": algorithm}));
    } else {
        output::line(&format!("ID tokens are signed by the key {key} ({algorithm}) from now on."));
    }
    Ok(ExitCode::SUCCESS)
}

async fn seal(args: &KeysArgs) -> Result<ExitCode, Failure> {
    let configuration = config::read(&args.config).map_err(Failure::new)?;
    let SealedKeys { key, kept, anew } = seal_keys(&configuration).await?;
    if args.json {
        output::json(&json!({"key": key, "kept": kept, "sealed": anew}));
    } else {
        output::line(&format!("{kept} secrets are sealed by the key {key}; {anew} of them were sealed now."));
    }
    Ok(ExitCode::SUCCESS)
}
