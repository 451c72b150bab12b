//! What a third party does at a bank of this dialect.

use berlin_group::wire;

use super::Client;
use super::connection::Connection;
use super::in_words::payment_in_words;
use super::orders::{CURRENCY, PENDING, euros, money};
use crate::accounts::{Account, Reading, TransactionsWish, chosen};
use crate::announcement::Announcement;
use crate::funds::{FundsAnswer, FundsWish};
use crate::kept_approvals::{Matter, Wanted};
use crate::kept_payments::KeptPayment;
use crate::operations::Operation;
use crate::payments::{
    Asked, Cancellation, Order, Paid, PaymentDetails, PaymentStatus, PaymentWish, Product, Single,
};
use crate::state::{Dialect, KeptIdentity, State, StateFolder, Use};
use crate::third_party::{Approved, Departure, OauthClient, Place, Prepared, Registration, ThirdParty};
use crate::{Error, Hint, Transport, TransportSettings};

impl ThirdParty for Client {
    const DIALECT: Dialect = Dialect::Bunq;

    const FOREIGN_PATHS: &'static [&'static str] = &["xs2a-bg", "auth"];

    const AFTER_REGISTERING: Hint = Hint::Authorise;

    const FUNDS_WITH_CONSENT: bool = false;

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

    fn awaiting(&self, wanted: &Wanted) -> Result<Matter, Error> {
        match wanted {
            Wanted::Consent(None) => Ok(Matter::Connection),
            Wanted::Consent(Some(_)) => {
                let text =
                    "authorise makes a new connection at banks of the dialect bunq; leave --consent out";
                Err(Error::Setup(text.to_owned()))
            }
            Wanted::Payment(named) => self.named(named.as_deref()).map(Matter::Payment),
            Wanted::Funds(_) => Err(Self::refused(Operation::FundsConsent)),
        }
    }

    /// The bank's page shows all that waits, so nobody is led there for a payment about which nothing is to be decided.
    async fn depart(&mut self, matter: &Matter, redirect_uri: Option<&str>) -> Result<Departure, Error> {
        if let Matter::Payment(id) = matter {
            let PaymentStatus { status, .. } = self.payment_status(Some(id)).await?;
            if status != PENDING {
                return Err(Error::Ended { matter: matter.clone(), status });
            }
        }
        let pending = self.begin_authorization(redirect_uri)?;
        Ok(Departure { matter: matter.clone(), url: pending.url, redirect_uri: pending.redirect_uri })
    }

    /// Whatever waits is decided at once, so a payment is more than a connection in that its status is asked.
    async fn arrive(
        &mut self,
        matter: &Matter,
        location: &str,
        mut done: impl FnMut(&'static str, &str),
    ) -> Result<Approved, Error> {
        let connection = self.finish_authorization(location).await?;
        let user = self.user_of(connection).await?;
        let customer = self.customer_of(connection).map(str::to_owned);
        done("session", &format!("code exchanged; user {user} {}", customer.as_deref().unwrap_or_default()));
        if let Matter::Payment(id) = matter {
            return Ok(Approved::Payment(self.status_after(id, None).await?));
        }
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

    async fn pay(&mut self, _: &str, _: Option<&str>, wish: &PaymentWish) -> Result<Asked, Error> {
        let single = plain(wish)?;
        let from = wish.from.as_deref().ok_or_else(|| {
            let text = "payments name the account that pays at banks of the dialect bunq; say it with --from";
            Error::Setup(text.to_owned())
        })?;
        if single.order.description.is_empty() {
            let text = "payments say what they are for at banks of the dialect bunq; say it with --reference";
            return Err(Error::Setup(text.to_owned()));
        }
        self.provider_draft(from, (&single.order, wish.anew)).await
    }

    fn told(&mut self, id: &str) -> Result<(), Error> {
        if self.rest.is_untold(id) {
            self.update(|state, _| {
                state.tell(id);
                Ok(())
            })?;
        }
        // Others that ask for the same have their turn now, and find that it is told.
        self.asking = None;
        Ok(())
    }

    async fn payment_status(&mut self, id: Option<&str>) -> Result<PaymentStatus, Error> {
        let id = self.named(id)?;
        let status = self.provider_draft_status(&id).await?;
        self.note_payment(id, status)
    }

    /// The page where customers decide shows all that waits, and the bank says one thing about it: where there are others,
    /// the bank is asked about the money for this one.
    async fn status_after(&mut self, id: &str, said: Option<String>) -> Result<PaymentStatus, Error> {
        let now = self.payment_status(Some(id)).await?;
        if now.status != PENDING {
            return Ok(now);
        }
        let details = self.provider_draft_details(id).await?;
        let is_other =
            |kept: &KeptPayment| kept.id != id && kept.status == PENDING && kept.debtor == details.debtor;
        let has_others = self.rest.payments.iter().any(is_other);
        let reason = match (said, details.debtor, details.amount) {
            (Some(said), ..) if !has_others => Some(said),
            (said, Some(debtor), Some(amount)) => {
                let value = amount.split(' ').next().unwrap_or_default();
                match self.holds(&debtor, &debtor, euros(value)).await {
                    Ok(false) => {
                        Some(format!("insufficient funds: account {debtor} does not hold {amount} now"))
                    }
                    _ => said.map(|said| format!("of all that waits, the bank said: {said}")),
                }
            }
            (said, ..) => said,
        };
        Ok(PaymentStatus { reason, ..now })
    }

    async fn payment_details(&mut self, id: Option<&str>) -> Result<(String, PaymentDetails), Error> {
        let id = self.named(id)?;
        let mut details = self.provider_draft_details(&id).await?;
        let kept = self.rest.payments.iter().find(|kept| kept.id == id);
        details.asked = kept.map(|kept| kept.asked.clone());
        self.note_payment(id.clone(), details.status.clone())?;
        Ok((id, details))
    }

    async fn cancel_payment(&mut self, id: Option<&str>) -> Result<Cancellation, Error> {
        let id = self.named(id)?;
        self.cancel_provider_draft(&id).await?;
        self.payment_status(Some(&id)).await.map(Cancellation::Done)
    }

    async fn draft(
        &mut self,
        by: Option<&str>,
        from: &str,
        (order, anew): (&Order, bool),
    ) -> Result<Prepared, Error> {
        let connection = self.connection(by)?;
        let accounts = self.accounts_like(connection, Some(from)).await?;
        let none = || Error::Setup("the connection has no account".to_owned());
        let account = accounts.first().ok_or_else(none)?;
        self.draft_from(connection, &account.details.resource_id, (order, anew)).await
    }

    async fn draft_status(&mut self, by: Option<&str>, id: &str) -> Result<String, Error> {
        let connection = self.connection(by)?;
        self.draft_status_at(connection, id).await
    }

    async fn has_funds(&mut self, wish: &FundsWish) -> Result<FundsAnswer, Error> {
        let currency = wish.currency.as_deref().unwrap_or(CURRENCY).to_owned();
        let amount = money(&wish.amount, &currency);
        let is_enough = self.holds(&wish.account, &wish.holder, amount).await?;
        Ok(FundsAnswer { is_enough, currency })
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
            Operation::FundsConsent => (": whether an account holds an amount is asked without one", None),
            Operation::PayOtherwise => ("; a bank may speak that of the Berlin Group too", None),
            // These are offered.
            Operation::OauthClient | Operation::Draft | Operation::DraftStatus => ("", None),
        }
    }
}

