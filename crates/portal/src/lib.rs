//! The portal of a sandbox: server-rendered pages with small ES modules, by which a developer becomes a third party, gets
//! a customer and makes real calls, all in a browser.
//!
//! A page is a file here, a template and perhaps a module: `pages.rs` lists them. Its scripts call the bank's own doors,
//! and the management listener across origins with the token that stands in every page. Without scripts everything that
//! is there to be read can be read.

mod assets;
mod calls;
mod collection;
mod downloads;
mod flow;
mod guides;
mod har;
mod home;
mod markdown;
mod not_found;
mod openapi;
mod pages;
mod play;
mod reference;
mod settings;
mod shell;

use axum::Router;

pub use settings::{Address, Description, Settings, TenantDay};

/// Routes of the portal, to be mounted at the root of the bank's public listeners.
pub fn router(settings: Settings) -> Router {
    let mut router = Router::new()
        .merge(assets::routes())
        .merge(downloads::routes())
        .merge(har::routes())
        .merge(not_found::routes());
    for page in pages::PAGES {
        router = router.merge((page.routes)());
    }
    router.with_state(settings::Portal::new(settings))
}
