//! `waterclock lab check` runs clients, measures them, and ends those that do not end.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]
#![allow(clippy::disallowed_methods, reason = "the clock, and waiting for processes")]

mod common;

use common::{Ran, interrupt, root, run, scratch, waterclock};
use rustix::process::{Pid, test_kill_process};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

fn check(arguments: &[&str]) -> Ran {
    Ran::from(waterclock().args(["lab", "check"]).args(arguments).output().unwrap())
}

fn row<'a>(results: &'a Value, scene: &str) -> &'a Value {
    let rows = results["scenes"].as_array().unwrap();
    rows.iter().find(|row| row["scene"] == scene).unwrap()
}

fn results(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.out))
}

#[test]
fn a_total_of_curl_bounds_everything() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("SKIPPED: curl cannot be run");
        return;
    }
    let scenes = "seed,tls-pieces,drip-head,stall-body,slow-proxy,ok,reset-head,slow-name";
    // Five times the usual limit: a busy machine may be long in starting curl.
    let curl = ["curl", "-qsSL", "-m", "{t}", "{url}"];
    let ran = check(
        &[
            &["--json", "--limit", "0.6", "--name", "curl -m t", "--scenes", scenes, "--"][..],
            &curl,
        ]
        .concat(),
    );
    let results = results(&ran.expect(0));
    for scene in ["seed", "tls-pieces", "drip-head", "stall-body", "slow-proxy"] {
        let row = row(&results, scene);
        assert_eq!((&row["ended"], &row["code"]), (&"badly".into(), &28.into()), "{row}");
        // From the first contact, and so a little less than curl's own time.
        let seconds = row["seconds"].as_f64().unwrap();
        assert!((0.3..10.0).contains(&seconds), "{row}");
        assert!(["yes", "late"].contains(&row["bounded"].as_str().unwrap()), "{row}");
        assert!(row["said"].as_str().unwrap().starts_with("curl: (28) "), "{row}");
    }
    assert_eq!(row(&results, "ok")["bounded"], "nothing");
    assert_eq!(row(&results, "reset-head")["code"], 56);
    assert_eq!(row(&results, "slow-name")["ended"], "skipped");
    assert_eq!(results["limit"], 0.6);
    assert!(results["verdict"].as_str().unwrap().starts_with("curl -m t bounded "), "{results}");
}

#[test]
fn our_own_client_is_seen_through_as_well() {
    let program = env!("CARGO_BIN_EXE_waterclock");
    let ran = check(&[
        "--scenes",
        "drip-body,no-close-notify",
        "--",
        program,
        "-q",
        "-t",
        "{t}",
        "{url}",
    ])
    .expect(0);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(
        lines[3].starts_with("drip-body       well ") && lines[3].ends_with("  NO"),
        "{}",
        ran.out
    );
    assert!(lines[4].starts_with("no-close-notify failed (18)"), "{}", ran.out);
    assert!(
        ran.out.contains("The limit of 120 ms bounded nothing here. It did NOT bound a body that")
    );
}

/// A shell as a client: it finds everything in its words and variables.
#[test]
fn placeholders_and_variables_are_filled() {
    let script = "test -f {ca} && test {t} = 0.24 && test \"$CURL_CA_BUNDLE\" = {ca} && \
                  test \"$SSL_CERT_FILE\" = {ca} && test \"$REQUESTS_CA_BUNDLE\" = {ca} && \
                  test -z \"$http_proxy$NO_PROXY\" && case {url} in https://ok.test:*) ;; *) exit 3 ;; esac && \
                  case $WATERCLOCK_LAB_DNS in 127.0.0.1:*) ;; *) exit 4 ;; esac && \
                  test {dns} = $WATERCLOCK_LAB_DNS";
    let file = scratch("named.toml");
    let text = "name = \"named\"\ndescription = \"d\"\nlisten = \"https\"\n\
                host = { name = \"ok.test\" }\nsteps = []\n";
    std::fs::write(&file, text).unwrap();
    let mut command = waterclock();
    command.env("http_proxy", "http://127.0.0.1:9").env("NO_PROXY", "*");
    command.args(["lab", "check", "--named", "--limit", "0.24", "--json", "--scenes"]);
    command.arg(&file).args(["--", "sh", "-c", script]);
    let ran = Ran::from(command.output().unwrap()).expect(0);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(row(&results(&ran), "named")["code"], 0, "{}", ran.out);
}

#[test]
fn a_client_can_measure_itself_and_its_words_are_harmless() {
    let script =
        ": {url}; printf '0.1234\\nReadTimeout:\\033[2J slow\\n' >$WATERCLOCK_LAB_REPORT; exit 1";
    let arguments = ["--scenes", "stall-head", "--", "sh", "-c", script];
    let ran = check(&arguments).expect(0);
    assert!(
        ran.out.contains(
            "stall-head      failed (1)      123 ms  yes       ReadTimeout:\\u{1b}[2J slow"
        )
    );
    let results = results(&check(&[&["--json"][..], &arguments].concat()).expect(0));
    assert_eq!(row(&results, "stall-head")["measured"], "by the client");
    assert_eq!(row(&results, "stall-head")["seconds"], 0.1234);
}

