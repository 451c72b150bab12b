//! What is kept about banks, shown and forgotten.

use serde_json::{Value, json};
use tpp::bunq::{BunqState, KeptConnection};
use tpp::clock;
use tpp::kept_consents::KeptConsent;
use tpp::kept_payments::{KeptFundsConsent, KeptPayment};
use tpp::state::{KeptIdentity, State, StateFolder};

use super::Session;
use super::funds::funds_consent_json;
use super::payments::number;
use crate::cli::TppShowArgs;
use crate::commands::{EXAMPLE_URI, Failure, Next};
use crate::output;

impl Session<'_> {
    pub(super) fn show(&self, command: &TppShowArgs) -> Result<(), Failure> {
        let folders = if command.all { StateFolder::all(&self.root) } else { vec![self.folder.clone()] };
        let mut states = Vec::new();
        for folder in &folders {
            let state = folder.load()?;
            if !state.bank.is_empty() {
                states.push((folder, state));
            }
        }
        if states.is_empty() {
            let what = if command.all { "any bank" } else { &self.args.bank };
            let text = format!("nothing is kept about {what} in {}; register", self.root.display());
            return Err(Failure::new(text).next(Next::register(&[EXAMPLE_URI])));
        }
        let json = |(folder, state): &(&StateFolder, State)| self.state_json(folder, state, command.secrets);
        match (self.args.json, command.all, &states[..]) {
            (true, false, [one]) => output::json(&json(one)),
            (true, _, all) => output::json(&all.iter().map(json).collect::<Vec<_>>()),
            (false, _, all) => {
                for (folder, state) in all {
                    output::line(&state.bank);
                    output::line(&self.state_text(folder, state, command.secrets));
                }
            }
        }
        Ok(())
    }

    pub(super) fn forget(&self) -> Result<(), Failure> {
        self.folder.forget()?;
        let (bank, dialect) = (&self.args.bank, self.dialect.name());
        if self.args.json {
            output::json(&json!({"forgotten": bank, "dialect": dialect}));
            return Ok(());
        }
        output::line(&format!("Nothing is kept about {bank} in the dialect {dialect} any more."));
        // What is kept in the other dialect would decide the next command's.
        let is_other = StateFolder::dialect_of(&self.root, bank)? != self.dialect;
        let next = Next::new("tpp register");
        let next = if is_other { next.option("--dialect", dialect) } else { next };
        self.next(&[next.option("--redirect-uri", EXAMPLE_URI)]);
        Ok(())
    }

    /// The state as JSON.
    pub(super) fn state_json(&self, folder: &StateFolder, state: &State, secrets: bool) -> Value {
        let registration = state.registration.as_ref();
        let secret = |text: &str| hidden(text, secrets, "hidden").to_owned();
        let mut json = json!({
            "bank": state.bank,
            "folder": folder.path(),
            "signing": state.signing.as_ref().map(|kept| identity_json(folder, kept)),
            "tls": state.tls.as_ref().map(|kept| identity_json(folder, kept)),
            "tenant": registration.map(|kept| &kept.tenant),
            "clientId": registration.map(|kept| &kept.client_id),
            "clientSecret": registration.map(|kept| secret(&kept.client_secret)),
            "redirectUris": registration.map(|kept| &kept.redirect_uris),
            "consents": self.living(state).map(consent_json).collect::<Vec<_>>(),
            "initialAccessToken": registration.map(|kept| secret(&kept.initial_access_token)),
        });
        if let Some(kept) = &state.bunq {
            json["bunq"] = bunq_json(kept, secrets);
        }
        if !state.payments.is_empty() {
            json["payments"] = state.payments.iter().map(payment_json).collect();
        }
        if !state.funds_consents.is_empty() {
            json["fundsConsents"] = living_funds_consents(state).map(funds_consent_json).collect();
        }
        json
    }

    /// The consents that can still be used.
    fn living<'s>(&'s self, state: &'s State) -> impl Iterator<Item = &'s KeptConsent> {
        let today = |kept: &KeptConsent| clock::day_at(self.announced.as_ref(), &kept.approval.tenant);
        state.consents.iter().filter(move |kept| kept.end(&today(kept)).is_none())
    }

    /// The state for people.
    pub(super) fn state_text(&self, folder: &StateFolder, state: &State, secrets: bool) -> String {
        let mut lines = Vec::new();
        if let Some(kept) = &state.bunq {
            lines.extend(bunq_text(kept, secrets));
        } else if let Some(kept) = &state.registration {
            let secret = |text| hidden_text(text, secrets);
            lines.push(format!("  Client id       {}", kept.client_id));
            lines.push(format!("  Client secret   {}", secret(&kept.client_secret)));
            lines.push(format!("  Initial token   {}", secret(&kept.initial_access_token)));
            lines.push(format!("  Redirect URIs   {}", kept.redirect_uris.join(" ")));
            lines.push(format!("  Registered at   tenant {}, good for all tenants", kept.tenant));
        } else {
            lines.push("  Not registered yet".to_owned());
        }
        lines.extend(state.signing.as_ref().map(|kept| identity_text(folder, kept)));
        lines.extend(state.tls.as_ref().map(|kept| format!("  For TLS\n{}", identity_text(folder, kept))));
        lines.extend(self.living(state).map(|kept| {
            let tokens = if kept.approval.tokens.is_some() { "with tokens" } else { "without tokens" };
            let (id, tenant) = (&kept.approval.id, &kept.approval.tenant);
            format!("  Consent         {id} at {tenant} until {}, {tokens}", kept.valid_until)
        }));
        lines.extend(
            living_funds_consents(state)
                .map(|kept| format!("  Funds consent   {} of account {}", kept.approval.id, kept.account)),
        );
        lines.extend(
            state
                .payments
                .iter()
                .map(|kept| format!("  Payment         {} is {}: {}", kept.id, kept.status, kept.asked)),
        );
        lines.push(format!("  Kept in         {}", folder.path().display()));
        lines.join("\n")
    }
}

