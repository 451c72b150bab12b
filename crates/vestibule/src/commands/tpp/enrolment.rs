//! Becoming a third party at a bank: certificates and registration, and once more at another bank that came to the same
//! address.

use std::fs;
use std::path::Path;

use eidas::Certificate;
use eidas::issue::{KeyType, generate_key};
use tpp::bunq;
use tpp::state::{Dialect, KeptIdentity, KeptRegistration, KeptSandbox, State, StateFolder, Use};

use super::Session;
use crate::cli::{ProfileArg, SubjectArgs, TppCertificateArgs, TppRegisterArgs};
use crate::commands::certificate::request;
use crate::commands::{Failure, quoted, unreadable};
use crate::output;

/// Where browsers come back to: an address of this machine, and one that banks take that insist on https.
const LOOPBACK: &str = "http://127.0.0.1:8765/callback";
const ELSEWHERE: &str = "https://tpp.example/callback";

impl Session<'_> {
    /// What is kept about the bank, once it is certain that it is about this one. Where another sandbox took the place
    /// of one that kept nothing, this side enrols again.
    pub(super) async fn meet(&self) -> Result<State, Failure> {
        let mut state = self.load()?;
        let announced = self.announced.as_ref();
        let found = announced.and_then(|it| Some((it.fingerprint()?, it.ephemeral)));
        let Some((fingerprint, ephemeral)) = found else { return Ok(state) };
        let found = KeptSandbox { fingerprint, ephemeral };
        match state.sandbox.replace(found.clone()) {
            Some(kept) if kept.fingerprint == found.fingerprint => Ok(state),
            Some(kept) if kept.ephemeral => self.enrol_again(state).await,
            Some(kept) => Err(Failure::new(format!(
                "the bank at {} is another one than what is kept here is about: the certificate of its authority has \
                 SHA-256 {}, that of the other one {}; start the other one again, or keep what is about this one in \
                 another folder with --state, or forget the other one with: vestibule tpp forget",
                state.bank, found.fingerprint, kept.fingerprint
            ))),
            None => {
                if state.signing.is_some() || state.bunq.is_some() {
                    self.folder.save(&state)?;
                }
                Ok(state)
            }
        }
    }

    /// The bank knows nothing of what is kept, and what it stood for is gone with the bank before.
    async fn enrol_again(&self, mut state: State) -> Result<State, Failure> {
        output::error(&format!(
            "The bank at {} is another one than before: a sandbox that kept nothing was started again. Enrolling again; \
             what customers approved is gone with it.",
            state.bank
        ));
        let tenant = self.usual_tenant(&state).map(str::to_owned);
        let registration = state.registration.take();
        let callbacks =
            state.bunq.take().and_then(|kept| kept.oauth_client).map(|client| client.callback_urls);
        state.consents.clear();
        for purpose in [Use::Signing, Use::Tls] {
            let kept = slot(&mut state, purpose).take();
            *slot(&mut state, purpose) = match kept {
                Some(kept) if kept.is_for_tests => {
                    let certificate = self.certificate_of(&kept)?;
                    let profile = self.profile_of(&certificate, purpose);
                    Some(
                        self.fetch_certificate(&SubjectArgs::of(&certificate), profile, tenant.as_deref())
                            .await?,
                    )
                }
                other => other,
            };
        }
        self.folder.save(&state)?;
        if let Some(KeptRegistration { redirect_uris, .. }) = registration {
            let redirect_uris = self.taken(redirect_uris);
            let command = TppRegisterArgs { tenant, redirect_uris, sector_identifier_uri: String::new() };
            state = self.register_with(state, command, |text| self.progress(text)).await?;
        }
        if let Some(callbacks) = callbacks {
            let mut client = self.bunq_client_with(state)?;
            client.register(&self.taken(callbacks), |text| self.progress(text)).await?;
            state = client.state();
        }
        Ok(state)
    }

    pub(super) async fn certificate(&self, command: TppCertificateArgs) -> Result<(), Failure> {
        let mut state = self.meet().await?;
        let purpose = purpose(command.profile);
        let tenant = command.tenant.as_deref().or(self.usual_tenant(&state));
        let kept = match (&command.certificate, &command.key) {
            (Some(certificate), Some(key)) => self.take_over(purpose, certificate, key)?,
            _ => {
                let subject = match state.signing.as_ref().or(state.tls.as_ref()) {
                    Some(kept) => command.subject.or(SubjectArgs::of(&self.certificate_of(kept)?)),
                    None => command.subject,
                };
                self.fetch_certificate(&subject, command.profile, tenant).await?
            }
        };
        let shown = kept.clone();
        *slot(&mut state, purpose) = Some(kept);
        // An API key belongs to the certificate that it was given for.
        if let Some(kept) = &mut state.bunq {
            kept.api_key = None;
        }
        let left = leave_others(&mut state, &shown);
        self.folder.save(&state)?;
        if self.args.json {
            output::json(&self.identity_json(&shown));
            return Ok(());
        }
        output::line(&format!("Certificate for {}", shown.organization_identifier));
        output::line(&self.identity_text(&shown));
        if let Some(other) = left {
            output::line(&format!("What was kept of {other}, another organisation, was left behind."));
        }
        // A registration belongs to the certificate that it was made with.
        if purpose == Use::Signing {
            self.next(&[&registration_of(&state)]);
        }
        Ok(())
    }

    /// Registers, with certificates for tests if there are none, and keeps what came of it. `announce` is told of each
    /// step before it is taken.
    pub(super) async fn register_with(
        &self,
        mut state: State,
        command: TppRegisterArgs,
        announce: impl Fn(&str),
    ) -> Result<State, Failure> {
        self.check_way(&command)?;
        let tenant = self.tenant(command.tenant.as_deref(), &state)?;
        self.get_certificates(&mut state, &tenant, &announce).await?;
        let client = self.client(&state, &tenant).await?;
        announce("Getting an initial access token");
        let token = client.initial_access_token().await?;
        announce("Registering");
        let registered =
            client.register(&token, &command.redirect_uris, &command.sector_identifier_uri).await?;
        // The secret is on disk before anyone sees it: the bank shows it this one time.
        state.registration = Some(KeptRegistration {
            tenant,
            client_id: registered.client_id.clone(),
            client_secret: registered.client_secret.clone(),
            redirect_uris: registered.redirect_uris.clone(),
            initial_access_token: token.access_token.clone(),
        });
        self.folder.save(&state)?;
        Ok(state)
    }

    /// Checks that a bank which demands client certificates is reached with TLS.
    fn check_way(&self, command: &TppRegisterArgs) -> Result<(), Failure> {
        match &self.announced {
            Some(announced) if announced.require_mtls && !self.args.bank.starts_with("https:") => {
                let tls = announced.tls.as_deref().unwrap_or_default();
                let option = |(name, value): (&str, &String)| format!(" {name} {}", quoted(value));
                let tenant = command.tenant.iter().map(|tenant| ("--tenant", tenant));
                let uris = command.redirect_uris.iter().map(|uri| ("--redirect-uri", uri));
                let options: String = tenant.chain(uris).map(option).collect();
                Err(Failure::new(format!(
                    "the bank demands TLS client certificates (CERTIFICATE_MISSING without), and {} is without TLS; \
                     register with: vestibule tpp register --bank {tls}{options}",
                    self.args.bank
                )))
            }
            _ => Ok(()),
        }
    }

    /// Gets the certificates for tests that the bank demands and that are not there yet.
    async fn get_certificates(
        &self,
        state: &mut State,
        tenant: &str,
        announce: &impl Fn(&str),
    ) -> Result<(), Failure> {
        let strict = self.announced.as_ref().is_some_and(|announced| announced.strict);
        if state.signing.is_none() {
            self.ask_bank().await?;
            announce("No certificate yet: getting a test certificate from the sandbox");
            let subject = match &state.tls {
                Some(tls) => SubjectArgs::of(&self.certificate_of(tls)?),
                None => SubjectArgs::default(),
            };
            let profile = if strict { ProfileArg::Qseal } else { ProfileArg::TestClient };
            let kept = self.fetch_certificate(&subject, profile, Some(tenant)).await;
            state.signing = Some(kept.map_err(|mut failure| {
                failure.text += "; a test certificate comes from a sandbox's management API (--management), one that \
                                 you have is taken over with: vestibule tpp certificate --certificate FILE --key FILE";
                failure
            })?);
            self.folder.save(state)?;
        }
        let demanded = self.announced.as_ref().is_some_and(|announced| announced.require_mtls || strict);
        if let Some(signing) = &state.signing
            && demanded
            && state.tls.is_none()
            && self.args.bank.starts_with("https:")
        {
            announce("No certificate for TLS yet: getting one from the sandbox");
            let subject = SubjectArgs::of(&self.certificate_of(signing)?);
            state.tls = Some(self.fetch_certificate(&subject, ProfileArg::Qwac, Some(tenant)).await?);
            self.folder.save(state)?;
        }
        Ok(())
    }

    /// Where browsers are to come back to if nobody says.
    pub(super) fn redirect_uri(&self, named: Option<&String>) -> String {
        let strict = self.announced.as_ref().is_some_and(|announced| announced.strict);
        let usual = if strict { ELSEWHERE } else { LOOPBACK };
        named.map_or(usual, String::as_str).to_owned()
    }

    /// Redirect URIs as this bank takes them: one that insists on https gets another one for each without.
    fn taken(&self, redirect_uris: Vec<String>) -> Vec<String> {
        let strict = self.announced.as_ref().is_some_and(|announced| announced.strict);
        let mut taken = Vec::new();
        for uri in redirect_uris {
            let uri = if strict && uri.starts_with("http:") { self.redirect_uri(None) } else { uri };
            if !taken.contains(&uri) {
                taken.push(uri);
            }
        }
        taken
    }

    pub(super) fn forget(&self) -> Result<(), Failure> {
        self.folder.forget()?;
        if self.args.json {
            output::json(&serde_json::json!({"forgotten": self.args.bank, "dialect": self.dialect.name()}));
            return Ok(());
        }
        let (bank, dialect) = (&self.args.bank, self.dialect.name());
        output::line(&format!("Nothing is kept about {bank} in the dialect {dialect} any more."));
        // What is kept in the other dialect would decide the next command's.
        let is_other = StateFolder::dialect_of(&self.root, bank)? != self.dialect;
        let named = if is_other { format!(" --dialect {dialect}") } else { String::new() };
        self.next(&[&format!("vestibule tpp register{named} --redirect-uri {ELSEWHERE}")]);
        Ok(())
    }

    /// Makes a key here and gets a certificate for it: the private key never leaves this machine.
    async fn fetch_certificate(
        &self,
        subject: &SubjectArgs,
        profile: ProfileArg,
        tenant: Option<&str>,
    ) -> Result<KeptIdentity, Failure> {
        let making = tokio::task::spawn_blocking(|| generate_key(KeyType::Rsa2048));
        let (private_key, public_key) = output::patiently("a key, which is being made", making).await??;
        let management = self.management().await?;
        let issued = management.test_certificate(&request(subject, profile, tenant, &public_key)).await?;
        let kept = self.folder.save_identity(
            purpose(profile),
            &issued.certificate,
            &issued.chain,
            &private_key,
            &issued.key_id,
        )?;
        Ok(KeptIdentity { is_for_tests: true, ..kept })
    }

    /// The profile in which a test certificate is issued again.
    fn profile_of(&self, certificate: &Certificate, purpose: Use) -> ProfileArg {
        let strict = self.announced.as_ref().is_some_and(|announced| announced.strict);
        match (purpose, eidas::describe(certificate).kind) {
            (Use::Tls, _) => ProfileArg::Qwac,
            (Use::Signing, Some(eidas::Purpose::QSeal)) => ProfileArg::Qseal,
            (Use::Signing, _) if strict => ProfileArg::Qseal,
            (Use::Signing, _) => ProfileArg::TestClient,
        }
    }

    fn take_over(&self, purpose: Use, certificate: &Path, key: &Path) -> Result<KeptIdentity, Failure> {
        let read = |path: &Path| fs::read(path).map_err(|error| unreadable(path, &error));
        let wrong =
            |path: &Path, error: &dyn std::fmt::Display| Failure::new(format!("{}: {error}", path.display()));
        let all = eidas::certificate::ordered_chain(read(certificate)?);
        let all = all.map_err(|error| wrong(certificate, &error))?;
        let key = eidas::pem::private_key(&read(key)?).map_err(|error| wrong(key, &error))?.to_pem();
        let pem = |one: &Certificate| eidas::certificate::to_pem(&one.der);
        let key_id = all[0].key_id();
        // The last entry of a chain is the root, which is not sent; a file of a user may end anywhere.
        let mut chain: Vec<_> = all[1..].iter().map(pem).collect();
        chain.push(String::new());
        if self.dialect == Dialect::Bunq && purpose == Use::Signing {
            return Ok(self.folder.save_seal(&pem(&all[0]), &chain, &key)?);
        }
        Ok(self.folder.save_identity(purpose, &pem(&all[0]), &chain, &key, &key_id)?)
    }

    fn certificate_of(&self, kept: &KeptIdentity) -> Result<Certificate, Failure> {
        let path = self.folder.file(&kept.certificate);
        let pem = fs::read_to_string(&path);
        let pem = pem.map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
        Ok(Certificate::from_der(&eidas::certificate::chain_from_pem(&pem)?[0])?)
    }

    /// A client of a bank of the dialect bunq that goes on from `state`.
    pub(super) fn bunq_client_with(&self, state: State) -> Result<bunq::Client, Failure> {
        let settings = tpp::TransportSettings { ca_file: self.ca_file()?, tls: None };
        let client =
            bunq::Client::open(self.transport(settings)?, &self.args.bank, self.folder.clone(), state)?;
        let announced = self.announced.as_ref();
        Ok(client.at_day(announced.and_then(|it| it.today(it.usual_tenant()?))))
    }
}

