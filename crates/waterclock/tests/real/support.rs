//! What the tests share: durations, expectations about a fired limit, and tests in a process of
//! their own.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use waterclock::tls::{Roots, TlsSettings};
use waterclock::world::real::ThreadedLookup;
use waterclock::{Error, ErrorKind, Limit, Limits, Phase, Request, Session, SessionBuilder};
use waterclock_lab::{Authority, DnsServer, DnsStub, Zone};

/// So late may a limit fire on a machine that does other things as well, in the best of three tries.
pub(crate) const LATE: Duration = ms(100);
/// Enough for a busy machine, and far too short for a wait that has no business there.
pub(crate) const PROMPT: Duration = ms(1_000);
/// How long a server waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// What `work` gives, and how long it took.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begin = Instant::now();
    let result = work();
    (result, begin.elapsed())
}

/// A session with these limits and nothing else.
pub(crate) fn session(limits: Limits) -> Session {
    Session::builder().limits(limits).build().unwrap()
}

/// A builder that trusts `pem`.
pub(crate) fn trusting(pem: &str) -> SessionBuilder {
    Session::builder().tls(trust(pem))
}

/// Settings that trust `pem` alone.
pub(crate) fn trust(pem: &str) -> TlsSettings {
    TlsSettings::builder().roots(Roots::pem(pem.as_bytes()).unwrap()).build().unwrap()
}

/// Settings that trust `authority` alone.
pub(crate) fn trust_authority(authority: &Authority) -> TlsSettings {
    trust(authority.pem())
}

/// The whole exchange: the body, or the error wherever it came from.
pub(crate) fn fetch(request: Request<'_>) -> Result<Vec<u8>, Error> {
    request.send().and_then(|mut response| response.content())
}

/// Sends the request, whose limit must fire: in no try early, and in one of three in this phase and
/// hardly late. (On a busy machine the server may not even get to where the call is to stop.)
pub(crate) fn expect_fired<'s>(
    request: impl Fn() -> Request<'s>,
    limit: Limit,
    phase: Phase,
) -> Error {
    expect_fired_in(|| timed(|| fetch(request())), limit, phase)
}

/// [`expect_fired`] for whatever gives the outcome of a call and its time.
pub(crate) fn expect_fired_in(
    call: impl Fn() -> (Result<Vec<u8>, Error>, Duration),
    limit: Limit,
    phase: Phase,
) -> Error {
    let mut tries = Vec::new();
    for _ in 0..3 {
        let (result, elapsed) = call();
        let error = result.expect_err("a limit should have fired");
        assert_never_early(&error, elapsed);
        let late = error.late_by().unwrap();
        if (error.limit(), error.phase()) == (Some(limit), Some(phase)) && late < LATE {
            return error;
        }
        tries.push(format!("{late:?} late: {error:#}"));
    }
    panic!("never {limit} in {phase} and in time: {}", tries.join("\n"));
}

/// The limit fired in this phase, and never early.
pub(crate) fn assert_fired(error: &Error, elapsed: Duration, limit: Limit, phase: Phase) {
    assert_never_early(error, elapsed);
    assert_eq!((error.limit(), error.phase()), (Some(limit), Some(phase)), "{error:#}");
    assert!(error.late_by().unwrap() < PROMPT, "late by {:?}: {error:#}", error.late_by());
}

/// A limit fired, not before its time, and every nanosecond is accounted for.
fn assert_never_early(error: &Error, elapsed: Duration) {
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:#}");
    let configured = error.configured().unwrap();
    assert!(elapsed >= configured, "early: {elapsed:?} of {configured:?}: {error:#}");
    let timeline = error.timeline().unwrap();
    assert!(timeline.is_finished());
    assert_eq!(timeline.unaccounted(), Duration::ZERO, "{error:#}");
}

/// A name server with this zone and a lookup function that asks it.
pub(crate) fn resolver(zone: Zone) -> (DnsServer, ThreadedLookup) {
    let server = DnsServer::start(zone).unwrap();
    let stub = DnsStub::new(server.address());
    let lookup = move |name: &str, port: u16| -> io::Result<Vec<SocketAddr>> {
        let addresses = stub.lookup(name)?;
        Ok(addresses.into_iter().map(|address: IpAddr| SocketAddr::new(address, port)).collect())
    };
    (server, ThreadedLookup::new(lookup))
}

/// Set in the process that [`Alone`] starts.
const ALONE: &str = "WATERCLOCK_TEST_ALONE";

/// Runs one test of this binary again in a process of its own, where nothing else opens descriptors,
/// uses memory or gets signals.
///
/// ```ignore
/// let Some(run) = Alone::here() else { return Alone::test("module::name").run() };
/// ```
pub(crate) struct Alone {
    command: Command,
}

impl Alone {
    /// Whether this is the process that [`run`](Self::run) has started.
    pub(crate) fn is_here() -> bool {
        std::env::var_os(ALONE).is_some()
    }

    /// The test of this name (with its module).
    pub(crate) fn test(name: &str) -> Self {
        Self::of(Command::new(std::env::current_exe().unwrap()), name)
    }

    /// The same, with at most so many descriptors.
    pub(crate) fn with_descriptors(count: u32, name: &str) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -n {count} && exec \"$0\" \"$@\"")]);
        shell.arg(std::env::current_exe().unwrap());
        Self::of(shell, name)
    }

    fn of(mut command: Command, name: &str) -> Self {
        command.args(["--exact", name, "--nocapture", "--test-threads=1"]);
        command.env(ALONE, "1");
        for name in ["SSLKEYLOGFILE", "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy"]
        {
            command.env_remove(name);
        }
        Alone { command }
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Runs it, and fails if it fails or did not run.
    pub(crate) fn run(mut self) -> Output {
        let output = self.command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && text.contains("1 passed"), "{text}\n{errors}");
        output
    }
}

/// The descriptors of this process.
pub(crate) fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}
