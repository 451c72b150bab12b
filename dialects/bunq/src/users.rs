//! Users: customers, service providers, and the users that customers' approvals make (sections 10.2 and 11).

use eidas::Role;
use gateway::domain::{CustomerId, GrantId, TppId};
use gateway::{Ctx, Error as GatewayError, retry};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::accounts::{self, Seen};
use crate::call::Call;
use crate::certificates::Accepted;
use crate::error::Error;
use crate::fields::Fields;
use crate::lives::{APPROVAL, until};
use crate::pagination::Page;
use crate::records::{Record, index_until, look_up};
use crate::reply::Reply;
use crate::state::Bunq;
use crate::user_objects::{limited, render};
use crate::wire::objects::Object;
use crate::wire::users::CustomerLimit;

/// From whom a user stands for to the user's number.
pub(crate) const BY_NAME: &str = "user-by-name";

/// From a customer's user to how long its sessions last, in seconds.
pub(crate) const TIMEOUT: &str = "session-timeout";

/// A user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum User {
    /// A service provider that traded its certificate for a key.
    Provider {
        /// Who it is for the bank.
        tpp: TppId,
        /// Common name of the certificate.
        name: String,
        /// Subject of the certificate on one line.
        distinguished_name: String,
        /// What it may do.
        roles: Vec<Role>,
    },
    /// A customer.
    Customer {
        /// Who.
        customer: CustomerId,
    },
    /// A customer, as far as a service provider may act for them.
    Key {
        /// The service provider.
        tpp: TppId,
        /// The approval.
        grant: GrantId,
        /// Number of the service provider's user.
        provider: i64,
        /// Number of the customer's user.
        granted_by: i64,
        /// The customer.
        customer: CustomerId,
        /// Whether it is no service provider but an ordinary user, with an OAuth client of their own.
        #[serde(default)]
        is_ordinary: bool,
    },
}

/// What the ids of clients of ordinary users begin with at the bank. No certificate has such an identifier.
const ORDINARY: &str = "bunq-user-";

/// What clients of ordinary users may do. The bank knows who they are, and every customer approves each of them.
const ORDINARY_ROLES: [Role; 2] = [Role::AccountInformation, Role::PaymentInitiation];

/// The number of the ordinary user whose client a third party is; none for a service provider.
pub(crate) fn ordinary_user(client: &TppId) -> Option<i64> {
    client.as_str().strip_prefix(ORDINARY)?.parse().ok()
}

impl User {
    /// The user of a certificate that was accepted.
    pub(crate) fn provider(accepted: &Accepted, tpp: TppId) -> Self {
        Self::Provider {
            tpp,
            name: accepted.name.clone(),
            distinguished_name: accepted.distinguished_name.clone(),
            roles: accepted.holder().roles.clone(),
        }
    }

    /// Who the OAuth client of this user is for the bank, and what it may do; `number` is that of the user. None for
    /// keys, which have no clients.
    pub(crate) fn client(&self, number: i64) -> Option<(TppId, Vec<Role>)> {
        match self {
            Self::Provider { tpp, roles, .. } => Some((tpp.clone(), roles.clone())),
            Self::Customer { .. } => {
                Some((TppId::new(format!("{ORDINARY}{number}")), ORDINARY_ROLES.to_vec()))
            }
            Self::Key { .. } => None,
        }
    }

    /// Whether this user sees what the customer sees: the customer in person, and clients of ordinary users, which no
    /// role limits.
    pub(crate) fn sees_all(&self) -> bool {
        matches!(self, Self::Customer { .. } | Self::Key { is_ordinary: true, .. })
    }

    /// The number of the user who granted access, for a key.
    pub(crate) fn granted_by(&self) -> Option<i64> {
        match self {
            Self::Key { granted_by, .. } => Some(*granted_by),
            Self::Provider { .. } | Self::Customer { .. } => None,
        }
    }

    /// The customer whose data this is about.
    pub(crate) fn customer(&self) -> Option<&CustomerId> {
        match self {
            Self::Key { customer, .. } | Self::Customer { customer } => Some(customer),
            Self::Provider { .. } => None,
        }
    }

