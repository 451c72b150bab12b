//! A consent from its request to its end, with everything that has to be kept on the way: links, verifier, tokens,
//! and how often data were read without the customer.

use berlin_group::wire;
use jiff::{SignedDuration, Timestamp};
use oauth::wire::{Configuration, TokenResponse};

use crate::authorization::PendingAuthorization;
use crate::berlin_group::{Access, Client, Credentials};
use crate::kept_consents::{ConsentWish, KeptConsent, KeptRead, KeptTokens, is_end};
use crate::state::{State, StateFolder};
use crate::{BankError, Error, clock};

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
    /// The day at the bank, `YYYY-MM-DD`, if it is known better than by this machine's clock.
    pub today: Option<String>,
}

/// The consent with this id, or the newest one that can still be used on its day at the bank.
///
/// # Errors
/// [`Error::Setup`] if it is not kept, [`Error::Ended`] if there are none but ended ones.
pub fn choose<'s>(
    state: &'s State,
    id: Option<&str>,
    today: impl Fn(&KeptConsent) -> String,
) -> Result<&'s KeptConsent, Error> {
    if let Some(id) = id {
        return state.consents.iter().find(|kept| kept.id == id).ok_or_else(|| {
            Error::Setup(format!(
                "consent {id} is not kept here; those that are, are listed by: vestibule tpp show"
            ))
        });
    }
    let mut newest = state.consents.iter().rev();
    if let Some(living) = newest.find(|kept| kept.end(&today(kept)).is_none()) {
        return Ok(living);
    }
    Err(match state.consents.last() {
        Some(kept) => {
            let status = kept.end(&today(kept)).unwrap_or_default().to_owned();
            Error::Ended { id: kept.id.clone(), status }
        }
        None => Error::Setup("no consent is kept yet; ask for one with: vestibule tpp consent".to_owned()),
    })
}

