//! The style sheet and the icon, compiled in.

use axum::Router;
use axum::routing::get;
use http::header;

pub(crate) const STYLE: &str =
    concat!(include_str!("../assets/tokens.css"), include_str!("../assets/style.css"));
const ICON: &str = include_str!("../assets/icon.svg");

/// Routes of the assets, to be mounted at the root.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let asset = |kind: &'static str, text: &'static str| {
        get(move || async move {
            let headers = [
                (header::CONTENT_TYPE, kind),
                (header::CACHE_CONTROL, "public, max-age=3600"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ];
            (headers, text)
        })
    };
    Router::new()
        .route("/assets/style.css", asset("text/css; charset=utf-8", STYLE))
        .route("/assets/icon.svg", asset("image/svg+xml", ICON))
}
