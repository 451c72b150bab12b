//! Third parties, and which of them the bank blocks.

use axum::extract::{Path, RawQuery, Request, State};
use axum::{Extension, Json};
use gateway::domain::{Timestamp, Tpp, TppId, parse_moment};
use gateway::third_parties::ThirdPartyFilter;
use serde::Deserialize;
use serde_json::{Value, json};

use super::customers::tell_erased;
use super::{Act, Admin, Error, Query, Reason, Staff, body, told};

/// A third party as staff sees it.
fn tell(tpp: &Tpp, now: Timestamp) -> Value {
    let blocked = tpp
        .blocked
        .filter(|block| block.holds_at(now))
        .map(|block| json!({"since": block.at, "until": block.until, "reason": tpp.blocked_reason}));
    json!({
        "id": tpp.id.as_str(),
        "name": tpp.name,
        "roles": tpp.roles.iter().map(|role| role.name()).collect::<Vec<_>>(),
        "state": if blocked.is_some() { "blocked" } else { "active" },
        "blocked": blocked,
        "hasRegistered": tpp.has_registered(),
        "registeredAt": tpp.registered_at,
    })
}

pub(super) async fn list(
    State(admin): State<Admin>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Error> {
    let query = Query::of(query.as_deref(), &["name", "number", "state", "after", "limit"])?;
    let filter = ThirdPartyFilter {
        name: query.one("name")?.map(str::to_owned),
        number: query.one("number")?.map(str::to_owned),
        is_blocked: query.word("state", &[("active", false), ("blocked", true)])?,
    };
    let found = admin.gateway.find_third_parties(&filter, &query.page()?).await?;
    let now = admin.gateway.system_time();
    Ok(told("thirdParties", found, |tpp| tell(&tpp, now)))
}

pub(super) async fn read(State(admin): State<Admin>, Path(id): Path<String>) -> Result<Json<Value>, Error> {
    let tpp = admin.gateway.third_party(&TppId::new(id)).await?;
    Ok(Json(tell(&tpp, admin.gateway.system_time())))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewBlock {
    reason: Reason,
    #[serde(default)]
    until: Option<String>,
}

pub(super) async fn block(
    State(admin): State<Admin>,
    Extension(staff): Extension<Staff>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, Error> {
    let NewBlock { reason, until } = body(request).await?;
    let until = until.as_deref().map(|text| parse_moment(text, None)).transpose();
    let until = until.map_err(|error| Error::bad(format!("until: {error}")))?;
    let tpp = admin.gateway.block(&TppId::new(id), until, reason.of(&staff)?).await?;
    Ok(Json(tell(&tpp, admin.gateway.system_time())))
}

pub(super) async fn unblock(
    State(admin): State<Admin>,
    Extension(staff): Extension<Staff>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, Error> {
    let Act { reason } = body(request).await?;
    let tpp = admin.gateway.unblock(&TppId::new(id), reason.of(&staff)?).await?;
    Ok(Json(tell(&tpp, admin.gateway.system_time())))
}

pub(super) async fn erase(
    State(admin): State<Admin>,
    Extension(staff): Extension<Staff>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, Error> {
    let Act { reason } = body(request).await?;
    let deed = reason.of(&staff)?;
    Ok(tell_erased(admin.gateway.erase_third_party(&TppId::new(id), deed).await?))
}
