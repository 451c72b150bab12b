//! Files with many payments, as far as what is wrong with them can be known before they are sent.

use berlin_group::wire::pain001::{Initiation, Value};

use crate::Error;
use crate::payments::BulkFile;

/// Digits after the dot that are added up: no currency has more.
const PLACES: usize = 5;

impl BulkFile {
    /// Reads a file: a pain.001 document in XML, or the JSON of NextGenPSD2.
    ///
    /// # Errors
    /// [`Error::Setup`] for one that is neither, or whose sums do not fit what is in it.
    pub fn read(name: &str, content: Vec<u8>) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Setup(format!("{name}: {reason}"));
        let text = std::str::from_utf8(&content).map_err(|_| wrong("it is not UTF-8".to_owned()))?;
        let begin = text.trim_start_matches('\u{feff}').trim_start();
        let (content_type, found) = if begin.starts_with('{') {
            ("application/json", in_json(text))
        } else {
            ("application/xml", in_xml(&content))
        };
        let Found { count, sum, debtor } = found.map_err(wrong)?;
        let summary = format!("{count} payments of {} together", decimal(sum));
        Ok(Self { content, content_type, summary, debtor })
    }
}

/// What is in a file.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    count: usize,
    /// In units of the last place that is added up.
    sum: i128,
    debtor: Option<String>,
}

fn in_json(text: &str) -> Result<Found, String> {
    let json: serde_json::Value =
        serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
    let payments = json["payments"].as_array().filter(|all| !all.is_empty());
    let payments = payments.ok_or("it has no member payments with payments in it")?;
    let mut sum = 0;
    for payment in payments {
        let amount = &payment["instructedAmount"]["amount"];
        let text = amount.as_str().map_or_else(|| amount.to_string(), str::to_owned);
        sum += units(&text).ok_or_else(|| format!("instructedAmount.amount is no amount: {text}"))?;
    }
    let debtor = json["debtorAccount"]["iban"].as_str().map(str::to_owned);
    Ok(Found { count: payments.len(), sum, debtor })
}

fn in_xml(document: &[u8]) -> Result<Found, String> {
    let initiation =
        Initiation::read(document).map_err(|error| format!("it is no pain.001 document: {error}"))?;
    let (mut count, mut sum) = (0, 0);
    for block in &initiation.payments {
        let number = block.transfers.len();
        let amount = block.transfers.iter().try_fold(0, |sum, transfer| {
            let Value { path, text } = &transfer.amount;
            units(text).map(|units| sum + units).ok_or_else(|| format!("{path} is no amount: {text}"))
        })?;
        check_sums((block.transactions.as_ref(), block.control_sum.as_ref()), number, amount)?;
        (count, sum) = (count + number, sum + amount);
    }
    check_sums((Some(&initiation.transactions), initiation.control_sum.as_ref()), count, sum)?;
    let debtor = initiation.payments.first().map(|block| block.debtor.text.clone());
    Ok(Found { count, sum, debtor })
}

/// Checks what a part of the document says about number and sum of its transfers.
fn check_sums(
    (number, total): (Option<&Value>, Option<&Value>),
    count: usize,
    sum: i128,
) -> Result<(), String> {
    if let Some(Value { path, text }) = number.filter(|number| number.text.parse() != Ok(count)) {
        return Err(format!("{path} is {text}, and there are {count} transfers"));
    }
    if let Some(Value { path, text }) = total.filter(|total| units(&total.text) != Some(sum)) {
        return Err(format!("{path} is {text}, and the transfers come to {}", decimal(sum)));
    }
    Ok(())
}

/// A positive decimal text as a whole number of the last place.
pub(crate) fn units(text: &str) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let are_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let fits = (1..=18).contains(&whole.len()) && fraction.len() <= PLACES;
    if !fits || !are_digits(whole) || !are_digits(fraction) || text.ends_with('.') {
        return None;
    }
    format!("{whole}{fraction:0<PLACES$}").parse().ok()
}

