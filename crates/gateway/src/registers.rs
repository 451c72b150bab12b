//! Whether third parties are still authorised, as registers of payment institutions tell, and whom the bank's staff stopped.
//!
//! A copy of a register is looked into at once. A service that is asked about one third party at a time is asked once for all
//! calls that come meanwhile; what it said holds for ten minutes, in the second half of which it is asked again beside the calls,
//! and for seven days when it does not answer.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use domain::{
    CertificateHolder, OLDEST_REGISTER, Refusal, RegisterCopy, RegisterEntry, RegisterQuestion,
    RegisterStatus, StandingRefusal, StopList, Timestamp, TppId,
};
use eidas::{AuthorizationNumber, OrganizationIdentifier, Role};
use jiff::SignedDuration;
use quick_cache::sync::Cache;
use tokio::sync::watch;

use crate::{Ctx, Error, Gateway};

/// Third parties of which it is remembered what a service said.
const KNOWN: usize = 4096;

/// Third parties that are asked about at one time.
const AT_ONCE: usize = 64;

/// How long what a service said of an active one is taken without asking again.
const FRESH: SignedDuration = SignedDuration::from_mins(10);

/// How long it is believed that somebody is not authorised, or not known.
const NEGATIVE: SignedDuration = SignedDuration::from_secs(60);

/// When a service that did not answer is asked again.
const AGAIN: SignedDuration = SignedDuration::from_secs(20);

/// What a service says: the part of a register that is about a third party, or why there is nothing, for the log.
pub type LookedUp<'a> = Pin<Box<dyn Future<Output = Result<RegisterCopy, String>> + Send + 'a>>;

/// Looks one third party up.
pub trait LookUp: std::fmt::Debug + Send + Sync {
    /// Asks about the holder of an organizationIdentifier; `now` is of when an answer is that does not say so.
    fn look_up<'a>(&'a self, id: &'a TppId, now: Timestamp) -> LookedUp<'a>;
}

/// Where it stands who is authorised.
#[derive(Debug)]
pub enum RegisterSource {
    /// Nowhere: there is a stop list alone.
    None,
    /// In a copy, which is given by [`Register::take`].
    Copy,
    /// At a service, for which a call waits so long.
    Service(Arc<dyn LookUp>, Duration),
}

/// How calls were judged since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RegisterCounts {
    /// Calls of whom a register lists.
    pub listed: u64,
    /// Calls that were let in although no register lists who calls.
    pub unlisted: u64,
    /// Calls about which no register told anything, or one that is too old.
    pub untold: u64,
    /// Calls that were refused.
    pub refused: u64,
    /// Times that a service was asked.
    pub asked: u64,
    /// Of those, without any answer that could be used.
    pub unanswered: u64,
}

/// A register, and the stop list that comes first. Cloning is cheap and shares it.
#[derive(Debug, Clone)]
pub struct Register(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: RegisterSource,
    /// Whether nobody is let in whom no register lists.
    is_strict: bool,
    stopped: RwLock<Arc<StopList>>,
    copy: RwLock<Option<Arc<RegisterCopy>>>,
    known: Cache<TppId, Known>,
    /// Whom a service is asked about now; whoever waits is told by the end of the sender.
    asking: Mutex<HashMap<TppId, watch::Receiver<()>>>,
    /// Of when the newest answer of a service is, in seconds since 1970; before the first one zero.
    newest: AtomicU64,
    counts: [AtomicU64; 6],
}

/// What a service said of a third party.
#[derive(Debug, Clone)]
struct Known {
    said: Option<Arc<RegisterCopy>>,
    /// When it is asked again beside the calls.
    again: Timestamp,
    /// When no call is answered any more before it was asked.
    end: Timestamp,
}

#[derive(Debug, Clone, Copy)]
enum Count {
    Listed,
    Unlisted,
    Untold,
    Refused,
    Asked,
    Unanswered,
}

impl Register {
    /// With nobody stopped and no copy yet.
    pub fn new(source: RegisterSource, is_strict: bool) -> Self {
        Self(Arc::new(Inner {
            source,
            is_strict,
            stopped: RwLock::default(),
            copy: RwLock::default(),
            known: Cache::new(KNOWN),
            asking: Mutex::default(),
            newest: AtomicU64::default(),
            counts: Default::default(),
        }))
    }

    /// Stops these from now on, and nobody else.
    pub fn stop_these(&self, list: StopList) {
        *self.0.stopped.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(list);
    }

