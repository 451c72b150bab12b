//! Standing: whether a third party may act now. It may unless the bank blocks it, or the certificate that it acts on
//! the word of is blocked, revoked, or out of its time.

use eidas::Role;
use eidas::certificate::may_be_used_at;
use jiff::Timestamp;

use crate::{CertificateStatus, Interface, TppId};

/// That a bank blocks a third party.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Since when.
    pub at: Timestamp,
    /// From when on it may act again by itself; none if the bank has to lift the block.
    pub until: Option<Timestamp>,
}

impl Block {
    /// Whether the third party is still blocked at a moment.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// What a bank remembers about a third party and one certificate of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// That the bank blocks the third party, or did for a time.
    pub blocked: Option<Block>,
    /// The certificate of its registration; none if it has not registered.
    pub registered_by: Option<RegisteredBy>,
    /// The certificate, if it was recorded.
    pub certificate: Option<CertificateState>,
}

/// The certificate of a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredBy {
    /// Its fingerprint.
    pub certificate: String,
    /// Whether it can be in use, if it was recorded.
    pub state: Option<CertificateState>,
}

/// Whether a certificate can be in use, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificateState {
    /// Whether it may be used.
    pub status: CertificateStatus,
    /// First second of validity.
    pub not_before: Timestamp,
    /// Last second of validity.
    pub not_after: Timestamp,
}

impl CertificateState {
    /// Whether the certificate is in its time, as far as clocks agree: see [`eidas::certificate::may_be_used_at`].
    pub fn is_in_time_at(&self, now: Timestamp) -> bool {
        may_be_used_at((self.not_before, self.not_after), now)
    }
}

impl Standing {
    /// Checks that the bank does not block the third party.
    ///
    /// # Errors
    /// [`StandingRefusal::Blocked`]
    pub fn check_not_blocked(&self, tpp: &TppId, now: Timestamp) -> Result<(), StandingRefusal> {
        match self.blocked.filter(|block| block.holds_at(now)) {
            Some(Block { at, until }) => Err(StandingRefusal::Blocked { tpp: tpp.clone(), at, until }),
            None => Ok(()),
        }
    }

    /// Checks that the third party may act at an interface on the word of the certificate.
    ///
    /// # Errors
    /// [`StandingRefusal`]
    pub fn check(&self, tpp: &TppId, interface: Interface, now: Timestamp) -> Result<(), StandingRefusal> {
        self.check_in_use(tpp, interface, now)?;
        match self.certificate {
            Some(state) if !state.is_in_time_at(now) => {
                let (tpp, from, to) = (tpp.clone(), state.not_before, state.not_after);
                Err(StandingRefusal::CertificateExpired { tpp, interface, from, to, now })
            }
            _ => Ok(()),
        }
    }

    /// The same where it does not matter that the time of the certificate is over, as its holder shows another one wherever
    /// something depends on it.
    ///
    /// # Errors
    /// [`StandingRefusal`]
    pub fn check_in_use(
        &self,
        tpp: &TppId,
        interface: Interface,
        now: Timestamp,
    ) -> Result<(), StandingRefusal> {
        self.check_blocks(tpp, interface, now)?;
        match self.certificate.map(|state| state.status) {
            Some(CertificateStatus::Revoked { at }) => {
                Err(StandingRefusal::CertificateRevoked { tpp: tpp.clone(), interface, at })
            }
            _ => Ok(()),
        }
    }

    /// The same where its holder shows another one now, so that nothing matters of the certificate but that the bank blocked it.
    ///
    /// # Errors
    /// [`StandingRefusal`]
    pub fn check_blocks(
        &self,
        tpp: &TppId,
        interface: Interface,
        now: Timestamp,
    ) -> Result<(), StandingRefusal> {
        self.check_not_blocked(tpp, now)?;
        match self.certificate.map(|state| state.status) {
            Some(CertificateStatus::Blocked { at }) => {
                Err(StandingRefusal::CertificateBlocked { tpp: tpp.clone(), interface, at })
            }
            _ => Ok(()),
        }
    }
}