fn is_there(pid: &str) -> bool {
    let pid = Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    // A zombie of another parent is still there for a moment.
    let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    test_kill_process(pid).is_ok() && !state.is_ok_and(|state| state.contains(") Z "))
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "waited for: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_client_that_hangs_is_killed_with_its_children() {
    let file = scratch("hanging-child");
    let script = format!(": {{url}}; sleep 300 & echo $! >{}; wait", file.display());
    let begin = Instant::now();
    let ran =
        check(&["--scenes", "stall-head", "--timeout", "0.4", "--", "sh", "-c", &script]).expect(0);
    assert!(begin.elapsed() >= Duration::from_millis(400) && begin.elapsed() < PATIENCE);
    assert!(ran.out.contains("stall-head      killed          400 ms  NO\n"), "{}", ran.out);
    let child = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    wait_until("the end of the child", || !is_there(&child));
}

#[test]
fn an_interrupt_ends_the_check_and_the_client() {
    let file = scratch("interrupted-child");
    let script = format!(": {{url}}; echo $$ >{}; exec sleep 300", file.display());
    let mut command = waterclock();
    command.args([
        "lab",
        "check",
        "--timeout",
        "60",
        "--scenes",
        "stall-head",
        "--",
        "sh",
        "-c",
        &script,
    ]);
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let started = || std::fs::read_to_string(&file).ok().filter(|text| text.ends_with('\n'));
    wait_until("the client", || started().is_some());
    interrupt(&child);
    let code = child.wait().unwrap().code();
    assert_eq!(code, Some(130));
    let client = started().unwrap();
    std::fs::remove_file(&file).unwrap();
    wait_until("the end of the client", || !is_there(&client));
}

#[test]
fn what_cannot_be_checked_is_said() {
    for (arguments, words) in [
        (&["--", "curl", "http://127.0.0.1/"][..], "the command has no {url}"),
        (&["--"], "COMMAND"),
        (&["--scenes", "sed", "--", "true", "{url}"], "there is no scene \"sed\""),
        (&["--", "/nowhere/client", "{url}"], "cannot run /nowhere/client: No such file"),
        (&["--limit", "0", "--", "true", "{url}"], "--limit 0 leaves nothing to bound"),
        (&["--limit", "x", "--", "true", "{url}"], "write seconds"),
    ] {
        check(arguments).expect(2).says(words);
    }
}

#[test]
fn nothing_is_left_in_the_temporary_folder() {
    let folder = scratch("temporary");
    std::fs::create_dir(&folder).unwrap();
    let mut command = waterclock();
    command.env("TMPDIR", &folder).args(["lab", "check", "--scenes", "ok", "--", "true", "{url}"]);
    Ran::from(command.output().unwrap()).expect(0);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    std::fs::remove_dir(&folder).unwrap();
}

#[test]
fn the_page_about_clients_has_the_shipped_results() {
    let markdown = run(&["lab", "clients", "--markdown"]).expect(0).out;
    let page = std::fs::read_to_string(Path::new(&root()).join("docs/clients.md")).unwrap();
    let (table, sentences) = markdown.split_once("\n\n").unwrap();
    assert!(page.contains(table), "run scripts/client_table");
    assert!(page.contains(sentences.trim()), "run scripts/client_table");
    let list: Vec<Value> =
        serde_json::from_str(&run(&["lab", "clients", "--json"]).expect(0).out).unwrap();
    assert!(list.len() >= 8);
    // Whose total is none: more than one meaning of one number.
    let of = |name: &str| {
        let results =
            list.iter().find(|it| it["client"].as_str().unwrap().starts_with(name)).unwrap();
        row(results, "drip-head")["bounded"].as_str().unwrap().to_owned()
    };
    assert_eq!((of("requests").as_str(), of("aiohttp").as_str()), ("no", "yes"));
    let curl = run(&["lab", "clients", "CURL"]).expect(0).out;
    assert!(curl.starts_with("curl ") && curl.contains("\nstall-head"), "{curl}");
    run(&["lab", "clients", "nobody"]).expect(2).says("no such client; there are: requests");
}

#[test]
fn the_end_of_an_interpreter_is_no_part_of_a_call() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("SKIPPED: curl cannot be run");
        return;
    }
    let script = "curl -qsS -m {t} {url}; code=$?; sleep 1; exit $code";
    let ran =
        check(&["--json", "--limit", "0.6", "--scenes", "stall-head", "--", "sh", "-c", script]);
    let results = results(&ran.expect(0));
    let row = row(&results, "stall-head");
    assert_eq!(
        (&row["code"], &row["measured"]),
        (&28.into(), &"from its first contact".into()),
        "{row}"
    );
    assert!((0.3..1.6).contains(&row["seconds"].as_f64().unwrap()), "{row}");
}
