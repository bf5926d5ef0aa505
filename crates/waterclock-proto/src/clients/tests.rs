//! The table "one number, eight meanings", and what else each client's rules say.

use super::*;
use crate::message::Method;
use crate::screen::{self, Style};
use crate::tick::Tick;
use crate::timeline::{
    AttemptEnd, ConnectionUse, Hop, HopReason, Phase, RequestLine, SpanEnd, What,
};
use std::sync::Arc;
use url::Url;

fn ms(n: u64) -> Tick {
    Tick::from_nanos(n * 1_000_000)
}

fn begin(t: &mut Timeline, reason: HopReason, at: u64) {
    let url = Url::parse("https://example.com/").unwrap();
    t.begin_hop(Hop {
        request: Arc::new(RequestLine { method: Method::Get, url }),
        reason,
        started: ms(at),
        sent: None,
        head_ended: None,
        ended: None,
        status: None,
        connection: None,
    });
}

/// Waits one after the other, in ms.
fn hop(t: &mut Timeline, waits: &[(Phase, u64)]) {
    for &(phase, long) in waits {
        let at = t.ended().as_nanos() / 1_000_000;
        if phase == Phase::FirstByte && t.hops().last().is_some_and(|hop| hop.sent.is_none()) {
            t.hop_mut().unwrap().sent = Some(ms(at));
        }
        let what = match phase {
            Phase::Connect => What::Connect(t.begin_attempt("192.0.2.1:443".into(), ms(at))),
            Phase::Resolve | Phase::Pool => What::Answer,
            _ => What::Read,
        };
        t.record_wait(phase, what, ms(at), ms(at + long), None, SpanEnd::Ready);
        if let What::Connect(attempt) = what {
            t.end_attempt(attempt, ms(at + long), AttemptEnd::Connected);
        }
    }
}

fn call(waits: &[(Phase, u64)]) -> Timeline {
    let mut t = Timeline::new(ms(0), Limits::none());
    begin(&mut t, HopReason::First, 0);
    hop(&mut t, waits);
    t.finish(t.ended());
    t
}

const LOOKUP: &[(Phase, u64)] = &[(Phase::Resolve, 80)];

/// Column A: TLS 90 ms, headers after 100.
fn seed(lookup: &[(Phase, u64)]) -> Timeline {
    let rest = [(Phase::Connect, 1), (Phase::Tls, 90), (Phase::FirstByte, 100)];
    call(&[lookup, &rest].concat())
}

/// Column B: the server's TLS flight in five parts, 80 ms each.
fn flight(lookup: &[(Phase, u64)]) -> Timeline {
    let tls = [(Phase::Tls, 80); 5];
    call(&[lookup, &[(Phase::Connect, 1)], &tls, &[(Phase::FirstByte, 5)]].concat())
}

/// Column C: 8 bytes of headers every 100 ms, without TLS.
fn drip(lookup: &[(Phase, u64)]) -> Timeline {
    let head = [(Phase::Head, 100); 16];
    call(&[lookup, &[(Phase::Connect, 1), (Phase::FirstByte, 100)], &head].concat())
}

fn ask(client: &str, settings: &str) -> Question {
    Client::from_name(client).unwrap().ask(settings).unwrap()
}

/// When it fires, in ms, and what the user sees; `None` if it does not.
fn fires(client: &str, settings: &str, t: &Timeline) -> Option<(u128, &'static str)> {
    match ask(client, settings).outcome(t) {
        Outcome::Succeeds => None,
        Outcome::Fires(fires) => Some((fires.at.as_millis(), fires.error)),
    }
}

#[test]
fn one_number_eight_meanings() {
    // Rows of Python clients have the lookup, as measured; the others have not.
    let total = "TimeoutError, with an empty message";
    let late = "urllib3.exceptions.ReadTimeoutError";
    for (client, settings, lookup, a, b, c) in [
        (
            "requests",
            "timeout=0.12",
            LOOKUP,
            None,
            Some((201, "requests.exceptions.ReadTimeout")),
            None,
        ),
        ("httpx", "timeout=0.12", LOOKUP, None, Some((201, "httpx.ConnectTimeout")), None),
        ("urllib3", "total=0.12", LOOKUP, Some((171, late)), Some((201, late)), Some((120, late))),
        (
            "aiohttp",
            "total=0.12",
            LOOKUP,
            Some((120, total)),
            Some((120, total)),
            Some((120, total)),
        ),
        (
            "curl",
            "-m 0.12",
            &[],
            Some((120, "exit code 28")),
            Some((120, "exit code 28")),
            Some((120, "exit code 28")),
        ),
        ("curl", "--connect-timeout 0.12", &[], None, Some((120, "exit code 28")), None),
        ("wget", "--timeout=0.12", &[], None, None, None),
    ] {
        let settings_of = |t: &Timeline| fires(client, settings, t);
        assert_eq!(settings_of(&seed(lookup)), a, "{client} {settings}, A");
        assert_eq!(settings_of(&flight(lookup)), b, "{client} {settings}, B");
        assert_eq!(settings_of(&drip(lookup)), c, "{client} {settings}, C");
    }
    let go = "context deadline exceeded (Client.Timeout exceeded)";
    for t in [seed(LOOKUP), flight(LOOKUP), drip(LOOKUP)] {
        assert_eq!(fires("go", "Client.Timeout=120ms", &t), Some((120, go)));
    }
}

