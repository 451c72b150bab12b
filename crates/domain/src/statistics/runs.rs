//! Requests in a row that were not answered: when the interface was down by them (guideline 2.4), also where they came to several
//! processes in turns.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Counted, Span};

/// Unanswered requests in a row with which the interface is down.
const DOWN_AFTER: u32 = 5;

/// Rows of one day that a process keeps apart.
const MOST_RUNS: usize = 200;

/// Requests in a row that one process did not answer.
///
/// ```
/// use domain::statistics::Run;
///
/// let at = |second| jiff::Timestamp::from_second(second).unwrap();
/// let run = Run { after: None, from: at(1), last: at(4), until: at(9), count: 5 };
/// assert!(run.from < run.until);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// When the process answered one before, if it did.
    pub after: Option<Timestamp>,
    /// When the first one was received.
    pub from: Timestamp,
    /// When the last one was.
    pub last: Timestamp,
    /// When the next one was answered, or until when none was.
    pub until: Timestamp,
    /// How many they are.
    pub count: u32,
}

impl Run {
    fn is_down(&self) -> bool {
        self.count >= DOWN_AFTER
    }

    fn span(&self) -> Span {
        Span { from: self.from, until: self.until }
    }
}

/// Keeps a row, or what it has become. What is no downtime by itself makes room for what is.
pub(super) fn remember(runs: &mut Vec<Run>, run: Run) {
    if let Some(last) = runs.last_mut()
        && last.from == run.from
    {
        *last = run;
        return;
    }
    if runs.len() < MOST_RUNS {
        return runs.push(run);
    }
    match runs.iter().position(|run| !run.is_down()) {
        Some(least) => {
            runs.remove(least);
            runs.push(run);
        }
        None if run.is_down() => {
            if let Some(last) = runs.last_mut() {
                *last = Run { from: last.from, after: last.after, ..run };
            }
        }
        None => {}
    }
}

/// When the interface was down. Five in a row at one process are enough, even if another one answered meanwhile; so are five at all
/// processes together, if none of those that were there answered one in between.
pub(super) fn down(counted: &[Counted]) -> Vec<Span> {
    let runs = counted.iter().flat_map(|one| &one.runs);
    let alone = runs.clone().filter(|run| run.is_down()).map(Run::span);
    let together = runs.filter_map(|run| together(counted, run));
    alone.chain(together).collect()
}

/// When all processes that were there were down together, for the row that began last of theirs.
fn together(counted: &[Counted], latest: &Run) -> Option<Span> {
    let moment = latest.from;
    let holds = |run: &&Run| run.from <= moment && moment < run.until;
    let is_there = |one: &&Counted| one.all_up().any(|up| up.from <= moment && moment < up.until);
    let runs: Option<Vec<&Run>> =
        counted.iter().filter(is_there).map(|one| one.runs.iter().find(holds)).collect();
    let runs = runs.filter(|runs| runs.len() > 1)?;
    let after = runs.iter().filter_map(|run| run.after).max();
    let until = runs.iter().map(|run| run.until).min()?;
    let mut count = 0;
    let mut from = moment;
    for run in runs {
        // Of a row that another process interrupted, one at least is behind the interruption if its last one is.
        let is_whole = after.is_none_or(|after| run.from >= after) && run.last <= until;
        let is_behind = after.is_none_or(|after| run.last >= after) && run.last <= until;
        count += if is_whole { run.count } else { u32::from(is_behind) };
        if is_whole {
            from = from.min(run.from);
        }
    }
    (count >= DOWN_AFTER).then_some(Span { from, until })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn run((after, from, last, until, count): (i64, i64, i64, i64, u32)) -> Run {
        Run { after: (after > 0).then(|| at(after)), from: at(from), last: at(last), until: at(until), count }
    }

    fn node(up: (i64, i64), runs: &[(i64, i64, i64, i64, u32)]) -> Counted {
        Counted {
            runs: runs.iter().copied().map(run).collect(),
            up: Span { from: at(up.0), until: at(up.1) },
            ..Counted::new(at(up.0))
        }
    }

    fn spans(counted: &[Counted]) -> Vec<(i64, i64)> {
        let mut spans: Vec<_> =
            down(counted).iter().map(|span| (span.from.as_second(), span.until.as_second())).collect();
        spans.dedup();
        spans
    }

    #[test]
    fn five_at_several_nodes_in_turns_are_downtime() {
        let day = (0, 1000);
        // One, two, one and one: less than five at each.
        let all = [(90, 100, 1), (91, 101, 2), (92, 102, 1), (93, 103, 1)]
            .map(|(after, from, count)| node(day, &[(after, from, from + 5, 300 + from, count)]));
        assert_eq!(spans(&all), [(100, 400)]);
        assert_eq!(spans(&all[..3]), [], "four");
        // Another one was there, and answered.
        let answered = [&all[..], &[node(day, &[])]].concat();
        assert_eq!(spans(&answered), []);
        // It was not there then.
        let later = [&all[..], &[node((500, 1000), &[])]].concat();
        assert_eq!(spans(&later), [(100, 400)]);
        // One of them answered one after the others had failed.
        let between = [node(day, &[(90, 100, 104, 900, 4)]), node(day, &[(200, 250, 250, 800, 1)])];
        assert_eq!(spans(&between), []);
        let not_between = [node(day, &[(90, 100, 104, 900, 4)]), node(day, &[(80, 250, 250, 800, 1)])];
        assert_eq!(spans(&not_between), [(100, 800)]);
    }

    #[test]
    fn what_is_kept_is_bounded_and_downtime_stays() {
        let mut runs = Vec::new();
        remember(&mut runs, run((0, 1, 1, 2, 5)));
        remember(&mut runs, run((0, 1, 2, 3, 6)));
        assert_eq!((runs.len(), runs[0].count), (1, 6), "it goes on");
        for n in 0..1000 {
            remember(&mut runs, run((0, 10 * n + 10, 10 * n + 11, 10 * n + 12, 1)));
        }
        assert_eq!(runs.len(), MOST_RUNS);
        assert!(runs[0].is_down());
        for n in 2000..3000 {
            remember(&mut runs, run((0, 10 * n, 10 * n + 1, 10 * n + 2, 5)));
        }
        assert_eq!(runs.len(), MOST_RUNS);
        assert!(runs.iter().all(Run::is_down));
        assert_eq!(runs.last().unwrap().until, at(29_992));
        remember(&mut runs, run((0, 90_000, 90_000, 90_001, 1)));
        assert_eq!(runs.last().unwrap().until, at(29_992));
    }
}
