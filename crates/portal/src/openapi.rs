//! What the pages of the reference show of a description (OpenAPI 3.0 or 3.1).

use serde_json::{Map, Value};

use crate::settings::Description;

/// How deep members of bodies are listed.
const MAX_DEPTH: usize = 8;

/// An interface.
pub(crate) struct Interface {
    pub(crate) name: &'static str,
    pub(crate) title: String,
    pub(crate) about: String,
    /// Address that the paths are below.
    pub(crate) server: String,
    /// Who signs calls, and how: the dialect's name, or empty.
    pub(crate) signed_as: &'static str,
    pub(crate) groups: Vec<Group>,
    document: Value,
}

/// Operations about one thing.
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) operations: Vec<Operation>,
}

/// One operation.
#[derive(Clone)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) group: String,
    pub(crate) summary: String,
    pub(crate) about: String,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) request: Option<Body>,
    pub(crate) answers: Vec<Answer>,
}

/// A parameter of the path, the query or the header.
#[derive(Clone)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) place: String,
    pub(crate) is_required: bool,
    pub(crate) about: String,
    pub(crate) example: String,
}

/// A body, of a call or an answer.
#[derive(Clone)]
pub(crate) struct Body {
    pub(crate) kind: String,
    pub(crate) example: String,
    pub(crate) members: Vec<Member>,
}

/// A member of a body, with those it is in before it.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) path: String,
    pub(crate) kind: String,
    pub(crate) is_required: bool,
    pub(crate) about: String,
}

/// An answer.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: String,
    pub(crate) about: String,
    pub(crate) body: Option<Body>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

impl Interface {
    pub(crate) fn read(description: &Description) -> Self {
        let document: Value = serde_json::from_slice(&(description.json)()).unwrap_or_default();
        let server = text(&document["servers"][0]["url"]);
        let mut interface = Self {
            name: description.name,
            title: text(&document["info"]["title"]),
            about: text(&document["info"]["description"]),
            server: if server == "/" { description.server.clone() } else { server },
            signed_as: description.signed_as,
            groups: Vec::new(),
            document,
        };
        interface.groups = interface.read_groups();
        interface
    }

    /// An operation by its id.
    pub(crate) fn operation(&self, id: &str) -> Option<Operation> {
        self.operations().find(|operation| operation.id == id).cloned()
    }

    pub(crate) fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.groups.iter().flat_map(|group| &group.operations)
    }

    fn read_groups(&self) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for (path, operations) in self.document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in operations.as_object().into_iter().flatten() {
                let operation = self.read_operation(method, path, operation);
                match groups.iter_mut().find(|group| group.name == operation.group) {
                    Some(group) => group.operations.push(operation),
                    None => groups.push(Group { name: operation.group.clone(), operations: vec![operation] }),
                }
            }
        }
        // Paths have lost their order in JSON; headings have kept it. Those without one are about the interface itself.
        let tags = self.document["tags"].as_array();
        let place = |name: &str| {
            tags.and_then(|tags| tags.iter().position(|tag| heading(&text(&tag["name"])) == name))
                .unwrap_or(usize::MAX)
        };
        groups.sort_by_key(|group| place(&group.name));
        groups
    }

    fn read_operation(&self, method: &str, path: &str, operation: &Value) -> Operation {
        let group = operation["tags"][0].as_str().map_or_else(|| OTHER.to_owned(), heading);
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let responses = operation["responses"].as_object().into_iter().flatten();
        Operation {
            id: text(&operation["operationId"]),
            method: method.to_uppercase(),
            path: path.to_owned(),
            group,
            summary: heading(&text(&operation["summary"])),
            about: text(&operation["description"]),
            parameters: parameters.map(|one| self.read_parameter(one)).collect(),
            request: self.read_body(&operation["requestBody"]["content"]),
            answers: responses
                .map(|(status, answer)| {
                    let answer = self.resolve(answer);
                    Answer {
                        status: if status == "default" { "otherwise".to_owned() } else { status.clone() },
                        about: text(&answer["description"]),
                        body: self.read_body(&answer["content"]),
                    }
                })
                .collect(),
        }
    }

    fn read_parameter(&self, parameter: &Value) -> Parameter {
        let parameter = self.resolve(parameter);
        Parameter {
            name: text(&parameter["name"]),
            place: text(&parameter["in"]),
            is_required: parameter["required"] == true,
            about: text(&parameter["description"]),
            example: text(&parameter["example"]),
        }
    }

    fn read_body(&self, content: &Value) -> Option<Body> {
        let (kind, body) = content.as_object()?.iter().next()?;
        let mut members = Vec::new();
        self.read_members(&body["schema"], "", 0, &mut members);
        let example = match &body["example"] {
            Value::Null => String::new(),
            Value::Object(fields) if kind.ends_with("urlencoded") => form(fields),
            example => serde_json::to_string_pretty(example).unwrap_or_default(),
        };
        Some(Body { kind: kind.clone(), example, members })
    }

    fn read_members(&self, schema: &Value, before: &str, depth: usize, members: &mut Vec<Member>) {
        if depth > MAX_DEPTH {
            return;
        }
        let schema = self.resolve(schema);
        for one in
            ["oneOf", "anyOf", "allOf"].into_iter().filter_map(|name| schema[name].as_array()).flatten()
        {
            self.read_members(one, before, depth + 1, members);
        }
        if schema["items"].is_object() {
            self.read_members(&schema["items"], &format!("{before}[]"), depth + 1, members);
        }
        let required =
            |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            let path = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
            let known = self.resolve(member);
            let about = text(if member["description"].is_null() {
                &known["description"]
            } else {
                &member["description"]
            });
            if !members.iter().any(|known| known.path == path) {
                members.push(Member {
                    path: path.clone(),
                    kind: self.kind(known),
                    is_required: required(name),
                    about,
                });
            }
            self.read_members(member, &path, depth + 1, members);
        }
    }

    /// A type in words.
    fn kind(&self, schema: &Value) -> String {
        let schema = self.resolve(schema);
        if let Some(values) = schema["enum"].as_array() {
            return values.iter().map(text).collect::<Vec<_>>().join(" | ");
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().map(text).collect::<Vec<_>>().join(" or "),
            kind => text(kind),
        };
        match kind.as_str() {
            "array" => format!("list of {}", self.kind(&schema["items"])),
            "" => "any".to_owned(),
            kind => schema["format"]
                .as_str()
                .map_or_else(|| kind.to_owned(), |format| format!("{kind}, {format}")),
        }
    }

    /// Follows a reference within the document.
    fn resolve<'v>(&'v self, value: &'v Value) -> &'v Value {
        let target = value["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
        target.and_then(|target| self.document.pointer(target)).unwrap_or(value)
    }
}

