//! JSON whose secrets are masked. It is scanned and not parsed, since it may be cut or broken.

use std::borrow::Cow;
use std::fmt::Write;

use serde_json::Value;

use super::{MASK, PRIVATE_KEY, is_secret, otherwise};

/// Objects of bunq that are no secrets although their names are those of some: what is secret in them has a name of its own.
const WRAPPERS: [&str; 2] = ["Token", "UserApiKey"];

/// JSON, perhaps cut or broken: the values of members that are secrets, and texts that hold a private key.
pub(super) fn json(text: &str) -> String {
    json_at(0, text)
}

pub(super) fn json_at(depth: usize, text: &str) -> String {
    let octets = text.as_bytes();
    let mut masked = String::with_capacity(text.len());
    // Whether the next value is a secret, and how deep the list or object is that is one.
    let (mut is_next, mut inside) = (false, 0_usize);
    let mut is_wrapper = false;
    let (mut copied, mut at) = (0, 0);
    while at < octets.len() {
        let begin = at;
        match octets[at] {
            b'"' => {
                at = end_of_text(octets, at);
                let is_name = following(octets, at) == Some(b':');
                let content = text.get(begin + 1..at.saturating_sub(1).max(begin + 1)).unwrap_or_default();
                if is_name {
                    is_next = inside > 0 || is_secret(&unescaped(content));
                    is_wrapper = inside == 0 && WRAPPERS.contains(&content);
                } else if is_next || inside > 0 || content.contains(PRIVATE_KEY) {
                    masked.push_str(&text[copied..begin]);
                    let _ = write!(masked, "\"{MASK}\"");
                    copied = at;
                    is_next = false;
                } else if content.contains('\\')
                    && let Cow::Owned(plain) = unescaped(content)
                    && let Some(inner) = otherwise(depth, &plain)
                {
                    masked.push_str(&text[copied..begin]);
                    masked.push_str(&Value::from(inner).to_string());
                    copied = at;
                }
                continue;
            }
            b'0'..=b'9' | b'-' if is_next || inside > 0 => {
                let is_number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
                at += octets[at..].iter().take_while(|byte| is_number(byte)).count();
                masked.push_str(&text[copied..begin]);
                let _ = write!(masked, "\"{MASK}\"");
                copied = at;
                is_next = false;
                continue;
            }
            b'{' if is_wrapper && is_next => is_next = false,
            b'[' | b'{' if is_next || inside > 0 => (inside, is_next) = (inside + 1, false),
            b']' | b'}' => (inside, is_next) = (inside.saturating_sub(1), false),
            b',' => is_next = false,
            _ => {}
        }
        at += 1;
    }
    masked.push_str(&text[copied..]);
    masked
}

/// The place after the closing quote of the text that begins here; the end of everything if there is none.
fn end_of_text(octets: &[u8], begin: usize) -> usize {
    let mut at = begin + 1;
    while at < octets.len() {
        match octets[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    octets.len()
}

fn following(octets: &[u8], from: usize) -> Option<u8> {
    octets.get(from..)?.iter().copied().find(|byte| !byte.is_ascii_whitespace())
}

fn unescaped(name: &str) -> Cow<'_, str> {
    if !name.contains('\\') {
        return name.into();
    }
    serde_json::from_str::<String>(&format!("\"{name}\"")).map_or(Cow::Borrowed(name), Cow::Owned)
}
