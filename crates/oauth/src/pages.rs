//! `/auth/internalonly/authorise.html`: where the customer logs in and decides.
//!
//! The page says nothing in its address: which authorisation it is for is known by the session cookie alone.

use axum::extract::{FromRequestParts, RawQuery, State};
use axum::response::Response;
use edge::{BANK_PAGE, Connection, FormError, redirect, session_cookie};
use eidas::visible;
use gateway::domain::{Account, Card, Choice, Consent, GrantedAccount, Language, Product};
use gateway::sessions::{DecisionView, Journey, LogInView};
use gateway::{Approval, Ctx, DecisionProblem, Gateway, LogInAttempt};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use web::{Asker, DecisionPage, NoticePage, ShownAccount, ShownFunds, WayOn};

use crate::error::{DENIED, Error, refused_as};
use crate::form::Form;
use crate::log_in_page::{LogIn, TAKEN, TypedLogIn, taken};
use crate::payment_page::{approval, one_line, refusal};
use crate::router::{Browser, LimitedBody, Services};
use crate::way_back::{location, policy_target};

/// Where the page is, below the prefix of the authorization server.
pub(crate) const PATH: &str = "/internalonly/authorise.html";

pub(crate) const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// What a page says when something went wrong.
pub(crate) struct Failed(pub(crate) Error);

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<FormError> for Failed {
    fn from(error: FormError) -> Self {
        Error::from(error).into()
    }
}

impl From<gateway::Error> for Failed {
    fn from(error: gateway::Error) -> Self {
        Self(refused_as(DENIED, error))
    }
}

/// A browser with a session whose tenant is known.
pub(crate) struct Session<'a> {
    pub(crate) services: &'a Services,
    pub(crate) connection: &'a Connection,
    pub(crate) ctx: Ctx,
    pub(crate) secret: String,
    /// Of its pages, also when it is over.
    pub(crate) language: Language,
}

/// What the page shows in its form: what that brought, or the listed customer who was taken.
#[derive(Default)]
pub(crate) struct Typed {
    iban: String,
    pub(crate) number: String,
    /// Whether a customer of a bank for tests was taken at the log-in.
    is_filled_in: bool,
    /// What was chosen on the page about payments.
    pub(crate) approval: Approval,
    /// Whether the simulator is to answer there.
    pub(crate) simulates: bool,
}

/// Shows the page.
pub(crate) async fn get(
    State(services): State<Services>,
    browser: Browser,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = Form::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let language = query.one("lang").ok().flatten().and_then(|code| services.language(code));
    let TypedLogIn { iban, number, is_filled_in } = taken(&services, query.one(TAKEN).ok().flatten());
    let typed = Typed { iban, number, is_filled_in, ..Typed::default() };
    let session = match find(&services, &browser, &headers).await {
        Ok(Some(session)) => session,
        Ok(None) => return over(&services, services.browser_language(None, &headers)),
        Err(Failed(error)) => return error.for_browser(&services, None, &headers),
    };
    let shown = async {
        let journey = session.services.edge.gateway.visit(&session.ctx, &session.secret, language).await?;
        session.answer(journey, typed, StatusCode::FOUND).await
    };
    let language = language.unwrap_or(session.language);
    match shown.await {
        Ok(response) => response,
        Err(Failed(error)) => session.failed(error, language, &headers).await,
    }
}

/// Takes what the customer typed or pressed.
pub(crate) async fn post(
    State(services): State<Services>,
    browser: Browser,
    headers: HeaderMap,
    body: LimitedBody,
) -> Response {
    let done = async {
        let form = Form::from_page(&headers, &body.0)?;
        let Some(session) = find(&services, &browser, &headers).await? else {
            return Ok(over(&services, services.browser_language(None, &headers)));
        };
        let language = session.language;
        let token = form.one("csrf")?.unwrap_or_default();
        if is_cross_site(&headers) {
            return Ok(
                session.notice(NoticePage::forbidden(language), Some(WayOn::newer(BANK_PAGE.to_owned())))
            );
        }
        // Mostly an older page of the same customer, whose session a newer one has replaced.
        if !services.edge.gateway.is_csrf_token(&session.secret, token) {
            return Ok(session.stale().await?);
        }
        match session.act(&form).await {
            Ok(response) => Ok(response),
            Err(Failed(error)) => Ok(session.failed(error, language, &headers).await),
        }
    };
    done.await.unwrap_or_else(|Failed(error): Failed| error.for_browser(&services, None, &headers))
}

/// What a browser is told that asks for something beside the page.
pub(crate) async fn unserved(services: &Services, parts: &mut Parts, error: Error) -> Response {
    let browser = match Browser::from_request_parts(parts, services).await {
        Ok(browser) => browser,
        Err(error) => return error.for_browser(services, None, &parts.headers),
    };
    match find(services, &browser, &parts.headers).await {
        Ok(Some(session)) => session.failed(error, session.language, &parts.headers).await,
        Ok(None) => error.for_browser(services, None, &parts.headers),
        Err(Failed(error)) => error.for_browser(services, None, &parts.headers),
    }
}

