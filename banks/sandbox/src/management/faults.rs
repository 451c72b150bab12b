//! Faults on demand.

use axum::Json;
use axum::extract::{Path, Request, State};
use edge::FailingInterface;
use gateway::domain::TppId;
use http::StatusCode;
use serde::Deserialize;

use super::{Error, Management, json};
use crate::Sandbox;
use crate::faults::{Kind, MAX_FAULTS, MAX_SECONDS, Shown, Wish};

/// Longest path of a fault, in bytes.
const MAX_PATH: usize = 1000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewFault {
    fault: String,
    third_party: Option<String>,
    path: Option<String>,
    interface: Option<String>,
    next: Option<u64>,
    seconds: Option<u64>,
}

impl NewFault {
    fn wish(self, interfaces: &[FailingInterface]) -> Result<Wish, Error> {
        let kind = Kind::from_name(&self.fault).ok_or_else(|| {
            let names = Kind::NAMES.map(|(name, _)| name).join(", ");
            Error::bad("unknown_fault", format!("fault \"{}\" is not one of {names}", self.fault))
        })?;
        let interface = self.interface.map(|name| {
            interfaces.iter().find(|interface| interface.name == name).ok_or_else(|| {
                let names = names(interfaces.iter());
                Error::bad("unknown_interface", format!("interface \"{name}\" is not one of {names}"))
            })
        });
        let interface = interface.transpose()?;
        if interface.is_some_and(|asked| !kind.can_be_at(asked)) {
            let own = names(interfaces.iter().filter(|interface| kind.can_be_at(interface)));
            let text = format!("{} is a fault of the interface {own} alone", self.fault);
            return Err(Error::bad("invalid_fault", text));
        }
        if let Some(path) = &self.path
            && (!path.starts_with(['/', '*']) || path.len() > MAX_PATH)
        {
            let text = "path is the path of a call, such as /xs2a-bg/nl/v1/consents, and a star in it stands for anything";
            return Err(Error::bad("invalid_path", text));
        }
        if self.next == Some(0) {
            return Err(Error::bad("invalid_next", "next is how many calls the fault strikes, 1 or more"));
        }
        if self.seconds.is_some() && kind.default_seconds().is_none() {
            return Err(Error::bad("invalid_seconds", format!("seconds say nothing about {}", self.fault)));
        }
        if self.seconds.is_some_and(|seconds| !(1..=MAX_SECONDS).contains(&seconds)) {
            return Err(Error::bad("invalid_seconds", format!("seconds are 1 to {MAX_SECONDS}")));
        }
        if self.third_party.as_ref().is_some_and(|id| id.trim().is_empty() || id.len() > 200) {
            let text = "thirdParty is the identifier of a third party, such as PSDNL-DNB-R123456";
            return Err(Error::bad("invalid_third_party", text));
        }
        Ok(Wish {
            kind,
            third_party: self.third_party.map(TppId::new),
            path: self.path,
            interface: interface.map(|interface| interface.name),
            next: self.next,
            seconds: self.seconds.or_else(|| kind.default_seconds()),
        })
    }
}

fn names<'a>(interfaces: impl Iterator<Item = &'a FailingInterface>) -> String {
    interfaces.map(|interface| interface.name).collect::<Vec<_>>().join(", ")
}

pub(super) async fn add(
    State(management): State<Management>,
    request: Request,
) -> Result<(StatusCode, Json<Shown>), Error> {
    let wish = json::<NewFault>(request).await?.wish(&management.interfaces.failing)?;
    let full = || {
        let text = format!("{MAX_FAULTS} faults wait already; take some away with DELETE /faults");
        Error::new(StatusCode::CONFLICT, "too_many_faults", text)
    };
    Ok((StatusCode::CREATED, Json(management.sandbox.faults.add(wish).ok_or_else(full)?)))
}

pub(super) async fn list(State(sandbox): State<Sandbox>) -> Json<serde_json::Value> {
    Json(serde_json::json!({"faults": sandbox.faults.list()}))
}

pub(super) async fn remove(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
) -> Result<Json<serde_json::Value>, Error> {
    if sandbox.faults.remove(&id) {
        return Ok(Json(serde_json::json!({"removed": 1})));
    }
    let text = "there is no such fault; it may have struck all the calls that it was for. GET /faults lists those that wait";
    Err(Error::new(StatusCode::NOT_FOUND, "not_found", text))
}

pub(super) async fn clear(State(sandbox): State<Sandbox>) -> Json<serde_json::Value> {
    Json(serde_json::json!({"removed": sandbox.faults.clear()}))
}
