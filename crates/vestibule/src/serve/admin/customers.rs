//! Customers: what is held of them is erased as far as no law has the bank keep it.

use axum::extract::{Path, Request, State};
use axum::{Extension, Json};
use gateway::Erased;
use gateway::domain::{CustomerId, Iban, Tenant, hidden_in};
use serde_json::{Value, json};

use super::{Act, Admin, Error, Staff, body};

/// Longest id of a customer, in characters.
const LONGEST_ID: usize = 200;

/// What is told besides where an erasure found nothing.
const NOTHING: &str = "nothing was kept of a customer of this id: no session and no consent; check the id and the branch, if there \
    should have been some. Payments and the audit trail stay for their own time";

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
    if !(1..=LONGEST_ID).contains(&customer.chars().count()) || hidden_in(&customer).is_some() {
        return Err(Error::bad(format!(
            "a customer's id has 1 to {LONGEST_ID} characters, none of them hidden"
        )));
    }
    // Whom an act was about stands in the trail for years, and account numbers never do.
    if Iban::is_meant(&customer) {
        return Err(Error::bad(
            "this is an account number; give the customer's id as the core bank has it, which stands as customer in each of their \
             consents",
        ));
    }
    let erased = admin.gateway.erase_customer(&tenant, &CustomerId::new(customer), deed).await?;
    let is_nothing = erased.is_nothing();
    let Json(mut told) = tell_erased(erased);
    if is_nothing {
        told["message"] = NOTHING.into();
    }
    Ok(Json(told))
}

/// What was erased, and what stays until when.
pub(super) fn tell_erased(Erased { consents, kept, is_more, .. }: Erased) -> Json<Value> {
    let kept: Vec<Value> =
        kept.into_iter().map(|(id, until)| json!({"consent": id, "until": until})).collect();
    Json(json!({"erasedConsents": consents, "kept": kept, "isMore": is_more}))
}
