//! Lists that are made, read, and spoiled; and what certificates are qualified for by them.
#![expect(clippy::unwrap_used, reason = "a test may stop anywhere")]

use eidas::issue::{
    Authority, AuthorityName, CertificateRequest, KeyType, Profile, PublicationPoints, generate_key,
};
use eidas::{Certificate, OrganizationIdentifier, Purpose, Role};
use jiff::Timestamp;
use trusted_lists::issue::{NewList, NewPeriod, NewPointer, NewService, signed, signed_as_changed};
use trusted_lists::{ListError, ListKind, NotQualified, TrustedList, qualified};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2027-06-01T00:00:00Z")
}

fn authority(name: &str, key: KeyType, validity: (&str, &str)) -> Authority {
    let name = AuthorityName {
        country: "NL".to_owned(),
        locality: None,
        organization_identifier: None,
        organization: "Example (TEST)".to_owned(),
        common_name: name.to_owned(),
    };
    Authority::root(&name, key, &[1], (at(validity.0), at(validity.1))).unwrap()
}

fn operator(key: KeyType) -> (Authority, Certificate) {
    let authority = authority("Operator & Co <TEST>", key, ("2020-01-01T00:00:00Z", "2040-01-01T00:00:00Z"));
    let certificate = Certificate::from_der(authority.der()).unwrap();
    (authority, certificate)
}

fn issuer() -> Authority {
    authority("Issuing CA (TEST)", KeyType::P256, ("2020-01-01T00:00:00Z", "2040-01-01T00:00:00Z"))
}

fn issue(issuer: &Authority, profile: Profile) -> Certificate {
    let request = CertificateRequest {
        organization_identifier: OrganizationIdentifier::parse("PSDNL-DNB-R123456").unwrap(),
        organization_name: "Example TPP B.V.".to_owned(),
        country: "NL".to_owned(),
        locality: "Utrecht".to_owned(),
        roles: vec![Role::AccountInformation],
        common_name: "tpp.example".to_owned(),
        serial: vec![2],
        not_before: at("2027-01-01T00:00:00Z"),
        not_after: at("2028-01-01T00:00:00Z"),
    };
    let points = PublicationPoints {
        ca_issuers: "http://pki.example/ca.cer".to_owned(),
        crl: "http://pki.example/ca.crl".to_owned(),
        ocsp: None,
        disclosure_statement: None,
    };
    let (_, public_key) = generate_key(KeyType::P256).unwrap();
    issuer.issue(profile, &request, &points, &public_key).unwrap()
}

fn period(status: &str, since: &str) -> NewPeriod {
    NewPeriod {
        kind: "CA/QC".to_owned(),
        status: status.to_owned(),
        since: at(since),
        purposes: vec!["ForWebSiteAuthentication".to_owned(), "ForeSeals".to_owned()],
        qualifier: None,
    }
}

fn granted() -> NewPeriod {
    period("granted", "2020-06-01T00:00:00Z")
}

fn service(issuer: &Authority, periods: Vec<NewPeriod>) -> NewService {
    NewService {
        provider: "Example Trust & Co (TEST)".to_owned(),
        name: "Qualified certificates <TEST>".to_owned(),
        certificate: issuer.der().to_vec(),
        periods,
    }
}

fn national(services: Vec<NewService>) -> NewList {
    NewList {
        kind: ListKind::National,
        territory: "NL".to_owned(),
        sequence: 7,
        issued: at("2027-05-01T00:00:00Z"),
        next_update: at("2027-11-01T00:00:00Z"),
        pointers: Vec::new(),
        services,
        pivots: Vec::new(),
    }
}

