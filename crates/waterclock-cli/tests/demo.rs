//! The demo plays all its scenes, and each ends as it should.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]

mod common;

use common::{Ran, run, waterclock};

#[test]
fn the_list_names_the_scenes() {
    let ran = run(&["demo", "list"]).expect(0);
    for scene in ["seed", "drip", "backlog", "keepalive"] {
        assert!(ran.out.contains(&format!("\n  {scene} ")), "{}", ran.out);
    }
}

#[test]
fn the_seed_is_explained() {
    // Nothing outside the demo counts: not the environment's roots, nor its proxies.
    let mut command = waterclock();
    command.env("SSL_CERT_FILE", "/nowhere").env("https_proxy", "http://127.0.0.1:9");
    let ran = Ran::from(command.arg("demo").output().unwrap()).expect(0);
    let flat = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "$ waterclock -t 0.12 https://google.co.kr",
        "HTTP/1.1 200 OK 14.2 kB",
        "Why did timeout=0.12 not fire?",
        "$ waterclock --total 0.12 https://google.co.kr",
        "waterclock: total limit of 120 ms fired in tls read 1",
        "so a retry is safe. (exit code 28)",
    ] {
        assert!(flat.contains(words), "no \"{words}\" in:\n{}", ran.out);
    }
    assert!(ran.out.lines().all(|line| line.chars().count() <= 80));
    assert_eq!(ran.err, "");
}

#[test]
fn all_scenes_end_as_they_should() {
    let ran = run(&["demo", "all"]).expect(0);
    assert_eq!(ran.err, "");
    assert!(ran.out.matches("0.0 unaccounted").count() >= 21, "{}", ran.out);
    let flat = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "── hop 3 (redirect after 302) GET http://www.shop.test/home",
        "The 503 was not retried: the next try is due in 60 s, but only",
        "── hop 2 (retry after 503) GET http://busy.test/",
    ] {
        assert!(flat.contains(words), "no \"{words}\" in:\n{}", ran.out);
    }
}
