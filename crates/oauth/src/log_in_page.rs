//! The log-in, at whose door ever it is: the challenge, what went wrong, and at a bank for tests the simulated device and
//! the customers that there are.

use eidas::visible;
use gateway::domain::{Language, Timestamp};
use gateway::{Ctx, LogInProblem};
use http::StatusCode;
use web::{Asker, LogInPage, Problem, Simulator, TestCustomer};

use crate::router::Services;

/// Customers of a bank for tests that are listed.
const LISTED: usize = 8;

/// The parameter that names the listed customer who was taken: the number of the device, and that of the account.
pub(crate) const TAKEN: &str = "customer";

/// What the form shows from the start: what it brought, or what belongs to the listed customer who was taken.
#[derive(Debug, Default)]
pub(crate) struct TypedLogIn {
    pub(crate) iban: String,
    /// Number of the simulated device.
    pub(crate) number: String,
    /// Whether a listed customer was taken.
    pub(crate) is_filled_in: bool,
}

/// The log-in of the customer of a bank for tests who was taken; an empty one if none was. A page is asked for and
/// nothing is sent, so that the browser can go back and forth.
pub(crate) fn taken(services: &Services, named: Option<&str>) -> TypedLogIn {
    let named = named.filter(|_| services.edge.gateway.is_for_tests());
    named.and_then(|named| named.split_once(' ')).map_or_else(TypedLogIn::default, |(number, iban)| {
        TypedLogIn { iban: iban.to_owned(), number: number.to_owned(), is_filled_in: true }
    })
}

/// A log-in.
pub(crate) struct LogIn<'a> {
    pub(crate) services: &'a Services,
    pub(crate) ctx: &'a Ctx,
    /// Of the session.
    pub(crate) secret: &'a str,
    pub(crate) language: Language,
    /// Who asks; nobody at the bank's own pages.
    pub(crate) asker: Option<Asker>,
    /// Where the form goes.
    pub(crate) action: String,
    pub(crate) challenge: String,
    pub(crate) problem: Option<LogInProblem>,
}

impl LogIn<'_> {
    /// The page with its status, and after how many seconds to come back if too many are open.
    pub(crate) async fn page(
        self,
        typed: TypedLogIn,
    ) -> Result<(StatusCode, LogInPage, Option<i64>), gateway::Error> {
        let gateway = &self.services.edge.gateway;
        let TypedLogIn { iban, number, is_filled_in } = typed;
        // Until what is open has been left alone for too long.
        let retry_after = match self.problem {
            Some(LogInProblem::TooManyOpen { idle_time, .. }) => Some(idle_time.as_secs()),
            _ => None,
        };
        let answer = gateway.simulated_answer(&number, &self.challenge);
        let simulator =
            answer.map(|answer| Simulator { answer: Some(answer).filter(|_| !number.is_empty()), number });
        let problem = self.problem.and_then(|problem| shown_problem(self.ctx, problem));
        let customers = gateway.test_customers(self.ctx, LISTED).await?;
        let page = LogInPage {
            language: self.language,
            csrf: gateway.csrf_token(self.secret),
            brand: self.services.brand(Some(&self.ctx.tenant)),
            asker: self.asker,
            action: self.action,
            challenge: self.challenge,
            iban,
            problem,
            simulator,
            customers: customers.into_iter().map(shown_customer).collect(),
            is_filled_in,
        };
        let status = if retry_after.is_some() { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::OK };
        Ok((status, page, retry_after))
    }
}

fn shown_customer(customer: gateway::bank::TestCustomer) -> TestCustomer {
    TestCustomer {
        name: visible(&customer.name).into_owned(),
        iban: customer.number.as_str().to_owned(),
        number: customer.number.grouped(),
        device_number: customer.device_number,
        description: customer.description.to_owned(),
    }
}

fn shown_problem(ctx: &Ctx, problem: LogInProblem) -> Option<Problem> {
    match problem {
        LogInProblem::Wrong { left } => Some(Problem::Wrong(left)),
        LogInProblem::Stale => None,
        LogInProblem::TooManyOpen { most, idle_time } => {
            Some(Problem::TooManyOpen { most, minutes: idle_time.as_secs().div_euclid(60) })
        }
        LogInProblem::Blocked { until, failures } => {
            Some(Problem::Blocked { until: time_of_day(ctx, until), failures })
        }
    }
}

pub(crate) fn time_of_day(ctx: &Ctx, moment: Timestamp) -> String {
    let time = ctx.tenant.time_at(moment);
    format!("{:02}:{:02}", time.hour(), time.minute())
}
