//! Makes lists and signs them, as a scheme operator does: for banks for tests.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bergshamra_dsig::{DsigContext, sign};
use bergshamra_keys::{KeysManager, loader};
use eidas::Certificate;
use eidas::public_key::KeyKind;
use jiff::Timestamp;
use uppsala::XmlWriter;

use crate::ListKind;
use crate::tree::{ADDITIONAL, LIST, QUALIFICATIONS, SIGNATURE, XADES};

/// Below this lie the addresses of kinds and states.
const BASE: &str = "http://uri.etsi.org/TrstSvc/";

/// A list to be made.
#[derive(Debug, Clone)]
pub struct NewList {
    /// What it is.
    pub kind: ListKind,
    /// Its country, as lists write it.
    pub territory: String,
    /// Its number.
    pub sequence: u64,
    /// When it is issued.
    pub issued: Timestamp,
    /// Until when the next one is there.
    pub next_update: Timestamp,
    /// The lists that it points to.
    pub pointers: Vec<NewPointer>,
    /// Its services.
    pub services: Vec<NewService>,
    /// Where the lists are by which the signers of this list of lists changed, the oldest first.
    pub pivots: Vec<String>,
}

/// Another list.
#[derive(Debug, Clone)]
pub struct NewPointer {
    /// What it is.
    pub kind: ListKind,
    /// Its country.
    pub territory: String,
    /// Where it lies.
    pub location: String,
    /// The certificate of whoever signs it, in DER.
    pub signer: Vec<u8>,
}

/// A service.
#[derive(Debug, Clone)]
pub struct NewService {
    /// Who runs it.
    pub provider: String,
    /// What it is called.
    pub name: String,
    /// The certificate of its key, in DER.
    pub certificate: Vec<u8>,
    /// How it is and how it was, the newest first.
    pub periods: Vec<NewPeriod>,
}

/// How a service is from a moment on.
#[derive(Debug, Clone)]
pub struct NewPeriod {
    /// Its kind below `http://uri.etsi.org/TrstSvc/Svctype/`, such as `CA/QC`.
    pub kind: String,
    /// Its status below `http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/`, such as `granted`.
    pub status: String,
    /// Since when.
    pub since: Timestamp,
    /// What its certificates are for, such as `ForeSeals`.
    pub purposes: Vec<String>,
    /// A qualifier, such as `NotQualified`, with bits of the key usage of the certificates that it is for.
    pub qualifier: Option<(String, Vec<(String, bool)>)>,
}

/// A list cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the list cannot be signed: {0}")]
pub struct SignError(String);

/// Makes a list and signs it with the key of a certificate, which is in PEM (PKCS #8).
///
/// # Errors
/// [`SignError`]
pub fn signed(list: &NewList, signer: &Certificate, key_pem: &str) -> Result<String, SignError> {
    signed_as_changed(list, (signer, key_pem), |written| written)
}

/// The same, with what is written changed before it is signed: for lists that nobody should take although they are signed well.
///
/// # Errors
/// [`SignError`]
pub fn signed_as_changed(
    list: &NewList,
    (signer, key_pem): (&Certificate, &str),
    change: impl FnOnce(String) -> String,
) -> Result<String, SignError> {
    let method = match signer.public_key.kind {
        KeyKind::Rsa { .. } => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        KeyKind::P256 => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
        _ => return Err(SignError("the key is neither RSA nor on P-256".to_owned())),
    };
    let mut keys = KeysManager::new();
    let key = loader::load_pem_auto(key_pem.as_bytes(), None);
    keys.add_key(key.map_err(|error| SignError(error.to_string()))?);
    let signed = sign::sign(&DsigContext::new(keys), &change(written(list, signer, method)));
    signed.map_err(|error| SignError(error.to_string()))
}

/// Writes elements one in the other.
struct Writer(XmlWriter);

impl Writer {
    fn within(&mut self, name: &str, attributes: &[(&str, &str)], inner: impl FnOnce(&mut Self)) {
        self.0.start_element(name, attributes);
        inner(self);
        self.0.end_element(name);
    }

    fn text(&mut self, name: &str, text: &str) {
        self.within(name, &[], |writer| writer.0.text(text));
    }

    fn named(&mut self, name: &str, text: &str) {
        self.within(name, &[], |writer| {
            writer.within("Name", &[("xml:lang", "en")], |writer| writer.0.text(text));
        });
    }
}

