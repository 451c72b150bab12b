//! Waits for a browser at a loopback redirect URI (RFC 8252, 7.3).

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;
use web::{CallbackPage, CameBack};

use crate::Error;
use crate::random::secret;

/// Longest request line that is read, in bytes.
const MAX_REQUEST: usize = 16 * 1024;

/// Time that one browser gets to send its request.
const REQUEST_TIME: Duration = Duration::from_secs(10);

/// A listener at a redirect URI of this machine.
#[derive(Debug)]
pub struct Loopback {
    listener: TcpListener,
    uri: Url,
}

impl Loopback {
    /// Whether a redirect URI leads to this machine.
    pub fn fits(redirect_uri: &str) -> bool {
        Url::parse(redirect_uri).is_ok_and(|url| {
            url.scheme() == "http"
                && url.port().is_some()
                && matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"))
        })
    }

    /// The redirect URI to take where nobody names one: one of this machine, or else the first.
    pub(crate) fn choose(redirect_uris: &[String]) -> Option<&str> {
        let own = redirect_uris.iter().find(|uri| Self::fits(uri));
        own.or(redirect_uris.first()).map(String::as_str)
    }

    /// Listens.
    ///
    /// # Errors
    /// [`Error::Setup`] if the address is in use, or not of this machine.
    pub async fn bind(redirect_uri: &str) -> Result<Self, Error> {
        let uri = Url::parse(redirect_uri).ok().filter(|_| Self::fits(redirect_uri));
        let uri = uri.ok_or_else(|| {
            Error::Setup(format!(
                "{redirect_uri} is no loopback address such as http://127.0.0.1:8765/callback"
            ))
        })?;
        let host = uri.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let listener = TcpListener::bind((host.as_str(), uri.port().unwrap_or(0))).await;
        let listener =
            listener.map_err(|error| Error::Setup(format!("cannot listen at {redirect_uri}: {error}")))?;
        Ok(Self { listener, uri })
    }

    /// Waits until a browser comes back, and returns the address that it came to.
    ///
    /// # Errors
    /// [`Error::Setup`] if nobody comes in time.
    pub async fn wait(&self, time: Duration) -> Result<String, Error> {
        let waiting = async {
            loop {
                let Ok((stream, _)) = self.listener.accept().await else { continue };
                if let Ok(Some(location)) = tokio::time::timeout(REQUEST_TIME, self.serve(stream)).await {
                    return location;
                }
            }
        };
        tokio::time::timeout(time, waiting).await.map_err(|_| {
            Error::Setup(format!("no browser came back to {} within {} seconds", self.uri, time.as_secs()))
        })
    }

    /// Answers one request; absent for anything but the redirect URI, such as an icon.
    async fn serve(&self, mut stream: TcpStream) -> Option<String> {
        let mut request = Vec::new();
        while !request.windows(4).any(|four| four == b"\r\n\r\n") && request.len() < MAX_REQUEST {
            if stream.read_buf(&mut request).await.ok()? == 0 {
                break;
            }
        }
        let text = String::from_utf8_lossy(&request).into_owned();
        let target = text.strip_prefix("GET ")?.split(' ').next()?;
        let location = self.uri.join(target).ok().filter(|url| url.path() == self.uri.path());
        let answer = match &location {
            Some(url) => page(url),
            None => "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned(),
        };
        stream.write_all(answer.as_bytes()).await.ok()?;
        stream.shutdown().await.ok()?;
        location.map(String::from)
    }
}

/// The answer to a browser that came back, with a page of the house.
fn page(came_to: &Url) -> String {
    let (html, policy) = CallbackPage::new(came_back(came_to), secret()).render_with_policy();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ncontent-security-policy: {policy}\r\n\
         cache-control: no-store\r\nx-content-type-options: nosniff\r\nreferrer-policy: no-referrer\r\n\
         x-frame-options: DENY\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{html}",
        html.len()
    )
}

/// What the address says about how the browser came back.
fn came_back(came_to: &Url) -> CameBack {
    let value = |name: &str| {
        let mut pairs = came_to.query_pairs();
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    };
    match (value("code"), value("error")) {
        (_, Some(error)) => {
            CameBack::Refused { error, description: value("error_description").unwrap_or_default() }
        }
        (Some(_), None) => CameBack::Approved,
        (None, None) => CameBack::Bare,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a browser gets that comes to a path and query of a listener, and the address that the listener tells.
    async fn visit(target: &str) -> (String, Option<String>) {
        // Somebody else may be given the port before it is listened on.
        let (free, listener) = loop {
            let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            if let Ok(listener) = Loopback::bind(&format!("http://{free}/callback")).await {
                break (free, listener);
            }
        };
        let browser = async {
            let mut stream = TcpStream::connect(free).await.unwrap();
            let request = format!("GET {target} HTTP/1.1\r\nhost: {free}\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        };
        let served = async {
            let (stream, _) = listener.listener.accept().await.unwrap();
            listener.serve(stream).await
        };
        tokio::join!(browser, served)
    }

    #[tokio::test]
    async fn a_browser_that_comes_back_sees_how() {
        for (query, says) in [
            ("?code=1&state=2", "You approved"),
            ("?error=access_denied&error_description=%3Cb%3ENo%3C/b%3E", "&#60;b&#62;No&#60;/b&#62;"),
            ("", "You are back"),
        ] {
            let (answer, location) = visit(&format!("/callback{query}")).await;
            assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(says), "{query}: {answer}");
            assert!(answer.contains("content-security-policy: default-src 'none'"), "{answer}");
            assert!(!answer.contains("<b>") && answer.contains("back to the terminal"), "{answer}");
            assert!(location.unwrap().ends_with(&format!("/callback{query}")));
        }
        let (answer, location) = visit("/favicon.ico").await;
        assert!(answer.starts_with("HTTP/1.1 404") && location.is_none(), "{answer}");
    }
}
