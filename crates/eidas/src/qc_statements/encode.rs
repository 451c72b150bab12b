//! Writing the extension.

use der::Decode;
use der::Encode;
use der::asn1::{AnyRef, PrintableStringRef, Utf8StringRef};

use super::wire::{WireDisclosure, WirePsd2, WireRole, WireSemantics, WireStatement};
use super::{Psd2Statement, QcStatements};
use crate::oid;

/// Writes the extension value of a certificate for a payment service provider.
///
/// # Errors
/// A text that its ASN.1 type cannot hold.
pub(crate) fn encode(statements: &QcStatements) -> Result<Vec<u8>, der::Error> {
    let mut wire = Vec::new();
    if statements.qc_compliance {
        wire.push(statement(oid::QC_COMPLIANCE, None)?);
    }
    if statements.qc_sscd {
        wire.push(statement(oid::QC_SSCD, None)?);
    }
    let types: Vec<_> = statements.qc_types.iter().filter_map(|qc_type| qc_type.oid()).collect();
    if !types.is_empty() {
        wire.push(statement(oid::QC_TYPE, Some(types.to_der()?))?);
    }
    if !statements.disclosure_statements.is_empty() {
        let entries = statements
            .disclosure_statements
            .iter()
            .map(|entry| {
                Ok(WireDisclosure {
                    url: der::asn1::Ia5StringRef::new(&entry.url)?,
                    language: PrintableStringRef::new(&entry.language)?,
                })
            })
            .collect::<Result<Vec<_>, der::Error>>()?;
        wire.push(statement(oid::QC_PDS, Some(entries.to_der()?))?);
    }
    if let Some(semantics) = statements.semantics {
        let info = WireSemantics { identifier: Some(semantics), authorities: None };
        wire.push(statement(oid::QC_SYNTAX_V2, Some(info.to_der()?))?);
    }
    if let Some(psd2) = &statements.psd2 {
        wire.push(statement(oid::PSD2_STATEMENT, Some(encode_psd2(psd2)?))?);
    }
    let parts = wire.iter().map(|bytes| AnyRef::from_der(bytes)).collect::<Result<Vec<_>, _>>()?;
    parts.to_der()
}

fn encode_psd2(psd2: &Psd2Statement) -> Result<Vec<u8>, der::Error> {
    let roles = psd2
        .roles
        .iter()
        .map(|role| Ok(WireRole { oid: role.oid(), name: Utf8StringRef::new(role.name())? }))
        .collect::<Result<Vec<_>, der::Error>>()?;
    let (nca_name, nca_id) = (Utf8StringRef::new(&psd2.nca_name)?, Utf8StringRef::new(&psd2.nca_id)?);
    WirePsd2 { roles, nca_name: nca_name.into(), nca_id: nca_id.into() }.to_der()
}

fn statement(id: der::asn1::ObjectIdentifier, info: Option<Vec<u8>>) -> Result<Vec<u8>, der::Error> {
    let info = info.as_deref().map(AnyRef::from_der).transpose()?;
    WireStatement { id, info }.to_der()
}
