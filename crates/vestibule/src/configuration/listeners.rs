//! Listeners: what each presents, and what has to fit together about them.

use std::collections::BTreeSet;

use eidas::Certificate;
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, ServerName};
use url::Url;

use super::files::{CertificateFile, KeyFile};
use super::keys::{Admin, CoreBank, Interface, Management, Pages, Proxy, Register, Trust, TrustedLists};
use super::provider::Provider;
use super::section::{Reader, Section};
use super::{Before, Configuration, When};

/// Listeners present a certificate, unless a proxy that does is before them.
pub(super) fn check_servers(
    reader: &mut Reader<'_>,
    servers: [(&'static str, Option<Server<'_>>); 2],
    proxy: Option<&Proxy>,
    when: When<'_>,
) {
    for (section, server) in servers {
        server.iter().for_each(|server| server.check(reader, section, proxy, when));
    }
    if proxy.is_some_and(|proxy| proxy.addresses.is_empty()) {
        reader.together(
            "proxy.addresses",
            "without an address nobody is let in; leave [proxy] out if there is none",
        );
    }
}

/// A listener's own certificate with its key.
pub(crate) struct Server<'a> {
    pub(crate) url: &'a Url,
    pub(crate) certificate: Option<&'a CertificateFile>,
    pub(crate) key: Option<&'a KeyFile>,
}

impl Interface {
    pub(crate) fn server(&self) -> Server<'_> {
        let (certificate, key) = (self.certificate_file.as_ref(), self.key_file.as_ref());
        Server { url: &self.url.0, certificate, key }
    }
}

impl Pages {
    pub(crate) fn server(&self) -> Server<'_> {
        let (certificate, key) = (self.certificate_file.as_ref(), self.key_file.as_ref());
        Server { url: &self.url.0, certificate, key }
    }
}

impl Server<'_> {
    /// What the listener presents; nothing behind a proxy.
    ///
    /// # Errors
    /// [`rustls::Error`]
    pub(crate) fn certified_key(&self) -> Result<Option<CertifiedKey>, rustls::Error> {
        let pair = self.certificate.zip(self.key);
        pair.map(|(file, key)| crate::tls::certified_key(&file.certificates, &key.pem)).transpose()
    }

    fn check(&self, reader: &mut Reader<'_>, section: &str, proxy: Option<&Proxy>, when: When<'_>) {
        let (certificate, key) = (format!("{section}.certificate_file"), format!("{section}.key_file"));
        if proxy.is_some() {
            for (name, is_there) in [(&certificate, self.certificate.is_some()), (&key, self.key.is_some())] {
                if is_there {
                    reader.together(name, "the proxy of [proxy] ends TLS; leave this out, or [proxy]");
                }
            }
            return;
        }
        match (self.certificate, self.key) {
            (Some(certificate_file), Some(key_file)) => {
                check_pair(reader, (&certificate, &key), (certificate_file, key_file), when);
                let leaf = &certificate_file.certificates[0];
                if !is_for(leaf, self.url) {
                    let host = self.url.host_str().unwrap_or_default();
                    reader.together(
                        &certificate,
                        format!("the certificate is not for {host}, the host of url"),
                    );
                }
            }
            (have_certificate, have_key) => {
                for (name, is_there) in
                    [(&certificate, have_certificate.is_some()), (&key, have_key.is_some())]
                {
                    if !is_there {
                        reader.together(name, "it is missing; only behind a [proxy] it is left out");
                    }
                }
            }
        }
    }
}

/// Checks that a key is that of its certificate, and that this is in its time. Time that passes is no reason against a file for a door
/// that third parties and customers never see, nor against taking up what else changed: then it is told.
pub(super) fn check_pair(
    reader: &mut Reader<'_>,
    (certificate, key): (&str, &str),
    (certificate_file, key_file): (&CertificateFile, &KeyFile),
    when: When<'_>,
) {
    let leaf = &certificate_file.certificates[0];
    if !leaf.is_valid_at(when.now) {
        let text =
            format!("the certificate is good from {} to {}, and not now", leaf.not_before, leaf.not_after);
        let section = certificate.split('.').next().unwrap_or(certificate);
        let is_bearable = match when.before {
            Before::This(before) => before.certificate_of(section) == Some(certificate_file),
            Before::Unknown => true,
            Before::Nothing => ![Interface::NAME, Pages::NAME].contains(&section),
        };
        if is_bearable {
            reader.remark(certificate, &text);
        } else {
            reader.together(certificate, text);
        }
    }
    if let Err(error) = crate::tls::certified_key(&certificate_file.certificates, &key_file.pem) {
        let text = match error {
            rustls::Error::InconsistentKeys(_) => "this is not the key of certificate_file".to_owned(),
            other => other.to_string(),
        };
        reader.together(key, text);
    }
}

