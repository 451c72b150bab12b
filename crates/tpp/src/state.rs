//! What a third party keeps: one folder a bank and dialect, with keys and credentials that only their owner can
//! read.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::bunq::BunqState;
use crate::kept_approvals::{KeptApproval, Matter};
use crate::kept_consents::KeptConsent;
use crate::kept_payments::{KeptFundsConsent, KeptPayment, KeptRequest};
use crate::private_files::{make_private_folder, replace};
use crate::{Error, SigningIdentity, TlsIdentity};

const STATE: &str = "state.json";

/// How much of a certificate's fingerprint is in the names of its files.
const NAME_DIGITS: usize = 8;

/// The interface that is spoken with a bank.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dialect {
    /// NextGenPSD2.
    #[default]
    BerlinGroup,
    /// The interface of bunq.
    Bunq,
}

impl Dialect {
    /// For arguments and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::BerlinGroup => "berlin-group",
            Self::Bunq => "bunq",
        }
    }
}

/// The folder of one bank.
#[derive(Debug, Clone)]
pub struct StateFolder {
    path: PathBuf,
}

/// The state of one bank.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// The bank's address.
    pub bank: String,
    /// The signing certificate, once there is one.
    pub signing: Option<KeptIdentity>,
    /// The TLS client certificate, once there is one.
    pub tls: Option<KeptIdentity>,
    /// The registration, once it is made.
    pub registration: Option<KeptRegistration>,
    /// Consents, the newest last.
    #[serde(default)]
    pub consents: Vec<KeptConsent>,
    /// Payments, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payments: Vec<KeptPayment>,
    /// Consents for confirmation of funds, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub funds_consents: Vec<KeptFundsConsent>,
    /// Requests of the last day to make something, to which no answer came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unanswered: Vec<KeptRequest>,
    /// Which sandbox this is, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<KeptSandbox>,
    /// What the dialect of bunq needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bunq: Option<BunqState>,
}

impl State {
    /// Where browsers may come back to, once something is registered.
    pub fn redirect_uris(&self) -> Option<&[String]> {
        let own = self.registration.as_ref().map(|kept| &kept.redirect_uris[..]);
        own.or_else(|| Some(&self.bunq.as_ref()?.oauth_client.as_ref()?.callback_urls[..]))
    }

    /// The client id at the bank's authorization server, once something is registered.
    pub fn client_id(&self) -> Option<&str> {
        let own = self.registration.as_ref().map(|kept| kept.client_id.as_str());
        own.or_else(|| Some(self.bunq.as_ref()?.oauth_client.as_ref()?.client_id.as_str()))
    }

    /// Forgets what customers were asked to approve.
    pub fn clear_approvals(&mut self) {
        self.consents.clear();
        self.payments.clear();
        self.funds_consents.clear();
        self.unanswered.clear();
    }

    /// The way of something through the customer's approval.
    pub fn approval(&self, matter: &Matter) -> Option<&KeptApproval> {
        match matter {
            Matter::Consent(id) => self.consents.iter().map(|kept| &kept.approval).find(|it| it.id == *id),
            Matter::Payment(id) => self.payments.iter().find(|kept| kept.id == *id)?.approval.as_ref(),
            Matter::Funds(id) => {
                self.funds_consents.iter().map(|kept| &kept.approval).find(|it| it.id == *id)
            }
            Matter::Connection => None,
        }
    }

    /// The same, to change it.
    pub(crate) fn approval_mut(&mut self, matter: &Matter) -> Option<&mut KeptApproval> {
        match matter {
            Matter::Consent(id) => {
                self.consents.iter_mut().map(|kept| &mut kept.approval).find(|it| it.id == *id)
            }
            Matter::Payment(id) => self.payments.iter_mut().find(|kept| kept.id == *id)?.approval.as_mut(),
            Matter::Funds(id) => {
                self.funds_consents.iter_mut().map(|kept| &mut kept.approval).find(|it| it.id == *id)
            }
            Matter::Connection => None,
        }
    }

