//! A test that the portal saved, run again.

use std::path::Path;
use std::process::ExitCode;

use tpp::TransportSettings;
use tpp::replay::{Replay, Report, StepReport, Test};

use super::Session;
use crate::commands::Failure;
use crate::output;

impl Session<'_> {
    /// Runs a test. That it gave something else than was written down is told by the status of the program.
    pub(super) async fn replay(&self, file: &Path) -> Result<ExitCode, Failure> {
        let test = Test::read(file)?;
        let settings = TransportSettings { ca_file: self.ca_file()?, tls: None };
        let replay = Replay {
            transport: self.transport(settings)?,
            management: self.management().await?,
            bank: self.args.bank.trim_end_matches('/').to_owned(),
        };
        let is_text = !self.args.json;
        let report = replay
            .run(&test, |step| {
                if is_text {
                    print(step)
                }
            })
            .await?;
        self.say(|| serde_json::json!(report), || output::line(&in_words(&report)));
        Ok(if report.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn print(step: &StepReport) {
    let word = if step.passed() { "ok" } else { "differs" };
    let status = step.status.map_or(String::new(), |status| format!(" {status}"));
    let StepReport { name, deed, milliseconds, .. } = step;
    output::line(&format!("{word:8}{name}: {deed}{status} ({milliseconds} ms)"));
    for difference in &step.differences {
        output::line(&format!("        {difference}"));
    }
}

fn in_words(report: &Report) -> String {
    let Report { name, steps, of, .. } = report;
    if report.passed {
        return format!("passed: {name}, {of} steps");
    }
    let left = of - steps.len();
    format!("failed: {name}, at step {} of {of}; {left} were not taken", steps.len())
}
