//! Descriptions of interfaces (OpenAPI 3.0), made from the tables that their routers are made of: what is served is
//! described, and what is described is served.

use std::fmt;
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

/// The description of an interface, made when somebody asks for it: whoever asks shares the octets.
#[derive(Clone)]
pub struct Description(Arc<LazyLock<Bytes, Make>>);

/// Makes the octets of a description.
type Make = Box<dyn FnOnce() -> Bytes + Send>;

impl Description {
    /// A description of operations, and of the one that tells it. `server` is the address with the prefix of the interface;
    /// `examples` is a text in JSON: an object that has for an operation, `POST /path`, what it does (`about`), the parameters of
    /// its query by name (`query`), and examples of its body, in JSON (`request`) or as a form (`form`), and of its answer
    /// (`answer`, and `answers` by other statuses). What bodies are made of is read from the examples. Under `parameters` it has what
    /// parameters and headers are that many operations of the interface have.
    pub fn new(
        title: &'static str,
        server: String,
        mut operations: Vec<Described>,
        examples: &'static str,
    ) -> Self {
        operations.push(Self::own::<()>().described);
        let make =
            move || Bytes::from(document(title, &server, &operations, &Examples::read(examples)).to_string());
        Self(Arc::new(LazyLock::new(Box::new(make))))
    }

    /// The description in JSON.
    pub fn json(&self) -> Bytes {
        Bytes::clone(&self.0)
    }

    /// The operation that tells it.
    pub fn operation<S: Clone + Send + Sync + 'static>(&self) -> Operation<S> {
        let description = self.clone();
        let handlers = get(async move || ([(header::CONTENT_TYPE, "application/json")], description.json()));
        Operation { handlers, ..Self::own() }
    }

    fn own<S: Clone + Send + Sync + 'static>() -> Operation<S> {
        Operation::new(Method::GET, DESCRIPTION, 200, "This description", MethodRouter::new())
    }
}

impl fmt::Debug for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Description(…)")
    }
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

/// Examples of an interface, by operation: see [`Description::new`].
#[derive(Debug, Default)]
struct Examples(Map<String, Value>);

impl Examples {
    /// Reads the text of a file of the program.
    fn read(text: &str) -> Self {
        let read = serde_json::from_str(text);
        debug_assert!(read.is_ok(), "{read:?}");
        Self(read.unwrap_or_default())
    }

    /// What a parameter is that many operations have.
    fn about(&self, parameter: &str) -> Option<&str> {
        let own = self.0.get("parameters").and_then(|parameters| parameters[parameter].as_str());
        own.or(match parameter {
            "tenant" => Some("A branch of the bank"),
            "Authorization" => {
                Some("Bearer and a token; or Basic with client id and secret at the token endpoint")
            }
            "X-Request-ID" => Some("A new UUID; the same request sent again has the same one"),
            _ => None,
        })
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
            let items = items.iter().map(schema).reduce(merged).unwrap_or_else(|| json!({}));
            json!({"type": "array", "items": items})
        }
        Value::Object(members) => {
            let properties: Map<String, Value> =
                members.iter().map(|(name, value)| (name.clone(), schema(value))).collect();
            json!({"type": "object", "properties": properties})
        }
    }
}

/// The schema of what is of one of two schemas: objects have the members of both, and whatever else differs can be anything.
fn merged(mut one: Value, other: Value) -> Value {
    if one == other {
        return one;
    }
    let (Some(known), Value::Object(more)) = (one["properties"].as_object_mut(), &other["properties"]) else {
        return json!({});
    };
    for (name, member) in more {
        let member = match known.remove(name) {
            Some(known) => merged(known, member.clone()),
            None => member.clone(),
        };
        known.insert(name.clone(), member);
    }
    one
}

fn document(title: &str, server: &str, operations: &[Described], examples: &Examples) -> Value {
    let mut paths = Map::new();
    for operation in operations {
        let path = paths.entry(operation.path.clone()).or_insert_with(|| json!({}));
        path[operation.method.as_str().to_ascii_lowercase()] = one(operation, examples);
    }
    let mut headings: Vec<&str> = Vec::new();
    for heading in operations.iter().map(|operation| operation.tag).filter(|tag| !tag.is_empty()) {
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    let tags: Vec<Value> = headings.into_iter().map(|name| json!({"name": name})).collect();
    json!({
        "openapi": "3.0.3",
        "info": {"title": title, "version": env!("CARGO_PKG_VERSION")},
        "servers": [{"url": server}],
        "tags": tags,
        "paths": paths,
    })
}

fn one(operation: &Described, examples: &Examples) -> Value {
    let example = examples.of(operation);
    let named = operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameter = |name: &str, place: &str, is_required: bool| {
        let mut parameter =
            json!({"name": name, "in": place, "required": is_required, "schema": {"type": "string"}});
        if let Some(about) = examples.about(name) {
            parameter["description"] = about.into();
        }
        parameter
    };
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
    let usual = (operation.success.to_string(), &example["answer"]);
    let others = example["answers"].as_object().into_iter().flatten();
    for (status, answer) in others.map(|(status, answer)| (status.clone(), answer)).chain([usual]) {
        if !answer.is_null() {
            described["responses"][status] =
                json!({"description": "Success", "content": content("application/json", answer)});
        }
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
            r#"{"parameters": {"id": "Which one"}, "GET /{tenant}/things/{id}": {"about": "Two of a kind", "query": {"page": "2"},
                "answer": {"things": [{"size": 1}, {"size": 1}, {"name": "a"}, {"name": 2}], "of": null}}}"#,
        );
        let document = document("Things", "http://bank/things", &all, &examples);
        let path = &document["paths"]["/{tenant}/things/{id}"];
        assert_eq!(path["get"]["operationId"], "get-tenant-things-id");
        assert_eq!(path["get"]["tags"], json!(["things"]));
        assert_eq!(document["tags"], json!([{"name": "things"}]));
        let names: Vec<_> =
            path["get"]["parameters"].as_array().unwrap().iter().map(|p| &p["name"]).collect();
        assert_eq!(names, ["tenant", "id", "X-Request-ID", "page"]);
        let answer = &path["get"]["responses"]["200"]["content"]["application/json"]["schema"]["properties"];
        assert_eq!(answer["of"], json!({}));
        let things = &answer["things"]["items"]["properties"];
        assert_eq!((&things["size"]["type"], &things["name"]), (&json!("integer"), &json!({})));
        assert_eq!(path["get"]["parameters"][0]["description"], "A branch of the bank");
        assert_eq!(path["get"]["parameters"][1]["description"], "Which one");
        assert!(path["get"]["parameters"][3]["description"].is_null());
        assert_eq!(path["get"]["description"], "Two of a kind");
        assert!(path["delete"]["requestBody"].is_null());
        assert!(path["delete"]["responses"]["204"].is_object());
        let description = Description::new("Things", "http://bank/things".to_owned(), all.to_vec(), "{}");
        assert!(description.json().ends_with(b"}"));
        let own = description.operation::<()>();
        assert_eq!(
            (own.described().path.as_str(), own.described().method.as_str()),
            ("/openapi.json", "GET")
        );
        let _: Router = route_all(Router::new(), [read, delete, own]);
    }
}
