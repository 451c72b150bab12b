//! Rules without which a certificate identifies no payment service provider.

use super::{Purpose, Rule, Severity, Subject};
use crate::authority;
use crate::critical::unknown_critical_of_leaf;
use crate::oid;
use crate::policies;
use crate::qc_statements::{QcStatements, QcStatementsError, QcType};

/// In the order in which a reader wants to hear of them.
pub(super) const RULES: &[Rule] = &[
    rule("version", "RFC 5280, 4.1.2.1", version),
    rule("public_key", "ETSI TS 119 312", |s| s.certificate.public_key.check().err().map(|e| e.to_string())),
    rule("signature_algorithm", "ETSI TS 119 312", signature_algorithm),
    rule("organization_identifier_missing", "ETSI TS 119 495, GEN-5.3-3", organization_identifier),
    rule("qc_statements", "EN 319 412-5, 4.1", qc_statements_readable),
    rule("duplicate_statement", "ETSI TS 119 495, GEN-5.1.1", |s| breach(s, "duplicate_statement")),
    rule("psd2_string", "ETSI TS 119 495, Annex A", unusable_string),
    rule("psd2_statement_missing", "ETSI TS 119 495, GEN-5.1.1", psd2_statement),
    rule("qc_type_not_single", "EN 319 412-5, 4.2.3", |s| breach(s, "qc_type_not_single")),
    rule("roles_empty", "ETSI TS 119 495, GEN-5.2.2-1", |s| breach(s, "roles_empty")),
    rule("role_name_oid_mismatch", "ETSI TS 119 495, GEN-5.2.2-5", |s| breach(s, "role_name_oid_mismatch")),
    rule("nca_id_format", "ETSI TS 119 495, GEN-5.2.3-2", |s| breach(s, "nca_id_format")),
    rule("nca_mismatch", "ETSI TS 119 495, 5.2.1 and 5.2.3", nca_mismatch),
    rule("qc_compliance_missing", "EN 319 412-5, 4.2.1", qc_compliance),
    rule("wrong_qc_type", "EN 319 412-5, 4.2.3", qc_type),
    rule("critical_extension", "RFC 5280, 4.2", critical_extension),
    rule("policy_missing", "RFC 5280, 6.1.5", policy_missing),
    rule("client_auth_eku_missing", "ETSI TS 119 495, 5.3 note 3", client_auth),
];

type Test = fn(&Subject<'_>) -> Option<String>;

const fn rule(name: &'static str, clause: &'static str, test: Test) -> Rule {
    Rule { name, clause, severity: Severity::Refusal, test }
}

fn version(s: &Subject<'_>) -> Option<String> {
    let version = s.certificate.version;
    (version != 3).then(|| format!("it is an X.509 v{version} certificate; expected v3"))
}

fn signature_algorithm(s: &Subject<'_>) -> Option<String> {
    /// RSA PKCS#1 v1.5 and PSS, ECDSA, each with SHA-2, and Ed25519.
    const ALLOWED: [&str; 8] = [
        "1.2.840.113549.1.1.11",
        "1.2.840.113549.1.1.12",
        "1.2.840.113549.1.1.13",
        "1.2.840.113549.1.1.10",
        "1.2.840.10045.4.3.2",
        "1.2.840.10045.4.3.3",
        "1.2.840.10045.4.3.4",
        "1.3.101.112",
    ];
    let algorithm = s.certificate.signature_algorithm.to_string();
    (!ALLOWED.contains(&algorithm.as_str()))
        .then(|| format!("it is signed with {algorithm}; expected RSA, ECDSA or Ed25519 with SHA-2"))
}

fn organization_identifier(s: &Subject<'_>) -> Option<String> {
    s.certificate.organization_identifier().err().map(|e| e.to_string())
}

fn statements<'c>(s: &Subject<'c>) -> Option<&'c QcStatements> {
    s.certificate.qc_statements.as_ref()?.as_ref().ok()
}

