//! Clients that prove themselves by a signed assertion, `private_key_jwt` (RFC 7523; OpenID Connect Core 1.0, 9): the
//! key is the one of the certificate that their registration has.

use gateway::domain::{Timestamp, Tpp, duration_in_words};
use gateway::profile::{AssertionAlgorithm, ClientRules};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::Value;

use crate::client_authentication::refused;
use crate::error::Error;
use crate::router::{Call, Services};

/// `client_assertion_type`
pub(crate) const KIND: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Longest `jti`, in bytes.
const MAX_JTI: usize = 512;

/// What an assertion says beside its issuer and subject, which the library checks.
#[derive(Debug, Deserialize)]
struct Claims {
    aud: Value,
    exp: f64,
    nbf: Option<f64>,
    iat: Option<f64>,
    jti: String,
}

/// The subject of an assertion that nobody has checked: whose key it has to be verified with.
#[derive(Debug, Deserialize)]
struct Subject {
    sub: String,
}

/// The algorithms that assertions may be signed with, by the names of RFC 7518.
pub(crate) fn algorithms(rules: &ClientRules) -> impl Iterator<Item = (Algorithm, &'static str)> + use<> {
    rules.assertion_algorithms.iter().map(|algorithm| match algorithm {
        AssertionAlgorithm::Ps256 => (Algorithm::PS256, "PS256"),
        AssertionAlgorithm::Es256 => (Algorithm::ES256, "ES256"),
        AssertionAlgorithm::Rs256 => (Algorithm::RS256, "RS256"),
    })
}

/// Checks that a bank which keeps no algorithm for each client holds one to the algorithm that it registers all the
/// same: its key can sign with no other that is taken.
///
/// # Errors
/// What would be right.
pub(crate) fn check_registered_algorithm(
    rules: &ClientRules,
    key: Option<&str>,
    wanted: &str,
) -> Result<(), String> {
    let name = "token_endpoint_auth_signing_alg";
    let Some(key) = key else {
        return Err(format!(
            "{name} needs a signing certificate in TPP-Signature-Certificate; or leave it out"
        ));
    };
    let known = algorithms(rules);
    let fits: Vec<_> = known.filter(|(one, _)| key_for(*one, key).is_some()).map(|(_, name)| name).collect();
    match fits[..] {
        [one] if one == wanted => Ok(()),
        _ if !fits.contains(&wanted) => Err(format!(
            "{name} {wanted} does not fit the key of the signing certificate, which signs with {}; leave it out",
            fits.join(" or ")
        )),
        _ => Err(format!("{name}: the bank takes {} alike from this key; leave it out", fits.join(" and "))),
    }
}

/// The key in SubjectPublicKeyInfo, if it is of the kind that an algorithm needs.
fn key_for(algorithm: Algorithm, key: &str) -> Option<DecodingKey> {
    match algorithm {
        Algorithm::ES256 => DecodingKey::from_ec_pem(key.as_bytes()),
        _ => DecodingKey::from_rsa_pem(key.as_bytes()),
    }
    .ok()
}

/// The client that an assertion is about, if it is good.
///
/// # Errors
/// 401 `invalid_client` with the rule that the assertion breaks.
pub(crate) async fn client(
    services: &Services,
    call: &Call,
    id: Option<&str>,
    assertion: &str,
) -> Result<Tpp, Error> {
    let gateway = &services.edge.gateway;
    let (algorithm, sub) = unverified(services, assertion)?;
    if id.is_some_and(|id| id != sub) {
        return Err(refused("client_id in the form is another one than sub in the client_assertion"));
    }
    let client = gateway.client(&sub).await?;
    // Whoever is known from another interface alone has not registered here.
    let client = client.filter(Tpp::has_registered);
    let client = client.ok_or_else(|| refused("there is no client with this sub; register first"))?;
    let key = client.signing_key.as_deref().ok_or_else(|| {
        refused_key(
            "the certificate of the registration has no key for a client_assertion; register again with one in \
             TPP-Signature-Certificate that has, RSA or EC P-256",
        )
    })?;
    let claims = verified(services, call, (assertion, algorithm), client.id.as_str(), key)?;
    let expires_at = check_times(&claims, call.ctx.now, &services.profile().clients)?;
    if claims.jti.is_empty() || claims.jti.len() > MAX_JTI {
        return Err(refused(format!("jti in the client_assertion must have 1 to {MAX_JTI} bytes")));
    }
    if !gateway.take_client_assertion(&call.ctx, &client.id, &claims.jti, expires_at).await? {
        return Err(refused(
            "the client_assertion was used before; make a new one with its own jti for each call",
        ));
    }
    Ok(client)
}

/// 401 about the key of an assertion: whoever is told which check failed learns about a certificate of somebody else.
fn refused_key(text: &str) -> Error {
    refused(text).or_terse("the client_assertion is not acceptable")
}

