//! Bulk payments: the parts of pain.001.001.03 and pain.001.001.09 (ISO 20022, CustomerCreditTransferInitiation) that a
//! bank needs. Texts are as they were sent; what they may say is for the bank's rules, what must be there is for this
//! reader. Elements that are not read are skipped.

use std::collections::HashMap;
use std::fmt;

use super::xml::{self, Element};

const NAMESPACES: [&str; 2] =
    ["urn:iso:std:iso:20022:tech:xsd:pain.001.001.03", "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"];

/// Elements that may stand more than once in their place, by the schemas of both versions.
const REPEATED: &[&str] = &[
    "AddtlRmtInf",
    "AdjstmntAmtAndRsn",
    "AdrLine",
    "Authstn",
    "CdtTrfTxInf",
    "DscntApldAmt",
    "Dtls",
    "Inf",
    "InstrForCdtrAgt",
    "LineDtls",
    "MemoFld",
    "Othr",
    "PmtInf",
    "Rcrd",
    "RfrdDocInf",
    "RgltryRptg",
    "RltdRmtInf",
    "RmtLctnDtls",
    "Sgntr",
    "SplmtryData",
    "Strd",
    "SvcLvl",
    "TaxAmt",
    "Ustrd",
];

/// A document is none that can be read. `Display` says where, what is wrong and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentError(String);

impl DocumentError {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DocumentError {}

/// A value and the path of its element, for example `CstmrCdtTrfInitn/PmtInf[1]/DbtrAcct/Id/IBAN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Where it stands.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// `CstmrCdtTrfInitn`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Initiation {
    /// `GrpHdr/MsgId`
    pub message_id: Value,
    /// `GrpHdr/NbOfTxs`
    pub transactions: Value,
    /// `GrpHdr/CtrlSum`
    pub control_sum: Option<Value>,
    /// `PmtInf`, at least one.
    pub payments: Vec<PaymentInformation>,
}

/// `PmtInf`: transfers from one account on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentInformation {
    /// `PmtInfId`
    pub id: Value,
    /// `PmtMtd`
    pub method: Value,
    /// `BtchBookg`
    pub batch_booking: Option<Value>,
    /// `NbOfTxs`
    pub transactions: Option<Value>,
    /// `CtrlSum`
    pub control_sum: Option<Value>,
    /// `PmtTpInf/SvcLvl/Cd`
    pub service_level: Option<Value>,
    /// `ReqdExctnDt`, and `Dt` or `DtTm` in it in version 09.
    pub execution_date: Value,
    /// Whether [`execution_date`](Self::execution_date) is a moment.
    pub is_moment: bool,
    /// `DbtrAcct/Id/IBAN`
    pub debtor: Value,
    /// `DbtrAcct/Ccy`
    pub debtor_currency: Option<Value>,
    /// `ChrgBr`
    pub charge_bearer: Option<Value>,
    /// `CdtTrfTxInf`, at least one.
    pub transfers: Vec<CreditTransfer>,
}

/// `CdtTrfTxInf`: one transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditTransfer {
    /// `PmtId/EndToEndId`
    pub end_to_end_id: Value,
    /// `PmtTpInf/SvcLvl/Cd`
    pub service_level: Option<Value>,
    /// `Amt/InstdAmt`
    pub amount: Value,
    /// `Ccy` of `Amt/InstdAmt`
    pub currency: String,
    /// `ChrgBr`
    pub charge_bearer: Option<Value>,
    /// `CdtrAgt/FinInstnId/BIC`, or `BICFI` in version 09.
    pub creditor_agent: Option<Value>,
    /// `Cdtr/Nm`
    pub creditor_name: Value,
    /// `Cdtr/PstlAdr`, if it names a country.
    pub creditor_address: Option<PostalAddress>,
    /// `CdtrAcct/Id/IBAN`
    pub creditor: Value,
    /// `CdtrAcct/Ccy`
    pub creditor_currency: Option<Value>,
    /// `RmtInf/Ustrd`
    pub unstructured: Option<Value>,
    /// `RmtInf/Strd/CdtrRefInf/Ref`
    pub reference: Option<Value>,
}

/// `PstlAdr`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostalAddress {
    /// `StrtNm`
    pub street: Option<Value>,
    /// `BldgNb`
    pub building: Option<Value>,
    /// `TwnNm`
    pub town: Option<Value>,
    /// `PstCd`
    pub post_code: Option<Value>,
    /// `Ctry`
    pub country: Value,
}

