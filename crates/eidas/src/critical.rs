//! Critical extensions that are understood here and not by the path validation of rustls-webpki.
//!
//! The library takes no list of further extensions. So it gets a copy of the certificate, or of the revocation list, in which they
//! are not critical, and algorithms that know which octets were signed in truth: the signature that is verified is the one
//! over what came.

use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Encode, Sequence, Tag, TagNumber, Tagged};
use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};

use crate::certificate::Certificate;
use crate::policies::is_about_policies;
use crate::{name, oid};

/// A certificate or a revocation list (RFC 5280, 4.1 and 5.1).
#[derive(Sequence)]
pub(crate) struct WireSigned<'a> {
    pub(crate) tbs: AnyRef<'a>,
    pub(crate) algorithm: AnyRef<'a>,
    pub(crate) signature: AnyRef<'a>,
}

#[derive(Sequence)]
pub(crate) struct WireExtension<'a> {
    pub(crate) id: ObjectIdentifier,
    #[asn1(default = "Default::default")]
    critical: bool,
    pub(crate) value: AnyRef<'a>,
}

/// Extension issuingDistributionPoint (RFC 5280, 5.2.5).
pub(crate) const ISSUING_DISTRIBUTION_POINT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.28");

/// What an extension is called that says nothing: the identifier of the nil UUID (ITU-T X.667, 8), which nobody gives to anything.
const NOTHING: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.25.0");

/// Tag of the extensions in TBSCertificate (RFC 5280, 4.1).
const OF_CERTIFICATE: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber(3) };

/// Tag of the extensions in TBSCertList (RFC 5280, 5.1).
pub(crate) const OF_LIST: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };

/// A certificate or a revocation list, and the copy of it that is not as critical.
pub(crate) struct Softened {
    der: Vec<u8>,
    /// The signed part of the copy, and that of what came; none if they are the same.
    signed: Option<(Vec<u8>, Vec<u8>)>,
}

/// A signature algorithm for which the signed parts of copies stand for those of what came.
#[derive(Debug)]
pub(crate) struct Standing<'a> {
    inner: &'a dyn SignatureVerificationAlgorithm,
    signed: &'a [SignedParts<'a>],
}

/// The signed part of a copy, and that of what came.
pub(crate) type SignedParts<'a> = (&'a [u8], &'a [u8]);

/// Algorithms that know what was signed of copies.
pub(crate) fn algorithms<'a>(
    signed: &'a [SignedParts<'a>],
    all: &[&'a dyn SignatureVerificationAlgorithm],
) -> Vec<Standing<'a>> {
    all.iter().map(|inner| Standing { inner: *inner, signed }).collect()
}

impl Softened {
    /// Takes those extensions of a certificate as not critical that are understood. A certificate that cannot be
    /// read stays as it is.
    pub(crate) fn new(der: &[u8], is_understood: impl Fn(ObjectIdentifier) -> bool) -> Self {
        Self::changed(der, OF_CERTIFICATE, |extensions| {
            let mut is_changed = false;
            for extension in extensions {
                is_changed |= extension.critical && is_understood(extension.id);
                extension.critical &= !is_understood(extension.id);
            }
            is_changed
        })
    }

    /// The same with all of them, and without the one that says that it is an authority's: lists tell of authorities as of others,
    /// and the library asks about the end of a path alone.
    pub(crate) fn for_list(der: &[u8]) -> Self {
        Self::changed(der, OF_CERTIFICATE, |extensions| {
            extensions.retain(|extension| extension.id != oid::BASIC_CONSTRAINTS);
            extensions.iter_mut().for_each(|extension| extension.critical = false);
            true
        })
    }

    /// A revocation list without what it says of the certificates that it is about.
    pub(crate) fn without_scope(list: &[u8]) -> Self {
        Self::changed(list, OF_LIST, |extensions| {
            let mut is_changed = false;
            for extension in extensions.iter_mut().filter(|one| one.id == ISSUING_DISTRIBUTION_POINT) {
                (extension.id, extension.critical, is_changed) = (NOTHING, false, true);
            }
            is_changed
        })
    }