/// Why a third party may not act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StandingRefusal {
    /// The bank blocks it.
    #[error("{tpp} was blocked by the bank at {at}; it may act again {}", again(*until))]
    Blocked {
        /// Which third party.
        tpp: TppId,
        /// Since when.
        at: Timestamp,
        /// Until when, if the block ends by itself.
        until: Option<Timestamp>,
    },
    /// The bank blocks its certificate.
    #[error(
        "{} {tpp} was blocked by the bank at {at}; ask the bank, then {}",
        interface.certificate(), interface.remedy()
    )]
    CertificateBlocked {
        /// Which third party.
        tpp: TppId,
        /// Where it wants to act.
        interface: Interface,
        /// Since when.
        at: Timestamp,
    },
    /// Its certificate was replaced or revoked.
    #[error("{} {tpp} was revoked or replaced at {at}; {}", interface.certificate(), interface.remedy())]
    CertificateRevoked {
        /// Which third party.
        tpp: TppId,
        /// Where it wants to act.
        interface: Interface,
        /// Since when.
        at: Timestamp,
    },
    /// Its certificate is not valid yet or not any more.
    #[error(
        "{} {tpp} is valid from {from} to {to}; now it is {now}; {}",
        interface.certificate(), interface.remedy()
    )]
    CertificateExpired {
        /// Which third party.
        tpp: TppId,
        /// Where it wants to act.
        interface: Interface,
        /// First second of validity.
        from: Timestamp,
        /// Last second of validity.
        to: Timestamp,
        /// Now, by the tenant's clock.
        now: Timestamp,
    },
    /// No authority that the bank trusts vouches for its certificate any more.
    #[error(
        "no authority that the bank trusts vouches any more for {} {tpp}; {}",
        interface.certificate(), interface.remedy()
    )]
    CertificateUntrusted {
        /// Which third party.
        tpp: TppId,
        /// Where it wants to act.
        interface: Interface,
    },
    /// The bank's staff stopped it, or its certificate.
    #[error("{0} was stopped by the bank; it may act again when the bank lifts that: ask the bank")]
    Stopped(TppId),
    /// A register says that it is not authorised any more.
    #[error(
        "the register of payment institutions of {as_of} says that the authorisation of {tpp} was withdrawn; if that is wrong, \
         ask the competent authority to correct it"
    )]
    Withdrawn {
        /// Which third party.
        tpp: TppId,
        /// Of when the register is.
        as_of: Timestamp,
    },
    /// A register does not list the service for the bank's country.
    #[error(
        "the register of payment institutions of {as_of} does not say that {tpp} may offer {} in {country}; ask the competent \
         authority for the passport, and the bank again when the register has it",
        if needed.is_empty() { "any service".to_owned() } else { crate::refusal::list(needed) }
    )]
    ServiceNotRegistered {
        /// Which third party.
        tpp: TppId,
        /// Services of which one is needed; any if there is none.
        needed: Vec<Role>,
        /// The bank's country.
        country: String,
        /// Of when the register is.
        as_of: Timestamp,
    },
    /// No register lists it, at a bank that lets nobody in without that.
    #[error("no register of payment institutions lists {0}; this bank serves only those that are listed")]
    NotInRegister(TppId),
}

/// When a third party that is blocked may act again.
fn again(until: Option<Timestamp>) -> String {
    until.map_or_else(
        || "when the bank lifts that: ask the bank".to_owned(),
        |until| format!("from {until} on, or when the bank lifts that before: ask the bank"),
    )
}

impl StandingRefusal {
    /// Whether it says nothing but what anybody can look up in a register, or that staff decided.
    pub fn is_told_to_everybody(&self) -> bool {
        match self {
            Self::Stopped(_)
            | Self::Withdrawn { .. }
            | Self::ServiceNotRegistered { .. }
            | Self::NotInRegister(_) => true,
            Self::Blocked { .. }
            | Self::CertificateBlocked { .. }
            | Self::CertificateRevoked { .. }
            | Self::CertificateExpired { .. }
            | Self::CertificateUntrusted { .. } => false,
        }
    }

