//! `vestibule tpp`: arguments in, the `tpp` crate does the work, text or JSON out.

mod accounts;
mod browser;
mod bunq;
mod bunq_output;
mod flow;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use eidas::issue::{KeyType, generate_key};
use tpp::berlin_group::Client;
use tpp::sandbox::Management;
use tpp::state::{Dialect, KeptIdentity, KeptRegistration, State, StateFolder, Use};
use tpp::{Call, Observer, Transport, TransportSettings};

use super::certificate::request;
use super::{Failure, unreadable, user_folder};
use crate::cli::{
    DialectArg, ProfileArg, SubjectArgs, TppArgs, TppCertificateArgs, TppCommand, TppCommonArgs,
    TppFlowCommand, TppRegisterArgs, TppShowArgs,
};
use crate::output;

pub(crate) async fn run(args: TppArgs) -> Result<ExitCode, Failure> {
    let session = Session::open(&args.common, &args.command)?;
    if session.dialect == Dialect::Bunq {
        return session.run_bunq(args.command).await.map(|()| ExitCode::SUCCESS);
    }
    match args.command {
        TppCommand::Certificate(command) => session.certificate(command).await,
        TppCommand::Register(command) => session.register(command).await,
        TppCommand::Show(command) => session.show(&command),
        TppCommand::Consent(command) => session.consent(&command).await,
        TppCommand::Authorise(command) => session.authorise(&command).await,
        TppCommand::Accounts(command) => session.accounts(&command).await,
        TppCommand::Balances(command) => session.balances(&command).await,
        TppCommand::Transactions(command) => session.transactions(&command).await,
        TppCommand::Refresh(command) => session.refresh(&command).await,
        TppCommand::Revoke(command) => session.revoke(&command).await,
        TppCommand::Flow(TppFlowCommand::Ais(command)) => session.flow_ais(&command).await,
        TppCommand::OauthClient(_) => Err(not_yet("oauth-client")),
        TppCommand::Pay(_) => Err(not_yet("pay")),
        TppCommand::Draft(_) => Err(not_yet("draft")),
        TppCommand::Funds(_) => Err(not_yet("funds")),
        TppCommand::Flow(TppFlowCommand::Bunq(_)) => Err(not_yet("flow bunq")),
    }?;
    Ok(ExitCode::SUCCESS)
}

fn not_yet(command: &str) -> Failure {
    Failure::new(format!(
        "{command} is not offered at banks of the dialect berlin-group yet; a bank that speaks that of bunq offers it: \
         add --dialect bunq"
    ))
}

/// One bank's folder and how to reach the bank.
struct Session<'a> {
    args: &'a TppCommonArgs,
    dialect: Dialect,
    root: PathBuf,
    folder: StateFolder,
}

impl<'a> Session<'a> {
    fn open(args: &'a TppCommonArgs, command: &TppCommand) -> Result<Self, Failure> {
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
        Ok(Self { args, dialect, root, folder })
    }

    fn load(&self) -> Result<State, Failure> {
        let mut state = self.folder.load()?;
        state.bank = self.args.bank.trim_end_matches('/').to_owned();
        Ok(state)
    }

    async fn certificate(&self, command: TppCertificateArgs) -> Result<(), Failure> {
        let mut state = self.load()?;
        let kept = match (&command.certificate, &command.key) {
            (Some(certificate), Some(key)) => self.take_over(command.profile, certificate, key)?,
            _ => self.fetch_certificate(&command.subject, command.profile, command.tenant.as_deref()).await?,
        };
        let shown = kept.clone();
        *slot(&mut state, command.profile) = Some(kept);
        // An API key belongs to the certificate that it was given for.
        if let Some(kept) = &mut state.bunq {
            kept.api_key = None;
        }
        self.folder.save(&state)?;
        if self.args.json {
            output::json(&self.identity_json(&shown));
        } else {
            output::line(&format!("Certificate for {}", shown.organization_identifier));
            output::line(&self.identity_text(&shown));
        }
        Ok(())
    }

