//! The database of a gateway, by its configuration.

use std::fs::{File, TryLockError};
use std::path::Path;

use gateway::Store;

use crate::configuration::{Configuration, Database};
use crate::data_folder::create_private;
use crate::start_error::StartError;

/// The gateway's database, and what keeps other processes from a file.
pub(super) async fn open(configuration: &Configuration) -> Result<(Store, Option<File>), StartError> {
    let Database { address, sqlite_file } = &configuration.database;
    match (address, sqlite_file) {
        (Some(address), _) => {
            let store = Store::connect(address.expose()).await.map_err(StartError::ServedDatabase)?;
            Ok((store, None))
        }
        (None, Some(path)) => {
            let lock =
                hold(path).map_err(|reason| StartError::DatabaseFile { path: path.clone(), reason })?;
            Ok((Store::open(path).map_err(StartError::ServedDatabase)?, Some(lock)))
        }
        // The check of the configuration says so before; what is kept in memory alone would be lost.
        (None, None) => Err(StartError::NoDatabase),
    }
}

/// Makes the file of a database by hand, since what SQLite makes is readable by others, and a lock beside it.
fn hold(path: &Path) -> Result<File, String> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock = create_private(Path::new(&name)).map_err(|error| error.to_string())?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err("another process uses it".to_owned()),
        Err(TryLockError::Error(error)) => return Err(error.to_string()),
    }
    create_private(path).map_err(|error| error.to_string())?;
    Ok(lock)
}
