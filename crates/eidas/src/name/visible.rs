//! Texts of somebody else's that are shown.

use std::borrow::Cow;
use std::fmt::Write as _;

/// A text of somebody else's that can be shown: characters that nobody sees, or that change how the others are seen
/// (controls, direction marks, zero width), are written out, for example `\u{202e}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        // Writing to a String does not fail.
        let _ = if is_hidden(c) { write!(shown, "\\u{{{:04x}}}", u32::from(c)) } else { shown.write_char(c) };
    }
    Cow::Owned(shown)
}

/// Whether a character is a control character, or default-ignorable or a bidirectional control by the Unicode
/// character database.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0xad | 0x34f | 0x61c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f
            | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb
            | 0x1_bca0..=0x1_bca3 | 0x1_d173..=0x1_d17a | 0xe_0000..=0xe_0fff)
}
