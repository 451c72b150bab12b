//! Test accounts, personas, and what a customer does at the bank itself.

use axum::Json;
use axum::extract::{Path, RawQuery, Request, State};
use gateway::domain::{
    Account, AccountStatus, ConsentId, Currency, CustomerId, FundsConsentId, Iban, IbanError, Money, Product,
    SubjectKind, Tenant,
};
use gateway::{Clock, Noun};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use store::Changes;

use super::{Error, Management, json, only_parameter};
use crate::Sandbox;
use crate::ledger::{AccountChanges, Customer, Told};
use crate::made_customers::made_last;
use crate::personas::{AccountPlan, DEFAULT, PERSONAS, find};
use crate::test_accounts::{Wish, is_current, make};
use crate::test_certificates::known_tenant;

/// Most customers that a list returns.
const LIST_LIMIT: i64 = 1000;

/// A customer with accounts.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TestAccount {
    tenant: String,
    /// Number of the main account, to log in with.
    iban: String,
    /// Number of the device that answers challenges.
    digipass_number: String,
    name: String,
    customer_id: String,
    persona: String,
    accounts: Vec<OwnAccount>,
    /// Others who hold the same accounts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    co_holders: Vec<Holder>,
    /// What the customer needs at interfaces where customers have credentials of their own.
    #[serde(flatten)]
    doors: serde_json::Map<String, serde_json::Value>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OwnAccount {
    iban: String,
    currency: &'static str,
    cash_account_type: &'static str,
    status: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Holder {
    customer_id: String,
    name: String,
    digipass_number: String,
}

impl TestAccount {
    pub(super) fn new(customer: &Customer, accounts: &[Account], co_holders: &[Customer]) -> Self {
        let main = accounts.iter().find(|account| is_current(account)).or(accounts.first());
        Self {
            tenant: customer.tenant.to_string(),
            iban: main.map(|main| main.iban.as_str().to_owned()).unwrap_or_default(),
            digipass_number: customer.digipass_number.clone(),
            name: customer.name.clone(),
            customer_id: customer.id.to_string(),
            persona: customer.persona.clone(),
            accounts: accounts
                .iter()
                .map(|account| OwnAccount {
                    iban: account.iban.as_str().to_owned(),
                    currency: account.currency.code(),
                    cash_account_type: account.product.code(),
                    status: account.status.name(),
                })
                .collect(),
            co_holders: co_holders
                .iter()
                .map(|holder| Holder {
                    customer_id: holder.id.to_string(),
                    name: holder.name.clone(),
                    digipass_number: holder.digipass_number.clone(),
                })
                .collect(),
            doors: serde_json::Map::new(),
        }
    }

    /// Asks every interface what the customer needs there.
    pub(super) async fn with_doors(
        mut self,
        management: &Management,
        customer: &Customer,
    ) -> Result<Self, Error> {
        for (name, access) in &management.interfaces.doors {
            let told = access(customer.tenant.clone(), customer.id.clone()).await?;
            if !told.is_null() {
                self.doors.insert((*name).to_owned(), told);
            }
        }
        Ok(self)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TestAccountRequest {
    tenant: Option<String>,
    persona: Option<String>,
    name: Option<String>,
    currency: Option<String>,
    balance: Option<String>,
}

pub(super) async fn make_test_account(
    State(management): State<Management>,
    request: Request,
) -> Result<(StatusCode, Json<serde_json::Value>), Error> {
    let sandbox = &management.sandbox;
    let wish = wish(sandbox, json(request).await?)?;
    let made = make(&sandbox.store, &sandbox.randomness, &sandbox.clock, &wish).await?;
    let [holder, others @ ..] = &made.holders[..] else {
        return Err(gateway::Error::NotFound(Noun::Customer).into());
    };
    // The closed account comes first where that is what the persona is for.
    let mut account = TestAccount::new(holder, &made.accounts, others);
    account.iban = made.accounts.first().map_or(account.iban, |main| main.iban.as_str().to_owned());
    let account = account.with_doors(&management, holder).await?;
    Ok((StatusCode::CREATED, Json(serde_json::json!(account))))
}

fn wish(sandbox: &Sandbox, request: TestAccountRequest) -> Result<Wish, Error> {
    let tenant: Tenant = match &request.tenant {
        Some(name) => known_tenant(sandbox, name)?,
        None => sandbox.gateway.settings().tenants[0].clone(),
    };
    let name = request.persona.as_deref().unwrap_or(DEFAULT);
    let persona = find(name).ok_or_else(|| {
        let names: Vec<_> = PERSONAS.iter().map(|persona| persona.name).collect();
        Error::bad("unknown_persona", format!("persona \"{name}\" is not one of {}", names.join(", ")))
    })?;
    let currency = request.currency.as_deref().map(|code| {
        Currency::from_code(code).ok_or_else(|| {
            let text = format!("currency \"{code}\" is no code of ISO 4217; use three capitals such as EUR");
            Error::bad("invalid_currency", text)
        })
    });
    let currency = currency.transpose()?;
    let main = currency.or(persona.accounts[0].currency).unwrap_or_else(|| tenant.currency());
    let balance = request.balance.as_deref().map(|text| {
        Money::parse(text, main)
            .map_err(|error| Error::bad("invalid_balance", format!("balance \"{text}\": {error}")))
    });
    if let Some(name) = &request.name
        && (name.trim().is_empty() || name.chars().count() > 70 || name.chars().any(char::is_control))
    {
        return Err(Error::bad(
            "invalid_name",
            "name must have 1 to 70 characters and no control characters",
        ));
    }
    Ok(Wish {
        tenant,
        persona,
        name: request.name,
        on_demand: false,
        currency,
        balance: balance.transpose()?,
    })
}

/// The customers that were made last, or the one with an id, if they are there.
pub(super) async fn list_test_accounts(
    State(management): State<Management>,
    RawQuery(query): RawQuery,
) -> Result<Json<serde_json::Value>, Error> {
    let store = &management.sandbox.store;
    let found = match only_parameter(query.as_deref(), "customerId")? {
        Some(id) => match store.customer(&CustomerId::new(id)).await? {
            Some(customer) => {
                let accounts = store.accounts_of(&customer.id).await?;
                vec![(customer, accounts)]
            }
            None => Vec::new(),
        },
        None => made_last(store, LIST_LIMIT).await?,
    };
    let mut listed = Vec::new();
    for (customer, accounts) in found {
        let account = TestAccount::new(&customer, &accounts, &[]);
        listed.push(account.with_doors(&management, &customer).await?);
    }
    Ok(Json(serde_json::json!({"testAccounts": listed})))
}

/// Whether an account can be read and pay.
fn is_usable(plan: &AccountPlan) -> bool {
    plan.status == AccountStatus::Enabled && plan.product == Product::Current
}

pub(super) async fn list_personas() -> Json<serde_json::Value> {
    let personas: Vec<_> = PERSONAS
        .iter()
        .map(|persona| {
            serde_json::json!({
                "name": persona.name,
                "description": persona.description,
                "holders": persona.holders,
                "accounts": persona.accounts.len(),
                "usableAccounts": persona.accounts.iter().filter(|plan| is_usable(plan)).count(),
            })
        })
        .collect();
    Json(serde_json::json!({"personas": personas}))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAccountStatus {
    status: String,
}

/// The bank closes, blocks or frees an account, in every currency of its number.
pub(super) async fn set_account_status(
    State(sandbox): State<Sandbox>,
    Path(iban): Path<String>,
    request: Request,
) -> Result<Json<serde_json::Value>, Error> {
    let NewAccountStatus { status } = json(request).await?;
    let status = AccountStatus::from_name(&status).ok_or_else(|| {
        let text = format!("status \"{status}\" is not one of enabled, blocked, deleted");
        Error::bad("invalid_status", text)
    })?;
    let iban = Iban::parse(&iban).map_err(|error: IbanError| Error::bad("invalid_iban", error))?;
    let mut changes = Changes::new();
    let mut count = 0;
    for tenant in &sandbox.gateway.settings().tenants {
        let accounts = sandbox.store.accounts_by_iban(tenant, &iban).await?;
        for account in accounts {
            changes = changes.set_account_status(&account.id, status);
            if status == AccountStatus::Deleted {
                let (now, account) = (sandbox.clock.now(Some(tenant)), account.id.to_string());
                changes = sandbox.store.telling(changes, now, || Told::Closed { account });
            }
            count += 1;
        }
    }
    if count == 0 {
        return Err(gateway::Error::NotFound(Noun::Account).into());
    }
    sandbox.store.save(changes).await?;
    Ok(Json(serde_json::json!({"iban": iban.as_str(), "status": status.name(), "accounts": count})))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Withdrawal {
    consent_id: Option<String>,
    third_party: Option<String>,
}

/// The holders of an account take back in the bank's own app what they gave to third parties. A gateway in front of the bank keeps
/// what that was, and is told.
pub(super) async fn withdraw(
    State(sandbox): State<Sandbox>,
    Path(iban): Path<String>,
    request: Request,
) -> Result<Json<serde_json::Value>, Error> {
    let Withdrawal { consent_id, third_party } = json(request).await?;
    let iban = Iban::parse(&iban).map_err(|error: IbanError| Error::bad("invalid_iban", error))?;
    if sandbox.store.mark().is_none() {
        return Err(Error::conflict(
            "no gateway is in front of this bank to be told (vestibule core-bank); consents that it keeps itself are withdrawn by \
             POST /consents/{consentId}/revocation",
        ));
    }
    let (mut changes, mut customers) = (Changes::new(), Vec::new());
    for tenant in &sandbox.gateway.settings().tenants {
        let now = sandbox.clock.now(Some(tenant));
        for holder in sandbox.store.holders(tenant, &iban).await? {
            let customer = holder.id.to_string();
            customers.push(customer.clone());
            let (consent, third_party) = (consent_id.clone(), third_party.clone());
            changes =
                sandbox.store.telling(changes, now, || Told::Withdrawn { customer, consent, third_party });
        }
    }
    if customers.is_empty() {
        return Err(gateway::Error::NotFound(Noun::Account).into());
    }
    sandbox.store.save(changes).await?;
    Ok(Json(serde_json::json!({"iban": iban.as_str(), "customers": customers.len()})))
}

/// What the holders of an account approved, at every interface.
pub(super) async fn list_consents(
    State(sandbox): State<Sandbox>,
    RawQuery(query): RawQuery,
) -> Result<Json<serde_json::Value>, Error> {
    let mut parameters = url::form_urlencoded::parse(query.as_deref().unwrap_or_default().as_bytes());
    let iban = parameters.find(|(name, _)| name == "iban").map(|(_, value)| value);
    let missing = || Error::bad("invalid_iban", "the parameter iban is missing: GET /consents?iban={iban}");
    let iban = Iban::parse(&iban.ok_or_else(missing)?)
        .map_err(|error: IbanError| Error::bad("invalid_iban", error))?;
    let mut consents = Vec::new();
    for tenant in &sandbox.gateway.settings().tenants {
        let now = sandbox.clock.now(Some(tenant));
        for holder in sandbox.store.holders(tenant, &iban).await? {
            for consent in sandbox.gateway.consents_of(&holder.id).await? {
                let accounts = consent.granted.iter().map(|granted| granted.reference.shown());
                consents.push(serde_json::json!({
                    "kind": SubjectKind::Consent.name(),
                    "consentId": consent.id,
                    "consentStatus": sandbox.gateway.consent_status(&consent, now).name(),
                    "tpp": consent.tpp,
                    "customerId": holder.id,
                    "validUntil": consent.valid_until,
                    "accounts": accounts.collect::<Vec<_>>(),
                }));
            }
            for consent in sandbox.gateway.funds_consents_of(&holder.id).await? {
                consents.push(serde_json::json!({
                    "kind": SubjectKind::FundsConsent.name(),
                    "consentId": consent.id,
                    "consentStatus": consent.status_at(now).name(),
                    "tpp": consent.tpp,
                    "customerId": holder.id,
                    "accounts": [consent.account.shown()],
                }));
            }
        }
    }
    Ok(Json(serde_json::json!({"consents": consents})))
}

/// The customer withdraws a consent at the bank, of whichever kind.
pub(super) async fn revoke_consent(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
) -> Result<Json<serde_json::Value>, Error> {
    let status = match sandbox.gateway.revoke_consent(&ConsentId::new(&*id)).await {
        Err(gateway::Error::NotFound(_)) => {
            let consent = sandbox.gateway.revoke_funds_consent(&FundsConsentId::new(&*id)).await?;
            consent.status_at(sandbox.clock.now(Some(&consent.tenant)))
        }
        consent => {
            let consent = consent?;
            sandbox.gateway.consent_status(&consent, sandbox.clock.now(Some(&consent.tenant)))
        }
    };
    Ok(Json(serde_json::json!({"consentId": id, "consentStatus": status.name()})))
}
