//! The call that this library was written for: `timeout=0.12`, and it took 0.32 s without an error.

use crate::bench::{ORIGIN, at, ms, trusting};
use crate::verify;
use rustls::version::TLS12;
use std::sync::Arc;
use waterclock::{Limit, Limits, Phase, Session, SessionBuilder};
use waterclock_sim::{Script, SimWorld, TlsServer};

/// A name in 80 ms, TCP in 30, a handshake of 90 and 20, an answer in 100: no wait takes 120 ms.
fn seed() -> (Arc<SimWorld>, Session) {
    let world = SimWorld::new();
    world.host(ORIGIN).resolves_to(["192.0.2.1"]).after(ms(80));
    let tls = TlsServer::new([ORIGIN]).versions(&[&TLS12]).flight_delays([ms(90), ms(20)]);
    let answer = Script::new().expect_head().wait(ms(100));
    let answer = answer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    world.listen("192.0.2.1:443").after(ms(30)).serve(tls.wrap(answer));
    let builder = SessionBuilder::in_world(world.clone()).tls(trusting([&*tls.root()]));
    (world, builder.build().unwrap())
}

#[test]
fn no_single_wait_is_too_long_and_the_verdict_says_so() {
    let (world, session) = seed();
    let limits = Limits::requests(Some(ms(120)), Some(ms(120)));
    let mut response = session.get("https://origin.test/").limits(limits).send().unwrap();
    assert_eq!(response.text().unwrap(), "ok");
    let timeline = response.timeline();
    assert_eq!(timeline.ended(), at(80 + 30 + (90 + 20) + 100));
    verify::tiles(timeline);
    let waits: Vec<_> = timeline
        .spans()
        .iter()
        .filter(|span| !span.duration().is_zero())
        .map(|span| (span.phase, span.duration().as_millis(), span.limit))
        .collect();
    let expected = [
        (Phase::Resolve, 80, Some(Limit::Resolve)),
        (Phase::Connect, 30, Some(Limit::Address)),
        (Phase::Tls, 90, Some(Limit::Tls)),
        (Phase::Tls, 20, Some(Limit::Tls)),
        (Phase::FirstByte, 100, Some(Limit::Read)),
    ];
    assert_eq!(waits, expected);
    let verdict = waterclock::screen::verdict(timeline).join("\n");
    for part in ["Why did timeout=0.12 not fire?", "No single wait reached 120 ms"] {
        assert!(verdict.contains(part), "{part:?} is not in:\n{verdict}");
        let explained = response.explain();
        assert!(explained.contains(part), "{part:?} is not in:\n{explained}");
    }
    drop((response, session));
    assert_eq!(world.open_sockets(), 0);
}

/// The deadline that its user meant: 120 ms, and they end in the handshake.
#[test]
fn a_total_fires_on_time() {
    let (world, session) = seed();
    let limits = Limits::total(ms(120));
    let error = session.get("https://origin.test/").limits(limits).send().unwrap_err();
    verify::fired(&error, Limit::Total, Phase::Tls, at(120));
    assert!(error.retry_safe());
    drop(session);
    assert!(world.connections("192.0.2.1:443")[0].decrypted.is_empty());
    assert_eq!(world.open_sockets(), 0);
}

/// And one millisecond less patience: the limit that requests calls `connect` fires in TLS.
#[test]
fn each_part_of_the_profile_fires_by_itself() {
    let table = [
        ((79, 120), Limit::Resolve, Phase::Resolve, 79),
        ((109, 120), Limit::Tls, Phase::Tls, 110 + 109),
        ((120, 99), Limit::Read, Phase::FirstByte, 220 + 99),
    ];
    for ((connect, read), limit, phase, when) in table {
        let (_world, session) = seed();
        let limits = Limits::requests(Some(ms(connect)), Some(ms(read)));
        let error = session.get("https://origin.test/").limits(limits).send().unwrap_err();
        verify::fired(&error, limit, phase, at(when));
    }
}
