//! What can be taken along: descriptions, a collection that signs its calls, and a text for programs that read.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header;

use crate::collection;
use crate::guides::GUIDES;
use crate::not_found::not_found;
use crate::reference::interfaces;
use crate::settings::Portal;
use crate::shell::Shell;

/// The collection of calls.
pub(crate) const COLLECTION: &str = "vestibule.bruno.json";

/// Routes of the files.
pub(crate) fn routes() -> Router<Portal> {
    Router::new().route("/portal/downloads/{file}", get(file)).route("/llms.txt", get(llms))
}

async fn file(State(portal): State<Portal>, Path(name): Path<String>, shell: Shell) -> Response {
    if name == COLLECTION {
        let collection = collection::of(&interfaces(&portal), &portal.settings);
        return attached(&name, collection.to_string().into_bytes().into());
    }
    let descriptions = &portal.settings.descriptions;
    let description = descriptions
        .iter()
        .find(|known| name.strip_suffix(".openapi.json").is_some_and(|name| name == known.name));
    match description {
        Some(description) => attached(&name, (description.json)()),
        None => not_found(&portal, shell, "/portal/reference"),
    }
}

/// JSON that a browser saves under a name of ours.
fn attached(name: &str, json: bytes::Bytes) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, json).into_response()
}

/// What is here, as one text (llmstxt.org).
async fn llms(State(portal): State<Portal>) -> Response {
    let settings = &portal.settings;
    let public = settings.public();
    let mut text = format!(
        "# Vestibule sandbox\n\n> A whole bank for tests of PSD2 clients: Berlin Group NextGenPSD2 as Triodos Bank runs it, and \
         bunq's PSD2 API, over one set of customers and books. No money, customer or certificate is real. The management API at \
         {} makes certificates and customers, decides as a customer and moves the clock.\n\n## Guides\n\n",
        settings.management
    );
    for guide in GUIDES {
        text += &format!("- [{}]({public}/portal/guides/{}): {}\n", guide.title(), guide.name, guide.lead());
    }
    text += "\n## Interfaces\n\n";
    for interface in interfaces(&portal) {
        let (name, title, server) = (interface.name, &interface.title, &interface.server);
        text += &format!(
            "- [{title}]({public}/portal/downloads/{name}.openapi.json): OpenAPI; paths are below {server}; \
             [as pages]({public}/portal/reference/{name})\n"
        );
    }
    text += &format!(
        "\n## Tools\n\n- [Collection for Bruno]({public}/portal/downloads/{COLLECTION}): calls that are signed by a script\n"
    );
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")], text)
        .into_response()
}
