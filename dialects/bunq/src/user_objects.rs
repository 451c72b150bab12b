//! Users as answers show them (section 10.2).

use gateway::domain::{Account, CustomerId, CustomerKind};
use gateway::{Ctx, Error as GatewayError};
use serde_json::{Value, json};

use crate::labels::{avatar, email_of, public_uuid};
use crate::records::Record;
use crate::reply::{time, wrapped};
use crate::state::Bunq;
use crate::users::{User, find, provider_name};

/// A user under its wrapper.
///
/// # Errors
/// [`GatewayError`]
pub(crate) async fn render(
    bunq: &Bunq,
    ctx: &Ctx,
    user: &Record<User>,
    timeout: i64,
) -> Result<Value, GatewayError> {
    Ok(match &user.value {
        User::Provider { name, distinguished_name, .. } => {
            wrapped("UserPaymentServiceProvider", render_provider(user, (name, distinguished_name), timeout))
        }
        User::Customer { customer } => render_customer(bunq, ctx, user, customer, timeout).await?,
        User::Key { provider, granted_by, customer, is_ordinary, .. } => {
            let name = provider_name(bunq, user.id).await?.unwrap_or_default();
            let customer = bunq.edge.gateway.customer(customer).await?;
            let mut requested_by = short(*provider, &name);
            requested_by["session_timeout"] = timeout.into();
            let mut granted_by = short(*granted_by, &customer.name);
            // One object alone has a session_timeout where it is that of a service provider: a client takes the first
            // that it finds. Clients of ordinary users take users for whole ones.
            if *is_ordinary {
                granted_by["session_timeout"] = timeout.into();
            }
            let requester = match find(bunq, *provider).await?.map(|record| record.value) {
                Some(User::Customer { customer }) => {
                    wrapper(bunq.edge.gateway.customer(&customer).await?.kind)
                }
                _ => "UserPaymentServiceProvider",
            };
            wrapped(
                "UserApiKey",
                json!({
                    "id": user.id,
                    "created": time(user.created),
                    "updated": time(user.updated),
                    "requested_by_user": {
                        requester: requested_by,
                    },
                    "granted_by_user": {
                        wrapper(customer.kind): granted_by,
                    },
                }),
            )
        }
    })
}

/// A user as seen from another one.
fn short(id: i64, name: &str) -> Value {
    json!({
        "id": id,
        "display_name": name,
        "public_nick_name": name,
        "avatar": avatar(&format!("user/{id}")),
    })
}

fn wrapper(kind: CustomerKind) -> &'static str {
    match kind {
        CustomerKind::Person => "UserPerson",
        CustomerKind::Company => "UserCompany",
    }
}

fn render_provider(user: &Record<User>, (name, distinguished_name): (&str, &str), timeout: i64) -> Value {
    json!({
        "id": user.id,
        "created": time(user.created),
        "updated": time(user.updated),
        "alias": [{"type": "CERTIFICATE_DISTINGUISHED_NAME", "value": distinguished_name, "name": name}],
        "avatar": avatar(&format!("user/{}", user.id)),
        "status": "ACTIVE",
        "sub_status": "NONE",
        "public_uuid": public_uuid(&format!("user/{}", user.id)),
        "display_name": name,
        "public_nick_name": name,
        "language": "en_US",
        "region": "nl_NL",
        "session_timeout": timeout,
        "daily_limit_without_confirmation_login": {"currency": "EUR", "value": "250.00"},
        "relations": [],
        "notification_filters": [],
        "certificate_distinguished_name": distinguished_name,
    })
}

fn alias_of(account: &Account) -> Value {
    json!({"type": "IBAN", "value": account.iban.as_str(), "name": account.name})
}

async fn render_customer(
    bunq: &Bunq,
    ctx: &Ctx,
    user: &Record<User>,
    customer: &CustomerId,
    timeout: i64,
) -> Result<Value, GatewayError> {
    let customer = bunq.edge.gateway.customer(customer).await?;
    let accounts = bunq.edge.gateway.own_accounts(&customer.id).await?;
    let (name, email) = (&customer.name, email_of(user.id));
    let mut alias = vec![json!({"type": "EMAIL", "value": email, "name": email})];
    alias.extend(accounts.first().map(|readable| alias_of(&readable.account)));
    let mut rendered = json!({
        "id": user.id,
        "created": time(user.created),
        "updated": time(user.updated),
        "public_uuid": public_uuid(&format!("user/{}", user.id)),
        "display_name": name,
        "public_nick_name": name,
        "alias": alias,
        "tax_resident": [],
        "address_main": null,
        "address_postal": null,
        "avatar": avatar(&format!("user/{}", user.id)),
        "version_terms_of_service": "1",
        "status": "ACTIVE",
        "sub_status": "NONE",
        "session_timeout": timeout,
        "daily_limit_without_confirmation_login": {"currency": "EUR", "value": "250.00"},
        "notification_filters": [],
        "language": "en_US",
        "region": "nl_NL",
        "relations": [],
    });
    let more = match customer.kind {
        CustomerKind::Person => {
            let (first, last) = name.split_once(' ').unwrap_or(("", name));
            json!({
                "first_name": first, "middle_name": "", "last_name": last, "legal_name": name,
                "date_of_birth": null, "place_of_birth": null, "country_of_birth": null,
                "nationality": ctx.tenant.country(), "gender": "UNKNOWN",
            })
        }
        CustomerKind::Company => json!({
            "name": name, "chamber_of_commerce_number": null, "type_of_business_entity": null,
            "sector_of_industry": null, "counter_bank_iban": null, "directors": [], "ubo": [],
            "country": ctx.tenant.country(), "billing_contract": [],
        }),
    };
    if let (Some(rendered), Value::Object(more)) = (rendered.as_object_mut(), more) {
        rendered.extend(more);
    }
    Ok(wrapped(wrapper(customer.kind), rendered))
}

/// What every role may see of a customer who granted access to an account.
pub(crate) fn limited(full: Value, granted: Option<&Account>) -> Value {
    const SEEN: [&str; 12] = [
        "id",
        "created",
        "updated",
        "public_uuid",
        "display_name",
        "public_nick_name",
        "legal_name",
        "name",
        "alias",
        "nationality",
        "avatar",
        "session_timeout",
    ];
    let Value::Object(full) = full else { return full };
    full.into_iter()
        .map(|(wrapper, user)| {
            let kept: serde_json::Map<String, Value> = match user {
                Value::Object(mut user) => {
                    user["alias"] = granted.map(alias_of).into_iter().collect();
                    user.into_iter().filter(|(name, _)| SEEN.contains(&name.as_str())).collect()
                }
                _ => serde_json::Map::new(),
            };
            (wrapper, Value::Object(kept))
        })
        .collect()
}
