//! Users on demand, at a bank for tests alone (section 17), and the health check.

use std::sync::Arc;

use edge::Door;
use gateway::domain::{CustomerId, CustomerKind, Tenant};
use serde_json::{Value, json};

use crate::call::Call;
use crate::credentials::key_of_customer;
use crate::error::Error;
use crate::reply::Reply;
use crate::state::Bunq;
use crate::users::number_of_customer;
use crate::wire::objects::Object;

async fn make(call: Call, kind: CustomerKind) -> Result<Reply, Error> {
    let (bunq, ctx) = (&call.bunq, &call.ctx);
    if bunq.edge.gateway.is_for_tests() {
        // Nothing in the body is used, but it is one of this interface.
        call.json()?;
        bunq.new_customers.take(ctx.now, call.address)?;
    }
    let made = async {
        let Some(customer) = bunq.edge.gateway.make_test_customer(ctx, kind).await? else { return Ok(None) };
        let user = number_of_customer(bunq, ctx, &customer).await?;
        key_of_customer(bunq, ctx, user).await.map(Some)
    };
    let key = made.await?;
    // At a bank that is not for tests there is no such path.
    let api_key = key.ok_or_else(|| Error::from(edge::Rejected::NotFound))?;
    Ok(Reply::one(Object::ApiKey { api_key }))
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
    Ok(Reply::one(Object::HealthResult { status: "OK" }))
}

/// Tells customers of a bank for tests what they need to call this interface: the number of their user and an API key;
/// null for a customer of a branch that it does not serve.
pub(crate) fn door(bunq: &Arc<Bunq>) -> Door {
    let bunq = Arc::clone(bunq);
    Arc::new(move |tenant, customer| {
        let bunq = Arc::clone(&bunq);
        Box::pin(async move { access(&bunq, &tenant, &customer).await })
    })
}

async fn access(bunq: &Bunq, tenant: &Tenant, customer: &CustomerId) -> Result<Value, gateway::Error> {
    let ctx = bunq.context(bunq.edge.gateway.new_request_id()).ok().filter(|ctx| ctx.tenant == *tenant);
    let Some(ctx) = ctx else { return Ok(Value::Null) };
    let user = number_of_customer(bunq, &ctx, customer).await?;
    let key = key_of_customer(bunq, &ctx, user).await?;
    Ok(json!({"userId": user, "apiKey": key}))
}
