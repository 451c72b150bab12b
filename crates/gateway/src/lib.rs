//! The use cases: what a bank does for third parties, one file per noun.
//!
//! A use case loads (plain reads), decides (pure rules in `domain`) and saves (one batch of guarded writes).
//! This crate alone calls the store. It knows neither HTTP nor any dialect's words.

pub mod access;
mod access_tokens;
pub mod accounts;
pub mod audit;
mod authorisations;
pub mod bank;
#[cfg(feature = "contract")]
pub mod bank_contract;
#[cfg(feature = "bank-end")]
pub mod bank_end;
mod bank_events;
mod blocks;
mod call_limits;
mod cancellations;
pub mod certificates;
mod clients;
mod clock;
mod consents;
mod context;
mod customer_area;
mod customer_payments;
mod customer_rights;
mod customer_sessions;
mod customer_trips;
mod customers;
mod decisions;
mod endings;
mod erasure;
mod error;
mod events_aside;
mod forgetting;
mod funds_consents;
mod grants;
mod kept_certificates;
mod keys;
mod last_uses;
mod leases;
mod linked_answers;
mod log_in;
mod log_in_failures;
mod onboarding;
mod parties;
mod payment_approvals;
mod payment_confirmations;
mod payment_requests;
mod payments;
mod private_state;
pub mod profile;
pub mod provider;
mod provider_trips;
mod pushed_requests;
mod randomness;
mod registers;
mod registration;
mod renewals;
mod requests;
mod resource_servers;
pub mod revocation;
mod sealing;
mod secrets;
pub mod sessions;
pub mod staff;
mod standing;
pub mod statistics;
mod subjects;
pub mod third_parties;
mod trust;
mod waiting_payments;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, RwLock};

pub use access::{AccessCredentials, AccountAccess, ConsentAccess};
pub use access_tokens::ActiveToken;
pub use accounts::{AccountView, TransactionsPage, TransactionsRequest};
pub use bank::Bank;
pub use bank_events::{BankEvent, ToldEvent};
pub use call_limits::CallPlace;
pub use cancellations::Cancellation;
pub use certificates::{Place, PresentedCertificate};
pub use clock::{Clock, SystemClock};
pub use consents::RequestedConsent;
pub use context::Ctx;
pub use customer_area::Movements;
pub use customer_payments::{OwnPayment, OwnPaymentsPage, PaymentsPlace, WayOut};
pub use customer_rights::{Given, GivenInShort, GivenPage, Right};
pub use customer_sessions::{Insider, OwnLogIn, OwnPlace, WhyOver};
pub use customers::ReadableAccount;
pub use decisions::{Approval, DecisionProblem};
pub use domain;
use domain::{Interface, RequestId, Tenant};
pub use erasure::{Belongings, Erased};
pub use error::{Error, Noun, retry};
pub use forgetting::Forgotten;
pub use funds_consents::RequestedFundsConsent;
pub use grants::{CodeExchange, IssuedTokens};
pub use kept_certificates::Usage;
pub use keys::Keys;
pub use leases::{Lease, Turn};
pub use linked_answers::LinkedAnswer;
pub use log_in::{LogInAttempt, LogInProblem};
pub use onboarding::IssuedToken;
pub use parties::{CertificateIdentity, Demand, Party, Shown};
pub use payment_requests::{PaymentInitiation, PaymentView, RequestedPayment};
pub use payments::{ApprovedPayment, Declined, PaymentProgress, PaymentRequest, Submitted, entry_of};
pub use private_state::{Drawer, Entry, SEQUENCE};
pub use profile::{Profile, Profiles};
pub use provider_trips::{CameBack, TripProblem};
pub use randomness::Randomness;
pub use registers::{LookUp, LookedUp, Register, RegisterCounts, RegisterSource};
pub use registration::{Registered, RegistrationRequest};
pub use requests::RequestKey;
pub use revocation::Revocation;
pub use sealing::{SealedAnew, Sealing, SealingError, SealingKey};
pub use secrets::{challenge as code_challenge, fingerprint, hash as secret_hash, matches};
pub use standing::ActingTpp;
pub use store::{Changes, Contents as StoreContents, Fault, Store, StoreError};

/// What whoever watches a [`Store`] is told.
pub mod store_watch {
    pub use store::{Load, Outcome, Watch, Work};
}

pub use subjects::Sought;
pub use trust::{Qualified, Qualify, Sent, Unqualified};
pub use waiting_payments::{Payer, WaitingPayment};

/// How a bank is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The bank's branches.
    pub tenants: Vec<Tenant>,
    /// How it runs each of its interfaces.
    pub profiles: Profiles,
    /// How long it keeps what it notes for supervisors.
    pub kept: Kept,
}

/// How long a bank keeps what it notes for supervisors.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    /// Entries of the audit trail.
    pub audit: jiff::SignedDuration,
    /// What statistics are made of, from the end of its day on.
    pub statistics: jiff::SignedDuration,
}

impl Default for Kept {
    fn default() -> Self {
        Self { audit: domain::DISPUTABLE, statistics: domain::DISPUTABLE }
    }
}

