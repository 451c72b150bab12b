//! Payments that a third party asks for at an interface with authorisations of their own: asked for, and told what
//! became of them. The customer approves them at the bank's page, the third party confirms that, and then the bank has
//! them.

use domain::payments::check_transfers;
use domain::{
    Account, AccountReference, Authorisation, AuthorisationId, Currency, Payment, PaymentDecision, PaymentId,
    PaymentRefusal, PaymentTerms, Purpose, RejectReason, Subject, Timestamp, TransactionStatus, Transfer,
};

use crate::access::AccountAccess;
use crate::consents::check_redirect_uri;
use crate::error::retry;
use crate::payments::PaymentProgress;
use crate::requests::{RequestKey, Seen};
use crate::subjects::{Matter, Sought};
use crate::{ActingTpp, Changes, Ctx, Error, Gateway, Noun};

/// What a third party asks to be paid.
#[derive(Debug, Clone)]
pub struct PaymentInitiation {
    /// Kind, product and time.
    pub terms: PaymentTerms,
    /// The account that pays; none if the payer chooses it.
    pub debtor: Option<AccountReference>,
    /// What is paid.
    pub transfers: Vec<Transfer>,
    /// Where the browser is to come back to.
    pub redirect_uri: String,
    /// Whether the third party begins the authorisation with a call of its own.
    pub starts_explicitly: bool,
}

/// A payment that was just asked for.
#[derive(Debug, Clone)]
pub struct RequestedPayment {
    /// The payment.
    pub payment: Payment,
    /// Its first authorisation, unless the third party begins that itself.
    pub authorisation: Option<Authorisation>,
}

/// A payment as its third party sees it.
#[derive(Debug, Clone)]
pub struct PaymentView {
    /// The payment.
    pub payment: Payment,
    /// What it is in the words of ISO 20022.
    pub status: TransactionStatus,
    /// Why it was rejected.
    pub reason: Option<RejectReason>,
    /// Whether there was enough money, if the bank looked at that.
    pub funds_available: Option<bool>,
    /// Whether the bank has it, and can still stop it.
    pub can_be_stopped: bool,
}

impl Gateway {
    /// Takes a request for a payment and begins its authorisation. The same request again returns the same payment as it
    /// was.
    ///
    /// # Errors
    /// [`PaymentRefusal`], [`domain::ConsentRefusal::RedirectUri`], [`domain::Refusal::RequestIdReused`]
    pub async fn request_payment(
        &self,
        ctx: &Ctx,
        tpp: &ActingTpp,
        request: PaymentInitiation,
        key: &RequestKey,
    ) -> Result<RequestedPayment, Error> {
        let id = PaymentId::new(self.0.randomness.id());
        let attempt = AuthorisationId::new(self.0.randomness.id());
        retry(|| async {
            let stored = match self.seen(ctx, key).await? {
                Seen::Before(made) => return self.asked_before(&made).await,
                Seen::New(stored) => stored,
            };
            check_redirect_uri(&self.registered(tpp.id()).await?, &request.redirect_uri)?;
            let payment = self.payment_of(ctx, tpp, (&id, &request)).await?;
            let authorisation = (!request.starts_explicitly).then(|| {
                let which = (Subject::Payment(id.clone()), 1);
                Authorisation::begin(attempt.clone(), which, request.redirect_uri.clone(), ctx.now)
            });
            let made: Vec<&str> = [id.as_str()]
                .into_iter()
                .chain(authorisation.as_ref().map(|authorisation| authorisation.id.as_str()))
                .collect();
            let changes = Changes::new().put_request(&Seen::made(stored, &made)).put_payment(&payment);
            let changes = authorisation.iter().fold(changes, Changes::put_authorisation);
            self.0.store.save(changes).await?;
            Ok(RequestedPayment { payment, authorisation })
        })
        .await
    }

    /// What the same request made before, as it was; none if it made nothing.
    ///
    /// # Errors
    /// [`domain::Refusal::RequestIdReused`]
    pub async fn requested_payment_before(
        &self,
        ctx: &Ctx,
        key: &RequestKey,
    ) -> Result<Option<RequestedPayment>, Error> {
        match self.seen(ctx, key).await? {
            Seen::Before(made) => self.asked_before(&made).await.map(Some),
            Seen::New(_) => Ok(None),
        }
    }

