//! `vestibule tpp`: arguments in, the `tpp` crate does the work, text or JSON out.

mod accounts;
mod browser;
mod bunq;
mod bunq_output;
mod enrolment;
mod flow;
mod show_calls;

pub(super) use show_calls::observer;

use std::path::PathBuf;
use std::process::ExitCode;

use tpp::announcement::Announcement;
use tpp::berlin_group::Client;
use tpp::consents;
use tpp::kept_consents::KeptConsent;
use tpp::sandbox::Management;
use tpp::state::{Dialect, KeptIdentity, State, StateFolder};
use tpp::{Transport, TransportSettings};

use super::{Failure, Hints, quoted, user_folder};
use crate::cli::{
    DEFAULT_BANK, DEFAULT_MANAGEMENT, DialectArg, TppArgs, TppCommand, TppCommonArgs, TppFlowCommand,
    TppRegisterArgs, TppShowArgs, TppStatusCommand,
};
use crate::output;

pub(crate) async fn run(args: TppArgs) -> Result<ExitCode, Failure> {
    let session = Session::open(&args.common, &args.command).await?;
    let tenant = args.command.tenant().map(str::to_owned);
    let done = match session.dialect {
        Dialect::Bunq => session.run_bunq(args.command).await,
        Dialect::BerlinGroup => session.run_berlin_group(args.command).await,
    };
    let explained = |failure| session.explain(failure, tenant.as_deref()).with(&session.hints);
    done.map(|()| ExitCode::SUCCESS).map_err(explained)
}

fn not_yet(command: &str) -> Failure {
    Failure::new(format!(
        "{command} is not offered at banks of the dialect berlin-group; a bank may speak that of bunq too, after: \
         vestibule tpp register --dialect bunq --redirect-uri https://tpp.example/callback"
    ))
}

/// One bank's folder and how to reach the bank.
struct Session<'a> {
    args: &'a TppCommonArgs,
    dialect: Dialect,
    root: PathBuf,
    folder: StateFolder,
    /// What the bank says about itself, if it is a sandbox.
    announced: Option<Announcement>,
    hints: Hints,
}

impl<'a> Session<'a> {
    async fn run_berlin_group(&self, command: TppCommand) -> Result<(), Failure> {
        match command {
            TppCommand::Certificate(command) => self.certificate(command).await,
            TppCommand::Register(command) => self.register(command).await,
            TppCommand::Show(command) => self.show(&command),
            TppCommand::Consent(command) => self.consent(&command).await,
            TppCommand::Authorise(command) => self.authorise(&command).await,
            TppCommand::Accounts(command) => self.accounts(&command).await,
            TppCommand::Balances(command) => self.balances(&command).await,
            TppCommand::Transactions(command) => self.transactions(&command).await,
            TppCommand::Refresh(command) => self.refresh(&command).await,
            TppCommand::Revoke(command) => self.revoke(&command).await,
            TppCommand::Flow(TppFlowCommand::Ais(command)) => self.flow_ais(&command).await,
            TppCommand::OauthClient(_) => Err(not_yet("oauth-client")),
            TppCommand::Pay(_) => Err(not_yet("pay")),
            TppCommand::Draft(_) => Err(not_yet("draft")),
            TppCommand::Funds(_) => Err(not_yet("funds")),
            TppCommand::Flow(TppFlowCommand::Bunq(_)) => Err(not_yet("flow bunq")),
            TppCommand::Status(TppStatusCommand::Consent(command)) => self.consent_status(&command).await,
            TppCommand::Status(TppStatusCommand::Draft(_)) => Err(not_yet("status draft")),
            TppCommand::Status(TppStatusCommand::Payment(_)) => Err(not_yet("status payment")),
            TppCommand::Forget => self.forget(),
        }
    }

    async fn open(args: &'a TppCommonArgs, command: &TppCommand) -> Result<Self, Failure> {
        let root = match &args.state {
            Some(path) => path.clone(),
            None => user_folder("tpp")?,
        };
        let named = args.dialect.map(|dialect| match dialect {
            DialectArg::BerlinGroup => Dialect::BerlinGroup,
            DialectArg::Bunq => Dialect::Bunq,
        });
        let (flow, own) = match command {
            TppCommand::Flow(TppFlowCommand::Ais(_)) => ("flow ais", Some(Dialect::BerlinGroup)),
            TppCommand::Flow(TppFlowCommand::Bunq(_)) => ("flow bunq", Some(Dialect::Bunq)),
            _ => ("", None),
        };
        if let (Some(named), Some(own)) = (named, own)
            && named != own
        {
            let (named, own) = (named.name(), own.name());
            return Err(Failure::new(format!("{flow} speaks the dialect {own}, not {named}")));
        }
        let dialect = match named.or(own) {
            Some(dialect) => dialect,
            None => StateFolder::dialect_of(&root, &args.bank)?,
        };
        let folder = StateFolder::for_dialect(&root, &args.bank, dialect)?;
        check_address(&args.bank, dialect)?;
        let announced = match command {
            TppCommand::Show(_) | TppCommand::Forget => None,
            _ => Announcement::of(&args.bank).await,
        };
        let hints = Hints::default();
        let mut session = Self { args, dialect, root, folder, announced, hints };
        session.hints = session.hints();
        Ok(session)
    }

