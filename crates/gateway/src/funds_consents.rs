//! Confirmation of funds: consents to it, and the answer yes or no (PSD2, Article 65).

use domain::{
    AccountReference, AccountStatus, Authorisation, AuthorisationId, ConsentRefusal, CustomerId, Decision,
    FundsConsent, FundsConsentId, FundsConsentRequest, FundsQuestion, FundsRefusal, GrantRefusal, Product,
    Subject,
};

use crate::consents::check_redirect_uri;
use crate::error::retry;
use crate::requests::{RequestKey, Seen};
use crate::{AccessCredentials, ActingTpp, Changes, Ctx, Error, Gateway, Noun, secrets};

/// A consent that was just asked for, with the authorisation that was begun for it.
#[derive(Debug, Clone)]
pub struct RequestedFundsConsent {
    /// The consent.
    pub consent: FundsConsent,
    /// Its first authorisation.
    pub authorisation: Authorisation,
}

impl Gateway {
    /// Takes a request for a consent and begins its authorisation. The same request again returns the same consent as
    /// it was.
    ///
    /// # Errors
    /// [`ConsentRefusal`], [`domain::Refusal::RequestIdReused`]
    pub async fn request_funds_consent(
        &self,
        ctx: &Ctx,
        tpp: &ActingTpp,
        request: FundsConsentRequest,
        key: &RequestKey,
    ) -> Result<RequestedFundsConsent, Error> {
        let id = FundsConsentId::new(self.0.randomness.id());
        let attempt = AuthorisationId::new(self.0.randomness.id());
        retry(|| async {
            let stored = match self.seen(ctx, key).await? {
                Seen::Before(made) => return self.requested_funds_before(&made).await,
                Seen::New(stored) => Seen::made(stored, &[id.as_str(), attempt.as_str()]),
            };
            check_redirect_uri(&self.registered(tpp.id()).await?, &request.redirect_uri)?;
            let named = self.check_reference(ctx, &request.account).await?;
            if !named.iter().any(|account| account.product == Product::Current) {
                return Err(ConsentRefusal::AccountProduct(request.account.shown()).into());
            }
            let who = (tpp.id().clone(), ctx.tenant.clone(), tpp.interface());
            let waits = self.profile(tpp.interface()).consents.waits;
            let consent = FundsConsent::request(id.clone(), who, request.clone(), ctx.now, waits);
            let which = (Subject::FundsConsent(id.clone()), 1);
            let authorisation =
                Authorisation::begin(attempt.clone(), which, request.redirect_uri.clone(), ctx.now);
            let changes = Changes::new()
                .put_request(&stored)
                .put_funds_consent(&consent)
                .put_authorisation(&authorisation);
            self.0.store.save(changes).await?;
            Ok(RequestedFundsConsent { consent, authorisation })
        })
        .await
    }

    /// A consent of the caller, at the tenant and the interface that are called.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for a consent of somebody else.
    pub async fn funds_consent(&self, ctx: &Ctx, tpp: &ActingTpp, id: &str) -> Result<FundsConsent, Error> {
        let consent = self.0.store.funds_consent(&FundsConsentId::new(id)).await?;
        let own = consent.filter(|consent| is_own_funds_consent(ctx, tpp, consent));
        own.ok_or(Error::NotFound(Noun::Consent))
    }

    /// Ends a consent and every token of it. Ending it again changes nothing. A token that comes along has to be
    /// of this consent; it may have expired, or be so old that nobody knows it any more.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`GrantRefusal::AccessTokenOfAnotherSubject`]
    pub async fn delete_funds_consent(
        &self,
        ctx: &Ctx,
        tpp: &ActingTpp,
        id: &str,
        token: Option<&str>,
    ) -> Result<(), Error> {
        let subject = Subject::FundsConsent(self.funds_consent(ctx, tpp, id).await?.id);
        self.check_token_of((ctx, tpp), token, &subject).await?;
        retry(|| async {
            let consent = self.funds_consent(ctx, tpp, id).await?;
            let ended = consent.end(Decision::TerminatedByTpp, ctx.now);
            let changes = Changes::new().put_funds_consent(&ended).end_grants(&subject, ctx.now);
            Ok(self.0.store.save(changes).await?)
        })
        .await
    }

