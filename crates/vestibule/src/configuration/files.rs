//! What keys say by a file: certificates, private keys, secrets. The file is read when the key is.

use std::fmt;
use std::path::PathBuf;

use eidas::Certificate;
use gateway::domain::StopList;
use gateway::{SealingError, SealingKey, Store};
use toml::Spanned;
use toml::de::DeValue;

use super::secrecy::{NOT_REPEATED, is_plausible_path};
use super::section::{Fault, Place, Value};
use super::values::text;

/// Largest file that is read.
const LARGEST_FILE: u64 = 1024 * 1024;

/// What is in the file that a value names, with its path.
pub(super) fn octets(
    value: &Spanned<DeValue<'_>>,
    place: &Place<'_>,
) -> Result<(PathBuf, Vec<u8>), Vec<Fault>> {
    named(value, place, false)
}

/// The same of a file that holds a secret, which somebody may have written in place of the path.
fn octets_of_secret(
    value: &Spanned<DeValue<'_>>,
    place: &Place<'_>,
) -> Result<(PathBuf, Vec<u8>), Vec<Fault>> {
    named(value, place, true)
}

fn named(
    value: &Spanned<DeValue<'_>>,
    place: &Place<'_>,
    is_secret: bool,
) -> Result<(PathBuf, Vec<u8>), Vec<Fault>> {
    let path = PathBuf::read(value, place)?;
    let written = text(value, "a path")?;
    let wrong = |text: String| Fault::at(value, format!("{}: {text}", path.display()));
    let metadata = std::fs::metadata(&path).map_err(|error| match is_plausible_path(written, is_secret) {
        true => wrong(error.to_string()),
        false => Fault::at(
            value,
            format!("a path of a file is expected; {NOT_REPEATED} names none that can be read: {error}"),
        ),
    })?;
    if metadata.is_dir() {
        return Err(wrong("this is a folder; a file is expected".to_owned()));
    }
    if metadata.len() > LARGEST_FILE {
        return Err(wrong("this file is larger than 1 MiB".to_owned()));
    }
    let octets = std::fs::read(&path).map_err(|error| wrong(error.to_string()))?;
    Ok((path, octets))
}

/// Certificates in a PEM file, the leaf first where they are a chain.
#[derive(Debug, Clone)]
pub(crate) struct CertificateFile {
    pub(crate) path: PathBuf,
    pub(crate) certificates: Vec<Certificate>,
}

impl PartialEq for CertificateFile {
    fn eq(&self, other: &Self) -> bool {
        let ders = |file: &Self| file.certificates.iter().map(|one| one.der.clone()).collect::<Vec<_>>();
        self.path == other.path && ders(self) == ders(other)
    }
}

impl Value for CertificateFile {
    fn what() -> String {
        "a path of a PEM file with certificates".to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, place: &Place<'_>) -> Result<Self, Vec<Fault>> {
        let (path, octets) = octets(value, place)?;
        match eidas::certificate::ordered_chain(&octets) {
            Ok(certificates) => Ok(Self { path, certificates }),
            Err(error) => Err(Fault::at(value, format!("{}: {error}", path.display()))),
        }
    }
}

/// Whom staff stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StopListFile(pub(crate) StopList);

impl Value for StopListFile {
    fn what() -> String {
        "a path of a text file with an organizationIdentifier or a SHA-256 fingerprint of a certificate on each line"
            .to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, place: &Place<'_>) -> Result<Self, Vec<Fault>> {
        let (path, octets) = octets(value, place)?;
        let wrong = |text: String| Fault::at(value, format!("{}: {text}", path.display()));
        let text = String::from_utf8(octets).map_err(|_| wrong("this is no text in UTF-8".to_owned()))?;
        StopList::parse(&text).map(Self).map_err(|error| wrong(error.to_string()))
    }
}

/// A private key in a PEM file. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct KeyFile {
    pub(crate) path: PathBuf,
    pub(crate) pem: String,
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyFile({})", self.path.display())
    }
}