    /// The service provider that acts, in person or for a customer.
    pub(crate) fn tpp(&self) -> Option<&TppId> {
        match self {
            Self::Provider { tpp, .. } | Self::Key { tpp, .. } => Some(tpp),
            Self::Customer { .. } => None,
        }
    }

    /// Under what it is known to be one user.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Provider { tpp, .. } => format!("tpp:{tpp}"),
            Self::Customer { customer } => format!("customer:{customer}"),
            Self::Key { grant, .. } => format!("grant:{grant}"),
        }
    }
}

/// A user by number.
pub(crate) async fn find(bunq: &Bunq, id: i64) -> Result<Option<Record<User>>, GatewayError> {
    crate::records::find(&bunq.drawer, 0, id).await
}

/// The number of whoever is known by a name; a new one for somebody new.
pub(crate) async fn number(
    bunq: &Bunq,
    ctx: &Ctx,
    name: &str,
    make: impl Fn() -> User,
) -> Result<i64, GatewayError> {
    retry(|| async {
        if let Some(number) = look_up::<i64>(&bunq.drawer, BY_NAME, name).await? {
            return Ok(number);
        }
        let user = make();
        // A user that stands for one approval ends with it; all others are kept.
        let forget_at = matches!(user, User::Key { .. }).then(|| until(ctx.now, APPROVAL)).flatten();
        let record = Record::new(bunq.number().await?, 0, ctx.now, user).until(forget_at);
        bunq.drawer.save(&[record.entry(), index_until(BY_NAME, name, &record.id, forget_at)]).await?;
        Ok(record.id)
    })
    .await
}

/// The number of a user, who is made if new. A service provider that comes with a newer certificate keeps its number
/// and gets the roles of that certificate.
pub(crate) async fn number_of(bunq: &Bunq, ctx: &Ctx, user: User) -> Result<i64, GatewayError> {
    let number = number(bunq, ctx, &user.key(), || user.clone()).await?;
    if let (User::Provider { .. }, Some(mut known)) = (&user, find(bunq, number).await?) {
        known.value = user;
        known.updated = ctx.now;
        // Two certificates at once: either is good.
        match known.save(&bunq.drawer).await {
            Err(GatewayError::Conflict) => {}
            done => done?,
        }
    }
    Ok(number)
}

/// The number of a customer's user.
pub(crate) async fn number_of_customer(
    bunq: &Bunq,
    ctx: &Ctx,
    customer: &CustomerId,
) -> Result<i64, GatewayError> {
    number_of(bunq, ctx, User::Customer { customer: customer.clone() }).await
}

/// The number of the user whose client a third party is, if there is one.
pub(crate) async fn number_of_provider(bunq: &Bunq, tpp: &TppId) -> Result<Option<i64>, GatewayError> {
    if let Some(user) = ordinary_user(tpp) {
        return Ok(Some(user));
    }
    look_up(&bunq.drawer, BY_NAME, &format!("tpp:{tpp}")).await
}

/// The name of whoever a user acts for: the service provider, or the ordinary user whose client it is. Absent for
/// customers in person.
pub(crate) async fn provider_name(bunq: &Bunq, id: i64) -> Result<Option<String>, GatewayError> {
    let mut user = find(bunq, id).await?.map(|record| record.value);
    if let Some(User::Key { provider, .. }) = user {
        user = find(bunq, provider).await?.map(|record| record.value);
        if let Some(User::Customer { customer }) = &user {
            return Ok(Some(bunq.edge.gateway.customer(customer).await?.name));
        }
    }
    Ok(match user {
        Some(User::Provider { name, .. }) => Some(name),
        _ => None,
    })
}

/// The session's user, under its wrapper.
async fn own(call: &Call) -> Result<Object, Error> {
    let session = call.session()?;
    let user = find(&call.bunq, session.user).await?;
    let user = user.ok_or_else(Error::not_found)?;
    Ok(render(&call.bunq, &call.ctx, &user, session.timeout()).await?)
}

/// `GET /user`
pub(crate) async fn list_own(call: Call) -> Result<Reply, Error> {
    Ok(Reply::page(vec![own(&call).await?], Page::none()))
}

