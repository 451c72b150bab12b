//! A sandbox goes on with other data: nobody calls it meanwhile, and all that it remembers of those before is made anew.

use std::sync::{Arc, OnceLock, PoisonError, RwLock, Weak};
use std::time::Duration;

use gateway::{Clock, Drawer, Store};
use oauth::SigningKeys;
use sandbox::{OtherData, Sandbox, SnapshotError};
use tokio::sync::Mutex;

use crate::addresses::Addresses;
use crate::data_folder;
use crate::dialects::DIALECTS;
use crate::gate::{Closed, Gate};
use crate::house::{House, Plan};
use crate::start_error::StartError;
use crate::tasks::{Beside, Work};

/// How long calls that came before may take to be answered.
const PATIENCE: Duration = Duration::from_secs(5);

/// A sandbox behind its gate, and what is needed to let it go on with other data.
pub(crate) struct Exchange {
    plan: Plan,
    way: Way,
    gate: Arc<Gate>,
    bank: RwLock<Sandbox>,
    addresses: Addresses,
    /// Held while the bank goes on with other data.
    beside: Mutex<Beside>,
}

/// The way to an exchange for the management API, which is set up before there is one, and must not keep it.
#[derive(Clone, Default)]
struct Way(Arc<OnceLock<Weak<Exchange>>>);

impl Way {
    fn for_management(&self) -> sandbox::Exchange {
        let way = Arc::clone(&self.0);
        Arc::new(move |data| {
            let exchange = way.get().and_then(Weak::upgrade);
            Box::pin(async move {
                match exchange {
                    Some(exchange) => exchange.go_on_with(data).await,
                    // It starts or stops.
                    None => Err(SnapshotError::Busy),
                }
            })
        })
    }
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Exchange(…)")
    }
}

impl Exchange {
    /// Sets a bank up on a store, and begins what runs beside its calls.
    ///
    /// # Errors
    /// [`StartError`]
    pub(crate) async fn begin(plan: Plan, store: Store) -> Result<Arc<Self>, StartError> {
        let way = Way::default();
        let begin = plan.settings.begin;
        let House { sandbox, addresses, fronts, work } =
            plan.set_up(store, begin, way.for_management()).await?;
        let exchange = Arc::new(Self {
            plan,
            way,
            gate: Arc::new(Gate::new(fronts)),
            bank: RwLock::new(sandbox),
            addresses,
            beside: Mutex::new(Beside::begin(work)),
        });
        let _ = exchange.way.0.set(Arc::downgrade(&exchange));
        Ok(exchange)
    }

    /// The bank of the moment.
    pub(crate) fn bank(&self) -> Sandbox {
        self.bank.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where it is reached.
    pub(crate) fn addresses(&self) -> Addresses {
        self.addresses.clone()
    }

    /// The way to it for its listeners.
    pub(crate) fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// Stops what runs beside the calls.
    pub(crate) async fn stop(&self) {
        self.beside.lock().await.stop().await;
    }

    async fn go_on_with(&self, data: OtherData) -> Result<(), SnapshotError> {
        let mut beside = self.beside.try_lock().map_err(|_| SnapshotError::Busy)?;
        let closed = self.gate.close(PATIENCE).await;
        let closed = closed.ok_or(SnapshotError::CallsRunning(PATIENCE.as_secs()))?;
        // What is under way there is about the data before.
        beside.stop().await;
        match self.change(&data, &closed).await {
            Ok(work) => {
                *beside = Beside::begin(work);
                Ok(())
            }
            Err(error) => {
                beside.again();
                Err(error)
            }
        }
    }

    /// Replaces the data, and sets the bank up on them. If that fails, the bank before reads those data and writes nothing, until
    /// it is tried again or the process is started anew.
    async fn change(&self, data: &OtherData, closed: &Closed<'_>) -> Result<Work, SnapshotError> {
        let bank = self.bank();
        carry_on(&bank.store, data).await?;
        let store = bank.store.replaced_by(data.store()).await?;
        // A bank that began at a moment of its own begins there anew as a new one; otherwise its time goes on.
        let begin = self.plan.settings.begin.map(|begin| match data.is_new() {
            true => begin,
            false => bank.clock.now(None),
        });
        let house = self.plan.set_up(store, begin, self.way.for_management()).await;
        let House { sandbox, fronts, work, .. } = house.map_err(SnapshotError::failed)?;
        closed.change(fronts);
        *self.bank.write().unwrap_or_else(PoisonError::into_inner) = sandbox;
        Ok(work)
    }
}

/// Brings what goes on from the bank as it is now into other data: no number comes twice; and those who trust a bank that is reset,
/// or keep its public keys for a while, trust it as before.
async fn carry_on(from: &Store, data: &OtherData) -> Result<(), gateway::Error> {
    data.carry_on(from).await?;
    for dialect in DIALECTS {
        Drawer::new(from, dialect.name).raise_in(data.store()).await?;
    }
    if data.is_new() {
        let (identity, _) = data_folder::ENTRY;
        Drawer::new(from, data_folder::OWNER).copy_to(data.store(), identity).await?;
        for kind in SigningKeys::KINDS {
            Drawer::new(from, "oauth").copy_to(data.store(), kind).await?;
        }
    }
    Ok(())
}
