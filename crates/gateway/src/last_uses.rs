//! When third parties last used what customers gave them. No call waits for that to be written: it is remembered, and
//! written down now and then for all of them at once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::{ConsentId, FundsConsentId, Subject, Timestamp};

use crate::{Changes, Error, Gateway};

/// Most subjects of which it is remembered between two times of writing it down.
const MOST: usize = 10_000;

/// How many are written down in one batch: calls that write meanwhile wait for no more than that.
const AT_ONCE: usize = 200;

/// What was used since it was last written down.
#[derive(Debug, Default)]
pub(crate) struct LastUses(Mutex<HashMap<Subject, Timestamp>>);

impl LastUses {
    pub(crate) fn note(&self, subject: Subject, at: Timestamp) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if uses.len() < MOST || uses.contains_key(&subject) {
            uses.insert(subject, at);
        }
    }

    fn at(&self, subject: &Subject) -> Option<Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(subject).copied()
    }

    fn take(&self) -> HashMap<Subject, Timestamp> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Remembers again what could not be written down, unless it was used since.
    fn put_back(&self, unwritten: impl IntoIterator<Item = (Subject, Timestamp)>) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (subject, at) in unwritten {
            uses.entry(subject).or_insert(at);
        }
    }
}

impl Gateway {
    /// Writes down when what customers gave was last used, as far as that is not written yet.
    ///
    /// # Errors
    /// [`Error`]; it is remembered for the next time then
    pub async fn write_last_uses(&self) -> Result<(), Error> {
        let mut uses: Vec<(Subject, Timestamp)> = self.0.last_uses.take().into_iter().collect();
        // In one order at all nodes, so that none waits for a row of another one that waits for one of its own.
        uses.sort_unstable_by(|(one, _), (other, _)| {
            (one.kind().name(), one.id()).cmp(&(other.kind().name(), other.id()))
        });
        for (number, part) in uses.chunks(AT_ONCE).enumerate() {
            let changes = part.iter().fold(Changes::new(), |changes, (subject, at)| match subject {
                Subject::Consent(id) => changes.note_use_of_consent(id, *at),
                Subject::FundsConsent(id) => changes.note_use_of_funds_consent(id, *at),
                Subject::Payment(_) => changes,
            });
            if let Err(error) = self.0.store.save(changes).await {
                self.0.last_uses.put_back(uses.into_iter().skip(number * AT_ONCE));
                return Err(error.into());
            }
        }
        Ok(())
    }

    pub(crate) fn note_use_of_consent(&self, id: &ConsentId, at: Timestamp) {
        self.0.last_uses.note(Subject::Consent(id.clone()), at);
    }

    pub(crate) fn note_use_of_funds_consent(&self, id: &FundsConsentId, at: Timestamp) {
        self.0.last_uses.note(Subject::FundsConsent(id.clone()), at);
    }

    /// When a subject was used since that was last written down.
    pub(crate) fn unwritten_use(&self, subject: &Subject) -> Option<Timestamp> {
        self.0.last_uses.at(subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_written_is_remembered_and_what_came_since_wins() {
        let (one, other) =
            (Subject::Consent(ConsentId::new("1")), Subject::FundsConsent(FundsConsentId::new("1")));
        let at = |second| Timestamp::from_second(second).unwrap();
        let uses = LastUses::default();
        uses.note(one.clone(), at(1));
        uses.note(other.clone(), at(2));
        let taken = uses.take();
        assert_eq!((taken.len(), uses.at(&one)), (2, None));
        uses.note(one.clone(), at(9));
        uses.put_back(taken);
        assert_eq!((uses.at(&one), uses.at(&other)), (Some(at(9)), Some(at(2))));
    }

    #[test]
    fn it_is_remembered_of_so_many_and_no_more() {
        let uses = LastUses::default();
        for number in 0..=MOST {
            uses.note(Subject::Consent(ConsentId::new(number.to_string())), Timestamp::UNIX_EPOCH);
        }
        assert_eq!(uses.take().len(), MOST);
    }
}
