//! Calls of the interface: signed, each one request and its answer.

use berlin_group::wire::InitialAccessToken;
use eidas::header::to_header_value;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_signatures::Message;
use http_signatures::cavage::{sign_string, signing_string};
use http_signatures::digest::{DigestAlgorithm, digest_header};
use oauth::wire::{ClientInformation, Configuration};
use url::Url;

use crate::call::Call;
use crate::{Error, SigningIdentity, Transport, random};

/// Headers that are signed when a call carries them, in this order. That satisfies every rule set of the dialect.
const SIGNED: [&str; 5] = ["digest", "x-request-id", "psu-id", "psu-corporate-id", "tpp-redirect-uri"];

/// The interface of one bank and tenant.
#[derive(Debug)]
pub(super) struct Interface {
    pub(super) transport: Transport,
    identity: SigningIdentity,
    bank: String,
    tenant: String,
    /// Sends the signing certificate a second time in place of a TLS client certificate.
    ssl_certificate: bool,
}

impl Interface {
    /// That of the bank at `bank` (scheme and authority) and one of its tenants. `ssl_certificate` sends
    /// the header that stands in for a TLS client certificate in sandboxes.
    pub(super) fn new(
        transport: Transport,
        identity: SigningIdentity,
        bank: &str,
        tenant: &str,
        ssl_certificate: bool,
    ) -> Result<Self, Error> {
        let wrong = || {
            Error::Setup(format!("{bank} is no address of a bank; expected http:// or https:// and a host"))
        };
        let url = Url::parse(bank).map_err(|_| wrong())?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(wrong());
        }
        let bank = bank.trim_end_matches('/').to_owned();
        Ok(Self { transport, identity, bank, tenant: tenant.to_owned(), ssl_certificate })
    }

    /// The tenant.
    pub(super) fn tenant(&self) -> &str {
        &self.tenant
    }

    /// Whether calls present a TLS client certificate.
    pub(super) fn presents_certificate(&self) -> bool {
        self.transport.presents_certificate()
    }

    /// The URL of a path of the interface.
    pub(super) fn api(&self, path: &str) -> String {
        format!("{}/xs2a-bg/{}{path}", self.bank, self.tenant)
    }

    /// The URL behind a link of this bank.
    pub(super) fn resolve(&self, link: &str) -> Result<String, Error> {
        resolve(&self.bank, &self.tenant, link).ok_or_else(|| {
            let reason = format!("its link {link} does not lead to {}", self.bank);
            Error::Answer { url: self.bank.clone(), reason }
        })
    }

    /// Gets an initial access token for a signed call.
    pub(super) async fn initial_access_token(&self) -> Result<InitialAccessToken, Error> {
        let url = format!("{}/xs2a-bg/{}/onboarding/v1", self.bank, self.tenant);
        self.transport.json(self.signed(Call::get(url))?).await
    }

    /// Registers with an initial access token. Registering again replaces the redirect URIs and gives a new
    /// secret.
    pub(super) async fn register(
        &self,
        token: &InitialAccessToken,
        redirect_uris: &[String],
        sector_identifier_uri: &str,
    ) -> Result<ClientInformation, Error> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("initial_access_token", &token.access_token);
        for uri in redirect_uris {
            form.append_pair("redirect_uris", uri);
        }
        form.append_pair("sector_identifier_uri", sector_identifier_uri);
        let call = Call::new(Method::POST, token.links.registration.clone(), form.finish().into_bytes())
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", format!("Bearer {}", token.access_token));
        self.transport.json(self.signed(call)?).await
    }

    /// Reads the configuration of the bank's authorization server.
    pub(super) async fn configuration(&self) -> Result<Configuration, Error> {
        let url = format!("{}/auth/{}/.well-known/openid-configuration", self.bank, self.tenant);
        self.transport.json(Call::get(url).header("accept", "application/json")).await
    }

    /// Adds digest, certificate and signature. Nothing may change afterwards.
    pub(super) fn signed(&self, call: Call) -> Result<Call, Error> {
        self.signed_as(call, &random::request_id().to_string())
    }

    /// The same for a request with this id.
    pub(super) fn signed_as(&self, call: Call, request_id: &str) -> Result<Call, Error> {
        let certificate = to_header_value(&self.identity.certificate.der);
        let digest = digest_header(DigestAlgorithm::Sha256, &call.body);
        let mut call = call
            .header("accept", "application/json")
            .header("x-request-id", request_id)
            .header("digest", digest)
            .header("tpp-signature-certificate", certificate.clone());
        if self.ssl_certificate {
            call = call.header("ssl-certificate", certificate);
        }
        sign(call, &self.identity, &self.bank)
    }
}

/// Adds the signature over those headers of a call that are signed.
pub(crate) fn sign(mut call: Call, identity: &SigningIdentity, bank: &str) -> Result<Call, Error> {
    let setup =
        |error: &dyn std::fmt::Display| Error::Setup(format!("the request cannot be signed: {error}"));
    let mut headers = HeaderMap::new();
    for (name, value) in &call.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| setup(&error))?;
        headers.append(name, HeaderValue::from_str(value).map_err(|error| setup(&error))?);
    }
    let url = Url::parse(&call.url).map_err(|error| setup(&error))?;
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let target = format!("{}{query}", url.path());
    let message = Message { method: &call.method, target: &target, base_uri: bank, headers: &headers };
    let names: Vec<&str> = SIGNED.into_iter().filter(|name| headers.contains_key(*name)).collect();
    let text = signing_string(&names, &message, None, None).map_err(|error| setup(&error))?;
    let value = sign_string(&text, &identity.key, identity.algorithm, &identity.key_id, &names)
        .map_err(|error| setup(&error))?;
    call.signing_string = Some(String::from_utf8_lossy(&text).into_owned());
    Ok(call.header("signature", value))
}

/// The URL behind a link in any of the forms that banks write: absolute, from the origin, from the interface's
/// prefix, with or without the tenant.
fn resolve(bank: &str, tenant: &str, link: &str) -> Option<String> {
    if link.starts_with(&format!("{bank}/")) {
        Some(link.to_owned())
    } else if link.starts_with("/xs2a-bg/") {
        Some(format!("{bank}{link}"))
    } else if link.starts_with(&format!("/{tenant}/")) {
        Some(format!("{bank}/xs2a-bg{link}"))
    } else if link.starts_with('/') && !link.starts_with("//") {
        Some(format!("{bank}/xs2a-bg/{tenant}{link}"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_resolved_in_every_form_but_never_to_another_bank() {
        let url = "https://bank.example/xs2a-bg/nl/v1/accounts?x=1";
        for link in [url, "/xs2a-bg/nl/v1/accounts?x=1", "/nl/v1/accounts?x=1", "/v1/accounts?x=1"] {
            assert_eq!(resolve("https://bank.example", "nl", link).as_deref(), Some(url), "{link}");
        }
        for link in ["https://bank.example.evil/v1", "//evil/v1", "v1/accounts", "", "https://evil/v1"] {
            assert_eq!(resolve("https://bank.example", "nl", link), None, "{link}");
        }
    }
}
