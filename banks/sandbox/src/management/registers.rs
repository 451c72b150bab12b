//! The register of payment institutions, in the form of the European Banking Authority, and what moves it.

use axum::Json;
use axum::extract::{Path, Request, State};
use edge::registers::WrittenEntity;
use eidas::OrganizationIdentifier;
use serde_json::{Value, json};

use super::{Error, json as body};
use crate::Sandbox;
use crate::registers::Listing;

/// The form: what is said of the register, then the institutions.
fn register(entities: Vec<WrittenEntity>) -> Json<Value> {
    Json(json!([[{"disclaimer": "This register is for tests: it lists nobody who exists."}], entities]))
}

pub(super) async fn read_all(State(sandbox): State<Sandbox>) -> Result<Json<Value>, Error> {
    Ok(register(sandbox.listings().await?))
}

pub(super) async fn read(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Error> {
    Ok(register(sandbox.entity(&identifier(&id)?).await?.into_iter().collect()))
}

pub(super) async fn set(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Listing>, Error> {
    let id = identifier(&id)?;
    let listing: Listing = body(request).await?;
    if let Some(problem) = listing.problem() {
        return Err(Error::bad("invalid_listing", problem));
    }
    if !sandbox.registers.set(id.as_str(), listing) {
        return Err(Error::conflict("1000 institutions were moved; start anew, or move one of them again"));
    }
    Ok(Json(sandbox.listing(&id).await?))
}

fn identifier(id: &str) -> Result<OrganizationIdentifier, Error> {
    let wrong = |why: &dyn ToString| Error::bad("invalid_organization_identifier", why.to_string());
    let id = OrganizationIdentifier::parse(id).map_err(|error| wrong(&error))?;
    if id.authorization_number().is_none() {
        return Err(wrong(
            &"only institutions with an authorisation number are listed, such as PSDNL-DNB-R123456",
        ));
    }
    Ok(id)
}
