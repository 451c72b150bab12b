//! Fields of a request's body. An explicit null means absent; unknown fields are ignored.

use gateway::domain::{Currency, Date, Money, Timestamp, hidden_in, parse_day, parse_moment};
use jiff::tz::Offset;
use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde_json::{Map, Value};

use crate::error::Error;

/// Longest text of a field, in characters, unless the field says otherwise.
const MAX_TEXT: usize = 10_000;

/// Longest certificate with its chain, in characters: eight certificates of 16 KiB.
const MAX_CERTIFICATES: usize = 131_072;

/// The fields of an object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a> {
    object: Option<&'a Map<String, Value>>,
    /// Where the object is in the body, for messages.
    within: &'a str,
}

impl<'a> Fields<'a> {
    /// The fields of a body, an object or nothing at all: an empty body is good where every field is optional.
    pub(crate) fn of(body: &'a Value) -> Self {
        Self { object: body.as_object(), within: "" }
    }

    /// The fields of an object in the body.
    fn inside(value: &'a Value, name: &'a str) -> Result<Self, Error> {
        let object = value.as_object();
        let object = object.ok_or_else(|| Error::bad(format!("The field \"{name}\" must be an object.")))?;
        Ok(Self { object: Some(object), within: name })
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        self.object?.get(name).filter(|value| !value.is_null())
    }

    fn shown(&self, name: &str) -> String {
        if self.within.is_empty() { name.to_owned() } else { format!("{}.{name}", self.within) }
    }

    fn missing(&self, name: &str) -> Error {
        Error::bad(format!("The field \"{}\" is required.", self.shown(name)))
    }

    fn empty(&self, name: &str) -> Error {
        Error::bad(format!("The field \"{}\" is required, and must not be empty.", self.shown(name)))
    }

    fn wrong(&self, name: &str, expected: &str) -> Error {
        Error::bad(format!("The field \"{}\" must be {expected}.", self.shown(name)))
    }

