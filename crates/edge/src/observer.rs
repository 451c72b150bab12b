//! What came of each call, for whoever watches the bank. The log is the first to do so.
//!
//! Of what a caller sent, an observer learns the method and the request id alone: routes are patterns, and codes are
//! ours.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use gateway::domain::{Subject, TppId};
use gateway::profile::CertificateRules;
use gateway::{Fault, Gateway};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tracing::{Instrument, Span};

use crate::guard::{X_REQUEST_ID, fresh_id};
use crate::proof::Proof;
use crate::recording::{Capture, Check, Comparison, Explanation, Findings, Recorder, of_body, passed};
use crate::spans;

/// A call that was answered.
#[derive(Debug)]
pub struct Seen<'a> {
    /// `X-Request-ID` of the answer, if it has one. An answer that is a failure of the bank itself always has.
    pub request: Option<&'a str>,
    /// The interface that was called; none for pages and lists that belong to no interface.
    pub interface: Option<&'static str>,
    /// The method.
    pub method: &'a Method,
    /// The pattern of the path, if the path is one that is served.
    pub route: Option<&'a str>,
    /// The status of the answer.
    pub status: StatusCode,
    /// The code with which the call was refused.
    pub code: Option<&'a str>,
    /// How long it took until the answer was there.
    pub took: Duration,
    /// The third party that called, or said that it did.
    pub third_party: Option<&'a TppId>,
    /// How it proved who it is, as far as it did.
    pub proof: &'a Proof,
    /// What the call was about, as far as the interface knows it. It is the caller's secret as much
    /// as the bank's, and not for the log.
    pub subject: Option<&'a Subject>,
    /// What is behind a failure of the bank itself.
    pub fault: Option<&'a Fault>,
}

/// The status of a call whose caller closed the connection before it was answered. Nobody gets it; logs of servers have this number.
pub const CALLER_GONE: u16 = 499;

/// Is told of each call once, when its answer is there, or its caller is gone. The caller waits meanwhile.
pub trait Observer: std::fmt::Debug + Send + Sync {
    /// A call was answered, or given up by its caller ([`CALLER_GONE`]).
    fn seen(&self, call: &Seen<'_>);

    /// A call begins, with this span and these headers. A span that nobody collects is disabled.
    fn begins(&self, _span: &Span, _headers: &HeaderMap) {}

    /// A call whose span somebody collects was answered; this is what the span is called.
    fn ends(&self, _span: &Span, _name: String) {}

    /// Where calls are taken down with all that came and went, if they are.
    fn recorder(&self) -> Option<&Arc<Recorder>> {
        None
    }
}

/// Tells another observer, and has calls taken down too, as a bank for tests does.
#[derive(Debug)]
pub struct Recording {
    /// The other one.
    pub observer: Arc<dyn Observer>,
    /// Where calls are taken down.
    pub recorder: Arc<Recorder>,
}

impl Observer for Recording {
    fn seen(&self, call: &Seen<'_>) {
        self.observer.seen(call);
    }

    fn begins(&self, span: &Span, headers: &HeaderMap) {
        self.observer.begins(span, headers);
    }

    fn ends(&self, span: &Span, name: String) {
        self.observer.ends(span, name);
    }

