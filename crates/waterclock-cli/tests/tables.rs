//! Reads the tables of `docs/from-requests.md`: each row is complete, each test and each item that it
//! names exists, and each public name of requests and urllib3 (`data/requests-names.txt`) has its row.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

/// What the last column of a table is called that proves something.
const PROOF: &str = "the test that proves it";
/// In that column: nothing to prove, for the reason that the row gives.
const NONE: &str = "–";
/// How such a reason begins.
const REASONS: [&str; 5] =
    ["Python only: ", "Not needed: ", "Not here: ", "Not here yet: ", "see "];

/// A row of such a table.
struct Row {
    section: String,
    line: usize,
    cells: Vec<String>,
}

impl Row {
    fn name(&self) -> String {
        self.cells[0].trim_matches('`').to_owned()
    }

    /// The column that says what serves the name: the last but one.
    fn served(&self) -> &str {
        &self.cells[self.cells.len() - 2]
    }

    fn proof(&self) -> &str {
        &self.cells[self.cells.len() - 1]
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

fn rows() -> Vec<Row> {
    let text = std::fs::read_to_string(root().join("docs/from-requests.md")).unwrap();
    let (mut found, mut section, mut columns) = (Vec::new(), String::new(), 0);
    for (index, line) in text.lines().enumerate() {
        if let Some(heading) = line.strip_prefix("## ") {
            section = heading.to_owned();
        }
        let Some(inner) = line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")) else {
            columns = if line.starts_with("|--") { columns } else { 0 };
            continue;
        };
        let cells: Vec<_> = inner.split(" | ").map(|cell| cell.trim().to_owned()).collect();
        if cells.last().unwrap() == PROOF {
            columns = cells.len();
        } else if columns > 0 {
            assert_eq!(cells.len(), columns, "line {} has another number of cells", index + 1);
            found.push(Row { section: section.clone(), line: index + 1, cells });
        }
    }
    found
}

/// What stands in code font.
fn code(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn every_row_is_complete() {
    let mut wrong = Vec::new();
    for row in rows() {
        let empty = row.cells.iter().any(|cell| cell.is_empty() || cell == "-");
        let reasoned = REASONS.iter().any(|reason| row.served().starts_with(reason));
        let proved = code(row.proof()).count() > 0;
        if empty || !(proved || row.proof() == NONE && reasoned) {
            wrong.push(format!("line {}: {}", row.line, row.name()));
        }
    }
    assert!(wrong.is_empty(), "without a test, and without a reason:\n{}", wrong.join("\n"));
}

#[test]
fn every_name_has_its_row() {
    let list = include_str!("data/requests-names.txt");
    let mut wanted = BTreeSet::new();
    let mut section = "";
    for line in list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            Some(heading) => section = heading,
            None => assert!(wanted.insert((section.to_owned(), line.to_owned())), "twice: {line}"),
        }
    }
    let mut listed = BTreeMap::new();
    for row in rows().into_iter().filter(|row| row.cells.len() == 3) {
        let (name, line) = ((row.section.clone(), row.name()), row.line);
        assert_eq!(listed.insert(name, line), None, "line {line} is there twice: {}", row.name());
    }
    let missing: Vec<_> = wanted.iter().filter(|name| !listed.contains_key(name)).collect();
    let unknown: Vec<_> = listed.keys().filter(|name| !wanted.contains(name)).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "missing: {missing:#?}, unknown: {unknown:#?}"
    );
    assert!(wanted.len() > 600, "the list has shrunk to {}", wanted.len());
}

#[test]
fn every_test_exists() {
    let mut files = HashMap::new();
    let mut missing = BTreeSet::new();
    for row in rows() {
        for named in code(row.proof()) {
            let proof = named.split_once("::").is_some_and(|(path, name)| {
                let text = files
                    .entry(path.to_owned())
                    .or_insert_with(|| std::fs::read_to_string(root().join(path)).ok());
                text.as_deref().is_some_and(|text| proves(text, name))
            });
            if !proof {
                missing.insert(format!("line {}: {named}{}", row.line, moved_to(named)));
            }
        }
    }
    let list: Vec<_> = missing.into_iter().collect();
    assert!(list.is_empty(), "no such test, or no such example:\n{}", list.join("\n"));
}

/// Where a test of that name is, if it is elsewhere: what to write instead.
fn moved_to(named: &str) -> String {
    let name = named.rsplit("::").next().unwrap_or(named);
    let crates = root().join("crates");
    let has = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        text.contains(&format!("fn {name}(")) && proves(&text, name)
    };
    match sources(&crates).into_iter().find(has) {
        Some(path) => format!(" (it is in {})", path.strip_prefix(root()).unwrap().display()),
        None => String::new(),
    }
}

