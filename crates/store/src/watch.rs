//! What whoever watches a database is told: each read and each batch when it is done, and how much there is to do now.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use crate::{Store, StoreError};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// A statement that reads.
    Read,
    /// A batch that writes.
    Batch,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// A row had moved on, and whoever asked decides anew.
    Conflict,
    /// It failed.
    Failed,
}

impl Outcome {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Done, Self::Conflict, Self::Failed];

    /// Its name in one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Conflict => "conflict",
            Self::Failed => "failed",
        }
    }

    fn of<T>(done: &Result<T, StoreError>) -> Self {
        match done {
            Ok(_) => Self::Done,
            Err(StoreError::Conflict) => Self::Conflict,
            Err(_) => Self::Failed,
        }
    }
}

/// Is told of each read and each batch once, when it is done. Whoever asked waits meanwhile.
pub trait Watch: Debug + Send + Sync {
    /// Something was done.
    fn did(&self, work: Work, outcome: Outcome, took: Duration);
}

/// How much a database has to do at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// SQLite: batches that wait for the writer, and how many may.
    Queue {
        /// That wait.
        waiting: usize,
        /// That may wait.
        most: usize,
    },
    /// PostgreSQL: connections of this process.
    Connections {
        /// That do something.
        busy: usize,
        /// That wait for something to do.
        idle: usize,
        /// That there may be.
        most: usize,
    },
}

/// When something was begun, if anybody wants to know.
pub(crate) struct Begun(Option<Instant>);

impl Store {
    pub(crate) fn begin(&self) -> Begun {
        Begun(self.1.as_ref().map(|_| Instant::now()))
    }

    /// Tells what came of something, and hands that on.
    pub(crate) fn tell<T>(
        &self,
        begun: &Begun,
        work: Work,
        done: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let (Some(watch), Some(begun)) = (&self.1, begun.0) {
            watch.did(work, Outcome::of(&done), begun.elapsed());
        }
        done
    }
}
