//! The customer's way to the bank and back: with a browser, or at a sandbox without one.

use std::time::Duration;

use tpp::TransportSettings;
use tpp::loopback::Loopback;
use tpp::sandbox::{Approval, Management};

use super::Session;
use crate::cli::HeadlessArgs;
use crate::commands::Failure;
use crate::output;

/// How long a customer may take at the bank.
const BROWSER_TIME: Duration = Duration::from_secs(15 * 60);

impl Session<'_> {
    /// Sends the customer to an address of the bank, with a browser or without, and returns where they came back
    /// to.
    pub(super) async fn send_browser(
        &self,
        url: &str,
        redirect_uri: &str,
        args: &HeadlessArgs,
    ) -> Result<String, Failure> {
        if let Some(decision) = args.headless {
            let iban = args.customer_iban.as_deref().ok_or_else(|| {
                Failure::new("--headless needs --customer-iban; make a customer with: vestibule account new")
            })?;
            let transport = self.transport(TransportSettings::default())?;
            let management = Management::new(transport, &self.args.management);
            let approval = Approval { url, iban, decision: decision.name(), account: None };
            return Ok(management.decide(&approval).await?);
        }
        if !Loopback::fits(redirect_uri) {
            return Err(Failure::new(format!(
                "open this address in a browser:\n\n  {url}\n\nand finish with the address it comes back to:\n\n  \
                 vestibule tpp authorise --location '{redirect_uri}?code=…'"
            )));
        }
        let loopback = Loopback::bind(redirect_uri).await?;
        if args.no_browser || !open_browser(url) {
            output::error(&format!("Open this address in a browser:\n\n  {url}\n"));
        } else {
            output::error("The bank's page was opened in a browser. Waiting for the customer to come back …");
        }
        Ok(loopback.wait(BROWSER_TIME).await?)
    }
}

/// Tries the programs that open addresses.
fn open_browser(url: &str) -> bool {
    let programs: &[&str] = if cfg!(target_os = "macos") { &["open"] } else { &["xdg-open"] };
    programs.iter().any(|program| {
        let mut command = std::process::Command::new(program);
        command.arg(url).stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
        command.stderr(std::process::Stdio::null()).spawn().is_ok()
    })
}
