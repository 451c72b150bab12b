//! YAML as members with their lines. Anchors, aliases and tags are not taken: no text grows by being read.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::fields::{Fields, Located, Refused, Value};

/// How deep values may stand in each other.
const MAX_DEPTH: usize = 12;

/// What a plain scalar says if it stands for nothing.
const NOTHING: [&str; 3] = ["", "~", "null"];

/// Reads one document, which is made of members.
///
/// # Errors
/// [`Refused`] with the line
pub(crate) fn read(text: &str) -> Result<Fields, Refused> {
    let mut reader = Reader(Parser::new_from_str(text));
    let mut document = None;
    loop {
        let (event, span) = reader.next()?;
        let line = line(span);
        match event {
            Event::StreamEnd => break,
            Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
            event if document.is_none() => document = reader.value(event, line, 0)?,
            _ => return Err(Refused::at(line, "one document is expected, and here begins another one")),
        }
    }
    match document {
        Some(Located { value: Value::Fields(fields), .. }) => Ok(fields),
        Some(Located { line, .. }) => {
            Err(Refused::at(line, "members are expected, customers or transactions"))
        }
        None => Err(Refused::at(1, "nothing is there; members are expected, customers or transactions")),
    }
}

struct Reader<'t>(Parser<'t, saphyr_parser::StrInput<'t>>);

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), Refused> {
        match self.0.next() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => {
                let line = u64::try_from(error.marker().line()).unwrap_or(0);
                Err(Refused::at(line, format!("this is no YAML: {}", error.info())))
            }
            None => Err(Refused::at(0, "the document ends in its middle")),
        }
    }

    /// The value that an event begins; none if it says that there is nothing.
    fn value(&mut self, event: Event<'t>, begun: u64, depth: usize) -> Result<Option<Located>, Refused> {
        if depth > MAX_DEPTH {
            return Err(Refused::at(begun, format!("values stand in each other more than {MAX_DEPTH} deep")));
        }
        let special =
            || Refused::at(begun, "anchors, aliases and tags are not taken; write the value itself");
        let value = match event {
            Event::Scalar(text, style, 0, None) => {
                if style == ScalarStyle::Plain && NOTHING.contains(&&*text) {
                    return Ok(None);
                }
                Value::Text(text.into_owned())
            }
            Event::SequenceStart(0, None) => {
                let mut all = Vec::new();
                loop {
                    let (event, span) = self.next()?;
                    if event == Event::SequenceEnd {
                        break Value::List(all);
                    }
                    let line = line(span);
                    let nothing = || Refused::at(line, "there is nothing after the dash");
                    all.push(self.value(event, line, depth + 1)?.ok_or_else(nothing)?);
                }
            }
            Event::MappingStart(0, None) => self.fields(begun, depth)?,
            _ => return Err(special()),
        };
        Ok(Some(Located { line: begun, value }))
    }

    fn fields(&mut self, begun: u64, depth: usize) -> Result<Value, Refused> {
        let mut fields = Fields { line: begun, members: Vec::new() };
        loop {
            let (event, span) = self.next()?;
            let at = line(span);
            let name = match event {
                Event::MappingEnd => return Ok(Value::Fields(fields)),
                Event::Scalar(name, _, 0, None) => name.into_owned(),
                _ => return Err(Refused::at(at, "the name of a member is a text")),
            };
            let (event, span) = self.next()?;
            let line = line(span).max(at);
            let value = self.value(event, line, depth + 1)?;
            if fields.members.iter().any(|(known, _)| *known == name) {
                let shown: String = name.chars().take(40).filter(|c| !c.is_control()).collect();
                return Err(Refused::at(at, format!("\"{shown}\" stands here twice")));
            }
            if let Some(value) = value {
                // A list or members begin below; what is wrong with the member is told at its name.
                fields.members.push((name, Located { line: at, ..value }));
            }
        }
    }
}

fn line(span: Span) -> u64 {
    u64::try_from(span.start.line()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_taken_is_told_with_its_line() {
        for (text, expected) in [
            ("", "line 1: nothing is there"),
            ("- a", "line 1: members are expected"),
            ("a: 1\nb: [", "line 3: this is no YAML"),
            ("a: 1\nb: 2\na: 3\n", "line 3: \"a\" stands here twice"),
            ("a: &x 1\nb: *x\n", "line 1: anchors, aliases and tags are not taken"),
            ("a: !!str 1", "line 1: anchors"),
            ("a: 1\n---\nb: 2\n", "here begins another one"),
            ("a:\n  -\n", "there is nothing after the dash"),
            ("? [a]\n: b\n", "the name of a member is a text"),
            (&format!("a: {}", "[".repeat(200)), "more than 12 deep"),
        ] {
            let refused = read(text).map(|_| ()).unwrap_err().to_string();
            assert!(refused.contains(expected), "{text}: {refused}");
        }
        let fields = read("amount: -12.50 # so\ntext: 'null'\nname: ~\n").unwrap();
        assert_eq!((fields.text("amount"), fields.text("text")), (Ok(Some("-12.50")), Ok(Some("null"))));
        assert_eq!(fields.text("name"), Ok(None));
    }
}