    async fn register(&self, command: TppRegisterArgs) -> Result<(), Failure> {
        let state = self.register_with(self.load()?, command, |text| self.progress(text)).await?;
        if self.args.json {
            output::json(&self.state_json(&state, true));
        } else {
            output::line(&format!("Registered at {}", state.bank));
            output::line(&self.state_text(&state, true));
        }
        Ok(())
    }

    /// Registers, with a test certificate if there is none, and keeps what came of it. `announce` is told of each
    /// step before it is taken.
    async fn register_with(
        &self,
        mut state: State,
        command: TppRegisterArgs,
        announce: impl Fn(&str),
    ) -> Result<State, Failure> {
        if state.signing.is_none() {
            announce("No certificate yet: getting a test certificate from the sandbox");
            let subject = default_subject();
            let kept = self.fetch_certificate(&subject, ProfileArg::TestClient, Some(&command.tenant)).await;
            state.signing = Some(kept.map_err(|failure| {
                Failure::new(format!(
                    "{failure}; a test certificate comes from a sandbox's management API (--management), one that \
                     you have is taken over with: vestibule tpp certificate --certificate FILE --key FILE"
                ))
            })?);
            self.folder.save(&state)?;
        }
        let client = self.client(&state, &command.tenant).await?;
        announce("Getting an initial access token");
        let token = client.initial_access_token().await?;
        announce("Registering");
        let registered =
            client.register(&token, &command.redirect_uris, &command.sector_identifier_uri).await?;
        // The secret is on disk before anyone sees it: the bank shows it this one time.
        state.registration = Some(KeptRegistration {
            tenant: command.tenant,
            client_id: registered.client_id.clone(),
            client_secret: registered.client_secret.clone(),
            redirect_uris: registered.redirect_uris.clone(),
            initial_access_token: token.access_token.clone(),
        });
        self.folder.save(&state)?;
        Ok(state)
    }

