//! What belongs together in the section of the register of institutions.

use super::Register;
use super::section::Reader;

impl Register {
    /// Whether there is more in it than a stop list.
    pub(crate) fn names_a_register(&self) -> bool {
        self.file.is_some() || self.url.is_some()
    }
}

/// Checks what belongs together in the section of the register.
pub(super) fn check(reader: &mut Reader<'_>, register: &Register) {
    match (&register.file, &register.url) {
        (Some(_), Some(_)) => {
            reader.together("register.url", "there is file too; leave one of them out");
        }
        (None, None) if register.stop_list_file.is_none() => {
            let text = "it says nothing; name a register with file or url, or a stop_list_file, or leave [register] out";
            reader.together("register", text);
        }
        _ => {}
    }
    if let Some(path) = &register.file {
        let problem = match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Some("this is a folder; a file is expected".to_owned()),
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        };
        if let Some(problem) = problem {
            reader.together("register.file", format!("{}: {problem}", path.display()));
        }
    }
    match &register.url {
        Some(url) if url.0.scheme() == "https" && register.trust_files.is_empty() => {
            let text = "without an authority the service cannot be told from others; name one in trust_files";
            reader.together("register.url", text);
        }
        Some(_) => {}
        None => {
            for (key, is_there) in [
                ("register.trust_files", !register.trust_files.is_empty()),
                ("register.authorization_file", register.authorization.is_some()),
            ] {
                if is_there {
                    reader.together(key, "it is for the service at url, and there is none");
                }
            }
        }
    }
}
