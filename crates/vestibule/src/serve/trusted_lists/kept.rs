//! The lists that are there: fetched, verified, kept in a folder.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use edge::trusted_lists::ListAddresses;
use eidas::Certificate;
use gateway::domain::Timestamp;
use gateway::{Clock, Gateway};
use jiff::SignedDuration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use trusted_lists::{ListError, ListKind, Pointer, TrustedList};
use url::Url;

use super::pivots::{Signers, own_pointers, pivot_names, shown};
use super::set::ListedServices;
use crate::configuration::{self, Trust};

/// How long after the moment until which the next one should have been there a list is still taken.
const GRACE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How far ahead the clock of whoever issues a list may be, and the day that some write in place of the moment.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// Lists that are fetched at one time, so that none waits for one that does not come.
const AT_ONCE: usize = 4;

/// The name under which the list of lists is kept. No country has it.
pub(super) const OF_LISTS: &str = "list-of-lists";

/// What it is called in the log.
const THE_LIST_OF_LISTS: &str = "the list of lists";

/// The lists that are there.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) folder: PathBuf,
    countries: Vec<String>,
    pub(super) addresses: ListAddresses,
    pub(super) clock: Arc<dyn Clock>,
    /// What the names of files of pivots begin with: those of other signers in the configuration are not followed.
    pub(super) pivot: String,
    lists: Mutex<Lists>,
}

#[derive(Debug)]
pub(super) struct Lists {
    /// Who signs the list of lists now.
    pub(super) signers: Signers,
    pub(super) of_lists: Option<TrustedList>,
    /// The octets of that. Another one that those sign who sign it no more would not be taken, and it is the same as before.
    pub(super) octets: Vec<u8>,
    /// By country, as lists write it.
    pub(super) national: BTreeMap<String, Arc<TrustedList>>,
    /// Those below the authorities of the lists.
    intermediates: Vec<Vec<u8>>,
    /// Whether authorities for tests are taken from lists.
    test_authorities: bool,
    /// Lists that could not be taken since the start.
    pub(super) refused: u64,
}

impl Kept {
    pub(super) fn new(section: &configuration::TrustedLists, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let signers = section.signer_files.iter().flat_map(|file| file.certificates.clone()).collect();
        let countries = section.countries.iter().map(|country| country.0.clone()).collect();
        Self::of(section.folder.clone(), section.url.0.clone(), (signers, countries), clock)
    }

    pub(super) fn of(
        folder: PathBuf,
        url: Url,
        (signers, countries): (Vec<Certificate>, Vec<String>),
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let pivot = pivot_names(&signers);
        let lists = Lists {
            signers: Signers::new(signers),
            of_lists: None,
            octets: Vec::new(),
            national: BTreeMap::new(),
            intermediates: Vec::new(),
            test_authorities: false,
            refused: 0,
        };
        let addresses = ListAddresses::new(url)?;
        Ok(Self { folder, countries, addresses, clock, pivot, lists: Mutex::new(lists) })
    }

