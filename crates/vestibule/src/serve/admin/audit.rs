//! The audit trail as it was written, for whoever reads or verifies it.

use axum::Json;
use axum::extract::{RawQuery, State};
use gateway::domain::audit::{Entry, Head};
use serde_json::{Value, json};

use super::{Admin, Error, Query};

/// Groups of an answer; one has 500 entries at most, or one act of staff.
const GROUPS: i64 = 8;
const ACTS: i64 = 1000;

/// Groups of entries whose first one has a greater number, with what the first of them follows, the number to go on behind, and the end
/// of the chain.
pub(super) async fn read(
    State(admin): State<Admin>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Error> {
    let query = Query::of(query.as_deref(), &["after", "kind"])?;
    let after = match query.one("after")? {
        None => 0,
        Some(text) => text.parse().ok().filter(|number: &i64| *number >= 0).ok_or_else(|| {
            Error::bad(format!("after \"{}\" is not the number of an entry", text.escape_debug()))
        })?,
    };
    let acts_alone = query.word("kind", &[("acts", true)])?.unwrap_or(false);
    let most = if acts_alone { ACTS } else { GROUPS };
    let (groups, head) = admin.gateway.read_trail(after, acts_alone, most).await?;
    let before = groups.first().map(|group| tell_head(&group.before));
    // By the beginning of the last group, so that nothing that was put in behind it is passed over.
    let next = groups.last().map(|group| group.before.number + 1);
    let entries: Vec<Value> = groups.iter().flat_map(|group| &group.entries).map(tell).collect();
    Ok(Json(json!({"before": before, "entries": entries, "next": next, "head": tell_head(&head)})))
}

fn tell(entry: &Entry) -> Value {
    json!({"number": entry.number, "hash": entry.hash, "text": entry.text})
}

fn tell_head(head: &Head) -> Value {
    json!({"number": head.number, "hash": head.hash})
}