fn written(list: &NewList, signer: &Certificate, method: &str) -> String {
    let mut writer = Writer(XmlWriter::new());
    writer.0.write_declaration();
    let names = [
        ("xmlns", LIST),
        ("xmlns:sie", QUALIFICATIONS),
        ("xmlns:tslx", ADDITIONAL),
        ("xmlns:ds", SIGNATURE),
        ("xmlns:xades", XADES),
        ("Id", "list"),
        ("TSLTag", "http://uri.etsi.org/19612/TSLTag"),
    ];
    writer.within("TrustServiceStatusList", &names, |writer| {
        scheme(writer, list);
        if !list.services.is_empty() {
            writer.within("TrustServiceProviderList", &[], |writer| {
                list.services.iter().for_each(|service| provider(writer, service));
            });
        }
        signature(writer, list, signer, method);
    });
    writer.0.into_string()
}

fn scheme(writer: &mut Writer, list: &NewList) {
    writer.within("SchemeInformation", &[], |writer| {
        writer.text("TSLVersionIdentifier", "6");
        writer.text("TSLSequenceNumber", &list.sequence.to_string());
        writer.text("TSLType", &kind(list.kind));
        writer.named("SchemeOperatorName", "Operator of lists for tests");
        if !list.pivots.is_empty() {
            writer.within("SchemeInformationURI", &[], |writer| {
                for pivot in list.pivots.iter().rev() {
                    writer.within("URI", &[("xml:lang", "en")], |writer| writer.0.text(pivot));
                }
            });
        }
        writer.text("SchemeTerritory", &list.territory);
        if !list.pointers.is_empty() {
            writer.within("PointersToOtherTSL", &[], |writer| {
                list.pointers.iter().for_each(|one| pointer(writer, one));
            });
        }
        writer.text("ListIssueDateTime", &second(list.issued));
        writer.within("NextUpdate", &[], |writer| writer.text("dateTime", &second(list.next_update)));
    });
}

fn kind(kind: ListKind) -> String {
    let kind = match kind {
        ListKind::ListOfLists => "EUlistofthelists",
        ListKind::National => "EUgeneric",
    };
    format!("{BASE}TrustedList/TSLType/{kind}")
}

fn second(moment: Timestamp) -> String {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment).to_string()
}

fn identity(writer: &mut Writer, der: &[u8]) {
    writer.within("ServiceDigitalIdentity", &[], |writer| {
        writer.within("DigitalId", &[], |writer| writer.text("X509Certificate", &STANDARD.encode(der)));
    });
}

fn pointer(writer: &mut Writer, pointer: &NewPointer) {
    writer.within("OtherTSLPointer", &[], |writer| {
        writer.within("ServiceDigitalIdentities", &[], |writer| identity(writer, &pointer.signer));
        writer.text("TSLLocation", &pointer.location);
        writer.within("AdditionalInformation", &[], |writer| {
            let mut said = |name: &str, text: &str| {
                writer.within("OtherInformation", &[], |writer| writer.text(name, text));
            };
            said("TSLType", &kind(pointer.kind));
            said("SchemeTerritory", &pointer.territory);
            said("tslx:MimeType", "application/vnd.etsi.tsl+xml");
        });
    });
}

fn provider(writer: &mut Writer, service: &NewService) {
    writer.within("TrustServiceProvider", &[], |writer| {
        writer.within("TSPInformation", &[], |writer| writer.named("TSPName", &service.provider));
        writer.within("TSPServices", &[], |writer| {
            writer.within("TSPService", &[], |writer| {
                let Some((now, before)) = service.periods.split_first() else { return };
                writer.within("ServiceInformation", &[], |writer| period(writer, service, now));
                if !before.is_empty() {
                    writer.within("ServiceHistory", &[], |writer| {
                        for one in before {
                            writer
                                .within("ServiceHistoryInstance", &[], |writer| period(writer, service, one));
                        }
                    });
                }
            });
        });
    });
}

