//! Data of one's own: customers, accounts and movements that somebody wrote down.

mod csv;
mod customers;
mod entering;
mod fields;
mod legs;
mod rows;
mod yaml;

use gateway::domain::{AccountStatus, Currency, Date, Iban, Money, Product, Tenant, parse_day};

pub(crate) use entering::{enter, load};
pub(crate) use fields::{Fields, Refused};

/// Most movements of one file.
const MAX_MOVEMENTS: usize = 10_000;

/// Most customers of one file.
const MAX_CUSTOMERS: usize = 1000;

/// Longest name of a customer or of the other side, in characters (SEPA).
const MAX_NAME: usize = 70;

/// Longest text of a movement, in characters (SEPA).
const MAX_TEXT: usize = 140;

/// Members of a movement.
const MOVEMENT: [&str; 8] = ["amount", "currency", "date", "status", "name", "iban", "text", "endToEndId"];

/// What a file says.
#[derive(Debug, Default)]
pub(crate) struct File {
    pub(crate) customers: Vec<OwnCustomer>,
    /// Movements of accounts that the bank has.
    pub(crate) movements: Vec<(Iban, OwnMovement)>,
}

/// A customer to be made.
#[derive(Debug)]
pub(crate) struct OwnCustomer {
    /// Where they are named first.
    line: u64,
    pub(crate) tenant: Tenant,
    pub(crate) name: String,
    /// Number of the digipass; drawn if absent.
    pub(crate) digipass_number: Option<String>,
    pub(crate) accounts: Vec<OwnAccount>,
}

/// An account to be opened.
#[derive(Debug)]
pub(crate) struct OwnAccount {
    pub(crate) line: u64,
    /// How rows of a table name it.
    label: String,
    /// Drawn if absent.
    pub(crate) iban: Option<Iban>,
    pub(crate) currency: Currency,
    pub(crate) product: Product,
    pub(crate) status: AccountStatus,
    /// In minor units.
    pub(crate) credit_limit: i64,
    /// What it holds before its first movement, in minor units.
    pub(crate) balance: i64,
    pub(crate) movements: Vec<OwnMovement>,
}

/// A movement to be entered.
#[derive(Debug)]
pub(crate) struct OwnMovement {
    pub(crate) line: u64,
    /// As it was written; the account says in which currency.
    amount: String,
    pub(crate) currency: Option<Currency>,
    /// The day on which it is booked; today, or tomorrow if it is pending.
    pub(crate) date: Option<Date>,
    pub(crate) is_pending: bool,
    pub(crate) name: Option<String>,
    pub(crate) iban: Option<Iban>,
    pub(crate) text: Option<String>,
    pub(crate) end_to_end_id: Option<String>,
}

impl File {
    /// Reads YAML.
    ///
    /// # Errors
    /// [`Refused`]
    pub(crate) fn from_yaml(text: &str, tenants: &[Tenant]) -> Result<Self, Refused> {
        Self::from_fields(&yaml::read(text)?, tenants)
    }

    /// The same of a document that was read.
    ///
    /// # Errors
    /// [`Refused`]
    pub(crate) fn from_fields(fields: &Fields, tenants: &[Tenant]) -> Result<Self, Refused> {
        fields.only(&["customers", "transactions"])?;
        let mut file = Self::default();
        for customer in fields.list("customers")? {
            customer.only(&["tenant", "name", "digipassNumber", "accounts"])?;
            let mut made = OwnCustomer::read(customer, "name", tenants)?;
            for account in customer.list("accounts")? {
                account.only(&[
                    "iban",
                    "currency",
                    "kind",
                    "status",
                    "creditLimit",
                    "balance",
                    "transactions",
                ])?;
                let mut opened =
                    OwnAccount::read(account, ("iban", "status"), &made.tenant, made.tenant.currency())?;
                if let Some(text) = file.held_already(&opened) {
                    return Err(account.refuse("iban", text));
                }
                for movement in account.list("transactions")? {
                    movement.only(&MOVEMENT)?;
                    opened.movements.push(OwnMovement::read(movement)?);
                }
                made.accounts.push(opened);
            }
            if made.accounts.is_empty() {
                return Err(customer.refuse("accounts", "a customer has at least one account"));
            }
            file.customers.push(made);
        }
        for movement in fields.list("transactions")? {
            movement.only(&[&["account"][..], &MOVEMENT].concat())?;
            file.movements.push((existing(movement)?, OwnMovement::read(movement)?));
        }
        file.checked(fields.line)
    }

    /// Whose the number of an account is, if it is that of another customer of the file.
    fn held_already(&self, account: &OwnAccount) -> Option<String> {
        let iban = account.iban.as_ref()?;
        let all =
            self.customers.iter().flat_map(|one| one.accounts.iter().map(move |account| (one, account)));
        let (holder, taken) = all.into_iter().find(|(_, other)| other.iban.as_ref() == Some(iban))?;
        let place = if taken.line > 0 { format!("line {}", taken.line) } else { "the file".to_owned() };
        let OwnCustomer { name, tenant, .. } = holder;
        Some(format!(
            "{place} has this account for {name} at tenant {tenant}, and an account has one customer here"
        ))
    }

    fn checked(self, line: u64) -> Result<Self, Refused> {
        let accounts = || self.customers.iter().flat_map(|customer| &customer.accounts);
        let movements =
            self.movements.len() + accounts().map(|account| account.movements.len()).sum::<usize>();
        if self.customers.is_empty() && movements == 0 {
            return Err(Refused::at(line, "there is no customer and no transaction"));
        }
        if movements > MAX_MOVEMENTS || self.customers.len() > MAX_CUSTOMERS {
            let text =
                format!("at most {MAX_CUSTOMERS} customers and {MAX_MOVEMENTS} transactions come at once");
            return Err(Refused::at(line, text));
        }
        Ok(self)
    }
}