/// `GET /user/{user}`: oneself, or for a key the user who granted it, as far as the role goes: name and number.
pub(crate) async fn read(call: Call) -> Result<Reply, Error> {
    call.user()?;
    let asked = call.names.user.get()?;
    if call.caller()?.granted_by() != Some(asked) {
        return Ok(Reply::one(own(&call).await?));
    }
    let granting = find(&call.bunq, asked).await?;
    let granting = granting.ok_or_else(Error::not_found)?;
    let timeout = call.session()?.timeout();
    let full = render(&call.bunq, &call.ctx, &granting, timeout).await?;
    let granted = accounts::visible(&call).await?;
    Ok(Reply::one(limited(full, granted.first().map(Seen::account))))
}

/// `GET /user-person/{user}`, `/user-company/{user}`, `/user-payment-service-provider/{user}`
pub(crate) async fn read_person(call: Call) -> Result<Reply, Error> {
    of_kind(call, |user| matches!(user, Object::UserPerson(_))).await
}

/// See [`read_person`].
pub(crate) async fn read_company(call: Call) -> Result<Reply, Error> {
    of_kind(call, |user| matches!(user, Object::UserCompany(_))).await
}

/// See [`read_person`].
pub(crate) async fn read_provider(call: Call) -> Result<Reply, Error> {
    of_kind(call, |user| matches!(user, Object::UserPaymentServiceProvider(_))).await
}

async fn of_kind(call: Call, is_wanted: fn(&Object) -> bool) -> Result<Reply, Error> {
    if call.names.user.get()? != call.session()?.user {
        return Err(Error::not_found());
    }
    let user = own(&call).await?;
    if is_wanted(&user) { Ok(Reply::one(user)) } else { Err(Error::not_found()) }
}

/// `PUT /user-person/{user}` and `/user-company/{user}`: how long sessions last can be changed here; what the bank knows
/// about a customer is changed at the bank.
pub(crate) async fn change(call: Call) -> Result<Reply, Error> {
    if call.names.user.get()? != call.session()?.user {
        return Err(Error::not_found());
    }
    let (User::Customer { .. }, body) = (call.caller()?, call.json()?) else {
        return Err(Error::forbidden("Only the user in person can change their data."));
    };
    let given = body.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    if let Some((name, _)) = given.into_iter().find(|(name, _)| *name != "session_timeout") {
        return Err(Error::bad(format!(
            "The field \"{name}\" cannot be changed here, only \"session_timeout\"; the rest is changed at the bank."
        )));
    }
    let user = call.session()?.user;
    if let Some(seconds) = Fields::of(&body).optional_integer("session_timeout")? {
        let [shortest, longest] = call.bunq.rules().customer_sessions.map(|time| time.as_secs());
        if !(shortest..=longest).contains(&seconds) {
            return Err(Error::bad(format!(
                "The field \"session_timeout\" must be from {shortest} to {longest} seconds."
            )));
        }
        call.bunq.drawer.put(TIMEOUT, &user.to_string(), &seconds.to_string()).await?;
    }
    Ok(Reply::id(user))
}

/// How long sessions of a customer last: their automatic log-out, as the bank has it unless they changed it.
pub(crate) async fn session_lifetime(bunq: &Bunq, user: i64) -> Result<SignedDuration, GatewayError> {
    let kept = look_up::<i64>(&bunq.drawer, TIMEOUT, &user.to_string()).await?;
    Ok(kept.map_or(bunq.rules().customer_session, SignedDuration::from_secs))
}

/// `GET /user/{user}/legal-name`
pub(crate) async fn legal_name(call: Call) -> Result<Reply, Error> {
    call.user()?;
    let customer = call.caller()?.customer().ok_or_else(Error::not_found)?;
    let customer = call.bunq.edge.gateway.customer(customer).await?;
    Ok(Reply::one(Object::UserLegalNameArray { legal_names: vec![customer.name] }))
}

/// `GET /user/{user}/limit`
pub(crate) async fn limits(call: Call) -> Result<Reply, Error> {
    call.user()?;
    Ok(Reply::one(Object::CustomerLimit(CustomerLimit {
        limit_monetary_account: crate::account_changes::MAX_ACCOUNTS,
        ..CustomerLimit::default()
    })))
}
