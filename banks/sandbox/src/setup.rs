//! Starting the bank: what is kept is taken up again, what is missing is made.

use std::sync::Arc;

use eidas::TrustStore;
use gateway::domain::{Iban, Tenant};
use gateway::provider::IdentityProvider;
use gateway::revocation::{Fetch, Rules};
use gateway::{Bank, Clock, Drawer, Gateway, Keys, Parts, Profiles, Randomness, Revocation, Settings, Store};

use crate::authorities::Authorities;
use crate::bank::SandboxBank;
use crate::bank_names::BankNames;
use crate::books::Books;
use crate::clock::SandboxClock;
use crate::faults::Faults;
use crate::ledger::Ledger;
use crate::registers::Registers;
use crate::status_services::StatusServices;
use crate::trusted_lists::Lists;

/// Name under which the bank keeps its state.
pub(crate) const OWNER: &str = "sandbox";
const SETUP: &str = "setup";

/// Under which key it is kept how many starts there had been when the bank was reset last.
const RESET: &str = "reset";

/// How to set the bank up.
#[derive(Debug, Clone)]
pub struct SandboxSettings {
    /// Branches.
    pub tenants: Vec<Tenant>,
    /// How it runs each of its interfaces.
    pub profiles: Profiles,
    /// Seed of names, ids and numbers, customers' digipass numbers among them; without one the system draws them.
    pub seed: Option<u64>,
    /// The moment at which the bank's time begins; the system's time without one.
    pub begin: Option<gateway::domain::Timestamp>,
    /// Where browsers reach the bank.
    pub public_url: String,
    /// Certificates of further authorities to trust, in DER.
    pub trusted: Vec<Vec<u8>>,
    /// How these are asked whether they revoked certificates of theirs; if they are.
    pub revocation: Option<Arc<dyn Fetch>>,
    /// How many of a hundred good calls are refused, as the standards allow it; 0 to 100.
    pub misbehaves: u8,
    /// Where customers authenticate instead of at the bank's page, for whoever tries such a provider out.
    pub provider: Option<Arc<dyn IdentityProvider>>,
}

/// A bank that is ready.
#[derive(Debug, Clone)]
pub struct Sandbox {
    /// The use cases.
    pub gateway: Gateway,
    /// What the gateway asks the bank for.
    pub bank: Bank,
    /// Where the bank keeps its books.
    pub store: Ledger,
    /// The certification authority.
    pub authorities: Arc<Authorities>,
    /// The clocks.
    pub clock: Arc<SandboxClock>,
    /// What the bank is called.
    pub names: Arc<BankNames>,
    /// Names and ids.
    pub randomness: Arc<Randomness>,
    /// The seed, if one was given when the data were made.
    pub seed: Option<u64>,
    /// Which of its resets the bank goes back to, if there was any: pages in browsers that know what was before know nothing of it.
    pub reset: Option<String>,
    /// Faults that were asked for.
    pub faults: Arc<Faults>,
    /// What the authority does for whoever asks how its certificates stand.
    pub(crate) status_services: Arc<StatusServices>,
    /// What the register of payment institutions says otherwise than the certificates.
    pub(crate) registers: Arc<Registers>,
    /// What the trusted lists say of its authority.
    pub(crate) trusted_lists: Arc<Lists>,
}

