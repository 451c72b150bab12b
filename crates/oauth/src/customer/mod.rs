//! `/auth/{tenant}/customer`: a customer's own pages, where no third party sent them. They log in as everywhere, see
//! accounts, who has access to them and payments that third parties asked for, and end what they do not want any more.

mod shown;

use axum::extract::{FromRequestParts, RawPathParams, RawQuery, State};
use axum::response::Response;
use edge::{Form, Rejected, redirect, session_cookie};
use gateway::domain::{AccountId, ConsentRefusal, Language, PaymentRefusal, Position, Refusal};
use gateway::{Insider, LogInAttempt, OwnLogIn, OwnPlace, WhyOver};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use web::{NoticePage, Own, WayOn};

use crate::error::Error;
use crate::log_in_page::{LogIn, TypedLogIn, taken};
use crate::pages::{CLEAR_SITE_DATA, is_cross_site};
use crate::router::{Call, LimitedBody, Services};

/// The overview, and the log-in before it.
pub(crate) const OVERVIEW: &str = "/{tenant}/customer";
/// What moved on an account.
pub(crate) const MOVEMENTS: &str = "/{tenant}/customer/accounts/{account}";
/// One thing that a third party was given.
pub(crate) const ACCESS: &str = "/{tenant}/customer/access/{consent}";
/// One payment.
pub(crate) const PAYMENT: &str = "/{tenant}/customer/payments/{payment}";

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
        session_cookie::customer_session(&self.call.connection, &self.headers)
    }

    fn language(&self) -> Language {
        self.call.ctx.language.unwrap_or_else(|| self.call.ctx.tenant.language())
    }

    /// The language of the session, as long as it is remembered.
    async fn language_of_session(&self, services: &Services) -> Language {
        let known = match self.secret() {
            Some(secret) => services.edge.gateway.language_of_own_pages(&secret).await.ok().flatten(),
            None => None,
        };
        known.unwrap_or_else(|| self.language())
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
        let response = self.notice(services, StatusCode::FORBIDDEN, page, WayOn::log_in(self.base()));
        self.without_session(response)
    }

    fn without_session(&self, response: Response) -> Response {
        let mut response = self.with_cookie(response, None);
        // Going back in the browser must not show the customer's accounts again.
        response.headers_mut().insert(CLEAR_SITE_DATA, HeaderValue::from_static("\"cache\""));
        response
    }

    fn with_cookie(&self, mut response: Response, secret: Option<&str>) -> Response {
        let cookie = session_cookie::set_customer_session(&self.call.connection, secret);
        response.headers_mut().insert(header::SET_COOKIE, cookie);
        response
    }

    async fn log_in_page(
        &self,
        services: &Services,
        (secret, view): (&str, OwnLogIn),
        typed: TypedLogIn,
    ) -> Result<Response, Error> {
        let OwnLogIn { problem, challenge, language } = view;
        let log_in = LogIn {
            services,
            ctx: &self.call.ctx,
            secret,
            language,
            asker: None,
            action: self.base(),
            challenge,
            problem,
        };
        let (status, page, retry_after) = log_in.page(typed).await?;
        let mut response = web::page(status, &page);
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        Ok(response)
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
        error.into_page(language, &self.headers, brand, Some(WayOn::overview(self.base())))
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

/// The overview, or the log-in.
pub(crate) async fn overview(
    State(services): State<Services>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Response {
    let shown = async {
        let gateway = &services.edge.gateway;
        let language = language_in(query.as_deref());
        let place = match visitor.secret() {
            Some(secret) => {
                let place = gateway.visit_own_pages(&visitor.call.ctx, &secret, language).await?;
                Some((secret, place))
            }
            None => None,
        };
        match place {
            Some((secret, OwnPlace::Inside(insider))) => {
                Inside { services: &services, visitor: &visitor, secret, insider }.overview().await
            }
            Some((secret, OwnPlace::LogIn(view))) => {
                Ok(visitor.log_in_page(&services, (&secret, view), TypedLogIn::default()).await)
            }
            Some((_, OwnPlace::Over(why @ (WhyOver::Idle | WhyOver::WrongAnswers)))) => {
                let language = visitor.language_of_session(&services).await;
                Ok(Ok(visitor.over(&services, language, why)))
            }
            Some((_, OwnPlace::LoggedIn(_) | OwnPlace::Over(WhyOver::NoSession))) | None => {
                let ctx = &visitor.call.ctx;
                let ctx = gateway::Ctx { language: language.or(ctx.language), ..ctx.clone() };
                let secret = gateway.begin_customer_session(&ctx).await?;
                let OwnPlace::LogIn(view) = gateway.visit_own_pages(&ctx, &secret, None).await? else {
                    return Err(gateway::Error::Conflict);
                };
                let page = visitor.log_in_page(&services, (&secret, view), TypedLogIn::default()).await;
                Ok(page.map(|page| visitor.with_cookie(page, Some(&secret))))
            }
        }
    };
    answered(&services, &visitor, shown.await).await
}

/// What moved on an account.
pub(crate) async fn movements(
    State(services): State<Services>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Response {
    let shown = async {
        let inside = match enter(&services, &visitor, query.as_deref()).await? {
            Ok(inside) => inside,
            Err(elsewhere) => return Ok(Ok(elsewhere)),
        };
        let after = match parameter(query.as_deref(), "after") {
            None => None,
            // A page that nobody was sent to.
            Some(text) => Some(position(&text).ok_or(gateway::Error::NotFound(gateway::Noun::Account))?),
        };
        inside.movements(&AccountId::new(visitor.which.as_str()), after).await.map(Ok)
    };
    answered(&services, &visitor, shown.await).await
}

/// One thing that a third party was given, and the question whether to withdraw it.
pub(crate) async fn access(
    State(services): State<Services>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Response {
    let shown = async {
        match enter(&services, &visitor, query.as_deref()).await? {
            Ok(inside) => inside.access(&visitor.which, false).await.map(Ok),
            Err(elsewhere) => Ok(Ok(elsewhere)),
        }
    };
    answered(&services, &visitor, shown.await).await
}

/// One payment, and the question whether to end it.
pub(crate) async fn payment(
    State(services): State<Services>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Response {
    let shown = async {
        match enter(&services, &visitor, query.as_deref()).await? {
            Ok(inside) => inside.payment(&visitor.which, false).await.map(Ok),
            Err(elsewhere) => Ok(Ok(elsewhere)),
        }
    };
    answered(&services, &visitor, shown.await).await
}

/// Logs in or out, or fills the log-in in.
pub(crate) async fn log_in_or_out(
    State(services): State<Services>,
    visitor: Visitor,
    body: LimitedBody,
) -> Response {
    let done = async {
        let (form, secret) = match own_form(&services, &visitor, &body).await {
            Ok(found) => found,
            Err(refused) => return Ok(refused),
        };
        let (gateway, ctx) = (&services.edge.gateway, &visitor.call.ctx);
        let field = |name| form.one(name).ok().flatten().unwrap_or_default().to_owned();
        let action = field("action");
        let typed = TypedLogIn { iban: field("iban"), number: field("number"), is_filled_in: false };
        let (place, typed) = match (action.as_str(), taken(&services, &action)) {
            (_, Some(taken)) => (gateway.visit_own_pages(ctx, &secret, None).await?, taken),
            ("simulate", _) => (gateway.visit_own_pages(ctx, &secret, None).await?, typed),
            ("log-in", _) => {
                let (answer, challenge) = (field("answer"), field("challenge"));
                let attempt =
                    LogInAttempt { iban: &typed.iban, answer: &answer, challenge: Some(&challenge) };
                let place = gateway.log_in_to_own_pages(ctx, &secret, attempt).await?;
                // The answer belonged to the challenge before.
                (place, TypedLogIn { number: String::new(), ..typed })
            }
            ("log-out", _) => {
                gateway.log_out_of_own_pages(ctx, &secret).await?;
                return Ok(Ok(visitor.without_session(redirect(StatusCode::SEE_OTHER, &visitor.base()))));
            }
            _ => return Ok(Err(no_action())),
        };
        Ok(match place {
            OwnPlace::LoggedIn(fresh) => {
                Ok(visitor.with_cookie(redirect(StatusCode::SEE_OTHER, &visitor.base()), Some(&fresh)))
            }
            OwnPlace::LogIn(view) => visitor.log_in_page(&services, (&secret, view), typed).await,
            OwnPlace::Inside(_) => Ok(redirect(StatusCode::SEE_OTHER, &visitor.base())),
            OwnPlace::Over(why) => {
                let language = visitor.language_of_session(&services).await;
                Ok(visitor.over(&services, language, why))
            }
        })
    };
    answered(&services, &visitor, done.await).await
}

/// Withdraws what a third party was given.
pub(crate) async fn withdraw(
    State(services): State<Services>,
    visitor: Visitor,
    body: LimitedBody,
) -> Response {
    let done = async {
        let inside = match acting(&services, &visitor, &body, "withdraw").await? {
            Ok(inside) => inside,
            Err(refused) => return Ok(refused),
        };
        let (gateway, id) = (&services.edge.gateway, visitor.which.as_str());
        match gateway.withdraw(&visitor.call.ctx, &inside.insider, id).await {
            Ok(()) => {
                let page = format!("{}/access/{id}", visitor.base());
                Ok(Ok(redirect(StatusCode::SEE_OTHER, &page)))
            }
            Err(gateway::Error::Refused(Refusal::Consent(ConsentRefusal::Final { .. }))) => {
                inside.access(id, true).await.map(Ok)
            }
            Err(error) => Err(error),
        }
    };
    answered(&services, &visitor, done.await).await
}

/// Ends a payment that is not made yet.
pub(crate) async fn end_payment(
    State(services): State<Services>,
    visitor: Visitor,
    body: LimitedBody,
) -> Response {
    let done = async {
        let inside = match acting(&services, &visitor, &body, "end").await? {
            Ok(inside) => inside,
            Err(refused) => return Ok(refused),
        };
        let (gateway, id) = (&services.edge.gateway, visitor.which.as_str());
        match gateway.end_own_payment(&visitor.call.ctx, &inside.insider, id).await {
            Ok(_) => {
                let page = format!("{}/payments/{id}", visitor.base());
                Ok(Ok(redirect(StatusCode::SEE_OTHER, &page)))
            }
            Err(gateway::Error::Refused(Refusal::Payment(
                PaymentRefusal::NotCancellable { .. }
                | PaymentRefusal::LastExecutionMade { .. }
                | PaymentRefusal::Final { .. },
            ))) => inside.payment(id, true).await.map(Ok),
            Err(error) => Err(error),
        }
    };
    answered(&services, &visitor, done.await).await
}

/// A browser's answer, or what it did wrong; or what the bank could not do.
type Answered<T> = Result<Result<T, Error>, gateway::Error>;

async fn answered(services: &Services, visitor: &Visitor, answer: Answered<Response>) -> Response {
    match answer {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            let language = visitor.language_of_session(services).await;
            visitor.wrong(services, language, error)
        }
        Err(error) => visitor.failed(services, error).await,
    }
}

/// A customer who is inside, or the page for a browser in which nobody is.
async fn enter<'a>(
    services: &'a Services,
    visitor: &'a Visitor,
    query: Option<&str>,
) -> Result<Result<Inside<'a>, Response>, gateway::Error> {
    let secret = visitor.secret();
    let place = match &secret {
        Some(secret) => {
            services.edge.gateway.visit_own_pages(&visitor.call.ctx, secret, language_in(query)).await?
        }
        None => OwnPlace::Over(WhyOver::NoSession),
    };
    let why = match place {
        OwnPlace::Inside(insider) => {
            return Ok(Ok(Inside { services, visitor, secret: secret.unwrap_or_default(), insider }));
        }
        OwnPlace::LogIn(view) => {
            let page = NoticePage::not_logged_in(view.language);
            let way_on = WayOn::log_in(visitor.base());
            return Ok(Err(visitor.notice(services, StatusCode::FORBIDDEN, page, way_on)));
        }
        OwnPlace::LoggedIn(_) => WhyOver::NoSession,
        OwnPlace::Over(why) => why,
    };
    let language = visitor.language_of_session(services).await;
    Ok(Err(visitor.over(services, language, why)))
}

/// The form of a browser with a session, if it came from a page of that session; else what is told in its place.
async fn own_form(
    services: &Services,
    visitor: &Visitor,
    body: &LimitedBody,
) -> Result<(Form, String), Result<Response, Error>> {
    let form = Form::from_page(&visitor.headers, &body.0).map_err(|error| Err(error.into()))?;
    let language = visitor.language_of_session(services).await;
    let Some(secret) = visitor.secret() else {
        return Err(Ok(visitor.over(services, language, WhyOver::NoSession)));
    };
    let refused = |page| {
        let way_on = WayOn::newer(visitor.base());
        Ok(visitor.notice(services, StatusCode::FORBIDDEN, page, way_on))
    };
    if is_cross_site(&visitor.headers) {
        return Err(refused(NoticePage::forbidden(language)));
    }
    let token = form.one("csrf").map_err(|error| Err(error.into()))?.unwrap_or_default();
    if !services.edge.gateway.is_csrf_token(&secret, token) {
        return Err(refused(NoticePage::stale(language)));
    }
    Ok((form, secret))
}

/// A customer who is inside and pressed the button of a page of theirs.
async fn acting<'a>(
    services: &'a Services,
    visitor: &'a Visitor,
    body: &LimitedBody,
    action: &str,
) -> Result<Result<Inside<'a>, Result<Response, Error>>, gateway::Error> {
    let form = match own_form(services, visitor, body).await {
        Ok((form, _)) => form,
        Err(refused) => return Ok(Err(refused)),
    };
    let given = form.one("action").ok().flatten();
    if given != Some(action) {
        return Ok(Err(Err(no_action())));
    }
    Ok(enter(services, visitor, None).await?.map_err(Ok))
}

fn no_action() -> Error {
    Error::bad("invalid_request", "the form has no action that is known here")
}

fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

fn language_in(query: Option<&str>) -> Option<Language> {
    parameter(query, "lang").as_deref().and_then(Language::from_code)
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
