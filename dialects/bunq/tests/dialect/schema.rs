//! Whether an answer's fields have the types of bunq's own description of its interface.
//!
//! The description is not part of the repository; `VESTIBULE_SPEC_DIR` says where it lies. It describes what
//! an element of `Response` holds, mostly without the envelope and the wrapper that are on the wire. Where an
//! answer differs from it on purpose, `deviations.json` says so and why; the form of its entries is that of
//! [`Deviation`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use serde_json::{Map, Value, json};

/// Where the description keeps its schemas.
const SCHEMAS: &str = "#/components/schemas/";

/// The description, the deviations from it, and which of these were needed so far.
pub(crate) struct Schemas {
    document: Value,
    deviations: Vec<Deviation>,
    used: Mutex<BTreeSet<usize>>,
}

/// A difference on purpose.
///
/// In `operation` and `field` a `*` stands for anything up to the next dot, `**` for anything.
struct Deviation {
    /// Method and path as the description writes it, such as `GET /user/{itemId}`.
    operation: String,
    /// The wrapper and the way below it, such as `Payment.amount.value`; items are called like their list.
    field: String,
    /// What the value is on the wire, in the language of the description; without it, anything goes.
    schema: Option<Value>,
}

/// One difference between an answer and the description.
struct Finding<'v> {
    field: String,
    value: &'v Value,
    text: String,
}

impl Schemas {
    /// The description, or none where its file is not there.
    pub(crate) fn load() -> Option<Self> {
        let file = testkit::specification("openapi/bunq-swagger.json")?;
        let text = std::fs::read_to_string(file).expect("the description can be read");
        let document = serde_json::from_str(&text).expect("the description is JSON");
        Some(Self { document, deviations: deviations(), used: Mutex::default() })
    }

    /// Whether the description has this operation; `path` is what follows `/v1`.
    pub(crate) fn knows(&self, method: &str, path: &str) -> bool {
        self.operation(method, path).is_some()
    }

    /// What in this answer differs from the description without being a deviation, one line each.
    ///
    /// `path` is what follows `/v1`. An operation that the description lacks gives nothing, see
    /// [`knows`](Self::knows).
    pub(crate) fn check(&self, method: &str, path: &str, answer: &Value) -> Vec<String> {
        let Some((template, operation)) = self.operation(method, path) else { return Vec::new() };
        let mut findings = Vec::new();
        self.envelope(operation, answer, &mut findings);
        let mut lines = Vec::new();
        self.sift(&format!("{method} {template}"), findings, &[], &mut lines);
        let mut told = BTreeSet::new();
        lines.retain(|line| told.insert(line.clone()));
        lines
    }

    /// The deviations that no check of this value has met.
    pub(crate) fn unused_deviations(&self) -> Vec<String> {
        let used = self.used.lock().expect("no test stops while it holds this");
        let unused = self.deviations.iter().enumerate().filter(|(index, _)| !used.contains(index));
        unused.map(|(_, deviation)| format!("{}: {}", deviation.operation, deviation.field)).collect()
    }

    /// The path as the description writes it, and the operation; words go before placeholders.
    fn operation(&self, method: &str, path: &str) -> Option<(&str, &Value)> {
        let wanted: Vec<&str> = path.split('?').next()?.split('/').collect();
        let method = method.to_ascii_lowercase();
        let paths = self.document["paths"].as_object()?.iter();
        let fitting = paths.filter_map(|(template, methods)| {
            Some((placeholders(template, &wanted)?, template.as_str(), methods.get(&method)?))
        });
        let (_, template, operation) = fitting.min_by(|one, other| one.0.cmp(&other.0))?;
        Some((template, operation))
    }