    /// A text that may be absent, with nothing in it that cannot be seen or turns what is shown around.
    pub(crate) fn optional_text(&self, name: &str) -> Result<Option<&'a str>, Error> {
        self.text_of(name, MAX_TEXT)?.map(|text| self.shown_whole(name, text)).transpose()
    }

    fn shown_whole(&self, name: &str, text: &'a str) -> Result<&'a str, Error> {
        let Some(hidden) = hidden_in(text) else { return Ok(text) };
        Err(Error::bad(format!(
            "The field \"{}\" holds the character U+{:04X}, which cannot be shown; send characters that can.",
            self.shown(name),
            u32::from(hidden)
        )))
    }

    /// Certificates that must be there, in PEM.
    pub(crate) fn certificates(&self, name: &str) -> Result<&'a str, Error> {
        self.present(name, self.text_of(name, MAX_CERTIFICATES)?)
    }

    /// A key or a signature that must be there, as PEM or base64 with its lines.
    pub(crate) fn armoured(&self, name: &str) -> Result<&'a str, Error> {
        self.present(name, self.text_of(name, MAX_TEXT)?).map(str::trim)
    }

    fn present(&self, name: &str, text: Option<&'a str>) -> Result<&'a str, Error> {
        match text {
            None => Err(self.missing(name)),
            Some(text) if text.trim().is_empty() => Err(self.empty(name)),
            Some(text) => Ok(text),
        }
    }

    fn text_of(&self, name: &str, max: usize) -> Result<Option<&'a str>, Error> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| self.wrong(name, "a text"))?;
        if text.chars().count() > max {
            return Err(self.wrong(name, &format!("at most {max} characters long")));
        }
        Ok(Some(text))
    }

    /// A text that must be there and not be empty.
    pub(crate) fn text(&self, name: &str) -> Result<&'a str, Error> {
        self.shown_whole(name, self.present(name, self.text_of(name, MAX_TEXT)?)?.trim())
    }

    /// The same with at most so many characters.
    pub(crate) fn short_text(&self, name: &str, max: usize) -> Result<&'a str, Error> {
        self.at_most(name, self.text(name)?, max)
    }

    /// The same where it may be absent, as it was sent.
    pub(crate) fn optional_short_text(&self, name: &str, max: usize) -> Result<Option<&'a str>, Error> {
        self.optional_text(name)?.map(|text| self.at_most(name, text, max)).transpose()
    }

    fn at_most(&self, name: &str, text: &'a str, max: usize) -> Result<&'a str, Error> {
        if text.chars().count() <= max {
            return Ok(text);
        }
        Err(Error::bad(format!("The field \"{}\" has more than {max} characters.", self.shown(name))))
    }

    /// An amount that may be absent.
    pub(crate) fn optional_amount(&self, name: &'a str) -> Result<Option<Money>, Error> {
        self.get(name).map(|_| self.amount(name)).transpose()
    }

    /// One of the words of a type, if it is there.
    pub(crate) fn optional_word<T: Deserialize<'a>>(&self, name: &str) -> Result<Option<T>, Error> {
        let Some(text) = self.optional_text(name)? else { return Ok(None) };
        let read: Result<T, Words> = T::deserialize(StrDeserializer::new(text));
        read.map(Some).map_err(|Words(words)| self.wrong(name, &format!("one of {words}")))
    }

    /// One of the words of a type.
    pub(crate) fn word<T: Deserialize<'a>>(&self, name: &str) -> Result<T, Error> {
        self.optional_word(name)?.ok_or_else(|| self.missing(name))
    }

    /// The one word that there is, if it is there.
    pub(crate) fn optional_constant(&self, name: &str, word: &str) -> Result<(), Error> {
        let is_other = self.optional_text(name)?.is_some_and(|text| text != word);
        if is_other { Err(self.wrong(name, &format!("one of {word}"))) } else { Ok(()) }
    }

    /// The one word that there is.
    pub(crate) fn constant(&self, name: &str, word: &str) -> Result<(), Error> {
        self.optional_constant(name, word)?;
        self.get(name).map(drop).ok_or_else(|| self.missing(name))
    }

    /// A truth value that must be there.
    pub(crate) fn truth(&self, name: &str) -> Result<bool, Error> {
        let value = self.get(name).ok_or_else(|| self.missing(name))?;
        value.as_bool().ok_or_else(|| self.wrong(name, "true or false"))
    }

    /// A whole number that must be there.
    pub(crate) fn integer(&self, name: &str) -> Result<i64, Error> {
        let value = self.get(name).ok_or_else(|| self.missing(name))?;
        value.as_i64().ok_or_else(|| self.wrong(name, "a whole number of at most 18 digits"))
    }

    /// A whole number that may be absent.
    pub(crate) fn optional_integer(&self, name: &str) -> Result<Option<i64>, Error> {
        self.get(name).map(|_| self.integer(name)).transpose()
    }

    /// An object that must be there.
    pub(crate) fn object(&self, name: &'a str) -> Result<Fields<'a>, Error> {
        Self::inside(self.get(name).ok_or_else(|| self.missing(name))?, name)
    }

    /// A list of objects; empty if absent.
    pub(crate) fn objects(&self, name: &'a str) -> Result<Vec<Fields<'a>>, Error> {
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        let list = value.as_array().ok_or_else(|| self.wrong(name, "a list"))?;
        list.iter().map(|value| Self::inside(value, name)).collect()
    }

    /// A list of texts; absent if it is not there.
    pub(crate) fn optional_texts(&self, name: &str) -> Result<Option<Vec<&'a str>>, Error> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let list = value.as_array().ok_or_else(|| self.wrong(name, "a list"))?;
        let texts =
            list.iter().map(|value| value.as_str().ok_or_else(|| self.wrong(name, "a list of texts")));
        texts.collect::<Result<_, _>>().map(Some)
    }

    /// An amount that must be there: a decimal text with no more places than its currency has, and the currency.
    pub(crate) fn amount(&self, name: &'a str) -> Result<Money, Error> {
        let fields = self.object(name)?;
        let code = fields.text("currency")?;
        let currency = Currency::from_code(code)
            .ok_or_else(|| fields.wrong("currency", "a code of ISO 4217 such as EUR"))?;
        let value = fields.present("value", fields.optional_text("value")?)?;
        let wrong = |error| Error::bad(format!("The field \"{}\" is wrong: {error}.", fields.shown("value")));
        Money::parse(value, currency).map_err(wrong)
    }

    /// An amount greater than nothing.
    pub(crate) fn positive_amount(&self, name: &'a str) -> Result<Money, Error> {
        let amount = self.amount(name)?;
        if amount.minor > 0 {
            return Ok(amount);
        }
        Err(Error::bad(format!("The field \"{}.value\" must be greater than 0.", self.shown(name))))
    }

    /// A moment, if it is there: `2026-03-01 00:00:00.000000`, UTC; with a `T` as well.
    pub(crate) fn optional_time(&self, name: &str) -> Result<Option<Timestamp>, Error> {
        let Some(text) = self.optional_text(name)? else { return Ok(None) };
        let expected = "a moment in UTC such as 2026-03-01 00:00:00.000000, in a year from 1900 to 9999";
        parse_moment(text, Some(Offset::UTC)).map(Some).map_err(|_| self.wrong(name, expected))
    }

    /// A day that must be there.
    pub(crate) fn day(&self, name: &str) -> Result<Date, Error> {
        let text = self.optional_text(name)?.ok_or_else(|| self.missing(name))?;
        let expected = "a day written YYYY-MM-DD such as 2026-01-31, in a year from 1900 to 9999";
        parse_day(text).map_err(|_| self.wrong(name, expected))
    }
}

/// The words of a type, for whoever sent another one.
#[derive(Debug)]
struct Words(String);

impl serde::de::Error for Words {
    fn custom<T: std::fmt::Display>(text: T) -> Self {
        Self(text.to_string())
    }

    fn unknown_variant(_: &str, words: &'static [&'static str]) -> Self {
        Self(words.join(", "))
    }
}

impl std::fmt::Display for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Words {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wire::payments::Unit;

    #[test]
    fn words_are_those_of_their_type() {
        let body = json!({"unit": "WEEKLY", "other": "weekly", "number": 1, "none": null});
        let fields = Fields::of(&body);
        let refused = |name: &str| fields.word::<Unit>(name).unwrap_err().text;
        assert_eq!(fields.word::<Unit>("unit").unwrap(), Unit::Weekly);
        assert_eq!(
            refused("other"),
            "The field \"other\" must be one of ONCE, HOURLY, DAILY, WEEKLY, MONTHLY, YEARLY."
        );
        assert_eq!(refused("number"), "The field \"number\" must be a text.");
        assert_eq!(refused("none"), "The field \"none\" is required.");
        assert_eq!(fields.optional_word::<Unit>("none").unwrap(), None);
    }

    #[test]
    fn a_constant_has_one_word() {
        let body = json!({"purpose": "PAYMENT"});
        let fields = Fields::of(&body);
        assert!(fields.constant("purpose", "PAYMENT").is_ok() && fields.optional_constant("x", "Y").is_ok());
        let refused = |name, word| fields.constant(name, word).unwrap_err().text;
        assert_eq!(refused("purpose", "OTHER"), "The field \"purpose\" must be one of OTHER.");
        assert_eq!(refused("reason", "OTHER"), "The field \"reason\" is required.");
    }
}
