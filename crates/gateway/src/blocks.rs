//! The bank blocks third parties, and lets them act again.
//!
//! Whoever lifts a block, or puts one with an end in its place, decides about the block that they found. What that one ends has to end
//! first, and meanwhile somebody else may have blocked the third party anew: that block stays.

use domain::{Block, Interface, Timestamp, Tpp, TppId};
use jiff::SignedDuration;

use crate::endings::Cause;
use crate::error::retry;
use crate::staff::{Deed, StaffError, StaffRefusal};
use crate::{Changes, Error, Gateway};

/// How long a block with an end may last.
const LONGEST_BLOCK: SignedDuration = SignedDuration::from_hours(24 * 366);

impl Gateway {
    /// The bank blocks a third party, at every interface, or lets it act again. What customers approved for it ends
    /// when it is blocked.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] if it is let act, and was blocked anew meanwhile
    pub async fn set_blocked(&self, id: &TppId, blocked_at: Option<Timestamp>) -> Result<Tpp, Error> {
        let found = self.third_party(id).await?;
        let blocked = blocked_at.map(|at| Block { at, until: None });
        if blocked.is_none() {
            self.finish_ending(id).await?;
        }
        self.put_block(&found, blocked, None).await?.ok_or(Error::Conflict)
    }

    /// Staff blocks a third party, until a moment or until somebody lifts that. A block takes the place of the one before. It holds
    /// once this answers; what customers approved, which one without an end ends, may still be ending then.
    ///
    /// # Errors
    /// [`StaffRefusal::Until`], [`Error::NotFound`]; of a block with an end also [`StaffRefusal::Ending`], [`StaffRefusal::Moved`]
    pub async fn block(
        &self,
        id: &TppId,
        until: Option<Timestamp>,
        deed: Deed<'_>,
    ) -> Result<Tpp, StaffError> {
        let now = self.system_time();
        let is_good = until.is_none_or(|until| now < until && until.duration_since(now) <= LONGEST_BLOCK);
        if !is_good {
            return Err(StaffRefusal::Until { now }.into());
        }
        let found = self.third_party(id).await?;
        if until.is_some() && found.blocked.is_some_and(is_for_good) {
            self.end_the_rest(id).await?;
        }
        let blocked = self.put_block(&found, Some(Block { at: now, until }), Some(("block", deed))).await?;
        Ok(blocked.ok_or_else(|| StaffRefusal::Moved(id.clone()))?)
    }

    /// Staff lets a third party act again. What its block ends has ended before.
    ///
    /// # Errors
    /// [`StaffRefusal::NotBlocked`], [`StaffRefusal::Ending`], [`StaffRefusal::Moved`], [`Error::NotFound`]
    pub async fn unblock(&self, id: &TppId, deed: Deed<'_>) -> Result<Tpp, StaffError> {
        let now = self.system_time();
        let found = self.third_party(id).await?;
        if !found.blocked.is_some_and(|block| block.holds_at(now)) {
            return Err(StaffRefusal::NotBlocked(id.clone()).into());
        }
        self.end_the_rest(id).await?;
        let lifted = self.put_block(&found, None, Some(("unblock", deed))).await?;
        Ok(lifted.ok_or_else(|| StaffRefusal::Moved(id.clone()))?)
    }

    /// Ends what is left of what has to end, if that does not take too long.
    ///
    /// # Errors
    /// [`StaffRefusal::Ending`]
    pub(crate) async fn end_the_rest(&self, id: &TppId) -> Result<(), StaffError> {
        if self.finish_ending_soon(id).await? { Ok(()) } else { Err(StaffRefusal::Ending(id.clone()).into()) }
    }

    /// A third party once it is blocked so, or not any more. None if that would take the place of another block than the one that was
    /// found; one that the bank has to lift takes the place of any. That one ends what customers approved for the third party: they say
    /// so in one batch. Before it is lifted, or ends by itself after all, nothing of that is left. After one that ends by itself from
    /// the start all of it is good again: nobody can use it meanwhile.
    async fn put_block(
        &self,
        found: &Tpp,
        blocked: Option<Block>,
        deed: Option<(&'static str, Deed<'_>)>,
    ) -> Result<Option<Tpp>, Error> {
        let is_for_good = blocked.is_some_and(is_for_good);
        let put = retry(|| async {
            let tpp = self.third_party(&found.id).await?;
            if !is_for_good && has_another(&tpp, found) {
                return Ok(None);
            }
            let blocked_reason = blocked.and(deed).map(|(_, deed)| deed.reason.to_owned());
            let tpp = Tpp { blocked, blocked_reason, ..tpp };
            let mut changes = Changes::new().put_tpp(&tpp);
            if is_for_good {
                changes = changes.and(self.ending(&tpp.id, Cause::Block, &Interface::ALL).await?);
            }
            if let Some((act, deed)) = deed {
                let until = blocked.and_then(|block| block.until);
                changes = self.acted(changes, &deed.act(act, tpp.id.as_str(), until)).await?;
            }
            self.0.store.save(changes).await?;
            Ok(Some(tpp))
        });
        let put = put.await?;
        if is_for_good {
            self.begin_ending(&found.id).await;
        }
        Ok(put)
    }
}

fn is_for_good(block: Block) -> bool {
    block.until.is_none()
}

/// Whether a third party has another block than it was found with. Moments are kept to the second, so two that the bank has to lift may
/// look the same.
fn has_another(tpp: &Tpp, found: &Tpp) -> bool {
    let may_look_the_same = found.blocked.is_some_and(is_for_good);
    tpp.blocked != found.blocked || (may_look_the_same && tpp.version != found.version)
}
