//! Whom the file says is trusted: authorities, and those who sign the list of lists.

use eidas::TrustStore;

use super::files::CertificateFile;
use super::section::Reader;
use super::{Trust, TrustedLists};

/// Checks that somebody is trusted, and nobody who should not be.
pub(super) fn check(reader: &mut Reader<'_>, trust: &Trust, lists: &Option<Option<TrustedLists>>) {
    let has_lists = lists.as_ref().is_none_or(Option::is_some);
    if trust.anchor_files.is_empty() && !has_lists {
        reader.together(
            "trust.anchor_files",
            "without an authority no third party is let in; name one, or [trusted_lists]",
        );
    }
    for file in &trust.anchor_files {
        for certificate in &file.certificates {
            if let Err(error) = TrustStore::default().add_anchor(&certificate.der) {
                reader.together("trust.anchor_files", format!("{}: {error}", file.path.display()));
            }
        }
    }
    check_for_tests(reader, "trust.anchor_files", &trust.anchor_files, trust.test_authorities);
}

/// Authorities for tests are trusted where the file says so, and then that is told.
fn check_for_tests(reader: &mut Reader<'_>, key: &str, files: &[CertificateFile], are_trusted: bool) {
    for file in files {
        for certificate in file.certificates.iter().filter(|certificate| certificate.is_for_tests()) {
            let named =
                format!("{}: \"{}\" is an authority for tests", file.path.display(), certificate.subject);
            if are_trusted {
                reader.remark(key, &format!("{named}: whoever has it can be any third party here"));
            } else {
                reader.together(
                    key,
                    format!(
                        "{named}, with which anybody could be any third party; take it out, or say test_authorities = true \
                         in [trust] where nothing is real"
                    ),
                );
            }
        }
    }
}

/// Checks who signs the list of lists.
pub(super) fn check_lists(reader: &mut Reader<'_>, lists: &TrustedLists, test_authorities: bool) {
    check_for_tests(reader, "trusted_lists.signer_files", &lists.signer_files, test_authorities);
    if lists.signer_files.is_empty() {
        let text = "without a certificate nobody's signature of the list of lists is taken";
        reader.together("trusted_lists.signer_files", text);
    }
}

impl Trust {
    /// The authorities.
    ///
    /// # Errors
    /// [`eidas::CertificateError`]
    pub(crate) fn store(&self) -> Result<TrustStore, eidas::CertificateError> {
        let mut store = TrustStore::default();
        for certificate in self.anchor_files.iter().flat_map(|file| &file.certificates) {
            store.add_anchor(&certificate.der)?;
        }
        for certificate in self.intermediate_files.iter().flat_map(|file| &file.certificates) {
            store.add_intermediate(&certificate.der);
        }
        Ok(store)
    }
}