/// Today at a branch of a bank that does not say what day it is.
pub fn today_at(tenant: &str) -> String {
    clock::today_at(tenant)
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
            recurring: consent.recurring_indicator,
            begun: false,
            confirmed: false,
            ended: None,
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
        let id = choose(&state, id, |kept| clock::today_at(&kept.tenant))?.id.clone();
        let mut configuration = client.configuration().await?;
        // A client with a TLS certificate presents it where the bank asks for one (RFC 8705, 5).
        if let Some(aliases) =
            configuration.mtls_endpoint_aliases.take().filter(|_| client.presents_certificate())
        {
            configuration.token_endpoint = aliases.token_endpoint;
            configuration.revocation_endpoint = aliases.revocation_endpoint;
        }
        let (psu_ip_address, beyond_budget, today) = (None, false, None);
        Ok(Self { client, configuration, folder, state, id, psu_ip_address, beyond_budget, today })
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

    /// Where to send the browser. Challenge and state are kept until it comes back. If the attempt before failed, the
    /// bank is asked for another one.
    ///
    /// # Errors
    /// [`Error::Ended`] if the consent can be authorised no more.
    pub async fn authorization_url(&mut self) -> Result<String, Error> {
        self.check_usable()?;
        if self.kept().begun {
            self.begin_again().await?;
        }
        let pending = PendingAuthorization::begin(&self.kept().sca_redirect)?;
        let url = pending.url.clone();
        self.change(|kept| (kept.pending, kept.begun) = (Some(pending), true))?;
        Ok(url)
    }

    async fn begin_again(&mut self) -> Result<(), Error> {
        let status = self.status().await?;
        self.check_usable()?;
        if status == "valid" {
            return Err(Error::Setup(format!(
                "consent {} is valid, and is authorised once; ask for another one with: vestibule tpp consent",
                self.id
            )));
        }
        let attempt = self.client.sca_status((&self.id, &self.kept().authorisation)).await?;
        if attempt != "failed" {
            return Ok(());
        }
        let begun = self.client.begin_authorisation(&self.id, &self.kept().redirect_uri).await?;
        let unreadable = || Error::Answer {
            url: "POST authorisations".to_owned(),
            reason: "it has no authorisationId or no scaRedirect link".to_owned(),
        };
        let authorisation = begun.authorisation_id.ok_or_else(unreadable)?;
        let sca_redirect = begun.links.sca_redirect.ok_or_else(unreadable)?;
        let confirmation = begun.links.confirmation.or(begun.links.sca_status);
        self.change(|kept| {
            (kept.authorisation, kept.sca_redirect) = (authorisation, sca_redirect);
            kept.confirmation = confirmation;
        })
    }

    fn check_usable(&self) -> Result<(), Error> {
        match self.kept().end(&self.today()) {
            Some(status) => Err(Error::Ended { id: self.id.clone(), status: status.to_owned() }),
            None => Ok(()),
        }
    }

    /// The day at the bank.
    fn today(&self) -> String {
        self.today.clone().unwrap_or_else(|| clock::today_at(&self.kept().tenant))
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
        let none = if kept.confirmed {
            "no authorisation is under way: the consent has its own; read with: vestibule tpp accounts"
        } else {
            "no authorisation is under way; begin with: vestibule tpp authorise"
        };
        let pending = kept.pending.ok_or_else(|| Error::Setup(none.to_owned()))?;
        let code = match pending.code(location, &self.configuration.issuer) {
            Err(refused @ Error::Authorization { .. }) => return Err(self.what_now(refused).await),
            other => other?,
        };
        let endpoint = &self.configuration.token_endpoint;
        let (uri, verifier) = (&kept.redirect_uri, &pending.code_verifier);
        let tokens = self.client.redeem_code(endpoint, self.credentials()?, &code, uri, verifier).await?;
        self.keep(tokens)
    }

    /// What the bank's no means for the consent: whether there may be another attempt.
    async fn what_now(&mut self, refused: Error) -> Error {
        match (self.status().await, refused) {
            (Ok(status), Error::Authorization { error, description, .. }) if is_end(&status) => {
                let next = "the consent is rejected; ask for another one with: vestibule tpp consent";
                Error::Authorization { error, description, next }
            }
            (_, refused) => refused,
        }
    }

    /// Confirms the authorisation, which makes the consent valid.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn confirm(&mut self) -> Result<(), Error> {
        let token = self.token().await?;
        let kept = self.kept();
        let ids = (kept.id.as_str(), kept.authorisation.as_str());
        self.client.confirm(ids, kept.confirmation.as_deref(), &token).await?;
        self.change(|kept| kept.confirmed = true)
    }

    /// The consent's status. One that says that it has ended is kept.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn status(&mut self) -> Result<String, Error> {
        let status = self.client.consent_status(&self.id).await?;
        self.note(&status)?;
        Ok(status)
    }

    fn note(&mut self, status: &str) -> Result<(), Error> {
        if !is_end(status) {
            return Ok(());
        }
        self.change(|kept| {
            (kept.ended, kept.tokens, kept.pending) = (Some(status.to_owned()), None, None);
        })
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
        self.check_budget(&account.resource_id, "balances")?;
        let balances = self.with_token(async |client, access| client.balances(&link, access).await).await?;
        self.count(&account.resource_id, "balances")?;
        Ok(balances)
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
        self.check_budget(&account.resource_id, "transactions")?;
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
        for number in 0..MAX_PAGES {
            let page = self
                .with_token(async |client, access| client.transactions(&link, &parameters, access).await)
                .await?
                .transactions;
            // The pages of a read belong to it.
            if number == 0 {
                self.count(&account.resource_id, "transactions")?;
            }
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
                "consent {} has no refresh token; ask for another one with: vestibule tpp consent",
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
            self.note("terminatedByTpp")?;
        }
        Ok(())
    }

    /// Reads with an access token that is still good; one that the bank refuses all the same is renewed once.
    async fn with_token<T>(
        &mut self,
        read: impl AsyncFn(&Client, Access<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let token = self.token().await?;
        let mut result = read(self.client, self.access(&token)).await;
        if let Err(Error::Bank(error)) = &result
            && error.is_about_token()
            && self.can_refresh()
        {
            self.refresh().await?;
            let token = self.token().await?;
            result = read(self.client, self.access(&token)).await;
        }
        match result {
            Err(Error::Bank(error)) if error.is_about_consent() => Err(self.ended_or(error).await),
            other => other,
        }
    }

    /// A refusal that is about the consent: whether that has ended is asked.
    async fn ended_or(&mut self, error: BankError) -> Error {
        match self.status().await {
            Ok(status) if is_end(&status) => Error::Ended { id: self.id.clone(), status },
            Err(Error::Bank(unknown)) if matches!(unknown.status, 403 | 404) => {
                let status = "unknown to the bank".to_owned();
                match self.change(|kept| kept.ended = Some(status.clone())) {
                    Ok(()) => Error::Ended { id: self.id.clone(), status },
                    Err(error) => error,
                }
            }
            _ => Error::Bank(error),
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
        self.check_usable()?;
        let text = if self.kept().confirmed {
            "the consent has no tokens any more, and is authorised once; ask for another one with: vestibule tpp consent"
        } else {
            "the consent is not authorised yet; send the customer to the bank with: vestibule tpp authorise"
        };
        let none = || Error::Setup(text.to_owned());
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

    /// Whether a read is one that the bank counts: without the customer, and for more than one time.
    fn is_counted(&self) -> bool {
        self.psu_ip_address.is_none() && self.kept().recurring
    }

    /// Checks that today's unattended reads are not used up by this side's own count.
    fn check_budget(&self, account: &str, kind: &str) -> Result<(), Error> {
        let (kept, day) = (self.kept(), self.today());
        let is_it = |read: &&KeptRead| read.day == day && read.account == account && read.kind == kind;
        let spent = kept.reads.iter().find(is_it).map_or(0, |read| read.count);
        let limit = kept.frequency_per_day;
        if !self.is_counted() || self.beyond_budget || spent < limit {
            return Ok(());
        }
        Err(Error::Budget { limit, kind: kind.to_owned(), account: account.to_owned() })
    }

    /// Counts a read that the bank answered, as the bank counts: a refused one costs nothing.
    fn count(&mut self, account: &str, kind: &str) -> Result<(), Error> {
        if !self.is_counted() {
            return Ok(());
        }
        let day = self.today();
        self.change(|kept| {
            kept.reads.retain(|read| read.day == day);
            let known = kept.reads.iter_mut().find(|read| read.account == account && read.kind == kind);
            match known {
                Some(read) => read.count += 1,
                None => {
                    let (account, kind) = (account.to_owned(), kind.to_owned());
                    kept.reads.push(KeptRead { account, kind, day, count: 1 });
                }
            }
        })
    }

    fn credentials(&self) -> Result<Credentials<'_>, Error> {
        let kept = self.state.registration.as_ref();
        let kept = kept.ok_or_else(|| {
            Error::Setup("not registered yet; register with: vestibule tpp register --redirect-uri https://tpp.example/callback"
                    .to_owned())
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
