//! Timelines of particular shapes.

use super::any::check;
use super::*;

#[test]
fn show() {
    for (name, t) in all() {
        println!("=== {name}\n{}", screen(&[], &t, &unicode()));
    }
}

fn all() -> Vec<(&'static str, Timeline)> {
    vec![
        ("korean", korean()),
        ("long", long_host()),
        ("empty", call("http://a/", Limits::default())),
        ("one", one(3_000)),
        ("3h", one(3 * 3_600_000_000)),
        ("drip", drip(10_000)),
        ("drip15", drip(15)),
        ("phases", every_phase()),
        ("hops", hops()),
        ("race", race()),
        ("refused", refused()),
        ("bodylimit", body_limit()),
        ("caller", caller()),
        ("connect", connect_limit()),
    ]
}

fn korean() -> Timeline {
    let mut t = call("https://한국인터넷정보센터.한국/", Limits::per_wait(ms(500)));
    wait(&mut t, Phase::Resolve, What::Answer, (0, 80_000), Some((0, Limit::Resolve)));
    connect(&mut t, "[2001:db8:1234:5678:9abc:def0:1234:5678]:443", (80_000, 90_000), None);
    t.finish(us(90_000));
    t
}

fn long_host() -> Timeline {
    let url = format!("https://{}/", vec!["a".repeat(49); 6].join("."));
    let mut t = call(&url, Limits::per_wait(ms(500)));
    wait(&mut t, Phase::Resolve, What::Answer, (0, 80_000), Some((0, Limit::Resolve)));
    t.finish(us(90_000));
    t
}

fn one(long: u64) -> Timeline {
    let limits = Limits::total(Duration::from_micros(long) * 2);
    let mut t = call("http://example.com/", limits);
    wait(&mut t, Phase::FirstByte, What::Read, (0, long), Some((0, Limit::Total)));
    t.finish(us(long));
    t
}

/// A body that comes in many pieces.
fn drip(pieces: u64) -> Timeline {
    let mut t = call("http://example.com/", Limits::per_wait(ms(120)));
    wait(&mut t, Phase::FirstByte, What::Read, (0, 3_000), Some((0, Limit::Read)));
    for piece in 0..pieces {
        let at = 3_000 + piece * 2_000;
        let long = if piece == pieces / 2 { 1_900 } else { 1_000 };
        wait(&mut t, Phase::Body, What::Read, (at, at + long), Some((at, Limit::Read)));
        t.add_bytes(Phase::Body, 100);
    }
    t.finish(us(3_000 + pieces * 2_000));
    t
}

fn every_phase() -> Timeline {
    let mut t = call("https://example.com/", Limits::default());
    for (index, phase) in Phase::ALL.into_iter().filter(|phase| phase.is_wait()).enumerate() {
        let at = index as u64 * 10_000;
        wait(&mut t, phase, What::Read, (at, at + 9_000), Some((at, Limit::Read)));
    }
    t.record_caller(What::Source, t.ended(), t.ended().after(ms(5)));
    t.finish(t.ended());
    t
}

fn hops() -> Timeline {
    let mut t = call("https://google.co.kr/", Limits::per_wait(ms(120)));
    wait(&mut t, Phase::FirstByte, What::Read, (200, 90_000), Some((200, Limit::Read)));
    t.hop_mut().unwrap().status = Some(301);
    t.end_hop(us(91_000));
    let mut next = hop("GET", "https://www.google.co.kr/?q=a%20b", us(91_000));
    next.reason = HopReason::Redirect;
    t.begin_hop(next);
    let idle = Some(Duration::from_millis(4_100));
    t.use_connection(crate::timeline::ConnectionUse { number: 1, idle, peer: None });
    wait(&mut t, Phase::FirstByte, What::Read, (91_100, 190_000), Some((91_100, Limit::Read)));
    t.hop_mut().unwrap().status = Some(504);
    t.finish(us(190_500));
    t
}

fn race() -> Timeline {
    let mut t = call("http://example.com/", Limits::per_wait(ms(500)));
    let first = t.begin_attempt("[2001:db8::1]:80".into(), us(1_000));
    wait(
        &mut t,
        Phase::Connect,
        What::Connect(first),
        (1_000, 251_000),
        Some((1_000, Limit::Address)),
    );
    let second = t.begin_attempt("192.0.2.1:80".into(), us(251_000));
    wait(
        &mut t,
        Phase::Connect,
        What::Connect(second),
        (251_000, 271_000),
        Some((1_000, Limit::Address)),
    );
    t.end_attempt(second, us(271_000), AttemptEnd::Connected);
    t.end_attempt(first, us(271_000), AttemptEnd::Abandoned);
    t.finish(us(272_000));
    t
}

fn refused() -> Timeline {
    let mut t = call("http://example.com/", Limits::per_wait(ms(500)));
    let first = t.begin_attempt("127.0.0.1:1".into(), us(1_000));
    let under = Some((us(501_000), Limit::Address));
    t.record_wait(
        Phase::Connect,
        What::Connect(first),
        us(1_000),
        us(1_200),
        under,
        SpanEnd::Failed,
    );
    t.end_attempt(first, us(1_250), AttemptEnd::Failed("Connection refused (os error 111)".into()));
    t.finish(us(1_300));
    t
}

