//! Scopes: `openid`, `offline_access`, and one that names what is to be authorised.

use eidas::Role;
use uuid::Uuid;

/// What a scope asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scope {
    /// What is to be authorised.
    pub(crate) resource: Resource,
    /// Whether a refresh token is wanted.
    pub(crate) offline_access: bool,
}

/// What the customer is asked to authorise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) kind: ResourceKind,
    pub(crate) id: Uuid,
}

/// Kinds of resources, each with the prefix of its scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResourceKind {
    /// `AIS:` and a consent.
    AccountInformation,
    /// `PIS:` and a payment.
    Payment,
    /// `PIIS:` and a consent for confirmation of funds.
    FundsConfirmation,
}

impl ResourceKind {
    const ALL: [Self; 3] = [Self::AccountInformation, Self::Payment, Self::FundsConfirmation];

    fn prefix(self) -> &'static str {
        match self {
            Self::AccountInformation => "AIS:",
            Self::Payment => "PIS:",
            Self::FundsConfirmation => "PIIS:",
        }
    }

    /// The role that the client's certificate must grant.
    pub(crate) fn role(self) -> Role {
        match self {
            Self::AccountInformation => Role::AccountInformation,
            Self::Payment => Role::PaymentInitiation,
            Self::FundsConfirmation => Role::CardIssuing,
        }
    }

    /// The word for messages.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::AccountInformation | Self::FundsConfirmation => "consent",
            Self::Payment => "payment",
        }
    }
}

/// Reads a scope: `openid`, perhaps `offline_access`, and exactly one resource.
///
/// # Errors
/// What is wrong and what would be right.
pub(crate) fn parse(scope: &str) -> Result<Scope, String> {
    const FORM: &str = "expected openid, optionally offline_access, and one of AIS:, PIS:, PIIS: with an id";
    let (mut openid, mut offline_access, mut resource) = (false, false, None);
    for token in scope.split(' ').filter(|token| !token.is_empty()) {
        let kind = ResourceKind::ALL.into_iter().find(|kind| token.starts_with(kind.prefix()));
        match (token, kind) {
            ("openid", _) => openid = true,
            ("offline_access", _) => offline_access = true,
            (_, None) => return Err(format!("scope {token} is not known; {FORM}")),
            (_, Some(_)) if resource.is_some() => {
                return Err(format!("scope names more than one resource; {FORM}"));
            }
            (_, Some(kind)) => {
                let id = token[kind.prefix().len()..]
                    .parse()
                    .map_err(|_| format!("scope {token} holds no UUID after the colon; {FORM}"))?;
                resource = Some(Resource { kind, id });
            }
        }
    }
    match (openid, resource) {
        (true, Some(resource)) => Ok(Scope { resource, offline_access }),
        (false, _) => Err(format!("scope openid is missing; {FORM}")),
        (true, None) => Err(format!("scope names no resource; {FORM}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_resource_and_openid() {
        let id = "6f0b0f0e-2a2f-4f3e-9b53-0f1f4b6c7d11";
        let scope = parse(&format!("openid offline_access PIIS:{id}")).unwrap();
        let read = scope.resource;
        assert!(scope.offline_access);
        assert_eq!((read.kind, read.id.to_string()), (ResourceKind::FundsConfirmation, id.to_owned()));
        for wrong in [
            String::new(),
            "openid".into(),
            format!("AIS:{id}"),
            format!("openid AIS:{id} PIS:{id}"),
            "openid AIS:x".into(),
            format!("openid accounts AIS:{id}"),
        ] {
            assert!(parse(&wrong).is_err(), "{wrong}");
        }
    }
}
