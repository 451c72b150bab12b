//! The style sheet and the icon, compiled in, and what a bank brings in their place.

use axum::Router;
use axum::body::Bytes;
use axum::routing::{MethodRouter, get};
use http::header;

use crate::looks::Looks;

pub(crate) const STYLE: &str =
    concat!(include_str!("../assets/tokens.css"), include_str!("../assets/style.css"));
const ICON: &str = include_str!("../assets/icon.svg");

/// Routes of the assets, to be mounted at the root.
pub fn routes<S: Clone + Send + Sync + 'static>(looks: &Looks) -> Router<S> {
    let style = format!("{STYLE}{}", looks.css());
    let router = Router::new()
        .route("/assets/style.css", asset("text/css; charset=utf-8", style.into()))
        .route("/assets/icon.svg", asset("image/svg+xml", Bytes::from_static(ICON.as_bytes())));
    match &looks.logo {
        Some(logo) => {
            router.route(logo.path(), asset(logo.media_type(), Bytes::copy_from_slice(&logo.octets)))
        }
        None => router,
    }
}

fn asset<S: Clone + Send + Sync + 'static>(kind: &'static str, octets: Bytes) -> MethodRouter<S> {
    get(move || async move {
        let headers = [
            (header::CONTENT_TYPE, kind),
            (header::CACHE_CONTROL, "public, max-age=3600"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            // A picture that is opened by itself does and loads nothing.
            (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        ];
        (headers, octets)
    })
}
