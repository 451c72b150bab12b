//! What a customer's own pages show of what the gateway found.

use axum::response::Response;
use eidas::visible;
use gateway::domain::{
    Account, AccountId, AccountNumber, AccountReference, AccountStatus, Currency, Funds, Interface, Language,
    Money, PaymentDecision, Position, Product, Timestamp, Transaction, Transfer,
};
use gateway::{Ctx, Given, Movements, OwnPayment, Right, WayOut};
use http::StatusCode;
use web::{
    AccessPage, MovedDay, Movement, MovementsPage, OverviewPage, OwnAccount, OwnPaymentPage, OwnShownPayment,
    OwnTransfer, OwnWayOut, ShownRight,
};

use super::Inside;
use crate::error::Error;
use crate::pages::shown_card;
use crate::payment_page::one_line;

/// Rights that have ended and are listed.
const ENDED: usize = 20;

impl Inside<'_> {
    pub(super) async fn overview(&self) -> Result<Result<Response, Error>, gateway::Error> {
        let (gateway, ctx) = (&self.services.edge.gateway, &self.visitor.call.ctx);
        let balances = gateway.own_balances(ctx, &self.insider).await?;
        let given = gateway.given(ctx, &self.insider).await?;
        let payments = gateway.own_payments(ctx, &self.insider).await?;
        let (ended, rights): (Vec<_>, Vec<_>) = given.iter().partition(|given| given.status.is_final());
        let (waiting, others): (Vec<_>, Vec<_>) =
            payments.iter().partition(|payment| payment.way_out.is_some());
        let shown = |payment: &&OwnPayment| self.payment_shown(payment);
        let right = |given: &&Given| self.right(given);
        let page = OverviewPage {
            own: self.own(),
            totals: totals(&balances),
            accounts: balances.iter().map(|(account, funds)| self.account(account, funds)).collect(),
            rights: rights.iter().map(right).collect(),
            ended: ended.iter().take(ENDED).map(right).collect(),
            waiting: waiting.iter().map(shown).collect(),
            others: others.iter().map(shown).collect(),
        };
        Ok(Ok(web::page(StatusCode::OK, &page)))
    }

    pub(super) async fn movements(
        &self,
        account: &AccountId,
        after: Option<Position>,
    ) -> Result<Response, gateway::Error> {
        let (gateway, ctx) = (&self.services.edge.gateway, &self.visitor.call.ctx);
        let found = gateway.own_movements(ctx, &self.insider, (account, after)).await?;
        let Movements { account, funds, pending, booked, next } = found;
        let own = self.own();
        let older = next.map(|next| {
            let Position { booking_date, sequence } = next;
            format!("{}/accounts/{}?after={booking_date}.{sequence}", own.base, account.id)
        });
        let page = MovementsPage {
            account: self.account(&account, &funds),
            pending: pending.iter().map(movement).collect(),
            sums: sums(&booked),
            booked: days(own.language, &booked),
            own,
            older,
            is_later_page: after.is_some(),
        };
        Ok(web::page(StatusCode::OK, &page))
    }

    /// The page about what a third party was given; `had_ended` if the customer wanted to withdraw it too late.
    pub(super) async fn access(&self, id: &str, had_ended: bool) -> Result<Response, gateway::Error> {
        let (gateway, ctx) = (&self.services.edge.gateway, &self.visitor.call.ctx);
        let given = gateway.given_one(ctx, &self.insider, id).await?;
        let page = AccessPage { own: self.own(), right: self.right(&given), had_ended };
        Ok(web::page(if had_ended { StatusCode::CONFLICT } else { StatusCode::OK }, &page))
    }

    /// The page about a payment; `is_too_late` if the customer wanted to end it and could not.
    pub(super) async fn payment(&self, id: &str, is_too_late: bool) -> Result<Response, gateway::Error> {
        let (gateway, ctx) = (&self.services.edge.gateway, &self.visitor.call.ctx);
        let payment = gateway.own_payment_of(ctx, &self.insider, id).await?;
        let page = OwnPaymentPage { own: self.own(), payment: self.payment_shown(&payment), is_too_late };
        Ok(web::page(if is_too_late { StatusCode::CONFLICT } else { StatusCode::OK }, &page))
    }

    fn account(&self, account: &Account, funds: &Funds) -> OwnAccount {
        let is_alone = account.name == self.insider.name();
        OwnAccount {
            id: account.id.to_string(),
            number: account.iban.grouped(),
            // Whose account it is stands on the page once already.
            holders: if is_alone { String::new() } else { visible(&account.name).into_owned() },
            is_savings: account.product == Product::Savings,
            is_blocked: account.status == AccountStatus::Blocked,
            is_closed: account.status == AccountStatus::Deleted,
            booked: funds.booked,
            available: funds.available,
        }
    }

    fn right(&self, given: &Given) -> ShownRight {
        let (ctx, language) = (&self.visitor.call.ctx, self.insider.language());
        let day = |at: Timestamp| web::day(language, ctx.tenant.date_at(at));
        let name = visible(&given.tpp_name).into_owned();
        let last_used = given.last_used.map(|at| moment(language, ctx, at));
        let ended = |at: Timestamp| given.status.is_final().then(|| day(at));
        match &given.right {
            Right::Consent(consent) => ShownRight {
                id: consent.id.to_string(),
                tpp_name: name,
                tpp_id: consent.tpp.to_string(),
                balances: consent.granted.iter().any(|granted| granted.balances),
                transactions: consent.granted.iter().any(|granted| granted.transactions),
                funds: None,
                accounts: consent.granted.iter().map(|granted| number(&granted.reference)).collect(),
                through: through(consent.interface),
                since: day(consent.created_at),
                until: Some(web::day(language, consent.valid_until)),
                last_used,
                status: given.status,
                // What nobody ended has ended by itself, after its last day.
                ended_on: match consent.decision {
                    gateway::domain::Decision::Confirmed | gateway::domain::Decision::Pending => None,
                    _ => ended(consent.last_action_at),
                },
            },
            Right::FundsConsent(consent) => ShownRight {
                id: consent.id.to_string(),
                tpp_name: name,
                tpp_id: consent.tpp.to_string(),
                balances: false,
                transactions: false,
                funds: Some(shown_card(&consent.card)),
                accounts: vec![number(&consent.account)],
                through: through(consent.interface),
                since: day(consent.created_at),
                until: None,
                last_used,
                status: given.status,
                ended_on: ended(consent.last_action_at),
            },
        }
    }

    fn payment_shown(&self, own: &OwnPayment) -> OwnShownPayment {
        let (ctx, language) = (&self.visitor.call.ctx, self.insider.language());
        let payment = &own.view.payment;
        OwnShownPayment {
            id: payment.id.to_string(),
            tpp_name: own.tpp_name.as_ref().map(|name| visible(name).into_owned()),
            from: payment.debtor.as_ref().map(gateway::domain::Iban::grouped).unwrap_or_default(),
            total: payment.total(),
            transfers: payment.transfers.iter().map(transfer).collect(),
            when: payment.terms.execution.clone(),
            status: own.view.status,
            is_approved: matches!(payment.decision, PaymentDecision::Approved { .. }),
            reason: own.view.reason,
            on: moment(language, ctx, payment.last_action_at),
            way_out: own.way_out.map(|way_out| match way_out {
                WayOut::Refuse => OwnWayOut::Refuse,
                WayOut::Stop => OwnWayOut::Stop,
            }),
        }
    }
}