    /// The certificate for a purpose.
    pub fn identity(&mut self, purpose: Use) -> &mut Option<KeptIdentity> {
        match purpose {
            Use::Signing => &mut self.signing,
            Use::Tls => &mut self.tls,
        }
    }
}

/// A sandbox, to know it from another one at the same address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptSandbox {
    /// SHA-256 of its authority's certificate.
    pub fingerprint: String,
    /// Whether everything that it knew is gone once it stopped.
    pub ephemeral: bool,
}

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

/// A registration at the bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptRegistration {
    /// Tenant where it was made; it serves all of them.
    pub tenant: String,
    /// Client id.
    pub client_id: String,
    /// Client secret, the newest one.
    pub client_secret: String,
    /// Registered redirect URIs.
    pub redirect_uris: Vec<String>,
    /// The initial access token that was used; banks take it for a day.
    pub initial_access_token: String,
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
    /// The folder of the bank at `bank` under `root`; it is made when something is saved.
    ///
    /// # Errors
    /// [`Error::Setup`] if `bank` is no URL with a host.
    pub fn new(root: &Path, bank: &str) -> Result<Self, Error> {
        let wrong = || {
            // Most often the scheme is all that lacks.
            let shown = format!("http://{bank}");
            let is_host = url::Url::parse(&shown).is_ok_and(|url| url.host_str().is_some());
            let example = if is_host && !bank.contains("://") { &shown } else { "http://127.0.0.1:8080" };
            let expected = format!("expected http:// or https:// and a host, for example {example}");
            Error::Setup(format!("{bank} is no address of a bank; {expected}"))
        };
        let url = url::Url::parse(bank).map_err(|_| wrong())?;
        let host = url.host_str().ok_or_else(wrong)?;
        let port = url.port_or_known_default().unwrap_or(0);
        let name: String = format!("{host}_{port}")
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '_' })
            .collect();
        Ok(Self { path: root.join(name) })
    }

    /// The folder of the bank at `bank` under `root` in a dialect: a bank may speak several at one address.
    ///
    /// # Errors
    /// As [`StateFolder::new`].
    pub fn for_dialect(root: &Path, bank: &str, dialect: Dialect) -> Result<Self, Error> {
        let mut folder = Self::new(root, bank)?;
        if dialect == Dialect::Bunq {
            folder.path.as_mut_os_string().push("_bunq");
        }
        Ok(folder)
    }

    /// The dialect of what is kept about the bank at `bank`: NextGenPSD2 unless only the other one is there.
    ///
    /// # Errors
    /// As [`StateFolder::new`].
    pub fn dialect_of(root: &Path, bank: &str) -> Result<Dialect, Error> {
        let is_kept = |dialect| Self::for_dialect(root, bank, dialect).map(|folder| folder.is_in_use());
        let is_bunq = !is_kept(Dialect::BerlinGroup)? && is_kept(Dialect::Bunq)?;
        Ok(if is_bunq { Dialect::Bunq } else { Dialect::BerlinGroup })
    }

    fn is_in_use(&self) -> bool {
        self.file(STATE).is_file()
    }

    /// The folders under `root` that hold a state.
    pub fn all(root: &Path) -> Vec<Self> {
        let Ok(entries) = fs::read_dir(root) else { return Vec::new() };
        let mut folders: Vec<_> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .map(|path| Self { path })
            .filter(Self::is_in_use)
            .collect();
        folders.sort_by(|one, other| one.path.cmp(&other.path));
        folders
    }

    /// Where the folder is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Forgets everything about the bank, the keys too.
    ///
    /// # Errors
    /// [`Error::File`]
    pub fn forget(&self) -> Result<(), Error> {
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file_error(&self.path, &error)),
            _ => Ok(()),
        }
    }

    /// Reads the state; empty if there is none yet.
    ///
    /// # Errors
    /// [`Error::File`]
    pub fn load(&self) -> Result<State, Error> {
        let path = self.file(STATE);
        match fs::read(&path) {
            // The text of the parser's error could repeat a secret.
            Ok(text) => serde_json::from_slice(&text).map_err(|error| {
                let (line, column) = (error.line(), error.column());
                let reason = format!("it is not what this program writes (line {line}, column {column})");
                file_error(&path, &reason)
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(State::default()),
            Err(error) => Err(file_error(&path, &error)),
        }
    }

    /// Writes the state.
    ///
    /// # Errors
    /// [`Error::File`]
    pub fn save(&self, state: &State) -> Result<(), Error> {
        let text = serde_json::to_vec_pretty(state).map_err(|error| Error::Setup(error.to_string()))?;
        self.write(STATE, &text)
    }

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

    /// Writes a file of the folder that only its owner can read.
    ///
    /// # Errors
    /// [`Error::File`]
    pub fn write(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        make_private_folder(&self.path).map_err(|error| file_error(&self.path, &error))?;
        let path = self.file(name);
        replace(&path, content).map_err(|error| file_error(&path, &error))
    }

    /// Reads a file of the folder.
    pub(crate) fn read(&self, name: &str) -> Result<String, Error> {
        let path = self.file(name);
        fs::read_to_string(&path).map_err(|error| file_error(&path, &error))
    }
}

/// PEM with lines of 64 characters, whatever it had before: some programs read no other.
fn rewrap(pem: &str) -> Result<String, Error> {
    let all = eidas::certificate::chain_from_pem(pem).map_err(|error| Error::Setup(error.to_string()))?;
    Ok(all.iter().map(|der| eidas::certificate::to_pem(der)).collect())
}

fn file_error(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::File { path: path.display().to_string(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bank_has_a_folder_of_its_own() {
        let root = tempfile::tempdir().unwrap();
        let path = |bank: &str| StateFolder::new(root.path(), bank).unwrap().path;
        assert_eq!(path("http://127.0.0.1:8080"), root.path().join("127.0.0.1_8080"));
        assert_eq!(path("https://bank.example/x"), root.path().join("bank.example_443"));
        assert_eq!(path("http://[::1]:9"), root.path().join("___1__9"));
        for (wrong, right) in [
            ("127.0.0.1:8080", "for example http://127.0.0.1:8080"),
            ("localhost:9", "for example http://localhost:9"),
            ("", "for example http://127.0.0.1:8080"),
        ] {
            let error = StateFolder::new(root.path(), wrong).unwrap_err().to_string();
            assert!(error.ends_with(right), "{error}");
        }
    }

    #[test]
    fn each_dialect_has_a_folder_of_its_own() {
        let root = tempfile::tempdir().unwrap();
        let bank = "http://127.0.0.1:8080";
        let folder = |dialect| StateFolder::for_dialect(root.path(), bank, dialect).unwrap();
        let known = || StateFolder::dialect_of(root.path(), bank).unwrap();
        let (berlin_group, bunq) = (folder(Dialect::BerlinGroup), folder(Dialect::Bunq));
        assert_eq!(berlin_group.path, StateFolder::new(root.path(), bank).unwrap().path);
        assert_eq!(bunq.path, root.path().join("127.0.0.1_8080_bunq"));
        assert_eq!(known(), Dialect::BerlinGroup);
        bunq.save(&State { bunq: Some(BunqState::default()), ..State::default() }).unwrap();
        assert_eq!(known(), Dialect::Bunq);
        berlin_group.save(&State::default()).unwrap();
        assert_eq!(known(), Dialect::BerlinGroup);
        assert_eq!(StateFolder::all(root.path()).len(), 2);
        assert_eq!(bunq.load().unwrap().bunq, Some(BunqState::default()));
    }

    #[cfg(unix)]
    #[test]
    fn files_are_closed_to_others_and_come_back() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let folder = StateFolder::new(root.path(), "http://127.0.0.1:1").unwrap();
        assert_eq!(folder.load().unwrap(), State::default());
        let state = State { bank: "http://127.0.0.1:1".into(), ..State::default() };
        folder.save(&state).unwrap();
        assert_eq!(folder.load().unwrap(), state);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder.file(STATE)), mode(folder.path())), (0o600, 0o700));
        assert_eq!(StateFolder::all(root.path()).len(), 1);
    }
}
