//! What third parties were given, and an end to it.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use edge::redirect;
use eidas::visible;
use gateway::domain::{
    AccountNumber, AccountReference, ConsentRefusal, Decision, ListPlace, Refusal, Timestamp,
};
use gateway::{Given, Noun, Right};
use http::StatusCode;
use web::{AccessListPage, AccessPage, ShownRight};

use super::{Inside, Visitor, after};
use crate::pages::shown_card;
use crate::router::{LimitedBody, Services};

/// Everything that third parties were given, a page of it.
pub(crate) async fn all_access(
    State(services): State<Services>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.as_deref();
    let page = async |inside: Inside<'_>| {
        let after = after(query, ListPlace::parse, Noun::Consent)?.unwrap_or_else(ListPlace::start);
        Ok(inside.all_access(&after).await?)
    };
    visitor.show(&services, query, page).await
}

/// One thing that a third party was given, and the question whether to withdraw it.
pub(crate) async fn access(
    State(services): State<Services>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Response {
    let page = async |inside: Inside<'_>| Ok(inside.access(&visitor.which, false).await?);
    visitor.show(&services, query.as_deref(), page).await
}

/// Withdraws what a third party was given.
pub(crate) async fn withdraw(
    State(services): State<Services>,
    visitor: Visitor,
    body: LimitedBody,
) -> Response {
    let done = async |inside: Inside<'_>| {
        let (gateway, id) = (&services.edge.gateway, visitor.which.as_str());
        match gateway.withdraw(&visitor.call.ctx, &inside.insider, id).await {
            Ok(()) => {
                let page = format!("{}/access/{id}", visitor.base());
                Ok(redirect(StatusCode::SEE_OTHER, &page))
            }
            Err(gateway::Error::Refused(Refusal::Consent(ConsentRefusal::Final { .. }))) => {
                Ok(inside.access(id, true).await?)
            }
            Err(error) => Err(error.into()),
        }
    };
    visitor.act(&services, (&body, "withdraw"), done).await
}

impl Inside<'_> {
    async fn all_access(&self, after: &ListPlace) -> Result<Response, gateway::Error> {
        let (gateway, ctx) = (&self.services.edge.gateway, &self.visitor.call.ctx);
        let found = gateway.given(ctx, &self.insider, after).await?;
        let own = self.own();
        let page = AccessListPage {
            rights: found.given.iter().map(|given| self.right(given)).collect(),
            older: found.next.map(|next| format!("{}/access?after={next}", own.base)),
            is_later_page: *after != ListPlace::start(),
            own,
        };
        Ok(web::page(StatusCode::OK, &page))
    }

    /// The page about what a third party was given; `had_ended` if the customer wanted to withdraw it too late.
    async fn access(&self, id: &str, had_ended: bool) -> Result<Response, gateway::Error> {
        let (gateway, ctx) = (&self.services.edge.gateway, &self.visitor.call.ctx);
        let given = gateway.given_one(ctx, &self.insider, id).await?;
        let page = AccessPage { own: self.own(), right: self.right(&given), had_ended };
        Ok(web::page(if had_ended { StatusCode::CONFLICT } else { StatusCode::OK }, &page))
    }

    pub(super) fn right(&self, given: &Given) -> ShownRight {
        let (ctx, language) = (&self.visitor.call.ctx, self.insider.language());
        let day = |at: Timestamp| web::day(language, ctx.tenant.date_at(at));
        let name = visible(&given.tpp_name).into_owned();
        let last_used = given.last_used.map(|at| self.moment(at));
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
                through: consent.interface.title(),
                since: day(consent.created_at),
                until: Some(web::day(language, consent.valid_until)),
                last_used,
                status: given.status,
                // What nobody ended has ended by itself, after its last day.
                ended_on: match consent.decision {
                    Decision::Confirmed | Decision::Pending => None,
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
                through: consent.interface.title(),
                since: day(consent.created_at),
                until: None,
                last_used,
                status: given.status,
                ended_on: ended(consent.last_action_at),
            },
        }
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
