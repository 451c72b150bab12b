//! The one writer: takes batches from a channel, runs each inside a savepoint, commits the group with one
//! fsync, then answers them all. A batch whose guard fails is rolled back alone.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{bound, unavailable};
use crate::StoreError;
use crate::changes::{Rows, Statement};

/// Batches that may wait; more callers than this wait for a place.
const QUEUE: usize = 4096;

/// Batches in one group; bounds how long the first of them waits.
const GROUP: usize = 512;

type Answer = Result<(), StoreError>;

struct Job {
    batch: Vec<Statement>,
    answer: oneshot::Sender<Answer>,
}

/// The way to the writer's thread, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(connection: Arc<Mutex<Connection>>) -> Result<Self, StoreError> {
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(&connection, waiting))
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    pub(super) async fn save(&self, batch: Vec<Statement>) -> Answer {
        let ended = || StoreError::Unavailable("the writer has ended".to_owned());
        let (answer, answered) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or_else(ended)?;
        jobs.send(Job { batch, answer }).await.map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has answered nobody; there is nothing left to do about it here.
            let _ = thread.join();
        }
    }
}

fn run(connection: &Mutex<Connection>, mut waiting: mpsc::Receiver<Job>) {
    while let Some(first) = waiting.blocking_recv() {
        let mut group = vec![first];
        while group.len() < GROUP {
            match waiting.try_recv() {
                Ok(job) => group.push(job),
                Err(_) => break,
            }
        }
        let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = commit(&connection, &group);
        drop(connection);
        for (job, answer) in group.into_iter().zip(answers) {
            // The caller may have gone; what was committed stays committed.
            let _ = job.answer.send(answer);
        }
    }
}

/// Commits a group; every answer is given after the commit, so acknowledged means on disk.
fn commit(connection: &Connection, group: &[Job]) -> Vec<Answer> {
    let all = |error: StoreError| group.iter().map(|_| Err(error.clone())).collect();
    if let Err(error) = execute(connection, "BEGIN IMMEDIATE") {
        return all(error);
    }
    let answers: Vec<Answer> = group.iter().map(|job| run_batch(connection, &job.batch)).collect();
    if let Err(error) = execute(connection, "COMMIT") {
        let _ = execute(connection, "ROLLBACK");
        return all(error);
    }
    answers
}

fn run_batch(connection: &Connection, batch: &[Statement]) -> Answer {
    execute(connection, "SAVEPOINT batch")?;
    let result = batch.iter().try_for_each(|statement| run_statement(connection, statement));
    if result.is_err() {
        execute(connection, "ROLLBACK TO batch")?;
    }
    execute(connection, "RELEASE batch")?;
    result
}

fn run_statement(connection: &Connection, statement: &Statement) -> Answer {
    let changed = bound(connection, statement.sql, &statement.params)?.raw_execute().map_err(unavailable)?;
    match statement.expect {
        Rows::One if changed != 1 => Err(StoreError::Conflict),
        Rows::One | Rows::Any => Ok(()),
    }
}

fn execute(connection: &Connection, sql: &'static str) -> Answer {
    bound(connection, sql, &[])?.raw_execute().map(|_| ()).map_err(unavailable)
}
