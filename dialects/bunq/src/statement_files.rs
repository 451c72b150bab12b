//! Files of statements: comma-separated values, MT940 (SWIFT), and plain pages in PDF (ISO 32000).

use std::fmt::Write;

use gateway::domain::{Account, Date, Iban, Money, Transaction};

use crate::labels::name_of;

/// What a file is made of.
pub(crate) struct Statement {
    pub(crate) account: Account,
    pub(crate) number: i64,
    pub(crate) from: Date,
    pub(crate) to: Date,
    /// What was there before the first transaction.
    pub(crate) opening: Money,
    /// Oldest first.
    pub(crate) transactions: Vec<Transaction>,
}

impl Statement {
    fn closing(&self) -> Money {
        self.transactions.last().and_then(|last| last.balance_after).unwrap_or(self.opening)
    }
}

fn name(transaction: &Transaction) -> &str {
    name_of(&transaction.counterparty)
}

fn number(transaction: &Transaction) -> &str {
    transaction.counterparty.iban.as_ref().map_or("", Iban::as_str)
}

fn text(transaction: &Transaction) -> &str {
    transaction.remittance.as_deref().unwrap_or_default()
}

/// Comma-separated values (RFC 4180), in UTF-8: semicolons and decimal commas for Europe.
pub(crate) fn csv(statement: &Statement, is_european: bool) -> Vec<u8> {
    let separator = if is_european { ";" } else { "," };
    let quote = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    // A spreadsheet must not take what somebody else wrote for a formula.
    let foreign = |text: &str| {
        let harmless = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
        quote(&format!("{harmless}{text}"))
    };
    let columns = ["Date", "Interest Date", "Amount", "Account", "Counterparty", "Name", "Description"];
    let mut lines = vec![columns.map(quote).join(separator)];
    for one in &statement.transactions {
        let amount = one.amount.to_decimal();
        let amount = if is_european { amount.replace('.', ",") } else { amount };
        let fields = [
            quote(&one.booking_date.to_string()),
            quote(&one.value_date.to_string()),
            quote(&amount),
            quote(statement.account.iban.as_str()),
            quote(number(one)),
            foreign(name(one)),
            foreign(text(one)),
        ];
        lines.push(fields.join(separator));
    }
    lines.join("\r\n").into_bytes()
}

/// MT940, in lines of 65. Names and texts keep their letters, in UTF-8: the SWIFT set has none with accents, and a
/// name that differs from that in the list of payments leads to nobody.
pub(crate) fn mt940(statement: &Statement) -> Vec<u8> {
    let date = |day: Date| day.strftime("%y%m%d").to_string();
    let side = |money: Money| if money.minor < 0 { "D" } else { "C" };
    let decimal = |money: Money| money.abs().to_decimal().replace('.', ",");
    let balance = |tag: &str, money: Money, day: Date| {
        let currency = money.currency.code();
        format!(":{tag}:{}{}{currency}{}", side(money), date(day), decimal(money))
    };
    let mut lines = vec![
        format!(":20:{}", statement.number),
        format!(":25:{} {}", statement.account.iban.as_str(), statement.account.currency.code()),
        format!(":28C:{}", statement.number % 100_000),
        balance("60F", statement.opening, statement.from),
    ];
    for one in &statement.transactions {
        let entry = one.booking_date.strftime("%m%d");
        let amount = decimal(one.amount);
        lines.push(format!(":61:{}{entry}{}{amount}NTRFNONREF", date(one.value_date), side(one.amount)));
        lines.push(format!(":86:{}", information(number(one), name(one), text(one))));
    }
    lines.push(balance("62F", statement.closing(), statement.to));
    lines.push("-".to_owned());
    lines.join("\r\n").into_bytes()
}

/// Letters in a line of a message, and lines of one field.
const WIDTH: usize = 65;
const FIELD_LINES: usize = 6;

/// Who was on the other side and what it was for, in at most six lines of 65. A name is in one piece where it fits on a
/// line. No line begins like a field or like the end of the message, whatever somebody wrote.
fn information(number: &str, name: &str, text: &str) -> String {
    let plain = |text: &str| -> Vec<char> {
        text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    };
    let mut lines: Vec<Vec<char>> = Vec::new();
    for part in [plain(number), plain(name), plain(text)].into_iter().filter(|part| !part.is_empty()) {
        match lines.last_mut().filter(|last| last.len() + 1 + part.len() <= WIDTH) {
            Some(last) => last.extend(std::iter::once(' ').chain(part)),
            None => lines.extend(part.chunks(WIDTH).map(<[char]>::to_vec)),
        }
    }
    let line = |part: &Vec<char>| match part[..] {
        [':' | '-', ref rest @ ..] => format!(" {}", String::from_iter(rest)),
        ref part => String::from_iter(part),
    };
    lines.iter().take(FIELD_LINES).map(line).collect::<Vec<_>>().join("\r\n")
}

/// Lines on one page.
const LINES: usize = 60;

