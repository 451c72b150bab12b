//! Branches: where they are, and what the bank is called there.

use axum::Json;
use axum::extract::{Path, Request, State};
use gateway::domain::Tenant;
use serde::Deserialize;

use super::{Error, json};
use crate::Sandbox;
use crate::bank_names::BankNames;
use crate::test_certificates::known_tenant;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewName {
    bank_name: String,
}

fn shown(sandbox: &Sandbox, tenant: &Tenant) -> serde_json::Value {
    serde_json::json!({
        "tenant": tenant.as_str(),
        "bankName": sandbox.gateway.bank_name(tenant),
        "country": tenant.country(),
        "currency": tenant.currency().code(),
        "language": tenant.language().code(),
    })
}

pub(super) async fn list(State(sandbox): State<Sandbox>) -> Json<serde_json::Value> {
    let tenants = &sandbox.gateway.settings().tenants;
    let all: Vec<_> = tenants.iter().map(|tenant| shown(&sandbox, tenant)).collect();
    Json(serde_json::json!({"tenants": all}))
}

/// The bank gets another name at a branch, which its pages carry from then on.
pub(super) async fn set_name(
    State(sandbox): State<Sandbox>,
    Path(tenant): Path<String>,
    request: Request,
) -> Result<Json<serde_json::Value>, Error> {
    let NewName { bank_name } = json(request).await?;
    let tenant = known_tenant(&sandbox, &tenant)?;
    BankNames::check(&bank_name).map_err(|error| Error::bad("invalid_name", error))?;
    sandbox.names.set(&tenant, bank_name.trim()).await?;
    Ok(Json(shown(&sandbox, &tenant)))
}