    fn envelope<'v>(&self, operation: &Value, answer: &'v Value, findings: &mut Vec<Finding<'v>>) {
        let Some(members) = answer.as_object() else {
            return findings.push(mismatch("Response", answer, "the envelope is an object"));
        };
        for (key, value) in members {
            match (key.as_str(), value.as_array()) {
                ("Response", Some(elements)) => {
                    let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
                    let schema = schema.get("items").unwrap_or(schema);
                    for element in elements {
                        self.element(schema, element, findings);
                    }
                }
                ("Response", None) => findings.push(mismatch(key, value, "the envelope holds an array")),
                ("Error", _) => self.value(key, &json!({"$ref": format!("{SCHEMAS}Error")}), value, findings),
                ("Pagination", _) => {}
                _ => findings.push(mismatch(key, value, "the envelope lacks it")),
            }
        }
    }

    /// One wrapper and what is in it.
    fn element<'v>(&self, schema: &Value, element: &'v Value, findings: &mut Vec<Finding<'v>>) {
        let one = element.as_object().filter(|members| members.len() == 1);
        let Some((wrapper, value)) = one.and_then(|members| members.iter().next()) else {
            return findings.push(mismatch("Response", element, "an element is an object of one wrapper"));
        };
        let fields = self.fields(schema);
        let by_type = !fields.is_empty() && fields.keys().all(|key| key.starts_with(char::is_uppercase));
        let expected = if by_type {
            fields.keys().copied().collect::<Vec<_>>().join(", ")
        } else {
            wrapper_of(schema, &fields).to_owned()
        };
        let schema = if by_type { fields.get(wrapper.as_str()).copied() } else { Some(schema) };
        match schema.filter(|_| by_type || *wrapper == expected) {
            Some(_) if value.is_null() => findings.push(mismatch(wrapper, value, "a wrapper is never empty")),
            Some(schema) => self.value(wrapper, schema, value, findings),
            None => {
                let text = format!("an unknown wrapper, the file says {expected}");
                findings.push(Finding { field: wrapper.clone(), value, text });
            }
        }
    }

    /// A value below a wrapper; any field may be null.
    fn value<'v>(&self, field: &str, schema: &Value, value: &'v Value, findings: &mut Vec<Finding<'v>>) {
        let target = self.resolved(schema);
        let kind = target["type"].as_str().unwrap_or("object");
        let fits = match kind {
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            _ => value.is_object(),
        };
        if value.is_null() {
            return;
        }
        if !fits {
            let says = match reference(schema) {
                Some(name) => format!("the file says {kind} ({name})"),
                None => format!("the file says {kind}"),
            };
            return findings.push(mismatch(field, value, &says));
        }
        for item in value.as_array().into_iter().flatten() {
            if item.is_null() {
                findings.push(mismatch(field, item, "a list has no empty items"));
            }
            self.value(field, &target["items"], item, findings);
        }
        if let Some(members) = value.as_object() {
            self.members(field, schema, members, findings);
        }
    }

    /// The fields of an object; one that the description says nothing about may have any.
    fn members<'v>(
        &self,
        field: &str,
        schema: &Value,
        members: &'v Map<String, Value>,
        findings: &mut Vec<Finding<'v>>,
    ) {
        let fields = self.fields(schema);
        if fields.is_empty() {
            return;
        }
        for (key, value) in members {
            let below = format!("{field}.{key}");
            match fields.get(key.as_str()) {
                None => findings.push(mismatch(&below, value, "the file lacks it")),
                Some(schema) if schema["writeOnly"] == true => {
                    findings.push(mismatch(&below, value, "the file has it in requests only"));
                }
                Some(schema) => self.value(&below, schema, value, findings),
            }
        }
    }

    /// The fields of a schema.
    ///
    /// Some things are described twice, `Card` as what is sent and `CardRead` and `CardListing` as what is
    /// answered, and yet an answer that has one inside refers to `Card`. The fields of all of them count.
    fn fields<'s>(&'s self, schema: &'s Value) -> BTreeMap<&'s str, &'s Value> {
        let mut sources = vec![self.resolved(schema)];
        if let Some(name) = reference(schema) {
            let schemas = &self.document["components"]["schemas"];
            sources.extend(["Listing", "Read"].iter().filter_map(|end| schemas.get(format!("{name}{end}"))));
        }
        let fields = sources.into_iter().filter_map(|source| source["properties"].as_object()).flatten();
        fields.map(|(key, schema)| (key.as_str(), schema)).collect()
    }

    /// What a reference refers to, or the schema itself.
    fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        match reference(schema) {
            Some(name) => self.document["components"]["schemas"].get(name).expect("the schema is there"),
            None => schema,
        }
    }

    /// Drops what is a deviation, once the value is what the deviation says it is.
    fn sift(&self, operation: &str, findings: Vec<Finding<'_>>, applied: &[usize], lines: &mut Vec<String>) {
        for finding in findings {
            let mut deviations = self.deviations.iter().enumerate();
            let deviation = deviations.find(|(index, deviation)| {
                !applied.contains(index)
                    && stands_for(&deviation.operation, operation)
                    && stands_for(&deviation.field, &finding.field)
            });
            let Some((index, deviation)) = deviation else {
                lines.push(format!("{operation}: {}: {}", finding.field, finding.text));
                continue;
            };
            self.used.lock().expect("no test stops while it holds this").insert(index);
            if let Some(schema) = &deviation.schema {
                let mut further = Vec::new();
                self.value(&finding.field, schema, finding.value, &mut further);
                self.sift(operation, further, &[applied, &[index]].concat(), lines);
            }
        }
    }
}

