//! Standard input is read only if that is asked for: a program in a pipe or under cron must not wait for it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]

mod common;

use common::{Ran, scratch, waterclock};
use std::io::{Seek, SeekFrom, Write};
use std::process::Stdio;
use waterclock_lab::{Script, Server};

/// Runs it with a file as standard input, and says how far that was read.
fn read_of_stdin(arguments: &[&str]) -> (u64, Ran) {
    let path = scratch("stdin.txt");
    let mut file = std::fs::File::options();
    let mut file = file.create(true).truncate(true).read(true).write(true).open(path).unwrap();
    file.write_all(b"do not read this\n").unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    // The position is shared with the program.
    let stdin = Stdio::from(file.try_clone().unwrap());
    let ran = Ran::from(waterclock().args(arguments).stdin(stdin).output().unwrap());
    (file.stream_position().unwrap(), ran)
}

#[test]
fn standard_input_is_left_alone() {
    let server = Server::start(Script::default()).unwrap();
    let url = server.url("/");
    let saved = scratch("stdin-run.json");
    let saved = saved.to_str().unwrap();
    for arguments in [
        &[url.as_str()][..],
        &["--save", saved, &url],
        &["POST", &url, "a=b"],
        &["--curl", &url],
        &["--repeat", "2", &url],
        &["explain", saved],
        &["explain"],
        &["convert", saved, "--html", "-"],
        &["lab"],
        &["demo", "list"],
        &["generate", "man"],
        &["env"],
        &["help", "timeouts"],
        &["help"],
        &["-h"],
        &[],
    ] {
        let (read, ran) = read_of_stdin(arguments);
        assert_eq!(read, 0, "{arguments:?} has read it: {ran:?}");
    }
    assert!(read_of_stdin(&["--stdin", &url]).0 > 0, "the test can see it");
}
