//! Customers who approve payments at the bank's pages, and load a page again when it does not come.

use serde_json::json;
use testkit::{Answer, CALLBACK, Request, parameter};

use crate::callers::{Callers, MANAGEMENT, PAGES};

/// Where the pages are.
const PAGE: &str = "/auth/internalonly/authorise.html";

/// How often a customer begins anew, and how often a form is sent.
const SESSIONS: usize = 2;
const FORMS: usize = 6;

pub(crate) struct Customer {
    pub(crate) iban: String,
    device: String,
}

impl Customer {
    pub(crate) async fn new(callers: &Callers) -> Self {
        let wish = json!({"tenant": "nl", "persona": "empty", "balance": "10000.00"});
        let request = Request::new("POST", "/test-accounts").body("application/json", wish.to_string());
        let made = request.exchange(&callers.management, MANAGEMENT).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let made = made.json();
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        let customer = Self { iban: text("iban"), device: text("digipassNumber") };
        callers.customers.lock().unwrap().push(customer.iban.clone());
        customer
    }
}

/// The value of a field of a page, if it has it.
fn value(page: &str, name: &str) -> Option<String> {
    let (_, after) = page.split_once(&format!("name=\"{name}\" value=\""))?;
    after.split('"').next().map(str::to_owned)
}

fn cookie(answer: &Answer) -> Option<String> {
    answer.header("set-cookie").split(';').next().filter(|cookie| !cookie.is_empty()).map(str::to_owned)
}

/// Logs in and approves; returns the code. Nothing if the answer that had it was lost.
pub(crate) async fn approve(callers: &Callers, customer: &Customer, link: &str) -> Option<String> {
    let target = link.strip_prefix(PAGES).unwrap_or_else(|| panic!("{link}"));
    for session in 0..SESSIONS {
        let open = Request::new("GET", target).set("accept", "text/html");
        let (opened, was_repeated) = callers.send(&callers.browser, PAGES, &open).await;
        let Some(mut own) = cookie(&opened).filter(|_| opened.status == 302) else {
            // After an answer that was lost, the customer may have approved already.
            if session == 0 && !was_repeated {
                callers.wrong("an authorization request", &opened);
            }
            return None;
        };
        for _ in 0..FORMS {
            let page = Request::new("GET", PAGE).set("accept", "text/html").set("cookie", &own);
            let (page, _) = callers.send(&callers.browser, PAGES, &page).await;
            let Some(form) = form(callers, customer, &page.body) else { break };
            let sent = Request::new("POST", PAGE).set("accept", "text/html").set("cookie", &own).form(&form);
            // Not sent again: the page says how far it came.
            let Ok(sent) = sent.try_exchange(&callers.browser, PAGES).await else { continue };
            if let Some(renewed) = cookie(&sent) {
                own = renewed;
            }
            let location = sent.header("location");
            if location.starts_with(CALLBACK) {
                return parameter(location, "code");
            }
        }
    }
    None
}

/// The form of a page as the customer fills it in: their number, and what their device answers.
fn form(callers: &Callers, customer: &Customer, page: &str) -> Option<String> {
    let mut form = format!("csrf={}", value(page, "csrf")?);
    if page.contains("name=\"iban\"") {
        form += &format!("&action=log-in&iban={}", customer.iban);
    } else {
        form += "&action=approve";
    }
    if let Some(challenge) = value(page, "challenge") {
        let device = &callers.devices.running.sandbox.gateway;
        let answer = device.simulated_answer(&customer.device, &challenge).unwrap();
        form += &format!("&challenge={}&answer={answer}", challenge.replace(' ', "+"));
    }
    Some(form)
}