/// The entries of the file next to this one; each has a reason.
fn deviations() -> Vec<Deviation> {
    let entries: Vec<Map<String, Value>> =
        serde_json::from_str(include_str!("deviations.json")).expect("a list of objects");
    let text = |entry: &Map<String, Value>, key: &str| {
        let text = entry.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.unwrap_or_else(|| panic!("a deviation without {key}: {entry:?}")).to_owned()
    };
    let deviation = |entry: &Map<String, Value>| {
        text(entry, "reason");
        Deviation {
            operation: text(entry, "operation"),
            field: text(entry, "field"),
            schema: entry.get("schema").cloned(),
        }
    };
    entries.iter().map(deviation).collect()
}

/// Which segments of a fitting path are placeholders.
fn placeholders(template: &str, wanted: &[&str]) -> Option<Vec<bool>> {
    let segments: Vec<&str> = template.split('/').collect();
    if segments.len() != wanted.len() {
        return None;
    }
    let compared = segments.iter().zip(wanted).map(|(segment, wanted)| {
        let placeholder = segment.starts_with('{');
        (segment == wanted || placeholder && !wanted.is_empty()).then_some(placeholder)
    });
    compared.collect()
}

/// The name of the schema that this one refers to.
fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix(SCHEMAS)
}

/// The wrapper around what this schema describes: its name without the ending for what it is used for.
fn wrapper_of<'s>(schema: &'s Value, fields: &BTreeMap<&str, &Value>) -> &'s str {
    if fields.len() == 1 && fields.contains_key("id") {
        return "Id";
    }
    if fields.len() == 1 && fields.contains_key("uuid") {
        return "Uuid";
    }
    let name = reference(schema).unwrap_or_default();
    let endings = ["Create", "Read", "Listing", "Update", "Delete"];
    endings.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

fn mismatch<'v>(field: &str, value: &'v Value, instead: &str) -> Finding<'v> {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    Finding { field: field.to_owned(), value, text: format!("{found}, {instead}") }
}

/// Whether a pattern of a deviation stands for this text.
fn stands_for(pattern: &str, text: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(before) else { return false };
    let (after, end) = match after.strip_prefix('*') {
        Some(after) => (after, text.len()),
        None => (after, text.find('.').unwrap_or(text.len())),
    };
    text.char_indices()
        .map(|(index, _)| index)
        .chain([text.len()])
        .take_while(|index| *index <= end)
        .any(|index| stands_for(after, &text[index..]))
}

#[test]
fn a_right_answer_has_no_findings() {
    let Some(schemas) = Schemas::load() else { return };
    let payment = json!({"Payment": {
        "id": 7, "amount": {"value": "1.00", "currency": null}, "batch_id": null, "attachment": [{"id": 8}],
        "counterparty_alias": {"iban": "NL13ABNA0000000000", "label_user": {"display_name": "Shop"}}}});
    let paging = json!({"future_url": null, "newer_url": null, "older_url": null});
    let list = json!({"Response": [payment.clone(), payment.clone()], "Pagination": paging});
    let id = json!({"Response": [{"Id": {"id": 7}}]});
    let error = json!({"Error": [{"error_description": "No.", "error_description_translated": "Nee."}]});
    let uuid = json!({"Response": [{"Uuid": {"uuid": "5a44"}}]});
    let event = json!({"Response": [{"Event": {"id": 3, "object": payment}}]});
    let account = json!({"Response": [{"MonetaryAccountJoint": {"all_co_owner": [{"status": "PENDING"}]}}]});
    for (method, path, answer) in [
        ("GET", "/user/12/monetary-account/20/payment?count=3", &list),
        ("POST", "/user/12/monetary-account/20/payment", &id),
        ("POST", "/user/12/monetary-account/20/payment", &error),
        ("POST", "/user/12/monetary-account/20/draft-payment", &id),
        ("POST", "/avatar", &uuid),
        ("GET", "/user/12/event/3", &event),
        ("GET", "/user/12/monetary-account", &account),
        ("DELETE", "/session/0", &json!({"Response": []})),
    ] {
        assert!(schemas.knows(method, path), "{method} {path}");
        assert_eq!(schemas.check(method, path, answer), [""; 0], "{method} {path}");
    }
    assert!(!schemas.knows("GET", "/card-reader"));
    assert!(!schemas.knows("PUT", "/user"));
    assert_eq!(schemas.check("GET", "/card-reader", &id), [""; 0]);
}

