//! Every dialogue with a proxy, stopped behind every byte of the proxy's: the limits in force end it
//! at exactly their instants, and bytes that trickle in change nothing.

use crate::bench::{
    Bench, CONNECT, ESTABLISHED, PROXY, RESOLVE, Route, TUNNEL, at, ms, ok, proxy_tls_server,
    tls_server,
};
use crate::cut_tls::CutTls;
use crate::matrix::only;
use crate::stops::{meet, raw};
use crate::verify::{fired, tiles};
use std::time::Duration;
use waterclock::{ErrorKind, Limit, Limits, Phase, RequestSent, SessionBuilder};
use waterclock_sim::{Script, SimWorld};

const LIMIT: Duration = Duration::from_nanos(1_000_000_007);
/// Between two bytes.
const EVERY: Duration = ms(10);

/// What a proxy of one kind hears and says in turn.
struct Dialogue {
    scheme: &'static str,
    /// `user:password@`.
    user: &'static str,
    turns: &'static [(u64, &'static [u8])],
    /// Lookups before the connection: the proxy's name, and the origin's for SOCKS 4.
    lookups: u64,
}

const YES_4: &[u8] = &[0, 90, 1, 2, 3, 4, 5, 6];
const YES_5: &[u8] = &[5, 0, 0, 1, 1, 2, 3, 4, 5, 6];
const YES_5_NAME: &[u8] = b"\x05\0\0\x03\x09proxy.lan\x04\x38";
const YES_5_IPV6: &[u8] = &[5, 0, 0, 4, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7];

const DIALOGUES: &[Dialogue] = &[
    Dialogue { scheme: "socks4", user: "", turns: &[(9, YES_4)], lookups: 2 },
    Dialogue { scheme: "socks4", user: "ann@", turns: &[(12, YES_4)], lookups: 2 },
    Dialogue { scheme: "socks4a", user: "", turns: &[(9 + 12, YES_4)], lookups: 1 },
    Dialogue { scheme: "socks5", user: "", turns: &[(3, &[5, 0]), (10, YES_5)], lookups: 1 },
    Dialogue { scheme: "socks5h", user: "", turns: &[(3, &[5, 0]), (18, YES_5_NAME)], lookups: 1 },
    Dialogue { scheme: "socks5h", user: "", turns: &[(3, &[5, 0]), (18, YES_5_IPV6)], lookups: 1 },
    Dialogue {
        scheme: "socks5h",
        user: "ann:word@",
        turns: &[(4, &[5, 2]), (3 + 3 + 4, &[1, 0]), (18, YES_5)],
        lookups: 1,
    },
    // Offered, and not wanted.
    Dialogue {
        scheme: "socks5h",
        user: "ann:word@",
        turns: &[(4, &[5, 0]), (18, YES_5)],
        lookups: 1,
    },
];

impl Dialogue {
    fn bytes(&self) -> usize {
        self.turns.iter().map(|(_, said)| said.len()).sum()
    }

    /// The proxy, silent behind its first `keep` bytes; each byte comes `every` after the one before.
    fn script(&self, keep: usize, every: Duration) -> Script {
        let (mut script, mut left) = (Script::new(), keep);
        for (heard, said) in self.turns {
            script = script.expect_bytes(*heard);
            for byte in said.iter().take(left) {
                script = script.wait(every).send([*byte]);
            }
            if left < said.len() {
                break;
            }
            left -= said.len();
        }
        script
    }

    /// A world with the proxy, and a session that goes through it.
    fn bench(&self, script: Script) -> (Bench, waterclock::Session) {
        let bench = Bench::new(Route::Http);
        bench.world.listen(PROXY).after(ms(CONNECT)).serve(script);
        let url = format!("{}://{}proxy.test:3128", self.scheme, self.user);
        let session = bench.builder().proxy(&url).build().unwrap();
        (bench, session)
    }

    /// When the TCP connection is there.
    fn connected(&self) -> u64 {
        self.lookups * RESOLVE + CONNECT
    }
}

#[test]
fn socks_stopped_behind_every_byte() {
    for dialogue in DIALOGUES {
        for keep in 0..dialogue.bytes() {
            for (limit, since) in [
                (Limit::Tunnel, dialogue.connected()),
                (Limit::Connect, 0),
                (Limit::Attempt, 0),
                (Limit::Total, 0),
            ] {
                println!("{}{}: {keep} bytes, {limit}", dialogue.user, dialogue.scheme);
                let (bench, session) = dialogue.bench(dialogue.script(keep, ms(0)));
                let error = bench.get(&session).limits(only(limit, LIMIT)).send().unwrap_err();
                fired(&error, limit, Phase::Tunnel, at(since).after(LIMIT));
                assert_eq!(error.request_sent(), RequestSent::No);
                drop(session);
                assert_eq!(bench.world.open_sockets(), 0);
            }
        }
    }
}