    /// The customer withdraws a consent at the bank itself.
    ///
    /// # Errors
    /// [`Error::NotFound`]
    pub async fn revoke_funds_consent(&self, id: &FundsConsentId) -> Result<FundsConsent, Error> {
        retry(|| async {
            let consent = self.0.store.funds_consent(id).await?.ok_or(Error::NotFound(Noun::Consent))?;
            let now = self.0.clock.now(Some(&consent.tenant));
            let revoked = consent.end(Decision::RevokedByPsu, now);
            let subject = Subject::FundsConsent(id.clone());
            let changes = Changes::new().put_funds_consent(&revoked).end_grants(&subject, now);
            self.0.store.save(changes).await?;
            Ok(revoked)
        })
        .await
    }

    /// The consents for confirmation of funds that a customer gave, the newest first.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn funds_consents_of(&self, customer: &CustomerId) -> Result<Vec<FundsConsent>, Error> {
        Ok(self.0.store.funds_consents_of(customer).await?)
    }

    /// Whether the account of a consent could pay an amount now. Nothing is reserved. Consent and token are checked in
    /// the order in which [`Gateway::access`] checks them, then the card and the account.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`domain::ConsentRefusal::NotValid`], [`GrantRefusal`], [`FundsRefusal`]
    pub async fn confirm_funds(
        &self,
        ctx: &Ctx,
        credentials: AccessCredentials<'_>,
        consent: &FundsConsentId,
        question: &FundsQuestion,
    ) -> Result<bool, Error> {
        question.check()?;
        let hash = secrets::hash(credentials.token.unwrap_or_default());
        let found = self.0.store.funds_consent_and_token(consent, &hash).await?;
        self.end_if_stolen(ctx, credentials.tpp, found.as_ref().and_then(|(_, known)| known.as_ref()))
            .await?;
        let found = found.filter(|(consent, _)| is_own_funds_consent(ctx, credentials.tpp, consent));
        let (consent, known) = found.ok_or(Error::NotFound(Noun::Consent))?;
        credentials.token.ok_or(GrantRefusal::AccessTokenMissing)?;
        consent.check_valid(ctx.now)?;
        let (token, grant) = credentials.check(ctx, known, &Subject::FundsConsent(consent.id.clone()))?;
        self.note_use((&token, &grant)).await?;
        self.note_use_of_funds_consent(&consent.id, ctx.now);
        consent.check_card(question)?;
        let number = AccountReference { currency: None, ..question.account.clone() };
        let known = self.0.bank.accounts.find_accounts(&ctx.tenant, &number).await?;
        if !known.iter().any(|account| account.status != AccountStatus::Deleted) {
            return Err(FundsRefusal::Unknown(number.shown()).into());
        }
        let held = self.0.bank.customers.accounts_of(&grant.customer).await?;
        let account = AccountReference::to_account(consent.account_of(question, &held)?);
        let accounts = &self.0.bank.accounts;
        let answer = accounts.has_funds(&ctx.tenant, &account, question.amount, ctx.today()).await?;
        Ok(answer == Some(true))
    }

    async fn requested_funds_before(&self, made: &[String]) -> Result<RequestedFundsConsent, Error> {
        let [consent, authorisation] = made else { return Err(Error::NotFound(Noun::Consent)) };
        let consent = self.0.store.funds_consent(&FundsConsentId::new(consent)).await?;
        let authorisation = self.0.store.authorisation(&AuthorisationId::new(authorisation)).await?;
        match (consent, authorisation) {
            (Some(consent), Some(authorisation)) => {
                Ok(RequestedFundsConsent { consent: consent.as_requested(), authorisation })
            }
            _ => Err(Error::NotFound(Noun::Consent)),
        }
    }
}

/// Whether a consent is one of the caller, at the tenant and the interface that are called.
pub(crate) fn is_own_funds_consent(ctx: &Ctx, tpp: &ActingTpp, consent: &FundsConsent) -> bool {
    consent.tpp == *tpp.id() && consent.tenant == ctx.tenant && consent.interface == tpp.interface()
}
