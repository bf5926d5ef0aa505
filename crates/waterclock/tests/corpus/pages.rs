//! The pages in `docs/hostile`, and `docs/how-we-know.md`, name tests and cases of the corpus: they exist.
//!
//! In backquotes, a test is `path.rs::name` or `path.py::name`, the path from the top of the repository, and a case is
//! `corpus FILE: NAME`, where the name of a section stands for all of its cases.

use crate::read;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Each page's name and text.
fn pages() -> Vec<(String, String)> {
    let files = fs::read_dir(top().join("docs/hostile")).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let mut pages = Vec::new();
    for file in files.chain([top().join("docs/how-we-know.md")]) {
        if file.extension().is_some_and(|extension| extension == "md") {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            pages.push((name, fs::read_to_string(file).unwrap()));
        }
    }
    pages
}

/// What stands between backquotes, without fenced blocks.
fn quoted(page: &str) -> impl Iterator<Item = &str> {
    page.lines()
        .filter(|line| !line.starts_with("```"))
        .flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// Path and name of a test, if that is what `text` is.
fn test(text: &str) -> Option<(&str, &str)> {
    text.split_once("::").filter(|(path, _)| path.ends_with(".rs") || path.ends_with(".py"))
}

/// Whether a file of Rust or Python has a test of that name.
fn has_test(path: &str, name: &str) -> bool {
    let text = fs::read_to_string(top().join(path)).unwrap_or_default();
    let heads = [format!("fn {name}("), format!("def {name}(")];
    text.lines().any(|line| heads.iter().any(|head| line.trim_start().starts_with(head)))
}

/// The number of rows in the tables of a page: lines with cells, without the two that begin a table.
fn table_rows(page: &str) -> usize {
    let cells = page.lines().filter(|line| line.starts_with('|')).count();
    let rules = page.lines().filter(|line| line.starts_with("|-") || line.starts_with("| -"));
    cells.saturating_sub(2 * rules.count())
}

#[test]
fn every_test_that_a_page_names_exists() {
    let pages = pages();
    assert!(pages.iter().any(|(name, _)| name == "responses.md"), "{pages:?}");
    for (page, text) in &pages {
        assert!(table_rows(text) > 0, "{page} has no table");
        let named: BTreeSet<_> = quoted(text).filter_map(test).collect();
        for (path, name) in &named {
            assert!(has_test(path, name), "{page}: no test {path}::{name}");
        }
        let cases = quoted(text).filter(|text| text.starts_with("corpus ")).count();
        assert!(named.len() + cases > 0, "{page} names no test");
    }
}

#[test]
fn every_case_that_a_page_names_exists() {
    let cases = read::all();
    for (page, text) in pages() {
        for named in quoted(&text).filter_map(|text| text.strip_prefix("corpus ")) {
            let (file, name) = named.split_once(": ").unwrap_or_else(|| {
                panic!("{page}: `corpus {named}` is not `corpus FILE: NAME`");
            });
            let found = cases
                .iter()
                .any(|case| case.file == file && (case.name == name || case.section() == name));
            assert!(found, "{page}: no case `corpus {named}`");
        }
    }
}