/// A certificate and its key.
pub(super) fn identity_json(folder: &StateFolder, kept: &KeptIdentity) -> Value {
    json!({
        "organizationIdentifier": kept.organization_identifier,
        "keyId": kept.key_id,
        "certificate": folder.file(&kept.certificate),
        "privateKey": folder.file(&kept.private_key),
    })
}

/// The same for people.
pub(super) fn identity_text(folder: &StateFolder, kept: &KeptIdentity) -> String {
    format!(
        "  Certificate     {}\n  Private key     {}\n  Key id          {}",
        folder.file(&kept.certificate).display(),
        folder.file(&kept.private_key).display(),
        kept.key_id
    )
}

/// What is kept of a consent, without its secrets.
pub(super) fn consent_json(kept: &KeptConsent) -> Value {
    let approval = &kept.approval;
    json!({
        "consentId": approval.id,
        "authorisationId": approval.authorisation,
        "tenant": approval.tenant,
        "validUntil": kept.valid_until,
        "frequencyPerDay": kept.frequency_per_day,
        "redirectUri": approval.redirect_uri,
        "scaRedirect": approval.sca_redirect,
        "hasTokens": approval.tokens.is_some(),
    })
}

/// What is kept of a payment.
fn payment_json(kept: &KeptPayment) -> Value {
    json!({"id": number(&kept.id), "status": kept.status, "asked": kept.asked, "product": kept.product})
}

/// The consents for confirmation of funds that can still be used, as far as that is known here.
fn living_funds_consents(state: &State) -> impl Iterator<Item = &KeptFundsConsent> {
    state.funds_consents.iter().filter(|kept| kept.approval.ended.is_none())
}

/// An OAuth client: id, secret, redirect URIs.
pub(super) fn oauth_client_json((id, secret, uris): (&str, &str, &[String]), secrets: bool) -> Value {
    json!({"clientId": id, "clientSecret": hidden(secret, secrets, "hidden"), "callbackUrls": uris})
}

/// The same for people.
pub(super) fn oauth_client_text((id, secret, uris): (&str, &str, &[String]), secrets: bool) -> Vec<String> {
    vec![
        format!("  Client id       {id}"),
        format!("  Client secret   {}", hidden_text(secret, secrets)),
        format!("  Callback URLs   {}", uris.join(" ")),
    ]
}

fn hidden<'t>(secret: &'t str, secrets: bool, instead: &'t str) -> &'t str {
    if secrets { secret } else { instead }
}

fn hidden_text(secret: &str, secrets: bool) -> &str {
    hidden(secret, secrets, "(hidden; --secrets shows it)")
}

/// The connections that the bank still takes, as far as that is known here.
fn living_connections(kept: &BunqState) -> impl Iterator<Item = &KeptConnection> {
    kept.connections.iter().filter(|connection| !connection.ended)
}

fn bunq_json(kept: &BunqState, secrets: bool) -> Value {
    let secret = |text: &String| hidden(text, secrets, "hidden").to_owned();
    let answer = kept.installation.as_ref().and_then(|installation| installation.answer.as_ref());
    let connections = living_connections(kept).map(|connection| {
        json!({
            "connection": connection.user_id,
            "customer": connection.customer,
            "accessToken": secret(&connection.access_token),
        })
    });
    json!({
        "installationToken": answer.map(|answer| secret(&answer.token)),
        "apiKey": kept.api_key.as_ref().map(secret),
        "oauthClient": kept.oauth_client.as_ref().map(|client| oauth_client_json(
            (&client.client_id, &client.client_secret, &client.callback_urls), secrets,
        )),
        "connections": connections.collect::<Vec<_>>(),
    })
}

fn bunq_text(kept: &BunqState, secrets: bool) -> Vec<String> {
    let mut lines = match &kept.oauth_client {
        Some(client) => {
            oauth_client_text((&client.client_id, &client.client_secret, &client.callback_urls), secrets)
        }
        None => vec!["  Not registered yet".to_owned()],
    };
    lines.extend(kept.api_key.as_ref().map(|key| format!("  API key         {}", hidden_text(key, secrets))));
    lines.extend(living_connections(kept).map(|connection| {
        let user = connection.user_id.map_or_else(|| "not used yet".to_owned(), |user| user.to_string());
        format!("  Connection      {user} {}", connection.customer.as_deref().unwrap_or_default())
    }));
    lines
}
