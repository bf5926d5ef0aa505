//! `waterclock lab` serves scenes, and ends without leaving anything behind.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]
#![allow(clippy::disallowed_methods, reason = "the clock, and waiting for processes")]

mod common;

use common::{Ran, heard, run, waterclock};
use rustix::process::{Pid, kill_process};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant};

/// A server that is a process. Dropping it kills it.
struct Served {
    child: Child,
    out: BufReader<ChildStdout>,
    url: String,
    ca: Option<String>,
    proxy: Option<String>,
    /// What it has printed up to its last line.
    screen: String,
}

impl Served {
    fn start(arguments: &[&str]) -> Served {
        let mut command = waterclock();
        command.arg("lab").args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut screen = String::new();
        while !screen.ends_with("Ctrl-C ends it.\n") {
            assert_ne!(out.read_line(&mut screen).unwrap(), 0, "{screen}");
        }
        let find = |label: &str| {
            let line = screen.lines().find_map(|line| line.strip_prefix(label));
            line.map(|rest| rest.trim().to_owned())
        };
        let (url, ca, proxy) = (find("  URL ").unwrap(), find("  CA "), find("  proxy "));
        Served { child, out, url, ca, proxy, screen }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Its exit code and what it logged.
    fn end(mut self) -> (i32, String) {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().code().unwrap_or(-1), log)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    /// Our own client, with what the scene needs.
    fn ask(&self, arguments: &[&str]) -> Ran {
        let mut command = waterclock();
        command.args(arguments).arg(&self.url);
        for (option, value) in [("--cacert", &self.ca), ("-x", &self.proxy)] {
            if let Some(value) = value {
                command.args([option, value]);
            }
        }
        Ran::from(command.output().unwrap())
    }
}

#[test]
fn an_interrupt_ends_it_and_its_files() {
    for signal in heard() {
        let served = Served::start(&["ok"]);
        let ca = served.ca.clone().unwrap();
        assert!(served.ask(&["-q"]).expect(0).out == "hello\n");
        assert!(std::fs::metadata(&ca).is_ok());
        assert!(
            served.screen.contains(&format!("  curl -L -m 0.12 --cacert {ca} {}\n", served.url))
        );
        kill_process(served.pid(), signal).unwrap();
        let (code, log) = served.end();
        assert_eq!(code, 0, "{log}");
        assert!(!std::path::Path::new(&ca).exists());
        assert!(!std::path::Path::new(&ca).parent().unwrap().exists());
        for words in ["  accepted from 127.0.0.1:", "  TLS ready", "  GET /", "  closed"] {
            assert!(log.contains(words), "{words} in {log}");
        }
    }
}

#[test]
fn once_is_for_one_client() {
    let served = Served::start(&["redirect-chain", "--once"]);
    assert_eq!(served.ask(&["-q", "-L"]).expect(0).out, "hello\n");
    let (code, log) = served.end();
    assert_eq!(code, 0);
    assert!(log.contains("  GET /end\n"), "{log}");
    run(&["lab", "backlog", "--once"]).expect(2).says("--once would never end");
}

/// How our own client ends in the ready scenes: arguments, exit code, words on standard error, and
/// the least time.
#[test]
fn every_scene_ends_for_our_client_as_its_file_says() {
    for (scene, arguments, code, words, least) in [
        ("ok", &[][..], 0, "200 OK", 0),
        ("seed", &["-t", "5"], 0, "200 OK", 190),
        ("seed", &["-m", "0.1"], 28, "total limit of 100 ms fired", 100),
        ("slow-name", &[], 0, "200 OK", 0),
        ("backlog", &["--address-timeout", "0.2"], 28, "address limit of 200 ms fired", 200),
        ("slow-proxy", &["--tunnel-timeout", "0.2"], 28, "tunnel limit of 200 ms fired", 200),
        ("slow-proxy", &[], 0, "200 OK", 500),
        ("slow-tls", &["--tls-timeout", "0.2"], 28, "tls limit of 200 ms fired in tls", 200),
        ("tls-pieces", &["--tls-timeout", "0.2"], 28, "tls limit of 200 ms fired in tls", 200),
        ("slow-head", &["--first-byte-timeout", "0.2"], 28, "first_byte limit of 200 ms", 200),
        ("drip-head", &["--head-timeout", "0.3"], 28, "head limit of 300 ms fired", 300),
        ("drip-head", &["--read-timeout", "1"], 0, "200 OK", 1_700),
        ("stall-head", &["--read-timeout", "0.2"], 28, "read limit of 200 ms fired", 200),
        ("reset-head", &[], 56, "reset", 0),
        ("early-hints", &["--first-byte-timeout", "0.2"], 28, "first_byte limit of 200 ms", 200),
        ("early-hints", &[], 0, "200 OK", 400),
        ("continue", &["-d", "x", "--expect-continue", "--continue-timeout", "0.2"], 0, "200", 200),
        ("drip-body", &["--body-timeout", "0.3"], 28, "body limit of 300 ms fired", 300),
        ("stall-body", &["--read-timeout", "0.2"], 28, "read limit of 200 ms fired in", 200),
        ("reset-body", &[], 56, "reset", 0),
        ("half-body", &[], 18, "", 0),
        ("no-close-notify", &[], 18, "the connection ended after 16 bytes of the body, without", 0),
        ("retry-after", &[], 0, "503", 0),
        ("retry-after", &["--retry", "1"], 0, "200 OK", 1_000),
        ("redirect-chain", &["-L"], 0, "200 OK", 0),
        ("redirect-loop", &["-L"], 47, "", 0),
        ("slow-redirects", &["-L", "-m", "0.2"], 28, "total limit of 200 ms fired", 200),
    ] {
        let served = Served::start(&[scene]);
        let begin = Instant::now();
        let ran = served.ask(arguments);
        let took = begin.elapsed();
        assert_eq!(ran.code, code, "{scene} {arguments:?}: {}", ran.err);
        let flat = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(words), "{scene} {arguments:?}: no \"{words}\" in\n{}", ran.err);
        assert!(took >= Duration::from_millis(least), "{scene} {arguments:?}: {took:?}");
    }
}

