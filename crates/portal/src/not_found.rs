//! What is said of a path of the portal that leads nowhere.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{Redirect, Response};
use axum::routing::get;
use http::StatusCode;

use crate::settings::Portal;
use crate::shell::Shell;

#[derive(Template)]
#[template(path = "not_found.html")]
struct NotFoundPage {
    shell: Shell,
    /// Where what there is can be found.
    place: &'static str,
}

/// Every path below the portal's that is no page's.
pub(crate) fn routes() -> Router<Portal> {
    Router::new()
        .route("/portal", get(async || Redirect::to("/")))
        .route("/portal/", get(async || Redirect::to("/")))
        .route("/portal/{*rest}", get(show))
}

async fn show(State(portal): State<Portal>, shell: Shell) -> Response {
    not_found(&portal, shell, "/")
}

/// 404, with a way to where what there is can be found.
pub(crate) fn not_found(portal: &Portal, shell: Shell, place: &'static str) -> Response {
    web::page_with_policy(StatusCode::NOT_FOUND, &NotFoundPage { shell, place }, portal.policy.clone())
}
