//! Values that flow from step to step: `{{name}}` stands for one, `{{name:encoded}}` for one in a query.

use std::collections::BTreeMap;

use serde_json::Value;

/// The values that are known, by name.
pub(super) type Values = BTreeMap<String, String>;

/// One piece of a text: what stands there, or a place for a value.
enum Piece<'t> {
    Text(&'t str),
    Place { name: &'t str, encoded: bool },
}

/// A text in pieces. What looks like the beginning of a place and is none is text.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while let Some(begin) = rest.find("{{") {
        let inner = &rest[begin + 2..];
        let end = inner.find("}}").unwrap_or_default();
        let (name, encoded) = match inner[..end].strip_suffix(":encoded") {
            Some(name) => (name, true),
            None => (&inner[..end], false),
        };
        if name.is_empty() || !name.bytes().all(|letter| letter.is_ascii_alphabetic()) {
            pieces.push(Piece::Text(&rest[..begin + 2]));
            rest = inner;
            continue;
        }
        pieces.push(Piece::Text(&rest[..begin]));
        pieces.push(Piece::Place { name, encoded });
        rest = &inner[end + 2..];
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// The names of the values that a text needs.
pub(super) fn places(text: &str) -> Vec<String> {
    let name = |piece| match piece {
        Piece::Place { name, .. } => Some(name.to_owned()),
        Piece::Text(_) => None,
    };
    pieces(text).into_iter().filter_map(name).collect()
}

/// Puts values into the places of a text; the name of one that is not known is the error.
pub(super) fn fill(text: &str, values: &Values) -> Result<String, String> {
    let mut filled = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => filled += text,
            Piece::Place { name, encoded } => {
                let value = values.get(name).ok_or_else(|| name.to_owned())?;
                match encoded {
                    true => filled.extend(form_urlencoded::byte_serialize(value.as_bytes())),
                    false => filled += value,
                }
            }
        }
    }
    Ok(filled)
}

/// Puts values into the places of each text of a JSON value.
pub(super) fn fill_all(json: &Value, values: &Values) -> Result<Value, String> {
    Ok(match json {
        Value::String(text) => Value::String(fill(text, values)?),
        Value::Array(inner) => inner.iter().map(|one| fill_all(one, values)).collect::<Result<_, _>>()?,
        Value::Object(members) => {
            let filled = members.iter().map(|(name, one)| Ok((name.clone(), fill_all(one, values)?)));
            Value::Object(filled.collect::<Result<_, String>>()?)
        }
        other => other.clone(),
    })
}

/// Shows each text of a JSON value.
pub(super) fn texts(json: &Value, show: &mut impl FnMut(&str)) {
    match json {
        Value::String(text) => show(text),
        Value::Array(inner) => inner.iter().for_each(|one| texts(one, show)),
        Value::Object(members) => members.values().for_each(|one| texts(one, show)),
        _ => {}
    }
}

/// What stands at a path, for example `accounts.0.iban`.
pub(super) fn at<'j>(json: &'j Value, path: &str) -> Option<&'j Value> {
    path.split('.').try_fold(json, |inner, name| match inner {
        Value::Array(list) => list.get(name.parse::<usize>().ok()?),
        other => other.get(name),
    })
}

/// A value as it flows: a text without its quotes.
pub(super) fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn places_are_filled_and_everything_else_is_text() {
        let values =
            Values::from([("a".to_owned(), "1".to_owned()), ("uri".to_owned(), "http://x/?y".to_owned())]);
        for (text, filled) in [
            ("{{a}}", "1"),
            ("x{{a}}y{{a}}", "x1y1"),
            ("?u={{uri:encoded}}", "?u=http%3A%2F%2Fx%2F%3Fy"),
            ("{{", "{{"),
            ("{{a", "{{a"),
            ("{{}}", "{{}}"),
            ("{{a b}}", "{{a b}}"),
            ("{{{a}}", "{{{a}}"),
            ("{a}", "{a}"),
            ("\u{e9}{{a}}\u{e9}", "\u{e9}1\u{e9}"),
        ] {
            assert_eq!(fill(text, &values).as_deref(), Ok(filled), "{text}");
        }
        assert_eq!(fill("{{b}}", &values), Err("b".to_owned()));
        assert_eq!(places("{{b}} {{c:encoded}} {{ d }}"), ["b", "c"]);
        let json = json!({"x": ["{{a}}", 1, null, {"y": "{{a}}"}]});
        assert_eq!(fill_all(&json, &values), Ok(json!({"x": ["1", 1, null, {"y": "1"}]})));
    }

    #[test]
    fn paths_lead_through_lists_and_objects() {
        let json = json!({"accounts": [{"iban": "NL1"}], "n": 1});
        assert_eq!(at(&json, "accounts.0.iban"), Some(&json!("NL1")));
        for path in ["accounts.1.iban", "accounts.x", "n.0", "", "m"] {
            assert_eq!(at(&json, path), None, "{path}");
        }
        assert_eq!((as_text(&json!("t")), as_text(&json!(7))), ("t".to_owned(), "7".to_owned()));
    }
}