#[test]
fn a_list_is_read_as_it_was_signed() {
    for key in [KeyType::P256, KeyType::Rsa2048] {
        let (authority, certificate) = operator(key);
        let pointer = NewPointer {
            kind: ListKind::National,
            territory: "NL".to_owned(),
            location: "https://lists.example/nl.xml?a=1&b=2".to_owned(),
            signer: authority.der().to_vec(),
        };
        let list = NewList {
            kind: ListKind::ListOfLists,
            territory: "EU".to_owned(),
            pointers: vec![pointer],
            ..national(Vec::new())
        };
        let xml = signed(&list, &certificate, authority.key_pem()).unwrap();
        let read = TrustedList::read(xml.as_bytes(), std::slice::from_ref(&certificate)).unwrap();
        assert_eq!((read.kind(), read.territory(), read.sequence()), (ListKind::ListOfLists, "EU", 7));
        assert_eq!((read.issued(), read.next_update()), (list.issued, Some(list.next_update)));
        let [to] = read.pointers() else { panic!("{read:?}") };
        assert_eq!((to.kind, to.territory.as_str()), (ListKind::National, "NL"));
        assert_eq!(to.location, "https://lists.example/nl.xml?a=1&b=2");
        assert_eq!(to.signers[0].der, certificate.der);
        assert_eq!(read.signer(), certificate.fingerprint);
        // With a mark of the order of octets, as some are published.
        assert!(TrustedList::read(&[&b"\xef\xbb\xbf"[..], xml.as_bytes()].concat(), &[certificate]).is_ok());
    }
    let (authority, certificate) = operator(KeyType::P256);
    let issuer = issuer();
    let periods = vec![period("withdrawn", "2027-03-01T00:00:00Z"), granted()];
    let xml = signed(&national(vec![service(&issuer, periods)]), &certificate, authority.key_pem()).unwrap();
    let read = TrustedList::read(xml.as_bytes(), &[certificate]).unwrap();
    let [one] = read.services() else { panic!("{read:?}") };
    assert_eq!(
        (one.provider.as_str(), one.name.as_str()),
        ("Example Trust & Co (TEST)", "Qualified certificates <TEST>")
    );
    assert_eq!(one.certificates[0].der, issuer.der());
    let states: Vec<_> = one.periods.iter().map(|period| period.status.rsplit('/').next().unwrap()).collect();
    assert_eq!(states, ["withdrawn", "granted"]);
}

#[test]
fn what_was_not_signed_as_a_whole_is_no_list() {
    let (authority, certificate) = operator(KeyType::P256);
    let (other, _) = operator(KeyType::P256);
    let list = national(vec![service(&issuer(), vec![period("withdrawn", "2027-03-01T00:00:00Z")])]);
    let xml = signed(&list, &certificate, authority.key_pem()).unwrap();
    let signers = [certificate.clone()];
    let read = |xml: &str| TrustedList::read(xml.as_bytes(), &signers).map(|list| list.sequence());
    assert_eq!(read(&xml), Ok(7));
    let begin = xml.find("<ds:Signature ").unwrap();
    let end = xml.find("</ds:Signature>").unwrap() + "</ds:Signature>".len();
    let signature = &xml[begin..end];
    let unsigned = xml.replace(signature, "");
    let body = unsigned.split_once("?>").unwrap().1;
    let inner = xml.split_once("?>").unwrap().1;
    let forged = body.replace("Svcstatus/withdrawn", "Svcstatus/granted");
    for (spoiled, why) in [
        (xml.replace("Svcstatus/withdrawn", "Svcstatus/granted"), "Reference digest failed"),
        (xml.replace("<TSLSequenceNumber>7<", "<TSLSequenceNumber>8<"), "Reference digest failed"),
        (xml.replace("xades:SigningTime>2027-05", "xades:SigningTime>2027-04"), "Reference digest failed"),
        (unsigned.clone(), "no signature or several"),
        (xml.replace(signature, &signature.repeat(2)), "no signature or several"),
        // The signed list stands in another one, or beside one.
        (
            forged.replace("</TrustServiceStatusList>", &format!("<x>{inner}</x></TrustServiceStatusList>")),
            "elsewhere",
        ),
        (format!("<x>{forged}{inner}</x>"), "TrustServiceStatusList"),
        // The signature says that it is over less.
        (xml.replace("URI=\"\"", "URI=\"#properties\""), "not over the whole list"),
        (xml.replace("#enveloped-signature", "#base64"), "changed before it is hashed"),
        (
            xml.replace("URI=\"#properties\"", "URI=\"file:///etc/passwd\""),
            "something that is not in the list",
        ),
        (xml.replace("URI=\"#properties\"", ""), "does not say what it is over"),
        (xml.replace("#ecdsa-sha256", "#hmac-sha256"), "signed in a way that is not taken"),
        (xml.replace("xmldsig-more#ecdsa-sha256", "xmldsig#ecdsa-sha1"), "signed in a way that is not taken"),
        (xml.replace("?>", "?><!DOCTYPE x [<!ENTITY a \"b\">]>"), "document type"),
        (xml[..xml.len() - 5].to_owned(), "no XML"),
        ("<a/>".to_owned(), "TrustServiceStatusList"),
        (String::new(), ""),
        (xml.replace("2027-05-01T00:00:00Z</ListIssue", "yesterday</ListIssue"), "ListIssueDateTime"),
    ] {
        let refused = read(&spoiled).unwrap_err().to_string();
        assert!(refused.contains(why), "{why}: {refused}");
    }
    // Somebody else's key, even where the certificate that comes along is the right one; one whose time was over.
    let foreign = signed(&list, &certificate, other.key_pem()).unwrap();
    assert!(matches!(read(&foreign), Err(ListError::Signature(_))));
    let expired = authority_of("2020-01-01T00:00:00Z", "2027-04-01T00:00:00Z");
    let xml = signed(&list, &expired.1, expired.0.key_pem()).unwrap();
    let refused = TrustedList::read(xml.as_bytes(), &[expired.1]).unwrap_err();
    assert!(refused.to_string().contains("nobody is known whose signature"), "{refused}");
    assert!(matches!(TrustedList::read(&[0xff; 10], &signers), Err(ListError::Xml(_))));
}

