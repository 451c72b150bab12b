//! Third parties as the bank's staff looks for them.

use data_encoding::BASE64URL_NOPAD;
use domain::{Timestamp, Tpp, TppId};

use crate::staff::{Found, Page, StaffError, StaffRefusal, paged};
use crate::{Error, Gateway, Noun};

/// Which third parties are looked for.
#[derive(Debug, Clone, Default)]
pub struct ThirdPartyFilter {
    /// The beginning of the name.
    pub name: Option<String>,
    /// The id, such as PSDNL-DNB-R123, or the authorisation number alone.
    pub number: Option<String>,
    /// Whether it is blocked.
    pub is_blocked: Option<bool>,
}

/// Where a page of third parties begins. It is told with all that the list is in order of: what stood there may have changed since.
struct TppPlace {
    order: TppOrder,
    id: String,
}

enum TppOrder {
    /// By name in lower case, then by id.
    Name(String),
    /// The newest block first, then by id.
    Blocked(Timestamp),
}

impl TppPlace {
    fn start(is_by_block: bool) -> Self {
        let order =
            if is_by_block { TppOrder::Blocked(Timestamp::MAX) } else { TppOrder::Name(String::new()) };
        Self { order, id: String::new() }
    }

    fn of(tpp: &Tpp, is_by_block: bool) -> Self {
        let order = match tpp.blocked.filter(|_| is_by_block) {
            Some(block) => TppOrder::Blocked(block.at),
            None => TppOrder::Name(tpp.name.to_ascii_lowercase()),
        };
        Self { order, id: tpp.id.to_string() }
    }

    /// As one word that nobody has to understand. No id has a line in it.
    fn written(&self) -> String {
        let Self { order, id } = self;
        let place = match order {
            TppOrder::Name(name) => format!("{id}\nnamed {name}"),
            TppOrder::Blocked(at) => format!("{id}\nblocked {}", at.as_second()),
        };
        BASE64URL_NOPAD.encode(place.as_bytes())
    }

    /// The place of a list in the same order.
    fn read(text: &str, is_by_block: bool) -> Option<Self> {
        let place = String::from_utf8(BASE64URL_NOPAD.decode(text.as_bytes()).ok()?).ok()?;
        let (id, order) = place.split_once('\n')?;
        let order = if is_by_block {
            let seconds = order.strip_prefix("blocked ")?.parse().ok()?;
            TppOrder::Blocked(Timestamp::from_second(seconds).ok()?)
        } else {
            TppOrder::Name(order.strip_prefix("named ")?.to_owned())
        };
        Some(Self { order, id: id.to_owned() })
    }
}

impl Gateway {
    /// Third parties by name, number and state.
    ///
    /// # Errors
    /// [`StaffError`]
    pub async fn find_third_parties(
        &self,
        filter: &ThirdPartyFilter,
        page: &Page,
    ) -> Result<Found<Tpp>, StaffError> {
        let now = self.system_time();
        let store = &self.0.store;
        let is_by_block = filter.number.is_none() && filter.is_blocked == Some(true);
        let after =
            page.after.as_deref().map(|text| TppPlace::read(text, is_by_block).ok_or(StaffRefusal::After));
        let after = after.transpose()?.unwrap_or_else(|| TppPlace::start(is_by_block));
        let beginning = filter.name.as_deref().unwrap_or_default().to_ascii_lowercase();
        let looked_at = self.looked_at(page, filter.is_blocked.is_some());
        let found = match (&filter.number, &after) {
            (Some(number), TppPlace { id, .. }) => {
                let found = match store.tpp(&TppId::new(number.as_str())).await? {
                    Some(tpp) => vec![tpp],
                    None => store.tpps_numbered(number).await?,
                };
                found.into_iter().filter(|tpp| tpp.id.as_str() > id.as_str()).collect()
            }
            (None, TppPlace { order: TppOrder::Blocked(at), id }) => {
                store.blocked_tpps((*at, id), looked_at).await?
            }
            (None, TppPlace { order: TppOrder::Name(name), id }) => {
                store.tpps_named(&beginning, (name, id), looked_at).await?
            }
        };
        let fits = |tpp: &Tpp| {
            let is_blocked = tpp.blocked.is_some_and(|block| block.holds_at(now));
            tpp.name.to_ascii_lowercase().starts_with(&beginning)
                && filter.is_blocked.is_none_or(|wanted| wanted == is_blocked)
        };
        let limit = if filter.number.is_some() { i64::MAX } else { looked_at };
        Ok(paged(found, limit, page.size, fits, |tpp| TppPlace::of(tpp, is_by_block).written()))
    }

    /// A third party.
    ///
    /// # Errors
    /// [`Error::NotFound`]
    pub async fn third_party(&self, id: &TppId) -> Result<Tpp, Error> {
        self.0.store.tpp(id).await?.ok_or(Error::NotFound(Noun::ThirdParty))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_they_are_written_and_by_their_own_list_alone() {
        let id = "PSDNL-DNB-R123".to_owned();
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let places = [TppOrder::Name("bank of \u{1f}\n names".to_owned()), TppOrder::Blocked(at)];
        for (is_by_block, order) in [false, true].into_iter().zip(places) {
            let written = TppPlace { order, id: id.clone() }.written();
            let read = TppPlace::read(&written, is_by_block).unwrap();
            assert_eq!((read.id.as_str(), read.written()), (id.as_str(), written.clone()));
            assert!(TppPlace::read(&written, !is_by_block).is_none());
        }
        for strange in ["", "PSDNL-DNB-R123", "AAAA", "_"] {
            assert!(TppPlace::read(strange, true).is_none() && TppPlace::read(strange, false).is_none());
        }
    }
}