/// Each byte comes just in time for a wait, and the whole comes too late. PySocks, which gives each
/// recv its timeout anew, succeeds.
#[test]
fn socks_dripped_is_bounded_as_a_whole() {
    for dialogue in DIALOGUES {
        let lookup = if dialogue.scheme == "socks5" { ms(RESOLVE) } else { Duration::ZERO };
        let whole = EVERY * u32::try_from(dialogue.bytes()).unwrap() + lookup;
        let script = || dialogue.script(usize::MAX, EVERY);
        for limit in [whole, whole - Duration::from_nanos(1), EVERY] {
            let (bench, session) = dialogue.bench(script());
            let limits = only(Limit::Tunnel, limit);
            let error = bench.get(&session).limits(limits).send().unwrap_err();
            fired(&error, Limit::Tunnel, Phase::Tunnel, at(dialogue.connected()).after(limit));
        }
        // A nanosecond more is enough.
        let (bench, session) = dialogue.bench(script().expect_head().send(ok("hello")));
        let limits = only(Limit::Tunnel, whole + Duration::from_nanos(1));
        let mut response = bench.get(&session).limits(limits).send().unwrap();
        assert_eq!(response.text().unwrap(), "hello");
        assert_eq!(response.timeline().ended(), at(dialogue.connected()).after(whole));
        tiles(response.timeline());
    }
}

#[test]
fn socks_ended_behind_every_byte_is_an_error_of_the_proxy() {
    for dialogue in DIALOGUES {
        for keep in 0..dialogue.bytes() {
            for end in [Script::close, Script::reset] {
                let script = end(dialogue.script(keep, ms(0)).wait(ms(4)));
                let (bench, session) = dialogue.bench(script);
                let error = bench.get(&session).limits(Limits::total(LIMIT)).send().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Proxy, "{error:#}");
                // The request of SOCKS 5 waits for the origin's address, once the greeting is answered.
                let looked_up = dialogue.scheme == "socks5" && keep >= 2;
                let asked = dialogue.connected() + if looked_up { RESOLVE } else { 0 };
                assert_eq!(error.timeline().unwrap().ended(), at(asked + 4));
            }
        }
    }
}

#[test]
fn connect_inside_tls_stopped_behind_every_byte() {
    for keep in 0..ESTABLISHED.len() {
        for (limit, since) in [
            (Limit::Tunnel, Route::SecureTunnel.tunnel_begins()),
            (Limit::Connect, 0),
            (Limit::Total, 0),
        ] {
            let bench = Bench::new(Route::SecureTunnel);
            let script = Script::new().expect_head().send(&ESTABLISHED[..keep]);
            meet(&bench, proxy_tls_server().wrap(script));
            let session = bench.session();
            let error = bench.get(&session).limits(only(limit, LIMIT)).send().unwrap_err();
            fired(&error, limit, Phase::Tunnel, at(since).after(LIMIT));
        }
    }
}

/// The origin's handshake inside the proxy's TLS, cut at many places of its flight.
#[test]
fn a_handshake_inside_tls_stopped_anywhere() {
    for keep in (0..450).step_by(23) {
        for (limit, since) in [
            (Limit::Tls, Route::SecureTunnel.tls_begins()),
            (Limit::Connect, 0),
            (Limit::Attempt, 0),
            (Limit::Total, 0),
        ] {
            let bench = Bench::new(Route::SecureTunnel);
            raw(&bench, CutTls::new(0, keep, &[]));
            let session = bench.session();
            let error = bench.get(&session).limits(only(limit, LIMIT)).send().unwrap_err();
            fired(&error, limit, Phase::Tls, at(since).after(LIMIT));
        }
    }
}

/// Each of the two handshakes has the whole of `tls`, and no more.
#[test]
fn tls_is_armed_afresh_for_the_handshake_inside() {
    let (outer, inner) = (Duration::from_millis(13), Duration::from_millis(11));
    let nano = Duration::from_nanos(1);
    let run = |limit| {
        let bench = Bench::serving(Route::SecureTunnel, Script::new().expect_head().send(ok("hi")));
        let session = bench.session();
        let result = bench.get(&session).limits(only(Limit::Tls, limit)).send();
        result.map(|response| response.timeline().clone())
    };
    let timeline = run(outer + nano).unwrap();
    assert_eq!(timeline.ended(), at(Route::SecureTunnel.ready()));
    let error = run(outer).unwrap_err();
    fired(&error, Limit::Tls, Phase::Tls, at(Route::SecureTunnel.connected()).after(outer));
    // Both together do not fit into it, and need not.
    assert!(outer + nano < outer + inner);
    // `connect` has both, and the dialogue between them.
    let bench = Bench::serving(Route::SecureTunnel, Script::new().expect_head().send(ok("hi")));
    let session = bench.session();
    let limits = only(Limit::Connect, ms(Route::SecureTunnel.ready()));
    let error = bench.get(&session).limits(limits).send().unwrap_err();
    fired(&error, Limit::Connect, Phase::Tls, at(Route::SecureTunnel.ready()));
}