    fn changed(der: &[u8], kind: Tag, change: impl FnOnce(&mut Vec<WireExtension<'_>>) -> bool) -> Self {
        match soften(der, kind, change) {
            Ok(Some((softened, copy, original))) => Self { der: softened, signed: Some((copy, original)) },
            _ => Self { der: der.to_vec(), signed: None },
        }
    }

    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    /// The signed part of the copy, and that of what came; none if they are the same.
    pub(crate) fn signed(&self) -> Option<SignedParts<'_>> {
        self.signed.as_ref().map(|(copy, original)| (&copy[..], &original[..]))
    }
}

impl SignatureVerificationAlgorithm for Standing<'_> {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let stands_for = self.signed.iter().find(|(copy, _)| *copy == message);
        let message = stands_for.map_or(message, |(_, original)| original);
        self.inner.verify_signature(public_key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.inner.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.inner.signature_alg_id()
    }
}

/// The copy, its signed part and that of what came; none if nothing changes.
type Changed = Option<(Vec<u8>, Vec<u8>, Vec<u8>)>;

fn soften(
    der: &[u8],
    kind: Tag,
    change: impl FnOnce(&mut Vec<WireExtension<'_>>) -> bool,
) -> Result<Changed, der::Error> {
    let signed = WireSigned::from_der(der)?;
    let original = signed.tbs.to_der()?;
    let members = Vec::<AnyRef<'_>>::from_der(&original)?;
    let Some((last, before)) = members.split_last().filter(|(last, _)| last.tag() == kind) else {
        return Ok(None);
    };
    let mut extensions = Vec::<WireExtension<'_>>::from_der(last.value())?;
    if !change(&mut extensions) {
        return Ok(None);
    }
    let extensions = extensions.to_der()?;
    let mut members: Vec<AnyRef<'_>> = before.to_vec();
    members.push(AnyRef::new(kind, &extensions)?);
    let copy = members.to_der()?;
    let softened = WireSigned { tbs: AnyRef::from_der(&copy)?, ..signed }.to_der()?;
    Ok(Some((softened, copy, original)))
}

/// Extensions that path validation processes (RFC 5280, 6.1), so that they may be critical.
const PROCESSED: [ObjectIdentifier; 6] = [
    oid::KEY_USAGE,
    oid::SUBJECT_ALT_NAME,
    oid::BASIC_CONSTRAINTS,
    oid::NAME_CONSTRAINTS,
    oid::CRL_DISTRIBUTION_POINTS,
    oid::EXTENDED_KEY_USAGE,
];

/// Extensions of a certificate at the end of a path that are understood beside those.
pub(crate) fn is_understood(extension: ObjectIdentifier) -> bool {
    extension == oid::QC_STATEMENTS || is_about_policies(extension)
}

/// The critical extensions of a certificate of a third party that nobody here understands, by name; empty if there is none.
pub(crate) fn unknown_critical_of_leaf(certificate: &Certificate) -> String {
    not_understood(certificate, is_understood)
}

/// Says which extension nobody here understands: one of the certificate, or of an authority that may be above it.
pub(crate) fn unknown_critical<'a>(
    certificate: &Certificate,
    above: impl Iterator<Item = &'a [u8]>,
) -> String {
    let own = unknown_critical_of_leaf(certificate);
    if !own.is_empty() {
        return format!("its extension {own} is critical and not understood here");
    }
    let authorities = above.filter_map(|der| Certificate::from_der(der).ok());
    let found =
        authorities.map(|authority| (not_understood(&authority, is_about_policies), authority.subject));
    let found = found.into_iter().find(|(extensions, _)| !extensions.is_empty());
    found.map_or_else(
        || "a certificate on it has a critical extension that is not understood here".to_owned(),
        |(extensions, name)| {
            format!(
                "the extension {extensions} of its authority \"{name}\" is critical and not understood here"
            )
        },
    )
}

/// The critical extensions of a certificate that are neither processed nor understood.
fn not_understood(certificate: &Certificate, is_understood: impl Fn(ObjectIdentifier) -> bool) -> String {
    let critical = certificate.extensions.iter().filter(|(_, critical)| *critical).map(|(oid, _)| *oid);
    let unknown = critical.filter(|oid| !is_understood(*oid) && !PROCESSED.contains(oid));
    unknown.map(name::extension_name).collect::<Vec<_>>().join(", ")
}
