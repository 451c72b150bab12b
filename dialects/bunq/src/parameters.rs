//! Parameters of queries and forms, as OAuth reads them (RFC 6749, 3.1).

use crate::error::Error;

/// Most parameters that are read.
const MAX_PARAMETERS: usize = 64;

/// Parameters in the order they were sent. Those that nobody asks for are ignored. One more than may be there is kept,
/// to know that there are too many.
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads a query or the body of a form.
    pub(crate) fn parse(octets: &[u8]) -> Self {
        Self(Vec::new()).and(octets)
    }

    /// Adds those of another text.
    pub(crate) fn and(mut self, octets: &[u8]) -> Self {
        let room = (MAX_PARAMETERS + 1).saturating_sub(self.0.len());
        self.0.extend(form_urlencoded::parse(octets).into_owned().take(room));
        self
    }

    /// The one value of a parameter; an empty value counts as absent.
    ///
    /// # Errors
    /// 400 if it occurs more than once or is no text, or if there are too many parameters.
    pub(crate) fn one(&self, name: &str) -> Result<Option<&str>, Error> {
        if self.0.len() > MAX_PARAMETERS {
            return Err(Error::bad(format!("More than {MAX_PARAMETERS} parameters were sent.")));
        }
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
