//! Certificates that came together, from the leaf up.

use crate::certificate::{Certificate, CertificateError, chain_from_pem};

/// The certificates of a PEM text, in whatever order they stand there: first the one that issued none of the
/// others, then its issuer, and so on up; whatever does not belong to that chain comes last.
///
/// # Errors
/// As [`chain_from_pem`], and for a certificate that cannot be read.
pub fn ordered_chain(pem: impl AsRef<[u8]>) -> Result<Vec<Certificate>, CertificateError> {
    let ders = chain_from_pem(pem)?;
    let read = ders.iter().map(|der| Certificate::from_der(der)).collect::<Result<_, _>>()?;
    Ok(order(read))
}

/// The same for certificates that are read already.
pub fn order(mut rest: Vec<Certificate>) -> Vec<Certificate> {
    let issued = |issuer: &Certificate, other: &Certificate| {
        issuer.fingerprint != other.fingerprint && issuer.subject == other.issuer
    };
    let leaf = (0..rest.len()).find(|at| !rest.iter().any(|other| issued(&rest[*at], other)));
    let mut chain = Vec::with_capacity(rest.len());
    let mut next = leaf.or((!rest.is_empty()).then_some(0));
    while let Some(at) = next {
        let certificate = rest.remove(at);
        rest.retain(|other| other.fingerprint != certificate.fingerprint);
        next = rest.iter().position(|other| issued(other, &certificate));
        chain.push(certificate);
    }
    chain.append(&mut rest);
    chain
}
