//! What moves on an account: realistic, the same for the same seed, and still going on when the clock is moved.
//!
//! A movement is seen from the day it is entered; it is pending until its booking date. What lies in the future is
//! in the books already and is not seen before its day, so an account lives on when a test moves the clock.

use gateway::domain::{Counterparty, Date};
use jiff::Span;

use crate::merchants::{self, Merchants};
use crate::numbers::{Sequence, foreign_iban};
use crate::personas::Life;

/// Days of history before the account is made: eighteen months.
const PAST_DAYS: i32 = 550;

/// Days that are in the books ahead of their time.
const FUTURE_DAYS: i32 = 400;

/// Booked movements of [`Life::Busy`] on the day the account is made.
const BUSY_COUNT: usize = 1200;

/// A movement before it is booked.
#[derive(Debug, Clone)]
pub(crate) struct Movement {
    pub(crate) entered_on: Date,
    pub(crate) booking_date: Date,
    /// Minor units, positive for money that comes in.
    pub(crate) amount: i64,
    pub(crate) counterparty: Counterparty,
    pub(crate) remittance: String,
    /// The bank's code: OV transfer, ID online payment, BA card, IC direct debit.
    pub(crate) code: &'static str,
    pub(crate) end_to_end_id: Option<String>,
    /// A transfer to the first savings account.
    pub(crate) to_savings: bool,
}

/// What an account begins with and how it goes on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan<'a> {
    pub(crate) life: Life,
    pub(crate) country: &'a str,
    pub(crate) today: Date,
    /// Least balance, in minor units: payments that would go below are not made.
    pub(crate) floor: i64,
    /// What the account is to hold at the end of yesterday.
    pub(crate) balance: Option<i64>,
    /// Whether there is a savings account to put money aside.
    pub(crate) saves: bool,
    /// Minor units of the account's currency for one of the euro.
    pub(crate) scale: f64,
}

/// The movements of an account in the order in which they are booked. Their sum at any day is its balance.
pub(crate) fn movements(plan: &Plan<'_>, numbers: &mut Sequence) -> Vec<Movement> {
    let opened = match plan.life {
        Life::None => plan.today.saturating_sub(Span::new().days(30)),
        Life::Newcomer => plan.today.saturating_sub(Span::new().days(14)),
        _ => plan.today.saturating_sub(Span::new().days(PAST_DAYS)),
    };
    let mut all = Vec::new();
    if plan.life != Life::None {
        let days = (plan.today - opened).get_days() + FUTURE_DAYS;
        for day in 0..days {
            let date = opened.saturating_add(Span::new().days(day + 1));
            Day { plan, date, numbers, movements: &mut all }.live();
        }
    }
    all.sort_by_key(|movement| movement.booking_date);
    // The balance that is asked for is that of yesterday's close, which is what a bank shows as booked.
    let yesterday = plan.today.yesterday().unwrap_or(plan.today);
    let last_past = if plan.life == Life::Busy { plan.today } else { yesterday };
    let is_past = |movement: &Movement| movement.booking_date <= last_past;
    let mut past: Vec<_> = all.iter().filter(|movement| is_past(movement)).cloned().collect();
    let future = all.into_iter().filter(|movement| !is_past(movement));
    if plan.life == Life::Busy {
        past.drain(..past.len().saturating_sub(BUSY_COUNT - 1));
    }
    let opened = past.first().map_or(opened, |first| first.booking_date.min(plan.today));
    let mut kept = open(plan, opened, numbers);
    let mut balance: i64 = kept.iter().map(|movement| movement.amount).sum();
    // A busy account never runs dry, so that the number of its movements is exact.
    let floor = if plan.life == Life::Busy { i64::MIN } else { plan.floor };
    let keep = |kept: &mut Vec<Movement>, balance: &mut i64, movement: Movement| {
        if movement.amount > 0 || *balance + movement.amount >= floor {
            *balance += movement.amount;
            kept.push(movement);
        }
    };
    for movement in past {
        keep(&mut kept, &mut balance, movement);
    }
    if let Some(target) = plan.balance.filter(|target| *target != balance) {
        kept.push(own_transfer(plan, last_past, target - balance));
        balance = target;
    }
    for movement in future {
        keep(&mut kept, &mut balance, movement);
    }
    kept
}

