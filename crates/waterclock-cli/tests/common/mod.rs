//! What the program's tests share.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

pub(crate) mod schema;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use waterclock::run::{Run, Secrets};

/// Variables that send clients elsewhere, change whom they trust or how they draw.
const CLEARED: [&str; 24] = [
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "SSLKEYLOGFILE",
    "NETRC",
    "NO_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "TERM",
    "LANG",
    "LC_CTYPE",
    "RUST_LOG",
    "RUST_BACKTRACE",
    "COLUMNS",
    "LANGUAGE",
];

/// The program under test, in a clean environment and without standard input.
pub(crate) fn waterclock() -> Command {
    cleaned(Command::new(env!("CARGO_BIN_EXE_waterclock")))
}

pub(crate) fn cleaned(mut command: Command) -> Command {
    for name in CLEARED {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C.UTF-8").env("WATERCLOCK_CONFIG", "/dev/null").stdin(Stdio::null());
    command
}

/// Runs it with these arguments.
pub(crate) fn run(arguments: &[&str]) -> Ran {
    Ran::from(waterclock().args(arguments).output().unwrap())
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        // A signal is no exit code.
        let code = output.status.code().unwrap_or(-1);
        Ran { code, out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Ran {
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        // Where a line is broken depends on numbers.
        let flat = self.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(words), "no \"{words}\" in:\n{}", self.err);
        self
    }

    /// Standard output as a run document, checked against the schema.
    #[track_caller]
    pub(crate) fn document(&self) -> Value {
        checked(&self.out)
    }
}

/// A run document, read back, checked against the schema and added up.
#[track_caller]
pub(crate) fn checked(text: &str) -> Value {
    let again = Run::from_json(text).unwrap();
    assert_eq!(again.to_json(Secrets::Shown), text, "read back, it is another document");
    let document: Value = serde_json::from_str(text).unwrap();
    schema::check(&document);
    let nanos = |name: &str| nanos(&document[name]);
    assert_eq!(nanos("waiting") + nanos("local") + nanos("unaccounted"), nanos("elapsed"));
    assert_eq!(nanos("unaccounted"), 0);
    document
}

/// Seconds are written with nine decimals, so this is exact.
#[allow(clippy::cast_possible_truncation, reason = "no test takes 584 years")]
pub(crate) fn nanos(seconds: &Value) -> u64 {
    (seconds.as_f64().unwrap() * 1e9).round() as u64
}

/// Which signals to send a program that should hear them. Tests that run in the background of a shell
/// have SIGINT ignored, and so has what they start.
pub(crate) fn heard() -> impl Iterator<Item = Signal> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.map_or(0, |mask| u128::from_str_radix(mask.trim(), 16).unwrap());
    let is_heard = move |signal: &Signal| mask >> (signal.as_raw() - 1) & 1 == 0;
    [Signal::INT, Signal::TERM].into_iter().filter(is_heard)
}

/// Sends it SIGINT, or what else it hears.
pub(crate) fn interrupt(child: &Child) {
    kill_process(Pid::from_child(child), heard().next().unwrap()).unwrap();
}

/// A path of its own for each test.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(format!("{}-{name}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

impl Ran {
    #[track_caller]
    pub(crate) fn says_not(self, words: &str) -> Self {
        assert!(!self.err.contains(words), "\"{words}\" in:\n{}", self.err);
        self
    }
}
