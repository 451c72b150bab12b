//! Accounts that their holder opens, describes and closes (section 14.1).

use gateway::domain::{AccountId, AccountStatus, Product};
use serde::Deserialize;
use serde_json::Value;

use crate::accounts::{Seen, Type, named, profile, visible};
use crate::call::Call;
use crate::error::{Error, retry};
use crate::fields::Fields;
use crate::pointers::MAX_NAME;
use crate::reply::Reply;
use crate::users::User;

/// Open accounts that a user can have.
pub(crate) const MAX_ACCOUNTS: usize = 25;

/// The highest daily limit, in minor units.
const MAX_DAILY_LIMIT: i64 = 1_000_000;

/// Opens an account of a type.
pub(crate) async fn open(call: Call, kind: Type) -> Result<Reply, Error> {
    call.user()?;
    let User::Customer { customer } = call.caller()? else {
        return Err(Error::forbidden("Only the user in person can open accounts."));
    };
    let product = match kind {
        Type::Bank => Product::Current,
        Type::Savings => Product::Savings,
        Type::Joint => {
            let text =
                "A joint account needs its other holder, who joins at the bank; it cannot be opened here.";
            return Err(Error::bad(text));
        }
        Type::External | Type::ExternalSavings | Type::Card => {
            let text = "Accounts of this type are linked at the bank; they cannot be opened here.";
            return Err(Error::bad(text));
        }
    };
    let body = call.json()?;
    let fields = Fields::of(&body);
    let currency = fields.text("currency")?;
    if currency != call.ctx.tenant.currency().code() {
        let own = call.ctx.tenant.currency().code();
        return Err(Error::bad(format!("The field \"currency\" must be {own}.")));
    }
    let wishes = Wishes::read(fields)?;
    check_kept(&call).await?;
    let accounts = visible(&call).await?;
    let is_open = |seen: &&Seen| seen.account().status != AccountStatus::Deleted;
    if accounts.iter().filter(is_open).count() >= MAX_ACCOUNTS {
        return Err(Error::bad(format!("A user can have {MAX_ACCOUNTS} open accounts.")));
    }
    let opened = call.bunq.edge.gateway.open_account(customer, product).await?;
    Ok(Reply::id(wishes.save(&call, &opened.id, None).await?))
}

/// A bank behind a gateway may leave opening and closing out.
async fn check_kept(call: &Call) -> Result<(), Error> {
    if call.bunq.edge.gateway.keeps_accounts().await? {
        return Ok(());
    }
    let text =
        "Accounts cannot be opened or closed at this interface; the user does that at the bank itself.";
    Err(Error::bad(text))
}

/// What a holder can say about an account.
struct Wishes {
    description: Option<String>,
    display_name: Option<String>,
    daily_limit: Option<i64>,
    savings_goal: Option<i64>,
    setting: Option<Value>,
}

impl Wishes {
    fn read(fields: Fields<'_>) -> Result<Self, Error> {
        let daily_limit = fields.optional_amount("daily_limit")?.map(|limit| limit.minor);
        if daily_limit.is_some_and(|limit| !(0..=MAX_DAILY_LIMIT).contains(&limit)) {
            return Err(Error::bad("The field \"daily_limit\" must be from 0.00 to 10000.00."));
        }
        let savings_goal = fields.get("savings_goal").map(|_| fields.positive_amount("savings_goal"));
        let savings_goal = savings_goal.transpose()?.map(|goal| goal.minor);
        let setting = fields.get("setting").cloned();
        if setting.as_ref().is_some_and(|setting| !setting.is_object()) {
            return Err(Error::bad("The field \"setting\" must be an object."));
        }
        if setting.as_ref().is_some_and(|setting| setting.to_string().len() > 2000) {
            return Err(Error::bad("The field \"setting\" is too long."));
        }
        let description = fields.optional_short_text("description", MAX_NAME)?.map(str::to_owned);
        let display_name = fields.optional_short_text("display_name", MAX_NAME)?.map(str::to_owned);
        Ok(Self { description, display_name, daily_limit, savings_goal, setting })
    }

    /// Notes them, beside whatever somebody else changes about the account at the same moment.
    async fn save(
        &self,
        call: &Call,
        account: &AccountId,
        closing_reason: Option<&String>,
    ) -> Result<i64, Error> {
        retry(|| async {
            let mut record = profile(call, account).await?;
            let profile = &mut record.value;
            let or = |wish: Option<&String>, known: &mut Option<String>| wish.cloned().or(known.take());
            profile.description = or(self.description.as_ref(), &mut profile.description);
            profile.display_name = or(self.display_name.as_ref(), &mut profile.display_name);
            profile.daily_limit = self.daily_limit.or(profile.daily_limit);
            profile.savings_goal = self.savings_goal.or(profile.savings_goal);
            profile.setting = self.setting.clone().or(profile.setting.take());
            profile.closing_reason = or(closing_reason, &mut profile.closing_reason);
            record.updated = call.ctx.now;
            record.save(&call.bunq.drawer).await?;
            Ok(record.id)
        })
        .await
    }
}

/// What a holder wants to become of an account.
#[derive(PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Wish {
    Cancelled,
    Active,
}

/// Changes what the holder calls an account, its limit, or closes it.
pub(crate) async fn change(call: Call, kind: Type) -> Result<Reply, Error> {
    call.user()?;
    let User::Customer { customer } = call.caller()? else {
        return Err(Error::forbidden("Only the user in person can change accounts."));
    };
    let seen = named(&call).await?;
    if seen.kind != kind {
        return Err(Error::not_found());
    }
    let body = call.json()?;
    let fields = Fields::of(&body);
    let wishes = Wishes::read(fields)?;
    let status: Option<Wish> = fields.optional_word("status")?;
    let mut reason = None;
    if status == Some(Wish::Cancelled) {
        fields.constant("sub_status", "REDEMPTION_VOLUNTARY")?;
        fields.constant("reason", "OTHER")?;
        reason = Some(fields.text("reason_description")?.chars().take(500).collect());
        check_kept(&call).await?;
        call.bunq.edge.gateway.close_account(&call.ctx, customer, &seen.account().id).await?;
    }
    Ok(Reply::id(wishes.save(&call, &seen.account().id, reason.as_ref()).await?))
}
