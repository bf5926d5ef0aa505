//! `--write-out`, beside curl, and `--slo`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]

mod common;

use common::{Ran, cleaned, run, scratch};
use serde_json::Value;
use std::process::Command;
use waterclock_lab::{Identity, Script, Server, Step, Tls, redirect, respond, respond_with};

/// Curl's own names, in the order of time.
const TIMES: [&str; 6] = [
    "time_namelookup",
    "time_connect",
    "time_appconnect",
    "time_pretransfer",
    "time_starttransfer",
    "time_total",
];

/// Those that must be the same text in both.
const SAME: [&str; 15] = [
    "http_code",
    "response_code",
    "http_version",
    "method",
    "url",
    "url_effective",
    "num_redirects",
    "num_connects",
    "num_headers",
    "size_download",
    "remote_ip",
    "remote_port",
    "content_type",
    "redirect_url",
    "ssl_verify_result",
];

fn has_curl() -> bool {
    let found = Command::new("curl").arg("--version").output().is_ok();
    if !found {
        eprintln!("SKIPPED: curl is not installed");
    }
    found
}

fn curl(arguments: &[&str]) -> Ran {
    Ran::from(cleaned(Command::new("curl")).arg("-sS").args(arguments).output().unwrap())
}

fn script() -> Script {
    Script::by_request(|request| match request.path() {
        "/away" => redirect(302, "/there?x=1"),
        "/there" => [vec![Step::sleep_ms(30)], respond(200, "tea")].concat(),
        "/missing" => respond_with(404, &[("Content-Type", "text/plain"), ("X-A", "1")], "no"),
        _ => [vec![Step::sleep_ms(40)], respond(200, "water")].concat(),
    })
}

/// Both make the call, and must write the same but for how long it took.
#[track_caller]
fn beside_curl(arguments: &[&str], tls: bool) {
    if !has_curl() {
        return;
    }
    let format =
        SAME.map(|name| format!("{name}=%{{{name}}}")).join("\\n") + "\\n%{scheme}%%\\t\\x";
    let with = |format: &str| {
        let more = ["-o", "/dev/null", "-w", format];
        (curl(&[arguments, &more].concat()), run(&[arguments, &more, &["-q"]].concat()))
    };
    let (theirs, ours) = with(&format);
    assert_eq!(ours.code, theirs.code);
    // Later curls write schemes in lower case.
    let (theirs, ours) =
        (theirs.out.replace("http%", "HTTP%").replace("https%", "HTTPS%"), ours.out);
    assert_eq!(ours, theirs, "{arguments:?}");
    let (theirs, ours) = with(&TIMES.map(|name| format!("%{{{name}}}")).join(" "));
    for ran in [theirs, ours] {
        let texts: Vec<&str> = ran.out.split(' ').collect();
        for text in &texts {
            assert_eq!(text.split_once('.').unwrap().1.len(), 6, "{}", ran.out);
        }
        let times: Vec<f64> = texts.iter().map(|text| text.parse().unwrap()).collect();
        let (secured, others) = (times[2], [times[0], times[1], times[3], times[4], times[5]]);
        assert!(others.is_sorted(), "{}", ran.out);
        match tls {
            true => assert!(secured >= times[1] && secured <= times[3], "{}", ran.out),
            false => assert_eq!(secured.to_bits(), 0, "{}", ran.out),
        }
        assert!(times[0] > 0.0 && times[4] >= 0.029, "{}", ran.out);
    }
}

#[test]
fn it_writes_what_curl_writes() {
    let server = Server::start(script()).unwrap();
    beside_curl(&[&server.url("/")], false);
    beside_curl(&["-L", &server.url("/away")], false);
    let identity = Identity::new(&["127.0.0.1"]).unwrap();
    let roots = scratch("write-out.pem");
    std::fs::write(&roots, identity.ca_pem()).unwrap();
    let server = Server::builder().tls(Tls::new(identity)).script(script()).start().unwrap();
    beside_curl(&["--cacert", roots.to_str().unwrap(), &server.url("/?a=b")], true);
    let server = Server::start(Script::by_request(|_| {
        let headers = [("Location", "//h.test/x"), ("Content-Type", "text/html")];
        [vec![Step::sleep_ms(30)], respond_with(301, &headers, "moved")].concat()
    }));
    beside_curl(&[&server.unwrap().url("/missing")], false);
}

#[test]
fn header_json_and_unknown_variables_are_as_in_curl() {
    if !has_curl() {
        return;
    }
    let server = Server::start(script()).unwrap();
    let url = server.url("/missing");
    let format = "%{header_json}|%header{x-a}|%{nonsense}|%{unclosed|%header{";
    let theirs = curl(&["-o", "/dev/null", "-w", format, &url]).expect(0);
    let ours = run(&["-q", "-o", "/dev/null", "-w", format, &url]).expect(0);
    assert_eq!(ours.out, theirs.out);
    let unknown = "unknown --write-out variable: 'nonsense'\n";
    assert_eq!(theirs.err.lines().next(), Some(&*format!("curl: {}", unknown.trim_end())));
    assert_eq!(ours.err, format!("waterclock: {unknown}"));
}

