//! Users on demand, at a bank for tests alone (section 17), and the health check.

use std::sync::Arc;

use edge::Edge;
use gateway::domain::{CustomerId, CustomerKind, Tenant};
use serde_json::{Value, json};

use crate::call::Call;
use crate::credentials::key_of_customer;
use crate::error::Error;
use crate::reply::Reply;
use crate::state::Bunq;
use crate::users::number_of_customer;

async fn make(call: Call, kind: CustomerKind) -> Result<Reply, Error> {
    let (bunq, ctx) = (&call.bunq, &call.ctx);
    if bunq.edge.gateway.is_for_tests() {
        bunq.new_customers.take(ctx.now)?;
    }
    let made = async {
        let Some(customer) = bunq.edge.gateway.make_test_customer(ctx, kind).await? else { return Ok(None) };
        let user = number_of_customer(bunq, ctx, &customer).await?;
        key_of_customer(bunq, ctx, user).await.map(Some)
    };
    let key = made.await.map_err(|error| call.failed(error))?;
    // At a bank that is not for tests there is no such path.
    let key = key.ok_or_else(|| Error::from(edge::Rejected::NotFound))?;
    Ok(Reply::one("ApiKey", json!({ "api_key": key })))
}

/// `POST /sandbox-user-person`
pub(crate) async fn person(call: Call) -> Result<Reply, Error> {
    make(call, CustomerKind::Person).await
}

/// `POST /sandbox-user-company`
pub(crate) async fn company(call: Call) -> Result<Reply, Error> {
    make(call, CustomerKind::Company).await
}

/// `GET /health-check`
pub(crate) async fn health(_: Call) -> Result<Reply, Error> {
    Ok(Reply::one("HealthResult", json!({ "status": "OK" })))
}

/// Tells what customers of a bank for tests need to call this interface.
#[derive(Debug, Clone)]
pub struct CustomerDoor(Arc<Bunq>);

impl CustomerDoor {
    /// The door of a bank.
    pub fn new(edge: Edge) -> Self {
        Self(Arc::new(Bunq::new(edge)))
    }

    /// The number of a customer's user and an API key; null for a customer of a branch that this interface does not
    /// serve.
    ///
    /// # Errors
    /// [`gateway::Error`]
    pub async fn access(&self, tenant: &Tenant, customer: &CustomerId) -> Result<Value, gateway::Error> {
        let bunq = &self.0;
        let ctx = bunq.context(bunq.edge.gateway.new_request_id()).ok().filter(|ctx| ctx.tenant == *tenant);
        let Some(ctx) = ctx else { return Ok(Value::Null) };
        let user = number_of_customer(bunq, &ctx, customer).await?;
        let key = key_of_customer(bunq, &ctx, user).await?;
        Ok(json!({"userId": user, "apiKey": key}))
    }
}
