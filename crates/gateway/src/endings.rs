//! The end of all that customers approved for a third party, at one interface or at each.
//!
//! A block of a third party, or of the certificate on whose word it acts, holds as soon as it is written: every door asks whether who
//! calls may act. What customers approved ends behind it, a page at a time, so that no batch is larger than a page however much there
//! is. That it has to end is a row, in the batch of the block, and stays until nothing is left: whatever becomes of the process that
//! wrote it, one of the nodes goes on. Whoever lifts the block ends the rest first, so that nothing of it is ever good again. A client
//! that is cancelled is cut off in the same way, and no other takes its place before all of it has ended.
//!
//! Several may be at it at once, and one of them may stand still meanwhile: whoever goes on looks whether it is still to be done.
//!
//! What has ended by itself stays as it is, and each consent ends by the clock of its branch.

use std::time::Duration;

use domain::{Decision, Interface, ListPlace, TppId};

use crate::erasure::{GIVEN, PAGE, Whose};
use crate::error::retry;
use crate::{ActingTpp, Changes, Drawer, Entry, Error, Gateway, Lease, StoreError};

/// Where it is kept what has to end.
const OWNER: &str = "endings";

/// Why what customers approved for a third party has to end.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cause {
    /// The bank blocked it, or a certificate of it.
    Block,
    /// It cancelled its client.
    Cancellation,
}

impl Cause {
    const ALL: [Self; 2] = [Self::Block, Self::Cancellation];

    /// What the rows are called: interfaces, by their names, at which it has to end, by the third party's id.
    fn kind(self) -> &'static str {
        match self {
            Self::Block => "third-party",
            Self::Cancellation => "client",
        }
    }

    fn decision(self) -> Decision {
        match self {
            Self::Block => Decision::EndedByBank,
            Self::Cancellation => Decision::TerminatedByTpp,
        }
    }
}

/// What has to end, as somebody found it.
struct Ending<'a> {
    id: &'a TppId,
    cause: Cause,
    interfaces: Vec<Interface>,
    /// The row that says so.
    entry: Entry,
}

/// How many pages are ended before whoever blocks gets an answer: all there is of most third parties.
const AT_ONCE: usize = 8;

