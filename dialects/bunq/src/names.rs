//! What the path of an operation names.

use crate::error::Error;

/// The parameters of a path. Those that it does not have are absent.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) user: Number,
    pub(crate) account: Number,
    pub(crate) credential: Number,
    pub(crate) client: Number,
    pub(crate) event: Number,
    pub(crate) schedule: Number,
    pub(crate) id: Number,
    pub(crate) uuid: String,
}

/// A number in a path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Number {
    #[default]
    Absent,
    /// What is no number, or a negative one, names nothing.
    Nothing,
    Is(i64),
}

impl Number {
    /// The number.
    ///
    /// # Errors
    /// 404
    pub(crate) fn get(self) -> Result<i64, Error> {
        if let Self::Is(number) = self { Ok(number) } else { Err(Error::not_found()) }
    }
}

/// A number as it is written in paths and queries: one way for each, without blanks, signs and zeros before it.
pub(crate) fn whole_number(text: &str) -> Option<i64> {
    let is_written_so = text == "0" || !text.starts_with('0');
    let all_digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_written_so && all_digits)
}

impl Names {
    /// Reads parameters with their names; none if one has a name that no path has.
    pub(crate) fn read<'p>(params: impl Iterator<Item = (&'p str, &'p str)>) -> Option<Self> {
        let mut names = Self::default();
        for (name, value) in params {
            let number = match name {
                "user" => &mut names.user,
                "account" => &mut names.account,
                "credential" => &mut names.credential,
                "client" => &mut names.client,
                "event" => &mut names.event,
                "schedule" => &mut names.schedule,
                "id" => &mut names.id,
                "uuid" => {
                    value.clone_into(&mut names.uuid);
                    continue;
                }
                _ => return None,
            };
            *number = whole_number(value).map_or(Number::Nothing, Number::Is);
        }
        Some(names)
    }
}
