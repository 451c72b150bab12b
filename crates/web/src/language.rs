//! What the pages say, in the bank's languages.

use domain::Language;
use http::{HeaderMap, header};

/// The first language that the pages have of a list in the order of preference, separated by spaces, as `ui_locales` is
/// (OpenID Connect Core 1.0, 3.1.2.1).
pub fn language_of_locales(locales: &str) -> Option<Language> {
    locales.split_ascii_whitespace().find_map(language_of_tag)
}

/// The language that the pages have and that a browser likes best (RFC 9110, 12.5.4); the first of several that it likes
/// as much.
pub fn language_of_browser(headers: &HeaderMap) -> Option<Language> {
    let lines = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|line| line.to_str().ok());
    let mut best: Option<(Language, f32)> = None;
    for range in lines.flat_map(|line| line.split(',')) {
        let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
        let quality = parameters.trim().strip_prefix("q=").or(parameters.trim().strip_prefix("Q="));
        let quality = quality.map_or(Some(1.0), |text| text.trim().parse().ok()).unwrap_or(0.0_f32);
        let Some(language) = language_of_tag(tag.trim()).filter(|_| quality > 0.0) else { continue };
        if best.is_none_or(|(_, known)| quality > known) {
            best = Some((language, quality));
        }
    }
    best.map(|(language, _)| language)
}

/// The language of a tag such as `nl-BE`, if the pages have it (RFC 4647, 3.4).
fn language_of_tag(tag: &str) -> Option<Language> {
    Language::from_code(&tag.split('-').next()?.to_ascii_lowercase())
}