/// The heading of operations that have none.
const OTHER: &str = "About the interface";

/// A name or a few words as a heading.
fn heading(name: &str) -> String {
    let name = name.replace('_', " ");
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn form(fields: &Map<String, Value>) -> String {
    let mut made = form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields {
        made.append_pair(name, &text(value));
    }
    made.finish()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_description_is_read() {
        let text = r##"{"info": {"title": "Things"}, "tags": [{"name": "big_things"}], "servers": [{"url": "/"}], "paths": {
            "/things/{id}": {"put": {"operationId": "put-thing", "tags": ["big_things"], "summary": "change it",
                "parameters": [{"name": "id", "in": "path", "required": true, "example": "7"}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"},
                    "example": {"size": 1}}}},
                "responses": {"200": {"description": "Done"}, "default": {"$ref": "#/components/responses/Error"}}}},
            "/about": {"get": {"operationId": "about", "summary": "About", "responses": {}}}},
            "components": {"schemas": {"Thing": {"type": "object", "required": ["size"], "properties": {
                "size": {"type": "integer", "description": "In metres"},
                "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
                "state": {"enum": ["new", "old"]}, "name": {"type": ["string", "null"]}}}},
              "responses": {"Error": {"description": "Wrong"}}}}"##;
        let json = Arc::new(move || text.as_bytes().into());
        let server = "http://things".to_owned();
        let interface = Interface::read(&Description { name: "things", server, signed_as: "", json });
        assert_eq!((interface.title.as_str(), interface.server.as_str()), ("Things", "http://things"));
        let names: Vec<_> = interface.groups.iter().map(|group| group.name.as_str()).collect();
        assert_eq!(names, ["Big things", OTHER]);
        let operation = interface.operation("put-thing").unwrap();
        assert_eq!((operation.summary.as_str(), operation.method.as_str()), ("Change it", "PUT"));
        assert_eq!(operation.answers[1].about, "Wrong");
        let request = operation.request.unwrap();
        let member = |path: &str| request.members.iter().find(|member| member.path == path).unwrap();
        assert!(member("size").is_required && member("size").about == "In metres");
        assert_eq!(member("parts[].size").kind, "integer");
        assert_eq!(member("state").kind, "new | old");
        assert_eq!(member("name").kind, "string or null");
        assert_eq!(request.example, "{\n  \"size\": 1\n}");
    }
}
