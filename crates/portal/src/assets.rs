//! Modules and style sheet, compiled in. Their path has their version, so that a browser keeps them for good and never mixes
//! those of two builds.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};

use crate::settings::Portal;

/// Lists files of the folder `assets` with their contents.
macro_rules! files {
    ($($name:literal),* $(,)?) => { &[$(($name, include_str!(concat!("../assets/", $name)))),*] };
}

/// Every file, by its path under the version. A test holds this list against the folder.
const FILES: &[(&str, &str)] = files![
    "callback.js",
    "calls.css",
    "calls.js",
    "copy.js",
    "dom.js",
    "flow.css",
    "flow.js",
    "flow/begin.js",
    "flow/call.js",
    "flow/clock.js",
    "flow/edits.js",
    "flow/phone.js",
    "flow/program.js",
    "flow/remedies.js",
    "flow/run.js",
    "flow/runs.js",
    "flow/save.js",
    "flow/steps.js",
    "flow/texts.js",
    "flow/values.js",
    "flows/berlin_group.js",
    "flows/bunq.js",
    "flows/index.js",
    "home.css",
    "home.js",
    "home/calls.js",
    "home/customer.js",
    "home/downloads.js",
    "home/identifier.js",
    "home/party.js",
    "home/registration.js",
    "home/texts.js",
    "management.js",
    "package.json",
    "play.css",
    "play.js",
    "portal.css",
    "reference.css",
    "reference.js",
    "shell.js",
    "signing.js",
    "snippets/curl.js",
    "snippets/go.js",
    "snippets/index.js",
    "snippets/java.js",
    "snippets/node.js",
    "snippets/plan.js",
    "snippets/python.js",
    "state.js",
    "vendor/fflate.js",
];

static BASE: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = DefaultHasher::new();
    FILES.hash(&mut hasher);
    format!("/portal/assets/{:016x}", hasher.finish())
});

/// Where the files of this build are, without a slash at the end.
pub(crate) fn base() -> &'static str {
    &BASE
}

/// Routes of the files.
pub(crate) fn routes() -> Router<Portal> {
    Router::new().route("/portal/assets/{version}/{*name}", get(file))
}

async fn file(Path((version, name)): Path<(String, String)>) -> Response {
    let Some((_, text)) = FILES.iter().find(|(known, _)| *known == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = match name.rsplit_once('.') {
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "json")) => "application/json",
        _ => "text/javascript; charset=utf-8",
    };
    // A page of the build before may still ask for its own.
    let is_current = BASE.ends_with(&version);
    let life = if is_current { "public, max-age=31536000, immutable" } else { "no-store" };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, life),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, *text).into_response()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn names_below(folder: &Path, prefix: &str, names: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                names_below(&entry.path(), &format!("{name}/"), names);
            } else {
                names.push(name);
            }
        }
    }

    #[test]
    fn every_file_is_served() {
        let mut names = Vec::new();
        names_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("assets"), "", &mut names);
        names.sort();
        let listed: Vec<_> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(listed, names, "the list is that of the folder, in its order");
    }

    /// The palette is the house's: the bank's pages and the portal's look alike in light and dark.
    #[test]
    fn the_colours_are_those_of_the_banks_pages() {
        let tokens = |style: &str| -> Vec<String> {
            let lines = style.lines().map(str::trim).filter(|line| line.starts_with("--"));
            lines.map(str::to_owned).collect()
        };
        let own = tokens(include_str!("../assets/portal.css"));
        for token in tokens(include_str!("../../web/assets/style.css")) {
            assert!(own.contains(&token), "{token}");
        }
    }
}
