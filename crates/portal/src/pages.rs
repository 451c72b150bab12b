//! Every page of the portal, in the order of its navigation. A page that is not listed does not exist.

use axum::Router;

use crate::settings::Portal;
use crate::{calls, flow, guides, home, play, reference};

/// A page, or a group of pages under one path.
pub(crate) struct Page {
    /// Its name in the navigation.
    pub(crate) name: &'static str,
    /// Where it is; pages of its group are under this path.
    pub(crate) path: &'static str,
    /// Its routes.
    pub(crate) routes: fn() -> Router<Portal>,
}

/// The pages.
pub(crate) const PAGES: &[Page] = &[
    Page { name: "Home", path: "/", routes: home::routes },
    Page { name: "Flow", path: "/portal/flow", routes: flow::routes },
    Page { name: "Calls", path: "/portal/calls", routes: calls::routes },
    Page { name: "Play", path: "/portal/play", routes: play::routes },
    Page { name: "Reference", path: "/portal/reference", routes: reference::routes },
    Page { name: "Guides", path: "/portal/guides", routes: guides::routes },
];

impl Page {
    /// Whether a path is this page, or one of its group.
    pub(crate) fn holds(&self, path: &str) -> bool {
        match path.strip_prefix(self.path) {
            Some("") => true,
            Some(rest) => self.path != "/" && rest.starts_with('/'),
            None => false,
        }
    }
}
