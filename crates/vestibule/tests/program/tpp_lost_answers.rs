//! `vestibule tpp` where answers get lost: whatever is asked for again, nothing is made twice.

use std::process::{Child, Stdio};

use crate::BINARY;
use crate::lossy_way::{Loss, Losses, LossyWay};
use crate::third_party::{Setting, json};

/// Who is paid.
const SHOP: [&str; 4] = ["--to", "NL91ABNA0417164300", "--name", "Shop"];

/// A draft of bunq.
const DRAFTS: &str = "/payment-service-provider-draft-payment ";

/// A registered third party whose way to the bank loses answers.
fn registered(losses: Losses) -> (Setting, LossyWay, String) {
    let setting = Setting::ephemeral();
    let iban = setting.customer("household");
    let way = LossyWay::to(&setting.bank.url("public"), losses);
    let dialect = if losses.path.starts_with("/xs2a-bg") { "berlin-group" } else { "bunq" };
    let register = ["register", "--redirect-uri", "https://tpp.example/cb", "--dialect", dialect];
    let (code, _, error) = way.tpp(&setting, &register);
    assert_eq!(code, 0, "{error}");
    (setting, way, iban)
}

/// A request that no answer came to is the same one when it is sent again, so that the bank makes one payment of both.
#[test]
fn a_payment_whose_answer_was_lost_is_asked_for_once() {
    let (setting, way, _) = registered(Losses::of_payments("POST", 4));
    let tpp = |arguments: &[&str]| way.tpp(&setting, arguments);
    let pay = |amount: &str| tpp(&[&["pay", "--json", "--amount", amount][..], &SHOP].concat());
    // It is sent three times at once, and nobody knows what became of it.
    let (code, out, _) = pay("1.00");
    assert_eq!((code, &json(&out)["error"]["kind"]), (1, &"unreachable".into()), "{out}");
    assert!(out.contains("the same command again goes on with what came of it"), "{out}");
    assert_eq!(tpp(&["payment", "status"]).0, 1, "none is kept");
    let (code, out, error) = pay("1.00");
    assert_eq!((code, &json(&out)["status"]), (0, &"RCVD".into()), "{error}");
    let ids = way.ids();
    assert!(ids.len() == 5 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    // The same again is another payment, and so is another amount.
    let (first, second, third) = (json(&out), json(&pay("1.00").1), json(&pay("2.00").1));
    assert!(first["id"] != second["id"] && second["id"] != third["id"], "{first} {second} {third}");
    let mut ids = way.ids();
    ids.dedup();
    assert_eq!(ids.len(), 3, "{ids:?}");
}

/// Each request that no answer came to is remembered by itself; who wants another payment all the same says so.
#[test]
fn two_payments_whose_answers_were_lost_are_asked_for_once_each() {
    // Each is sent three times.
    let (setting, way, _) = registered(Losses::of_payments("POST", 9));
    let pay = |amount: &str, more: &[&str]| {
        way.tpp(&setting, &[&["pay", "--amount", amount][..], &SHOP, more].concat()).0
    };
    assert_eq!([pay("1.00", &[]), pay("2.00", &[]), pay("3.00", &[])], [1, 1, 1]);
    assert_eq!([pay("1.00", &[]), pay("2.00", &[]), pay("3.00", &["--anew"])], [0, 0, 0]);
    let ids = way.ids();
    assert!(ids.len() == 12 && ids[0] != ids[3], "{ids:?}");
    assert_eq!((&ids[9], &ids[10]), (&ids[0], &ids[3]), "{ids:?}");
    assert_ne!(ids[11], ids[6], "{ids:?}");
}

/// A bank that forgot a request would make another payment of it: that is not risked.
#[test]
fn a_payment_that_the_bank_may_have_forgotten_is_not_asked_for_again() {
    let (setting, way, _) = registered(Losses::of_payments("POST", 3));
    let pay = [&["pay", "--amount", "1.00", "--json"][..], &SHOP].concat();
    assert_eq!(way.tpp(&setting, &pay).0, 1);
    setting.manage("PUT", "/clock", &serde_json::json!({"tenant": "nl", "advance": "P200D"}));
    let (code, out, _) = way.tpp(&setting, &pay);
    assert_eq!((code, &json(&out)["error"]["kind"]), (1, &"unclear".into()), "{out}");
    assert!(out.contains("cannot be found out any more") && out.contains("--anew"), "{out}");
    assert_eq!(way.ids().len(), 3, "it was not sent");
    // What is signed with a certificate is out of its time now, which is another matter.
    way.tpp(&setting, &["certificate"]);
    way.tpp(&setting, &["register", "--redirect-uri", "https://tpp.example/cb"]);
    let (code, _, error) = way.tpp(&setting, &[&pay[..], &["--anew"]].concat());
    assert_eq!(code, 0, "{error}");
}

/// What was approved and whose confirmation got lost is confirmed by the same command, without another visit at the bank.
#[test]
fn an_approval_whose_confirmation_was_lost_is_confirmed_again() {
    let (setting, way, iban) = registered(Losses::of_payments("PUT", 3));
    let pay = [&["pay", "--from", &iban, "--amount", "1.00", "--headless", "approve"][..], &SHOP].concat();
    let (code, _, error) = way.tpp(&setting, &pay);
    assert!(code == 1 && error.contains("cannot be reached"), "{error}");
    assert!(error.contains("go on with it with: ") && error.contains("tpp authorise"), "{error}");
    // Nobody is there to approve it again.
    let (code, text, error) = way.tpp(&setting, &["authorise", "--payment"]);
    assert!(code == 0 && text.contains("is ACSC"), "{text}{error}");
    let ids = way.ids();
    assert!(ids.len() == 4 && ids[0] == ids[1] && ids[1] == ids[2] && ids[2] != ids[3], "{ids:?}");
}

/// The same for consents.
#[test]
fn a_consent_whose_answer_was_lost_is_asked_for_once() {
    for (path, consent) in [("/v1/consents", &["consent"][..]), ("/v2/consents/", &["funds", "consent"])] {
        let losses = Losses { method: "POST", path, count: 3, loss: Loss::Cut };
        let setting = Setting::ephemeral();
        let iban = setting.customer("household");
        let way = LossyWay::to(&setting.bank.url("public"), losses);
        way.tpp(&setting, &["register", "--redirect-uri", "https://tpp.example/cb"]);
        let consent = [consent, &["--iban", &iban]].concat();
        assert_eq!([way.tpp(&setting, &consent).0, way.tpp(&setting, &consent).0], [1, 0]);
        let ids = way.ids();
        assert!(ids.len() == 4 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    }
}

/// A code is good once: where the answer to it gets lost, the customer approves in another attempt.
#[test]
fn an_approval_whose_tokens_were_lost_is_begun_again() {
    let setting = Setting::ephemeral();
    let iban = setting.customer("household");
    setting.ok(&["register", "--redirect-uri", "https://tpp.example/cb"]);
    let fault = |what: &str| {
        let fault = serde_json::json!({"fault": what, "next": 1, "path": "/auth/*/token"});
        setting.manage("POST", "/faults", &fault);
    };
    let pay = [&["pay", "--from", &iban, "--amount", "1.00", "--headless", "approve"][..], &SHOP].concat();
    let consent = ["consent", "--iban", &iban];
    let funds_consent = ["funds", "consent", "--iban", &iban];
    for (ask, approve, again, approved) in [
        (None, &pay[..], &["authorise", "--payment", "--headless", "approve"][..], "is ACSC"),
        (None, &pay[..], &pay[..], "is ACSC"),
        (Some(&consent[..]), &["authorise", "--headless", "approve"], &[], "is valid"),
        (Some(&funds_consent[..]), &["authorise", "--funds", "--headless", "approve"], &[], "is valid"),
    ] {
        if let Some(ask) = ask {
            setting.ok(ask);
        }
        // The code is not sent again, which the answer would tell: two would come to nothing.
        fault("cut");
        let (code, out, error) = setting.tpp(&[approve, &["--json"]].concat());
        let told = json(&out);
        assert_eq!((code, &told["error"]["kind"]), (1, &"unreachable".into()), "{approve:?}: {out}{error}");
        assert!(error.contains("is not sent again; another attempt begins with: "), "{error}");
        assert!(told["error"]["next"][0].as_str().unwrap().contains("tpp authorise"), "{out}");
        let text = setting.ok(if again.is_empty() { approve } else { again });
        assert!(text.contains(approved), "{again:?}: {text}");
    }
    // Where the bank says that it did nothing, the code is sent again.
    fault("503");
    assert!(setting.ok(&pay).contains("is ACSC"));
}

/// A code that the bank took before is good no more, which leads to another attempt.
#[test]
fn a_code_that_comes_again_leads_to_another_attempt() {
    let setting = Setting::ephemeral();
    let iban = setting.customer("household");
    setting.ok(&["register", "--redirect-uri", "https://tpp.example/cb"]);
    let pay = [&["pay", "--from", &iban, "--amount", "1.00"][..], &SHOP].concat();
    let asked = setting.json(&pay);
    let (url, id) = (asked["authorizationUrl"].as_str().unwrap(), asked["id"].as_str().unwrap());
    let decision = serde_json::json!({"url": url, "iban": iban, "decision": "approve"});
    let back = setting.manage("POST", "/approvals", &decision);
    let finish = ["authorise", "--payment", id, "--location", back["location"].as_str().unwrap()];
    let fault = serde_json::json!({"fault": "cut", "next": 1, "path": "/auth/*/token"});
    setting.manage("POST", "/faults", &fault);
    setting.refused(&finish, "is not sent again");
    let error = setting.refused(&finish, "the code that the browser brought is good no more");
    assert!(error.contains("invalid_grant") && error.contains(&format!("--payment {id}")), "{error}");
    assert!(setting.ok(&["authorise", "--payment", id, "--headless", "approve"]).contains("is ACSC"));
}

/// A list whose pages lead in a circle is not taken for a whole one, in which some of it stands twice and some is left out.
#[test]
fn a_list_that_has_no_end_is_refused() {
    let (setting, way, iban) = registered(Losses::of_payments("POST", 0));
    // The first read with a consent has so many that there are pages.
    let transactions = |form| {
        for ask in [&["consent", "--iban", &iban][..], &["authorise", "--headless", "approve"]] {
            assert_eq!(way.tpp(&setting, ask).0, 0, "{ask:?}");
        }
        way.forget();
        way.tpp(&setting, &["transactions", "--account", &iban, form])
    };
    let (code, whole, error) = transactions("--csv");
    assert!(code == 0 && whole.lines().count() > 100, "it has pages: {error}");
    way.lose(Losses { method: "GET", path: "/transactions", count: 100, loss: Loss::Stale });
    for form in ["--csv", "--json"] {
        let (code, out, error) = transactions(form);
        assert_eq!(code, 1, "{form}: {} lines", out.lines().count());
        assert!(format!("{out}{error}").contains("its pages lead in a circle"), "{out}{error}");
        assert!(way.ids().len() < 10, "{:?}", way.ids());
    }
}

fn at_bunq(count: usize, loss: Loss) -> Losses {
    Losses { method: "POST", path: DRAFTS, count, loss }
}

/// What the bank of bunq has: the payments that wait, approved all at once, and what was booked of them.
fn booked(setting: &Setting, way: &LossyWay, iban: &str, what: &str) -> usize {
    let approve = ["authorise", "--headless", "approve", "--customer-iban", iban];
    let (code, _, error) = way.tpp(setting, &approve);
    assert_eq!(code, 0, "{error}");
    let (_, booked, _) = way.tpp(setting, &["transactions", "--csv", "--account", iban]);
    booked.lines().filter(|line| line.contains(what)).count()
}

fn pay_at_bunq<'a>(iban: &'a str, amount: &'a str, reference: &'a str) -> Vec<&'a str> {
    [&["pay", "--json", "--from", iban, "--amount", amount, "--reference", reference][..], &SHOP].concat()
}

