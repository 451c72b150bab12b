//! Files of statements: comma-separated values, MT940 (SWIFT), and plain pages in PDF (ISO 32000).

use gateway::domain::{Account, Date, Iban, Money, Transaction};
use pdf_writer::{Buf, Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};

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
    let mut writer = csv::WriterBuilder::new()
        .delimiter(if is_european { b';' } else { b',' })
        .quote_style(csv::QuoteStyle::Always)
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    // Writing lines of one length into memory does not fail.
    let mut write = |fields: [&str; 7]| drop(writer.write_record(fields));
    write(["Date", "Interest Date", "Amount", "Account", "Counterparty", "Name", "Description"]);
    for one in &statement.transactions {
        let amount = one.amount.to_decimal();
        write([
            &one.booking_date.to_string(),
            &one.value_date.to_string(),
            &if is_european { amount.replace('.', ",") } else { amount },
            statement.account.iban.as_str(),
            number(one),
            &harmless(name(one)),
            &harmless(text(one)),
        ]);
    }
    let mut file = writer.into_inner().unwrap_or_default();
    // The last line has no end.
    file.truncate(file.len().saturating_sub(2));
    file
}

/// What somebody else wrote, so that a spreadsheet does not take it for a formula.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
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
    written(&lines)
}

const FONT: Name<'static> = Name(b"F1");

fn written(lines: &[String]) -> Vec<u8> {
    let (catalog, tree, font) = (Ref::new(1), Ref::new(2), Ref::new(3));
    let pages = lines.chunks(LINES).zip((4..).step_by(2));
    let kids: Vec<Ref> = pages.clone().map(|(_, number)| Ref::new(number)).collect();
    let mut pdf = Pdf::new();
    pdf.set_version(1, 4);
    pdf.catalog(catalog).pages(tree);
    pdf.pages(tree).count(i32::try_from(kids.len()).unwrap_or(i32::MAX)).kids(kids);
    pdf.type1_font(font).base_font(Name(b"Courier")).encoding_predefined(Name(b"WinAnsiEncoding"));
    for (lines, number) in pages {
        let content = Ref::new(number + 1);
        let mut page = pdf.page(Ref::new(number));
        page.parent(tree).media_box(Rect::new(0.0, 0.0, 595.0, 842.0)).contents(content);
        page.resources().fonts().pair(FONT, font);
        page.finish();
        pdf.stream(content, &page_of(lines));
    }
    let mut file = pdf.finish();
    file.push(b'\n');
    file
}

/// What is on a page.
fn page_of(lines: &[String]) -> Buf {
    let mut content = Content::new();
    content.begin_text().set_font(FONT, 8.0).set_leading(12.0).next_line(40.0, 800.0);
    for line in lines {
        let shown: Vec<u8> = line.chars().map(|letter| in_font(letter).unwrap_or(b'?')).collect();
        if line.chars().all(|letter| in_font(letter).is_some()) {
            content.show(Str(&shown));
        } else {
            // What the line says, for readers and for whoever copies it (ISO 32000-1, 14.9.4).
            content
                .begin_marked_content_with_properties(Name(b"Span"))
                .properties()
                .actual_text(TextStr(line));
            content.show(Str(&shown)).end_marked_content();
        }
        content.next_line_using_leading();
    }
    content.end_text();
    content.finish()
}

/// A letter of the font, Latin-1 without control characters.
fn in_font(letter: char) -> Option<u8> {
    u8::try_from(letter).ok().filter(|_| !letter.is_control())
}

/// A line in pieces of at most 100 letters, which is what fits on a page.
fn wrapped(line: &str) -> Vec<String> {
    line.chars().collect::<Vec<_>>().chunks(100).map(String::from_iter).collect()
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
            let text = String::from_utf8_lossy(&file);
            assert!(text.contains(&name), "{text}");
        }
    }

    #[test]
    fn a_line_says_what_its_font_cannot_show() {
        let page = |line: &str| String::from_utf8(page_of(&[line.to_owned()]).into_vec()).unwrap();
        assert!(page("(Bar").contains("(\\(Bar) Tj") && page("Café").contains("<436166E9> Tj"));
        assert!(
            page("Łódź").contains("/ActualText <FEFF014100F30064017A>")
                && page("Łódź").contains("<3FF3643F> Tj")
        );
        assert_eq!(wrapped(&"x".repeat(250)).len(), 3);
    }
}