#[test]
fn the_lookup_is_bounded_by_some() {
    let slow = call(&[(Phase::Resolve, 500), (Phase::Connect, 1), (Phase::FirstByte, 1)]);
    for (client, settings, at) in [
        ("requests", "timeout=0.12", None),
        ("httpx", "timeout=0.12", None),
        // It is counted, but nothing looks at the clock before the request is sent.
        ("urllib3", "total=0.12", Some(501)),
        ("urllib3", "timeout=0.12", None),
        ("aiohttp", "total=0.12", Some(120)),
        ("aiohttp", "connect=0.12", Some(120)),
        ("aiohttp", "sock_connect=0.12", None),
        ("curl", "--connect-timeout 0.12", Some(120)),
        ("wget", "--timeout 0.12", Some(120)),
        ("wget", "--connect-timeout 0.12", None),
        ("go", "Dialer.Timeout=120ms", Some(120)),
        ("go", "TLSHandshakeTimeout=120ms", None),
    ] {
        assert_eq!(fires(client, settings, &slow).map(|(at, _)| at), at, "{client} {settings}");
    }
}

#[test]
fn redirects_begin_again_for_some() {
    let mut t = Timeline::new(ms(0), Limits::none());
    begin(&mut t, HopReason::First, 0);
    let waits = [(Phase::Connect, 60), (Phase::FirstByte, 100)];
    hop(&mut t, &waits);
    begin(&mut t, HopReason::Redirect, 160);
    hop(&mut t, &waits);
    t.finish(ms(320));
    for (client, settings, at) in [
        ("requests", "timeout=0.12", None),
        ("urllib3", "total=0.17", None),
        ("urllib3", "total=0.15", Some(150)),
        ("aiohttp", "total=0.3", Some(300)),
        ("curl", "--max-time 0.3", Some(300)),
        ("curl", "--connect-timeout 0.07", None),
        ("curl", "--connect-timeout 0.05", Some(50)),
        ("wget", "--timeout 0.12", None),
        ("go", "Timeout=300ms", Some(300)),
        ("go", "ResponseHeaderTimeout=0.12", None),
        ("go", "ResponseHeaderTimeout=0.09", Some(150)),
    ] {
        assert_eq!(fires(client, settings, &t).map(|(at, _)| at), at, "{client} {settings}");
    }
}

#[test]
fn addresses_are_bounded_one_by_one() {
    let mut t = Timeline::new(ms(0), Limits::none());
    begin(&mut t, HopReason::First, 0);
    let first = t.begin_attempt("[2001:db8::1]:443".into(), ms(0));
    t.record_wait(Phase::Connect, What::Connect(first), ms(0), ms(250), None, SpanEnd::Ready);
    let second = t.begin_attempt("192.0.2.1:443".into(), ms(250));
    t.record_wait(Phase::Connect, What::Connect(second), ms(250), ms(270), None, SpanEnd::Ready);
    t.end_attempt(second, ms(270), AttemptEnd::Connected);
    t.end_attempt(first, ms(270), AttemptEnd::Abandoned);
    t.finish(ms(270));
    assert_eq!(fires("requests", "timeout=0.12", &t), None, "the first address is one less");
    assert_eq!(fires("requests", "timeout=0.015", &t).map(|(at, _)| at), Some(265));
    assert_eq!(fires("curl", "--connect-timeout 0.12", &t).map(|(at, _)| at), Some(120));
    let text = screen::as_client(&ask("requests", "timeout=0.12"), &t, &Style::default());
    assert!(
        text.contains("Several addresses were tried at once here; requests tries one"),
        "{text}"
    );
}