/// bunq knows no ids of requests: what it made is looked for, and gone on with.
#[test]
fn a_payment_of_bunq_whose_answer_was_lost_is_made_once() {
    for (loss, kind) in [(Loss::Cut, "unreachable"), (Loss::Unavailable, "refused")] {
        let (setting, way, iban) = registered(at_bunq(1, loss));
        let tpp = |arguments: &[&str]| way.tpp(&setting, arguments);
        let (code, out, _) = tpp(&pay_at_bunq(&iban, "1.00", "Lost coffee"));
        assert_eq!((code, &json(&out)["error"]["kind"]), (1, &kind.into()), "{loss:?}: {out}");
        assert!(out.contains("makes nothing twice"), "{loss:?}: {out}");
        let (code, out, error) = tpp(&pay_at_bunq(&iban, "1.00", "Lost coffee"));
        assert_eq!((code, &json(&out)["status"]), (0, &"PENDING".into()), "{loss:?}: {error}");
        assert_eq!(way.ids().len(), 1, "{loss:?}: it was not asked for again");
        let first = json(&out)["id"].clone();
        assert_eq!(json(&tpp(&["payment", "status", "--json"]).1)["id"], first, "{loss:?}: it is kept");
        // The same once more is another one.
        let (code, out, error) = tpp(&pay_at_bunq(&iban, "1.00", "Lost coffee"));
        assert!(code == 0 && json(&out)["id"] != first, "{loss:?}: {out}{error}");
        assert_eq!(booked(&setting, &way, &iban, "Lost coffee"), 2, "{loss:?}");
    }
}

