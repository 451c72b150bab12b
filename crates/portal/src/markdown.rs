//! From Markdown to the HTML of a page: headings that can be linked, code with a button that copies, tables that scroll.
//!
//! The texts are our own and compiled in; markup in them is text all the same.

use std::collections::BTreeSet;

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// A heading of the contents.
pub(crate) struct Heading {
    /// What links name it by.
    pub(crate) id: String,
    pub(crate) text: String,
    /// Whether it is below another one.
    pub(crate) is_below: bool,
}

/// A page without its first heading.
pub(crate) struct Rendered {
    pub(crate) html: String,
    pub(crate) headings: Vec<Heading>,
}

/// What a heading is linked by, as hosts of repositories make it: letters in lower case, digits, hyphens, and hyphens for
/// blanks.
pub(crate) fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Renders a text; `own` puts the addresses of this bank in the place of those that a text names.
pub(crate) fn render(text: &str, own: &dyn Fn(&str) -> String) -> Rendered {
    let mut events = Parser::new_ext(text, Options::ENABLE_TABLES).peekable();
    let mut writer =
        Writer { events: Vec::new(), headings: Vec::new(), ids: BTreeSet::new(), blocks: 0, own };
    while let Some(event) = events.next() {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                let inner: Vec<_> = events
                    .by_ref()
                    .take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))))
                    .collect();
                writer.heading(level, inner);
            }
            Event::Start(Tag::CodeBlock(_)) => {
                let inner =
                    events.by_ref().take_while(|event| !matches!(event, Event::End(TagEnd::CodeBlock)));
                let code: String = inner.filter_map(text_of).collect();
                writer.code(&code);
            }
            Event::Start(Tag::Table(columns)) => {
                writer.markup(r#"<div class="scroll" role="group" aria-label="Table" tabindex="0">"#);
                writer.events.push(Event::Start(Tag::Table(columns)));
            }
            Event::End(TagEnd::Table) => {
                writer.events.push(Event::End(TagEnd::Table));
                writer.markup("</div>");
            }
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let dest_url = CowStr::from(link(&dest_url));
                writer.events.push(Event::Start(Tag::Link { link_type, dest_url, title, id }));
            }
            Event::Code(code) => writer.events.push(Event::Code(own(&code).into())),
            Event::Html(markup) | Event::InlineHtml(markup) => writer.events.push(Event::Text(markup)),
            other => writer.events.push(other),
        }
    }
    let mut made = String::with_capacity(text.len() * 2);
    html::push_html(&mut made, writer.events.into_iter());
    Rendered { html: made, headings: writer.headings }
}

/// Where a link between the files leads between the pages.
fn link(target: &str) -> String {
    let (file, rest) = target.split_at(target.find('#').unwrap_or(target.len()));
    match file.strip_suffix(".md") {
        Some(name) if !file.contains("://") => format!("/portal/guides/{name}{rest}"),
        _ => target.to_owned(),
    }
}

fn text_of(event: Event<'_>) -> Option<String> {
    match event {
        Event::Text(text) | Event::Code(text) => Some(text.into_string()),
        _ => None,
    }
}

struct Writer<'a> {
    events: Vec<Event<'a>>,
    headings: Vec<Heading>,
    ids: BTreeSet<String>,
    blocks: usize,
    own: &'a dyn Fn(&str) -> String,
}

impl<'a> Writer<'a> {
    fn markup(&mut self, markup: impl Into<CowStr<'a>>) {
        self.events.push(Event::Html(markup.into()));
    }

    /// A heading with a link to itself. The first one of a page is the page's title, which stands elsewhere.
    fn heading(&mut self, level: HeadingLevel, inner: Vec<Event<'a>>) {
        if level == HeadingLevel::H1 {
            return;
        }
        let text: String = inner.iter().cloned().filter_map(text_of).collect();
        let (first, mut times) = (anchor(&text), 0);
        let mut id = first.clone();
        while !self.ids.insert(id.clone()) {
            times += 1;
            id = format!("{first}-{times}");
        }
        self.markup(format!("<{level} id=\"{id}\">"));
        self.events.extend(inner);
        self.events.push(Event::Text(" ".into()));
        self.markup(format!(
            "<a class=\"anchor\" href=\"#{id}\" aria-label=\"Link to this part\">#</a></{level}>\n"
        ));
        let is_below = level != HeadingLevel::H2;
        self.headings.push(Heading { id, text, is_below });
    }

    /// A block of code with a button that copies it.
    fn code(&mut self, code: &str) {
        self.blocks += 1;
        let id = format!("code-{}", self.blocks);
        self.markup(format!("<div class=\"command\"><pre tabindex=\"0\"><code id=\"{id}\">"));
        self.events.push(Event::Text((self.own)(code.trim_end()).into()));
        self.markup(format!(
            "</code></pre><button type=\"button\" class=\"copy\" data-copy-from=\"#{id}\" \
             aria-label=\"Copy this block\"></button></div>\n"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_code_tables_and_links() {
        let text = "# Title\n\nA [link](other.md#a-b), [one](https://a.example/b.md) and `x <y`.\n\n## A: b\n\n## A b\n\n\
                    ```sh\necho '<b>' http://old\n```\n\n| a | b |\n|---|---|\n| 1 | <i>2</i> |\n";
        let rendered = render(text, &|text| text.replace("http://old", "http://new"));
        let ids: Vec<_> = rendered.headings.iter().map(|heading| heading.id.as_str()).collect();
        assert_eq!(ids, ["a-b", "a-b-1"]);
        for part in [
            "href=\"/portal/guides/other#a-b\"",
            "href=\"https://a.example/b.md\"",
            "<code>x &lt;y</code>",
            "<h2 id=\"a-b-1\">",
            "echo '&lt;b&gt;' http://new</code>",
            "data-copy-from=\"#code-1\"",
            "<td>&lt;i&gt;2&lt;/i&gt;</td>",
        ] {
            assert!(rendered.html.contains(part), "{part} is not in {}", rendered.html);
        }
        assert!(!rendered.html.contains("Title"));
    }
}
