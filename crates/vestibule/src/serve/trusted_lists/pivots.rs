//! Who signs the list of lists. The Official Journal says it once, and the configuration has that; after it the list says who signs the
//! next ones: a list by which that changes (a "pivot") is signed by those before, points to itself with the certificates of those
//! after, and is named in every later list. So whoever knows the first ones comes to those of today by the pivots, one after the
//! other.

use eidas::Certificate;
use trusted_lists::{ListError, ListKind, TrustedList};

use super::kept::{Kept, OF_LISTS, read};

/// What the files of pivots begin with; behind it stands their number.
const PIVOT: &str = "pivot-";

/// Those whose signature the list of lists has to have.
#[derive(Debug, Clone)]
pub(super) struct Signers {
    now: Vec<Certificate>,
    /// The number of the list by which they became so; none for those of the configuration.
    since: Option<u64>,
}

impl Signers {
    /// Those of the configuration.
    pub(super) fn new(now: Vec<Certificate>) -> Self {
        Self { now, since: None }
    }

    pub(super) fn now(&self) -> &[Certificate] {
        &self.now
    }

    /// Those after a list by which they change, which those before signed.
    fn after(&self, pivot: &TrustedList) -> Result<Self, String> {
        if pivot.kind() != ListKind::ListOfLists {
            return Err("it is another list".to_owned());
        }
        if self.since.is_some_and(|since| pivot.sequence() <= since) {
            return Err(format!("its number is {}, and signers changed later already", pivot.sequence()));
        }
        let own = pivot.pointers().iter().filter(|pointer| {
            pointer.kind == ListKind::ListOfLists && pointer.territory == pivot.territory()
        });
        let now: Vec<_> = own.flat_map(|pointer| pointer.signers.clone()).collect();
        if now.is_empty() {
            return Err("it does not say who signs the list of lists after it".to_owned());
        }
        Ok(Self { now, since: Some(pivot.sequence()) })
    }
}

impl Kept {
    /// Comes to the signers of today by the lists that were kept.
    pub(super) async fn read_pivots(&self) {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let number = |name: &str| name.strip_prefix(PIVOT)?.strip_suffix(".xml")?.parse::<u64>().ok();
        let mut numbers: Vec<_> = entries.filter_map(|entry| number(entry.file_name().to_str()?)).collect();
        numbers.sort_unstable();
        for number in numbers {
            let Some(octets) = self.kept_file(&format!("{PIVOT}{number}")) else { continue };
            let signers = self.lists().signers.clone();
            // Those before the signers of the configuration have nothing to say.
            let Ok(pivot) = read(octets, signers.now.clone()).await.1 else { continue };
            match signers.after(&pivot) {
                Ok(after) => self.lists().signers = after,
                Err(why) => self.refuse(&format!("{PIVOT}{number}"), &why),
            }
        }
    }

    /// Takes a list of lists that was fetched: signed by those who sign it, or by those who came after them.
    pub(super) async fn follow(&self, octets: Vec<u8>) -> Result<(), String> {
        let signers = self.lists().signers.clone();
        let (octets, list) = read(octets, signers.now.clone()).await;
        let list = match list {
            Err(ListError::Signature(why)) => return self.follow_pivots(octets, (signers, why)).await,
            other => other,
        };
        self.take_list_of_lists(list)?;
        self.keep(OF_LISTS, octets).await;
        Ok(())
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
        self.take_list_of_lists(list)?;
        self.lists().signers = signers;
        for (number, pivot) in followed {
            tracing::info!(number, "others sign the list of lists now, as those before them said");
            self.keep(&format!("{PIVOT}{number}"), pivot).await;
        }
        self.keep(OF_LISTS, octets).await;
        Ok(())
    }
}

/// The pivots that a list names, whoever signed it.
async fn named(octets: Vec<u8>) -> Result<(Vec<String>, Vec<u8>), String> {
    let reading = tokio::task::spawn_blocking(move || (TrustedList::unverified_pivots(&octets), octets));
    let (pivots, octets) = reading.await.map_err(|error| error.to_string())?;
    Ok((pivots.map_err(|error| error.to_string())?, octets))
}

/// An address as a log shows it: nobody signed it.
fn shown(address: &str) -> String {
    eidas::visible(address).chars().take(100).collect()
}
