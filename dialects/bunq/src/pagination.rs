//! Pages of lists: newest first, with links in three directions (section 6.3).

use crate::error::Error;
use crate::names::whole_number;
use crate::records::Range;
use crate::wire::Pagination;

/// Elements of a page that asks for no number.
const DEFAULT_COUNT: i64 = 10;

/// Most elements of a page.
pub(crate) const MAX_COUNT: i64 = 200;

/// Most payments and parts of them that the elements of one page have together, which bounds the size of an answer. A
/// page that would have more ends earlier, and its link leads on.
pub(crate) const MAX_WEIGHT: usize = 1000;

/// Which page is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    /// How many elements.
    pub(crate) count: i64,
    /// Whether the caller said how many.
    is_counted: bool,
    /// Which ones.
    pub(crate) range: Range,
}

impl Page {
    /// Reads `count`, `older_id` and `newer_id`.
    ///
    /// # Errors
    /// 400
    pub(crate) fn read(query: &[(String, String)]) -> Result<Self, Error> {
        let number = |name: &str| -> Result<Option<i64>, Error> {
            let mut named = query.iter().filter(|(known, _)| known == name);
            let Some((_, text)) = named.next() else { return Ok(None) };
            if named.next().is_some() {
                return Err(Error::bad(format!("The parameter \"{name}\" occurs more than once.")));
            }
            let number = whole_number(text);
            let number = number.ok_or_else(|| {
                Error::bad(format!(
                    "The parameter \"{name}\" must be a whole number, not negative, of at most 18 digits."
                ))
            });
            number.map(Some)
        };
        let count = number("count")?;
        if count.is_some_and(|count| !(1..=MAX_COUNT).contains(&count)) {
            return Err(Error::bad(format!("The parameter \"count\" must be from 1 to {MAX_COUNT}.")));
        }
        let range = match (number("older_id")?, number("newer_id")?) {
            (Some(_), Some(_)) => {
                return Err(Error::bad("Send \"older_id\" or \"newer_id\", not both."));
            }
            (None, Some(newer)) => Range::Newer(newer),
            (older, None) => Range::Older(older),
        };
        Ok(Self { count: count.unwrap_or(DEFAULT_COUNT), is_counted: count.is_some(), range })
    }

    /// One more than the page holds, to know whether there are others.
    pub(crate) fn limit(&self) -> i64 {
        self.count + 1
    }

    /// Takes what was found with [`Page::limit`], newest first, in one list or in several that were merged; leaves what
    /// belongs on the page, and returns its links. `path` is that of the list, from `/v1` on.
    pub(crate) fn close<T>(
        &self,
        path: &str,
        found: &mut Vec<T>,
        id: impl Fn(&T) -> i64,
        weigh: impl Fn(&T) -> usize,
    ) -> Pagination {
        let is_more = self.cut(found, weigh);
        // Whatever the bound names lies beyond that end.
        let (has_older, has_newer) = match self.range {
            Range::Older(bound) => (is_more, bound.is_some()),
            Range::Newer(_) => (true, is_more),
        };
        let ids: Vec<i64> = found.iter().map(id).collect();
        self.links(path, &ids, has_older, has_newer)
    }

    /// Leaves no more elements than were asked for, and no more than so many of a weight that one answer carries
    /// [`MAX_WEIGHT`], but always one. True if there is more beyond it, in the direction of the page.
    fn cut<T>(&self, found: &mut Vec<T>, weigh: impl Fn(&T) -> usize) -> bool {
        let (before, count) = (found.len(), usize::try_from(self.count).unwrap_or(usize::MAX));
        let kept = match self.range {
            Range::Older(_) => fitting(found.iter().take(count).map(weigh)),
            Range::Newer(_) => fitting(found.iter().rev().take(count).map(weigh)),
        };
        match self.range {
            Range::Older(_) => found.truncate(kept),
            Range::Newer(_) => found.drain(..before - kept).for_each(drop),
        }
        kept < before
    }

    /// The links of a page whose elements have these numbers, newest first. `has_older` and `has_newer` say whether
    /// there is anything beyond its ends. `path` is that of the list, from `/v1` on.
    pub(crate) fn links(&self, path: &str, ids: &[i64], has_older: bool, has_newer: bool) -> Pagination {
        let link = |name: &str, id: Option<&i64>| {
            // Clients take everything after the first `id=` for the number, so it comes last.
            let count = if self.is_counted { format!("count={}&", self.count) } else { String::new() };
            id.map(|id| format!("{path}?{count}{name}={id}"))
        };
        let (newest, oldest) = (ids.first(), ids.last());
        let is_latest = match self.range {
            Range::Older(None) => true,
            Range::Older(Some(_)) => false,
            Range::Newer(_) => !has_newer,
        };
        let is_bounded = !matches!(self.range, Range::Older(None));
        Pagination {
            future_url: link("newer_id", newest.filter(|_| is_latest)),
            newer_url: link("newer_id", newest.filter(|_| is_bounded)),
            older_url: link("older_id", oldest.filter(|_| has_older)),
        }
    }

