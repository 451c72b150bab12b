//! Who signs the list of lists. The Official Journal says it once, and the configuration has that; after it each list says who signs
//! the next ones: it points to itself with their certificates. One by which they change (a "pivot") is signed by those before, and is
//! named in every later list. So whoever knows the first ones comes to those of today by the pivots, one after the other; and whoever
//! has taken a list takes the next one from those alone whom it names, so that who is taken off the list signs nothing any more.
//!
//! Lists by which signers changed are kept for a start without a network, under names that tell of which signers in the configuration
//! they were followed: where staff writes others there, that is newer than what was kept.

use std::collections::BTreeSet;

use eidas::certificate::fingerprint;
use eidas::{Certificate, Fingerprint};
use trusted_lists::{ListError, ListKind, Pointer, TrustedList};

use super::kept::{Kept, OF_LISTS, read};

/// Those whose signature the list of lists has to have.
#[derive(Debug, Clone)]
pub(super) struct Signers {
    now: Vec<Certificate>,
    /// The number of the last list that named them; none for those of the configuration.
    since: Option<u64>,
}

impl Signers {
    /// Those of the configuration.
    pub(super) fn new(now: Vec<Certificate>) -> Self {
        Self { now, since: None }
    }

    /// Those after a list by which they change, which those before signed.
    fn after(&self, pivot: &TrustedList) -> Result<Self, String> {
        if pivot.kind() != ListKind::ListOfLists {
            return Err("it is another list".to_owned());
        }
        if self.since.is_some_and(|since| pivot.sequence() <= since) {
            return Err(format!("its number is {}, and signers changed later already", pivot.sequence()));
        }
        Self::named_by(pivot).ok_or_else(|| "it does not say who signs the list of lists after it".to_owned())
    }

    /// Those after a list that is taken. One that does not say who they are changes nothing, and one of before neither.
    fn on(&self, list: &TrustedList) -> Self {
        let is_later = self.since.is_none_or(|since| since <= list.sequence());
        Self::named_by(list).filter(|_| is_later).unwrap_or_else(|| self.clone())
    }

    /// Those after a list that was kept. By which lists they changed was kept too, so that one that names others was taken when others
    /// stood in the configuration: what staff wrote there since is newer, and so is it than every list up to this one.
    fn on_kept(&self, list: &TrustedList) -> Self {
        let named = self.on(list);
        let now = if named.are(self) { named.now } else { self.now.clone() };
        Self { now, since: named.since }
    }

    fn named_by(list: &TrustedList) -> Option<Self> {
        let now: Vec<_> = own_pointers(list).flat_map(|pointer| pointer.signers.clone()).collect();
        (!now.is_empty()).then(|| Self { now, since: Some(list.sequence()) })
    }

    fn are(&self, other: &Self) -> bool {
        fingerprints(&self.now) == fingerprints(&other.now)
    }
}

fn fingerprints(signers: &[Certificate]) -> BTreeSet<Fingerprint> {
    signers.iter().map(|signer| signer.fingerprint).collect()
}

/// The pointers of a list of lists to itself.
pub(super) fn own_pointers(list: &TrustedList) -> impl Iterator<Item = &Pointer> {
    list.pointers()
        .iter()
        .filter(|pointer| pointer.kind == ListKind::ListOfLists && pointer.territory == list.territory())
}

/// What the names of files of pivots begin with that were followed from these signers; behind it stands their number.
pub(super) fn pivot_names(configured: &[Certificate]) -> String {
    let all: Vec<u8> = fingerprints(configured).into_iter().flatten().collect();
    let short: String = fingerprint(&all).iter().take(4).map(|octet| format!("{octet:02x}")).collect();
    format!("pivot-{short}-")
}

impl Kept {
    /// Comes to the signers of today by the lists that were kept. The last of them is a list of lists too.
    pub(super) async fn read_pivots(&self) {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let number = |name: &str| name.strip_prefix(&self.pivot)?.strip_suffix(".xml")?.parse::<u64>().ok();
        let mut numbers: Vec<_> = entries.filter_map(|entry| number(entry.file_name().to_str()?)).collect();
        numbers.sort_unstable();
        let mut last = None;
        for number in numbers {
            let name = format!("{}{number}", self.pivot);
            let Some(octets) = self.kept_file(&name) else { continue };
            let signers = self.lists().signers.clone();
            // Those before the signers of the configuration have nothing to say.
            let (octets, Ok(pivot)) = read(octets, signers.now.clone()).await else { continue };
            match signers.after(&pivot) {
                Ok(after) => {
                    self.lists().signers = after;
                    last = Some((pivot, octets, name));
                }
                Err(why) => self.refuse(&name, &why),
            }
        }
        if let Some((pivot, octets, name)) = last
            && let Err(why) = self.take_list_of_lists(Ok(pivot), &octets)
        {
            self.refuse(&name, &why);
        }
    }