/// The same as people write it: two places, or more where they say something.
fn decimal(units: i128) -> String {
    let digits = format!("{units:0>width$}", width = PLACES + 1);
    let (whole, fraction) = digits.split_at(digits.len() - PLACES);
    let fraction = format!("{:0<2}", fraction.trim_end_matches('0'));
    format!("{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(header: &str, amounts: &[&str]) -> String {
        let transfer = |amount: &&str| {
            format!(
                "<CdtTrfTxInf><PmtId><EndToEndId>E</EndToEndId></PmtId><Amt><InstdAmt Ccy=\"EUR\">{amount}</InstdAmt></Amt>\
                 <Cdtr><Nm>Shop</Nm></Cdtr><CdtrAcct><Id><IBAN>NL2</IBAN></Id></CdtrAcct></CdtTrfTxInf>"
            )
        };
        let transfers: String = amounts.iter().map(transfer).collect();
        format!(
            "<?xml version=\"1.0\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.03\"><CstmrCdtTrfInitn>\
             <GrpHdr><MsgId>M</MsgId>{header}</GrpHdr><PmtInf><PmtInfId>P</PmtInfId><PmtMtd>TRF</PmtMtd>\
             <ReqdExctnDt>2026-11-26</ReqdExctnDt><DbtrAcct><Id><IBAN>NL1</IBAN></Id></DbtrAcct>\
             {transfers}</PmtInf></CstmrCdtTrfInitn></Document>"
        )
    }

    #[test]
    fn sums_that_fit_are_taken() {
        let header = "<NbOfTxs>2</NbOfTxs><CtrlSum>12.5</CtrlSum>";
        let file = BulkFile::read("f", document(header, &["2.50", "10"]).into_bytes()).unwrap();
        assert_eq!(
            (file.summary.as_str(), file.content_type),
            ("2 payments of 12.50 together", "application/xml")
        );
        assert_eq!(file.debtor.as_deref(), Some("NL1"));
        let json = r#" {"debtorAccount": {"iban": "NL1"}, "payments": [{"instructedAmount": {"amount": "1.005"}},
            {"instructedAmount": {"amount": 2}}]}"#;
        let file = BulkFile::read("f", json.into()).unwrap();
        assert_eq!(
            (file.summary.as_str(), file.content_type),
            ("2 payments of 3.005 together", "application/json")
        );
    }

    #[test]
    fn what_is_wrong_is_said_before_anything_is_sent() {
        let of = |text: &str| BulkFile::read("f.xml", text.into()).unwrap_err().to_string();
        let amounts = &["2.50", "10"][..];
        for (text, reason) in [
            (String::new(), "it is no pain.001 document"),
            ("a,b\n1,2".to_owned(), "it is no pain.001 document"),
            ("<a>".to_owned(), "it is no pain.001 document"),
            ("{\"payments\": 1}".to_owned(), "no member payments"),
            ("{".to_owned(), "it is no JSON"),
            ("{\"payments\": [{\"instructedAmount\": {\"amount\": \"1,5\"}}]}".to_owned(), "no amount: 1,5"),
            (
                "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>".to_owned(),
                "a document type declaration is not taken",
            ),
            ("<Document/>".to_owned(), "it is no pain.001 document"),
            (document("<NbOfTxs>3</NbOfTxs>", amounts), "GrpHdr/NbOfTxs is 3, and there are 2 transfers"),
            (document("", amounts), "NbOfTxs"),
            (document("<NbOfTxs>0</NbOfTxs>", &[]), "CdtTrfTxInf"),
            (document("<NbOfTxs>2</NbOfTxs>", &["1", "-2"]), "Amt/InstdAmt is no amount: -2"),
            (
                document("<NbOfTxs>2</NbOfTxs><CtrlSum>12.51</CtrlSum>", amounts),
                "GrpHdr/CtrlSum is 12.51, and the transfers come to 12.50",
            ),
        ] {
            let error = of(&text);
            assert!(error.starts_with("f.xml: ") && error.contains(reason), "{error}");
        }
        let error = BulkFile::read("f", b"\xff\xfe<".to_vec()).unwrap_err().to_string();
        assert!(error.ends_with("it is not UTF-8"), "{error}");
    }
}
