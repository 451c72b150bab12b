//! Registers of payment institutions in the form in which the European Banking Authority publishes its own: a file with all of it,
//! or what a service answers that is asked about one institution.
//!
//! `[[{…}], [{"CA_OwnerID": "NL_DNB", "EntityType": "PSD_PI", "Properties": [{"ENT_NAT_REF_COD": "R123456"}, {"ENT_AUT":
//! ["2019-01-01"]}], "Services": [{"NL": ["PS_080"]}]}]]`. Dates of authorisation and withdrawal stand in turns.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Read;
use std::time::Duration;

use eidas::Role;
use gateway::domain::{RegisterCopy, RegisterEntry, RegisterStatus, Timestamp, TppId};
use gateway::{LookUp, LookedUp};
use http::{HeaderValue, StatusCode, header};
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use url::Url;

use crate::outbound::{CONNECT_TIME, cautious};

/// Institutions of a register that are kept at most. The European one has about five thousand.
const MOST: usize = 100_000;

/// Largest answer about one institution, in bytes.
const MAX_ANSWER: usize = 256 * 1024;

/// Kinds of institutions with an authorisation of their own. Branches and agents act under that of another one.
const KINDS: [&str; 5] = ["PSD_PI", "PSD_EMI", "PSD_AISP", "PSD_EPI", "PSD_EEMI"];

/// The services that third parties come for, by the register's codes.
const SERVICES: [(&str, Role); 3] = [
    ("PS_070", Role::PaymentInitiation),
    ("PS_080", Role::AccountInformation),
    ("PS_05A", Role::CardIssuing),
];

/// The code of the service that a role is for, if registers have one.
pub fn service_code(role: Role) -> Option<&'static str> {
    SERVICES.iter().find(|(_, known)| *known == role).map(|(code, _)| *code)
}

/// One text or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMore {
    /// One.
    One(String),
    /// Several.
    More(Vec<String>),
}

impl OneOrMore {
    fn as_slice(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::More(texts) => texts,
        }
    }
}

/// An institution as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenEntity {
    /// The authority, for example `NL_DNB`.
    #[serde(rename = "CA_OwnerID")]
    pub authority: String,
    /// What kind of institution it is.
    #[serde(rename = "EntityType")]
    pub kind: String,
    /// Members with one name each.
    #[serde(rename = "Properties", default)]
    pub properties: Vec<BTreeMap<String, OneOrMore>>,
    /// Codes of services by country.
    #[serde(rename = "Services", default)]
    pub services: Vec<BTreeMap<String, OneOrMore>>,
}

impl WrittenEntity {
    fn property(&self, name: &str) -> &[String] {
        self.properties.iter().find_map(|one| one.get(name)).map_or(&[], OneOrMore::as_slice)
    }

    /// Authority, number and what is said; none for what has no authorisation of its own.
    fn read(&self) -> Option<(String, String, RegisterEntry)> {
        if !KINDS.contains(&self.kind.as_str()) {
            return None;
        }
        let [number] = self.property("ENT_NAT_REF_COD") else { return None };
        let status = match self.property("ENT_AUT").len() {
            0 => RegisterStatus::Unknown,
            dates if dates.is_multiple_of(2) => RegisterStatus::Withdrawn,
            _ => RegisterStatus::Active,
        };
        let mut services: BTreeMap<String, BTreeSet<Role>> = BTreeMap::new();
        for (country, codes) in self.services.iter().flatten() {
            let role =
                |code: &String| SERVICES.iter().find(|(known, _)| known == code).map(|(_, role)| *role);
            services.entry(country.clone()).or_default().extend(codes.as_slice().iter().filter_map(role));
        }
        let home = self.authority.chars().take_while(char::is_ascii_alphabetic).collect();
        Some((self.authority.clone(), number.clone(), RegisterEntry { status, home, services }))
    }
}

/// The second part of a register: only what can be found again is kept while it is read, since there are a hundred times as many
/// agents.
struct Entities(Vec<(String, String, RegisterEntry)>);

impl<'de> Deserialize<'de> for Entities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;

        impl<'de> Visitor<'de> for All {
            type Value = Entities;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of institutions")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Entities, A::Error> {
                let mut kept = Vec::new();
                while let Some(entity) = all.next_element::<WrittenEntity>()? {
                    kept.extend(entity.read());
                    if kept.len() > MOST {
                        return Err(serde::de::Error::custom(format!(
                            "there are more than {MOST} institutions"
                        )));
                    }
                }
                Ok(Entities(kept))
            }
        }

        deserializer.deserialize_seq(All)
    }
}