fn authority_of(from: &str, to: &str) -> (Authority, Certificate) {
    let authority = authority("Operator (TEST)", KeyType::P256, (from, to));
    let certificate = Certificate::from_der(authority.der()).unwrap();
    (authority, certificate)
}

/// What a certificate is for by services with these periods.
fn judged(profile: Profile, services: &[Vec<NewPeriod>]) -> Result<Purpose, NotQualified> {
    let ((operator, signer), issuer) = (operator(KeyType::P256), issuer());
    let services = services.iter().map(|periods| service(&issuer, periods.clone())).collect();
    let xml = signed(&national(services), &signer, operator.key_pem()).unwrap();
    let list = TrustedList::read(xml.as_bytes(), &[signer]).unwrap();
    qualified(&issue(&issuer, profile), list.services(), now())
}

#[test]
fn a_certificate_is_qualified_by_kind_status_and_date() {
    let with = |change: &dyn Fn(&mut NewPeriod)| {
        let mut period = granted();
        change(&mut period);
        vec![vec![period]]
    };
    assert_eq!(judged(Profile::Qwac, &[vec![granted()]]), Ok(Purpose::Qwac));
    assert_eq!(judged(Profile::QSeal, &[vec![granted()]]), Ok(Purpose::QSeal));
    for (services, why) in [
        (Vec::new(), "no service that issued it is listed"),
        (with(&|period| period.kind = "CA/PKC".to_owned()), "issues no qualified certificates now"),
        (with(&|period| period.status = "withdrawn".to_owned()), "issues no qualified certificates now"),
        (
            with(&|period| period.status = "undersupervision".to_owned()),
            "issues no qualified certificates now",
        ),
        (with(&|period| period.since = at("2027-05-20T00:00:00Z")), "when it issued this one"),
        (with(&|period| period.since = at("2027-07-01T00:00:00Z")), "issues no qualified certificates now"),
        (
            vec![vec![period("withdrawn", "2027-05-01T00:00:00Z"), granted()]],
            "issues no qualified certificates now",
        ),
        (
            vec![vec![
                period("granted", "2027-05-01T00:00:00Z"),
                period("withdrawn", "2020-01-01T00:00:00Z"),
            ]],
            "when it issued",
        ),
        (
            with(&|period| period.purposes = vec!["ForeSeals".to_owned()]),
            "not listed for website authentication",
        ),
        (with(&|period| period.purposes.clear()), "listed neither for website authentication nor for seals"),
        (
            with(&|period| period.qualifier = Some(("NotQualified".to_owned(), Vec::new()))),
            "are not qualified",
        ),
        (
            with(&|period| period.qualifier = Some(("QCForESig".to_owned(), Vec::new()))),
            "signatures of people",
        ),
        (
            vec![
                vec![granted()],
                with(&|period| period.qualifier = Some(("NotQualified".to_owned(), Vec::new()))).remove(0),
            ],
            "several services say different things",
        ),
    ] {
        let refused = judged(Profile::Qwac, &services).unwrap_err().to_string();
        assert!(refused.contains(why), "{why}: {refused}");
    }
    // A service that was withdrawn is no matter where another one with the key issues.
    let both = [vec![period("withdrawn", "2020-01-01T00:00:00Z")], vec![granted()]];
    assert_eq!(judged(Profile::Qwac, &both), Ok(Purpose::Qwac));
}

