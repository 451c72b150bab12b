//! Trusted lists: fetched by a task, verified, kept in a folder for a start without a network, and asked what certificates are
//! qualified for.

mod numbers;
mod set;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use edge::trusted_lists::ListAddresses;
use eidas::Certificate;
use gateway::domain::Timestamp;
use gateway::revocation::Issuers;
use gateway::{Clock, Gateway};
use jiff::SignedDuration;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use trusted_lists::{ListKind, TrustedList};

pub(super) use self::numbers::ListNumbers;
use self::set::ListedServices;
use crate::configuration::{self, Configuration, Trust};
use crate::start_error::StartError;

/// How long after the moment until which the next one should have been there a list is still taken.
const GRACE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How long a start waits for lists when none is kept.
const PATIENCE: Duration = Duration::from_secs(30);

/// The name under which the list of lists is kept. No country has it.
const OF_LISTS: &str = "list-of-lists";

/// The lists, which are fetched as long as this is there.
#[derive(Debug)]
pub(super) struct TrustedLists {
    kept: Arc<Kept>,
    look: Arc<Notify>,
    _fetching: JoinSet<()>,
}

/// The lists that are there.
#[derive(Debug)]
struct Kept {
    folder: PathBuf,
    signers: Vec<Certificate>,
    countries: Vec<String>,
    addresses: ListAddresses,
    clock: Arc<dyn Clock>,
    lists: Mutex<Lists>,
}

#[derive(Debug, Default)]
struct Lists {
    of_lists: Option<TrustedList>,
    /// By country, as lists write it.
    national: BTreeMap<String, TrustedList>,
    /// Authorities beside those of the lists that are asked about revocations, if any are.
    others: Option<Issuers>,
    /// Those below the authorities of the lists.
    intermediates: Vec<Vec<u8>>,
    /// Lists that could not be taken since the start.
    refused: u64,
}

impl TrustedLists {
    /// Reads what is kept, and begins to fetch; if nothing is kept, waits a while for what is fetched.
    ///
    /// # Errors
    /// [`StartError::TrustedLists`]
    pub(super) async fn begin(
        configuration: &Configuration,
        (gateway, clock): (&Gateway, &Arc<dyn Clock>),
    ) -> Result<Option<Self>, StartError> {
        let Some(section) = &configuration.trusted_lists else { return Ok(None) };
        let kept = Arc::new(Kept::new(section, Arc::clone(clock)).map_err(StartError::TrustedLists)?);
        kept.read_folder();
        kept.trust(&configuration.trust, gateway);
        let is_new = kept.has_nothing();
        if is_new {
            let _ = tokio::time::timeout(PATIENCE, kept.refresh(gateway)).await;
        }
        let (mut fetching, look) = (JoinSet::new(), Arc::new(Notify::new()));
        let every = section.refresh_every.0;
        fetching.spawn(keep_up((Arc::clone(&kept), gateway.clone()), (every, is_new), Arc::clone(&look)));
        Ok(Some(Self { kept, look, _fetching: fetching }))
    }

    /// Takes up another configuration of trust, and looks for new lists at once.
    pub(super) fn reload(&self, trust: &Trust, gateway: &Gateway) {
        self.kept.trust(trust, gateway);
        self.look.notify_one();
    }

    /// Tells of them with the other numbers.
    pub(super) fn numbers(&self) -> ListNumbers {
        ListNumbers(Arc::clone(&self.kept))
    }
}

/// Fetches now and then; not at once if that was just done.
async fn keep_up(
    (kept, gateway): (Arc<Kept>, Gateway),
    (every, is_fresh): (Duration, bool),
    look: Arc<Notify>,
) {
    if !is_fresh {
        kept.refresh(&gateway).await;
    }
    loop {
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = look.notified() => {}
        }
        kept.refresh(&gateway).await;
    }
}

impl Kept {
    fn new(section: &configuration::TrustedLists, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let folder = section.folder.clone();
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let signers = section.signer_files.iter().flat_map(|file| file.certificates.clone()).collect();
        let addresses = ListAddresses::new(section.url.0.clone())?;
        let countries = section.countries.iter().map(|country| country.0.clone()).collect();
        Ok(Self { folder, signers, countries, addresses, clock, lists: Mutex::default() })
    }

    fn lists(&self) -> std::sync::MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_nothing(&self) -> bool {
        self.lists().national.is_empty()
    }

    /// Remembers whom the configuration names, and makes the gateway trust the lists.
    fn trust(&self, trust: &Trust, gateway: &Gateway) {
        let mut lists = self.lists();
        lists.others = trust.issuers();
        let below = trust.intermediate_files.iter().flat_map(|file| &file.certificates);
        lists.intermediates = below.map(|certificate| certificate.der.clone()).collect();
        drop(lists);
        self.tell(gateway);
    }

    /// Reads what was kept. It is verified as what is fetched, so that nobody has to trust the folder.
    fn read_folder(&self) {
        let read = |name: &str| std::fs::read(file(&self.folder, name)).ok();
        let Some(of_lists) = read(OF_LISTS) else { return };
        self.take_list_of_lists(&of_lists);
        for pointer in self.pointers() {
            if let Some(octets) = read(&pointer.territory) {
                self.take_national(&pointer, &octets);
            }
        }
    }

