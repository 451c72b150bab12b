//! From nothing to a payment that is made, and to what an account holds.

use std::time::Duration;

use serde_json::json;
use tpp::kept_approvals::Matter;
use tpp::payments::{Order, Paid, PaymentWish, Single, follow};
use tpp::{FundsWish, ThirdParty};

use super::Session;
use super::flow::Steps;
use super::payments::{status_json, status_text};
use crate::cli::TppFlowArgs;
use crate::commands::{EXAMPLE_PAYEE, Failure, Next};
use crate::output;

/// Whom the first payment goes to in the United Kingdom.
const BRITISH_PAYEE: &str = "20-00-00/55779911";

/// How long a flow asks what becomes of a payment.
const PATIENCE: Duration = Duration::from_secs(10);

impl Session<'_> {
    /// From nothing, or from what there is, to a payment that is made.
    pub(super) async fn flow_pis<C: ThirdParty>(&self, command: &TppFlowArgs) -> Result<(), Failure> {
        let mut steps = Steps::begin(self.args.json);
        let beginning = (&command.headless, command.persona.as_str(), command.tenant.as_deref());
        let named = command.redirect_uri.as_ref();
        let (mut client, tenant, customer) = self.begin::<C>(&mut steps, beginning, named).await?;
        let country = self.announced.as_ref().and_then(|announced| announced.country(&tenant));
        let wish = first_payment(country, customer.headless.customer_iban.clone());
        let redirect_uri = command.redirect_uri.as_deref();
        let kept = client.pay(&tenant, redirect_uri, &wish).await?.payment;
        // What a browser takes long for keeps nobody else from asking for the same.
        client.told(&kept.id)?;
        steps.done("payment", &format!("{} is {}", kept.id, kept.status));
        let departure = client.depart(&Matter::Payment(kept.id.clone()), redirect_uri).await?;
        self.approve(&mut client, &mut steps, &departure, &customer).await?;
        let seen = |now: &_| steps.done("status", &status_text(now));
        let now = follow(&mut client, Some(&kept.id), PATIENCE, seen).await?;
        let mut json = status_json(&now);
        json["asked"] = kept.asked.clone().into();
        steps.end(json, &customer, || {
            output::line(&format!("{}: {}", status_text(&now), kept.asked));
        });
        if !self.args.json {
            self.next_of(&now, Some(&customer.headless)).await;
        }
        Ok(())
    }

    /// From nothing, or from what there is, to the answer whether the customer's account holds an amount.
    pub(super) async fn flow_funds<C: ThirdParty>(&self, command: &TppFlowArgs) -> Result<(), Failure> {
        let mut steps = Steps::begin(self.args.json);
        let beginning = (&command.headless, command.persona.as_str(), command.tenant.as_deref());
        let named = command.redirect_uri.as_ref();
        let (mut client, tenant, customer) = self.begin::<C>(&mut steps, beginning, named).await?;
        let none = || {
            Failure::new("funds are asked about a customer's account; name it with --customer-iban")
                .next(Next::new("account new").after("; a sandbox makes one with: "))
        };
        let account = customer.headless.customer_iban.clone().ok_or_else(none)?;
        let redirect_uri = command.redirect_uri.as_deref();
        let mut by = None;
        if C::FUNDS_WITH_CONSENT {
            let kept = client.request_funds_consent(&tenant, redirect_uri, &account).await?;
            let id = kept.approval.id;
            steps.done("consent", &id);
            let departure = client.depart(&Matter::Funds(id.clone()), redirect_uri).await?;
            self.approve(&mut client, &mut steps, &departure, &customer).await?;
            by = Some(id);
        }
        let wish = FundsWish {
            holder: account.clone(),
            account,
            amount: "12.50".to_owned(),
            currency: None,
            payee: Some(EXAMPLE_PAYEE.1.to_owned()),
            by: by.clone(),
        };
        let answer = client.has_funds(&wish).await?;
        let what = if answer.is_enough { "holds" } else { "does not hold" };
        let text = format!("{} {what} {} {}", wish.account, wish.amount, answer.currency);
        steps.done("funds", &text);
        let mut json = json!({"hasSufficientFunds": answer.is_enough});
        if let Some(id) = by {
            json["consentId"] = id.into();
        }
        steps.end(json, &customer, || output::line(&text));
        Ok(())
    }
}

fn first_payment(country: Option<&str>, from: Option<String>) -> PaymentWish {
    let is_british = country.or(from.as_deref().and_then(|number| number.get(..2))) == Some("GB");
    let to = if is_british { BRITISH_PAYEE } else { EXAMPLE_PAYEE.0 };
    let order = Order {
        to: to.to_owned(),
        name: EXAMPLE_PAYEE.1.to_owned(),
        amount: "12.50".to_owned(),
        description: "First payment".to_owned(),
    };
    PaymentWish { from, paid: Paid::Single(Box::new(Single::of(order))), anew: false }
}
