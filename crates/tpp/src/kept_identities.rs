//! Certificates and keys in files of a folder.

use serde::{Deserialize, Serialize};

use crate::state::State;
use crate::state_folder::{StateFolder, file_error};
use crate::{Error, SigningIdentity, TlsIdentity};

/// How much of a certificate's fingerprint is in the names of its files.
const NAME_DIGITS: usize = 8;

/// A certificate and key in files of the folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptIdentity {
    /// Identity of the holder.
    pub organization_identifier: String,
    /// Key id for signatures.
    pub key_id: String,
    /// File with the certificate and its chain, in PEM.
    pub certificate: String,
    /// File with the private key, in PEM.
    pub private_key: String,
    /// Whether a sandbox issued it, so that another one is asked for a new one.
    #[serde(default)]
    pub is_for_tests: bool,
}

/// What an identity is for; its files are named after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Signing messages.
    Signing,
    /// TLS connections.
    Tls,
}

impl Use {
    fn name(self) -> &'static str {
        match self {
            Self::Signing => "signing",
            Self::Tls => "tls",
        }
    }
}

impl StateFolder {
    /// Writes certificate, chain and key of an identity and returns what to keep in the state. `key_id` is the one that the
    /// bank handed out, or absent for the certificate's own.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Setup`] if the certificate identifies nobody.
    pub fn save_identity(
        &self,
        purpose: Use,
        certificate: &str,
        chain: &[String],
        private_key: &str,
        key_id: Option<&str>,
    ) -> Result<KeptIdentity, Error> {
        let identity = SigningIdentity::from_pem(certificate, private_key, key_id.map(str::to_owned))?;
        let holder = identity.organization_identifier()?;
        self.write_identity(purpose, (certificate, chain), private_key, (&identity.key_id, holder))
    }

    /// The same for the certificate that turns into a user of bunq: one for tests may identify its holder by
    /// nothing but its common name.
    ///
    /// # Errors
    /// As [`StateFolder::save_identity`].
    pub(crate) fn save_seal(
        &self,
        certificate: &str,
        chain: &[String],
        private_key: &str,
    ) -> Result<KeptIdentity, Error> {
        let identity = SigningIdentity::from_pem(certificate, private_key, None)?;
        let common_name = || identity.certificate.subject.first(eidas::oid::COMMON_NAME).map(str::to_owned);
        let holder = identity.organization_identifier().or_else(|error| common_name().ok_or(error))?;
        self.write_identity(Use::Signing, (certificate, chain), private_key, (&identity.key_id, holder))
    }

    fn write_identity(
        &self,
        purpose: Use,
        (certificate, chain): (&str, &[String]),
        private_key: &str,
        (key_id, holder): (&str, String),
    ) -> Result<KeptIdentity, Error> {
        let private_key = eidas::pem::private_key(private_key.as_bytes())
            .map_err(|error| Error::Setup(format!("the private key cannot be used: {error}")))?;
        // Names of their own, so that no key is overwritten, and so that a crash leaves a pair that fits together.
        let leaf =
            eidas::Certificate::from_pem(certificate).map_err(|error| Error::Setup(error.to_string()))?;
        let name = format!("{}-{}", purpose.name(), &leaf.fingerprint_hex()[..NAME_DIGITS]);
        let kept = KeptIdentity {
            organization_identifier: holder,
            key_id: key_id.to_owned(),
            certificate: format!("{name}.certificate.pem"),
            private_key: format!("{name}.key.pem"),
            is_for_tests: false,
        };
        // The issuers between leaf and root; a root is of no use to the other side.
        let above = chain.len().saturating_sub(1);
        let mut pem = rewrap(certificate)?;
        for issuer in &chain[..above] {
            pem += &rewrap(issuer)?;
        }
        self.write(&kept.private_key, private_key.to_pem().as_bytes())?;
        self.write(&kept.certificate, pem.as_bytes())?;
        Ok(kept)
    }

    /// The signing identity of the state, if there is one.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Setup`]
    pub fn signing_identity(&self, state: &State) -> Result<Option<SigningIdentity>, Error> {
        let Some(kept) = &state.signing else { return Ok(None) };
        let chain = self.read(&kept.certificate)?;
        let chain = eidas::certificate::ordered_chain(&chain)
            .map_err(|error| file_error(&self.file(&kept.certificate), &error))?;
        let certificate = eidas::certificate::to_pem(&chain[0].der);
        let key = self.read(&kept.private_key)?;
        SigningIdentity::from_pem(&certificate, &key, Some(kept.key_id.clone())).map(Some)
    }

    /// The files of the TLS identity of the state, if there is one.
    pub fn tls_identity(&self, state: &State) -> Option<TlsIdentity> {
        let kept = state.tls.as_ref()?;
        Some(TlsIdentity {
            certificate: self.file(&kept.certificate),
            private_key: self.file(&kept.private_key),
        })
    }
}

/// PEM with lines of 64 characters, whatever it had before: some programs read no other.
fn rewrap(pem: &str) -> Result<String, Error> {
    let all = eidas::certificate::chain_from_pem(pem).map_err(|error| Error::Setup(error.to_string()))?;
    Ok(all.iter().map(|der| eidas::certificate::to_pem(der)).collect())
}
