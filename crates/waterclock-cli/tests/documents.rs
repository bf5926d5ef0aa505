//! Executes every command that the documentation shows, in the workspace's root.
//!
//! `https://example.com` is a server of ours, whose certificate is trusted; files without a folder are
//! written to a scratch folder, in which `docs` is that of the workspace.
//!
//! In blocks marked `sh` each line is a command; in blocks marked `console` each line after `$ `
//! is one, and what follows is what it must print, standard error included. Numbers, bars and line
//! breaks may differ, and `...` stands for anything. A command must succeed, unless its line ends
//! with `# exit N`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]

mod common;

use common::{cleaned, root, scratch};
use std::path::{Path, PathBuf};
use std::process::Command;
use waterclock_lab::{Identity, Script, Server, Tls, respond};

/// A command and what it must print.
#[derive(Debug, PartialEq)]
struct Shown {
    line: String,
    exit: i32,
    output: Option<String>,
}

#[test]
fn every_documented_command_does_what_is_shown() {
    let example = Example::start();
    let mut ran = 0;
    for path in documents() {
        let text = std::fs::read_to_string(&path).unwrap();
        for shown in commands(&text) {
            execute(&path, &shown, &example);
            ran += 1;
        }
    }
    assert!(ran >= 3, "only {ran} commands found");
}

/// What `https://example.com` stands for.
struct Example {
    server: Server,
    ca: PathBuf,
    /// Where commands about it are run.
    folder: PathBuf,
}

impl Example {
    fn start() -> Self {
        let identity = Identity::new(&["127.0.0.1"]).unwrap();
        let folder = scratch("example.com");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::os::unix::fs::symlink(root().join("docs"), folder.join("docs")).unwrap();
        let ca = folder.join("ca.pem");
        std::fs::write(&ca, identity.ca_pem()).unwrap();
        let script = Script::every_request(respond(200, "[\"apple\", \"pear\"]"));
        let server = Server::builder().tls(Tls::new(identity)).script(script).start().unwrap();
        Example { server, ca, folder }
    }
}

fn documents() -> Vec<PathBuf> {
    let root = root();
    let named = ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"].map(|name| root.join(name));
    let folder = std::fs::read_dir(root.join("docs")).into_iter().flatten();
    let mut pages: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    named.into_iter().filter(|path| path.exists()).chain(pages).collect()
}

fn commands(text: &str) -> Vec<Shown> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let kind = line.trim_start().strip_prefix("```");
        let Some(kind) = kind else { continue };
        let block: Vec<&str> =
            lines.by_ref().take_while(|line| !line.trim_start().starts_with("```")).collect();
        match kind {
            "sh" => found.extend(script(&block)),
            "console" => found.extend(session(&block)),
            _ => {}
        }
    }
    found
}

fn script(block: &[&str]) -> Vec<Shown> {
    let joined = block.join("\n").replace("\\\n", " ");
    let is_command = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with('#');
    joined.lines().filter(is_command).map(|line| shown(line, None)).collect()
}

fn session(block: &[&str]) -> Vec<Shown> {
    let mut found: Vec<Shown> = Vec::new();
    for line in block {
        match (line.strip_prefix("$ "), found.last_mut()) {
            (Some(command), _) => found.push(shown(command, Some(String::new()))),
            (None, Some(Shown { output: Some(output), .. })) => *output += &format!("{line}\n"),
            (None, _) => panic!("a console block begins with a command: {line}"),
        }
    }
    found
}

fn shown(line: &str, output: Option<String>) -> Shown {
    let (line, exit) = match line.rsplit_once("# exit ") {
        Some((line, code)) => (line, code.trim().parse().unwrap()),
        None => (line, 0),
    };
    Shown { line: line.trim().to_owned(), exit, output }
}

