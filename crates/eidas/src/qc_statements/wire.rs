//! The shapes of ASN.1 in which statements stand, and words for what stands there in place of one.

use der::asn1::{AnyRef, Ia5StringRef, ObjectIdentifier, PrintableStringRef, Utf8StringRef};
use der::{Decode, Encode, Sequence, Tag, Tagged};

#[derive(Sequence)]
pub(super) struct WireStatement<'a> {
    pub(super) id: ObjectIdentifier,
    pub(super) info: Option<AnyRef<'a>>,
}

#[derive(Sequence)]
pub(super) struct WirePsd2<'a> {
    pub(super) roles: Vec<WireRole<'a>>,
    pub(super) nca_name: AnyRef<'a>,
    pub(super) nca_id: AnyRef<'a>,
}

#[derive(Sequence)]
pub(super) struct WireRole<'a> {
    pub(super) oid: ObjectIdentifier,
    pub(super) name: Utf8StringRef<'a>,
}

#[derive(Sequence)]
pub(super) struct WireDisclosure<'a> {
    pub(super) url: Ia5StringRef<'a>,
    pub(super) language: PrintableStringRef<'a>,
}

#[derive(Sequence)]
pub(super) struct WireSemantics<'a> {
    pub(super) identifier: Option<ObjectIdentifier>,
    pub(super) authorities: Option<AnyRef<'a>>,
}

/// A statement with its content in DER.
pub(super) struct OwnedStatement {
    pub(super) id: ObjectIdentifier,
    pub(super) info: Option<Vec<u8>>,
}

impl OwnedStatement {
    pub(super) fn read(der: &[u8]) -> Result<Self, der::Error> {
        let WireStatement { id, info } = WireStatement::from_der(der)?;
        Ok(Self { id, info: info.map(|info| info.to_der()).transpose()? })
    }
}

/// The DER of each member of a SEQUENCE.
pub(super) fn members_of(der: &[u8]) -> Option<Vec<Vec<u8>>> {
    let members = Vec::<AnyRef<'_>>::from_der(der).ok()?;
    members.iter().map(|member| member.to_der().ok()).collect()
}

/// What some DER is, for messages.
pub(super) fn shape(der: &[u8]) -> String {
    match AnyRef::from_der(der) {
        Ok(any) if any.tag() == Tag::Sequence => "a SEQUENCE of something else".to_owned(),
        Ok(any) => article(any.tag()),
        Err(_) => "no DER".to_owned(),
    }
}

/// A type with its article, as ASN.1 writes it.
pub(super) fn article(tag: Tag) -> String {
    let name = tag.to_string();
    let vowel = name.starts_with(['A', 'E', 'I', 'O']);
    format!("{} {name}", if vowel { "an" } else { "a" })
}