    fn recorder(&self) -> Option<&Arc<Recorder>> {
        Some(&self.recorder)
    }
}

/// What is found out about a call while it is answered.
#[derive(Default)]
pub(crate) struct Notes {
    /// The request id, before there is an answer that has it.
    request: Option<HeaderValue>,
    interface: Option<&'static str>,
    /// What the framework calls the route, and what we do where it does not know it.
    matched: Option<MatchedPath>,
    route: Option<String>,
    code: Option<String>,
    third_party: Option<TppId>,
    pub(crate) proof: Proof,
    subject: Option<Subject>,
    /// Of a call that is taken down: what it passed, and why it was refused.
    findings: Option<Box<Findings>>,
}

/// What is kept of a call beside what it consists of.
fn complete(mut findings: Findings, call: &Seen<'_>) -> Findings {
    findings.interface = call.interface;
    findings.route = call.route.map(Box::from);
    findings.third_party = call.third_party.map(|id| id.as_str().into());
    findings.request_id = call.request.map(Box::from);
    findings.code = call.code.map(Box::from);
    let status = call.status;
    if status.is_success() || status.is_redirection() {
        // What failed at first was made good for.
        (findings.failed, findings.why, findings.clause, findings.remedy) = (None, None, None, None);
    } else if findings.why.is_none() {
        let why = status.canonical_reason().unwrap_or("Refused");
        let check = findings.failed.unwrap_or(Check::Request);
        findings.explain(why, Explanation {
            check: if status.is_server_error() { Check::Bank } else { check },
            clause: "RFC 9110, 15",
            remedy: "Compare method, path and headers with the description of the interface, openapi.json; if the bank \
                     itself failed, its log says why under the request id.",
        });
    }
    let failed = findings.failed;
    findings.passed.retain(|passed| Some(*passed) != failed);
    findings
}

tokio::task_local! {
    static NOTES: RefCell<Notes>;
}

/// A call that is not answered yet. If whoever calls closes the connection, what answers the call is dropped, wherever it is; what was
/// done until then is done, and so the call is told of.
struct Unanswered<'c> {
    observer: &'c dyn Observer,
    span: &'c Span,
    method: &'c Method,
    begun: Instant,
    is_answered: bool,
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if self.is_answered {
            return;
        }
        let notes =
            NOTES.try_with(|notes| notes.try_borrow_mut().map(|mut notes| std::mem::take(&mut *notes)));
        let notes = notes.ok().and_then(Result::ok).unwrap_or_default();
        let gone = StatusCode::from_u16(CALLER_GONE).unwrap_or(StatusCode::BAD_REQUEST);
        // A panic ends the call in the same way, and is no caller's doing.
        let status = if std::thread::panicking() { StatusCode::INTERNAL_SERVER_ERROR } else { gone };
        let request = notes.request.as_ref().and_then(|id| id.to_str().ok());
        let seen = notes.seen((request, self.method, status), self.begun, None);
        tell(self.observer, self.span, &seen);
    }
}

/// Tells of a call that is over, and ends its span.
fn tell(observer: &dyn Observer, span: &Span, seen: &Seen<'_>) {
    observer.seen(seen);
    if !span.is_disabled() {
        observer.ends(span, spans::end(span, seen));
    }
}

impl Notes {
    fn seen<'a>(
        &'a self,
        (request, method, status): (Option<&'a str>, &'a Method, StatusCode),
        begun: Instant,
        fault: Option<&'a Fault>,
    ) -> Seen<'a> {
        Seen {
            request,
            interface: self.interface,
            method,
            route: self.route.as_deref().or(self.matched.as_ref().map(MatchedPath::as_str)),
            status,
            code: self.code.as_deref(),
            took: begun.elapsed(),
            third_party: self.third_party.as_ref(),
            proof: &self.proof,
            subject: self.subject.as_ref(),
            fault,
        }
    }
}

