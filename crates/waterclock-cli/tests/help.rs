//! Help and usage errors.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]

mod common;

use common::run;

#[test]
fn the_short_help_fits_a_small_terminal() {
    let ran = run(&["-h"]).expect(0);
    assert!(ran.out.lines().count() <= 24, "{}", ran.out);
    assert!(ran.out.lines().all(|line| line.len() <= 80));
    assert!(ran.err.is_empty());
}

#[test]
fn the_long_help_is_80_columns_wide_and_has_every_option() {
    let ran = run(&["--help"]).expect(0);
    assert!(ran.out.lines().all(|line| line.chars().count() <= 80), "{}", ran.out);
    for option in ["--total <T>", "--max-time", "--first-byte-timeout", "--pinnedpubkey", "--json"]
    {
        assert!(ran.out.contains(option), "{option}");
    }
    assert_eq!(run(&["help"]).expect(0).out, ran.out);
}

#[test]
fn the_table_of_limits_needs_no_network() {
    let ran = run(&["help", "timeouts"]).expect(0);
    for option in ["-m, --total", "--first-byte-timeout", "--read-timeout", "EVERY WAIT"] {
        assert!(ran.out.contains(option), "{option}");
    }
    assert!(ran.out.lines().all(|line| line.len() <= 80));
    run(&["help", "cooking"]).expect(2).says("help timeouts");
}

#[test]
fn the_version_is_the_packages() {
    let ran = run(&["--version"]).expect(0);
    assert_eq!(ran.out, format!("waterclock {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn usage_errors_say_what_where_and_what_to_do() {
    for (arguments, words) in [
        (&[][..], "no URL; try `waterclock -h`"),
        (&["-m", "0", "h.test"], "'0' for '--total <T>': 0 would mean at once to some"),
        (&["-m", "-1", "h.test"], "'-1' for '--total <T>': a limit cannot be negative"),
        (&["--read-timeout", "1h", "h.test"], "write seconds (0.12), or 120ms, 3s, 2m, or none"),
        (&["-t", "1,x", "h.test"], "'1,x' for '--timeout"),
        (&["--no-such-option", "h.test"], "unexpected argument '--no-such-option'"),
        (&["--tls-min", "1.1", "h.test"], "[possible values: 1.2, 1.3]"),
        (&["--resolve", "h.test:80", "h.test"], "is not HOST:PORT:ADDRESS"),
        (&["-H", "nonsense", "h.test"], "a header is 'Name: value'"),
        (&["h.test", "nonsense"], "\"nonsense\" is no request item; write Header:value"),
        (&["h.test", "a=b", "--stdin"], "two bodies"),
        (&["--stdin", "-d", "x", "h.test"], "cannot be used with"),
        (&["--key", "k.pem", "h.test"], "--cert"),
        (&["--cacert", "/nowhere/ca.pem", "h.test"], "/nowhere/ca.pem"),
        (&["--pinnedpubkey", "sha256//x", "h.test"], "is not a pin"),
        (&["-X", "A B", "h.test"], "the method \"A B\""),
        (&["h.test", "-d", "@/nowhere/at/all"], "cannot read /nowhere/at/all"),
        (&["demo", "nonsense"], "no scene \"nonsense\"; see `waterclock demo list`"),
    ] {
        let ran = run(arguments).expect(2).says(words);
        assert!(ran.out.is_empty());
    }
}