    /// The links of a list that is never paged.
    pub(crate) fn none() -> Pagination {
        Pagination::default()
    }
}

/// How many of these weights one answer carries, at least one.
fn fitting(weights: impl Iterator<Item = usize>) -> usize {
    let mut all = 0;
    let fits = |(place, weight): &(usize, usize)| {
        all += weight;
        *place == 0 || all <= MAX_WEIGHT
    };
    weights.enumerate().take_while(fits).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &[(&str, &str)]) -> Result<Page, Error> {
        let query: Vec<_> = query.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Page::read(&query)
    }

    #[test]
    fn links_are_as_recorded() {
        let latest = page(&[("count", "3")]).unwrap();
        let links = latest.links("/v1/x", &[7, 6, 5], true, false);
        assert_eq!(links.future_url.as_deref(), Some("/v1/x?count=3&newer_id=7"));
        assert_eq!(links.newer_url, None);
        assert_eq!(links.older_url.as_deref(), Some("/v1/x?count=3&older_id=5"));
        let older = page(&[("older_id", "5")]).unwrap();
        let links = older.links("/v1/x", &[4, 3], false, true);
        assert_eq!(links.newer_url.as_deref(), Some("/v1/x?newer_id=4"));
        assert_eq!((links.future_url, links.older_url), (None, None));
        let empty = latest.links("/v1/x", &[], false, false);
        assert_eq!(empty, Page::none());
    }

    #[test]
    fn a_page_ends_where_its_weight_does() {
        let weigh = |one: &usize| *one;
        let older = page(&[("count", "3")]).unwrap();
        let newer = page(&[("count", "3"), ("newer_id", "1")]).unwrap();
        let cut = |page: &Page, found: &[usize]| {
            let mut found = found.to_vec();
            let is_more = page.cut(&mut found, weigh);
            (found, is_more)
        };
        assert_eq!(cut(&older, &[1, 2, 3, 4]), (vec![1, 2, 3], true));
        assert_eq!(cut(&newer, &[1, 2, 3, 4]), (vec![2, 3, 4], true));
        assert_eq!(cut(&older, &[600, 400, 1]), (vec![600, 400], true));
        assert_eq!(cut(&newer, &[600, 401, 1]), (vec![401, 1], true));
        assert_eq!(cut(&older, &[5000, 1]), (vec![5000], true));
        assert_eq!(cut(&newer, &[5000]), (vec![5000], false));
        assert_eq!(cut(&newer, &[]), (vec![], false));
    }

    #[test]
    fn links_lead_to_whatever_is_beyond_a_page() {
        let close = |query: &[(&str, &str)], found: &[i64]| {
            let mut found = found.to_vec();
            let links = page(query).unwrap().close("/v1/x", &mut found, |id| *id, |_| 1);
            (found, links.future_url.is_some(), links.newer_url.is_some(), links.older_url.is_some())
        };
        let two = ("count", "2");
        assert_eq!(close(&[two], &[9, 8, 7]), (vec![9, 8], true, false, true), "the newest, and older ones");
        assert_eq!(close(&[two], &[9, 8]), (vec![9, 8], true, false, false), "all there are");
        let older = [two, ("older_id", "8")];
        assert_eq!(close(&older, &[7, 6, 5]), (vec![7, 6], false, true, true), "in between");
        assert_eq!(close(&older, &[7]), (vec![7], false, true, false), "the oldest");
        let newer = [two, ("newer_id", "5")];
        assert_eq!(close(&newer, &[8, 7, 6]), (vec![7, 6], false, true, true), "those next to the bound");
        assert_eq!(close(&newer, &[7, 6]), (vec![7, 6], true, true, true), "up to the newest");
        assert_eq!(close(&newer, &[]), (vec![], false, false, false), "nothing is newer");
    }

    #[test]
    fn limits_are_told() {
        for wrong in [("count", "201"), ("count", "0"), ("count", "x"), ("older_id", "-1"), ("newer_id", "")]
        {
            assert!(page(&[wrong]).is_err(), "{wrong:?}");
        }
        assert!(page(&[("older_id", "1"), ("newer_id", "2")]).is_err());
    }
}
