//! The bank's pages.
//!
//! One view struct a page, each with samples that a test renders. Pages work without scripts and without the
//! network, on a phone, with a keyboard, in light and dark. No rules live here: a page shows what it is given.

mod assets;
mod authorise;
mod brand;
mod callback;
mod customer;
mod customer_texts;
mod error_page;
mod language;
mod languages;
mod page;
mod payment;
mod payment_texts;
mod provider_page;
#[cfg(test)]
mod translations;
mod written;

pub use assets::routes;
pub use authorise::{
    Asker, DecisionPage, LogInPage, NoticePage, Problem, ShownAccount, ShownFunds, Simulator, TestCustomer,
};
pub use brand::{Brand, WayOn};
pub use callback::{CallbackPage, CameBack};
pub use customer::{
    AccessListPage, AccessPage, MovedDay, Movement, MovementsPage, OverviewPage, Own, OwnAccount,
    OwnPaymentPage, OwnPayments, OwnPaymentsPage, OwnShownPayment, OwnTransfer, OwnWayOut, ShownRight,
};
pub use error_page::ErrorPage;
pub use language::{Texts, language_of_browser, language_of_locales, texts};
pub use page::{form_page, page, page_with_policy};
pub use payment::{
    Obstacle, PayingAccount, PaymentPage, PaymentProblem, SharedAccess, ShownPayment, ShownTransfer, Step,
};
pub use provider_page::{NotAuthenticated, ProviderPage};
pub use written::{day, moment, money};
