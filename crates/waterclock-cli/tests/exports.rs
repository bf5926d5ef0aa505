//! Exports: from a request, from a saved run, and what cannot be done.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]

mod common;

use common::{run, scratch};
use serde_json::Value;
use std::path::Path;
use waterclock_lab::{Script, Server, Step, respond, respond_with};

const FORMATS: [&str; 5] = ["har", "trace", "otlp", "html", "svg"];

/// Options for all formats, with files of their own.
fn all(name: &str) -> Vec<(String, String)> {
    let file = |format: &str| scratch(&format!("{name}.{format}")).to_str().unwrap().to_owned();
    FORMATS.iter().map(|format| (format!("--{format}"), file(format))).collect()
}

fn words(pairs: &[(String, String)]) -> Vec<&str> {
    pairs.iter().flat_map(|(option, file)| [option.as_str(), file.as_str()]).collect()
}

fn text(path: &str) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// A run document that a server of ours has made.
fn saved(name: &str) -> String {
    let server = Server::start(Script::every_request(respond(200, "tea"))).unwrap();
    let saved = scratch(name).to_str().unwrap().to_owned();
    run(&["-q", "--save", &saved, &server.url("/")]).expect(0);
    saved
}

#[test]
fn a_request_exports_what_a_saved_run_does() {
    let answer = respond_with(200, &[("Set-Cookie", "id=hush")], "tea");
    let server = Server::start(Script::every_request(answer)).unwrap();
    let saved = scratch("exports-run.json").to_str().unwrap().to_owned();
    let (live, later) = (all("live"), all("later"));
    let url = server.url("/물시계");
    let ran = run(&[&["--save", &saved, &url, "Cookie:a=hush"][..], &words(&live)].concat());
    assert_eq!(ran.expect(0).out, "tea");
    run(&[&["convert", saved.as_str()][..], &words(&later)].concat()).expect(0);
    for ((option, live), (_, later)) in live.iter().zip(&later) {
        assert!(text(live) == text(later), "{option}");
        assert!(!text(live).contains("hush"), "{option}");
    }
    for (_, file) in &live[..3] {
        serde_json::from_str::<Value>(&text(file)).unwrap();
    }
    assert!(text(&live[3].1).starts_with("<!DOCTYPE html>"));
    assert!(text(&live[4].1).starts_with("<svg"));
}

#[test]
fn secrets_are_exported_only_if_that_is_asked_for() {
    let server = Server::start(Script::every_request(respond(200, "tea"))).unwrap();
    let saved = scratch("exports-secret.json").to_str().unwrap().to_owned();
    let url = server.url("/");
    let ran = run(&["--with-secrets", "--save", &saved, "--har", "-", &url, "Cookie:a=hush"]);
    assert!(ran.expect(0).out.contains("\"value\": \"hush\""));
    assert!(!run(&["convert", &saved, "--har", "-"]).expect(0).out.contains("hush"));
    let shown = run(&["convert", &saved, "--har", "-", "--with-secrets"]).expect(0);
    assert!(shown.out.contains("hush"));
}

#[test]
fn a_call_that_fails_is_exported_and_keeps_its_exit_code() {
    let server = Server::start(vec![Step::ReadHead, Step::Stall]).unwrap();
    let page = scratch("exports-failed.html").to_str().unwrap().to_owned();
    run(&["--html", &page, "-m", "0.1", &server.url("/")]).expect(28);
    assert!(text(&page).contains("✗ timeout: total limit"));

    let ran = run(&["-q", "--har", "-", "http://h.test:99999/"]).expect(3);
    let archive: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(archive["log"]["entries"][0]["_error"]["kind"], "invalid-url");
}

#[test]
fn standard_output_is_for_one_document() {
    let saved = saved("exports-stdout.json");
    let ran = run(&["convert", &saved, "--svg", "-"]).expect(0);
    assert!(ran.out.starts_with("<svg") && ran.err.is_empty());
    run(&["convert", &saved, "--svg", "-", "--har", "-"])
        .expect(2)
        .says("only one can go to standard output: --har -, --svg -");
    let nobody = "http://127.0.0.1:1/";
    run(&["--json", "--har", "-", nobody]).expect(2).says("--har -, --json");
    run(&["-o", "-", "--har", "-", nobody]).expect(2).says("--har -, --output -");
}

#[test]
fn a_file_that_cannot_be_written_is_named_and_the_others_are_written() {
    let saved = saved("exports-unwritable.json");
    let picture = scratch("exports-written.svg").to_str().unwrap().to_owned();
    run(&["convert", &saved, "--har", "/nowhere/x.har", "--svg", &picture])
        .expect(23)
        .says("cannot write /nowhere/x.har: No such file");
    assert!(text(&picture).starts_with("<svg"));
    let server = Server::start(Script::every_request(respond(200, "tea"))).unwrap();
    let ran = run(&["--html", "/nowhere/x.html", &server.url("/")]).expect(23);
    assert_eq!(ran.says("cannot write /nowhere/x.html").out, "tea");
}

#[test]
fn what_cannot_be_converted_is_refused_in_words() {
    let saved = saved("exports-refused.json");
    run(&["convert", &saved]).expect(2).says("there is no format to convert to; add --html FILE");
    run(&["convert"]).expect(2).says("RUN.json");
    run(&["convert", "nowhere.json", "--har", "-"]).expect(2).says("cannot read nowhere.json");
    let broken = scratch("exports-broken.json");
    let missing = scratch("exports-broken.har");
    for (document, words) in [("{", "cut short"), ("{\"schema_version\": 7}", "newer")] {
        std::fs::write(&broken, document).unwrap();
        let (broken, missing) = (broken.to_str().unwrap(), missing.to_str().unwrap());
        let ran = run(&["convert", broken, "--har", missing]).expect(2);
        assert!(ran.err.contains(broken) && ran.err.contains(words), "{}", ran.err);
        assert!(!Path::new(missing).exists(), "nothing is written");
    }
}

#[test]
fn help_names_all_formats() {
    let help = run(&["convert", "--help"]).expect(0).out;
    for format in FORMATS {
        assert!(help.contains(&format!("--{format} <FILE>")), "{help}");
    }
    assert!(help.lines().all(|line| line.len() <= 80), "{help}");
}
