//! What a third party does at a bank of this dialect.

use berlin_group::wire;

use super::Client;
use super::connection::Connection;
use super::in_words::payment_in_words;
use crate::announcement::Announcement;
use crate::state::{Dialect, KeptIdentity, State, StateFolder, Use};
use crate::third_party::{
    Account, Approved, Departure, OauthClient, Operation, Order, Place, Prepared, Reading, Registration,
    ThirdParty, TransactionsWish, chosen,
};
use crate::{Error, Hint, Transport, TransportSettings};

impl ThirdParty for Client {
    const DIALECT: Dialect = Dialect::Bunq;

    const FOREIGN_PATHS: &'static [&'static str] = &["xs2a-bg", "auth"];

    const AFTER_REGISTERING: Hint = Hint::Authorise;

    fn open(place: Place) -> Result<Self, Error> {
        let settings = TransportSettings { ca_file: place.ca_file, tls: None };
        let transport = Transport::new(settings, place.observer)?;
        let client = Self::new(transport, &place.bank, place.folder, place.state)?;
        let announced = place.announced.as_ref();
        Ok(client.at_day(announced.and_then(|it| it.today(it.usual_tenant()?))))
    }

    fn state(&self) -> State {
        self.whole()
    }

    /// None: one for tests is made here.
    fn demanded(_: &str, _: Option<&Announcement>) -> Vec<Use> {
        Vec::new()
    }

    /// A certificate for tests may identify its holder by nothing but its common name.
    fn take_over(
        folder: &StateFolder,
        purpose: Use,
        (certificate, chain): (&str, &[String]),
        private_key: &str,
    ) -> Result<KeptIdentity, Error> {
        match purpose {
            Use::Signing => folder.save_seal(certificate, chain, private_key),
            Use::Tls => folder.save_identity(purpose, certificate, chain, private_key, None),
        }
    }

    /// Never: registering goes on where it was interrupted, and makes what is out of its time anew.
    fn is_registered(&self, _: Option<&str>) -> bool {
        false
    }

    async fn register(&mut self, wanted: &Registration, announce: impl Fn(&str)) -> Result<(), Error> {
        self.enrol(&wanted.redirect_uris, announce).await
    }

    fn awaiting(&self, named: Option<&str>) -> Result<Option<String>, Error> {
        let text = "authorise makes a new connection at banks of the dialect bunq; leave --consent out";
        named.map_or(Ok(None), |_| Err(Error::Setup(text.to_owned())))
    }

    async fn depart(&mut self, _: Option<&str>, redirect_uri: Option<&str>) -> Result<Departure, Error> {
        let pending = self.begin_authorization(redirect_uri)?;
        Ok(Departure { consent: None, url: pending.url, redirect_uri: pending.redirect_uri })
    }

    async fn arrive(
        &mut self,
        _: Option<&str>,
        location: &str,
        mut done: impl FnMut(&'static str, &str),
    ) -> Result<Approved, Error> {
        let connection = self.finish_authorization(location).await?;
        let user = self.user_of(connection).await?;
        let customer = self.customer_of(connection).map(str::to_owned);
        done("session", &format!("code exchanged; user {user} {}", customer.as_deref().unwrap_or_default()));
        Ok(Approved::Connection { user, customer })
    }

    async fn accounts(&mut self, reading: &Reading) -> Result<Vec<Account>, Error> {
        let connection = self.connection(reading.by.as_deref())?;
        self.accounts_like(connection, reading.account.as_deref()).await
    }

    async fn balances(&mut self, _: &Reading, account: &Account) -> Result<Option<wire::Balances>, Error> {
        Ok(account.balances.clone())
    }

    async fn transactions(
        &mut self,
        reading: &Reading,
        account: &Account,
        wish: &TransactionsWish,
    ) -> Result<wire::TransactionList, Error> {
        let connection = self.connection(reading.by.as_deref())?;
        // Whatever the bank lists is booked.
        let payments = match wish.booking_status.as_str() {
            "pending" => Vec::new(),
            _ => self.payments(connection, &account.details.resource_id, wish).await?,
        };
        let booked = payments.into_iter().map(payment_in_words).collect();
        Ok(wire::TransactionList { booked, pending: Vec::new(), links: wire::TransactionLinks::default() })
    }

    async fn oauth_client(&mut self, redirect_uris: &[String]) -> Result<OauthClient, Error> {
        self.find_oauth_client().await?;
        for uri in redirect_uris {
            self.add_callback_url(uri).await?;
        }
        let none = || Error::missing("the bank knows no active OAuth client; register one", Hint::Register);
        let kept = self.kept.oauth_client.clone().ok_or_else(none)?;
        Ok(OauthClient { id: kept.client_id, secret: kept.client_secret, redirect_uris: kept.callback_urls })
    }

    async fn pay(&mut self, from: &str, order: &Order) -> Result<(Prepared, Departure), Error> {
        let prepared = self.provider_draft(from, order).await?;
        Ok((prepared, self.depart(None, None).await?))
    }

    async fn payment_status(&mut self, id: &str) -> Result<String, Error> {
        self.provider_draft_status(id).await
    }

    async fn draft(&mut self, by: Option<&str>, from: &str, order: &Order) -> Result<Prepared, Error> {
        let connection = self.connection(by)?;
        let accounts = self.accounts_like(connection, Some(from)).await?;
        let none = || Error::Setup("the connection has no account".to_owned());
        let account = accounts.first().ok_or_else(none)?;
        self.draft_from(connection, &account.details.resource_id, order).await
    }

    async fn draft_status(&mut self, by: Option<&str>, id: &str) -> Result<String, Error> {
        let connection = self.connection(by)?;
        self.draft_status_at(connection, id).await
    }

    async fn has_funds(&mut self, iban: &str, name: &str, amount: &str) -> Result<bool, Error> {
        self.holds(iban, name, amount).await
    }

    fn instead(operation: Operation) -> (&'static str, Option<Hint>) {
        match operation {
            Operation::Refresh => (": sessions are renewed by themselves", None),
            Operation::Revoke => (": customers withdraw their approval in the bank's app", None),
            Operation::ConsentStatus => {
                let text = ": whether a customer's approval still stands shows when accounts are read";
                (text, Some(Hint::Accounts))
            }
            Operation::Consent => {
                (": customers choose accounts when they are sent to the bank", Some(Hint::Authorise))
            }
            // These are offered.
            Operation::OauthClient
            | Operation::Pay
            | Operation::PaymentStatus
            | Operation::Draft
            | Operation::DraftStatus
            | Operation::Funds => ("", None),
        }
    }
}

impl Client {
    async fn accounts_like(
        &mut self,
        connection: Connection,
        wanted: Option<&str>,
    ) -> Result<Vec<Account>, Error> {
        chosen(self.accounts_of(connection).await?, wanted, "connection")
    }
}
