//! `vestibule certificate revoke`: the sandbox's authority takes a certificate back.

use std::path::Path;
use std::process::ExitCode;

use http::Method;
use serde_json::json;

use super::inspection::read_certificates;
use crate::cli::CertificateRevokeArgs;
use crate::commands::Failure;
use crate::commands::management::{ask, text};
use crate::output;

pub(super) async fn revoke(args: CertificateRevokeArgs) -> Result<ExitCode, Failure> {
    let fingerprint = fingerprint(&args.certificate)?;
    let status = if args.undo { "active" } else { "revoked" };
    let path = format!("/test-certificates/{fingerprint}");
    let answer = ask(&args.to, Method::PUT, &path, Some(&json!({"status": status}))).await?;
    if args.to.json {
        output::json(&answer);
    } else {
        let done = if args.undo { "Good again" } else { "Revoked" };
        let (profile, whose) = (text(&answer, "profile"), text(&answer, "organizationIdentifier"));
        let serial = text(&answer, "serialNumber");
        output::line(&format!("{done}: the {profile} certificate of {whose}, serial number {serial}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// What stands on the command line is a file, or says itself which certificate it is.
fn fingerprint(named: &Path) -> Result<String, Failure> {
    let digits = named.to_str().map(|text| text.replace(':', "").to_ascii_lowercase()).unwrap_or_default();
    let is_one = digits.len() == 64 && digits.chars().all(|digit| digit.is_ascii_hexdigit());
    if is_one && !named.exists() {
        return Ok(digits);
    }
    Ok(read_certificates(named)?[0].fingerprint_hex())
}
