//! Bodies in JSON: objects are objects, and what is wrong is said by the names of members.
//!
//! A derived reader of a struct takes an array as well, keeps the last of two members with one name, or tells the
//! caller names of types of this program. So a body is read into a tree first, and from there into its type. In the tree a
//! number is the text that was sent: an amount that went through a double would be another one.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, Unexpected, Visitor};
use serde_json::value::RawValue;

/// Objects and arrays within each other, at most.
const MAX_DEPTH: usize = 128;

/// The name of the newtype struct that is given numbers as they were written, and texts.
const WRITTEN: &str = "Written";

/// Why a body is not what the endpoint reads. `Display` says where and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    /// The member that is wrong, for example `access.accounts[0]`; empty for the body itself.
    path: String,
    what: String,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            let subject = if self.what.starts_with("has ") { "it " } else { "" };
            return write!(f, "{subject}{}", self.what);
        }
        write!(f, "{} {}", self.path, self.what)
    }
}

impl std::error::Error for JsonError {}

/// Reads a body that is a JSON object.
///
/// # Errors
/// [`JsonError`]
pub fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, JsonError> {
    match tree(body)? {
        tree @ Tree::Object(_) => T::deserialize(tree),
        _ => Err(wrong("it must be a JSON object")),
    }
}

/// Reads a body that is any JSON.
///
/// # Errors
/// [`JsonError`]
pub fn read_any_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, JsonError> {
    T::deserialize(tree(body)?)
}

fn tree(body: &[u8]) -> Result<Tree, JsonError> {
    let whole: &RawValue = serde_json::from_slice(body).map_err(|error| {
        // "expected value at line 1 column 1": the words of the grammar, and where.
        wrong(error.to_string().replace(" column ", ", column "))
    })?;
    Tree::read(whole, 0)
}

/// Checks that a body whose members nobody reads is empty or a JSON object.
///
/// # Errors
/// [`JsonError`]
pub fn check_json_object(body: &[u8]) -> Result<(), JsonError> {
    if body.trim_ascii().is_empty() {
        return Ok(());
    }
    read_json::<std::collections::BTreeMap<String, de::IgnoredAny>>(body).map(|_| ())
}

fn wrong(what: impl Into<String>) -> JsonError {
    JsonError { path: String::new(), what: what.into() }
}

fn must_be(expected: impl fmt::Display) -> JsonError {
    wrong(format!("must be {expected}"))
}

fn expected(what: impl fmt::Display) -> JsonError {
    wrong(format!("is wrong: expected {what}"))
}

impl JsonError {
    /// The same error one level further up.
    fn within(mut self, step: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{step}{dot}{}", self.path);
        self
    }
}

impl de::Error for JsonError {
    fn custom<T: fmt::Display>(text: T) -> Self {
        wrong(text.to_string())
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        self::expected(expected)
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        self::expected(expected)
    }

    fn missing_field(field: &'static str) -> Self {
        wrong(format!("has a missing field `{field}`"))
    }

    /// Each name occurs once where this is asked: the other one is another spelling of it.
    fn duplicate_field(field: &'static str) -> Self {
        wrong(format!("has the field `{field}` twice, once in another spelling; send it once"))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        wrong(format!("has an unknown field `{}`; known are {}", shown(field), expected.join(", ")))
    }
}

/// A name that a caller sent, short enough for a text.
fn shown(name: &str) -> String {
    name.chars().take(40).collect()
}

