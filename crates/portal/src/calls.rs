//! The calls that the bank received: a list that goes on by itself, and each call with what the bank made of it.

mod view;

use askama::Template;
use axum::Json;
use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use edge::recording::{Call, Filter, har, interfaces};
use http::{StatusCode, header};

use crate::settings::Portal;
use crate::shell::Shell;
use view::{Details, Row};

/// Calls of one page.
const PAGE: usize = 100;

/// What the form says, as it was sent.
#[derive(Debug, Default)]
struct Asked {
    third_party: String,
    interface: String,
    path: String,
    status: String,
    request_id: String,
    failed: bool,
}

impl Asked {
    fn read(query: &str) -> Self {
        let value = |wanted: &str| {
            let mut all = form_urlencoded::parse(query.as_bytes());
            all.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        Self {
            third_party: value("third_party"),
            interface: value("interface"),
            path: value("path"),
            status: value("status"),
            request_id: value("request_id"),
            failed: value("failed") == "true",
        }
    }

    /// What is asked for, as the management API and this page take it.
    fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("third_party", self.third_party.as_str()),
            ("interface", &self.interface),
            ("path", &self.path),
            ("status", &self.status),
            ("request_id", &self.request_id),
            ("failed", if self.failed { "true" } else { "" }),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        query.finish()
    }

    fn is_everything(&self) -> bool {
        self.query().is_empty()
    }
}

#[derive(Template)]
#[template(path = "calls.html")]
struct CallsPage {
    shell: Shell,
    /// Whether this bank keeps calls at all.
    is_kept: bool,
    asked: Asked,
    /// Those to choose from, by the names of the filter.
    interfaces: Vec<(&'static str, &'static str)>,
    /// What is wrong with what was asked for.
    problem: Option<String>,
    rows: Vec<Row>,
    /// The number of the newest call that is shown or was left out.
    last: u64,
    /// Where older calls are.
    older: Option<String>,
    /// Whether this is the newest page, which goes on by itself.
    is_newest: bool,
}

#[derive(Template)]
#[template(path = "call.html")]
struct CallPage {
    shell: Shell,
    call: Option<Details>,
    number: String,
}

/// Routes of the pages.
pub(crate) fn routes() -> Router<Portal> {
    Router::new()
        .route("/portal/calls", get(list))
        .route("/portal/calls.har", get(archive))
        .route("/portal/calls/{number}", get(show))
}

/// Whoever comes by an address that is not the bank's own may be a page of somebody else.
fn recorder<'p>(portal: &'p Portal, shell: &Shell) -> Option<&'p edge::Recorder> {
    portal.settings.calls.as_deref().filter(|_| shell.own)
}

async fn list(State(portal): State<Portal>, shell: Shell, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let asked = Asked::read(&query);
    let before = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "before");
    let before = before.and_then(|(_, before)| before.parse::<u64>().ok());
    let place = before.map(|before| format!("&before={before}")).unwrap_or_default();
    let filter = Filter::parse(&format!("limit={PAGE}{place}&{}", asked.query()));
    let recorder = recorder(&portal, &shell);
    let last = recorder.map_or(0, edge::Recorder::last);
    let (calls, problem) = match (recorder, filter) {
        (Some(recorder), Ok(filter)) => (recorder.list(&filter), None),
        (None, _) => (Vec::new(), None),
        (_, Err(error)) => (Vec::new(), Some(error.to_string())),
    };
    let oldest = calls.last().filter(|_| calls.len() == PAGE).map(|call| call.number);
    let older = oldest.map(|number| format!("/portal/calls?{}&before={number}", asked.query()));
    let rows = calls.iter().map(|call| Row::of(call)).collect();
    let is_newest = before.is_none() && problem.is_none() && recorder.is_some();
    let is_kept = portal.settings.calls.is_some();
    Shell::answer(
        &portal,
        &CallsPage {
            shell,
            is_kept,
            asked,
            interfaces: [("", "All")].into_iter().chain(interfaces()).collect(),
            problem,
            rows,
            last,
            older,
            is_newest,
        },
    )
}

async fn show(State(portal): State<Portal>, shell: Shell, Path(name): Path<String>) -> Response {
    let number = name.strip_suffix(".har").unwrap_or(&name);
    let found = number.parse().ok().zip(recorder(&portal, &shell));
    let call = found.and_then(|(number, recorder)| recorder.find(number));
    match &call {
        Some(call) if name.ends_with(".har") => as_archive(&[call]),
        _ => {
            let status = if call.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
            let call = call.as_deref().map(Details::of);
            let page = CallPage { shell, call, number: number.chars().take(20).collect() };
            web::page_with_policy(status, &page, portal.policy.clone())
        }
    }
}

async fn archive(State(portal): State<Portal>, shell: Shell, RawQuery(query): RawQuery) -> Response {
    let filter = Filter::parse(&format!("limit=500&{}", Asked::read(&query.unwrap_or_default()).query()));
    match (recorder(&portal, &shell), filter) {
        (Some(recorder), Ok(filter)) => {
            let calls = recorder.list(&filter);
            as_archive(&calls.iter().collect::<Vec<_>>())
        }
        (None, _) => StatusCode::NOT_FOUND.into_response(),
        (_, Err(error)) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

fn as_archive(calls: &[&std::sync::Arc<Call>]) -> Response {
    let headers = [
        (header::CONTENT_DISPOSITION, "attachment; filename=\"vestibule.har\""),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, Json(har(calls.iter().map(|call| &***call)))).into_response()
}