/// The account that a movement names.
fn existing(fields: &Fields) -> Result<Iban, Refused> {
    fields
        .read("account", Iban::parse)?
        .ok_or_else(|| fields.refuse("account", "it is missing: the IBAN of an account"))
}

impl OwnCustomer {
    fn read(fields: &Fields, name: &str, tenants: &[Tenant]) -> Result<Self, Refused> {
        let tenant = fields.read("tenant", |wanted| {
            let names: Vec<_> = tenants.iter().map(Tenant::as_str).collect();
            let found = tenants.iter().find(|tenant| tenant.as_str() == wanted).cloned();
            found.ok_or_else(|| format!("it is not one of {}", names.join(", ")))
        })?;
        let digipass_number = fields.read("digipassNumber", |number| {
            let is_number = number.len() == 10 && number.bytes().all(|octet| octet.is_ascii_digit());
            if is_number { Ok(number.to_owned()) } else { Err("ten digits are expected") }
        })?;
        Ok(Self {
            line: fields.line,
            tenant: tenant.unwrap_or_else(|| tenants[0].clone()),
            name: fields.shown(name, MAX_NAME)?.ok_or_else(|| fields.refuse(name, "it is missing"))?,
            digipass_number,
            accounts: Vec::new(),
        })
    }
}

impl OwnAccount {
    /// Reads an account, which is in a currency if nothing else is said.
    fn read(
        fields: &Fields,
        (number, status): (&str, &str),
        tenant: &Tenant,
        currency: Currency,
    ) -> Result<Self, Refused> {
        let member = if number == "iban" { "currency" } else { "accountCurrency" };
        let currency = fields.read(member, currency_of)?.unwrap_or(currency);
        let product = fields.read("kind", |kind| match kind {
            "current" => Ok(Product::Current),
            "savings" => Ok(Product::Savings),
            _ => Err("it is either current or savings"),
        })?;
        let status = fields.read(status, |name| {
            AccountStatus::from_name(name).ok_or("it is one of enabled, blocked, deleted")
        })?;
        let money = |name: &str| {
            let money = fields.read(name, |text| Money::parse(text, currency))?;
            Ok(money.map_or(0, |money| money.minor))
        };
        let credit_limit = money("creditLimit")?;
        if credit_limit < 0 {
            return Err(fields.refuse("creditLimit", "it is how far the account may be overdrawn, 0 or more"));
        }
        let iban = match fields.read(number, Iban::parse) {
            Ok(iban) => iban,
            // In a table a name will do, which other rows repeat.
            Err(_) if number == "account" => None,
            Err(refused) => return Err(refused),
        };
        if iban.as_ref().is_some_and(|iban| !iban.as_str().starts_with(tenant.country())) {
            let text = format!("account numbers of tenant {tenant} begin with {}", tenant.country());
            return Err(fields.refuse(number, text));
        }
        Ok(Self {
            line: fields.line,
            label: label(fields, number)?,
            iban,
            currency,
            product: product.unwrap_or(Product::Current),
            status: status.unwrap_or(AccountStatus::Enabled),
            credit_limit,
            balance: money("balance")?,
            movements: Vec::new(),
        })
    }
}

/// How an account is named: its number, however it is written, or any name.
fn label(fields: &Fields, number: &str) -> Result<String, Refused> {
    let text = fields.text(number)?.unwrap_or_default();
    Ok(Iban::parse(text).map_or_else(|_| text.to_owned(), |iban| iban.as_str().to_owned()))
}

impl OwnMovement {
    /// Reads the members of a movement.
    ///
    /// # Errors
    /// [`Refused`]
    pub(crate) fn of_json(fields: &Fields) -> Result<Self, Refused> {
        fields.only(&MOVEMENT)?;
        Self::read(fields)
    }

    fn read(fields: &Fields) -> Result<Self, Refused> {
        let missing =
            || fields.refuse("amount", "it is missing: money that comes in, or goes out with a minus sign");
        let status = fields.read("status", |status| match status {
            "booked" => Ok(false),
            "pending" => Ok(true),
            _ => Err("it is either booked or pending"),
        })?;
        Ok(Self {
            line: fields.line,
            amount: fields.text("amount")?.ok_or_else(missing)?.to_owned(),
            currency: fields.read("currency", currency_of)?,
            date: fields.read("date", parse_day)?,
            is_pending: status.unwrap_or(false),
            name: fields.shown("name", MAX_NAME)?,
            iban: fields.read("iban", Iban::parse)?,
            text: fields.shown("text", MAX_TEXT)?,
            end_to_end_id: fields.shown("endToEndId", 35)?,
        })
    }

    /// What it moves, in minor units of a currency.
    fn minor(&self, currency: Currency) -> Result<i64, Refused> {
        let refuse = |text: String| self.refused("amount", text);
        match Money::parse(&self.amount, currency) {
            Ok(money) if money.minor != 0 => Ok(money.minor),
            Ok(_) => Err(refuse("nothing moves with it".to_owned())),
            Err(error) => Err(refuse(error.to_string())),
        }
    }

    fn refused(&self, member: &str, text: String) -> Refused {
        Fields { line: self.line, members: Vec::new() }.refuse(member, text)
    }
}

fn currency_of(code: &str) -> Result<Currency, &'static str> {
    let currency = Currency::from_code(code)
        .ok_or("it is no code of ISO 4217; three capitals such as EUR are expected")?;
    // X begins what no country pays with, such as gold or no currency at all, and a few that several share.
    if code.starts_with('X') && !["XAF", "XCD", "XCG", "XOF", "XPF"].contains(&code) {
        return Err("accounts are in money of a country, such as EUR");
    }
    Ok(currency)
}