/// A request that never came to the bank is sent again.
#[test]
fn a_payment_of_bunq_that_the_bank_never_got_is_asked_for() {
    let (setting, way, iban) = registered(at_bunq(0, Loss::Cut));
    let tpp = |arguments: &[&str]| way.tpp(&setting, arguments);
    // One of the same look was made before, which is not the one.
    let pay = pay_at_bunq(&iban, "1.00", "Tea");
    let (code, out, error) = tpp(&pay);
    assert_eq!(code, 0, "{error}");
    way.lose(at_bunq(1, Loss::Request));
    assert_eq!(tpp(&pay).0, 1);
    let (code, again, error) = tpp(&pay);
    assert!(code == 0 && json(&again)["id"] != json(&out)["id"], "{again}{error}");
    assert_eq!(way.ids().len(), 3);
    assert_eq!(booked(&setting, &way, &iban, "Tea"), 2);
}

/// Where the bank cannot tell which is which, nobody guesses.
#[test]
fn payments_of_bunq_that_look_the_same_are_told_and_not_guessed() {
    let (setting, way, iban) = registered(at_bunq(2, Loss::Cut));
    let tpp = |arguments: &[&str]| way.tpp(&setting, arguments);
    assert_eq!(tpp(&pay_at_bunq(&iban, "1.00", "Tea")).0, 1);
    assert_eq!(tpp(&pay_at_bunq(&iban, "1.00", "Biscuit")).0, 1);
    let (code, out, _) = tpp(&pay_at_bunq(&iban, "1.00", "Tea"));
    let told = json(&out);
    assert_eq!((code, &told["error"]["kind"]), (1, &"unclear".into()), "{out}");
    assert!(out.contains("the bank does not show which it is") && out.contains("--anew"), "{out}");
    assert!(told["error"]["next"][0].as_str().unwrap().contains("payment show"), "{out}");
    assert_eq!(way.ids().len(), 2, "nothing was asked for");
    let anew = [&pay_at_bunq(&iban, "1.00", "Tea")[..], &["--anew"]].concat();
    let (code, _, error) = tpp(&anew);
    assert_eq!(code, 0, "{error}");
    // Now the other one is the only one that is not accounted for twice.
    assert_eq!(booked(&setting, &way, &iban, "Tea"), 2);
}

