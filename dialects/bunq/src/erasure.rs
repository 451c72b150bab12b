//! What goes of a customer whose data are erased: who is behind a number, how they and third parties that acted for them came in, and
//! whom they had told what. What was paid, asked to be paid and ordered stays for its time, under numbers that say nothing any more.

use gateway::bank::Answer;
use gateway::domain::{CustomerId, Tenant};
use gateway::{Belongings, Changes, Drawer, Error};

use crate::callback_failures::Failure;
use crate::credentials::Credential;
use crate::notifications::FILTERS;
use crate::records::{Kept, Range, Record, key_of, list, look_up};
use crate::users::{BY_NAME, TIMEOUT, User};

/// How many records are read at once.
const PAGE: i64 = 500;

/// The state of the interface, of one branch. It holds no gateway, which holds it.
#[derive(Debug)]
pub(crate) struct OfCustomers {
    pub(crate) drawer: Drawer,
    pub(crate) tenant: Tenant,
}

type Keys = Vec<(&'static str, String)>;

impl Belongings for OfCustomers {
    fn of_customer<'a>(&'a self, tenant: &'a Tenant, customer: &'a CustomerId) -> Answer<'a, Changes> {
        Box::pin(async move {
            if *tenant != self.tenant {
                return Ok(Changes::new());
            }
            let mut keys = Keys::new();
            for (number, user) in self.users_of(customer).await? {
                keys.extend([(BY_NAME, user.key()), (TIMEOUT, number.to_string())]);
                keys.push(key_of::<User>(0, number));
                keys.extend(self.all::<Credential>(number).await?.iter().map(key));
                keys.extend(self.all::<Failure>(number).await?.iter().map(key));
                keys.extend(self.filters_of(number).await?);
            }
            Ok(self.drawer.deletion(&keys))
        })
    }
}

fn key<T: Kept>(record: &Record<T>) -> (&'static str, String) {
    key_of::<T>(record.owner, record.id)
}

impl OfCustomers {
    /// Users that stand for a customer: in person, and for third parties and others that they approved.
    async fn users_of(&self, customer: &CustomerId) -> Result<Vec<(i64, User)>, Error> {
        let in_person = User::Customer { customer: customer.clone() };
        let number = look_up::<i64>(&self.drawer, BY_NAME, &in_person.key()).await?;
        let mut users: Vec<_> = number.map(|number| (number, in_person)).into_iter().collect();
        let others = self.all::<User>(0).await?.into_iter().map(|record| (record.id, record.value));
        users.extend(
            others.filter(|(_, user)| matches!(user, User::Key { customer: of, .. } if of == customer)),
        );
        Ok(users)
    }

    /// All records of an owner.
    async fn all<T: Kept>(&self, owner: i64) -> Result<Vec<Record<T>>, Error> {
        let mut all = Vec::new();
        let mut after = 0;
        loop {
            let page = list::<T>(&self.drawer, owner, Range::Newer(after), PAGE).await?;
            let is_full = i64::try_from(page.len()).is_ok_and(|count| count >= PAGE);
            after = page.first().map_or(after, |newest| newest.id);
            all.extend(page);
            if !is_full {
                return Ok(all);
            }
        }
    }

    /// Where callbacks of a user, and about accounts of theirs, go.
    async fn filters_of(&self, number: i64) -> Result<Keys, Error> {
        let own = format!("user/{number}");
        // Every key that begins with the own one and a slash comes before it with the next character.
        let below = self.drawer.first(FILTERS, (&own, &format!("{own}0")), PAGE).await?;
        let keys = below.into_iter().map(|entry| (FILTERS, entry.key));
        Ok(keys.chain([(FILTERS, own)]).collect())
    }
}
