//! The configuration file, `waterclock env` and `waterclock generate`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]

mod common;

use common::{Ran, run, scratch, waterclock};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use waterclock_lab::{Script, Server, respond};

fn configured(name: &str, text: &str) -> PathBuf {
    let path = scratch(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn with(config: &PathBuf, arguments: &[&str]) -> Ran {
    let mut command = waterclock();
    Ran::from(command.env("WATERCLOCK_CONFIG", config).args(arguments).output().unwrap())
}

fn server() -> Server {
    Server::start(Script::every_request(respond(200, "tea"))).unwrap()
}

#[test]
fn the_file_says_what_the_command_line_does_not() {
    let server = server();
    let config = configured("config.toml", "header = ['X-Team: blue']\ntotal = 7\nquiet = 1\n");
    let document = with(&config, &["--json", &server.url("/")]).expect(0).document();
    assert_eq!(document["limits"]["total"].as_f64(), Some(7.0));
    assert_eq!(document["request"]["headers"][0][1], "blue");
    let document = with(&config, &["--json", "-m", "2", &server.url("/")]).expect(0).document();
    assert_eq!(document["limits"]["total"].as_f64(), Some(2.0), "the command line goes before");
    let plain = with(&config, &["--no-config", "--json", &server.url("/")]).expect(0).document();
    assert!(plain["limits"]["total"].is_null());
}

#[test]
fn a_file_that_cannot_be_used_is_said_and_can_be_left_out() {
    let server = server();
    let config = configured("bad.toml", "total = 1\nfolow = true\n");
    let url = server.url("/");
    with(&config, &[&url])
        .expect(2)
        .says("bad.toml, line 2: there is no option \"folow\"; did you mean \"follow\"?")
        .says("--no-config leaves it out.");
    with(&config, &["env"]).expect(2).says("line 2");
    with(&config, &["--no-config", &url]).expect(0);
    with(&config, &["--help"]).expect(0);
    let wrong = configured("wrong.toml", "total = 'soon'\n");
    with(&wrong, &[&url]).expect(2).says("soon");
    let missing = scratch("missing.toml");
    with(&missing, &[&url]).expect(2).says("cannot read the configuration file");
}

/// As where a home is: nobody has named the file.
fn at_home(mut command: Command, variable: &str, home: &Path) -> Command {
    command.env_remove("WATERCLOCK_CONFIG").env_remove("XDG_CONFIG_HOME").env(variable, home);
    command
}

#[test]
fn a_home_that_is_no_folder_has_no_file() {
    let server = server();
    for home in ["/dev/null", "/etc/passwd"].map(Path::new) {
        for variable in ["HOME", "XDG_CONFIG_HOME"] {
            let mut command = at_home(waterclock(), variable, home);
            Ran::from(command.arg(server.url("/")).output().unwrap()).expect(0);
            let ran = Ran::from(at_home(waterclock(), variable, home).arg("env").output().unwrap());
            assert!(ran.expect(0).out.contains("config.toml (not there)"), "{home:?}");
        }
        with(&home.join("config.toml"), &[&server.url("/")]).expect(2).says("cannot read the");
    }
}

/// The program as somebody who may not read everything.
fn unprivileged() -> Command {
    if !rustix::process::geteuid().is_root() {
        return waterclock();
    }
    let mut command = common::cleaned(Command::new("setpriv"));
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    command.arg(env!("CARGO_BIN_EXE_waterclock"));
    command
}

#[test]
fn a_home_that_may_not_be_read_has_no_file() {
    if !unprivileged().arg("--version").output().is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: root cannot run the program as somebody else here");
        return;
    }
    let server = server();
    let home = scratch("home");
    std::fs::create_dir_all(home.join(".config/waterclock")).unwrap();
    let file = home.join(".config/waterclock/config.toml");
    std::fs::write(&file, "folow = true\n").unwrap();
    let nobodys = std::fs::Permissions::from_mode(0o000);
    for closed in [&file, &home] {
        std::fs::set_permissions(closed, nobodys.clone()).unwrap();
        let mut command = at_home(unprivileged(), "HOME", &home);
        Ran::from(command.arg(server.url("/")).output().unwrap()).expect(0);
        let ran = Ran::from(at_home(unprivileged(), "HOME", &home).arg("env").output().unwrap());
        assert!(ran.expect(0).out.contains("config.toml (not readable)"));
        let mut named = unprivileged();
        named.env("WATERCLOCK_CONFIG", &file).arg(server.url("/"));
        Ran::from(named.output().unwrap()).expect(2).says("cannot read the configuration file");
    }
    std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::remove_dir_all(home).unwrap();
}

#[test]
fn env_prints_each_setting_and_its_source() {
    let config = configured("env.toml", "header = ['Authorization: secret']\nread-timeout = 3\n");
    let mut command = waterclock();
    command.arg("env").env("WATERCLOCK_CONFIG", &config);
    command.env("https_proxy", "http://user:hidden@proxy.test:3128").env("NO_COLOR", "1");
    command.env("CURL_CA_BUNDLE", "/etc/roots.pem");
    let ran = Ran::from(command.output().unwrap()).expect(0);
    let line = |name: &str| {
        let line = ran.out.lines().find(|line| line.starts_with(name));
        let line = line.unwrap_or_else(|| panic!("no {name} in\n{}", ran.out));
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(line("configuration").ends_with("env.toml WATERCLOCK_CONFIG"));
    assert_eq!(line("--header"), "--header (not shown) configuration, line 1");
    assert_eq!(line("--read-timeout"), "--read-timeout 3 configuration, line 2");
    assert_eq!(line("--resolve-timeout"), "--resolve-timeout 10 s default");
    assert_eq!(line("--total"), "--total none default");
    assert_eq!(line("proxy for https"), "proxy for https http://proxy.test:3128 https_proxy");
    assert_eq!(line("certificates"), "certificates /etc/roots.pem CURL_CA_BUNDLE");
    assert_eq!(line("colour"), "colour no NO_COLOR");
    assert_eq!(line("characters"), "characters unicode LC_ALL");
    assert!(!ran.out.contains("hidden") && !ran.out.contains("Authorization"), "{}", ran.out);
    let nothing_else = ran.out.lines().filter(|line| line.starts_with("--read-timeout"));
    assert_eq!(nothing_else.count(), 1);
}

#[test]
fn completions_and_the_man_page_know_every_command() {
    for (kind, word) in [
        ("complete-bash", "complete -F"),
        ("complete-zsh", "#compdef waterclock"),
        ("complete-fish", "complete -c waterclock"),
        ("complete-elvish", "edit:completion"),
        ("complete-powershell", "Register-ArgumentCompleter"),
        ("man", ".TH waterclock"),
    ] {
        let made = run(&["generate", kind]).expect(0).out;
        assert!(made.contains(word), "{kind}");
        for option in ["explain", "convert", "lab", "generate", "total", "pcapng"] {
            assert!(made.contains(option), "{kind} does not know {option}");
        }
    }
    run(&["generate", "complete-tcsh"]).expect(2).says("complete-tcsh");
    run(&["generate"]).expect(2);
}

#[test]
fn misspelled_words_get_a_suggestion() {
    run(&["explian", "run.json"]).expect(2).says("Did you mean `waterclock explain`?");
    // It may be a host after all.
    run(&["-m", "5", "expain"]).says("did you mean `waterclock explain`?");
    run(&["--folow", "h.test"]).expect(2).says("--follow");
    run(&["explain", "--blam", "x"]).expect(2).says("--blame");
    run(&["web", "run.json"]).expect(2).says_not("id you mean");
}

/// What bash itself makes of them.
#[test]
fn bash_completes_with_them() {
    let script = run(&["generate", "complete-bash"]).expect(0).out;
    let file = scratch("complete.bash");
    std::fs::write(&file, script).unwrap();
    let ask = "source \"$1\"; COMP_WORDS=(waterclock --to); COMP_CWORD=1; \
               _waterclock waterclock --to waterclock; printf '%s\\n' \"${COMPREPLY[@]}\"";
    let mut command = common::cleaned(Command::new("bash"));
    command.args(["--norc", "-c", ask, "bash", file.to_str().unwrap()]);
    let ran = Ran::from(command.output().unwrap()).expect(0);
    assert_eq!(ran.out.lines().collect::<Vec<_>>(), ["--total"], "{}", ran.err);
}
