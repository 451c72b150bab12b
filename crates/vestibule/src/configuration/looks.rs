//! How the pages look.

use std::path::PathBuf;

use quick_xml::Reader as XmlReader;
use quick_xml::events::{BytesStart, Event};
use toml::Spanned;
use toml::de::DeValue;
use web::{Colours, DARK, House, LIGHT, LogoKind, READABLE};

use super::files::octets;
use super::page_texts::Texts;
use super::section::{Fault, Place, Reader, Value, section};
use super::values::parsed;

/// Largest logo, in octets.
const LARGEST: usize = 64 * 1024;

/// Longest side of a logo in PNG, in points.
const LONGEST: u32 = 2048;

/// Most elements of a logo in SVG.
const ELEMENTS: usize = 5000;

section! {
    /// How the pages look on which customers log in and decide. Text has to be readable: colours whose contrast is below 4.5 to 1 (WCAG 2.2) are
    /// refused. What the pages say is a matter of [texts].
    Looks "looks" {
        /// The bank's logo, SVG or PNG of at most 64 KiB. It is shown 40 points high, and stands for the bank in the browser's tabs too.
        logo_file: Option<LogoFile>, Optional("\"logo.svg\"");
        /// Whether the bank's name is part of the picture, so that it does not stand beside.
        logo_says_name: bool, Default("false");
        /// Colour of links and buttons.
        accent: Option<Colour>, Optional("\"#1d5c63\"");
        /// The same where the customer's device is set to dark.
        accent_dark: Option<Colour>, Optional("\"#7fd0d8\"");
        /// Colour behind everything.
        background: Option<Colour>, Optional("\"#fdfcfa\"");
        /// The same where the customer's device is set to dark.
        background_dark: Option<Colour>, Optional("\"#14191c\"");
    }
}

impl Looks {
    /// What the pages take of it.
    pub(crate) fn of_pages(&self, texts: &Texts) -> web::Looks {
        let logo = self.logo_file.as_ref().map(|file| web::Logo {
            kind: file.kind,
            octets: file.octets.as_slice().into(),
            says_name: self.logo_says_name,
        });
        web::Looks { logo, light: self.light(), dark: self.dark(), texts: texts.of_pages() }
    }

    fn light(&self) -> Colours {
        Colours { accent: self.accent.map(|it| it.0), paper: self.background.map(|it| it.0) }
    }

    fn dark(&self) -> Colours {
        Colours { accent: self.accent_dark.map(|it| it.0), paper: self.background_dark.map(|it| it.0) }
    }

    /// Checks what belongs together.
    pub(super) fn check(&self, reader: &mut Reader<'_>) {
        if self.logo_says_name && self.logo_file.is_none() {
            reader.together("looks.logo_says_name", "there is no logo_file");
        }
        let schemes: [(Colours, House, [&str; 2]); 2] = [
            (self.light(), LIGHT, ["accent", "background"]),
            (self.dark(), DARK, ["accent_dark", "background_dark"]),
        ];
        for (colours, house, [accent, background]) in schemes {
            // One message a colour, of what can be read worst.
            let mut worst = colours.unreadable(house);
            worst.sort_by(|one, two| one.contrast.total_cmp(&two.contrast));
            let Some(pair) = worst.first() else { continue };
            let is_of_background = colours.accent.is_none() || !pair.is_accent;
            let (key, what) = match (pair.is_accent, is_of_background) {
                (true, false) => (accent, "links and buttons"),
                (true, true) => (background, "links and buttons"),
                (false, _) => (background, "text"),
            };
            let text = format!(
                "{what} of the colour {} on {} have a contrast of {:.1} to 1, and {READABLE} to 1 is what can be read; take a {} \
                 colour",
                pair.colour,
                pair.paper,
                // Rounded down, so that what is refused does not look good enough.
                (pair.contrast * 10.0).floor() / 10.0,
                if (house.is_light()) == (key == accent) { "darker" } else { "lighter" },
            );
            reader.together(&format!("looks.{key}"), text);
        }
    }
}

/// A colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colour(web::Colour);

impl Value for Colour {
    fn what() -> String {
        "a colour as #rrggbb".to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, _: &Place<'_>) -> Result<Self, Vec<Fault>> {
        parsed(value, "a colour as #rrggbb, such as #1d5c63", |text| web::Colour::parse(text).map(Self))
    }
}

/// A logo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogoFile {
    path: PathBuf,
    kind: LogoKind,
    octets: Vec<u8>,
}

