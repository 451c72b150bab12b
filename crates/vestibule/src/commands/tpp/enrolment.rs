//! Becoming a third party at a bank: certificates and registration, and once more at another bank that came to the same
//! address.

use std::fs;
use std::path::Path;

use eidas::Certificate;
use eidas::issue::{KeyType, generate_key};
use tpp::state::{KeptIdentity, KeptSandbox, Lock, State, Use};
use tpp::{Registration, ThirdParty};

use super::Session;
use super::kept::{identity_json, identity_text};
use crate::cli::{ProfileArg, SubjectArgs, TppCertificateArgs, TppRegisterArgs};
use crate::commands::certificate::request;
use crate::commands::{EXAMPLE_URI, Failure, Next, unreadable};
use crate::output;

/// Where browsers come back to on this machine; banks that insist on https take it not.
const LOOPBACK: &str = "http://127.0.0.1:8765/callback";

impl Session<'_> {
    /// What is kept about the bank, once it is certain that it is about this one. Where another sandbox took the place
    /// of one that kept nothing, this side enrols again.
    pub(super) async fn meet<C: ThirdParty>(&self) -> Result<State, Failure> {
        let state = self.load()?;
        let announced = self.announced.as_ref();
        let found = announced.and_then(|it| Some((it.fingerprint()?, it.ephemeral)));
        let Some((fingerprint, ephemeral)) = found else { return Ok(state) };
        let found = KeptSandbox { fingerprint, ephemeral };
        match state.sandbox.clone() {
            Some(kept) if kept.fingerprint == found.fingerprint => Ok(state),
            Some(kept) if kept.ephemeral => self.enrol_again::<C>(found).await,
            Some(kept) => Err(Failure::new(format!(
                "the bank at {} is another one than what is kept here is about: the certificate of its authority has \
                 SHA-256 {}, that of the other one {}; start the other one again, or keep what is about this one in \
                 another folder with --state, or forget the other one",
                state.bank, found.fingerprint, kept.fingerprint
            ))
            .next(Next::new("tpp forget"))),
            None => {
                let is_in_use = state.signing.is_some() || state.bunq.is_some();
                let known = State { sandbox: Some(found), ..state };
                if is_in_use {
                    return Ok(self.folder.update(&known, |_| Ok(()))?.0);
                }
                Ok(known)
            }
        }
    }

    /// Waits for other commands that enrol with what is kept here: a certificate replaces the one before, so that two at
    /// once would take it from each other.
    pub(super) async fn enrolling(&self) -> Result<Lock, Failure> {
        let turn = self.folder.turn("enrolment");
        Ok(output::patiently("another command that enrols at this bank", turn).await?)
    }

    /// The bank knows nothing of what is kept, and what it stood for is gone with the bank before.
    async fn enrol_again<C: ThirdParty>(&self, found: KeptSandbox) -> Result<State, Failure> {
        let _turn = self.enrolling().await?;
        let state = self.load()?;
        // Another command did while this one waited.
        if state.sandbox.as_ref().is_some_and(|kept| kept.fingerprint == found.fingerprint) {
            return Ok(state);
        }
        output::error(&format!(
            "The bank at {} is another one than before: a sandbox that kept nothing was started again. Enrolling again; \
             what customers approved is gone with it.",
            state.bank
        ));
        let tenant = self.usual_tenant(&state).map(str::to_owned);
        let redirect_uris = state.redirect_uris().map(<[String]>::to_vec);
        let mut fetched = Vec::new();
        for (purpose, kept) in [(Use::Signing, &state.signing), (Use::Tls, &state.tls)] {
            if let Some(kept) = kept.as_ref().filter(|kept| kept.is_for_tests) {
                let certificate = self.certificate_of(kept)?;
                let (subject, profile) =
                    (SubjectArgs::of(&certificate), self.profile_of(&certificate, purpose));
                fetched.push((purpose, self.fetch_certificate(&subject, profile, tenant.as_deref()).await?));
            }
        }
        let (state, ()) = self.folder.update(&state, |state| {
            (state.sandbox, state.registration, state.bunq) = (Some(found), None, None);
            state.clear_approvals();
            for (purpose, kept) in fetched {
                *state.identity(purpose) = Some(kept);
            }
            Ok(())
        })?;
        let Some(redirect_uris) = redirect_uris else { return Ok(state) };
        let command = TppRegisterArgs {
            tenant,
            redirect_uris: self.taken(redirect_uris),
            sector_identifier_uri: String::new(),
        };
        let client: C = self.register_with(state, command, |text| self.progress(text)).await?;
        Ok(client.state())
    }

    pub(super) async fn register<C: ThirdParty>(&self, command: TppRegisterArgs) -> Result<(), Failure> {
        let known = self.meet::<C>().await?;
        // Where nobody answers, nothing is left behind.
        self.ask_bank().await?;
        let client: C = {
            let _turn = self.enrolling().await?;
            let state = self.folder.reload(&known)?;
            self.register_with(state, command, |text| self.progress(text)).await?
        };
        let state = client.state();
        self.say(
            || self.state_json(&self.folder, &state, true),
            || {
                output::line(&format!("Registered at {}", state.bank));
                output::line(&self.state_text(&self.folder, &state, true));
                self.next(&[C::AFTER_REGISTERING.into()]);
            },
        );
        Ok(())
    }

    pub(super) async fn certificate<C: ThirdParty>(
        &self,
        command: TppCertificateArgs,
    ) -> Result<(), Failure> {
        let known = self.meet::<C>().await?;
        let _turn = self.enrolling().await?;
        let state = self.folder.reload(&known)?;
        let purpose = purpose(command.profile);
        let tenant = command.tenant.as_deref().or(self.usual_tenant(&state));
        let kept = match (&command.certificate, &command.key) {
            (Some(certificate), Some(key)) => self.take_over::<C>(purpose, certificate, key)?,
            _ => {
                let subject = match state.signing.as_ref().or(state.tls.as_ref()) {
                    Some(kept) => command.subject.or(SubjectArgs::of(&self.certificate_of(kept)?)),
                    None => command.subject,
                };
                self.fetch_certificate(&subject, command.profile, tenant).await?
            }
        };
        let shown = kept.clone();
        let (state, left) = self.folder.update(&state, |state| {
            *state.identity(purpose) = Some(kept);
            // An API key belongs to the certificate that it was given for.
            if let Some(kept) = &mut state.bunq {
                kept.api_key = None;
            }
            Ok(leave_others(state, &shown))
        })?;
        if self.args.json {
            output::json(&identity_json(&self.folder, &shown));
            return Ok(());
        }
        output::line(&format!("Certificate for {}", shown.organization_identifier));
        output::line(&identity_text(&self.folder, &shown));
        if let Some(other) = left {
            output::line(&format!("What was kept of {other}, another organisation, was left behind."));
        }
        // A registration belongs to the certificate that it was made with.
        if purpose == Use::Signing {
            self.next(&[registration_of(&state)]);
        }
        Ok(())
    }

    /// Registers, with certificates for tests if those are missing that the bank demands, and keeps what came of it.
    /// `announce` is told of each step before it is taken. Whoever calls has their turn to enrol.
    pub(super) async fn register_with<C: ThirdParty>(
        &self,
        mut state: State,
        command: TppRegisterArgs,
        announce: impl Fn(&str),
    ) -> Result<C, Failure> {
        let demanded = C::demanded(&self.args.bank, self.announced.as_ref());
        if demanded.contains(&Use::Tls) && !self.args.bank.starts_with("https:") {
            return Err(self.without_tls(&command));
        }
        let tenant = self.tenant(command.tenant.as_deref(), &state)?;
        for purpose in demanded {
            if state.identity(purpose).is_none() {
                let got = self.test_certificate(&state, purpose, &tenant, &announce).await?;
                (state, ()) = self.folder.update(&state, |state| {
                    *state.identity(purpose) = Some(got);
                    Ok(())
                })?;
            }
        }
        let mut client: C = self.client_with(state)?;
        let TppRegisterArgs { redirect_uris, sector_identifier_uri, .. } = command;
        client.register(&Registration { tenant, redirect_uris, sector_identifier_uri }, announce).await?;
        Ok(client)
    }

    /// What to do about a bank that demands client certificates and is not reached with TLS.
    fn without_tls(&self, command: &TppRegisterArgs) -> Failure {
        let tls = self.announced.as_ref().and_then(|announced| announced.tls.as_deref()).unwrap_or_default();
        let next = Next::new("tpp register").option("--bank", tls);
        let next = command.tenant.iter().fold(next, |next, tenant| next.option("--tenant", tenant));
        let uris = command.redirect_uris.iter();
        let next = uris.fold(next, |next, uri| next.option("--redirect-uri", uri));
        let text = format!(
            "the bank demands TLS client certificates (CERTIFICATE_MISSING without), and {} is without TLS; register",
            self.args.bank
        );
        Failure::new(text).next(next)
    }

    /// A certificate for tests for whoever holds those that are there.
    async fn test_certificate(
        &self,
        state: &State,
        purpose: Use,
        tenant: &str,
        announce: &impl Fn(&str),
    ) -> Result<KeptIdentity, Failure> {
        let profile = match purpose {
            Use::Tls => ProfileArg::Qwac,
            Use::Signing if self.is_strict() => ProfileArg::Qseal,
            Use::Signing => ProfileArg::TestClient,
        };
        self.ask_bank().await?;
        announce(match purpose {
            Use::Tls => "No certificate for TLS yet: getting one from the sandbox",
            Use::Signing => "No certificate yet: getting a test certificate from the sandbox",
        });
        let subject = match state.signing.as_ref().or(state.tls.as_ref()) {
            Some(kept) => SubjectArgs::of(&self.certificate_of(kept)?),
            None => SubjectArgs::default(),
        };
        let take_over = Next::new("tpp certificate").and("--certificate FILE --key FILE").after(
            "; a test certificate comes from a sandbox's management API (--management), one that you have is taken over \
             with: ",
        );
        let fetched = self.fetch_certificate(&subject, profile, Some(tenant)).await;
        fetched.map_err(|failure| failure.next(take_over))
    }

    /// Where browsers are to come back to if nobody says.
    pub(super) fn redirect_uri(&self, named: Option<&String>) -> String {
        let usual = if self.is_strict() { EXAMPLE_URI } else { LOOPBACK };
        named.map_or(usual, String::as_str).to_owned()
    }

    /// Redirect URIs as this bank takes them: one that insists on https gets another one for each without.
    fn taken(&self, redirect_uris: Vec<String>) -> Vec<String> {
        let mut taken = Vec::new();
        for uri in redirect_uris {
            let uri =
                if self.is_strict() && uri.starts_with("http:") { self.redirect_uri(None) } else { uri };
            if !taken.contains(&uri) {
                taken.push(uri);
            }
        }
        taken
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
            Some(&issued.key_id),
        )?;
        Ok(KeptIdentity { is_for_tests: true, ..kept })
    }

    /// The profile in which a test certificate is issued again.
    fn profile_of(&self, certificate: &Certificate, purpose: Use) -> ProfileArg {
        match (purpose, eidas::describe(certificate).kind) {
            (Use::Tls, _) => ProfileArg::Qwac,
            (Use::Signing, Some(eidas::Purpose::QSeal)) => ProfileArg::Qseal,
            (Use::Signing, _) if self.is_strict() => ProfileArg::Qseal,
            (Use::Signing, _) => ProfileArg::TestClient,
        }
    }

    fn take_over<C: ThirdParty>(
        &self,
        purpose: Use,
        certificate: &Path,
        key: &Path,
    ) -> Result<KeptIdentity, Failure> {
        let read = |path: &Path| fs::read(path).map_err(|error| unreadable(path, &error));
        let wrong =
            |path: &Path, error: &dyn std::fmt::Display| Failure::new(format!("{}: {error}", path.display()));
        let all = eidas::certificate::ordered_chain(read(certificate)?);
        let all = all.map_err(|error| wrong(certificate, &error))?;
        let key = eidas::pem::private_key(&read(key)?).map_err(|error| wrong(key, &error))?.to_pem();
        let pem = |one: &Certificate| eidas::certificate::to_pem(&one.der);
        // The last entry of a chain is the root, which is not sent; a file of a user may end anywhere.
        let mut chain: Vec<_> = all[1..].iter().map(pem).collect();
        chain.push(String::new());
        Ok(C::take_over(&self.folder, purpose, (&pem(&all[0]), &chain), &key)?)
    }

    fn certificate_of(&self, kept: &KeptIdentity) -> Result<Certificate, Failure> {
        let path = self.folder.file(&kept.certificate);
        let pem = fs::read_to_string(&path);
        let pem = pem.map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
        Ok(Certificate::from_der(&eidas::certificate::chain_from_pem(&pem)?[0])?)
    }

    /// Whether a certificate was made here, and not issued by anybody.
    pub(super) fn is_self_signed(&self, kept: &KeptIdentity) -> bool {
        self.certificate_of(kept).is_ok_and(|it| it.subject.to_string() == it.issuer.to_string())
    }
}

/// Leaves behind what belongs to another organisation than the holder of a new certificate; returns which one.
fn leave_others(state: &mut State, new: &KeptIdentity) -> Option<String> {
    let is_other = |identifier: &String| *identifier != new.organization_identifier;
    let registered = state.registration.as_ref().map(|kept| kept.client_id.clone()).filter(is_other)?;
    state.registration = None;
    state.clear_approvals();
    for purpose in [Use::Signing, Use::Tls] {
        let _ = state.identity(purpose).take_if(|kept| is_other(&kept.organization_identifier));
    }
    Some(registered)
}

/// The command that registers, as before if there is a registration.
pub(super) fn registration_of(state: &State) -> Next {
    state.redirect_uris().map_or_else(|| Next::register(&[EXAMPLE_URI]), Next::register)
}

fn purpose(profile: ProfileArg) -> Use {
    match profile {
        ProfileArg::Qwac => Use::Tls,
        ProfileArg::TestClient | ProfileArg::Qseal => Use::Signing,
    }
}
