//! `/xs2a-bg/{tenant}/v1/consents`: consents for account information (NextGenPSD2 1.3.6, 6.3).

use axum::Json;
use axum::extract::State;
use edge::{Edge, note_subject};
use gateway::domain::{
    Access, AccountNumber, AccountReference, Authorisation, Consent, ConsentRequest, GrantedAccount, Iban,
    Product, RequestedAccess, Subject, SubjectKind, parse_day,
};
use gateway::{Ctx, RequestedConsent, Sought};
use http::StatusCode;
use http::header::{HeaderName, LOCATION};

use crate::auth::Signed;
use crate::error::{Error, shorten};
use crate::{links, wire};

pub(crate) type Created<T> = (StatusCode, [(HeaderName, String); 2], Json<T>);

/// Asks for a consent.
pub(crate) async fn create(State(edge): State<Edge>, call: Signed) -> Result<Created<wire::Consent>, Error> {
    call.customer_address()?;
    let max_references = edge.gateway.profile(call.tpp().interface()).consents.max_references;
    let request = parse(call.json()?, call.redirect_uri()?, max_references)?;
    let RequestedConsent { consent, authorisation } =
        edge.gateway.request_consent(&call.ctx, call.tpp(), request, &call.key(&edge)).await?;
    note_subject(Subject::Consent(consent.id.clone()));
    let body = render(&edge, &call.ctx, &consent, &authorisation);
    Ok(created(&call, body.links.itself.clone().unwrap_or_default(), body))
}

/// Reads a consent.
pub(crate) async fn read(State(edge): State<Edge>, call: Signed) -> Result<Json<wire::Consent>, Error> {
    let subject = call.subject(SubjectKind::Consent)?;
    let consent = edge.gateway.consent(&call.ctx, call.tpp(), subject.id()).await?;
    let authorisations = edge.gateway.authorisations(&call.ctx, Sought::new(call.tpp(), &subject)).await?;
    let newest = authorisations.last().ok_or(gateway::Error::Conflict)?;
    Ok(Json(render(&edge, &call.ctx, &consent, newest)))
}

/// Reads the status of a consent. A bearer token, which one client sends, expired or not, is ignored.
pub(crate) async fn status(
    State(edge): State<Edge>,
    call: Signed,
) -> Result<Json<wire::ConsentStatus>, Error> {
    let subject = call.subject(SubjectKind::Consent)?;
    let consent = edge.gateway.consent(&call.ctx, call.tpp(), subject.id()).await?;
    let status = edge.gateway.consent_status(&consent, call.ctx.now);
    Ok(Json(wire::ConsentStatus { consent_status: status.name().to_owned() }))
}

