//! Consents: asked for, read, ended.

use domain::{
    Account, AccountReference, AccountStatus, Authorisation, AuthorisationId, Consent, ConsentId,
    ConsentRefusal, ConsentRequest, ConsentRules, ConsentStatus, GrantRefusal, Subject, Timestamp, Tpp,
};

use crate::error::retry;
use crate::requests::{RequestKey, Seen};
use crate::{ActingTpp, Changes, Ctx, Error, Gateway, Noun};

/// A consent that was just asked for, with the authorisation that was begun for it.
#[derive(Debug, Clone)]
pub struct RequestedConsent {
    /// The consent.
    pub consent: Consent,
    /// Its first authorisation.
    pub authorisation: Authorisation,
}

impl Gateway {
    /// Takes a request for a consent and begins its authorisation. The same request again returns the same
    /// consent as it was.
    ///
    /// # Errors
    /// [`ConsentRefusal`], [`domain::Refusal::RequestIdReused`]
    pub async fn request_consent(
        &self,
        ctx: &Ctx,
        tpp: &ActingTpp,
        request: ConsentRequest,
        key: &RequestKey,
    ) -> Result<RequestedConsent, Error> {
        let id = ConsentId::new(self.0.randomness.id());
        let attempt = AuthorisationId::new(self.0.randomness.id());
        retry(|| async {
            let stored = match self.seen(ctx, key).await? {
                Seen::Before(made) => return self.requested_before(&made).await,
                Seen::New(stored) => Seen::made(stored, &[id.as_str(), attempt.as_str()]),
            };
            check_redirect_uri(&self.registered(tpp.id()).await?, &request.redirect_uri)?;
            self.check_references(ctx, &request).await?;
            let who = (tpp.id().clone(), ctx.tenant.clone(), tpp.interface());
            let rules = &self.profile(tpp.interface()).consents;
            let consent = Consent::request(id.clone(), who, request.clone(), ctx.now, rules)?;
            let which = (Subject::Consent(id.clone()), 1);
            let authorisation =
                Authorisation::begin(attempt.clone(), which, request.redirect_uri.clone(), ctx.now);
            let changes =
                Changes::new().put_request(&stored).put_consent(&consent).put_authorisation(&authorisation);
            self.0.store.save(changes).await?;
            Ok(RequestedConsent { consent, authorisation })
        })
        .await
    }

    /// A consent of the caller, at the tenant and the interface that are called.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for a consent of somebody else.
    pub async fn consent(&self, ctx: &Ctx, tpp: &ActingTpp, id: &str) -> Result<Consent, Error> {
        let consent = self.0.store.consent(&ConsentId::new(id)).await?;
        consent.filter(|consent| is_own(ctx, tpp, consent)).ok_or(Error::NotFound(Noun::Consent))
    }

    /// Ends a consent and every token of it. Ending it again changes nothing. A token that comes along has to be
    /// of this consent; it may have expired, or be so old that nobody knows it any more.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`GrantRefusal::AccessTokenOfAnotherSubject`]
    pub async fn delete_consent(
        &self,
        ctx: &Ctx,
        tpp: &ActingTpp,
        id: &str,
        token: Option<&str>,
    ) -> Result<(), Error> {
        let consent = self.consent(ctx, tpp, id).await?;
        self.check_token_of((ctx, tpp), token, &Subject::Consent(consent.id)).await?;
        retry(|| async {
            let consent = self.consent(ctx, tpp, id).await?;
            let rules = self.rules_of(&consent);
            let ended = consent.terminate(ctx.now, rules);
            let changes = Changes::new().put_consent(&ended).end_grants(&Subject::Consent(ended.id), ctx.now);
            Ok(self.0.store.save(changes).await?)
        })
        .await
    }

    /// Checks that a token, if one came along, is of no other subject. It may have expired. One that is not known may be of this
    /// subject, since tokens are forgotten sooner than what they are of; who calls, and whose the subject is, was proved without it.
    pub(crate) async fn check_token_of(
        &self,
        (ctx, tpp): (&Ctx, &ActingTpp),
        token: Option<&str>,
        subject: &Subject,
    ) -> Result<(), Error> {
        let Some(token) = token else { return Ok(()) };
        let known = self.known_token(token).await?;
        self.end_if_stolen(ctx, tpp, known.as_ref()).await?;
        match known {
            Some((_, grant)) if grant.subject != *subject => {
                Err(GrantRefusal::AccessTokenOfAnotherSubject(subject.clone()).into())
            }
            _ => Ok(()),
        }
    }