pub(crate) async fn find<'a>(
    services: &'a Services,
    browser: &'a Browser,
    headers: &HeaderMap,
) -> Result<Option<Session<'a>>, Failed> {
    let Some(secret) = session_cookie::session(&browser.connection, headers) else { return Ok(None) };
    let gateway = &services.edge.gateway;
    let Some((tenant, _, language)) = gateway.session_place(&secret).await? else { return Ok(None) };
    edge::note_session();
    let ctx = gateway.context(tenant.as_str(), browser.request.clone());
    Ok(ctx.map(|ctx| Session { services, connection: &browser.connection, ctx, secret, language }))
}

impl Session<'_> {
    async fn act(&self, form: &Form) -> Result<Response, Failed> {
        let (gateway, ctx, secret) = (&self.services.edge.gateway, &self.ctx, self.secret.as_str());
        let field = |name| Ok::<_, Error>(form.one(name)?.unwrap_or_default());
        let mut typed = Typed::default();
        let journey = match field("action")? {
            // The customer authenticates elsewhere, and is sent there again.
            "log-in" if gateway.has_provider() => gateway.visit(ctx, secret, None).await?,
            "log-in" => {
                let (iban, number) = (field("iban")?.to_owned(), field("number")?.to_owned());
                typed = Typed { iban, number, ..typed };
                let (answer, challenge) = (field("answer")?, Some(field("challenge")?));
                gateway.log_in(ctx, secret, LogInAttempt { iban: &typed.iban, answer, challenge }).await?
            }
            "simulate" => {
                let (iban, number) = (field("iban")?.to_owned(), field("number")?.to_owned());
                typed = Typed { iban, number, approval: approval(form)?, simulates: true, ..typed };
                gateway.visit(ctx, secret, None).await?
            }
            "approve" => {
                typed.approval = approval(form)?;
                match gateway.approve(ctx, secret, &typed.approval).await? {
                    Journey::Decide(view) if self.is_for_provider(&view) => {
                        return self.to_provider(Some(&typed.approval), StatusCode::SEE_OTHER).await;
                    }
                    journey => journey,
                }
            }
            "refuse" => gateway.approve(ctx, secret, &refusal(form)?).await?,
            "cancel" => gateway.cancel(ctx, secret).await?,
            _ => {
                let text = "the form has no action that is known here";
                return Err(Error::bad("invalid_request", text).into());
            }
        };
        self.answer(journey, typed, StatusCode::SEE_OTHER).await
    }

    /// The page of where the browser stands, or the way to where it goes on.
    pub(crate) async fn answer(
        &self,
        journey: Journey,
        typed: Typed,
        redirect_status: StatusCode,
    ) -> Result<Response, Failed> {
        match journey {
            Journey::LoggedIn(secret) => {
                let mut response = redirect(redirect_status, BANK_PAGE);
                let cookie = session_cookie::set_session(&self.connection.origin, Some(&secret));
                response.headers_mut().insert(header::SET_COOKIE, cookie);
                Ok(response)
            }
            Journey::LogIn(_) if self.gateway().has_provider() => {
                self.to_provider(None, redirect_status).await
            }
            Journey::LogIn(view) => self.log_in_page(*view, typed).await,
            Journey::Decide(view) if view.payments.is_empty() => Ok(self.decision_page(*view)),
            Journey::Decide(view) => {
                let page = self.payment_page(&view, typed);
                let mut targets = policy_target(&view.redirect_uri);
                if let Some(origin) = self.gateway().provider_origin().await {
                    targets = format!("{targets} {origin}");
                }
                Ok(web::form_page(StatusCode::OK, &page, &targets))
            }
            Journey::Leave(way_back) => {
                let location = location(self.services, &self.ctx.tenant, &way_back);
                Ok(self.without_session(redirect(redirect_status, &location)))
            }
            Journey::Ended => Ok(self.ended().await?),
        }
    }

    fn without_session(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        headers.insert(header::SET_COOKIE, session_cookie::set_session(&self.connection.origin, None));
        // Going back in the browser must not show the customer's accounts again.
        headers.insert(CLEAR_SITE_DATA, HeaderValue::from_static("\"cache\""));
        response
    }

    async fn log_in_page(&self, view: LogInView, typed: Typed) -> Result<Response, Failed> {
        let asker = Asker { name: visible(&view.tpp.name).into_owned(), id: view.tpp.id.to_string() };
        let log_in = LogIn {
            services: self.services,
            ctx: &self.ctx,
            secret: &self.secret,
            language: view.language,
            asker: Some(asker),
            action: "authorise.html".to_owned(),
            challenge: view.challenge,
            problem: view.problem,
        };
        let Typed { iban, number, is_filled_in, .. } = typed;
        let (status, page, retry_after) = log_in.page(TypedLogIn { iban, number, is_filled_in }).await?;
        let mut response = web::form_page(status, &page, &policy_target(&view.redirect_uri));
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        Ok(response)
    }

    /// What went wrong, with the way back to the third party, or else to the log-in.
    pub(crate) async fn failed(&self, error: Error, language: Language, headers: &HeaderMap) -> Response {
        // What cannot be found out now does not hide what went wrong.
        let back = self.way_back().await.unwrap_or_default();
        let way_on = back.or_else(|| self.way_to_log_in(language));
        error.into_page(self.services, language, headers, self.brand(), way_on)
    }

    /// The session has ended.
    async fn ended(&self) -> Result<Response, gateway::Error> {
        let way_on = self.way_back().await?;
        let way_on = way_on.or_else(|| self.way_to_log_in(self.language));
        Ok(self.notice(NoticePage::over(self.language), way_on))
    }

    fn way_to_log_in(&self, language: Language) -> Option<WayOn> {
        Some(self.services.way_to_log_in(Some(&self.ctx.tenant))?.in_language(language))
    }

    /// The form belonged to another session of the browser than the one that it is in.
    pub(crate) async fn stale(&self) -> Result<Response, gateway::Error> {
        match self.gateway().is_open(&self.ctx, &self.secret).await? {
            true => {
                let way_on = WayOn::newer(BANK_PAGE.to_owned());
                Ok(self.notice(NoticePage::stale(self.language), Some(way_on)))
            }
            false => self.ended().await,
        }
    }

    async fn way_back(&self) -> Result<Option<WayOn>, gateway::Error> {
        let way_back = self.gateway().way_back_of(&self.ctx, &self.secret).await?;
        Ok(way_back.and_then(|way_back| WayOn::back(location(self.services, &self.ctx.tenant, &way_back))))
    }

    fn notice(&self, page: NoticePage, way_on: Option<WayOn>) -> Response {
        web::page(StatusCode::FORBIDDEN, &page.of(self.brand(), way_on))
    }

    pub(crate) fn brand(&self) -> web::Brand {
        self.services.brand(Some(&self.ctx.tenant))
    }

    fn decision_page(&self, view: DecisionView) -> Response {
        let consent = view.consent.as_ref();
        let page = DecisionPage {
            language: view.language,
            brand: self.brand(),
            csrf: self.services.edge.gateway.csrf_token(&self.secret),
            tpp_name: visible(&view.tpp.name).into_owned(),
            tpp_id: view.tpp.id.to_string(),
            customer_name: visible(&view.customer_name).into_owned(),
            choice: consent.map_or(Choice::None, |consent| consent.access.choice()),
            shares_access: consent.is_some(),
            funds: view.funds_consent.as_ref().map(|consent| ShownFunds { card: shown_card(&consent.card) }),
            balances: asks(consent, |granted| granted.balances, &view.accounts),
            transactions: asks(consent, |granted| granted.transactions, &view.accounts),
            accounts: view
                .accounts
                .iter()
                .map(|account| ShownAccount {
                    id: account.id.to_string(),
                    number: format!("{}, {}", account.iban.grouped(), account.currency.code()),
                    name: visible(&account.name).into_owned(),
                    is_savings: account.product == Product::Savings,
                })
                .collect(),
            until: consent.map(|consent| web::day(view.language, consent.valid_until)).unwrap_or_default(),
            recurring: consent.is_some_and(|consent| consent.recurring),
            must_choose: view.problem == Some(DecisionProblem::Undecided),
        };
        web::form_page(StatusCode::OK, &page, &policy_target(&view.redirect_uri))
    }

    pub(crate) fn gateway(&self) -> &Gateway {
        &self.services.edge.gateway
    }
}

/// What a customer knows a card by: its kind and the last digits of its number.
pub(crate) fn shown_card(card: &Card) -> String {
    let number: Vec<char> = card.number.iter().flat_map(|number| number.chars()).collect();
    let last: String = number[number.len().saturating_sub(4)..].iter().collect();
    let number = if last.is_empty() { last } else { format!("\u{2026}{last}") };
    let information = one_line(card.information.as_deref().unwrap_or_default());
    format!("{information} {}", visible(&number)).trim().to_owned()
}

/// Whether a right is asked for on any account.
pub(crate) fn asks(
    consent: Option<&Consent>,
    right: fn(&GrantedAccount) -> bool,
    accounts: &[Account],
) -> bool {
    let granted = |account| consent.and_then(|consent| consent.access.grant(account));
    accounts.iter().filter_map(granted).any(|granted| right(&granted))
}

/// The page for a browser without a session that goes on.
pub(crate) fn over(services: &Services, language: Language) -> Response {
    let page = NoticePage::over(language).of(services.brand(None), services.way_to_log_in(None));
    web::page(StatusCode::FORBIDDEN, &page)
}

/// Browsers say by themselves when a form was sent from another site.
pub(crate) fn is_cross_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site" || site == "same-site")
}