/// Algorithm and subject of an assertion, both still to be proved.
fn unverified(services: &Services, assertion: &str) -> Result<(Algorithm, String), Error> {
    let unreadable = |_| refused("the client_assertion is no JWT with sub");
    let header = jsonwebtoken::decode_header(assertion).map_err(unreadable)?;
    // Whoever is told that something is critical, and does not know it, has to refuse (RFC 7515, 4.1.11).
    if header.crit.is_some() {
        return Err(refused(
            "the header of the client_assertion has crit, and nothing of it is known here; leave it out",
        ));
    }
    let known = || algorithms(&services.profile().clients);
    if !known().any(|(algorithm, _)| algorithm == header.alg) {
        let names: Vec<_> = known().map(|(_, name)| name).collect();
        return Err(refused(format!("the client_assertion must be signed with {}", names.join(" or "))));
    }
    let subject = jsonwebtoken::dangerous::insecure_decode::<Subject>(assertion).map_err(unreadable)?;
    Ok((header.alg, subject.claims.sub))
}

/// The claims of an assertion whose signature, issuer, subject and audience are right.
fn verified(
    services: &Services,
    call: &Call,
    (assertion, algorithm): (&str, Algorithm),
    id: &str,
    key: &str,
) -> Result<Claims, Error> {
    let issuer = services.issuer(call.ctx.tenant.as_str());
    let wrong_key = || {
        refused_key("alg of the client_assertion does not fit the key of the registered signing certificate")
    };
    let key = key_for(algorithm, key).ok_or_else(wrong_key)?;
    let mut validation = Validation::new(algorithm);
    // Times are compared with the tenant's clock, not with the system's.
    validation.validate_exp = false;
    validation.set_required_spec_claims(&["aud", "iss", "sub"]);
    validation.set_issuer(&[id]);
    validation.sub = Some(id.to_owned());
    validation.set_audience(&audiences(services, &issuer));
    let claims =
        jsonwebtoken::decode::<Claims>(assertion, &key, &validation).map_err(|error| match error.kind() {
            ErrorKind::InvalidSignature => refused_key(
                "the client_assertion does not verify with the key of the registered signing certificate",
            ),
            ErrorKind::InvalidAudience => refused(format!("aud in the client_assertion must be {issuer}")),
            ErrorKind::InvalidIssuer | ErrorKind::InvalidSubject => {
                refused("iss and sub in the client_assertion must both be the client id")
            }
            ErrorKind::InvalidAlgorithm | ErrorKind::InvalidKeyFormat => wrong_key(),
            _ => refused(
                "the client_assertion must have the claims iss, sub, aud, exp and jti: exp as a number of seconds, as \
                 are iat and nbf, and the others as texts",
            ),
        });
    let claims = claims?.claims;
    // FAPI 2.0 Security Profile, 5.3.2.1: one audience, as a text, so that no other server can use it.
    if services.profile().clients.one_audience && claims.aud.as_str() != Some(&issuer) {
        return Err(refused(format!(
            "aud in the client_assertion must be the text {issuer} and nothing else"
        )));
    }
    Ok(claims)
}

/// What clients call this server: the issuer, and its endpoints where they authenticate (RFC 7523, 3), by each listener.
fn audiences(services: &Services, issuer: &str) -> Vec<String> {
    let mut bases = vec![issuer.to_owned()];
    if let (Some(origin), Some(path)) =
        (&services.edge.mtls_url, issuer.strip_prefix(&*services.edge.public_url))
    {
        bases.push(format!("{origin}{path}"));
    }
    let endpoints = bases.iter().flat_map(|base| {
        ["token", "par", "token/revoke"].into_iter().map(move |endpoint| format!("{base}/v1/{endpoint}"))
    });
    endpoints.chain([issuer.to_owned()]).collect()
}

/// When the assertion expires, if it is good at `now`.
fn check_times(claims: &Claims, now: Timestamp, rules: &ClientRules) -> Result<Timestamp, Error> {
    let seconds = now.as_second();
    // Seconds since 1970 are far below 2^53.
    let at = seconds as f64;
    if claims.exp <= at {
        return Err(refused(format!("the client_assertion has expired; now it is {now}")));
    }
    if claims.exp > at + rules.assertion_lifetime.as_secs_f64() {
        let lifetime = duration_in_words(rules.assertion_lifetime);
        return Err(refused(format!(
            "exp in the client_assertion is more than {lifetime} ahead; give it some minutes"
        )));
    }
    if [claims.nbf, claims.iat]
        .into_iter()
        .flatten()
        .any(|time| time > at + rules.assertion_skew.as_secs_f64())
    {
        return Err(refused(format!("iat or nbf in the client_assertion lies ahead; now it is {now}")));
    }
    // Rounded up: a part of a second counts. It is not far away.
    let left = (claims.exp - at).ceil() as i64;
    Ok(Timestamp::from_second(seconds.saturating_add(left)).unwrap_or(now))
}