    /// The customer withdraws a consent at the bank itself.
    ///
    /// # Errors
    /// [`Error::NotFound`]
    pub async fn revoke_consent(&self, id: &ConsentId) -> Result<Consent, Error> {
        retry(|| async {
            let consent = self.0.store.consent(id).await?.ok_or(Error::NotFound(Noun::Consent))?;
            let now = self.0.clock.now(Some(&consent.tenant));
            let rules = self.rules_of(&consent);
            let revoked = consent.revoke_by_psu(now, rules);
            self.0
                .store
                .save(Changes::new().put_consent(&revoked).end_grants(&Subject::Consent(id.clone()), now))
                .await?;
            Ok(revoked)
        })
        .await
    }

    /// What a consent is at a time.
    pub fn consent_status(&self, consent: &Consent, at: Timestamp) -> ConsentStatus {
        consent.status_at(at, self.rules_of(consent))
    }

    /// The rules of the interface at which a consent was asked for.
    pub(crate) fn rules_of(&self, consent: &Consent) -> &ConsentRules {
        &self.profile(consent.interface).consents
    }

    async fn requested_before(&self, made: &[String]) -> Result<RequestedConsent, Error> {
        let [consent, authorisation] = made else { return Err(Error::NotFound(Noun::Consent)) };
        let consent = self.0.store.consent(&ConsentId::new(consent)).await?;
        let authorisation = self.0.store.authorisation(&AuthorisationId::new(authorisation)).await?;
        match (consent, authorisation) {
            (Some(consent), Some(authorisation)) => {
                Ok(RequestedConsent { consent: consent.as_requested(), authorisation })
            }
            _ => Err(Error::NotFound(Noun::Consent)),
        }
    }

    async fn check_references(&self, ctx: &Ctx, request: &ConsentRequest) -> Result<(), Error> {
        for reference in request.access.references() {
            self.check_reference(ctx, reference).await?;
        }
        Ok(())
    }

    /// The accounts here that a reference names and that are not closed: one, or one a currency.
    pub(crate) async fn check_reference(
        &self,
        ctx: &Ctx,
        reference: &AccountReference,
    ) -> Result<Vec<Account>, Error> {
        let mut accounts = self.0.bank.accounts.find_accounts(&ctx.tenant, reference).await?;
        accounts.retain(|account| account.status != AccountStatus::Deleted);
        if accounts.is_empty() {
            return Err(self.why_no_account(ctx, reference).await?.into());
        }
        Ok(accounts)
    }

    /// Why no account that is not closed is named.
    async fn why_no_account(&self, ctx: &Ctx, reference: &AccountReference) -> Result<ConsentRefusal, Error> {
        let (number, asked) = (reference.shown(), reference.currency.clone().unwrap_or_default());
        let any = AccountReference { currency: None, ..reference.clone() };
        let mut accounts = self.0.bank.accounts.find_accounts(&ctx.tenant, &any).await?;
        accounts.retain(|account| account.status != AccountStatus::Deleted);
        let kept: Vec<_> = accounts.iter().map(|account| account.currency.code()).collect();
        Ok(match kept.is_empty() || asked.is_empty() {
            true => ConsentRefusal::AccountNotAllowed(number),
            false => ConsentRefusal::AccountCurrency { number, asked: asked.chars().take(3).collect(), kept },
        })
    }
}

/// Whether a consent is one of the caller, at the tenant and the interface that are called.
pub(crate) fn is_own(ctx: &Ctx, tpp: &ActingTpp, consent: &Consent) -> bool {
    consent.tpp == *tpp.id() && consent.tenant == ctx.tenant && consent.interface == tpp.interface()
}

/// Checks where the browser is to come back to.
pub(crate) fn check_redirect_uri(tpp: &Tpp, uri: &str) -> Result<(), ConsentRefusal> {
    if tpp.redirect_uris.contains(uri) { Ok(()) } else { Err(ConsentRefusal::RedirectUri) }
}