/// What the pages say in a language.
pub fn texts(language: Language) -> &'static Texts {
    match language {
        Language::English => &ENGLISH,
        Language::Dutch => &DUTCH,
        Language::French => &FRENCH,
        Language::German => &GERMAN,
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

const ENGLISH: Texts = Texts {
    own_name: "English",
    bank: "Your bank",
    test_mark: "nothing here is real",
    back_to_application: "Back to the application",
    to_log_in: "To the log-in",
    to_newer: "Show the page as it is now",
    to_overview: "To the overview",
    language: "Language",
    log_in: "Log in",
    who_asks: "Asked by",
    identifier: "Registered as",
    log_in_intro: "asks for your approval. Log in to see exactly what for, and to decide.",
    account_number: "Your account number (IBAN)",
    challenge: "Type this into your digipass",
    challenge_hint: "Your digipass turns these digits into an answer of six digits.",
    answer: "Answer of your digipass",
    continue_: "Continue",
    cancel: "Cancel",
    wrong: "Account number or answer is not right.",
    attempts_left: "Attempts left:",
    blocked: "Log-in is blocked after {failures} wrong answers in a row. It opens again at",
    too_many_open: "{Most} log-ins for this third party wait for your answer already. Finish or cancel one of them, or try again in {minutes}.",
    not_authenticated: "You did not finish logging in. Nothing was shared and nothing was paid.",
    authentication_failed: "The log-in did not succeed. Nothing was shared and nothing was paid. Try again.",
    authentication_weak: "That log-in is not enough for what is asked here, or too old. Log in again.",
    authenticated_unknown: "You logged in as somebody else than the customer who is asked here. Log in again, as that customer.",
    simulator: "Digipass simulator",
    simulator_intro: "This bank is for tests, and so is your digipass. Type its number to see what it would answer.",
    device_number: "Number of the digipass",
    show_answer: "Show the answer",
    the_answer_is: "The answer is",
    try_out: "What to try",
    try_right: "The answer of the simulator, or the number of the digipass itself: you are logged in.",
    try_wrong: "000000 or anything else: a wrong answer. The third one ends the request, the fifth blocks the log-in.",
    try_cancel: "Cancel: the application is told that you refused.",
    decide: "Share account information?",
    hello: "Logged in as",
    wants: "Wants to see",
    details: "number, holder and kind of the account",
    balances: "balances",
    transactions: "transactions",
    of_paying_accounts: "of the accounts that you pay from",
    which_account: "Of which account?",
    which_accounts: "Of these accounts",
    current_account: "Current account",
    savings_account: "Savings account",
    first_of_month: "1",
    after_day: "",
    until: "Until",
    how_often: "How often",
    once: "Once",
    recurring: "Whenever you use it, and a few times a day without you",
    no_payments: "It cannot pay or change anything. You can withdraw this consent at any time.",
    decide_funds: "Let it ask whether there is enough money?",
    wants_to_know: "Wants to know",
    whether_funds: "Whether the account holds the amount that you are about to pay. The answer is yes or no: it does not see the balance, and nothing is set aside.",
    card: "Card",
    until_withdrawn: "Until you withdraw it",
    which_of_accounts: "Of which accounts?",
    approve: "Approve",
    choose: "Choose an account.",
    nothing_to_choose: "You have no account of the kind that is asked for.",
    over: "This page has expired",
    over_text: "It was used before, or replaced by a newer one. Go back to the application and start again there.",
    refused: "This request cannot be completed",
    not_found: "There is no such page",
    error_text: "Nothing was shared and nothing was paid. Go back to the application that sent you here. If this happens again, tell its makers what stands below.",
    what_is_wrong: "What is wrong",
    error_code: "Code",
    forbidden: "This did not come from our page",
    forbidden_text: "Nothing was done. Go back to the application and start again there.",
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    numbers: ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"],
    one_minute: "one minute",
    minutes: "minutes",
};

const DUTCH: Texts = Texts {
    own_name: "Nederlands",
    bank: "Uw bank",
    test_mark: "niets hier is echt",
    back_to_application: "Terug naar de applicatie",
    to_log_in: "Naar het inloggen",
    to_newer: "Toon de pagina zoals die nu is",
    to_overview: "Naar het overzicht",
    language: "Taal",
    log_in: "Inloggen",
    who_asks: "Gevraagd door",
    identifier: "Geregistreerd als",
    log_in_intro: "vraagt uw goedkeuring. Log in om te zien waarvoor precies, en om te beslissen.",
    account_number: "Uw rekeningnummer (IBAN)",
    challenge: "Toets dit in op uw digipass",
    challenge_hint: "Uw digipass maakt van deze cijfers een antwoord van zes cijfers.",
    answer: "Antwoord van uw digipass",
    continue_: "Verder",
    cancel: "Annuleren",
    wrong: "Rekeningnummer of antwoord is niet juist.",
    attempts_left: "Resterende pogingen:",
    blocked: "Inloggen is geblokkeerd na {failures} foute antwoorden op rij. Het kan weer om",
    too_many_open: "Er wachten al {most} inlogpogingen voor deze partij op uw antwoord. Maak er een af, annuleer er een, of probeer het over {minutes} opnieuw.",
    not_authenticated: "U hebt het inloggen niet afgerond. Er is niets gedeeld en niets betaald.",
    authentication_failed: "Het inloggen is niet gelukt. Er is niets gedeeld en niets betaald. Probeer het opnieuw.",
    authentication_weak: "Deze inlog is niet sterk genoeg voor wat hier gevraagd wordt, of te oud. Log opnieuw in.",
    authenticated_unknown: "U bent ingelogd als iemand anders dan de klant om wie het hier gaat. Log opnieuw in, als die klant.",
    simulator: "Digipass-simulator",
    simulator_intro: "Deze bank is om te testen, en uw digipass ook. Toets het nummer in om te zien wat hij zou antwoorden.",
    device_number: "Nummer van de digipass",
    show_answer: "Toon het antwoord",
    the_answer_is: "Het antwoord is",
    try_out: "Wat u kunt proberen",
    try_right: "Het antwoord van de simulator, of het nummer van de digipass zelf: u bent ingelogd.",
    try_wrong: "000000 of iets anders: een fout antwoord. Het derde beëindigt de aanvraag, het vijfde blokkeert het inloggen.",
    try_cancel: "Annuleren: de applicatie hoort dat u weigerde.",
    decide: "Rekeninginformatie delen?",
    hello: "Ingelogd als",
    wants: "Wil inzien",
    details: "nummer, houder en soort van de rekening",
    balances: "saldi",
    transactions: "transacties",
    of_paying_accounts: "van de rekeningen waarvan u betaalt",
    which_account: "Van welke rekening?",
    which_accounts: "Van deze rekeningen",
    current_account: "Betaalrekening",
    savings_account: "Spaarrekening",
    first_of_month: "1",
    after_day: "",
    until: "Tot en met",
    how_often: "Hoe vaak",
    once: "Eenmalig",
    recurring: "Wanneer u het gebruikt, en enkele keren per dag zonder u",
    no_payments: "Er kan niets worden betaald of gewijzigd. U kunt dit altijd intrekken.",
    decide_funds: "Laten vragen of er genoeg geld is?",
    wants_to_know: "Wil weten",
    whether_funds: "Of er op de rekening staat wat u wilt betalen. Het antwoord is ja of nee: het saldo is niet te zien en er wordt niets gereserveerd.",
    card: "Kaart",
    until_withdrawn: "Tot u het intrekt",
    which_of_accounts: "Van welke rekeningen?",
    approve: "Goedkeuren",
    choose: "Kies een rekening.",
    nothing_to_choose: "U hebt geen rekening van de gevraagde soort.",
    over: "Deze pagina is verlopen",
    over_text: "Hij is al gebruikt, of vervangen door een nieuwere. Ga terug naar de applicatie en begin daar opnieuw.",
    refused: "Deze aanvraag kan niet worden afgerond",
    not_found: "Deze pagina bestaat niet",
    error_text: "Er is niets gedeeld en niets betaald. Ga terug naar de applicatie die u hierheen stuurde. Gebeurt dit opnieuw, geef de makers ervan dan door wat hieronder staat.",
    what_is_wrong: "Wat er mis is",
    error_code: "Code",
    forbidden: "Dit kwam niet van onze pagina",
    forbidden_text: "Er is niets gebeurd. Ga terug naar de applicatie en begin daar opnieuw.",
    months: [
        "januari",
        "februari",
        "maart",
        "april",
        "mei",
        "juni",
        "juli",
        "augustus",
        "september",
        "oktober",
        "november",
        "december",
    ],
    numbers: ["nul", "één", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen", "tien"],
    one_minute: "één minuut",
    minutes: "minuten",
};

const FRENCH: Texts = Texts {
    own_name: "Français",
    bank: "Votre banque",
    test_mark: "rien ici n’est réel",
    back_to_application: "Retour à l’application",
    to_log_in: "Vers la connexion",
    to_newer: "Afficher la page actuelle",
    to_overview: "Vers l’aperçu",
    language: "Langue",
    log_in: "Se connecter",
    who_asks: "Demandé par",
    identifier: "Enregistré sous",
    log_in_intro: "demande votre accord. Connectez-vous pour voir pour quoi exactement, et pour décider.",
    account_number: "Votre numéro de compte (IBAN)",
    challenge: "Tapez ceci sur votre digipass",
    challenge_hint: "Votre digipass transforme ces chiffres en une réponse de six chiffres.",
    answer: "Réponse de votre digipass",
    continue_: "Continuer",
    cancel: "Annuler",
    wrong: "Le numéro de compte ou la réponse n'est pas correct.",
    attempts_left: "Essais restants :",
    blocked: "La connexion est bloquée après {failures} mauvaises réponses de suite. Elle rouvre à",
    too_many_open: "{Most} connexions pour ce prestataire attendent déjà votre réponse. Terminez ou annulez l’une d’elles, ou réessayez dans {minutes}.",
    not_authenticated: "Vous n'avez pas terminé la connexion. Rien n'a été partagé ni payé.",
    authentication_failed: "La connexion n'a pas réussi. Rien n'a été partagé ni payé. Réessayez.",
    authentication_weak: "Cette connexion ne suffit pas pour ce qui est demandé ici, ou elle est trop ancienne. Connectez-vous à nouveau.",
    authenticated_unknown: "Vous vous êtes connecté sous une autre identité que celle du client concerné. Connectez-vous à nouveau, en tant que ce client.",
    simulator: "Simulateur de digipass",
    simulator_intro: "Cette banque sert aux tests, votre digipass aussi. Tapez son numéro pour voir ce qu'il répondrait.",
    device_number: "Numéro du digipass",
    show_answer: "Montrer la réponse",
    the_answer_is: "La réponse est",
    try_out: "Que peut-on essayer ?",
    try_right: "La réponse du simulateur, ou le numéro du digipass lui-même : vous êtes connecté.",
    try_wrong: "000000 ou autre chose : une mauvaise réponse. La troisième met fin à la demande, la cinquième bloque la connexion.",
    try_cancel: "Annuler : l'application apprend que vous avez refusé.",
    decide: "Partager des informations de compte ?",
    hello: "Connecté en tant que",
    wants: "Souhaite voir",
    details: "le numéro, le titulaire et le type du compte",
    balances: "les soldes",
    transactions: "les transactions",
    of_paying_accounts: "des comptes dont vous payez",
    which_account: "De quel compte ?",
    which_accounts: "De ces comptes",
    current_account: "Compte courant",
    savings_account: "Compte d'épargne",
    first_of_month: "1er",
    after_day: "",
    until: "Jusqu'au",
    how_often: "À quelle fréquence",
    once: "Une seule fois",
    recurring: "Chaque fois que vous l'utilisez, et quelques fois par jour sans vous",
    no_payments: "Rien ne peut être payé ni modifié. Vous pouvez révoquer cet accord à tout moment.",
    decide_funds: "Permettre de demander si le solde suffit ?",
    wants_to_know: "Veut savoir",
    whether_funds: "Si le compte contient le montant que vous allez payer. La réponse est oui ou non : le solde n’est pas communiqué et rien n’est réservé.",
    card: "Carte",
    until_withdrawn: "Jusqu’à ce que vous le retiriez",
    which_of_accounts: "De quels comptes ?",
    approve: "Approuver",
    choose: "Choisissez un compte.",
    nothing_to_choose: "Vous n'avez pas de compte du type demandé.",
    over: "Cette page a expiré",
    over_text: "Elle a déjà servi, ou une plus récente la remplace. Retournez à l'application et recommencez là-bas.",
    refused: "Cette demande ne peut pas aboutir",
    not_found: "Cette page n'existe pas",
    error_text: "Rien n'a été partagé et rien n'a été payé. Retournez à l'application qui vous a envoyé ici. Si cela se reproduit, transmettez à ses auteurs ce qui figure ci-dessous.",
    what_is_wrong: "Ce qui ne va pas",
    error_code: "Code",
    forbidden: "Ceci ne vient pas de notre page",
    forbidden_text: "Rien n'a été fait. Retournez à l'application et recommencez là-bas.",
    months: [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    numbers: ["zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix"],
    one_minute: "une minute",
    minutes: "minutes",
};

const GERMAN: Texts = Texts {
    own_name: "Deutsch",
    bank: "Ihre Bank",
    test_mark: "nichts hier ist echt",
    back_to_application: "Zurück zur Anwendung",
    to_log_in: "Zur Anmeldung",
    to_newer: "Seite in der aktuellen Fassung anzeigen",
    to_overview: "Zur Übersicht",
    language: "Sprache",
    log_in: "Anmelden",
    who_asks: "Angefragt von",
    identifier: "Registriert als",
    log_in_intro: "bittet um Ihre Zustimmung. Melden Sie sich an, um genau zu sehen, wofür, und um zu entscheiden.",
    account_number: "Ihre Kontonummer (IBAN)",
    challenge: "Geben Sie dies in Ihren Digipass ein",
    challenge_hint: "Ihr Digipass macht aus diesen Ziffern eine Antwort mit sechs Ziffern.",
    answer: "Antwort Ihres Digipass",
    continue_: "Weiter",
    cancel: "Abbrechen",
    wrong: "Kontonummer oder Antwort ist nicht richtig.",
    attempts_left: "Verbleibende Versuche:",
    blocked: "Die Anmeldung ist nach {failures} falschen Antworten in Folge gesperrt. Sie öffnet wieder um",
    too_many_open: "{Most} Anmeldungen für diesen Anbieter warten schon auf Ihre Antwort. Schließen Sie eine davon ab, brechen Sie eine ab, oder versuchen Sie es in {minutes} noch einmal.",
    not_authenticated: "Sie haben die Anmeldung nicht abgeschlossen. Es wurde nichts geteilt und nichts bezahlt.",
    authentication_failed: "Die Anmeldung ist nicht gelungen. Es wurde nichts geteilt und nichts bezahlt. Versuchen Sie es noch einmal.",
    authentication_weak: "Diese Anmeldung reicht für das, was hier verlangt wird, nicht aus, oder sie ist zu alt. Melden Sie sich noch einmal an.",
    authenticated_unknown: "Sie haben sich als jemand anderes angemeldet als der Kunde, um den es hier geht. Melden Sie sich noch einmal an, als dieser Kunde.",
    simulator: "Digipass-Simulator",
    simulator_intro: "Diese Bank dient Tests, und Ihr Digipass auch. Geben Sie seine Nummer ein, um zu sehen, was er antworten würde.",
    device_number: "Nummer des Digipass",
    show_answer: "Antwort anzeigen",
    the_answer_is: "Die Antwort ist",
    try_out: "Was Sie ausprobieren können",
    try_right: "Die Antwort des Simulators oder die Nummer des Digipass selbst: Sie sind angemeldet.",
    try_wrong: "000000 oder etwas anderes: eine falsche Antwort. Die dritte beendet die Anfrage, die fünfte sperrt die Anmeldung.",
    try_cancel: "Abbrechen: die Anwendung erfährt, dass Sie abgelehnt haben.",
    decide: "Kontoinformationen teilen?",
    hello: "Angemeldet als",
    wants: "Möchte sehen",
    details: "Nummer, Inhaber und Art des Kontos",
    balances: "Kontostände",
    transactions: "Umsätze",
    of_paying_accounts: "der Konten, von denen Sie zahlen",
    which_account: "Von welchem Konto?",
    which_accounts: "Von diesen Konten",
    current_account: "Girokonto",
    savings_account: "Sparkonto",
    first_of_month: "1.",
    after_day: ".",
    until: "Bis",
    how_often: "Wie oft",
    once: "Einmal",
    recurring: "Immer wenn Sie es nutzen, und einige Male am Tag ohne Sie",
    no_payments: "Es kann nichts gezahlt oder geändert werden. Sie können diese Zustimmung jederzeit widerrufen.",
    decide_funds: "Fragen lassen, ob genug Geld da ist?",
    wants_to_know: "Möchte wissen",
    whether_funds: "Ob auf dem Konto der Betrag ist, den Sie gerade zahlen wollen. Die Antwort ist Ja oder Nein: der Kontostand ist nicht zu sehen, und nichts wird zurückgelegt.",
    card: "Karte",
    until_withdrawn: "Bis Sie es widerrufen",
    which_of_accounts: "Von welchen Konten?",
    approve: "Zustimmen",
    choose: "Wählen Sie ein Konto.",
    nothing_to_choose: "Sie haben kein Konto der angefragten Art.",
    over: "Diese Seite ist abgelaufen",
    over_text: "Sie wurde schon benutzt oder durch eine neuere ersetzt. Gehen Sie zurück zur Anwendung und beginnen Sie dort von vorn.",
    refused: "Diese Anfrage kann nicht abgeschlossen werden",
    not_found: "Diese Seite gibt es nicht",
    error_text: "Es wurde nichts geteilt und nichts gezahlt. Gehen Sie zurück zur Anwendung, die Sie hierher geschickt hat. Geschieht dies noch einmal, so geben Sie deren Entwicklern weiter, was unten steht.",
    what_is_wrong: "Was nicht stimmt",
    error_code: "Fehlercode",
    forbidden: "Das kam nicht von unserer Seite",
    forbidden_text: "Es wurde nichts getan. Gehen Sie zurück zur Anwendung und beginnen Sie dort von vorn.",
    months: [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
    numbers: ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn"],
    one_minute: "einer Minute",
    minutes: "Minuten",
};

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
            assert_eq!(language_of_locales(locales), language, "{locales}");
        }
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
            assert_eq!(language_of_browser(&headers), language, "{accepted}");
        }
        assert_eq!(language_of_browser(&HeaderMap::new()), None);
    }
}
