//! What belongs together in the section of the bank's staff.

use rustls::sign::CertifiedKey;

use super::keys::Admin;
use super::section::Reader;
use super::{When, check_pair};

/// Checks what belongs together in the section of the bank's staff.
pub(super) fn check(reader: &mut Reader<'_>, admin: &Admin, when: When<'_>) {
    let files = (&admin.certificate_file, &admin.key_file);
    check_pair(reader, ("admin.certificate_file", "admin.key_file"), files, when);
    if admin.trust_files.is_empty() {
        reader.together("admin.trust_files", "without an authority nobody of the staff is let in");
    }
    if [&admin.readers, &admin.operators, &admin.auditors].iter().all(|names| names.is_empty()) {
        reader.together("admin.operators", "nobody has a role; name somebody, or leave [admin] out");
    }
}

impl Admin {
    /// What the listener presents.
    ///
    /// # Errors
    /// [`rustls::Error`]
    pub(crate) fn certified_key(&self) -> Result<CertifiedKey, rustls::Error> {
        crate::tls::certified_key(&self.certificate_file.certificates, &self.key_file.pem)
    }
}