#[test]
fn a_wrong_type_is_found() {
    let Some(schemas) = Schemas::load() else { return };
    let found = |path: &str, element: Value| schemas.check("GET", path, &json!({"Response": [element]}));
    let template = "GET /user/{userID}/monetary-account/{monetary-accountID}/payment/{itemId}";
    let path = "/user/12/monetary-account/20/payment/7";
    for (field, value, says) in [
        ("id", json!("7"), "id: a string, the file says integer"),
        ("id", json!(7.5), "id: a number with a fraction, the file says integer"),
        ("created", json!(7), "created: an integer, the file says string"),
        ("amount", json!("1.00"), "amount: a string, the file says object (Amount)"),
        ("amount", json!({"value": 1}), "amount.value: an integer, the file says string"),
        ("attachment", json!({}), "attachment: an object, the file says array"),
        ("attachment", json!([{"id": 1}, {"id": ""}]), "attachment.id: a string, the file says integer"),
        ("attachment", json!([null]), "attachment: null, a list has no empty items"),
    ] {
        let answer = json!({"Payment": {field: value}});
        assert_eq!(found(path, answer), [format!("{template}: Payment.{says}")]);
    }
    let event = json!({"Event": {"object": {"Card": {"expiry_date": 2030}}}});
    let says = "Event.object.Card.expiry_date: an integer, the file says string";
    assert_eq!(found("/user/12/event/3", event), [format!("GET /user/{{userID}}/event/{{itemId}}: {says}")]);
}

#[test]
fn an_unknown_field_or_wrapper_is_found() {
    let Some(schemas) = Schemas::load() else { return };
    let found = |path: &str, answer: Value| schemas.check("GET", path, &answer);
    let one = |path: &str, element: Value| found(path, json!({"Response": [element]}));
    let payment = "/user/12/monetary-account/20/payment";
    let template = "GET /user/{userID}/monetary-account/{monetary-accountID}/payment";
    for (element, says) in [
        (json!({"Payment": {"colour": "red"}}), "Payment.colour: a string, the file lacks it"),
        (json!({"Pay": {}}), "Pay: an unknown wrapper, the file says Payment"),
        (json!({"Payment": {}, "Id": {}}), "Response: an object, an element is an object of one wrapper"),
        (json!({"Payment": null}), "Payment: null, a wrapper is never empty"),
    ] {
        assert_eq!(one(payment, element), [format!("{template}: {says}")]);
    }
    assert_eq!(one("/user", json!({"UserLight": {}})).len(), 1);
    assert_eq!(one("/user", json!({"UserPerson": {"document_number": "1"}})).len(), 1, "only in requests");
    assert_eq!(found(payment, json!({"Response": {}})).len(), 1);
    assert_eq!(found(payment, json!({"Response": [], "Links": []})).len(), 1);
}

#[test]
fn a_word_of_the_path_goes_before_a_placeholder() {
    let Some(schemas) = Schemas::load() else { return };
    let template = |path: &str| schemas.operation("GET", path).map(|(template, _)| template);
    assert_eq!(template("/user/12"), Some("/user/{itemId}"));
    let own = "/user/{userID}/monetary-account-bank";
    assert_eq!(template("/user/12/monetary-account-bank"), Some(own));
    assert_eq!(template("/user//monetary-account-bank"), None);
    let words = placeholders("/user/{a}/card", &["", "user", "1", "card"]);
    assert!(words < placeholders("/user/{a}/{b}", &["", "user", "1", "card"]));
}

#[test]
fn a_deviation_is_dropped_and_holds_only_for_what_it_says() {
    let Some(schemas) = Schemas::load() else { return };
    let all = schemas.unused_deviations();
    let found = |value: Value| {
        let element = json!({"MonetaryAccountSavings": {"savings_goal_progress": value}});
        schemas.check("GET", "/user/1/monetary-account-savings/2", &json!({"Response": [element]}))
    };
    assert_eq!(found(json!(1)), [""; 0]);
    assert_eq!(schemas.unused_deviations(), all);
    assert_eq!(found(json!("0.296992")), [""; 0]);
    assert_eq!(schemas.unused_deviations().len() + 1, all.len());
    assert_eq!(found(json!(true)).len(), 1);
}

#[test]
fn deviations_are_about_the_description() {
    let Some(schemas) = Schemas::load() else { return };
    let paths = schemas.document["paths"].as_object().expect("paths");
    let operations: Vec<String> = paths
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().into_iter().flat_map(Map::keys);
            methods.map(move |method| format!("{} {path}", method.to_ascii_uppercase()))
        })
        .collect();
    for Deviation { operation, field, schema } in &schemas.deviations {
        assert!(operations.iter().any(|one| stands_for(operation, one)), "{operation}: {field}");
        if let Some(schema) = schema {
            schemas.fields(schema.get("items").unwrap_or(schema));
        }
    }
}

#[test]
fn a_star_ends_at_a_dot() {
    assert!(stands_for("Monetary*.country", "MonetaryAccountBank.country"));
    assert!(!stands_for("Monetary*.country", "MonetaryAccountBank.alias.country"));
    assert!(stands_for("**.country", "MonetaryAccountBank.alias.country"));
    assert!(stands_for("*", "GET /user/{itemId}"));
    assert!(stands_for("GET */ip*", "GET /c/{id}/ip"));
    assert!(!stands_for("GET */ip", "GET /c/{id}/ip/{itemId}"));
}
