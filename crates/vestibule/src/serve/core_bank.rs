//! The bank behind a gateway, reached over the core bank interface.

use std::sync::Arc;

use core_bank::{CoreBank, CoreBankSettings, Limits};
use eidas::certificate::to_pem;
use gateway::Store;

use super::Behind;
use crate::configuration::Configuration;
use crate::start_error::StartError;

impl Behind {
    /// The bank of a configuration. It is not asked for anything yet, so that a gateway starts while it is away.
    ///
    /// # Errors
    /// [`StartError::CoreBank`]
    pub fn core_bank(configuration: &Configuration, store: &Store) -> Result<Self, StartError> {
        let settings = &configuration.core_bank;
        let pem = |certificates: &[eidas::Certificate]| -> String {
            certificates.iter().map(|one| to_pem(&one.der)).collect()
        };
        let authorities: String = settings.trust_files.iter().map(|file| pem(&file.certificates)).collect();
        let identity = pem(&settings.certificate_file.certificates) + &settings.key_file.pem;
        let core = CoreBank::new(
            &CoreBankSettings {
                url: settings.url.as_str().to_owned(),
                authorities: authorities.into_bytes(),
                identity: identity.into_bytes(),
                limits: Limits {
                    deadline: settings.answer_within.0,
                    connect: settings.connect_within.0,
                    at_once: settings.calls_at_once.0,
                    ..Limits::default()
                },
                name: configuration.bank.name.clone(),
                own_numbers: settings
                    .own_numbers
                    .iter()
                    .map(|own| (own.country.clone(), own.bank_code.clone()))
                    .collect(),
            },
            store,
        )?;
        let (ports, core_bank) = (core.ports(), Some(core.clone()));
        let core = Arc::new(core);
        let upkeep = Arc::new(move || -> gateway::bank::Answer<'static, ()> {
            let core = Arc::clone(&core);
            Box::pin(async move { core.find_out().await })
        });
        Ok(Self { ports, upkeep: Some(upkeep), core_bank })
    }
}
