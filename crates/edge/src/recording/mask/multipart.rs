//! Multipart bodies (RFC 7578) whose secrets are masked.

use std::borrow::Cow;

use super::{MASK, decoded, is_secret_in_form};

/// What parts of a multipart body hold whose names are those of secrets (RFC 7578), up to the next line with the boundary.
pub(super) fn multipart(content: &str) -> Cow<'_, str> {
    let boundary = content.lines().find(|line| line.starts_with("--")).map(str::trim_end);
    let Some(boundary) = boundary.filter(|_| content.to_ascii_lowercase().contains(DISPOSITION)) else {
        return content.into();
    };
    let mut masked = String::with_capacity(content.len());
    let (mut is_head, mut is_hidden, mut is_said) = (true, false, false);
    for line in content.split_inclusive('\n') {
        if line.starts_with(boundary) {
            (is_head, is_hidden, is_said) = (true, false, false);
        } else if is_head {
            is_head = !line.trim_end().is_empty();
            is_hidden |= is_disposition_of_secret(line);
        } else if is_hidden {
            if !is_said {
                masked.push_str(MASK);
                masked.push_str(&line[line.trim_end_matches(['\r', '\n']).len()..]);
            }
            is_said = true;
            continue;
        }
        masked.push_str(line);
    }
    masked.into()
}

/// The header field that has the name of a part.
const DISPOSITION: &str = "content-disposition:";

fn is_disposition_of_secret(line: &str) -> bool {
    let begins = line.get(..DISPOSITION.len()).is_some_and(|name| name.eq_ignore_ascii_case(DISPOSITION));
    let named = line.split(';').filter_map(|parameter| parameter.trim().split_once('='));
    let mut names = named.filter(|(name, _)| name.trim().to_ascii_lowercase().starts_with("name"));
    begins
        && names.any(|(_, value)| {
            let value = value.trim().trim_matches('"');
            is_secret_in_form(&decoded(value.rsplit("''").next().unwrap_or(value)))
        })
}
