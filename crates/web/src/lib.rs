//! The bank's pages.
//!
//! One view struct a page, each with samples that a test renders. Pages work without scripts and without the
//! network, on a phone, with a keyboard, in light and dark. No rules live here: a page shows what it is given.

mod assets;
mod authorise;
mod bank_texts;
mod brand;
mod callback;
mod customer;
mod customer_texts;
mod error_page;
mod language;
mod languages;
mod looks;
mod page;
mod payment;
mod payment_texts;
mod provider_page;
mod statistics;
#[cfg(test)]
mod translations;
mod written;

pub use assets::routes;
pub use authorise::{
    Asker, DecisionPage, LogInPage, NoticePage, Problem, ShownAccount, ShownFunds, Simulator, TestCustomer,
};
pub use bank_texts::{BankTexts, FootLink, InLanguages};
pub use brand::{Brand, ShownLogo, WayOn};
pub use callback::{CallbackPage, CameBack};
pub use customer::{
    AccessListPage, AccessPage, MovedDay, Movement, MovementsPage, OverviewPage, Own, OwnAccount,
    OwnPaymentPage, OwnPayments, OwnPaymentsPage, OwnShownPayment, OwnTransfer, OwnWayOut, ShownRight,
};
pub use error_page::ErrorPage;
pub use language::{Texts, language_of_browser, language_of_locales, texts};
pub use looks::{Colour, Colours, DARK, House, LIGHT, Logo, LogoKind, Looks, READABLE, Unreadable};
pub use page::{form_page, page, page_with_policy};
pub use payment::{
    Obstacle, PayingAccount, PaymentPage, PaymentProblem, SharedAccess, ShownPayment, ShownTransfer, Step,
};
pub use provider_page::{NotAuthenticated, ProviderPage};
pub use statistics::StatisticsPage;
pub use written::{day, moment, money};