impl Value for LogoFile {
    fn what() -> String {
        "a path of a file in SVG or PNG".to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, place: &Place<'_>) -> Result<Self, Vec<Fault>> {
        let (path, octets) = octets(value, place)?;
        match checked(&octets) {
            Ok(kind) => Ok(Self { path, kind, octets }),
            Err(text) => Err(Fault::at(value, format!("{}: {text}", path.display()))),
        }
    }
}

/// What a logo is, if it is one that can be served.
fn checked(octets: &[u8]) -> Result<LogoKind, String> {
    if octets.len() > LARGEST {
        return Err("a logo has at most 64 KiB".to_owned());
    }
    if let Some(rest) = octets.strip_prefix(b"\x89PNG\r\n\x1a\n") {
        return png(rest).map(|()| LogoKind::Png);
    }
    match std::str::from_utf8(octets) {
        Ok(text) if text.trim_start().starts_with('<') => svg(text).map(|()| LogoKind::Svg),
        _ => Err("this is neither SVG nor PNG".to_owned()),
    }
}

/// Checks the chunks of a PNG from behind its signature (PNG, third edition, 5).
fn png(mut rest: &[u8]) -> Result<(), String> {
    let broken = || "this PNG is broken off, or none".to_owned();
    let mut is_first = true;
    loop {
        let (head, body) = rest.split_at_checked(8).ok_or_else(broken)?;
        let (length, kind) = head.split_at(4);
        let length = length.iter().fold(0_usize, |sum, octet| sum << 8 | usize::from(*octet));
        let (data, after) = body.split_at_checked(length).ok_or_else(broken)?;
        rest = after.get(4..).ok_or_else(broken)?;
        match (is_first, kind) {
            (true, b"IHDR") if data.len() == 13 => {
                let side = |from: usize| {
                    data.iter().skip(from).take(4).fold(0_u32, |sum, octet| sum << 8 | u32::from(*octet))
                };
                let (width, height) = (side(0), side(4));
                if !(1..=LONGEST).contains(&width) || !(1..=LONGEST).contains(&height) {
                    return Err(format!(
                        "{width} by {height} points; a logo has at most {LONGEST} by {LONGEST}"
                    ));
                }
            }
            (true, _) => return Err(broken()),
            (false, b"IEND") if rest.is_empty() => return Ok(()),
            (false, b"IEND") => return Err("something follows the end of this PNG".to_owned()),
            (false, _) => {}
        }
        is_first = false;
    }
}

/// The elements of a picture, none of which does or loads anything.
const PICTURE: [&str; 28] = [
    "svg",
    "g",
    "path",
    "rect",
    "circle",
    "ellipse",
    "line",
    "polyline",
    "polygon",
    "text",
    "tspan",
    "defs",
    "linearGradient",
    "radialGradient",
    "stop",
    "clipPath",
    "mask",
    "use",
    "symbol",
    "title",
    "desc",
    "pattern",
    "filter",
    "feGaussianBlur",
    "feOffset",
    "feBlend",
    "feColorMatrix",
    "feFlood",
];

/// Checks that an SVG is a picture and nothing else: it is served from where customers log in.
fn svg(text: &str) -> Result<(), String> {
    let mut reader = XmlReader::from_str(text);
    let (mut depth, mut elements) = (0_usize, 0_usize);
    loop {
        let event = reader.read_event().map_err(|error| format!("this is no XML: {error}"))?;
        match event {
            Event::DocType(_) => return Err("a logo has no DOCTYPE".to_owned()),
            Event::PI(_) => return Err("a logo has no processing instructions".to_owned()),
            Event::GeneralRef(_) | Event::Decl(_) | Event::Comment(_) | Event::Text(_) | Event::CData(_) => {}
            Event::Start(start) => {
                element(&start, elements == 0)?;
                depth += 1;
                elements += 1;
            }
            Event::Empty(start) => {
                element(&start, elements == 0)?;
                elements += 1;
            }
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::Eof if depth > 0 || elements == 0 => return Err("this SVG is broken off".to_owned()),
            Event::Eof => return Ok(()),
        }
        if elements > ELEMENTS {
            return Err(format!("a logo has at most {ELEMENTS} elements"));
        }
    }
}

