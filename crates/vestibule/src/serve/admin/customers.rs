//! Customers: what is held of them is erased as far as no law has the bank keep it.

use axum::extract::{Path, Request, State};
use axum::{Extension, Json};
use gateway::Erased;
use gateway::domain::{CustomerId, Tenant};
use serde_json::{Value, json};

use super::{Act, Admin, Error, Staff, body};

pub(super) async fn erase(
    State(admin): State<Admin>,
    Extension(staff): Extension<Staff>,
    Path((branch, customer)): Path<(String, String)>,
    request: Request,
) -> Result<Json<Value>, Error> {
    let Act { reason } = body(request).await?;
    let known = admin.gateway.settings().tenants.iter();
    let branches: Vec<&str> = known.map(Tenant::as_str).collect();
    let tenant = Tenant::parse(&branch).ok().filter(|tenant| branches.contains(&tenant.as_str()));
    let tenant = tenant.ok_or_else(|| {
        let branch = branch.escape_debug();
        Error::bad(format!("the bank has no branch \"{branch}\"; it has {}", branches.join(", ")))
    })?;
    let deed = reason.of(&staff)?;
    let Erased { consents, kept, is_more } =
        admin.gateway.erase_customer(&tenant, &CustomerId::new(customer), deed).await?;
    let kept: Vec<Value> =
        kept.into_iter().map(|(id, until)| json!({"consent": id, "until": until})).collect();
    Ok(Json(json!({"erasedConsents": consents, "kept": kept, "isMore": is_more})))
}