impl Initiation {
    /// Reads a document.
    ///
    /// # Errors
    /// [`DocumentError`]
    pub fn read(body: &[u8]) -> Result<Self, DocumentError> {
        let (namespace, root) = xml::read(body, &NAMESPACES)?;
        if root.name != "Document" {
            let name = xml::shorten(&root.name);
            return Err(DocumentError::new(format!("the document begins with {name}; expected Document")));
        }
        let version = if namespace == NAMESPACES[0] { Version::V03 } else { Version::V09 };
        let root = Cursor { element: &root, path: String::new() };
        let read = initiation(&root.one("CstmrCdtTrfInitn")?, version)?;
        root.check_repetitions()?;
        Ok(read)
    }
}

/// The version of the message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    V03,
    V09,
}

fn initiation(node: &Cursor<'_>, version: Version) -> Result<Initiation, DocumentError> {
    let header = node.one("GrpHdr")?;
    let payments = node.many("PmtInf")?;
    Ok(Initiation {
        message_id: header.value("MsgId")?,
        transactions: header.value("NbOfTxs")?,
        control_sum: header.maybe_value("CtrlSum")?,
        payments: payments.iter().map(|node| payment(node, version)).collect::<Result<_, _>>()?,
    })
}

fn payment(node: &Cursor<'_>, version: Version) -> Result<PaymentInformation, DocumentError> {
    let date = node.one("ReqdExctnDt")?;
    let (execution_date, is_moment) = match version {
        Version::V03 => (date.text()?, false),
        Version::V09 => match date.maybe_value("DtTm")? {
            Some(moment) => (moment, true),
            None => (date.value("Dt")?, false),
        },
    };
    if is_moment && date.maybe("Dt")?.is_some() {
        return Err(date.wrong("holds both Dt and DtTm; send one of them"));
    }
    let account = node.one("DbtrAcct")?;
    let transfers = node.many("CdtTrfTxInf")?;
    Ok(PaymentInformation {
        id: node.value("PmtInfId")?,
        method: node.value("PmtMtd")?,
        batch_booking: node.maybe_value("BtchBookg")?,
        transactions: node.maybe_value("NbOfTxs")?,
        control_sum: node.maybe_value("CtrlSum")?,
        service_level: service_level(node)?,
        execution_date,
        is_moment,
        debtor: account.one("Id")?.value("IBAN")?,
        debtor_currency: account.maybe_value("Ccy")?,
        charge_bearer: node.maybe_value("ChrgBr")?,
        transfers: transfers.iter().map(|node| transfer(node, version)).collect::<Result<_, _>>()?,
    })
}

fn transfer(node: &Cursor<'_>, version: Version) -> Result<CreditTransfer, DocumentError> {
    let amount = node.one("Amt")?.one("InstdAmt")?;
    let currency = amount.element.attributes.iter().find(|(name, _)| name == "Ccy");
    let (_, currency) =
        currency.ok_or_else(|| amount.wrong("has no attribute Ccy; send the currency, for example EUR"))?;
    let bank = node.path_to(&["CdtrAgt", "FinInstnId"])?;
    let bic = if version == Version::V03 { "BIC" } else { "BICFI" };
    let creditor = node.one("Cdtr")?;
    let account = node.one("CdtrAcct")?;
    let remittance = node.maybe("RmtInf")?;
    let reference = remittance.as_ref().map(reference).transpose()?.flatten();
    Ok(CreditTransfer {
        end_to_end_id: node.one("PmtId")?.value("EndToEndId")?,
        service_level: service_level(node)?,
        amount: amount.text()?,
        currency: currency.clone(),
        charge_bearer: node.maybe_value("ChrgBr")?,
        creditor_agent: bank.map(|bank| bank.maybe_value(bic)).transpose()?.flatten(),
        creditor_name: creditor.value("Nm")?,
        creditor_address: creditor.maybe("PstlAdr")?.map(|node| address(&node)).transpose()?.flatten(),
        creditor: account.one("Id")?.value("IBAN")?,
        creditor_currency: account.maybe_value("Ccy")?,
        unstructured: remittance.map(|remittance| remittance.maybe_value("Ustrd")).transpose()?.flatten(),
        reference,
    })
}

/// The payee's reference, which is all that a SEPA transfer carries of a structured text (EPC132-08): whatever else stands there
/// would not reach the payee.
fn reference(remittance: &Cursor<'_>) -> Result<Option<Value>, DocumentError> {
    let Some(structured) = remittance.maybe("Strd")? else { return Ok(None) };
    let remedy = "send the payee's reference as CdtrRefInf/Ref, or a text as Ustrd";
    if let Some(other) = structured.element.children.iter().find(|child| child.name != "CdtrRefInf") {
        let other = xml::shorten(&other.name);
        return Err(
            structured.wrong(&format!("holds {other}, which a SEPA transfer does not carry; {remedy}"))
        );
    }
    let reference = structured.path_to(&["CdtrRefInf", "Ref"])?;
    let reference = reference.ok_or_else(|| structured.wrong(&format!("has no CdtrRefInf/Ref; {remedy}")))?;
    reference.text().map(Some)
}

