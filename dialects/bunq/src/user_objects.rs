//! Users as answers show them (section 10.2).

use gateway::domain::{self, Account, CustomerId, CustomerKind};
use gateway::{Ctx, Error as GatewayError};

use crate::labels::{avatar, email_of, pointer, public_uuid};
use crate::records::Record;
use crate::reply::time;
use crate::state::Bunq;
use crate::users::{User, find, provider_name};
use crate::wire::objects::{Object, State, Unsaid};
use crate::wire::users::{
    AnyUser, COMPANY, Customer, CustomerDetails, KindDetails, Names, PERSON, Provider, SETTINGS, ShortUser,
    UserApiKey, UserSettings,
};
use crate::wire::{self, Amount, Pointer};

/// A user under its wrapper.
pub(crate) async fn render(
    bunq: &Bunq,
    ctx: &Ctx,
    user: &Record<User>,
    timeout: i64,
) -> Result<Object, GatewayError> {
    Ok(match &user.value {
        User::Provider { name, distinguished_name, .. } => {
            Object::UserPaymentServiceProvider(provider(user, (name, distinguished_name), timeout))
        }
        User::Customer { customer: id } => customer(bunq, ctx, user, id, timeout).await?,
        User::Key { provider, granted_by, customer, is_ordinary, .. } => {
            let name = provider_name(bunq, user.id).await?.unwrap_or_default();
            let customer = bunq.edge.gateway.customer(customer).await?;
            let requested_by = short(*provider, &name, Some(timeout));
            // One object alone has a session_timeout where it is that of a service provider: a client takes the first
            // that it finds. Clients of ordinary users take users for whole ones.
            let granted_by = short(*granted_by, &customer.name, is_ordinary.then_some(timeout));
            let requested_by_user = match find(bunq, *provider).await?.map(|record| record.value) {
                Some(User::Customer { customer }) => {
                    of_kind(bunq.edge.gateway.customer(&customer).await?.kind, requested_by)
                }
                _ => AnyUser::Provider(requested_by),
            };
            let granted_by_user = of_kind(customer.kind, granted_by);
            Object::UserApiKey(user.stamped(UserApiKey { requested_by_user, granted_by_user }))
        }
    })
}

/// A user as seen from another one.
fn short(id: i64, name: &str, session_timeout: Option<i64>) -> ShortUser {
    let user = wire::User { id, display_name: Some(name.to_owned()), session_timeout };
    ShortUser { user, public_nick_name: name.to_owned(), avatar: avatar(&format!("user/{id}")) }
}

fn of_kind(kind: CustomerKind, user: ShortUser) -> AnyUser {
    match kind {
        CustomerKind::Person => AnyUser::Person(user),
        CustomerKind::Company => AnyUser::Company(user),
    }
}

fn settings() -> UserSettings {
    let limit = Amount { value: Some("250.00".to_owned()), currency: Some("EUR".to_owned()) };
    UserSettings {
        status: State::Active,
        sub_status: "NONE",
        language: "en_US",
        region: "nl_NL",
        daily_limit_without_confirmation_login: limit,
        unsaid: SETTINGS,
    }
}

fn provider(user: &Record<User>, (name, distinguished_name): (&str, &str), timeout: i64) -> Provider {
    let alias = Pointer {
        kind: "CERTIFICATE_DISTINGUISHED_NAME".to_owned(),
        value: distinguished_name.to_owned(),
        name: Some(name.to_owned()),
    };
    Provider {
        user: short(user.id, name, Some(timeout)),
        created: time(user.created),
        updated: time(user.updated),
        alias: [alias],
        public_uuid: public_uuid(&format!("user/{}", user.id)),
        certificate_distinguished_name: distinguished_name.to_owned(),
        settings: settings(),
    }
}

async fn customer(
    bunq: &Bunq,
    ctx: &Ctx,
    user: &Record<User>,
    customer: &CustomerId,
    timeout: i64,
) -> Result<Object, GatewayError> {
    let customer = bunq.edge.gateway.customer(customer).await?;
    let accounts = bunq.edge.gateway.own_accounts(&customer.id).await?;
    let email = email_of(user.id);
    let mut alias = vec![Pointer { kind: "EMAIL".to_owned(), value: email.clone(), name: Some(email) }];
    alias.extend(accounts.first().map(|readable| pointer(&readable.account)));
    let (names, kind, unsaid) = details(&customer, ctx.tenant.country());
    let details = CustomerDetails { version_terms_of_service: "1", settings: settings(), kind, unsaid };
    let rendered = Customer {
        user: short(user.id, &customer.name, Some(timeout)),
        created: time(user.created),
        updated: time(user.updated),
        public_uuid: public_uuid(&format!("user/{}", user.id)),
        alias,
        names,
        more: Some(details),
    };
    Ok(match customer.kind {
        CustomerKind::Person => Object::UserPerson(rendered),
        CustomerKind::Company => Object::UserCompany(rendered),
    })
}

/// What persons and companies have of their own.
fn details(customer: &domain::Customer, country: &str) -> (Names, KindDetails, Unsaid) {
    let (name, country) = (customer.name.clone(), country.to_owned());
    match customer.kind {
        CustomerKind::Person => {
            let (first, last) = name.split_once(' ').unwrap_or(("", &name));
            let (first_name, last_name) = (first.to_owned(), last.to_owned());
            let details = KindDetails::Person { first_name, middle_name: "", last_name, gender: "UNKNOWN" };
            (Names::Person { legal_name: name, nationality: country }, details, PERSON)
        }
        CustomerKind::Company => (Names::Company { name }, KindDetails::Company { country }, COMPANY),
    }
}

/// What every role may see of a customer who granted access to an account.
pub(crate) fn limited(full: Object, granted: Option<&Account>) -> Object {
    let limit = |customer| {
        let alias = granted.map(pointer).into_iter().collect();
        Customer { alias, more: None, ..customer }
    };
    match full {
        Object::UserPerson(customer) => Object::UserPerson(limit(customer)),
        Object::UserCompany(customer) => Object::UserCompany(limit(customer)),
        other => other,
    }
}
