//! The first page of a sandbox: what runs where, and what to do next.

use askama::Template;

/// The addresses of a running bank.
#[derive(Debug, Template)]
#[template(path = "home.html")]
pub struct HomePage {
    /// Version of the program.
    pub version: String,
    /// What can be called, under which address.
    pub addresses: Vec<Address>,
    /// The command that registers a third party here.
    pub next_command: String,
    /// The command that goes from nothing to a first balance here.
    pub flow_command: String,
    /// The tenants.
    pub tenants: Vec<String>,
}

/// One address with what it is for.
#[derive(Debug)]
pub struct Address {
    /// What it is for.
    pub label: String,
    /// The URL.
    pub url: String,
}

impl HomePage {
    /// One of each kind, for the test that renders them.
    #[cfg(test)]
    fn samples() -> Vec<Self> {
        let empty = Self {
            version: "0.1.0".into(),
            addresses: Vec::new(),
            next_command: "vestibule".into(),
            flow_command: "vestibule".into(),
            tenants: Vec::new(),
        };
        let full = Self {
            addresses: vec![Address { label: "API".into(), url: "http://127.0.0.1:8080/xs2a-bg/nl".into() }],
            tenants: vec!["nl".into(), "be_fr".into()],
            version: "0.1.0".into(),
            next_command: "vestibule tpp register --redirect-uri \"https://a\"".into(),
            flow_command: "vestibule tpp flow ais".into(),
        };
        vec![empty, full]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_renders() {
        for sample in HomePage::samples() {
            let html = sample.render().unwrap();
            for address in &sample.addresses {
                assert!(html.contains(&address.url));
            }
            assert!(html.contains("<main") && !html.contains("<script"));
        }
    }
}
