//! Parameters of forms and queries, as OAuth reads them (RFC 6749, 3.1).

use std::collections::HashSet;

use http::HeaderMap;

use crate::{Rejected, media_type};

/// Most parameters of a request of the protocol.
const MAX_PARAMETERS: usize = 64;

/// Most parameters where some are lists: redirect URIs of a registration, accounts and payments of a page.
const MAX_LISTED: usize = 256;

/// What is wrong with a form. `Display` says it as the authorization server does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// There are more parameters than this.
    #[error("more than {0} parameters were sent")]
    TooMany(usize),
    /// Somewhere the octets are no UTF-8.
    #[error("the parameters are not valid UTF-8")]
    NotText,
    /// The octets of this parameter's value are no UTF-8.
    #[error("parameter {0} is not valid UTF-8")]
    ValueNotText(String),
    /// This parameter occurs more than once.
    #[error("parameter {0} occurs more than once")]
    Twice(String),
    /// This parameter is missing.
    #[error("parameter {0} is missing")]
    Missing(String),
    /// It is no form.
    #[error(transparent)]
    Rejected(#[from] Rejected),
}

/// Parameters in the order they were sent.
#[derive(Debug, Clone, Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    /// [`FormError::TooMany`], [`FormError::NotText`]
    pub fn parse(octets: &[u8]) -> Result<Self, FormError> {
        Self::of_pairs(form_urlencoded::parse(octets).into_owned(), MAX_PARAMETERS)?.in_text()
    }

    /// The same where some parameters are lists.
    ///
    /// # Errors
    /// [`FormError::TooMany`], [`FormError::NotText`]
    pub fn parse_with_lists(octets: &[u8]) -> Result<Self, FormError> {
        Self::of_pairs(form_urlencoded::parse(octets).into_owned(), MAX_LISTED)?.in_text()
    }

    /// Reads it where nobody minds what is in parameters that are not asked for.
    ///
    /// # Errors
    /// [`FormError::TooMany`]
    pub fn parse_leniently(octets: &[u8]) -> Result<Self, FormError> {
        Self::of_pairs(form_urlencoded::parse(octets).into_owned(), MAX_PARAMETERS)
    }

    /// Takes no more pairs than it may have, however many there are.
    fn of_pairs(pairs: impl Iterator<Item = (String, String)>, max: usize) -> Result<Self, FormError> {
        let pairs: Vec<(String, String)> = pairs.take(max + 1).collect();
        if pairs.len() > max { Err(FormError::TooMany(max)) } else { Ok(Self(pairs)) }
    }

    fn in_text(self) -> Result<Self, FormError> {
        let is_text = self.0.iter().all(|(name, value)| is_text(name) && is_text(value));
        if is_text { Ok(self) } else { Err(FormError::NotText) }
    }

    /// Reads the body of a form post.
    ///
    /// # Errors
    /// [`FormError`]
    pub fn from_post(headers: &HeaderMap, body: &[u8]) -> Result<Self, FormError> {
        Self::of_body(headers, body, Self::parse)
    }

    /// Reads the form of a page, in which some parameters are lists.
    ///
    /// # Errors
    /// [`FormError`]
    pub fn from_page(headers: &HeaderMap, body: &[u8]) -> Result<Self, FormError> {
        Self::of_body(headers, body, Self::parse_with_lists)
    }

    fn of_body(
        headers: &HeaderMap,
        body: &[u8],
        parse: fn(&[u8]) -> Result<Self, FormError>,
    ) -> Result<Self, FormError> {
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
    /// If it occurs more than once or is no text.
    pub fn one(&self, name: &str) -> Result<Option<&str>, FormError> {
        let mut values = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(twice(name)),
            (Some(value), None) if !is_text(value) => Err(FormError::ValueNotText(name.to_owned())),
            (first, None) => Ok(first.filter(|value| !value.is_empty())),
        }
    }

    /// The one value of a parameter that must be there.
    ///
    /// # Errors
    /// If it is missing, occurs more than once or is no text.
    pub fn required(&self, name: &str) -> Result<&str, FormError> {
        self.one(name)?.ok_or_else(|| FormError::Missing(name.to_owned()))
    }

    /// Every value of a parameter.
    pub fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Every parameter whose name begins so, with the rest of its name.
    pub fn with_prefix<'f>(&'f self, prefix: &'f str) -> impl Iterator<Item = (&'f str, &'f str)> {
        self.0.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }

    /// The parameters without those of a name.
    pub fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    /// The parameters with one of them set.
    pub fn with(self, name: &str, value: &str) -> Self {
        let mut form = self.without(name);
        form.0.push((name.to_owned(), value.to_owned()));
        form
    }

    /// The parameters as `application/x-www-form-urlencoded`.
    pub fn to_text(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    /// Checks that no parameter occurs twice (RFC 6749, 3.1).
    ///
    /// # Errors
    /// [`FormError::Twice`]
    pub fn check_unique(&self) -> Result<(), FormError> {
        let mut seen = HashSet::new();
        match self.0.iter().find(|(name, _)| !seen.insert(name)) {
            Some((name, _)) => Err(twice(name)),
            None => Ok(()),
        }
    }
}

fn twice(name: &str) -> FormError {
    FormError::Twice(name.chars().take(40).collect())
}

/// The decoder writes a mark where the octets were no UTF-8.
fn is_text(text: &str) -> bool {
    !text.contains('\u{fffd}')
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
        assert_eq!(error, FormError::TooMany(64));
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
        assert_eq!(twice.to_string(), "parameter a occurs more than once");
        // Nothing between two separators is no parameter.
        assert!(Form::parse("&".repeat(100_000).as_bytes()).unwrap().check_unique().is_ok());
    }
}
