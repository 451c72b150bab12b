//! Calls to the provider: deadlines, a bound on calls at once, answers of a bounded size.

use http::StatusCode;
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::settings::{ClientProof, Limits, ProviderSettings, SetupError};

/// Largest answer that is read, in octets.
const MAX_ANSWER: usize = 256 * 1024;

/// What came of a call that did not go well.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The provider said no.
    #[error("the OpenID provider refuses: {status} {}", .answer.error)]
    Refused { status: StatusCode, answer: ErrorAnswer },
    /// No answer, or none that means anything.
    #[error("the OpenID provider {0}")]
    Away(String),
}

impl Failure {
    pub(crate) fn away(text: impl Into<String>) -> Self {
        Self::Away(text.into())
    }
}

impl From<Failure> for gateway::Error {
    fn from(failure: Failure) -> Self {
        Self::unavailable(failure)
    }
}

/// An answer that is an error (RFC 6749, 5.2).
#[derive(Debug, Deserialize)]
pub(crate) struct ErrorAnswer {
    pub(crate) error: String,
}

/// The way to a provider.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    limits: Limits,
    places: Semaphore,
}

impl Client {
    pub(crate) fn new(settings: &ProviderSettings) -> Result<Self, SetupError> {
        let limits = settings.limits;
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("vestibule/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(limits.connect)
            .redirect(Policy::none())
            .referer(false)
            // A connection whose other end vanished is not used for long: over HTTP/2 all calls share it. One that is silent for no
            // longer than a call may take is there.
            .http2_keep_alive_interval(limits.connect)
            .http2_keep_alive_timeout(limits.deadline)
            .http2_keep_alive_while_idle(true)
            .no_proxy();
        if let Some(authorities) = &settings.authorities {
            builder = builder.tls_certs_only(reqwest::Certificate::from_pem_bundle(authorities)?);
        }
        if let ClientProof::Certificate(identity) = &settings.proof {
            builder = builder.identity(reqwest::Identity::from_pem(identity)?);
        }
        Ok(Self { http: builder.build()?, limits, places: Semaphore::new(limits.at_once) })
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, Failure> {
        self.send(self.http.get(url)).await
    }

    /// Sends a form; `authorization` is the header of that name.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        url: &str,
        form: String,
        authorization: Option<String>,
    ) -> Result<T, Failure> {
        let mut request = self
            .http
            .post(url)
            .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        if let Some(authorization) = authorization {
            request = request.header(http::header::AUTHORIZATION, authorization);
        }
        self.send(request).await
    }

    async fn send<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Failure> {
        let answered = async {
            // Nobody closes the semaphore.
            let _place = self.places.acquire().await.map_err(|_| Failure::away("is not called any more"))?;
            let request = request.header(http::header::ACCEPT, "application/json");
            let answer = request.send().await.map_err(|error| Failure::Away(with_causes(&error)))?;
            read(answer).await
        };
        let late = |_| Failure::Away(format!("did not answer within {:?}", self.limits.deadline));
        timeout(self.limits.deadline, answered).await.map_err(late)?
    }
}

async fn read<T: DeserializeOwned>(mut answer: Response) -> Result<T, Failure> {
    let status = answer.status();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| Failure::Away(with_causes(&error)))? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(Failure::away("answers with more than 256 KiB"));
        }
        body.extend_from_slice(&chunk);
    }
    if status.is_success() {
        return serde_json::from_slice(&body).map_err(|error| Failure::Away(unreadable(&error)));
    }
    match serde_json::from_slice::<ErrorAnswer>(&body) {
        Ok(answer) if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => {
            Err(Failure::Refused { status, answer: ErrorAnswer { error: plain(&answer.error) } })
        }
        _ => Err(Failure::Away(format!("answers {status}"))),
    }
}

/// Where an answer cannot be read, and nothing of what stands there: it may be a token.
fn unreadable(error: &serde_json::Error) -> String {
    let what = if error.is_data() { "JSON of another kind" } else { "no JSON" };
    format!("answers what cannot be read: {what} at line {}, column {}", error.line(), error.column())
}

/// A code of somebody else's that can stand in a log.
pub(crate) fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_graphic).take(64).collect()
}

/// What went wrong with all that is behind it. Addresses are the bank's own; nothing secret is in them.
fn with_causes(error: &reqwest::Error) -> String {
    let mut text = "cannot be reached".to_owned();
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_told_without_what_it_says() {
        for body in [
            "\"eyJhbGciOi\"",
            "{\"error\": \"eyJhbGciOi\", \"error\": 1}",
            "eyJhbGciOi",
            "{\"error\": \"eyJhbGciOi",
        ] {
            let error = serde_json::from_str::<ErrorAnswer>(body).unwrap_err();
            let told = unreadable(&error);
            assert!(told.contains("line 1") && !told.contains("eyJ"), "{body}: {told}");
        }
    }
}
