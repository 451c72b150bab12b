//! Paths and handlers of the dialect.

use axum::Router;
use axum::extract::OriginalUri;
use axum::middleware::{from_fn_with_state, map_response};
use edge::openapi::{self, Description, Operation};
use edge::{Dialect, Edge, Rejected, guard};
use gateway::domain::{Interface, PaymentService};
use http::Method;

use crate::error::{Error, terse};
use crate::failures::FAILING;
use crate::{accounts, authorisations, consents, funds, not_offered, onboarding, payments};

/// The dialect, for the list of what a build serves.
pub const DIALECT: Dialect = Dialect {
    name: Interface::BerlinGroup.name(),
    title: Interface::BerlinGroup.title(),
    prefix: PREFIX,
    base: "/xs2a-bg/{tenant}",
    also: None,
    mount: |edge| mount(edge).into(),
    description,
    failing: FAILING,
};

/// The path prefix the dialect is mounted under.
const PREFIX: &str = "/xs2a-bg";

/// Examples for the description; a test holds them against answers.
const EXAMPLES: &str = include_str!("examples.json");

/// What a signed call carries.
const SIGNED: &[&str] = &["X-Request-ID", "Digest", "Signature", "TPP-Signature-Certificate"];

/// What a call adds that reads account data.
const DATA: &[&str] = &["Consent-ID", "Authorization"];

/// Every operation but the one that tells the description.
fn operations() -> Vec<Operation<Edge>> {
    let groups = [
        ("onboarding", onboarding()),
        ("consents", consents()),
        ("accounts", accounts()),
        ("payments", payments()),
        ("confirmation of funds", funds()),
    ];
    let signed = |(tag, operations): (&'static str, Vec<Operation<Edge>>)| {
        operations.into_iter().map(move |operation| operation.with(tag, SIGNED))
    };
    let mut operations: Vec<_> = groups.into_iter().flat_map(signed).collect();
    operations
        .push(Operation::get("/version", 200, "Version of the program", async || env!("CARGO_PKG_VERSION")));
    operations
}

fn description(public_url: &str) -> Description {
    let described = operations().iter().map(|operation| operation.described().clone()).collect();
    let server = format!("{public_url}{PREFIX}");
    Description::new("Access to accounts (NextGenPSD2)", server, described, EXAMPLES)
}

fn mount(edge: Edge) -> Router {
    let mut operations = operations();
    operations.push(description(&edge.public_url).operation());
    let router = openapi::route_all(not_offered::route(Router::new()), operations)
        .fallback(async || Error::from(Rejected::NotFound))
        .method_not_allowed_fallback(not_allowed);
    let router = if edge.explain { router } else { router.layer(map_response(terse)) };
    router.layer(from_fn_with_state(edge.clone(), guard::<Error>)).with_state(edge)
}

fn onboarding() -> Vec<Operation<Edge>> {
    ["/{tenant}/onboarding/v1", "/{tenant}/v1/onboarding"]
        .map(|path| {
            Operation::get(path, 200, "Get an initial access token", onboarding::initial_access_token)
        })
        .into()
}

fn consents() -> Vec<Operation<Edge>> {
    use authorisations::{Consents, confirm, list, start, status};
    const CONSENT: &str = "/{tenant}/v1/consents/{consent}";
    const AUTHORISATIONS: &str = "/{tenant}/v1/consents/{consent}/authorisations";
    const AUTHORISATION: &str = "/{tenant}/v1/consents/{consent}/authorisations/{authorisation}";
    vec![
        Operation::post("/{tenant}/v1/consents", 201, "Ask for a consent", consents::create)
            .with("", &["PSU-IP-Address", "TPP-Redirect-URI"]),
        Operation::get(CONSENT, 200, "Read a consent", consents::read),
        Operation::delete(CONSENT, 204, "End a consent", consents::delete),
        Operation::get(
            "/{tenant}/v1/consents/{consent}/status",
            200,
            "Status of a consent",
            consents::status,
        ),
        Operation::get(AUTHORISATIONS, 200, "Authorisations of a consent", list::<Consents>),
        Operation::post(AUTHORISATIONS, 201, "Begin another authorisation", start::<Consents>)
            .with("", &["TPP-Redirect-URI"]),
        Operation::get(AUTHORISATION, 200, "Status of an authorisation", status::<Consents>),
        Operation::put(AUTHORISATION, 200, "Confirm an authorisation", confirm::<Consents>)
            .with("", &["Authorization"]),
    ]
}

fn payments() -> Vec<Operation<Edge>> {
    ["payments", "periodic-payments", "bulk-payments"].into_iter().flat_map(payments_of).collect()
}

