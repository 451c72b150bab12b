//! How a bank wants its pages to look, in place of the house's own looks: a logo and colours; and what it adds to their words.

use std::fmt;
use std::sync::Arc;

use crate::bank_texts::BankTexts;
use crate::brand::{Brand, ShownLogo};

/// The contrast that text needs (WCAG 2.2, 1.4.3).
pub const READABLE: f64 = 4.5;

/// How pages look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Looks {
    /// The bank's logo.
    pub logo: Option<Logo>,
    /// Colours in light.
    pub light: Colours,
    /// Colours in dark.
    pub dark: Colours,
    /// In which languages they speak, and what stands at their foot.
    pub texts: Arc<BankTexts>,
}

/// A logo, which was checked by whoever brings it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo {
    /// What it is.
    pub kind: LogoKind,
    /// The file.
    pub octets: Arc<[u8]>,
    /// Whether the bank's name is part of the picture, so that it does not stand beside.
    pub says_name: bool,
}

/// What a logo is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogoKind {
    /// SVG.
    Svg,
    /// PNG.
    Png,
}

impl Logo {
    /// Its path.
    pub(crate) fn path(&self) -> &'static str {
        match self.kind {
            LogoKind::Svg => "/assets/logo.svg",
            LogoKind::Png => "/assets/logo.png",
        }
    }

    pub(crate) fn media_type(&self) -> &'static str {
        match self.kind {
            LogoKind::Svg => "image/svg+xml",
            LogoKind::Png => "image/png",
        }
    }
}

impl Looks {
    /// What pages show of it, where it is not known at which branch the browser is.
    pub fn brand(&self, is_for_tests: bool) -> Brand {
        let logo = self.logo.as_ref();
        let logo = logo.map(|logo| ShownLogo { path: logo.path(), says_name: logo.says_name });
        Brand { name: String::new(), is_for_tests, logo, texts: Arc::clone(&self.texts) }
    }

    /// What follows the style sheet.
    pub(crate) fn css(&self) -> String {
        let mut css = String::new();
        let light = self.light.css(LIGHT);
        if !light.is_empty() {
            css += &format!(":root {{ {light} }}\n");
        }
        // Those of light come after the house's own of dark, which hold all the same.
        let dark = Colours {
            accent: self.dark.accent.or(self.light.accent.map(|_| DARK.accent)),
            paper: self.dark.paper.or(self.light.paper.map(|_| DARK.paper)),
        };
        let dark = dark.css(DARK);
        if !dark.is_empty() {
            css += &format!("@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n");
        }
        css
    }
}

/// Colours that a bank chose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Colours {
    /// Of links and buttons.
    pub accent: Option<Colour>,
    /// Behind everything.
    pub paper: Option<Colour>,
}

/// The house's colours that others stand beside; a test holds them against `tokens.css`.
#[derive(Debug, Clone, Copy)]
pub struct House {
    accent: Colour,
    paper: Colour,
    ink: Colour,
    quiet: Colour,
}

impl House {
    /// Whether dark is read on light.
    pub fn is_light(&self) -> bool {
        self.paper.luminance() > self.ink.luminance()
    }
}

/// Those of light.
pub const LIGHT: House = House {
    accent: Colour(0x1d, 0x5c, 0x63),
    paper: Colour(0xfd, 0xfc, 0xfa),
    ink: Colour(0x1d, 0x24, 0x28),
    quiet: Colour(0x56, 0x60, 0x67),
};

/// Those of dark.
pub const DARK: House = House {
    accent: Colour(0x7f, 0xd0, 0xd8),
    paper: Colour(0x14, 0x19, 0x1c),
    ink: Colour(0xe7, 0xe9, 0xea),
    quiet: Colour(0xa3, 0xad, 0xb3),
};

/// A colour on which another one cannot be read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unreadable {
    /// Whether it is the accent that is too near; else it is text.
    pub is_accent: bool,
    /// What is read.
    pub colour: Colour,
    /// What it stands on.
    pub paper: Colour,
    /// The contrast of the two.
    pub contrast: f64,
}

impl Colours {
    /// What could not be read with these colours; `house` are the others.
    pub fn unreadable(&self, house: House) -> Vec<Unreadable> {
        let paper = self.paper.unwrap_or(house.paper);
        let accent = self.accent.unwrap_or(house.accent);
        let mut pairs = vec![(true, accent, paper), (false, house.ink, paper), (false, house.quiet, paper)];
        if self.paper.is_some() {
            pairs.push((false, house.quiet, inset(house, paper)));
        }
        let all = pairs.into_iter().map(|(is_accent, colour, paper)| Unreadable {
            is_accent,
            colour,
            paper,
            contrast: colour.contrast(paper),
        });
        all.filter(|pair| pair.contrast < READABLE).collect()
    }

