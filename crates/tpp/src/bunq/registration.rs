//! From nothing to an OAuth client: installation, API key, device, session. Everything that a step gives is on
//! disk before the next one begins, so that registering again goes on where it was interrupted.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bunq::wire::{ClientStatus, CredentialRequest, DeviceRequest, Element, InstallationRequest, OauthClient};
use eidas::issue::{KeyType, generate_key};
use serde_json::json;

use super::client::{Client, Whose};
use super::errors::explain;
use super::state::{InstallationAnswer, KeptInstallation, KeptOauthClient};
use crate::error::not_registered;
use crate::{Error, Transport, random};

/// How the device is called at the bank.
const DEVICE: &str = "Vestibule";

impl Client {
    /// Registers, or goes on where it was interrupted, and adds callback URLs. What the bank does not know any
    /// more is made anew, once. `announce` is told of each step before it is taken.
    pub(super) async fn enrol(
        &mut self,
        callback_urls: &[String],
        announce: impl Fn(&str),
    ) -> Result<(), Error> {
        let first = self.come_in(callback_urls, &announce).await;
        if !matches!(first, Err(Error::Credentials { .. })) {
            return first;
        }
        announce("The bank does not know this registration any more: beginning anew");
        self.forget()?;
        self.come_in(callback_urls, &announce).await
    }

    async fn come_in(&mut self, callback_urls: &[String], announce: &impl Fn(&str)) -> Result<(), Error> {
        self.install(announce).await?;
        // An API key belongs to the certificate that it was given for.
        if self.is_certificate_outdated()? {
            self.change(|kept| kept.api_key = None)?;
        }
        self.get_api_key(announce).await?;
        self.add_device(announce).await?;
        announce("Looking for the OAuth client");
        if self.find_oauth_client().await?.is_none() {
            announce("Making an OAuth client");
            self.make_oauth_client().await?;
        }
        for url in callback_urls {
            self.add_callback_url(url).await?;
        }
        Ok(())
    }

    /// Gives up what the bank does not take any more. The certificate stays: it makes the same user again.
    fn forget(&mut self) -> Result<(), Error> {
        self.change(|kept| {
            (kept.installation, kept.api_key, kept.has_device) = (None, None, false);
            (kept.session, kept.oauth_client) = (None, None);
            for connection in &mut kept.connections {
                connection.session = None;
            }
        })
    }

    /// Makes a key pair and registers its public half.
    async fn install(&mut self, announce: &impl Fn(&str)) -> Result<(), Error> {
        let mut installation = match self.kept.installation.clone() {
            Some(installation) if installation.answer.is_some() => return Ok(()),
            Some(installation) => installation,
            None => self.make_key().await?,
        };
        announce("Registering a key (installation)");
        let request = InstallationRequest { client_public_key: &installation.public_key };
        let answer = self.send(&self.post("/v1/installation", &request)?, None).await?;
        let token = answer.find("Token", |element| match element {
            Element::Token(token) => Some(token.token),
            _ => None,
        })?;
        let server_public_key = answer.find("ServerPublicKey", |element| match element {
            Element::ServerPublicKey(key) => Some(key.server_public_key),
            _ => None,
        })?;
        installation.answer = Some(InstallationAnswer { token, server_public_key });
        self.change(|kept| kept.installation = Some(installation))
    }

    async fn make_key(&mut self) -> Result<KeptInstallation, Error> {
        let (private, public) = new_key(&self.transport).await?;
        // A name of its own, so that no key is overwritten.
        let file = format!("installation-{}.key.pem", &random::secret()[..8]);
        self.folder.write(&file, private.as_bytes())?;
        let public_key = with_one_line_end(&public);
        let installation = KeptInstallation { private_key: file, public_key, answer: None };
        let fresh = installation.clone();
        self.change(|kept| kept.installation = Some(fresh))?;
        Ok(installation)
    }

    /// Trades the certificate for an API key.
    async fn get_api_key(&mut self, announce: &impl Fn(&str)) -> Result<(), Error> {
        if self.kept.api_key.is_some() {
            return Ok(());
        }
        let seal = self.seal(announce).await?;
        let installation = self.kept.installation.as_ref().ok_or_else(not_registered)?;
        let token = &installation.answer.as_ref().ok_or_else(not_registered)?.token;
        let signature = seal.sign(signed_text(&installation.public_key, token).as_bytes())?;
        announce("Trading the certificate for an API key");
        let request = CredentialRequest {
            client_payment_service_provider_certificate: &seal.leaf,
            client_payment_service_provider_certificate_chain: &seal.chain,
            client_public_key_signature: &STANDARD.encode(signature),
        };
        let request = self.post("/v1/payment-service-provider-credential", &request)?;
        let answer = self.with_installation(&request).await;
        let answer = answer.map_err(|error| explain(error, Whose::Own))?;
        let key = answer.find("API key", |element| match element {
            Element::CredentialPasswordIp(credential) => credential.token_value,
            _ => None,
        })?;
        self.change(|kept| (kept.api_key, kept.has_device, kept.session) = (Some(key), false, None))
    }

