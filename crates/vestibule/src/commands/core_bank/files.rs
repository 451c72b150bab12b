//! The folder with the certificates of a core bank: one bank at a time writes them, once it has started.

use std::fs::{File, TryLockError};
use std::io::Error;
use std::path::{Path, PathBuf};

use ::core_bank::server::test_authority::TestCertificates;

use super::super::{Failure, unreadable};

/// Where the certificates lie.
pub(super) struct Files {
    pub(super) authority: PathBuf,
    pub(super) certificate: PathBuf,
    pub(super) private_key: PathBuf,
}

/// A folder that this process holds; others are kept out until it is dropped.
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    pub(super) fn hold(path: PathBuf) -> Result<Self, Failure> {
        tpp::private_files::make_private_folder(&path).map_err(|error| unreadable(&path, &error))?;
        let lock = open_lock(&path.join("lock")).map_err(|error| unreadable(&path, &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Failure::new(format!(
                "the folder {} is in use by another core bank, which needs the certificates in it; choose another folder with --certificates",
                path.display()
            ))),
            Err(TryLockError::Error(error)) => Err(unreadable(&path, &error)),
        }
    }

    /// Replaces what a gateway and its bank know each other by.
    pub(super) fn write(&self, certificates: &TestCertificates) -> Result<Files, Failure> {
        let file = |name: &str, text: &str| {
            let path = self.path.join(name);
            tpp::private_files::replace(&path, text.as_bytes()).map_err(|error| unreadable(&path, &error))?;
            Ok::<_, Failure>(path)
        };
        Ok(Files {
            authority: file("ca.pem", &certificates.authority)?,
            certificate: file("gateway.pem", &certificates.client)?,
            private_key: file("gateway.key.pem", &certificates.client_key)?,
        })
    }
}

fn open_lock(path: &Path) -> Result<File, Error> {
    let mut options = File::options();
    options.create(true).write(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
