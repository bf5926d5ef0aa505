//! What reaches a terminal, a file or a pipe, and what an interrupt leaves behind.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]

mod common;

use common::{Ran, interrupt, run, scratch, waterclock};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use waterclock_lab::{Script, Server, Step, head, head_then_stall, respond};

const PATIENCE: Duration = Duration::from_secs(20);

/// Runs it with a terminal as its standard output, and gives what came out there.
fn on_terminal(arguments: &[&str]) -> (String, Ran) {
    with_terminal(arguments, false)
}

/// The same, perhaps with standard error on the terminal, too.
fn with_terminal(arguments: &[&str], both: bool) -> (String, Ran) {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap();
    let path = std::path::Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()));
    let terminal = File::options().read(true).write(true).open(path).unwrap();
    let mut command = waterclock();
    let err = if both { terminal.try_clone().unwrap().into() } else { Stdio::piped() };
    let child = command.args(arguments).stdout(terminal).stderr(err).spawn().unwrap();
    // Our copies of the terminal go, so that reading ends when the program's do.
    drop(command);
    let reader = std::thread::spawn(move || {
        let (mut out, mut piece) = (Vec::new(), [0; 4096]);
        let mut controller = File::from(controller);
        // The end of a terminal is an error (EIO).
        while let Ok(count @ 1..) = controller.read(&mut piece) {
            out.extend_from_slice(&piece[..count]);
        }
        String::from_utf8(out).unwrap().replace("\r\n", "\n")
    });
    let ran = Ran::from(child.wait_with_output().unwrap());
    #[allow(clippy::disallowed_methods, reason = "it ends with the program, which has ended")]
    let out = reader.join().unwrap();
    (out, ran)
}

fn hostile() -> Server {
    let answer = "HTTP/1.1 200 O\x1b[2JK\r\nX-Bad: a\x1b]0;pwned\r\nContent-Length: 9\r\n\r\n";
    let mut bytes = answer.replace("\x1b", "\u{9b}").into_bytes();
    bytes.extend_from_slice(b"a\x1b[2Jb\tc\n");
    Server::start(Script::every_request(vec![Step::Send(bytes)])).unwrap()
}

#[test]
fn what_a_server_sends_cannot_drive_the_terminal() {
    let server = hostile();
    let (out, ran) = on_terminal(&["-i", &server.url("/")]);
    ran.expect(0).says("HTTP/1.1 200 O");
    assert!(out.contains("a\\u{1b}[2Jb"), "{out}");
    assert!(out.chars().all(|c| !c.is_control() || c == '\n' || c == '\t'), "{out:?}");
}

#[test]
fn a_message_cannot_either() {
    let server = hostile();
    let (_, ran) = on_terminal(&[&server.url("/")]);
    assert!(ran.err.chars().all(|c| !c.is_control() || c == '\n'), "{:?}", ran.err);
}

#[test]
fn a_pipe_gets_the_bytes_as_they_are() {
    let server = hostile();
    assert_eq!(run(&[&server.url("/")]).expect(0).out, "a\x1b[2Jb\tc\n");
    let (out, _) = on_terminal(&["-o", "-", &server.url("/")]);
    assert!(out.contains("\x1b[2J"), "-o - asks for it");
}

#[test]
fn binary_bodies_do_not_reach_a_terminal() {
    let server = Server::start(Script::every_request(respond(200, b"\x89PNG\0\x01"))).unwrap();
    let (out, ran) = on_terminal(&[&server.url("/")]);
    assert_eq!(out, "");
    ran.expect(23).says("the body is binary and not shown; use -o FILE");
}

#[test]
fn a_body_without_a_line_end_gets_one_on_a_terminal() {
    let server = Server::start(Script::default()).unwrap();
    assert_eq!(on_terminal(&[&server.url("/")]).0, "ok\n");
    assert_eq!(run(&[&server.url("/")]).out, "ok");
}

#[test]
fn a_file_gets_the_body_and_keeps_its_beginning() {
    let path = scratch("partial");
    let name = path.to_str().unwrap();
    let steps = [vec![Step::ReadHead], head_then_stall(200, 10)].concat();
    let silent = Server::start(steps).unwrap();
    run(&["-o", name, "--read-timeout", "0.1", &silent.url("/")]).expect(28);
    assert!(!path.exists(), "nothing came, so there is no file");
    let promise = Step::send(head(200, &[("Content-Length", "10")]));
    let cut =
        Server::start(vec![Step::ReadHead, promise, Step::send("1234"), Step::Close]).unwrap();
    let ran = run(&["-o", name, &cut.url("/")]).expect(18).says("has what came before.");
    assert_eq!(ran.out, "");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "1234");
    let empty = Server::start(Script::every_request(respond(200, ""))).unwrap();
    run(&["-o", name, &empty.url("/")]).expect(0);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
}

