//! The bank's OpenID provider, where its customers authenticate.

use std::time::Duration;

use eidas::certificate::to_pem;
use openid::{ClientProof, Limits, ProviderSettings, SetupError};
use toml::Spanned;
use toml::de::DeValue;

use super::files::{CertificateFile, KeyFile, Secret};
use super::section::{Fault, Place, Reader, Value, section};
use super::values::{Count, Deadline, parsed};
use super::{When, check_pair};

section! {
    /// The bank's own OpenID provider, where customers authenticate. Leave the section out if the bank has none: then customers
    /// name an account at our pages and answer with their device, which the core bank checks. The gateway proves itself there
    /// by one of three: client_secret; key_file alone; certificate_file with key_file. Two kinds of redirect URI are to be
    /// registered there, below the url of [pages]: /auth/internalonly/callback, and /auth/BRANCH/customer/callback for each branch.
    /// The section is read again at SIGHUP.
    Provider "provider" {
        /// Its issuer, exactly as its ID tokens name it.
        issuer: Issuer, Required("\"https://login.bank.example.com/realms/customers\"");
        /// Id of the gateway there.
        client_id: String, Required("\"vestibule\"");
        /// The gateway's secret there (client_secret_basic).
        client_secret: Option<Secret>, Optional("\"provider.secret\"");
        /// The gateway's private key, RSA or P-256: alone it signs assertions (private_key_jwt), with certificate_file it is that
        /// of the certificate.
        key_file: Option<KeyFile>, Optional("\"provider.key\"");
        /// Id by which the provider knows the key that signs assertions.
        key_id: Option<Word>, Optional("\"vestibule-1\"");
        /// Client certificate that the gateway presents in the TLS handshake (tls_client_auth), followed by those above it.
        certificate_file: Option<CertificateFile>, Optional("\"provider.pem\"");
        /// PEM files with the authorities of its server's certificate; without any, those that the system trusts.
        trust_files: Vec<CertificateFile>, Default("[]");
        /// What is asked for.
        scope: Scope, Default("\"openid\"");
        /// Authentication contexts that are strong enough, the best first; an ID token has to have one of them (acr). Without any,
        /// the provider alone decides what is strong.
        acr_values: Vec<Word>, Default("[]");
        /// How long ago a customer may have authenticated; for a payment never more than five minutes.
        max_age: Duration, Default("\"5m\"");
        /// Claim of the ID token by which the core bank knows the customer.
        customer_claim: Word, Default("\"sub\"");
        /// The type of authorization details that tells a payment, with amount and payee.
        payment_type: Word, Default("\"payment_initiation\"");
        /// Whether the provider repeats the authorization details that were approved, as RFC 9396 says. Where it does not, it is
        /// believed to have shown what it was told; then it has to take pushed requests (RFC 9126), or nobody pays.
        confirms_payments: bool, Default("true");
        /// How long a connection to it may take.
        connect_within: Deadline, Default("\"2s\"");
        /// How long an answer may take.
        answer_within: Deadline, Default("\"5s\"");
        /// How many calls of one node to it there may be at once; others wait within their time.
        calls_at_once: Count, Default("64");
        /// How long its configuration and its keys are kept. Keys that nobody knows yet are looked up at once.
        documents_for: Deadline, Default("\"10m\"");
    }
}

impl Provider {
    /// The way there; nobody is asked yet.
    ///
    /// # Errors
    /// [`SetupError`]
    pub(crate) fn way(&self) -> Result<openid::Provider, SetupError> {
        openid::Provider::new(self.settings(self.proof()))
    }

    /// Its certificates.
    pub(super) fn certificates(&self) -> impl Iterator<Item = &CertificateFile> {
        self.certificate_file.iter().chain(&self.trust_files)
    }

    fn proof(&self) -> ClientProof {
        let key = self.key_file.as_ref().map(|key| key.pem.clone()).unwrap_or_default();
        let key_id = self.key_id.as_ref().map(|id| id.0.clone());
        match (&self.client_secret, &self.certificate_file) {
            (Some(secret), _) => ClientProof::Secret(secret.0.clone()),
            (None, Some(file)) => ClientProof::Certificate((pem([file]) + &key).into_bytes()),
            (None, None) => ClientProof::PrivateKey { pem: key.into_bytes(), key_id },
        }
    }

