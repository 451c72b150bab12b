//! The signature of a list (XAdES, enveloped; TS 119 612, 5.7): verified by `bergshamra`. What is decided here is whose signature is
//! taken, and that it covers everything.

use bergshamra_dsig::{DsigContext, VerifiedReference, VerifyResult, verify};
use bergshamra_keys::{KeysManager, loader};
use eidas::{Certificate, Fingerprint};
use uppsala::Document;

use crate::list::ListError;
use crate::tree::{Element, SIGNATURE};

/// What a signature over the whole list may do to it before it is hashed: leave the signature out, and write it in the one way.
const TRANSFORMS: [&str; 4] =
    ["http://www.w3.org/2000/09/xmldsig#enveloped-signature", CANONICAL[0], CANONICAL[1], CANONICAL[2]];

/// The one way in which it may be written.
const CANONICAL: [&str; 3] = [
    "http://www.w3.org/2001/10/xml-exc-c14n#",
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    "http://www.w3.org/2006/12/xml-c14n11",
];

/// What it may be hashed with (TS 119 312).
const DIGESTS: [&str; 3] = [
    "http://www.w3.org/2001/04/xmlenc#sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512",
];

/// What is signed in one list at most: the list and the properties of the signature, perhaps the key. Each may be the whole list,
/// which is written and hashed before anybody knows who signed that.
const REFERENCES: usize = 4;

/// What it may be signed with (TS 119 312). Nothing else is tried.
const METHODS: [&str; 8] = [
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
    "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
    "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
];

/// Checks that a document is signed as a whole, once, with the key of one of these certificates; returns which.
pub(crate) fn check(
    document: &Document<'_>,
    xml: &str,
    signers: &[&Certificate],
) -> Result<Fingerprint, ListError> {
    let wrong = |why: &str| ListError::Signature(why.to_owned());
    let root = Element::outermost(document).ok_or_else(|| wrong("there is no list"))?;
    let all = document.get_elements_by_tag_name_ns(SIGNATURE, "Signature");
    let [id] = all[..] else {
        return Err(wrong("a list is signed once, and this has no signature or several"));
    };
    let signature = root.child(SIGNATURE, "Signature").filter(|signature| signature.id() == id);
    let signature =
        signature.ok_or_else(|| wrong("the signature stands elsewhere than at the end of the list"))?;
    check_form(signature, root)?;
    let mut keys = KeysManager::new();
    for signer in signers {
        // Keys that the library does not know sign no list.
        if let Ok(key) = loader::load_x509_cert_der(&signer.der) {
            keys.add_key(key);
        }
    }
    if keys.is_empty() {
        return Err(wrong("nobody is known whose signature would be taken"));
    }
    // Keys in the document are never used. Where what is signed lies was checked above: the stricter check of the library refuses
    // the properties of XAdES, which lie in the signature.
    let context = DsigContext::new(keys).with_strict_verification(false);
    let verified = verify::verify_document_with_source(&context, document, Some(xml));
    let verified = verified.map_err(|error| ListError::Signature(error.to_string()))?;
    let is_complete = verified.all_reference_digests_verified();
    let (references, key) = match verified {
        VerifyResult::Valid { references, key_info, .. } => (references, key_info),
        VerifyResult::Invalid { reason } => return Err(ListError::Signature(reason)),
    };
    // What its own name leads to is the list and nothing in it that has the same name.
    let is_whole = |one: &VerifiedReference| {
        one.uri.is_empty() || one.resolved_node.is_some_and(|node| node == root.id())
    };
    if !is_complete || !references.iter().any(is_whole) {
        return Err(wrong("what is signed was not all looked at"));
    }
    let with = key.x509_chain.first().ok_or_else(|| wrong("it is not known whose it is"))?;
    let with = signers.iter().find(|signer| signer.der == *with);
    with.map(|signer| signer.fingerprint).ok_or_else(|| wrong("it is not known whose it is"))
}

/// Checks what the signature says of itself: over the whole list, by what is taken, and nothing that costs much to look at.
fn check_form(signature: Element<'_>, root: Element<'_>) -> Result<(), ListError> {
    let wrong = |why: &str| ListError::Signature(why.to_owned());
    let info = signature.child(SIGNATURE, "SignedInfo").ok_or_else(|| wrong("SignedInfo is missing"))?;
    if !METHODS.contains(&named(info, "SignatureMethod")) {
        return Err(wrong(
            "it is signed in a way that is not taken: RSA or ECDSA with SHA-256 to SHA-512 are",
        ));
    }
    if !CANONICAL.contains(&named(info, "CanonicalizationMethod")) {
        return Err(wrong(
            "what is signed is written in a way that is not taken: canonical XML without comments is",
        ));
    }
    let references: Vec<_> = info.all(SIGNATURE, "Reference").collect();
    if references.len() > REFERENCES {
        return Err(wrong("it is over more than four things"));
    }
    let id = root.attribute("Id").map(|id| format!("#{id}"));
    let mut is_whole = false;
    for reference in references {
        let uri = reference.attribute("URI").ok_or_else(|| wrong("it does not say what it is over"))?;
        if !uri.is_empty() && !uri.starts_with('#') {
            return Err(wrong("it is over something that is not in the list"));
        }
        if !DIGESTS.contains(&named(reference, "DigestMethod")) {
            return Err(wrong("what is signed is hashed in a way that is not taken: SHA-256 to SHA-512 are"));
        }
        let transforms = reference.child(SIGNATURE, "Transforms").into_iter().flat_map(Element::children);
        let transforms: Vec<_> =
            transforms.map(|transform| transform.attribute("Algorithm").unwrap_or_default()).collect();
        if transforms.len() > TRANSFORMS.len() || !transforms.iter().all(|one| TRANSFORMS.contains(one)) {
            return Err(wrong("what is signed is changed before it is hashed in a way that is not taken"));
        }
        is_whole |= uri.is_empty() || Some(uri) == id.as_deref();
    }
    if is_whole { Ok(()) } else { Err(wrong("the signature is not over the whole list")) }
}

/// The algorithm that a part of a signature names.
fn named<'d>(element: Element<'d>, part: &str) -> &'d str {
    element.child(SIGNATURE, part).and_then(|part| part.attribute("Algorithm")).unwrap_or_default()
}
