//! Starting the bank: what is kept is taken up again, what is missing is made.

use std::sync::Arc;

use eidas::TrustStore;
use gateway::domain::{Iban, Tenant};
use gateway::{Clock, Drawer, Gateway, Keys, Parts, Randomness, RateLimits, Settings, Store, Strictness};

use crate::authorities::Authorities;
use crate::bank::SandboxBank;
use crate::clock::SandboxClock;

/// Name under which the bank keeps its state.
const OWNER: &str = "sandbox";
const SETUP: &str = "setup";

/// How to set the bank up.
#[derive(Debug, Clone)]
pub struct SandboxSettings {
    /// Branches.
    pub tenants: Vec<Tenant>,
    /// How much it puts up with.
    pub strictness: Strictness,
    /// How often it may be called.
    pub rate_limits: RateLimits,
    /// Seed of names and ids; without one the bank draws its own at its first start.
    pub seed: Option<u64>,
    /// The moment at which the bank's time begins; the system's time without one.
    pub begin: Option<gateway::domain::Timestamp>,
    /// Where browsers reach the bank.
    pub public_url: String,
    /// Certificates of further authorities to trust, in DER.
    pub trusted: Vec<Vec<u8>>,
}

/// A bank that is ready.
#[derive(Debug, Clone)]
pub struct Sandbox {
    /// The use cases.
    pub gateway: Gateway,
    /// Where the bank keeps its books.
    pub store: Store,
    /// The certification authority.
    pub authorities: Arc<Authorities>,
    /// The clocks.
    pub clock: Arc<SandboxClock>,
    /// Names and ids.
    pub randomness: Arc<Randomness>,
    /// The seed, given or drawn.
    pub seed: u64,
}

/// Why the bank cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The data were made with another seed.
    #[error("the data folder was made with seed {kept}, not {asked}; use --seed {kept}, or another folder")]
    Seed {
        /// Seed of the data.
        kept: u64,
        /// Seed that was asked for.
        asked: u64,
    },
    /// A file with a trusted authority is none.
    #[error("a trusted authority cannot be read: {0}")]
    Trusted(#[from] eidas::CertificateError),
    /// The certification authority cannot be made or read.
    #[error("the test certification authority cannot be used: {0}")]
    Authority(String),
    /// The store.
    #[error("{0}")]
    Store(#[from] gateway::Error),
}

impl Sandbox {
    /// Sets the bank up on a store.
    ///
    /// # Errors
    /// [`SandboxError`]
    pub async fn start(store: Store, settings: SandboxSettings) -> Result<Self, SandboxError> {
        let drawer = Drawer::new(&store, OWNER);
        let (seed, starts) = seed(&drawer, settings.seed).await?;
        let randomness = Arc::new(Randomness::from_seed(seed, starts));
        let clock = Arc::new(SandboxClock::load(drawer.clone(), &settings.tenants, settings.begin).await?);
        let authorities = Authorities::load_or_make(&drawer, &randomness, &settings.public_url).await?;
        let mut trust = TrustStore::default();
        authorities.add_to(&mut trust)?;
        for der in &settings.trusted {
            trust.add_anchor(der)?;
        }
        let gateway_settings = Settings {
            tenants: settings.tenants,
            strictness: settings.strictness,
            rate_limits: settings.rate_limits,
        };
        let shared: Arc<dyn Clock> = clock.clone();
        let gateway = Gateway::new(Parts {
            settings: gateway_settings,
            store: store.clone(),
            clock: shared,
            randomness: Arc::clone(&randomness),
            keys: Keys::load_or_make(&Drawer::new(&store, "gateway"), &randomness).await?,
            bank: Arc::new(SandboxBank::new(store.clone(), Arc::clone(&randomness), Arc::clone(&clock))),
            trust,
        });
        Ok(Self { gateway, store, authorities: Arc::new(authorities), clock, randomness, seed })
    }
}

impl Sandbox {
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

/// The seed and how many times the bank was started with its data, this start included.
async fn seed(drawer: &Drawer, asked: Option<u64>) -> Result<(u64, u64), SandboxError> {
    let number = |text: Option<String>| text.and_then(|text| text.parse::<u64>().ok());
    let kept = number(drawer.get(SETUP, "seed").await?);
    let seed = match (kept, asked) {
        (Some(kept), Some(asked)) if kept != asked => return Err(SandboxError::Seed { kept, asked }),
        (Some(kept), _) => kept,
        (None, Some(asked)) => asked,
        (None, None) => {
            let octets = Randomness::from_system().name_octets();
            // Short enough to be typed again.
            u64::from(u32::from_be_bytes([octets[0], octets[1], octets[2], octets[3]]))
        }
    };
    if kept.is_none() {
        drawer.put(SETUP, "seed", &seed.to_string()).await?;
    }
    let starts = number(drawer.get(SETUP, "starts").await?).unwrap_or(0) + 1;
    drawer.put(SETUP, "starts", &starts.to_string()).await?;
    Ok((seed, starts))
}
