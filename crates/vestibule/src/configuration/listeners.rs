//! Listeners: what each presents, and what has to fit together about them.

use std::collections::BTreeSet;

use eidas::Certificate;
use gateway::domain::Timestamp;
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, ServerName};
use url::Url;

use super::files::{CertificateFile, KeyFile};
use super::keys::{Admin, Interface, Management, Pages, Proxy};
use super::section::Reader;

/// Listeners present a certificate, unless a proxy that does is before them.
pub(super) fn check_servers(
    reader: &mut Reader<'_>,
    servers: [(&'static str, Option<Server<'_>>); 2],
    proxy: Option<&Proxy>,
    now: Timestamp,
) {
    for (section, server) in servers {
        server.iter().for_each(|server| server.check(reader, section, proxy, now));
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

    fn check(&self, reader: &mut Reader<'_>, section: &str, proxy: Option<&Proxy>, now: Timestamp) {
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
                check_pair(reader, (&certificate, &key), (certificate_file, key_file), now);
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

/// Checks that a key is that of its certificate, and that this is in its time.
pub(super) fn check_pair(
    reader: &mut Reader<'_>,
    (certificate, key): (&str, &str),
    (certificate_file, key_file): (&CertificateFile, &KeyFile),
    now: Timestamp,
) {
    let leaf = &certificate_file.certificates[0];
    if !leaf.is_valid_at(now) {
        let text =
            format!("the certificate is good from {} to {}, and not now", leaf.not_before, leaf.not_after);
        reader.together(certificate, text);
    }
    if let Err(error) = crate::tls::certified_key(&certificate_file.certificates, &key_file.pem) {
        let text = match error {
            rustls::Error::InconsistentKeys(_) => "this is not the key of certificate_file".to_owned(),
            other => other.to_string(),
        };
        reader.together(key, text);
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