    /// What leads another command to where this one goes.
    fn hints(&self) -> Hints {
        let args = self.args;
        let mut hints = Hints::default();
        let bank = Some(&args.bank).filter(|bank| *bank != DEFAULT_BANK);
        hints.tpp.extend(bank.map(|bank| ("--bank", bank.clone())));
        let is_named = args.dialect.is_some() || self.dialect == Dialect::Bunq;
        hints.tpp.extend(is_named.then(|| ("--dialect", self.dialect.name().to_owned())));
        hints.tpp.extend(args.management.clone().map(|url| ("--management", url)));
        let path = |path: &PathBuf| path.display().to_string();
        hints.tpp.extend(args.state.as_ref().map(|folder| ("--state", path(folder))));
        hints.tpp.extend(args.ca.as_ref().map(|file| ("--ca", path(file))));
        if let Some(management) = self.management_url().filter(|url| *url != DEFAULT_MANAGEMENT) {
            hints.account.push(("--management", management.to_owned()));
        }
        if let Some(url) = bank.and_then(|bank| url::Url::parse(bank).ok()) {
            let kept = self.folder.load().ok().and_then(|state| state.sandbox);
            hints.sandbox = sandbox_options(&url, kept.is_none_or(|kept| kept.ephemeral));
        }
        hints
    }

    /// Prints the commands that come next.
    fn next(&self, commands: &[&str]) {
        output::line("Next:");
        commands.iter().for_each(|command| output::line(&format!("  {}", self.hints.complete(command))));
    }

    /// Where the sandbox's management API is: what is said, what the sandbox says, and beside the usual address of a
    /// bank the usual one. Beside any other it would be that of a bank that nobody named.
    fn management_url(&self) -> Option<&str> {
        let announced = self.announced.as_ref().and_then(|announced| announced.management.as_deref());
        let usual = self.args.bank.trim_end_matches('/') == DEFAULT_BANK;
        self.args.management.as_deref().or(announced).or(usual.then_some(DEFAULT_MANAGEMENT))
    }

    async fn management(&self) -> Result<Management, Failure> {
        let Some(url) = self.management_url() else {
            self.ask_bank().await?;
            return Err(Failure::new(format!(
                "{} announces no management API, as a sandbox does; name that with --management",
                self.args.bank
            )));
        };
        Ok(Management::new(self.transport(TransportSettings::default())?, url))
    }

    /// Checks that anybody is at the bank's address, before anything is asked for elsewhere.
    async fn ask_bank(&self) -> Result<(), Failure> {
        if self.announced.is_none() {
            let settings = TransportSettings { ca_file: self.ca_file()?, tls: None };
            Announcement::ask(&self.transport(settings)?, &self.args.bank).await?;
        }
        Ok(())
    }

    /// The tenant that is named; without a name that of the registration, or the usual one of the bank.
    fn tenant(&self, named: Option<&str>, state: &State) -> Result<String, Failure> {
        let announced = self.announced.as_ref();
        match (named, announced) {
            (Some(named), Some(announced)) if !announced.has_tenant(named) => {
                let names: Vec<_> = announced.tenants.iter().map(|tenant| tenant.name.as_str()).collect();
                let (bank, names) = (&self.args.bank, names.join(", "));
                Err(Failure::new(format!("{bank} has no tenant {named}; name one of {names} with --tenant")))
            }
            (Some(named), _) => Ok(named.to_owned()),
            (None, _) => Ok(self.usual_tenant(state).unwrap_or("nl").to_owned()),
        }
    }

    /// The tenant whose clock counts where none is named; absent where nobody told one.
    fn usual_tenant<'s>(&'s self, state: &'s State) -> Option<&'s str> {
        let registered = state.registration.as_ref().map(|kept| kept.tenant.as_str());
        let Some(announced) = &self.announced else { return registered };
        registered.filter(|name| announced.has_tenant(name)).or(announced.usual_tenant())
    }

