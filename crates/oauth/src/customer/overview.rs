//! The overview of the customer's own pages: accounts, who has access, payments.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use gateway::domain::{Account, Currency, Funds, Money};
use gateway::{OwnPlace, PaymentsPlace, WhyOver};
use http::StatusCode;
use web::OverviewPage;

use super::{Inside, Visitor, language_in, parameter};
use crate::log_in_page::{TAKEN, taken};
use crate::router::Services;

/// Rights that have ended and stand on the overview.
const ENDED: usize = 20;

/// The overview, or the log-in.
pub(crate) async fn overview(
    State(services): State<Services>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Response {
    let shown = async {
        let gateway = &services.edge.gateway;
        let typed = taken(&services, parameter(query.as_deref(), TAKEN).as_deref());
        let language = language_in(&services, query.as_deref());
        let place = match visitor.secret() {
            Some(secret) => {
                let place = gateway.visit_own_pages(&visitor.call.ctx, &secret, language).await?;
                Some((secret, place))
            }
            None => None,
        };
        match place {
            Some((secret, OwnPlace::Inside(insider))) => {
                edge::note_session();
                let inside = Inside { services: &services, visitor: &visitor, secret, insider };
                Ok(inside.overview().await?)
            }
            Some((secret, OwnPlace::LogIn(view))) => {
                visitor.log_in_page(&services, (&secret, view), typed).await
            }
            Some((_, OwnPlace::Over(why @ (WhyOver::Idle | WhyOver::WrongAnswers)))) => {
                let language = visitor.language_of_session(&services).await;
                Ok(visitor.over(&services, language, why))
            }
            Some((_, OwnPlace::LoggedIn(_) | OwnPlace::Over(WhyOver::NoSession))) | None => {
                let ctx = &visitor.call.ctx;
                let ctx = gateway::Ctx { language: language.or(ctx.language), ..ctx.clone() };
                let secret = gateway.begin_customer_session(&ctx).await?;
                let OwnPlace::LogIn(view) = gateway.visit_own_pages(&ctx, &secret, None).await? else {
                    return Err(gateway::Error::Conflict.into());
                };
                let page = visitor.log_in_page(&services, (&secret, view), typed).await?;
                Ok(visitor.with_cookie(page, Some(&secret)))
            }
        }
    };
    visitor.answer(&services, shown.await).await
}

impl Inside<'_> {
    async fn overview(&self) -> Result<Response, gateway::Error> {
        let (gateway, ctx) = (&self.services.edge.gateway, &self.visitor.call.ctx);
        let balances = gateway.own_balances(ctx, &self.insider).await?;
        let given = gateway.given_in_short(ctx, &self.insider, ENDED).await?;
        let page = OverviewPage {
            totals: totals(&balances),
            accounts: balances.iter().map(|(account, funds)| self.account(account, funds)).collect(),
            rights: given.open.iter().map(|given| self.right(given)).collect(),
            ended: given.ended.iter().map(|given| self.right(given)).collect(),
            has_more_rights: given.is_more,
            payments: self.payments(PaymentsPlace::start()).await?,
            own: self.own(),
        };
        Ok(web::page(StatusCode::OK, &page))
    }
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
