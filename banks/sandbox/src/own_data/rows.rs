//! The rows of a table as customers, accounts and movements. What several rows say of one customer or account has to be the same.

use gateway::domain::Tenant;

use super::fields::{Fields, Refused};
use super::{File, MOVEMENT, OwnAccount, OwnCustomer, OwnMovement, csv, existing, label};

/// Columns about a customer and an account that are made.
const MADE: [&str; 8] = [
    "customer",
    "tenant",
    "digipassNumber",
    "accountCurrency",
    "kind",
    "accountStatus",
    "creditLimit",
    "balance",
];

impl File {
    /// Reads CSV. A row with a customer is about an account of theirs, which is opened with its first row; one
    /// without is about an account that the bank has.
    ///
    /// # Errors
    /// [`Refused`]
    pub(crate) fn from_csv(octets: &[u8], tenants: &[Tenant]) -> Result<Self, Refused> {
        let mut file = Self::default();
        for row in csv::read(octets, &[&MADE[..], &["account"], &MOVEMENT].concat())? {
            let movement = row.text("amount")?.map(|_| OwnMovement::read(&row)).transpose()?;
            if row.text("customer")?.is_some() {
                let (customer, account) = file.account_of(&row, tenants)?;
                file.customers[customer].accounts[account].movements.extend(movement);
                continue;
            }
            for column in MADE {
                if row.text(column)?.is_some() {
                    let text = "this is said of an account that is made, and the row has no customer for whom to make one";
                    return Err(row.refuse(column, text));
                }
            }
            let movement = movement.ok_or_else(|| row.refuse("amount", "it is missing"))?;
            file.movements.push((existing(&row)?, movement));
        }
        file.checked(1)
    }

    /// Where the customer and the account of a row are; those that are named for the first time are added.
    fn account_of(&mut self, row: &Fields, tenants: &[Tenant]) -> Result<(usize, usize), Refused> {
        let customer = OwnCustomer::read(row, "customer", tenants)?;
        let is_same = |known: &OwnCustomer| known.name == customer.name && known.tenant == customer.tenant;
        let at = match self.customers.iter().position(is_same) {
            Some(at) => at,
            None => {
                self.customers.push(customer);
                self.customers.len() - 1
            }
        };
        let known = &self.customers[at];
        let number = row.text("digipassNumber")?;
        if number.is_some() && number != known.digipass_number.as_deref() {
            return Err(contradiction(row, "digipassNumber", known.line, "customer"));
        }
        let label = label(row, "account")?;
        let first = known.accounts.iter().position(|account| account.label == label);
        let currency = first.map_or(known.tenant.currency(), |first| known.accounts[first].currency);
        let account = OwnAccount::read(row, ("account", "accountStatus"), &known.tenant, currency)?;
        if let Some(first) = first {
            agree(row, &known.accounts[first], &account)?;
            return Ok((at, first));
        }
        if let Some(text) = self.held_already(&account) {
            return Err(row.refuse("account", text));
        }
        self.customers[at].accounts.push(account);
        Ok((at, self.customers[at].accounts.len() - 1))
    }
}

/// What a row says of an account is what the first one said of it.
fn agree(row: &Fields, first: &OwnAccount, account: &OwnAccount) -> Result<(), Refused> {
    for (column, is_same) in [
        ("accountCurrency", first.currency == account.currency),
        ("kind", first.product == account.product),
        ("accountStatus", first.status == account.status),
        ("creditLimit", first.credit_limit == account.credit_limit),
        ("balance", first.balance == account.balance),
    ] {
        if !is_same && row.text(column)?.is_some() {
            return Err(contradiction(row, column, first.line, "account"));
        }
    }
    Ok(())
}

fn contradiction(row: &Fields, column: &str, first: u64, of: &str) -> Refused {
    let text = format!(
        "line {first} is about the same {of} and does not say this; say it there, or the same in both"
    );
    row.refuse(column, text)
}
