//! Calls in the HTTP Archive format 1.2, which browsers and other tools open. Secrets are masked in it as they are in what is
//! kept.

use serde_json::{Value, json};

use super::Call;
use super::call::Part;

/// An archive of calls, the oldest first as the format wants it.
pub fn har<'c>(calls: impl IntoIterator<Item = &'c Call>) -> Value {
    let mut entries: Vec<_> = calls.into_iter().collect();
    entries.sort_by_key(|call| call.number);
    let entries: Vec<_> = entries.into_iter().map(entry).collect();
    json!({"log": {
        "version": "1.2",
        "creator": {"name": "Vestibule", "version": env!("CARGO_PKG_VERSION")},
        "comment": "Secrets are masked.",
        "entries": entries,
    }})
}

fn entry(call: &Call) -> Value {
    let version = format!("{:?}", call.version);
    let url = format!("{}{}", call.origin, call.target);
    let query = call.target.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let query: Vec<_> = form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    let mut request = json!({
        "method": call.method.as_str(),
        "url": url,
        "httpVersion": version,
        "cookies": [],
        "headers": headers(&call.request),
        "queryString": query,
        "headersSize": -1,
        "bodySize": call.request.octets,
    });
    if let Some(body) = &call.request.body {
        request["postData"] = json!({"mimeType": call.request.media_type, "params": [], "text": body});
    }
    let mut content = json!({"size": call.answer.octets, "mimeType": call.answer.media_type});
    if let Some(body) = &call.answer.body {
        content["text"] = body.as_ref().into();
    }
    if let Some(omitted) = call.answer.omitted {
        content["comment"] = omitted.into();
    }
    let location = call.answer.fields().find(|(name, _)| *name == "location").map(|(_, value)| value);
    let milliseconds = call.milliseconds();
    json!({
        "startedDateTime": call.at,
        "time": milliseconds,
        "request": request,
        "response": {
            "status": call.status.as_u16(),
            "statusText": call.status.canonical_reason().unwrap_or_default(),
            "httpVersion": version,
            "cookies": [],
            "headers": headers(&call.answer),
            "content": content,
            "redirectURL": location.unwrap_or_default(),
            "headersSize": -1,
            "bodySize": call.answer.octets,
        },
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "comment": call.findings.why.as_deref().unwrap_or_default(),
    })
}

fn headers(part: &Part) -> Vec<Value> {
    part.fields().map(|(name, value)| json!({"name": name, "value": value})).collect()
}
