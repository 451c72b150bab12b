//! `/auth/internalonly/callback`: customers come back from the bank's provider, where they authenticated or did not.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use edge::{BANK_PAGE, redirect};
use eidas::visible;
use gateway::provider::{ProviderRefusal, ProviderResponse};
use gateway::sessions::{DecisionView, Journey};
use gateway::{Approval, CameBack, DecisionProblem, TripProblem};
use http::{HeaderMap, StatusCode};
use web::{Asker, NotAuthenticated, ProviderPage};

use crate::form::Form;
use crate::pages::{Failed, Session, Typed, find, over};
use crate::router::{Browser, PREFIX, Services, browser_origin};
use crate::way_back::policy_target;

/// Where browsers come back to, below the prefix of the authorization server. Like that of the page it says nothing: what they
/// come back for is known by the session cookie, which they show there.
pub(crate) const PATH: &str = "/internalonly/callback";

/// A browser comes back.
pub(crate) async fn callback(
    State(services): State<Services>,
    browser: Browser,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let session = match find(&services, &browser, &headers).await {
        Ok(Some(session)) => session,
        Ok(None) => return over(&services, services.browser_language(None, &headers)),
        Err(Failed(error)) => return error.for_browser(&services, None, &headers),
    };
    let language = session.language;
    match session.take(query.as_deref().unwrap_or_default()).await {
        Ok(response) => response,
        Err(Failed(error)) => session.failed(error, language, &headers).await,
    }
}

/// What the parameters of an authorization response say (RFC 6749, 4.1.2; RFC 9207).
pub(crate) fn came_back(query: &str) -> Result<CameBack, crate::error::Error> {
    let form = Form::parse(query.as_bytes())?;
    let field = |name| Ok::<_, crate::error::Error>(form.one(name)?.unwrap_or_default().to_owned());
    let outcome = match form.one("code")? {
        Some(code) if form.one("error")?.is_none() => Ok(code.to_owned()),
        _ => Err(field("error")?),
    };
    let issuer = form.one("iss")?.map(str::to_owned);
    Ok(CameBack { state: field("state")?, response: ProviderResponse { outcome, issuer } })
}

/// What a customer is told of it.
pub(crate) fn told(refusal: &ProviderRefusal) -> NotAuthenticated {
    match refusal {
        ProviderRefusal::Denied(error)
            if matches!(error.as_str(), "server_error" | "temporarily_unavailable") =>
        {
            NotAuthenticated::Failed
        }
        ProviderRefusal::Denied(_) => NotAuthenticated::Unfinished,
        ProviderRefusal::Code(_) | ProviderRefusal::Untrusted(_) => NotAuthenticated::Failed,
        ProviderRefusal::NotEnough(_) => NotAuthenticated::Weak,
        ProviderRefusal::Unknown | ProviderRefusal::Another => NotAuthenticated::Unknown,
    }
}

impl Session<'_> {
    /// Whether the provider has to confirm first what the customer approved.
    pub(crate) fn is_for_provider(&self, view: &DecisionView) -> bool {
        self.gateway().has_provider() && view.problem == Some(DecisionProblem::Unanswered)
    }

    /// To the provider: to log in, or for the payments of an approval.
    pub(crate) async fn to_provider(
        &self,
        approval: Option<&Approval>,
        status: StatusCode,
    ) -> Result<Response, Failed> {
        let place = (self.secret.as_str(), &*self.callback());
        match self.gateway().send_to_provider(&self.ctx, place, approval).await? {
            Ok(way) => Ok(redirect(status, &way)),
            // There is nothing to authenticate for any more.
            Err(Journey::LogIn(_)) => Ok(self.stale().await?),
            Err(journey) => Box::pin(self.answer(journey, Typed::default(), status)).await,
        }
    }

    fn callback(&self) -> String {
        format!("{}{PREFIX}{PATH}", browser_origin(self.connection, self.services))
    }

    async fn take(&self, query: &str) -> Result<Response, Failed> {
        let came = came_back(query)?;
        let place = (self.secret.as_str(), &*self.callback());
        match self.gateway().came_back(&self.ctx, place, &came).await? {
            Ok(Journey::Decide(view)) if self.is_for_provider(&view) => {
                Ok(redirect(StatusCode::FOUND, BANK_PAGE))
            }
            Ok(journey) => self.answer(journey, Typed::default(), StatusCode::FOUND).await,
            Err(TripProblem::Foreign) => Ok(self.stale().await?),
            Err(TripProblem::Refused(refusal)) => self.not_authenticated(&refusal).await,
        }
    }

    async fn not_authenticated(&self, refusal: &ProviderRefusal) -> Result<Response, Failed> {
        edge::note_code("access_denied");
        let Some(asked) = self.gateway().asked(&self.ctx, &self.secret).await? else {
            return Ok(self.stale().await?);
        };
        let (tpp, redirect_uri) = asked;
        let page = ProviderPage {
            language: self.language,
            csrf: self.gateway().csrf_token(&self.secret),
            brand: self.brand(),
            asker: Some(Asker { name: visible(&tpp.name).into_owned(), id: tpp.id.to_string() }),
            again: "authorise.html".to_owned(),
            problem: Some(told(refusal)),
        };
        Ok(web::form_page(StatusCode::FORBIDDEN, &page, &policy_target(&redirect_uri)))
    }
}