/// The first movement: money from an account elsewhere.
fn open(plan: &Plan<'_>, day: Date, numbers: &mut Sequence) -> Vec<Movement> {
    let amount = match plan.life {
        Life::None => return Vec::new(),
        Life::Student | Life::Newcomer => numbers.between(5_000, 30_000),
        Life::Business | Life::Busy => numbers.between(2_000_000, 4_000_000),
        Life::Savings => numbers.between(100_000, 900_000),
        _ => numbers.between(80_000, 250_000),
    };
    vec![own_transfer(plan, day, scaled(plan, amount))]
}

fn own_transfer(plan: &Plan<'_>, day: Date, amount: i64) -> Movement {
    Movement {
        entered_on: day,
        booking_date: day,
        amount,
        counterparty: Counterparty {
            name: Some("Own account elsewhere".to_owned()),
            iban: foreign_iban(plan.country, "own account elsewhere"),
        },
        remittance: "Transfer between own accounts".to_owned(),
        code: "OV",
        end_to_end_id: None,
        to_savings: false,
    }
}

fn scaled(plan: &Plan<'_>, amount: i64) -> i64 {
    // Amounts are far below the 2^53 up to which this is exact.
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "small amounts")]
    let scaled = (amount as f64 * plan.scale).round() as i64;
    scaled
}

/// One day of an account.
struct Day<'a> {
    plan: &'a Plan<'a>,
    date: Date,
    numbers: &'a mut Sequence,
    movements: &'a mut Vec<Movement>,
}

