//! What is looked at before a list is read: nobody has proved to have signed it yet, so that reading must not take more memory or time
//! than the largest list in the field does.

use crate::list::ListError;

/// Elements and attributes of one list. The largest lists have a quarter of them.
const MOST: usize = 1_000_000;

/// Attributes of one element. Each is compared with all others of it, and names of spaces with those of all elements around.
const OF_ONE: usize = 40;

/// How deep elements lie in each other. Lists have about 20 levels.
pub(crate) const DEPTH: u32 = 48;

/// Checks how much there is in a document, without reading it.
pub(crate) fn check(xml: &str) -> Result<(), ListError> {
    let mut rest = xml;
    let mut all = 0;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        let skipped = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")];
        let skipped = skipped.into_iter().find(|(begin, _)| rest.starts_with(begin));
        if let Some((begin, end)) = skipped {
            all += 1;
            // What has no end is no XML, and the parser says so.
            let Some(at) = rest[begin.len()..].find(end) else { return Ok(()) };
            rest = &rest[begin.len() + at + end.len()..];
        } else {
            let (length, attributes) = tag(rest.as_bytes());
            if attributes > OF_ONE {
                return Err(ListError::Bounds("an element with more than 40 attributes"));
            }
            all += 1 + attributes;
            rest = &rest[length..];
        }
        if all > MOST {
            return Err(ListError::Bounds("more than a million elements and attributes"));
        }
    }
    Ok(())
}

/// How long a tag is that begins here, and how many attributes it has.
fn tag(octets: &[u8]) -> (usize, usize) {
    let (mut quote, mut attributes) = (None, 0);
    for (at, octet) in octets.iter().enumerate() {
        match (quote, octet) {
            (None, b'>') => return (at + 1, attributes),
            (None, b'=') => attributes += 1,
            (None, b'"' | b'\'') => quote = Some(octet),
            (Some(begin), octet) if begin == octet => quote = None,
            _ => {}
        }
    }
    (octets.len(), attributes)
}