/// Whether the source has a test of that name, or an item whose documentation has an example that
/// runs.
fn proves(source: &str, name: &str) -> bool {
    let lines: Vec<_> = source.lines().map(str::trim).collect();
    let declares = |line: &str| {
        let words: Vec<_> = line.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        words.windows(2).any(|pair| {
            matches!(pair[0], "fn" | "struct" | "enum" | "trait" | "mod") && pair[1] == name
        })
    };
    let documented = |at: usize| {
        let above = lines[..at].iter().rev();
        above.take_while(|line| line.starts_with("///") || line.starts_with("#[")).copied()
    };
    // The opening fence of an example that runs is bare, and so is every closing one: an example that
    // does not run has an opening fence that is not.
    let runs = |at: usize| {
        let fences = documented(at).filter(|line| line.starts_with("/// ```"));
        let (bare, marked): (Vec<_>, Vec<_>) = fences.partition(|line| *line == "/// ```");
        bare.len() > marked.len()
    };
    let found = lines.iter().enumerate().filter(|(_, line)| declares(line));
    found.into_iter().any(|(at, _)| documented(at).any(|line| line == "#[test]") || runs(at))
}

#[test]
fn every_item_exists() {
    let known = items();
    let outside = ["None", "Clone", "Copy", "Url", "Authorization"];
    let mut missing = BTreeSet::new();
    for row in rows() {
        for token in row.cells[1..row.cells.len() - 1].iter().flat_map(|cell| code(cell)) {
            let path: Vec<_> = token.split("::").collect();
            let named = path.iter().all(|part| {
                !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_')
            });
            let ours = named && !matches!(path[0], "std" | "slice") && !outside.contains(&path[0]);
            let found = match path[..] {
                [.., owner, item] => {
                    item == "default" || known.contains(&(owner.to_owned(), item.to_owned()))
                }
                [one]
                    if one.starts_with(char::is_uppercase) && one.contains(char::is_lowercase) =>
                {
                    known.iter().any(|(_, item)| item == one)
                }
                _ => true,
            };
            if ours && !found {
                missing.insert(format!("line {}: {token}", row.line));
            }
        }
    }
    let list: Vec<_> = missing.into_iter().collect();
    assert!(list.is_empty(), "no such item:\n{}", list.join("\n"));
}

/// The public items of the client and its core, each with the type, trait or module that has it.
fn items() -> HashSet<(String, String)> {
    let mut found = HashSet::from([("waterclock".to_owned(), "run".to_owned())]);
    for krate in ["waterclock", "waterclock-proto"] {
        for path in sources(&root().join("crates").join(krate).join("src")) {
            let text = std::fs::read_to_string(&path).unwrap();
            let modules: Vec<_> = path.iter().filter_map(|part| part.to_str()).rev().collect();
            let modules = modules.iter().take_while(|part| **part != "src");
            let modules: Vec<_> = modules.map(|part| part.trim_end_matches(".rs")).collect();
            let mut owner = String::new();
            for line in text.lines() {
                let Some(declared) = declared(line) else {
                    owner = owner_of(line).unwrap_or(owner);
                    continue;
                };
                match line.starts_with(' ') {
                    true => _ = found.insert((owner.clone(), declared)),
                    false => {
                        let at = modules.iter().chain([&"waterclock"]);
                        found.extend(at.map(|module| ((*module).to_owned(), declared.clone())));
                        owner = declared;
                    }
                }
            }
        }
    }
    found
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let rust = files.into_iter().filter(|path| path.extension().is_some_and(|kind| kind == "rs"));
    rust.chain(folders.iter().flat_map(|folder| sources(folder))).collect()
}

/// The name that a line declares: an item at the margin, a member or a variant one level in.
fn declared(line: &str) -> Option<String> {
    let level = line.len() - line.trim_start().len();
    let name = |text: &str| {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        (end > 0).then(|| text[..end].to_owned())
    };
    let mut rest = line.trim_start();
    let public = rest.strip_prefix("pub ");
    rest = public.unwrap_or(rest);
    rest = rest.strip_prefix("const fn").map_or(rest, |_| &rest["const ".len()..]);
    for kind in ["fn ", "struct ", "enum ", "trait ", "const ", "mod ", "type "] {
        // The methods of a trait have no `pub`.
        if let Some(after) = rest.strip_prefix(kind) {
            return (public.is_some() || kind == "fn " && level == 4)
                .then(|| name(after))
                .flatten();
        }
    }
    let field = public.is_some() && level == 4;
    let variant = level == 4 && rest.starts_with(char::is_uppercase);
    if field || variant { name(rest) } else { None }
}

/// The type whose members follow.
fn owner_of(line: &str) -> Option<String> {
    let rest = line.strip_prefix("impl")?.trim_end().trim_end_matches('{').trim();
    let rest = rest.rsplit(" for ").next()?;
    let rest =
        rest.strip_prefix("<'").map_or(rest, |rest| rest.split_once("> ").map_or("", |s| s.1));
    Some(rest.split(['<', ' ']).next()?.rsplit("::").next()?.to_owned())
}
