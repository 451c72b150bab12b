//! A customer's own pages: accounts with what moves on them, who has access, payments that third parties asked for.

use askama::Template;
use domain::{ConsentStatus, Execution, Language, Money, RejectReason, TransactionStatus};

use crate::brand::Brand;
use crate::customer_texts::{CustomerTexts, customer_texts};
use crate::language::{Texts, texts};
use crate::written;

/// What each of a customer's own pages has.
#[derive(Debug, Clone)]
pub struct Own {
    /// Language of the page.
    pub language: Language,
    /// Whose page it is.
    pub brand: Brand,
    /// Protects the forms.
    pub csrf: String,
    /// Where the customer's own pages begin.
    pub base: String,
    /// Name of the customer.
    pub customer_name: String,
}

/// The overview.
#[derive(Debug, Template)]
#[template(path = "customer.html")]
pub struct OverviewPage {
    /// What each page has.
    pub own: Own,
    /// The accounts.
    pub accounts: Vec<OwnAccount>,
    /// What all of them hold, for each currency.
    pub totals: Vec<Money>,
    /// Access that third parties have.
    pub rights: Vec<ShownRight>,
    /// Access that they had.
    pub ended: Vec<ShownRight>,
    /// Whether there is more access, or was, than stands here.
    pub has_more_rights: bool,
    /// Payments.
    pub payments: OwnPayments,
}

/// Everything that third parties were given, a page of it.
#[derive(Debug, Template)]
#[template(path = "customer_access_list.html")]
pub struct AccessListPage {
    /// What each page has.
    pub own: Own,
    /// What it is, open or not.
    pub rights: Vec<ShownRight>,
    /// Address of older ones.
    pub older: Option<String>,
    /// Whether this is not the first page.
    pub is_later_page: bool,
}

/// All payments, a page of them.
#[derive(Debug, Template)]
#[template(path = "customer_payments.html")]
pub struct OwnPaymentsPage {
    /// What each page has.
    pub own: Own,
    /// The payments.
    pub payments: OwnPayments,
    /// Whether this is not the first page.
    pub is_later_page: bool,
}

/// Payments in short.
#[derive(Debug, Clone)]
pub struct OwnPayments {
    /// Those that can be ended.
    pub waiting: Vec<OwnShownPayment>,
    /// Those that cannot.
    pub others: Vec<OwnShownPayment>,
    /// Address of older ones.
    pub older: Option<String>,
}

/// One thing that a third party was given, and the question whether to withdraw it.
#[derive(Debug, Template)]
#[template(path = "customer_access.html")]
pub struct AccessPage {
    /// What each page has.
    pub own: Own,
    /// What it is.
    pub right: ShownRight,
    /// Whether the customer wanted to withdraw what had ended before.
    pub had_ended: bool,
}

/// One payment, and the question whether to end it.
#[derive(Debug, Template)]
#[template(path = "customer_payment.html")]
pub struct OwnPaymentPage {
    /// What each page has.
    pub own: Own,
    /// The payment.
    pub payment: OwnShownPayment,
    /// Whether the customer wanted to end what cannot be ended any more.
    pub is_too_late: bool,
}

/// What moved on an account.
#[derive(Debug, Template)]
#[template(path = "customer_movements.html")]
pub struct MovementsPage {
    /// What each page has.
    pub own: Own,
    /// The account.
    pub account: OwnAccount,
    /// What is not booked yet.
    pub pending: Vec<Movement>,
    /// What is booked, newest first.
    pub booked: Vec<MovedDay>,
    /// What came in on this page, and what went out.
    pub sums: Option<(Money, Money)>,
    /// Address of older ones.
    pub older: Option<String>,
    /// Whether this is not the first page.
    pub is_later_page: bool,
}

/// An account of the customer.
#[derive(Debug, Clone)]
pub struct OwnAccount {
    /// Its id in addresses.
    pub id: String,
    /// Its number in groups.
    pub number: String,
    /// Names of the holders, where they are others than the customer alone.
    pub holders: String,
    /// Whether it is a savings account.
    pub is_savings: bool,
    /// Whether the bank blocks it.
    pub is_blocked: bool,
    /// Whether it is closed.
    pub is_closed: bool,
    /// What is booked on it.
    pub booked: Money,
    /// What can be spent of it.
    pub available: Money,
}

