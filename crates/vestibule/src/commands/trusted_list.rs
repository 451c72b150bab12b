//! `vestibule trusted-list`: what the trusted lists of a sandbox say of the service that issues its test certificates.

use std::process::ExitCode;

use http::Method;
use serde_json::{Value, json};

use super::Failure;
use super::management::{ask, text};
use crate::cli::{TrustedListArgs, TrustedListCommand};
use crate::output;

const PATH: &str = "/trusted-lists";

pub(crate) async fn run(args: TrustedListArgs) -> Result<ExitCode, Failure> {
    let TrustedListArgs { to, command } = args;
    let mut said = ask(&to, Method::GET, PATH, None).await?;
    if let TrustedListCommand::Withdraw { purpose, undo } = command {
        match purpose {
            None if undo => {
                // What is left out is as at the start.
                said = json!({"nextUpdateSeconds": said["nextUpdateSeconds"]});
            }
            None => said["status"] = json!("withdrawn"),
            Some(purpose) => {
                let others = purposes(&said).filter(|known| *known != purpose.word()).collect::<Vec<_>>();
                said["purposes"] = json!(others);
            }
        }
        said = ask(&to, Method::PUT, PATH, Some(&said)).await?;
    }
    if to.json {
        output::json(&said);
    } else {
        let all: Vec<_> = purposes(&said).collect();
        let all = if all.is_empty() { "nothing".to_owned() } else { all.join(", ") };
        output::line(&format!("Service   {}", text(&said, "status")));
        output::line(&format!("For       {all}"));
        output::line(
            "A gateway sees it when it reads its lists again: refresh_every of [trusted_lists], or SIGHUP.",
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn purposes(said: &Value) -> impl Iterator<Item = &str> {
    said["purposes"].as_array().into_iter().flatten().filter_map(Value::as_str)
}
