//! CSV as members with their lines: one row a movement, with a row of names at the top.

use super::fields::{Fields, Located, Refused, Value};

/// Reads the rows. Cells that are empty are no members.
///
/// # Errors
/// [`Refused`] with the line
pub(crate) fn read(octets: &[u8]) -> Result<Vec<Fields>, Refused> {
    let octets = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(octets);
    let names = reader.headers().map_err(|error| refused(&error))?.clone();
    if let Some(twice) =
        names.iter().enumerate().find(|(at, name)| names.iter().take(*at).any(|n| n == *name))
    {
        return Err(Refused::at(1, format!("the column \"{}\" stands here twice", twice.1)));
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

    #[test]
    fn rows_have_their_lines() {
        let rows =
            read("\u{feff}account,amount,text\nx,1.00,\"two\nlines\"\n\ny,2.00,\n".as_bytes()).unwrap();
        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 5]);
        assert_eq!(rows[0].text("text"), Ok(Some("two\nlines")));
        assert_eq!(rows[1].text("text"), Ok(None));
        for (text, expected) in [
            (&b"a,b\n1\n"[..], "line 2: this row has 1 cells and the row of names 2"),
            (b"a,a\n", "line 1: the column \"a\" stands here twice"),
            (b"a\n\xff\n", "line 2: this is not UTF-8"),
        ] {
            assert_eq!(read(text).map(|_| ()).unwrap_err().to_string(), expected);
        }
    }
}
