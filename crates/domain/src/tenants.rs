//! Tenants: the branches of one bank, each with its own paths, language and (in a sandbox) clock.

/// Name of a tenant as it stands in paths, for example `be_fr`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tenant(String);

/// A text is no tenant name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is no tenant name: use 1 to 32 lower-case letters, digits and underscores, for example be_fr"
)]
pub struct TenantError(String);

impl Tenant {
    /// Reads a tenant name.
    ///
    /// # Errors
    /// [`TenantError`]
    pub fn parse(text: &str) -> Result<Self, TenantError> {
        let fits = (1..=32).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if fits { Ok(Self(text.to_owned())) } else { Err(TenantError(text.chars().take(40).collect())) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Tenant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_into_paths() {
        for good in ["nl", "be_fr", "uk", "bank2"] {
            assert_eq!(Tenant::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "NL", "be-fr", "a/b", "é", &"x".repeat(33)] {
            assert!(Tenant::parse(bad).is_err(), "{bad}");
        }
    }
}
