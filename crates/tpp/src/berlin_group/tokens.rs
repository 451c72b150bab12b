//! Tokens: kept before they are used, renewed before they expire, given back.

use jiff::{SignedDuration, Timestamp};
use oauth::wire::TokenResponse;

use super::calls::{Access, Credentials};
use super::interface::Interface;
use super::session::Session;
use crate::error::not_registered;
use crate::kept_approvals::{KeptTokens, Matter};
use crate::{BankError, Error, Hint, clock};

/// An access token is renewed so long before it expires.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_secs(30);

impl Session<'_> {
    /// Gets new tokens now. A refresh token works once, and one that comes again may end the approval: commands that find
    /// the same tokens wait for each other, and the first one gets new tokens for all.
    pub(super) async fn refresh(&mut self) -> Result<(), Error> {
        let stale = self.approval().tokens.as_ref().map(|tokens| tokens.access_token.clone());
        let _turn = self.client.folder.turn("tokens").await?;
        self.reload()?;
        let tokens = self.approval().tokens.as_ref();
        if tokens.is_some_and(|tokens| stale.is_some_and(|stale| tokens.access_token != stale)) {
            return Ok(());
        }
        let token = tokens.and_then(|tokens| tokens.refresh_token.clone()).ok_or_else(|| {
            let text = format!("{} has no refresh token; ask for another one", self.matter);
            Error::missing(text, self.matter.ask())
        })?;
        let endpoint = &self.branch.server.token_endpoint;
        let tokens = self.branch.interface.refresh(endpoint, self.credentials()?, &token).await;
        match tokens {
            Err(Error::Bank(error)) if error.is_about_grant() => Err(self.without_tokens(error)),
            tokens => self.keep(tokens?),
        }
    }

    /// The bank takes the tokens no more, and there is no way to others.
    fn without_tokens(&self, error: BankError) -> Error {
        let next = "its tokens are good no more, and it is authorised once; ask for another one";
        let account = || self.client.state.account_of(&self.matter).map(str::to_owned);
        let hint = match &self.matter {
            Matter::Funds(_) => Hint::FundsConsent(account()),
            other => other.ask(),
        };
        Error::Credentials { error: error.into(), next, hint }
    }

    /// Takes up what other commands kept meanwhile.
    fn reload(&mut self) -> Result<(), Error> {
        let state = self.client.folder.reload(&self.client.state)?;
        state.approval(&self.matter).ok_or_else(|| self.matter.forgotten())?;
        self.client.state = state;
        Ok(())
    }

    /// Ends the tokens, and with `delete` the consent itself.
    pub(super) async fn revoke(&mut self, delete: bool) -> Result<(), Error> {
        if let Some(tokens) = self.approval().tokens.clone() {
            let token = tokens.refresh_token.unwrap_or(tokens.access_token);
            let endpoint = &self.branch.server.revocation_endpoint;
            self.branch.interface.revoke(endpoint, self.credentials()?, &token).await?;
            self.change(|kept| kept.tokens = None)?;
        }
        if delete {
            self.branch.interface.delete(&self.path()).await?;
            self.note("terminatedByTpp")?;
        }
        Ok(())
    }

    /// Reads with an access token that is still good; one that the bank refuses all the same is renewed once.
    pub(super) async fn with_token<T>(
        &mut self,
        read: impl AsyncFn(&Interface, Access<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let token = self.token().await?;
        let mut result = read(&self.branch.interface, self.access(&token)).await;
        if let Err(Error::Bank(error)) = &result
            && error.is_about_token()
            && self.can_refresh()
        {
            self.refresh().await?;
            let token = self.token().await?;
            result = read(&self.branch.interface, self.access(&token)).await;
        }
        match result {
            Err(Error::Bank(error)) if error.is_about_consent() => Err(self.ended_or(error).await),
            Err(Error::Bank(error)) if error.is_about_token() => Err(self.without_tokens(error)),
            other => other,
        }
    }

    fn access<'t>(&'t self, token: &'t str) -> Access<'t> {
        Access {
            consent: self.matter.id().unwrap_or_default(),
            token,
            psu_ip_address: self.psu_ip_address.as_deref(),
        }
    }

    fn can_refresh(&self) -> bool {
        self.approval().tokens.as_ref().is_some_and(|tokens| tokens.refresh_token.is_some())
    }

    /// An access token that does not expire within half a minute.
    pub(super) async fn token(&mut self) -> Result<String, Error> {
        self.check_usable()?;
        let (text, hint) = match (&self.matter, self.approval().confirmed) {
            (Matter::Payment(_), _) => {
                ("the payment is not approved yet; send the customer to the bank", self.matter.authorise())
            }
            (_, true) => {
                let text = "the consent has no tokens any more, and is authorised once; ask for another one";
                (text, self.matter.ask())
            }
            (_, false) => {
                ("the consent is not authorised yet; send the customer to the bank", self.matter.authorise())
            }
        };
        let none = || Error::missing(text, hint.clone());
        let tokens = self.approval().tokens.as_ref().ok_or_else(none)?;
        if tokens.expires_at.duration_since(clock::now()) < RENEW_BEFORE && self.can_refresh() {
            self.refresh().await?;
        }
        let tokens = self.approval().tokens.as_ref().ok_or_else(none)?;
        Ok(tokens.access_token.clone())
    }

    /// The tokens are on disk before they are used: a refresh token works once.
    pub(super) fn keep(&mut self, tokens: TokenResponse) -> Result<(), Error> {
        let lifetime = SignedDuration::from_secs(tokens.expires_in.clamp(0, 86_400));
        let expires_at = clock::now().saturating_add(lifetime).unwrap_or(Timestamp::MAX);
        let TokenResponse { access_token, refresh_token, .. } = tokens;
        self.change(|kept| {
            let before = kept.tokens.take().and_then(|tokens| tokens.refresh_token);
            let refresh_token = refresh_token.or(before);
            kept.tokens = Some(KeptTokens { access_token, expires_at, refresh_token });
            kept.pending = None;
        })
    }

    pub(super) fn credentials(&self) -> Result<Credentials<'_>, Error> {
        let kept = self.client.state.registration.as_ref().ok_or_else(not_registered)?;
        Ok(Credentials { id: &kept.client_id, secret: &kept.client_secret })
    }
}
