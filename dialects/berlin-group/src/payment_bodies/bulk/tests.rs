use gateway::domain::Iban;
use testkit::pain001;

use super::*;

const DEBTOR: &str = "NL21VSTB2878231391";

fn days() -> Days {
    Days::from("2026-11-26".parse().unwrap(), 365)
}

fn document(version: &str) -> String {
    let transfers =
        [(1250, "Bakery", "NL91ABNA0417164300", "Bread"), (100, "Shop", "DE89370400440532013000", "Milk")];
    pain001(version, DEBTOR, "2026-11-27", &transfers)
}

fn read(document: &str) -> Result<Ordered, Error> {
    ordered(document.as_bytes(), days())
}

#[test]
fn a_bulk_payment_is_read() {
    for version in ["03", "09"] {
        let ordered = read(&document(version)).unwrap();
        let terms = PaymentTerms {
            service: PaymentService::Bulk,
            product: PaymentProduct::SepaCreditTransfers,
            execution: Execution::On("2026-11-27".parse().unwrap()),
            batch_booking: Some(true),
        };
        assert_eq!(ordered.terms, terms);
        let number = AccountNumber::Iban(Iban::parse(DEBTOR).unwrap());
        assert_eq!(ordered.debtor, Some(AccountReference { number, currency: Some("EUR".into()) }));
        let [first, second] = ordered.transfers.as_slice() else { panic!("two transfers") };
        assert_eq!((first.amount.minor, second.amount.minor), (1250, 100));
        assert_eq!(first.creditor.name.as_deref(), Some("Bakery"));
        assert_eq!(second.creditor.iban, Some(Iban::parse("DE89370400440532013000").unwrap()));
        assert_eq!(second.remittance.as_deref(), Some("Milk"));
        assert_eq!(second.end_to_end_id.as_deref(), Some("e2e-2"));
        assert_eq!(second.routing.as_ref().unwrap().agent.as_deref(), Some("ABNANL2A"));
    }
}

#[test]
fn what_may_be_left_out_is_left_out() {
    let document = document("03")
        .replace("2026-11-27", "2026-11-26")
        .replace("<BtchBookg>true</BtchBookg>", "")
        .replace("<PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf>", "")
        .replace("<CtrlSum>13.50</CtrlSum>", "")
        .replace("<ChrgBr>SLEV</ChrgBr>", "")
        .replace("<CdtrAgt><FinInstnId><BIC>ABNANL2A</BIC></FinInstnId></CdtrAgt>", "")
        .replace("e2e-1", "NOTPROVIDED")
        .replace("<RmtInf><Ustrd>Bread</Ustrd></RmtInf>", "")
        .replace("<Ustrd>Milk</Ustrd>", "<Strd><CdtrRefInf><Ref>RF18539007547034</Ref></CdtrRefInf></Strd>");
    let ordered = read(&document).unwrap();
    assert_eq!((ordered.terms.execution, ordered.terms.batch_booking), (Execution::AtOnce, None));
    let [first, second] = ordered.transfers.as_slice() else { panic!("two transfers") };
    assert_eq!((&first.end_to_end_id, &first.remittance, &first.routing), (&None, &None, &None));
    assert_eq!(second.remittance.as_deref(), Some("RF18539007547034"));
}

#[test]
fn the_day_of_a_moment_is_the_one_that_is_written() {
    for (moment, execution) in [
        ("2026-11-27T23:30:00-05:00", Execution::On("2026-11-27".parse().unwrap())),
        ("2026-11-26T09:00:00", Execution::AtOnce),
    ] {
        let document = document("09").replace("<Dt>2026-11-27</Dt>", &format!("<DtTm>{moment}</DtTm>"));
        assert_eq!(read(&document).unwrap().terms.execution, execution);
    }
}

#[test]
fn several_payments_from_one_account_are_one() {
    let ordered = read(&twice("", "")).unwrap();
    assert_eq!(ordered.transfers.len(), 4);
    assert_eq!(ordered.transfers.iter().map(|one| one.amount.minor).sum::<i64>(), 2700);
}

