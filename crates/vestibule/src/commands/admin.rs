//! `vestibule admin`: what the bank's staff looks for and does at a gateway.

use std::process::ExitCode;

use ::tpp::sandbox::Management;
use ::tpp::{TlsIdentity, Transport, TransportSettings};
use http::Method;
use serde_json::{Value, json};
use url::form_urlencoded::{Serializer, byte_serialize};

use super::Failure;
use super::logs::visible;
use super::management::text;
use super::tpp::observer;
use crate::cli::{AdminArgs, AdminCommand, ListArgs, PageArgs, StaffArgs, StandingArg};
use crate::output;

/// What to do about an address where the interface is not.
const ADDRESS: &str = "name with --admin where [admin] of the gateway's configuration listens, and see that the gateway is running";
/// What to do about a certificate that is refused.
const CERTIFICATE: &str = "the interface does not take the certificate of --certificate: it has to come from one of trust_files in [admin] \
                           of the gateway's configuration";

/// What to do where a refused certificate and a gateway that went away look the same.
const EITHER: &str = "the interface does not take the certificate of --certificate, which has to come from one of trust_files in [admin] of \
                      the gateway's configuration, or the gateway ended the connection: see that it is running";

/// What --admin names, and what to do where it is not.
const INTERFACE: (&str, &str) = (
    "the address of the interface of a gateway's staff",
    "name with --admin where [admin] of the gateway's configuration listens",
);

pub(crate) async fn run(args: AdminArgs) -> Result<ExitCode, Failure> {
    let AdminArgs { to, command } = args;
    let Some((method, path, body)) = call(&command) else {
        output::text(&vestibule::admin_description());
        return Ok(ExitCode::SUCCESS);
    };
    let answer = ask(&to, method, &path, body.as_ref()).await?;
    if to.json {
        output::json(&answer);
        return Ok(ExitCode::SUCCESS);
    }
    match command {
        AdminCommand::ThirdParties { .. } => list(&answer, "thirdParties", &["id", "state", "name"]),
        AdminCommand::Consents(ListArgs { funds: false, .. }) => {
            list(&answer, "consents", &["id", "state", "thirdParty", "validUntil", "customer"]);
        }
        AdminCommand::Consents(_) => {
            list(&answer, "fundsConsents", &["id", "state", "thirdParty", "customer"]);
        }
        AdminCommand::Payments(_) => list(&answer, "payments", &["id", "state", "thirdParty", "createdAt"]),
        _ => show(&answer),
    }
    Ok(ExitCode::SUCCESS)
}

/// What is asked of the interface, if anything is.
fn call(command: &AdminCommand) -> Option<(Method, String, Option<Value>)> {
    let get = |path: String| (Method::GET, path, None);
    let post = |path: String, body: Value| (Method::POST, path, Some(body));
    Some(match command {
        AdminCommand::Description => return None,
        AdminCommand::ThirdParties { name, number, state, page } => {
            let state = state.map(|state| match state {
                StandingArg::Active => "active",
                StandingArg::Blocked => "blocked",
            });
            let by = [("name", name.as_deref()), ("number", number.as_deref()), ("state", state)];
            get(query("/third-parties", &by, page))
        }
        AdminCommand::ThirdParty { id } => get(format!("/third-parties/{}", segment(id))),
        AdminCommand::Consents(args) => get(listed(&format!("/{}", consents(args.funds)), args)),
        AdminCommand::Consent { id, funds } => get(format!("/{}/{}", consents(*funds), segment(id))),
        AdminCommand::Payments(args) => get(listed("/payments", args)),
        AdminCommand::Payment { id } => get(format!("/payments/{}", segment(id))),
        AdminCommand::Block { id, reason, until } => {
            let mut body = json!({"reason": reason});
            if let Some(until) = until {
                body["until"] = until.to_string().into();
            }
            post(format!("/third-parties/{}/block", segment(id)), body)
        }
        AdminCommand::Unblock { id, reason } => {
            post(format!("/third-parties/{}/unblock", segment(id)), json!({"reason": reason}))
        }
        AdminCommand::EraseThirdParty { id, reason } => {
            post(format!("/third-parties/{}/erase", segment(id)), json!({"reason": reason}))
        }
        AdminCommand::EraseCustomer { branch, customer, reason } => post(
            format!("/customers/{}/{}/erase", segment(branch), segment(customer)),
            json!({"reason": reason}),
        ),
        AdminCommand::Withdraw { id, funds, reason } => {
            post(format!("/{}/{}/withdraw", consents(*funds), segment(id)), json!({"reason": reason}))
        }
    })
}