/// A payment as this interface can make it.
fn plain(wish: &PaymentWish) -> Result<&Single, Error> {
    let refused = || <Client as ThirdParty>::refused(Operation::PayOtherwise);
    let Paid::Single(single) = &wish.paid else { return Err(refused()) };
    let is_plain = single.on.is_none()
        && single.repeated.is_none()
        && single.end_to_end_id.is_none()
        && single.abroad.is_empty()
        && single.product.is_none_or(|product| product == Product::Sepa)
        && single.currency.as_deref().is_none_or(|currency| currency == CURRENCY)
        && !single.order.to.contains('/');
    if is_plain { Ok(single) } else { Err(refused()) }
}

impl Client {
    /// The number of a payment: the one that is named, whoever keeps it, or the newest that is kept.
    fn named(&self, id: Option<&str>) -> Result<String, Error> {
        match id {
            // A number, because it becomes part of a path.
            Some(id) if id.parse::<i64>().is_ok() => Ok(id.to_owned()),
            id => KeptPayment::choose(&self.rest.payments, id).map(|kept| kept.id.clone()),
        }
    }

    /// Keeps the status of a payment.
    pub(super) fn note_payment(&mut self, id: String, status: String) -> Result<PaymentStatus, Error> {
        if self.rest.payments.iter().any(|kept| kept.id == id) {
            self.update(|state, _| {
                if let Some(kept) = state.payments.iter_mut().find(|kept| kept.id == id) {
                    kept.status.clone_from(&status);
                }
                Ok(())
            })?;
        }
        // One that waits does so until the customer decides.
        Ok(PaymentStatus { id, status, funds_available: None, reason: None, rests: true })
    }

    async fn accounts_like(
        &mut self,
        connection: Connection,
        wanted: Option<&str>,
    ) -> Result<Vec<Account>, Error> {
        chosen(self.accounts_of(connection).await?, wanted, "connection")
    }
}
