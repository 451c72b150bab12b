//! Every operation of the interface, in the order of section 1 of its description: who may call it with which token,
//! and whether it has to be signed.

use std::pin::Pin;

use edge::Rejected;
use edge::openapi::Described;
use http::Method;
use matchit::Router;

use crate::call::Call;
use crate::error::Error;
use crate::names::Names;
use crate::reply::Reply;
use crate::{
    accounts, attachments, callback_failures, cards, credentials, devices, draft_payments, events, funds,
    installations, issuer_transactions, notifications, oauth_clients, payment_batches, payments,
    permitted_ips, provider_drafts, requests, sandbox_users, schedules, sessions, statements, users,
};

/// Which token a call takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    None,
    Installation,
    Session,
}

/// Whether a call has to be signed. A signature that is there is always checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signed {
    Always,
    Optional,
}

/// What answers a call.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send>>;

/// One operation.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) method: Method,
    /// The path below `/v1`, with its parameters in braces.
    pub(crate) path: &'static str,
    pub(crate) token: TokenKind,
    pub(crate) signed: Signed,
    /// The module of the handler, and what it does.
    pub(crate) name: (&'static str, &'static str),
    pub(crate) handler: fn(Call) -> Answer,
}

impl Route {
    /// For the description of the interface.
    fn described(&self) -> Described {
        let (tag, name) = self.name;
        let mut headers = Vec::new();
        if self.token != TokenKind::None {
            headers.push(("X-Bunq-Client-Authentication", true));
        }
        headers.push(("X-Bunq-Client-Signature", self.signed == Signed::Always));
        Described {
            method: self.method.clone(),
            path: format!("/v1{}", self.path),
            tag,
            summary: name.replace('_', " "),
            success: 200,
            headers,
        }
    }
}

/// Every operation below `/v1`, for the description of the interface of a bank that is for tests, or of another one.
pub(crate) fn described(is_for_tests: bool) -> Vec<Described> {
    all(is_for_tests).iter().map(Route::described).collect()
}

fn all(is_for_tests: bool) -> Vec<Route> {
    let users_on_demand = if is_for_tests { users_on_demand() } else { Vec::new() };
    [registration(), account_information(), payment_initiation(), users_on_demand, assets()]
        .into_iter()
        .flatten()
        .collect()
}

/// Method, path, token, signature, handler; one operation a line.
macro_rules! routes {
    ($($method:ident $path:literal $token:ident $signed:ident $module:ident $(:: $handler:ident)+;)*) => {
        vec![$(Route {
            method: Method::$method,
            path: $path,
            token: TokenKind::$token,
            signed: Signed::$signed,
            name: (stringify!($module), concat!($(stringify!($handler), " "),+).trim_ascii()),
            handler: |call| Box::pin($module $(:: $handler)+ (call)),
        }),*]
    };
}

fn registration() -> Vec<Route> {
    routes! {
        POST "/installation" None Optional installations::create;
        GET "/installation" Session Optional installations::list;
        GET "/installation/{id}" Session Optional installations::read;
        GET "/installation/{id}/server-public-key" Session Optional installations::server_key;
        POST "/payment-service-provider-credential" Installation Optional credentials::create;
        GET "/payment-service-provider-credential/{id}" Session Optional credentials::read_own;
        POST "/device-server" Installation Optional devices::create;
        GET "/device-server" Session Optional devices::list_all;
        GET "/device-server/{id}" Session Optional devices::read;
        GET "/device" Session Optional devices::list_all;
        GET "/device/{id}" Session Optional devices::read;
        POST "/session-server" Installation Always sessions::create;
        DELETE "/session/{id}" Session Optional sessions::delete;
        GET "/user/{user}/credential-password-ip" Session Optional credentials::list_all;
        GET "/user/{user}/credential-password-ip/{id}" Session Optional credentials::read;
        POST "/user/{user}/credential-password-ip/{credential}/ip" Session Optional permitted_ips::add;
        GET "/user/{user}/credential-password-ip/{credential}/ip" Session Optional permitted_ips::list;
        GET "/user/{user}/credential-password-ip/{credential}/ip/{id}" Session Optional permitted_ips::read;
        PUT "/user/{user}/credential-password-ip/{credential}/ip/{id}" Session Optional permitted_ips::change;
        POST "/user/{user}/oauth-client" Session Optional oauth_clients::create;
        GET "/user/{user}/oauth-client" Session Optional oauth_clients::list;
        GET "/user/{user}/oauth-client/{id}" Session Optional oauth_clients::read;
        PUT "/user/{user}/oauth-client/{id}" Session Optional oauth_clients::change;
        POST "/user/{user}/oauth-client/{client}/callback-url" Session Optional oauth_clients::add_callback;
        GET "/user/{user}/oauth-client/{client}/callback-url" Session Optional oauth_clients::list_callbacks;
        GET "/user/{user}/oauth-client/{client}/callback-url/{id}" Session Optional oauth_clients::read_callback;
        PUT "/user/{user}/oauth-client/{client}/callback-url/{id}" Session Optional oauth_clients::change_callback;
        DELETE "/user/{user}/oauth-client/{client}/callback-url/{id}" Session Optional oauth_clients::delete_callback;
    }
}

