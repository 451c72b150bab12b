//! Monetary accounts: the accounts of the bank with a number, a type, and what their holder calls them (section 14.1).

use eidas::Role;
use gateway::domain::{Account, AccountId, AccountStatus, Funds, Money, Product};
use gateway::{Error as GatewayError, ReadableAccount, retry};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::{Call, breathe};
use crate::error::Error;
use crate::labels::{amount, avatar, is_in_person, label_user, pointer, public_uuid, shown};
use crate::pagination::Page;
use crate::payments::roles_of_caller;
use crate::records::{Record, find, index, look_up};
use crate::reply::{Reply, time};
use crate::state::Bunq;
use crate::users::{self, User};
use crate::wire::accounts::{self as wire, ACCOUNT, CoOwner, OfType, Setting};
use crate::wire::objects::Object;
use crate::wire::payments::Decision;
use crate::wire::{Amount, MonetaryAccount};

/// From the bank's id of an account to its number.
const BY_ID: &str = "account-by-id";

/// The daily limit that an account begins with, in minor units.
const DAILY_LIMIT: i64 = 100_000;

/// Payments that can still be made from a savings account: as many as one likes. A client has eight bits for the number.
const UNLIMITED: u8 = u8::MAX;

/// What this interface keeps about an account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AccountProfile {
    pub(crate) account: AccountId,
    pub(crate) description: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) daily_limit: Option<i64>,
    /// In minor units.
    pub(crate) savings_goal: Option<i64>,
    pub(crate) setting: Option<Value>,
    pub(crate) closing_reason: Option<String>,
}

/// An account that the caller may see.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) id: i64,
    pub(crate) record: Record<AccountProfile>,
    pub(crate) readable: ReadableAccount,
    pub(crate) kind: Type,
}

impl Seen {
    pub(crate) fn account(&self) -> &Account {
        &self.readable.account
    }
}

/// Types of accounts, each with lists of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Bank,
    Joint,
    Savings,
    External,
    ExternalSavings,
    Card,
}

impl Type {
    /// An account of this type under its wrapper.
    fn wrap(self, account: wire::Account) -> Object {
        match self {
            Self::Bank => Object::MonetaryAccountBank(account),
            Self::Joint => Object::MonetaryAccountJoint(account),
            Self::Savings => Object::MonetaryAccountSavings(account),
            Self::External => Object::MonetaryAccountExternal(account),
            Self::ExternalSavings => Object::MonetaryAccountExternalSavings(account),
            Self::Card => Object::MonetaryAccountCard(account),
        }
    }
}

/// Every account that the caller may see.
pub(crate) async fn visible(call: &Call) -> Result<Vec<Seen>, Error> {
    let gateway = &call.bunq.edge.gateway;
    let readable = match call.caller()? {
        User::Customer { customer } => gateway.own_accounts(customer).await,
        User::Key { grant, .. } => {
            let acting = call.acting().ok_or_else(Error::unauthorised)?;
            let granted = gateway.granted_accounts(&call.ctx, acting, grant).await;
            // A provider that came with another certificate since then keeps what that one lets it do.
            let roles = roles_of_caller(call).await?.unwrap_or_default();
            let is_reader = roles.contains(&Role::AccountInformation);
            granted.map(|(_, accounts)| if is_reader { accounts } else { names_alone(accounts) })
        }
        User::Provider { .. } => {
            return Err(Error::forbidden(
                "A payment service provider has no accounts. Open a session with the access token of a user.",
            ));
        }
    };
    let mut seen = Vec::new();
    for readable in readable? {
        seen.push(see(call, readable).await?);
    }
    Ok(seen)
}

/// Accounts without the right to read what is on them.
fn names_alone(accounts: Vec<ReadableAccount>) -> Vec<ReadableAccount> {
    accounts
        .into_iter()
        .map(|account| ReadableAccount { balances: None, transactions: None, ..account })
        .collect()
}

/// The account that the path names.
///
/// # Errors
/// 404 if the caller may not see it.
pub(crate) async fn named(call: &Call) -> Result<Seen, Error> {
    call.user()?;
    let id = call.names.account.get()?;
    let all = visible(call).await?;
    all.into_iter().find(|seen| seen.id == id).ok_or_else(Error::not_found)
}

/// The account that the path names, of a customer in person.
///
/// # Errors
/// 403 for a service provider.
pub(crate) async fn named_own(call: &Call) -> Result<Seen, Error> {
    if !is_in_person(call.caller()?) {
        return Err(Error::forbidden(
            "Whoever acts for a user cannot do this; create a draft payment, which the user accepts.",
        ));
    }
    named(call).await
}

