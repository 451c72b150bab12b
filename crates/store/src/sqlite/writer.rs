//! The one writer: takes batches from a channel, runs them in one transaction, commits the group with one fsync, then
//! answers them all. If a guard fails, the group is rolled back and run again with a savepoint for each batch, so that
//! the batch of that guard fails alone; savepoints cost a third of a batch, and guards seldom fail. What ends the
//! transaction, a full disk for example, ends the whole group.
//!
//! When another database takes the place of this one, another era begins: batches that build on what was read before are
//! refused, whoever still had them under way.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::replacing::{Source, replace};
use super::{bound, execute};
use crate::changes::{Rows, Statement};
use crate::{Load, StoreError};

/// Batches that may wait; more callers than this wait for a place.
const QUEUE: usize = 4096;

/// Batches in one group; bounds how long the first of them waits.
const GROUP: usize = 512;

type Answer = Result<(), StoreError>;

enum Message {
    Write(Job),
    /// Takes over all that another database holds; answers with the era that begins.
    Replace(Source, oneshot::Sender<Result<u64, StoreError>>),
    /// Gives memory back, unless something was written since this was asked last.
    Rest,
}

struct Job {
    batch: Vec<Statement>,
    /// How many times the whole content had been replaced when what the batch builds on was read.
    era: u64,
    answer: oneshot::Sender<Answer>,
}

/// The way to the writer's thread, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Writer {
    messages: Option<mpsc::Sender<Message>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(connection: Arc<Mutex<Connection>>) -> Result<Self, StoreError> {
        let (messages, waiting) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(&connection, waiting))
            .map_err(|error| StoreError::Unavailable(Arc::new(error)))?;
        Ok(Self { messages: Some(messages), thread: Some(thread) })
    }

    pub(super) async fn save(&self, batch: Vec<Statement>, era: u64) -> Answer {
        self.ask(|answer| Message::Write(Job { batch, era, answer })).await
    }

    /// Replaces the whole content, after the batches that wait; the era that begins.
    pub(super) async fn replace(&self, source: Source) -> Result<u64, StoreError> {
        self.ask(|answer| Message::Replace(source, answer)).await
    }

    async fn ask<T>(
        &self,
        message: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Message,
    ) -> Result<T, StoreError> {
        let ended = || StoreError::unavailable("the writer has ended");
        let (answer, answered) = oneshot::channel();
        let messages = self.messages.as_ref().ok_or_else(ended)?;
        messages.send(message(answer)).await.map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }

    /// How many batches wait.
    pub(super) fn load(&self) -> Load {
        let free = self.messages.as_ref().map_or(0, mpsc::Sender::capacity);
        Load::Queue { waiting: QUEUE.saturating_sub(free), most: QUEUE }
    }

    /// Asks for memory back. Whoever has much to write has no time for it, so nobody waits.
    pub(super) fn rest(&self) {
        if let Some(messages) = &self.messages {
            let _ = messages.try_send(Message::Rest);
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.messages = None;
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has answered nobody; there is nothing left to do about it here.
            let _ = thread.join();
        }
    }
}