/// Where the bank cannot be asked, that is said.
#[test]
fn a_payment_of_bunq_that_cannot_be_looked_for_is_not_asked_for_again() {
    let (setting, way, iban) = registered(at_bunq(1, Loss::Cut));
    let pay = pay_at_bunq(&iban, "1.00", "Tea");
    assert_eq!(way.tpp(&setting, &pay).0, 1);
    let listing = Losses {
        method: "GET",
        path: "/payment-service-provider-draft-payment?",
        count: 100,
        loss: Loss::Cut,
    };
    // The same address loses the lists from now on.
    way.lose(listing);
    let (code, out, _) = way.tpp(&setting, &pay);
    assert_eq!((code, &json(&out)["error"]["kind"]), (1, &"unclear".into()), "{out}");
    assert!(out.contains("could not be found out"), "{out}");
    way.lose(at_bunq(0, Loss::Cut));
    let (code, _, error) = way.tpp(&setting, &pay);
    assert_eq!(code, 0, "{error}");
    assert_eq!(booked(&setting, &way, &iban, "Tea"), 1);
}

/// The same for payments from accounts of connected customers.
#[test]
fn a_draft_of_bunq_whose_answer_was_lost_is_made_once() {
    let (setting, way, iban) = registered(Losses { path: "/draft-payment ", ..at_bunq(1, Loss::Cut) });
    let authorise = ["authorise", "--headless", "approve", "--customer-iban", &iban];
    assert_eq!(way.tpp(&setting, &authorise).0, 0);
    let draft = ["draft", "--account", &iban, "--amount", "1.00", "--description", "Lost draft", "--json"];
    let draft = [&draft[..], &SHOP].concat();
    assert_eq!(way.tpp(&setting, &draft).0, 1);
    let (code, out, error) = way.tpp(&setting, &draft);
    assert_eq!((code, &json(&out)["status"], way.ids().len()), (0, &"PENDING".into(), 1), "{error}");
    assert_eq!(booked(&setting, &way, &iban, "Lost draft"), 1);
}

