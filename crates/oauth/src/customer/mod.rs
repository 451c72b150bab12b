//! `/auth/{tenant}/customer`: a customer's own pages, where no third party sent them. They log in as everywhere, see
//! accounts, who has access to them and payments that third parties asked for, and end what they do not want any more.

mod access;
mod accounts;
mod log_in;
mod overview;
mod payments;
mod provider;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::response::Response;
use edge::openapi::Operation;
use edge::{Form, Rejected, session_cookie};
use gateway::domain::{Language, Timestamp};
use gateway::{Insider, Noun, OwnPlace, WhyOver};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use web::{NoticePage, Own, WayOn};

use crate::error::Error;
use crate::pages::{CLEAR_SITE_DATA, is_cross_site};
use crate::router::{Call, LimitedBody, Services};

/// What the description of the authorization server puts these pages under.
const TAG: &str = "the customer's own pages";

/// Paths and handlers of these pages.
pub(crate) fn operations() -> Vec<Operation<Services>> {
    let mut operations = vec![
        Operation::get(
            "/{tenant}/customer",
            200,
            "The customer's own pages: accounts, who has access, payments; before that the log-in",
            overview::overview,
        )
        .with(TAG, &[]),
        Operation::post("/{tenant}/customer", 303, "The customer logs in or out", log_in::log_in_or_out)
            .with(TAG, &[]),
        Operation::get(
            "/{tenant}/customer/accounts/{account}",
            200,
            "What moved on an account",
            accounts::movements,
        )
        .with(TAG, &[]),
        Operation::get(
            "/{tenant}/customer/access",
            200,
            "Everything that third parties were given",
            access::all_access,
        )
        .with(TAG, &[]),
        Operation::get(
            "/{tenant}/customer/payments",
            200,
            "All payments that third parties asked for",
            payments::all_payments,
        )
        .with(TAG, &[]),
        Operation::get(
            "/{tenant}/customer/access/{consent}",
            200,
            "What a third party was given",
            access::access,
        )
        .with(TAG, &[]),
        Operation::post(
            "/{tenant}/customer/access/{consent}",
            303,
            "The customer withdraws it",
            access::withdraw,
        )
        .with(TAG, &[]),
        Operation::get(
            "/{tenant}/customer/payments/{payment}",
            200,
            "What became of a payment",
            payments::payment,
        )
        .with(TAG, &[]),
        Operation::post(
            "/{tenant}/customer/payments/{payment}",
            303,
            "The customer refuses or stops it",
            payments::end_payment,
        )
        .with(TAG, &[]),
    ];
    operations.extend(provider::operations());
    operations
}

/// A browser's call to these pages.
pub(crate) struct Visitor {
    call: Call,
    /// What the path names below the tenant; empty at the overview.
    which: String,
    headers: HeaderMap,
}

impl FromRequestParts<Services> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, services: &Services) -> Result<Self, Response> {
        let headers = parts.headers.clone();
        let refused = |error: Error| error.for_browser(services, None, &headers);
        let names = RawPathParams::from_request_parts(parts, services).await;
        let names = names.map_err(|_| refused(Rejected::NotFound.into()))?;
        let (mut tenant, mut which) = (String::new(), String::new());
        for (name, value) in &names {
            if name == "tenant" { &mut tenant } else { &mut which }.push_str(value);
        }
        let call = Call::of(parts, services, &tenant).map_err(refused)?;
        Ok(Self { call, which, headers })
    }
}

impl Visitor {
    /// Where these pages begin.
    fn base(&self) -> String {
        format!("{}/{}/customer", crate::PREFIX, self.call.ctx.tenant)
    }

    fn secret(&self) -> Option<String> {
        session_cookie::customer_session(&self.call.connection, &self.call.ctx.tenant, &self.headers)
    }

    fn language(&self, services: &Services) -> Language {
        self.call.ctx.language.unwrap_or_else(|| services.languages().at(&self.call.ctx.tenant))
    }

    /// The language of the session, as long as it is remembered.
    async fn language_of_session(&self, services: &Services) -> Language {
        let known = match self.secret() {
            Some(secret) => services.edge.gateway.language_of_own_pages(&secret).await.ok().flatten(),
            None => None,
        };
        known.unwrap_or_else(|| self.language(services))
    }

