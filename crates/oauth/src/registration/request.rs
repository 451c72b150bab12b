//! What a registration sends: a form or JSON with the same members.

use edge::{Rejected, read_json};
use gateway::domain::redirect_uris::MAX_COUNT;
use gateway::domain::{RedirectUriError, Refusal};
use http::HeaderMap;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::error::Error;
use crate::form::{Form, media_type};

/// The members that are read; others are ignored (RFC 7591, 2).
#[derive(Debug, Default)]
pub(super) struct ClientMetadata {
    pub(super) initial_access_token: Option<String>,
    pub(super) redirect_uris: Vec<String>,
    pub(super) sector_identifier_uri: String,
}

#[derive(Deserialize)]
struct Json {
    #[serde(default)]
    initial_access_token: Option<String>,
    #[serde(default)]
    redirect_uris: OneOrMany,
    #[serde(default)]
    sector_identifier_uri: Option<String>,
}

/// URIs in an array, or one as a text, or in a text with blanks between them.
#[derive(Default)]
struct OneOrMany(Vec<String>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrManyVisitor)
    }
}

struct OneOrManyVisitor;

impl<'de> Visitor<'de> for OneOrManyVisitor {
    type Value = OneOrMany;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of strings")
    }

    fn visit_unit<E>(self) -> Result<OneOrMany, E> {
        Ok(OneOrMany::default())
    }

    fn visit_str<E>(self, text: &str) -> Result<OneOrMany, E> {
        Ok(OneOrMany(text.split_whitespace().map(str::to_owned).collect()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<OneOrMany, A::Error> {
        let mut uris = Vec::new();
        while let Some(uri) = elements.next_element()? {
            uris.push(uri);
        }
        Ok(OneOrMany(uris))
    }
}

impl ClientMetadata {
    /// Reads the body by its media type; without one it is taken as a form.
    ///
    /// # Errors
    /// 415 for another media type, 400 for a body that cannot be read.
    pub(super) fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, Error> {
        match media_type(headers)?.as_deref() {
            None | Some("application/x-www-form-urlencoded") => {
                check_count(body)?;
                Self::from_form(&Form::parse_with_lists(body)?)
            }
            // A signing client in the field labels an empty body as JSON.
            Some("application/json") if body.is_empty() => Ok(Self::default()),
            Some("application/json") => Self::from_json(body),
            Some(other) => Err(Rejected::MediaType {
                got: other.to_owned(),
                expected: "application/x-www-form-urlencoded or application/json",
            }
            .into()),
        }
    }

    fn from_form(form: &Form) -> Result<Self, Error> {
        let values = form.all("redirect_uris").chain(form.all("redirect_uris[]"));
        Ok(Self {
            initial_access_token: form.one("initial_access_token")?.map(str::to_owned),
            redirect_uris: values.flat_map(str::split_whitespace).map(str::to_owned).collect(),
            sector_identifier_uri: form.one("sector_identifier_uri")?.unwrap_or_default().to_owned(),
        })
    }

    fn from_json(body: &[u8]) -> Result<Self, Error> {
        let json: Json = read_json(body).map_err(|error| {
            let text =
                format!("the body is no JSON object with redirect_uris as an array of strings: {error}");
            Error::bad("invalid_request", text)
        })?;
        Ok(Self {
            initial_access_token: json.initial_access_token.filter(|token| !token.is_empty()),
            redirect_uris: json.redirect_uris.0,
            sector_identifier_uri: json.sector_identifier_uri.unwrap_or_default(),
        })
    }
}

/// Says how many redirect URIs there are if there are too many of them, and not that there are too many parameters.
fn check_count(form: &[u8]) -> Result<(), Error> {
    let is_uri = |name: &str| matches!(name, "redirect_uris" | "redirect_uris[]");
    let count = form_urlencoded::parse(form).filter(|(name, _)| is_uri(name)).count();
    if count > MAX_COUNT {
        return Err(Refusal::from(RedirectUriError::TooMany(count)).into());
    }
    Ok(())
}
