//! Rules of the certificate profiles: EN 319 412-1 to -5 and ETSI TS 119 495, 5.3.

use super::{Purpose, Rule, Severity, Subject};
use crate::{country, oid};
use der::asn1::ObjectIdentifier;

use Severity::{Advice, Violation};

/// In the order of the certificate's fields.
pub(super) const RULES: &[Rule] = &[
    Rule { name: "serial_number", clause: "RFC 5280, 4.1.2.2", severity: Violation, test: serial_number },
    Rule { name: "validity_long", clause: "usual practice", severity: Advice, test: validity_long },
    Rule { name: "rsa_below_3072", clause: "ETSI TS 119 312", severity: Advice, test: rsa_below_3072 },
    Rule {
        name: "subject_attributes",
        clause: "EN 319 412-3, LEG-4.2.1-2",
        severity: Violation,
        test: subject,
    },
    Rule {
        name: "subject_duplicates",
        clause: "EN 319 412-3, LEG-4.2.1-3",
        severity: Violation,
        test: duplicates,
    },
    Rule {
        name: "subject_country",
        clause: "EN 319 412-3, LEG-4.2.1-4",
        severity: Violation,
        test: subject_country,
    },
    Rule { name: "subject_strings", clause: "RFC 5280, 4.1.2.4", severity: Violation, test: old_strings },
    Rule {
        name: "organization_identifier_equals_name",
        clause: "EN 319 412-3, LEG-4.2.1-6",
        severity: Violation,
        test: identifier_equals_name,
    },
    Rule {
        name: "organization_identifier_country",
        clause: "EN 319 412-1, LEG-5.1.4-03",
        severity: Violation,
        test: |s| s.certificate.organization_identifier().ok()?.check_country().err().map(|e| e.to_string()),
    },
    Rule {
        name: "not_psd_form",
        clause: "ETSI TS 119 495, GEN-5.2.1-3",
        severity: Advice,
        test: not_psd_form,
    },
    Rule {
        name: "qc_statements_critical",
        clause: "EN 319 412-5, QCS-4.1-02",
        severity: Violation,
        test: |s| must_not_be_critical(s, oid::QC_STATEMENTS, "qcStatements"),
    },
    Rule {
        name: "nca_string_type",
        clause: "ETSI TS 119 495, Annex A",
        severity: Violation,
        test: nca_string_type,
    },
    Rule {
        name: "qc_cc_legislation",
        clause: "EN 319 412-5, QCS-5-01",
        severity: Violation,
        test: legislation,
    },
    Rule {
        name: "qc_sscd_in_qwac",
        clause: "EN 319 412-5, QCS-5-01",
        severity: Violation,
        test: sscd_in_qwac,
    },
    Rule { name: "qc_pds_https", clause: "EN 319 412-5, GEN-4.3.4", severity: Violation, test: pds_https },
    Rule { name: "key_usage", clause: "EN 319 412-2, NAT-4.3.2-1", severity: Violation, test: key_usage },
    Rule {
        name: "server_auth_eku_missing",
        clause: "EN 319 412-4, WEB-4.1.3-4",
        severity: Violation,
        test: server_auth,
    },
    Rule {
        name: "subject_alt_name",
        clause: "EN 319 412-4, WEB-4.1.3-4",
        severity: Violation,
        test: dns_names,
    },
    Rule {
        name: "common_name_in_san",
        clause: "EN 319 412-4, WEB-4.1.4-2",
        severity: Violation,
        test: common_name,
    },
    Rule {
        name: "certificate_policies",
        clause: "EN 319 412-2, GEN-4.3.3-2",
        severity: Violation,
        test: policies,
    },
    Rule {
        name: "authority_key_identifier",
        clause: "EN 319 412-2, GEN-4.3.1-1",
        severity: Violation,
        test: |s| missing(s, oid::AUTHORITY_KEY_IDENTIFIER, "authorityKeyIdentifier"),
    },
    Rule {
        name: "aia_ca_issuers",
        clause: "EN 319 412-2, GEN-4.4.1-3",
        severity: Violation,
        test: ca_issuers,
    },
    Rule {
        name: "revocation_source",
        clause: "EN 319 412-2, GEN-4.3.11-2",
        severity: Violation,
        test: revocation,
    },
    Rule { name: "extension_unreadable", clause: "RFC 5280, 4.2", severity: Violation, test: unreadable },
    Rule {
        name: "basic_constraints",
        clause: "RFC 5280, 4.2.1.9",
        severity: Violation,
        test: basic_constraints,
    },
    Rule {
        name: "forbidden_extension",
        clause: "EN 319 412-2, 4.3.4 to 4.3.12",
        severity: Violation,
        test: forbidden,
    },
];