    /// A failure with the next step, where this side knows it better than the bank.
    fn explain(&self, mut failure: Failure, tenant: Option<&str>) -> Failure {
        let state = self.load().unwrap_or_default();
        if failure.is_about_revocation() && failure.text.contains("register again") {
            failure.text += &format!("; with the one that is kept: {}", enrolment::registration_of(&state));
        }
        if failure.is_about_validity() {
            let strict = self.announced.as_ref().is_some_and(|announced| announced.strict);
            let profile = if strict { " --profile qseal" } else { "" };
            let named = tenant.map(|tenant| format!(" --tenant {}", quoted(tenant))).unwrap_or_default();
            failure.text += &format!("; get another one with: vestibule tpp certificate{profile}{named}");
            if state.tls.is_some() && self.args.bank.starts_with("https:") {
                failure.text += &format!("; for TLS with: vestibule tpp certificate --profile qwac{named}");
            }
        }
        let management = self.management_url().unwrap_or_default();
        let is_elsewhere = self.announced.is_some() || self.args.management.is_some();
        let is_management = failure.text.starts_with(&format!("{}/", management.trim_end_matches('/')));
        let is_bank = failure.text.starts_with(&format!("{}/", self.args.bank.trim_end_matches('/')));
        if failure.kind == "unreachable" && is_elsewhere && is_management && !is_bank {
            let hint = "; this is the management address and not the bank's: check it, and name the sandbox's own \
                        with --management";
            failure.text = failure.text.replace(tpp::START_HINT, hint);
        }
        failure
    }

    /// The day at the bank for a consent.
    fn today(&self, kept: &KeptConsent) -> String {
        let announced = self.announced.as_ref().and_then(|announced| announced.today(&kept.tenant));
        announced.map_or_else(|| consents::today_at(&kept.tenant), str::to_owned)
    }

    fn load(&self) -> Result<State, Failure> {
        let mut state = self.folder.load()?;
        state.bank = self.args.bank.trim_end_matches('/').to_owned();
        Ok(state)
    }

    async fn register(&self, command: TppRegisterArgs) -> Result<(), Failure> {
        let state = self.register_with(self.meet().await?, command, |text| self.progress(text)).await?;
        if self.args.json {
            output::json(&self.state_json(&state, true));
        } else {
            output::line(&format!("Registered at {}", state.bank));
            output::line(&self.state_text(&state, true));
            self.next(&["vestibule tpp consent"]);
        }
        Ok(())
    }

    fn show(&self, command: &TppShowArgs) -> Result<(), Failure> {
        let folders = if command.all { StateFolder::all(&self.root) } else { vec![self.folder.clone()] };
        let mut states = Vec::new();
        for folder in &folders {
            let state = folder.load()?;
            if !state.bank.is_empty() {
                let (args, dialect, root) = (self.args, self.dialect, self.root.clone());
                let (folder, hints) = (folder.clone(), self.hints.clone());
                states.push((Session { args, dialect, root, folder, announced: None, hints }, state));
            }
        }
        if states.is_empty() {
            let what = if command.all { "any bank".to_owned() } else { self.args.bank.clone() };
            return Err(Failure::new(format!(
                "nothing is kept about {what} in {}; register with: vestibule tpp register \
                 --redirect-uri https://tpp.example/callback",
                self.root.display()
            )));
        }
        let json: Vec<_> = states.iter().map(|(s, state)| s.state_json(state, command.secrets)).collect();
        match (self.args.json, command.all, &json[..]) {
            (true, false, [one]) => output::json(one),
            (true, _, all) => output::json(&all),
            (false, _, _) => {
                for (session, state) in &states {
                    output::line(&state.bank);
                    output::line(&session.state_text(state, command.secrets));
                }
            }
        }
        Ok(())
    }

    async fn client(&self, state: &State, tenant: &str) -> Result<Client, Failure> {
        let identity = self.folder.signing_identity(state)?;
        let identity = identity
            .ok_or_else(|| Failure::new("no certificate yet; get one with: vestibule tpp certificate"))?;
        let secure = self.args.bank.starts_with("https:");
        let tls = if secure { self.folder.tls_identity(state) } else { None };
        let ssl_certificate = tls.is_none();
        let transport = self.transport(TransportSettings { ca_file: self.ca_file()?, tls })?;
        Ok(Client::new(transport, identity, &self.args.bank, tenant, ssl_certificate)?)
    }

    /// File with the authority of the bank's TLS certificate, if it is a private one. A sandbox tells its own.
    fn ca_file(&self) -> Result<Option<PathBuf>, Failure> {
        match (&self.args.ca, &self.announced) {
            (Some(path), _) => Ok(Some(path.clone())),
            (None, Some(announced)) if self.args.bank.starts_with("https:") => {
                self.folder.write("ca.pem", announced.authority.as_bytes())?;
                Ok(Some(self.folder.file("ca.pem")))
            }
            _ => Ok(None),
        }
    }

    fn transport(&self, settings: TransportSettings) -> Result<Transport, Failure> {
        Ok(Transport::new(settings, Some(observer(self.args.show_calls)))?)
    }

    fn progress(&self, text: &str) {
        if !self.args.json {
            output::error(&format!("{text} …"));
        }
    }

