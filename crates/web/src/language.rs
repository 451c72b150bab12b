//! What the pages say, in the bank's languages.

use domain::{Language, Languages};
use http::{HeaderMap, header};

use crate::languages::{dutch, english, french, german};

/// The first language that the pages have of a list in the order of preference, separated by spaces, as `ui_locales` is
/// (OpenID Connect Core 1.0, 3.1.2.1).
pub fn language_of_locales(locales: &str, offered: &Languages) -> Option<Language> {
    locales.split_ascii_whitespace().find_map(|tag| language_of_tag(tag, offered))
}

/// The language that the pages have and that a browser likes best (RFC 9110, 12.5.4); the first of several that it likes
/// as much.
pub fn language_of_browser(headers: &HeaderMap, offered: &Languages) -> Option<Language> {
    let lines = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|line| line.to_str().ok());
    let mut best: Option<(Language, f32)> = None;
    for range in lines.flat_map(|line| line.split(',')) {
        let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
        let quality = parameters.trim().strip_prefix("q=").or(parameters.trim().strip_prefix("Q="));
        let quality = quality.map_or(Some(1.0), |text| text.trim().parse().ok()).unwrap_or(0.0_f32);
        let Some(language) = language_of_tag(tag.trim(), offered).filter(|_| quality > 0.0) else { continue };
        if best.is_none_or(|(_, known)| quality > known) {
            best = Some((language, quality));
        }
    }
    best.map(|(language, _)| language)
}

/// The language of a tag such as `nl-BE`, if the pages have it (RFC 4647, 3.4).
fn language_of_tag(tag: &str, offered: &Languages) -> Option<Language> {
    let language = Language::from_code(&tag.split('-').next()?.to_ascii_lowercase())?;
    offered.offers(language).then_some(language)
}

/// What the pages say in a language.
pub fn texts(language: Language) -> &'static Texts {
    match language {
        Language::English => &english::TEXTS,
        Language::Dutch => &dutch::TEXTS,
        Language::French => &french::TEXTS,
        Language::German => &german::TEXTS,
    }
}