    fn notice(&self, services: &Services, status: StatusCode, page: NoticePage, way_on: WayOn) -> Response {
        web::page(status, &page.of(services.brand(Some(&self.call.ctx.tenant)), Some(way_on)))
    }

    /// What is told a browser that has to begin again.
    fn over(&self, services: &Services, language: Language, why: WhyOver) -> Response {
        let page = match why {
            WhyOver::NoSession => NoticePage::not_logged_in(language),
            WhyOver::Idle => NoticePage::idle(language),
            WhyOver::WrongAnswers => NoticePage::too_many_wrong(language),
        };
        let log_in = WayOn::log_in(self.base());
        // The browser may have another session by now: its log-in was sent twice, and this answers the second form.
        if why == WhyOver::NoSession {
            let mut response = self.notice(services, StatusCode::FORBIDDEN, page, log_in);
            forget_pages(&mut response);
            return response;
        }
        let log_in = log_in.in_language(language);
        self.without_session(self.notice(services, StatusCode::FORBIDDEN, page, log_in))
    }

    fn without_session(&self, response: Response) -> Response {
        let mut response = self.with_cookie(response, None);
        forget_pages(&mut response);
        response
    }

    fn with_cookie(&self, mut response: Response, secret: Option<&str>) -> Response {
        let cookie =
            session_cookie::set_customer_session(&self.call.connection, &self.call.ctx.tenant, secret);
        response.headers_mut().insert(header::SET_COOKIE, cookie);
        response
    }

    /// What went wrong, on a page that leads back to the overview.
    async fn failed(&self, services: &Services, error: gateway::Error) -> Response {
        let language = self.language_of_session(services).await;
        if matches!(error, gateway::Error::NotFound(_)) {
            edge::note_code("not_found");
            let page = NoticePage::not_found(language);
            return self.notice(services, StatusCode::NOT_FOUND, page, WayOn::overview(self.base()));
        }
        self.wrong(services, language, error.into())
    }

    fn wrong(&self, services: &Services, language: Language, error: Error) -> Response {
        let brand = services.brand(Some(&self.call.ctx.tenant));
        error.into_page(services, language, &self.headers, brand, Some(WayOn::overview(self.base())))
    }

    /// Shows a page to a customer who is inside; any other browser is told how to get there.
    async fn show<'a>(
        &'a self,
        services: &'a Services,
        query: Option<&str>,
        page: impl AsyncFnOnce(Inside<'a>) -> Result<Response, NotShown>,
    ) -> Response {
        let shown = async { page(enter(services, self, query).await?).await };
        self.answer(services, shown.await).await
    }

    /// Does what a customer who is inside asks for by the button `action` of a page of theirs.
    async fn act<'a>(
        &'a self,
        services: &'a Services,
        (body, action): (&LimitedBody, &str),
        done: impl AsyncFnOnce(Inside<'a>) -> Result<Response, NotShown>,
    ) -> Response {
        let answer = async {
            let (form, _) = own_form(services, self, body).await?;
            if form.one("action").ok().flatten() != Some(action) {
                return Err(no_action().into());
            }
            done(enter(services, self, None).await?).await
        };
        self.answer(services, answer.await).await
    }

    /// The answer to a browser, whatever came of its call.
    async fn answer(&self, services: &Services, shown: Result<Response, NotShown>) -> Response {
        match shown {
            Ok(response) => response,
            Err(NotShown::Instead(response)) => *response,
            Err(NotShown::Wrong(error)) => {
                let language = self.language_of_session(services).await;
                self.wrong(services, language, error)
            }
            Err(NotShown::Failed(error)) => self.failed(services, error).await,
        }
    }
}

/// What a browser is told that asks these pages for something that they do not have.
pub(crate) async fn unserved(services: &Services, parts: &Parts, (tenant, error): (&str, Error)) -> Response {
    let headers = parts.headers.clone();
    let call = match Call::of(parts, services, tenant) {
        Ok(call) => call,
        Err(unknown) => return unknown.for_browser(services, None, &headers),
    };
    let visitor = Visitor { call, which: String::new(), headers };
    let language = visitor.language_of_session(services).await;
    visitor.wrong(services, language, error)
}

/// Going back in the browser must not show the customer's accounts again.
fn forget_pages(response: &mut Response) {
    response.headers_mut().insert(CLEAR_SITE_DATA, HeaderValue::from_static("\"cache\""));
}