fn moment(language: Language, ctx: &Ctx, at: Timestamp) -> String {
    let time = ctx.tenant.time_at(at);
    web::moment(language, ctx.tenant.date_at(at), (time.hour(), time.minute()))
}

/// What customers know an interface by.
fn through(interface: Interface) -> &'static str {
    match interface {
        Interface::BerlinGroup => "NextGenPSD2",
        Interface::Bunq => "bunq",
    }
}

fn number(reference: &AccountReference) -> String {
    let number = match &reference.number {
        AccountNumber::Iban(iban) => iban.grouped(),
        AccountNumber::British { .. } => reference.shown(),
    };
    match &reference.currency {
        Some(currency) => format!("{number}, {currency}"),
        None => number,
    }
}

fn transfer(transfer: &Transfer) -> OwnTransfer {
    let creditor = &transfer.creditor;
    let number = creditor.iban.as_ref().map(gateway::domain::Iban::grouped).unwrap_or_default();
    let name = one_line(creditor.name.as_deref().unwrap_or_default());
    OwnTransfer {
        // A payee without a name is known by the number alone.
        name: if name.is_empty() { number.clone() } else { name },
        number,
        remittance: one_line(transfer.remittance.as_deref().unwrap_or_default()),
        amount: transfer.amount,
    }
}

fn movement(transaction: &Transaction) -> Movement {
    let other = &transaction.counterparty;
    Movement {
        name: one_line(other.name.as_deref().unwrap_or_default()),
        number: other.iban.as_ref().map(gateway::domain::Iban::grouped).unwrap_or_default(),
        remittance: one_line(transaction.remittance.as_deref().unwrap_or_default()),
        amount: transaction.amount,
    }
}

fn days(language: Language, booked: &[Transaction]) -> Vec<MovedDay> {
    let by_day = booked.chunk_by(|one, other| one.booking_date == other.booking_date);
    by_day
        .filter_map(|chunk| {
            let day = web::day(language, chunk.first()?.booking_date);
            Some(MovedDay { day, movements: chunk.iter().map(movement).collect() })
        })
        .collect()
}

/// What came in, and what went out; none where nothing moved.
fn sums(booked: &[Transaction]) -> Option<(Money, Money)> {
    let currency = booked.first()?.amount.currency;
    let sum = |is_in: bool| {
        let minors = booked.iter().map(|one| one.amount.minor).filter(|minor| (*minor > 0) == is_in);
        Money { minor: minors.fold(0_i64, i64::saturating_add), currency }
    };
    Some((sum(true), sum(false)))
}

/// What all accounts hold, for each currency in the order of the accounts.
fn totals(balances: &[(Account, Funds)]) -> Vec<Money> {
    let mut totals: Vec<(Currency, i64)> = Vec::new();
    for (_, funds) in balances {
        let Money { currency, minor } = funds.booked;
        match totals.iter_mut().find(|(known, _)| *known == currency) {
            Some((_, sum)) => *sum = sum.saturating_add(minor),
            None => totals.push((currency, minor)),
        }
    }
    totals.into_iter().map(|(currency, minor)| Money { minor, currency }).collect()
}
