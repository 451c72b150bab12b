//! Modules and style sheet, compiled in. Their path has their version, so that a browser keeps them for good and never mixes
//! those of two builds.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::sync::{LazyLock, OnceLock};

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, StatusCode, header};

use crate::settings::Portal;

/// Lists files of the folder `assets` with their contents, a file perhaps behind one of another folder.
macro_rules! files {
    ($($name:literal $(behind $other:literal)?),* $(,)?) => {
        &[$(($name, concat!($(include_str!($other),)? include_str!(concat!("../assets/", $name))))),*]
    };
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
    "flow/archive.js",
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
    "home/bunq.js",
    "home/calls.js",
    "home/customer.js",
    "home/downloads.js",
    "home/identifier.js",
    "home/missing.js",
    "home/party.js",
    "home/pkcs12.js",
    "home/registration.js",
    "home/texts.js",
    "management.js",
    "package.json",
    "play.css",
    "play.js",
    "portal.css" behind "../../web/assets/tokens.css",
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
    "vendor/forge.LICENSE.txt",
    "vendor/forge.js",
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

/// The files in gzip, each from when somebody asked for it first.
static COMPRESSED: [OnceLock<Option<Bytes>>; FILES.len()] = [const { OnceLock::new() }; FILES.len()];

fn compressed(place: usize) -> Option<Bytes> {
    let compress = || {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(FILES[place].1.as_bytes()).ok()?;
        encoder.finish().ok().map(Bytes::from)
    };
    COMPRESSED[place].get_or_init(compress).clone()
}

/// Whether a client reads gzip (RFC 9110, 12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_some_and(|weight| weight > 0.0)
    })
}

async fn file(Path((version, name)): Path<(String, String)>, asked: HeaderMap) -> Response {
    let Some(place) = FILES.iter().position(|(known, _)| *known == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = match name.rsplit_once('.') {
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "json")) => "application/json",
        Some((_, "txt")) => "text/plain; charset=utf-8",
        _ => "text/javascript; charset=utf-8",
    };
    // A page of the build before may still ask for its own.
    let is_current = BASE.ends_with(&version);
    let life = if is_current { "public, max-age=31536000, immutable" } else { "no-store" };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, life),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::VARY, "accept-encoding"),
    ];
    match compressed(place).filter(|_| takes_gzip(&asked)) {
        Some(octets) => (headers, [(header::CONTENT_ENCODING, "gzip")], octets).into_response(),
        None => (headers, FILES[place].1).into_response(),
    }
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

    #[test]
    fn who_takes_gzip() {
        for (value, takes) in [
            ("gzip, deflate, br, zstd", true),
            ("br;q=1.0, GZIP;q=0.5", true),
            ("gzip; q=0.001", true),
            ("gzip;q=0", false),
            ("gzip;q=x", false),
            ("br, xgzip", false),
            ("identity", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, value.parse().unwrap())]);
            assert_eq!(takes_gzip(&headers), takes, "{value}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
