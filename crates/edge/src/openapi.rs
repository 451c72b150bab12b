//! Descriptions of interfaces (OpenAPI 3.0), made from the tables that their routers are made of: what is served is
//! described, and what is described is served.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodRouter, delete, get, post, put};
use bytes::Bytes;
use http::{Method, header};
use serde_json::{Map, Value, json};

/// Where an interface tells its description, below its prefix.
pub const DESCRIPTION: &str = "/openapi.json";

/// What a description says about one operation.
#[derive(Debug, Clone)]
pub struct Described {
    /// The method.
    pub method: Method,
    /// The path below the interface's prefix, with its parameters in braces.
    pub path: String,
    /// What it is about.
    pub tag: &'static str,
    /// What it does, in a few words.
    pub summary: String,
    /// The status of success.
    pub success: u16,
    /// Headers of a call, each with whether it has to be there.
    pub headers: Vec<(&'static str, bool)>,
}

/// One operation of an interface.
#[derive(Debug)]
pub struct Operation<S> {
    described: Described,
    handlers: MethodRouter<S>,
}

impl<S: Clone + Send + Sync + 'static> Operation<S> {
    /// An operation that handlers of several methods belong to, such as that of a page that answers no `HEAD`.
    pub fn new(method: Method, path: &str, success: u16, summary: &str, handlers: MethodRouter<S>) -> Self {
        let described = Described {
            method,
            path: path.to_owned(),
            tag: "",
            summary: summary.to_owned(),
            success,
            headers: Vec::new(),
        };
        Self { described, handlers }
    }

    /// `GET`
    pub fn get<H: Handler<T, S>, T: 'static>(path: &str, success: u16, summary: &str, handler: H) -> Self {
        Self::new(Method::GET, path, success, summary, get(handler))
    }

    /// `POST`
    pub fn post<H: Handler<T, S>, T: 'static>(path: &str, success: u16, summary: &str, handler: H) -> Self {
        Self::new(Method::POST, path, success, summary, post(handler))
    }

    /// `PUT`
    pub fn put<H: Handler<T, S>, T: 'static>(path: &str, success: u16, summary: &str, handler: H) -> Self {
        Self::new(Method::PUT, path, success, summary, put(handler))
    }

    /// `DELETE`
    pub fn delete<H: Handler<T, S>, T: 'static>(path: &str, success: u16, summary: &str, handler: H) -> Self {
        Self::new(Method::DELETE, path, success, summary, delete(handler))
    }

    /// The same with headers that have to be there, under a heading.
    pub fn with(mut self, tag: &'static str, headers: &[&'static str]) -> Self {
        self.described.tag = tag;
        self.described.headers.extend(headers.iter().map(|header| (*header, true)));
        self
    }

    /// Its handlers, for a router that has a path alone in a way of its own.
    pub fn into_handlers(self) -> MethodRouter<S> {
        self.handlers
    }

    /// What a description says about it.
    pub fn described(&self) -> &Described {
        &self.described
    }
}

/// An operation that tells the description of an interface: of `operations`, and of itself. `server` is the address
/// with the prefix of the interface.
pub fn description<S: Clone + Send + Sync + 'static>(
    title: &str,
    server: &str,
    operations: impl IntoIterator<Item = Described>,
) -> Operation<S> {
    let own = Operation::<S>::new(Method::GET, DESCRIPTION, 200, "This description", MethodRouter::new());
    let all: Vec<Described> = operations.into_iter().chain([own.described.clone()]).collect();
    // Made once: whoever asks shares the octets.
    let description = Bytes::from(document(title, server, &all).to_string());
    let handlers = get(async move || ([(header::CONTENT_TYPE, "application/json")], description.clone()));
    Operation { handlers, ..own }
}

/// Adds operations to a router, each with and without a slash at its end, since real clients send one at times.
pub fn route_all<S: Clone + Send + Sync + 'static>(
    router: Router<S>,
    operations: impl IntoIterator<Item = Operation<S>>,
) -> Router<S> {
    let mut by_path: Vec<(String, MethodRouter<S>)> = Vec::new();
    for Operation { described, handlers } in operations {
        match by_path.iter_mut().find(|(path, _)| *path == described.path) {
            Some((_, known)) => *known = known.clone().merge(handlers),
            None => by_path.push((described.path, handlers)),
        }
    }
    by_path.into_iter().fold(router, |router, (path, handlers)| {
        router.route(&format!("{path}/"), handlers.clone()).route(&path, handlers)
    })
}

fn document(title: &str, server: &str, operations: &[Described]) -> Value {
    let mut paths = Map::new();
    for operation in operations {
        let path = paths.entry(operation.path.clone()).or_insert_with(|| json!({}));
        path[operation.method.as_str().to_ascii_lowercase()] = one(operation);
    }
    json!({
        "openapi": "3.0.3",
        "info": {"title": title, "version": env!("CARGO_PKG_VERSION")},
        "servers": [{"url": server}],
        "paths": paths,
    })
}

fn one(operation: &Described) -> Value {
    let named = operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameter = |name: &str, place: &str, is_required: bool| json!({"name": name, "in": place, "required": is_required, "schema": {"type": "string"}});
    let mut parameters: Vec<Value> = named.map(|name| parameter(name, "path", true)).collect();
    parameters.extend(operation.headers.iter().map(|(name, required)| parameter(name, "header", *required)));
    let words = operation.path.replace(['{', '}'], "");
    let id: Vec<&str> =
        words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let mut described = json!({
        "operationId": format!("{}-{}", operation.method.as_str().to_ascii_lowercase(), id.join("-")),
        "summary": operation.summary,
        "parameters": parameters,
        "responses": {
            operation.success.to_string(): {"description": "Success"},
            "default": {"description": "An error in the format of the interface"},
        },
    });
    if !operation.tag.is_empty() {
        described["tags"] = json!([operation.tag]);
    }
    described
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_holds_every_operation_and_itself() {
        let read = Operation::<()>::get("/{tenant}/things/{id}", 200, "Read", async || "");
        let delete = Operation::<()>::delete("/{tenant}/things/{id}", 204, "Delete", async || "");
        let read = read.with("things", &["X-Request-ID"]);
        let all = [read.described().clone(), delete.described().clone()];
        let document = document("Things", "http://bank/things", &all);
        let path = &document["paths"]["/{tenant}/things/{id}"];
        assert_eq!(path["get"]["operationId"], "get-tenant-things-id");
        assert_eq!(path["get"]["tags"], json!(["things"]));
        let names: Vec<_> =
            path["get"]["parameters"].as_array().unwrap().iter().map(|p| &p["name"]).collect();
        assert_eq!(names, ["tenant", "id", "X-Request-ID"]);
        assert!(path["delete"]["responses"]["204"].is_object());
        let own = description::<()>("Things", "http://bank/things", all);
        assert_eq!(
            (own.described().path.as_str(), own.described().method.as_str()),
            ("/openapi.json", "GET")
        );
        let _: Router = route_all(Router::new(), [read, delete, own]);
    }
}
