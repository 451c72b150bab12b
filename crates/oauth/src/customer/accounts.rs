//! Accounts of a customer, and what moves on them.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use eidas::visible;
use gateway::domain::{
    Account, AccountId, AccountStatus, Funds, Language, Money, Position, Product, Transaction,
};
use gateway::{Movements, Noun};
use http::StatusCode;
use web::{MovedDay, Movement, MovementsPage, OwnAccount};

use super::{Inside, Visitor, after};
use crate::payment_page::one_line;
use crate::router::Services;

/// What moved on an account.
pub(crate) async fn movements(
    State(services): State<Services>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.as_deref();
    let page = async |inside: Inside<'_>| {
        let after = after(query, position, Noun::Account)?;
        Ok(inside.movements(&AccountId::new(visitor.which.as_str()), after).await?)
    };
    visitor.show(&services, query, page).await
}

impl Inside<'_> {
    async fn movements(
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

    pub(super) fn account(&self, account: &Account, funds: &Funds) -> OwnAccount {
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

/// The place of a movement as an address has it: its day and its place among those of the day.
fn position(text: &str) -> Option<Position> {
    let (day, sequence) = text.split_once('.')?;
    let booking_date = gateway::domain::parse_day(day).ok()?;
    Some(Position { booking_date, sequence: sequence.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_addresses_are_read_or_refused() {
        let place = position("2026-03-02.7").unwrap();
        assert_eq!((place.booking_date.to_string().as_str(), place.sequence), ("2026-03-02", 7));
        for wrong in
            ["", "2026-03-02", "2026-02-30.1", "x.1", "2026-03-02.x", "2026-03-02.99999999999999999999"]
        {
            assert!(position(wrong).is_none(), "{wrong}");
        }
    }
}