    fn css(&self, house: House) -> String {
        let mut css = Vec::new();
        if let Some(accent) = self.accent {
            css.push(format!("--accent: {accent};"));
        }
        if let Some(paper) = self.paper {
            let line = house.ink.mixed(paper, 16);
            css.push(format!("--paper: {paper}; --inset: {}; --line: {line};", inset(house, paper)));
        }
        css.join(" ")
    }
}

/// The ground of fields on a paper.
fn inset(house: House, paper: Colour) -> Colour {
    house.ink.mixed(paper, 5)
}

/// A colour of sRGB: red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

impl Colour {
    /// Reads `#rrggbb`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let is_hex = digits.bytes().all(|octet| octet.is_ascii_hexdigit());
        let part = |from| u8::from_str_radix(digits.get(from..from + 2)?, 16).ok();
        is_hex.then_some(())?;
        Some(Self(part(0)?, part(2)?, part(4)?))
    }

    /// How far two colours are from each other, from 1 to 21 (WCAG 2.2, contrast ratio).
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// Relative luminance (WCAG 2.2).
    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    /// So many hundredths of it on another one.
    fn mixed(self, other: Self, hundredths: u16) -> Self {
        let mix = |one: u8, two: u8| {
            let sum = u16::from(one) * hundredths + u16::from(two) * (100 - hundredths);
            u8::try_from(sum / 100).unwrap_or(u8::MAX)
        };
        Self(mix(self.0, other.0), mix(self.1, other.1), mix(self.2, other.2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_houses_colours_are_those_of_the_style_sheet_and_can_be_read() {
        let tokens = include_str!("../assets/tokens.css");
        let (light, dark) = tokens.split_once("@media").unwrap();
        for (css, house) in [(light, LIGHT), (dark, DARK)] {
            let named = [
                ("accent", house.accent),
                ("paper", house.paper),
                ("ink", house.ink),
                ("quiet", house.quiet),
            ];
            for (name, colour) in named {
                assert!(css.contains(&format!("--{name}: {colour};")), "{name} {colour}");
            }
            assert_eq!(Colours::default().unreadable(house), []);
        }
    }

    #[test]
    fn contrasts_are_those_of_the_guidelines() {
        let colour = |text| Colour::parse(text).unwrap();
        for (one, two, ratio) in [
            ("#000000", "#ffffff", 21.0),
            ("#777777", "#ffffff", 4.48),
            ("#767676", "#ffffff", 4.54),
            ("#ff0000", "#FFFFFF", 4.0),
            ("#1d5c63", "#1d5c63", 1.0),
        ] {
            let found = colour(one).contrast(colour(two));
            assert!((found - ratio).abs() < 0.005, "{one} {two}: {found}");
            assert!((found - colour(two).contrast(colour(one))).abs() < 1e-9);
        }
        for wrong in ["", "#", "#fff", "ffffff", "#fffffg", "#+1+1+1", "#fffffff", "#ééé"] {
            assert_eq!(Colour::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_found() {
        let yellow = Colours { accent: Colour::parse("#ffd400"), paper: None };
        let found = yellow.unreadable(LIGHT);
        assert!(found.len() == 1 && found[0].is_accent && found[0].contrast < 1.5, "{found:?}");
        assert_eq!(yellow.unreadable(DARK), []);
        let grey = Colours { accent: None, paper: Colour::parse("#888888") };
        assert!(grey.unreadable(LIGHT).iter().any(|pair| !pair.is_accent), "text on grey");
        assert!(grey.unreadable(DARK).len() > 2);
    }

    #[test]
    fn only_what_was_chosen_changes() {
        assert_eq!(Looks::default().css(), "");
        let light = Colours { accent: Colour::parse("#004488"), paper: None };
        let css = Looks { light, ..Looks::default() }.css();
        assert_eq!(
            css,
            ":root { --accent: #004488; }\n@media (prefers-color-scheme: dark) { :root { --accent: #7fd0d8; } }\n"
        );
        let dark = Colours { accent: None, paper: Colour::parse("#000000") };
        let css = Looks { dark, ..Looks::default() }.css();
        assert!(
            css.starts_with("@media") && css.contains("--paper: #000000; --inset: #0b0b0b; --line:"),
            "{css}"
        );
    }
}
