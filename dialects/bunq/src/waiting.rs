//! What waits for a moment: entries of a kind of their own, which say nothing but their keys, in the order of the moments. Each is
//! written in one batch with what waits, so that neither is there without the other.

use gateway::domain::Timestamp;
use gateway::{Drawer, Entry, Error};

/// After every key.
const END: &str = ":";

/// Under which key the record of an owner waits for a moment.
pub(crate) fn key(moment: Timestamp, (owner, id): (i64, i64)) -> String {
    // Whole seconds, rounded up: never before its time.
    let second = moment.as_second() + i64::from(moment.subsec_nanosecond() > 0);
    format!("{:012}/{owner:010}/{id:010}", second.max(0))
}

/// After the keys of a moment, and before those of the next second.
fn end_of(moment: Timestamp) -> String {
    format!("{:012}", moment.as_second().saturating_add(1).max(0))
}

/// The moment that a key stands for.
fn moment_of(key: &str) -> Option<Timestamp> {
    Timestamp::from_second(key.split('/').next()?.parse().ok()?).ok()
}

/// Owner and number of the record that a key stands for.
pub(crate) fn record_of(key: &str) -> (i64, i64) {
    let number = |part: Option<&str>| part.and_then(|part| part.parse().ok()).unwrap_or_default();
    let mut parts = key.split('/').skip(1);
    (number(parts.next()), number(parts.next()))
}

/// The keys of those whose moment has come, at most so many, after a key.
pub(crate) async fn due(
    drawer: &Drawer,
    kind: &'static str,
    (after, now): (&str, Timestamp),
    limit: i64,
) -> Result<Vec<String>, Error> {
    let due = drawer.first(kind, (after, &end_of(now)), limit).await?;
    Ok(due.into_iter().map(|entry| entry.key).collect())
}

/// The next moment after one for which something waits.
pub(crate) async fn next(
    drawer: &Drawer,
    kind: &'static str,
    after: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    let next = drawer.first(kind, (&end_of(after), END), 1).await?;
    Ok(next.first().and_then(|entry| moment_of(&entry.key)))
}

/// What makes something that waited under the key `before` wait under another one: what is written, and what is deleted.
pub(crate) async fn moved(
    drawer: &Drawer,
    kind: &'static str,
    (before, after): (Option<&str>, Option<String>),
) -> Result<(Option<Entry>, Option<Entry>), Error> {
    if before == after.as_deref() {
        return Ok((None, None));
    }
    let deleted = match before {
        Some(key) => drawer.entry(kind, key).await?,
        None => None,
    };
    let Some(key) = after else { return Ok((None, deleted)) };
    let version = drawer.entry(kind, &key).await?.map_or(0, |known| known.version);
    let written = Entry { kind, key, value: String::new(), forget_at: None, version };
    Ok((Some(written), deleted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_moments_do_and_nothing_is_due_before_its_time() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let early = key(at("2026-03-01T10:00:00Z"), (7, 9));
        let late = key(at("2026-03-01T10:00:00.000001Z"), (1, 2));
        assert!(early < late);
        assert!(early < end_of(at("2026-03-01T10:00:00Z")) && end_of(at("2026-03-01T10:00:00.9Z")) <= late);
        assert_eq!(record_of(&early), (7, 9));
        assert_eq!(moment_of(&late), Some(at("2026-03-01T10:00:01Z")));
        assert!(late.as_str() < END);
    }
}