/// What a third party was given.
#[derive(Debug, Clone)]
pub struct ShownRight {
    /// Its id in addresses.
    pub id: String,
    /// Name of the third party, from its certificate.
    pub tpp_name: String,
    /// Identifier of the third party, from its certificate.
    pub tpp_id: String,
    /// Whether balances can be seen.
    pub balances: bool,
    /// Whether transactions can be seen.
    pub transactions: bool,
    /// For which card the third party asks whether an account holds an amount, if that is what it was given; may be empty.
    pub funds: Option<String>,
    /// The accounts.
    pub accounts: Vec<String>,
    /// The interface at which it was given.
    pub through: &'static str,
    /// Since when, as people write it.
    pub since: String,
    /// Last day; none if there is no such day.
    pub until: Option<String>,
    /// When it was last used.
    pub last_used: Option<String>,
    /// What it is now.
    pub status: ConsentStatus,
    /// Since when it is that, if it has ended.
    pub ended_on: Option<String>,
}

/// A payment on the customer's own pages.
#[derive(Debug, Clone)]
pub struct OwnShownPayment {
    /// Its id in addresses.
    pub id: String,
    /// Who asked for it; none for the customer in person.
    pub tpp_name: Option<String>,
    /// The account that pays, if that is known.
    pub from: String,
    /// What is paid in all.
    pub total: Option<Money>,
    /// To whom, how much, and what for.
    pub transfers: Vec<OwnTransfer>,
    /// When.
    pub when: Execution,
    /// What it is, in the words of ISO 20022.
    pub status: TransactionStatus,
    /// Whether the customer approved it and the third party has yet to confirm that.
    pub is_approved: bool,
    /// Why it is not made.
    pub reason: Option<RejectReason>,
    /// When something was last done to it.
    pub on: String,
    /// How it can be ended.
    pub way_out: Option<OwnWayOut>,
}

/// A transfer of a payment.
#[derive(Debug, Clone)]
pub struct OwnTransfer {
    /// Name of the payee.
    pub name: String,
    /// Number of the payee's account.
    pub number: String,
    /// What it is for.
    pub remittance: String,
    /// How much.
    pub amount: Money,
}

/// How a payment can be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnWayOut {
    /// By refusing it.
    Refuse,
    /// By stopping what the bank has.
    Stop,
}

/// The movements of one day.
#[derive(Debug, Clone)]
pub struct MovedDay {
    /// The day as people write it.
    pub day: String,
    /// What moved, newest first.
    pub movements: Vec<Movement>,
}

/// One movement.
#[derive(Debug, Clone)]
pub struct Movement {
    /// The other side.
    pub name: String,
    /// Number of the other side's account.
    pub number: String,
    /// What it is for.
    pub remittance: String,
    /// How much; negative for money that went out.
    pub amount: Money,
}

impl Own {
    fn texts(&self) -> &'static Texts {
        texts(self.language)
    }

    fn says(&self) -> &'static CustomerTexts {
        customer_texts(self.language)
    }

    fn money(&self, money: &Money) -> String {
        written::money(self.language, *money)
    }

    fn kind(&self, account: &OwnAccount) -> String {
        let texts = self.texts();
        let kind = if account.is_savings { texts.savings_account } else { texts.current_account };
        let state = match (account.is_closed, account.is_blocked) {
            (true, _) => Some(self.says().closed),
            (_, true) => Some(self.says().blocked),
            _ => None,
        };
        [Some(kind), state].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// What a right is now, and since when if it has ended.
    fn state(&self, right: &ShownRight) -> String {
        let says = self.says();
        let word = match right.status {
            ConsentStatus::Received => says.is_unconfirmed,
            ConsentStatus::Valid => says.is_valid,
            ConsentStatus::Rejected => says.is_rejected,
            ConsentStatus::Expired => says.is_expired,
            ConsentStatus::TerminatedByTpp => says.is_terminated,
            ConsentStatus::RevokedByPsu => says.is_withdrawn,
        };
        match &right.ended_on {
            Some(day) => format!("{word}, {day}"),
            None => word.to_owned(),
        }
    }

    /// What became of a payment.
    fn progress(&self, payment: &OwnShownPayment) -> String {
        use TransactionStatus as S;
        let says = self.says();
        let word = match payment.status {
            S::Rcvd if payment.is_approved => says.waits_for_tpp,
            S::Rcvd => says.waits_for_you,
            S::Patc => says.waits_for_others,
            S::Pdng | S::Actc | S::Acfc | S::Accp | S::Acwc => says.will_be_made,
            S::Acsp | S::Acwp => says.being_made,
            S::Acsc | S::Accc => says.made,
            S::Part => says.partly_made,
            S::Rjct => says.not_made,
            S::Canc => says.cancelled,
        };
        let reason = payment.reason.and_then(|reason| {
            let place = RejectReason::CODES.iter().position(|(_, code)| *code == reason.code())?;
            says.reasons.get(place)
        });
        match reason {
            Some(reason) => format!("{word}: {reason}"),
            None => word.to_owned(),
        }
    }

    fn payees(&self, payment: &OwnShownPayment) -> String {
        match &payment.transfers[..] {
            [only] => only.name.clone(),
            several => self.says().transfers.replace("{n}", &several.len().to_string()),
        }
    }

    fn when(&self, payment: &OwnShownPayment) -> Vec<String> {
        written::when(self.language, &payment.when)
    }
}