/// Leaves behind what belongs to another organisation than the holder of a new certificate; returns which one.
fn leave_others(state: &mut State, new: &KeptIdentity) -> Option<String> {
    let is_other = |identifier: &String| *identifier != new.organization_identifier;
    let registered = state.registration.as_ref().map(|kept| kept.client_id.clone()).filter(is_other)?;
    state.registration = None;
    state.consents.clear();
    for purpose in [Use::Signing, Use::Tls] {
        let kept = slot(state, purpose);
        if kept.as_ref().is_some_and(|kept| is_other(&kept.organization_identifier)) {
            *kept = None;
        }
    }
    Some(registered)
}

/// The command that registers, as before if there is a registration.
pub(super) fn registration_of(state: &State) -> String {
    let usual = [ELSEWHERE.to_owned()];
    let uris = state.registration.as_ref().map_or(&usual[..], |kept| &kept.redirect_uris);
    let option = |uri: &String| format!(" --redirect-uri {}", quoted(uri));
    format!("vestibule tpp register{}", uris.iter().map(option).collect::<String>())
}

fn purpose(profile: ProfileArg) -> Use {
    match profile {
        ProfileArg::Qwac => Use::Tls,
        ProfileArg::TestClient | ProfileArg::Qseal => Use::Signing,
    }
}

fn slot(state: &mut State, purpose: Use) -> &mut Option<KeptIdentity> {
    match purpose {
        Use::Signing => &mut state.signing,
        Use::Tls => &mut state.tls,
    }
}
