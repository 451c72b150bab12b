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
        let why = match read(&list, (certificate, issuer), now).await? {
            Ok(status) => {
                self.lists.note_good(url, &list);
                return Ok(status);
            }
            // It may be about others of the same issuer, and of a certificate that is out of its time no list tells.
            Err(error) if error == StatusError::OtherCertificate || !certificate.may_be_used_at(now) => {
                return Err(error.to_string());
            }
            Err(error) => error.to_string(),
        };
        let Some(before) = self.lists.forget(url, &list, (now, &why)) else { return Err(why) };
        read(&before, (certificate, issuer), now).await?.map_err(|_| why)
    }
}

/// Reads a list beside the calls: those of large authorities have millions of octets.
async fn read(
    list: &Arc<[u8]>,
    (certificate, issuer): (&Certificate, &Certificate),
    now: Timestamp,
) -> Result<Result<Status, StatusError>, String> {
    let (list, certificate, issuer) = (Arc::clone(list), certificate.clone(), issuer.clone());
    let read = tokio::task::spawn_blocking(move || by_list(&list, &certificate, &issuer, now));
    read.await.map_err(|error| error.to_string())
}

/// An address as a log shows it: it comes from a certificate.
fn shown(url: &str) -> String {
    eidas::visible(url).chars().take(100).collect()
}