/// A register that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("this is no register in the form of the European Banking Authority, [[{{…}}], [{{…}}, …]]: {0}")]
pub struct RegisterError(#[from] serde_json::Error);

/// Reads a register, or the part of one that is about one institution.
///
/// # Errors
/// [`RegisterError`]
pub fn read_register(from: impl Read, as_of: Timestamp) -> Result<RegisterCopy, RegisterError> {
    let (_, Entities(all)): (IgnoredAny, Entities) = serde_json::from_reader(from)?;
    Ok(RegisterCopy::new(as_of, all))
}

/// A service that answers `GET {address}/{organizationIdentifier}` with the part of a register that is about its holder, or 404.
#[derive(Debug)]
pub struct RegisterService {
    address: Url,
    client: reqwest::Client,
    authorization: Option<HeaderValue>,
}

impl RegisterService {
    /// At an address of staff's own, with the authorities of its certificate in PEM, what to send as `Authorization`, and how
    /// long an answer may take.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn new(
        address: Url,
        authorities: &[u8],
        authorization: Option<&str>,
        within: Duration,
    ) -> Result<Self, String> {
        let text = |error: reqwest::Error| error.to_string();
        let authorities = reqwest::Certificate::from_pem_bundle(authorities).map_err(text)?;
        let client = cautious(CONNECT_TIME.min(within), within);
        let client = client.tls_certs_only(authorities).build().map_err(text)?;
        let authorization = authorization.map(HeaderValue::from_str).transpose();
        let mut authorization =
            authorization.map_err(|_| "what is sent as Authorization is no header value".to_owned())?;
        authorization.iter_mut().for_each(|value| value.set_sensitive(true));
        Ok(Self { address, client, authorization })
    }

    async fn ask(&self, id: &TppId, now: Timestamp) -> Result<RegisterCopy, String> {
        let mut url = self.address.clone();
        match url.path_segments_mut() {
            Ok(mut segments) => drop(segments.pop_if_empty().push(id.as_str())),
            Err(()) => return Err("its address takes no path".to_owned()),
        }
        let mut request = self.client.get(url).header(header::ACCEPT, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let unreachable = |error: reqwest::Error| {
            let what = if error.is_timeout() { "it takes too long" } else { "it cannot be reached" };
            what.to_owned()
        };
        let mut answer = request.send().await.map_err(unreachable)?;
        let as_of = last_modified(&answer).unwrap_or(now).min(now);
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(RegisterCopy::new(as_of, Vec::new())),
            other => return Err(format!("it answers with status {}", other.as_u16())),
        }
        let mut octets = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if octets.len() + chunk.len() > MAX_ANSWER {
                return Err(format!("it answers with more than {MAX_ANSWER} bytes"));
            }
            octets.extend_from_slice(&chunk);
        }
        read_register(&octets[..], as_of).map_err(|error| error.to_string())
    }
}

/// Of when an answer says that its register is (RFC 9110, 8.8.2).
fn last_modified(answer: &reqwest::Response) -> Option<Timestamp> {
    let text = answer.headers().get(header::LAST_MODIFIED)?.to_str().ok()?;
    jiff::fmt::rfc2822::parse(text).ok().map(|moment| moment.timestamp())
}

impl LookUp for RegisterService {
    fn look_up<'a>(&'a self, id: &'a TppId, now: Timestamp) -> LookedUp<'a> {
        Box::pin(self.ask(id, now))
    }
}

#[cfg(test)]
mod tests {
    use eidas::OrganizationIdentifier;

    use super::*;

    const REGISTER: &str = r#"[[{"disclaimer": "none"}], [
        {"CA_OwnerID": "NL_DNB", "EntityCode": "NL_DNB!R1", "EntityType": "PSD_PI", "__EBA_EntityVersion": "x",
         "Properties": [{"ENT_NAM": ["Example", "Exemple"]}, {"ENT_NAT_REF_COD": "R1"}, {"ENT_AUT": ["2019-01-01"]}],
         "Services": [{"NL": ["PS_070", "PS_080", "PS_010"]}, {"DE": "PS_080"}]},
        {"CA_OwnerID": "IE_CBI", "EntityType": "PSD_AISP",
         "Properties": [{"ENT_NAT_REF_COD": "C2"}, {"ENT_AUT": ["2019-01-01", "2020-01-01"]}], "Services": []},
        {"CA_OwnerID": "DE_BAFIN", "EntityType": "PSD_EMI", "Properties": [{"ENT_NAT_REF_COD": "3"}]},
        {"CA_OwnerID": "NL_DNB", "EntityType": "PSD_AG", "Properties": [{"ENT_NAT_REF_COD": "R1"}]}]]"#;

    #[test]
    fn a_register_is_read() {
        let copy = read_register(REGISTER.as_bytes(), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(copy.len(), 3);
        let entry = |id: &str| {
            let id = OrganizationIdentifier::parse(id).unwrap();
            copy.find(id.authorization_number().unwrap()).unwrap().clone()
        };
        let example = entry("PSDNL-DNB-R1");
        assert_eq!((example.status, example.home.as_str()), (RegisterStatus::Active, "NL"));
        let both = BTreeSet::from([Role::PaymentInitiation, Role::AccountInformation]);
        assert_eq!(example.services["NL"], both);
        assert_eq!(example.services["DE"], BTreeSet::from([Role::AccountInformation]));
        assert_eq!(entry("PSDIE-CBI-C2").status, RegisterStatus::Withdrawn);
        assert_eq!(entry("PSDDE-BAFIN-3").status, RegisterStatus::Unknown);
    }

    #[test]
    fn what_is_no_register_is_refused() {
        for wrong in [
            "",
            "{}",
            "[]",
            "[[]]",
            "[[{}], {}]",
            "[[{}], [1]]",
            r#"[[{}], [{"EntityType": "PSD_PI"}]]"#,
            &REGISTER[..REGISTER.len() - 1],
            "[[{}], [], []]",
        ] {
            let refused = read_register(wrong.as_bytes(), Timestamp::UNIX_EPOCH).unwrap_err().to_string();
            assert!(
                refused.contains("no register in the form of the European Banking Authority"),
                "{wrong}: {refused}"
            );
        }
    }
}
