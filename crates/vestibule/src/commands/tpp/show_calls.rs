//! What happens on the way to the bank, for people: calls and answers if they ask for it, and long waits.

use std::sync::Arc;

use tpp::{Answered, Call, Observer, Seen};

use crate::output;

/// Longest answer that is shown, in characters.
const MAX_SHOWN: usize = 64 * 1024;

/// Tells standard error of waits, and with `all` of calls and answers.
pub(crate) fn observer(all: bool) -> Observer {
    Arc::new(move |seen| match seen {
        Seen::Wait(text) => output::error(text),
        Seen::Call(call) if all => show_call(call),
        Seen::Answer(answer) if all => show_answer(answer),
        Seen::Call(_) | Seen::Answer(_) => {}
    })
}

/// The request, what was signed, and the same request for a shell.
fn show_call(call: &Call) {
    output::error(&format!("\n# {} {}", call.method, call.url));
    if let Some(text) = &call.signing_string {
        output::error("# signing string (lines joined by one line feed, none at the end):");
        comment(text);
    }
    output::error(&call.as_curl());
}

/// The answer, as comments, so that a shell that the request is pasted to takes no notice.
fn show_answer(answer: &Answered) {
    output::error(&format!("# {}", answer.status));
    for (name, value) in &answer.headers {
        comment(&format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())));
    }
    let body = match serde_json::from_slice::<serde_json::Value>(&answer.body) {
        Ok(json) => format!("{json:#}"),
        Err(_) => String::from_utf8_lossy(&answer.body).into_owned(),
    };
    let shown: String = body.chars().take(MAX_SHOWN).collect();
    comment(&shown);
    if shown.len() < body.len() {
        output::error(&format!("#   … {} bytes in all", answer.body.len()));
    }
    output::error("");
}

fn comment(text: &str) {
    text.lines().for_each(|line| output::error(&format!("#   {line}")));
}
