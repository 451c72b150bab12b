//! A call as somebody tells it who made it: a page that keeps what it sent and what it got.

use std::collections::BTreeMap;
use std::time::Duration;

use gateway::domain::Timestamp;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use serde::Deserialize;

use super::call::{Call, Findings, Part};
use super::mask;

/// Octets of the header fields of each side that are taken down.
const HEADERS: usize = 64 * 1024;

/// A request and its answer, as they were.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// When it was sent (RFC 3339).
    at: String,
    /// Milliseconds until the answer was there.
    milliseconds: u32,
    method: String,
    /// Path and query.
    target: String,
    request: Side,
    status: u16,
    answer: Side,
}

/// What went one way.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Side {
    /// Header fields by name.
    headers: BTreeMap<String, String>,
    /// The body; empty for none.
    body: String,
}

/// What is wrong with a call that somebody tells. `Display` begins with the member.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ToldError {
    /// The moment is none.
    #[error("at must be a moment such as 2026-06-17T10:00:00Z")]
    At,
    /// The method is none.
    #[error("method must be one of HTTP, for example GET")]
    Method,
    /// The target does not begin with a slash.
    #[error("target must be a path and perhaps a query, and begin with a slash")]
    Target,
    /// The status is none.
    #[error("status must be from 100 to 999")]
    Status,
    /// A header field is none.
    #[error("{0}.headers must have names and values that HTTP allows")]
    Header(&'static str),
}

impl Told {
    /// The call with its secrets masked, as one that was recorded at this origin.
    ///
    /// # Errors
    /// [`ToldError`]
    pub fn as_call(self, number: u64, origin: &str, version: Version) -> Result<Call, ToldError> {
        let target = Some(self.target).filter(|target| target.starts_with('/')).ok_or(ToldError::Target)?;
        let request = self.request.fields("request")?;
        let answer = self.answer.fields("answer")?;
        let secrets = mask::secrets(&request);
        let mut answer = self.answer.part(&answer);
        // The bank's own texts repeat what came.
        answer.body = answer.body.map(|body| mask::without(body, &secrets));
        Ok(Call {
            number,
            at: self.at.parse::<Timestamp>().map_err(|_| ToldError::At)?,
            took: Duration::from_millis(self.milliseconds.into()),
            origin: origin.into(),
            has_certificate: false,
            method: Method::from_bytes(self.method.as_bytes()).map_err(|_| ToldError::Method)?,
            target: mask::address(&target).into(),
            version,
            request: self.request.part(&request),
            status: StatusCode::from_u16(self.status).map_err(|_| ToldError::Status)?,
            answer,
            findings: Findings::default(),
        })
    }
}

impl Side {
    fn fields(&self, name: &'static str) -> Result<HeaderMap, ToldError> {
        let field = |(name, value): (&String, &String)| {
            let value = HeaderValue::from_bytes(value.as_bytes()).ok()?;
            Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value))
        };
        self.headers.iter().map(field).collect::<Option<_>>().ok_or(ToldError::Header(name))
    }

    fn part(&self, fields: &HeaderMap) -> Part {
        let media_type = fields.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = media_type.unwrap_or_default().to_ascii_lowercase();
        let is_form = media_type.contains("x-www-form-urlencoded");
        Part {
            headers: mask::headers(fields, HEADERS).into(),
            body: (!self.body.is_empty()).then(|| mask::body(&self.body, is_form).into()),
            octets: self.body.len(),
            omitted: None,
            media_type: media_type.into(),
        }
    }
}
