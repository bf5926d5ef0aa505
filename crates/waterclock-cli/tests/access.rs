//! Credentials: from the command line, a terminal, a netrc file; and what becomes of bad ones.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]

mod common;

use common::{Ran, interrupt, run, scratch, waterclock};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;
use waterclock_lab::{Script, Server, redirect, respond, respond_with};

/// `me:hush`, `me:` and `net:work` in Base64.
const ME: &str = "Basic bWU6aHVzaA==";
const NET: &str = "Basic bmV0Ondvcms=";

/// The Authorization that arrives.
fn sent(variables: &[(&str, &str)], arguments: &[&str]) -> Option<String> {
    let server = Server::start(Script::default()).unwrap();
    let url = server.url("/");
    let arguments = arguments.iter().map(|&word| match word {
        "URL" => url.clone(),
        "WITH" => url.replace("http://", "http://url:info@"),
        word => word.to_owned(),
    });
    let mut command = waterclock();
    command.env("HOME", "/nowhere").envs(variables.iter().copied()).arg("-q").args(arguments);
    Ran::from(command.output().unwrap()).expect(0);
    server.requests()[0].header("authorization").map(str::to_owned)
}

fn is(sent: &Option<String>, wanted: &str) {
    assert_eq!(sent.as_deref(), Some(wanted));
}

#[test]
fn the_command_line_says_who_asks() {
    assert_eq!(sent(&[], &["URL"]), None);
    is(&sent(&[], &["-u", "me:hush", "URL"]), ME);
    is(&sent(&[], &["--user", "me:hush", "WITH"]), ME);
    is(&sent(&[], &["--auth", "me:a:b", "URL"]), "Basic bWU6YTpi");
    is(&sent(&[], &["--bearer", "t0k", "URL"]), "Bearer t0k");
    is(&sent(&[], &["WITH"]), "Basic dXJsOmluZm8=");
}

#[test]
fn digest_answers_the_challenge() {
    let challenge = [("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"")];
    let script = Script::by_request(move |request| match request.header("authorization") {
        Some(value) if value.starts_with("Digest username=\"me\"") => respond(200, "in"),
        _ => respond_with(401, &challenge, "out"),
    });
    let server = Server::start(script).unwrap();
    let ran = run(&["-u", "me:hush", "--digest", &server.url("/")]).expect(0);
    assert_eq!(ran.out, "in");
    ran.says("── hop 2 (auth after 401)");
    run(&["--digest", "http://h.test/"]).expect(2).says("--auth");
}

#[test]
fn netrc_files_that_are_there_and_that_are_named() {
    let (there, named) = (scratch("netrc"), scratch("named"));
    std::fs::write(&there, "machine 127.0.0.1 login net password work\n").unwrap();
    std::fs::write(&named, "machine 127.0.0.1 login me password hush\n").unwrap();
    let (there, named) = (there.to_str().unwrap(), named.to_str().unwrap());
    let environment = [("NETRC", there)];
    is(&sent(&environment, &["URL"]), NET);
    is(&sent(&environment, &["--netrc", "WITH"]), NET);
    is(&sent(&environment, &["--netrc-file", named, "URL"]), ME);
    is(&sent(&environment, &["--netrc-file", named, "WITH"]), ME);
    is(&sent(&environment, &["--bearer", "t", "--netrc-file", named, "URL"]), "Bearer t");
    is(&sent(&environment, &["--netrc-file", named, "URL", "Authorization:mine"]), "mine");
    assert_eq!(sent(&environment, &["--no-env", "URL"]), None);
}

#[test]
fn a_named_netrc_file_is_asked_again_after_a_redirect() {
    let other = Server::start(Script::default()).unwrap();
    let url = other.url("/").replace("127.0.0.1", "localhost");
    let server = Server::start(Script::every_request(redirect(302, &url))).unwrap();
    let file = scratch("two");
    let text =
        "machine 127.0.0.1 login me password hush\nmachine localhost login net password work";
    std::fs::write(&file, text).unwrap();
    let resolve = format!("localhost:{}:127.0.0.1", other.address().port());
    let arguments = ["-q", "-L", "--netrc-file", file.to_str().unwrap(), "--resolve", &resolve];
    run(&[&arguments[..], &[&server.url("/")]].concat()).expect(0);
    assert_eq!(server.requests()[0].header("authorization"), Some(ME));
    assert_eq!(other.requests()[0].header("authorization"), Some(NET));
}

#[test]
fn what_cannot_be_used_is_said_and_not_repeated() {
    let bad = scratch("bad");
    std::fs::write(&bad, "machine h.test\nlogin me password hush hush\n").unwrap();
    let bad = bad.to_str().unwrap();
    let ran = run(&["--netrc-file", bad, "http://h.test/"]).expect(2).says("netrc line 2: a word");
    assert!(!ran.err.contains("hush"), "{}", ran.err);
    run(&["--netrc-file", "/nowhere/at/all", "http://h.test/"]).expect(2).says("/nowhere/at/all");
    let mut command = waterclock();
    command.env("HOME", "/nowhere").args(["--netrc", "http://h.test/"]);
    Ran::from(command.output().unwrap())
        .expect(2)
        .says("cannot read the netrc file /nowhere/.netrc");
    run(&["-u", "me", "http://h.test/"]).expect(2).says("standard input is no terminal");
    run(&["--bearer", "a\nb", "http://h.test/"]).expect(2);
    run(&["--bearer", "t", "-u", "a:b", "http://h.test/"]).expect(2).says("cannot be used with");
}

/// Runs it with a terminal as standard input, on which `typed` is typed once nothing is
/// shown; or interrupts it there.
fn at_terminal(typed: Option<&[u8]>, arguments: &[&str]) -> Ran {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap();
    let path = std::path::Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()));
    let terminal = File::options().read(true).write(true).open(path).unwrap();
    let watched = terminal.try_clone().unwrap();
    let mut command = waterclock();
    let mut child = command
        .args(arguments)
        .stdin(terminal)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The question comes when the terminal is silent, or just before.
    let mut asked = [0; 12];
    child.stderr.as_mut().unwrap().read_exact(&mut asked).unwrap();
    assert_eq!(&asked, b"Password of ");
    while tcgetattr(&watched).unwrap().local_modes.contains(LocalModes::ECHO) {
        assert!(child.try_wait().unwrap().is_none(), "it ended without asking");
        std::thread::yield_now();
    }
    let mut controller = File::from(controller);
    match typed {
        Some(typed) => controller.write_all(typed).unwrap(),
        None => interrupt(&child),
    }
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert!(tcgetattr(&watched).unwrap().local_modes.contains(LocalModes::ECHO), "left silent");
    ran
}

#[test]
fn a_missing_password_is_asked_for_on_a_terminal() {
    let server = Server::start(Script::default()).unwrap();
    let ran = at_terminal(Some(b"hush\n"), &["-q", "-u", "me", &server.url("/")]).expect(0);
    assert_eq!(server.requests()[0].header("authorization"), Some(ME));
    assert!(!ran.err.contains("hush"));
    at_terminal(None, &["-q", "-u", "me", &server.url("/")]).expect(130);
    assert_eq!(server.requests().len(), 1);
}
