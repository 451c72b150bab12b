//! Documents in XML as anybody may send them, read into a small tree (XML 1.0, Namespaces in XML 1.0).
//!
//! The grammar is a library's. What a payment never needs and an attacker does is refused here: document types and with
//! them every entity of one's own, other encodings than UTF-8, depth, many elements, long tags and texts, other
//! namespaces, processing instructions. A comment is no part of a text, and what is left of the text is read as a whole.

use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use quick_xml::name::{NamespaceError, ResolveResult};
use quick_xml::{Error, NsReader, XmlVersion};

use super::pain001::DocumentError;

/// Deepest nesting. A payment has ten levels.
const MAX_DEPTH: usize = 20;
/// Most elements. A hundred transfers with all that can be said of each have fewer.
const MAX_ELEMENTS: usize = 20_000;
/// Longest start tag, in octets.
const MAX_TAG: usize = 2048;
/// Longest text of an element, in octets.
const MAX_TEXT: usize = 4096;

/// An element of the document's one namespace.
#[derive(Debug)]
pub(super) struct Element {
    /// Its name without a prefix.
    pub(super) name: String,
    /// Attributes without a prefix.
    pub(super) attributes: Vec<(String, String)>,
    /// Its text, blanks at both ends taken off.
    pub(super) text: String,
    /// The elements in it.
    pub(super) children: Vec<Element>,
}

/// Reads a document whose elements all are in one of some namespaces; which one, and the root.
pub(super) fn read(
    body: &[u8],
    namespaces: &[&'static str],
) -> Result<(&'static str, Element), DocumentError> {
    let text = utf8(body)?;
    let mut reader = NsReader::from_str(text);
    reader.config_mut().enable_all_checks(true);
    reader.config_mut().expand_empty_elements = true;
    let mut tree = Tree::new(namespaces);
    loop {
        let begins_at = reader.buffer_position();
        let taken = match reader.read_resolved_event() {
            Ok((_, Event::Eof)) => break,
            Ok((namespace, event)) => tree.take(&namespace, event, begins_at == 0),
            Err(Error::Namespace(NamespaceError::TooManyBindings(most))) => {
                Err(format!("there are more than {most} declarations of namespaces"))
            }
            Err(error) => Err(error.to_string()),
        };
        if let Err(what) = taken {
            let offset = reader.error_position().max(begins_at);
            return Err(DocumentError::new(format!("{}: {what}", place(text, offset))));
        }
    }
    tree.finish().map_err(DocumentError::new)
}

/// The document as text.
fn utf8(body: &[u8]) -> Result<&str, DocumentError> {
    let is_wide = matches!(body, [0xfe, 0xff, ..] | [0xff, 0xfe, ..] | [0, ..] | [_, 0, ..]);
    if is_wide {
        return Err(DocumentError::new("the document is in UTF-16 or UTF-32; send it in UTF-8"));
    }
    let text = std::str::from_utf8(body).map_err(|error| {
        DocumentError::new(format!(
            "octet {} is no UTF-8; send the document in UTF-8",
            error.valid_up_to() + 1
        ))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_ascii().is_empty() {
        return Err(DocumentError::new("there is no document; send one"));
    }
    Ok(text)
}

/// Where something is, as people count.
fn place(text: &str, offset: u64) -> String {
    let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(text.len());
    let before = text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    format!("line {line}, column {column}")
}

/// What was read so far.
struct Tree<'n> {
    namespaces: &'n [&'static str],
    namespace: Option<&'static str>,
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl<'n> Tree<'n> {
    fn new(namespaces: &'n [&'static str]) -> Self {
        Self { namespaces, namespace: None, open: Vec::new(), root: None, elements: 0 }
    }

    fn take(
        &mut self,
        namespace: &ResolveResult<'_>,
        event: Event<'_>,
        is_first: bool,
    ) -> Result<(), String> {
        match event {
            Event::Start(tag) => self.open(namespace, &tag),
            Event::End(_) => self.close(),
            Event::Text(text) => self.text(&text.xml10_content(), Source::Text),
            Event::CData(text) => self.text(&text.xml10_content(), Source::CData),
            Event::GeneralRef(reference) => self.text(&character(&reference)?, Source::Reference),
            Event::Decl(declaration) if is_first => check_declaration(&declaration),
            Event::Decl(_) => {
                Err("an XML declaration stands at the very beginning and nowhere else".to_owned())
            }
            Event::DocType(_) => Err("a document type declaration is not taken; leave it out".to_owned()),
            Event::PI(_) => Err("a processing instruction is not taken; leave it out".to_owned()),
            // The reader expands empty elements and the loop ends with the document.
            Event::Comment(_) | Event::Empty(_) | Event::Eof => Ok(()),
        }
    }

    fn open(&mut self, namespace: &ResolveResult<'_>, tag: &BytesStart<'_>) -> Result<(), String> {
        if tag.len() > MAX_TAG {
            return Err(format!("a tag is longer than {MAX_TAG} octets"));
        }
        if self.root.is_some() {
            return Err("there is something after the end of the document".to_owned());
        }
        if self.open.len() == MAX_DEPTH {
            return Err(format!("elements are nested deeper than {MAX_DEPTH} levels"));
        }
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(format!("there are more than {MAX_ELEMENTS} elements"));
        }
        let name = tag.local_name().into_inner().to_owned();
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(format!("\"{}\" is no name of an element", shorten(&name)));
        }
        self.check_namespace(namespace, &name)?;
        let attributes = tag.attributes().map(|attribute| {
            let attribute = attribute.map_err(|error| format!("the tag {name}: {error}"))?;
            let value = attribute_value(&name, &attribute)?;
            Ok((attribute.key.into_inner().to_owned(), value))
        });
        let attributes = attributes.collect::<Result<Vec<_>, String>>()?;
        let attributes = attributes.into_iter().filter(|(name, _)| !name.contains(':')).collect();
        self.open.push(Element { name, attributes, text: String::new(), children: Vec::new() });
        Ok(())
    }

    /// The first element says which namespace it is, and all others are in the same one.
    fn check_namespace(&mut self, namespace: &ResolveResult<'_>, name: &str) -> Result<(), String> {
        let got = match namespace {
            ResolveResult::Bound(namespace) => namespace.into_inner(),
            ResolveResult::Unbound => "",
            ResolveResult::Unknown(prefix) => {
                return Err(format!("the prefix {} is bound to no namespace", shorten(prefix)));
            }
        };
        let right = match self.namespace {
            Some(namespace) => vec![namespace],
            None => self.namespaces.to_vec(),
        };
        if let Some(known) = right.iter().find(|known| **known == got) {
            self.namespace = Some(known);
            return Ok(());
        }
        let got = match got {
            "" => "no namespace".to_owned(),
            got => format!("the namespace \"{}\"", got.chars().take(80).collect::<String>()),
        };
        Err(format!("the element {} is in {got}; it must be in {}", shorten(name), right.join(" or ")))
    }

    fn close(&mut self) -> Result<(), String> {
        // The reader has matched start and end.
        let Some(mut element) = self.open.pop() else { return Ok(()) };
        element.text = element.text.trim_matches(is_blank).to_owned();
        if !element.text.is_empty() && !element.children.is_empty() {
            return Err(format!("the element {} holds a text beside elements", element.name));
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str, source: Source) -> Result<(), String> {
        if let Some(wrong) = text.chars().find(|c| !is_character(*c)) {
            return Err(format!("U+{:04X} is no character of XML", u32::from(wrong)));
        }
        if source == Source::Text && text.contains("]]>") {
            return Err("]]> stands outside of a CDATA section; write ]]&gt;".to_owned());
        }
        let Some(element) = self.open.last_mut() else {
            if source == Source::Text && text.chars().all(is_blank) {
                return Ok(());
            }
            return Err("there is text outside of the document".to_owned());
        };
        if element.text.is_empty() && text.chars().all(is_blank) {
            return Ok(());
        }
        if element.text.len() + text.len() > MAX_TEXT {
            return Err(format!("the text of {} is longer than {MAX_TEXT} octets", element.name));
        }
        element.text.push_str(text);
        Ok(())
    }

    fn finish(self) -> Result<(&'static str, Element), String> {
        if let Some(open) = self.open.last() {
            return Err(format!("the document ends within the element {}", open.name));
        }
        self.namespace.zip(self.root).ok_or_else(|| "there is no element; send a document".to_owned())
    }
}

