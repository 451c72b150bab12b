//! The ID token (OpenID Connect Core 1.0, 3.1.3.7): whose it is, for whom, about whom, how and when they authenticated.

use gateway::domain::Timestamp;
use gateway::provider::{Authenticated, ProviderRefusal};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::settings::ProviderSettings;

/// What ID tokens may be signed with. Keys are public ones, so nothing symmetric is among them, and `none` is no algorithm here.
const ALGORITHMS: [Algorithm; 4] = [Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256];

/// How far the provider's clock may be from the gateway's, in seconds.
const SKEW: i64 = 30;

/// The oldest token that is taken, in seconds: it comes right from the provider.
const FRESH: i64 = 600;

/// Longest id of a customer, in octets (OpenID Connect Core 1.0, section 2).
const MAX_SUBJECT: usize = 255;

#[derive(Debug, Deserialize)]
struct Claims {
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    nonce: Option<String>,
    azp: Option<String>,
    acr: Option<String>,
    auth_time: Option<i64>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// What is demanded of a token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Demands<'a> {
    pub(crate) settings: &'a ProviderSettings,
    pub(crate) nonce: &'a str,
    /// How long ago the customer may have authenticated, in seconds.
    pub(crate) max_age: u32,
    /// Since when they have to have authenticated, if they were to do so anew.
    pub(crate) anew_since: Option<Timestamp>,
    pub(crate) now: Timestamp,
}

/// Why a token says nothing.
#[derive(Debug)]
pub(crate) enum Unverified {
    /// The provider publishes no key that could have signed it.
    UnknownKey,
    /// The key did not sign it.
    Signature,
    /// Something else, which other keys do not change.
    Refused(ProviderRefusal),
}

impl From<ProviderRefusal> for Unverified {
    fn from(refusal: ProviderRefusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Unverified> for ProviderRefusal {
    fn from(unverified: Unverified) -> Self {
        match unverified {
            Unverified::UnknownKey => untrusted("the ID token names an unknown key"),
            Unverified::Signature => {
                untrusted("the ID token does not verify: it was signed with another key")
            }
            Unverified::Refused(refusal) => refusal,
        }
    }
}

fn untrusted(text: impl Into<String>) -> ProviderRefusal {
    ProviderRefusal::Untrusted(text.into())
}

/// The header of a token that may be one.
pub(crate) fn header(token: &str) -> Result<Header, ProviderRefusal> {
    let header = jsonwebtoken::decode_header(token)
        .map_err(|error| untrusted(format!("the ID token cannot be read: {}", told(&error))))?;
    if header.crit.is_some() {
        return Err(untrusted("the header of the ID token has crit"));
    }
    if !ALGORITHMS.contains(&header.alg) {
        return Err(untrusted(format!("the ID token is signed with {:?}", header.alg)));
    }
    Ok(header)
}

/// Who authenticated, if the token is good.
pub(crate) fn verified(
    token: &str,
    (header, key): (&Header, &Jwk),
    demands: Demands<'_>,
) -> Result<Authenticated, Unverified> {
    let settings = demands.settings;
    let unfit = |error| untrusted(format!("the key of the ID token cannot be used: {}", told(&error)));
    let decoding = DecodingKey::from_jwk(key).map_err(unfit)?;
    let mut validation = Validation::new(header.alg);
    // Times are compared with the gateway's clock, not with the system's.
    validation.validate_exp = false;
    validation.set_required_spec_claims(&["aud", "iss", "sub"]);
    validation.set_issuer(&[&settings.issuer]);
    validation.set_audience(&[&settings.client_id]);
    let claims = match jsonwebtoken::decode::<Claims>(token, &decoding, &validation) {
        Ok(decoded) => decoded.claims,
        Err(error) if *error.kind() == ErrorKind::InvalidSignature => return Err(Unverified::Signature),
        Err(error) => {
            return Err(untrusted(format!("the ID token does not verify: {}", told(&error))).into());
        }
    };
    check(&claims, demands)?;
    let at = authenticated_at(&claims, demands)?;
    let subject = claims.others.get(settings.customer_claim.as_str()).and_then(Value::as_str);
    let subject = subject.filter(|subject| is_name(subject)).ok_or_else(|| {
        untrusted(format!("the ID token has no {} that could be a customer's", settings.customer_claim))
    })?;
    Ok(Authenticated { subject: subject.to_owned(), at })
}

fn check(claims: &Claims, demands: Demands<'_>) -> Result<(), ProviderRefusal> {
    let now = demands.now.as_second();
    // That the gateway is among them is certain; of others none is trusted (3.1.3.7, 3).
    let ours = demands.settings.client_id.as_str();
    let audiences = claims.others.get("aud").and_then(Value::as_array);
    let is_for_others = audiences.is_some_and(|all| all.iter().any(|one| one != ours));
    if is_for_others || claims.azp.as_ref().is_some_and(|azp| azp != ours) {
        return Err(untrusted("the ID token was made for another client"));
    }
    if claims.nbf.is_some_and(|nbf| nbf > now + SKEW) {
        return Err(untrusted("the ID token is not good yet"));
    }
    if claims.exp.saturating_add(SKEW) <= now {
        return Err(untrusted("the ID token has expired"));
    }
    if claims.iat > now + SKEW || claims.iat < now - FRESH {
        return Err(untrusted("the ID token was not made just now"));
    }
    if claims.nonce.as_deref() != Some(demands.nonce) {
        return Err(untrusted("the nonce of the ID token is another one"));
    }
    Ok(())
}

fn authenticated_at(claims: &Claims, demands: Demands<'_>) -> Result<Timestamp, ProviderRefusal> {
    let not_enough = |text: &str| Err(ProviderRefusal::NotEnough(text.to_owned()));
    let strong = &demands.settings.acr_values;
    if !strong.is_empty() && !claims.acr.as_ref().is_some_and(|acr| strong.contains(acr)) {
        return not_enough("acr is none of those that are asked for");
    }
    let Some(at) = claims.auth_time else {
        return Err(untrusted("the ID token has no auth_time, which max_age demands"));
    };
    let age = demands.now.as_second().saturating_sub(at);
    if age > i64::from(demands.max_age) + SKEW {
        return not_enough("the customer authenticated too long ago");
    }
    if age < -SKEW {
        return Err(untrusted("the customer has authenticated in the future"));
    }
    if demands.anew_since.is_some_and(|since| at < since.as_second() - SKEW) {
        return not_enough("the customer did not authenticate anew, as was asked for");
    }
    Timestamp::from_second(at).map_err(|_| untrusted("auth_time is no time"))
}

/// What is wrong with a token, without anything of what stands in it.
fn told(error: &jsonwebtoken::errors::Error) -> String {
    match error.kind() {
        ErrorKind::Json(_) => "its JSON is not as it should be".to_owned(),
        ErrorKind::Base64(_) | ErrorKind::Utf8(_) => "its parts are not encoded as they should be".to_owned(),
        _ => error.to_string(),
    }
}

/// Whether it can be the name of a customer, and a part of an address.
fn is_name(subject: &str) -> bool {
    let length = 1..=MAX_SUBJECT;
    length.contains(&subject.len())
        && subject.bytes().all(|octet| octet.is_ascii_graphic())
        && subject != "."
        && subject != ".."
}
