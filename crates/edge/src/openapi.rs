//! Descriptions of interfaces (OpenAPI 3.0), made from the tables that their routers are made of: what is served is
//! described, and what is described is served.

use std::sync::{Arc, LazyLock};

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

    /// The same with headers that have to be there, under a heading unless that is empty.
    pub fn with(mut self, tag: &'static str, headers: &[&'static str]) -> Self {
        if !tag.is_empty() {
            self.described.tag = tag;
        }
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
/// with the prefix of the interface, `examples` what [`Examples`] reads.
pub fn description<S: Clone + Send + Sync + 'static>(
    title: &str,
    server: &str,
    operations: impl IntoIterator<Item = Described>,
    examples: &'static str,
) -> Operation<S> {
    let own = Operation::<S>::new(Method::GET, DESCRIPTION, 200, "This description", MethodRouter::new());
    let all: Vec<Described> = operations.into_iter().chain([own.described.clone()]).collect();
    let (title, server) = (title.to_owned(), server.to_owned());
    // Made once, when somebody asks: whoever asks shares the octets.
    let description = Arc::new(LazyLock::new(move || {
        Bytes::from(document(&title, &server, &all, &Examples::read(examples)).to_string())
    }));
    let handlers =
        get(async move || ([(header::CONTENT_TYPE, "application/json")], Bytes::clone(&description)));
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

/// Examples of an interface: an object that has for an operation, `POST /path`, what it does (`about`), the parameters of its
/// query by name (`query`), and examples of its body, in JSON (`request`) or as a form (`form`), and of its answer (`answer`).
/// What bodies are made of is read from the examples.
#[derive(Debug, Default)]
struct Examples(Map<String, Value>);

impl Examples {
    /// Reads the text of a file of the program.
    fn read(text: &str) -> Self {
        let read = serde_json::from_str(text);
        debug_assert!(read.is_ok(), "{read:?}");
        Self(read.unwrap_or_default())
    }

    /// What there is for an operation.
    fn of(&self, operation: &Described) -> &Value {
        const NONE: &Value = &Value::Null;
        self.0.get(&format!("{} {}", operation.method, operation.path)).unwrap_or(NONE)
    }
}

/// The schema of what an example is one of.
fn schema(example: &Value) -> Value {
    match example {
        Value::Null => json!({}),
        Value::Bool(_) => json!({"type": "boolean"}),
        Value::Number(number) if number.is_f64() => json!({"type": "number"}),
        Value::Number(_) => json!({"type": "integer"}),
        Value::String(_) => json!({"type": "string"}),
        Value::Array(items) => {
            let schemas: Vec<Value> = items.iter().map(schema).collect();
            let first = schemas.first().cloned().unwrap_or_else(|| json!({}));
            let items = if schemas.iter().all(|one| *one == first) {
                first
            } else {
                json!({"anyOf": distinct(schemas)})
            };
            json!({"type": "array", "items": items})
        }
        Value::Object(members) => {
            let properties: Map<String, Value> =
                members.iter().map(|(name, value)| (name.clone(), schema(value))).collect();
            json!({"type": "object", "properties": properties})
        }
    }
}

fn distinct(mut schemas: Vec<Value>) -> Vec<Value> {
    let mut seen = Vec::new();
    schemas.retain(|one| {
        let is_new = !seen.contains(one);
        if is_new {
            seen.push(one.clone());
        }
        is_new
    });
    schemas
}

fn document(title: &str, server: &str, operations: &[Described], examples: &Examples) -> Value {
    let mut paths = Map::new();
    for operation in operations {
        let path = paths.entry(operation.path.clone()).or_insert_with(|| json!({}));
        path[operation.method.as_str().to_ascii_lowercase()] = one(operation, examples.of(operation));
    }
    json!({
        "openapi": "3.0.3",
        "info": {"title": title, "version": env!("CARGO_PKG_VERSION")},
        "servers": [{"url": server}],
        "paths": paths,
    })
}

fn one(operation: &Described, example: &Value) -> Value {
    let named = operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameter = |name: &str, place: &str, is_required: bool| json!({"name": name, "in": place, "required": is_required, "schema": {"type": "string"}});
    let mut parameters: Vec<Value> = named.map(|name| parameter(name, "path", true)).collect();
    parameters.extend(operation.headers.iter().map(|(name, required)| parameter(name, "header", *required)));
    for (name, value) in example["query"].as_object().into_iter().flatten() {
        let mut described = parameter(name, "query", false);
        described["example"] = value.clone();
        parameters.push(described);
    }
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
    let content =
        |kind: &str, example: &Value| json!({kind: {"schema": schema(example), "example": example}});
    if !example["about"].is_null() {
        described["description"] = example["about"].clone();
    }
    for (member, kind) in [("request", "application/json"), ("form", "application/x-www-form-urlencoded")] {
        if !example[member].is_null() {
            described["requestBody"] = json!({"required": true, "content": content(kind, &example[member])});
        }
    }
    if !example["answer"].is_null() {
        described["responses"][operation.success.to_string()]["content"] =
            content("application/json", &example["answer"]);
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
        let examples = Examples::read(
            r#"{"GET /{tenant}/things/{id}": {"about": "Two of a kind", "query": {"page": "2"},
                "answer": {"things": [{"size": 1}, {"size": 1}, {"name": "a"}], "of": null}}}"#,
        );
        let document = document("Things", "http://bank/things", &all, &examples);
        let path = &document["paths"]["/{tenant}/things/{id}"];
        assert_eq!(path["get"]["operationId"], "get-tenant-things-id");
        assert_eq!(path["get"]["tags"], json!(["things"]));
        let names: Vec<_> =
            path["get"]["parameters"].as_array().unwrap().iter().map(|p| &p["name"]).collect();
        assert_eq!(names, ["tenant", "id", "X-Request-ID", "page"]);
        let answer = &path["get"]["responses"]["200"]["content"]["application/json"]["schema"]["properties"];
        assert_eq!(answer["of"], json!({}));
        assert_eq!(answer["things"]["items"]["anyOf"].as_array().unwrap().len(), 2);
        assert_eq!(path["get"]["description"], "Two of a kind");
        assert!(path["delete"]["requestBody"].is_null());
        assert!(path["delete"]["responses"]["204"].is_object());
        let own = description::<()>("Things", "http://bank/things", all, "{}");
        assert_eq!(
            (own.described().path.as_str(), own.described().method.as_str()),
            ("/openapi.json", "GET")
        );
        let _: Router = route_all(Router::new(), [read, delete, own]);
    }
}