    /// The first use of the API key, which would be lost after an hour.
    async fn add_device(&mut self, announce: &impl Fn(&str)) -> Result<(), Error> {
        if self.kept.has_device {
            return Ok(());
        }
        announce("Registering a device");
        let secret = self.kept.api_key.as_ref().ok_or_else(not_registered)?;
        let request = DeviceRequest { description: DEVICE, secret, permitted_ips: vec!["*"] };
        let request = self.post("/v1/device-server", &request)?;
        let added = self.with_installation(&request).await;
        match added {
            Ok(_) => {}
            // An earlier attempt came through, but its answer was lost.
            Err(Error::Bank(error)) if error.says("device already exists") => {}
            Err(error) => return Err(explain(error, Whose::Own)),
        }
        self.change(|kept| kept.has_device = true)
    }

    /// Reads the OAuth client from the bank and keeps it; absent if there is none that is active.
    pub(super) async fn find_oauth_client(&mut self) -> Result<Option<KeptOauthClient>, Error> {
        let path = self.clients_path().await?;
        let request = self.get(&path);
        let answer = self.with_session(Whose::Own, &request).await?;
        let (clients, _) = answer.under::<OauthClient>(&["OauthClient"])?;
        let active = clients
            .into_iter()
            .map(|(_, client)| client)
            .find(|client| client.status == ClientStatus::Active);
        let found = active.map(|client| KeptOauthClient {
            id: client.id,
            client_id: client.client_id,
            client_secret: client.secret,
            callback_urls: client.callback_url.into_iter().map(|callback| callback.url).collect(),
        });
        self.change(|kept| kept.oauth_client = found)?;
        Ok(self.kept.oauth_client.clone())
    }

    async fn make_oauth_client(&mut self) -> Result<(), Error> {
        let path = self.clients_path().await?;
        let request = self.post(&path, &json!({"status": "ACTIVE"}))?;
        let url = request.url.clone();
        self.with_session(Whose::Own, &request).await?;
        let reason = "no OAuth client is there after one was made".to_owned();
        let found = self.find_oauth_client().await?;
        found.map(|_| ()).ok_or(Error::Answer { url, reason })
    }

    async fn clients_path(&mut self) -> Result<String, Error> {
        let user = self.session(Whose::Own).await?.user_id;
        Ok(format!("/v1/user/{user}/oauth-client"))
    }

    /// Adds a URL where browsers may come back to; one that is known already is no error.
    pub(super) async fn add_callback_url(&mut self, url: &str) -> Result<(), Error> {
        let path = self.clients_path().await?;
        let client = self.kept.oauth_client.as_ref().ok_or_else(not_registered)?;
        if client.callback_urls.iter().any(|known| known == url) {
            return Ok(());
        }
        let request = self.post(&format!("{path}/{}/callback-url", client.id), &json!({ "url": url }))?;
        let added = self.with_session(Whose::Own, &request).await;
        match added {
            Ok(_) => {}
            Err(Error::Bank(error)) if error.says("already been registered") => {}
            Err(error) => return Err(error),
        }
        self.change(|kept| {
            if let Some(client) = &mut kept.oauth_client
                && !client.callback_urls.iter().any(|known| known == url)
            {
                client.callback_urls.push(url.to_owned());
            }
        })
    }
}

/// Makes an RSA key pair, private and public half in PEM. That may take a while.
pub(super) async fn new_key(transport: &Transport) -> Result<(String, String), Error> {
    let making = tokio::task::spawn_blocking(|| generate_key(KeyType::Rsa2048));
    let made = transport.patiently("a key, which is being made", making).await;
    let unmade = |error: &dyn std::fmt::Display| Error::Setup(format!("no key can be made: {error}"));
    made.map_err(|error| unmade(&error))?.map_err(|error| unmade(&error))
}

/// What the key of the certificate signs: the public key as the bank has it, and the installation's token.
fn signed_text(public_key: &str, token: &str) -> String {
    format!("{}{token}", with_one_line_end(public_key))
}

fn with_one_line_end(pem: &str) -> String {
    format!("{}\n", pem.replace("\r\n", "\n").trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signed_text_has_one_line_end_between_key_and_token() {
        let (_, public) = generate_key(KeyType::Rsa2048).unwrap();
        let token = "0".repeat(64);
        for public in [public.clone(), public.trim_end().to_owned(), public.replace('\n', "\r\n")] {
            let text = signed_text(&public, &token);
            assert_eq!(text.len(), 515);
            assert!(text.ends_with(&format!("-----END PUBLIC KEY-----\n{token}")));
        }
    }
}