#[test]
fn an_authority_that_is_several_services_is_judged_by_those_for_the_purpose() {
    let for_these = |purposes: &[&str], qualifier: Option<&str>| {
        let purposes = purposes.iter().map(|one| (*one).to_owned()).collect();
        let qualifier = qualifier.map(|one| (one.to_owned(), Vec::new()));
        vec![NewPeriod { purposes, qualifier, ..granted() }]
    };
    let (web, seals, people) = ("ForWebSiteAuthentication", "ForeSeals", "ForeSignatures");
    let services = |services: &[(&[&str], Option<&str>)]| {
        services.iter().map(|(purposes, qualifier)| for_these(purposes, *qualifier)).collect::<Vec<_>>()
    };
    let (seal, conflict) = (Ok(Purpose::QSeal), Err("several services say different things of it"));
    for (listed, expected) in [
        (services(&[(&[people], None), (&[seals], None)]), seal),
        (services(&[(&[seals], None), (&[people], None)]), seal),
        (services(&[(&[people], Some("NotQualified")), (&[seals], None)]), seal),
        (services(&[(&[people], Some("QCForESig")), (&[seals], None)]), seal),
        (services(&[(&[web], None), (&[seals], None)]), seal),
        (services(&[(&[seals, people], None), (&[web], None)]), seal),
        (services(&[(&[people], None), (&[web], None)]), Err("is not listed for seals")),
        (services(&[(&[people], None)]), Err("listed neither for website authentication nor for seals")),
        // Those that are listed for it have to say the same.
        (services(&[(&[seals], Some("NotQualified")), (&[seals], None)]), conflict),
        (services(&[(&[web], Some("QCForWSA")), (&[seals], None)]), conflict),
    ] {
        let judged = judged(Profile::QSeal, &listed).map_err(|why| why.to_string());
        let is_so = match (&judged, expected) {
            (Ok(purpose), Ok(expected)) => *purpose == expected,
            (Err(why), Err(expected)) => why.contains(expected),
            _ => false,
        };
        assert!(is_so, "{listed:?} {expected:?} {judged:?}");
    }
}

#[test]
fn qualifiers_are_for_those_that_fit() {
    let with = |qualifier: &str, name: &str, is_set: bool| {
        let qualifier = Some((qualifier.to_owned(), vec![(name.to_owned(), is_set)]));
        vec![vec![NewPeriod { qualifier, ..granted() }]]
    };
    // A QWAC has the bit digitalSignature, and not the bit keyCertSign.
    for (services, expected) in [
        (with("QCForESeal", "digitalSignature", true), Some(Purpose::QSeal)),
        (with("QCForESeal", "keyCertSign", true), Some(Purpose::Qwac)),
        (with("QCForESeal", "keyCertSign", false), Some(Purpose::QSeal)),
        (with("NotQualified", "digitalSignature", true), None),
        (with("NotQualified", "digitalSignature", false), Some(Purpose::Qwac)),
        (with("QCStatement", "digitalSignature", true), Some(Purpose::Qwac)),
        // What is about devices only.
        (with("QCWithQSCD", "digitalSignature", true), Some(Purpose::Qwac)),
    ] {
        let judged = judged(Profile::Qwac, &services);
        assert_eq!(judged.as_ref().ok().copied(), expected, "{services:?} {judged:?}");
    }
    // A certificate of tests says nothing of itself.
    let refused = judged(Profile::TestClient, &[vec![granted()]]).unwrap_err().to_string();
    assert!(refused.contains("no QcCompliance statement"), "{refused}");
}

