//! Takes down a call while it is answered: copies of what comes and goes, each with a limit. Nobody waits for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody};
use axum::extract::{OriginalUri, Request};
use axum::response::Response;
use gateway::domain::Timestamp;
use http::{HeaderMap, Method, StatusCode, Version, header};

use super::call::{Call, Findings, Part};
use super::{Recorder, mask};
use crate::{Connection, Polled, watched};

/// Octets of a body that are kept.
const BODY: usize = 16 * 1024;

/// Octets of header fields that are kept.
const HEADERS: usize = 16 * 1024;

/// Octets of path and query that are kept.
const TARGET: usize = 2 * 1024;

const CUT: &str = "only the beginning of the body is kept";
const UNREAD: &str = "the bank answered without reading the whole body";
const UNSENT: &str = "the connection ended before the whole answer was sent";
const PAGE: &str = "pages of the bank are not kept";
const OTHER: &str = "bodies of this media type are not kept";

/// A call that is being answered.
pub(crate) struct Capture {
    recorder: Arc<Recorder>,
    at: Timestamp,
    begun: Instant,
    origin: Box<str>,
    has_certificate: bool,
    method: Method,
    target: Box<str>,
    version: Version,
    headers: Box<str>,
    /// What stands in the header fields and nowhere in what is kept.
    secrets: Vec<Box<str>>,
    media_type: Box<str>,
    body: Option<Arc<Mutex<Copied>>>,
}

impl Capture {
    /// Begins to take down a call, unless it is one for the pages that show calls: whoever looks would see nothing else.
    pub(crate) fn begin(
        recorder: &Arc<Recorder>,
        at: Timestamp,
        request: Request,
    ) -> (Option<Self>, Request) {
        if is_of_portal(request.uri().path()) || !recorder.takes(at) {
            return (None, request);
        }
        let (parts, body) = request.into_parts();
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        let target = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let connection = parts.extensions.get::<Connection>();
        let media_type = media_type(&parts.headers);
        let copied = (!body.is_end_stream()).then(|| Arc::new(Mutex::new(Copied::of(&media_type))));
        let capture = Self {
            recorder: Arc::clone(recorder),
            at,
            begun: Instant::now(),
            origin: connection.map(|connection| connection.origin.as_ref()).unwrap_or_default().into(),
            has_certificate: connection.is_some_and(|connection| connection.peer_certificate.is_some()),
            method: parts.method.clone(),
            target: beginning(&mask::address(target), TARGET).into(),
            version: parts.version,
            headers: mask::headers(&parts.headers, HEADERS).into(),
            secrets: mask::secrets(&parts.headers),
            media_type,
            body: copied.clone(),
        };
        let body = match copied {
            Some(copied) => Body::new(watched(body, move |polled, body| {
                copied.lock().unwrap_or_else(PoisonError::into_inner).take(polled, body);
            })),
            None => body,
        };
        (Some(capture), Request::from_parts(parts, body))
    }

    /// Goes on with the answer; when its body is sent, the call is kept.
    pub(crate) fn end(self, response: Response, findings: Findings) -> Response {
        let took = self.begun.elapsed();
        let (parts, body) = response.into_parts();
        let media_type = media_type(&parts.headers);
        let headers = mask::headers(&parts.headers, HEADERS).into();
        let copied = Copied::of(&media_type);
        let pending = Pending { capture: self, took, status: parts.status, headers, media_type, findings };
        let mut answer = Answer { copied, pending: Some(Box::new(pending)) };
        if body.is_end_stream() {
            answer.copied.has_ended = true;
            answer.finish();
        }
        let body = watched(body, move |polled, body| answer.take(polled, body));
        Response::from_parts(parts, Body::new(body))
    }
}

/// The pages that show calls, and what they are made of.
fn is_of_portal(path: &str) -> bool {
    matches!(path, "/" | "/favicon.ico" | "/favicon.svg")
        || ["/portal", "/assets"].iter().any(|prefix| path.starts_with(prefix))
}

fn media_type(headers: &HeaderMap) -> Box<str> {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    beginning(value, 100).to_ascii_lowercase().into()
}

