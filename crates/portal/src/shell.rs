//! What every page has around its content: the bank's day, its tenants and addresses, the navigation.

use std::convert::Infallible;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;

use crate::assets;
use crate::pages::{PAGES, Page};
use crate::settings::{Portal, Settings, TenantDay};

/// The shell of one page. A handler takes it as an argument, its view struct has it as the member `shell`, and its template
/// extends `shell.html`.
pub(crate) struct Shell {
    portal: Portal,
    /// The path that was asked for.
    here: String,
    /// Where the modules and the style sheet of this version are.
    pub(crate) assets: &'static str,
    /// Every tenant with its day.
    pub(crate) tenants: Vec<TenantDay>,
    /// The tenant that the page is about: the one of the parameter `tenant`, or the first.
    pub(crate) tenant: usize,
    /// Whether the page is at one of the bank's own origins, where its scripts may call the management API.
    pub(crate) own: bool,
}

impl Shell {
    /// The answer with a page that this shell was put into.
    pub(crate) fn answer(portal: &Portal, page: &impl Template) -> Response {
        web::page_with_policy(StatusCode::OK, page, portal.policy.clone())
    }

    /// What the bank says about itself.
    pub(crate) fn settings(&self) -> &Settings {
        &self.portal.settings
    }

    /// The tenant that the page is about.
    pub(crate) fn current(&self) -> &TenantDay {
        &self.tenants[self.tenant]
    }

    /// The command that registers a third party at the tenant of the page.
    pub(crate) fn next_command(&self) -> String {
        (self.settings().next_command)(&self.current().name)
    }

    /// The command that goes from nothing to a first balance at the tenant of the page.
    pub(crate) fn flow_command(&self) -> String {
        (self.settings().flow_command)(&self.current().name)
    }

    /// The pages for the navigation.
    pub(crate) fn pages(&self) -> &'static [Page] {
        PAGES
    }

    /// Whether there is a page at this path: links lead to what exists.
    pub(crate) fn has(&self, path: &str) -> bool {
        PAGES.iter().any(|page| page.path == path)
    }

    /// Whether this is a page, or one of its group.
    pub(crate) fn is_here(&self, page: &Page) -> bool {
        page.holds(&self.here)
    }

    /// Makes the shell of a page.
    pub(crate) fn new(portal: &Portal, (path, query): (&str, &str), host: &str) -> Self {
        let tenants = (portal.settings.tenants)();
        let wanted = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "tenant");
        let position = |(_, wanted)| tenants.iter().position(|tenant| tenant.name == wanted);
        Self {
            tenant: wanted.and_then(position).unwrap_or(0),
            here: path.to_owned(),
            assets: assets::base(),
            own: portal.is_own(host),
            portal: portal.clone(),
            tenants,
        }
    }
}

impl FromRequestParts<Portal> for Shell {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, portal: &Portal) -> Result<Self, Infallible> {
        let host = edge::requested_host(&parts.headers, &parts.uri);
        let asked = (parts.uri.path(), parts.uri.query().unwrap_or_default());
        Ok(Self::new(portal, asked, host))
    }
}
