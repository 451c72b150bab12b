//! The reference: each interface of the bank, out of its own description.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;

use crate::not_found::not_found;
use crate::openapi::{Interface, Operation};
use crate::settings::Portal;
use crate::shell::Shell;

/// A list of interfaces, or one of them with its operations.
#[derive(Template)]
#[template(path = "reference.html")]
struct ReferencePage {
    shell: Shell,
    interfaces: Vec<Interface>,
}

#[derive(Template)]
#[template(path = "interface.html")]
struct InterfacePage {
    shell: Shell,
    interface: Interface,
}

#[derive(Template)]
#[template(path = "operation.html")]
struct OperationPage {
    shell: Shell,
    interface: Interface,
    operation: Operation,
}

/// Routes of the pages.
pub(crate) fn routes() -> Router<Portal> {
    Router::new()
        .route("/portal/reference", get(list))
        .route("/portal/reference/{interface}", get(show))
        .route("/portal/reference/{interface}/{operation}", get(show_operation))
}

/// The interfaces of the bank, in their order.
pub(crate) fn interfaces(portal: &Portal) -> Vec<Interface> {
    portal.settings.descriptions.iter().map(Interface::read).collect()
}

async fn list(State(portal): State<Portal>, shell: Shell) -> Response {
    let interfaces = interfaces(&portal);
    Shell::answer(&portal, &ReferencePage { shell, interfaces })
}

fn find(portal: &Portal, name: &str) -> Option<Interface> {
    portal.settings.descriptions.iter().find(|known| known.name == name).map(Interface::read)
}

async fn show(State(portal): State<Portal>, Path(name): Path<String>, shell: Shell) -> Response {
    match find(&portal, &name) {
        Some(interface) => Shell::answer(&portal, &InterfacePage { shell, interface }),
        None => not_found(&portal, shell, "/portal/reference"),
    }
}

async fn show_operation(
    State(portal): State<Portal>,
    Path((name, id)): Path<(String, String)>,
    shell: Shell,
) -> Response {
    let found = find(&portal, &name).and_then(|interface| {
        let operation = interface.operation(&id)?;
        Some((interface, operation))
    });
    match found {
        Some((interface, operation)) => {
            Shell::answer(&portal, &OperationPage { shell, interface, operation })
        }
        None => not_found(&portal, shell, "/portal/reference"),
    }
}
