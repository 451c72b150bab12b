//! Customers when they come.

use axum::Json;
use axum::extract::State;
use gateway::bank::Credentials;
use gateway::domain::{CustomerId, Iban};
use gateway::{Error, Noun};

use super::{Body, Path, Query, Refused, Served};
use crate::wire;

pub(super) async fn find(
    State(served): State<Served>,
    Body(find): Body<wire::FindCustomers>,
) -> Result<Json<wire::CustomerIds>, Refused> {
    let branch = served.branch(&find.branch)?;
    let number = Iban::parse(&find.iban).map_err(|_| Refused::malformed("iban is an IBAN; this was not"))?;
    let found = served.bank.customers.named_by(&branch, &number).await?;
    Ok(Json(wire::CustomerIds { customer_ids: found.iter().map(ToString::to_string).collect() }))
}

pub(super) async fn log_in(
    State(served): State<Served>,
    Body(shown): Body<wire::LogIn>,
) -> Result<Json<wire::LoggedIn>, Refused> {
    let customers: Vec<_> = shown.customer_ids.into_iter().map(CustomerId::new).collect();
    let credentials = Credentials { challenge: &shown.challenge, answer: &shown.answer };
    let customer = served.bank.customers.log_in(&customers, credentials).await?;
    Ok(Json(wire::LoggedIn { customer_id: customer.map(|customer| customer.to_string()) }))
}

pub(super) async fn customer(
    State(served): State<Served>,
    Path(customer): Path<String>,
    Query(at): Query<wire::AtBranch>,
) -> Result<Json<wire::Customer>, Refused> {
    let id = CustomerId::new(customer);
    if let Some(branch) = &at.branch {
        let known = served.branches.iter().find(|known| known.as_str() == branch);
        let found = match known {
            Some(branch) => served.bank.customers.authenticated(branch, id.as_str()).await?,
            None => None,
        };
        if found.as_ref() != Some(&id) {
            return Err(Error::NotFound(Noun::Customer).into());
        }
    }
    let mut customer = wire::Customer::from(served.bank.customers.customer(&id).await?);
    customer.branch = at.branch;
    Ok(Json(customer))
}

pub(super) async fn accounts(
    State(served): State<Served>,
    Path(customer): Path<String>,
) -> Result<Json<wire::Accounts>, Refused> {
    Ok(Json(served.bank.customers.accounts_of(&CustomerId::new(customer)).await?.into()))
}

pub(super) async fn approve(
    State(served): State<Served>,
    Path(customer): Path<String>,
    Body(shown): Body<wire::Approve>,
) -> Result<Json<wire::Approved>, Refused> {
    let credentials = Credentials { challenge: &shown.challenge, answer: &shown.answer };
    let approved = served.bank.customers.approves(&CustomerId::new(customer), credentials).await?;
    Ok(Json(wire::Approved { approved }))
}
