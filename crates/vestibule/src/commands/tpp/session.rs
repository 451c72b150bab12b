//! One bank's folder and how to reach the bank.

use std::path::PathBuf;

use tpp::announcement::Announcement;
use tpp::sandbox::Management;
use tpp::state::{Dialect, State, StateFolder};
use tpp::{Place, ThirdParty, Transport, TransportSettings};

use super::observer;
use crate::cli::{DEFAULT_BANK, DEFAULT_MANAGEMENT, DialectArg, TppCommand, TppCommonArgs, TppFlowCommand};
use crate::commands::{Failure, Hints, Next, user_folder};
use crate::output;

/// One bank's folder and how to reach the bank.
pub(super) struct Session<'a> {
    pub(super) args: &'a TppCommonArgs,
    pub(super) dialect: Dialect,
    pub(super) root: PathBuf,
    pub(super) folder: StateFolder,
    /// What the bank says about itself, if it is a sandbox.
    pub(super) announced: Option<Announcement>,
    pub(super) hints: Hints,
}

impl<'a> Session<'a> {
    pub(super) async fn open(args: &'a TppCommonArgs, command: &TppCommand) -> Result<Self, Failure> {
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
        let is_named = args.dialect.is_some() || self.dialect != Dialect::default();
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
    pub(super) fn next(&self, commands: &[Next]) {
        output::line("Next:");
        commands.iter().for_each(|next| output::line(&format!("  {}", self.hints.command(next))));
    }

    /// Prints the one or the other.
    pub(super) fn say(&self, json: impl FnOnce() -> serde_json::Value, text: impl FnOnce()) {
        if self.args.json { output::json(&json()) } else { text() }
    }

    pub(super) fn progress(&self, text: &str) {
        if !self.args.json {
            output::error(&format!("{text} …"));
        }
    }

    /// Where the sandbox's management API is: what is said, what the sandbox says, and beside the usual address of a
    /// bank the usual one. Beside any other it would be that of a bank that nobody named.
    fn management_url(&self) -> Option<&str> {
        let announced = self.announced.as_ref().and_then(|announced| announced.management.as_deref());
        let usual = self.args.bank.trim_end_matches('/') == DEFAULT_BANK;
        self.args.management.as_deref().or(announced).or(usual.then_some(DEFAULT_MANAGEMENT))
    }

    pub(super) async fn management(&self) -> Result<Management, Failure> {
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
    pub(super) async fn ask_bank(&self) -> Result<(), Failure> {
        if self.announced.is_none() {
            let settings = TransportSettings { ca_file: self.ca_file()?, tls: None };
            Announcement::ask(&self.transport(settings)?, &self.args.bank).await?;
        }
        Ok(())
    }

    /// Checks that the bank is named by the address that the paths of its interfaces begin at.
    pub(super) fn check_address(&self, foreign: &[&str]) -> Result<(), Failure> {
        let Ok(url) = url::Url::parse(&self.args.bank) else { return Ok(()) };
        let first = url.path_segments().and_then(|mut segments| segments.next()).unwrap_or_default();
        if !foreign.contains(&first) {
            return Ok(());
        }
        Err(Failure::new(format!(
            "--bank wants the bank's origin without the path {}: {}",
            url.path(),
            url.origin().ascii_serialization()
        )))
    }

    /// The tenant that is named; without a name that of the registration, or the usual one of the bank.
    pub(super) fn tenant(&self, named: Option<&str>, state: &State) -> Result<String, Failure> {
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
    pub(super) fn usual_tenant<'s>(&'s self, state: &'s State) -> Option<&'s str> {
        let registered = state.registration.as_ref().map(|kept| kept.tenant.as_str());
        let Some(announced) = &self.announced else { return registered };
        registered.filter(|name| announced.has_tenant(name)).or(announced.usual_tenant())
    }

    /// Whether the bank says that it follows the standards to the letter.
    pub(super) fn is_strict(&self) -> bool {
        self.announced.as_ref().is_some_and(|announced| announced.strict)
    }

    /// A failure with the next step, where this side knows it better than the bank.
    pub(super) fn explain(&self, mut failure: Failure, tenant: Option<&str>) -> Failure {
        let state = self.load().unwrap_or_default();
        if let Some(bank) = &failure.bank {
            if bank.is_about_revocation() && failure.text.contains("register again") {
                let register = self.hints.command(&super::enrolment::registration_of(&state));
                failure.text += &format!("; with the one that is kept: {register}");
            }
            if bank.is_about_registration() {
                let register = super::enrolment::registration_of(&state);
                failure.text += &format!(": {}", self.hints.command(&register));
                failure.next.push(register);
            }
            if bank.is_about_role() {
                let all = eidas::Role::THIRD_PARTY.map(eidas::Role::name).join(",");
                let certificate = self.hints.tail(&Next::new("tpp certificate").option("--role", &all));
                let register = self.hints.command(&super::enrolment::registration_of(&state));
                failure.text += &format!("; get one that has it{certificate}; then register it: {register}");
            }
            if bank.is_about_validity() {
                failure.text += &self.other_certificates(&state, tenant);
            }
        }
        if failure.kind == "file" && failure.text.starts_with(&self.root.display().to_string()) {
            failure.text += "; what this program keeps is there: let it read and write there, or name another folder with \
                             --state";
        }
        let management = self.management_url().unwrap_or_default();
        let is_elsewhere = self.announced.is_some() || self.args.management.is_some();
        let is_at = |origin: &str| failure.text.starts_with(&format!("{}/", origin.trim_end_matches('/')));
        let is_bank = is_at(&self.args.bank);
        if failure.kind == "unreachable" && is_elsewhere && is_at(management) && !is_bank {
            failure.text += "; this is the management address and not the bank's: check it, and name the sandbox's own \
                             with --management";
            failure.next.retain(|next| !next.is_start());
        } else if let Some(name) = failure.unresolved.as_ref().filter(|_| !is_bank) {
            failure.text += &match &self.announced {
                Some(_) => format!(
                    "; the sandbox writes {name} into its links because of its --public-url: let this machine resolve \
                     it, or start the sandbox with a --public-url that it can resolve"
                ),
                None => format!("; the bank writes {name} into its links: let this machine resolve it"),
            };
            failure.next.retain(|next| !next.is_start());
        }
        failure
    }

    /// The interface of bunq is that of one branch.
    pub(super) fn check_branch_of_bunq(&self, tenant: Option<&str>) -> Result<(), Failure> {
        let own = self.announced.as_ref().and_then(Announcement::usual_tenant);
        match (tenant, own) {
            (Some(tenant), Some(own)) if tenant != own => Err(Failure::new(format!(
                "the dialect bunq is spoken at branch {own} alone, not at {tenant}; leave --tenant out"
            ))),
            _ => Ok(()),
        }
    }

    /// How to get another certificate in place of one that is not good at the bank's time.
    fn other_certificates(&self, state: &State, tenant: Option<&str>) -> String {
        let get = |profile: Option<&str>| {
            let next = profile
                .into_iter()
                .fold(Next::new("tpp certificate"), |it, name| it.option("--profile", name));
            self.hints.tail(&tenant.into_iter().fold(next, |it, tenant| it.option("--tenant", tenant)))
        };
        let mut text = format!("; get another one{}", get(self.is_strict().then_some("qseal")));
        if state.tls.is_some() && self.args.bank.starts_with("https:") {
            text += &format!("; for TLS{}", get(Some("qwac")));
        }
        if state.bunq.is_some() && state.signing.as_ref().is_some_and(|kept| self.is_self_signed(kept)) {
            let register = self.hints.tail(&super::enrolment::registration_of(state));
            text += &format!("; or let one be made for the same user{register}");
        }
        text
    }

    pub(super) fn load(&self) -> Result<State, Failure> {
        let mut state = self.folder.load()?;
        state.bank = self.args.bank.trim_end_matches('/').to_owned();
        Ok(state)
    }

    /// A client that goes on from what is kept, once it is certain that it is about this bank.
    pub(super) async fn client<C: ThirdParty>(&self) -> Result<C, Failure> {
        self.client_with(self.meet::<C>().await?)
    }

    /// A client that goes on from `state`.
    pub(super) fn client_with<C: ThirdParty>(&self, state: State) -> Result<C, Failure> {
        Ok(C::open(Place {
            bank: self.args.bank.clone(),
            folder: self.folder.clone(),
            state,
            ca_file: self.ca_file()?,
            observer: Some(observer(self.args.show_calls)),
            announced: self.announced.clone(),
        })?)
    }

    /// File with the authority of the bank's TLS certificate, if it is a private one. A sandbox tells its own.
    pub(super) fn ca_file(&self) -> Result<Option<PathBuf>, Failure> {
        match (&self.args.ca, &self.announced) {
            (Some(path), _) => Ok(Some(path.clone())),
            (None, Some(announced)) if self.args.bank.starts_with("https:") => {
                self.folder.write("ca.pem", announced.authority.as_bytes())?;
                Ok(Some(self.folder.file("ca.pem")))
            }
            _ => Ok(None),
        }
    }

    pub(super) fn transport(&self, settings: TransportSettings) -> Result<Transport, Failure> {
        Ok(Transport::new(settings, Some(observer(self.args.show_calls)))?)
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
