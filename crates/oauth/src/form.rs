//! Parameters of forms and queries.

use edge::Rejected;
use http::{HeaderMap, header};

use crate::error::Error;

/// Parameters in the order they were sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `application/x-www-form-urlencoded`.
    pub(crate) fn parse(octets: &[u8]) -> Result<Self, Error> {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(octets).into_owned().collect();
        // The decoder writes this mark where the octets were no UTF-8.
        if pairs.iter().any(|(name, value)| name.contains('\u{fffd}') || value.contains('\u{fffd}')) {
            return Err(Error::bad("invalid_request", "the parameters are not valid UTF-8"));
        }
        Ok(Self(pairs))
    }

    /// Reads the body of a form post.
    pub(crate) fn from_post(headers: &HeaderMap, body: &[u8]) -> Result<Self, Error> {
        match media_type(headers)?.as_deref() {
            Some("application/x-www-form-urlencoded") => Self::parse(body),
            None if body.is_empty() => Ok(Self::default()),
            got => Err(Rejected::MediaType {
                got: got.unwrap_or("none").to_owned(),
                expected: "application/x-www-form-urlencoded",
            }
            .into()),
        }
    }

    /// The one value of a parameter; an empty value counts as absent (RFC 6749, 3.1).
    ///
    /// # Errors
    /// `invalid_request` if it occurs more than once.
    pub(crate) fn one(&self, name: &str) -> Result<Option<&str>, Error> {
        let mut values = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (_, Some(_)) => {
                Err(Error::bad("invalid_request", format!("parameter {name} occurs more than once")))
            }
            (first, None) => Ok(first.filter(|value| !value.is_empty())),
        }
    }

    /// The one value of a parameter that must be there.
    ///
    /// # Errors
    /// `invalid_request` if it is missing or occurs more than once.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Error> {
        self.one(name)?.ok_or_else(|| Error::bad("invalid_request", format!("parameter {name} is missing")))
    }

    /// Every value of a parameter.
    pub(crate) fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Every parameter whose name begins so, with the rest of its name.
    pub(crate) fn with_prefix<'f>(&'f self, prefix: &'f str) -> impl Iterator<Item = (&'f str, &'f str)> {
        self.0.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }

    /// The parameters without those of a name.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    /// The parameters with one of them set.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        let mut form = self.without(name);
        form.0.push((name.to_owned(), value.to_owned()));
        form
    }

    /// The parameters as `application/x-www-form-urlencoded`.
    pub(crate) fn to_text(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    /// Checks that no parameter occurs twice (RFC 6749, 3.1).
    ///
    /// # Errors
    /// `invalid_request` naming the parameter.
    pub(crate) fn check_unique(&self) -> Result<(), Error> {
        self.0.iter().try_for_each(|(name, _)| self.one(name).map(|_| ()))
    }
}

/// The media type in lower case without parameters; absent without the header.
///
/// # Errors
/// For a header that occurs twice or is no text.
pub(crate) fn media_type(headers: &HeaderMap) -> Result<Option<String>, Error> {
    let value =
        edge::header_text(headers, header::CONTENT_TYPE.as_str()).map_err(|rejected| match rejected {
            Rejected::DuplicateHeader(_) => Rejected::DuplicateHeader("Content-Type"),
            _ => Rejected::HeaderNotText("Content-Type"),
        })?;
    let essence = value.map(|value| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    Ok(essence.filter(|essence| !essence.is_empty()))
}