fn qc_statements_readable(s: &Subject<'_>) -> Option<String> {
    match &s.certificate.qc_statements {
        None => Some("it has no qcStatements extension, so it is no qualified certificate".to_owned()),
        Some(Err(error)) => Some(error.to_string()),
        Some(Ok(read)) => all(read, |breach| breach.reason() == "asn1_structure"),
    }
}

/// The texts of all breaches of a kind.
fn all(statements: &QcStatements, is_meant: impl Fn(&QcStatementsError) -> bool) -> Option<String> {
    let texts: Vec<_> =
        statements.breaches.iter().filter(|breach| is_meant(breach)).map(ToString::to_string).collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

/// Strings that nobody can read, or of no or too many characters.
fn unusable_string(s: &Subject<'_>) -> Option<String> {
    all(statements(s)?, |breach| matches!(breach.reason(), "asn1_type" | "asn1_size") && breach.spoils_psd2())
}

fn psd2_statement(s: &Subject<'_>) -> Option<String> {
    let statements = statements(s)?;
    (statements.psd2.is_none() && statements.psd2_fault().is_none()).then(|| {
        "its qcStatements hold no PSD2 statement (0.4.0.19495.2) with roles and authority".to_owned()
    })
}

/// What reading the statements found under this name.
fn breach(s: &Subject<'_>, reason: &str) -> Option<String> {
    statements(s)?.breaches.iter().find(|breach| breach.reason() == reason).map(ToString::to_string)
}

fn nca_mismatch(s: &Subject<'_>) -> Option<String> {
    let identifier = s.certificate.organization_identifier().ok()?;
    let expected = identifier.authorization_number()?.nca_id();
    let got = &statements(s)?.psd2.as_ref().filter(|psd2| !psd2.nca_id.is_empty())?.nca_id;
    (!authority::same(&expected, got)).then(|| {
        format!(
            "organizationIdentifier \"{identifier}\" names authority {expected}, the PSD2 statement names {}",
            crate::name::visible(got)
        )
    })
}

fn qc_compliance(s: &Subject<'_>) -> Option<String> {
    (!statements(s)?.qc_compliance)
        .then(|| "QcCompliance is missing, so it does not claim to be a qualified certificate".to_owned())
}

fn qc_type(s: &Subject<'_>) -> Option<String> {
    // What cannot be read or names several types is not missing, and was named before.
    let read = statements(s)?;
    if read.is_qc_type_broken() || read.qc_types.is_empty() && read.holds_unknown_statement() {
        return None;
    }
    let (expected, name) = match s.purpose {
        Some(Purpose::Qwac) => (QcType::Web, "web, as in a QWAC"),
        Some(Purpose::QSeal) => (QcType::Eseal, "eseal, as in a QSealC"),
        None => return Some(format!("{}; it must be web (QWAC) or eseal (QSealC)", read.qc_type_text())),
    };
    let got = read.qc_type();
    let text = got.map_or("absent", QcType::text);
    (got != Some(expected)).then(|| format!("QcType must be {name}; it is {text}"))
}

fn critical_extension(s: &Subject<'_>) -> Option<String> {
    let unknown = unknown_critical_of_leaf(s.certificate);
    (!unknown.is_empty()).then(|| format!("its extension {unknown} is critical and not understood by banks"))
}

fn policy_missing(s: &Subject<'_>) -> Option<String> {
    (!policies::are_kept(&[s.certificate])).then(|| {
        "its policyConstraints demand a certificate policy, and it has no certificatePolicies".to_owned()
    })
}

fn client_auth(s: &Subject<'_>) -> Option<String> {
    if s.purpose != Some(Purpose::Qwac) {
        return None;
    }
    let usage = &s.certificate.extended_key_usage;
    if usage[..] == [oid::TLS_BINDING] {
        return Some("it is a 2-QWAC (id-kp-tls-binding), which cannot authenticate a TLS client".to_owned());
    }
    (!usage.contains(&oid::CLIENT_AUTH))
        .then(|| "extKeyUsage lacks clientAuth, so it cannot authenticate a TLS client".to_owned())
}