impl OwnPaymentPage {
    fn when_title(&self) -> &'static str {
        crate::payment_texts::payment_texts(self.own.language).when
    }
}

impl OwnPayments {
    fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.others.is_empty()
    }
}

impl ShownRight {
    /// Whether it can be withdrawn.
    fn is_open(&self) -> bool {
        !self.status.is_final()
    }
}

/// Members that the base template asks for.
macro_rules! own_page {
    ($($page:ident),+) => {
        $(impl $page {
            fn texts(&self) -> &'static Texts {
                self.own.texts()
            }

            fn says(&self) -> &'static CustomerTexts {
                self.own.says()
            }
        })+
    };
}

own_page!(OverviewPage, AccessListPage, AccessPage, OwnPaymentsPage, OwnPaymentPage, MovementsPage);

#[cfg(test)]
mod tests {
    use domain::Currency;

    use super::*;

    const HOSTILE: &str = "<b>Third & \"Party\"</b>";

    fn own(language: Language) -> Own {
        Own {
            language,
            brand: Brand { name: HOSTILE.to_owned(), is_for_tests: true, ..Brand::default() },
            csrf: "c".to_owned(),
            base: "/auth/nl/customer".to_owned(),
            customer_name: HOSTILE.to_owned(),
        }
    }

    fn euro(minor: i64) -> Money {
        Money { minor, currency: Currency::EUR }
    }

    fn account(is_closed: bool) -> OwnAccount {
        OwnAccount {
            id: "1".to_owned(),
            number: "NL91 ABNA 0417 1643 00".to_owned(),
            holders: HOSTILE.to_owned(),
            is_savings: is_closed,
            is_blocked: false,
            is_closed,
            booked: euro(-123_456),
            available: euro(5),
        }
    }

    fn right(status: ConsentStatus) -> ShownRight {
        ShownRight {
            id: "1".to_owned(),
            tpp_name: HOSTILE.to_owned(),
            tpp_id: "PSDNL-DNB-1".to_owned(),
            balances: true,
            transactions: true,
            funds: status.is_final().then(|| HOSTILE.to_owned()),
            accounts: vec![HOSTILE.to_owned()],
            through: "bunq",
            since: "3 March 2026".to_owned(),
            until: None,
            last_used: None,
            status,
            ended_on: status.is_final().then(|| "4 March 2026".to_owned()),
        }
    }

    fn payment(status: TransactionStatus, way_out: Option<OwnWayOut>) -> OwnShownPayment {
        let transfer = OwnTransfer {
            name: HOSTILE.to_owned(),
            number: HOSTILE.to_owned(),
            remittance: HOSTILE.to_owned(),
            amount: euro(100),
        };
        OwnShownPayment {
            id: "1".to_owned(),
            tpp_name: Some(HOSTILE.to_owned()),
            from: "NL91".to_owned(),
            total: Some(euro(200)),
            transfers: vec![transfer.clone(), transfer],
            when: Execution::AtOnce,
            status,
            is_approved: false,
            reason: Some(RejectReason::Tm01),
            on: "3 March 2026".to_owned(),
            way_out,
        }
    }

    fn movement() -> Movement {
        Movement {
            name: HOSTILE.to_owned(),
            number: String::new(),
            remittance: HOSTILE.to_owned(),
            amount: euro(-1_250),
        }
    }

