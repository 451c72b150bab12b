//! The driver for PostgreSQL.
//!
//! A read is one round trip, on a connection that others read by as well, and so is a batch, on one of its own: its statements are sent
//! together as one transaction, or as one statement where that is the same, and a guard that fails does so in the database and ends
//! it. Statements are prepared once on each connection. The isolation level READ COMMITTED is
//! enough: whatever a batch builds on is in the guards of its statements, which lock the rows they look at. A database whose
//! level is another one, or has no other than SERIALIZABLE, lets reads and batches fail that others got in the way of; they are sent again.

mod connection;
mod failed;
mod fused;
mod migrations;
mod pool;
mod reader;
mod values;
mod way;

use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use tokio::time::{sleep, timeout};
use tokio_postgres::Row;

use crate::changes::Statement;
use crate::row::Value;
use crate::tables::Tables;
use crate::{Load, StoreError};
use failed::Failed;
use pool::Pool;
pub(crate) use values::text;
use way::Way;

/// How long a read or a batch may take, waiting for a connection included.
const LONGEST: Duration = Duration::from_secs(20);

/// How long is waited at most before a batch is sent again that others got in the way of, in milliseconds.
const PAUSES: [u64; 8] = [2, 4, 8, 16, 32, 64, 128, 256];

/// How often a database is brought up to date that others got in the way of. That is one transaction over many tables, which is more
/// often in somebody's way than any other, and there is time for it.
const STARTS: usize = 40;

/// How often somebody may have its tables for longer than it waits, and how long nobody is kept waiting then, at least and at most twice
/// that, in milliseconds: whoever comes to a table waits behind it while it waits.
const KEPT_WAITING: (usize, u64) = (12, 5000);

/// The database.
#[derive(Debug, Clone)]
pub(crate) struct Db(Arc<Pool>);

/// What is waited for, boxed, so that callers whose database is another carry no more than a pointer.
type Waiting<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

impl Db {
    pub(crate) fn check_address(address: &str) -> Result<(), StoreError> {
        Way::parse(address).map(|_| ())
    }

    pub(crate) async fn connect(address: &str) -> Result<Self, StoreError> {
        let pool = Pool::new(address)?;
        let mut connection = pool.take().await.map_err(Failed::into_error)?;
        let mut tries = Tries::default();
        while let Err(failed) = migrations::run(&mut connection.client).await {
            sleep(tries.pause_after(failed)?).await;
        }
        connection.give_back();
        Ok(Self(Arc::new(pool)))
    }

    pub(crate) async fn add_tables(&self, tables: Tables) -> Result<(), StoreError> {
        let mut connection = self.0.take().await.map_err(Failed::into_error)?;
        let mut tries = Tries::default();
        while let Err(failed) = migrations::add(&mut connection.client, tables).await {
            sleep(tries.pause_after(failed)?).await;
        }
        connection.give_back();
        Ok(())
    }

    /// How much it has to do now.
    pub(crate) fn load(&self) -> Load {
        self.0.load()
    }

    /// Now, by the clock of the server.
    pub(crate) async fn time(&self) -> Result<Timestamp, StoreError> {
        let rows = self.query("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS BIGINT)", &[]).await?;
        let second = rows.first().and_then(|row| row.try_get(0).ok());
        let time = second.and_then(|second| Timestamp::from_second(second).ok());
        time.ok_or_else(|| StoreError::unavailable("it does not say what time it is"))
    }

    /// Every row that a statement finds.
    pub(crate) fn query<'a>(&'a self, sql: &'static str, params: &'a [Value]) -> Waiting<'a, Vec<Row>> {
        Box::pin(async move {
            let mut pauses = PAUSES.into_iter();
            let mut was_lost = false;
            loop {
                match self.try_query(sql, params).await {
                    // That a connection broke while it was idle shows when it is used. A read can be sent again.
                    Err(failed) if failed.is_lost() && !was_lost => {
                        was_lost = true;
                    }
                    Err(failed) if failed.is_in_the_way() => match pauses.next() {
                        Some(longest) => sleep(pause(longest)).await,
                        None => return Err(failed.into_error_of_read()),
                    },
                    done => return done.map_err(Failed::into_error),
                }
            }
        })
    }

    /// Writes a batch: all of it, or nothing.
    pub(crate) fn save<'a>(&'a self, batch: &'a [Statement]) -> Waiting<'a, ()> {
        Box::pin(async move {
            for longest in PAUSES {
                match self.try_save(batch).await {
                    Err(failed) if failed.is_in_the_way() => sleep(pause(longest)).await,
                    done => return done.map_err(Failed::into_error),
                }
            }
            self.try_save(batch).await.map_err(Failed::into_error)
        })
    }

    async fn try_query(&self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>, Failed> {
        let attempt = self.0.readers.read(&self.0.way, sql, params);
        self.noticed(timeout(LONGEST, attempt).await.unwrap_or(Err(Failed::Late)))
    }

    async fn try_save(&self, batch: &[Statement]) -> Result<(), Failed> {
        let attempt = async {
            let mut connection = self.0.take().await?;
            let done = connection.write(batch).await;
            connection.give_back();
            done
        };
        let done = timeout(LONGEST, attempt).await.unwrap_or(Err(Failed::Late));
        if matches!(done, Err(Failed::Late)) {
            // What waits may be the commit, for a standby that is away: connections for reads may be well, and find out themselves.
            self.0.renew_writers();
            return done;
        }
        self.noticed(done)
    }

    /// Lets nobody else meet what one has met: connections that wait are made anew if they are no better.
    fn noticed<T>(&self, done: Result<T, Failed>) -> Result<T, Failed> {
        if done.as_ref().is_err_and(Failed::is_of_all) {
            self.0.renew();
        }
        done
    }
}

/// How often it was tried to bring a database up to date.
#[derive(Debug, Default)]
struct Tries {
    in_the_way: usize,
    kept_waiting: usize,
}

impl Tries {
    /// How long others are left alone before it is tried again, or why it is not.
    fn pause_after(&mut self, failed: Failed) -> Result<Duration, StoreError> {
        let (most, alone) = KEPT_WAITING;
        if failed.is_kept_waiting() && self.kept_waiting < most {
            self.kept_waiting += 1;
            return Ok(Duration::from_millis(alone) + pause(alone));
        }
        if failed.is_kept_waiting() || !failed.is_in_the_way_of_start() || self.in_the_way == STARTS {
            return Err(failed.into_error_of_start());
        }
        self.in_the_way += 1;
        Ok(pause(PAUSES[self.in_the_way % PAUSES.len()]))
    }
}

/// A moment up to a length, another one each time, so that those who met do not meet again.
fn pause(longest: u64) -> Duration {
    Duration::from_millis(1 + RandomState::new().hash_one(longest) % longest)
}
