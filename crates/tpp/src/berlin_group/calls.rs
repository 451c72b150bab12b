//! Consents and payments, their authorisation, and account information.

use berlin_group::wire;
use http::Method;
use oauth::wire::TokenResponse;
use serde::de::DeserializeOwned;

use super::interface::Interface;
use crate::call::Call;
use crate::{Error, clock};

/// Client id and secret.
#[derive(Clone, Copy)]
pub(super) struct Credentials<'a> {
    /// Client id.
    pub(super) id: &'a str,
    /// Client secret.
    pub(super) secret: &'a str,
}

impl std::fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What a read of account data carries besides the signature.
#[derive(Clone, Copy)]
pub(super) struct Access<'a> {
    /// The consent.
    pub(super) consent: &'a str,
    /// The access token.
    pub(super) token: &'a str,
    /// Where the customer comes from, if they take part.
    pub(super) psu_ip_address: Option<&'a str>,
}

/// Where the customer comes from, where they take part by being at this side's command.
const CUSTOMER: &str = "127.0.0.1";

impl Interface {
    /// A request for something that a customer is to approve.
    pub(super) fn request(
        &self,
        path: &str,
        body: Vec<u8>,
        content_type: &'static str,
        redirect_uri: &str,
    ) -> Call {
        Call::new(Method::POST, self.api(path), body)
            .header("content-type", content_type)
            .header("psu-ip-address", CUSTOMER)
            .header("tpp-redirect-uri", redirect_uri)
    }

    /// Reads the status of something at a path.
    pub(super) async fn status<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        let call = Call::get(self.api(&format!("{path}/status")));
        self.transport.json(self.signed(call)?).await
    }

    /// Reads the status of an authorisation.
    pub(super) async fn sca_status(&self, path: &str) -> Result<String, Error> {
        let status: wire::ScaStatus = self.transport.json(self.signed(Call::get(self.api(path)))?).await?;
        Ok(status.sca_status)
    }

    /// Begins another authorisation among those at a path.
    pub(super) async fn begin_authorisation(
        &self,
        path: &str,
        redirect_uri: &str,
    ) -> Result<wire::Authorisation, Error> {
        let call = Call::new(Method::POST, self.api(path), Vec::new())
            .header("content-type", "application/json")
            .header("tpp-redirect-uri", redirect_uri);
        self.transport.json(self.signed(call)?).await
    }

    /// Ends a consent.
    pub(super) async fn delete(&self, path: &str) -> Result<(), Error> {
        let call = Call::new(Method::DELETE, self.api(path), Vec::new());
        self.transport.send(self.signed(call)?).await.map(|_| ())
    }

    /// Confirms an authorisation.
    pub(super) async fn confirm(
        &self,
        url: String,
        consent: Option<&str>,
        token: &str,
    ) -> Result<String, Error> {
        let mut call = Call::new(Method::PUT, url, Vec::new())
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {token}"));
        if let Some(consent) = consent {
            call = call.header("consent-id", consent);
        }
        let confirmed: wire::Authorisation = self.transport.json(self.signed(call)?).await?;
        Ok(confirmed.sca_status)
    }

    /// Redeems an authorization code. It is good once: whether the bank took it is open where no answer comes.
    pub(super) async fn redeem_code(
        &self,
        token_endpoint: &str,
        credentials: Credentials<'_>,
        code: &str,
        redirect_uri: &str,
        code_verifier: &str,
    ) -> Result<TokenResponse, Error> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", code_verifier),
        ];
        self.transport.json_once(form_call(token_endpoint, credentials, &form)).await
    }

    /// Trades a refresh token for new tokens.
    pub(super) async fn refresh(
        &self,
        token_endpoint: &str,
        credentials: Credentials<'_>,
        refresh_token: &str,
    ) -> Result<TokenResponse, Error> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        self.transport.json(form_call(token_endpoint, credentials, &form)).await
    }

    /// Ends a token.
    pub(super) async fn revoke(
        &self,
        revocation_endpoint: &str,
        credentials: Credentials<'_>,
        token: &str,
    ) -> Result<(), Error> {
        let call = form_call(revocation_endpoint, credentials, &[("token", token)]);
        self.transport.send(call).await.map(|_| ())
    }

    /// The accounts of a path, `/v1/accounts` or `/v2/savings`.
    pub(super) async fn accounts(&self, path: &str, access: Access<'_>) -> Result<Vec<wire::Account>, Error> {
        let list: wire::AccountList = self.read(self.api(path), access).await?;
        Ok(list.accounts)
    }

    /// The balances behind a link.
    pub(super) async fn balances(&self, link: &str, access: Access<'_>) -> Result<wire::Balances, Error> {
        self.read(self.resolve(link)?, access).await
    }

    /// One page of transactions: a link with further parameters.
    pub(super) async fn transactions(
        &self,
        link: &str,
        parameters: &[(&str, String)],
        access: Access<'_>,
    ) -> Result<wire::Transactions, Error> {
        let mut url = self.resolve(link)?;
        if !parameters.is_empty() {
            let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
            url = format!("{url}{}{query}", if url.contains('?') { '&' } else { '?' });
        }
        self.read(url, access).await
    }

    async fn read<T: DeserializeOwned>(&self, url: String, access: Access<'_>) -> Result<T, Error> {
        let mut call = Call::get(url)
            .header("consent-id", access.consent)
            .header("authorization", format!("Bearer {}", access.token));
        if let Some(address) = access.psu_ip_address {
            call = call.header("psu-ip-address", address);
        }
        match self.transport.json(self.signed(call)?).await {
            Err(Error::Bank(error)) if error.is_access_exceeded() => {
                Err(Error::AccessExceeded { error, retry_at: clock::end_of_day() })
            }
            other => other,
        }
    }
}

fn form_call(endpoint: &str, credentials: Credentials<'_>, form: &[(&str, &str)]) -> Call {
    use base64::Engine;
    let pair = format!("{}:{}", credentials.id, credentials.secret);
    let basic = base64::engine::general_purpose::STANDARD.encode(pair);
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    Call::new(Method::POST, endpoint.to_owned(), body.into_bytes())
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept", "application/json")
        .header("authorization", format!("Basic {basic}"))
}