fn body_limit() -> Timeline {
    let mut t = call("http://example.com/", Limits::none().with(Limit::Body, Some(ms(200))));
    for (from, to) in [(0, 50_000), (50_000, 90_000), (90_000, 150_000)] {
        wait(&mut t, Phase::Body, What::Read, (from, to), Some((0, Limit::Body)));
        t.add_bytes(Phase::Body, 1_000);
    }
    let body = Some((us(200_000), Limit::Body));
    t.set_request_sent(RequestSent::Yes);
    t.record_wait(Phase::Body, What::Read, us(150_000), us(200_080), body, SpanEnd::Expired);
    t.set_fired(Fired {
        limit: Limit::Body,
        phase: Phase::Body,
        deadline: us(200_000),
        noticed: us(200_080),
    });
    t.finish(us(200_080));
    t
}

fn caller() -> Timeline {
    let mut t = call("http://example.com/", Limits::per_wait(ms(50)));
    for piece in 0..4 {
        let at = piece * 40_000;
        wait(&mut t, Phase::Body, What::Read, (at, at + 20_020), Some((at, Limit::Read)));
        wait(&mut t, Phase::Body, What::Read, (at + 20_020, at + 20_040), Some((at, Limit::Read)));
        t.record_caller(What::Reader, us(at + 20_040), us(at + 39_000));
    }
    t
}

/// `connect` goes over three phases.
fn connect_limit() -> Timeline {
    let limits = Limits::none().with(Limit::Connect, Some(ms(300)));
    let under = Some((0, Limit::Connect));
    let mut t = call("https://example.com/", limits);
    wait(&mut t, Phase::Resolve, What::Answer, (0, 80_000), under);
    connect(&mut t, "192.0.2.1:443", (80_100, 110_000), under);
    wait(&mut t, Phase::Tls, What::Read, (110_200, 150_000), under);
    wait(&mut t, Phase::FirstByte, What::Read, (150_500, 190_000), None);
    t.finish(us(190_000));
    t
}

#[test]
fn every_shape_is_shown_within_the_width_and_adds_up() {
    for (_, t) in all() {
        check(&t);
    }
}

#[test]
fn lines_to_draw_are_those_of_the_screen() {
    for (name, t) in all() {
        let text = waterfall(&t, &Style { width: 400, ..Style::default() });
        for line in lines(&t) {
            let words = match line {
                Line::Hop(words) | Line::Note(words) => words,
                Line::Row(row) => {
                    assert_eq!(row.kind == Kind::Short, row.bar.is_none());
                    format!("{:>4} {}", row.value, row.limit)
                }
            };
            let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(squeezed(&text).contains(&squeezed(&words)), "{name}: {words}\n{text}");
        }
    }
}

#[test]
fn rows_say_what_they_stand_for_and_what_they_share() {
    let rows = |t: &Timeline| -> Vec<Row> {
        let row = |line| match line {
            Line::Row(row) => Some(row),
            Line::Hop(_) | Line::Note(_) => None,
        };
        lines(t).into_iter().filter_map(row).collect()
    };
    let kinds: Vec<Kind> = rows(&race()).iter().map(|row| row.kind).collect();
    assert_eq!(kinds, [Kind::Wait, Kind::Wait, Kind::Lost]);
    let kinds: Vec<Kind> = rows(&caller()).iter().map(|row| row.kind).collect();
    assert!(kinds.contains(&Kind::Caller) && kinds.contains(&Kind::Short));
    let shared: Vec<_> = rows(&seed(requests_limits())).iter().map(|row| row.shared).collect();
    let whole = Some(Shared::First("the whole handshake"));
    assert_eq!(shared, [None, None, whole, Some(Shared::Last), None]);
    let shares = rows(&refused());
    assert_eq!((shares[0].limit.as_str(), shares[0].share), ("✗ refused", None));
}

#[test]
fn shared_limits_have_a_line_each_where_one_is_too_narrow_for_all() {
    let limits =
        Limits::none().with(Limit::Resolve, Some(ms(90))).with(Limit::Tunnel, Some(ms(90)));
    let mut t = call("https://example.com/", limits);
    for (phase, limit, from) in
        [(Phase::Resolve, Limit::Resolve, 0), (Phase::Tunnel, Limit::Tunnel, 20_000)]
    {
        for at in [from, from + 10_000] {
            wait(&mut t, phase, What::Read, (at, at + 10_000), Some((from + 90_000, limit)));
        }
    }
    t.finish(us(40_000));
    let wide = waterfall(&t, &unicode());
    assert!(
        wide.contains("┘ one shared limit (the whole lookup; the whole proxy dialogue)\n"),
        "{wide}"
    );
    let slim = waterfall(&t, &Style { width: 60, ..unicode() });
    for share in ["the whole lookup", "the whole proxy dialogue"] {
        assert!(slim.contains(&format!("    ┐┘ one shared limit ({share})\n")), "{slim}");
    }
}
