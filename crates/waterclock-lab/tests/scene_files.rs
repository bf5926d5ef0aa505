//! Scene files: the ready ones can be read, and what is wrong with a file is said.
#![allow(clippy::unwrap_used)] // helpers of tests may fail tests

use std::collections::BTreeSet;
use std::path::Path;

use waterclock_lab::scene::{Ends, FORMAT, Scene, ready, sources};

#[test]
fn every_file_of_the_folder_is_a_ready_scene_of_its_name() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenes");
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let listed: BTreeSet<String> = sources().iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(files, listed);
    for (name, text) in sources() {
        let scene = Scene::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(scene.name, *name);
        assert!(scene.description.len() > 60, "{name} says what a client should do");
    }
    assert_eq!(ready().len(), sources().len());
}

#[test]
fn a_scene_that_never_ends_tests_a_limit() {
    for scene in ready() {
        assert!(scene.ends != Ends::Never || scene.tests.is_some(), "{}", scene.name);
    }
    assert_eq!(Scene::ready("seed").unwrap().host(), Some("seed.test"));
    assert!(Scene::ready("slow-proxy").unwrap().has_proxy());
    assert!(Scene::ready("nonsense").is_none());
}

/// A whole scene with this route.
fn with_steps(steps: &str) -> String {
    format!("name = \"x\"\ndescription = \"y\"\n[[route]]\nsteps = [{steps}]\n")
}

fn error(text: &str) -> String {
    Scene::parse(text).map(|scene| scene.name).unwrap_err().to_string()
}

#[test]
fn what_is_wrong_in_a_step_is_said_with_its_line() {
    for (steps, message) in [
        (
            "{ wiat = 1 }",
            "line 4: unknown key \"wiat\"; did you mean \"wait\"? (allowed here: wait, respond, head, \
             interim, redirect, retry_after, chunk, send, read_slowly, repeat, forever, body, bytes)",
        ),
        (
            "{ respond = 200, header = {} }",
            "line 4: unknown key \"header\"; did you mean \"headers\"? (allowed here: respond, headers, \
             body, bytes, chunked, drip, every)",
        ),
        (
            "\n\n\"stal\"",
            "line 6: expected one of \"stall\", \"reset\", \"close\", \"half-close\", \
             \"close-without-notify\", \"read-head\", \"read-body\", \"read-body-in-silence\", \"drain\", \
             \"last-chunk\", found \"stal\"; did you mean \"stall\"?",
        ),
        (
            "{ wait = \"80\" }",
            "line 4: expected a duration up to an hour: \"80ms\", \"0.5s\", \"2m\" or seconds, found \"80\"",
        ),
        (
            "{ wait = -1 }",
            "line 4: expected a duration up to an hour: \"80ms\", \"0.5s\", \"2m\" or seconds, found -1",
        ),
        (
            "{ wait = nan }",
            "line 4: expected a duration up to an hour: \"80ms\", \"0.5s\", \"2m\" or seconds, found NaN",
        ),
        ("{ respond = 20 }", "line 4: expected a status from 100 to 999, found 20"),
        ("{ respond = \"200\" }", "line 4: expected a status from 100 to 999, found \"200\""),
        ("{ bytes = 1e3 }", "line 4: expected a whole number from 0 to 67108864, found 1000"),
        (
            "{ bytes = 67108865 }",
            "line 4: expected a whole number from 0 to 67108864, found 67108865",
        ),
        ("{ respond = 200, body = \"a\", bytes = 1 }", "line 4: body and bytes are two bodies"),
        (
            "{ bytes = 10, drip = 2 }",
            "line 4: drip and every go together: drip = 8, every = \"100ms\"",
        ),
        ("{ retry_after = 0.5 }", "line 4: Retry-After has whole seconds: 1, or \"2s\""),
        ("{ read_slowly = 8 }", "line 4: there is no \"every\" here"),
        (
            "{ head = 200, headers = { X = \"a\\r\\nY: b\" } }",
            "line 4: a field's value is one line; write what is broken with send",
        ),
        (
            "{ head = 200, headers = { \"X:\" = \"a\" } }",
            "line 4: a field's name has neither colons nor control characters",
        ),
        (
            "{}",
            "line 4: a step is one of wait, respond, head, interim, redirect, retry_after, chunk, send, \
             read_slowly, repeat, forever, body, bytes",
        ),
        ("7", "line 4: expected a table, found 7"),
    ] {
        assert_eq!(error(&with_steps(steps)), message, "{steps}");
    }
}

