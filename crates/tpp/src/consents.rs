//! A consent from its request to its end, with everything that has to be kept on the way: links, verifier, tokens,
//! and how often data were read without the customer.

use berlin_group::wire;
use jiff::{SignedDuration, Timestamp};
use oauth::wire::{Configuration, TokenResponse};

use crate::authorization::PendingAuthorization;
use crate::berlin_group::{Access, Client, Credentials};
use crate::kept_consents::{ConsentWish, KeptConsent, KeptRead, KeptTokens};
use crate::state::{State, StateFolder};
use crate::{Error, clock};

/// An access token is renewed so long before it expires.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_secs(30);

/// Pages of transactions that are read at most.
const MAX_PAGES: usize = 1000;

/// Which transactions are wanted.
#[derive(Debug, Clone, Default)]
pub struct TransactionsWish {
    /// `booked`, `pending` or `both`.
    pub booking_status: Option<String>,
    /// First booking date.
    pub from: Option<String>,
    /// Last booking date.
    pub to: Option<String>,
}

/// One consent of the state, and the client to use it.
#[derive(Debug)]
pub struct ConsentSession<'a> {
    client: &'a Client,
    configuration: Configuration,
    folder: &'a StateFolder,
    state: State,
    id: String,
    /// Where the customer comes from, if they take part.
    pub psu_ip_address: Option<String>,
    /// Reads even if today's unattended reads are used up by this side's own count.
    pub beyond_budget: bool,
}

