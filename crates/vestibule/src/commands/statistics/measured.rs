//! A file of days of a customers' interface (CSV) as the interface of the staff takes them. What the cells say is read there; here
//! is looked at what cells there are.

use serde_json::{Value, json};

/// An example of a file.
pub(super) const EXAMPLE: &str = "\
day,down_seconds,error_rate_percent,ais_mean_ms,pis_mean_ms,cbpii_mean_ms
2027-01-30,0,0.02,210,305.5,
2027-01-31,90,0.11,215.4,298,
";

/// Columns, with where the interface of the staff has them in a day.
const COLUMNS: [(&str, &str); 6] = [
    ("day", "day"),
    ("down_seconds", "downSeconds"),
    ("error_rate_percent", "errorRatePercent"),
    ("ais_mean_ms", "services.ais.meanMilliseconds"),
    ("pis_mean_ms", "services.pis.meanMilliseconds"),
    ("cbpii_mean_ms", "services.cbpii.meanMilliseconds"),
];

/// How many of them have to be there.
const NEEDED: usize = 2;

/// How many things are told that are wrong with one file.
const TOLD: usize = 50;

/// Days of a file.
#[derive(Debug)]
pub(super) struct File {
    /// As they are sent.
    pub(super) days: Vec<Value>,
    /// In which lines they stand.
    lines: Vec<u64>,
}

impl File {
    /// Reads a file.
    ///
    /// # Errors
    /// All that is wrong with it, each with its line.
    pub(super) fn read(octets: &[u8]) -> Result<Self, Vec<String>> {
        let octets = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets);
        if octets.trim_ascii().is_empty() {
            return Err(vec![format!("it is empty; {}", expected())]);
        }
        let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(octets);
        let names = reader.byte_headers().map_err(|error| vec![error.to_string()])?.clone();
        let members = members(line(octets, names.position()), &names)?;
        let (mut file, mut wrong) = (Self { days: Vec::new(), lines: Vec::new() }, Vec::new());
        for record in reader.byte_records() {
            let record = record.map_err(|error| vec![error.to_string()])?;
            let line = line(octets, record.position());
            if record.len() != members.len() {
                let (cells, names) = (record.len(), members.len());
                wrong.push(format!("line {line}: {cells} cells, where the row of names has {names}"));
                continue;
            }
            let mut day = json!({});
            for ((column, member), cell) in members.iter().zip(&record) {
                match str::from_utf8(cell) {
                    Ok("") => {}
                    Ok(cell) => {
                        *member.split('.').fold(&mut day, |within, step| &mut within[step]) = cell.into();
                    }
                    Err(_) => wrong.push(format!("line {line}, {column}: this is not UTF-8")),
                }
            }
            file.days.push(day);
            file.lines.push(line);
        }
        if file.days.is_empty() && wrong.is_empty() {
            wrong.push("there are no days below the row of names".to_owned());
        }
        if wrong.is_empty() { Ok(file) } else { Err(shortened(wrong)) }
    }

    /// What was said about days of the body, said about lines and columns of the file.
    pub(super) fn placed(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (place, line) in self.lines.iter().enumerate() {
            let day = format!("days[{place}].");
            if !text.contains(&day) {
                continue;
            }
            for (column, member) in COLUMNS {
                text = text.replace(&format!("{day}{member}:"), &format!("line {line}, {column}:"));
            }
        }
        text
    }
}

/// The known columns by the row of names.
fn members(line: u64, names: &csv::ByteRecord) -> Result<Vec<(&'static str, &'static str)>, Vec<String>> {
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    for (place, name) in names.iter().enumerate() {
        let known = COLUMNS.iter().find(|(column, _)| column.as_bytes() == name);
        let shown: String = String::from_utf8_lossy(name).chars().take(40).collect();
        let shown = shown.escape_debug();
        match known {
            None if name.is_empty() => wrong.push(format!("line {line}: column {} has no name", place + 1)),
            None if name.iter().any(|octet| b";\t".contains(octet)) => {
                wrong.push(format!("line {line}: cells are separated by commas, and here is \"{shown}\""));
            }
            None => wrong.push(format!("line {line}: there is no column \"{shown}\"")),
            Some(known) if found.contains(known) => {
                wrong.push(format!("line {line}: the column \"{shown}\" stands here twice"));
            }
            Some(known) => found.push(*known),
        }
    }
    for (column, _) in COLUMNS.iter().take(NEEDED) {
        if !found.iter().any(|(known, _)| known == column) {
            wrong.push(format!("line {line}: the column \"{column}\" is missing"));
        }
    }
    if wrong.is_empty() {
        return Ok(found);
    }
    let mut wrong = shortened(wrong);
    wrong.push(expected());
    Err(wrong)
}

