//! What the tests share: sessions, servers in clear and over TLS, a look at our socket's queue from
//! outside, and tests in a process of their own.

use std::net::SocketAddr;
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use waterclock::tls::{Roots, TlsSettings};
use waterclock::{Error, Limits, Request, Session, SessionBuilder};
use waterclock_lab::{Identity, Script, Server};

/// How late a limit may be seen to fire on a busy machine.
pub(crate) const LATE: Duration = ms(450);
/// For what must come at once.
pub(crate) const AT_ONCE: Duration = ms(2_000);
/// How long anything is waited for.
pub(crate) const PATIENCE: Duration = ms(20_000);

pub(crate) const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A builder that the environment cannot influence, and whose calls end.
pub(crate) fn builder() -> SessionBuilder {
    Session::builder().trust_env(false).limits(Limits::total(PATIENCE))
}

pub(crate) fn trust(pem: &str) -> TlsSettings {
    TlsSettings::builder().roots(Roots::pem(pem.as_bytes()).unwrap()).build().unwrap()
}

/// In clear and over TLS.
pub(crate) const BOTH: [bool; 2] = [false, true];

/// A server on loopback, and a session that trusts it.
pub(crate) fn served(secure: bool, script: impl Into<Script>) -> (Server, Session) {
    let (server, builder) = served_by(secure, Server::builder().script(script));
    (server, builder.build().unwrap())
}

pub(crate) fn served_by(secure: bool, server: waterclock_lab::Builder) -> (Server, SessionBuilder) {
    if !secure {
        return (server.start().unwrap(), builder());
    }
    let (identity, trusted) = &*IDENTITY;
    (server.tls(identity.clone()).start().unwrap(), builder().tls(trusted.clone()))
}

/// One for all, as making one takes longer than many a test.
static IDENTITY: LazyLock<(Identity, TlsSettings)> = LazyLock::new(|| {
    let identity = Identity::new(&["127.0.0.1", "shop.test"]).unwrap();
    let trusted = trust(identity.ca_pem());
    (identity, trusted)
});

/// The whole exchange: the body, or the error wherever it came from.
pub(crate) fn fetch(request: Request<'_>) -> Result<Vec<u8>, Error> {
    request.send().and_then(|mut response| response.content())
}

pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begin = Instant::now();
    let result = work();
    (result, begin.elapsed())
}

/// Waits until `check` gives something.
pub(crate) fn until<T>(what: &str, mut check: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = check() {
            return found;
        }
        assert!(begin.elapsed() < PATIENCE, "never came: {what}");
        std::thread::sleep(Duration::from_micros(500));
    }
}

/// What lies unread in a socket of ours, as the kernel tells everybody; `None` if it is not connected
/// any more, or the peer has said FIN.
pub(crate) fn queued(local: SocketAddr) -> Option<usize> {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let port = format!(":{:04X}", local.port());
    let words = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let ours = words.filter(|line| line.len() > 4 && line[1].ends_with(&port));
    let mut established = ours.filter(|line| line[3] == "01");
    let line = established.next()?;
    usize::from_str_radix(line[4].split_once(':')?.1, 16).ok()
}

/// Waits until at least so many bytes lie unread in this socket of ours, or it has ended.
pub(crate) fn wait_queued(local: SocketAddr, least: usize) {
    until("bytes in the socket", || queued(local).is_none_or(|count| count >= least).then_some(()));
}

/// Waits until something lies in this socket of ours, and nothing has come for a while. On a busy machine all of
/// it may have been read with what came before; then nothing comes for longer.
pub(crate) fn wait_settled(local: SocketAddr) {
    const NEVER: Duration = ms(2_000);
    let (mut before, mut since) = (0, Instant::now());
    until("an end of what comes", || {
        let now = queued(local).unwrap_or(before);
        if now != before {
            (before, since) = (now, Instant::now());
        }
        (since.elapsed() > if now > 0 { ms(15) } else { NEVER }).then_some(())
    });
}

/// Says why a test that could not be made was not.
pub(crate) fn skipped(test: &str, why: &str) {
    eprintln!("SKIPPED: {test}: {why}");
}

/// Set in the process that [`alone`] starts.
const ALONE: &str = "WATERCLOCK_TEST_ALONE";

/// Whether this is the process of one test.
pub(crate) fn is_alone() -> bool {
    std::env::var_os(ALONE).is_some()
}

/// The command that runs one test of this binary in a process of its own; `before` is a shell's command
/// before it, `ulimit -n 40` for instance.
pub(crate) fn again(test: &str, before: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{before} && exec \"$0\" \"$@\"")]);
    shell.arg(std::env::current_exe().unwrap());
    shell.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(ALONE, "1");
    for name in ["SSLKEYLOGFILE", "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy"] {
        shell.env_remove(name);
    }
    shell
}

/// Runs `test` in a process of its own after `before`, and gives false; in that process gives true.
pub(crate) fn alone(test: &str, before: &str) -> bool {
    if is_alone() {
        return true;
    }
    passed(&again(test, before).output().unwrap());
    false
}

/// The test of that process ran and passed.
pub(crate) fn passed(output: &Output) {
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}\n{errors}");
}

/// The descriptors of this process.
pub(crate) fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}
