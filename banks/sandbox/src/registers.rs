//! The register of payment institutions of a sandbox, for tests of banks that look into one. It lists whoever got test
//! certificates, with the roles of these, in their own country and in those of the bank's branches; anybody can be moved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use edge::registers::{OneOrMore, WrittenEntity, service_code};
use eidas::{AuthorizationNumber, OrganizationIdentifier, Role};
use gateway::domain::{CertificateKind, Tenant, TppId};
use serde::{Deserialize, Serialize};

use crate::Sandbox;

/// The date of every authorisation, and that of every withdrawal.
const DATES: [&str; 2] = ["2019-09-14", "2026-01-01"];

/// Third parties that can be moved.
const MOST: usize = 1000;

/// Whether an institution is authorised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Listed {
    /// It is.
    Active,
    /// It was.
    Withdrawn,
    /// The register does not know it.
    Absent,
}

/// What the register says of an institution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Listing {
    pub(crate) status: Listed,
    /// What it may do, by country. Left out: what its certificates say, in its own country and in those of the branches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) services: Option<BTreeMap<String, BTreeSet<String>>>,
}

impl Listing {
    /// What is wrong with it.
    pub(crate) fn problem(&self) -> Option<String> {
        for (country, roles) in self.services.iter().flatten() {
            if !eidas::country::is_assigned(country) {
                return Some(format!("services: \"{}\" is no country (ISO 3166-1)", country.escape_debug()));
            }
            if let Some(unknown) = roles.iter().find(|role| code(role).is_none()) {
                let known = Role::THIRD_PARTY.map(Role::name).join(", ");
                return Some(format!("services: \"{}\" is not one of {known}", unknown.escape_debug()));
            }
        }
        None
    }
}

/// Where it says otherwise than the certificates. A start begins anew.
#[derive(Debug, Default)]
pub(crate) struct Registers(Mutex<BTreeMap<String, Listing>>);

impl Registers {
    /// Moves an institution; false if there are too many of them.
    pub(crate) fn set(&self, id: &str, listing: Listing) -> bool {
        let mut moved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if moved.len() >= MOST && !moved.contains_key(id) {
            return false;
        }
        moved.insert(id.to_owned(), listing);
        true
    }

    fn moved(&self) -> BTreeMap<String, Listing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn of(&self, id: &str) -> Option<Listing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}

impl Sandbox {
    /// What the register says of an institution.
    pub(crate) async fn listing(&self, id: &OrganizationIdentifier) -> Result<Listing, gateway::Error> {
        let moved = self.registers.of(id.as_str());
        if let Some(listing @ (Listing { services: Some(_), .. } | Listing { status: Listed::Absent, .. })) =
            moved
        {
            return Ok(listing);
        }
        let mut roles = BTreeSet::new();
        for kind in [CertificateKind::Qwac, CertificateKind::QSeal] {
            let certificates = self.store.active_certificates(&TppId::from(id), kind).await?;
            roles.extend(certificates.into_iter().flat_map(|record| record.holder.roles));
        }
        let roles: BTreeSet<String> =
            roles.iter().map(|role| role.name().to_owned()).filter(|role| code(role).is_some()).collect();
        let status = match moved {
            Some(moved) => moved.status,
            None if roles.is_empty() => Listed::Absent,
            None => Listed::Active,
        };
        let branches =
            self.gateway.settings().tenants.iter().map(|tenant| Tenant::country(tenant).to_owned());
        let home = id.authorization_number().map(|number| number.country.clone());
        let services = branches.chain(home).map(|country| (country, roles.clone())).collect();
        Ok(Listing { status, services: Some(services) })
    }

    /// Everybody whom the register lists: whoever got one of the certificates that were issued last, and whoever was moved.
    pub(crate) async fn listings(&self) -> Result<Vec<WrittenEntity>, gateway::Error> {
        let certificates = self.gateway.certificates().await?;
        let ids = certificates.iter().map(|record| record.holder.tpp.as_str().to_owned());
        let ids: BTreeSet<String> = ids.chain(self.registers.moved().into_keys()).collect();
        let mut all = Vec::new();
        for id in ids {
            let Ok(id) = OrganizationIdentifier::parse(&id) else { continue };
            all.extend(self.entity(&id).await?);
        }
        Ok(all)
    }

    /// An institution as registers write it; none that is not listed.
    pub(crate) async fn entity(
        &self,
        id: &OrganizationIdentifier,
    ) -> Result<Option<WrittenEntity>, gateway::Error> {
        let Some(number) = id.authorization_number() else { return Ok(None) };
        Ok(written(number, &self.listing(id).await?))
    }
}

/// The register's code of the service that a role is for.
fn code(role: &str) -> Option<&'static str> {
    service_code(Role::from_name(role)?)
}

fn written(number: &AuthorizationNumber, listing: &Listing) -> Option<WrittenEntity> {
    let dates = match listing.status {
        Listed::Active => &DATES[..1],
        Listed::Withdrawn => &DATES,
        Listed::Absent => return None,
    };
    let services = listing.services.iter().flatten().map(|(country, roles)| {
        let codes = roles.iter().filter_map(|role| code(role)).map(str::to_owned).collect();
        BTreeMap::from([(country.clone(), OneOrMore::More(codes))])
    });
    let properties = [
        ("ENT_NAT_REF_COD", OneOrMore::One(number.number.clone())),
        ("ENT_AUT", OneOrMore::More(dates.iter().copied().map(str::to_owned).collect())),
    ];
    Some(WrittenEntity {
        authority: number.nca_id().replace('-', "_"),
        kind: "PSD_PI".to_owned(),
        properties: properties.map(|(name, value)| BTreeMap::from([(name.to_owned(), value)])).to_vec(),
        services: services.collect(),
    })
}
