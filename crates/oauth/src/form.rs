//! Parameters of forms and queries.

use std::collections::HashSet;

use edge::Rejected;
use http::{HeaderMap, header};

use crate::error::Error;

/// Most parameters of a request of the protocol.
const MAX_PARAMETERS: usize = 64;

/// Most parameters where some are lists: redirect URIs of a registration, accounts and payments of a page.
const MAX_LISTED: usize = 256;

/// Parameters in the order they were sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `application/x-www-form-urlencoded`.
    pub(crate) fn parse(octets: &[u8]) -> Result<Self, Error> {
        Self::of_pairs(form_urlencoded::parse(octets).into_owned(), MAX_PARAMETERS)
    }

    /// The same where some parameters are lists.
    pub(crate) fn parse_with_lists(octets: &[u8]) -> Result<Self, Error> {
        Self::of_pairs(form_urlencoded::parse(octets).into_owned(), MAX_LISTED)
    }

    /// Takes no more pairs than it may have, however many there are.
    fn of_pairs(pairs: impl Iterator<Item = (String, String)>, max: usize) -> Result<Self, Error> {
        let pairs: Vec<(String, String)> = pairs.take(max + 1).collect();
        if pairs.len() > max {
            let text = format!("more than {max} parameters were sent");
            return Err(Error::bad("invalid_request", text));
        }
        // The decoder writes this mark where the octets were no UTF-8.
        if pairs.iter().any(|(name, value)| name.contains('\u{fffd}') || value.contains('\u{fffd}')) {
            return Err(Error::bad("invalid_request", "the parameters are not valid UTF-8"));
        }
        Ok(Self(pairs))
    }

    /// Reads the body of a form post.
    pub(crate) fn from_post(headers: &HeaderMap, body: &[u8]) -> Result<Self, Error> {
        Self::of_body(headers, body, Self::parse)
    }

    /// Reads the form of a page, in which some parameters are lists.
    pub(crate) fn from_page(headers: &HeaderMap, body: &[u8]) -> Result<Self, Error> {
        Self::of_body(headers, body, Self::parse_with_lists)
    }

    fn of_body(
        headers: &HeaderMap,
        body: &[u8],
        parse: fn(&[u8]) -> Result<Self, Error>,
    ) -> Result<Self, Error> {
        match media_type(headers)?.as_deref() {
            Some("application/x-www-form-urlencoded") => parse(body),
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
            (_, Some(_)) => Err(twice(name)),
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
        let mut seen = HashSet::new();
        match self.0.iter().find(|(name, _)| !seen.insert(name)) {
            Some((name, _)) => Err(twice(name)),
            None => Ok(()),
        }
    }
}

fn twice(name: &str) -> Error {
    let shown: String = name.chars().take(40).collect();
    Error::bad("invalid_request", format!("parameter {shown} occurs more than once"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_read_than_may_be_there() {
        let mut pulled = 0;
        let pairs = (0..1_000_000).map(|number| {
            pulled += 1;
            (number.to_string(), String::new())
        });
        let error = Form::of_pairs(pairs, MAX_PARAMETERS).unwrap_err();
        assert_eq!(error.description.as_deref(), Some("more than 64 parameters were sent"));
        assert_eq!(pulled, MAX_PARAMETERS + 1);
    }

    #[test]
    fn a_full_form_is_read() {
        let text: Vec<String> = (0..MAX_PARAMETERS).map(|number| format!("p{number}={number}")).collect();
        let form = Form::parse(text.join("&").as_bytes()).unwrap();
        assert!(form.check_unique().is_ok());
        assert_eq!(form.one("p63").unwrap(), Some("63"));
        assert!(Form::parse(format!("{}&x=", text.join("&")).as_bytes()).is_err());
        let twice = Form::parse(b"a=1&b=2&a=1").unwrap().check_unique().unwrap_err();
        assert_eq!(twice.description.as_deref(), Some("parameter a occurs more than once"));
        // Nothing between two separators is no parameter.
        assert!(Form::parse("&".repeat(100_000).as_bytes()).unwrap().check_unique().is_ok());
    }
}
