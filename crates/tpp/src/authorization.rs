//! The authorization request and what the browser brings back (RFC 6749, 4.1; RFC 7636; RFC 9207).

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{Error, Hint, random};

/// The same consent may be authorised in another attempt.
const AGAIN: &str = "another attempt at the same consent begins";

/// What is kept between sending the browser away and its return.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PendingAuthorization {
    /// Proves that whoever redeems the code began the request.
    pub code_verifier: String,
    /// Ties the answer to this request.
    pub state: String,
    /// Where the browser was sent.
    pub url: String,
}

impl std::fmt::Debug for PendingAuthorization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PendingAuthorization(…)")
    }
}

/// The challenge to a code verifier (RFC 7636, 4.2, S256).
pub(crate) fn challenge(code_verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, code_verifier.as_bytes()))
}

impl PendingAuthorization {
    /// Completes a link of the bank with challenge and state. What is in the link stays.
    ///
    /// # Errors
    /// [`Error::Answer`] for a link that is no URL.
    pub fn begin(sca_redirect: &str) -> Result<Self, Error> {
        let wrong = |reason: &str| Error::Answer { url: sca_redirect.to_owned(), reason: reason.to_owned() };
        let mut url = Url::parse(sca_redirect).map_err(|_| wrong("the scaRedirect link is no URL"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("the scaRedirect link is neither http nor https"));
        }
        let code_verifier = random::secret() + &random::secret();
        let state = random::secret();
        let challenge = challenge(&code_verifier);
        url.query_pairs_mut()
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .append_pair("state", &state);
        Ok(Self { code_verifier, state, url: url.into() })
    }

    /// Reads the code from where the browser came back to.
    ///
    /// # Errors
    /// [`Error::Authorization`] if the bank says no; [`Error::Setup`] if the answer is not one to this request.
    pub fn code(&self, location: &str, issuer: &str) -> Result<String, Error> {
        let url = Url::parse(location).map_err(|_| Error::Setup(format!("{location} is no URL")))?;
        let parameter = |name: &str| {
            url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
        };
        if parameter("state").as_deref() != Some(&self.state) {
            return Err(Error::Setup(
                "the browser came back with another state than it left with: the answer belongs to another request"
                    .to_owned(),
            ));
        }
        if let Some(other) = parameter("iss").filter(|other| other != issuer) {
            return Err(Error::Setup(format!("the answer comes from {other}, not from {issuer}")));
        }
        if let Some(error) = parameter("error") {
            let description = parameter("error_description").unwrap_or_default();
            return Err(Error::Authorization { error, description, next: AGAIN, hint: Hint::Authorise });
        }
        parameter("code").ok_or_else(|| Error::Setup("the browser came back without a code".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_to_fit_its_request() {
        let pending = PendingAuthorization::begin("https://bank.example/auth?scope=a+b").unwrap();
        assert!(pending.url.starts_with("https://bank.example/auth?scope=a+b&code_challenge="));
        assert!((43..=128).contains(&pending.code_verifier.len()));
        let (state, issuer) = (&pending.state, "https://bank.example/auth/nl");
        let good = format!("https://tpp.example/cb?code=c&state={state}&iss=https://bank.example/auth/nl");
        assert_eq!(pending.code(&good, issuer).unwrap(), "c");
        for wrong in [
            good.replace(state, "x"),
            good.replace("auth/nl", "auth/uk"),
            format!("https://tpp.example/cb?state={state}"),
            format!("https://tpp.example/cb?state={state}&error=access_denied&error_description=no"),
            "nonsense".to_owned(),
        ] {
            assert!(pending.code(&wrong, issuer).is_err(), "{wrong}");
        }
        assert!(PendingAuthorization::begin("javascript:alert(1)").is_err());
    }
}
