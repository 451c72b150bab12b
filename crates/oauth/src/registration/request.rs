//! What a registration sends: a form or JSON with the same members.

use edge::{Rejected, read_json};
use gateway::domain::{ClientAuthentication, RedirectUriError, Refusal};
use gateway::profile::ClientRules;
use http::HeaderMap;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::client_assertion::{algorithms, check_registered_algorithm};
use crate::error::Error;
use crate::form::{Form, media_type};

/// The members that are read; others are ignored (RFC 7591, 2).
#[derive(Default)]
pub(super) struct ClientMetadata {
    pub(super) initial_access_token: Option<String>,
    pub(super) redirect_uris: Vec<String>,
    pub(super) sector_identifier_uri: String,
    pub(super) asked: Asked,
}

/// Choices that the client may leave to the bank. What it asks for it gets, or a refusal, and never something else.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) token_endpoint_auth_method: Vec<String>,
    pub(super) token_endpoint_auth_signing_alg: Vec<String>,
    pub(super) grant_types: Vec<String>,
    pub(super) response_types: Vec<String>,
    pub(super) id_token_signed_response_alg: Vec<String>,
    pub(super) subject_type: Vec<String>,
    /// Whether keys came along.
    pub(super) has_keys: bool,
}

#[derive(Deserialize)]
struct Json {
    #[serde(default)]
    initial_access_token: Option<String>,
    #[serde(default)]
    redirect_uris: OneOrMany,
    #[serde(default)]
    sector_identifier_uri: Option<String>,
    #[serde(default)]
    token_endpoint_auth_method: OneOrMany,
    #[serde(default)]
    token_endpoint_auth_signing_alg: OneOrMany,
    #[serde(default)]
    grant_types: OneOrMany,
    #[serde(default)]
    response_types: OneOrMany,
    #[serde(default)]
    id_token_signed_response_alg: OneOrMany,
    #[serde(default)]
    subject_type: OneOrMany,
    #[serde(default)]
    jwks: Option<IgnoredAny>,
    #[serde(default)]
    jwks_uri: Option<String>,
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

impl OneOrMany {
    fn into_values(self) -> Vec<String> {
        self.0
    }
}

impl ClientMetadata {
    /// Reads the body by its media type; without one it is taken as a form.
    ///
    /// # Errors
    /// 415 for another media type, 400 for a body that cannot be read.
    pub(super) fn parse(headers: &HeaderMap, body: &[u8], max_redirect_uris: usize) -> Result<Self, Error> {
        match media_type(headers)?.as_deref() {
            None | Some("application/x-www-form-urlencoded") => {
                check_count(body, max_redirect_uris)?;
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
            asked: Asked {
                token_endpoint_auth_method: words(form, "token_endpoint_auth_method"),
                token_endpoint_auth_signing_alg: words(form, "token_endpoint_auth_signing_alg"),
                grant_types: words(form, "grant_types"),
                response_types: words(form, "response_types"),
                id_token_signed_response_alg: words(form, "id_token_signed_response_alg"),
                subject_type: words(form, "subject_type"),
                has_keys: form.one("jwks")?.is_some() || form.one("jwks_uri")?.is_some(),
            },
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
            redirect_uris: json.redirect_uris.into_values(),
            sector_identifier_uri: json.sector_identifier_uri.unwrap_or_default(),
            asked: Asked {
                token_endpoint_auth_method: json.token_endpoint_auth_method.into_values(),
                token_endpoint_auth_signing_alg: json.token_endpoint_auth_signing_alg.into_values(),
                grant_types: json.grant_types.into_values(),
                response_types: json.response_types.into_values(),
                id_token_signed_response_alg: json.id_token_signed_response_alg.into_values(),
                subject_type: json.subject_type.into_values(),
                has_keys: json.jwks.is_some() || json.jwks_uri.is_some_and(|uri| !uri.is_empty()),
            },
        })
    }
}

/// Says how many redirect URIs there are if there are too many of them, and not that there are too many parameters.
fn check_count(form: &[u8], max: usize) -> Result<(), Error> {
    let is_uri = |name: &str| matches!(name, "redirect_uris" | "redirect_uris[]");
    let count = form_urlencoded::parse(form).filter(|(name, _)| is_uri(name)).count();
    if count > max {
        return Err(Refusal::from(RedirectUriError::TooMany { count, max }).into());
    }
    Ok(())
}

/// Every value of a parameter, repeated or with blanks between.
fn words(form: &Form, name: &str) -> Vec<String> {
    form.all(name).flat_map(str::split_whitespace).map(str::to_owned).collect()
}

impl Asked {
    /// How the client wants to prove itself; none if it leaves that to the bank.
    ///
    /// # Errors
    /// `invalid_client_metadata` for any choice that is not to be had.
    pub(super) fn check(
        &self,
        rules: &ClientRules,
        id_token_algorithm: &str,
        signing_key: Option<&str>,
    ) -> Result<Option<ClientAuthentication>, Error> {
        let methods = ClientAuthentication::NAMES.map(|(_, name)| name);
        let algorithms: Vec<_> = algorithms(rules).map(|(_, name)| name).collect();
        for (name, asked, offered) in [
            ("token_endpoint_auth_method", &self.token_endpoint_auth_method, &methods[..]),
            ("token_endpoint_auth_signing_alg", &self.token_endpoint_auth_signing_alg, &algorithms),
            ("grant_types", &self.grant_types, &["authorization_code", "refresh_token"]),
            ("response_types", &self.response_types, &["code"]),
            ("id_token_signed_response_alg", &self.id_token_signed_response_alg, &[id_token_algorithm]),
            ("subject_type", &self.subject_type, &["pairwise"]),
        ] {
            if let Some(other) = asked.iter().find(|value| !offered.contains(&value.as_str())) {
                let offered = offered.join(" or ");
                return Err(invalid(format!(
                    "{name} {other} is not offered here; ask for {offered}, or leave it out"
                )));
            }
        }
        match &self.token_endpoint_auth_signing_alg[..] {
            [] => {}
            [wanted] => check_registered_algorithm(rules, signing_key, wanted).map_err(invalid)?,
            _ => return Err(invalid("token_endpoint_auth_signing_alg is one algorithm".to_owned())),
        }
        let [method] = &self.token_endpoint_auth_method[..] else {
            return match self.token_endpoint_auth_method.len() {
                0 => Ok(None),
                _ => Err(invalid("token_endpoint_auth_method is one method".to_owned())),
            };
        };
        let method = ClientAuthentication::from_name(method);
        if method == Some(ClientAuthentication::PrivateKeyJwt) && self.has_keys {
            let text =
                "private_key_jwt uses the key of the signing certificate here; leave jwks and jwks_uri out";
            return Err(invalid(text.to_owned()));
        }
        Ok(method)
    }
}

fn invalid(text: String) -> Error {
    Error::bad("invalid_client_metadata", text)
}
