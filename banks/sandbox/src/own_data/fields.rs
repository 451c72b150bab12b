//! What somebody wrote, before it is understood: members with their values, each with the line on which it stands.

use std::fmt;

use gateway::domain::hidden_in;

/// A value.
#[derive(Debug)]
pub(crate) enum Value {
    /// A text or a number, as it was written.
    Text(String),
    /// Several values.
    List(Vec<Located>),
    /// Members.
    Fields(Fields),
}

/// A value and the line on which it begins.
#[derive(Debug)]
pub(crate) struct Located {
    pub(crate) line: u64,
    pub(crate) value: Value,
}

/// Members, each of which occurs once. A member without a value is as good as none.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) line: u64,
    pub(crate) members: Vec<(String, Located)>,
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// 0 where there are no lines.
    line: u64,
    member: Option<String>,
    text: String,
}

impl Refused {
    pub(crate) fn at(line: u64, text: impl Into<String>) -> Self {
        Self { line, member: None, text: text.into() }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, &self.member) {
            (0, None) => {}
            (0, Some(member)) => write!(f, "{member}: ")?,
            (line, None) => write!(f, "line {line}: ")?,
            (line, Some(member)) => write!(f, "line {line}, {member}: ")?,
        }
        f.write_str(&self.text)
    }
}

impl Fields {
    /// The members of a JSON object, which has no lines.
    pub(crate) fn from_json(object: serde_json::Map<String, serde_json::Value>) -> Self {
        let members = object.into_iter().filter_map(|(name, value)| Some((name, located(value)?))).collect();
        Self { line: 0, members }
    }

    /// Refuses members with other names.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Refused> {
        match self.members.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, located)) => {
                let shown: String = name.chars().take(40).filter(|c| !c.is_control()).collect();
                let text = format!("\"{shown}\" is not known here; known are {}", known.join(", "));
                Err(Refused::at(located.line, text))
            }
        }
    }

    /// Refuses what a member says.
    pub(crate) fn refuse(&self, name: &str, text: impl fmt::Display) -> Refused {
        let line = self.find(name).map_or(self.line, |located| located.line);
        Refused { line, member: Some(name.to_owned()), text: text.to_string() }
    }

    /// A text.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Refused> {
        match self.find(name).map(|located| &located.value) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(_) => Err(self.refuse(name, "one value is expected here")),
        }
    }

    /// A text of 1 to `most` characters that can be shown.
    pub(crate) fn shown(&self, name: &str, most: usize) -> Result<Option<String>, Refused> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        if text.trim().is_empty() || text.chars().count() > most {
            return Err(self.refuse(name, format!("a text of 1 to {most} characters is expected")));
        }
        if let Some(hidden) = hidden_in(text) {
            let rule = format!(
                "it holds the character U+{:04X}, which cannot be shown; send characters that can",
                u32::from(hidden)
            );
            return Err(self.refuse(name, rule));
        }
        Ok(Some(text.to_owned()))
    }

    /// A text that is read by a function.
    pub(crate) fn read<T, E: fmt::Display>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Refused> {
        let text = self.text(name)?;
        text.map(|text| read(text).map_err(|error| self.refuse(name, error))).transpose()
    }

    /// What a list holds, each with members; nothing if there is no such list.
    pub(crate) fn list(&self, name: &str) -> Result<Vec<&Fields>, Refused> {
        match self.find(name).map(|located| &located.value) {
            None => Ok(Vec::new()),
            Some(Value::List(all)) => all
                .iter()
                .map(|one| match &one.value {
                    Value::Fields(fields) => Ok(fields),
                    _ => Err(Refused::at(
                        one.line,
                        format!("each of {name} is made of members, such as \"name: value\""),
                    )),
                })
                .collect(),
            Some(_) => Err(self.refuse(name, "a list is expected here")),
        }
    }

    fn find(&self, name: &str) -> Option<&Located> {
        self.members.iter().find(|(known, _)| known == name).map(|(_, located)| located)
    }
}

fn located(value: serde_json::Value) -> Option<Located> {
    use serde_json::Value as Json;
    let value = match value {
        Json::Null => return None,
        Json::Bool(truth) => Value::Text(truth.to_string()),
        Json::Number(number) => Value::Text(number.to_string()),
        Json::String(text) => Value::Text(text),
        Json::Array(all) => Value::List(all.into_iter().filter_map(located).collect()),
        Json::Object(object) => Value::Fields(Fields::from_json(object)),
    };
    Some(Located { line: 0, value })
}
