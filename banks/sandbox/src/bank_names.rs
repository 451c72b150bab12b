//! What the bank is called at each branch: a name of its own until somebody gives it another.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use gateway::bank::Naming;
use gateway::domain::{Tenant, hidden_in};
use gateway::{Drawer, Error};

/// Kind of the entries, by tenant.
const KIND: &str = "bank-name";

/// Longest name, in characters.
const LONGEST: usize = 70;

/// The names that were given.
#[derive(Debug)]
pub struct BankNames {
    drawer: Drawer,
    given: RwLock<BTreeMap<Tenant, String>>,
}

/// A text is no name for a bank.
#[derive(Debug, thiserror::Error)]
#[error("bankName must have 1 to {LONGEST} characters, no control characters and none that cannot be seen")]
pub(crate) struct NoName;

impl BankNames {
    /// Takes up what was kept.
    pub(crate) async fn load(drawer: Drawer) -> Result<Self, Error> {
        let names = Self { drawer, given: RwLock::default() };
        names.reload().await?;
        Ok(names)
    }

    /// Takes up what was kept, by this process or another one.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn reload(&self) -> Result<(), Error> {
        let kept = self.drawer.all(KIND).await?;
        let kept = kept.into_iter().filter_map(|(key, name)| Some((Tenant::parse(&key).ok()?, name)));
        *self.given.write().unwrap_or_else(PoisonError::into_inner) = kept.collect();
        Ok(())
    }

    /// Checks a name.
    pub(crate) fn check(name: &str) -> Result<(), NoName> {
        let length = name.chars().count();
        let fits = length <= LONGEST && !name.trim().is_empty() && hidden_in(name).is_none();
        if fits { Ok(()) } else { Err(NoName) }
    }

    /// Gives the bank another name at a branch.
    pub(crate) async fn set(&self, tenant: &Tenant, name: &str) -> Result<(), Error> {
        self.drawer.put(KIND, tenant.as_str(), name).await?;
        let mut given = self.given.write().unwrap_or_else(PoisonError::into_inner);
        given.insert(tenant.clone(), name.to_owned());
        Ok(())
    }
}

impl Naming for BankNames {
    fn bank_name(&self, tenant: &Tenant) -> String {
        let given = self.given.read().unwrap_or_else(PoisonError::into_inner);
        given.get(tenant).cloned().unwrap_or_else(|| default_name(tenant))
    }
}

/// A name as a bank with branches has one in each country.
fn default_name(tenant: &Tenant) -> String {
    let country = match (tenant.country(), tenant.language().code()) {
        ("BE", "fr") => "Belgique",
        ("BE", "de") => "Belgien",
        ("BE", _) => "België",
        ("DE", _) => "Deutschland",
        ("GB", _) => "UK",
        _ => "Nederland",
    };
    format!("Vestibule Bank {country}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_branch_has_a_name_of_its_own() {
        for (tenant, name) in [
            ("nl", "Vestibule Bank Nederland"),
            ("be_fr", "Vestibule Bank Belgique"),
            ("be_nl", "Vestibule Bank België"),
            ("be_de", "Vestibule Bank Belgien"),
            ("de", "Vestibule Bank Deutschland"),
            ("uk", "Vestibule Bank UK"),
        ] {
            assert_eq!(default_name(&Tenant::parse(tenant).unwrap()), name);
        }
    }

    #[test]
    fn names_fit_on_a_page() {
        for good in ["B", "Bank <b>&", &"é".repeat(70)] {
            assert!(BankNames::check(good).is_ok(), "{good}");
        }
        for bad in ["", "  ", "a\nb", &"x".repeat(71)] {
            assert!(BankNames::check(bad).is_err(), "{bad}");
        }
    }
}