fn consents(funds: bool) -> &'static str {
    if funds { "funds-consents" } else { "consents" }
}

fn listed(path: &str, args: &ListArgs) -> String {
    let by = [("third_party", args.third_party.as_deref()), ("state", args.state.as_deref())];
    query(path, &by, &args.page)
}

fn query(path: &str, by: &[(&str, Option<&str>)], page: &PageArgs) -> String {
    let mut query = Serializer::new(String::new());
    for (name, value) in by.iter().copied().chain([("after", page.after.as_deref())]) {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    query.append_pair("limit", &page.limit.to_string());
    format!("{path}?{}", query.finish())
}

/// A part of a path, whatever is in it.
fn segment(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// The interface of the staff, as somebody who has a certificate for it.
pub(crate) fn interface(to: &StaffArgs) -> Result<Management, Failure> {
    let (Some(certificate), Some(private_key)) = (&to.certificate, &to.private_key) else {
        return Err(Failure::new(
            "staff is let in by a certificate; name yours with --certificate and --private-key, or in \
             VESTIBULE_ADMIN_CERTIFICATE and VESTIBULE_ADMIN_PRIVATE_KEY",
        ));
    };
    let tls = TlsIdentity { certificate: certificate.clone(), private_key: private_key.clone() };
    let settings = TransportSettings { ca_file: to.ca.clone(), tls: Some(tls) };
    Ok(Management::of(Transport::new(settings, Some(observer(false)))?, &to.admin, INTERFACE))
}

/// A failure to reach the interface of the staff, with which option is behind it.
pub(crate) fn explained(error: ::tpp::Error) -> Failure {
    let hint = match &error {
        // Whoever asks has a certificate.
        ::tpp::Error::Unreachable { url, .. }
            if url.starts_with("https:") && error.ended_without_a_word() =>
        {
            EITHER
        }
        ::tpp::Error::Unreachable { reason, .. } => hint(reason),
        ::tpp::Error::Unresolved { .. } => ADDRESS,
        _ => return error.into(),
    };
    let mut failure = Failure::from(error);
    // No sandbox has this interface.
    failure.next.clear();
    failure.text = format!("{}; {hint}", failure.text);
    failure
}

/// Which option is behind a connection that did not come about.
fn hint(reason: &str) -> &'static str {
    let is_certificate = reason.contains("invalid peer certificate");
    if is_certificate && !reason.contains("not valid for name") {
        "name the authority of the interface's certificate with --ca, or in VESTIBULE_ADMIN_CA"
    } else if reason.contains("received fatal alert") {
        CERTIFICATE
    } else {
        ADDRESS
    }
}

/// Asks the interface of the staff.
pub(crate) async fn ask(
    to: &StaffArgs,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Value, Failure> {
    interface(to)?.call(method, path, body).await.map_err(explained)
}

/// A line for each, and how to go on.
fn list(answer: &Value, name: &str, columns: &[&str]) {
    let items = answer[name].as_array().map_or(&[][..], Vec::as_slice);
    for item in items {
        let line: Vec<&str> = columns.iter().map(|column| item[*column].as_str().unwrap_or("-")).collect();
        output::line(&visible(&line.join("  ")));
    }
    match answer["next"].as_str() {
        Some(next) => output::line(&visible(&format!("There may be more: --after {next}"))),
        None if items.is_empty() => output::line("Nothing was found."),
        None => {}
    }
}

/// A line for each member.
fn show(answer: &Value) {
    for (name, value) in answer.as_object().into_iter().flatten() {
        let value = match value {
            Value::Null => continue,
            Value::String(_) => text(answer, name).to_owned(),
            other => other.to_string(),
        };
        output::line(&visible(&format!("{name:<16} {value}")));
    }
}