    /// Takes the list of lists that was kept, unless it is the last pivot, which those before signed.
    pub(super) async fn take_kept_of_lists(&self, octets: Vec<u8>) -> Result<(), String> {
        if self.is_taken(&octets) {
            return Ok(());
        }
        let signers = self.lists().signers.clone();
        let (octets, list) = read(octets, signers.now.clone()).await;
        let after = list.as_ref().map_or_else(|_| signers.clone(), |list| signers.on_kept(list));
        self.take_list_of_lists(list, &octets)?;
        self.lists().signers = after;
        Ok(())
    }

    fn is_taken(&self, octets: &[u8]) -> bool {
        let lists = self.lists();
        lists.of_lists.is_some() && lists.octets == octets
    }

    /// Takes a list of lists that was fetched: signed by those who sign it, or by those who came after them.
    pub(super) async fn follow(&self, octets: Vec<u8>) -> Result<(), String> {
        if self.is_taken(&octets) {
            return Ok(());
        }
        let signers = self.lists().signers.clone();
        let (octets, list) = read(octets, signers.now.clone()).await;
        match list {
            Err(ListError::Signature(why)) => self.follow_pivots(octets, (signers, why)).await,
            list => self.take_fetched(list, octets, (signers, Vec::new())).await,
        }
    }

    /// The same for one that somebody else signed, if the lists that it names say that they may.
    async fn follow_pivots(
        &self,
        octets: Vec<u8>,
        (mut signers, unsigned): (Signers, String),
    ) -> Result<(), String> {
        let (pivots, octets) = named(octets).await?;
        let mut followed = Vec::new();
        let mut problems = vec![unsigned];
        for address in pivots {
            let fetched = match self.addresses.list(&address).await {
                // A list by which they change may name itself; it is taken below.
                Ok(fetched) if fetched == octets => continue,
                Ok(fetched) => fetched,
                Err(why) => {
                    problems.push(format!("{}: {why}", shown(&address)));
                    continue;
                }
            };
            let (fetched, pivot) = read(fetched, signers.now.clone()).await;
            let after = pivot.map_err(|error| error.to_string());
            match after.and_then(|pivot| signers.after(&pivot)) {
                Ok(after) => {
                    followed.push((after.since.unwrap_or_default(), fetched));
                    signers = after;
                }
                // Those before the signers of the configuration have nothing to say.
                Err(why) => problems.push(format!("{}: {why}", shown(&address))),
            }
        }
        let (octets, list) = read(octets, signers.now.clone()).await;
        let list = match list {
            Err(ListError::Signature(_)) => {
                return Err(format!("its signature is not good: {}", problems.join("; ")));
            }
            other => other,
        };
        if let (Ok(list), Some(since)) = (&list, signers.since)
            && list.sequence() < since
        {
            return Err(format!("its number is {}, and its signers changed by {since}", list.sequence()));
        }
        self.take_fetched(list, octets, (signers, followed)).await
    }

    /// Takes a list that these signed, and whom it names for the next ones; keeps it, and the lists that led to its signers.
    async fn take_fetched(
        &self,
        list: Result<TrustedList, ListError>,
        octets: Vec<u8>,
        (signers, mut changes): (Signers, Vec<(u64, Vec<u8>)>),
    ) -> Result<(), String> {
        let after = list.as_ref().map_or_else(|_| signers.clone(), |list| signers.on(list));
        let number = list.as_ref().map_or(0, TrustedList::sequence);
        self.take_list_of_lists(list, &octets)?;
        if !after.are(&signers) {
            changes.push((number, octets.clone()));
        }
        self.lists().signers = after;
        for (number, pivot) in changes {
            tracing::info!(number, "others sign the list of lists now, as those before them said");
            self.keep(&format!("{}{number}", self.pivot), pivot).await;
        }
        self.keep(OF_LISTS, octets).await;
        if let Some(location) = self.other_location() {
            let location = shown(&location);
            tracing::warn!(
                location,
                "the list of lists says that it lies elsewhere; write that address into [trusted_lists] url"
            );
        }
        Ok(())
    }
}

/// The pivots that a list names, whoever signed it.
async fn named(octets: Vec<u8>) -> Result<(Vec<String>, Vec<u8>), String> {
    let reading = tokio::task::spawn_blocking(move || (TrustedList::unverified_pivots(&octets), octets));
    let (pivots, octets) = reading.await.map_err(|error| error.to_string())?;
    Ok((pivots.map_err(|error| error.to_string())?, octets))
}

/// An address as a log shows it: it comes from a list.
pub(super) fn shown(address: &str) -> String {
    eidas::visible(address).chars().take(100).collect()
}