/// The bank's access gateway. Cloning is cheap and shares it.
#[derive(Debug, Clone)]
pub struct Gateway(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    store: Store,
    clock: Arc<dyn Clock>,
    randomness: Arc<Randomness>,
    keys: Keys,
    bank: Bank,
    trust: trust::Trust,
    kept_paths: kept_certificates::KeptPaths,
    revocation: Option<Revocation>,
    register: Option<Register>,
    sealing: Sealing,
    has_wrong_clock: AtomicBool,
    request_ids: requests::RequestIds,
    call_counts: call_limits::CallCounts,
    last_uses: last_uses::LastUses,
    /// What interfaces keep of customers for themselves.
    belongings: RwLock<Vec<Arc<dyn Belongings>>>,
}

/// What a gateway is made of.
#[derive(Debug)]
pub struct Parts {
    /// How the bank is set up.
    pub settings: Settings,
    /// Where everything is kept.
    pub store: Store,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Ids and secrets.
    pub randomness: Arc<Randomness>,
    /// The gateway's own keys.
    pub keys: Keys,
    /// The bank behind it.
    pub bank: Bank,
    /// The authorities whose certificates are taken.
    pub trust: eidas::TrustStore,
    /// Asks authorities whether they revoked certificates of theirs. None if the bank knows that itself.
    pub revocation: Option<Revocation>,
    /// Tells whether third parties are still authorised. None if nobody is asked.
    pub register: Option<Register>,
    /// Seals what interfaces keep secret, as what made `keys` seals these.
    pub sealing: Sealing,
}

impl Gateway {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        let Parts { settings, store, clock, randomness, keys, bank, trust, revocation, register, sealing } =
            parts;
        let trust = trust::Trust::new(trust);
        let request_ids = requests::RequestIds::default();
        Self(Arc::new(Inner {
            settings,
            store,
            clock,
            randomness,
            keys,
            bank,
            trust,
            kept_paths: kept_certificates::KeptPaths::default(),
            revocation,
            register,
            sealing,
            has_wrong_clock: AtomicBool::new(false),
            request_ids,
            call_counts: call_limits::CallCounts::default(),
            last_uses: last_uses::LastUses::default(),
            belongings: RwLock::default(),
        }))
    }

    /// How the bank is set up.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// How the bank runs an interface.
    pub fn profile(&self, interface: Interface) -> &Profile {
        self.profiles().at(interface)
    }

    /// How the bank runs its interfaces.
    pub(crate) fn profiles(&self) -> &Profiles {
        &self.0.settings.profiles
    }

    /// Whoever asks authorities about certificates, at a bank that does.
    pub fn revocation(&self) -> Option<&Revocation> {
        self.0.revocation.as_ref()
    }

    /// Whoever tells whether third parties are still authorised, at a bank that asks.
    pub fn register_of_institutions(&self) -> Option<&Register> {
        self.0.register.as_ref()
    }

    /// Begins a call: reads the clock once. Absent for a tenant that the bank does not have.
    pub fn context(&self, tenant: &str, request: RequestId) -> Option<Ctx> {
        let tenant = self.0.settings.tenants.iter().find(|known| known.as_str() == tenant)?;
        Some(Ctx { now: self.0.clock.now(Some(tenant)), tenant: tenant.clone(), request, language: None })
    }

    /// Gives memory back, if nothing was written since this was called last.
    pub fn rest(&self) {
        self.0.store.rest();
    }

    /// Runs the answering of a call so that its reads cost less: see [`Store::in_snapshots`].
    pub async fn in_snapshots<F: Future>(&self, answer: F) -> F::Output {
        self.0.store.in_snapshots(answer).await
    }

    /// Now by the system's clock, for what belongs to no tenant.
    pub fn system_time(&self) -> domain::Timestamp {
        self.0.clock.now(None)
    }

    /// A fresh id for a call that brought none.
    pub fn new_request_id(&self) -> RequestId {
        RequestId::new(self.0.randomness.id())
    }

    /// The private state of a dialect, under its name.
    pub fn drawer(&self, owner: &'static str) -> Drawer {
        Drawer::new(&self.0.store, owner)
    }

    /// The same for what is secret, sealed at rest where the bank has a key for that.
    pub fn sealed_drawer(&self, owner: &'static str) -> Drawer {
        self.drawer(owner).sealed_by(&self.0.sealing)
    }

    /// A fresh secret of 64 hexadecimal digits.
    pub fn new_secret(&self) -> String {
        self.0.randomness.hex_secret()
    }

    /// A fresh secret in the form of a UUID.
    pub fn new_secret_uuid(&self) -> String {
        self.0.randomness.secret_uuid()
    }

    /// A secret of 64 hexadecimal digits that only this gateway can make, and makes again from the same parts: what
    /// an interface has to tell more than once need not be stored.
    pub fn derived_secret(&self, purpose: &str, parts: &[&str]) -> String {
        self.0.keys.derived_secret(purpose, parts)
    }
}
