//! The first page: which bank runs here, and the four steps from nothing to a first call.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use crate::settings::Portal;
use crate::shell::Shell;

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    shell: Shell,
    /// Names of roles with what each lets a third party do.
    roles: [(&'static str, &'static str); 3],
}

const ROLES: [(&str, &str); 3] =
    [("PSP_AI", "read accounts"), ("PSP_PI", "make payments"), ("PSP_IC", "check funds")];

/// Routes of the page.
pub(crate) fn routes() -> Router<Portal> {
    Router::new().route("/", get(show))
}

async fn show(State(portal): State<Portal>, shell: Shell) -> Response {
    Shell::answer(&portal, &HomePage { shell, roles: ROLES })
}