fn period(writer: &mut Writer, service: &NewService, period: &NewPeriod) {
    writer.text("ServiceTypeIdentifier", &format!("{BASE}Svctype/{}", period.kind));
    writer.named("ServiceName", &service.name);
    identity(writer, &service.certificate);
    writer.text("ServiceStatus", &format!("{BASE}TrustedList/Svcstatus/{}", period.status));
    writer.text("StatusStartingTime", &second(period.since));
    writer.within("ServiceInformationExtensions", &[], |writer| {
        for purpose in &period.purposes {
            writer.within("Extension", &[("Critical", "true")], |writer| {
                writer.within("AdditionalServiceInformation", &[], |writer| {
                    writer.within("URI", &[("xml:lang", "en")], |writer| {
                        writer.0.text(&format!("{BASE}TrustedList/SvcInfoExt/{purpose}"));
                    });
                });
            });
        }
        if let Some(qualifier) = &period.qualifier {
            writer.within("Extension", &[("Critical", "true")], |writer| qualification(writer, qualifier));
        }
    });
}

fn qualification(writer: &mut Writer, (qualifier, bits): &(String, Vec<(String, bool)>)) {
    let uri = format!("{BASE}TrustedList/SvcInfoExt/{qualifier}");
    writer.within("sie:Qualifications", &[], |writer| {
        writer.within("sie:QualificationElement", &[], |writer| {
            writer.within("sie:Qualifiers", &[], |writer| {
                writer.0.empty_element("sie:Qualifier", &[("uri", uri.as_str())])
            });
            writer.within("sie:CriteriaList", &[("assert", "all")], |writer| {
                writer.within("sie:KeyUsage", &[], |writer| {
                    for (name, is_set) in bits {
                        let is_set = if *is_set { "true" } else { "false" };
                        writer.within("sie:KeyUsageBit", &[("name", name.as_str())], |writer| {
                            writer.0.text(is_set)
                        });
                    }
                });
            });
        });
    });
}

/// The signature before it is made: over the whole list, and over when and by whose certificate it is (XAdES baseline B).
fn signature(writer: &mut Writer, list: &NewList, signer: &Certificate, method: &str) {
    const CANONICAL: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
    const SHA_256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
    let reference = |writer: &mut Writer, attributes: &[(&str, &str)], transforms: &[&str]| {
        writer.within("ds:Reference", attributes, |writer| {
            writer.within("ds:Transforms", &[], |writer| {
                for one in transforms {
                    writer.0.empty_element("ds:Transform", &[("Algorithm", *one)]);
                }
            });
            writer.0.empty_element("ds:DigestMethod", &[("Algorithm", SHA_256)]);
            writer.within("ds:DigestValue", &[], |_| {});
        });
    };
    writer.within("ds:Signature", &[("Id", "signature")], |writer| {
        writer.within("ds:SignedInfo", &[], |writer| {
            writer.0.empty_element("ds:CanonicalizationMethod", &[("Algorithm", CANONICAL)]);
            writer.0.empty_element("ds:SignatureMethod", &[("Algorithm", method)]);
            let enveloped = format!("{SIGNATURE}enveloped-signature");
            reference(writer, &[("URI", "")], &[enveloped.as_str(), CANONICAL]);
            let kind = "http://uri.etsi.org/01903#SignedProperties";
            reference(writer, &[("Type", kind), ("URI", "#properties")], &[CANONICAL]);
        });
        writer.within("ds:SignatureValue", &[], |_| {});
        writer.within("ds:KeyInfo", &[], |writer| {
            writer.within("ds:X509Data", &[], |writer| {
                writer.text("ds:X509Certificate", &STANDARD.encode(&signer.der));
            });
        });
        writer.within("ds:Object", &[], |writer| {
            writer.within("xades:QualifyingProperties", &[("Target", "#signature")], |writer| {
                writer.within("xades:SignedProperties", &[("Id", "properties")], |writer| {
                    writer.within("xades:SignedSignatureProperties", &[], |writer| {
                        writer.text("xades:SigningTime", &second(list.issued));
                        signing_certificate(writer, signer, SHA_256);
                    });
                });
            });
        });
    });
}

fn signing_certificate(writer: &mut Writer, signer: &Certificate, digest: &str) {
    writer.within("xades:SigningCertificateV2", &[], |writer| {
        writer.within("xades:Cert", &[], |writer| {
            writer.within("xades:CertDigest", &[], |writer| {
                writer.0.empty_element("ds:DigestMethod", &[("Algorithm", digest)]);
                writer.text("ds:DigestValue", &STANDARD.encode(signer.fingerprint));
            });
        });
    });
}
