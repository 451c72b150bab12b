//! Who calls, by the certificates of a call: every check about them in one place, in the order of the bank's profile.

use std::sync::Arc;

use domain::{CertificateHolder, CertificateStatus, Interface, Refusal, RegisteredBy, Standing};
use eidas::Role;

use crate::certificates::{check_role, check_same_organization, check_validity, status_refusal};
use crate::profile::CertificateCheck;
use crate::{ActingTpp, Ctx, Error, Gateway, Place, PresentedCertificate, Usage};

/// A certificate that a call presents, and where.
pub type Shown = (Arc<PresentedCertificate>, Place);

/// What a kind of call demands of whoever makes it.
#[derive(Debug, Clone, Copy)]
pub struct Demand<'d> {
    /// Roles of which each certificate must grant one; none if any will do.
    pub roles: &'d [Role],
    /// Whether the organisation must have registered.
    pub registered: bool,
    /// Whether it only reads what a customer granted before: then a certificate of which nobody tells whether it was
    /// revoked is taken for some hours more.
    pub reads: bool,
}

impl Demand<'_> {
    fn usage(&self) -> Usage {
        if self.reads { Usage::Reads } else { Usage::Changes }
    }
}

/// Proof that a certificate comes from a trusted authority, is valid and in use, has a role that was demanded, and belongs
/// to the same organisation as any other that came along. At a bank for tests it may be one for which nobody vouches.
///
/// Only this module makes one:
///
/// ```compile_fail,E0451
/// use gateway::{CertificateIdentity, domain::CertificateHolder};
///
/// fn made_up(holder: CertificateHolder) -> CertificateIdentity {
///     CertificateIdentity { holder, presented: None }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct CertificateIdentity {
    holder: CertificateHolder,
    /// The certificate with its path; none if nobody vouches for it.
    presented: Option<Arc<PresentedCertificate>>,
}

impl CertificateIdentity {
    /// What the certificate says about its holder.
    pub fn holder(&self) -> &CertificateHolder {
        &self.holder
    }

    /// The certificate with its path, if somebody vouches for it.
    pub(crate) fn presented(&self) -> Option<&PresentedCertificate> {
        self.presented.as_deref()
    }
}

/// Proof of who signs a call: the signing certificate and the one of the connection passed every check that the kind of
/// call demands, and their holder may act at the interface.
#[derive(Debug, Clone)]
pub struct Party {
    signer: Arc<PresentedCertificate>,
    acting: ActingTpp,
    /// The certificate of its registration, if that is another one.
    registered_by: Option<RegisteredBy>,
}

impl Party {
    /// The signing certificate.
    pub fn signer(&self) -> &PresentedCertificate {
        &self.signer
    }

    /// Its holder, who may act.
    pub fn acting(&self) -> &ActingTpp {
        &self.acting
    }

    /// The certificate of its registration, if that is another one.
    pub(crate) fn registered_by(&self) -> Option<&RegisteredBy> {
        self.registered_by.as_ref()
    }
}

/// What the checks of one call are about.
struct Checked<'c> {
    /// The signing certificate first.
    shown: &'c [(&'c PresentedCertificate, Place)],
    demand: Demand<'c>,
    /// Whether it is asked if their holder may act.
    acts: bool,
}

impl Gateway {
    /// Runs every check about who signs a call.
    ///
    /// # Errors
    /// [`Refusal`] of the first check that fails, in the order of the profile: [`Refusal::OrganizationMismatch`],
    /// [`Refusal::NotRegistered`], [`Refusal::RoleMissing`], [`Refusal::CertificateExpired`],
    /// [`Refusal::CertificateRevoked`], [`Refusal::CertificateUnknown`], [`Refusal::CertificateUnchecked`],
    /// [`Refusal::CertificateBlocked`], [`Refusal::RegisterUnanswered`], [`domain::StandingRefusal`]
    pub async fn identify(
        &self,
        ctx: &Ctx,
        interface: Interface,
        (signer, other): (Shown, Option<Shown>),
        demand: Demand<'_>,
    ) -> Result<Party, Error> {
        let (signer, place) = signer;
        let first = (&*signer, place);
        let second = other.as_ref().map(|(other, place)| (&**other, *place));
        let both = [first, second.unwrap_or(first)];
        let shown = if second.is_some() { &both[..] } else { &both[..1] };
        let standing = self.check_in_order(ctx, interface, Checked { shown, demand, acts: true }).await?;
        let acting = ActingTpp::proved(signer.holder.tpp.clone(), interface);
        let registered_by = standing.registered_by.filter(|own| own.certificate != signer.holder.fingerprint);
        Ok(Party { signer, acting, registered_by })
    }