    /// Looks into this copy from now on.
    pub fn take(&self, copy: RegisterCopy) {
        *self.0.copy.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(copy));
    }

    /// Of when the copy is, or the newest answer of a service.
    pub fn as_of(&self) -> Option<Timestamp> {
        match self.0.source {
            RegisterSource::None => None,
            RegisterSource::Copy => self.copy().map(|copy| copy.as_of()),
            RegisterSource::Service(..) => {
                let newest = self.0.newest.load(Ordering::Relaxed);
                i64::try_from(newest)
                    .ok()
                    .filter(|newest| *newest > 0)
                    .and_then(|second| Timestamp::from_second(second).ok())
            }
        }
    }

    /// Whether it says nothing, and never did: there is no register, and nobody is stopped.
    pub fn is_silent(&self) -> bool {
        let is_none = matches!(self.0.source, RegisterSource::None);
        is_none && self.stopped().is_empty() && self.counts() == RegisterCounts::default()
    }

    /// How calls were judged since the start.
    pub fn counts(&self) -> RegisterCounts {
        let [listed, unlisted, untold, refused, asked, unanswered] =
            self.0.counts.each_ref().map(|count| count.load(Ordering::Relaxed));
        RegisterCounts { listed, unlisted, untold, refused, asked, unanswered }
    }

    fn count(&self, what: Count) {
        self.0.counts[what as usize].fetch_add(1, Ordering::Relaxed);
    }

    fn copy(&self) -> Option<Arc<RegisterCopy>> {
        self.0.copy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn stopped(&self) -> Arc<StopList> {
        Arc::clone(&self.0.stopped.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Checks that staff did not stop a third party or its certificate.
    fn check_not_stopped(&self, tpp: &TppId, fingerprint: &str) -> Result<(), StandingRefusal> {
        self.stopped().check(tpp, Some(fingerprint)).inspect_err(|_| self.count(Count::Refused))
    }

    /// What there is that says something of a third party, if it is not too old.
    async fn told(&self, tpp: &TppId, now: Timestamp) -> Option<Arc<RegisterCopy>> {
        let told = match &self.0.source {
            RegisterSource::None => None,
            RegisterSource::Copy => self.copy(),
            RegisterSource::Service(service, patience) => self.said(tpp, (service, *patience), now).await,
        };
        told.filter(|copy| now.duration_since(copy.as_of()) <= OLDEST_REGISTER)
    }

    async fn said(
        &self,
        tpp: &TppId,
        (service, patience): (&Arc<dyn LookUp>, Duration),
        now: Timestamp,
    ) -> Option<Arc<RegisterCopy>> {
        let known = self.0.known.get(tpp);
        if let Some(known) = &known
            && now < known.end
        {
            if known.again <= now {
                self.ask(tpp, service, now);
            }
            return known.said.clone();
        }
        if let Some(mut answered) = self.ask(tpp, service, now) {
            // It is an error when the sender is gone, and then there is an answer.
            let _ = tokio::time::timeout(patience, answered.changed()).await;
        }
        self.0.known.get(tpp).or(known).and_then(|known| known.said)
    }

    /// Begins to ask about a third party, unless somebody does. None if too many are asked about at once.
    fn ask(&self, tpp: &TppId, service: &Arc<dyn LookUp>, now: Timestamp) -> Option<watch::Receiver<()>> {
        let mut asking = self.0.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answered) = asking.get(tpp) {
            return Some(answered.clone());
        }
        if asking.len() >= AT_ONCE {
            return None;
        }
        let (done, answered) = watch::channel(());
        asking.insert(tpp.clone(), answered.clone());
        let (register, tpp, service) = (self.clone(), tpp.clone(), Arc::clone(service));
        tokio::spawn(async move {
            // Whatever becomes of the task, it can be asked again, and whoever waits goes on.
            let end = End { register: &register, tpp: &tpp, done };
            let known = register.find_out(&tpp, &*service, now).await;
            register.0.known.insert(tpp.clone(), known);
            drop(end);
        });
        Some(answered)
    }

    async fn find_out(&self, tpp: &TppId, service: &dyn LookUp, now: Timestamp) -> Known {
        let later = |by: SignedDuration| now.saturating_add(by).unwrap_or(now);
        self.count(Count::Asked);
        match service.look_up(tpp, now).await {
            Ok(copy) => {
                let as_of = u64::try_from(copy.as_of().as_second()).unwrap_or_default();
                self.0.newest.fetch_max(as_of, Ordering::Relaxed);
                let is_active = number_of(tpp).is_some_and(|number| {
                    copy.find(&number).is_some_and(|entry| entry.status == RegisterStatus::Active)
                });
                let holds = if is_active { FRESH } else { NEGATIVE };
                Known { said: Some(Arc::new(copy)), again: later(holds / 2), end: later(holds) }
            }
            Err(why) => {
                self.count(Count::Unanswered);
                tracing::warn!(tpp = %tpp, why, "the register of payment institutions does not answer");
                let said = self.0.known.peek(tpp).and_then(|known| known.said);
                Known { said, again: later(AGAIN), end: later(AGAIN) }
            }
        }
    }

    /// Whether it takes the roles of a third party to judge it by what is told of it.
    fn asks_for_roles(&self, told: Option<&RegisterCopy>, tpp: &TppId) -> bool {
        self.0.is_strict && told.is_some_and(|copy| said_of(tpp, copy).is_none())
    }

    /// Judges a third party by what is told of it. Whoever has the role of a bank among those held need not be listed: banks are in
    /// a register of their own. Nor need the bank's own customers, who have no number of an authority.
    fn judge(
        &self,
        told: Option<&RegisterCopy>,
        question: RegisterQuestion<'_>,
        held: &[Role],
    ) -> Result<(), Refusal> {
        if matches!(self.0.source, RegisterSource::None) {
            return Ok(());
        }
        let Some(copy) = told else {
            if self.0.is_strict {
                return Err(Refusal::RegisterUnanswered { retry_after: AGAIN.as_secs() });
            }
            self.count(Count::Untold);
            return Ok(());
        };
        match said_of(question.tpp, copy) {
            Some(entry) => {
                entry.check(question, copy.as_of())?;
                self.count(Count::Listed);
            }
            None => {
                let may_be_elsewhere =
                    number_of(question.tpp).is_none() || held.contains(&Role::AccountServicing);
                if self.0.is_strict && !may_be_elsewhere {
                    return Err(StandingRefusal::NotInRegister(question.tpp.clone()).into());
                }
                self.count(Count::Unlisted);
            }
        }
        Ok(())
    }
}

/// The end of a question.
struct End<'r> {
    register: &'r Register,
    tpp: &'r TppId,
    #[expect(dead_code, reason = "its end is what it tells")]
    done: watch::Sender<()>,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.register.0.asking.lock().unwrap_or_else(PoisonError::into_inner).remove(self.tpp);
    }
}