async fn see(call: &Call, readable: ReadableAccount) -> Result<Seen, GatewayError> {
    let record = match known_profile(&call.bunq, &readable.account.id).await? {
        Some(record) => record,
        None => {
            number_accounts(call).await?;
            profile(call, &readable.account.id).await?
        }
    };
    let kind = match readable.account.product {
        Product::Savings => Type::Savings,
        Product::Current if call.bunq.edge.gateway.holders(&readable.details).await?.len() > 1 => Type::Joint,
        Product::Current => Type::Bank,
    };
    Ok(Seen { id: record.id, record, readable, kind })
}

/// Gives numbers to the accounts of the customer that the call is about, the oldest first: numbers rise as accounts are
/// opened, whoever sees which of them first.
async fn number_accounts(call: &Call) -> Result<(), GatewayError> {
    let Some(customer) = call.caller().ok().and_then(User::customer) else { return Ok(()) };
    for readable in call.bunq.edge.gateway.own_accounts(customer).await? {
        profile(call, &readable.account.id).await?;
    }
    Ok(())
}

/// The number of an account, if it has one.
pub(crate) async fn number_of(bunq: &Bunq, account: &AccountId) -> Result<Option<i64>, GatewayError> {
    look_up::<i64>(&bunq.drawer, BY_ID, account.as_str()).await
}

async fn known_profile(
    bunq: &Bunq,
    account: &AccountId,
) -> Result<Option<Record<AccountProfile>>, GatewayError> {
    match number_of(bunq, account).await? {
        Some(id) => find::<AccountProfile>(&bunq.drawer, 0, id).await,
        None => Ok(None),
    }
}

/// What is kept about an account; a number is given to one that has none.
pub(crate) async fn profile(
    call: &Call,
    account: &AccountId,
) -> Result<Record<AccountProfile>, GatewayError> {
    let bunq = &call.bunq;
    retry(|| async {
        if let Some(record) = known_profile(bunq, account).await? {
            return Ok(record);
        }
        let fresh = AccountProfile {
            account: account.clone(),
            description: None,
            display_name: None,
            daily_limit: None,
            savings_goal: None,
            setting: None,
            closing_reason: None,
        };
        let mut record = Record::new(bunq.number().await?, 0, call.ctx.now, fresh);
        bunq.drawer.save(&[record.entry(), index(BY_ID, account.as_str(), &record.id)]).await?;
        record.version += 1;
        Ok(record)
    })
    .await
}

/// An account under its type. A third party sees less (recorded: members stay, their values are null).
async fn render(call: &Call, seen: &Seen) -> Result<Object, GatewayError> {
    let (account, record, profile) = (seen.account(), &seen.record, &seen.record.value);
    let in_full = call.caller().is_ok_and(User::sees_all);
    let holder = match call.caller().ok().and_then(User::granted_by) {
        Some(granted_by) => granted_by,
        None => call.session().map_or(0, |session| session.user),
    };
    let funds = match &seen.readable.balances {
        Some(proof) => Some(call.bunq.edge.gateway.funds(&call.ctx, proof).await?),
        None => None,
    };
    let (status, sub_status) = match account.status {
        AccountStatus::Enabled => ("ACTIVE", "NONE"),
        AccountStatus::Blocked => ("BLOCKED", "COMPLETELY"),
        AccountStatus::Deleted => ("CANCELLED", "REDEMPTION_VOLUNTARY"),
    };
    let limit = Money { minor: profile.daily_limit.unwrap_or(DAILY_LIMIT), currency: account.currency };
    let kind = if seen.kind == Type::Savings { "Savings" } else { "Main" };
    let what = format!("account/{}", seen.id);
    Ok(seen.kind.wrap(wire::Account {
        account: MonetaryAccount {
            id: seen.id,
            status: status.to_owned(),
            description: Some(profile.description.clone().unwrap_or_else(|| kind.to_owned())),
            currency: Some(account.currency.code().to_owned()),
            balance: Some(shown(funds.as_ref().map(|funds| funds.booked))),
            alias: vec![pointer(account)],
        },
        created: time(record.created),
        updated: time(record.updated),
        avatar: avatar(&what),
        country: in_full.then(|| account.iban.as_str()[..2].to_owned()),
        daily_limit: shown(Some(limit).filter(|_| in_full)),
        public_uuid: in_full.then(|| public_uuid(&what)),
        sub_status,
        reason: profile.closing_reason.as_ref().map(|_| "OTHER"),
        reason_description: profile.closing_reason.clone(),
        timezone: in_full.then_some("europe/amsterdam"),
        user_id: in_full.then_some(holder),
        setting: in_full.then(|| profile.setting.clone().map_or(INITIAL, Setting::Chosen)),
        of_type: of_type(call, seen, funds.as_ref()).await?,
        total_request_pending: (!in_full).then(Amount::default),
        unsaid: ACCOUNT,
    }))
}

