//! Proofs that a consent covers what is about to be read.

use std::marker::PhantomData;

use domain::{
    AccessRefusal, Account, AccountId, Consent, ConsentId, Grant, GrantId, GrantRefusal, GrantedAccount,
    Product, Subject, Token, TppId,
};

use crate::access_tokens::check_access_token;
use crate::consents::is_own;
use crate::customers::ReadableAccount;
use crate::grants::is_of;
use crate::{ActingTpp, Ctx, Error, Gateway, Noun, secrets};

/// Covers details of an account.
#[derive(Debug, Clone, Copy)]
pub struct Details;

/// Covers balances of an account.
#[derive(Debug, Clone, Copy)]
pub struct Balances;

/// Covers transactions of an account.
#[derive(Debug, Clone, Copy)]
pub struct Transactions;

/// A consent that was valid at the time of the call, belongs to the caller, and came with a token of it. Only
/// [`Gateway::access`] makes one.
#[derive(Debug, Clone)]
pub struct ConsentAccess {
    consent: Consent,
}

/// Proof that one account may be read in one way: a valid consent covers it, or it is an account of the customer who
/// calls. Only [`ConsentAccess`] and the use cases of this crate make one, so a bank cannot be asked for data without
/// the check:
///
/// ```compile_fail,E0451
/// use gateway::access::{AccountAccess, Balances};
///
/// fn made_up(account: gateway::domain::AccountId) -> AccountAccess<Balances> {
///     AccountAccess { account, scope: std::marker::PhantomData }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct AccountAccess<Scope> {
    account: AccountId,
    scope: PhantomData<Scope>,
}

impl<Scope> AccountAccess<Scope> {
    /// The account that may be read.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    fn to(granted: &GrantedAccount) -> Self {
        Self { account: granted.account.clone(), scope: PhantomData }
    }

    /// For a bank's own end of an interface, where the gateway that asks has made sure.
    #[cfg(feature = "bank-end")]
    pub(crate) fn to_asked(account: AccountId) -> Self {
        Self { account, scope: PhantomData }
    }

    /// For the account with which a customer approved a payment.
    pub(crate) fn to_payer(account: &AccountId) -> Self {
        Self { account: account.clone(), scope: PhantomData }
    }

    /// For an account that the bank named as one of the customer who calls, or that the bank itself has to look up.
    pub(crate) fn to_own(account: &Account) -> Self {
        Self { account: account.id.clone(), scope: PhantomData }
    }
}

/// What a caller shows to use what a customer approved.
#[derive(Clone, Copy)]
pub struct AccessCredentials<'a> {
    /// Who calls.
    pub tpp: &'a ActingTpp,
    /// The access token.
    pub token: Option<&'a str>,
    /// SHA-256 of the TLS client certificate, lower-case hexadecimal.
    pub certificate: Option<&'a str>,
}

impl AccessCredentials<'_> {
    /// The token and its grant, of what is known about the token, if it may be used and came from the approval of a
    /// subject.
    ///
    /// # Errors
    /// [`GrantRefusal`]
    pub(crate) fn check(
        &self,
        ctx: &Ctx,
        known: Option<(Token, Grant)>,
        subject: &Subject,
    ) -> Result<(Token, Grant), GrantRefusal> {
        let token = self.token.ok_or(GrantRefusal::AccessTokenMissing)?;
        let (token, grant) = check_access_token(ctx, self.tpp.interface(), (token, known), self.certificate)?;
        if grant.subject != *subject || grant.client != *self.tpp.id() {
            return Err(GrantRefusal::AccessTokenOfAnotherSubject(subject.clone()));
        }
        Ok((token, grant))
    }
}

impl Gateway {
    /// Checks consent and token of a call, in this order: whose consent, its status, the token, whether it is of
    /// this consent.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`domain::ConsentRefusal::NotValid`], [`GrantRefusal`]
    pub async fn access(
        &self,
        ctx: &Ctx,
        credentials: AccessCredentials<'_>,
        consent: &ConsentId,
    ) -> Result<ConsentAccess, Error> {
        let hash = secrets::hash(credentials.token.unwrap_or_default());
        let found = self.0.store.consent_and_token(consent, &hash).await?;
        self.end_if_stolen(ctx, credentials.tpp, found.as_ref().and_then(|(_, known)| known.as_ref()))
            .await?;
        let found = found.filter(|(consent, _)| is_own(ctx, credentials.tpp, consent));
        let (consent, known) = found.ok_or(Error::NotFound(Noun::Consent))?;
        credentials.token.ok_or(GrantRefusal::AccessTokenMissing)?;
        consent.check_valid(ctx.now, self.rules_of(&consent))?;
        let (token, grant) = credentials.check(ctx, known, &Subject::Consent(consent.id.clone()))?;
        self.note_use((&token, &grant)).await?;
        self.note_use_of_consent(&consent.id, ctx.now);
        Ok(ConsentAccess { consent })
    }

