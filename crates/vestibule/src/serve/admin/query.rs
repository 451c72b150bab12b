//! What the query of a call says.

use edge::Form;
use gateway::staff::Page;

use super::Error;

/// Most items of a page, and how many there are on one if nothing is said.
const MOST: usize = 200;
const USUAL: usize = 50;

/// What a query says: each parameter once, and no other than those that are known.
pub(super) struct Query(Form);

impl Query {
    pub(super) fn of(query: Option<&str>, known: &[&str]) -> Result<Self, Error> {
        let form = Form::parse(query.unwrap_or_default().as_bytes())?;
        form.check_unique()?;
        let strange = form.with_prefix("").map(|(name, _)| name).find(|name| !known.contains(name));
        match strange {
            Some(name) => Err(Error::bad(format!(
                "the query: there is no parameter \"{}\"; there are {}",
                name.escape_debug(),
                known.join(", ")
            ))),
            None => Self(form).with_values(),
        }
    }

    /// An empty parameter asks for nothing, and would be answered as if it were not there: a variable of a script was not set.
    fn with_values(self) -> Result<Self, Error> {
        let empty =
            self.0.with_prefix("").find(|(_, value)| value.is_empty()).map(|(name, _)| name.to_owned());
        match empty {
            Some(name) => {
                Err(Error::bad(format!("the query: {name} is empty; give it a value, or leave it out")))
            }
            None => Ok(self),
        }
    }

    pub(super) fn one(&self, name: &str) -> Result<Option<&str>, Error> {
        Ok(self.0.one(name)?)
    }

    /// One of some words.
    pub(super) fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<Option<T>, Error> {
        let Some(said) = self.one(name)? else { return Ok(None) };
        let found = words.iter().find(|(word, _)| *word == said).map(|(_, meaning)| *meaning);
        found.map(Some).ok_or_else(|| {
            let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            Error::bad(format!("{name} \"{}\" is not one of {}", said.escape_debug(), words.join(", ")))
        })
    }

    /// Where a page begins and how long it is.
    pub(super) fn page(&self) -> Result<Page, Error> {
        let size = match self.one("limit")? {
            None => USUAL,
            Some(text) => text.parse().ok().filter(|size| (1..=MOST).contains(size)).ok_or_else(|| {
                Error::bad(format!("limit \"{}\" is not a number from 1 to {MOST}", text.escape_debug()))
            })?,
        };
        Ok(Page { after: self.one("after")?.map(str::to_owned), size })
    }
}