fn element(start: &BytesStart<'_>, is_root: bool) -> Result<(), String> {
    let name = start.name().as_ref().to_owned();
    if is_root && name != "svg" {
        return Err(format!("<{}> is no SVG", name.escape_debug()));
    }
    if !PICTURE.contains(&name.as_str()) {
        return Err(format!(
            "<{}> does not belong in a logo; save it as a plain SVG of shapes, gradients and text",
            name.escape_debug()
        ));
    }
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute =
            attribute.map_err(|error| format!("an attribute of <{name}> cannot be read: {error}"))?;
        let key = attribute.key.as_ref().to_owned();
        let value = attribute.value.trim().to_owned();
        let is_reference = key == "href" || key.ends_with(":href");
        if key.to_ascii_lowercase().starts_with("on") || is_reference && !value.starts_with('#') {
            return Err(format!("{} of <{name}> does not belong in a logo", key.escape_debug()));
        }
        attributes.push((key, value));
    }
    let has =
        |name: &str, value: &str| attributes.iter().any(|(key, given)| key == name && given.contains(value));
    if is_root && !has("xmlns", "http://www.w3.org/2000/svg") {
        return Err(
            "<svg> has to say xmlns=\"http://www.w3.org/2000/svg\", or browsers do not show it".to_owned()
        );
    }
    if is_root && !has("viewBox", "") {
        return Err("<svg> has to have a viewBox, so that it can be shown at any size".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PNG of a size with no points, which is enough for what is looked at.
    fn sized(width: u32, height: u32) -> Vec<u8> {
        let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
        for (kind, data) in [
            (b"IHDR", [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat()),
            (b"IEND", Vec::new()),
        ] {
            png.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
            png.extend([&kind[..], &data, &[0; 4]].concat());
        }
        png
    }

    #[test]
    fn a_picture_is_taken() {
        assert_eq!(checked(&sized(300, 40)), Ok(LogoKind::Png));
        let svg = |inside: &str| {
            format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 9 9\">{inside}</svg>")
        };
        for inside in [
            "<g><path d=\"M0 0h9v9z\" fill=\"#123456\"/></g>",
            "<defs><linearGradient id=\"a\"/></defs><use href=\"#a\"/>",
            "<title>A &amp; B</title>",
        ] {
            assert_eq!(checked(svg(inside).as_bytes()), Ok(LogoKind::Svg), "{inside}");
        }
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let svg = |inside: &str| {
            format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 9 9\">{inside}</svg>")
        };
        let cases = [
            (svg("<script>alert(1)</script>"), "<script> does not belong"),
            (svg("<g onload=\"alert(1)\"/>"), "onload of <g>"),
            (svg("<g ONLOAD=\"alert(1)\"/>"), "ONLOAD of <g>"),
            (svg("<foreignObject/>"), "<foreignObject> does not belong"),
            (svg("<image href=\"https://evil.example/x.png\"/>"), "<image> does not belong"),
            (svg("<use href=\"https://evil.example/x.svg#a\"/>"), "href of <use>"),
            (svg("<use xlink:href=\"data:image/svg+xml,x\"/>"), "xlink:href of <use>"),
            (svg("<style>@import 'x'</style>"), "<style> does not belong"),
            (svg("<a href=\"#x\"/>"), "<a> does not belong"),
            (svg("<g>"), "no XML"),
            (svg("<x:script/>"), "<x:script> does not belong"),
            (format!("<!DOCTYPE svg [<!ENTITY a \"b\">]>{}", svg("")), "no DOCTYPE"),
            (format!("<?xml-stylesheet href=\"x\"?>{}", svg("")), "no processing instructions"),
            ("<svg viewBox=\"0 0 9 9\"/>".to_owned(), "has to say xmlns"),
            ("<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_owned(), "has to have a viewBox"),
            ("<html/>".to_owned(), "<html> is no SVG"),
            ("GIF89a".to_owned(), "neither SVG nor PNG"),
            (String::new(), "neither SVG nor PNG"),
            (svg(&"<g/>".repeat(5001)), "at most 5000 elements"),
            (svg(&" ".repeat(LARGEST)), "at most 64 KiB"),
        ];
        for (text, said) in cases {
            let told = checked(text.as_bytes()).unwrap_err();
            assert!(told.contains(said), "{said}: {told}");
        }
        for (octets, said) in [
            (sized(4000, 40), "4000 by 40 points"),
            (sized(0, 40), "0 by 40 points"),
            (sized(9, 9)[..40].to_vec(), "broken off"),
            ([sized(9, 9), b"<script>".to_vec()].concat(), "something follows the end"),
        ] {
            let told = checked(&octets).unwrap_err();
            assert!(told.contains(said), "{said}: {told}");
        }
    }
}
