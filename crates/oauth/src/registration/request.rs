//! What a registration sends: a form or JSON with the same members.

use edge::Rejected;
use http::HeaderMap;
use serde::Deserialize;

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

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    None(()),
    One(String),
    Many(Vec<String>),
}

impl Default for OneOrMany {
    fn default() -> Self {
        Self::None(())
    }
}

impl ClientMetadata {
    /// Reads the body by its media type; without one it is taken as a form.
    ///
    /// # Errors
    /// 415 for another media type, 400 for a body that cannot be read.
    pub(super) fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, Error> {
        match media_type(headers)?.as_deref() {
            None | Some("application/x-www-form-urlencoded") => Self::from_form(&Form::parse(body)?),
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
        let json: Json = serde_json::from_slice(body).map_err(|error| {
            let text = format!(
                "the body is no JSON object with redirect_uris as an array of strings: line {}, column {}",
                error.line(),
                error.column()
            );
            Error::bad("invalid_request", text)
        })?;
        Ok(Self {
            initial_access_token: json.initial_access_token.filter(|token| !token.is_empty()),
            redirect_uris: match json.redirect_uris {
                OneOrMany::None(()) => Vec::new(),
                OneOrMany::One(uri) => uri.split_whitespace().map(str::to_owned).collect(),
                OneOrMany::Many(uris) => uris,
            },
            sector_identifier_uri: json.sector_identifier_uri.unwrap_or_default(),
        })
    }
}
