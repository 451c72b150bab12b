//! Places in lists that begin with the newest.

use std::fmt;

use jiff::Timestamp;

/// Where something stands in a list that begins with the newest: what is of one second is in the order of its ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPlace {
    /// Its moment, to the second.
    pub at: Timestamp,
    /// Its id.
    pub id: String,
}

impl ListPlace {
    /// Before everything.
    pub fn start() -> Self {
        Self { at: Timestamp::MAX, id: String::new() }
    }

    /// Reads a place as an address has it: the second and the id with a dot between them.
    pub fn parse(text: &str) -> Option<Self> {
        let (second, id) = text.split_once('.')?;
        let at = Timestamp::from_second(second.parse().ok()?).ok()?;
        Some(Self { at, id: id.to_owned() })
    }
}

impl fmt::Display for ListPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.as_second(), self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_back_from_addresses_or_are_refused() {
        let place = ListPlace { at: Timestamp::from_second(1_800_000_000).unwrap(), id: "a-7.b".to_owned() };
        assert_eq!(place.to_string(), "1800000000.a-7.b");
        assert_eq!(ListPlace::parse(&place.to_string()), Some(place));
        for wrong in ["", "7", "x.7", "99999999999999.7", "1.5e3.7", ".7"] {
            assert_eq!(
                ListPlace::parse(wrong).map(|place| place.at.as_second()),
                (wrong == "1.5e3.7").then_some(1)
            );
        }
    }
}
