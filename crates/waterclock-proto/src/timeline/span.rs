//! What a timeline is made of: phases, spans, folds, hops and connect attempts.

use crate::limit::Limit;
use crate::message::Method;
use crate::tick::Tick;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// What a call was doing during a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Phase {
    /// Waiting for a free connection.
    Pool,
    /// Waiting for a name lookup.
    Resolve,
    /// Waiting for a TCP (or Unix) connect.
    Connect,
    /// In dialogue with a proxy.
    Tunnel,
    /// In the TLS handshake.
    Tls,
    /// Waiting to send the request's head (and a small body that leaves with it).
    Send,
    /// Waiting to send the request's body.
    Upload,
    /// Waiting for `100 Continue`.
    Continue,
    /// Waiting for the first byte of the final response.
    FirstByte,
    /// Waiting for the rest of the response's head.
    Head,
    /// Waiting for the response's body.
    Body,
    /// Waiting before a retry.
    Backoff,
    /// The caller's own time: a slow source of the body, a reader that pauses.
    Caller,
    /// The engine's own work.
    Local,
}

impl Phase {
    /// All phases, in the order of a call.
    pub const ALL: [Phase; 14] = [
        Phase::Pool,
        Phase::Resolve,
        Phase::Connect,
        Phase::Tunnel,
        Phase::Tls,
        Phase::Send,
        Phase::Upload,
        Phase::Continue,
        Phase::FirstByte,
        Phase::Head,
        Phase::Body,
        Phase::Backoff,
        Phase::Caller,
        Phase::Local,
    ];

    /// The name in errors, JSON and Python.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Pool => "pool",
            Phase::Resolve => "resolve",
            Phase::Connect => "connect",
            Phase::Tunnel => "tunnel",
            Phase::Tls => "tls",
            Phase::Send => "send",
            Phase::Upload => "upload",
            Phase::Continue => "continue",
            Phase::FirstByte => "first_byte",
            Phase::Head => "head",
            Phase::Body => "body",
            Phase::Backoff => "backoff",
            Phase::Caller => "caller",
            Phase::Local => "local",
        }
    }

    /// The phase of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Phase> {
        Phase::ALL.into_iter().find(|phase| phase.name() == name)
    }

    /// Whether the engine waited for somebody else; not so in `caller` and `local`.
    #[must_use]
    pub const fn is_wait(self) -> bool {
        !matches!(self, Phase::Caller | Phase::Local)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What exactly was waited for, or worked at, within a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// For a connection of the pool, an answer of the resolver, the time of a retry.
    Answer,
    /// For bytes from the peer.
    Read,
    /// For room to send.
    Write,
    /// For connect attempts; the index of the newest one in [`Timeline::attempts`](super::Timeline::attempts).
    Connect(u16),
    /// The caller's source of the request body.
    Source,
    /// The caller, between two reads of the response.
    Reader,
    /// The caller's hooks, and its way to authenticate.
    Hook,
    /// The engine's own work.
    Work,
    /// Many spans in one; the index in [`Timeline::folds`](super::Timeline::folds).
    Folded(u16),
}

/// How a span ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanEnd {
    /// What was waited for came.
    Ready,
    /// Work that is not a wait was done.
    Done,
    /// The limit in force expired.
    Expired,
    /// The wait itself failed.
    Failed,
    /// The caller cancelled the call.
    Cancelled,
}

impl SpanEnd {
    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            SpanEnd::Ready => "ready",
            SpanEnd::Done => "done",
            SpanEnd::Expired => "expired",
            SpanEnd::Failed => "failed",
            SpanEnd::Cancelled => "cancelled",
        }
    }

    /// The end of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<SpanEnd> {
        let all =
            [SpanEnd::Ready, SpanEnd::Done, SpanEnd::Expired, SpanEnd::Failed, SpanEnd::Cancelled];
        all.into_iter().find(|end| end.name() == name)
    }
}

/// One wait, or one stretch of work between two waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// When it began.
    pub started: Tick,
    /// When it ended; where the next one begins.
    pub ended: Tick,
    /// Bytes that were moved because of this wait, or during this work.
    pub bytes: u64,
    /// The earliest armed deadline while it lasted; [`Tick::NEVER`] if there was none.
    pub deadline: Tick,
    /// The limit that deadline belongs to.
    pub limit: Option<Limit>,
    /// The hop it belongs to: an index into [`Timeline::hops`](super::Timeline::hops).
    pub hop: u16,
    /// What the call was doing.
    pub phase: Phase,
    /// What it waited for.
    pub what: What,
    /// How it ended.
    pub end: SpanEnd,
}

impl Span {
    /// How long it lasted.
    #[must_use]
    pub const fn duration(&self) -> Duration {
        self.ended.since(self.started)
    }

    /// What was left of the limit in force when it began.
    #[must_use]
    pub fn left_before(&self) -> Option<Duration> {
        self.limit.map(|_| self.deadline.since(self.started))
    }
}

/// The middle of a long run of spans, folded into sums so that an endless body needs no memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// How many waits it stands for.
    pub waits: u64,
    /// The sum of those waits.
    pub waited: Duration,
    /// The engine's own work in between.
    pub local: Duration,
    /// The caller's own time in between.
    pub caller: Duration,
    /// The longest of the waits.
    pub longest: Option<Span>,
}

/// Why a hop was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HopReason {
    /// The request as the caller gave it.
    First,
    /// A redirect was followed.
    Redirect,
    /// The hop before it failed, or was answered with "later" or 421, and could be repeated.
    Retry,
    /// The server asked for credentials.
    Auth,
}

impl HopReason {
    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            HopReason::First => "first",
            HopReason::Redirect => "redirect",
            HopReason::Retry => "retry",
            HopReason::Auth => "auth",
        }
    }

    /// The reason of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<HopReason> {
        let all = [HopReason::First, HopReason::Redirect, HopReason::Retry, HopReason::Auth];
        all.into_iter().find(|reason| reason.name() == name)
    }
}

/// The method and URL of a hop, shared with the request so that recording it costs nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLine {
    /// The method.
    pub method: Method,
    /// The URL, without userinfo: a timeline holds no credentials.
    pub url: Url,
}

/// The connection a hop went over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionUse {
    /// Counts the connections of a session, from 1.
    pub number: u64,
    /// How long it had been idle, if it had been used before.
    pub idle: Option<Duration>,
    /// The address at its other end; none for a Unix socket.
    pub peer: Option<SocketAddr>,
}

/// One request and its response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Method and URL.
    pub request: Arc<RequestLine>,
    /// Why it was made.
    pub reason: HopReason,
    /// When it began.
    pub started: Tick,
    /// When the last byte of the request had been handed to the system.
    pub sent: Option<Tick>,
    /// When the final response's head was complete.
    pub head_ended: Option<Tick>,
    /// When its body was complete, or the hop failed.
    pub ended: Option<Tick>,
    /// The final response's status.
    pub status: Option<u16>,
    /// The connection it used.
    pub connection: Option<ConnectionUse>,
}

/// How one connect attempt came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptEnd {
    /// It is still running, or was when the call ended.
    Pending,
    /// It won the race.
    Connected,
    /// The system said no; its words.
    Failed(Box<str>),
    /// The limit `address` expired.
    Expired,
    /// Another address was faster.
    Abandoned,
}

/// One connect to one address. Attempts race (RFC 8305), so they may overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The hop it belongs to.
    pub hop: u16,
    /// The address, as text.
    pub peer: Box<str>,
    /// When it was started.
    pub started: Tick,
    /// When its outcome was known.
    pub ended: Option<Tick>,
    /// How it came out.
    pub end: AttemptEnd,
}
