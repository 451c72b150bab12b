//! Data of one's own: one movement, or a file of customers and movements.

use axum::Json;
use axum::extract::{Path, Request, State};
use edge::{Connection, MAX_BODY, Rejected, read_body, read_json};
use gateway::domain::{Iban, IbanError};
use http::{StatusCode, header};
use serde_json::json;

use super::accounts::TestAccount;
use super::{Error, Management};
use crate::Sandbox;
use crate::own_data::{self, Fields, File, OwnMovement, Refused};

/// What a file can be, by its media type.
const MEDIA_TYPES: &str = "application/yaml, text/csv or application/json";

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::bad("invalid_data", refused)
    }
}

/// Enters a movement on an account.
pub(super) async fn add_transaction(
    State(sandbox): State<Sandbox>,
    Path(iban): Path<String>,
    request: Request,
) -> Result<(StatusCode, Json<serde_json::Value>), Error> {
    let iban = Iban::parse(&iban).map_err(|error: IbanError| Error::bad("invalid_iban", error))?;
    let object: serde_json::Map<String, serde_json::Value> = super::json(request).await?;
    let movement = OwnMovement::of_json(&Fields::from_json(object))?;
    let entered = own_data::enter(&sandbox, &iban, &movement).await??;
    let answer = json!({
        "transactionId": entered.entry,
        "iban": entered.account.iban.as_str(),
        "amount": entered.amount.to_decimal(),
        "currency": entered.amount.currency.code(),
        "bookingDate": entered.date.to_string(),
        "status": if entered.is_pending { "pending" } else { "booked" },
    });
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Makes the customers, accounts and movements of a file: all of them, or none.
pub(super) async fn load(
    State(management): State<Management>,
    request: Request,
) -> Result<(StatusCode, Json<serde_json::Value>), Error> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().to_ascii_lowercase();
    let connection = request.extensions().get::<Connection>().cloned();
    let octets = read_body(request.into_body(), MAX_BODY, connection.as_ref()).await?;
    let sandbox = &management.sandbox;
    let tenants = &sandbox.gateway.settings().tenants;
    let file = match kind.split(';').next().unwrap_or_default().trim() {
        "text/csv" => File::from_csv(&octets, tenants)?,
        "application/yaml" | "application/x-yaml" | "text/yaml" => {
            let text = std::str::from_utf8(&octets).map_err(|error| {
                let line = octets[..error.valid_up_to()].iter().filter(|octet| **octet == b'\n').count() + 1;
                Refused::at(u64::try_from(line).unwrap_or(0), "this is not UTF-8")
            })?;
            File::from_yaml(text, tenants)?
        }
        "application/json" => {
            let object = read_json(&octets)
                .map_err(|error| Error::bad("invalid_request", format!("the body: {error}")))?;
            File::from_fields(&Fields::from_json(object), tenants)?
        }
        _ => return Err(Rejected::MediaType { got: kind, expected: MEDIA_TYPES }.into()),
    };
    let loaded = own_data::load(sandbox, &file).await??;
    let mut customers = Vec::new();
    for (customer, accounts) in &loaded.customers {
        customers.push(TestAccount::new(customer, accounts, &[]).with_doors(&management, customer).await?);
    }
    let answer = json!({"testAccounts": customers, "transactions": loaded.movements});
    Ok((StatusCode::CREATED, Json(answer)))
}
