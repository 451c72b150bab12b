//! The customer's way to the bank and back: with a browser, or at a sandbox without one.

use std::io::BufRead;
use std::time::Duration;

use tokio::sync::oneshot;
use tpp::kept_approvals::Matter;
use tpp::loopback::Loopback;
use tpp::sandbox::Approval;
use tpp::{Departure, ThirdParty};

use super::Session;
use super::payment_wish::checked_iban;
use crate::cli::HeadlessArgs;
use crate::commands::{Failure, Next};
use crate::output;

/// How long a customer may take at the bank.
const BROWSER_TIME: Duration = Duration::from_secs(15 * 60);

impl Session<'_> {
    /// Sends the customer to an address of the bank, with a browser or without, and returns where they came back to.
    pub(super) async fn send_browser(
        &self,
        departure: &Departure,
        args: &HeadlessArgs,
    ) -> Result<String, Failure> {
        let Departure { matter, url, redirect_uri } = departure;
        if let Some(decision) = args.headless {
            let iban = args.customer_iban.as_deref().ok_or_else(|| nobody("nobody is named"))?;
            let digipass_number = args.digipass.as_deref();
            let decision = decision.name();
            let approval = Approval { url, iban, decision, account: None, digipass_number };
            return Ok(self.management().await?.decide(&approval).await?);
        }
        output::error(&format!("Open this address in a browser:\n\n  {url}\n"));
        if !args.no_browser && open_browser(url) {
            output::error("A browser of this machine was told to.");
        }
        match listen(redirect_uri).await {
            Some(loopback) => {
                output::error(&format!(
                    "Waiting for a browser at {redirect_uri}. If it is on another machine, paste the address that it \
                     came back to, and press Enter …"
                ));
                wait(&loopback).await
            }
            None => {
                output::error(&format!(
                    "The browser comes back to {redirect_uri}. Paste the whole address that it came back to, and press \
                     Enter …"
                ));
                pasted_or(Next::finish(matter)).await
            }
        }
    }
}

/// Who decides about something: where a command does that in a customer's place, with an account of theirs, which is the
/// one that it is about where nobody names another.
pub(super) async fn decider<C: ThirdParty>(
    client: &mut C,
    matter: &Matter,
    args: &HeadlessArgs,
) -> Result<HeadlessArgs, Failure> {
    let mut args = args.clone();
    if args.headless.is_some() {
        let account = match args.customer_iban.take() {
            Some(named) => Some(checked_iban("--customer-iban", &named)?),
            None => client.account_of(matter).await?.filter(|account| !account.contains('/')),
        };
        let unknown = || nobody(&format!("the IBAN of the account that {matter} is about is not known here"));
        args.customer_iban = Some(account.ok_or_else(unknown)?);
    }
    Ok(args)
}

/// Nobody is known in whose place a command could decide.
pub(super) fn nobody(why: &str) -> Failure {
    let text = format!(
        "--headless decides in a customer's place, and {why}: name an account of the customer with --customer-iban; a new \
         one is made"
    );
    Failure::new(text).next(Next::new("account new"))
}

/// The address that somebody pastes. `finish` is the command that goes on if nobody does.
pub(super) async fn pasted_or(finish: Next) -> Result<String, Failure> {
    let text = "nobody pasted the address that the browser came back to; paste it";
    pasted().await.ok_or_else(|| Failure::new(text).next(finish))
}

/// A listener at the redirect URI, if that is of this machine and free.
async fn listen(redirect_uri: &str) -> Option<Loopback> {
    if !Loopback::fits(redirect_uri) {
        return None;
    }
    Loopback::bind(redirect_uri).await.inspect_err(|error| output::error(&error.to_string())).ok()
}

/// Waits for a browser that comes back, or for somebody who pastes where one came back to.
async fn wait(loopback: &Loopback) -> Result<String, Failure> {
    tokio::select! {
        location = loopback.wait(BROWSER_TIME) => Ok(location?),
        Some(location) = pasted() => Ok(location),
    }
}

/// The first line of standard input that is an address; absent at its end.
async fn pasted() -> Option<String> {
    let (say, heard) = oneshot::channel();
    // A thread of its own: one of the runtime's would keep the program alive until somebody presses Enter.
    std::thread::spawn(move || {
        let lines = std::io::stdin().lock().lines().map_while(Result::ok);
        let addresses = lines.map(|line| line.trim().trim_matches('\'').to_owned());
        let mut addresses = addresses.filter(|line| {
            let is_address = url::Url::parse(line).is_ok();
            if !is_address && !line.is_empty() {
                output::error(
                    "That is no address. It begins with the redirect URI, and has code and state in it …",
                );
            }
            is_address
        });
        let _ = say.send(addresses.next());
    });
    heard.await.ok().flatten()
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