/// Pages of plain lines in a font that every reader has.
pub(crate) fn pdf(statement: &Statement) -> Vec<u8> {
    let account = &statement.account;
    let mut lines = vec![
        format!("Statement {}", statement.number),
        format!("Account {} of {}", account.iban.grouped(), account.name),
        format!("From {} to {}", statement.from, statement.to),
        format!("Opening balance {} {}", account.currency.code(), statement.opening.to_decimal()),
        String::new(),
    ];
    for one in &statement.transactions {
        lines.extend(wrapped(&format!(
            "{}  {:>14}  {}  {}  {}",
            one.booking_date,
            one.amount.to_decimal(),
            number(one),
            name(one),
            text(one)
        )));
    }
    lines.push(String::new());
    let closing = statement.closing().to_decimal();
    lines.push(format!("Closing balance {} {closing}", account.currency.code()));
    let pages: Vec<&[String]> = lines.chunks(LINES).collect();
    let mut objects = vec!["<< /Type /Catalog /Pages 2 0 R >>".to_owned()];
    let kids: Vec<String> = (0..pages.len()).map(|page| format!("{} 0 R", 4 + 2 * page)).collect();
    objects.push(format!("<< /Type /Pages /Kids [{}] /Count {} >>", kids.join(" "), pages.len()));
    let font = "<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>";
    objects.push(font.to_owned());
    for (page, lines) in pages.iter().enumerate() {
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {} 0 R \
             /Resources << /Font << /F1 3 0 R >> >> >>",
            5 + 2 * page
        ));
        let mut content = "BT /F1 8 Tf 12 TL 40 800 Td\n".to_owned();
        for line in *lines {
            let shown = format!("({}) Tj T*", pdf_text(line));
            let _ = match actual_text(line) {
                Some(text) => writeln!(content, "/Span << /ActualText <{text}> >> BDC {shown} EMC"),
                None => writeln!(content, "{shown}"),
            };
        }
        content.push_str("ET");
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    assemble(&objects)
}

/// Numbers the objects and writes the table of their places.
fn assemble(objects: &[String]) -> Vec<u8> {
    let mut file = "%PDF-1.4\n".to_owned();
    let mut places = Vec::new();
    for (number, object) in (1..).zip(objects) {
        places.push(file.len());
        let _ = write!(file, "{number} 0 obj\n{object}\nendobj\n");
    }
    let start = file.len();
    let count = objects.len() + 1;
    let _ = write!(file, "xref\n0 {count}\n0000000000 65535 f \n");
    for place in places {
        let _ = writeln!(file, "{place:010} 00000 n ");
    }
    let _ = write!(file, "trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n");
    file.into_bytes()
}

/// A line in pieces of at most 100 letters, which is what fits on a page.
fn wrapped(line: &str) -> Vec<String> {
    line.chars().collect::<Vec<_>>().chunks(100).map(String::from_iter).collect()
}

/// What a line says where the font has no letters for it, for readers and for whoever copies it: UTF-16 (ISO 32000-1,
/// 14.9.4). None for a line that is shown as it is.
fn actual_text(line: &str) -> Option<String> {
    let is_shown = |letter: char| matches!(letter, ' '..='~' | '\u{a0}'..='\u{ff}');
    let units = || std::iter::once(0xfeff).chain(line.encode_utf16());
    (!line.chars().all(is_shown)).then(|| units().map(|unit| format!("{unit:04X}")).collect())
}

/// A line as a string of PDF: letters of ASCII, the rest of Latin-1 as octal numbers.
fn pdf_text(line: &str) -> String {
    let mut text = String::new();
    for letter in line.chars() {
        match letter {
            '(' | ')' | '\\' => {
                text.push('\\');
                text.push(letter);
            }
            ' '..='~' => text.push(letter),
            '\u{a0}'..='\u{ff}' => {
                let _ = write!(text, "\\{:03o}", u32::from(letter));
            }
            _ => text.push('?'),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_wrote_is_no_field_of_the_message() {
        let lines = |name: &str, text: &str| -> Vec<String> {
            information("NL91ABNA0417164300", name, text).split("\r\n").map(str::to_owned).collect()
        };
        let text = format!("{}:61:2601010101C1,00NTRFNONREF", "x".repeat(65));
        assert_eq!(lines("Shop", &text)[2], " 61:2601010101C1,00NTRFNONREF");
        let text = format!("{}-", "x".repeat(65));
        assert_eq!(lines("Shop", &text)[2], " ");
        assert_eq!(lines("Café\r\n:62F:", ""), ["NL91ABNA0417164300 Café  :62F:"]);
        let long = "n".repeat(60);
        assert_eq!(lines(&long, "whats"), ["NL91ABNA0417164300".to_owned(), long, "whats".to_owned()]);
        assert_eq!(lines(&"n".repeat(140), &"t".repeat(9000)).len(), FIELD_LINES);
        assert_eq!(information("", "", ""), "");
    }

    #[test]
    fn somebody_without_a_name_is_called_the_same_everywhere() {
        let money = |minor| Money { minor, currency: gateway::domain::Currency::EUR };
        let day = Date::constant(2026, 11, 26);
        let transaction = Transaction {
            id: "1".to_owned(),
            sequence: 1,
            booking_date: day,
            value_date: day,
            amount: money(-100),
            counterparty: gateway::domain::Counterparty::default(),
            remittance: None,
            code: None,
            end_to_end_id: None,
            entered_at: None,
            balance_after: Some(money(0)),
        };
        let shown = crate::labels::label_counterparty(&transaction.counterparty);
        let name = shown.label.display_name.unwrap();
        let account = Account {
            id: gateway::domain::AccountId::new("a"),
            iban: Iban::parse("NL91ABNA0417164300").unwrap(),
            currency: gateway::domain::Currency::EUR,
            product: gateway::domain::Product::Current,
            name: "N.".to_owned(),
            status: gateway::domain::AccountStatus::Enabled,
        };
        let (from, to, opening) = (day, day, money(100));
        let statement = Statement { account, number: 1, from, to, opening, transactions: vec![transaction] };
        for file in [csv(&statement, true), csv(&statement, false), mt940(&statement), pdf(&statement)] {
            let text = String::from_utf8(file).unwrap();
            assert!(text.contains(&name), "{text}");
        }
    }

    #[test]
    fn a_line_says_what_its_font_cannot_show() {
        assert_eq!(actual_text("Café"), None);
        assert_eq!(actual_text("Ł").as_deref(), Some("FEFF0141"));
        assert_eq!(wrapped(&"x".repeat(250)).len(), 3);
    }
}
