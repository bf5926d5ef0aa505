//! The table of the documentation names tests that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// All Rust files below a directory.
fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// `docs/security.md` names each test as `path::name`, the path from the top of the repository.
#[test]
fn every_test_in_the_security_table_exists() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = fs::read_to_string(top.join("docs/security.md")).unwrap();
    let quoted = page.split('`').skip(1).step_by(2);
    let named: BTreeSet<_> = quoted.filter_map(|text| text.split_once(".rs::")).collect();
    assert!(named.len() >= 30, "only {} tests are named", named.len());
    for (path, name) in &named {
        let text = fs::read_to_string(top.join(format!("{path}.rs"))).unwrap_or_default();
        assert!(text.contains(&format!("\nfn {name}(")), "there is no test {path}.rs::{name}");
    }
    // And each test of the two programs that has the name of a flaw is in the table.
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut files = Vec::new();
    for program in ["cves", "cve_engine"] {
        sources(&tests.join(program), &mut files);
    }
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let tests = text.split("#[test]").skip(1).filter_map(|text| text.split("\nfn ").nth(1));
        for name in tests.filter_map(|text| text.split('(').next()) {
            let known =
                named.iter().any(|(_, known)| *known == name) || file.ends_with("documentation.rs");
            assert!(known, "{name} is not in docs/security.md");
        }
    }
}
