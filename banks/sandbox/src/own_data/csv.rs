//! CSV as members with their lines: one row a movement, with a row of names at the top.

use super::fields::{Fields, Located, Refused, Value};

/// Reads the rows, whose columns have known names. Cells that are empty are no members.
///
/// # Errors
/// [`Refused`] with the line
pub(crate) fn read(octets: &[u8], known: &[&str]) -> Result<Vec<Fields>, Refused> {
    let octets = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(octets);
    let names = reader.headers().map_err(|error| refused(&error))?.clone();
    let top = names.position().map_or(1, |position| position.line() + blank_lines(octets, position));
    for (at, name) in names.iter().enumerate() {
        let shown: String = name.chars().take(40).filter(|c| !c.is_control()).collect();
        if name.is_empty() {
            return Err(Refused::at(top, format!("column {} has no name", at + 1)));
        }
        if names.iter().take(at).any(|other| other == name) {
            return Err(Refused::at(top, format!("the column \"{shown}\" stands here twice")));
        }
        if !known.contains(&name) {
            let commas = if shown.contains([';', '\t']) { "; cells are separated by commas" } else { "" };
            let text = format!("the column \"{shown}\" is not known; known are {}{commas}", known.join(", "));
            return Err(Refused::at(top, text));
        }
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| refused(&error))?;
        let line = record.position().map_or(0, |position| position.line() + blank_lines(octets, position));
        let cells = names.iter().zip(&record).filter(|(_, cell)| !cell.is_empty());
        let located = |cell: &str| Located { line, value: Value::Text(cell.to_owned()) };
        let members = cells.map(|(name, cell)| (name.to_owned(), located(cell))).collect();
        rows.push(Fields { line, members });
    }
    Ok(rows)
}

/// Lines without anything in front of a row, which its position does not count.
fn blank_lines(octets: &[u8], position: &csv::Position) -> u64 {
    let begin = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let blank = octets.iter().skip(begin).take_while(|octet| matches!(octet, b'\r' | b'\n'));
    u64::try_from(blank.filter(|octet| **octet == b'\n').count()).unwrap_or(0)
}

fn refused(error: &csv::Error) -> Refused {
    let line = error.position().map_or(1, csv::Position::line);
    let text = match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "this is not UTF-8".to_owned(),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("this row has {len} cells and the row of names {expected_len}")
        }
        _ => "this is no CSV: cells are separated by commas, rows by line breaks".to_owned(),
    };
    Refused::at(line, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(octets: &[u8]) -> Result<Vec<Fields>, Refused> {
        read(octets, &["account", "amount", "text", "a", "b"])
    }

    #[test]
    fn rows_have_their_lines() {
        let found =
            rows("\u{feff}account,amount,text\nx,1.00,\"two\nlines\"\n\ny,2.00,\n".as_bytes()).unwrap();
        assert_eq!(found.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 5]);
        assert_eq!(found[0].text("text"), Ok(Some("two\nlines")));
        assert_eq!(found[1].text("text"), Ok(None));
        for (text, expected) in [
            (&b"a,b\n1\n"[..], "line 2: this row has 1 cells and the row of names 2"),
            (b"\n\na,c\n", "line 3: the column \"c\" is not known; known are account, amount, text, a, b"),
            (
                b"a;b\n",
                "line 1: the column \"a;b\" is not known; known are account, amount, text, a, b; cells are separated by commas",
            ),
            (b"a,,\n", "line 1: column 2 has no name"),
            (b"a,a\n", "line 1: the column \"a\" stands here twice"),
            (b"a\n\xff\n", "line 2: this is not UTF-8"),
        ] {
            assert_eq!(rows(text).map(|_| ()).unwrap_err().to_string(), expected);
        }
    }
}
