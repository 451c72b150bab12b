//! What a third party does at a bank of this dialect.

use berlin_group::wire;

use super::Client;
use super::consent::ConsentSession;
use crate::announcement::Announcement;
use crate::error::not_registered;
use crate::kept_consents::{ConsentWish, KeptConsent};
use crate::loopback::Loopback;
use crate::state::{Dialect, KeptRegistration, State, Use};
use crate::third_party::{
    Account, Approved, Departure, Operation, Place, Reading, Registration, ThirdParty, TransactionsWish,
    chosen,
};
use crate::{Error, Hint};

impl ThirdParty for Client {
    const DIALECT: Dialect = Dialect::BerlinGroup;

    const FOREIGN_PATHS: &'static [&'static str] = &["xs2a-bg", "auth", "bunq"];

    const AFTER_REGISTERING: Hint = Hint::Consent;

    fn open(place: Place) -> Result<Self, Error> {
        Self::new(place)
    }

    fn state(&self) -> State {
        self.state.clone()
    }

    fn demanded(bank: &str, announced: Option<&Announcement>) -> Vec<Use> {
        let is_strict = announced.is_some_and(|it| it.strict) && bank.starts_with("https:");
        let for_tls = announced.is_some_and(|it| it.require_mtls) || is_strict;
        [Use::Signing].into_iter().chain(for_tls.then_some(Use::Tls)).collect()
    }

    fn is_registered(&self, redirect_uri: Option<&str>) -> bool {
        let known = self.state.redirect_uris();
        known.is_some_and(|known| redirect_uri.is_none_or(|uri| known.iter().any(|known| known == uri)))
    }

    async fn register(&mut self, wanted: &Registration, announce: impl Fn(&str)) -> Result<(), Error> {
        let interface = self.interface(&wanted.tenant)?;
        announce("Getting an initial access token");
        let token = interface.initial_access_token().await?;
        announce("Registering");
        let registered =
            interface.register(&token, &wanted.redirect_uris, &wanted.sector_identifier_uri).await?;
        // The secret is on disk before anyone sees it: the bank shows it this one time.
        self.state.registration = Some(KeptRegistration {
            tenant: wanted.tenant.clone(),
            client_id: registered.client_id,
            client_secret: registered.client_secret,
            redirect_uris: registered.redirect_uris,
            initial_access_token: token.access_token,
        });
        self.save()
    }

    async fn request_consent(
        &mut self,
        tenant: &str,
        redirect_uri: Option<&str>,
        wish: &ConsentWish,
    ) -> Result<KeptConsent, Error> {
        let uris = self.state.redirect_uris().ok_or_else(not_registered)?;
        let known = || Loopback::choose(uris);
        let none = || Error::Setup("the registration has no redirect URI".to_owned());
        let uri = redirect_uri.or_else(known).ok_or_else(none)?.to_owned();
        self.ask_for_consent(tenant, &uri, wish).await
    }

    fn awaiting(&self, named: Option<&str>) -> Result<Option<String>, Error> {
        self.choose(named).map(|kept| Some(kept.id.clone()))
    }

    async fn depart(&mut self, consent: Option<&str>, _: Option<&str>) -> Result<Departure, Error> {
        let mut session = self.consent(consent).await?;
        let url = session.authorization_url().await?;
        let redirect_uri = session.kept().redirect_uri.clone();
        Ok(Departure { consent: Some(session.id), url, redirect_uri })
    }

    async fn arrive(
        &mut self,
        consent: Option<&str>,
        location: &str,
        mut done: impl FnMut(&'static str, &str),
    ) -> Result<Approved, Error> {
        let mut session = self.consent(consent).await?;
        session.redeem(location).await?;
        done("tokens", "code redeemed");
        session.confirm().await?;
        let status = session.status().await?;
        done("confirmation", &format!("consent is {status}"));
        Ok(Approved::Consent { id: session.id, status })
    }

    async fn consent_status(&mut self, by: Option<&str>) -> Result<(String, String), Error> {
        // What became of a consent is asked also when none is left that could be used.
        let ended = match self.choose(by) {
            Err(Error::Ended { id, .. }) => Some(id),
            _ => None,
        };
        let mut session = self.consent(ended.as_deref().or(by)).await?;
        let status = session.status().await?;
        Ok((session.id, status))
    }

    async fn refresh(&mut self, by: Option<&str>) -> Result<KeptConsent, Error> {
        let mut session = self.consent(by).await?;
        session.refresh().await?;
        Ok(session.kept().clone())
    }

    async fn revoke(&mut self, by: Option<&str>, delete: bool) -> Result<KeptConsent, Error> {
        let mut session = self.consent(by).await?;
        session.revoke(delete).await?;
        Ok(session.kept().clone())
    }

    async fn accounts(&mut self, reading: &Reading) -> Result<Vec<Account>, Error> {
        let accounts = self.reading(reading).await?.accounts().await?;
        chosen(accounts, reading.account.as_deref(), "consent")
    }

    async fn balances(
        &mut self,
        reading: &Reading,
        account: &Account,
    ) -> Result<Option<wire::Balances>, Error> {
        self.reading(reading).await?.balances(account).await.map(Some)
    }

    async fn transactions(
        &mut self,
        reading: &Reading,
        account: &Account,
        wish: &TransactionsWish,
    ) -> Result<wire::TransactionList, Error> {
        self.reading(reading).await?.transactions(account, wish).await
    }

    fn instead(_: Operation) -> (&'static str, Option<Hint>) {
        ("; a bank may speak that of bunq too", Some(Hint::RegisterIn(Dialect::Bunq)))
    }
}

impl Client {
    async fn reading(&mut self, reading: &Reading) -> Result<ConsentSession<'_>, Error> {
        let mut session = self.consent(reading.by.as_deref()).await?;
        session.psu_ip_address.clone_from(&reading.psu_ip_address);
        session.beyond_budget = reading.beyond_budget;
        Ok(session)
    }
}
