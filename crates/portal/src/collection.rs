//! A collection for Bruno (usebruno.com) of every operation, made of the descriptions. A script of the collection signs what
//! has to be signed, with the key of the environment, and keeps ids and tokens of answers for later calls.

use serde_json::{Value, json};

use crate::openapi::{Interface, Operation};
use crate::settings::Settings;

/// Signs a call before it is sent.
const SIGN: &str = include_str!("../collection/sign.js");

/// Keeps what later calls need.
const KEEP: &str = include_str!("../collection/keep.js");

/// Headers that the script makes.
const COMPUTED: [&str; 5] =
    ["digest", "signature", "tpp-signature-certificate", "x-request-id", "x-bunq-client-signature"];

/// The collection of these interfaces.
pub(crate) fn of(interfaces: &[Interface], settings: &Settings) -> Value {
    let items: Vec<Value> = interfaces.iter().map(|interface| folder(interface, settings)).collect();
    json!({
        "version": "1",
        "name": "Vestibule sandbox",
        "items": items,
        "root": {"request": {"headers": [], "script": {"req": SIGN, "res": KEEP}}, "docs": DOCS},
        "environments": [{"name": "Sandbox", "variables": variables(settings)}],
    })
}

const DOCS: &str = "Choose the environment Sandbox and put a third party's certificate, private key and key id into it, as the home \
                    page of the bank or POST /test-certificates hands them out. Scripts need Bruno's developer mode, because they \
                    sign with the module crypto.";

fn variables(settings: &Settings) -> Vec<Value> {
    let tenant = (settings.tenants)().first().map_or_else(String::new, |tenant| tenant.name.clone());
    let given = [
        ("bank", settings.public().to_owned(), false),
        ("management", settings.management.clone(), false),
        ("tenant", tenant, false),
        ("keyId", String::new(), false),
        ("certificate", String::new(), false),
        ("privateKey", String::new(), true),
    ];
    given
        .into_iter()
        .map(|(name, value, secret)| json!({"name": name, "value": value, "type": "text", "enabled": true, "secret": secret}))
        .collect()
}

fn folder(interface: &Interface, settings: &Settings) -> Value {
    let base = interface
        .server
        .strip_prefix(settings.public())
        .map_or_else(|| "{{management}}".to_owned(), |prefix| format!("{{{{bank}}}}{prefix}"));
    let groups = interface.groups.iter().enumerate().map(|(index, group)| {
        let items = group.operations.iter().enumerate();
        let items: Vec<Value> = items.map(|(index, operation)| item(operation, &base, index + 1)).collect();
        json!({"type": "folder", "name": group.name, "seq": index + 1, "items": items})
    });
    json!({"type": "folder", "name": interface.title, "items": groups.collect::<Vec<_>>()})
}

/// One call. What stands in braces in its path is a variable.
fn item(operation: &Operation, base: &str, seq: usize) -> Value {
    let path = operation.path.replace('{', "{{").replace('}', "}}");
    let named =
        |place: &'static str| operation.parameters.iter().filter(move |parameter| parameter.place == place);
    let headers =
        named("header").filter(|parameter| !COMPUTED.contains(&parameter.name.to_lowercase().as_str()));
    let headers: Vec<Value> = headers
        .map(|parameter| {
            let value = if parameter.example.is_empty() {
                format!("{{{{{}}}}}", parameter.name)
            } else {
                parameter.example.clone()
            };
            json!({"name": parameter.name, "value": value, "enabled": parameter.is_required})
        })
        .collect();
    let params: Vec<Value> = named("query")
        .map(|parameter| json!({"name": parameter.name, "value": parameter.example, "type": "query", "enabled": parameter.is_required}))
        .collect();
    json!({
        "type": "http",
        "name": format!("{} {}", operation.method, operation.summary),
        "seq": seq,
        "request": {
            "url": format!("{base}{path}"),
            "method": operation.method,
            "headers": headers,
            "params": params,
            "body": body(operation),
            "auth": {"mode": "none"},
            "script": {},
            "vars": {},
            "assertions": [],
            "tests": "",
            "docs": operation.about,
        },
    })
}

fn body(operation: &Operation) -> Value {
    match &operation.request {
        Some(body) if body.kind == "application/json" => json!({"mode": "json", "json": body.example}),
        Some(body) => {
            let fields = form_urlencoded::parse(body.example.as_bytes());
            let fields: Vec<Value> =
                fields.map(|(name, value)| json!({"name": name, "value": value, "enabled": true})).collect();
            json!({"mode": "formUrlEncoded", "formUrlEncoded": fields})
        }
        None => json!({"mode": "none"}),
    }
}
