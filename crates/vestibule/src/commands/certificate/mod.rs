//! `vestibule certificate`

mod inspection;
mod revocation;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use eidas::certificate::to_pem;
use eidas::issue::{
    Authority, AuthorityName, CertificateRequest, IssueError, KeyType, Profile, PublicationPoints,
    generate_key, serial_number,
};
use eidas::{Certificate, CertificateError, OrganizationIdentifier, Role, describe};
use gateway::Randomness;
use tpp::private_files::create_new_private;
use tpp::sandbox::{Management, TestCertificate, TestCertificateRequest};
use tpp::{Transport, TransportSettings};

use self::inspection::{check_file, inspect, text};
use self::revocation::revoke;
use super::tpp::observer;
use super::{Failure, distinct, unreadable};
use crate::cli::{CertificateCommand, CertificateNewArgs, ProfileArg, SubjectArgs};
use crate::output;

/// The fault that is in the key, which comes from the sandbox then.
const WEAK_KEY: &str = "weak-key";

/// What a new certificate is written to.
const FILES: [&str; 3] = ["key.pem", "certificate.pem", "chain.pem"];

pub(crate) async fn run(command: CertificateCommand) -> Result<ExitCode, Failure> {
    match command {
        CertificateCommand::New(args) => new(args).await,
        CertificateCommand::Inspect(args) => inspect(&args),
        CertificateCommand::Check(args) => check_file(&args),
        CertificateCommand::Revoke(args) => revoke(args).await,
    }
}

async fn new(args: CertificateNewArgs) -> Result<ExitCode, Failure> {
    distinct("--role", &args.subject.roles())?;
    // Before anything is asked for: a sandbox revokes what it issued before.
    for name in FILES {
        let path = args.out.join(name);
        if path.exists() {
            return Err(taken(&path));
        }
    }
    let (private_key, public_key) = generate_key(KeyType::Rsa2048)?;
    let issued = match &args.ca {
        Some(folder) => issue_offline(folder, &args, &public_key)?,
        None => {
            let management = Management::new(
                Transport::new(TransportSettings::default(), Some(observer(false)))?,
                &args.management,
            );
            let mut request = request(&args.subject, args.profile, None, &public_key);
            request.fault.clone_from(&args.fault);
            if args.fault.as_deref() == Some(WEAK_KEY) {
                request.public_key = None;
            }
            management.test_certificate(&request).await?
        }
    };
    fs::create_dir_all(&args.out).map_err(|error| file(&args.out, &error))?;
    let chain: String = issued.chain.concat();
    write_private(&args.out.join("key.pem"), issued.private_key.as_ref().unwrap_or(&private_key))?;
    for (name, content) in [("certificate.pem", &issued.certificate), ("chain.pem", &chain)] {
        let path = args.out.join(name);
        fs::write(&path, content).map_err(|error| file(&path, &error))?;
    }
    let certificate = Certificate::from_pem(&issued.certificate)?;
    if args.json {
        output::json(&serde_json::json!({
            "certificate": args.out.join("certificate.pem"),
            "privateKey": args.out.join("key.pem"),
            "chain": args.out.join("chain.pem"),
            "keyId": issued.key_id,
            "organizationIdentifier": certificate.organization_identifier()?.as_str(),
        }));
    } else {
        output::line(&format!("Wrote certificate.pem, key.pem and chain.pem to {}\n", args.out.display()));
        output::line(&text(&describe(&certificate)));
    }
    Ok(ExitCode::SUCCESS)
}

/// What a sandbox is asked for.
pub(super) fn request(
    subject: &SubjectArgs,
    profile: ProfileArg,
    tenant: Option<&str>,
    public_key: &str,
) -> TestCertificateRequest {
    TestCertificateRequest {
        organization_identifier: identifier(subject),
        organization_name: subject.organization_name(),
        country: subject.country.clone(),
        locality: subject.locality(),
        roles: subject.roles(),
        profile: profile.name().to_owned(),
        public_key: Some(public_key.to_owned()),
        tenant: tenant.map(str::to_owned),
        fault: None,
    }
}

fn identifier(subject: &SubjectArgs) -> String {
    subject.organization_identifier.clone().unwrap_or_else(|| {
        let octets = Randomness::from_system().name_octets();
        let number = u32::from_be_bytes([octets[0], octets[1], octets[2], octets[3]]) % 1_000_000;
        format!("PSDNL-DNB-R{number:06}")
    })
}