fn account_information() -> Vec<Route> {
    routes! {
        GET "/user" Session Optional users::list_own;
        GET "/user/{user}" Session Optional users::read;
        GET "/user-person/{user}" Session Optional users::read_person;
        PUT "/user-person/{user}" Session Optional users::change;
        GET "/user-company/{user}" Session Optional users::read_company;
        PUT "/user-company/{user}" Session Optional users::change;
        GET "/user-payment-service-provider/{user}" Session Optional users::read_provider;
        GET "/user/{user}/legal-name" Session Optional users::legal_name;
        GET "/user/{user}/limit" Session Optional users::limits;
        GET "/user/{user}/monetary-account" Session Optional accounts::list;
        GET "/user/{user}/monetary-account/{account}" Session Optional accounts::read;
        POST "/user/{user}/monetary-account-bank" Session Optional accounts::bank::open;
        GET "/user/{user}/monetary-account-bank" Session Optional accounts::bank::list;
        GET "/user/{user}/monetary-account-bank/{account}" Session Optional accounts::bank::read;
        PUT "/user/{user}/monetary-account-bank/{account}" Session Optional accounts::bank::change;
        POST "/user/{user}/monetary-account-joint" Session Optional accounts::joint::open;
        GET "/user/{user}/monetary-account-joint" Session Optional accounts::joint::list;
        GET "/user/{user}/monetary-account-joint/{account}" Session Optional accounts::joint::read;
        PUT "/user/{user}/monetary-account-joint/{account}" Session Optional accounts::joint::change;
        POST "/user/{user}/monetary-account-savings" Session Optional accounts::savings::open;
        GET "/user/{user}/monetary-account-savings" Session Optional accounts::savings::list;
        GET "/user/{user}/monetary-account-savings/{account}" Session Optional accounts::savings::read;
        PUT "/user/{user}/monetary-account-savings/{account}" Session Optional accounts::savings::change;
        POST "/user/{user}/monetary-account-external" Session Optional accounts::external::open;
        GET "/user/{user}/monetary-account-external" Session Optional accounts::external::list;
        GET "/user/{user}/monetary-account-external/{account}" Session Optional accounts::external::read;
        PUT "/user/{user}/monetary-account-external/{account}" Session Optional accounts::external::change;
        POST "/user/{user}/monetary-account-external-savings" Session Optional accounts::external_savings::open;
        GET "/user/{user}/monetary-account-external-savings" Session Optional accounts::external_savings::list;
        GET "/user/{user}/monetary-account-external-savings/{account}" Session Optional accounts::external_savings::read;
        PUT "/user/{user}/monetary-account-external-savings/{account}" Session Optional accounts::external_savings::change;
        GET "/user/{user}/monetary-account-card" Session Optional accounts::card::list;
        GET "/user/{user}/monetary-account-card/{account}" Session Optional accounts::card::read;
        PUT "/user/{user}/monetary-account-card/{account}" Session Optional accounts::card::change;
        GET "/user/{user}/monetary-account/{account}/payment" Session Optional payments::list;
        GET "/user/{user}/monetary-account/{account}/payment/{id}" Session Optional payments::read;
        GET "/user/{user}/event" Session Optional events::list;
        GET "/user/{user}/event/{id}" Session Optional events::read;
        GET "/user/{user}/monetary-account/{account}/mastercard-action" Session Optional payments::no_card_actions;
        GET "/user/{user}/monetary-account/{account}/mastercard-action/{id}" Session Optional payments::no_card_action;
        GET "/user/{user}/monetary-account/{account}/mastercard-action/{id}/payment" Session Optional payments::no_card_action;
        GET "/user/{user}/card" Session Optional cards::list;
        GET "/user/{user}/card/{id}" Session Optional cards::read;
        POST "/user/{user}/monetary-account/{account}/customer-statement" Session Optional statements::create;
        GET "/user/{user}/monetary-account/{account}/customer-statement" Session Optional statements::list;
        GET "/user/{user}/monetary-account/{account}/customer-statement/{id}" Session Optional statements::read;
        DELETE "/user/{user}/monetary-account/{account}/customer-statement/{id}" Session Optional statements::delete;
        GET "/user/{user}/monetary-account/{account}/customer-statement/{id}/content" Session Optional statements::content;
        POST "/user/{user}/monetary-account/{account}/event/{event}/statement" Session Optional statements::create_of_payment;
        GET "/user/{user}/monetary-account/{account}/event/{event}/statement/{id}" Session Optional statements::read_of_payment;
        GET "/user/{user}/monetary-account/{account}/event/{event}/statement/{id}/content" Session Optional statements::content_of_payment;
    }
}

