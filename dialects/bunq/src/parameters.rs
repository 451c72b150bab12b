//! Parameters of queries and forms, as OAuth reads them (RFC 6749, 3.1).

use crate::error::Error;

/// Parameters in the order they were sent. Those that nobody asks for are ignored.
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads a query or the body of a form.
    pub(crate) fn parse(octets: &[u8]) -> Self {
        Self(form_urlencoded::parse(octets).into_owned().collect())
    }

    /// Adds those of another text.
    pub(crate) fn and(mut self, octets: &[u8]) -> Self {
        self.0.extend(form_urlencoded::parse(octets).into_owned());
        self
    }

    /// The one value of a parameter; an empty value counts as absent.
    ///
    /// # Errors
    /// 400 if it occurs more than once or is no text.
    pub(crate) fn one(&self, name: &str) -> Result<Option<&str>, Error> {
        let mut values = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let value = values.next();
        if values.next().is_some() {
            return Err(Error::bad(format!("The parameter \"{name}\" occurs more than once.")));
        }
        // The decoder writes this mark where the octets were no UTF-8.
        if value.is_some_and(|value| value.contains('\u{fffd}')) {
            return Err(Error::bad(format!("The parameter \"{name}\" is not valid UTF-8.")));
        }
        Ok(value.filter(|value| !value.is_empty()))
    }

    /// The one value of a parameter that must be there.
    ///
    /// # Errors
    /// 400
    pub(crate) fn required(&self, name: &str) -> Result<&str, Error> {
        self.one(name)?.ok_or_else(|| Error::bad(format!("The parameter \"{name}\" is required.")))
    }
}
