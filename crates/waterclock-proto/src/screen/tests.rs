//! The two screens of the documentation as exact text, and what must hold for every timeline.

mod any;
mod blame;
mod hops;
mod notes;
mod said;
mod shapes;
mod under;

use super::words::width;
use super::*;
use crate::limit::{Limit, Limits};
use crate::tick::Tick;
use crate::timeline::{
    AttemptEnd, Fired, Hop, HopReason, Phase, RequestLine, RequestSent, SpanEnd, What,
};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Microseconds since the start of the call.
fn us(n: u64) -> Tick {
    Tick::from_nanos(n * 1_000)
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn hop(method: &'static str, url: &str, started: Tick) -> Hop {
    Hop {
        request: Arc::new(RequestLine {
            method: method.parse().unwrap(),
            url: Url::parse(url).unwrap(),
        }),
        reason: HopReason::First,
        started,
        sent: None,
        head_ended: None,
        ended: None,
        status: None,
        connection: None,
    }
}

fn call(url: &str, limits: Limits) -> Timeline {
    let mut t = Timeline::new(us(0), limits);
    t.begin_hop(hop("GET", url, us(0)));
    t
}

/// A wait between two instants in microseconds, under a limit armed at a third one.
fn wait(t: &mut Timeline, phase: Phase, what: What, at: (u64, u64), under: Option<(u64, Limit)>) {
    let in_force = under.and_then(|(armed, limit)| {
        t.limits().get(limit).map(|duration| (us(armed).after(duration), limit))
    });
    t.record_wait(phase, what, us(at.0), us(at.1), in_force, SpanEnd::Ready);
}

fn connect(t: &mut Timeline, peer: &str, at: (u64, u64), under: Option<(u64, Limit)>) {
    let attempt = t.begin_attempt(peer.into(), us(at.0));
    wait(t, Phase::Connect, What::Connect(attempt), at, under);
    t.end_attempt(attempt, us(at.1), AttemptEnd::Connected);
}

/// The call that nobody could explain: 0.12 s that did not end a call of 0.32 s.
fn seed(limits: Limits) -> Timeline {
    let mut t = call("https://google.co.kr/", limits);
    wait(&mut t, Phase::Resolve, What::Answer, (300, 80_400), Some((300, Limit::Resolve)));
    connect(&mut t, "142.250.0.94", (80_800, 111_200), Some((80_800, Limit::Address)));
    wait(&mut t, Phase::Tls, What::Read, (111_600, 201_800), Some((111_200, Limit::Tls)));
    wait(&mut t, Phase::Tls, What::Read, (203_300, 222_200), Some((111_200, Limit::Tls)));
    t.set_request_sent(RequestSent::Yes);
    wait(&mut t, Phase::FirstByte, What::Read, (222_400, 322_900), Some((222_400, Limit::Read)));
    t.finish(us(323_200));
    t
}

/// The same under a deadline, which ends it in the third wait.
fn deadline() -> Timeline {
    let limits = Limits::per_wait(ms(120)).with(Limit::Total, Some(ms(120)));
    let total = Some((0, Limit::Total));
    let mut t = call("https://google.co.kr/", limits);
    wait(&mut t, Phase::Resolve, What::Answer, (200, 80_300), total);
    connect(&mut t, "142.250.0.94", (80_600, 111_000), total);
    let fired = (us(120_000), Limit::Total);
    t.record_wait(Phase::Tls, What::Read, us(111_600), us(120_040), Some(fired), SpanEnd::Expired);
    t.set_fired(Fired {
        limit: Limit::Total,
        phase: Phase::Tls,
        deadline: us(120_000),
        noticed: us(120_040),
    });
    t.finish(us(120_040));
    t
}

fn unicode() -> Style {
    Style::default()
}

fn ascii() -> Style {
    Style { charset: Charset::Ascii, ..Style::default() }
}

fn narrow() -> Style {
    Style { ambiguous_wide: true, ..Style::default() }
}

const HEAD: &str = "HTTP/1.1 200 OK  14.2 kB  323.2 ms  142.250.0.94:443  TLS 1.3  new connection";

/// As Python's requests arms `timeout=0.12`.
fn requests_limits() -> Limits {
    Limits::per_wait(ms(120)).with(Limit::Resolve, None)
}

#[test]
fn a_call_that_no_limit_ended() {
    let text = screen(&[HEAD.to_owned()], &seed(requests_limits()), &unicode());
    assert_eq!(
        text,
        "\
HTTP/1.1 200 OK  14.2 kB  323.2 ms  142.250.0.94:443  TLS 1.3  new connection

 #  wait               0         100       200       300     ms  of its limit
 1  dns google.co.kr   ████████▎                           80.1  no limit
 2  tcp 142.250.0.94           ███▍░░░░░░░░░               30.4   25% of 120
 3  tls read 1                    ▐████████▋░░░            90.2   76% of 120 ┐
 4  tls read 2                             ▕█▊░            18.9   93% of 120 ┘
 5  read headers                             ▕██████████  100.5   84% of 120
    █ waited  ░ limit left      ┐┘ one shared limit (the whole handshake)

 323.2 ms = 320.1 waiting + 3.1 local work + 0.0 unaccounted

 Why did timeout=0.12 not fire?
   No single wait reached 120 ms. The closest was tls: 111.0 of 120 ms (93%).
   timeout=0.12 is two limits, connect and read. Each starts again for every new
   wait (a TLS handshake counts as one), so they never add up. dns had no limit
   at all.
   A total deadline of 120 ms would have fired at 120.0 ms in wait 3 (tls read
   1), 8.4 ms into it. Try: --total 0.12
"
    );
}

#[test]
fn a_call_that_no_limit_ended_in_ascii() {
    assert_eq!(
        waterfall(&seed(requests_limits()), &ascii()),
        " #  wait               0         100       200       300     ms  of its limit
 1  dns google.co.kr   ########                            80.1  no limit
 2  tcp 142.250.0.94           ###..........               30.4   25% of 120
 3  tls read 1                    ##########...            90.2   76% of 120 \\
 4  tls read 2                              ##.            18.9   93% of 120 /
 5  read headers                              ##########  100.5   84% of 120
    # waited  . limit left      \\/ one shared limit (the whole handshake)

 323.2 ms = 320.1 waiting + 3.1 local work + 0.0 unaccounted
"
    );
}

#[test]
fn a_call_that_no_limit_ended_where_blocks_are_wide() {
    let text = waterfall(&seed(requests_limits()), &narrow());
    assert!(text.contains("⢸⣿⣿⣿⣿⣿⣿⣿⣿⡇░░░            90.2   76% of 120 \\\n"), "{text}");
    let ambiguous = ['█', '▏', '▐', '▕', '┐', '┘', '│', '─', '·', '…', '×', '–'];
    assert!(!text.contains(ambiguous), "{text}");
}

#[test]
fn a_limit_that_fired() {
    assert_eq!(
        screen(&[], &deadline(), &unicode()),
        " #  wait               0           50           100        ms  of its limit
 1  dns google.co.kr   ████████████████████▊░░░░░░░░░░   80.1   67% of 120 total
 2  tcp 142.250.0.94                       ▕███████▋░░   30.4   77% of 39.4 left
 3  tls read 1                                     ▕█✗    8.4  100% of 8.4 left
    not reached: send request, read headers, read body
    █ waited  ░ limit left  ✗ limit expired

 120.0 ms = 118.9 waiting + 1.1 local work + 0.0 unaccounted

 total limit of 120 ms fired in tls read 1 (fired at 120.04 ms, 0.04 late)
   spent before: dns 80.1, tcp 30.4, local 1.1. In this wait: 8.4 ms, 0 bytes.
   The server had answered TCP but not TLS.
   The request itself was never sent, so a retry is safe.
"
    );
}

#[test]
fn a_limit_that_fired_in_ascii() {
    assert_eq!(
        waterfall(&deadline(), &ascii()),
        " #  wait               0           50           100        ms  of its limit
 1  dns google.co.kr   #####################..........   80.1   67% of 120 total
 2  tcp 142.250.0.94                        ########..   30.4   77% of 39.4 left
 3  tls read 1                                      #x    8.4  100% of 8.4 left
    not reached: send request, read headers, read body
    # waited  . limit left  x limit expired

 120.0 ms = 118.9 waiting + 1.1 local work + 0.0 unaccounted
"
    );
}

#[test]
fn one_line_for_logs() {
    assert_eq!(
        one_line(&deadline()),
        "limit=total value=0.120 phase=tls wait=3 spent=120.04ms dns=80.1 tcp=30.4 tls=8.4 sent=no"
    );
    assert_eq!(
        one_line(&seed(Limits::none())),
        "limit=none spent=323.20ms dns=80.1 tcp=30.4 tls=109.1 headers=100.5 sent=yes"
    );
}

#[test]
fn colour_never_stands_alone() {
    let color = Style { color: true, ..Style::default() };
    let painted = waterfall(&seed(requests_limits()), &color);
    assert!(painted.contains("\x1b[31m 93% of 120 ┘\x1b[0m"), "{painted}");
    assert!(painted.contains("\x1b[33m 76% of 120 ┐\x1b[0m"), "{painted}");
    assert!(painted.contains("  25% of 120"), "{painted}");
    let mut plain = painted;
    for sgr in ["\x1b[31m", "\x1b[33m", "\x1b[0m"] {
        plain = plain.replace(sgr, "");
    }
    assert_eq!(plain, waterfall(&seed(requests_limits()), &unicode()));
}
