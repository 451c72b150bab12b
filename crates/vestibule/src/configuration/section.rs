//! How a section of the file is described once: names, types, defaults and texts of its keys. Reading, the example and the
//! reference page all come from that.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::secrecy::is_name;

/// What a key holds.
pub(crate) trait Value: Sized {
    /// Whether it never stands in the file: `key = "env:NAME"` or `key_file = "path"` say where it is.
    const IS_SECRET: bool = false;

    /// What is expected, with its article, for messages and the reference.
    fn what() -> String;

    /// Reads it.
    ///
    /// # Errors
    /// What is wrong, each with where it stands.
    fn read(value: &Spanned<DeValue<'_>>, place: &Place<'_>) -> Result<Self, Vec<Fault>>;

    /// Reads a secret from the file that `key_file` names.
    ///
    /// # Errors
    /// As [`Value::read`]
    fn read_file(value: &Spanned<DeValue<'_>>, _: &Place<'_>) -> Result<Self, Vec<Fault>> {
        Err(Fault::at(value, "this is no secret"))
    }

    /// What a key stands for that is not there, if it may be left out.
    fn absent() -> Option<Self> {
        None
    }
}

/// Something that is wrong, and the octet of the file at which it stands.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) text: String,
}

impl Fault {
    /// One fault of a value.
    pub(crate) fn at(value: &Spanned<DeValue<'_>>, text: impl Into<String>) -> Vec<Self> {
        vec![Self { at: value.span().start, text: text.into() }]
    }
}

/// What values are read with beside the file.
pub(crate) struct Place<'a> {
    /// The file's folder: paths in it begin there.
    pub(crate) folder: PathBuf,
    /// Looks a variable up.
    pub(crate) environment: &'a dyn Fn(&str) -> Option<OsString>,
}

/// How a key can be left out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Given {
    /// It cannot; the example has this value.
    Required(&'static str),
    /// It has this value then.
    Default(&'static str),
    /// It has none then; the example has this one.
    Optional(&'static str),
}

/// A key as it is described.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) what: fn() -> String,
    pub(crate) is_secret: bool,
    pub(crate) given: Given,
    pub(crate) text: &'static [&'static str],
}

impl Key {
    /// What the file calls it: a secret is shown by the file that holds it.
    pub(crate) fn written(&self) -> String {
        if self.is_secret { format!("{}_file", self.name) } else { self.name.to_owned() }
    }
}

/// A section.
pub(crate) trait Section: Sized {
    /// Its name in brackets.
    const NAME: &'static str;
    /// What it is about.
    const ABOUT: &'static [&'static str];
    /// Its keys in their order.
    const KEYS: &'static [Key];

    /// Reads it; none if something is wrong, which the reader has noted.
    fn read(reader: &mut Reader<'_>, table: &DeTable<'_>) -> Option<Self>;
}

/// Makes the type of a section, and all that is said of it, of one description.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        $name:ident $section:literal {
            $( $(#[doc = $text:literal])+ $key:ident: $type:ty, $given:ident($written:literal); )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq)]
        pub(crate) struct $name {
            $( $(#[doc = $text])+ pub(crate) $key: $type, )+
        }

        impl $crate::configuration::section::Section for $name {
            const NAME: &'static str = $section;
            const ABOUT: &'static [&'static str] = &[$($about),+];
            const KEYS: &'static [$crate::configuration::section::Key] = &[
                $( $crate::configuration::section::Key {
                    name: stringify!($key),
                    what: <$type as $crate::configuration::section::Value>::what,
                    is_secret: <$type as $crate::configuration::section::Value>::IS_SECRET,
                    given: $crate::configuration::section::Given::$given($written),
                    text: &[$($text),+],
                }, )+
            ];

            fn read(
                reader: &mut $crate::configuration::section::Reader<'_>,
                table: &toml::de::DeTable<'_>,
            ) -> Option<Self> {
                $( let $key = reader.key::<$type>($section, table, stringify!($key),
                    $crate::configuration::section::Given::$given($written)); )+
                Some(Self { $( $key: $key? ),+ })
            }
        }
    };
}
pub(crate) use section;

/// Something that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line, if it is one of the file.
    pub line: Option<usize>,
    /// What is wrong, and what would be right.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

