//! What can go wrong at a point where the client asks the system for something: each error that the call
//! behind it has on Linux, short counts, and wake-ups for nothing.

use rustix::io::Errno;
use std::fmt;
use std::io;
use waterclock::ErrorKind;

/// A point where the client asks the system for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Point {
    /// socket(2) and connect(2).
    Open,
    /// `SO_ERROR` of a connect that was waited for.
    Connected,
    Read,
    Write,
    /// A read while hands are shaken.
    TlsRead,
    TlsWrite,
    /// ppoll(2).
    Wait,
    /// getaddrinfo(3).
    Lookup,
    /// eventfd(2).
    Signal,
}

impl Point {
    pub(crate) const ALL: [Point; 9] = [
        Point::Open,
        Point::Connected,
        Point::Read,
        Point::Write,
        Point::TlsRead,
        Point::TlsWrite,
        Point::Wait,
        Point::Lookup,
        Point::Signal,
    ];
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Error(Errno),
    /// One byte only, where there is more.
    Short,
    /// The stream is over.
    End,
    /// Not one byte is taken, and that is no error.
    Nothing,
    /// A signal handler ran.
    Interrupted,
    /// What is waited for is said to be ready, and is not.
    ReadyForNothing,
    /// An error of getaddrinfo's own, which has no errno.
    Resolver(&'static str),
    /// A name without addresses.
    NoAddress,
    /// The answering side goes away.
    Dropped,
    /// No answer, ever.
    Silence,
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Error(errno) => return write!(f, "{}", io::Error::from(*errno)),
            Fault::Resolver(text) => text,
            Fault::Short => "one byte",
            Fault::End => "the end of the stream",
            Fault::Nothing => "no byte taken",
            Fault::Interrupted => "interrupted",
            Fault::ReadyForNothing => "ready for nothing",
            Fault::NoAddress => "no address",
            Fault::Dropped => "nobody to answer",
            Fault::Silence => "silence",
        })
    }
}

use Fault::{
    Dropped, End, Error, Interrupted, NoAddress, Nothing, ReadyForNothing, Short, Silence,
};

/// socket(2), connect(2) and bind(2).
const OPEN: &[Fault] = &[
    Error(Errno::MFILE),
    Error(Errno::NFILE),
    Error(Errno::NOBUFS),
    Error(Errno::NOMEM),
    Error(Errno::ACCESS),
    Error(Errno::PERM),
    Error(Errno::ADDRNOTAVAIL),
    Error(Errno::ADDRINUSE),
    Error(Errno::AFNOSUPPORT),
    Error(Errno::PROTONOSUPPORT),
    Error(Errno::INVAL),
    Error(Errno::NETUNREACH),
    Error(Errno::HOSTUNREACH),
    Error(Errno::NETDOWN),
    Error(Errno::CONNREFUSED),
    Error(Errno::TIMEDOUT),
    Error(Errno::AGAIN),
    Error(Errno::INTR),
    Error(Errno::NOENT),
    Error(Errno::ALREADY),
];

/// What a connect has failed with, in `SO_ERROR`.
const CONNECTED: &[Fault] = &[
    Error(Errno::CONNREFUSED),
    Error(Errno::CONNRESET),
    Error(Errno::CONNABORTED),
    Error(Errno::TIMEDOUT),
    Error(Errno::HOSTUNREACH),
    Error(Errno::NETUNREACH),
    Error(Errno::NETDOWN),
    Error(Errno::HOSTDOWN),
    Error(Errno::ADDRNOTAVAIL),
    Error(Errno::ACCESS),
    Error(Errno::NOBUFS),
    Error(Errno::IO),
];

/// recv(2), and what a TCP socket keeps for it: a late ICMP message, a keep-alive that was not answered.
const READ: &[Fault] = &[
    Short,
    End,
    Error(Errno::AGAIN),
    Error(Errno::INTR),
    Error(Errno::CONNRESET),
    Error(Errno::CONNABORTED),
    Error(Errno::CONNREFUSED),
    Error(Errno::TIMEDOUT),
    Error(Errno::HOSTUNREACH),
    Error(Errno::NETUNREACH),
    Error(Errno::NETDOWN),
    Error(Errno::NOTCONN),
    Error(Errno::IO),
    Error(Errno::NOMEM),
    Error(Errno::NOBUFS),
    Error(Errno::BADF),
    Error(Errno::FAULT),
    Error(Errno::INVAL),
    Error(Errno::NOTSOCK),
    Error(Errno::PIPE),
];