    /// The code of NextGenPSD2 for it, which other formats carry in their texts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Blocked { .. }
            | Self::CertificateBlocked { .. }
            | Self::Stopped(_)
            | Self::Withdrawn { .. }
            | Self::NotInRegister(_) => "CERTIFICATE_BLOCKED",
            Self::ServiceNotRegistered { .. } => "ROLE_INVALID",
            Self::CertificateRevoked { .. } => "CERTIFICATE_REVOKED",
            Self::CertificateExpired { .. } => "CERTIFICATE_EXPIRED",
            Self::CertificateUntrusted { .. } => "CERTIFICATE_INVALID",
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_third_party_acts_while_nothing_is_against_it() {
        let (from, tpp) = (Timestamp::UNIX_EPOCH, TppId::new("PSDNL-DNB-1"));
        let to = from + SignedDuration::from_hours(1);
        let standing = |status, blocked| Standing {
            blocked,
            registered_by: Some(RegisteredBy { certificate: "aa".to_owned(), state: None }),
            certificate: Some(CertificateState { status, not_before: from, not_after: to }),
        };
        let code = |standing: Standing, now| {
            standing.check(&tpp, Interface::BerlinGroup, now).map_err(|refusal| refusal.code())
        };
        let second = SignedDuration::from_secs(1);
        let active = || standing(CertificateStatus::Active, None);
        assert_eq!(Standing::default().check(&tpp, Interface::Bunq, from), Ok(()));
        for now in [from, to] {
            assert_eq!(code(active(), now), Ok(()), "{now}");
        }
        // Clocks may differ by five minutes when it was just issued, and by nothing when it ends.
        let early = from - SignedDuration::from_mins(5);
        assert_eq!(code(active(), early), Ok(()));
        for now in [early - second, to + second] {
            assert_eq!(code(active(), now), Err("CERTIFICATE_EXPIRED"), "{now}");
            let whatever_its_time = active().check_in_use(&tpp, Interface::BerlinGroup, now);
            assert_eq!(whatever_its_time, Ok(()), "{now}");
        }
        let revoked = standing(CertificateStatus::Revoked { at: from }, None);
        assert_eq!(code(revoked.clone(), from), Err("CERTIFICATE_REVOKED"));
        let late = revoked.check_in_use(&tpp, Interface::BerlinGroup, to + second);
        assert_eq!(late.unwrap_err().code(), "CERTIFICATE_REVOKED");
        assert_eq!(revoked.check_blocks(&tpp, Interface::BerlinGroup, to + second), Ok(()));
        let blocked = standing(CertificateStatus::Blocked { at: from }, None);
        assert_eq!(code(blocked.clone(), from), Err("CERTIFICATE_BLOCKED"));
        let whatever_else = blocked.check_blocks(&tpp, Interface::BerlinGroup, from);
        assert_eq!(whatever_else.unwrap_err().code(), "CERTIFICATE_BLOCKED");
        let block = |until| Some(Block { at: from, until });
        assert_eq!(code(standing(CertificateStatus::Active, block(None)), to), Err("CERTIFICATE_BLOCKED"));
        let for_a_time = || standing(CertificateStatus::Active, block(Some(to)));
        assert_eq!(code(for_a_time(), to - second), Err("CERTIFICATE_BLOCKED"));
        assert_eq!(code(for_a_time(), to), Ok(()), "it ended by itself");
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let tpp = TppId::new("PSDNL-DNB-1");
        let at = Timestamp::UNIX_EPOCH;
        let text =
            |interface| StandingRefusal::CertificateRevoked { tpp: tpp.clone(), interface, at }.to_string();
        assert!(text(Interface::BerlinGroup).contains("PSDNL-DNB-1 was revoked or replaced at"));
        assert!(text(Interface::BerlinGroup).ends_with("register again with a certificate that is in use"));
        assert!(text(Interface::Bunq).ends_with("for a new API key"));
        let blocked = |until| StandingRefusal::Blocked { tpp: tpp.clone(), at, until }.to_string();
        assert!(blocked(None).ends_with("it may act again when the bank lifts that: ask the bank"));
        assert!(blocked(Some(at)).contains("it may act again from 1970-01-01T00:00:00Z on"));
    }
}