/// Ends a consent.
pub(crate) async fn delete(State(edge): State<Edge>, call: Signed) -> Result<StatusCode, Error> {
    let subject = call.subject(SubjectKind::Consent)?;
    edge.gateway.delete_consent(&call.ctx, call.tpp(), subject.id(), call.bearer()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a 201 carries besides its body.
pub(crate) fn created<T>(call: &Signed, link: String, body: T) -> Created<T> {
    let location = format!("{}/xs2a-bg{link}", call.connection.origin);
    let approach = HeaderName::from_static("aspsp-sca-approach");
    (StatusCode::CREATED, [(LOCATION, location), (approach, "REDIRECT".to_owned())], Json(body))
}

fn parse(
    request: wire::ConsentRequest,
    redirect_uri: String,
    max_references: usize,
) -> Result<ConsentRequest, Error> {
    let access = request.access;
    let unsupported = [
        ("availableAccounts", access.available_accounts.is_some()),
        ("availableAccountsWithBalance", access.available_accounts_with_balance.is_some()),
        ("allPsd2", access.all_psd2.is_some()),
    ];
    let has_arrays = access.accounts.is_some() || access.balances.is_some() || access.transactions.is_some();
    if let Some((name, _)) = unsupported.iter().find(|(_, given)| *given) {
        return Err(if has_arrays {
            Error::format(format!("access mixes {name} with arrays of accounts; send one or the other"))
        } else {
            let text = format!("access kind {name} is not supported; send arrays of accounts, or empty ones");
            Error::new(StatusCode::BAD_REQUEST, "PARAMETER_NOT_SUPPORTED", text)
        });
    }
    // No kind of access, but something that goes with arrays: alone it asks for nothing.
    if has_arrays && access.additional_information.is_some() {
        let text = "access.additionalInformation is not supported; leave it out";
        return Err(Error::new(StatusCode::BAD_REQUEST, "PARAMETER_NOT_SUPPORTED", text));
    }
    let restricted_to = access.restricted_to.unwrap_or_default();
    let products = restricted_to.iter().map(|code| {
        Product::from_code(code).ok_or_else(|| {
            Error::format(format!("restrictedTo \"{}\" is not one of CACC, SVGS", shorten(code)))
        })
    });
    let requested = RequestedAccess {
        restricted_to: products.collect::<Result<_, _>>()?,
        accounts: references(access.accounts)?,
        balances: references(access.balances)?,
        transactions: references(access.transactions)?,
    };
    let valid_until = parse_day(&request.valid_until).map_err(|error| {
        Error::format(format!("validUntil \"{}\" is no date; {error}", shorten(&request.valid_until)))
    })?;
    Ok(ConsentRequest {
        access: Access::from_request(requested, max_references).map_err(gateway::domain::Refusal::from)?,
        recurring: request.recurring_indicator,
        valid_until,
        frequency_per_day: request.frequency_per_day,
        combined_service: request.combined_service_indicator,
        redirect_uri,
    })
}

fn references(array: Option<Vec<wire::AccountReference>>) -> Result<Option<Vec<AccountReference>>, Error> {
    array.map(|array| array.into_iter().map(reference).collect()).transpose()
}

/// An account as a third party names it.
pub(crate) fn reference(reference: wire::AccountReference) -> Result<AccountReference, Error> {
    let wire::AccountReference { iban, uk_sort_code, uk_account_number, currency, .. } = reference;
    let all_digits = |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    let number = match (iban, uk_sort_code, uk_account_number) {
        (Some(iban), None, None) => AccountNumber::Iban(Iban::parse(&iban).map_err(Error::format)?),
        (None, Some(sort_code), Some(account_number))
            if all_digits(&sort_code, 6) && all_digits(&account_number, 8) =>
        {
            AccountNumber::British { sort_code, account_number }
        }
        _ => {
            return Err(Error::format(
                "an account is identified by iban alone, or by ukSortCode (6 digits) and ukAccountNumber (8 digits)",
            ));
        }
    };
    if let Some(code) = &currency
        && gateway::domain::Currency::from_code(code).is_none()
    {
        return Err(Error::format(format!("currency \"{}\" is no code of ISO 4217", shorten(code))));
    }
    Ok(AccountReference { number, currency })
}

fn render(edge: &Edge, ctx: &Ctx, consent: &Consent, authorisation: &Authorisation) -> wire::Consent {
    let last_action = consent.tenant.date_at(consent.last_action_at);
    // A consent that was just asked for has the status of that moment, also when the request is repeated.
    let at = if consent.version == 0 { consent.created_at } else { ctx.now };
    wire::Consent {
        access: render_access(consent),
        recurring_indicator: consent.recurring,
        valid_until: consent.valid_until.to_string(),
        frequency_per_day: consent.frequency_per_day,
        last_action_date: last_action.to_string(),
        consent_status: edge.gateway.consent_status(consent, at).name().to_owned(),
        consent_id: consent.id.to_string(),
        authorisation_id: authorisation.id.to_string(),
        links: links::authorisation(
            &edge.public_url,
            (&consent.tenant, &consent.tpp),
            &links::consent(&consent.tenant, consent.id.as_str()),
            (authorisation, consent.recurring),
        ),
    }
}

/// What was asked for, or what the customer chose.
fn render_access(consent: &Consent) -> wire::Access {
    match &consent.access {
        Access::Detailed { accounts, balances, transactions } => {
            let array = |array: &[AccountReference]| {
                (!array.is_empty()).then(|| array.iter().map(render_reference).collect())
            };
            wire::Access {
                accounts: array(accounts),
                balances: array(balances),
                transactions: array(transactions),
                ..wire::Access::default()
            }
        }
        // Made at other interfaces, whose consents are not known here.
        Access::Chosen { .. } => wire::Access::default(),
        Access::BankOffered { accounts, balances, transactions, restricted_to } => {
            let chosen = |wanted: bool, has: fn(&GrantedAccount) -> bool| {
                let granted = consent.granted.iter().filter(|granted| has(granted));
                wanted.then(|| granted.map(|granted| render_reference(&granted.reference)).collect())
            };
            let codes = restricted_to.iter().map(|product| product.code().to_owned());
            wire::Access {
                accounts: chosen(*accounts, |_| true),
                balances: chosen(*balances, |granted| granted.balances),
                transactions: chosen(*transactions, |granted| granted.transactions),
                restricted_to: (!restricted_to.is_empty()).then(|| codes.collect()),
                ..wire::Access::default()
            }
        }
    }
}

pub(crate) fn render_reference(reference: &AccountReference) -> wire::AccountReference {
    let currency = reference.currency.clone();
    match &reference.number {
        AccountNumber::Iban(iban) => wire::AccountReference {
            iban: Some(iban.as_str().to_owned()),
            currency,
            ..wire::AccountReference::default()
        },
        AccountNumber::British { sort_code, account_number } => wire::AccountReference {
            uk_sort_code: Some(sort_code.clone()),
            uk_account_number: Some(account_number.clone()),
            currency,
            ..wire::AccountReference::default()
        },
    }
}
