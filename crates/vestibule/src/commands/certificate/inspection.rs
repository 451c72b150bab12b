//! `vestibule certificate inspect` and `check`: what is in a certificate, and what banks would say about it.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use eidas::certificate::{chain_from_pem, order, ordered_chain};
use eidas::header::{HeaderError, HeaderForm, certificate_der};
use eidas::pem::{Kind, PemError};
use eidas::{
    Certificate, CertificateError, Description, PathError, Purpose, Severity, TrustStore, check, describe,
};
use gateway::domain::{Timestamp, parse_moment};

use crate::cli::{CertificateCheckArgs, CertificateInspectArgs, PurposeArg};
use crate::commands::{Failure, unreadable};
use crate::output;

/// Longest file that is read as a certificate.
const MAX_FILE: u64 = 1024 * 1024;

pub(super) fn inspect(args: &CertificateInspectArgs) -> Result<ExitCode, Failure> {
    let certificates = read_certificates(&args.file)?;
    let descriptions: Vec<_> = certificates.iter().map(describe).collect();
    if args.json {
        let mut json = serde_json::to_value(&descriptions[0])?;
        json["chain"] = serde_json::to_value(&descriptions[1..])?;
        output::json(&json);
    } else {
        let texts: Vec<_> = descriptions.iter().map(text).collect();
        output::line(&texts.join("\nIssued by\n\n"));
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn check_file(args: &CertificateCheckArgs) -> Result<ExitCode, Failure> {
    let certificates = read_certificates(&args.file)?;
    let certificate = &certificates[0];
    let at = match &args.at {
        Some(text) => parse_moment(text, None)
            .map_err(|error| Failure::new(format!("--at {text} is no time; {error}")))?,
        None => tpp::clock::now(),
    };
    let purpose = args.purpose.map(|purpose| match purpose {
        PurposeArg::Qwac => Purpose::Qwac,
        PurposeArg::Qseal => Purpose::QSeal,
    });
    let findings = check(certificate, purpose, at);
    let path = match &args.ca {
        Some(ca) => Some(verify_path(with_chain_beside(certificates.clone(), &args.file), ca, at)?),
        None => None,
    };
    let is_fine = findings.iter().all(|finding| finding.severity == Severity::Advice)
        && path.as_ref().is_none_or(Option::is_none);
    if args.json {
        let path = path.map(|error| error.unwrap_or_else(|| "trusted".to_owned()));
        output::json(&serde_json::json!({"ok": is_fine, "findings": findings, "path": path}));
    } else {
        for finding in &findings {
            let label = match finding.severity {
                Severity::Refusal => "refused ",
                Severity::Violation => "violates",
                Severity::Advice => "advice  ",
            };
            output::line(&format!("{label}  {}  {} [{}]", finding.rule, finding.text, finding.clause));
        }
        if let Some(error) = path {
            let line = error
                .map_or("trusted   path  it comes from an authority in the file".to_owned(), |error| {
                    format!("refused   path  {error} [RFC 5280, 6]")
                });
            output::line(&line);
        }
        output::line(if is_fine {
            "No rule is broken."
        } else {
            "Banks refuse a certificate that is marked \"refused\"."
        });
    }
    Ok(if is_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A certificate that came without its issuers, with those that lie beside it as `certificate new` writes them.
fn with_chain_beside(certificates: Vec<Certificate>, path: &Path) -> Vec<Certificate> {
    let beside = path.with_file_name("chain.pem");
    let leaf = certificates[0].fingerprint;
    if certificates.len() > 1 || path == Path::new("-") || !beside.is_file() {
        return certificates;
    }
    // A file that cannot be read helps nobody, and was not named on the command line.
    let chain = fs::read(&beside).ok().and_then(|pem| ordered_chain(&pem).ok()).unwrap_or_default();
    let all = order(certificates.into_iter().chain(chain).collect());
    // What lies there may be the chain of another certificate.
    let (own, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.fingerprint == leaf);
    own.into_iter().chain(others).collect()
}

/// What is wrong with the path, if anything is.
fn verify_path(certificates: Vec<Certificate>, ca: &Path, at: Timestamp) -> Result<Option<String>, Failure> {
    let pem = fs::read(ca).map_err(|error| unreadable(ca, &error))?;
    let wrong = |error: CertificateError| Failure::new(format!("{}: {error}", ca.display()));
    let mut trust = TrustStore::default();
    let mut known = certificates;
    for der in chain_from_pem(&pem).map_err(wrong)? {
        trust.add_anchor(&der).map_err(wrong)?;
        known.push(Certificate::from_der(&der).map_err(wrong)?);
    }
    for issuer in &known[1..] {
        trust.add_intermediate(&issuer.der);
    }
    Ok(trust.verify(&known[0], &[], at, &[]).err().map(|error| match (error, missing_issuer(&known)) {
        (PathError::UntrustedIssuer, Some(issuer)) => format!(
            "the certificate of its issuer \"{issuer}\" is missing: put the intermediate certificate behind this one \
             in the file, or into chain.pem beside it; if there is none, it was issued by another sandbox or authority"
        ),
        (error, _) => error.to_string(),
    }))
}

/// The first issuer above the first certificate whose certificate is not known.
fn missing_issuer(known: &[Certificate]) -> Option<String> {
    let mut current = &known[0];
    for _ in known {
        if current.issuer == current.subject {
            return None;
        }
        match known.iter().find(|other| other.subject == current.issuer) {
            Some(issuer) => current = issuer,
            None => return Some(current.issuer.to_string()),
        }
    }
    None
}

/// One certificate or a chain: PEM, DER, or what stands in an HTTP header.
pub(super) fn read_certificates(path: &Path) -> Result<Vec<Certificate>, Failure> {
    let mut octets = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().lock().take(MAX_FILE).read_to_end(&mut octets)?;
    } else {
        let opened = fs::File::open(path).map_err(|error| unreadable(path, &error))?;
        opened.take(MAX_FILE).read_to_end(&mut octets).map_err(|error| unreadable(path, &error))?;
    }
    read_any(&octets).map_err(|text| Failure::new(format!("{}: {text}", path.display())))
}

/// The certificates in a file's octets, or what they are instead.
fn read_any(octets: &[u8]) -> Result<Vec<Certificate>, String> {
    let text = |error: CertificateError| error.to_string();
    let pem_error = match ordered_chain(octets) {
        Err(CertificateError::Pem(error)) => error,
        other => return other.map_err(text),
    };
    let from_header = || certificate_der(octets, HeaderForm::Any);
    match pem_error {
        // Proxies write line ends as %0A.
        PemError::NotBase64(Kind::Certificate) => {
            match from_header().map(|der| Certificate::from_der(&der)) {
                Ok(Ok(certificate)) => Ok(vec![certificate]),
                _ => Err(pem_error.to_string()),
            }
        }
        PemError::Der { .. } => Certificate::from_der(octets).map(|one| vec![one]).map_err(text),
        PemError::Bare { found } if found != Kind::Certificate => Err(text(CertificateError::Other(found))),
        PemError::NotPem { .. } | PemError::Bare { .. } if std::str::from_utf8(octets).is_ok() => {
            let der = from_header().map_err(|error| match error {
                HeaderError::Malformed | HeaderError::NotAscii => {
                    "it is neither base64 of a DER certificate nor PEM nor DER".to_owned()
                }
                other => other.to_string(),
            })?;
            Certificate::from_der(&der).map(|one| vec![one]).map_err(text)
        }
        PemError::NotPem { .. } => Certificate::from_der(octets).map(|one| vec![one]).map_err(text),
        other => Err(other.to_string()),
    }
}

/// A description for people.
pub(super) fn text(d: &Description) -> String {
    let mut out = String::new();
    let mut row = |label: &str, value: &str| {
        if !value.is_empty() {
            out += &format!("  {label:<22}{value}\n");
        }
    };
    let kind = match d.kind {
        Some(Purpose::Qwac) => "QWAC: authenticates TLS connections".to_owned(),
        Some(Purpose::QSeal) => "QSealC: signs messages".to_owned(),
        None if d.is_ca == Some(true) => "certificate of an authority".to_owned(),
        None => {
            format!("neither QWAC nor QSealC ({})", d.kind_error.as_deref().unwrap_or("QcType is absent"))
        }
    };
    row("Kind", &kind);
    row("Subject", &d.subject.text);
    row("Organization id", d.organization_identifier.as_deref().unwrap_or_default());
    if d.is_ca != Some(true) {
        row("", d.organization_identifier_error.as_deref().unwrap_or_default());
    }
    if let Some(number) = &d.authorization_number {
        let parts =
            format!("country {}, authority {}, number {}", number.country, number.authority, number.number);
        row("Authorisation number", &parts);
    }
    if let Some(psd2) = &d.psd2 {
        let roles: Vec<_> = psd2.roles.iter().map(|role| role.name()).collect();
        row("Roles", &roles.join(", "));
        row("Authority", &format!("{} ({})", psd2.nca_id, psd2.nca_name));
    }
    if let Some(statements) = &d.qc_statements {
        row("Breaches", &statements.breaches.join("; "));
    }
    row("qcStatements", d.qc_statements_error.as_deref().unwrap_or_default());
    row("Valid", &format!("{} to {}", d.not_before, d.not_after));
    row("Key", &d.public_key);
    row("Key usage", &d.key_usage.clone().unwrap_or_default().join(", "));
    row("DNS names", &d.dns_names.join(", "));
    row("Issuer", &d.issuer.text);
    row("Unreadable extensions", &d.unreadable_extensions.join(", "));
    row("Serial number", &d.serial_number);
    row("SHA-256", &d.fingerprint);
    row("Key id for signatures", &d.key_id);
    out
}