impl<'a> ConsentSession<'a> {
    /// Asks for a consent and keeps it.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn request(
        client: &'a Client,
        folder: &'a StateFolder,
        mut state: State,
        redirect_uri: &str,
        wish: &ConsentWish,
    ) -> Result<Self, Error> {
        let consent = client.request_consent(&wish.request(), redirect_uri, "127.0.0.1").await?;
        let sca_redirect = consent.links.sca_redirect.ok_or_else(|| Error::Answer {
            url: "POST consents".to_owned(),
            reason: "it has no scaRedirect link".to_owned(),
        })?;
        let kept = KeptConsent {
            id: consent.consent_id.clone(),
            authorisation: consent.authorisation_id,
            tenant: client.tenant().to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            sca_redirect,
            confirmation: consent.links.confirmation.or(consent.links.sca_status),
            valid_until: consent.valid_until,
            frequency_per_day: consent.frequency_per_day,
            pending: None,
            tokens: None,
            reads: Vec::new(),
        };
        state.consents.push(kept);
        folder.save(&state)?;
        Self::open(client, folder, state, Some(&consent.consent_id)).await
    }

    /// Takes up a consent that is kept: the one with this id, or the newest.
    ///
    /// # Errors
    /// [`Error::Setup`] if there is none.
    pub async fn open(
        client: &'a Client,
        folder: &'a StateFolder,
        state: State,
        id: Option<&str>,
    ) -> Result<Self, Error> {
        let kept = match id {
            Some(id) => state.consents.iter().find(|kept| kept.id == id),
            None => state.consents.last(),
        };
        let kept = kept.ok_or_else(|| {
            Error::Setup(match id {
                Some(id) => format!("consent {id} is not kept here; vestibule tpp show lists those that are"),
                None => "no consent is kept yet; ask for one with: vestibule tpp consent".to_owned(),
            })
        })?;
        let id = kept.id.clone();
        let mut configuration = client.configuration().await?;
        // A client with a TLS certificate presents it where the bank asks for one (RFC 8705, 5).
        if let Some(aliases) =
            configuration.mtls_endpoint_aliases.take().filter(|_| client.presents_certificate())
        {
            configuration.token_endpoint = aliases.token_endpoint;
            configuration.revocation_endpoint = aliases.revocation_endpoint;
        }
        let session =
            Self { client, configuration, folder, state, id, psu_ip_address: None, beyond_budget: false };
        Ok(session)
    }

    /// The consent.
    ///
    /// # Panics
    /// Never: a session is made for a consent that is in the state, and none is taken out.
    pub fn kept(&self) -> &KeptConsent {
        let kept = self.state.consents.iter().find(|kept| kept.id == self.id);
        #[expect(clippy::expect_used, reason = "see above")]
        kept.expect("the consent of this session is in its state")
    }

    /// Where to send the browser. Challenge and state are kept until it comes back.
    ///
    /// # Errors
    /// [`Error`]
    pub fn authorization_url(&mut self) -> Result<String, Error> {
        let pending = PendingAuthorization::begin(&self.kept().sca_redirect)?;
        let url = pending.url.clone();
        self.change(|kept| kept.pending = Some(pending))?;
        Ok(url)
    }

    /// The browser came back: redeems the code, keeps the tokens, confirms, and reads the status.
    ///
    /// # Errors
    /// [`Error::Authorization`] if the customer or the bank said no.
    pub async fn finish(&mut self, location: &str) -> Result<String, Error> {
        self.redeem(location).await?;
        self.confirm().await?;
        self.status().await
    }

    /// Redeems the code that the browser brought and keeps the tokens.
    ///
    /// # Errors
    /// [`Error::Authorization`] if the customer or the bank said no.
    pub async fn redeem(&mut self, location: &str) -> Result<(), Error> {
        let kept = self.kept().clone();
        let pending = kept.pending.ok_or_else(|| {
            Error::Setup("no authorisation is under way; begin with: vestibule tpp authorise".to_owned())
        })?;
        let code = pending.code(location, &self.configuration.issuer)?;
        let endpoint = &self.configuration.token_endpoint;
        let (uri, verifier) = (&kept.redirect_uri, &pending.code_verifier);
        let tokens = self.client.redeem_code(endpoint, self.credentials()?, &code, uri, verifier).await?;
        self.keep(tokens)
    }

    /// Confirms the authorisation, which makes the consent valid.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn confirm(&mut self) -> Result<(), Error> {
        let token = self.token().await?;
        let kept = self.kept();
        let ids = (kept.id.as_str(), kept.authorisation.as_str());
        self.client.confirm(ids, kept.confirmation.as_deref(), &token).await.map(|_| ())
    }

    /// The consent's status.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn status(&self) -> Result<String, Error> {
        self.client.consent_status(&self.id).await
    }

    /// The accounts that the consent covers, savings last.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn accounts(&mut self) -> Result<Vec<wire::Account>, Error> {
        let mut all = Vec::new();
        for path in ["/v1/accounts", "/v2/savings"] {
            all.extend(self.with_token(async |client, access| client.accounts(path, access).await).await?);
        }
        Ok(all)
    }

    /// The balances of an account.
    ///
    /// # Errors
    /// [`Error::Budget`] if today's unattended reads are used up.
    pub async fn balances(&mut self, account: &wire::Account) -> Result<wire::Balances, Error> {
        let link = linked(account.links.balances.as_deref(), account, "balances")?;
        self.spend(&account.resource_id, "balances")?;
        self.with_token(async |client, access| client.balances(&link, access).await).await
    }

    /// Transactions of an account, all pages.
    ///
    /// # Errors
    /// [`Error::Budget`] if today's unattended reads are used up.
    pub async fn transactions(
        &mut self,
        account: &wire::Account,
        wish: &TransactionsWish,
    ) -> Result<wire::TransactionList, Error> {
        let mut link = linked(account.links.transactions.as_deref(), account, "transactions")?;
        self.spend(&account.resource_id, "transactions")?;
        let mut parameters: Vec<(&str, String)> = Vec::new();
        let status = wish.booking_status.clone().unwrap_or_else(|| "both".to_owned());
        parameters.push(("bookingStatus", status));
        parameters.extend(wish.from.clone().map(|from| ("dateFrom", from)));
        parameters.extend(wish.to.clone().map(|to| ("dateTo", to)));
        let mut all = wire::TransactionList {
            booked: Vec::new(),
            pending: Vec::new(),
            links: wire::TransactionLinks::default(),
        };
        for _ in 0..MAX_PAGES {
            let page = self
                .with_token(async |client, access| client.transactions(&link, &parameters, access).await)
                .await?
                .transactions;
            all.booked.extend(page.booked);
            all.pending.extend(page.pending);
            // A bank that repeats a link would never end.
            match page.links.next.filter(|next| !next.is_empty() && *next != link) {
                Some(next) => link = next,
                None => return Ok(all),
            }
            // The next link holds the criteria.
            parameters.clear();
        }
        Ok(all)
    }

    /// Gets new tokens now.
    ///
    /// # Errors
    /// [`Error::Setup`] if there is no refresh token.
    pub async fn refresh(&mut self) -> Result<(), Error> {
        let token = self.kept().tokens.as_ref().and_then(|tokens| tokens.refresh_token.clone());
        let token = token.ok_or_else(|| {
            Error::Setup(format!(
                "consent {} has no refresh token; ask the customer again with: vestibule tpp authorise",
                self.id
            ))
        })?;
        let endpoint = &self.configuration.token_endpoint;
        let tokens = self.client.refresh(endpoint, self.credentials()?, &token).await?;
        self.keep(tokens)
    }

    /// Ends the tokens, and with `delete` the consent itself.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn revoke(&mut self, delete: bool) -> Result<(), Error> {
        if let Some(tokens) = self.kept().tokens.clone() {
            let token = tokens.refresh_token.unwrap_or(tokens.access_token);
            let endpoint = &self.configuration.revocation_endpoint;
            self.client.revoke(endpoint, self.credentials()?, &token).await?;
            self.change(|kept| kept.tokens = None)?;
        }
        if delete {
            self.client.delete_consent(&self.id).await?;
        }
        Ok(())
    }

    /// Reads with an access token that is still good; one that the bank refuses all the same is renewed once.
    async fn with_token<T>(
        &mut self,
        read: impl AsyncFn(&Client, Access<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let token = self.token().await?;
        let first = read(self.client, self.access(&token)).await;
        match first {
            Err(Error::Bank(error)) if error.is_about_token() && self.can_refresh() => {
                self.refresh().await?;
                let token = self.token().await?;
                read(self.client, self.access(&token)).await
            }
            other => other,
        }
    }

    fn access<'t>(&'t self, token: &'t str) -> Access<'t> {
        Access { consent: &self.id, token, psu_ip_address: self.psu_ip_address.as_deref() }
    }

    fn can_refresh(&self) -> bool {
        self.kept().tokens.as_ref().is_some_and(|tokens| tokens.refresh_token.is_some())
    }

    /// An access token that does not expire within half a minute.
    async fn token(&mut self) -> Result<String, Error> {
        let none = || {
            Error::Setup(
                "the consent is not authorised yet; send the customer to the bank with: vestibule tpp authorise"
                    .to_owned(),
            )
        };
        let tokens = self.kept().tokens.as_ref().ok_or_else(none)?;
        if tokens.expires_at.duration_since(clock::now()) < RENEW_BEFORE && self.can_refresh() {
            self.refresh().await?;
        }
        let tokens = self.kept().tokens.as_ref().ok_or_else(none)?;
        Ok(tokens.access_token.clone())
    }

    /// The tokens are on disk before they are used: a refresh token works once.
    fn keep(&mut self, tokens: TokenResponse) -> Result<(), Error> {
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

    /// Counts an unattended read before it is made.
    fn spend(&mut self, account: &str, kind: &str) -> Result<(), Error> {
        if self.psu_ip_address.is_some() {
            return Ok(());
        }
        let day = clock::now().to_string()[..10].to_owned();
        let limit = self.kept().frequency_per_day;
        let beyond = self.beyond_budget;
        let mut spent = 0;
        self.change(|kept| {
            kept.reads.retain(|read| read.day == day);
            let known = kept.reads.iter_mut().find(|read| read.account == account && read.kind == kind);
            match known {
                Some(read) => {
                    spent = read.count;
                    if read.count < limit || beyond {
                        read.count += 1;
                    }
                }
                None => {
                    let (account, kind) = (account.to_owned(), kind.to_owned());
                    kept.reads.push(KeptRead { account, kind, day, count: 1 });
                }
            }
        })?;
        if spent >= limit && !beyond {
            return Err(Error::Budget { limit, kind: kind.to_owned(), account: account.to_owned() });
        }
        Ok(())
    }

    fn credentials(&self) -> Result<Credentials<'_>, Error> {
        let kept = self.state.registration.as_ref();
        let kept = kept.ok_or_else(|| {
            Error::Setup("not registered yet; register with: vestibule tpp register".to_owned())
        })?;
        Ok(Credentials { id: &kept.client_id, secret: &kept.client_secret })
    }

    fn change(&mut self, change: impl FnOnce(&mut KeptConsent)) -> Result<(), Error> {
        if let Some(kept) = self.state.consents.iter_mut().find(|kept| kept.id == self.id) {
            change(kept);
        }
        self.folder.save(&self.state)
    }
}

fn linked(link: Option<&str>, account: &wire::Account, what: &str) -> Result<String, Error> {
    link.map(str::to_owned).ok_or_else(|| {
        Error::Setup(format!("the consent does not cover {what} of account {}", account.resource_id))
    })
}