/// Answers a call with the routes of a listener and tells the observer of it. Nobody else logs what is behind a failure,
/// which the answer carries here with [`with_fault`].
///
/// # Errors
/// Those of the routes, which have none.
pub async fn observe<E, F: Future<Output = Result<Response, E>>>(
    gateway: &Gateway,
    observer: &dyn Observer,
    request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Result<Response, E> {
    let begun = Instant::now();
    let span = spans::of_call();
    observer.begins(&span, request.headers());
    let (capture, request) = match observer.recorder() {
        Some(recorder) => Capture::begin(recorder, gateway.system_time(), request),
        None => (None, request),
    };
    let notes = Notes { findings: capture.is_some().then(Box::default), ..Notes::default() };
    let method = request.method().clone();
    let answered = async {
        let mut unanswered = Unanswered { observer, span: &span, method: &method, begun, is_answered: false };
        let response = answer(request).await;
        unanswered.is_answered = true;
        (response, NOTES.with(RefCell::take))
    }
    .instrument(span.clone());
    let (response, mut notes) = NOTES.scope(RefCell::new(notes), answered).await;
    let mut response = response?;
    let fault = response.extensions_mut().remove::<Fault>();
    if fault.is_some() {
        // Whoever asks about a failure can say which one.
        response.headers_mut().entry(X_REQUEST_ID).or_insert_with(|| fresh_id(gateway));
    }
    let findings = notes.findings.take();
    let request = response.headers().get(X_REQUEST_ID).and_then(|id| id.to_str().ok());
    let seen = notes.seen((request, &method, response.status()), begun, fault.as_ref());
    tell(observer, &span, &seen);
    Ok(match (capture, findings) {
        (Some(capture), Some(findings)) => {
            let findings = complete(*findings, &seen);
            capture.end(response, findings)
        }
        _ => response,
    })
}

/// Leaves what is behind a failure with its answer.
pub fn with_fault(mut response: Response, fault: Option<Fault>) -> Response {
    if let Some(fault) = fault {
        response.extensions_mut().insert(fault);
    }
    response
}

/// Notes the request id that the answer will have.
pub fn note_request(id: &HeaderValue) {
    note(|notes| notes.request = Some(id.clone()));
}

/// Notes which interface is called.
pub(crate) fn note_interface(name: Option<&'static str>) {
    note(|notes| notes.interface = name);
}

/// Notes the route of this call, if the framework knows it already: in a layer of the routes, or behind one.
pub fn note_matched(request: &Request) {
    // What is left over for a router below is no route yet.
    let matched = request.extensions().get::<MatchedPath>().filter(|route| !route.as_str().contains('*'));
    if let Some(matched) = matched {
        note(|notes| notes.matched = Some(matched.clone()));
    }
}

/// Notes the route of this call, as a pattern, where the framework does not know it.
pub fn note_route(pattern: &str) {
    note(|notes| notes.route = Some(pattern.to_owned()));
}

/// Notes the code with which this call is refused.
pub fn note_code(code: &str) {
    note(|notes| notes.code = Some(code.to_owned()));
}

/// Notes which third party this call comes from, or says that it comes from.
pub fn note_third_party(id: &TppId) {
    note(|notes| notes.third_party = Some(id.clone()));
}

/// Notes what this call is about.
pub fn note_subject(subject: Subject) {
    note(|notes| notes.subject = Some(subject));
}

/// Notes whether a check was passed, and hands its outcome on.
///
/// # Errors
/// That of the check.
pub fn note_check<T, E>(check: Check, outcome: Result<T, E>) -> Result<T, E> {
    match &outcome {
        Ok(_) => note_passed(check),
        Err(_) => note_failed(check),
    }
    outcome
}

/// Notes that a check was passed.
pub fn note_passed(check: Check) {
    find(|findings| {
        if !findings.passed.contains(&check) {
            findings.passed.push(check);
        }
    });
}

/// Notes which check failed, unless the call goes on and the next one does.
pub fn note_failed(check: Check) {
    find(|findings| findings.failed = Some(check));
}

/// Notes the checks about certificates that were passed: all of them, or those before the one that refused, in the order of
/// the bank, but for those that are left out for this kind of call.
pub fn note_certificates<T>(
    rules: &CertificateRules,
    left_out: &[Check],
    outcome: &Result<T, gateway::Error>,
) {
    find(|findings| {
        let failed = match outcome {
            Ok(_) => None,
            Err(gateway::Error::Refused(refusal)) => Some(Check::from(refusal)),
            Err(_) => return,
        };
        findings.passed.extend(passed(rules, failed).filter(|check| !left_out.contains(check)));
        findings.failed = failed.or(findings.failed);
    });
}

/// Notes what was compared, which is made only if somebody wants to see it.
pub fn note_comparison(make: impl FnOnce(Option<Comparison>) -> Comparison) {
    find(|findings| findings.comparison = Some(make(findings.comparison.take()).masked()));
}

/// Notes a body that was signed otherwise than it was sent, with the mistake behind it if it is one of the usual ones.
pub fn note_mistake_with_body(what: &'static str, body: &[u8], fits: impl Fn(&[u8]) -> bool) {
    note_comparison(|_| {
        let (got, remark) = of_body(body, fits).map_or((None, None), |(got, remark)| (got, Some(remark)));
        Comparison { what, expected: String::from_utf8_lossy(body).into_owned(), got, remark }
    });
}

/// Notes why a call is refused, in the words that its caller gets, and what is to be said about that; `explain` gets the
/// check that failed, if it is known. What was noted first counts: it is the most precise.
pub fn note_refusal(why: &str, explain: impl FnOnce(Option<Check>) -> Explanation) {
    find(|findings| {
        if findings.why.is_none() {
            let explanation = explain(findings.failed);
            findings.explain(why, explanation);
        }
    });
}

/// Changes what is found out about a call that is taken down.
fn find(change: impl FnOnce(&mut Findings)) {
    note(|notes| {
        if let Some(findings) = &mut notes.findings {
            change(findings);
        }
    });
}

/// Outside of a call that is observed there is nothing to note.
pub(crate) fn note(change: impl FnOnce(&mut Notes)) {
    let _ = NOTES.try_with(|notes| change(&mut notes.borrow_mut()));
}