/// A JSON text, its members in their order, each name once.
#[derive(Debug, Clone)]
enum Tree {
    Null,
    Truth(bool),
    /// As it was written.
    Number(String),
    Text(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// Reads what the grammar took: a level at a time, so that what is wrong further in is said by its path.
    fn read(raw: &RawValue, depth: usize) -> Result<Self, JsonError> {
        let text = raw.get();
        if depth > MAX_DEPTH {
            return Err(wrong(format!("has more than {MAX_DEPTH} levels")));
        }
        Ok(match text.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't') => Self::Truth(true),
            Some(b'f') => Self::Truth(false),
            Some(b'"') => Self::Text(part(text)?),
            Some(b'[') => {
                let elements: Vec<&RawValue> = part(text)?;
                let read = |(place, element)| {
                    Self::read(element, depth + 1).map_err(|error| error.within(&format!("[{place}]")))
                };
                Self::Array(elements.into_iter().enumerate().map(read).collect::<Result<_, _>>()?)
            }
            Some(b'{') => {
                let RawMembers(members) = part(text)?;
                let mut names = std::collections::HashSet::new();
                if let Some((twice, _)) = members.iter().find(|(name, _)| !names.insert(name)) {
                    return Err(wrong(format!("has a duplicate field `{}`", shown(twice))));
                }
                let read = |(name, value): (String, _)| match Self::read(value, depth + 1) {
                    Ok(value) => Ok((name, value)),
                    Err(error) => Err(error.within(&shown(&name))),
                };
                Self::Object(members.into_iter().map(read).collect::<Result<_, _>>()?)
            }
            _ => Self::Number(text.to_owned()),
        })
    }
}

/// Reads one level. The grammar was looked at before, so what is wrong is within a text.
fn part<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, JsonError> {
    serde_json::from_str(text).map_err(|error| {
        let text = error.to_string();
        wrong(format!("is wrong: {}", text.split(" at line ").next().unwrap_or_default()))
    })
}

/// The members of an object, one level of it.
struct RawMembers<'t>(Vec<(String, &'t RawValue)>);

impl<'de: 't, 't> Deserialize<'de> for RawMembers<'t> {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Level;
        impl<'de> Visitor<'de> for Level {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(member) = members.next_entry()? {
                    all.push(member);
                }
                Ok(all)
            }
        }
        deserializer.deserialize_map(Level).map(Self)
    }
}

/// The members of an object, as they are handed to a type.
struct Members {
    left: std::vec::IntoIter<(String, Tree)>,
    value: Option<(String, Tree)>,
}

impl<'de> de::MapAccess<'de> for Members {
    type Error = JsonError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, JsonError> {
        let Some((name, value)) = self.left.next() else { return Ok(None) };
        let key = seed.deserialize(name.as_str().into_deserializer())?;
        self.value = Some((name, value));
        Ok(Some(key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, JsonError> {
        let (name, value) = self.value.take().unwrap_or((String::new(), Tree::Null));
        seed.deserialize(value).map_err(|error| error.within(&shown(&name)))
    }
}

/// The elements of an array.
struct Elements {
    left: std::iter::Enumerate<std::vec::IntoIter<Tree>>,
}

impl<'de> de::SeqAccess<'de> for Elements {
    type Error = JsonError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, JsonError> {
        let Some((position, value)) = self.left.next() else { return Ok(None) };
        seed.deserialize(value).map(Some).map_err(|error| error.within(&format!("[{position}]")))
    }
}

impl Tree {
    fn object<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        match self {
            Self::Object(members) => visitor.visit_map(Members { left: members.into_iter(), value: None }),
            _ => Err(must_be("an object")),
        }
    }

    fn number<'de, V: Visitor<'de>>(self, visitor: V, what: &str) -> Result<V::Value, JsonError> {
        match self {
            Self::Number(_) => de::Deserializer::deserialize_any(self, visitor).map_err(|_| expected(what)),
            _ => Err(expected(what)),
        }
    }
}

/// Methods that read a whole number.
macro_rules! whole_numbers {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
            self.number(visitor, "a whole number in range")
        })*
    };
}

/// Methods that read a text.
macro_rules! texts {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
            match self {
                Self::Text(text) => visitor.visit_string(text),
                _ => Err(expected("a string")),
            }
        })*
    };
}