    pub(super) fn lists(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn has_nothing(&self) -> bool {
        self.lists().national.is_empty()
    }

    /// Remembers whom the configuration names as authorities between listed ones and third parties, and whether those for tests
    /// are taken.
    pub(super) fn trust(&self, trust: &Trust) {
        let below = trust.intermediate_files.iter().flat_map(|file| &file.certificates);
        let mut lists = self.lists();
        lists.intermediates = below.map(|certificate| certificate.der.clone()).collect();
        lists.test_authorities = trust.test_authorities;
    }

    /// Reads what was kept. It is verified as what is fetched, so that nobody has to trust the folder.
    pub(super) async fn read_folder(&self) {
        self.read_pivots().await;
        if let Some(octets) = self.kept_file(OF_LISTS)
            && let Err(why) = self.take_kept_of_lists(octets).await
        {
            self.refuse(THE_LIST_OF_LISTS, &why);
        }
        for pointer in self.pointers() {
            self.take_kept(&pointer).await;
        }
    }

    /// Fetches every list, and tells of each that is another one than before. Whatever goes wrong with one, the last good one
    /// stays.
    pub(super) async fn refresh(self: &Arc<Self>, tell: &(dyn Fn(&Self) + Sync)) {
        let taken = self.refresh_list_of_lists().await;
        let is_taken = taken.is_ok();
        if let Err(why) = taken {
            self.refuse(THE_LIST_OF_LISTS, &why);
        }
        let pointers = self.pointers();
        if is_taken {
            // A list to which nobody points any more is nobody's.
            let is_wanted = |territory: &str| pointers.iter().any(|pointer| pointer.territory == territory);
            self.lists().national.retain(|territory, _| is_wanted(territory));
        }
        let (mut fetching, places) = (JoinSet::new(), Arc::new(Semaphore::new(AT_ONCE)));
        for pointer in pointers {
            let (kept, places) = (Arc::clone(self), Arc::clone(&places));
            fetching.spawn(async move {
                let _place = places.acquire().await;
                kept.refresh_national(&pointer).await
            });
        }
        while let Some(is_another) = fetching.join_next().await {
            if is_another.is_ok_and(|is_another| is_another) {
                tell(self);
            }
        }
        tell(self);
        self.warn_of_old();
    }

    /// Fetches the list of lists; if there is nothing good at the address that staff gave, where the last good one says that it
    /// lies: it moves now and then.
    async fn refresh_list_of_lists(&self) -> Result<(), String> {
        let taken = match self.addresses.list_of_lists().await {
            Ok(octets) => self.follow(octets).await,
            Err(why) => Err(why),
        };
        let Err(why) = taken else { return Ok(()) };
        let Some(location) = self.other_location() else { return Err(why) };
        let taken = match self.addresses.list(&location).await {
            Ok(octets) => self.follow(octets).await,
            Err(why) => Err(why),
        };
        taken.map_err(|other| format!("{why}; at {}: {other}", shown(&location)))
    }

    /// Where the last good list of lists says that it lies, if that is not where staff says.
    pub(super) fn other_location(&self) -> Option<String> {
        let lists = self.lists();
        let location = &own_pointers(lists.of_lists.as_ref()?).next()?.location;
        (!self.addresses.is_own(location)).then(|| location.clone())
    }

    /// Fetches the list of a country; says whether it is another one than before.
    async fn refresh_national(&self, pointer: &Pointer) -> bool {
        // Its number is a bound for that of what is fetched.
        let was_missing = !self.lists().national.contains_key(&pointer.territory);
        let mut is_another = was_missing && self.take_kept(pointer).await;
        let fetched = self.addresses.list(&pointer.location).await;
        let taken = match fetched {
            Ok(octets) => {
                let (octets, list) = read(octets, pointer.signers.clone()).await;
                let taken = self.take_national(pointer, list);
                if taken.is_ok() {
                    self.keep(&pointer.territory, octets).await;
                }
                taken
            }
            Err(why) => Err(why),
        };
        match taken {
            Ok(another) => is_another |= another,
            Err(why) => {
                self.refuse(&pointer.territory, &why);
                is_another |= self.drop_if_disowned(pointer);
            }
        }
        is_another
    }

    /// Takes the list of a country from the folder, if a good one is there.
    async fn take_kept(&self, pointer: &Pointer) -> bool {
        let Some(octets) = self.kept_file(&pointer.territory) else { return false };
        let taken = self.take_national(pointer, read(octets, pointer.signers.clone()).await.1);
        if let Err(why) = &taken {
            self.refuse(&pointer.territory, why);
        }
        taken.is_ok()
    }

    /// Forgets a list whose signer the list of lists does not name any more: its key may be in other hands.
    fn drop_if_disowned(&self, pointer: &Pointer) -> bool {
        let mut lists = self.lists();
        let is_signer =
            |list: &TrustedList| pointer.signers.iter().any(|signer| signer.fingerprint == list.signer());
        let is_disowned = lists.national.get(&pointer.territory).is_some_and(|list| !is_signer(list));
        if is_disowned {
            tracing::warn!(
                list = pointer.territory,
                "whoever signed a trusted list may not sign it any more; it is not used any more"
            );
            lists.national.remove(&pointer.territory);
        }
        is_disowned
    }

    /// The lists that are wanted of those that the list of lists points to, while that holds.
    fn pointers(&self) -> Vec<Pointer> {
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

    /// Takes a list of lists with its octets.
    pub(super) fn take_list_of_lists(
        &self,
        read: Result<TrustedList, ListError>,
        octets: &[u8],
    ) -> Result<(), String> {
        let now = self.clock.now(None);
        let mut lists = self.lists();
        let list = taken(read, (ListKind::ListOfLists, None), lists.of_lists.as_ref(), now)?;
        lists.of_lists = Some(list);
        octets.clone_into(&mut lists.octets);
        Ok(())
    }

    /// Takes a list; says whether it is another one than before.
    fn take_national(&self, pointer: &Pointer, read: Result<TrustedList, ListError>) -> Result<bool, String> {
        let (territory, now) = (pointer.territory.as_str(), self.clock.now(None));
        let mut lists = self.lists();
        let before = lists.national.get(territory).map(AsRef::as_ref);
        let list = taken(read, (ListKind::National, Some(territory)), before, now)?;
        let of = |list: &TrustedList| (list.sequence(), list.issued(), list.signer());
        let is_another = before.is_none_or(|before| of(before) != of(&list));
        lists.national.insert(territory.to_owned(), Arc::new(list));
        Ok(is_another)
    }

    pub(super) fn refuse(&self, which: &str, why: &str) {
        self.lists().refused += 1;
        tracing::warn!(
            list = which,
            why,
            "a trusted list cannot be taken; the one before is used while it holds"
        );
    }

    pub(super) fn kept_file(&self, name: &str) -> Option<Vec<u8>> {
        std::fs::read(file(&self.folder, name)).ok()
    }

    /// Writes a list into the folder: all of it or nothing, also when the machine stops.
    pub(super) async fn keep(&self, name: &str, octets: Vec<u8>) {
        let path = file(&self.folder, name);
        let fresh = path.with_extension("new");
        let shown = path.display().to_string();
        let written = tokio::task::spawn_blocking(move || {
            let mut file = File::create(&fresh)?;
            file.write_all(&octets)?;
            file.sync_all()?;
            std::fs::rename(&fresh, &path)
        });
        if let Ok(Err(error)) = written.await {
            tracing::warn!(path = shown, %error, "a trusted list cannot be kept");
        }
    }

    /// Makes the gateway trust the services of the lists that hold.
    pub(super) fn tell(&self, gateway: &Gateway) {
        let now = self.clock.now(None);
        let lists = self.lists();
        let mut good = Vec::new();
        // Where the list of lists holds no more, nobody tells whose signatures national lists have.
        if lists.of_lists.as_ref().is_some_and(|list| holds(list, now)) {
            for (territory, list) in &lists.national {
                if holds(list, now) {
                    good.push((territory.clone(), Arc::clone(list)));
                }
            }
        }
        let set = ListedServices::new(good, &lists.intermediates, lists.test_authorities);
        drop(lists);
        gateway.trust_lists(Arc::new(set));
    }

    /// Warns of lists after which the next ones should be there.
    fn warn_of_old(&self) {
        let now = self.clock.now(None);
        let lists = self.lists();
        let all = lists.of_lists.iter().map(|list| (THE_LIST_OF_LISTS, list));
        let all = all.chain(lists.national.iter().map(|(name, list)| (name.as_str(), &**list)));
        for (list, _) in all.filter(|(_, list)| list.next_update().is_none_or(|next| next < now)) {
            tracing::warn!(list, "a trusted list is older than it should be");
        }
    }
}

/// Reads a list beside the calls: large ones take seconds.
pub(super) async fn read(
    octets: Vec<u8>,
    signers: Vec<Certificate>,
) -> (Vec<u8>, Result<TrustedList, ListError>) {
    let reading = tokio::task::spawn_blocking(move || {
        let list = TrustedList::read(&octets, &signers);
        (octets, list)
    });
    let failed = |error: tokio::task::JoinError| (Vec::new(), Err(ListError::Xml(error.to_string())));
    reading.await.unwrap_or_else(failed)
}

/// Whether a list is still taken.
pub(super) fn holds(list: &TrustedList, now: Timestamp) -> bool {
    list.next_update().is_some_and(|next| now <= next.saturating_add(GRACE).unwrap_or(next))
}

/// A list that may follow the one before.
fn taken(
    read: Result<TrustedList, ListError>,
    (kind, territory): (ListKind, Option<&str>),
    before: Option<&TrustedList>,
    now: Timestamp,
) -> Result<TrustedList, String> {
    let list = read.map_err(|error| error.to_string())?;
    if list.kind() != kind || territory.is_some_and(|territory| list.territory() != territory) {
        return Err("it is another list".to_owned());
    }
    if list.issued() > now.saturating_add(AHEAD).unwrap_or(now) {
        return Err(format!("it was issued at {}, which is not yet", list.issued()));
    }
    match before {
        Some(before) if before.sequence() > list.sequence() => {
            Err(format!("its number is {}, and {} was there before", list.sequence(), before.sequence()))
        }
        Some(before) if before.sequence() == list.sequence() && before.issued() > list.issued() => Err(
            format!("it was issued at {}, and one of {} was there before", list.issued(), before.issued()),
        ),
        _ => Ok(list),
    }
}

fn file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.xml"))
}