    fn identity_json(&self, kept: &KeptIdentity) -> serde_json::Value {
        serde_json::json!({
            "organizationIdentifier": kept.organization_identifier,
            "keyId": kept.key_id,
            "certificate": self.folder.file(&kept.certificate),
            "privateKey": self.folder.file(&kept.private_key),
        })
    }

    fn identity_text(&self, kept: &KeptIdentity) -> String {
        format!(
            "  Certificate     {}\n  Private key     {}\n  Key id          {}",
            self.folder.file(&kept.certificate).display(),
            self.folder.file(&kept.private_key).display(),
            kept.key_id
        )
    }

    fn state_json(&self, state: &State, secrets: bool) -> serde_json::Value {
        let registration = state.registration.as_ref();
        let secret = |text: &str| if secrets { text.to_owned() } else { "hidden".to_owned() };
        let mut json = serde_json::json!({
            "bank": state.bank,
            "folder": self.folder.path(),
            "signing": state.signing.as_ref().map(|kept| self.identity_json(kept)),
            "tls": state.tls.as_ref().map(|kept| self.identity_json(kept)),
            "tenant": registration.map(|kept| &kept.tenant),
            "clientId": registration.map(|kept| &kept.client_id),
            "clientSecret": registration.map(|kept| secret(&kept.client_secret)),
            "redirectUris": registration.map(|kept| &kept.redirect_uris),
            "consents": self.living(state).map(accounts::consent_json).collect::<Vec<_>>(),
            "initialAccessToken": registration.map(|kept| secret(&kept.initial_access_token)),
        });
        if let Some(kept) = &state.bunq {
            json["bunq"] = bunq_output::kept_json(kept, secrets);
        }
        json
    }

    /// The consents that can still be used.
    fn living<'s>(&'s self, state: &'s State) -> impl Iterator<Item = &'s KeptConsent> {
        state.consents.iter().filter(|kept| kept.end(&self.today(kept)).is_none())
    }

    fn state_text(&self, state: &State, secrets: bool) -> String {
        let mut lines = Vec::new();
        if let Some(kept) = &state.bunq {
            lines.extend(bunq_output::kept_text(kept, secrets));
        } else if let Some(kept) = &state.registration {
            let secret = |text: &str| {
                if secrets { text.to_owned() } else { "(hidden; --secrets shows it)".to_owned() }
            };
            lines.push(format!("  Client id       {}", kept.client_id));
            lines.push(format!("  Client secret   {}", secret(&kept.client_secret)));
            lines.push(format!("  Initial token   {}", secret(&kept.initial_access_token)));
            lines.push(format!("  Redirect URIs   {}", kept.redirect_uris.join(" ")));
            lines.push(format!("  Registered at   tenant {}, good for all tenants", kept.tenant));
        } else {
            lines.push("  Not registered yet".to_owned());
        }
        lines.extend(state.signing.as_ref().map(|kept| self.identity_text(kept)));
        lines.extend(state.tls.as_ref().map(|kept| format!("  For TLS\n{}", self.identity_text(kept))));
        lines.extend(self.living(state).map(|kept| {
            let tokens = if kept.tokens.is_some() { "with tokens" } else { "without tokens" };
            format!("  Consent         {} at {} until {}, {tokens}", kept.id, kept.tenant, kept.valid_until)
        }));
        lines.push(format!("  Kept in         {}", self.folder.path().display()));
        lines.join("\n")
    }
}

/// Checks that a bank is named by the address that the paths of its interfaces begin at.
fn check_address(bank: &str, dialect: Dialect) -> Result<(), Failure> {
    let Ok(url) = url::Url::parse(bank) else { return Ok(()) };
    let first = url.path_segments().and_then(|mut segments| segments.next()).unwrap_or_default();
    match (first, dialect) {
        ("xs2a-bg" | "auth", _) | ("bunq", Dialect::BerlinGroup) => Err(Failure::new(format!(
            "--bank wants the bank's origin without the path {}: {}",
            url.path(),
            url.origin().ascii_serialization()
        ))),
        _ => Ok(()),
    }
}

/// Options of a sandbox that listens at an address of this machine, beside others that may run.
fn sandbox_options(bank: &url::Url, is_ephemeral: bool) -> Vec<(&'static str, String)> {
    let Some(host @ ("127.0.0.1" | "localhost" | "[::1]")) = bank.host_str() else { return Vec::new() };
    let own = format!("{host}:{}", bank.port_or_known_default().unwrap_or_default());
    let free = || "127.0.0.1:0".to_owned();
    let (plain, tls) = if bank.scheme() == "https" { (free(), own) } else { (own, free()) };
    let mut options = vec![("--listen", plain), ("--tls-listen", tls), ("--management-listen", free())];
    options.extend(is_ephemeral.then(|| ("--ephemeral", String::new())));
    options
}