/// A list that its operator signs as it was changed, and what becomes of it.
fn read_as_changed(change: impl FnOnce(String) -> String) -> Result<TrustedList, ListError> {
    let (authority, signer) = operator(KeyType::P256);
    let list = national(vec![service(&issuer(), vec![granted()])]);
    let xml = signed_as_changed(&list, (&signer, authority.key_pem()), change).unwrap();
    TrustedList::read(xml.as_bytes(), &[signer])
}

#[test]
fn what_is_signed_by_weak_or_dear_means_is_not_taken() {
    assert!(read_as_changed(|xml| xml).is_ok());
    // By the name of the list instead of none, and in another one of the canonical forms.
    assert!(read_as_changed(|xml| xml.replace("URI=\"\"", "URI=\"#list\"")).is_ok());
    assert!(read_as_changed(|xml| xml.replace("2001/10/xml-exc-c14n#", "2006/12/xml-c14n11")).is_ok());
    let reference = |xml: &str| {
        let begin = xml.find("<ds:Reference ").unwrap();
        let end = xml.find("</ds:Reference>").unwrap() + "</ds:Reference>".len();
        xml[begin..end].to_owned()
    };
    type Change = Box<dyn FnOnce(String) -> String>;
    let changes: [(Change, &str); 5] = [
        (Box::new(|xml| xml.replace("04/xmlenc#sha256", "04/xmldsig-more#sha224")), "hashed in a way"),
        (
            Box::new(|xml| {
                let exclusive = "xml-exc-c14n#\"/><ds:SignatureMethod";
                xml.replace(exclusive, "xml-exc-c14n#WithComments\"/><ds:SignatureMethod")
            }),
            "without comments",
        ),
        (
            Box::new(move |xml| {
                let one = reference(&xml);
                xml.replace(&one, &one.repeat(4))
            }),
            "more than four things",
        ),
        (
            Box::new(|xml| {
                let one = "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>";
                xml.replacen(one, &one.repeat(5), 1)
            }),
            "changed before it is hashed",
        ),
        (Box::new(|xml| xml.replace("Id=\"list\"", "")), ""),
    ];
    for (change, why) in changes {
        match read_as_changed(change) {
            Ok(_) => assert_eq!(why, "", "taken"),
            Err(refused) => assert!(refused.to_string().contains(why) && !why.is_empty(), "{why}: {refused}"),
        }
    }
}

#[test]
fn a_signed_list_within_a_forged_one_of_the_same_name_vouches_for_nothing() {
    let (authority, signer) = operator(KeyType::P256);
    let list = national(vec![service(&issuer(), vec![period("withdrawn", "2027-03-01T00:00:00Z")])]);
    let by_name = |xml: String| xml.replace("URI=\"\"", "URI=\"#list\"");
    let xml = signed_as_changed(&list, (&signer, authority.key_pem()), by_name).unwrap();
    assert!(TrustedList::read(xml.as_bytes(), std::slice::from_ref(&signer)).is_ok());
    let begin = xml.find("<ds:Signature ").unwrap();
    let end = xml.find("</ds:Signature>").unwrap() + "</ds:Signature>".len();
    let signature = &xml[begin..end];
    // What was signed, without the signature, lies in a list that says something else and has the signature.
    let body = xml.split_once("?>").unwrap().1.replace(signature, "");
    for name in ["Id", "ID", "id", "xml:id"] {
        let within = body.replacen("Id=\"list\"", &format!("{name}=\"list\""), 1);
        let forged = body.replace("Svcstatus/withdrawn", "Svcstatus/granted");
        for around in [forged.clone(), forged.replacen("Id=\"list\"", "Id=\"other\"", 1)] {
            let end = format!("<x>{within}</x>{signature}</TrustServiceStatusList>");
            let wrapped = around.replace("</TrustServiceStatusList>", &end);
            let read = TrustedList::read(wrapped.as_bytes(), std::slice::from_ref(&signer));
            assert!(matches!(read, Err(ListError::Signature(_))), "{name}: {read:?}");
        }
    }
}