impl Value for KeyFile {
    fn what() -> String {
        "a path of a PEM file with one private key, without a pass phrase".to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, place: &Place<'_>) -> Result<Self, Vec<Fault>> {
        let (path, octets) = octets_of_secret(value, place)?;
        match eidas::pem::private_key(&octets) {
            Ok(key) => Ok(Self { path, pem: key.to_pem() }),
            Err(error) => Err(Fault::at(value, format!("{}: {error}", path.display()))),
        }
    }
}

/// A secret. It is never shown, and never stands in the file.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(pub(crate) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Value for Secret {
    const IS_SECRET: bool = true;

    fn what() -> String {
        "a path of a file with one line, or without _file \"env:NAME\" for a variable of the environment"
            .to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, place: &Place<'_>) -> Result<Self, Vec<Fault>> {
        // What was written in place of a name may be the secret itself, and is not repeated.
        let name = text(value, "\"env:NAME\"")?.strip_prefix("env:").ok_or_else(|| {
            Fault::at(
                value,
                "a secret does not stand in this file; write \"env:NAME\" for a variable of the environment, or the \
                 key with _file at its end for a file that holds it",
            )
        })?;
        let name_is_good =
            !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'_');
        if !name_is_good {
            return Err(Fault::at(value, "behind env: stands the name of a variable: letters, digits and _"));
        }
        let found = (place.environment)(name)
            .ok_or_else(|| Fault::at(value, format!("the environment has no variable {name}")))?;
        let found = found.into_string().ok().filter(|text| is_one_line(text));
        found
            .map(Self)
            .ok_or_else(|| Fault::at(value, format!("the variable {name} is not one line of text")))
    }

    fn read_file(value: &Spanned<DeValue<'_>>, place: &Place<'_>) -> Result<Self, Vec<Fault>> {
        let (path, octets) = octets_of_secret(value, place)?;
        let text = String::from_utf8(octets).ok();
        let line = text.as_deref().map(str::trim_end).filter(|text| is_one_line(text));
        line.map(|line| Self(line.to_owned()))
            .ok_or_else(|| Fault::at(value, format!("{}: expected one line of text", path.display())))
    }
}

/// The address of a PostgreSQL database. It is a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DatabaseSecret(Secret);

impl DatabaseSecret {
    /// The address.
    pub(crate) fn expose(&self) -> &str {
        &self.0.0
    }

    fn checked(value: &Spanned<DeValue<'_>>, secret: Secret) -> Result<Self, Vec<Fault>> {
        match Store::check_address(&secret.0) {
            Ok(()) => Ok(Self(secret)),
            Err(error) => Err(Fault::at(value, error.to_string())),
        }
    }
}

impl Value for DatabaseSecret {
    const IS_SECRET: bool = true;

    fn what() -> String {
        Secret::what()
    }

    fn read(value: &Spanned<DeValue<'_>>, place: &Place<'_>) -> Result<Self, Vec<Fault>> {
        Self::checked(value, Secret::read(value, place)?)
    }

    fn read_file(value: &Spanned<DeValue<'_>>, place: &Place<'_>) -> Result<Self, Vec<Fault>> {
        Self::checked(value, Secret::read_file(value, place)?)
    }
}

/// A key that seals. It is a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SealingSecret(Secret);

impl SealingSecret {
    /// The key.
    ///
    /// # Errors
    /// [`SealingError::NoKey`], which the check of the configuration says before
    pub(crate) fn key(&self) -> Result<SealingKey, SealingError> {
        SealingKey::parse(&self.0.0)
    }

    fn checked(value: &Spanned<DeValue<'_>>, secret: Secret) -> Result<Self, Vec<Fault>> {
        let key = Self(secret);
        key.key().map_err(|error| Fault::at(value, error.to_string()))?;
        Ok(key)
    }
}

impl Value for SealingSecret {
    const IS_SECRET: bool = true;

    fn what() -> String {
        "a path of a file with 32 octets in base64, or without _file \"env:NAME\" for a variable of the environment"
            .to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, place: &Place<'_>) -> Result<Self, Vec<Fault>> {
        Self::checked(value, Secret::read(value, place)?)
    }

    fn read_file(value: &Spanned<DeValue<'_>>, place: &Place<'_>) -> Result<Self, Vec<Fault>> {
        Self::checked(value, Secret::read_file(value, place)?)
    }
}

fn is_one_line(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}