    /// Runs every check about certificates of a call that is not about what their holder may do.
    ///
    /// # Errors
    /// As [`Gateway::identify`], but for what is about their holder.
    pub async fn identify_certificates(
        &self,
        ctx: &Ctx,
        interface: Interface,
        certificates: [Option<&Shown>; 2],
        roles: &[Role],
    ) -> Result<[Option<CertificateIdentity>; 2], Error> {
        let shown = certificates.into_iter().flatten().map(|(presented, place)| (&**presented, *place));
        let shown: Vec<_> = shown.collect();
        let demand = Demand { roles, registered: false, reads: false };
        self.check_in_order(ctx, interface, Checked { shown: &shown, demand, acts: false }).await?;
        let proved = |(presented, _): &Shown| CertificateIdentity {
            holder: presented.holder.clone(),
            presented: Some(Arc::clone(presented)),
        };
        Ok(certificates.map(|shown| shown.map(proved)))
    }

    /// Takes a certificate for which nobody vouches, as a bank for tests does. None elsewhere.
    pub fn identify_unvouched(&self, holder: CertificateHolder) -> Option<CertificateIdentity> {
        self.is_for_tests().then_some(CertificateIdentity { holder, presented: None })
    }

    /// Returns what is remembered of whoever signs, as far as that was asked.
    async fn check_in_order(
        &self,
        ctx: &Ctx,
        interface: Interface,
        checked: Checked<'_>,
    ) -> Result<Standing, Error> {
        let Checked { shown, demand, acts } = checked;
        let Some(((signer, place), others)) = shown.split_first() else { return Ok(Standing::default()) };
        let tpp = &signer.holder.tpp;
        // One statement tells the status of both certificates, and whether the holder is registered and blocked.
        let mut known = None;
        for check in self.profile(interface).certificates.in_order() {
            match check {
                CertificateCheck::Organization => {
                    for (other, at) in others {
                        check_same_organization(signer, *place, other, *at)?;
                    }
                }
                CertificateCheck::Registration if demand.registered => {
                    if self.standing_once(&mut known, shown).await?.0.registered_by.is_none() {
                        return Err(Refusal::NotRegistered(tpp.clone()).into());
                    }
                }
                CertificateCheck::Role if !demand.roles.is_empty() => {
                    for (certificate, _) in shown {
                        check_role(certificate, demand.roles)?;
                    }
                }
                CertificateCheck::Validity => {
                    for (certificate, place) in shown {
                        check_validity(certificate, *place, ctx.now)?;
                    }
                }
                CertificateCheck::Status if acts => {
                    let (standing, other) = self.standing_once(&mut known, shown).await?;
                    standing.certificate.map_or(Ok(()), |state| status_refusal(state.status, *place))?;
                    if let (Some(status), [(_, place), ..]) = (other, others) {
                        status_refusal(*status, *place)?;
                    }
                    self.check_statuses(others.get(1..).unwrap_or_default()).await?;
                    self.check_revocation(shown, demand.usage()).await?;
                }
                CertificateCheck::Status => {
                    self.check_statuses(shown).await?;
                    self.check_revocation(shown, demand.usage()).await?;
                }
                CertificateCheck::Standing if acts => {
                    self.standing_once(&mut known, shown).await?.0.check_not_blocked(tpp, ctx.now)?;
                    self.check_registers(ctx, shown, demand.roles).await?;
                }
                CertificateCheck::Standing => self.check_registers(ctx, shown, demand.roles).await?,
                CertificateCheck::Registration | CertificateCheck::Role => {}
            }
        }
        Ok(known.map(|(standing, _)| standing).unwrap_or_default())
    }

    async fn check_registers(
        &self,
        ctx: &Ctx,
        shown: &[(&PresentedCertificate, Place)],
        roles: &[Role],
    ) -> Result<(), Error> {
        for (certificate, _) in shown {
            self.check_register(ctx, &certificate.holder, roles).await?;
        }
        Ok(())
    }

    async fn check_statuses(&self, shown: &[(&PresentedCertificate, Place)]) -> Result<(), Error> {
        for (certificate, place) in shown {
            let status = self.0.store.certificate_status(&certificate.holder.fingerprint).await?;
            status.map_or(Ok::<_, Refusal>(()), |status| status_refusal(status, *place))?;
        }
        Ok(())
    }

    /// What is remembered about who signs, and of the certificate beside.
    async fn standing_once<'s>(
        &self,
        known: &'s mut Option<(Standing, Option<CertificateStatus>)>,
        shown: &[(&PresentedCertificate, Place)],
    ) -> Result<&'s (Standing, Option<CertificateStatus>), Error> {
        let standing = match (known.take(), shown) {
            (Some(standing), _) => standing,
            (None, [(signer, _), others @ ..]) => {
                let other = others.first().map_or("", |(other, _)| &other.holder.fingerprint);
                let fingerprints = [signer.holder.fingerprint.as_str(), other];
                self.0.store.standing_with(&signer.holder.tpp, fingerprints).await?
            }
            (None, []) => Default::default(),
        };
        Ok(known.insert(standing))
    }
}
