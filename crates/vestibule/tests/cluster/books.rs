//! What callers were told against what the gateway says and what the core bank booked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway::Clock;
use gateway::domain::Tenant;
use serde_json::{Value, json};
use testkit::Request;

use crate::callers::{CORE, Callers, Told};

/// How long payments may be under way after the last failure.
const SETTLING: Duration = Duration::from_secs(60);

/// So many look at the same time.
const READERS: usize = 8;

/// How many are shown of what is wrong.
const SHOWN: usize = 10;

/// Whether all that was acknowledged is there once. Prints what is so.
pub(crate) async fn compare(callers: &Arc<Callers>) -> bool {
    let told = callers.told(std::mem::take);
    let of_consents = told.consents.iter().map(|id| (format!("/v1/consents/{id}/status"), "received"));
    let mut lost = other_than(callers, of_consents.collect()).await;
    // What was not confirmed is RCVD or has the customer's approval; what counts is that it is there.
    let of_asked = told.asked.iter().map(|path| (format!("{path}/status"), ""));
    lost.extend(other_than(callers, of_asked.collect()).await);
    let of_paid = || told.paid.iter().map(|(_, path)| (format!("{path}/status"), "ACSC")).collect();
    let begun = Instant::now();
    let mut unsettled = other_than(callers, of_paid()).await;
    while !unsettled.is_empty() && begun.elapsed() < SETTLING {
        tokio::time::sleep(Duration::from_secs(1)).await;
        unsettled = other_than(callers, of_paid()).await;
    }
    lost.extend(unsettled);
    let booked = booked(callers).await;
    for (reference, _) in &told.paid {
        if !booked.contains_key(reference) {
            lost.push(format!("{reference} was confirmed and is not booked"));
        }
    }
    let twice: Vec<_> = booked.iter().filter(|(_, times)| **times > 1).collect();
    let confirmed: BTreeSet<_> = told.confirmed.iter().collect();
    let unasked: Vec<_> = booked.keys().filter(|reference| !confirmed.contains(reference)).collect();
    tell(&told, booked.len());
    println!(
        "Acknowledged and lost: {}. Booked twice: {}. Booked without a confirmation: {}.",
        lost.len(),
        twice.len(),
        unasked.len()
    );
    for line in lost.iter().chain(&told.wrong).take(SHOWN) {
        println!("  {line}");
    }
    println!("Answers that no failure explains: {}.", told.wrong.len());
    // A comparison of nothing would show nothing.
    let is_something = !told.consents.is_empty() && !told.paid.is_empty() && booked.len() >= told.paid.len();
    is_something && lost.is_empty() && twice.is_empty() && unasked.is_empty() && told.wrong.is_empty()
}

fn tell(told: &Told, booked: usize) {
    println!(
        "Acknowledged: {} consents, {} payments asked for, {} confirmed; {booked} are booked. Given up after a lost answer: {}.",
        told.consents.len(),
        told.asked.len(),
        told.paid.len(),
        told.given_up
    );
}

/// Which of the things at these paths are not there, or are not what they have to be.
async fn other_than(callers: &Arc<Callers>, expected: Vec<(String, &'static str)>) -> Vec<String> {
    let expected = Arc::new(expected);
    let readers = (0..READERS).map(|reader| {
        let (callers, expected) = (Arc::clone(callers), Arc::clone(&expected));
        tokio::spawn(async move {
            let mut other = Vec::new();
            for (path, status) in expected.iter().skip(reader).step_by(READERS) {
                let answer = callers.call(&callers.tpp.get(path)).await.0;
                if answer.status != 200 || !answer.body.contains(status) {
                    other.push(format!("{path}: {} {}", answer.status, answer.body));
                }
            }
            other
        })
    });
    let mut other = Vec::new();
    for reader in readers.collect::<Vec<_>>() {
        other.extend(reader.await.unwrap());
    }
    other
}

/// References of all that the bank booked for the customers here, and how often it did.
async fn booked(callers: &Callers) -> BTreeMap<String, usize> {
    let today = Tenant::parse("nl").unwrap().date_at(gateway::SystemClock.now(None));
    let customers = callers.customers.lock().unwrap().clone();
    let mut booked = BTreeMap::new();
    for iban in customers {
        let body = json!({"branch": "nl", "iban": iban}).to_string();
        let found = Request::new("POST", "/core/v1/accounts/find").body("application/json", body);
        let found = asked(callers, &found).await;
        let account = found["accounts"][0]["id"].as_str().unwrap().to_owned();
        let first = format!(
            "/core/v1/accounts/{account}/transactions/booked?day={today}&from=2000-01-01&to={today}&limit=200"
        );
        let mut page = asked(callers, &Request::new("GET", &first)).await;
        loop {
            let movements = page["transactions"].as_array().unwrap();
            for movement in movements {
                let reference = movement["remittance"].as_str().unwrap_or_default();
                if reference.starts_with("cluster ") {
                    *booked.entry(reference.to_owned()).or_default() += 1;
                }
            }
            let Some(last) = movements.last().filter(|_| page["more"] == true) else { break };
            let older = format!(
                "{first}&afterDate={}&afterSequence={}",
                last["bookingDate"].as_str().unwrap(),
                last["sequence"]
            );
            page = asked(callers, &Request::new("GET", &older)).await;
        }
    }
    booked
}

async fn asked(callers: &Callers, request: &Request) -> Value {
    let answer = request.exchange(&callers.core, CORE).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}
