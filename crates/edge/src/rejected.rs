//! Requests that no dialect can serve, whatever they ask for.

use http::StatusCode;

/// Why a request is rejected before any rule of a bank applies. `Display` says what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// Path and query are too long.
    #[error("the request target is longer than {0} bytes")]
    TargetTooLong(usize),
    /// The octets of the path are no UTF-8.
    #[error("the path is not valid UTF-8 once its percent-encoding is undone (RFC 3986, 2.5)")]
    PathNotText,
    /// The header fields are too many or too long together.
    #[error("the header fields exceed {bytes} bytes or {fields} fields")]
    HeadersTooLarge {
        /// Bytes allowed.
        bytes: usize,
        /// Fields allowed.
        fields: usize,
    },
    /// The body is too long.
    #[error("the body is larger than {0} bytes")]
    BodyTooLarge(usize),
    /// The body did not arrive in time.
    #[error("the body did not arrive within {0} seconds")]
    BodyTimeout(u64),
    /// The body ended early or was framed wrongly.
    #[error("the body could not be read to its end")]
    BodyBroken,
    /// The bodies that others send take all the memory that there is for them.
    #[error("too many requests with large bodies are being read; try again in a few seconds")]
    Busy,
    /// The body is encoded.
    #[error("Content-Encoding \"{0}\" is not supported; send the body as it is")]
    ContentEncoding(String),
    /// Not exactly one `Host`, or one that names no host.
    #[error("send exactly one Host header, with the name or address of the bank (RFC 9112, 3.2)")]
    Host,
    /// A header that may occur once occurs more often.
    #[error("the {0} header occurs more than once")]
    DuplicateHeader(&'static str),
    /// A header holds octets that are no visible ASCII.
    #[error("the {0} header holds characters outside ASCII")]
    HeaderNotText(&'static str),
    /// A header is too long.
    #[error("the {name} header is longer than {max} bytes")]
    HeaderTooLong {
        /// Which one.
        name: &'static str,
        /// Bytes allowed.
        max: usize,
    },
    /// What a proxy says of the client's certificate cannot be read.
    #[error("{0}")]
    Proxy(String),
    /// The media type is not one that the endpoint reads.
    #[error("Content-Type \"{got}\" is not supported; send {expected}")]
    MediaType {
        /// What came.
        got: String,
        /// What would be right.
        expected: &'static str,
    },
    /// The body is said to be in another charset than UTF-8.
    #[error("the charset \"{0}\" in Content-Type is not taken; send the body in UTF-8")]
    Charset(String),
    /// No such path.
    #[error("Not Found")]
    NotFound,
    /// The path is known, the method is not.
    #[error("method {0} is not supported for this path")]
    Method(http::Method),
}

impl Rejected {
    /// The status that HTTP has for it.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::TargetTooLong(_) => StatusCode::URI_TOO_LONG,
            Self::HeadersTooLarge { .. } => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTimeout(_) => StatusCode::REQUEST_TIMEOUT,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::PathNotText
            | Self::BodyBroken
            | Self::Host
            | Self::DuplicateHeader(_)
            | Self::HeaderNotText(_)
            | Self::Proxy(_)
            | Self::HeaderTooLong { .. } => StatusCode::BAD_REQUEST,
            Self::ContentEncoding(_) | Self::MediaType { .. } | Self::Charset(_) => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
        }
    }
}