/// As much of a text as fits.
fn beginning(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// Why bodies of a media type are not kept. Pages of the bank hold answers and tokens of forms, and what is no text
/// says nothing.
fn omitted(media_type: &str) -> Option<&'static str> {
    let kind = media_type.split(';').next().unwrap_or_default().trim();
    if kind == "text/html" {
        return Some(PAGE);
    }
    let is_text = kind.is_empty()
        || kind.starts_with("text/")
        || ["json", "xml", "x-www-form-urlencoded"].iter().any(|end| kind.ends_with(end));
    (!is_text).then_some(OTHER)
}

/// A body as far as it came by.
#[derive(Debug)]
struct Copied {
    kept: Vec<u8>,
    octets: usize,
    has_ended: bool,
    omitted: Option<&'static str>,
}

impl Copied {
    fn of(media_type: &str) -> Self {
        Self { kept: Vec::new(), octets: 0, has_ended: false, omitted: omitted(media_type) }
    }

    /// Takes down what came by. What arrived may hold on to a far larger buffer, so it is copied.
    fn take(&mut self, polled: &Polled, body: &Body) {
        match polled {
            Poll::Ready(Some(Ok(frame))) => {
                let data = frame.data_ref().map_or(&[][..], |data| &data[..]);
                self.octets += data.len();
                if self.omitted.is_none() {
                    let room = BODY - self.kept.len();
                    self.kept.extend_from_slice(&data[..data.len().min(room)]);
                }
                self.has_ended = body.is_end_stream();
            }
            Poll::Ready(None) => self.has_ended = true,
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
    }

    /// What is kept of it; `unfinished` says why there is no end, if there is none.
    fn part(&self, headers: Box<str>, media_type: Box<str>, unfinished: &'static str) -> Part {
        let body = (self.octets > 0 && self.omitted.is_none()).then(|| {
            let text = String::from_utf8_lossy(&self.kept);
            mask::body(&text, media_type.contains("x-www-form-urlencoded")).into()
        });
        let omitted = match self.omitted.filter(|_| self.octets > 0) {
            None if !self.has_ended => Some(unfinished),
            None if self.octets > self.kept.len() => Some(CUT),
            omitted => omitted,
        };
        Part { headers, media_type, body, octets: self.octets, omitted }
    }
}

/// A call whose answer is on its way.
struct Pending {
    capture: Capture,
    took: Duration,
    status: StatusCode,
    headers: Box<str>,
    media_type: Box<str>,
    findings: Findings,
}

/// The body of an answer as far as it went to the caller.
struct Answer {
    copied: Copied,
    pending: Option<Box<Pending>>,
}

impl Answer {
    fn take(&mut self, polled: &Polled, body: &Body) {
        self.copied.take(polled, body);
        if self.copied.has_ended {
            self.finish();
        }
    }

    /// Keeps the call, before whoever called has the end of the answer.
    fn finish(&mut self) {
        let Some(pending) = self.pending.take() else { return };
        let Pending { capture, took, status, headers, media_type, mut findings } = *pending;
        // An answer to HEAD has no body that anybody would read.
        self.copied.has_ended |= capture.method == Method::HEAD;
        let request = match &capture.body {
            None => Part { headers: capture.headers, media_type: capture.media_type, ..Part::default() },
            Some(copied) => {
                let copied = copied.lock().unwrap_or_else(PoisonError::into_inner);
                copied.part(capture.headers, capture.media_type, UNREAD)
            }
        };
        let mut answer = self.copied.part(headers, media_type, UNSENT);
        // The bank's own texts repeat what came.
        findings.why = findings.why.map(|why| mask::addresses(&why).into());
        for text in [&mut findings.why, &mut answer.body] {
            *text = text.take().map(|text| mask::without(text, &capture.secrets));
        }
        capture.recorder.keep(Call {
            number: 0,
            at: capture.at,
            took,
            origin: capture.origin,
            has_certificate: capture.has_certificate,
            method: capture.method,
            target: capture.target,
            version: capture.version,
            request,
            status,
            answer,
            findings,
        });
    }
}

impl Drop for Answer {
    /// Whoever called may go away in the middle of an answer.
    fn drop(&mut self) {
        self.finish();
    }
}
