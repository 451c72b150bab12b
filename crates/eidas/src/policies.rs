//! Policies along a path (RFC 5280, 6.1). No policy is asked for here, so that most paths have nothing to keep; but an
//! authority may demand that there is one that all certificates below it are issued under.

use std::collections::BTreeSet;

use der::asn1::ObjectIdentifier;
use rustls_pki_types::CertificateDer;

use crate::certificate::Certificate;
use crate::oid;
use crate::path::PathError;

/// What a certificate says about policies of those below it (RFC 5280, 4.2.1.5, 4.2.1.11 and 4.2.1.14).
#[derive(Debug, Clone, Default)]
pub(crate) struct PolicyRules {
    /// After how many more certificates the path has to have a policy.
    pub(crate) require_explicit: Option<u32>,
    /// After how many more certificates policies are not mapped any more.
    pub(crate) inhibit_mapping: Option<u32>,
    /// After how many more certificates anyPolicy stands for none.
    pub(crate) inhibit_any: Option<u32>,
    /// Policies of the issuer, each with one that is as good below it.
    pub(crate) mappings: Vec<(ObjectIdentifier, ObjectIdentifier)>,
}

/// Whether an extension is about policies.
pub(crate) fn is_about_policies(extension: ObjectIdentifier) -> bool {
    [oid::CERTIFICATE_POLICIES, oid::POLICY_MAPPINGS, oid::POLICY_CONSTRAINTS, oid::INHIBIT_ANY_POLICY]
        .contains(&extension)
}

/// Checks that there is a policy for the whole path if an authority on it demands one.
pub(crate) fn check_policies(
    certificate: &Certificate,
    above: &[CertificateDer<'_>],
) -> Result<(), PathError> {
    let between = above.split_last().map_or(&[][..], |(_, between)| between);
    let read = |der: &CertificateDer<'_>| {
        Certificate::from_der(der)
            .map_err(|error| PathError::Invalid(format!("of an authority on it: {error}")))
    };
    let authorities = between.iter().rev().map(read).collect::<Result<Vec<_>, _>>()?;
    let path: Vec<_> = authorities.iter().chain([certificate]).collect();
    if are_kept(&path) {
        return Ok(());
    }
    Err(PathError::Invalid(
        "one of its authorities demands a certificate policy (policyConstraints), and there is none that all certificates \
         on it are issued under"
            .to_owned(),
    ))
}

/// Whether a path has a policy if one of its certificates demands it. The first was issued by whom the reader trusts, the last
/// is the one that is looked at.
pub(crate) fn are_kept(path: &[&Certificate]) -> bool {
    let mut state = State::before(path.len());
    let Some((last, authorities)) = path.split_last() else { return true };
    for authority in authorities {
        state.take(authority, true);
        if !state.is_good() || !state.map(&authority.policy_rules) {
            return false;
        }
        state.count_down(authority);
    }
    state.take(last, false);
    state.explicit = state.explicit.saturating_sub(1);
    if last.policy_rules.require_explicit == Some(0) {
        state.explicit = 0;
    }
    state.is_good()
}

/// The state variables of the RFC. What its tree of policies comes to is which ones the next certificate may be issued under.
struct State {
    /// anyPolicy stands for itself.
    expected: BTreeSet<ObjectIdentifier>,
    explicit: usize,
    mapping: usize,
    any: usize,
}

impl State {
    fn before(certificates: usize) -> Self {
        let count = certificates + 1;
        Self { expected: BTreeSet::from([oid::POLICY_ANY]), explicit: count, mapping: count, any: count }
    }

    /// Section 6.1.3, (d) and (e).
    fn take(&mut self, certificate: &Certificate, is_authority: bool) {
        let is_any = |policy: &&ObjectIdentifier| **policy == oid::POLICY_ANY;
        let takes_any = self.any > 0 || is_authority && certificate.subject == certificate.issuer;
        let before = std::mem::take(&mut self.expected);
        let fits = |policy: &&ObjectIdentifier| {
            !is_any(policy) && (before.contains(*policy) || before.contains(&oid::POLICY_ANY))
        };
        self.expected = certificate.policies.iter().filter(fits).copied().collect();
        if takes_any && certificate.policies.iter().any(|policy| is_any(&policy)) {
            self.expected.extend(before);
        }
    }

    /// Section 6.1.3, (f).
    fn is_good(&self) -> bool {
        self.explicit > 0 || !self.expected.is_empty()
    }

    /// Section 6.1.4, (a) and (b). Whether no mapping is of anyPolicy.
    fn map(&mut self, rules: &PolicyRules) -> bool {
        if rules.mappings.iter().any(|(from, to)| [from, to].contains(&&oid::POLICY_ANY)) {
            return false;
        }
        let has_any = self.expected.contains(&oid::POLICY_ANY);
        let applies = |from: &ObjectIdentifier| has_any || self.expected.contains(from);
        let mapped: Vec<_> = rules.mappings.iter().filter(|(from, _)| applies(from)).copied().collect();
        for (from, _) in &mapped {
            self.expected.remove(from);
        }
        if self.mapping > 0 {
            self.expected.extend(mapped.iter().map(|(_, to)| *to));
        }
        true
    }

    /// Section 6.1.4, (h) to (j).
    fn count_down(&mut self, authority: &Certificate) {
        let passed = usize::from(authority.subject != authority.issuer);
        let rules = &authority.policy_rules;
        for (left, said) in [
            (&mut self.explicit, rules.require_explicit),
            (&mut self.mapping, rules.inhibit_mapping),
            (&mut self.any, rules.inhibit_any),
        ] {
            let said = said.and_then(|said| usize::try_from(said).ok()).unwrap_or(usize::MAX);
            *left = left.saturating_sub(passed).min(said);
        }
    }
}
