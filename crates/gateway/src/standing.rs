//! Whether a third party may act now: the one use case that every door asks before it answers.
//!
//! Nothing that the bank decides is remembered between calls, so that it holds from the next call on.

use domain::{Interface, StandingRefusal, Tpp, TppId};

use crate::certificates::check_state;
use crate::{CertificateIdentity, Ctx, Error, Gateway, Place, Usage};

/// Proof that a third party may act at an interface at the time of a call: the bank blocks neither it nor the
/// certificate on whose word it acts, and that certificate is neither revoked nor out of its time.
///
/// Use cases for third parties take one, and look for nothing that belongs to another third party or interface. Only
/// this module and `parties.rs` make one, so a door that forgot to ask has nothing to call them with:
///
/// ```compile_fail,E0451
/// use gateway::ActingTpp;
/// use gateway::domain::{Interface, TppId};
///
/// fn made_up(id: TppId) -> ActingTpp {
///     ActingTpp { id, interface: Interface::Bunq }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActingTpp {
    id: TppId,
    interface: Interface,
}

impl ActingTpp {
    /// For `parties.rs`, whose checks are those of this module and more.
    pub(crate) fn proved(id: TppId, interface: Interface) -> Self {
        Self { id, interface }
    }

    /// Who acts.
    pub fn id(&self) -> &TppId {
        &self.id
    }

    /// Where.
    pub fn interface(&self) -> Interface {
        self.interface
    }
}

impl Gateway {
    /// For a call that presents no certificate: the third party acts on the word of the certificate that it came in with at the
    /// interface.
    ///
    /// # Errors
    /// [`domain::Refusal::NotRegistered`], [`StandingRefusal`]
    pub async fn may_act(&self, ctx: &Ctx, interface: Interface, id: &TppId) -> Result<ActingTpp, Error> {
        self.may_act_so(ctx, interface, id, Usage::Changes).await
    }

    /// The same for what is not a change.
    ///
    /// # Errors
    /// As [`Gateway::may_act`]
    pub async fn may_act_so(
        &self,
        ctx: &Ctx,
        interface: Interface,
        id: &TppId,
        usage: Usage,
    ) -> Result<ActingTpp, Error> {
        let tpp = self.registered(id).await?;
        if interface.registers() {
            return self.client_may_act(ctx, interface, &tpp).await;
        }
        self.may_act_by_key(ctx, interface, (&tpp.id, tpp.certificate_at(interface)), usage).await
    }

    /// For a client of the authorization server that was loaded. In front of a real bank a registration is its organisation's,
    /// whichever certificate it was made with, and each door that gives something asks for one that is good now: so the time of that of the
    /// registration may be over, as when its holder has a newer one.
    ///
    /// # Errors
    /// [`StandingRefusal`]
    pub async fn client_may_act(
        &self,
        ctx: &Ctx,
        interface: Interface,
        tpp: &Tpp,
    ) -> Result<ActingTpp, Error> {
        let (id, fingerprint) = (&tpp.id, tpp.certificate_at(interface));
        let standing = self.0.store.standing(id, fingerprint).await?;
        if self.is_for_tests() {
            standing.check(id, interface, ctx.now)?;
        } else {
            standing.check_in_use(id, interface, ctx.now)?;
        }
        self.check_register_of(ctx, id, fingerprint).await?;
        Ok(ActingTpp { id: id.clone(), interface })
    }

    /// The same for a client that shows a certificate of its own: in front of a real bank it acts on the word of that one, whatever
    /// became of the one of its registration, also if staff stopped that one, unless the bank blocked it.
    ///
    /// # Errors
    /// [`StandingRefusal`]
    pub async fn client_may_act_showing(
        &self,
        ctx: &Ctx,
        interface: Interface,
        (tpp, shown): (&Tpp, &CertificateIdentity),
    ) -> Result<ActingTpp, Error> {
        // Somebody else's is no word for it.
        if self.is_for_tests() || shown.holder().tpp != tpp.id {
            return self.client_may_act(ctx, interface, tpp).await;
        }
        // Of the shown one, time, status, revocation, register and stop list are what the identity is a proof of.
        let (id, fingerprint) = (&tpp.id, tpp.certificate_at(interface));
        self.0.store.standing(id, fingerprint).await?.check_blocks(id, interface, ctx.now)?;
        Ok(ActingTpp { id: tpp.id.clone(), interface })
    }

    /// For a call with a key that was given for one certificate, or is that of one: the third party acts on the word of that one,
    /// which has to be as good as if it were shown.
    ///
    /// # Errors
    /// [`StandingRefusal`], [`domain::Refusal::CertificateUnchecked`]
    pub async fn may_act_by_key(
        &self,
        ctx: &Ctx,
        interface: Interface,
        (id, fingerprint): (&TppId, &str),
        usage: Usage,
    ) -> Result<ActingTpp, Error> {
        let standing = self.0.store.standing(id, fingerprint).await?;
        standing.check(id, interface, ctx.now)?;
        self.check_register_of(ctx, id, fingerprint).await?;
        self.check_vouched_for(ctx, (interface, id), fingerprint, usage).await?;
        Ok(ActingTpp { id: id.clone(), interface })
    }

    /// Checks that the TLS client certificate which comes with a token, or which that is bound to, is in use as far as it
    /// was recorded, and that staff did not stop it.
    ///
    /// # Errors
    /// [`StandingRefusal::Stopped`],
    /// [`domain::Refusal::CertificateRevoked`], [`domain::Refusal::CertificateBlocked`],
    /// [`domain::Refusal::CertificateExpired`]
    pub(crate) async fn check_bound(
        &self,
        ctx: &Ctx,
        acting: &ActingTpp,
        fingerprint: &str,
    ) -> Result<(), Error> {
        self.check_not_stopped(&acting.id, fingerprint)?;
        let standing = self.0.store.standing(&acting.id, fingerprint).await?;
        Ok(standing.certificate.map_or(Ok(()), |state| check_state(state, Place::TLS, ctx.now))?)
    }

    /// The third parties that the bank knows, those that came last first, at most 1000.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn third_parties(&self) -> Result<Vec<Tpp>, Error> {
        Ok(self.0.store.tpps().await?)
    }

    /// Where a certificate is the one that its holder acts on the word of.
    pub(crate) async fn interfaces_behind(
        &self,
        (id, fingerprint): (&TppId, &str),
    ) -> Result<Vec<Interface>, Error> {
        let Some(tpp) = self.0.store.tpp(id).await? else { return Ok(Vec::new()) };
        let behind = Interface::ALL.into_iter();
        Ok(behind.filter(|interface| tpp.certificate_at(*interface) == fingerprint).collect())
    }

    /// The proof for a third party that has just shown a certificate which this crate checked.
    pub(crate) fn acts_by_shown_certificate(
        &self,
        ctx: &Ctx,
        interface: Interface,
        tpp: &Tpp,
        record: &domain::CertificateRecord,
    ) -> Result<ActingTpp, StandingRefusal> {
        let certificate = Some(record.state());
        let standing = domain::Standing { blocked: tpp.blocked, registered_by: None, certificate };
        standing.check(&tpp.id, interface, ctx.now)?;
        Ok(ActingTpp { id: tpp.id.clone(), interface })
    }
}