impl<'de> de::Deserializer<'de> for Tree {
    type Error = JsonError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Truth(value) => visitor.visit_bool(value),
            Self::Number(written) => match (written.parse(), written.parse(), written.parse()) {
                (Ok(number), ..) => visitor.visit_i64(number),
                (_, Ok(number), _) => visitor.visit_u64(number),
                (.., Ok(number)) if f64::is_finite(number) => visitor.visit_f64(number),
                _ => Err(expected("a number in range")),
            },
            Self::Text(text) => visitor.visit_string(text),
            Self::Array(elements) => visitor.visit_seq(Elements { left: elements.into_iter().enumerate() }),
            Self::Object(_) => self.object(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        match self {
            Self::Truth(value) => visitor.visit_bool(value),
            _ => Err(expected("true or false")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        match self {
            Self::Null => visitor.visit_none(),
            value => visitor.visit_some(value),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        match self {
            Self::Array(_) => self.deserialize_any(visitor),
            _ => Err(must_be("an array")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        self.object(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        self.object(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        match self {
            Self::Text(text) if variants.contains(&text.as_str()) => {
                visitor.visit_enum(text.into_deserializer())
            }
            _ => Err(must_be(format!("one of {}", variants.join(", ")))),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        match self {
            Self::Number(written) if name == WRITTEN => visitor.visit_string(written),
            value => visitor.visit_newtype_struct(value),
        }
    }

    whole_numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16
        deserialize_u32 deserialize_u64
    }

    texts! { deserialize_char deserialize_str deserialize_string deserialize_identifier }

    serde::forward_to_deserialize_any! {
        i128 u128 f32 f64 bytes byte_buf unit unit_struct tuple tuple_struct ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    struct Body {
        access: Access,
        #[serde(default)]
        how_often: Option<i64>,
        #[serde(default)]
        is_new: bool,
        #[serde(default)]
        kind: Option<Kind>,
    }

    #[derive(Debug, Deserialize)]
    struct Access {
        accounts: Vec<Reference>,
        #[serde(default)]
        other: Option<serde_json::Value>,
    }

    #[derive(Debug, Deserialize)]
    struct Reference {
        iban: Option<String>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "kebab-case")]
    enum Kind {
        OneOff,
    }

    #[test]
    fn what_is_right_is_read() {
        let text = r#" {"access": {"accounts": [{"iban": "é\u00e9"}, {"iban": null, "x": [1]}], "other": {"a": [1.5]}},
            "howOften": 4, "isNew": true, "kind": "one-off"} "#;
        let body: Body = read_json(text.as_bytes()).unwrap();
        assert_eq!(body.access.accounts[0].iban.as_deref(), Some("éé"));
        assert_eq!(body.access.accounts[1].iban, None);
        assert_eq!(body.access.other.unwrap()["a"][0], 1.5);
        assert_eq!((body.how_often, body.is_new, body.kind), (Some(4), true, Some(Kind::OneOff)));
        let body: Body = read_json(br#"{"access": {"accounts": []}, "howOften": null}"#).unwrap();
        assert_eq!((body.how_often, body.is_new), (None, false));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, said) in [
            ("", "EOF while parsing a value at line 1, column 0"),
            ("{", "EOF while parsing an object at line 1, column 1"),
            ("null", "it must be a JSON object"),
            ("[]", "it must be a JSON object"),
            ("[{\"accounts\": []}]", "it must be a JSON object"),
            ("\"x\"", "it must be a JSON object"),
            ("{}", "it has a missing field `access`"),
            (r#"{"access": []}"#, "access must be an object"),
            (r#"{"access": [[]]}"#, "access must be an object"),
            (r#"{"access": "x"}"#, "access must be an object"),
            (r#"{"access": {}}"#, "access has a missing field `accounts`"),
            (r#"{"access": {"accounts": {}}}"#, "access.accounts must be an array"),
            (r#"{"access": {"accounts": [{}, ["x"]]}}"#, "access.accounts[1] must be an object"),
            (
                r#"{"access": {"accounts": [{"iban": 1}]}}"#,
                "access.accounts[0].iban is wrong: expected a string",
            ),
            (
                r#"{"access": {"accounts": []}, "howOften": 1.5}"#,
                "howOften is wrong: expected a whole number in range",
            ),
            (
                r#"{"access": {"accounts": []}, "howOften": "1"}"#,
                "howOften is wrong: expected a whole number in range",
            ),
            (r#"{"access": {"accounts": []}, "isNew": 1}"#, "isNew is wrong: expected true or false"),
            (r#"{"access": {"accounts": []}, "kind": "x"}"#, "kind must be one of one-off"),
            (r#"{"access": {"accounts": []}, "kind": {}}"#, "kind must be one of one-off"),
            (r#"{"x": 1}"#, "it has an unknown field `x`; known are access, howOften, isNew, kind"),
        ] {
            let error = read_json::<Body>(text.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), said, "{text}");
        }
        assert!(read_json::<Body>(b"{\"a\": \"\xff\"}").is_err());
    }

    #[test]
    fn a_member_in_two_spellings_is_told_so() {
        #[derive(Debug, Deserialize)]
        #[expect(dead_code, reason = "it is read and nothing else")]
        struct Address {
            #[serde(alias = "postCode")]
            postcode: String,
        }
        let error = read_json::<Address>(br#"{"postCode": "1", "postcode": "1"}"#).unwrap_err().to_string();
        assert_eq!(error, "it has the field `postcode` twice, once in another spelling; send it once");
    }

    #[test]
    fn what_is_no_json_is_named_by_its_place() {
        for (text, said) in [
            (r#"{"access": NaN}"#, "expected value at line 1, column 12"),
            (r#"{"howOften": 01}"#, "invalid number at line 1, column 15"),
            (r#"{"howOften": 1e999}"#, "howOften is wrong: expected a whole number in range"),
            ("{} {}", "trailing characters at line 1, column 4"),
            (r#"{"access": {"accounts": [], "accounts": []}}"#, "access has a duplicate field `accounts`"),
            (r#"{"isNew": true, "isNew": true}"#, "it has a duplicate field `isNew`"),
            (r#"{"isNew": true, "is\u004eew": true}"#, "it has a duplicate field `isNew`"),
            (
                r#"{"access": {"accounts": [{"iban": "\ud800"}]}}"#,
                "access.accounts[0].iban is wrong: unexpected end of hex escape",
            ),
            (
                r#"{"access": {"accounts": [{"iban": "\udc00x"}]}}"#,
                "access.accounts[0].iban is wrong: lone leading surrogate in hex escape",
            ),
        ] {
            let error = read_json::<Body>(text.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), said, "{text}");
        }
        let deep = format!("{{\"access\": {}1{}}}", "[".repeat(500), "]".repeat(500));
        let error = read_json::<Body>(deep.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with("access[0][0]") && error.ends_with("has more than 128 levels"), "{error}");
    }

    #[test]
    fn numbers_are_what_was_written() {
        #[derive(Debug)]
        struct Written(String);
        impl<'de> Deserialize<'de> for Written {
            fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl Visitor<'_> for Text {
                    type Value = Written;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a number")
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<Written, E> {
                        Ok(Written(text.to_owned()))
                    }
                }
                deserializer.deserialize_newtype_struct("Written", Text)
            }
        }
        for written in ["1.1000000000000000000001", "12.50", "-0", "1e2", "123456789012345678901234567890"] {
            let body = format!("[{written}]");
            let read: Vec<Written> = read_any_json(body.as_bytes()).unwrap();
            assert_eq!(read[0].0, written);
        }
        let any: serde_json::Value = read_any_json(br#"[1, -1, 18446744073709551615, 1.5, null]"#).unwrap();
        assert_eq!(any, serde_json::json!([1, -1, u64::MAX, 1.5, null]));
    }

    #[test]
    fn bodies_that_nobody_reads_are_objects_too() {
        for right in ["", " ", "{}", r#"{"a": [1]}"#] {
            assert_eq!(check_json_object(right.as_bytes()), Ok(()), "{right}");
        }
        for wrong in ["[]", "[{}]", "1", "null", "x"] {
            assert!(check_json_object(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