    fn show(&self, command: &TppShowArgs) -> Result<(), Failure> {
        let folders = if command.all { StateFolder::all(&self.root) } else { vec![self.folder.clone()] };
        let mut states = Vec::new();
        for folder in &folders {
            let state = folder.load()?;
            if !state.bank.is_empty() {
                let (args, dialect, root) = (self.args, self.dialect, self.root.clone());
                states.push((Session { args, dialect, root, folder: folder.clone() }, state));
            }
        }
        if states.is_empty() {
            let what = if command.all { "any bank".to_owned() } else { self.args.bank.clone() };
            return Err(Failure::new(format!(
                "nothing is kept about {what} in {}; register with: vestibule tpp register --bank URL --redirect-uri URI",
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

    /// Makes a key here and gets a certificate for it: the private key never leaves this machine.
    async fn fetch_certificate(
        &self,
        subject: &SubjectArgs,
        profile: ProfileArg,
        tenant: Option<&str>,
    ) -> Result<KeptIdentity, Failure> {
        let (private_key, public_key) = generate_key(KeyType::Rsa2048)?;
        let management =
            Management::new(self.transport(TransportSettings::default())?, &self.args.management);
        let issued = management.test_certificate(&request(subject, profile, tenant, &public_key)).await?;
        let purpose = purpose(profile);
        let kept = self.folder.save_identity(
            purpose,
            &issued.certificate,
            &issued.chain,
            &private_key,
            &issued.key_id,
        )?;
        Ok(kept)
    }

    fn take_over(
        &self,
        profile: ProfileArg,
        certificate: &Path,
        key: &Path,
    ) -> Result<KeptIdentity, Failure> {
        let read = |path: &Path| fs::read(path).map_err(|error| unreadable(path, &error));
        let wrong =
            |path: &Path, error: &dyn std::fmt::Display| Failure::new(format!("{}: {error}", path.display()));
        let all = eidas::certificate::ordered_chain(read(certificate)?);
        let all = all.map_err(|error| wrong(certificate, &error))?;
        let key = eidas::pem::private_key(&read(key)?).map_err(|error| wrong(key, &error))?.to_pem();
        let pem = |one: &eidas::Certificate| eidas::certificate::to_pem(&one.der);
        let key_id = all[0].key_id();
        // The last entry of a chain is the root, which is not sent; a file of a user may end anywhere.
        let mut chain: Vec<_> = all[1..].iter().map(pem).collect();
        chain.push(String::new());
        if self.dialect == Dialect::Bunq && purpose(profile) == Use::Signing {
            return Ok(self.folder.save_seal(&pem(&all[0]), &chain, &key)?);
        }
        Ok(self.folder.save_identity(purpose(profile), &pem(&all[0]), &chain, &key, &key_id)?)
    }

    async fn client(&self, state: &State, tenant: &str) -> Result<Client, Failure> {
        let identity = self.folder.signing_identity(state)?;
        let identity =
            identity.ok_or_else(|| Failure::new("no certificate yet: vestibule tpp certificate"))?;
        let secure = self.args.bank.starts_with("https:");
        let tls = if secure { self.folder.tls_identity(state) } else { None };
        let ssl_certificate = tls.is_none();
        let transport = self.transport(TransportSettings { ca_file: self.ca_file().await?, tls })?;
        Ok(Client::new(transport, identity, &self.args.bank, tenant, ssl_certificate)?)
    }

    /// File with the authority of the bank's TLS certificate, if it is a private one.
    async fn ca_file(&self) -> Result<Option<PathBuf>, Failure> {
        match &self.args.ca {
            Some(path) => Ok(Some(path.clone())),
            None if self.args.bank.starts_with("https:") => self.sandbox_ca().await,
            None => Ok(None),
        }
    }

    /// A sandbox's authority, if the bank is on this machine and its management API answers.
    async fn sandbox_ca(&self) -> Result<Option<PathBuf>, Failure> {
        let host = url::Url::parse(&self.args.bank)?.host_str().unwrap_or_default().to_owned();
        if !matches!(host.as_str(), "127.0.0.1" | "[::1]" | "localhost") {
            return Ok(None);
        }
        let management =
            Management::new(self.transport(TransportSettings::default())?, &self.args.management);
        let pem = management.ca_pem().await?;
        self.folder.write("ca.pem", pem.as_bytes())?;
        Ok(Some(self.folder.file("ca.pem")))
    }

    fn transport(&self, settings: TransportSettings) -> Result<Transport, Failure> {
        let observer: Option<Observer> = if self.args.show_calls { Some(Arc::new(show_call)) } else { None };
        Ok(Transport::new(settings, observer)?)
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
            "consents": state.consents.iter().map(accounts::consent_json).collect::<Vec<_>>(),
            "initialAccessToken": registration.map(|kept| secret(&kept.initial_access_token)),
        });
        if let Some(kept) = &state.bunq {
            json["bunq"] = bunq_output::kept_json(kept, secrets);
        }
        json
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
        lines.extend(state.consents.iter().map(|kept| {
            let tokens = if kept.tokens.is_some() { "with tokens" } else { "without tokens" };
            format!("  Consent         {} at {} until {}, {tokens}", kept.id, kept.tenant, kept.valid_until)
        }));
        lines.push(format!("  Kept in         {}", self.folder.path().display()));
        lines.join("\n")
    }
}

fn purpose(profile: ProfileArg) -> Use {
    match profile {
        ProfileArg::Qwac => Use::Tls,
        ProfileArg::TestClient | ProfileArg::Qseal => Use::Signing,
    }
}

fn slot(state: &mut State, profile: ProfileArg) -> &mut Option<KeptIdentity> {
    match purpose(profile) {
        Use::Signing => &mut state.signing,
        Use::Tls => &mut state.tls,
    }
}

fn default_subject() -> SubjectArgs {
    SubjectArgs {
        organization_identifier: None,
        organization_name: "Example TPP B.V.".to_owned(),
        country: None,
        locality: "Utrecht".to_owned(),
        roles: eidas::Role::THIRD_PARTY.iter().map(|role| role.name().to_owned()).collect(),
    }
}

/// The request, what was signed, and the same request for a shell.
fn show_call(call: &Call) {
    output::error(&format!("\n# {} {}", call.method, call.url));
    if let Some(text) = &call.signing_string {
        output::error("# signing string (lines joined by one line feed, none at the end):");
        for line in text.lines() {
            output::error(&format!("#   {line}"));
        }
    }
    output::error(&format!("{}\n", call.as_curl()));
}
