//! What the page about payments says, in the bank's languages.

use domain::Language;

use crate::languages::{dutch, english, french, german};

/// What the page about payments says in a language.
pub(crate) fn payment_texts(language: Language) -> &'static PaymentTexts {
    match language {
        Language::English => &english::PAYMENT,
        Language::Dutch => &dutch::PAYMENT,
        Language::French => &french::PAYMENT,
        Language::German => &german::PAYMENT,
    }
}

/// The words of the page about payments; what stands in braces is replaced.
#[derive(Debug)]
pub(crate) struct PaymentTexts {
    pub title: &'static str,
    pub title_several: &'static str,
    pub title_stop: &'static str,
    pub stop_intro: &'static str,
    pub payment: &'static str,
    pub amount: &'static str,
    pub total: &'static str,
    pub transfers: &'static str,
    pub pay_to: &'static str,
    pub to: &'static str,
    pub payee: &'static str,
    pub bank: &'static str,
    pub address: &'static str,
    pub pay_for: &'static str,
    pub when: &'static str,
    pub charges: &'static str,
    pub charges_debtor: &'static str,
    pub charges_creditor: &'static str,
    pub charges_shared: &'static str,
    pub charges_scheme: &'static str,
    pub pay_from: &'static str,
    pub available: &'static str,
    pub at_once: &'static str,
    pub on: &'static str,
    pub daily: &'static str,
    pub weekly: &'static str,
    pub every_two_weeks: &'static str,
    pub monthly: &'static str,
    pub every_two_months: &'static str,
    pub quarterly: &'static str,
    pub semi_annual: &'static str,
    pub annual: &'static str,
    pub in_months: &'static str,
    pub on_day_of_month: &'static str,
    pub from_day: &'static str,
    pub until_day: &'static str,
    pub until_stopped: &'static str,
    pub business_day_after: &'static str,
    pub business_day_before: &'static str,
    pub some_transfers: &'static str,
    pub show_others: &'static str,
    pub pay: &'static str,
    pub do_not_pay: &'static str,
    pub decide_later: &'static str,
    pub change: &'static str,
    pub stop: &'static str,
    pub keep: &'static str,
    pub lacks_funds: &'static str,
    pub will_lack_funds: &'static str,
    pub cannot_be_paid: &'static str,
    pub was_not_paid: &'static str,
    pub not_enough: &'static str,
    pub choose_payment: &'static str,
    pub choose_account: &'static str,
    pub no_account: &'static str,
    pub challenge_hint: &'static str,
    pub wrong: &'static str,
    pub stale: &'static str,
    pub blocked: &'static str,
    pub try_right: &'static str,
    pub try_refuse: &'static str,
}