fn serial_number(s: &Subject<'_>) -> Option<String> {
    let serial = &s.certificate.serial;
    let positive = serial.first().is_some_and(|first| first & 0x80 == 0) && serial.iter().any(|b| *b != 0);
    (!positive || serial.len() > 20)
        .then(|| "the serial number must be positive and at most 20 octets long".to_owned())
}

fn validity_long(s: &Subject<'_>) -> Option<String> {
    const THIRTY_NINE_MONTHS: i64 = 39 * 31 * 86_400;
    let seconds = s.certificate.not_after.as_second() - s.certificate.not_before.as_second();
    (seconds > THIRTY_NINE_MONTHS)
        .then(|| "it is valid for more than 39 months; 1 to 3 years are usual".to_owned())
}

fn rsa_below_3072(s: &Subject<'_>) -> Option<String> {
    match s.certificate.public_key.kind {
        crate::KeyKind::Rsa { bits, .. } if (2048..3072).contains(&bits) => {
            Some(format!("its RSA key has {bits} bits; 3072 are recommended for new keys"))
        }
        _ => None,
    }
}

fn subject(s: &Subject<'_>) -> Option<String> {
    let missing: Vec<_> = [
        (oid::COUNTRY_NAME, "countryName (C)"),
        (oid::ORGANIZATION_NAME, "organizationName (O)"),
        (oid::COMMON_NAME, "commonName (CN)"),
    ]
    .iter()
    .filter(|(oid, _)| s.certificate.subject.first(*oid).is_none())
    .map(|(_, name)| *name)
    .collect();
    (!missing.is_empty()).then(|| format!("its subject lacks {}", missing.join(", ")))
}

fn duplicates(s: &Subject<'_>) -> Option<String> {
    [oid::COUNTRY_NAME, oid::ORGANIZATION_NAME, oid::ORGANIZATION_IDENTIFIER, oid::COMMON_NAME]
        .into_iter()
        .find(|oid| s.certificate.subject.values(*oid).count() > 1)
        .map(|oid| format!("its subject has {} more than once", crate::name::display_name(oid)))
}

fn subject_country(s: &Subject<'_>) -> Option<String> {
    let code = s.certificate.subject.first(oid::COUNTRY_NAME)?;
    (!country::is_assigned(code))
        .then(|| format!("countryName \"{}\" is not assigned by ISO 3166-1", crate::name::visible(code)))
}

fn old_strings(s: &Subject<'_>) -> Option<String> {
    let old = &s.certificate.old_strings;
    let names: Vec<_> = old.iter().map(|oid| crate::name::display_name(*oid)).collect();
    (!names.is_empty()).then(|| {
        format!(
            "{} of the subject is a TeletexString, BMPString or UniversalString; new certificates use UTF8String or PrintableString",
            names.join(", ")
        )
    })
}

fn identifier_equals_name(s: &Subject<'_>) -> Option<String> {
    let subject = &s.certificate.subject;
    let identifier = subject.first(oid::ORGANIZATION_IDENTIFIER)?;
    (subject.first(oid::ORGANIZATION_NAME) == Some(identifier))
        .then(|| "organizationIdentifier and organizationName must differ".to_owned())
}

fn not_psd_form(s: &Subject<'_>) -> Option<String> {
    let identifier = s.certificate.organization_identifier().ok()?;
    identifier.authorization_number().is_none().then(|| {
        format!("organizationIdentifier \"{identifier}\" carries no authorisation number (PSD…); banks need a mapping")
    })
}

fn must_not_be_critical(s: &Subject<'_>, oid: ObjectIdentifier, name: &str) -> Option<String> {
    s.certificate
        .extensions
        .iter()
        .any(|(known, critical)| *known == oid && *critical)
        .then(|| format!("extension {name} must not be critical"))
}

fn nca_string_type(s: &Subject<'_>) -> Option<String> {
    let statements = s.certificate.qc_statements.as_ref()?.as_ref().ok()?;
    let is_meant =
        |breach: &&crate::QcStatementsError| breach.reason() == "asn1_type" && !breach.spoils_psd2();
    statements.breaches.iter().find(is_meant).map(ToString::to_string)
}

fn legislation(s: &Subject<'_>) -> Option<String> {
    let statements = s.certificate.qc_statements.as_ref()?.as_ref().ok()?;
    (!statements.legislation.is_empty()).then(|| {
        format!(
            "QcCClegislation ({}) must be absent in EU qualified certificates",
            statements.legislation.join(", ")
        )
    })
}

fn sscd_in_qwac(s: &Subject<'_>) -> Option<String> {
    let statements = s.certificate.qc_statements.as_ref()?.as_ref().ok()?;
    (s.purpose == Some(Purpose::Qwac) && statements.qc_sscd)
        .then(|| "QcSSCD must be absent in a QWAC".to_owned())
}

