//! Scopes: `openid`, `offline_access`, and one that names what is to be authorised (RFC 6749, 3.3).

use std::fmt::{Display, Formatter};
use std::str::FromStr;

use uuid::Uuid;

use crate::{Subject, SubjectKind};

/// What a scope looks like, for messages.
const FORM: &str = "expected openid, optionally offline_access, and one of AIS:, PIS:, PIIS: with an id";

/// What a scope asks for, or what a token is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// What is to be authorised.
    pub subject: Subject,
    /// Whether a refresh token belongs to it.
    pub offline_access: bool,
}

/// What stands before the id of a subject.
fn prefix(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Consent => "AIS:",
        SubjectKind::Payment => "PIS:",
        SubjectKind::FundsConsent => "PIIS:",
    }
}

/// What is wrong with a scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// `openid` is not there.
    #[error("scope openid is missing; {FORM}")]
    OpenIdMissing,
    /// Nothing is named.
    #[error("scope names no resource; {FORM}")]
    NoSubject,
    /// More than one thing is named.
    #[error("scope names more than one resource; {FORM}")]
    TwoSubjects,
    /// A name that means nothing here.
    #[error("scope {0} is not known; {FORM}")]
    Unknown(String),
    /// What is named has no id.
    #[error("scope {0} holds no UUID after the colon; {FORM}")]
    NoId(String),
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let (mut openid, mut offline_access, mut subject) = (false, false, None);
        for token in text.split(' ').filter(|token| !token.is_empty()) {
            match token {
                "openid" => openid = true,
                "offline_access" => offline_access = true,
                _ => {
                    let named = SubjectKind::NAMES
                        .iter()
                        .find_map(|(kind, _)| Some((*kind, token.strip_prefix(prefix(*kind))?)));
                    let (kind, id) = named.ok_or_else(|| ScopeError::Unknown(token.to_owned()))?;
                    if subject.is_some() {
                        return Err(ScopeError::TwoSubjects);
                    }
                    let id = id.parse::<Uuid>().map_err(|_| ScopeError::NoId(token.to_owned()))?;
                    subject = Some(kind.with_id(id.to_string()));
                }
            }
        }
        if !openid {
            return Err(ScopeError::OpenIdMissing);
        }
        Ok(Self { subject: subject.ok_or(ScopeError::NoSubject)?, offline_access })
    }
}

impl Display for Scope {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let offline = if self.offline_access { "offline_access " } else { "" };
        write!(f, "openid {offline}{}{}", prefix(self.subject.kind()), self.subject.id())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "6f0b0f0e-2a2f-4f3e-9b53-0f1f4b6c7d11";

    #[test]
    fn every_refusal_names_what_is_wrong() {
        use ScopeError as E;
        for (scope, error) in [
            (String::new(), E::OpenIdMissing),
            ("openid".into(), E::NoSubject),
            ("offline_access openid".into(), E::NoSubject),
            (format!("AIS:{ID}"), E::OpenIdMissing),
            (format!("openid AIS:{ID} PIS:{ID}"), E::TwoSubjects),
            (format!("openid PIIS:{ID} PIIS:{ID}"), E::TwoSubjects),
            ("openid AIS:x".into(), E::NoId("AIS:x".into())),
            ("openid PIS:".into(), E::NoId("PIS:".into())),
            (format!("openid accounts AIS:{ID}"), E::Unknown("accounts".into())),
            (format!("openid ais:{ID}"), E::Unknown(format!("ais:{ID}"))),
            (format!("openid\tAIS:{ID}"), E::Unknown(format!("openid\tAIS:{ID}"))),
        ] {
            assert_eq!(scope.parse::<Scope>(), Err(error.clone()), "{scope}");
            assert!(error.to_string().ends_with(FORM), "{error}");
        }
    }

    proptest! {
        #[test]
        fn a_scope_that_is_written_is_read_again(id: u128, kind in 0..3_usize, offline_access: bool) {
            let subject = SubjectKind::NAMES[kind].0.with_id(Uuid::from_u128(id).to_string());
            let scope = Scope { subject, offline_access };
            let text = scope.to_string();
            prop_assert_eq!(text.parse::<Scope>(), Ok(scope.clone()));
            // However it is ordered, spaced, repeated and in whatever case its id is.
            let (_, id) = text.rsplit_once(':').unwrap();
            let shuffled: Vec<&str> = text.rsplit(' ').collect();
            let shuffled = shuffled.join("  ").replace(id, &id.to_uppercase());
            prop_assert_eq!(format!(" {shuffled} openid ").parse::<Scope>(), Ok(scope));
        }

        #[test]
        fn no_text_is_read_as_what_it_does_not_say(text in "[ -~]{0,40}|(openid|AIS:|PIS:|PIIS:|offline_access| |0){0,9}") {
            if let Ok(scope) = text.parse::<Scope>() {
                let tokens: Vec<&str> = text.split(' ').collect();
                prop_assert!(tokens.contains(&"openid"));
                prop_assert_eq!(tokens.contains(&"offline_access"), scope.offline_access);
                prop_assert!(tokens.iter().any(|token| token.starts_with(prefix(scope.subject.kind()))));
            }
        }
    }
}