/// Operations of a payment service.
fn payments_of(service: &str) -> Vec<Operation<Edge>> {
    use authorisations::{confirm, list, start, status};
    use payments::{Cancellations, Payments};
    const REDIRECT: &[&str] = &["TPP-Redirect-URI"];
    const TOKEN: &[&str] = &["Authorization"];
    let all = format!("/{{tenant}}/v1/{service}/{{product}}");
    let one = format!("{all}/{{payment}}");
    let (attempts, stops) = (format!("{one}/authorisations"), format!("{one}/cancellation-authorisations"));
    let (attempt, stop) = (format!("{attempts}/{{authorisation}}"), format!("{stops}/{{authorisation}}"));
    vec![
        Operation::post(&all, 201, "Ask for a payment", payments::create)
            .with("", &["PSU-IP-Address", "TPP-Redirect-URI"]),
        Operation::get(&one, 200, "Read a payment", payments::read),
        Operation::delete(&one, 200, "Cancel a payment", payments::cancel).with("", REDIRECT),
        Operation::get(&format!("{one}/status"), 200, "Status of a payment", payments::status),
        Operation::get(&attempts, 200, "Authorisations of a payment", list::<Payments>),
        Operation::post(&attempts, 201, "Begin another authorisation", start::<Payments>).with("", REDIRECT),
        Operation::get(&attempt, 200, "Status of an authorisation", status::<Payments>),
        Operation::put(&attempt, 200, "Confirm an authorisation", confirm::<Payments>).with("", TOKEN),
        Operation::get(&stops, 200, "Cancellation authorisations", list::<Cancellations>),
        Operation::post(&stops, 201, "Begin another cancellation authorisation", start::<Cancellations>)
            .with("", REDIRECT),
        Operation::get(&stop, 200, "Status of a cancellation authorisation", status::<Cancellations>),
        Operation::put(&stop, 200, "Confirm a cancellation", confirm::<Cancellations>).with("", TOKEN),
    ]
}

/// A known path that is called with another method. One that ends before the id of a payment is unknown (section 7.1).
async fn not_allowed(method: Method, OriginalUri(uri): OriginalUri) -> Error {
    let is_about_one = matches!(method, Method::GET | Method::HEAD | Method::PUT | Method::DELETE);
    let mut segments = uri.path().trim_end_matches('/').rsplit('/');
    let lacks_id = segments.nth(1).is_some_and(|service| PaymentService::from_name(service).is_some());
    Error::from(if is_about_one && lacks_id { Rejected::NotFound } else { Rejected::Method(method) })
}

fn accounts() -> Vec<Operation<Edge>> {
    use accounts::{balances, current, details, list, savings, transactions, transactions_page};
    vec![
        Operation::get("/{tenant}/v1/accounts", 200, "Accounts", list::<current::Kind>),
        Operation::get("/{tenant}/v1/accounts/{account}", 200, "An account", details::<current::Kind>),
        Operation::get(
            "/{tenant}/v1/accounts/{account}/balances",
            200,
            "Balances",
            balances::<current::Kind>,
        ),
        Operation::get(
            "/{tenant}/v1/accounts/{account}/transactions",
            200,
            "Transactions",
            transactions::<current::Kind>,
        ),
        Operation::get(
            "/{tenant}/v1/accounts/{account}/transactions/page",
            200,
            "A page of transactions",
            transactions_page::<current::Kind>,
        ),
        Operation::get("/{tenant}/v2/savings", 200, "Savings accounts", list::<savings::Kind>),
        Operation::get("/{tenant}/v2/savings/{account}", 200, "A savings account", details::<savings::Kind>),
        Operation::get("/{tenant}/v2/savings/{account}/balances", 200, "Balances", balances::<savings::Kind>),
        Operation::get(
            "/{tenant}/v2/savings/{account}/transactions",
            200,
            "Transactions",
            transactions::<savings::Kind>,
        ),
    ]
    .into_iter()
    .map(|operation| operation.with("", DATA))
    .collect()
}

fn funds() -> Vec<Operation<Edge>> {
    use authorisations::{confirm, list, start, status};
    use funds::FundsConsents;
    const CONSENT: &str = "/{tenant}/v2/consents/confirmation-of-funds/{consent}";
    const AUTHORISATIONS: &str = "/{tenant}/v2/consents/confirmation-of-funds/{consent}/authorisations";
    const AUTHORISATION: &str =
        "/{tenant}/v2/consents/confirmation-of-funds/{consent}/authorisations/{authorisation}";
    vec![
        Operation::post(
            "/{tenant}/v2/consents/confirmation-of-funds",
            201,
            "Ask for a consent to confirmation of funds",
            funds::create,
        )
        .with("", &["PSU-IP-Address", "TPP-Redirect-URI"]),
        Operation::get(CONSENT, 200, "Read a consent to confirmation of funds", funds::read),
        Operation::delete(CONSENT, 204, "End a consent to confirmation of funds", funds::delete),
        Operation::get(
            "/{tenant}/v2/consents/confirmation-of-funds/{consent}/status",
            200,
            "Status of a consent to confirmation of funds",
            funds::status,
        ),
        Operation::get(AUTHORISATIONS, 200, "Authorisations of a consent", list::<FundsConsents>),
        Operation::post(AUTHORISATIONS, 201, "Begin another authorisation", start::<FundsConsents>)
            .with("", &["TPP-Redirect-URI"]),
        Operation::get(AUTHORISATION, 200, "Status of an authorisation", status::<FundsConsents>),
        Operation::put(AUTHORISATION, 200, "Confirm an authorisation", confirm::<FundsConsents>)
            .with("", &["Authorization"]),
        Operation::post(
            "/{tenant}/v1/funds-confirmations",
            200,
            "Whether an account holds an amount",
            funds::confirm,
        )
        .with("", DATA),
    ]
}