#[test]
fn a_reader_that_goes_away_hears_nothing() {
    let endless = Step::Loop(vec![Step::Send(vec![b'x'; 64 * 1024])]);
    let head = Step::Send(head(200, &[("Connection", "close")]));
    let server = Server::start(vec![Step::ReadHead, head, endless]).unwrap();
    let mut child = waterclock()
        .args(["--total", "20", &server.url("/")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut reader = child.stdout.take().unwrap();
    reader.read_exact(&mut [0; 1024]).unwrap();
    drop(reader);
    let ran = Ran::from(child.wait_with_output().unwrap()).expect(23);
    assert_eq!(ran.err, "");
}

#[test]
fn quiet_is_one_line_and_very_quiet_none() {
    let server = Server::start(vec![Step::ReadHead, Step::Close]).unwrap();
    let ran = run(&["-q", &server.url("/")]).expect(52);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    assert!(ran.err.starts_with("waterclock: GET http://"));
    assert_eq!(run(&["-qq", &server.url("/")]).expect(52).err, "");
    let fine = Server::start(Script::default()).unwrap();
    assert_eq!(run(&["-q", &fine.url("/")]).expect(0).err, "");
}

#[test]
fn colour_and_characters_are_chosen() {
    let slow = vec![Step::sleep_ms(60), Step::send("HTTP/1.1 204 No Content\r\n\r\n")];
    let server = Server::start(Script::every_request(slow)).unwrap();
    let with = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = waterclock();
        command.envs(variables.iter().copied()).args(arguments).arg(server.url("/"));
        Ran::from(command.args(["--read-timeout", "0.1"]).output().unwrap()).err
    };
    assert!(!with(&[], &[]).is_ascii(), "UTF-8 is the locale of the tests");
    assert!(with(&[("LC_ALL", "C")], &[]).is_ascii());
    assert!(with(&[("TERM", "dumb")], &[]).is_ascii());
    assert!(with(&[], &["--charset", "ascii"]).is_ascii());
    assert!(!with(&[], &["--ambiguous-width", "2"]).contains(['█', '│']));
    assert!(with(&[], &["--color", "always"]).contains("\x1b["));
    assert!(with(&[("CLICOLOR_FORCE", "1")], &[]).contains("\x1b["));
    assert!(!with(&[("NO_COLOR", "1")], &["--color", "auto"]).contains("\x1b["));
    assert!(!with(&[], &[]).contains("\x1b["), "not a terminal");
}

#[test]
fn korean_hosts_are_aligned() {
    let server = Server::start(Script::default()).unwrap();
    let port = server.address().port();
    let resolve = format!("xn--3e0b707e.test:{port}:127.0.0.1");
    let ran = run(&["--resolve", &resolve, &format!("http://한국.test:{port}/")]).expect(0);
    assert_eq!(server.requests()[0].header("host").unwrap(), format!("xn--3e0b707e.test:{port}"));
    let width = |line: &str| unicode_width::UnicodeWidthStr::width(line);
    assert!(ran.err.lines().all(|line| width(line) <= 80), "{}", ran.err);
}

/// Starts it against a server that is silent after `steps`, and interrupts it there.
fn interrupted(server: &Server, arguments: &[&str], stdin: Stdio) -> (Child, Instant) {
    let child = waterclock()
        .args(arguments)
        .arg(server.url("/"))
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    server.wait_for_requests(1, PATIENCE).unwrap();
    #[allow(clippy::disallowed_methods, reason = "this is about real time")]
    let at = Instant::now();
    interrupt(&child);
    (child, at)
}

#[test]
fn an_interrupt_still_shows_the_time_line() {
    let mut quickest = PATIENCE;
    for _ in 0..5 {
        let server = Server::start(vec![Step::ReadHead, Step::Stall]).unwrap();
        let (child, at) = interrupted(&server, &["--json"], Stdio::null());
        let ran = Ran::from(child.wait_with_output().unwrap()).expect(130);
        quickest = quickest.min(at.elapsed());
        let document = ran.document();
        assert_eq!(document["error"]["kind"], "cancelled");
        ran.says("read headers").says("The call was cancelled");
    }
    assert!(quickest < Duration::from_millis(50), "{quickest:?}");
}

#[test]
fn an_interrupt_is_heard_while_standard_input_is_silent() {
    let server = Server::start(vec![Step::ReadHead, Step::Stall]).unwrap();
    let (mut child, _) = interrupted(&server, &["--stdin"], Stdio::piped());
    let stdin = child.stdin.take();
    let ran = Ran::from(child.wait_with_output().unwrap());
    drop(stdin);
    ran.expect(130);
}

#[test]
fn the_live_line_drains_and_goes() {
    let slow = [vec![Step::sleep_ms(700)], respond(200, "tea")].concat();
    let server = Server::start(Script::every_request(slow)).unwrap();
    let shown =
        |arguments: &[&str]| with_terminal(&[arguments, &[&server.url("/")]].concat(), true).0;
    let all = shown(&["-m", "20"]);
    let (live, rest) = all.split_once("\r\x1b[Ktea\n").expect(&all);
    let pictures: Vec<&str> = live.split('\r').filter(|line| !line.is_empty()).collect();
    assert!(pictures.len() > 1, "{all:?}");
    for picture in pictures {
        assert!(
            picture.starts_with("read headers   total ") && picture.contains(" ms of 20 s"),
            "{all:?}"
        );
        assert!(picture.ends_with("\u{258f}\x1b[K"), "{all:?}");
    }
    assert!(rest.starts_with("HTTP/1.1 200 OK") && !rest.contains("\x1b[K"), "{all:?}");
    for arguments in [&["-q"][..], &["--no-progress"]] {
        assert!(!shown(arguments).contains('\r'), "{arguments:?}");
    }
    let quick = Server::start(Script::default()).unwrap();
    assert!(!with_terminal(&[&quick.url("/")], true).0.contains('\r'));
    let (_, ran) = on_terminal(&[&server.url("/")]);
    assert!(!ran.err.contains('\r'), "standard error is no terminal");
}