    fn payments(has_any: bool) -> OwnPayments {
        let some = |status, way_out| if has_any { vec![payment(status, way_out)] } else { Vec::new() };
        OwnPayments {
            waiting: some(TransactionStatus::Rcvd, Some(OwnWayOut::Refuse)),
            others: some(TransactionStatus::Rjct, None),
            older: has_any.then(|| "?after=d.1.x".to_owned()),
        }
    }

    fn pages(language: Language) -> Vec<String> {
        let own = || own(language);
        let overview = |has_any: bool| OverviewPage {
            own: own(),
            accounts: if has_any { vec![account(false), account(true)] } else { Vec::new() },
            totals: if has_any { vec![euro(7)] } else { Vec::new() },
            rights: if has_any { vec![right(ConsentStatus::Valid)] } else { Vec::new() },
            ended: if has_any { vec![right(ConsentStatus::RevokedByPsu)] } else { Vec::new() },
            has_more_rights: has_any,
            payments: payments(has_any),
        };
        let access_list = |has_any: bool| AccessListPage {
            own: own(),
            rights: if has_any {
                vec![right(ConsentStatus::Valid), right(ConsentStatus::Expired)]
            } else {
                Vec::new()
            },
            older: has_any.then(|| "?after=1.x".to_owned()),
            is_later_page: has_any,
        };
        let listed = |has_any: bool| OwnPaymentsPage {
            own: own(),
            payments: payments(has_any),
            is_later_page: has_any,
        };
        let access =
            |status, had_ended| AccessPage { own: own(), right: right(status), had_ended }.render().unwrap();
        let paid = |status, way_out, is_too_late| {
            OwnPaymentPage { own: own(), payment: payment(status, way_out), is_too_late }.render().unwrap()
        };
        let moved = |has_any: bool| MovementsPage {
            own: own(),
            account: account(false),
            pending: if has_any { vec![movement()] } else { Vec::new() },
            booked: if has_any {
                vec![MovedDay { day: "3 March 2026".to_owned(), movements: vec![movement()] }]
            } else {
                Vec::new()
            },
            sums: has_any.then(|| (euro(1), euro(2))),
            older: has_any.then(|| "?after=2026-03-03.1".to_owned()),
            is_later_page: has_any,
        };
        vec![
            overview(true).render().unwrap(),
            overview(false).render().unwrap(),
            access_list(true).render().unwrap(),
            access_list(false).render().unwrap(),
            listed(true).render().unwrap(),
            listed(false).render().unwrap(),
            access(ConsentStatus::Valid, false),
            access(ConsentStatus::Received, false),
            access(ConsentStatus::TerminatedByTpp, true),
            paid(TransactionStatus::Rcvd, Some(OwnWayOut::Refuse), false),
            paid(TransactionStatus::Accp, Some(OwnWayOut::Stop), false),
            paid(TransactionStatus::Canc, None, true),
            moved(true).render().unwrap(),
            moved(false).render().unwrap(),
        ]
    }

    #[test]
    fn every_sample_renders_with_its_values_escaped() {
        for (language, code) in Language::CODES {
            for html in pages(language) {
                assert!(!html.contains("<b>") && !html.contains("<script"), "{html}");
                assert!(html.contains(&format!("<html lang=\"{code}\">")) && html.contains("<h1>"), "{html}");
                assert!(!html.contains("style=") && !html.contains("onclick"), "the policy forbids both");
                assert!(html.contains("name=\"csrf\" value=\"c\""), "every page has the way out: {html}");
            }
        }
    }

    #[test]
    fn a_payment_says_what_became_of_it_and_why() {
        let own = own(Language::English);
        let not_made = payment(TransactionStatus::Rjct, None);
        assert_eq!(own.progress(&not_made), "Not made: it was not approved and confirmed in time");
        let blocked = OwnShownPayment { reason: Some(RejectReason::CreditorBlocked), ..not_made };
        assert_eq!(own.progress(&blocked), "Not made: the account is blocked");
        let waits = OwnShownPayment { reason: None, ..payment(TransactionStatus::Rcvd, None) };
        assert!(own.progress(&waits).starts_with("Waits for your approval"));
        let approved = OwnShownPayment { is_approved: true, ..waits };
        assert_eq!(own.progress(&approved), "Approved by you; waits for the application");
    }
}
