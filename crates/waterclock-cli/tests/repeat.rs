//! `--repeat`: many calls, one table.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]

mod common;

use common::{Ran, checked, interrupt, run, scratch, waterclock};
use serde_json::Value;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use waterclock_lab::{Script, Server, Step, respond, respond_with};

fn slow() -> Server {
    Server::start(Script::every_request([vec![Step::sleep_ms(20)], respond(200, "tea")].concat()))
        .unwrap()
}

/// The cells of the row of that name.
#[track_caller]
fn row(ran: &Ran, name: &str) -> Vec<f64> {
    let line = ran.err.lines().find_map(|line| line.trim().strip_prefix(name));
    let line = line.unwrap_or_else(|| panic!("no row {name} in:\n{}", ran.err));
    line.split_whitespace().map(|cell| cell.parse().unwrap()).collect()
}

#[test]
fn it_shows_what_each_phase_took() {
    let server = slow();
    let ran = run(&["--repeat", "5", &server.url("/")]).expect(0);
    assert_eq!(ran.out, "", "no body");
    assert_eq!(server.requests().len(), 5);
    let first = row(&ran, "first byte");
    assert!(first[0] == 5.0 && first[1..].is_sorted() && first[1] >= 5.0, "{}", ran.err);
    assert!(row(&ran, "tcp")[0] <= 1.0, "one connection\n{}", ran.err);
    let (total, local) = (row(&ran, "total"), row(&ran, "local work"));
    assert!(total[4] >= first[4] && local[0] == 5.0, "{}", ran.err);
    ran.says(&format!("5 calls: GET {}", server.url("/")))
        .says("none failed")
        .says("4 of 5 calls went over a connection that was there.");
    let ran = run(&["--repeat", "3", "--fresh", &server.url("/")]).expect(0);
    ran.says("Every connection was new.");
    assert_eq!(run(&["-q", "--repeat", "2", &server.url("/")]).expect(0).err, "");
}

#[test]
fn documents_are_an_array() {
    let server = slow();
    let path = scratch("repeat.json");
    let saved = path.to_str().unwrap();
    let ran = run(&["-q", "--repeat", "3", "--json", "--save", saved, &server.url("/")]).expect(0);
    let Value::Array(all) = serde_json::from_str(&ran.out).unwrap() else { panic!("{}", ran.out) };
    assert_eq!(all.len(), 3);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), ran.out);
    let separate = ran.out.trim_start_matches('[').trim_end().trim_end_matches(']');
    for document in separate.split("\n},\n") {
        let document = document.trim_end().trim_end_matches("\n}").to_owned() + "\n}\n";
        checked(&document);
    }
    assert_eq!(
        (&all[0]["response"]["reused"], &all[2]["response"]["reused"]),
        (&false.into(), &true.into())
    );
    let written = run(&["-q", "--repeat", "2", "-w", "%{http_code} ", &server.url("/")]).expect(0);
    assert_eq!(written.out, "200 200 ");
}

#[test]
fn failures_are_counted_by_what_ended_them_and_the_worst_counts() {
    let count = AtomicUsize::new(0);
    let server =
        Server::start(Script::by_request(move |_| match count.fetch_add(1, Ordering::Relaxed) {
            1 => vec![Step::Stall],
            2 => respond_with(503, &[], ""),
            _ => respond(200, "ok"),
        }))
        .unwrap();
    let arguments = ["--repeat", "4", "--fail", "-m", "0.3", &server.url("/")];
    let ran = run(&arguments).expect(28);
    assert_eq!(row(&ran, "total")[0], 2.0, "{}", ran.err);
    ran.says("4 calls: GET http").says("failed: the total limit (1), status 503 (1)");
    let server = slow();
    run(&["--repeat", "2", "--slo", "first_byte=1ms", &server.url("/")])
        .expect(4)
        .says("failed: slo (2)");
    run(&["--repeat", "2", "http://127.0.0.1:1/"]).expect(7).says("failed: connect (2)");
}

#[test]
fn an_interrupt_shows_the_calls_so_far() {
    let count = AtomicUsize::new(0);
    let server =
        Server::start(Script::by_request(move |_| match count.fetch_add(1, Ordering::Relaxed) {
            0 | 1 => respond(200, "ok"),
            _ => vec![Step::Stall],
        }))
        .unwrap();
    let mut command = waterclock();
    command.args(["--repeat", "50", "--json", &server.url("/")]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    server.wait_for_requests(3, Duration::from_secs(20)).unwrap();
    interrupt(&child);
    let ran = Ran::from(child.wait_with_output().unwrap()).expect(130);
    assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap().as_array().unwrap().len(), 2);
    ran.says("interrupted, 2 of 50 calls: GET");
}

#[test]
fn each_call_sends_its_body() {
    let server = Server::start(Script::default()).unwrap();
    run(&["--repeat", "2", &server.url("/"), "name=tea"]).expect(0).says("2 calls: POST");
    let bodies: Vec<_> = server.requests().into_iter().map(|request| request.body).collect();
    assert_eq!(bodies, [br#"{"name":"tea"}"#, br#"{"name":"tea"}"#]);
}

#[test]
fn what_only_one_call_can_is_refused() {
    for arguments in [
        &["--repeat", "0"][..],
        &["--repeat", "x"],
        &["--repeat", "2", "-o", "-"],
        &["--repeat", "2", "--har", "-"],
        &["--repeat", "2", "--stdin"],
        &["--fresh"],
    ] {
        run(&[arguments, &["http://127.0.0.1:1/"]].concat()).expect(2);
    }
}
