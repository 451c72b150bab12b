//! The end of all that customers approved for a third party, at one interface or at each.
//!
//! A block of a third party, or of the certificate on whose word it acts, holds as soon as it is written: every door asks whether who
//! calls may act. What customers approved ends behind it, a page at a time, so that no batch is larger than a page however much there
//! is. That it has to end is a row, in the batch of the block, and stays until nothing is left: whatever becomes of the process that
//! wrote it, one of the nodes goes on. Whoever lifts the block ends the rest first, so that nothing of it is ever good again.
//!
//! What has ended by itself stays as it is, and each consent ends by the clock of its branch.

use domain::{Decision, Interface, ListPlace, TppId};

use crate::erasure::{GIVEN, PAGE, Whose};
use crate::error::retry;
use crate::{ActingTpp, Changes, Drawer, Entry, Error, Gateway, Lease, StoreError};

/// Where it is kept what has to end.
const OWNER: &str = "endings";

/// Interfaces, by their names, at which what customers approved for a third party has to end, by its id.
const ENDING: &str = "third-party";

/// How many pages are ended before whoever blocks gets an answer: all there is of most third parties.
const AT_ONCE: usize = 8;

/// How far somebody goes.
enum Reach<'a> {
    /// To the end.
    End,
    /// So many pages.
    Pages(usize),
    /// As long as the work is this process's.
    Held(&'a mut Lease),
}

impl Reach<'_> {
    /// Whether there is one more page.
    async fn is_more(&mut self, gateway: &Gateway) -> bool {
        match self {
            Self::End => true,
            Self::Pages(0) => false,
            Self::Pages(left) => {
                *left -= 1;
                true
            }
            Self::Held(lease) => lease.is_held(gateway).await,
        }
    }
}

impl Gateway {
    fn endings(&self) -> Drawer {
        Drawer::new(&self.0.store, OWNER)
    }

    /// The changes that say that what customers approved for a third party at some interfaces has to end: they are part of the batch
    /// that keeps it from acting there.
    pub(crate) async fn ending(&self, id: &TppId, interfaces: &[Interface]) -> Result<Changes, Error> {
        let drawer = self.endings();
        let (mut all, version) = match drawer.entry(ENDING, id.as_str()).await? {
            Some(entry) => (read(&entry)?, entry.version),
            None => (Vec::new(), 0),
        };
        for interface in interfaces {
            if !all.contains(interface) {
                all.push(*interface);
            }
        }
        let names: Vec<_> = all.into_iter().map(Interface::name).collect();
        let value = serde_json::to_string(&names).map_err(Error::internal)?;
        let entry = Entry { kind: ENDING, key: id.as_str().to_owned(), value, forget_at: None, version };
        Ok(drawer.changes(&[entry]))
    }

    /// Ends the first pages, if there is anything to end. What cannot be ended now is ended later: it keeps nobody from blocking.
    pub(crate) async fn begin_ending(&self, id: &TppId) {
        if let Err(error) = self.end_left(id, Reach::Pages(AT_ONCE)).await {
            tracing::warn!(third_party = id.as_str(), %error, "what customers approved for it is ended later");
        }
    }

    /// Ends all that is left, if there is anything to end.
    pub(crate) async fn finish_ending(&self, id: &TppId) -> Result<(), Error> {
        while !self.end_left(id, Reach::End).await? {}
        Ok(())
    }

    /// Goes on with what has to end, of all third parties, as long as the lease is held.
    ///
    /// # Errors
    /// The first one. One third party stands in no other's way.
    pub async fn go_on_ending(&self, lease: &mut Lease) -> Result<(), Error> {
        let mut failed = Ok(());
        for (id, _) in self.endings().all(ENDING).await? {
            let ended = self.end_left(&TppId::new(id), Reach::Held(lease)).await;
            failed = failed.and(ended.map(|_| ()));
        }
        failed
    }

    /// Ends everything that customers approved for a client at the interface that is called: the client is cancelled.
    ///
    /// # Errors
    /// [`Error`]; what was not ended then ends when it is asked for again
    pub async fn end_authorizations(&self, client: &ActingTpp) -> Result<(), Error> {
        let what = (Decision::TerminatedByTpp, &[client.interface()][..]);
        self.end_given(client.id(), what, &mut Reach::End).await.map(|_| ())
    }

    /// Ends what is left of what has to end. Whether nothing is.
    async fn end_left(&self, id: &TppId, mut reach: Reach<'_>) -> Result<bool, Error> {
        let drawer = self.endings();
        let Some(entry) = drawer.entry(ENDING, id.as_str()).await? else { return Ok(true) };
        let what = (Decision::EndedByBank, &read(&entry)?[..]);
        if !self.end_given(id, what, &mut reach).await? {
            return Ok(false);
        }
        match self.0.store.save(drawer.deletion_of(&[entry])).await {
            Ok(()) => Ok(true),
            // It was blocked once more meanwhile, or somebody else came to the end.
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends what customers approved for a third party at some interfaces. Whether nothing is left.
    async fn end_given(
        &self,
        id: &TppId,
        (why, interfaces): (Decision, &[Interface]),
        reach: &mut Reach<'_>,
    ) -> Result<bool, Error> {
        for kind in GIVEN {
            let mut after = Some(ListPlace::start());
            while let Some(place) = after {
                if !reach.is_more(self).await {
                    return Ok(false);
                }
                after = retry(|| async {
                    let (page, next) = self.given_page(Whose::ThirdParty(id), kind, &place).await?;
                    let open = page.iter().filter(|given| interfaces.contains(&given.interface()));
                    let open = open.filter(|given| given.is_open(self));
                    self.save_any(open.fold(Changes::new(), |all, given| given.ended(all, self, why)))
                        .await?;
                    Ok(next)
                })
                .await?;
            }
        }
        for interface in interfaces {
            let mut is_left = true;
            while is_left {
                if !reach.is_more(self).await {
                    return Ok(false);
                }
                is_left = retry(|| self.end_grants_of((id, *interface))).await?;
            }
        }
        Ok(true)
    }

    /// Ends a page of grants. Whether there may be more.
    async fn end_grants_of(&self, whose: (&TppId, Interface)) -> Result<bool, Error> {
        let page = self.0.store.open_grants(whose, PAGE).await?;
        let is_full = i64::try_from(page.len()).is_ok_and(|count| count >= PAGE);
        let ended = page.into_iter().map(|grant| {
            let now = self.now(&grant.tenant);
            grant.end(now)
        });
        self.save_any(ended.fold(Changes::new(), |all, grant| all.put_grant(&grant))).await?;
        Ok(is_full)
    }

    async fn save_any(&self, changes: Changes) -> Result<(), Error> {
        if changes.is_empty() { Ok(()) } else { Ok(self.0.store.save(changes).await?) }
    }
}

fn read(entry: &Entry) -> Result<Vec<Interface>, Error> {
    let names: Vec<String> = serde_json::from_str(&entry.value).map_err(Error::internal)?;
    Ok(names.iter().filter_map(|name| Interface::from_name(name)).collect())
}