/// Reads a file, and notes everything that is wrong with it.
pub(crate) struct Reader<'a> {
    source: &'a str,
    place: Place<'a>,
    /// Lines of the keys that are there, by `section.key`, and of the sections.
    lines: HashMap<String, usize>,
    /// Whether the file could be read to its end: if not, nobody can say what is missing.
    is_whole: bool,
    pub(crate) problems: Vec<Problem>,
    /// What is no reason against the file, and is to be told.
    pub(crate) remarks: Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// Reads the file's structure.
    pub(crate) fn new(source: &'a str, place: Place<'a>) -> (Self, Spanned<DeTable<'a>>) {
        let (table, errors) = DeTable::parse_recoverable(source);
        let (lines, is_whole) = (HashMap::new(), errors.is_empty());
        let mut reader = Self { source, place, lines, is_whole, problems: Vec::new(), remarks: Vec::new() };
        for error in errors {
            let line = error.span().map(|span| reader.line(span.start));
            reader.problems.push(Problem { line, text: format!("this is no TOML: {}", error.message()) });
        }
        (reader, table)
    }

    /// Reads a section that may be left out if all its keys may.
    pub(crate) fn section<S: Section>(&mut self, file: &DeTable<'_>) -> Option<S> {
        match self.optional::<S>(file)? {
            Some(section) => Some(section),
            None => S::read(self, &DeTable::new()),
        }
    }

    /// Reads a section that may be left out as a whole.
    pub(crate) fn optional<S: Section>(&mut self, file: &DeTable<'_>) -> Option<Option<S>> {
        let Some((name, value)) = file.get_key_value(S::NAME) else { return Some(None) };
        let line = self.line(name.span().start);
        self.lines.insert(S::NAME.to_owned(), line);
        let DeValue::Table(table) = value.get_ref() else {
            self.wrong(Some(line), format!("{0} is a section: write [{0}] and its keys below it", S::NAME));
            return None;
        };
        for name in table.keys() {
            self.known::<S>(name);
        }
        S::read(self, table).map(Some)
    }

    /// Notes a key that the section does not have.
    fn known<S: Section>(&mut self, name: &Spanned<std::borrow::Cow<'_, str>>) {
        let is = |key: &Key| {
            let name = name.get_ref();
            key.name == name || (key.is_secret && name.strip_suffix("_file") == Some(key.name))
        };
        let line = self.line(name.span().start);
        self.lines.insert(format!("{}.{}", S::NAME, name.get_ref()), line);
        if !S::KEYS.iter().any(is) {
            let keys: Vec<_> = S::KEYS.iter().map(Key::written).collect();
            let key = self.unknown("key", name.get_ref());
            self.wrong(Some(line), format!("[{}] has no {key}; its keys are {}", S::NAME, keys.join(", ")));
        }
    }

    /// Notes sections that no file has.
    pub(crate) fn known_sections(&mut self, file: &DeTable<'_>, sections: &[&str]) {
        for (name, value) in file {
            if !sections.contains(&&**name.get_ref()) {
                let line = self.line(name.span().start);
                let kind = match value.get_ref() {
                    DeValue::Table(_) => "section",
                    _ => "key outside of a section",
                };
                let unknown = self.unknown(kind, name.get_ref());
                self.wrong(
                    Some(line),
                    format!("there is no {unknown}; the sections are {}", sections.join(", ")),
                );
            }
        }
    }

    /// A section or a key that no file has, by its name where that is one. In a file that is no TOML it may be anything.
    fn unknown(&self, kind: &str, name: &str) -> String {
        match self.is_whole && is_name(name) {
            true => format!("{kind} \"{name}\""),
            false => format!("such {kind}"),
        }
    }

    /// Reads a key; none if something is wrong.
    pub(crate) fn key<V: Value>(
        &mut self,
        section: &'static str,
        table: &DeTable<'_>,
        name: &'static str,
        given: Given,
    ) -> Option<V> {
        let beside = V::IS_SECRET.then(|| table.get(&*format!("{name}_file"))).flatten();
        let read = match (table.get(name), beside) {
            (Some(value), Some(_)) => {
                Err(Fault::at(value, format!("{name} and {name}_file are the same thing; keep one of them")))
            }
            (Some(value), None) => V::read(value, &self.place),
            (None, Some(value)) => V::read_file(value, &self.place),
            (None, None) => return self.left_out(section, name, given),
        };
        match read {
            Ok(value) => Some(value),
            Err(faults) => {
                for Fault { at, text } in faults {
                    let line = self.line(at);
                    self.wrong(Some(line), format!("[{section}] {name}: {text}"));
                }
                None
            }
        }
    }

    fn left_out<V: Value>(&mut self, section: &'static str, name: &'static str, given: Given) -> Option<V> {
        match given {
            Given::Optional(_) => V::absent(),
            Given::Default(written) => {
                let line = format!("{name} = {written}");
                let table = DeTable::parse(&line).ok()?;
                V::read(table.get_ref().get(name)?, &self.place).ok()
            }
            Given::Required(example) => {
                if self.is_whole {
                    let name = if V::IS_SECRET { format!("{name}_file") } else { name.to_owned() };
                    self.wrong(
                        self.lines.get(section).copied(),
                        format!("[{section}] {name} is missing: {}, such as {name} = {example}", V::what()),
                    );
                }
                None
            }
        }
    }

    /// Notes what is wrong with keys that are good each for itself; `key` is `section.key`.
    pub(crate) fn together(&mut self, key: &str, text: impl Into<String>) {
        let problem = self.about(key, &text.into());
        self.problems.push(problem);
    }

    /// Notes what is to be told of a key, `section.name`, and is no reason against the file.
    pub(crate) fn remark(&mut self, key: &str, text: &str) {
        let remark = self.about(key, text);
        self.remarks.push(remark);
    }

    fn about(&self, key: &str, text: &str) -> Problem {
        let section = key.split('.').next().unwrap_or(key);
        let line = self.lines.get(key).or_else(|| self.lines.get(section)).copied();
        let place = key
            .split_once('.')
            .map_or_else(|| format!("[{key}]"), |(section, name)| format!("[{section}] {name}"));
        Problem { line, text: format!("{place}: {text}") }
    }

    fn wrong(&mut self, line: Option<usize>, text: String) {
        self.problems.push(Problem { line, text });
    }

    fn line(&self, at: usize) -> usize {
        self.source.bytes().take(at).filter(|octet| *octet == b'\n').count() + 1
    }
}