/// Why the bank cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The data were made with another seed.
    #[error(
        "this bank was made with seed {kept}, not {asked}; use --seed {kept}, or another data folder or database"
    )]
    Seed {
        /// Seed of the data.
        kept: u64,
        /// Seed that was asked for.
        asked: u64,
    },
    /// The data were made without a seed.
    #[error(
        "this bank was made without a seed; leave --seed {0} out, or choose another data folder or database"
    )]
    Seedless(u64),
    /// A file with a trusted authority is none.
    #[error("a trusted authority cannot be read: {0}")]
    Trusted(#[from] eidas::CertificateError),
    /// The certification authority cannot be made or read.
    #[error("the test certification authority cannot be used: {0}")]
    Authority(String),
    /// The tables of the books.
    #[error("{0}")]
    Books(#[from] gateway::StoreError),
    /// The store.
    #[error("{}", edge::with_causes(.0))]
    Store(#[from] gateway::Error),
}

impl Sandbox {
    /// Sets the bank up on a store.
    ///
    /// # Errors
    /// [`SandboxError`]
    pub async fn start(store: Store, settings: SandboxSettings) -> Result<Self, SandboxError> {
        let store = Ledger::open(store).await?;
        let faults = Arc::new(Faults::new(settings.misbehaves));
        let drawer = Drawer::new(&store, OWNER);
        let (seed, starts) = seed(&drawer, settings.seed).await?;
        let randomness =
            seed.map_or_else(Randomness::from_system, |seed| Randomness::from_seed(seed, starts));
        let randomness = Arc::new(randomness);
        let reset = drawer.get(SETUP, RESET).await?;
        crate::events::take_up(&store, &drawer).await?;
        let clock = Arc::new(SandboxClock::load(drawer.clone(), &settings.tenants, settings.begin).await?);
        let names = Arc::new(BankNames::load(drawer.clone()).await?);
        let authorities = Authorities::load_or_make(&drawer, &randomness, &settings.public_url).await?;
        let mut trust = TrustStore::default();
        authorities.add_to(&mut trust)?;
        for der in &settings.trusted {
            trust.add_anchor(der)?;
        }
        let revocation = match settings.revocation {
            Some(fetch) => Some(Revocation::new(&authorities.own()?, fetch, Rules::default())),
            None => None,
        };
        let gateway_settings = Settings {
            tenants: settings.tenants,
            profiles: settings.profiles,
            kept: gateway::Kept::default(),
        };
        let shared: Arc<dyn Clock> = clock.clone();
        let bank = SandboxBank::new(store.clone(), Arc::clone(&randomness), Arc::clone(&clock))
            .ports(Arc::clone(&names));
        let bank = Bank { provider: settings.provider, ..bank };
        let gateway = Gateway::new(Parts {
            settings: gateway_settings,
            store: Store::clone(&store),
            clock: shared,
            randomness: Arc::clone(&randomness),
            keys: Keys::load_or_make(&Drawer::new(&store, "gateway"), &randomness).await?,
            bank: bank.clone(),
            trust,
            revocation,
            register: None,
            sealing: gateway::Sealing::default(),
        });
        Ok(Self {
            gateway,
            bank,
            store,
            authorities: Arc::new(authorities),
            clock,
            names,
            randomness,
            seed,
            reset,
            faults,
            status_services: Arc::default(),
            registers: Arc::default(),
            trusted_lists: Arc::default(),
        })
    }
}

impl Sandbox {
    /// The books.
    pub(crate) fn books(&self) -> Books {
        Books { store: self.store.clone(), clock: Arc::clone(&self.clock) }
    }

    /// Number of the digipass of the customer who holds an account; of the first one where there are several.
    ///
    /// # Errors
    /// [`gateway::Error`]
    pub async fn digipass_number(
        &self,
        tenant: &Tenant,
        iban: &Iban,
    ) -> Result<Option<String>, gateway::Error> {
        let holders = self.store.holders(tenant, iban).await?;
        Ok(holders.into_iter().next().map(|holder| holder.digipass_number))
    }
}

/// The seed, if a user gave one, and how many times the bank was started with its data, this start included.
async fn seed(drawer: &Drawer, asked: Option<u64>) -> Result<(Option<u64>, u64), SandboxError> {
    let number = |text: Option<String>| text.and_then(|text| text.parse::<u64>().ok());
    let kept = number(drawer.get(SETUP, "seed").await?);
    let is_given = drawer.get(SETUP, "seed-given").await?.is_some();
    let starts = number(drawer.get(SETUP, "starts").await?).unwrap_or(0) + 1;
    let seed = match (kept, asked) {
        (Some(kept), Some(asked)) if kept != asked => return Err(SandboxError::Seed { kept, asked }),
        (None, Some(asked)) if starts > 1 => return Err(SandboxError::Seedless(asked)),
        (_, Some(asked)) => Some(asked),
        // Older versions drew a seed that can be guessed where none was given. Nothing more is made from it.
        (kept, None) => kept.filter(|_| is_given),
    };
    if let (Some(seed), false) = (seed, is_given) {
        drawer.put(SETUP, "seed", &seed.to_string()).await?;
        drawer.put(SETUP, "seed-given", "true").await?;
    }
    drawer.put(SETUP, "starts", &starts.to_string()).await?;
    Ok((seed, starts))
}

/// Brings what goes on from a bank into other data of it: how many starts there were, so that no id comes twice, that a gateway is told what
/// happens, and in data that are new the seed.
pub(crate) async fn carry_on(from: &Store, to: &Store, is_new: bool) -> Result<(), gateway::Error> {
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let other = Drawer::new(to, OWNER);
    let drawer = Drawer::new(from, OWNER);
    let starts = drawer.get(SETUP, "starts").await?;
    let starts = number(starts.as_deref());
    let larger = |there: Option<&str>| Some(starts.max(number(there)).to_string());
    other.update(SETUP, "starts", larger).await?;
    crate::events::carry_on(&drawer, &other).await?;
    if is_new {
        for key in ["seed", "seed-given"] {
            if let Some(value) = drawer.get(SETUP, key).await? {
                other.put(SETUP, key, &value).await?;
            }
        }
        other.put(SETUP, RESET, &starts.to_string()).await?;
    }
    Ok(())
}
