//! Which certificates of a service a qualification is about (TS 119 612, 5.5.9.2).

use eidas::Certificate;

use crate::tree::{Element, QUALIFICATIONS, XADES};

/// A list of criteria.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Criteria {
    /// Every one of them.
    All(Vec<Self>),
    /// One of them.
    Any(Vec<Self>),
    /// None of them.
    None(Vec<Self>),
    /// Bits of the key usage by their names, and whether they are set.
    KeyUsage(Vec<(String, bool)>),
    /// Policies that the certificate names, all of them.
    Policies(Vec<String>),
    /// Something that is not understood.
    Other,
}

impl Criteria {
    /// Reads a `CriteriaList`.
    pub(crate) fn read(list: Element<'_>) -> Self {
        let criteria = list.children().filter_map(|one| {
            if one.is(QUALIFICATIONS, "KeyUsage") {
                Some(key_usage(one))
            } else if one.is(QUALIFICATIONS, "PolicySet") {
                Some(policies(one))
            } else if one.is(QUALIFICATIONS, "CriteriaList") {
                Some(Self::read(one))
            } else if one.is(QUALIFICATIONS, "Description") {
                None
            } else {
                Some(Self::Other)
            }
        });
        let criteria = criteria.collect();
        match list.attribute("assert") {
            Some("all") => Self::All(criteria),
            Some("atLeastOne") => Self::Any(criteria),
            Some("none") => Self::None(criteria),
            _ => Self::Other,
        }
    }

    /// Whether a certificate fits; none if that cannot be told.
    pub(crate) fn fits(&self, certificate: &Certificate) -> Option<bool> {
        match self {
            // What is decided by those that are understood stays so whatever the others say.
            Self::All(all) => decided(all, certificate, false),
            Self::Any(all) => decided(all, certificate, true),
            Self::None(all) => decided(all, certificate, true).map(|fits| !fits),
            Self::KeyUsage(bits) => {
                let set = certificate.key_usage.as_deref().unwrap_or_default();
                let is_set = |name: &str| set.contains(&name);
                Some(bits.iter().all(|(name, wanted)| is_set(name) == *wanted))
            }
            Self::Policies(policies) => {
                let named: Vec<_> = certificate.policies.iter().map(ToString::to_string).collect();
                Some(policies.iter().all(|policy| named.contains(policy)))
            }
            Self::Other => None,
        }
    }
}

/// Whether one of the criteria is `decisive`, or the opposite if none is.
fn decided(all: &[Criteria], certificate: &Certificate, decisive: bool) -> Option<bool> {
    let mut is_clear = true;
    for criteria in all {
        match criteria.fits(certificate) {
            Some(fits) if fits == decisive => return Some(decisive),
            Some(_) => {}
            None => is_clear = false,
        }
    }
    is_clear.then_some(!decisive)
}

fn key_usage(element: Element<'_>) -> Criteria {
    let bits = element.all(QUALIFICATIONS, "KeyUsageBit");
    let bits = bits.map(|bit| match (bit.attribute("name"), bit.text().as_str()) {
        (Some(name), "true" | "1") => Some((name.to_owned(), true)),
        (Some(name), "false" | "0") => Some((name.to_owned(), false)),
        _ => None,
    });
    bits.collect::<Option<_>>().map_or(Criteria::Other, Criteria::KeyUsage)
}

fn policies(element: Element<'_>) -> Criteria {
    let identifiers = element.all(QUALIFICATIONS, "PolicyIdentifier");
    let identifiers = identifiers.map(|policy| {
        let written = policy.child(XADES, "Identifier")?.text();
        Some(written.strip_prefix("urn:oid:").unwrap_or(&written).to_owned())
    });
    identifiers.collect::<Option<_>>().map_or(Criteria::Other, Criteria::Policies)
}