/// What a register says of a third party, if it says how it stands.
fn said_of<'c>(tpp: &TppId, copy: &'c RegisterCopy) -> Option<&'c RegisterEntry> {
    copy.find(&number_of(tpp)?).filter(|entry| entry.status != RegisterStatus::Unknown)
}

fn number_of(tpp: &TppId) -> Option<AuthorizationNumber> {
    OrganizationIdentifier::parse(tpp.as_str()).ok()?.authorization_number().cloned()
}

impl Gateway {
    /// Checks by stop list and register, at a bank that has them, that the holder of a certificate may act in the country of the
    /// branch that is called, in one of the roles.
    ///
    /// # Errors
    /// [`StandingRefusal::Stopped`], [`StandingRefusal::Withdrawn`], [`StandingRefusal::ServiceNotRegistered`],
    /// [`StandingRefusal::NotInRegister`], [`Refusal::RegisterUnanswered`]
    pub(crate) async fn check_register(
        &self,
        ctx: &Ctx,
        holder: &CertificateHolder,
        roles: &[Role],
    ) -> Result<(), Refusal> {
        let Some(register) = &self.0.register else { return Ok(()) };
        let told = self.told_of(register, (&holder.tpp, &holder.fingerprint)).await?;
        let question = RegisterQuestion { tpp: &holder.tpp, roles, country: ctx.tenant.country() };
        register
            .judge(told.as_deref(), question, &holder.roles)
            .inspect_err(|_| register.count(Count::Refused))
    }

    /// The same where no certificate is shown, for whoever acts on the word of one: whether it may act at all.
    ///
    /// # Errors
    /// As [`Gateway::check_register`]
    pub(crate) async fn check_register_of(
        &self,
        ctx: &Ctx,
        tpp: &TppId,
        fingerprint: &str,
    ) -> Result<(), Error> {
        let Some(register) = &self.0.register else { return Ok(()) };
        let told = self.told_of(register, (tpp, fingerprint)).await?;
        let mut held = Vec::new();
        if register.asks_for_roles(told.as_deref(), tpp) {
            let certificate = self.0.store.certificate(fingerprint).await?;
            held = certificate.map(|record| record.holder.roles).unwrap_or_default();
        }
        let question = RegisterQuestion { tpp, roles: &[], country: ctx.tenant.country() };
        let judged = register.judge(told.as_deref(), question, &held);
        Ok(judged.inspect_err(|_| register.count(Count::Refused))?)
    }

    /// Checks that staff did not stop a certificate that comes along, or its holder.
    ///
    /// # Errors
    /// [`StandingRefusal::Stopped`]
    pub(crate) fn check_not_stopped(&self, tpp: &TppId, fingerprint: &str) -> Result<(), StandingRefusal> {
        self.0.register.as_ref().map_or(Ok(()), |register| register.check_not_stopped(tpp, fingerprint))
    }

    /// What there is that says something of whoever is not stopped.
    async fn told_of(
        &self,
        register: &Register,
        (tpp, fingerprint): (&TppId, &str),
    ) -> Result<Option<Arc<RegisterCopy>>, StandingRefusal> {
        register.check_not_stopped(tpp, fingerprint)?;
        // Registers are in the system's time, whatever the clock of a tenant shows.
        Ok(register.told(tpp, self.system_time()).await)
    }
}

#[cfg(test)]
mod tests;