    /// Checks that a grant of a third party, made at the interface that is called, is still good.
    ///
    /// # Errors
    /// [`GrantRefusal::SubjectEnded`]
    pub async fn check_grant(&self, ctx: &Ctx, tpp: &ActingTpp, grant: &GrantId) -> Result<Consent, Error> {
        let grant = self.0.store.grant(grant).await?;
        let grant = grant.filter(|grant| is_of(ctx, tpp, grant));
        let grant = grant.ok_or(Error::NotFound(Noun::Consent))?;
        let Subject::Consent(id) = &grant.subject else { return Err(Error::NotFound(Noun::Consent)) };
        let consent = self.0.store.consent(id).await?;
        let is_good = |consent: &Consent| {
            grant.ended_at.is_none() && consent.check_valid(ctx.now, self.rules_of(consent)).is_ok()
        };
        let consent = consent.filter(is_good).ok_or(GrantRefusal::SubjectEnded(grant.subject))?;
        self.note_use_of_consent(&consent.id, ctx.now);
        Ok(consent)
    }

    /// What a third party may read with a grant: the consent has to be valid and the grant its own. An account that the bank
    /// does not know any more is left out.
    ///
    /// # Errors
    /// [`GrantRefusal::SubjectEnded`]
    pub async fn granted_accounts(
        &self,
        ctx: &Ctx,
        tpp: &ActingTpp,
        grant: &GrantId,
    ) -> Result<(Consent, Vec<ReadableAccount>), Error> {
        let consent = self.check_grant(ctx, tpp, grant).await?;
        let mut readable = Vec::new();
        for granted in &consent.granted {
            let known = self.account_if_known(&AccountAccess::to(granted)).await?;
            let Some(account) = known else { continue };
            readable.push(ReadableAccount {
                account,
                details: AccountAccess::to(granted),
                balances: granted.balances.then(|| AccountAccess::to(granted)),
                transactions: granted.transactions.then(|| AccountAccess::to(granted)),
            });
        }
        Ok((consent, readable))
    }

    /// Id of an account for one third party: the same for as long as the bank exists, and of no use to others.
    pub(crate) fn resource_id(&self, tpp: &TppId, account: &AccountId) -> String {
        self.0.keys.pairwise_uuid("account", &[tpp.as_str(), account.as_str()])
    }
}

impl ConsentAccess {
    /// The consent.
    pub fn consent(&self) -> &Consent {
        &self.consent
    }

    /// Proofs for the details of all accounts of a kind.
    pub(crate) fn all(
        &self,
        product: Product,
    ) -> impl Iterator<Item = (&GrantedAccount, AccountAccess<Details>)> {
        let of_kind = move |granted: &&GrantedAccount| granted.product == product;
        self.consent.granted.iter().filter(of_kind).map(|granted| (granted, AccountAccess::to(granted)))
    }

    /// The granted account behind the id that this third party knows it by.
    pub(crate) fn find(
        &self,
        gateway: &Gateway,
        id: &str,
        product: Product,
    ) -> Result<&GrantedAccount, Error> {
        let tpp = &self.consent.tpp;
        let found =
            self.consent.granted.iter().find(|granted| gateway.resource_id(tpp, &granted.account) == id);
        let granted = found.ok_or(Error::NotFound(Noun::Account))?;
        if granted.product == product {
            return Ok(granted);
        }
        Err(AccessRefusal::Product { id: id.to_owned(), expected: product }.into())
    }
}

/// Ways of reading an account that a consent grants one by one.
pub(crate) trait Scope: Sized {
    /// The word for messages.
    const WHAT: &'static str;

    /// Whether the consent covers it.
    fn is_granted(granted: &GrantedAccount) -> bool;

    /// The proof, if the consent covers it.
    fn prove(granted: &GrantedAccount, id: &str) -> Result<AccountAccess<Self>, Error> {
        if Self::is_granted(granted) {
            return Ok(AccountAccess::to(granted));
        }
        Err(AccessRefusal::NotGranted { id: id.to_owned(), what: Self::WHAT }.into())
    }
}

impl Scope for Details {
    const WHAT: &'static str = "details";

    fn is_granted(_: &GrantedAccount) -> bool {
        true
    }
}

impl Scope for Balances {
    const WHAT: &'static str = "balances";

    fn is_granted(granted: &GrantedAccount) -> bool {
        granted.balances
    }
}

impl Scope for Transactions {
    const WHAT: &'static str = "transactions";

    fn is_granted(granted: &GrantedAccount) -> bool {
        granted.transactions
    }
}