#[test]
fn a_body_and_a_proxy_have_their_own_errors() {
    let body = call(&[(Phase::Connect, 1), (Phase::FirstByte, 5), (Phase::Body, 200)]);
    let error = |client, settings, t: &Timeline| fires(client, settings, t).map(|(_, error)| error);
    let connection = "requests.exceptions.ConnectionError";
    assert_eq!(error("requests", "timeout=0.12", &body), Some(connection));
    assert_eq!(error("httpx", "timeout=0.12", &body), Some("httpx.ReadTimeout"));
    assert_eq!(error("aiohttp", "sock_read=0.12", &body), Some("aiohttp.SocketTimeoutError"));
    let proxy = call(&[(Phase::Connect, 1), (Phase::Tunnel, 200), (Phase::Tls, 5)]);
    let read = "requests.exceptions.ReadTimeout";
    assert_eq!(error("requests", "timeout=0.12", &proxy), Some(read));
    assert_eq!(error("curl", "--connect-timeout 0.12", &proxy), Some("exit code 28"));
    let pool = call(&[(Phase::Pool, 200), (Phase::FirstByte, 5)]);
    assert_eq!(error("httpx", "timeout=0.12", &pool), Some("httpx.PoolTimeout"));
    assert_eq!(error("requests", "timeout=0.12", &pool), None);
}

#[test]
fn a_handshake_inside_another_begins_again_with_each_read() {
    let outer = [(Phase::Connect, 1), (Phase::Tls, 60), (Phase::Tls, 70)];
    let inner = [
        (Phase::Connect, 1),
        (Phase::Tls, 20),
        (Phase::Tunnel, 5),
        (Phase::Tls, 60),
        (Phase::Tls, 70),
    ];
    for (client, settings) in [("requests", "timeout=0.12"), ("httpx", "timeout=0.12")] {
        assert_eq!(fires(client, settings, &call(&outer)).map(|(at, _)| at), Some(121));
        assert_eq!(fires(client, settings, &call(&inner)), None);
    }
    let go = fires("go", "TLSHandshakeTimeout=120ms", &call(&inner));
    assert_eq!(go, Some((146, "net/http: TLS handshake timeout")));
}

#[test]
fn defaults_of_the_clients_are_in_force() {
    let slow = call(&[(Phase::Connect, 1), (Phase::FirstByte, 400_000)]);
    let at = |client, settings| fires(client, settings, &slow).map(|(at, _)| at);
    assert_eq!(at("httpx", "connect=1"), Some(5_001));
    assert_eq!(at("aiohttp", "sock_connect=1"), Some(300_000));
    assert_eq!(at("aiohttp", "total=None"), None);
    assert_eq!(at("wget", "--read-timeout=0"), None);
    assert_eq!(at("curl", "-m 0"), None);
}

#[test]
fn a_reused_connection_leaves_all_of_total_for_reading() {
    let mut t = Timeline::new(ms(0), Limits::none());
    begin(&mut t, HopReason::First, 0);
    t.use_connection(ConnectionUse { number: 1, idle: Some(Duration::from_secs(1)), peer: None });
    hop(&mut t, &[(Phase::FirstByte, 110)]);
    t.finish(ms(110));
    assert_eq!(fires("urllib3", "total=0.12", &t), None);
    assert_eq!(fires("urllib3", "total=0.1", &t).map(|(at, _)| at), Some(100));
}

#[test]
fn of_a_folded_run_the_longest_wait_decides() {
    let mut waits = vec![(Phase::FirstByte, 1)];
    waits.extend((0..200).map(|n| (Phase::Body, if n == 100 { 130 } else { 1 })));
    let t = call(&waits);
    assert_eq!(fires("requests", "timeout=0.12", &t).map(|(at, _)| at), Some(1 + 100 + 120));
    assert_eq!(fires("requests", "timeout=0.14", &t), None);
    let text = screen::as_client(&ask("wget", "-T 0.14"), &t, &Style::default());
    assert!(text.contains("Of folded waits only the longest is known"), "{text}");
}

#[test]
fn settings_are_read_as_they_are_written() {
    for (client, text, shown) in [
        ("requests", "timeout=0.12", "requests timeout=0.12"),
        ("requests", "timeout=(3.05, 27)", "requests timeout=(3.05, 27)"),
        ("requests", "timeout=(0.5,None)", "requests timeout=(0.5, None)"),
        ("urllib3", "connect=1, read=2", "urllib3 connect=1 read=2"),
        ("curl", "-m 0.12 --connect-timeout=3", "curl --max-time 0.12 --connect-timeout 3"),
        ("curl", "-m 0", "curl --max-time None"),
        ("wget", "-T 10", "wget --timeout 10"),
        (
            "go",
            "Timeout=120ms TLSHandshakeTimeout=1s",
            "go Client.Timeout=0.12 TLSHandshakeTimeout=1",
        ),
        ("aiohttp", "total=None", "aiohttp total=None"),
    ] {
        assert_eq!(ask(client, text).to_string(), shown);
    }
}