    async fn payment_of(
        &self,
        ctx: &Ctx,
        tpp: &ActingTpp,
        (id, request): (&PaymentId, &PaymentInitiation),
    ) -> Result<Payment, Error> {
        check_transfers(&request.transfers)?;
        let product = request.terms.product;
        if !ctx.tenant.offers(product) {
            return Err(PaymentRefusal::ProductUnavailable { product, tenant: ctx.tenant.clone() }.into());
        }
        let lifetime = self.profile(tpp.interface()).sca.lifetime;
        let payment = Payment {
            id: id.clone(),
            tpp: Some(tpp.id().clone()),
            tenant: ctx.tenant.clone(),
            interface: tpp.interface(),
            terms: request.terms.clone(),
            debtor: None,
            transfers: request.transfers.clone(),
            created_at: ctx.now,
            // As long as its first authorisation.
            expires_at: ctx.now.saturating_add(lifetime).unwrap_or(Timestamp::MAX),
            decision: PaymentDecision::Pending,
            last_action_at: ctx.now,
            version: 0,
        };
        let Some(reference) = &request.debtor else { return Ok(payment) };
        let account = self.debtor(ctx, reference, payment.transfers[0].amount.currency).await?;
        payment.check_open_account(&account)?;
        payment.check_payee_is_another(&account)?;
        Ok(Payment { debtor: Some(account.iban), ..payment })
    }

    /// The account that a third party named as the one that pays: of several under one number, the one in the currency.
    async fn debtor(
        &self,
        ctx: &Ctx,
        reference: &AccountReference,
        currency: Currency,
    ) -> Result<Account, Error> {
        let number = AccountReference { currency: None, ..reference.clone() };
        let mut accounts = self.0.bank.accounts.find_accounts(&ctx.tenant, &number).await?;
        let first = accounts.first().map(|account| account.currency.code());
        let first = first.ok_or(PaymentRefusal::DebtorUnknown)?;
        accounts.retain(|account| reference.names(account));
        if accounts.is_empty() {
            let named = reference.currency.clone().unwrap_or_default();
            return Err(PaymentRefusal::DebtorNamed { account: first, named }.into());
        }
        let fitting = accounts.iter().position(|account| account.currency == currency).unwrap_or(0);
        Ok(accounts.swap_remove(fitting))
    }

    async fn asked_before(&self, made: &[String]) -> Result<RequestedPayment, Error> {
        let (id, attempt) = match made {
            [id] => (id, None),
            [id, attempt] => (id, Some(AuthorisationId::new(attempt))),
            _ => return Err(Error::NotFound(Noun::Payment)),
        };
        let payment = self.0.store.payment(&PaymentId::new(id)).await?;
        let payment = payment.ok_or(Error::NotFound(Noun::Payment))?.as_requested();
        let authorisation = match attempt {
            Some(attempt) => self.0.store.authorisation(&attempt).await?,
            None => None,
        };
        Ok(RequestedPayment { payment, authorisation })
    }

    /// A payment of the caller, with its status.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for one that somebody else asked for, [`PaymentRefusal::OtherProduct`]
    pub async fn requested_payment(&self, ctx: &Ctx, sought: Sought<'_>) -> Result<PaymentView, Error> {
        let payment = self.own_payment(ctx, sought).await?;
        self.view_of(payment, ctx.now).await
    }

    /// The account that pays and the name of its holder, once a customer approved the payment with it; none if the bank does
    /// not know it any more, since what became of the payment is told all the same.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn payer(&self, payment: &Payment) -> Result<Option<Account>, Error> {
        match payment.decision.payer() {
            Some((_, account)) => self.account_if_known(&AccountAccess::to_payer(account)).await,
            None => Ok(None),
        }
    }

    /// The newest authorisation of a payment for something.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn newest_authorisation(
        &self,
        payment: &PaymentId,
        purpose: Purpose,
    ) -> Result<Option<Authorisation>, Error> {
        let all = self.0.store.authorisations(&Subject::Payment(payment.clone())).await?;
        Ok(all.into_iter().rfind(|one| one.purpose == purpose))
    }

    pub(crate) async fn own_payment(&self, ctx: &Ctx, sought: Sought<'_>) -> Result<Payment, Error> {
        match self.sought(ctx, sought).await? {
            Matter::Payment(payment) => Ok(payment),
            _ => Err(Error::NotFound(Noun::Payment)),
        }
    }

    /// What became of a payment, as of a moment.
    pub(crate) async fn view_of(&self, payment: Payment, now: Timestamp) -> Result<PaymentView, Error> {
        if let Some(status) = payment.transaction_status_at(now) {
            let reason = payment.reject_reason_at(now);
            return Ok(PaymentView { payment, status, reason, funds_available: None, can_be_stopped: false });
        }
        let progress = self.0.bank.payments.progress(&payment.id, now).await?;
        // A bank that went back to an older state, or has lost it: it is for the bank to say what it is.
        let progress = progress.ok_or_else(|| {
            Error::unavailable(format!("the bank does not know payment {} any more", payment.id))
        })?;
        let PaymentProgress { status, reason, funds_available, can_be_stopped, .. } = progress;
        Ok(PaymentView { payment, status, reason, funds_available, can_be_stopped })
    }
}