    fn settings(&self, proof: ClientProof) -> ProviderSettings {
        let authorities = pem(&self.trust_files).into_bytes();
        ProviderSettings {
            authorities: Some(authorities).filter(|authorities| !authorities.is_empty()),
            scope: self.scope.0.clone(),
            acr_values: self.acr_values.iter().map(|acr| acr.0.clone()).collect(),
            max_age: u32::try_from(self.max_age.as_secs()).unwrap_or(u32::MAX),
            customer_claim: self.customer_claim.0.clone(),
            payment_type: self.payment_type.0.clone(),
            confirms_payments: self.confirms_payments,
            limits: Limits {
                deadline: self.answer_within.0,
                connect: self.connect_within.0,
                at_once: self.calls_at_once.0,
                documents: self.documents_for.0,
            },
            ..ProviderSettings::new(&self.issuer.0, &self.client_id, proof)
        }
    }

    /// What it presents to the provider.
    pub(super) fn own_certificate(&self) -> Option<&CertificateFile> {
        self.certificate_file.as_ref()
    }

    /// Checks what belongs together.
    pub(super) fn check(&self, reader: &mut Reader<'_>, when: When<'_>) {
        let has = (self.client_secret.is_some(), self.key_file.is_some(), self.certificate_file.is_some());
        match has {
            (true, false, false) | (false, true, _) => {}
            (true, has_key, _) => {
                let other = if has_key { "provider.key_file" } else { "provider.certificate_file" };
                let text = "there is client_secret too; the gateway proves itself in one way";
                reader.together(other, text);
            }
            (false, false, true) => {
                reader.together("provider.certificate_file", "key_file is missing, its private key");
            }
            (false, false, false) => reader.together(
                "provider",
                "it does not say how the gateway proves itself; name client_secret_file, or key_file, or \
                 certificate_file with key_file",
            ),
        }
        let signs = has == (false, true, false);
        if self.key_id.is_some() && !signs {
            reader.together("provider.key_id", "it names a key that signs assertions: key_file alone");
        }
        if let (Some(certificate), Some(key)) = (&self.certificate_file, &self.key_file) {
            check_pair(reader, ("provider.certificate_file", "provider.key_file"), (certificate, key), when);
        } else if signs && let Err(error) = self.way() {
            reader.together("provider.key_file", error.to_string());
        }
    }
}

fn pem<'a>(files: impl IntoIterator<Item = &'a CertificateFile>) -> String {
    files.into_iter().flat_map(|file| &file.certificates).map(|one| to_pem(&one.der)).collect()
}

/// The issuer of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Issuer(String);

impl Value for Issuer {
    fn what() -> String {
        "https:// with a host, without query and fragment".to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, _: &Place<'_>) -> Result<Self, Vec<Fault>> {
        let what = "https:// with a host, such as https://login.bank.example.com/realms/customers, without query, \
                    fragment and user";
        parsed(value, what, |text| openid::is_issuer(text).then(|| Self(text.to_owned())))
    }
}

/// A scope that asks for an ID token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope(String);

impl Value for Scope {
    fn what() -> String {
        "words with one space between them, openid among them".to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, _: &Place<'_>) -> Result<Self, Vec<Fault>> {
        parsed(value, &Self::what(), |text| {
            let is_good = openid::is_scope(text) && text.split(' ').all(is_word);
            is_good.then(|| Self(text.to_owned()))
        })
    }
}

/// A name without spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word(String);

impl Value for Word {
    fn what() -> String {
        "a word without spaces".to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, _: &Place<'_>) -> Result<Self, Vec<Fault>> {
        let what = "a word of 1 to 200 characters of ASCII, without spaces, quotation marks and backslashes";
        parsed(value, what, |text| is_word(text).then(|| Self(text.to_owned())))
    }
}

/// Whether a text is a word of a scope (RFC 6749, 3.3), of a length that is one.
fn is_word(text: &str) -> bool {
    (1..=200).contains(&text.len())
        && text.bytes().all(|octet| octet.is_ascii_graphic() && !matches!(octet, b'"' | b'\\'))
}