fn issue_offline(
    folder: &Path,
    args: &CertificateNewArgs,
    public_key: &str,
) -> Result<TestCertificate, Failure> {
    let authority = load_or_make_authority(folder)?;
    let subject = &args.subject;
    let roles = subject
        .roles()
        .iter()
        .map(|name| Role::from_name(name).ok_or_else(|| Failure::new(format!("role {name} is not known"))))
        .collect::<Result<Vec<_>, _>>()?;
    let organization_identifier = OrganizationIdentifier::parse(&identifier(subject))
        .map_err(|rule| Failure::new(format!("--organization-identifier: {rule}")))?;
    let country = subject
        .country
        .clone()
        .or_else(|| organization_identifier.authorization_number().map(|number| number.country.clone()))
        .unwrap_or_else(|| "NL".to_owned());
    let now = tpp::clock::now();
    let (profile, common_name) = match args.profile {
        ProfileArg::TestClient => (Profile::TestClient, "localhost".to_owned()),
        ProfileArg::Qwac => (Profile::Qwac, "tpp.example.com".to_owned()),
        ProfileArg::Qseal => (Profile::QSeal, subject.organization_name()),
    };
    let request = CertificateRequest {
        organization_identifier,
        organization_name: subject.organization_name(),
        country,
        locality: subject.locality(),
        roles,
        common_name,
        serial: fresh_serial_number().to_vec(),
        not_before: now,
        not_after: now + jiff::SignedDuration::from_hours(24 * 737),
    };
    let points = PublicationPoints {
        ca_issuers: "http://pki.vestibule.example.com/ca.cer".to_owned(),
        crl: "http://pki.vestibule.example.com/ca.crl".to_owned(),
        ocsp: None,
        disclosure_statement: None,
    };
    let certificate = authority.issue(profile, &request, &points, public_key)?;
    Ok(TestCertificate {
        private_key: None,
        key_id: certificate.key_id(),
        certificate: to_pem(&certificate.der),
        chain: vec![to_pem(authority.der())],
    })
}

fn load_or_make_authority(folder: &Path) -> Result<Authority, Failure> {
    let (certificate, key) = (folder.join("ca.pem"), folder.join("ca.key.pem"));
    if certificate.exists() {
        let read = |path: &Path| fs::read(path).map_err(|error| file(path, &error));
        let wrong = |error: CertificateError| Failure::new(format!("{}: {error}", certificate.display()));
        let der = Certificate::from_pem(read(&certificate)?).map_err(wrong)?.der;
        return Authority::load(&der, read(&key)?).map_err(|error| {
            let text = match error {
                IssueError::ForeignKey => {
                    format!("the key does not belong to {}: its public key is another", certificate.display())
                }
                other => other.to_string(),
            };
            Failure::new(format!("{}: {text}", key.display()))
        });
    }
    let name = AuthorityName {
        country: "NL".to_owned(),
        locality: None,
        organization_identifier: None,
        organization: "Vestibule (TEST)".to_owned(),
        common_name: "Vestibule local CA (TEST)".to_owned(),
    };
    let validity = ("2020-01-01T00:00:00Z".parse()?, "2099-12-31T23:59:59Z".parse()?);
    let authority = Authority::root(&name, KeyType::P256, &fresh_serial_number(), validity)?;
    fs::create_dir_all(folder).map_err(|error| file(folder, &error))?;
    write_private(&key, authority.key_pem())?;
    fs::write(&certificate, to_pem(authority.der())).map_err(|error| file(&certificate, &error))?;
    Ok(authority)
}

fn fresh_serial_number() -> [u8; 16] {
    serial_number(Randomness::from_system().name_octets())
}

/// Writes a key into a file that its owner alone can read. No key is overwritten: nobody else has it.
fn write_private(path: &Path, content: &str) -> Result<(), Failure> {
    let written = create_new_private(path).and_then(|mut opened| opened.write_all(content.as_bytes()));
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => taken(path),
        _ => file(path, &error),
    })
}

fn taken(path: &Path) -> Failure {
    Failure::new(format!("{} exists and is not overwritten; choose another folder", path.display()))
}

fn file(path: &Path, error: &std::io::Error) -> Failure {
    unreadable(path, error)
}