fn pds_https(s: &Subject<'_>) -> Option<String> {
    let statements = s.certificate.qc_statements.as_ref()?.as_ref().ok()?;
    let wrong = statements.disclosure_statements.iter().find(|pds| !pds.url.starts_with("https://"))?;
    Some(format!("QcPDS location \"{}\" must be an https URL", crate::name::visible(&wrong.url)))
}

/// Types A to F of table 1: non-repudiation, digital signature, and one of key encipherment and agreement.
fn key_usage(s: &Subject<'_>) -> Option<String> {
    let Some(usage) = &s.certificate.key_usage else {
        return Some("extension keyUsage is missing".to_owned());
    };
    let has = |name| usage.contains(&name);
    let (signs, commits) = (has("digitalSignature"), has("nonRepudiation"));
    let exchanges = usage.iter().filter(|u| matches!(**u, "keyEncipherment" | "keyAgreement")).count();
    let known = usize::from(signs) + usize::from(commits) + exchanges == usage.len();
    let fits = match (commits, signs, exchanges) {
        (true, false, 0) | (_, true, 0 | 1) | (false, false, 1) => known,
        _ => false,
    };
    (!fits).then(|| {
        format!(
            "keyUsage ({}) is none of the allowed settings; use digitalSignature in a QWAC, nonRepudiation in a QSealC",
            usage.join(", ")
        )
    })
}

fn server_auth(s: &Subject<'_>) -> Option<String> {
    let usage = &s.certificate.extended_key_usage;
    (s.purpose == Some(Purpose::Qwac)
        && !usage.contains(&oid::SERVER_AUTH)
        && usage[..] != [oid::TLS_BINDING])
    .then(|| "extKeyUsage of a QWAC must contain serverAuth".to_owned())
}

fn dns_names(s: &Subject<'_>) -> Option<String> {
    (s.purpose == Some(Purpose::Qwac) && s.certificate.dns_names.is_empty())
        .then(|| "a QWAC needs a DNS name in subjectAltName".to_owned())
}

fn common_name(s: &Subject<'_>) -> Option<String> {
    let name = s.certificate.subject.first(oid::COMMON_NAME)?;
    (s.purpose == Some(Purpose::Qwac) && !s.certificate.dns_names.iter().any(|dns| dns == name)).then(|| {
        format!("commonName \"{}\" of a QWAC must be one of its DNS names", crate::name::visible(name))
    })
}

fn policies(s: &Subject<'_>) -> Option<String> {
    if s.certificate.policies.is_empty() {
        return Some("extension certificatePolicies is missing".to_owned());
    }
    must_not_be_critical(s, oid::CERTIFICATE_POLICIES, "certificatePolicies")
}

fn missing(s: &Subject<'_>, oid: ObjectIdentifier, name: &str) -> Option<String> {
    (!s.certificate.extensions.iter().any(|(known, _)| *known == oid))
        .then(|| format!("extension {name} is missing"))
}

fn ca_issuers(s: &Subject<'_>) -> Option<String> {
    (!s.certificate.ca_issuers.iter().any(|uri| uri.starts_with("http"))).then(|| {
        "authorityInfoAccess must say by http where the issuer's certificate is (caIssuers)".to_owned()
    })
}

fn revocation(s: &Subject<'_>) -> Option<String> {
    (s.certificate.ocsp.is_empty() && s.certificate.crl_distribution_points.is_empty())
        .then(|| "neither an OCSP location nor a CRL distribution point is given".to_owned())
}

fn unreadable(s: &Subject<'_>) -> Option<String> {
    let names: Vec<_> =
        s.certificate.unreadable_extensions.iter().map(|oid| crate::name::extension_name(*oid)).collect();
    (!names.is_empty()).then(|| format!("its extension {} cannot be read", names.join(", ")))
}

fn basic_constraints(s: &Subject<'_>) -> Option<String> {
    (s.certificate.is_ca == Some(true))
        .then(|| "cA is true: it belongs to an authority, not to a provider".to_owned())
}

fn forbidden(s: &Subject<'_>) -> Option<String> {
    [
        (oid::NAME_CONSTRAINTS, "nameConstraints"),
        (oid::POLICY_MAPPINGS, "policyMappings"),
        (oid::POLICY_CONSTRAINTS, "policyConstraints"),
        (oid::INHIBIT_ANY_POLICY, "inhibitAnyPolicy"),
    ]
    .iter()
    .find(|(oid, _)| s.certificate.extensions.iter().any(|(known, _)| known == oid))
    .map(|(_, name)| format!("extension {name} must not be in a provider's certificate"))
}