#[test]
fn a_failed_call_is_told_too() {
    let format = "%{exitcode} %{http_code} %{limit_fired} %{num_connects}%{onerror} %{errormsg}\\n";
    let silent = Server::start(vec![Step::ReadHead, Step::Stall]).unwrap();
    let ran = run(&["-q", "-m", "0.1", "-w", format, &silent.url("/")]).expect(28);
    assert!(ran.out.starts_with("28 000 total 1 total limit of 100 ms fired"), "{}", ran.out);
    let ran = run(&["-q", "-w", format, "http://127.0.0.1:1/"]).expect(7);
    assert!(ran.out.starts_with("7 000  0 "), "{}", ran.out);
    let json = run(&["-qq", "-w", "%{json}", "http://127.0.0.1:1/"]).expect(7).out;
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["exitcode"], 7);
}

#[test]
fn it_comes_after_the_body_and_out_of_a_file() {
    let server = Server::start(Script::default()).unwrap();
    let path = scratch("format");
    std::fs::write(&path, "[%{http_code}\r\n]\\n").unwrap();
    let file = format!("@{}", path.display());
    assert_eq!(run(&["-q", "-w", &file, &server.url("/")]).expect(0).out, "ok[200]\n");
    let ran = run(&["-q", "-w", "%{stderr}%{http_code}", &server.url("/")]).expect(0);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("ok", "200"));
    run(&["-w", "@/nowhere/format", &server.url("/")])
        .expect(2)
        .says("cannot read --write-out @/no");
    run(&["--stdin", "-w", "@-", &server.url("/")]).expect(2).says("cannot be both");
}

fn saved(name: &str, arguments: &[&str]) -> (String, Ran) {
    let path = scratch(name).to_str().unwrap().to_owned();
    let ran = run(&[arguments, &["--save", &path]].concat());
    (path, ran)
}

#[test]
fn a_saved_run_writes_the_same() {
    let server = Server::start(script()).unwrap();
    let format = "%{json}\\n%{header_json}";
    let (path, live) = saved(
        "write-out.json",
        &["-q", "-L", "-o", "/dev/null", "-w", format, &server.url("/away")],
    );
    let again = run(&["explain", &path, "-w", format]).expect(0);
    assert_eq!(again.out, live.out);
    let (path, live) = saved("write-out.json", &["-q", "-w", format, "http://127.0.0.1:1/"]);
    assert_eq!(run(&["explain", &path, "-w", format]).expect(0).out, live.out);
    run(&["explain", &path, "-w", "x", "--blame"]).expect(2);
}

#[test]
fn bounds_that_were_passed_are_told_with_code_4() {
    let server = Server::start(script()).unwrap();
    let url = server.url("/");
    run(&["--slo", "total=20,first_byte=10", &url]).expect(0).says_not("slo");
    let (path, ran) = saved("slo.json", &["--slo", "first_byte=10ms,total=20s", &url]);
    let ran = ran.expect(4);
    assert_eq!(ran.out, "water");
    let ran = ran
        .says("waterclock: the call is done, but it passed a bound of --slo")
        .says("slo first_byte: it took ")
        .says("ms, the bound is 10 ms: ")
        .says_not("slo total");
    let document = common::checked(&std::fs::read_to_string(&path).unwrap());
    assert_eq!(
        (&document["error"]["kind"], &document["outcome"]),
        (&"slo".into(), &"error".into())
    );
    assert_eq!(document["error"]["status"], 200);
    let again = run(&["explain", &path]).expect(0);
    assert_eq!(again.out, ran.err);
    let other = run(&["explain", &path, "--slo", "total=1ms"]).expect(4);
    assert!(other.out.contains("slo total: it took") && !other.out.contains("slo first_byte"));
    assert_eq!(
        run(&["explain", &path, "--slo", "total=1ms", "-w", "%{exitcode}"]).expect(4).out,
        "4"
    );
    assert!(!run(&["explain", &path, "--slo", "total=20"]).expect(0).out.contains("slo"));
    let quiet = run(&["-q", "--slo", "first_byte=10ms", &url]).expect(4);
    assert_eq!(quiet.err.lines().count(), 2, "{}", quiet.err);
    assert_eq!(run(&["-qq", "--slo", "first_byte=10ms", &url]).expect(4).err, "");
}

#[test]
fn a_failure_goes_before_a_bound() {
    let silent = Server::start(vec![Step::ReadHead, Step::Stall]).unwrap();
    let ran = run(&["-m", "0.1", "--slo", "total=50ms", &silent.url("/")]).expect(28);
    ran.says("total limit of 100 ms fired").says("slo total: it took 1");
    let server = Server::start(script()).unwrap();
    run(&["--fail", "--slo", "total=0", &server.url("/missing")]).expect(22).says("slo total");
    for bad in ["tls", "ssl=1", "tls=x", ""] {
        run(&["--slo", bad, &server.url("/")]).expect(2).says("--slo");
    }
}
