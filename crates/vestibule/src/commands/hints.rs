//! Commands in texts. Whatever led a command to its bank leads the next one there too, so that it works when pasted.

/// What printed commands need beside what their texts say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hints {
    /// Options of `vestibule tpp`, with their values.
    pub(crate) tpp: Vec<(&'static str, String)>,
    /// Options of `vestibule account`.
    pub(crate) account: Vec<(&'static str, String)>,
    /// Options of `vestibule sandbox`.
    pub(crate) sandbox: Vec<(&'static str, String)>,
}

/// How texts name the program.
const PROGRAM: &str = "vestibule ";

impl Hints {
    /// The text with each command in it completed: the program as it was called here, and the options that the text
    /// does not give itself. A command ends with its line, or at a semicolon.
    pub(crate) fn complete(&self, text: &str) -> String {
        let (mut done, mut rest) = (String::new(), text);
        while let Some(at) = rest.find(PROGRAM) {
            let (before, command) = rest.split_at(at);
            done += before;
            rest = &command[PROGRAM.len()..];
            let is_word = before.chars().next_back().is_none_or(char::is_whitespace);
            match self.options(rest).filter(|_| is_word) {
                None => done += PROGRAM,
                Some((words, options)) => {
                    let given = rest.split(['\n', ';']).next().unwrap_or_default();
                    done += &format!("{} {words}", program());
                    for (name, value) in options.iter().filter(|(name, _)| !given.contains(name)) {
                        done += &format!(" {name}");
                        if !value.is_empty() {
                            done += &format!(" {}", quoted(value));
                        }
                    }
                    rest = &rest[words.len()..];
                }
            }
        }
        done + rest
    }

    /// The words of a command before its options, and the options that it needs here.
    fn options<'t>(&self, command: &'t str) -> Option<(&'t str, &[(&'static str, String)])> {
        let is_end = |c: char| !(c.is_ascii_lowercase() || c == '-' || c == ' ');
        let mut words = command[..command.find(is_end).unwrap_or(command.len())].split(' ');
        let (options, count): (&[_], _) = match (words.next()?, words.next()) {
            ("sandbox", _) => (&self.sandbox, 1),
            ("account", Some(_)) => (&self.account, 2),
            ("certificate", Some(_)) => (&[], 2),
            ("tpp", Some("flow" | "status")) => (&self.tpp, 3),
            ("tpp", Some(_)) => (&self.tpp, 2),
            _ => return None,
        };
        let length = command.split(' ').take(count).map(|word| word.len() + 1).sum::<usize>() - 1;
        let words = command.get(..length)?.trim_end_matches(is_end);
        Some((words, options))
    }
}

/// The program as it was called.
fn program() -> String {
    quoted(&std::env::args().next().unwrap_or_else(|| "vestibule".to_owned()))
}

/// A word for a POSIX shell.
pub(crate) fn quoted(word: &str) -> String {
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
    fn commands_in_texts_get_what_they_lack() {
        let hints = Hints {
            tpp: vec![("--bank", "http://b".to_owned()), ("--state", "my state".to_owned())],
            account: vec![("--management", "http://m".to_owned())],
            sandbox: Vec::new(),
        };
        let me = program();
        for (text, completed) in [
            ("none", "none".to_owned()),
            (
                "with: vestibule tpp consent",
                format!("with: {me} tpp consent --bank http://b --state 'my state'"),
            ),
            (
                "vestibule tpp flow ais --headless approve --bank x; then",
                format!("{me} tpp flow ais --state 'my state' --headless approve --bank x; then"),
            ),
            (
                "vestibule tpp status draft 7",
                format!("{me} tpp status draft --bank http://b --state 'my state' 7"),
            ),
            ("vestibule account new\n", format!("{me} account new --management http://m\n")),
            ("/bin/vestibule tpp show", "/bin/vestibule tpp show".to_owned()),
            ("vestibule sandbox", format!("{me} sandbox")),
            ("vestibule is a program", "vestibule is a program".to_owned()),
        ] {
            assert_eq!(hints.complete(text), completed);
        }
    }
}
