//! The rules: what a bank decides about third parties, consents and tokens, and why it says no.
//!
//! This crate is pure. No `async`, no SQL, no HTTP, no clock, no randomness: time and ids arrive as arguments.
//! One file per noun; each rule that refuses has a variant of [`Refusal`].

pub mod access;
pub mod accounts;
pub mod audit;
pub mod authorisations;
pub mod certificates;
pub mod consents;
pub mod customer_sessions;
pub mod customers;
pub mod dates;
pub mod durations;
pub mod dynamic_linking;
pub mod funds_consents;
pub mod grants;
pub mod ibans;
pub mod ids;
pub mod initial_access_tokens;
pub mod interfaces;
pub mod languages;
pub mod list_places;
pub mod money;
mod payment_approvals;
pub mod payment_refusals;
pub mod payment_terms;
pub mod payments;
pub mod redirect_uris;
mod refusal;
pub mod registers;
pub mod requested_access;
pub mod scopes;
pub mod sessions;
pub mod standing;
pub mod statistics;
pub mod subjects;
pub mod tenants;
pub mod texts;
pub mod tpps;

pub use access::{AccessRefusal, ReadCount, ReadKind};
pub use accounts::{
    Account, AccountNumber, AccountReference, AccountStatus, Balance, BalanceKind, BookingStatus,
    Counterparty, Funds, History, Position, Product, Transaction, TransactionQuery,
};
pub use authorisations::{Authorisation, AuthorisationRefusal, Progress, Purpose, ScaStatus};
pub use certificates::{CertificateHolder, CertificateKind, CertificateRecord, CertificateStatus};
pub use consents::{Consent, ConsentRefusal, ConsentRequest, ConsentRules, ConsentStatus, Decision};
pub use customer_sessions::CustomerSession;
pub use customers::{Customer, CustomerKind};
pub use dates::{DateError, MomentError, parse_day, parse_moment};
pub use durations::{duration_in_words, is_too_long_a_span, number_in_words};
pub use funds_consents::{Card, FundsConsent, FundsConsentRequest, FundsQuestion, FundsRefusal};
pub use grants::{AuthorizationCode, Grant, GrantRefusal, Token, TokenKind};
pub use ibans::{Iban, IbanError};
pub use ids::{
    AccountId, AuthorisationId, ConsentId, CustomerId, FundsConsentId, GrantId, PaymentId, RequestId,
    SecretHash, TppId,
};
pub use initial_access_tokens::InitialAccessToken;
pub use interfaces::Interface;
pub use jiff::Timestamp;
pub use jiff::civil::Date;
pub use languages::Languages;
pub use list_places::ListPlace;
pub use money::{Currency, Money};
pub use payment_refusals::PaymentRefusal;
pub use payment_terms::{
    Execution, ExecutionRule, Frequency, PaymentProduct, PaymentService, PaymentTerms, RejectReason,
    Repetition, TransactionStatus,
};
pub use payments::{Address, PayeeAccount, Payment, PaymentDecision, PaymentStatus, Routing, Transfer};
pub use redirect_uris::{RedirectCare, RedirectRules, RedirectUriError, RedirectUris};
pub use refusal::Refusal;
pub use registers::{
    OLDEST_REGISTER, RegisterCopy, RegisterEntry, RegisterQuestion, RegisterStatus, StopList, StopListError,
};
pub use requested_access::{Access, Choice, GrantedAccount, RequestedAccess};
pub use scopes::{Scope, ScopeError};
pub use sessions::{AuthorizationRequest, Language, LogInFailures, LoggedIn, ScaRules, Session};
pub use standing::{Block, CertificateState, RegisteredBy, Standing, StandingRefusal};
pub use subjects::{Subject, SubjectKind};
pub use tenants::Tenant;
pub use texts::hidden_in;
pub use tpps::{ClientAuthentication, Registration, Tpp};

/// What has ended is remembered this long, so that "expired" can be told from "unknown".
pub const REMEMBERED: jiff::SignedDuration = jiff::SignedDuration::from_hours(24 * 30);

/// What a customer approved is remembered this long after it ended: more than the 13 months in which they can dispute a
/// transaction (PSD2, Article 71(1)).
pub const DISPUTABLE: jiff::SignedDuration = jiff::SignedDuration::from_hours(24 * 400);