/// The service level, by its code. One by a name that banks and their customers agree on is another kind of order, which is none here.
fn service_level(node: &Cursor<'_>) -> Result<Option<Value>, DocumentError> {
    let Some(level) = node.path_to(&["PmtTpInf", "SvcLvl"])? else { return Ok(None) };
    if let Some(own) = level.maybe("Prtry")? {
        return Err(own.wrong("is not taken; send SEPA as Cd in its place, or no SvcLvl"));
    }
    level.value("Cd").map(Some)
}

fn address(node: &Cursor<'_>) -> Result<Option<PostalAddress>, DocumentError> {
    let Some(country) = node.maybe_value("Ctry")? else { return Ok(None) };
    Ok(Some(PostalAddress {
        street: node.maybe_value("StrtNm")?,
        building: node.maybe_value("BldgNb")?,
        town: node.maybe_value("TwnNm")?,
        post_code: node.maybe_value("PstCd")?,
        country,
    }))
}

/// An element and where it stands.
struct Cursor<'t> {
    element: &'t Element,
    path: String,
}

impl<'t> Cursor<'t> {
    fn wrong(&self, what: &str) -> DocumentError {
        DocumentError::new(format!("{} {what}", self.path))
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) }
    }

    /// The element of a name, which occurs once or not at all.
    fn maybe(&self, name: &str) -> Result<Option<Cursor<'t>>, DocumentError> {
        let mut found = self.element.children.iter().filter(|child| child.name == name);
        let Some(element) = found.next() else { return Ok(None) };
        let cursor = Cursor { element, path: self.path_of(name) };
        match found.next() {
            Some(_) => Err(cursor.wrong("occurs more than once; send it once")),
            None => Ok(Some(cursor)),
        }
    }

    /// The element of a name, which occurs once.
    fn one(&self, name: &str) -> Result<Cursor<'t>, DocumentError> {
        self.maybe(name)?.ok_or_else(|| DocumentError::new(format!("{} is missing", self.path_of(name))))
    }

    /// The elements of a name, at least one, numbered from 1.
    fn many(&self, name: &str) -> Result<Vec<Cursor<'t>>, DocumentError> {
        let found = self.element.children.iter().filter(|child| child.name == name);
        let path = self.path_of(name);
        let all: Vec<_> =
            found.zip(1..).map(|(element, n)| Cursor { element, path: format!("{path}[{n}]") }).collect();
        if all.is_empty() {
            return Err(DocumentError::new(format!("{path} is missing; send at least one")));
        }
        Ok(all)
    }

    /// What stands once by the schema stands once also where nobody reads it: a bank that read the other one of two debtors
    /// would do something else.
    fn check_repetitions(&self) -> Result<(), DocumentError> {
        let mut seen = HashMap::new();
        for child in &self.element.children {
            let count: &mut u32 = seen.entry(child.name.as_str()).or_default();
            *count += 1;
            let may_repeat = REPEATED.contains(&child.name.as_str());
            let mut cursor = Cursor { element: child, path: self.path_of(&child.name) };
            if may_repeat {
                cursor.path = format!("{}[{count}]", cursor.path);
            } else if *count > 1 {
                return Err(cursor.wrong("occurs more than once; send it once"));
            }
            // Lines of an invoice are a list of everything, and data beside the message have a schema of their own.
            if !["Envlp", "LineDtls"].contains(&child.name.as_str()) {
                cursor.check_repetitions()?;
            }
        }
        Ok(())
    }

    /// The element at the end of a path, if every step is there.
    fn path_to(&self, steps: &[&str]) -> Result<Option<Cursor<'t>>, DocumentError> {
        let mut cursor = Cursor { element: self.element, path: self.path.clone() };
        for step in steps {
            match cursor.maybe(step)? {
                Some(next) => cursor = next,
                None => return Ok(None),
            }
        }
        Ok(Some(cursor))
    }

    /// The text of this element, which holds no others.
    fn text(&self) -> Result<Value, DocumentError> {
        if let Some(child) = self.element.children.first() {
            let child = xml::shorten(&child.name);
            return Err(self.wrong(&format!("holds the element {child}; expected a text")));
        }
        Ok(Value { path: self.path.clone(), text: self.element.text.clone() })
    }

    fn value(&self, name: &str) -> Result<Value, DocumentError> {
        self.one(name)?.text()
    }

    fn maybe_value(&self, name: &str) -> Result<Option<Value>, DocumentError> {
        self.maybe(name)?.map(|cursor| cursor.text()).transpose()
    }
}

#[cfg(test)]
mod tests;