#[test]
fn what_a_client_does_not_have_is_refused_in_words() {
    let no = |client: &str, text: &str| Client::from_name(client).unwrap().ask(text).unwrap_err();
    assert!(
        no("requests", "--max-time 1")
            .starts_with("requests has no timeout \"--max-time\"; it has")
    );
    assert!(
        no("curl", "timeout=1").contains("it has --max-time, --connect-timeout. Everything after")
    );
    assert_eq!(no("requests", "timeout=0"), "requests refuses a timeout of 0 (ValueError)");
    assert_eq!(no("requests", "timeout=-1"), "timeout of requests cannot be negative");
    assert!(no("requests", "timeout=5s").contains("\"5s\" is no number of seconds for timeout"));
    assert!(no("httpx", "timeout=(1, 2)").contains("one number of seconds"));
    assert!(no("requests", "timeout=(1").contains("one number of seconds"));
    assert!(no("curl", "-m").contains("is no number"));
    assert!(no("go", "").contains("say the settings of go: Client.Timeout=120ms"));
    assert!(no("curl", "\u{1b}[2J").contains("\\u{1b}"));
    assert!(Client::from_name("telnet").is_none());
}

#[test]
fn the_runs_own_setting_is_taken_if_none_is_given() {
    let of = |client: &str, limits: &Limits| {
        let question = Client::from_name(client).unwrap().ask_as(limits);
        question.map(|question| question.to_string())
    };
    let second = Duration::from_secs(1);
    let timeout = Limits::per_wait(second);
    assert_eq!(of("requests", &timeout).unwrap(), "requests timeout=1");
    assert_eq!(of("curl", &timeout).unwrap(), "curl --max-time 1");
    let pair = Limits::requests(Some(second), Some(2 * second));
    assert_eq!(of("requests", &pair).unwrap(), "requests timeout=(1, 2)");
    assert!(of("curl", &pair).unwrap_err().contains("say which: --as curl --max-time 0.12"));
    let total = timeout.with(Limit::Total, Some(3 * second));
    assert_eq!(of("urllib3", &total).unwrap(), "urllib3 total=3");
    assert!(of("requests", &Limits::default()).is_err());
}

#[test]
fn the_answer_as_text() {
    let text =
        screen::as_client(&ask("requests", "timeout=0.12"), &flight(LOOKUP), &Style::default());
    assert_eq!(
        text,
        "\
What if this had been requests timeout=0.12?

 It would have fired at 201.0 ms in wait 4 (tls read 2), 40.0 ms into it:
   requests.exceptions.ReadTimeout, by its connect timeout of 120 ms. The call
   itself took 486.0 ms.

 How requests counts:
   timeout=T is two limits, connect and read. Neither adds up: each starts again
     for every operation of a socket.
   connect bounds the connect to each address (one after the other), then,
     afresh, the TLS handshake as a whole (one deadline in CPython; inside the
     TLS of an https:// proxy each of its reads), then each send.
   read bounds each recv: of the headers and of the body. One byte is enough to
     start it again; over TLS it takes a whole record.
   Each redirect begins with all of it again.
   The name lookup and the pool are bounded by nothing, nor is the call as a
     whole.
   Source: requests 2.34.2 (adapters.py, HTTPAdapter.send) over urllib3 2.8.0
     (connectionpool.py, _make_request) and CPython 3.11 (_ssl.c,
     socketmodule.c); measured.
"
    );
    let text = screen::as_client(&ask("urllib3", "total=0.12"), &seed(LOOKUP), &Style::default());
    let words = "urllib3.exceptions.ReadTimeoutError, by what total left for read (0 ms). The\n";
    assert!(text.contains(words), "{text}");
    let text = screen::as_client(&ask("wget", "-T 0.12"), &seed(&[]), &Style::default());
    assert!(text.contains("\n It would not have fired: the call took 191.0 ms.\n"), "{text}");
}

#[test]
fn every_client_can_say_how_it_counts_within_the_width() {
    for client in Client::ALL {
        let question = Client::ask_as(client, &Limits::total(Duration::from_millis(120))).unwrap();
        for t in [seed(LOOKUP), flight(&[]), drip(&[]), call(&[])] {
            let text = screen::as_client(&question, &t, &Style::default());
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        }
        let first = client.example().split(", ").next().unwrap();
        assert!(client.ask(first).is_ok(), "{first}");
    }
}