fn execute(path: &Path, shown: &Shown, example: &Example) {
    // The demo of a release build is the same, and takes minutes to build.
    let line = match shown.line.strip_prefix("./demo") {
        Some(arguments) => format!("waterclock demo{arguments}"),
        None => shown.line.replace("https://example.com/", &example.server.url("/")),
    };
    // What scripts and packages do is about the workspace, the rest about somebody's own folder.
    let is_ours = shown.line.starts_with("waterclock ");
    let program = Path::new(env!("CARGO_BIN_EXE_waterclock"));
    let mut folders = vec![program.parent().unwrap().to_owned()];
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let mut command = cleaned(Command::new("bash"));
    command
        .args(["-c", &format!("exec 2>&1; {line}")])
        .current_dir(if is_ours { example.folder.clone() } else { root() })
        .env("PATH", std::env::join_paths(folders).unwrap())
        .env("WATERCLOCK_INSIDE_TESTS", "1")
        .env("CURL_CA_BUNDLE", &example.ca);
    let output = command.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let place = format!("{}: $ {}", path.display(), shown.line);
    assert_eq!(output.status.code(), Some(shown.exit), "{place}\n{printed}");
    if let Some(wanted) = &shown.output {
        assert!(alike(wanted, &printed), "{place}\nwanted:\n{wanted}\nprinted:\n{printed}");
    }
}

/// Whether the words are the same; `...` stands for any number of words.
fn alike(wanted: &str, printed: &str) -> bool {
    let printed = words(printed);
    let parts: Vec<Vec<String>> =
        words(wanted).split(|word| word == "...").map(<[String]>::to_vec).collect();
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return false };
    if parts.len() == 1 {
        return *first == printed;
    }
    let mut at = first.len();
    if !printed.starts_with(first) {
        return false;
    }
    for part in parts.iter().skip(1) {
        let rest = &printed[at..];
        let found = (0..=rest.len()).find(|&from| rest[from..].starts_with(part));
        let Some(found) = found else { return false };
        at += found + part.len();
    }
    printed.ends_with(last)
}

/// Words without what differs from run to run: numbers, bars, the axis, and whether a wait was so
/// short that it has no row.
fn words(text: &str) -> Vec<String> {
    let same = |line: &&str| !line.contains("short wait") && !line.starts_with(" #  wait");
    let bar = |word: &&str| !word.contains(['█', '▏', '▕', '▐', '░', '┐', '┘', '│', '▎', '▌']);
    text.lines()
        .filter(same)
        .flat_map(|line| line.split_whitespace().filter(bar))
        .map(numbers)
        .collect()
}

/// `323.2` and `1,024` are numbers as a whole.
fn numbers(word: &str) -> String {
    let mut out = String::new();
    for c in word.chars() {
        let inside = out.ends_with('0') && (c.is_ascii_digit() || c == '.' || c == ',');
        if !inside {
            out.push(if c.is_ascii_digit() { '0' } else { c });
        }
    }
    out
}

#[test]
fn commands_are_found() {
    let text =
        "```sh\n# a comment\n./test \\\n  x\n```\ntext\n```console\n$ a # exit 3\nout\n$ b\n```\n";
    let all = commands(text);
    let line = |line: &str, exit, output: Option<&str>| Shown {
        line: line.into(),
        exit,
        output: output.map(Into::into),
    };
    assert_eq!(
        all,
        [line("./test    x", 0, None), line("a", 3, Some("out\n")), line("b", 0, Some(""))]
    );
}

#[test]
fn what_differs_from_run_to_run_is_not_compared() {
    assert!(alike(" 1  dns h ███▌ 80.1 67% of 120", " 1  dns h ██▏   79.9\n  66% of 120"));
    assert!(alike("a ... z", "a b c z") && alike("a ...", "a") && alike("...", ""));
    assert!(!alike("a ... z", "a b c") && !alike("a", "a b") && !alike("fired", "did not fire"));
    assert!(alike("1,024.5 bytes.", "7 bytes."));
}
