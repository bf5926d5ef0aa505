//! What the documentation has from the program itself: the reference of the command line, and the pictures.
//!
//! `WATERCLOCK_BLESS=1 cargo test -p waterclock-cli --test generated` writes them again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]

mod common;

use common::{root, run};
use std::fs;
use std::path::Path;

/// Compares with what is in the repository, or replaces it.
fn hold(path: &Path, wanted: &str) {
    if std::env::var_os("WATERCLOCK_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, wanted).unwrap();
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    let line = found.lines().zip(wanted.lines()).position(|(found, wanted)| found != wanted);
    assert!(
        found == wanted,
        "{} is not what the program makes (first in line {}): \
         WATERCLOCK_BLESS=1 cargo test -p waterclock-cli --test generated",
        path.display(),
        line.map_or(found.lines().count().min(wanted.lines().count()), |line| line) + 1,
    );
}

const INTRODUCTION: &str = "\
# The command line

This page is printed by the program. `waterclock -h` is the first screen of it, `waterclock help timeouts` its table of
limits.
";

/// The parts of the page: a title, and the arguments that print it.
const PARTS: [(&str, &[&str]); 10] = [
    ("In short", &["-h"]),
    ("A request", &["--help"]),
    ("The limits", &["help", "timeouts"]),
    ("waterclock explain", &["explain", "--help"]),
    ("waterclock convert", &["convert", "--help"]),
    ("waterclock lab", &["lab", "--help"]),
    ("waterclock lab check", &["lab", "check", "--help"]),
    ("waterclock demo", &["demo", "--help"]),
    ("waterclock env", &["env", "--help"]),
    ("waterclock generate", &["generate", "--help"]),
];

#[test]
fn the_reference_of_the_command_line() {
    let mut page = INTRODUCTION.to_owned();
    for (title, arguments) in PARTS {
        let said = run(arguments).expect(0).out;
        page += &format!("\n## {title}\n\n```text\n{}\n```\n", said.trim_end());
    }
    hold(&root().join("docs/command-line.md"), &page);
}

#[test]
fn the_pictures() {
    let mut count = 0;
    for entry in fs::read_dir(root().join("docs/runs")).unwrap() {
        let path = entry.unwrap().path();
        let picture = run(&["convert", path.to_str().unwrap(), "--svg", "-"]).expect(0).out;
        let name = path.with_extension("svg");
        hold(&root().join("docs/pictures").join(name.file_name().unwrap()), &picture);
        count += 1;
    }
    assert!(count > 5, "only {count} runs");
}

#[test]
fn every_page_is_in_the_summary_and_every_picture_there() {
    let docs = root().join("docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    for entry in fs::read_dir(&docs).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name == "SUMMARY.md" || path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        assert!(summary.contains(&format!("]({name})")), "{name} is not in docs/SUMMARY.md");
        let page = fs::read_to_string(&path).unwrap();
        for link in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            assert!(docs.join(file).exists(), "{name} refers to {file}, which is not there");
        }
    }
}
