//! What a third party does at a bank of this dialect.

use berlin_group::wire;

use super::Client;
use super::session::Session;
use crate::accounts::{Account, Reading, TransactionsWish, chosen};
use crate::announcement::Announcement;
use crate::error::not_registered;
use crate::funds::{FundsAnswer, FundsWish};
use crate::kept_approvals::{Matter, Wanted};
use crate::kept_consents::{ConsentWish, KeptConsent};
use crate::kept_payments::KeptFundsConsent;
use crate::loopback::Loopback;
use crate::operations::Operation;
use crate::payments::{Asked, Cancellation, PaymentDetails, PaymentStatus, PaymentWish};
use crate::state::{Dialect, KeptRegistration, State, Use};
use crate::third_party::{Approved, Departure, Place, Registration, ThirdParty};
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
        let kept = KeptRegistration {
            tenant: wanted.tenant.clone(),
            client_id: registered.client_id,
            client_secret: registered.client_secret,
            redirect_uris: registered.redirect_uris,
            initial_access_token: token.access_token,
        };
        self.update(|state| {
            state.registration = Some(kept);
            Ok(())
        })
    }

    async fn request_consent(
        &mut self,
        tenant: &str,
        redirect_uri: Option<&str>,
        wish: &ConsentWish,
    ) -> Result<KeptConsent, Error> {
        let uri = self.redirect_uri(redirect_uri)?;
        self.ask_for_consent(tenant, &uri, wish).await
    }

    fn awaiting(&self, wanted: &Wanted) -> Result<Matter, Error> {
        Ok(match wanted {
            Wanted::Consent(named) => Matter::Consent(self.choose(named.as_deref())?.approval.id.clone()),
            Wanted::Payment(named) => Matter::Payment(self.choose_payment(named.as_deref())?.id.clone()),
            Wanted::Funds(named) => {
                Matter::Funds(self.choose_funds_consent(named.as_deref(), None)?.approval.id.clone())
            }
        })
    }

    async fn depart(&mut self, matter: &Matter, _: Option<&str>) -> Result<Departure, Error> {
        let mut session = self.session(matter.clone()).await?;
        let url = session.authorization_url().await?;
        let redirect_uri = session.approval().redirect_uri.clone();
        Ok(Departure { matter: session.matter, url, redirect_uri })
    }

    async fn arrive(
        &mut self,
        matter: &Matter,
        location: &str,
        mut done: impl FnMut(&'static str, &str),
    ) -> Result<Approved, Error> {
        let mut session = self.session(matter.clone()).await?;
        session.redeem(location).await?;
        done("tokens", "code redeemed");
        session.confirmed(done).await
    }

    async fn resume(&mut self, matter: &Matter) -> Result<Option<Approved>, Error> {
        let kept = self.state.approval(matter);
        if kept.is_none_or(|kept| kept.confirmed || kept.tokens.is_none() || kept.ended.is_some()) {
            return Ok(None);
        }
        let mut session = self.session(matter.clone()).await?;
        match session.confirmed(|_, _| {}).await {
            // What it was approved with is worth nothing any more.
            Err(Error::Bank(error)) if error.status == 401 => {
                session.change(|kept| kept.tokens = None)?;
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    async fn consent_status(&mut self, by: Option<&str>) -> Result<(String, String), Error> {
        // What became of a consent is asked also when none is left that could be used.
        let ended = match self.choose(by) {
            Err(Error::Ended { matter, .. }) => matter.id().map(str::to_owned),
            _ => None,
        };
        let mut session = self.reading(ended.as_deref().or(by)).await?;
        let status = session.status().await?;
        Ok((session.id(), status))
    }

    async fn refresh(&mut self, by: Option<&str>) -> Result<KeptConsent, Error> {
        let mut session = self.reading(by).await?;
        session.refresh().await?;
        self.choose(by).cloned()
    }

    async fn revoke(&mut self, by: Option<&str>, delete: bool) -> Result<KeptConsent, Error> {
        let kept = self.choose(by)?.approval.id.clone();
        self.reading(Some(&kept)).await?.revoke(delete).await?;
        self.choose(Some(&kept)).cloned()
    }

    async fn accounts(&mut self, reading: &Reading) -> Result<Vec<Account>, Error> {
        let accounts = self.reader(reading).await?.accounts().await?;
        chosen(accounts, reading.account.as_deref(), "consent")
    }

    async fn balances(
        &mut self,
        reading: &Reading,
        account: &Account,
    ) -> Result<Option<wire::Balances>, Error> {
        self.reader(reading).await?.balances(account).await.map(Some)
    }

    async fn transactions(
        &mut self,
        reading: &Reading,
        account: &Account,
        wish: &TransactionsWish,
    ) -> Result<wire::TransactionList, Error> {
        self.reader(reading).await?.transactions(account, wish).await
    }

    async fn pay(
        &mut self,
        tenant: &str,
        redirect_uri: Option<&str>,
        wish: &PaymentWish,
    ) -> Result<Asked, Error> {
        let uri = self.redirect_uri(redirect_uri)?;
        self.ask_for_payment(tenant, &uri, wish).await
    }

    fn told(&mut self, id: &str) -> Result<(), Error> {
        if self.state.is_untold(id) {
            self.update(|state| {
                state.tell(id);
                Ok(())
            })?;
        }
        // Others that ask for the same have their turn now, and find that it is told.
        self.asking = None;
        Ok(())
    }

    async fn payment_status(&mut self, id: Option<&str>) -> Result<PaymentStatus, Error> {
        self.payment(id).await?.payment_status().await
    }

    async fn payment_details(&mut self, id: Option<&str>) -> Result<(String, PaymentDetails), Error> {
        let mut session = self.payment(id).await?;
        Ok((session.id(), session.payment_details().await?))
    }

    async fn cancel_payment(&mut self, id: Option<&str>) -> Result<Cancellation, Error> {
        self.payment(id).await?.cancel().await
    }

    async fn request_funds_consent(
        &mut self,
        tenant: &str,
        redirect_uri: Option<&str>,
        account: &str,
    ) -> Result<KeptFundsConsent, Error> {
        let uri = self.redirect_uri(redirect_uri)?;
        self.ask_for_funds_consent(tenant, &uri, account).await
    }

    async fn funds_consent_status(&mut self, by: Option<&str>) -> Result<(String, String), Error> {
        let mut session = self.funds_consent(by, None).await?;
        Ok((session.id(), session.status().await?))
    }

    async fn end_funds_consent(&mut self, by: Option<&str>) -> Result<String, Error> {
        let mut session = self.funds_consent(by, None).await?;
        session.revoke(true).await?;
        Ok(session.id())
    }

    async fn has_funds(&mut self, wish: &FundsWish) -> Result<FundsAnswer, Error> {
        let mut session = self.funds_consent(wish.by.as_deref(), Some(&wish.account)).await?;
        session.ask_for_funds(wish).await
    }

    fn instead(_: Operation) -> (&'static str, Option<Hint>) {
        ("; a bank may speak that of bunq too", Some(Hint::RegisterIn(Dialect::Bunq)))
    }
}

impl Client {
    /// Takes up a consent: the one with this id, or the newest that can still be used.
    async fn reading(&mut self, id: Option<&str>) -> Result<Session<'_>, Error> {
        let id = self.choose(id)?.approval.id.clone();
        self.session(Matter::Consent(id)).await
    }

    async fn reader(&mut self, reading: &Reading) -> Result<Session<'_>, Error> {
        let mut session = self.reading(reading.by.as_deref()).await?;
        session.psu_ip_address.clone_from(&reading.psu_ip_address);
        session.beyond_budget = reading.beyond_budget;
        Ok(session)
    }

    /// Where a browser comes back to: what is named, or what is registered.
    fn redirect_uri(&self, named: Option<&str>) -> Result<String, Error> {
        let uris = self.state.redirect_uris().ok_or_else(not_registered)?;
        let known = || Loopback::choose(uris);
        let none = || Error::Setup("the registration has no redirect URI".to_owned());
        Ok(named.or_else(known).ok_or_else(none)?.to_owned())
    }
}

impl Session<'_> {
    /// Confirms what the customer approved, and asks what it is then.
    async fn confirmed(&mut self, mut done: impl FnMut(&'static str, &str)) -> Result<Approved, Error> {
        if let Err(error) = self.confirm().await {
            // What a bank refuses to pay has ended.
            if matches!((&error, &self.matter), (Error::Bank(_), Matter::Payment(_))) {
                let _ = self.status().await;
            }
            return Err(error);
        }
        if let Matter::Payment(_) = self.matter {
            let status = self.payment_status().await?;
            done("confirmation", &format!("payment is {}", status.status));
            return Ok(Approved::Payment(status));
        }
        let (id, status) = (self.id(), self.status().await?);
        done("confirmation", &format!("consent is {status}"));
        Ok(match self.matter {
            Matter::Funds(_) => {
                let mut kept = self.client.state.funds_consents.iter();
                let account = kept.find(|kept| kept.approval.id == id).map(|kept| kept.account.clone());
                Approved::Funds { id, account: account.unwrap_or_default(), status }
            }
            _ => Approved::Consent { id, status },
        })
    }
}
