//! One connection: how statements are sent on it.

use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use tokio_postgres::{Client, Statement as Prepared};

use super::failed::Failed;
use super::fused;
use super::pool::Held;
use super::values::Parameter;
use crate::changes::{Rows, Statement};
use crate::row::Value;
use crate::{StoreError, fault};

/// A connection for writes, with the statements that were prepared on it: each as it is, or with the guard that it changes one row.
pub(super) struct Connection {
    pub(super) client: Client,
    /// Its place among those that do something.
    pub(super) held: Held,
    statements: HashMap<(&'static str, bool), Prepared>,
    /// Batches that are one statement, by their parts.
    fused: HashMap<Vec<&'static str>, Prepared>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Connection {
    /// For a client that was connected just now, whose connection is driven by a task that has the same place.
    pub(super) fn of(client: Client, held: Held) -> Self {
        Self { client, held, statements: HashMap::new(), fused: HashMap::new() }
    }

    /// Runs a batch in one transaction, in one round trip if its statements are prepared.
    pub(super) async fn write(&mut self, batch: &[Statement]) -> Result<(), Failed> {
        if fused::is_possible(batch) {
            return self.write_at_once(batch).await;
        }
        let params: Vec<_> = batch.iter().map(|statement| parameters(&statement.params)).collect();
        let guarded = |statement: &Statement| statement.expect == Rows::One;
        let mut all: Vec<_> = batch
            .iter()
            .zip(&params)
            .map(|(statement, params)| (statement.sql, guarded(statement), params.as_slice()))
            .collect();
        // One statement is a transaction of its own.
        if batch.len() > 1 {
            all.insert(0, ("BEGIN", false, &[]));
            all.push(("COMMIT", false, &[]));
        }
        self.prepare(&all).await?;
        let sent = all.iter().map(|(sql, is_guarded, params)| {
            self.client.execute_raw(&self.statements[&(*sql, *is_guarded)], params.iter())
        });
        // The first failure is what failed; the transaction took no notice of what came after it.
        at_once(sent).await.into_iter().try_for_each(|done| Ok(done.map(|_| ())?))
    }

    /// Runs a batch that can be one statement as that one.
    async fn write_at_once(&mut self, batch: &[Statement]) -> Result<(), Failed> {
        let parts: Vec<_> = batch.iter().map(|statement| statement.sql).collect();
        let params: Vec<_> = batch.iter().flat_map(|statement| parameters(&statement.params)).collect();
        if !self.fused.contains_key(&parts) {
            let kinds: Vec<_> = params.iter().map(Parameter::kind).collect();
            let prepared = self.client.prepare_typed(&fused::text(batch), &kinds).await?;
            self.fused.insert(parts.clone(), prepared);
        }
        let prepared = &self.fused[&parts];
        check_fit(parts[0], &params, prepared)?;
        Ok(self.client.execute_raw(prepared, params.iter()).await.map(|_| ())?)
    }

    /// Prepares the statements that are not, and looks whether their parameters are what they need: of a batch, all is sent
    /// or nothing.
    async fn prepare(&mut self, all: &[(&'static str, bool, &[Parameter<'_>])]) -> Result<(), Failed> {
        let mut missing: Vec<(&'static str, bool, String, Vec<_>)> = Vec::new();
        for (sql, is_guarded, params) in all {
            let is_known = self.statements.contains_key(&(*sql, *is_guarded));
            if !is_known && !missing.iter().any(|(known, guard, ..)| (known, guard) == (sql, is_guarded)) {
                let kinds = params.iter().map(Parameter::kind).collect();
                missing.push((sql, *is_guarded, text(sql, *is_guarded), kinds));
            }
        }
        if !missing.is_empty() {
            let prepared =
                at_once(missing.iter().map(|(_, _, text, kinds)| self.client.prepare_typed(text, kinds)))
                    .await;
            for ((sql, is_guarded, ..), prepared) in missing.iter().zip(prepared) {
                self.statements.insert((sql, *is_guarded), prepared?);
            }
        }
        for (sql, is_guarded, params) in all {
            check_fit(sql, params, &self.statements[&(*sql, *is_guarded)])?;
        }
        Ok(())
    }
}

/// Looks whether parameters are what a statement needs, before anything of it is sent.
pub(super) fn check_fit(
    sql: &'static str,
    params: &[Parameter<'_>],
    prepared: &Prepared,
) -> Result<(), Failed> {
    let kinds = prepared.params();
    if kinds.len() != params.len() || !params.iter().zip(kinds).all(|(param, kind)| param.fits(kind)) {
        return Err(StoreError::Violation(fault(format!("parameters that do not fit: {sql}"))).into());
    }
    Ok(())
}

pub(super) fn parameters(values: &[Value]) -> Vec<Parameter<'_>> {
    values.iter().map(Parameter).collect()
}

/// A statement, with its guard if it has one: a batch in which a statement changes no row, or more than one, fails where
/// it runs, by a division by nothing.
fn text(sql: &'static str, is_guarded: bool) -> String {
    if !is_guarded {
        return sql.to_owned();
    }
    format!(
        "WITH changed AS ({sql} RETURNING 1) \
         SELECT 1 / (CASE WHEN COUNT(*) = 1 THEN 1 ELSE 0 END) FROM changed"
    )
}

/// Begins everything, in order, before the first answer is waited for.
async fn at_once<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut begun: Vec<Pin<Box<F>>> = all.map(Box::pin).collect();
    let first_look = poll_fn(|context| {
        Poll::Ready(begun.iter_mut().map(|one| one.as_mut().poll(context)).collect::<Vec<_>>())
    })
    .await;
    let mut outputs = Vec::with_capacity(begun.len());
    for (one, seen) in begun.into_iter().zip(first_look) {
        outputs.push(match seen {
            Poll::Ready(output) => output,
            Poll::Pending => one.await,
        });
    }
    outputs
}