/// The document with its `PmtInf` a second time, and in that one something changed.
fn twice(from: &str, to: &str) -> String {
    let document = document("03");
    let (begin, end) = (document.find("<PmtInf>").unwrap(), document.find("</CstmrCdtTrfInitn>").unwrap());
    let (header, payment, rest) = (&document[..begin], &document[begin..end], &document[end..]);
    let header = header.replace("<NbOfTxs>2", "<NbOfTxs>4").replace("13.50", "27.00");
    format!("{header}{payment}{}{rest}", payment.replace(from, to))
}

#[test]
fn control_sums_are_those_of_the_transfers() {
    for same in ["13.5", "13.500", "13.50000000000000000", "0013.50"] {
        assert!(
            read(&document("03").replace("<CtrlSum>13.50", &format!("<CtrlSum>{same}"))).is_ok(),
            "{same}"
        );
    }
}

/// What is put in place of the first `from`, the code, and what is said. `x*9` is nine times x.
type Row = (&'static str, &'static str, &'static str, &'static str);

const WRONG: &[Row] = &[
    (
        "<MsgId>message-1",
        "<MsgId>",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/GrpHdr/MsgId is empty; send 1 to 35 characters",
    ),
    (
        "<MsgId>message-1",
        "<MsgId>ä*36",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/GrpHdr/MsgId has 36 characters; send at most 35",
    ),
    (
        "<NbOfTxs>2",
        "<NbOfTxs>3",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/GrpHdr/NbOfTxs says 3, and there are 2 transfers; send all of them, or the right number",
    ),
    (
        "<NbOfTxs>2",
        "<NbOfTxs>-2",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/GrpHdr/NbOfTxs \"-2\" is no number; send how many transfers follow",
    ),
    (
        "<CtrlSum>13.50",
        "<CtrlSum>13.51",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/GrpHdr/CtrlSum says 13.51, and the transfers come to 13.50; send all of them, or the right sum",
    ),
    (
        "<CtrlSum>13.50",
        "<CtrlSum>13.501",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/GrpHdr/CtrlSum \"13.501\" is no sum in EUR; send 13.50",
    ),
    (
        "<CtrlSum>13.50",
        "<CtrlSum>13,50",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/GrpHdr/CtrlSum \"13,50\" is no sum in EUR; send 13.50",
    ),
    (
        "<BtchBookg>true</BtchBookg>\n      <NbOfTxs>2",
        "<NbOfTxs>1",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/PmtInf[1]/NbOfTxs says 1, and there are 2 transfers; send all of them, or the right number",
    ),
    (
        "<CtrlSum>13.50</CtrlSum>\n      <PmtTpInf>",
        "<CtrlSum>12.50</CtrlSum><PmtTpInf>",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/PmtInf[1]/CtrlSum says 12.50, and the transfers come to 13.50; send all of them, or the right sum",
    ),
    (
        "<PmtInfId>payment-1",
        "<PmtInfId>pay\tment",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/PmtInf[1]/PmtInfId holds the character U+0009, which cannot be shown; send characters that can",
    ),
    ("TRF", "CHK", "FORMAT_ERROR", "CstmrCdtTrfInitn/PmtInf[1]/PmtMtd \"CHK\" is not one of TRF"),
    (
        "<BtchBookg>true",
        "<BtchBookg>yes",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/PmtInf[1]/BtchBookg \"yes\" is not one of true, false, 1, 0",
    ),
    (
        "<Cd>SEPA",
        "<Cd>URGP",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/PmtInf[1]/PmtTpInf/SvcLvl/Cd \"URGP\" is not one of SEPA",
    ),
    (
        "<ChrgBr>SLEV",
        "<ChrgBr>DEBT",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/PmtInf[1]/ChrgBr \"DEBT\" is not one of SHAR, SLEV for this product",
    ),
    (
        "2026-11-27",
        "2026-11-25",
        "EXECUTION_DATE_INVALID",
        "CstmrCdtTrfInitn/PmtInf[1]/ReqdExctnDt 2026-11-25 is in the past; send a day from 2026-11-26, which is today at this bank, to 2027-11-26",
    ),
    (
        "2026-11-27",
        "2026-11-27Z",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/PmtInf[1]/ReqdExctnDt \"2026-11-27Z\" is no date; expected YYYY-MM-DD, a day in a year from 1900 to 9999",
    ),
    (
        "NL21VSTB2878231391",
        "NL22VSTB2878231391",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/PmtInf[1]/DbtrAcct/Id/IBAN: Invalid iban: NL22VSTB2878231391 (its check digits do not fit: a character is wrong)",
    ),
    (
        "<Ccy>EUR",
        "<Ccy>GBP",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/PmtInf[1]/DbtrAcct/Ccy \"GBP\" is not one of EUR",
    ),
    (
        "e2e-2",
        "ä*36",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[2]/PmtId/EndToEndId has 36 characters; send at most 35",
    ),
    (
        "Ccy=\"EUR\"",
        "Ccy=\"USD\"",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[1]/Amt/InstdAmt: SEPA transfers are in EUR, not in \"USD\"",
    ),
    (
        "\"EUR\">1.00",
        "\"EUR\">0",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[2]/Amt/InstdAmt: the amount must be greater than 0",
    ),
    (
        "\"EUR\">1.00",
        "\"EUR\">1.001",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[2]/Amt/InstdAmt \"1.001\": an amount in EUR is a decimal number of up to 14 digits with at most two places, for example 12.50",
    ),
    (
        "\"EUR\">1.00",
        "\"EUR\">1000000000",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[2]/Amt/InstdAmt: the amount must be at most 999999999.99 EUR",
    ),
    (
        "<BIC>ABNANL2A",
        "<BIC>ABNA",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[1]/CdtrAgt/FinInstnId/BIC \"ABNA\" is no BIC; send 8 or 11 capital letters and digits, for example ABNANL2A",
    ),
    (
        "<Nm>Shop",
        "<Nm>ä*71",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[2]/Cdtr/Nm has 71 characters; send at most 70",
    ),
    (
        "<Nm>Shop</Nm>",
        "<Nm>Shop</Nm><PstlAdr><Ctry>germany</Ctry></PstlAdr>",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[2]/Cdtr/PstlAdr/Ctry \"germany\" is no country; send its code of two capital letters, for example NL",
    ),
    (
        "<Nm>Shop</Nm>",
        "<Nm>Shop</Nm><PstlAdr><PstCd>ä*17</PstCd><Ctry>DE</Ctry></PstlAdr>",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[2]/Cdtr/PstlAdr/PstCd has 17 characters; send at most 16",
    ),
    (
        "DE89370400440532013000",
        "SA0380000000608010167519",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[2]/CdtrAcct/Id/IBAN: SEPA transfers do not reach the country SA",
    ),
    (
        "Milk",
        "ä*141",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[2]/RmtInf/Ustrd has 141 characters; send at most 140",
    ),
    (
        "<Ustrd>Milk</Ustrd>",
        "<Ustrd>Milk</Ustrd><Strd><CdtrRefInf><Ref>1</Ref></CdtrRefInf></Strd>",
        "FORMAT_ERROR",
        "CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[2]/RmtInf/Strd/CdtrRefInf/Ref: a transfer has either Ustrd or Strd, not both",
    ),
    (
        "<Ustrd>Milk</Ustrd>",
        "<Strd><RfrdDocInf><Nb>INV-1</Nb></RfrdDocInf><AddtlRmtInf>Please</AddtlRmtInf></Strd>",
        "FORMAT_ERROR",
        "the body: CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[2]/RmtInf/Strd holds RfrdDocInf, which a SEPA transfer does not carry; \
         send the payee's reference as CdtrRefInf/Ref, or a text as Ustrd",
    ),
    (
        "<Ustrd>Milk</Ustrd>",
        "<Strd><CdtrRefInf><Ref>RF18539007547034</Ref></CdtrRefInf><AddtlRmtInf>Please</AddtlRmtInf></Strd>",
        "FORMAT_ERROR",
        "the body: CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[2]/RmtInf/Strd holds AddtlRmtInf, which a SEPA transfer does not carry; \
         send the payee's reference as CdtrRefInf/Ref, or a text as Ustrd",
    ),
    (
        "<Ustrd>Milk</Ustrd>",
        "<Strd><CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp></CdtrRefInf></Strd>",
        "FORMAT_ERROR",
        "the body: CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[2]/RmtInf/Strd has no CdtrRefInf/Ref; send the payee's reference as \
         CdtrRefInf/Ref, or a text as Ustrd",
    ),
    (
        "<SvcLvl><Cd>SEPA</Cd></SvcLvl>",
        "<SvcLvl><Prtry>URGENT</Prtry></SvcLvl>",
        "FORMAT_ERROR",
        "the body: CstmrCdtTrfInitn/PmtInf[1]/PmtTpInf/SvcLvl/Prtry is not taken; send SEPA as Cd in its place, or no SvcLvl",
    ),
    (
        "<SvcLvl><Cd>SEPA</Cd></SvcLvl>",
        "<SvcLvl/>",
        "FORMAT_ERROR",
        "the body: CstmrCdtTrfInitn/PmtInf[1]/PmtTpInf/SvcLvl/Cd is missing",
    ),
    (
        "<Document ",
        "<!DOCTYPE a><Document ",
        "FORMAT_ERROR",
        "the body: line 2, column 1: a document type declaration is not taken; leave it out",
    ),
];

