//! Things to play with: clocks, faults, data of one's own, and certificates that have something wrong with them.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use crate::settings::Portal;
use crate::shell::Shell;

#[derive(Template)]
#[template(path = "play.html")]
struct PlayPage {
    shell: Shell,
}

/// Routes of the page.
pub(crate) fn routes() -> Router<Portal> {
    Router::new().route("/portal/play", get(show))
}

async fn show(State(portal): State<Portal>, shell: Shell) -> Response {
    Shell::answer(&portal, &PlayPage { shell })
}
