//! The extensions of a certificate, each read into the field that holds it.

use der::asn1::ObjectIdentifier;
use x509_parser::extensions::{
    DistributionPointName, ExtendedKeyUsage, GeneralName, ParsedExtension, PolicyMapping, X509Extension,
};

use crate::certificate::{Certificate, CertificateError, read_oid};
use crate::oid;
use crate::policies::PolicyRules;
use crate::qc_statements::QcStatements;

/// Extensions that are read here, or processed with a path: nothing is known of a certificate in which one of them is broken.
const READ: [ObjectIdentifier; 13] = [
    oid::KEY_USAGE,
    oid::SUBJECT_ALT_NAME,
    oid::BASIC_CONSTRAINTS,
    oid::NAME_CONSTRAINTS,
    oid::CRL_DISTRIBUTION_POINTS,
    oid::CERTIFICATE_POLICIES,
    oid::POLICY_MAPPINGS,
    oid::POLICY_CONSTRAINTS,
    oid::INHIBIT_ANY_POLICY,
    oid::EXTENDED_KEY_USAGE,
    oid::AUTHORITY_KEY_IDENTIFIER,
    oid::SUBJECT_KEY_IDENTIFIER,
    oid::AUTHORITY_INFO_ACCESS,
];

impl Certificate {
    /// Reads one more extension; a second one of the same kind is refused.
    pub(crate) fn read_extension(&mut self, extension: &X509Extension<'_>) -> Result<(), CertificateError> {
        let oid = read_oid(&extension.oid)
            .ok_or_else(|| CertificateError::Malformed(format!("extension {}", extension.oid)))?;
        let unreadable = || CertificateError::UnreadableExtension(oid);
        if self.extensions.iter().any(|(known, _)| *known == oid) {
            return Err(CertificateError::DuplicateExtension(oid));
        }
        self.extensions.push((oid, extension.critical));
        if oid == oid::QC_STATEMENTS {
            self.qc_statements = Some(QcStatements::parse(extension.value));
            return Ok(());
        }
        match extension.parsed_extension() {
            ParsedExtension::BasicConstraints(constraints) => self.is_ca = Some(constraints.ca),
            ParsedExtension::KeyUsage(usage) => self.key_usage = Some(key_usage_names(usage.flags)),
            ParsedExtension::ExtendedKeyUsage(usage) => {
                self.extended_key_usage = read_extended_key_usage(usage).ok_or_else(unreadable)?;
            }
            ParsedExtension::SubjectAlternativeName(names) => {
                self.dns_names = names
                    .general_names
                    .iter()
                    .filter_map(|name| match name {
                        GeneralName::DNSName(dns) => Some((*dns).to_owned()),
                        _ => None,
                    })
                    .collect();
            }
            ParsedExtension::CertificatePolicies(policies) => {
                self.policies = policies.iter().filter_map(|policy| read_oid(&policy.policy_id)).collect();
            }
            ParsedExtension::AuthorityInfoAccess(access) => {
                for description in &access.accessdescs {
                    if let GeneralName::URI(uri) = &description.access_location {
                        match read_oid(&description.access_method) {
                            Some(oid::CA_ISSUERS) => self.ca_issuers.push((*uri).to_owned()),
                            Some(oid::OCSP) => self.ocsp.push((*uri).to_owned()),
                            _ => {}
                        }
                    }
                }
            }
            ParsedExtension::CRLDistributionPoints(points) => {
                for point in &points.points {
                    if let Some(DistributionPointName::FullName(names)) = &point.distribution_point {
                        self.crl_distribution_points.extend(names.iter().filter_map(|name| match name {
                            GeneralName::URI(uri) => Some((*uri).to_owned()),
                            _ => None,
                        }));
                    }
                }
            }
            ParsedExtension::AuthorityKeyIdentifier(identifier) => {
                self.authority_key_identifier = identifier.key_identifier.as_ref().map(|id| id.0.to_vec());
            }
            ParsedExtension::SubjectKeyIdentifier(identifier) => {
                self.subject_key_identifier = Some(identifier.0.to_vec());
            }
            ParsedExtension::ParseError { .. } if !extension.critical && !READ.contains(&oid) => {
                self.unreadable_extensions.push(oid);
            }
            ParsedExtension::ParseError { .. } => return Err(unreadable()),
            rule => read_policy_rule(&mut self.policy_rules, rule).ok_or_else(unreadable)?,
        }
        Ok(())
    }
}

/// Reads what an authority says about policies below it; whatever else it is says nothing. None if an identifier cannot be read.
fn read_policy_rule(rules: &mut PolicyRules, rule: &ParsedExtension<'_>) -> Option<()> {
    match rule {
        ParsedExtension::PolicyConstraints(constraints) => {
            rules.require_explicit = constraints.require_explicit_policy;
            rules.inhibit_mapping = constraints.inhibit_policy_mapping;
        }
        ParsedExtension::InhibitAnyPolicy(inhibited) => rules.inhibit_any = Some(inhibited.skip_certs),
        ParsedExtension::PolicyMappings(mappings) => {
            let mapping = |mapping: &PolicyMapping<'_>| {
                Some((read_oid(&mapping.issuer_domain_policy)?, read_oid(&mapping.subject_domain_policy)?))
            };
            rules.mappings = mappings.mappings.iter().map(mapping).collect::<Option<_>>()?;
        }
        _ => {}
    }
    Some(())
}

fn read_extended_key_usage(usage: &ExtendedKeyUsage<'_>) -> Option<Vec<ObjectIdentifier>> {
    let named = [
        (usage.any, "2.5.29.37.0"),
        (usage.server_auth, "1.3.6.1.5.5.7.3.1"),
        (usage.client_auth, "1.3.6.1.5.5.7.3.2"),
        (usage.code_signing, "1.3.6.1.5.5.7.3.3"),
        (usage.email_protection, "1.3.6.1.5.5.7.3.4"),
        (usage.time_stamping, "1.3.6.1.5.5.7.3.8"),
        (usage.ocsp_signing, "1.3.6.1.5.5.7.3.9"),
    ];
    let mut oids: Vec<ObjectIdentifier> = named
        .iter()
        .filter(|(set, _)| *set)
        .filter_map(|(_, dotted)| ObjectIdentifier::new(dotted).ok())
        .collect();
    for other in &usage.other {
        oids.push(read_oid(other)?);
    }
    Some(oids)
}

fn key_usage_names(flags: u16) -> Vec<&'static str> {
    const NAMES: [&str; 9] = [
        "digitalSignature",
        "nonRepudiation",
        "keyEncipherment",
        "dataEncipherment",
        "keyAgreement",
        "keyCertSign",
        "cRLSign",
        "encipherOnly",
        "decipherOnly",
    ];
    NAMES.iter().enumerate().filter(|(bit, _)| flags >> bit & 1 == 1).map(|(_, name)| *name).collect()
}