#[test]
fn what_is_wrong_is_said_with_the_path_of_the_element() {
    for (from, to, code, said) in WRONG {
        let to = lengthened(to);
        let document = document("03");
        assert!(document.contains(from), "{from}");
        let error = read(&document.replacen(from, &to, 1)).expect_err(&to);
        assert_eq!(error.parts(), (400, *code, *said), "{to}");
    }
}

/// `ä*9` in full length.
fn lengthened(text: &str) -> String {
    let Some((before, after)) = text.split_once("ä*") else { return text.to_owned() };
    let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    let count = after[..digits].parse().unwrap();
    format!("{before}{}{}", "ä".repeat(count), &after[digits..])
}

#[test]
fn payments_of_one_document_share_account_day_and_booking() {
    for (from, to, said) in [
        (
            DEBTOR,
            "NL91ABNA0417164300",
            "CstmrCdtTrfInitn/PmtInf[2]/DbtrAcct/Id/IBAN is another account than that of PmtInf[1]; send one document for each account that pays",
        ),
        (
            "2026-11-27",
            "2026-11-28",
            "CstmrCdtTrfInitn/PmtInf[2]/ReqdExctnDt is another day than that of PmtInf[1]; send one document for each day",
        ),
        (
            "<BtchBookg>true",
            "<BtchBookg>0",
            "CstmrCdtTrfInitn/PmtInf[2]/BtchBookg: BtchBookg is not that of PmtInf[1]; send the same one in each PmtInf, or none",
        ),
    ] {
        let error = read(&twice(from, to)).unwrap_err();
        assert_eq!(error.parts(), (400, "FORMAT_ERROR", said));
    }
}

#[test]
fn a_document_has_at_most_a_hundred_transfers() {
    let transfers = |count| vec![(1, "Shop", "DE89370400440532013000", "Milk"); count];
    let hundred = pain001("09", DEBTOR, "2026-11-27", &transfers(100));
    assert_eq!(read(&hundred).unwrap().transfers.len(), 100);
    let more = pain001("09", DEBTOR, "2026-11-27", &transfers(101));
    let said = "the document has 101 transfers; send at most 100 at once";
    assert_eq!(read(&more).unwrap_err().parts(), (400, "FORMAT_ERROR", said));
}
