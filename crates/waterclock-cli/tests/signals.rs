//! Signals end the program, whatever blocks, and those that were ignored when it began do not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]
#![allow(clippy::disallowed_methods, reason = "the clock, and waiting for processes")]

mod common;

use common::{Ran, checked, cleaned, heard, interrupt, run, scratch, waterclock};
use rustix::io::ioctl_fionbio;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, PipeReader, PipeWriter, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use waterclock_lab::{Script, Server, Step, respond};

const PATIENCE: Duration = Duration::from_secs(20);

fn silent() -> Server {
    Server::start(vec![Step::ReadHead, Step::Stall]).unwrap()
}

fn fifo(name: &str) -> PathBuf {
    let path = scratch(name);
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

/// A pipe that takes no more. Its reading end keeps it so.
fn full() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    ioctl_fionbio(&writer, true).unwrap();
    let full = loop {
        if let Err(error) = writer.write(&[0; 4096]) {
            break error;
        }
    };
    assert_eq!(full.kind(), ErrorKind::WouldBlock);
    // It is the pipe's, and so would be the program's.
    ioctl_fionbio(&writer, false).unwrap();
    (reader, writer)
}

/// The exit code, of a program that has to end by itself.
#[track_caller]
fn code(mut child: Child) -> Option<i32> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    panic!("it goes on");
}

#[test]
fn one_is_enough_while_a_file_blocks() {
    let path = fifo("roots");
    let mut command = waterclock();
    command.arg("--cacert").arg(&path).arg("https://127.0.0.1:1/").stderr(Stdio::null());
    let child = command.spawn().unwrap();
    // Open now, at both ends, and nothing comes.
    let held = File::options().write(true).open(&path).unwrap();
    interrupt(&child);
    assert_eq!(code(child), Some(130));
    drop(held);
    std::fs::remove_file(path).unwrap();
}

#[test]
fn one_is_enough_while_standard_output_blocks() {
    let server = silent();
    let (reader, writer) = full();
    let mut command = waterclock();
    command.args(["--json", &server.url("/")]).stdout(writer).stderr(Stdio::null());
    let child = command.spawn().unwrap();
    server.wait_for_requests(1, PATIENCE).unwrap();
    interrupt(&child);
    assert_eq!(code(child), Some(130));
    drop(reader);
}

/// As timeout(1) sends them.
#[test]
fn two_at_once_are_one() {
    for _ in 0..5 {
        let server = silent();
        let mut command = waterclock();
        command.args(["--json", &server.url("/")]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        server.wait_for_requests(1, PATIENCE).unwrap();
        for signal in heard() {
            kill_process(Pid::from_child(&child), signal).unwrap();
        }
        let ran = Ran::from(child.wait_with_output().unwrap()).expect(130);
        assert_eq!(checked(&ran.out)["error"]["kind"], "cancelled");
    }
}

/// Starts it with these signals ignored, as a shell does in the background.
fn ignoring(names: &str, arguments: &[&str]) -> Child {
    let mut command = cleaned(Command::new("sh"));
    command.args(["-c", &format!("trap '' {names}; exec \"$@\""), "sh"]);
    command.arg(env!("CARGO_BIN_EXE_waterclock")).args(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn what_was_ignored_stays_ignored() {
    let slow = [vec![Step::sleep_ms(500)], respond(200, "tea")].concat();
    let server = Server::start(Script::every_request(slow)).unwrap();
    let child = ignoring("INT TERM HUP", &[&server.url("/")]);
    server.wait_for_requests(1, PATIENCE).unwrap();
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        kill_process(Pid::from_child(&child), signal).unwrap();
    }
    assert_eq!(Ran::from(child.wait_with_output().unwrap()).expect(0).out, "tea");
}

#[test]
fn the_other_one_is_still_heard() {
    let server = silent();
    let child = ignoring("INT", &[&server.url("/")]);
    server.wait_for_requests(1, PATIENCE).unwrap();
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(code(child), Some(130));
}

#[test]
fn a_lab_in_the_background_goes_on() {
    let mut child = ignoring("INT", &["lab", "ok", "--once"]);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut screen = String::new();
    while !screen.ends_with("Ctrl-C ends it.\n") {
        assert_ne!(out.read_line(&mut screen).unwrap(), 0, "{screen}");
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let url = screen.lines().find_map(|line| line.strip_prefix("  URL ")).unwrap().trim();
    run(&["-q", "-k", url]).expect(0);
    assert_eq!(code(child), Some(0));
}
