//! The log-in of the customer's own pages at the bank's provider: `/auth/{tenant}/customer/log-in` leads there, `…/callback` back.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use edge::openapi::Operation;
use edge::redirect;
use gateway::domain::Language;
use gateway::provider::ProviderRefusal;
use gateway::{OwnPlace, TripProblem, WhyOver};
use http::StatusCode;
use web::{NoticePage, ProviderPage, WayOn};

use super::{NotShown, TAG, Visitor};
use crate::provider_page::{came_back, told};
use crate::router::Services;

/// The way there and the way back.
pub(super) fn operations() -> [Operation<Services>; 2] {
    [
        Operation::get(
            "/{tenant}/customer/log-in",
            302,
            "To the bank's provider, where there is one, to log in",
            there,
        )
        .with(TAG, &[]),
        Operation::get(
            "/{tenant}/customer/callback",
            302,
            "Customers come back here who authenticated at a provider of the bank",
            back,
        )
        .with(TAG, &[]),
    ]
}

impl Visitor {
    /// What leads to the provider; again, if nobody is believed to be authenticated.
    pub(super) fn provider_page(
        &self,
        services: &Services,
        (secret, language): (&str, Language),
        refusal: Option<&ProviderRefusal>,
    ) -> Response {
        let page = ProviderPage {
            language,
            csrf: services.edge.gateway.csrf_token(secret),
            brand: services.brand(Some(&self.call.ctx.tenant)),
            asker: None,
            again: format!("{}/log-in", self.base()),
            problem: refusal.map(told),
        };
        let status = if refusal.is_some() { StatusCode::FORBIDDEN } else { StatusCode::OK };
        web::page(status, &page)
    }

    /// Where the provider sends browsers back.
    fn callback(&self, services: &Services) -> String {
        format!("{}{}/callback", self.call.browser_origin(services), self.base())
    }

    /// Where a browser goes on that the provider has nothing to do with.
    async fn elsewhere(&self, services: &Services, place: OwnPlace) -> Response {
        if matches!(place, OwnPlace::LoggedIn(_) | OwnPlace::Inside(_)) {
            edge::note_session();
        }
        match place {
            OwnPlace::LoggedIn(fresh) => {
                self.with_cookie(redirect(StatusCode::FOUND, &self.base()), Some(&fresh))
            }
            OwnPlace::LogIn(_) | OwnPlace::Inside(_) => redirect(StatusCode::FOUND, &self.base()),
            OwnPlace::Over(why) => self.over(services, self.language_of_session(services).await, why),
        }
    }
}

/// Leads to the provider.
async fn there(State(services): State<Services>, visitor: Visitor) -> Response {
    let sent = async {
        let (gateway, ctx) = (&services.edge.gateway, &visitor.call.ctx);
        let Some(secret) = visitor.secret() else {
            return Ok(visitor.over(&services, visitor.language(&services), WhyOver::NoSession));
        };
        match gateway.send_own_to_provider(ctx, (&secret, &visitor.callback(&services))).await? {
            Ok(way) => Ok(redirect(StatusCode::FOUND, &way)),
            Err(place) => Ok(visitor.elsewhere(&services, place).await),
        }
    };
    visitor.answer(&services, sent.await).await
}

/// A browser comes back.
async fn back(State(services): State<Services>, visitor: Visitor, RawQuery(query): RawQuery) -> Response {
    let came = async {
        let (gateway, ctx) = (&services.edge.gateway, &visitor.call.ctx);
        let language = visitor.language_of_session(&services).await;
        let Some(secret) = visitor.secret() else {
            return Ok::<_, NotShown>(visitor.over(&services, language, WhyOver::NoSession));
        };
        let came = came_back(query.as_deref().unwrap_or_default())?;
        match gateway.own_came_back(ctx, (&secret, &visitor.callback(&services)), &came).await? {
            Ok(place) => Ok(visitor.elsewhere(&services, place).await),
            Err(TripProblem::Foreign) => {
                let page = NoticePage::stale(language);
                Ok(visitor.notice(&services, StatusCode::FORBIDDEN, page, WayOn::newer(visitor.base())))
            }
            Err(TripProblem::Refused(refusal)) => {
                edge::note_code("access_denied");
                Ok(visitor.provider_page(&services, (&secret, language), Some(&refusal)))
            }
        }
    };
    visitor.answer(&services, came.await).await
}