/// The proxy has its own room for what the client sends, be it a few bytes: nothing is lost, nothing
/// changes places, and no limit is in the way.
#[test]
fn a_narrow_window_below_two_layers_of_tls() {
    for window in [1, 7, 100, 5_000] {
        let bench = Bench::new(Route::SecureTunnel);
        let size = if window < 100 { 100 } else { 100_000 };
        let script = Script::new().expect_head().expect_body().send(ok("hello")).close();
        bench.serve(script, Some(window));
        let session = bench.session();
        let body: Vec<u8> = (0..=250_u8).cycle().take(size).collect();
        let mut response = bench.post(&session).body(body.clone()).send().unwrap();
        assert_eq!(response.text().unwrap(), "hello");
        drop((response, session));
        let got = &bench.world.connections(PROXY)[0].decrypted;
        assert!(got.ends_with(&body), "window {window}");
        assert_eq!(bench.world.open_sockets(), 0);
    }
}

/// Both goodbyes leave, the origin's first.
#[test]
fn both_layers_say_goodbye() {
    let bench = Bench::serving(Route::SecureTunnel, Script::new().expect_head().send(ok("hello")));
    let session = bench.session();
    bench.get(&session).send().unwrap().text().unwrap();
    let before = bench.world.connections(PROXY)[0].received.len();
    drop(session);
    bench.world.advance(ms(1));
    let after = bench.world.connections(PROXY)[0].received.len();
    // Records of two bytes of alert, type and tag: 5 + 2 + 1 + 16, the origin's inside another.
    let notify = 5 + 2 + 1 + 16;
    assert_eq!(after - before, (5 + notify + 1 + 16) + notify);
}

/// The proxy's name, certificate and settings are its own, also where its door is the origin's.
#[test]
fn a_proxy_is_verified_by_its_own_name() {
    let bench = Bench::new(Route::SecureTunnel);
    // The origin's certificate, which the session trusts for origins.
    bench.world.listen(PROXY).after(ms(CONNECT)).serve(tls_server().wrap(Script::new()));
    let error = bench.get(&bench.session()).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Certificate, "{error:#}");
    assert!(error.to_string().contains("the proxy's certificate"), "{error}");
    // A TLS server of that name which is trusted for origins only.
    let bench = Bench::serving(Route::SecureTunnel, Script::new());
    let session = bench.builder().proxy_tls(waterclock::TlsSettings::default()).build().unwrap();
    let error = bench.get(&session).send().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Certificate | ErrorKind::InvalidRequest));
}

/// The origin's name is looked up while the proxy considers the greeting, each lookup under `resolve`.
#[test]
fn socks5_looks_the_origin_up_after_the_greeting() {
    for (dead, since) in [("origin.test", RESOLVE + CONNECT), ("proxy.test", 0)] {
        let world = SimWorld::new();
        for (name, address) in [("origin.test", "192.0.2.1"), ("proxy.test", "192.0.2.9")] {
            let host = world.host(name);
            match name == dead {
                true => host.never_answers(),
                false => host.resolves_to([address]).after(ms(RESOLVE)),
            };
        }
        let proxy = world.listen("192.0.2.9:1080");
        proxy.after(ms(CONNECT)).serve(Script::new().expect_bytes(3).send([5, 0]).stall());
        let builder = SessionBuilder::in_world(world.clone()).proxy("socks5://proxy.test");
        let session = builder.build().unwrap();
        let request = session.get("http://origin.test/").limits(only(Limit::Resolve, LIMIT));
        let error = request.send().unwrap_err();
        fired(&error, Limit::Resolve, Phase::Resolve, at(since).after(LIMIT));
    }
}

/// Only the time that the proxy takes is counted to it: its answer, not the origin's handshake.
#[test]
fn the_tunnel_limit_ends_with_the_dialogue() {
    for &route in &[Route::Tunnel, Route::SecureTunnel, Route::Socks] {
        let script = Script::new().expect_head().wait(ms(500)).send(ok("hello"));
        let bench = Bench::serving(route, script);
        let session = bench.session();
        let limits = only(Limit::Tunnel, ms(TUNNEL) + Duration::from_nanos(1));
        let mut response = bench.get(&session).limits(limits).send().unwrap();
        assert_eq!(response.text().unwrap(), "hello");
        assert_eq!(response.timeline().ended(), at(route.ready() + 500));
    }
}
