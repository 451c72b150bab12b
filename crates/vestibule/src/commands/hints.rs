//! Commands in texts. Whatever led a command to its bank leads the next one there too, so that it works when pasted.

use std::fmt::Display;

use tpp::Hint;
use tpp::kept_approvals::Matter;

/// A redirect URI for whoever has none yet.
pub(crate) const EXAMPLE_URI: &str = "https://tpp.example/callback";

/// Whom an example pays: account and name.
pub(crate) const EXAMPLE_PAYEE: (&str, &str) = ("NL91ABNA0417164300", "Example Shop");

/// What printed commands need beside what they say themselves: options with their values, for each group of commands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hints {
    /// For `vestibule tpp`.
    pub(crate) tpp: Vec<(&'static str, String)>,
    /// For `vestibule account` and whatever else talks to the management API.
    pub(crate) account: Vec<(&'static str, String)>,
    /// For `vestibule sandbox`.
    pub(crate) sandbox: Vec<(&'static str, String)>,
}

/// A command of this program that leads on.
#[derive(Debug, Clone)]
pub(crate) struct Next {
    /// What leads to it in a text.
    before: &'static str,
    /// Its words in front of any option.
    words: &'static str,
    /// Its own options and arguments, as a shell reads them.
    own: String,
}

impl Next {
    /// The command with these words.
    pub(crate) fn new(words: &'static str) -> Self {
        Self { before: " with: ", words, own: String::new() }
    }

    /// The same at the end of another text.
    pub(crate) fn after(self, before: &'static str) -> Self {
        Self { before, ..self }
    }

    /// The same with an argument, or several that are written for a shell.
    pub(crate) fn and(mut self, argument: impl Display) -> Self {
        self.own += &format!(" {argument}");
        self
    }

    /// The same with an option.
    pub(crate) fn option(self, name: &str, value: &str) -> Self {
        self.and(format_args!("{name} {}", quoted(value)))
    }

    /// Registers these redirect URIs.
    pub(crate) fn register<U: AsRef<str>>(redirect_uris: &[U]) -> Self {
        let uris = redirect_uris.iter().map(AsRef::as_ref);
        uris.fold(Self::new("tpp register"), |next, uri| next.option("--redirect-uri", uri))
    }

    /// Asks what became of a payment.
    pub(crate) fn payment_status(id: &str) -> Self {
        Self::new("tpp payment status").and(quoted(id))
    }

    /// Sends the customer to the bank with something.
    fn authorise(matter: &Matter) -> Self {
        let next = Self::new("tpp authorise");
        match matter {
            Matter::Consent(id) => next.option("--consent", id),
            Matter::Payment(id) => next.option("--payment", id),
            Matter::Funds(id) => next.option("--funds", id),
            Matter::Connection => next,
        }
    }

    /// Finishes an authorisation.
    pub(crate) fn finish(matter: &Matter) -> Self {
        Self::authorise(matter).after(" to: ").and("--location -")
    }

    /// Whether it starts a sandbox.
    pub(crate) fn is_start(&self) -> bool {
        self.words == "sandbox"
    }
}

impl From<Hint> for Next {
    fn from(hint: Hint) -> Self {
        match hint {
            Hint::StartSandbox => Self::new("sandbox")
                .after("; check the address, and that the bank is running; a sandbox is started with: "),
            Hint::Certificate => Self::new("tpp certificate"),
            Hint::TakeOverSeal => {
                Self::new("tpp certificate").and("--profile qseal --certificate FILE --key FILE")
            }
            Hint::Register => Self::register(&[EXAMPLE_URI]),
            Hint::RegisterIn(dialect) => Self::new("tpp register")
                .option("--dialect", dialect.name())
                .option("--redirect-uri", EXAMPLE_URI)
                .after(", after: "),
            Hint::AddRedirectUri => Self::new("tpp oauth-client").option("--redirect-uri", EXAMPLE_URI),
            Hint::Consent => Self::new("tpp consent"),
            Hint::Authorise => Self::new("tpp authorise"),
            Hint::Pay => {
                let (to, name) = EXAMPLE_PAYEE;
                let next = Self::new("tpp pay").option("--to", to).option("--name", name);
                next.option("--amount", "12.50")
            }
            Hint::PaymentStatus => Self::new("tpp payment status"),
            Hint::ShowPayment(id) => Self::new("tpp payment show").and(quoted(&id)),
            Hint::Forget => Self::new("tpp forget"),
            Hint::AuthorisePayment(id) => Self::authorise(&Matter::Payment(id)),
            Hint::FundsConsent(account) => {
                let next = Self::new("tpp funds consent");
                next.option("--iban", account.as_deref().unwrap_or("IBAN"))
            }
            Hint::AuthoriseFunds(id) => Self::authorise(&Matter::Funds(id)),
            Hint::Accounts => Self::new("tpp accounts"),
            Hint::Show => Self::new("tpp show").after(" by: "),
        }
    }
}

impl Hints {
    /// The command as it is pasted: the program as it was called here, and the options that the command does not give
    /// itself.
    pub(crate) fn command(&self, next: &Next) -> String {
        let options = match next.words.split(' ').next() {
            Some("tpp") => &self.tpp,
            Some("account" | "clock" | "fault" | "data" | "snapshot" | "reset") => &self.account,
            _ => &self.sandbox,
        };
        let mut command = format!("{} {}", program(), next.words);
        for (name, value) in options.iter().filter(|(name, _)| !next.own.contains(name)) {
            command += &format!(" {name}");
            if !value.is_empty() {
                command += &format!(" {}", quoted(value));
            }
        }
        command + &next.own
    }

    /// The same as the end of a sentence.
    pub(crate) fn tail(&self, next: &Next) -> String {
        format!("{}{}", next.before, self.command(next))
    }
}

/// The program as it was called.
fn program() -> String {
    quoted(&std::env::args().next().unwrap_or_else(|| "vestibule".to_owned()))
}

/// A word for a POSIX shell.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-:[]=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) && !word.contains('[') {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_get_what_they_lack() {
        let hints = Hints {
            tpp: vec![("--bank", "http://b".to_owned()), ("--state", "my state".to_owned())],
            account: vec![("--management", "http://m".to_owned())],
            sandbox: vec![("--ephemeral", String::new())],
        };
        let me = program();
        for (next, expected) in [
            (Hint::Consent.into(), " with: ME tpp consent --bank http://b --state 'my state'"),
            (Hint::Show.into(), " by: ME tpp show --bank http://b --state 'my state'"),
            (
                Next::new("tpp flow ais").and("--headless approve").option("--bank", "x"),
                " with: ME tpp flow ais --state 'my state' --headless approve --bank x",
            ),
            (
                Next::new("tpp status draft").and(7),
                " with: ME tpp status draft --bank http://b --state 'my state' 7",
            ),
            (Next::new("account new"), " with: ME account new --management http://m"),
            (Next::new("sandbox"), " with: ME sandbox --ephemeral"),
        ] {
            assert_eq!(hints.tail(&next), expected.replace("ME", &me));
        }
    }
}