fn expected() -> String {
    let columns = COLUMNS.map(|(column, _)| column).join(", ");
    format!("a row of names of columns is expected ({columns}), and a row for each day")
}

/// Where a row begins. The reader counts no lines without anything in front of it.
fn line(octets: &[u8], position: Option<&csv::Position>) -> u64 {
    let Some(position) = position else { return 1 };
    let begin = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let blank = octets.iter().skip(begin).take_while(|octet| matches!(octet, b'\r' | b'\n'));
    position.line() + u64::try_from(blank.filter(|octet| **octet == b'\n').count()).unwrap_or(0)
}

fn shortened(mut wrong: Vec<String>) -> Vec<String> {
    let more = wrong.len().saturating_sub(TOLD);
    wrong.truncate(TOLD);
    if more > 0 {
        wrong.push(format!("and {more} more"));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_lines_and_cells_that_are_empty_are_not_sent() {
        let text =
            "\u{feff}down_seconds, day ,pis_mean_ms\r\n\r\n0,2027-01-30,\r\n\r\n90,2027-01-31,\"2.5\"\r\n";
        let file = File::read(text.as_bytes()).unwrap();
        assert_eq!(file.lines, [3, 5]);
        let expected = json!([
            {"day": "2027-01-30", "downSeconds": "0"},
            {"day": "2027-01-31", "downSeconds": "90", "services": {"pis": {"meanMilliseconds": "2.5"}}},
        ]);
        assert_eq!(Value::from(file.days.clone()), expected);
        let said = "days[0].day: a; days[1].services.pis.meanMilliseconds: b; days[2].day: c";
        assert_eq!(file.placed(said), "line 3, day: a; line 5, pis_mean_ms: b; days[2].day: c");
        assert_eq!(File::read(EXAMPLE.as_bytes()).unwrap().lines, [2, 3]);
    }

    #[test]
    fn what_is_no_such_file_is_refused_with_all_that_is_wrong() {
        let row = "a row of names of columns is expected (day, down_seconds, error_rate_percent, ais_mean_ms, pis_mean_ms, \
                   cbpii_mean_ms), and a row for each day";
        let names = "day,down_seconds\n";
        for (octets, expected) in [
            (b"".to_vec(), vec![format!("it is empty; {row}")]),
            (b"\xef\xbb\xbf \n\n".to_vec(), vec![format!("it is empty; {row}")]),
            (names.into(), vec!["there are no days below the row of names".to_owned()]),
            (
                b"\nday,color,,day,\xff\n".to_vec(),
                vec![
                    "line 2: there is no column \"color\"".to_owned(),
                    "line 2: column 3 has no name".to_owned(),
                    "line 2: the column \"day\" stands here twice".to_owned(),
                    "line 2: there is no column \"\u{fffd}\"".to_owned(),
                    "line 2: the column \"down_seconds\" is missing".to_owned(),
                    row.to_owned(),
                ],
            ),
            (
                b"day;down_seconds\n".to_vec(),
                vec![
                    "line 1: cells are separated by commas, and here is \"day;down_seconds\"".to_owned(),
                    "line 1: the column \"day\" is missing".to_owned(),
                    "line 1: the column \"down_seconds\" is missing".to_owned(),
                    row.to_owned(),
                ],
            ),
            (
                [names.as_bytes(), b"2027-01-31\n2027-01-31,\xff\n2027-01-31,1,2\n"].concat(),
                vec![
                    "line 2: 1 cells, where the row of names has 2".to_owned(),
                    "line 3, down_seconds: this is not UTF-8".to_owned(),
                    "line 4: 3 cells, where the row of names has 2".to_owned(),
                ],
            ),
        ] {
            assert_eq!(File::read(&octets).unwrap_err(), expected);
        }
        let long = names.to_owned() + &"x\n".repeat(60);
        let wrong = File::read(long.as_bytes()).unwrap_err();
        assert_eq!((wrong.len(), wrong[50].as_str()), (51, "and 10 more"));
    }
}