fn payment_initiation() -> Vec<Route> {
    routes! {
        POST "/user/{user}/confirmation-of-funds" Session Optional funds::confirm;
        POST "/user/{user}/payment-service-provider-draft-payment" Session Optional provider_drafts::create;
        GET "/user/{user}/payment-service-provider-draft-payment" Session Optional provider_drafts::list;
        GET "/user/{user}/payment-service-provider-draft-payment/{id}" Session Optional provider_drafts::read;
        PUT "/user/{user}/payment-service-provider-draft-payment/{id}" Session Optional provider_drafts::change;
        POST "/user/{user}/payment-service-provider-issuer-transaction" Session Optional issuer_transactions::create;
        GET "/user/{user}/payment-service-provider-issuer-transaction" Session Optional issuer_transactions::list;
        GET "/user/{user}/payment-service-provider-issuer-transaction/{id}" Session Optional issuer_transactions::read;
        PUT "/user/{user}/payment-service-provider-issuer-transaction/{id}" Session Optional issuer_transactions::change;
        GET "/payment-service-provider-issuer-transaction-public/{uuid}" None Optional issuer_transactions::read_public;
        PUT "/payment-service-provider-issuer-transaction-public/{uuid}" None Optional issuer_transactions::reject_public;
        // The one client that is known to call it puts a user in front.
        GET "/user/{user}/payment-service-provider-issuer-transaction-public/{uuid}" None Optional issuer_transactions::read_public;
        PUT "/user/{user}/payment-service-provider-issuer-transaction-public/{uuid}" None Optional issuer_transactions::reject_public;
        POST "/user/{user}/monetary-account/{account}/draft-payment" Session Optional draft_payments::create;
        GET "/user/{user}/monetary-account/{account}/draft-payment" Session Optional draft_payments::list;
        GET "/user/{user}/monetary-account/{account}/draft-payment/{id}" Session Optional draft_payments::read;
        PUT "/user/{user}/monetary-account/{account}/draft-payment/{id}" Session Optional draft_payments::change;
        POST "/user/{user}/monetary-account/{account}/payment" Session Always payments::create;
        POST "/user/{user}/monetary-account/{account}/payment-batch" Session Always payment_batches::create;
        GET "/user/{user}/monetary-account/{account}/payment-batch" Session Optional payment_batches::list;
        GET "/user/{user}/monetary-account/{account}/payment-batch/{id}" Session Optional payment_batches::read;
        PUT "/user/{user}/monetary-account/{account}/payment-batch/{id}" Session Optional payment_batches::change;
        POST "/user/{user}/monetary-account/{account}/schedule-payment" Session Always schedules::create;
        GET "/user/{user}/monetary-account/{account}/schedule-payment" Session Optional schedules::list;
        GET "/user/{user}/monetary-account/{account}/schedule-payment/{id}" Session Optional schedules::read;
        PUT "/user/{user}/monetary-account/{account}/schedule-payment/{id}" Session Always schedules::change;
        DELETE "/user/{user}/monetary-account/{account}/schedule-payment/{id}" Session Optional schedules::delete;
        GET "/user/{user}/schedule" Session Optional schedules::list_of_user;
        GET "/user/{user}/monetary-account/{account}/schedule" Session Optional schedules::list_schedules;
        GET "/user/{user}/monetary-account/{account}/schedule/{id}" Session Optional schedules::read_one;
        GET "/user/{user}/monetary-account/{account}/schedule/{schedule}/schedule-instance" Session Optional schedules::list_instances;
        GET "/user/{user}/monetary-account/{account}/schedule/{schedule}/schedule-instance/{id}" Session Optional schedules::read_instance;
        POST "/user/{user}/monetary-account/{account}/request-inquiry" Session Optional requests::create;
        GET "/user/{user}/monetary-account/{account}/request-inquiry" Session Optional requests::list;
        GET "/user/{user}/monetary-account/{account}/request-inquiry/{id}" Session Optional requests::read;
        PUT "/user/{user}/monetary-account/{account}/request-inquiry/{id}" Session Optional requests::revoke;
        GET "/user/{user}/monetary-account/{account}/request-response" Session Optional requests::list_responses;
        GET "/user/{user}/monetary-account/{account}/request-response/{id}" Session Optional requests::read_response;
        PUT "/user/{user}/monetary-account/{account}/request-response/{id}" Session Optional requests::respond;
    }
}