    /// Fetches every list. Whatever goes wrong with one, the last good one stays.
    async fn refresh(&self, gateway: &Gateway) {
        let is_taken = match self.addresses.list_of_lists().await {
            Ok(octets) => {
                let is_taken = self.take_list_of_lists(&octets);
                if is_taken {
                    self.keep(OF_LISTS, &octets);
                }
                is_taken
            }
            Err(why) => {
                self.refuse("the list of lists", &why);
                false
            }
        };
        let pointers = self.pointers();
        for pointer in &pointers {
            match self.addresses.list(&pointer.location).await {
                Ok(octets) => {
                    if self.take_national(pointer, &octets) {
                        self.keep(&pointer.territory, &octets);
                    }
                }
                Err(why) => self.refuse(&pointer.territory, &why),
            }
        }
        // A list to which nobody points any more is nobody's.
        if is_taken {
            let is_wanted = |territory: &str| pointers.iter().any(|pointer| pointer.territory == territory);
            self.lists().national.retain(|territory, _| is_wanted(territory));
        }
        self.tell(gateway);
    }

    /// The lists that are wanted of those that the list of lists points to, while that holds.
    fn pointers(&self) -> Vec<trusted_lists::Pointer> {
        let lists = self.lists();
        let of_lists = lists.of_lists.as_ref().filter(|list| holds(list, self.clock.now(None)));
        let all = of_lists.into_iter().flat_map(TrustedList::pointers);
        let is_wanted = |territory: &String| self.countries.is_empty() || self.countries.contains(territory);
        // The name becomes that of a file.
        let is_country = |name: &str| name.len() == 2 && name.bytes().all(|octet| octet.is_ascii_uppercase());
        let wanted = all.filter(|pointer| {
            pointer.kind == ListKind::National
                && is_country(&pointer.territory)
                && is_wanted(&pointer.territory)
        });
        wanted.cloned().collect()
    }

    fn take_list_of_lists(&self, octets: &[u8]) -> bool {
        let read = TrustedList::read(octets, &self.signers);
        let mut lists = self.lists();
        match taken(read, (ListKind::ListOfLists, None), lists.of_lists.as_ref()) {
            Ok(list) => lists.of_lists = Some(list),
            Err(why) => {
                drop(lists);
                self.refuse("the list of lists", &why);
                return false;
            }
        }
        true
    }

    fn take_national(&self, pointer: &trusted_lists::Pointer, octets: &[u8]) -> bool {
        let read = TrustedList::read(octets, &pointer.signers);
        let territory = pointer.territory.as_str();
        let mut lists = self.lists();
        match taken(read, (ListKind::National, Some(territory)), lists.national.get(territory)) {
            Ok(list) => drop(lists.national.insert(territory.to_owned(), list)),
            Err(why) => {
                drop(lists);
                self.refuse(territory, &why);
                return false;
            }
        }
        true
    }

    fn refuse(&self, which: &str, why: &str) {
        self.lists().refused += 1;
        tracing::warn!(
            list = which,
            why,
            "a trusted list cannot be taken; the one before is used while it holds"
        );
    }

    fn keep(&self, name: &str, octets: &[u8]) {
        let path = file(&self.folder, name);
        let fresh = path.with_extension("new");
        let written = std::fs::write(&fresh, octets).and_then(|()| std::fs::rename(&fresh, &path));
        if let Err(error) = written {
            tracing::warn!(path = %path.display(), %error, "a trusted list cannot be kept");
        }
    }

    /// Makes the gateway trust the services of the lists that hold.
    fn tell(&self, gateway: &Gateway) {
        let now = self.clock.now(None);
        let lists = self.lists();
        let mut services = Vec::new();
        // Where the list of lists holds no more, nobody tells whose signatures national lists have.
        if lists.of_lists.as_ref().is_some_and(|list| holds(list, now)) {
            for (territory, list) in &lists.national {
                if list.next_update().is_none_or(|next| next < now) {
                    tracing::warn!(list = territory, "a trusted list is older than it should be");
                }
                if holds(list, now) {
                    services
                        .extend(list.services().iter().map(|service| (territory.clone(), service.clone())));
                }
            }
        }
        let set = ListedServices::new(services, lists.intermediates.clone());
        if let (Some(revocation), Some(others)) = (gateway.revocation(), &lists.others) {
            let asked = others.asked.iter().cloned().chain(set.certificates().cloned()).collect();
            revocation.ask_these(Issuers { asked, kept: Vec::new() });
        }
        drop(lists);
        gateway.trust_lists(Arc::new(set));
    }
}

/// Whether a list is still taken.
fn holds(list: &TrustedList, now: Timestamp) -> bool {
    list.next_update().is_some_and(|next| now <= next.saturating_add(GRACE).unwrap_or(next))
}

/// A list that may follow the one before.
fn taken(
    read: Result<TrustedList, trusted_lists::ListError>,
    (kind, territory): (ListKind, Option<&str>),
    before: Option<&TrustedList>,
) -> Result<TrustedList, String> {
    let list = read.map_err(|error| error.to_string())?;
    if list.kind() != kind || territory.is_some_and(|territory| list.territory() != territory) {
        return Err("it is another list".to_owned());
    }
    match before {
        Some(before) if before.sequence() > list.sequence() => {
            Err(format!("its number is {}, and {} was there before", list.sequence(), before.sequence()))
        }
        _ => Ok(list),
    }
}

fn file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.xml"))
}
