//! [`Case`]: what a server sends, and what must come of it.

use waterclock::{CloseReason, ErrorKind, Method};

/// One case of the corpus.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The file's name.
    pub(crate) file: String,
    pub(crate) line: usize,
    /// `SECTION: NAME`.
    pub(crate) name: String,
    pub(crate) method: Method,
    /// What the server sends in answer to one request.
    pub(crate) send: Vec<u8>,
    pub(crate) then: Then,
    pub(crate) caps: Caps,
    /// Whether redirects are followed.
    pub(crate) follow: bool,
    pub(crate) want: Want,
}

/// What the server does after its last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// It waits for the next request.
    Hold,
    /// It closes: with close_notify where there is TLS.
    Fin,
    /// It closes without close_notify. There is no such thing without TLS.
    Cut,
    Reset,
}

/// Caps that are not the default ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Caps {
    /// [`waterclock::Caps::body_bytes`].
    pub(crate) body: Option<u64>,
    /// [`waterclock::DecodeLimits::max_size`].
    pub(crate) decoded: Option<u64>,
    /// [`waterclock::DecodeLimits::max_ratio`].
    pub(crate) ratio: Option<u32>,
}

/// What must come of it.
#[derive(Clone, Debug)]
pub(crate) enum Want {
    Response(Box<Wanted>),
    Error {
        kind: ErrorKind,
        /// What the message says.
        says: Option<String>,
        /// What could be read of the body before it.
        body: Option<Vec<u8>>,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) status: u16,
    pub(crate) reason: Option<Vec<u8>>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, Vec<u8>)>,
    /// Fields that must be there, all of those names and in this order.
    pub(crate) fields: Vec<(String, Vec<u8>)>,
    /// Names of fields that must not be there.
    pub(crate) without: Vec<String>,
    /// Why the connection does not serve the next request, unless it does.
    pub(crate) kept: Result<(), CloseReason>,
}

impl Case {
    /// The name of the section it is in.
    pub(crate) fn section(&self) -> &str {
        self.name.split_once(": ").map_or(&self.name, |(section, _)| section)
    }

    pub(crate) fn client_caps(&self) -> waterclock::Caps {
        let usual = waterclock::Caps::default();
        waterclock::Caps { body_bytes: self.caps.body.unwrap_or(usual.body_bytes), ..usual }
    }

    pub(crate) fn decode_limits(&self) -> waterclock::DecodeLimits {
        waterclock::DecodeLimits { max_size: self.caps.decoded, max_ratio: self.caps.ratio }
    }

    pub(crate) fn kind(&self) -> &'static str {
        match &self.want {
            Want::Response(_) => "response",
            Want::Error { kind, .. } => kind.name(),
        }
    }
}
