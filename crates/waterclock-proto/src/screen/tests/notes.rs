//! Waits in words.

use super::*;

fn texts(timeline: &Timeline) -> Vec<String> {
    wait_notes(timeline).into_iter().map(|note| note.text).collect()
}

#[test]
fn each_wait_says_what_it_used_of_which_limit() {
    let limits = Limits::per_wait(ms(120)).with(Limit::Total, Some(ms(300)));
    let mut t = call("https://example.com/", limits);
    wait(&mut t, Phase::Resolve, What::Answer, (0, 80_100), None);
    connect(&mut t, "192.0.2.1:443", (80_200, 80_240), Some((80_200, Limit::Address)));
    wait(&mut t, Phase::Tls, What::Read, (81_000, 171_000), Some((81_000, Limit::Tls)));
    wait(&mut t, Phase::FirstByte, What::Read, (172_000, 235_000), Some((0, Limit::Total)));
    let deadline = us(300_000);
    let (started, noticed) = (us(240_000), us(300_200));
    let in_force = Some((deadline, Limit::Total));
    t.record_wait(Phase::Body, What::Read, started, noticed, in_force, SpanEnd::Expired);
    let fired = Fired { limit: Limit::Total, phase: Phase::Body, deadline, noticed };
    t.set_fired(fired);
    t.finish(noticed);
    assert_eq!(
        texts(&t),
        [
            "wait 1: dns example.com, 80.1 ms, no limit",
            "short wait: tcp 192.0.2.1:443, 0.0 ms, 0% of 120 ms (address)",
            "wait 2: tls read 1, 90.0 ms, 75% of 120 ms (tls)",
            "wait 3: read headers, 63.0 ms, 49% of 128.0 ms left (total)",
            "wait 4: read body, 60.2 ms, limit fired: total 300 ms, 0.2 ms late",
        ]
    );
}

#[test]
fn a_folded_run_is_one_note() {
    let mut t = call("http://example.com/", Limits::per_wait(ms(80)));
    for piece in 0..500 {
        let at = piece * 2_000;
        wait(&mut t, Phase::Body, What::Read, (at, at + 1_000), Some((at, Limit::Read)));
    }
    t.finish(us(1_000_000));
    let notes = texts(&t);
    assert!(notes.len() < 100);
    let folds: Vec<_> = notes.iter().filter(|text| text.starts_with("waits ")).collect();
    let [fold] = folds[..] else { panic!("{notes:#?}") };
    assert!(
        fold.contains(": read body x") && fold.ends_with(", longest 1.0 ms, 1% of 80 ms (read)")
    );
    assert!(notes.last().unwrap().starts_with("wait 500: "));
}

#[test]
fn names_are_escaped_and_failures_say_so() {
    let mut t = call("http://example.com/", Limits::none());
    let attempt = t.begin_attempt("\u{1b}[2J\u{202e}".into(), us(0));
    let (connect, what) = (Phase::Connect, What::Connect(attempt));
    t.record_wait(connect, what, us(0), us(1_000), None, SpanEnd::Cancelled);
    t.record_wait(Phase::Body, What::Read, us(1_000), us(2_000), None, SpanEnd::Failed);
    assert_eq!(
        texts(&t),
        ["wait 1: tcp \\u{1b}[2J\\u{202e}, 1.0 ms, cancelled", "wait 2: read body, 1.0 ms, failed"]
    );
}
