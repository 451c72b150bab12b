//! The log-in of the customer's own pages, and the way out.

use axum::extract::State;
use axum::response::Response;
use edge::redirect;
use gateway::{LogInAttempt, OwnLogIn, OwnPlace};
use http::{HeaderValue, StatusCode, header};

use super::{NotShown, Visitor, no_action, own_form};
use crate::log_in_page::{LogIn, TypedLogIn};
use crate::router::{LimitedBody, Services};

impl Visitor {
    pub(super) async fn log_in_page(
        &self,
        services: &Services,
        (secret, view): (&str, OwnLogIn),
        typed: TypedLogIn,
    ) -> Result<Response, NotShown> {
        let OwnLogIn { problem, challenge, language } = view;
        if services.edge.gateway.has_provider() {
            return Ok(self.provider_page(services, (secret, language), None));
        }
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
}

/// Logs in or out, or shows what the simulated device would answer.
pub(crate) async fn log_in_or_out(
    State(services): State<Services>,
    visitor: Visitor,
    body: LimitedBody,
) -> Response {
    let done = async {
        let (form, secret) = own_form(&services, &visitor, &body).await?;
        let (gateway, ctx) = (&services.edge.gateway, &visitor.call.ctx);
        let field = |name| form.one(name).ok().flatten().unwrap_or_default().to_owned();
        let action = field("action");
        let typed = TypedLogIn { iban: field("iban"), number: field("number"), is_filled_in: false };
        let (place, typed) = match action.as_str() {
            "simulate" => (gateway.visit_own_pages(ctx, &secret, None).await?, typed),
            // The customer authenticates elsewhere, and is shown the way there.
            "log-in" if gateway.has_provider() => {
                (gateway.visit_own_pages(ctx, &secret, None).await?, TypedLogIn::default())
            }
            "log-in" => {
                let (answer, challenge) = (field("answer"), field("challenge"));
                let attempt =
                    LogInAttempt { iban: &typed.iban, answer: &answer, challenge: Some(&challenge) };
                let place = gateway.log_in_to_own_pages(ctx, &secret, attempt).await?;
                // The answer belonged to the challenge before.
                (place, TypedLogIn { number: String::new(), ..typed })
            }
            "log-out" => {
                let language = gateway.log_out_of_own_pages(ctx, &secret).await?;
                let chosen = language.map(|language| format!("?lang={}", language.code()));
                let log_in = visitor.base() + &chosen.unwrap_or_default();
                return Ok(visitor.without_session(redirect(StatusCode::SEE_OTHER, &log_in)));
            }
            _ => return Err(no_action().into()),
        };
        // Anybody gets a session in which nobody is logged in.
        if matches!(place, OwnPlace::LoggedIn(_) | OwnPlace::Inside(_)) {
            edge::note_session();
        }
        Ok(match place {
            OwnPlace::LoggedIn(fresh) => {
                visitor.with_cookie(redirect(StatusCode::SEE_OTHER, &visitor.base()), Some(&fresh))
            }
            OwnPlace::LogIn(view) => visitor.log_in_page(&services, (&secret, view), typed).await?,
            OwnPlace::Inside(_) => redirect(StatusCode::SEE_OTHER, &visitor.base()),
            OwnPlace::Over(why) => {
                let language = visitor.language_of_session(&services).await;
                visitor.over(&services, language, why)
            }
        })
    };
    visitor.answer(&services, done.await).await
}