/// What accounts of this type have of their own.
async fn of_type(call: &Call, seen: &Seen, funds: Option<&Funds>) -> Result<OfType, GatewayError> {
    let (account, profile) = (seen.account(), &seen.record.value);
    let in_full = call.caller().is_ok_and(User::sees_all);
    let name = || profile.display_name.as_ref().unwrap_or(&account.name).clone();
    if seen.kind != Type::Savings {
        return Ok(OfType {
            display_name: Some(in_full.then(name)),
            overdraft_limit: Some(shown(funds.filter(|_| in_full).map(|funds| funds.credit_limit))),
            all_co_owner: if seen.kind == Type::Joint { Some(co_owners(call, seen).await?) } else { None },
            ..OfType::default()
        });
    }
    let goal = profile.savings_goal.filter(|_| in_full);
    let progress = goal.zip(funds).map(|(goal, funds)| progress(funds.booked.minor, goal));
    // What the interface's description has for other types of accounts, clients of ordinary users need here too.
    let is_ordinary = matches!(call.caller(), Ok(User::Key { is_ordinary: true, .. }));
    Ok(OfType {
        savings_goal: Some(goal.map(|minor| amount(Money { minor, currency: account.currency }))),
        savings_goal_progress: progress,
        display_name: is_ordinary.then(|| Some(name())),
        number_of_payment_remaining: is_ordinary.then_some(UNLIMITED),
        ..OfType::default()
    })
}

/// How much of a goal is reached, as the interface writes it: a decimal with six places, at most 1.
fn progress(held: i64, goal: i64) -> String {
    let millionths = i128::from(held.clamp(0, goal)) * 1_000_000 / i128::from(goal.max(1));
    format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000)
}

/// How an account looks at first.
const INITIAL: Setting = Setting::Initial {
    color: "#0B7285",
    icon: (),
    default_avatar_status: "AVATAR_DEFAULT",
    restriction_chat: "ALLOW_INCOMING",
};

async fn co_owners(call: &Call, seen: &Seen) -> Result<Vec<CoOwner>, GatewayError> {
    let mut owners = Vec::new();
    for holder in call.bunq.edge.gateway.holders(&seen.readable.details).await? {
        let number = users::number_of_customer(&call.bunq, &call.ctx, &holder.id).await?;
        let label = label_user(number, &holder.name, call.ctx.tenant.country());
        let in_full = call.caller().is_ok_and(User::sees_all);
        owners
            .push(CoOwner { alias: in_full.then_some(label), status: in_full.then_some(Decision::Accepted) });
    }
    Ok(owners)
}

async fn list_of(call: Call, kind: Option<Type>) -> Result<Reply, Error> {
    call.user()?;
    call.page()?;
    let mut elements = Vec::new();
    for seen in visible(&call).await? {
        breathe().await;
        if kind.is_none_or(|kind| kind == seen.kind) {
            elements.push(render(&call, &seen).await?);
        }
    }
    Ok(Reply::page(elements, Page::none()))
}

async fn read_of(call: Call, kind: Option<Type>) -> Result<Reply, Error> {
    let seen = named(&call).await?;
    if kind.is_some_and(|kind| kind != seen.kind) {
        return Err(Error::not_found());
    }
    Ok(Reply::one(render(&call, &seen).await?))
}

/// `GET /user/{user}/monetary-account`
pub(crate) async fn list(call: Call) -> Result<Reply, Error> {
    list_of(call, None).await
}

/// `GET /user/{user}/monetary-account/{account}`
pub(crate) async fn read(call: Call) -> Result<Reply, Error> {
    read_of(call, None).await
}

/// The calls of one type: list, read, change, and for most of them open.
macro_rules! of_type {
    ($name:ident, $kind:expr $(, $open:ident)?) => {
        pub(crate) mod $name {
            use super::*;
            use crate::account_changes;

            pub(crate) async fn list(call: Call) -> Result<Reply, Error> {
                list_of(call, Some($kind)).await
            }

            pub(crate) async fn read(call: Call) -> Result<Reply, Error> {
                read_of(call, Some($kind)).await
            }

            $(pub(crate) async fn $open(call: Call) -> Result<Reply, Error> {
                account_changes::open(call, $kind).await
            })?

            pub(crate) async fn change(call: Call) -> Result<Reply, Error> {
                account_changes::change(call, $kind).await
            }
        }
    };
}

of_type!(bank, Type::Bank, open);
of_type!(joint, Type::Joint, open);
of_type!(savings, Type::Savings, open);
of_type!(external, Type::External, open);
of_type!(external_savings, Type::ExternalSavings, open);
of_type!(card, Type::Card);