/// sendmsg(2).
const WRITE: &[Fault] = &[
    Short,
    Nothing,
    Error(Errno::AGAIN),
    Error(Errno::INTR),
    Error(Errno::PIPE),
    Error(Errno::CONNRESET),
    Error(Errno::TIMEDOUT),
    Error(Errno::HOSTUNREACH),
    Error(Errno::NETUNREACH),
    Error(Errno::NETDOWN),
    Error(Errno::NOTCONN),
    Error(Errno::NOBUFS),
    Error(Errno::NOMEM),
    Error(Errno::ACCESS),
    Error(Errno::PERM),
    Error(Errno::MSGSIZE),
    Error(Errno::IO),
    Error(Errno::BADF),
    Error(Errno::INVAL),
    Error(Errno::NOTSOCK),
];

/// ppoll(2). It is never EINTR here: the world says `Woke::Interrupted`.
const WAIT: &[Fault] = &[
    Interrupted,
    ReadyForNothing,
    Error(Errno::INVAL),
    Error(Errno::NOMEM),
    Error(Errno::FAULT),
    Error(Errno::PERM),
];

/// getaddrinfo(3), and what comes of one that is lost.
const LOOKUP: &[Fault] = &[
    Fault::Resolver("Temporary failure in name resolution"),
    Fault::Resolver("Name or service not known"),
    Fault::Resolver("Non-recoverable failure in name resolution"),
    Fault::Resolver("Memory allocation failure"),
    Fault::Resolver("Address family for hostname not supported"),
    Error(Errno::MFILE),
    Error(Errno::AGAIN),
    Error(Errno::INTR),
    NoAddress,
    Dropped,
    Silence,
];

/// eventfd(2).
const SIGNAL: &[Fault] = &[
    Error(Errno::MFILE),
    Error(Errno::NFILE),
    Error(Errno::NOMEM),
    Error(Errno::NODEV),
    Error(Errno::PERM),
];

impl Point {
    /// All that can go wrong here.
    pub(crate) fn faults(self) -> &'static [Fault] {
        match self {
            Point::Open => OPEN,
            Point::Connected => CONNECTED,
            Point::Read | Point::TlsRead => READ,
            Point::Write | Point::TlsWrite => WRITE,
            Point::Wait => WAIT,
            Point::Lookup => LOOKUP,
            Point::Signal => SIGNAL,
        }
    }

    /// What a call may end with because of a fault here.
    pub(crate) fn kinds(self, fault: Fault) -> &'static [ErrorKind] {
        use ErrorKind::{
            Closed, Connect, IncompleteBody, Protocol, Proxy, Receive, Resolve, Send, Timeout, Tls,
        };
        match (self, fault) {
            (Point::Lookup, Silence) => &[Timeout],
            (Point::Lookup, _) => &[Resolve],
            // A Unix socket whose queue is full is asked again, under its limit.
            (Point::Open, Error(Errno::AGAIN)) => &[Connect, Timeout],
            (Point::Open | Point::Connected, _) => &[Connect],
            (Point::TlsRead, _) => &[Tls],
            // After the Finished of TLS 1.2 the request is the first data.
            (Point::TlsWrite, _) => &[Tls, Send],
            (Point::Read, End) => &[Closed, IncompleteBody, Proxy, Tls, Protocol],
            (Point::Read, _) => &[Receive, Proxy],
            (Point::Write, _) => &[Send, Proxy],
            // By what was being done.
            (Point::Wait, _) => &[Resolve, Connect, Proxy, Tls, Send, Receive],
            (Point::Signal, _) => &[Resolve, Connect, Proxy, Tls, Send, Receive],
        }
    }
}

impl Fault {
    /// Whether a single one must change nothing but the number of steps.
    pub(crate) fn is_harmless(self) -> bool {
        matches!(self, Short | Nothing | Interrupted | ReadyForNothing)
    }

    /// [`is_harmless`](Self::is_harmless), also of those that say "not now" of a socket.
    pub(crate) fn is_harmless_at(self, point: Point) -> bool {
        let of_socket =
            matches!(point, Point::Read | Point::Write | Point::TlsRead | Point::TlsWrite);
        self.is_harmless() || (of_socket && self == Error(Errno::AGAIN))
    }

    pub(crate) fn error(self) -> io::Error {
        match self {
            Error(errno) => errno.into(),
            Fault::Resolver(text) => io::Error::other(text),
            other => io::Error::other(format!("{other:?}")),
        }
    }
}
