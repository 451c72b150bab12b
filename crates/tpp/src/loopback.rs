//! Waits for a browser at a loopback redirect URI (RFC 8252, 7.3).

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::Error;

/// Longest request line that is read, in bytes.
const MAX_REQUEST: usize = 16 * 1024;

/// Time that one browser gets to send its request.
const REQUEST_TIME: Duration = Duration::from_secs(10);

const PAGE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Done</title>\
<p>You can close this page and go back to the terminal.</p></html>";

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
        let (status, page) = if location.is_some() { ("200 OK", PAGE) } else { ("404 Not Found", "") };
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncache-control: no-store\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{page}",
            page.len()
        );
        stream.write_all(answer.as_bytes()).await.ok()?;
        stream.shutdown().await.ok()?;
        location.map(String::from)
    }
}
