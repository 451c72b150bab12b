//! Confirmation of funds (section 15; PSD2, Article 65).

use eidas::Role;
use gateway::domain::{AccountNumber, AccountReference};

use crate::call::Call;
use crate::error::Error;
use crate::fields::Fields;
use crate::pointers::{follow, iban};
use crate::reply::Reply;
use crate::users::User;
use crate::wire::ConfirmationOfFunds;
use crate::wire::objects::Object;

/// `POST /user/{user}/confirmation-of-funds`
pub(crate) async fn confirm(call: Call) -> Result<Reply, Error> {
    call.user()?;
    let User::Provider { roles, .. } = call.caller()? else {
        return Err(Error::forbidden(
            "Only a payment service provider can ask for a confirmation of funds, with a session of its own key.",
        ));
    };
    if !roles.iter().any(|role| matches!(role, Role::CardIssuing | Role::PaymentInitiation)) {
        return Err(Error::forbidden(
            "The certificate does not grant the role CBPII or PISP, one of which is needed for this.",
        ));
    }
    let body = call.json()?;
    let fields = Fields::of(&body);
    let pointer = fields.object("pointer_iban")?;
    let amount = fields.positive_amount("amount")?;
    let number = if pointer.optional_text("type")? == Some("IBAN") {
        // Here the name may be missing: nobody is paid.
        Some(iban(pointer.text("value")?)?)
    } else {
        follow(&call, pointer).await?.counterparty.iban
    };
    let unknown = || Error::bad("The field \"pointer_iban\" names no account of this bank in this currency.");
    let number = AccountNumber::Iban(number.ok_or_else(unknown)?);
    let reference = AccountReference { number, currency: None };
    let has_sufficient_funds =
        call.bunq.edge.gateway.has_funds(&call.ctx, &reference, amount).await?.ok_or_else(unknown)?;
    Ok(Reply::one(Object::ConfirmationOfFunds(ConfirmationOfFunds { has_sufficient_funds })))
}
