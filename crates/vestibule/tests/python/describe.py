"""Describes certificates with libraries that share no code with this project.

Reads PEM files named on the command line and prints a JSON list; the members are those of
`vestibule certificate inspect --json` that both sides have to agree on.
"""

import json
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pyasn1.codec.der.decoder import decode
from pyasn1_alt_modules import rfc3739
from pyasn1.type import univ

from pkilint.etsi.asn1 import en_319_412_5, ts_119_495

USAGES = [
    ("digitalSignature", "digital_signature"),
    ("nonRepudiation", "content_commitment"),
    ("keyEncipherment", "key_encipherment"),
    ("dataEncipherment", "data_encipherment"),
    ("keyAgreement", "key_agreement"),
    ("keyCertSign", "key_cert_sign"),
    ("cRLSign", "crl_sign"),
]
TYPES = {"0.4.0.1862.1.6.1": "esign", "0.4.0.1862.1.6.2": "eseal", "0.4.0.1862.1.6.3": "web"}


def name(value):
    return [[attribute.oid.dotted_string, attribute.value] for attribute in value]


def time(value):
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


def uris(names):
    return [n.value for n in names if isinstance(n, x509.UniformResourceIdentifier)]


def statements(octets):
    decoded, rest = decode(octets, asn1Spec=rfc3739.QCStatements())
    assert not rest
    described = {"qcCompliance": False, "qcSscd": False, "qcTypes": [], "disclosureStatements": []}
    psd2 = None
    for statement in decoded:
        oid = str(statement["statementId"])
        info = statement["statementInfo"]
        info = bytes(info) if info.hasValue() else None
        if oid == str(en_319_412_5.id_etsi_qcs_QcCompliance):
            described["qcCompliance"] = True
        elif oid == str(en_319_412_5.id_etsi_qcs_QcSSCD):
            described["qcSscd"] = True
        elif oid == str(en_319_412_5.id_etsi_qcs_QcType):
            types, _ = decode(info, asn1Spec=univ.SequenceOf(componentType=univ.ObjectIdentifier()))
            described["qcTypes"] = [TYPES[str(one)] for one in types]
        elif oid == "0.4.0.1862.1.5":
            entries, _ = decode(info)
            described["disclosureStatements"] = [
                {"url": str(entry[0]), "language": str(entry[1])} for entry in entries
            ]
        elif oid == str(ts_119_495.id_etsi_psd2_qcStatement):
            value, _ = decode(info)
            psd2 = {
                "roles": [str(role[1]) for role in value[0]],
                "ncaName": str(value[1]),
                "ncaId": str(value[2]),
            }
    return described, psd2


def describe(path):
    with open(path, "rb") as file:
        c = x509.load_pem_x509_certificates(file.read())[0]

    def extension(kind):
        try:
            return c.extensions.get_extension_for_class(kind).value
        except x509.ExtensionNotFound:
            return None

    key = c.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        key = f"RSA {key.key_size}"
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key = {"secp256r1": "EC P-256", "secp384r1": "EC P-384"}[key.curve.name]
    usage = extension(x509.KeyUsage)
    extended = extension(x509.ExtendedKeyUsage)
    alternative = extension(x509.SubjectAlternativeName)
    policies = extension(x509.CertificatePolicies)
    access = extension(x509.AuthorityInformationAccess)
    points = extension(x509.CRLDistributionPoints)
    authority = extension(x509.AuthorityKeyIdentifier)
    subject = extension(x509.SubjectKeyIdentifier)
    constraints = extension(x509.BasicConstraints)
    qc, psd2 = None, None
    for one in c.extensions:
        if one.oid.dotted_string == "1.3.6.1.5.5.7.1.3":
            qc, psd2 = statements(one.value.value)

    def access_uris(oid):
        return [] if access is None else uris(a.access_location for a in access if a.access_method == oid)

    return {
        "version": c.version.value + 1,
        "serialNumber": format(c.serial_number, "x"),
        "subject": name(c.subject),
        "issuer": name(c.issuer),
        "notBefore": time(c.not_valid_before_utc),
        "notAfter": time(c.not_valid_after_utc),
        "publicKey": key,
        "signatureAlgorithm": c.signature_algorithm_oid.dotted_string,
        "keyUsage": None if usage is None else [n for n, attribute in USAGES if getattr(usage, attribute)],
        "extendedKeyUsage": [] if extended is None else [e.dotted_string for e in extended],
        "dnsNames": [] if alternative is None else alternative.get_values_for_type(x509.DNSName),
        "policies": [] if policies is None else [p.policy_identifier.dotted_string for p in policies],
        "caIssuers": access_uris(x509.oid.AuthorityInformationAccessOID.CA_ISSUERS),
        "ocsp": access_uris(x509.oid.AuthorityInformationAccessOID.OCSP),
        "crlDistributionPoints": [] if points is None else [u for p in points for u in uris(p.full_name or [])],
        "authorityKeyIdentifier": authority.key_identifier.hex() if authority and authority.key_identifier else None,
        "subjectKeyIdentifier": subject.digest.hex() if subject else None,
        "isCa": None if constraints is None else constraints.ca,
        "fingerprint": c.fingerprint(hashes.SHA256()).hex(),
        "extensions": [{"oid": e.oid.dotted_string, "critical": e.critical} for e in c.extensions],
        "qcStatements": qc,
        "psd2": psd2,
    }


print(json.dumps([describe(path) for path in sys.argv[1:]]))