/// How long somebody who wants a block lifted waits for what it ends: less than any caller waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

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
        // Nobody waits where pages are read in this process's own file and nothing on them has to end.
        tokio::task::yield_now().await;
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
    pub(crate) async fn ending(
        &self,
        id: &TppId,
        cause: Cause,
        interfaces: &[Interface],
    ) -> Result<Changes, Error> {
        let drawer = self.endings();
        let (mut all, version) = match drawer.entry(cause.kind(), id.as_str()).await? {
            Some(entry) => (read(&entry)?, entry.version),
            // Versions of a new row begin anywhere: whoever knows one that is gone does not take this one for it.
            None => (Vec::new(), self.0.randomness.digits(15).parse::<i64>().map_err(Error::internal)?),
        };
        for interface in interfaces {
            if !all.contains(interface) {
                all.push(*interface);
            }
        }
        let names: Vec<_> = all.into_iter().map(Interface::name).collect();
        let value = serde_json::to_string(&names).map_err(Error::internal)?;
        let entry =
            Entry { kind: cause.kind(), key: id.as_str().to_owned(), value, forget_at: None, version };
        Ok(drawer.changes(&[entry]))
    }

    /// Writes what cancels a client, and with it that everything which customers approved for it at the interface that is called has to
    /// end. [`Gateway::finish_ending`] ends it, and if nobody waits for that, it ends beside the calls.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn cancel_client(&self, client: &ActingTpp, cancelled: Changes) -> Result<(), Error> {
        let ending = self.ending(client.id(), Cause::Cancellation, &[client.interface()]).await?;
        Ok(self.0.store.save(cancelled.and(ending)).await?)
    }

    /// Ends the first pages of what a block ends, if there is anything to end. What cannot be ended now is ended later: it keeps nobody
    /// from blocking.
    pub(crate) async fn begin_ending(&self, id: &TppId) {
        if let Err(error) = self.end_left((id, Cause::Block), Reach::Pages(AT_ONCE)).await {
            tracing::warn!(third_party = id.as_str(), %error, "what customers approved for it is ended later");
        }
    }

    /// Ends all that is left of what has to end, if there is anything to end.
    ///
    /// # Errors
    /// [`Error`]; what was not ended then is ended later
    pub async fn finish_ending(&self, id: &TppId) -> Result<(), Error> {
        for cause in Cause::ALL {
            while !self.end_left((id, cause), Reach::End).await? {}
        }
        Ok(())
    }

    /// The same if it does not take too long. Whether nothing is left.
    pub(crate) async fn finish_ending_soon(&self, id: &TppId) -> Result<bool, Error> {
        match tokio::time::timeout(PATIENCE, self.finish_ending(id)).await {
            Ok(ended) => ended.map(|()| true),
            Err(_) => Ok(false),
        }
    }

    /// Goes on with what has to end, of all third parties, as long as the lease is held.
    ///
    /// # Errors
    /// The first one. One third party stands in no other's way.
    pub async fn go_on_ending(&self, lease: &mut Lease) -> Result<(), Error> {
        let mut failed = Ok(());
        for cause in Cause::ALL {
            for (id, _) in self.endings().all(cause.kind()).await? {
                let ended = self.end_left((&TppId::new(id), cause), Reach::Held(lease)).await;
                failed = failed.and(ended.map(|_| ()));
            }
        }
        failed
    }

    /// Ends what is left of what has to end. Whether nothing is.
    async fn end_left(&self, (id, cause): (&TppId, Cause), mut reach: Reach<'_>) -> Result<bool, Error> {
        let drawer = self.endings();
        let Some(entry) = drawer.entry(cause.kind(), id.as_str()).await? else { return Ok(true) };
        let ending = Ending { id, cause, interfaces: read(&entry)?, entry };
        // Tokens first, which at some interfaces are good whatever became of the consent; and at last those of codes that somebody was
        // about to redeem.
        let is_over = self.end_grants(&ending, &mut reach).await?
            && self.end_given(&ending, &mut reach).await?
            && self.end_grants(&ending, &mut reach).await?;
        if !is_over {
            return Ok(false);
        }
        match self.0.store.save(drawer.deletion_of(&[ending.entry])).await {
            Ok(()) => Ok(true),
            // It was blocked once more meanwhile, or somebody else came to the end.
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends the consents. Whether none is left.
    async fn end_given(&self, ending: &Ending<'_>, reach: &mut Reach<'_>) -> Result<bool, Error> {
        for kind in GIVEN {
            let mut after = Some(ListPlace::start());
            while let Some(place) = after {
                if !reach.is_more(self).await {
                    return Ok(false);
                }
                let page = retry(|| async {
                    let (page, next) = self.given_page(Whose::ThirdParty(ending.id), kind, &place).await?;
                    let open = page.iter().filter(|given| ending.interfaces.contains(&given.interface()));
                    let open = open.filter(|given| given.is_open(self));
                    let why = ending.cause.decision();
                    let ended = open.fold(Changes::new(), |all, given| given.ended(all, self, why));
                    Ok((self.save_if_due(ending, ended).await?, next))
                });
                let (is_due, next) = page.await?;
                if !is_due {
                    return Ok(false);
                }
                after = next;
            }
        }
        Ok(true)
    }

    /// Ends the grants, and with them all tokens. Whether none is left.
    async fn end_grants(&self, ending: &Ending<'_>, reach: &mut Reach<'_>) -> Result<bool, Error> {
        for interface in &ending.interfaces {
            let mut is_left = true;
            while is_left {
                if !reach.is_more(self).await {
                    return Ok(false);
                }
                let page = retry(|| async {
                    let page = self.0.store.open_grants((ending.id, *interface), PAGE).await?;
                    let is_full = i64::try_from(page.len()).is_ok_and(|count| count >= PAGE);
                    let ended = page.into_iter().map(|grant| {
                        let now = self.now(&grant.tenant);
                        grant.end(now)
                    });
                    let ended = ended.fold(Changes::new(), |all, grant| all.put_grant(&grant));
                    Ok((self.save_if_due(ending, ended).await?, is_full))
                });
                let (is_due, is_full) = page.await?;
                if !is_due {
                    return Ok(false);
                }
                is_left = is_full;
            }
        }
        Ok(true)
    }

    /// Saves what ends a page that was read before. False if somebody else came to the end meanwhile: what customers gave since, once
    /// the third party may act again, is not to end. What is on the page they gave before.
    async fn save_if_due(&self, ending: &Ending<'_>, ended: Changes) -> Result<bool, Error> {
        if ended.is_empty() {
            return Ok(true);
        }
        let entry = self.endings().entry(ending.cause.kind(), ending.id.as_str()).await?;
        let is_due = entry.is_some_and(|entry| entry.version == ending.entry.version);
        if is_due {
            self.0.store.save(ended).await?;
        }
        Ok(is_due)
    }
}

fn read(entry: &Entry) -> Result<Vec<Interface>, Error> {
    let names: Vec<String> = serde_json::from_str(&entry.value).map_err(Error::internal)?;
    Ok(names.iter().filter_map(|name| Interface::from_name(name)).collect())
}