#[test]
fn the_list_and_the_files_can_be_seen() {
    let list = run(&["lab"]).expect(0).out;
    assert!(list.contains("\n  drip-head        headers that trickle in\n"), "{list}");
    let file = run(&["lab", "show", "seed"]).expect(0).out;
    let path = common::scratch("seed.toml");
    std::fs::write(&path, file.replace("\"seed\"", "\"mine\"")).unwrap();
    let served = Served::start(&[path.to_str().unwrap()]);
    assert!(served.screen.starts_with("mine: Where the name is looked up"), "{}", served.screen);
    assert!(served.screen.contains("https://seed.test:"), "{}", served.screen);
    std::fs::remove_file(path).unwrap();
    let format = run(&["lab", "format"]).expect(0).out;
    assert!(format.contains("| `{ wait = T }` | nothing |"), "{format}");
    run(&["lab", "show", "nonsense"]).expect(2).says("no scene \"nonsense\"");
}

#[test]
fn what_cannot_be_served_is_said() {
    let path = common::scratch("bad.toml");
    std::fs::write(&path, "name = \"x\"\ndescription = \"y\"\nsteps = [\"stal\"]\n").unwrap();
    let name = path.to_str().unwrap();
    run(&["lab", name]).expect(2).says("bad.toml: line 3: expected one of \"stall\", \"reset\"");
    std::fs::remove_file(&path).unwrap();
    run(&["lab", name]).expect(2).says("cannot read");
    run(&["lab", "sed"]).expect(2).says("there is no scene \"sed\"; see `waterclock lab`");
    let served = Served::start(&["ok"]);
    let port = served.url.trim_end_matches('/').rsplit(':').next().unwrap();
    run(&["lab", "ok", "--port", port]).expect(2).says("cannot serve ok: Address already in use");
    run(&["lab", "ok", "--port", "70000"]).expect(2).says("70000");
}

#[test]
fn help_is_there_and_fits() {
    for arguments in
        [&["lab", "--help"][..], &["lab", "check", "-h"], &["lab", "clients", "--help"]]
    {
        let ran = run(arguments).expect(0);
        assert!(ran.out.lines().all(|line| line.chars().count() <= 80), "{}", ran.out);
        assert!(ran.out.contains("Usage:"), "{}", ran.out);
    }
}
