//! Prints by how much the resident memory grows at its peak, and how long it takes, when 1 GiB is
//! downloaded and uploaded. `cargo bench -p waterclock --bench memory`
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![allow(clippy::unwrap_used, reason = "a program for developers")]

#[path = "../tests/real/peak_memory.rs"]
mod peak;

use std::io::{self, Read as _};
use std::process::ExitCode;
use std::time::Instant;
use waterclock::{Limits, Session};
use waterclock_lab::FastServer;

const BODY: u64 = 1 << 30;
const GOAL: u64 = 10 << 20;

fn main() -> ExitCode {
    let server = FastServer::start().unwrap();
    let session = Session::builder().limits(Limits::none()).build().unwrap();
    let download = |path: String| {
        let mut response = session.get(server.url(&path)).send().unwrap();
        peak::drain(&mut response)
    };
    let upload = |length| {
        let source = io::repeat(b'x').take(BODY);
        let request = session.post(server.url("/")).body_reader(source, length);
        request.send().unwrap().text().unwrap().parse().unwrap()
    };
    download("/bytes/100000".to_owned());
    println!("| 1 GiB | memory grown by | time |");
    println!("|---|---|---|");
    let rows = [
        row("download", || download(format!("/bytes/{BODY}"))),
        row("download, chunks of 64 KiB", || download(format!("/chunked/{BODY}/65536"))),
        row("upload", || upload(Some(BODY))),
        row("upload, chunked", || upload(None)),
    ];
    if rows.iter().all(|&good| good) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn row(name: &str, transfer: impl FnOnce() -> u64) -> bool {
    let (mut length, begin) = (0, Instant::now());
    let grown = peak::grown_by(|| length = transfer());
    println!("| {name} | {} KiB | {:.2} s |", grown >> 10, begin.elapsed().as_secs_f64());
    length == BODY && grown < GOAL
}