fn run(connection: &Mutex<Connection>, mut waiting: mpsc::Receiver<Message>) {
    let (mut has_written, mut era) = (false, 0);
    let mut next = None;
    while let Some(message) = next.take().or_else(|| waiting.blocking_recv()) {
        let mut group = Vec::new();
        match message {
            Message::Write(job) => group.extend(of_era(era, job)),
            Message::Replace(source, answer) => {
                let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
                let replaced = replace(&mut connection, &source);
                era += u64::from(replaced.is_ok());
                let _ = answer.send(replaced.map(|()| era));
            }
            Message::Rest => {
                if !std::mem::take(&mut has_written) {
                    // What it keeps in memory is on disk as well; a failure leaves it where it is.
                    let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
                    let _ = connection.execute_batch("PRAGMA shrink_memory");
                }
                continue;
            }
        }
        has_written = true;
        while !group.is_empty() && group.len() < GROUP && next.is_none() {
            match waiting.try_recv() {
                Ok(Message::Write(job)) => group.extend(of_era(era, job)),
                Ok(other) => next = Some(other),
                Err(_) => break,
            }
        }
        if group.is_empty() {
            continue;
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

/// A batch, unless what it builds on is of an earlier era: that one is refused.
fn of_era(era: u64, job: Job) -> Option<Job> {
    if job.era == era {
        return Some(job);
    }
    let _ = job
        .answer
        .send(Err(StoreError::unavailable("other data have taken the place of those that this was about")));
    None
}

/// Commits a group; every answer is given after the commit, so acknowledged means on disk. If the transaction is lost,
/// nothing of the group is on disk and every answer says so.
fn commit(connection: &Connection, group: &[Job]) -> Vec<Answer> {
    run_group(connection, group).unwrap_or_else(|error| {
        if !connection.is_autocommit() {
            // If this fails too, the next group fails at its beginning and comes here again.
            let _ = execute(connection, "ROLLBACK");
        }
        group.iter().map(|_| Err(error.clone())).collect()
    })
}

/// The answers of a group that is on disk.
///
/// # Errors
/// What ended the transaction.
fn run_group(connection: &Connection, group: &[Job]) -> Result<Vec<Answer>, StoreError> {
    execute(connection, "BEGIN IMMEDIATE")?;
    let answers = if group.iter().try_for_each(|job| run_statements(connection, &job.batch)).is_ok() {
        group.iter().map(|_| Ok(())).collect()
    } else {
        if !connection.is_autocommit() {
            execute(connection, "ROLLBACK")?;
        }
        execute(connection, "BEGIN IMMEDIATE")?;
        group.iter().map(|job| run_batch(connection, &job.batch)).collect::<Result<_, _>>()?
    };
    execute(connection, "COMMIT")?;
    Ok(answers)
}

/// The answer of one batch, which is in the transaction or not, whatever its guards say.
///
/// # Errors
/// What ended the transaction, and the batches before this one with it.
fn run_batch(connection: &Connection, batch: &[Statement]) -> Result<Answer, StoreError> {
    execute(connection, "SAVEPOINT batch")?;
    let answer = run_statements(connection, batch);
    if let Err(error) = &answer {
        // SQLite rolls the whole transaction back by itself when the disk is full or fails. What is written after
        // that would be a transaction of its own.
        if connection.is_autocommit() {
            return Err(error.clone());
        }
        execute(connection, "ROLLBACK TO batch")?;
    }
    execute(connection, "RELEASE batch")?;
    Ok(answer)
}

fn run_statements(connection: &Connection, batch: &[Statement]) -> Answer {
    batch.iter().try_for_each(|Statement { sql, params, expect }| {
        let changed = bound(connection, sql, params)?.raw_execute()?;
        match expect {
            Rows::One if changed != 1 => Err(StoreError::Conflict),
            Rows::One | Rows::Any => Ok(()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Value;

    const INSERT: &str = "INSERT INTO things (id, body) VALUES ($1, $2)";

    fn insert(id: i64, length: usize) -> Statement {
        let params = vec![Value::from(id), Value::from("x".repeat(length).as_str())];
        Statement { sql: INSERT, params, expect: Rows::One }
    }

    fn group(batches: Vec<Vec<Statement>>) -> Vec<Job> {
        batches.into_iter().map(|batch| Job { batch, era: 0, answer: oneshot::channel().0 }).collect()
    }

    /// A database on disk, as its writer has it.
    fn database() -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open(folder.path().join("db")).unwrap();
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA cache_size = 8;").unwrap();
        super::super::prepare(&connection).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE things (id BIGINT PRIMARY KEY CHECK (id < 1000), body TEXT NOT NULL UNIQUE);",
            )
            .unwrap();
        (folder, connection)
    }

    /// What another connection sees, which is what is on disk.
    fn durable(folder: &tempfile::TempDir) -> Vec<i64> {
        let other = Connection::open(folder.path().join("db")).unwrap();
        let mut statement = other.prepare("SELECT id FROM things ORDER BY id").unwrap();
        let ids = statement.query_map([], |row| row.get(0)).unwrap();
        ids.map(Result::unwrap).collect()
    }

    #[test]
    fn a_full_disk_ends_the_group_and_nothing_of_it_is_durable() {
        let (folder, connection) = database();
        connection.execute_batch("PRAGMA max_page_count = 20").unwrap();
        let jobs = group(vec![vec![insert(1, 10)], vec![insert(2, 1_000_000)], vec![insert(3, 11)]]);
        for answer in commit(&connection, &jobs) {
            assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
        }
        assert!(durable(&folder).is_empty());
        // There is room again.
        connection.execute_batch("PRAGMA max_page_count = 10000").unwrap();
        assert!(commit(&connection, &jobs).iter().all(Result::is_ok));
        assert_eq!(durable(&folder), [1, 2, 3]);
    }

    /// The writer is interrupted, which like an I/O error ends the transaction, after any number of steps.
    #[test]
    fn wherever_a_fault_strikes_an_answer_says_what_is_durable() {
        let (mut interrupted, mut whole) = (0, 0);
        for steps in (1..400).step_by(3) {
            let (folder, mut connection) = database();
            // Prepared statements, as in a writer that has run for a while.
            commit(&connection, &group(vec![vec![insert(900, 1)], vec![insert(900, 1)]]));
            let mut left = steps;
            let strike = move || {
                left -= 1;
                left == 0
            };
            connection.progress_handler(1, Some(strike)).unwrap();
            let jobs = group(vec![
                vec![insert(1, 5000), insert(2, 2)],
                vec![insert(3, 3), insert(900, 4)],
                vec![insert(4, 5)],
                vec![insert(5, 6), insert(6, 7)],
            ]);
            let answers = commit(&connection, &jobs);
            connection.progress_handler(1, None::<fn() -> bool>).unwrap();
            assert!(connection.is_autocommit(), "{steps} steps: the transaction is over");
            let told = |job: usize, ids: &[i64]| if answers[job].is_ok() { ids.to_vec() } else { vec![] };
            let expected = [told(0, &[1, 2]), told(1, &[3]), told(2, &[4]), told(3, &[5, 6]), vec![900]];
            assert_eq!(durable(&folder), expected.concat(), "{steps} steps: {answers:?}");
            if answers.iter().all(Result::is_err) {
                interrupted += 1
            } else {
                whole += 1
            }
            // The next group is none the worse for it.
            assert!(commit(&connection, &group(vec![vec![insert(10, 8)]])).iter().all(Result::is_ok));
        }
        assert!(interrupted > 20 && whole > 1, "{interrupted} interrupted, {whole} whole");
    }

    #[test]
    fn what_is_taken_is_a_conflict_and_what_breaks_a_rule_is_a_fault() {
        let (folder, connection) = database();
        let nothing = Statement { sql: INSERT, params: vec![6.into(), Value::Null], expect: Rows::One };
        let jobs = group(vec![
            vec![insert(1, 1)],
            vec![insert(1, 2)],
            vec![insert(2, 1)],
            vec![insert(1000, 3)],
            vec![nothing],
            vec![insert(3, 3)],
        ]);
        let answers = commit(&connection, &jobs);
        assert!(matches!(answers[1], Err(StoreError::Conflict)), "a primary key: {answers:?}");
        assert!(matches!(answers[2], Err(StoreError::Conflict)), "a unique value: {answers:?}");
        assert!(matches!(answers[3], Err(StoreError::Violation(_))), "a check: {answers:?}");
        assert!(matches!(answers[4], Err(StoreError::Violation(_))), "something absent: {answers:?}");
        assert_eq!(durable(&folder), [1, 3]);
    }
}