/// Where a text comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Text,
    CData,
    Reference,
}

/// What stands for a character: one of the five names of XML, or its number.
fn character(reference: &BytesRef<'_>) -> Result<String, String> {
    if let Some(text) = quick_xml::escape::resolve_xml_entity(reference) {
        return Ok(text.to_owned());
    }
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Ok(character.to_string()),
        Ok(None) => Err(format!(
            "the entity &{}; is not known; there are amp, lt, gt, apos, quot and numbers",
            shorten(reference)
        )),
        Err(error) => Err(error.to_string()),
    }
}

fn attribute_value(element: &str, attribute: &Attribute<'_>) -> Result<String, String> {
    let value = attribute
        .normalized_value_with(XmlVersion::Explicit1_0, 1, quick_xml::escape::resolve_xml_entity)
        .map_err(|error| format!("an attribute of {element}: {error}"))?;
    match value.chars().find(|c| !is_character(*c) || *c == '<') {
        Some(wrong) => Err(format!("an attribute of {element} holds U+{:04X}", u32::from(wrong))),
        None => Ok(value.into_owned()),
    }
}

fn check_declaration(declaration: &BytesDecl<'_>) -> Result<(), String> {
    let version = declaration.version().map_err(|error| error.to_string())?;
    if version != "1.0" {
        return Err(format!("XML {} is not taken; send XML 1.0", shorten(&version)));
    }
    let Some(encoding) = declaration.encoding() else { return Ok(()) };
    let encoding = encoding.map_err(|error| format!("the XML declaration: {error}"))?;
    if encoding.eq_ignore_ascii_case("UTF-8") {
        return Ok(());
    }
    Err(format!("the encoding \"{}\" is not taken; send the document in UTF-8", shorten(&encoding)))
}

/// Blanks (XML 1.0, production 3).
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// Characters that a document may hold (XML 1.0, production 2).
fn is_character(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

/// A part of what a caller sent, short enough for a text and without what cannot be shown.
pub(super) fn shorten(text: &str) -> String {
    text.chars().take(40).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