/// Why a browser does not get what it asked for.
enum NotShown {
    /// It is shown something else.
    Instead(Box<Response>),
    /// What it did is wrong.
    Wrong(Error),
    /// The bank refused, or could not do it.
    Failed(gateway::Error),
}

impl From<Error> for NotShown {
    fn from(error: Error) -> Self {
        Self::Wrong(error)
    }
}

impl From<gateway::Error> for NotShown {
    fn from(error: gateway::Error) -> Self {
        Self::Failed(error)
    }
}

impl NotShown {
    fn instead(response: Response) -> Self {
        Self::Instead(Box::new(response))
    }
}

/// A customer who is inside, and their browser.
struct Inside<'a> {
    services: &'a Services,
    visitor: &'a Visitor,
    secret: String,
    insider: Insider,
}

impl Inside<'_> {
    /// A moment at the bank as people write it.
    fn moment(&self, at: Timestamp) -> String {
        let tenant = &self.visitor.call.ctx.tenant;
        let time = tenant.time_at(at);
        web::moment(self.insider.language(), tenant.date_at(at), (time.hour(), time.minute()))
    }

    fn own(&self) -> Own {
        Own {
            language: self.insider.language(),
            brand: self.services.brand(Some(&self.visitor.call.ctx.tenant)),
            csrf: self.services.edge.gateway.csrf_token(&self.secret),
            base: self.visitor.base(),
            customer_name: eidas::visible(self.insider.name()).into_owned(),
        }
    }
}

/// A customer who is inside; any other browser is told how to get there.
async fn enter<'a>(
    services: &'a Services,
    visitor: &'a Visitor,
    query: Option<&str>,
) -> Result<Inside<'a>, NotShown> {
    let secret = visitor.secret();
    let place = match &secret {
        Some(secret) => {
            services
                .edge
                .gateway
                .visit_own_pages(&visitor.call.ctx, secret, language_in(services, query))
                .await?
        }
        None => OwnPlace::Over(WhyOver::NoSession),
    };
    let why = match place {
        OwnPlace::Inside(insider) => {
            edge::note_session();
            return Ok(Inside { services, visitor, secret: secret.unwrap_or_default(), insider });
        }
        OwnPlace::LogIn(view) => {
            let page = NoticePage::not_logged_in(view.language);
            let way_on = WayOn::log_in(visitor.base());
            return Err(NotShown::instead(visitor.notice(services, StatusCode::FORBIDDEN, page, way_on)));
        }
        OwnPlace::LoggedIn(_) => WhyOver::NoSession,
        OwnPlace::Over(why) => why,
    };
    let language = visitor.language_of_session(services).await;
    Err(NotShown::instead(visitor.over(services, language, why)))
}

/// The form of a browser with a session, if it came from a page of that session.
async fn own_form(
    services: &Services,
    visitor: &Visitor,
    body: &LimitedBody,
) -> Result<(Form, String), NotShown> {
    let form = Form::from_page(&visitor.headers, &body.0).map_err(Error::from)?;
    let language = visitor.language_of_session(services).await;
    let Some(secret) = visitor.secret() else {
        return Err(NotShown::instead(visitor.over(services, language, WhyOver::NoSession)));
    };
    let refused = |page| {
        let way_on = WayOn::newer(visitor.base());
        NotShown::instead(visitor.notice(services, StatusCode::FORBIDDEN, page, way_on))
    };
    if is_cross_site(&visitor.headers) {
        return Err(refused(NoticePage::forbidden(language)));
    }
    let token = form.one("csrf").map_err(Error::from)?.unwrap_or_default();
    if !services.edge.gateway.is_csrf_token(&secret, token) {
        return Err(refused(NoticePage::stale(language)));
    }
    Ok((form, secret))
}

fn no_action() -> Error {
    Error::bad("invalid_request", "the form has no action that is known here")
}

fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// Where a list goes on; none at its beginning. A place that nobody was sent to is not there.
fn after<T>(
    query: Option<&str>,
    place: impl FnOnce(&str) -> Option<T>,
    listed: Noun,
) -> Result<Option<T>, gateway::Error> {
    let after = parameter(query, "after");
    after.map(|text| place(&text).ok_or(gateway::Error::NotFound(listed))).transpose()
}

fn language_in(services: &Services, query: Option<&str>) -> Option<Language> {
    parameter(query, "lang").and_then(|code| services.language(&code))
}
