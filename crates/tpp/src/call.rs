//! A call as it goes over the wire, and as a command that anyone can repeat.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

/// Is told what happens on the way to a bank.
pub type Observer = Arc<dyn Fn(&Seen<'_>) + Send + Sync>;

/// What happens on the way to a bank.
#[derive(Debug)]
pub enum Seen<'a> {
    /// A call is about to be sent.
    Call(&'a Call),
    /// An answer came.
    Answer(&'a Answered),
    /// Nothing happens for a second or more, for this reason.
    Wait(&'a str),
}

/// One answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The status.
    pub status: http::StatusCode,
    /// Header fields in the order they came.
    pub headers: http::HeaderMap,
    /// The exact octets of the body.
    pub body: Vec<u8>,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Call {
    /// The method.
    pub method: http::Method,
    /// The URL.
    pub url: String,
    /// Header fields in the order they are sent.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// The exact octets of the body; empty for none.
    pub body: Vec<u8>,
    /// What was signed, if anything was.
    pub signing_string: Option<String>,
    /// Files with certificate and key of the TLS connection, if a client certificate is used.
    pub tls_files: Option<(PathBuf, PathBuf)>,
    /// File with the authority that the bank's TLS certificate comes from, if it is a private one.
    pub ca_file: Option<PathBuf>,
}

impl Call {
    /// A request without a body.
    pub(crate) fn get(url: String) -> Self {
        Self::new(http::Method::GET, url, Vec::new())
    }

    pub(crate) fn new(method: http::Method, url: String, body: Vec<u8>) -> Self {
        Self { method, url, headers: Vec::new(), body, signing_string: None, tls_files: None, ca_file: None }
    }

    pub(crate) fn header(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The same request as a `curl` command for a POSIX shell.
    pub fn as_curl(&self) -> String {
        let mut words = vec!["curl --silent --show-error".to_owned()];
        if self.method != http::Method::GET || !self.body.is_empty() {
            words.push(format!("--request {}", self.method));
        }
        if let Some(ca) = &self.ca_file {
            words.push(format!("--cacert {}", quote(&ca.display().to_string())));
        }
        if let Some((certificate, key)) = &self.tls_files {
            words.push(format!("--cert {}", quote(&certificate.display().to_string())));
            words.push(format!("--key {}", quote(&key.display().to_string())));
        }
        for (name, value) in &self.headers {
            // curl drops a header that ends in a colon; a semicolon sends it empty.
            let field = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
            words.push(format!("--header {}", quote(&field)));
        }
        if !self.body.is_empty() {
            words.push(format!("--data-raw {}", quote(&String::from_utf8_lossy(&self.body))));
        }
        words.push(quote(&self.url));
        words.join(" \\\n  ")
    }
}

/// Single quotes keep everything but themselves.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_every_word() {
        let value = "it's \"quoted\" $HOME `id` \\ end";
        let output =
            std::process::Command::new("sh").arg("-c").arg(format!("printf %s {}", quote(value))).output();
        assert_eq!(String::from_utf8(output.unwrap().stdout).unwrap(), value);
    }
}