#[test]
fn what_is_wrong_in_a_scene_is_said_with_its_line() {
    let scene = |rest: &str| format!("name = \"x\"\ndescription = \"y\"\n{rest}");
    for (text, message) in [
        (String::new(), "line 1: there is no \"name\" here"),
        ("name = \"x\"".to_owned(), "line 1: there is no \"description\" here"),
        ("name = \"a b\"".to_owned(), "line 1: a scene's name has letters, digits and \"-\""),
        (
            scene(""),
            "line 1: nothing is done: write [[route]] with steps, or steps for each connection",
        ),
        (
            scene("listen = \"htps\"\nsteps = []"),
            "line 3: expected one of \"http\", \"https\", \"tcp\", found \"htps\"; did you mean \"https\"?",
        ),
        (
            scene("tls = { version = \"1.2\" }\nsteps = []"),
            "line 3: [tls] needs listen = \"https\"",
        ),
        (
            scene("listen = \"https\"\nsteps = []\n[tls]\nstall_after = 0\nreset_after = 0"),
            "line 5: a handshake has one end: stall_after or close_after or reset_after",
        ),
        (
            scene("listen = \"tcp\"\n[[route]]\nsteps = []"),
            "line 4: listen = \"tcp\" knows no requests: write steps instead of routes",
        ),
        (
            scene("[[route]]\npath = \"x\"\nsteps = []"),
            "line 4: a path begins with \"/\"; \"*\" is every path",
        ),
        (scene("[[route]]\ntimes = 0\nsteps = []"), "line 4: times is at least 1"),
        (scene("[[route]]\npath = \"/\""), "line 3: there is no \"steps\" here"),
        (
            scene("host = { name = \"a/b\" }"),
            "line 3: a host's name has letters, digits, \"-\" and \".\": \"shop.test\"",
        ),
        (
            scene("steps = []\ntests = {}"),
            "line 4: tests is either { one_wait = \"...\" } or { many_waits = \"...\" }",
        ),
        (
            scene("backlog = \"ever\""),
            "line 3: expected a duration such as \"80ms\", or \"never\", found \"ever\"",
        ),
        (
            scene("steps = []\n[proxy]\nkind = \"socks\"\ndrip = 1\nevery = 1"),
            "line 4: only a proxy of kind \"http\" can drip",
        ),
        (
            scene("[[rout]]\nsteps = []"),
            "line 3: unknown key \"rout\"; did you mean \"route\"? (allowed here: name, description, \
             listen, tests, ends, backlog, host, tls, proxy, route, steps)",
        ),
        ("name = ".to_owned(), "line 1: this is not TOML: unexpected eof encountered"),
        ("a = 1\na = 2".to_owned(), "line 2: this is not TOML: duplicate key: `a`"),
        ("\u{1b}[2J".to_owned(), "line 1: this is not TOML: unexpected character found: `\\u{1b}`"),
        (format!("a = {}", "[".repeat(100_000)), "line 1: more than 64 brackets are open here"),
    ] {
        assert_eq!(error(&text), message, "{text}");
    }
}

#[test]
fn no_text_makes_the_reader_panic() {
    // Each ready scene, cut off at each byte, and with each byte replaced by another one.
    for (_, text) in sources() {
        for place in (0..text.len()).filter(|place| text.is_char_boundary(*place)) {
            let _ = Scene::parse(&text[..place]);
            let mut bytes = text.as_bytes().to_vec();
            bytes[place] = b"\"]}=#\n\\\0-9"[place % 10];
            let _ = std::str::from_utf8(&bytes).map(Scene::parse);
        }
    }
}

#[test]
fn the_format_names_every_key_and_step() {
    // What an error lists as allowed is all there is.
    let allowed = |text: &str| {
        let message = error(text);
        let list =
            message.split_once("(allowed here: ").unwrap().1.trim_end_matches(')').to_owned();
        list.split(", ").map(str::to_owned).collect::<Vec<_>>()
    };
    let steps = allowed(&with_steps("{ nonsense = 1 }"));
    let keys = allowed("nonsense = 1");
    let of_table = |table: &str| {
        allowed(&format!(
            "name = \"x\"\ndescription = \"y\"\nlisten = \"https\"\nsteps = []\n{table}"
        ))
    };
    let tables = ["[tls]\nx = 1", "[host]\nx = 1", "[proxy]\nx = 1"].map(of_table).concat();
    let route = allowed("name = \"x\"\ndescription = \"y\"\n[[route]]\nx = 1");
    for word in [steps, keys, tables, route].concat() {
        let named = [format!("`{word}`"), format!("{{ {word} ="), format!("[{word}]")];
        assert!(named.iter().any(|name| FORMAT.contains(name.as_str())), "{word}");
    }
}