/// The words of the pages.
#[derive(Debug)]
#[expect(missing_docs, reason = "each is named after what it says")]
pub struct Texts {
    pub own_name: &'static str,
    pub bank: &'static str,
    pub test_mark: &'static str,
    pub back_to_application: &'static str,
    pub to_log_in: &'static str,
    pub to_newer: &'static str,
    pub to_overview: &'static str,
    pub language: &'static str,
    pub foot: &'static str,
    pub foot_help: &'static str,
    pub foot_contact: &'static str,
    pub foot_legal_notice: &'static str,
    pub foot_privacy: &'static str,
    pub log_in: &'static str,
    pub who_asks: &'static str,
    pub identifier: &'static str,
    pub log_in_intro: &'static str,
    pub account_number: &'static str,
    pub challenge: &'static str,
    pub challenge_hint: &'static str,
    pub answer: &'static str,
    pub continue_: &'static str,
    pub cancel: &'static str,
    pub wrong: &'static str,
    pub attempts_left: &'static str,
    pub blocked: &'static str,
    pub too_many_open: &'static str,
    pub not_authenticated: &'static str,
    pub authentication_failed: &'static str,
    pub authentication_weak: &'static str,
    pub authenticated_unknown: &'static str,
    pub simulator: &'static str,
    pub simulator_intro: &'static str,
    pub device_number: &'static str,
    pub show_answer: &'static str,
    pub the_answer_is: &'static str,
    pub try_out: &'static str,
    pub try_right: &'static str,
    pub try_wrong: &'static str,
    pub try_cancel: &'static str,
    pub decide: &'static str,
    pub hello: &'static str,
    pub wants: &'static str,
    pub details: &'static str,
    pub balances: &'static str,
    pub transactions: &'static str,
    pub of_paying_accounts: &'static str,
    pub which_account: &'static str,
    pub which_accounts: &'static str,
    pub current_account: &'static str,
    pub savings_account: &'static str,
    pub first_of_month: &'static str,
    pub after_day: &'static str,
    pub until: &'static str,
    pub how_often: &'static str,
    pub once: &'static str,
    pub recurring: &'static str,
    pub no_payments: &'static str,
    pub decide_funds: &'static str,
    pub wants_to_know: &'static str,
    pub whether_funds: &'static str,
    pub card: &'static str,
    pub until_withdrawn: &'static str,
    pub approve: &'static str,
    pub which_of_accounts: &'static str,
    pub choose: &'static str,
    pub nothing_to_choose: &'static str,
    pub over: &'static str,
    pub over_text: &'static str,
    pub refused: &'static str,
    pub not_found: &'static str,
    pub error_text: &'static str,
    pub what_is_wrong: &'static str,
    pub error_code: &'static str,
    pub forbidden: &'static str,
    pub forbidden_text: &'static str,
    pub months: [&'static str; 12],
    /// From zero to ten.
    pub numbers: [&'static str; 11],
    pub one_minute: &'static str,
    pub minutes: &'static str,
}

impl Texts {
    /// A language's name for itself.
    pub fn name_of(&self, language: &Language) -> &'static str {
        texts(*language).own_name
    }

    /// A number, in a word up to ten.
    pub(crate) fn number(&self, number: i64) -> String {
        let word = usize::try_from(number).ok().and_then(|number| self.numbers.get(number));
        word.map_or_else(|| number.to_string(), |word| (*word).to_owned())
    }

    /// That so many failures block the log-in, and that what follows is until when.
    pub fn blocked(&self, failures: &i64) -> String {
        self.blocked.replace("{failures}", &self.number(*failures))
    }

    /// That so many log-ins wait for an answer, and how long one may be left alone.
    pub fn too_many_open(&self, most: &usize, minutes: &i64) -> String {
        let most = self.number(i64::try_from(*most).unwrap_or(i64::MAX));
        let mut capital = most.clone();
        if let Some(first) = capital.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let minutes = match *minutes {
            1 => self.one_minute.to_owned(),
            several => format!("{} {}", self.number(several), self.minutes),
        };
        self.too_many_open.replace("{most}", &most).replace("{Most}", &capital).replace("{minutes}", &minutes)
    }

    /// A day as people write it, for example 3 March 2026.
    pub fn day(&self, year: i16, month: i8, day: i8) -> String {
        let day = if day == 1 { self.first_of_month.to_owned() } else { format!("{day}{}", self.after_day) };
        format!("{day} {} {year}", self.month(month))
    }

    /// The name of a month, 1 to 12.
    pub fn month(&self, month: i8) -> &'static str {
        usize::try_from(month - 1).ok().and_then(|month| self.months.get(month)).unwrap_or(&"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_told_in_words() {
        let blocked = texts(Language::English).blocked(&5);
        assert!(blocked.contains("after five wrong answers in a row"), "{blocked}");
        assert!(texts(Language::Dutch).blocked(&12).contains("na 12 foute antwoorden"));
        let open = texts(Language::French).too_many_open(&3, &5);
        assert!(
            open.starts_with("Trois connexions") && open.ends_with("réessayez dans cinq minutes."),
            "{open}"
        );
        let open = texts(Language::Dutch).too_many_open(&4, &1);
        assert!(open.contains("al vier inlogpogingen") && open.contains("over één minuut opnieuw"), "{open}");
    }

    #[test]
    fn a_link_asks_for_languages_in_order() {
        for (locales, language) in [
            ("fr-CA fr en", Some(Language::French)),
            ("pl nl-BE en", Some(Language::Dutch)),
            ("de-AT", Some(Language::German)),
            ("EN", Some(Language::English)),
            ("pt pl", None),
            ("", None),
            ("nld", None),
        ] {
            assert_eq!(language_of_locales(locales, &Languages::default()), language, "{locales}");
        }
        let offered = Languages::new([Language::German, Language::English]).unwrap();
        assert_eq!(language_of_locales("fr nl-BE en", &offered), Some(Language::English));
        assert_eq!(language_of_locales("fr nl-BE", &offered), None);
    }

    #[test]
    fn a_browser_weighs_languages() {
        for (accepted, language) in [
            ("fr;q=0.3, nl-NL;q=0.9, en;q=0.1", Some(Language::Dutch)),
            ("pl-PL,pl;q=0.9,en-US;q=0.8,en;q=0.7", Some(Language::English)),
            ("de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7", Some(Language::German)),
            ("en,nl", Some(Language::English)),
            ("nl;q=0, fr;q=0.1", Some(Language::French)),
            ("*", None),
            ("pl", None),
            ("fr;q=x", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, accepted.parse().unwrap());
            assert_eq!(language_of_browser(&headers, &Languages::default()), language, "{accepted}");
        }
        assert_eq!(language_of_browser(&HeaderMap::new(), &Languages::default()), None);
        // What the pages do not offer is not liked best.
        let offered = Languages::new([Language::German, Language::English]).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, "fr, de;q=0.2, en;q=0.3".parse().unwrap());
        assert_eq!(language_of_browser(&headers, &offered), Some(Language::English));
    }
}