/// Starts a command on this way.
fn start(way: &LossyWay, setting: &Setting, arguments: &[&str]) -> Child {
    let mut command = testkit::command(BINARY);
    command.arg("tpp").args(arguments).args(way.arguments(setting));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// A command that is killed between request and answer leaves no lock, and the next one goes on with what it asked for.
#[test]
fn a_command_that_is_killed_before_the_answer_makes_nothing_twice() {
    let (setting, way, iban) = registered(at_bunq(1, Loss::Silence));
    let pay = pay_at_bunq(&iban, "1.00", "Killed");
    let mut child = start(&way, &setting, &pay);
    way.wait_for_losses(1);
    child.kill().unwrap();
    child.wait().unwrap();
    let (code, _, error) = way.tpp(&setting, &pay);
    assert_eq!((code, way.ids().len()), (0, 1), "{error}");
    assert_eq!(booked(&setting, &way, &iban, "Killed"), 1);

    let (setting, way, _) = registered(Losses { loss: Loss::Silence, ..Losses::of_payments("POST", 1) });
    let pay = [&["pay", "--amount", "1.00"][..], &SHOP].concat();
    let mut child = start(&way, &setting, &pay);
    way.wait_for_losses(1);
    child.kill().unwrap();
    child.wait().unwrap();
    let (code, _, error) = way.tpp(&setting, &pay);
    let ids = way.ids();
    assert!(code == 0 && ids.len() == 2 && ids[0] == ids[1], "{ids:?} {error}");
}

/// One that is killed after the answer and before it told anybody is gone on with as well, wherever it stood.
#[test]
fn a_command_that_is_killed_after_the_answer_is_gone_on_with() {
    let configuration =
        Losses { method: "GET", path: "/openid-configuration", count: 1, loss: Loss::Silence };
    let confirmation = Losses { loss: Loss::Silence, ..Losses::of_payments("PUT", 1) };
    let status = Losses { path: "/payment-service-provider-draft-payment/", ..configuration };
    for (losses, at, approved) in [
        (configuration, Losses::of_payments("POST", 0), "RCVD"),
        (confirmation, Losses::of_payments("POST", 0), "ACSC"),
        (status, at_bunq(0, Loss::Cut), "PENDING"),
    ] {
        let (setting, way, iban) = registered(at);
        way.lose(losses);
        let pay = ["pay", "--json", "--from", &iban, "--amount", "1.00", "--reference", "Killed"];
        let decide: &[&str] = if approved == "ACSC" { &["--headless", "approve"] } else { &[] };
        let pay = [&pay[..], &SHOP, decide].concat();
        let mut child = start(&way, &setting, &pay);
        way.wait_for_losses(1);
        child.kill().unwrap();
        child.wait().unwrap();
        let kept = || json(&way.tpp(&setting, &["show", "--json"]).1)["payments"].clone();
        let first = kept();
        assert_eq!(first.as_array().unwrap().len(), 1, "{first}");
        let (code, out, error) = way.tpp(&setting, &pay);
        assert_eq!((code, &json(&out)["status"]), (0, &approved.into()), "{out}{error}");
        assert!(error.contains("going on with it") && json(&out)["id"] == first[0]["id"], "{out}{error}");
        // Now it is told, and the same once more is another one.
        let (code, out, error) = way.tpp(&setting, &pay);
        assert!(
            code == 0 && json(&out)["id"] != first[0]["id"] && !error.contains("going on"),
            "{out}{error}"
        );
        assert_eq!(kept().as_array().unwrap().len(), 2);
    }
}
