//! The page of flows, where calls are made one after the other; and where the bank sends browsers back to.

use askama::Template;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;

use crate::settings::Portal;
use crate::shell::Shell;

/// What the bank sends along, in the order in which it is shown.
const PARAMETERS: [&str; 5] = ["code", "state", "iss", "error", "error_description"];

#[derive(Template)]
#[template(path = "flow.html")]
struct FlowPage {
    shell: Shell,
}

#[derive(Template)]
#[template(path = "callback.html")]
struct CallbackPage {
    shell: Shell,
    /// Names and values.
    parameters: Vec<(&'static str, String)>,
    /// Whether there is an error in place of a code.
    is_refusal: bool,
}

/// Routes of the pages.
pub(crate) fn routes() -> Router<Portal> {
    Router::new().route("/portal/flow", get(show)).route("/portal/callback", get(come_back))
}

async fn show(State(portal): State<Portal>, shell: Shell) -> Response {
    Shell::answer(&portal, &FlowPage { shell })
}

async fn come_back(State(portal): State<Portal>, shell: Shell, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let value = |wanted: &str| {
        let mut all = form_urlencoded::parse(query.as_bytes());
        all.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    let parameters: Vec<_> = PARAMETERS.into_iter().filter_map(|name| Some((name, value(name)?))).collect();
    let is_refusal = !parameters.iter().any(|(name, _)| *name == "code");
    Shell::answer(&portal, &CallbackPage { shell, parameters, is_refusal })
}
