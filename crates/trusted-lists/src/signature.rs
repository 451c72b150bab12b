//! The signature of a list (XAdES, enveloped; TS 119 612, 5.7): verified by `bergshamra`. What is decided here is whose signature is
//! taken, and that it covers everything.

use bergshamra_dsig::{DsigContext, verify};
use bergshamra_keys::{KeysManager, loader};
use eidas::Certificate;
use uppsala::Document;

use crate::list::ListError;
use crate::tree::{Element, SIGNATURE};

/// What a signature over the whole list may do to it before it is hashed: leave the signature out, and write it in the one way.
const TRANSFORMS: [&str; 3] = [
    "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
    "http://www.w3.org/2001/10/xml-exc-c14n#",
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
];

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

/// Checks that a document is signed as a whole, once, with the key of one of these certificates.
pub(crate) fn check<'s>(
    document: &Document<'_>,
    xml: &str,
    signers: impl IntoIterator<Item = &'s Certificate>,
) -> Result<(), ListError> {
    let wrong = |why: &str| ListError::Signature(why.to_owned());
    let root = Element::outermost(document).ok_or_else(|| wrong("there is no list"))?;
    let all = document.get_elements_by_tag_name_ns(SIGNATURE, "Signature");
    let [id] = all[..] else {
        return Err(wrong("a list is signed once, and this has no signature or several"));
    };
    let signature = root.child(SIGNATURE, "Signature").filter(|signature| signature.id() == id);
    let signature =
        signature.ok_or_else(|| wrong("the signature stands elsewhere than at the end of the list"))?;
    check_whole(signature, root)?;
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
    match verified {
        Ok(result) if result.all_reference_digests_verified() => Ok(()),
        Ok(verify::VerifyResult::Invalid { reason }) => Err(ListError::Signature(reason)),
        Ok(verify::VerifyResult::Valid { .. }) => Err(wrong("what is signed was not all looked at")),
        Err(error) => Err(ListError::Signature(error.to_string())),
    }
}

/// Checks that the signature says that it is over the whole list.
fn check_whole(signature: Element<'_>, root: Element<'_>) -> Result<(), ListError> {
    let wrong = |why: &str| ListError::Signature(why.to_owned());
    let info = signature.child(SIGNATURE, "SignedInfo").ok_or_else(|| wrong("SignedInfo is missing"))?;
    let method = info.child(SIGNATURE, "SignatureMethod").and_then(|method| method.attribute("Algorithm"));
    if !method.is_some_and(|method| METHODS.contains(&method)) {
        return Err(wrong(
            "it is signed in a way that is not taken: RSA or ECDSA with SHA-256 to SHA-512 are",
        ));
    }
    let id = root.attribute("Id").map(|id| format!("#{id}"));
    let is_whole = |reference: Element<'_>| {
        let uri = reference.attribute("URI");
        if uri != Some("") && (uri.is_none() || uri != id.as_deref()) {
            return false;
        }
        let transforms = reference.child(SIGNATURE, "Transforms").into_iter().flat_map(Element::children);
        let mut transforms = transforms.map(|transform| transform.attribute("Algorithm").unwrap_or_default());
        transforms.all(|transform| TRANSFORMS.contains(&transform))
    };
    if info.all(SIGNATURE, "Reference").any(is_whole) {
        Ok(())
    } else {
        Err(wrong("the signature is not over the whole list"))
    }
}
