//! One question about one certificate: the responders that it names, then its lists.

use std::sync::Arc;

use domain::Timestamp;
use eidas::Certificate;
use eidas::status::{OcspRequest, Status, StatusError, by_list};

use super::Watch;

/// Addresses of each kind that are tried. Certificates name one, seldom two.
const ADDRESSES: usize = 2;

impl Watch {
    /// What the issuer says of a certificate; else what went wrong at each address, for the log.
    pub(super) async fn ask_issuer(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        now: Timestamp,
    ) -> Result<Status, String> {
        let mut problems = Vec::new();
        for url in certificate.ocsp.iter().take(ADDRESSES) {
            match self.ask_responder(url, certificate, issuer, now).await {
                Ok(status) => return Ok(status),
                Err(why) => problems.push(format!("{}: {why}", shown(url))),
            }
        }
        for url in certificate.crl_distribution_points.iter().take(ADDRESSES) {
            match self.look_at_list(url, certificate, issuer, now).await {
                Ok(status) => return Ok(status),
                Err(why) => problems.push(format!("{}: {why}", shown(url))),
            }
        }
        if problems.is_empty() {
            return Err("the certificate names neither a responder nor a list".to_owned());
        }
        Err(problems.join("; "))
    }

    async fn ask_responder(
        &self,
        url: &str,
        certificate: &Certificate,
        issuer: &Certificate,
        now: Timestamp,
    ) -> Result<Status, String> {
        let nonce = Some(self.randomness.name_octets());
        let question = OcspRequest::new(certificate, issuer, nonce).map_err(|error| error.to_string())?;
        let answer = self.fetch.ask(url, question.der()).await?;
        question.read_answer(&answer, issuer, now).map_err(|error| error.to_string())
    }

    async fn look_at_list(
        &self,
        url: &str,
        certificate: &Certificate,
        issuer: &Certificate,
        now: Timestamp,
    ) -> Result<Status, String> {
        let list = self.lists.get(url, now, || self.fetch.list(url)).await?;
        let (certificate, issuer) = (certificate.clone(), issuer.clone());
        let octets = Arc::clone(&list);
        // Lists of large authorities have millions of octets.
        let read = tokio::task::spawn_blocking(move || by_list(&octets, &certificate, &issuer, now));
        let read = read.await.map_err(|error| error.to_string())?;
        read.map_err(|error| {
            let why = error.to_string();
            // It may be about others of the same issuer.
            if error != StatusError::OtherCertificate {
                self.lists.forget(url, &list, (now, &why));
            }
            why
        })
    }
}

/// An address as a log shows it: it comes from a certificate.
fn shown(url: &str) -> String {
    eidas::visible(url).chars().take(100).collect()
}
