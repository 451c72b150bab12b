//! Bulk payments as a third party's program writes them.

use std::fmt::Write;

/// One transfer: cents, payee, the payee's IBAN, and the text.
pub type Pain001Transfer<'a> = (i64, &'a str, &'a str, &'a str);

/// A document of pain.001 (ISO 20022) in version `03` or `09`: transfers from one account on one day, with the number
/// and the sum of them.
pub fn pain001(version: &str, debtor: &str, day: &str, transfers: &[Pain001Transfer<'_>]) -> String {
    let (bic, day) = match version {
        "03" => ("BIC", day.to_owned()),
        _ => ("BICFI", format!("<Dt>{day}</Dt>")),
    };
    let count = transfers.len();
    let sum = euros(transfers.iter().map(|(cents, ..)| cents).sum());
    let mut text = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.{version}">
  <CstmrCdtTrfInitn>
    <GrpHdr>
      <MsgId>message-1</MsgId>
      <CreDtTm>2026-11-26T12:00:00</CreDtTm>
      <NbOfTxs>{count}</NbOfTxs>
      <CtrlSum>{sum}</CtrlSum>
      <InitgPty><Nm>A. Payer</Nm></InitgPty>
    </GrpHdr>
    <PmtInf>
      <PmtInfId>payment-1</PmtInfId>
      <PmtMtd>TRF</PmtMtd>
      <BtchBookg>true</BtchBookg>
      <NbOfTxs>{count}</NbOfTxs>
      <CtrlSum>{sum}</CtrlSum>
      <PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf>
      <ReqdExctnDt>{day}</ReqdExctnDt>
      <Dbtr><Nm>A. Payer</Nm></Dbtr>
      <DbtrAcct><Id><IBAN>{debtor}</IBAN></Id><Ccy>EUR</Ccy></DbtrAcct>
      <DbtrAgt><FinInstnId><{bic}>TRIONL2U</{bic}></FinInstnId></DbtrAgt>
      <ChrgBr>SLEV</ChrgBr>"#
    );
    for (n, (cents, name, iban, remittance)) in transfers.iter().enumerate() {
        let (amount, name, remittance) = (euros(*cents), escaped(name), escaped(remittance));
        write!(
            text,
            r#"
      <CdtTrfTxInf>
        <PmtId><EndToEndId>e2e-{}</EndToEndId></PmtId>
        <Amt><InstdAmt Ccy="EUR">{amount}</InstdAmt></Amt>
        <CdtrAgt><FinInstnId><{bic}>ABNANL2A</{bic}></FinInstnId></CdtrAgt>
        <Cdtr><Nm>{name}</Nm></Cdtr>
        <CdtrAcct><Id><IBAN>{iban}</IBAN></Id></CdtrAcct>
        <RmtInf><Ustrd>{remittance}</Ustrd></RmtInf>
      </CdtTrfTxInf>"#,
            n + 1
        )
        .unwrap();
    }
    text.push_str("\n    </PmtInf>\n  </CstmrCdtTrfInitn>\n</Document>\n");
    text
}

fn euros(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