impl Configuration {
    /// Every certificate that the file names, with the section that does.
    pub(crate) fn certificates(&self) -> Vec<(&'static str, &Certificate)> {
        // What a gateway is told from others by, and what others are told from each other by: the end of either is the end of a way.
        let servers = [(Interface::NAME, self.interface.server()), (Pages::NAME, self.pages.server())];
        let servers =
            servers.into_iter().filter_map(|(section, server)| Some((section, server.certificate?)));
        let trust = self.trust.anchor_files.iter().chain(&self.trust.intermediate_files);
        let lists = self.trusted_lists.iter().flat_map(|lists| &lists.signer_files);
        let register = self.register.iter().flat_map(|register| &register.trust_files);
        let all = servers
            .chain([(CoreBank::NAME, &self.core_bank.certificate_file)])
            .chain(self.core_bank.trust_files.iter().map(|file| (CoreBank::NAME, file)))
            .chain(self.admin.iter().map(|admin| (Admin::NAME, &admin.certificate_file)))
            .chain(self.admin.iter().flat_map(|admin| &admin.trust_files).map(|file| (Admin::NAME, file)))
            .chain(self.provider.iter().flat_map(Provider::certificates).map(|file| (Provider::NAME, file)))
            .chain(trust.map(|file| (Trust::NAME, file)))
            .chain(lists.map(|file| (TrustedLists::NAME, file)))
            .chain(register.map(|file| (Register::NAME, file)));
        all.flat_map(|(section, file)| file.certificates.iter().map(move |one| (section, one))).collect()
    }

    /// What is presented by a section.
    fn certificate_of(&self, section: &str) -> Option<&CertificateFile> {
        match section {
            Interface::NAME => self.interface.certificate_file.as_ref(),
            Pages::NAME => self.pages.certificate_file.as_ref(),
            Admin::NAME => self.admin.as_ref().map(|admin| &admin.certificate_file),
            CoreBank::NAME => Some(&self.core_bank.certificate_file),
            Provider::NAME => self.provider.as_ref().and_then(Provider::own_certificate),
            _ => None,
        }
    }
}

fn is_for(leaf: &Certificate, url: &Url) -> bool {
    let der = CertificateDer::from(leaf.der.as_slice());
    let Some(host) = url.host_str() else { return false };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match (webpki::EndEntityCert::try_from(&der), ServerName::try_from(host)) {
        (Ok(certificate), Ok(name)) => certificate.verify_is_valid_for_subject_name(&name).is_ok(),
        _ => false,
    }
}

/// Each listener has an address of its own.
pub(super) fn listeners(
    reader: &mut Reader<'_>,
    (interface, pages, management): (&Option<Interface>, &Option<Pages>, &Option<Management>),
    admin: Option<&Admin>,
) {
    let all = [
        ("interface.listen", interface.as_ref().map(|section| section.listen)),
        ("pages.listen", pages.as_ref().map(|section| section.listen)),
        ("management.listen", management.as_ref().map(|section| section.listen)),
        ("admin.listen", admin.map(|section| section.listen)),
    ];
    let mut taken = BTreeSet::new();
    for (key, address) in all {
        // Port 0 is any free one.
        if let Some(address) = address.filter(|address| address.port() != 0)
            && !taken.insert(address)
        {
            reader.together(key, format!("{address} is that of another section; each listens on its own"));
        }
    }
    if let (Some(interface), Some(pages)) = (interface, pages)
        && interface.url == pages.url
    {
        reader.together(
            "pages.url",
            "it is that of [interface]; browsers come to an address of their own, where none is \
                                      asked for a certificate",
        );
    }
}