/// What no other bank than one for tests has.
fn users_on_demand() -> Vec<Route> {
    routes! {
        POST "/sandbox-user-person" None Optional sandbox_users::person;
        POST "/sandbox-user" None Optional sandbox_users::person;
        POST "/sandbox-user-company" None Optional sandbox_users::company;
    }
}

fn assets() -> Vec<Route> {
    routes! {
        POST "/attachment-public" Session Optional attachments::upload;
        GET "/attachment-public/{uuid}" Session Optional attachments::read;
        GET "/attachment-public/{uuid}/content" Session Optional attachments::content;
        POST "/avatar" Session Optional attachments::make_avatar;
        GET "/avatar/{uuid}" Session Optional attachments::read_avatar;
        POST "/user/{user}/notification-filter-url" Session Optional notifications::replace;
        GET "/user/{user}/notification-filter-url" Session Optional notifications::list;
        POST "/user/{user}/monetary-account/{account}/notification-filter-url" Session Optional notifications::replace;
        GET "/user/{user}/monetary-account/{account}/notification-filter-url" Session Optional notifications::list;
        GET "/user/{user}/notification-filter-failure" Session Optional callback_failures::list;
        POST "/user/{user}/notification-filter-failure" Session Optional callback_failures::try_again;
        POST "/user/{user}/certificate-pinned" Session Optional notifications::pin;
        GET "/user/{user}/certificate-pinned" Session Optional notifications::list_pinned;
        GET "/user/{user}/certificate-pinned/{id}" Session Optional notifications::read_pinned;
        DELETE "/user/{user}/certificate-pinned/{id}" Session Optional notifications::unpin;
        GET "/health-check" None Optional sandbox_users::health;
    }
}

/// The operations by path.
#[derive(Debug)]
pub(crate) struct Routes(Router<Vec<Route>>);

impl Routes {
    pub(crate) fn new(is_for_tests: bool) -> Self {
        let mut by_path: Vec<(&'static str, Vec<Route>)> = Vec::new();
        for route in all(is_for_tests) {
            // Operations on one thing may call its parameter by another name; the shape of the path counts.
            match by_path.iter_mut().find(|(path, _)| *path == route.path) {
                Some((_, routes)) => routes.push(route),
                None => by_path.push((route.path, vec![route])),
            }
        }
        let mut router = Router::new();
        for (path, routes) in by_path {
            // The table is fixed; a test holds that every path of it is found.
            let _ = router.insert(path, routes);
        }
        Self(router)
    }

    /// The operation for a method and a path below `/v1`, with the parameters of the path.
    ///
    /// # Errors
    /// 404, 405
    pub(crate) fn find(&self, method: &Method, path: &str) -> Result<(&Route, Names), Error> {
        let matched = self.0.at(path).map_err(|_| Rejected::NotFound)?;
        // HEAD is GET without the body, which the server leaves out.
        let wanted = if *method == Method::HEAD { &Method::GET } else { method };
        let route = matched.value.iter().find(|route| route.method == *wanted);
        let route = route.ok_or_else(|| Error::method(&allowed(matched.value)))?;
        Ok((route, Names::read(matched.params.iter()).ok_or(Rejected::NotFound)?))
    }
}

/// The methods of a path.
fn allowed(routes: &[Route]) -> Vec<&str> {
    let mut methods: Vec<&str> = routes.iter().map(|route| route.method.as_str()).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.push("OPTIONS");
    methods
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_of_the_table_is_found() {
        let routes = Routes::new(true);
        let mut count = 0;
        for route in all(true) {
            let path: Vec<_> =
                route.path.split('/').map(|part| if part.starts_with('{') { "7" } else { part }).collect();
            let (found, names) = routes.find(&route.method, &path.join("/")).unwrap();
            assert_eq!(found.path, route.path);
            assert_eq!(names.user.get().is_ok(), route.path.contains("{user}"), "{}", route.path);
            count += 1;
        }
        assert!(count > 120, "{count}");
        assert!(routes.find(&Method::GET, "/invoice").is_err());
        assert!(routes.find(&Method::PATCH, "/user").is_err());
        // A bank that is for no tests has no such path, whatever the method.
        let routes = Routes::new(false);
        for path in ["/sandbox-user-person", "/sandbox-user", "/sandbox-user-company"] {
            for method in [Method::POST, Method::GET] {
                let missing = routes.find(&method, path).unwrap_err();
                assert_eq!(missing.text, "Route not found.", "{method} {path}");
            }
        }
        assert!(routes.find(&Method::GET, "/health-check").is_ok());
    }
}