#[test]
fn what_would_take_memory_or_time_is_refused_before_it_is_read() {
    let attributes: String = (0..200_000).map(|number| format!(" a{number}=''")).collect();
    let spaces: String = (0..200_000).map(|number| format!(" xmlns:a{number}='u:{number}'")).collect();
    let hidden = format!("<!-- <a ' --><?x <a \" ?><x><![CDATA[<a ']]><a{attributes}/></x>");
    for (xml, why) in [
        (format!("<a{attributes}/>"), "more than 40 attributes"),
        (format!("<a{spaces}/>"), "more than 40 attributes"),
        (hidden, "more than 40 attributes"),
        (format!("<a>{}</a>", "<a b=''/>".repeat(500_001)), "more than a million"),
        (format!("<a>{}</a>", "<!---->".repeat(1_000_001)), "more than a million"),
        (format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000)), "no XML of a list"),
        ("<a><!-- ".to_owned(), "no XML of a list"),
        ("<a b='".to_owned(), "no XML of a list"),
        ("<a/>".repeat(9_000_000), "larger than 32 MiB"),
    ] {
        let refused = TrustedList::read(xml.as_bytes(), &[]).unwrap_err().to_string();
        assert!(refused.contains(why), "{why}: {refused}");
        assert!(TrustedList::unverified_pivots(xml.as_bytes()).is_err());
    }
    // Text with many of the marks is none of that.
    let many = format!("Operator {}", "= > \" ' ".repeat(500));
    let many = many.replace('>', "&gt;");
    assert!(read_as_changed(|xml| xml.replace("Operator of lists for tests", &many)).is_ok());
}

#[test]
fn a_list_holds_for_half_a_year_whatever_it_says() {
    let (authority, signer) = operator(KeyType::P256);
    let list = NewList { next_update: at("2099-01-01T00:00:00Z"), ..national(Vec::new()) };
    let xml = signed(&list, &signer, authority.key_pem()).unwrap();
    let read = TrustedList::read(xml.as_bytes(), &[signer]).unwrap();
    assert_eq!(read.next_update(), Some(at("2027-11-03T00:00:00Z")));
}

#[test]
fn a_service_with_a_critical_extension_that_nobody_knows_vouches_for_nothing() {
    let issuing = issuer();
    let (authority, signer) = operator(KeyType::P256);
    let judged = |extension: &str| {
        let end = "</ServiceInformationExtensions>";
        let change = |xml: String| xml.replace(end, &format!("{extension}{end}"));
        let list = national(vec![service(&issuing, vec![granted()])]);
        let xml = signed_as_changed(&list, (&signer, authority.key_pem()), change).unwrap();
        let list = TrustedList::read(xml.as_bytes(), std::slice::from_ref(&signer)).unwrap();
        qualified(&issue(&issuing, Profile::Qwac), list.services(), now()).map_err(|why| why.to_string())
    };
    for known in [
        "<Extension Critical=\"false\"><Other/></Extension>",
        "<Extension><Other/></Extension>",
        "<Extension Critical=\"true\"><tslx:TakenOverBy/></Extension>",
        "<Extension Critical=\"1\"><ExpiredCertsRevocationInfo/></Extension>",
    ] {
        assert_eq!(judged(known), Ok(Purpose::Qwac), "{known}");
    }
    for unknown in [
        "<Extension Critical=\"true\"><Other/></Extension>",
        "<Extension Critical=\"1\"><tslx:AdditionalServiceInformation/></Extension>",
    ] {
        let refused = judged(unknown).unwrap_err();
        assert!(refused.contains("critical and unknown"), "{unknown}: {refused}");
    }
}

#[test]
fn a_list_of_lists_names_the_lists_by_which_its_signers_changed() {
    let (authority, signer) = operator(KeyType::P256);
    let at = |number: usize| format!("https://lists.example/pivot-{number}.xml");
    let pivots = vec![at(1), "https://lists.example/announcement?a=1".to_owned(), at(2)];
    let list = NewList { kind: ListKind::ListOfLists, pivots, ..national(Vec::new()) };
    let xml = signed(&list, &signer, authority.key_pem()).unwrap();
    assert_eq!(TrustedList::unverified_pivots(xml.as_bytes()), Ok(vec![at(1), at(2)]));
    assert_eq!(TrustedList::read(xml.as_bytes(), &[signer]).unwrap().pivots(), [at(1), at(2)]);
    let none = TrustedList::unverified_pivots(b"<a/>");
    assert_eq!(none, Err(ListError::Content("TrustServiceStatusList")));
}
