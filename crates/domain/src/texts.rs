//! Texts that people read: names, descriptions, references.

use eidas::name::is_hidden;

/// The first character of a text that cannot be seen, or that turns what is shown around; none if the text is what it looks
/// like. What emoji and scripts are made of is no such thing where it belongs to the character before it: joiners, selectors
/// of a variation, and the tags of a flag.
pub fn hidden_in(text: &str) -> Option<char> {
    let mut before = None;
    text.chars().find(|c| {
        let before = before.replace(*c);
        is_hidden(*c) && !before.is_some_and(|before| belongs_to(*c, before))
    })
}

fn belongs_to(c: char, before: char) -> bool {
    match c {
        // Joiners: in Persian, in scripts of India, and between the parts of an emoji.
        '\u{200c}' | '\u{200d}' => !before.is_ascii() && !matches!(before, '\u{200c}' | '\u{200d}'),
        // Also after digits, which are keys then.
        '\u{fe00}'..='\u{fe0f}' => !is_hidden(before),
        '\u{e0100}'..='\u{e01ef}' | '\u{180b}'..='\u{180f}' => !before.is_ascii() && !is_hidden(before),
        // Flags of England, Scotland, Wales.
        '\u{e0020}'..='\u{e007f}' => matches!(before, '\u{1f3f4}' | '\u{e0020}'..='\u{e007e}'),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_something_else_is_found() {
        for (text, hidden) in [
            ("rent\u{202e}tner", '\u{202e}'),
            ("a\nb", '\n'),
            ("a\tb", '\t'),
            ("a\u{0}", '\u{0}'),
            ("A\u{200d}B", '\u{200d}'),
            ("\u{200d}B", '\u{200d}'),
            ("A\u{200b}B", '\u{200b}'),
            ("A\u{ad}B", '\u{ad}'),
            ("x\u{e0041}\u{e0042}", '\u{e0041}'),
            ("\u{fe0f}", '\u{fe0f}'),
            ("☺\u{fe0f}\u{fe0f}", '\u{fe0f}'),
            ("\u{feff}A", '\u{feff}'),
            ("A\u{2028}B", '\u{2028}'),
            ("A\u{2066}B", '\u{2066}'),
            ("A\u{3164}B", '\u{3164}'),
        ] {
            assert_eq!(hidden_in(text), Some(hidden), "{text:?}");
        }
    }

    #[test]
    fn names_of_all_scripts_and_emoji_are_what_they_look_like() {
        for text in [
            "",
            "Zoë Ñandú-O’Brien, 2. Rate",
            "می‌خواهم",
            "क्\u{200d}ष",
            "👩\u{200d}❤\u{fe0f}\u{200d}👨 1\u{fe0f}\u{20e3}",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "葛\u{e0100}城",
            "שלום",
            "日本語 テスト",
        ] {
            assert_eq!(hidden_in(text), None, "{text:?}");
        }
    }
}