impl Day<'_> {
    fn live(&mut self) {
        let merchants = merchants::of(self.plan.country);
        match self.plan.life {
            Life::None => {}
            Life::Household | Life::Newcomer => self.household(merchants),
            Life::Student => self.student(merchants),
            Life::Pensioner => self.pensioner(merchants),
            Life::Business => self.business(merchants),
            Life::Busy => {
                self.household(merchants);
                for _ in 0..3 {
                    self.card(900, merchants.cafes, 200, 900);
                }
            }
            Life::Savings => {
                if self.date.month() == 1 && self.date.day() == 1 {
                    self.come_in("Interest", self.plan.country, "Interest of the year", 1_000, 9_000);
                }
            }
            Life::Travel => self.card(40, merchants.shops, 1_000, 9_000),
        }
        // Something is always pending on the day the account is made.
        if self.date == self.plan.today && !matches!(self.plan.life, Life::None | Life::Savings) {
            self.card(1000, merchants.groceries, 350, 1_900);
        }
    }

    fn household(&mut self, of: &Merchants) {
        self.monthly_income(25, of.employer, "Salary", 248_000, 262_000);
        self.monthly(1, of.landlord, "Rent", 95_000, 95_000);
        self.monthly(3, of.insurance, "Insurance premium", 13_120, 13_120);
        self.monthly(5, of.energy, "Energy, monthly amount", 12_000, 18_000);
        self.monthly(12, of.telephone, "Telephone and internet", 4_250, 4_250);
        if self.date.day() == 26 && self.plan.saves {
            self.put_aside(15_000);
        }
        self.card(350, of.groceries, 800, 8_500);
        self.card(200, of.cafes, 350, 1_600);
        self.card(120, of.transport, 240, 3_000);
        self.online(70, of.shops, 1_500, 14_000);
        self.friend(40, of.people, 500, 4_500);
        if self.happens(15) {
            let shop = *self.numbers.choose(of.shops);
            self.come_in(shop, self.plan.country, "Refund", 1_000, 6_000);
        }
    }

    fn student(&mut self, of: &Merchants) {
        self.monthly_income(24, of.people[0], "Pocket money", 30_000, 30_000);
        self.monthly_income(10, of.employer, "Wages, part-time", 26_000, 31_000);
        self.monthly(2, of.landlord, "Room", 31_000, 31_000);
        self.card(450, of.groceries, 150, 1_400);
        self.card(200, of.cafes, 180, 900);
        self.friend(60, of.people, 200, 1_200);
    }

    fn pensioner(&mut self, of: &Merchants) {
        self.monthly_income(23, of.pension, "Pension", 154_000, 154_000);
        self.monthly(1, of.landlord, "Rent", 68_000, 68_000);
        self.monthly(5, of.energy, "Energy, monthly amount", 9_000, 14_000);
        self.card(300, of.groceries, 600, 4_000);
    }

    fn business(&mut self, of: &Merchants) {
        let is_working_day = self.date.weekday().to_monday_one_offset() <= 5;
        if is_working_day && self.happens(800) {
            let (customer, invoice) = (*self.numbers.choose(of.companies), self.numbers.digits(6));
            self.come_in(customer, self.plan.country, &format!("Invoice {invoice}"), 40_000, 480_000);
            self.last_end_to_end_id(format!("INV-{invoice}"));
        }
        if is_working_day && self.happens(600) {
            let (supplier, order) = (*self.numbers.choose(of.companies), self.numbers.digits(6));
            self.pay(supplier, &format!("Order {order}"), "OV", (30_000, 210_000));
            self.last_end_to_end_id(format!("ORD-{order}"));
        }
        self.monthly(1, of.landlord, "Rent of the premises", 280_000, 280_000);
        self.monthly(24, "Salaries", "Payroll of the month", 1_800_000, 1_900_000);
        self.monthly(28, of.tax, "Taxes", 150_000, 320_000);
    }

    fn happens(&mut self, per_thousand: i64) -> bool {
        self.numbers.between(1, 1000) <= per_thousand
    }

    fn monthly(&mut self, day: i8, name: &str, what: &str, low: i64, high: i64) {
        if self.date.day() == day {
            self.pay(name, what, "IC", (low, high));
        }
    }

    fn monthly_income(&mut self, day: i8, name: &str, what: &str, low: i64, high: i64) {
        if self.date.day() == day {
            self.come_in(name, self.plan.country, what, low, high);
        }
    }

    /// A payment with the card: seen at once, booked a day later, and the shop has no account number.
    fn card(&mut self, per_thousand: i64, shops: &[&str], low: i64, high: i64) {
        if !self.happens(per_thousand) {
            return;
        }
        let shop = *self.numbers.choose(shops);
        let minute = self.numbers.between(0, 59);
        let remittance = format!("Card payment {shop} {} 12:{minute:02}", self.date);
        let booked = self.date.saturating_add(Span::new().days(1));
        let amount = -self.amount(low, high);
        self.add(Some(shop), None, remittance, "BA", amount);
        if let Some(last) = self.movements.last_mut() {
            last.booking_date = booked;
        }
    }

    fn online(&mut self, per_thousand: i64, shops: &[&str], low: i64, high: i64) {
        if self.happens(per_thousand) {
            let (shop, order) = (*self.numbers.choose(shops), self.numbers.digits(8));
            self.pay(shop, &format!("Order {order}"), "ID", (low, high));
        }
    }

    /// Money to or from somebody, at times without a word.
    fn friend(&mut self, per_thousand: i64, people: &[&str], low: i64, high: i64) {
        if !self.happens(per_thousand) {
            return;
        }
        let somebody = *self.numbers.choose(people);
        let what = *self.numbers.choose(&["Lunch", "", "Thanks!", "Birthday present"]);
        if self.happens(500) {
            self.come_in(somebody, self.plan.country, what, low, high);
        } else {
            self.pay(somebody, what, "OV", (low, high));
        }
    }

    fn put_aside(&mut self, amount: i64) {
        let amount = scaled(self.plan, amount);
        self.add(None, None, "To savings".to_owned(), "OV", -amount);
        if let Some(last) = self.movements.last_mut() {
            last.to_savings = true;
        }
    }

    fn pay(&mut self, name: &str, what: &str, code: &'static str, (low, high): (i64, i64)) {
        let amount = -self.amount(low, high);
        self.add(Some(name), Some(self.plan.country), what.to_owned(), code, amount);
    }

    fn come_in(&mut self, name: &str, country: &str, what: &str, low: i64, high: i64) {
        let amount = self.amount(low, high);
        self.add(Some(name), Some(country), what.to_owned(), "OV", amount);
    }

    fn amount(&mut self, low: i64, high: i64) -> i64 {
        scaled(self.plan, self.numbers.between(low, high)).max(1)
    }

    fn add(
        &mut self,
        name: Option<&str>,
        country: Option<&str>,
        remittance: String,
        code: &'static str,
        amount: i64,
    ) {
        let iban = name.zip(country).and_then(|(name, country)| foreign_iban(country, name));
        self.movements.push(Movement {
            entered_on: self.date,
            booking_date: self.date,
            amount,
            counterparty: Counterparty { name: name.map(str::to_owned), iban },
            remittance,
            code,
            end_to_end_id: None,
            to_savings: false,
        });
    }

    fn last_end_to_end_id(&mut self, id: String) {
        if let Some(last) = self.movements.last_mut() {
            last.end_to_end_id = Some(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(life: Life) -> Plan<'static> {
        let today = "2026-06-15".parse().unwrap();
        Plan { life, country: "NL", today, floor: 0, balance: None, saves: false, scale: 1.0 }
    }

    fn of(plan: &Plan<'_>) -> Vec<Movement> {
        movements(plan, &mut Sequence::of("seed"))
    }

    fn sum_on(movements: &[Movement], day: Date) -> i64 {
        movements.iter().filter(|one| one.booking_date <= day).map(|one| one.amount).sum()
    }

    #[test]
    fn a_household_never_goes_below_its_floor_and_lives_on() {
        let plan = plan(Life::Household);
        let movements = of(&plan);
        let first = movements.first().unwrap().booking_date;
        assert!((plan.today - first).get_days() >= 540, "eighteen months");
        assert!(movements.last().unwrap().booking_date > plan.today.saturating_add(Span::new().days(300)));
        let mut balance = 0;
        for movement in &movements {
            balance += movement.amount;
            assert!(balance >= 0, "{movement:?}");
        }
        assert!(movements.iter().any(|one| one.entered_on <= plan.today && one.booking_date > plan.today));
        let ordered = movements.windows(2).all(|pair| pair[0].booking_date <= pair[1].booking_date);
        assert!(ordered);
    }

    #[test]
    fn a_busy_account_has_exactly_1200_booked_movements() {
        let plan = plan(Life::Busy);
        let booked = of(&plan).iter().filter(|one| one.booking_date <= plan.today).count();
        assert_eq!(booked, BUSY_COUNT);
    }

    #[test]
    fn the_balance_is_what_was_asked_for() {
        for (life, floor, balance) in
            [(Life::Student, 0, 1_234), (Life::Household, -100_000, -42_050), (Life::None, 0, 777)]
        {
            let plan = Plan { floor, balance: Some(balance), ..plan(life) };
            let yesterday = plan.today.yesterday().unwrap();
            assert_eq!(sum_on(&of(&plan), yesterday), balance, "{life:?}");
        }
        assert!(of(&plan(Life::None)).is_empty());
    }

    #[test]
    fn the_same_seed_gives_the_same_movements() {
        let text = |movements: Vec<Movement>| format!("{movements:?}");
        assert_eq!(text(of(&plan(Life::Business))), text(of(&plan(Life::Business))));
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { cases: 40, ..Default::default() })]
        /// Books made on any day, the last ones of months and 29 February among them, add up and are in order.
        #[test]
        fn books_of_any_day_add_up(days in 0_i64..25_500, seed in 0_u32..50) {
            let today = "2020-01-02".parse::<Date>().unwrap() + Span::new().days(days);
            let yesterday = today.yesterday().unwrap();
            for (life, balance) in [
                (Life::Student, 1_234), (Life::Household, 42_050), (Life::Newcomer, 5_000), (Life::Business, 900_000),
            ] {
                let plan = Plan { today, balance: Some(balance), ..plan(life) };
                let movements = movements(&plan, &mut Sequence::of(&seed.to_string()));
                proptest::prop_assert_eq!(sum_on(&movements, yesterday), balance, "{:?}", life);
                let ordered = movements.windows(2).all(|pair| pair[0].booking_date <= pair[1].booking_date);
                proptest::prop_assert!(ordered && movements.iter().all(|one| one.entered_on <= one.booking_date));
            }
            let plan = Plan { today, ..plan(Life::Busy) };
            let movements = movements(&plan, &mut Sequence::of(&seed.to_string()));
            let booked = movements.iter().filter(|one| one.booking_date <= today).count();
            proptest::prop_assert_eq!(booked, BUSY_COUNT);
        }
    }
}
