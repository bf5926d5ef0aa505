//! Runs of particular shapes.

use std::sync::Arc;
use std::time::{Duration, SystemTime};
use url::Url;
use waterclock::run::{ErrorRecord, RequestRecord, ResponseRecord, Run};
use waterclock::{ConnectionInfo, Headers, TlsInfo};
use waterclock_proto::limit::{Limit, Limits};
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::{
    AttemptEnd, ConnectionUse, Fired, Hop, HopReason, Phase, RequestLine, RequestSent, SpanEnd,
    Timeline, What,
};

/// Microseconds since the start of the call.
pub(crate) fn us(n: u64) -> Tick {
    Tick::from_nanos(n * 1_000)
}

pub(crate) fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub(crate) fn hop(method: &str, url: &str, started: Tick) -> Hop {
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

fn over(t: &mut Timeline, number: u64, idle: Option<Duration>, peer: &str) {
    let peer = Some(peer.parse().unwrap());
    t.use_connection(ConnectionUse { number, idle, peer });
}

/// 2026-11-22 09:30:00.25 UTC
fn began() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_339_800_250)
}

pub(crate) fn headers(fields: &[(&str, &str)]) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in fields {
        headers.append(name, value).unwrap();
    }
    headers
}

pub(crate) fn run(url: &str, timeline: Timeline) -> Run {
    let mut request = RequestRecord::refused("GET", url);
    request.headers = headers(&[("Accept", "*/*"), ("Authorization", "Basic c2VjcmV0")]);
    let mut run = Run::new(began(), request);
    run.timeline = Some(timeline);
    run
}

fn response(status: u16, reason: &str, url: &str) -> ResponseRecord {
    ResponseRecord {
        status,
        reason: reason.to_owned(),
        http_version: "HTTP/1.1".into(),
        url: url.to_owned(),
        headers: headers(&[
            ("Content-Type", "text/html; charset=UTF-8"),
            ("Content-Encoding", "gzip"),
            ("Set-Cookie", "id=hush; Path=/; HttpOnly"),
            ("Date", "Sun, 22 Nov 2026 09:30:00 GMT"),
        ]),
        body_bytes: 52_411,
        body_received: 14_213,
        body_sha256: Some([0xa5; 32]),
        connection: Some(ConnectionInfo {
            number: 1,
            remote_address: Some("142.250.0.94:443".parse().unwrap()),
            local_address: None,
            tls: Some(TlsInfo {
                version: "TLS 1.3".into(),
                cipher: "TLS13_AES_256_GCM_SHA384".into(),
                alpn: None,
                resumed: false,
                certificates: Vec::new(),
            }),
            proxy: None,
            proxy_tls: None,
        }),
    }
}

/// The call that nobody could explain: 0.12 s that did not end a call of 0.32 s.
pub(crate) fn seed() -> Run {
    let url = "https://google.co.kr/search?q=%EB%AC%BC%EC%8B%9C%EA%B3%84";
    let limits = Limits::per_wait(ms(120)).with(Limit::Resolve, None);
    let mut t = call(url, limits);
    wait(&mut t, Phase::Resolve, What::Answer, (300, 80_400), None);
    connect(&mut t, "142.250.0.94:443", (80_800, 111_200), Some((80_800, Limit::Address)));
    over(&mut t, 1, None, "142.250.0.94:443");
    wait(&mut t, Phase::Tls, What::Read, (111_600, 201_800), Some((111_200, Limit::Tls)));
    wait(&mut t, Phase::Tls, What::Read, (203_300, 222_200), Some((111_200, Limit::Tls)));
    t.set_request_sent(RequestSent::Yes);
    t.hop_mut().unwrap().sent = Some(us(222_350));
    wait(&mut t, Phase::FirstByte, What::Read, (222_400, 322_900), Some((222_400, Limit::Read)));
    t.add_bytes(Phase::FirstByte, 14_700);
    let last = t.hop_mut().unwrap();
    (last.head_ended, last.status) = (Some(us(323_000)), Some(200));
    t.finish(us(323_200));
    let mut run = run(url, t);
    run.response = Some(response(200, "OK", url));
    run
}

/// The same under a deadline, which ends it in the third wait.
pub(crate) fn deadline() -> Run {
    let limits = Limits::per_wait(ms(120)).with(Limit::Total, Some(ms(120)));
    let total = Some((0, Limit::Total));
    let mut t = call("https://google.co.kr/", limits);
    wait(&mut t, Phase::Resolve, What::Answer, (200, 80_300), total);
    connect(&mut t, "142.250.0.94:443", (80_600, 111_000), total);
    let fired = (us(120_000), Limit::Total);
    t.record_wait(Phase::Tls, What::Read, us(111_600), us(120_040), Some(fired), SpanEnd::Expired);
    t.set_fired(Fired {
        limit: Limit::Total,
        phase: Phase::Tls,
        deadline: us(120_000),
        noticed: us(120_040),
    });
    t.finish(us(120_040));
    let mut run = run("https://google.co.kr/", t);
    run.error = Some(ErrorRecord {
        kind: "timeout".into(),
        message: "total limit of 120 ms fired in tls read 1".to_owned(),
        limit: Some("total"),
        phase: Some("tls"),
        configured: Some(ms(120)),
        late_by: Some(Duration::from_micros(40)),
        retry_safe: true,
        status: None,
        remarks: vec!["body.part has what came before.".to_owned()],
    });
    run
}

/// A retry after a stall, a redirect to a Korean name, a race of addresses, a slow reader.
pub(crate) fn hops() -> Run {
    let first = "http://example.com:8080/start";
    let limits = Limits::per_wait(ms(250)).with(Limit::Total, Some(ms(2_000)));
    let mut t = call(first, limits);
    connect(&mut t, "192.0.2.7:8080", (100, 12_000), Some((100, Limit::Address)));
    over(&mut t, 1, None, "192.0.2.7:8080");
    let read = (us(262_300), Limit::Read);
    t.record_wait(
        Phase::FirstByte,
        What::Read,
        us(12_300),
        us(262_380),
        Some(read),
        SpanEnd::Expired,
    );
    t.end_hop(us(262_400));
    wait(&mut t, Phase::Backoff, What::Answer, (262_400, 362_400), Some((0, Limit::Total)));

    t.begin_hop(Hop { reason: HopReason::Retry, ..hop("GET", first, us(362_450)) });
    connect(&mut t, "192.0.2.7:8080", (362_500, 374_000), Some((362_500, Limit::Address)));
    over(&mut t, 2, None, "192.0.2.7:8080");
    wait(&mut t, Phase::FirstByte, What::Read, (374_200, 420_000), Some((374_200, Limit::Read)));
    t.hop_mut().unwrap().status = Some(301);
    t.end_hop(us(420_100));

    let last = "https://한국인터넷정보센터.한국/안내?lang=ko&sig=hush";
    t.begin_hop(Hop { reason: HopReason::Redirect, ..hop("GET", last, us(420_200)) });
    wait(&mut t, Phase::Resolve, What::Answer, (420_300, 461_000), Some((420_300, Limit::Resolve)));
    let lost = t.begin_attempt("[2001:db8::1]:443".into(), us(461_100));
    let address = Some((461_100, Limit::Address));
    wait(&mut t, Phase::Connect, What::Connect(lost), (461_100, 600_000), address);
    let won = t.begin_attempt("192.0.2.1:443".into(), us(600_000));
    wait(
        &mut t,
        Phase::Connect,
        What::Connect(won),
        (600_000, 631_000),
        Some((600_000, Limit::Address)),
    );
    t.end_attempt(won, us(631_000), AttemptEnd::Connected);
    t.end_attempt(lost, us(631_000), AttemptEnd::Abandoned);
    over(&mut t, 3, None, "192.0.2.1:443");
    wait(&mut t, Phase::Tls, What::Read, (631_500, 710_000), Some((631_000, Limit::Tls)));
    wait(&mut t, Phase::Tls, What::Read, (710_400, 742_000), Some((631_000, Limit::Tls)));
    wait(&mut t, Phase::Tls, What::Read, (742_300, 790_000), Some((631_000, Limit::Tls)));
    t.set_request_sent(RequestSent::Yes);
    t.hop_mut().unwrap().sent = Some(us(790_500));
    wait(&mut t, Phase::FirstByte, What::Read, (790_600, 930_000), Some((790_600, Limit::Read)));
    (t.hop_mut().unwrap().head_ended, t.hop_mut().unwrap().status) = (Some(us(930_200)), Some(503));
    wait(&mut t, Phase::Body, What::Read, (930_300, 1_010_000), Some((930_300, Limit::Read)));
    t.add_bytes(Phase::Body, 9_000);
    t.record_caller(What::Reader, us(1_010_100), us(1_090_000));
    wait(&mut t, Phase::Body, What::Read, (1_090_200, 1_120_000), Some((1_090_200, Limit::Read)));
    t.add_bytes(Phase::Body, 5_213);
    t.finish(us(1_120_300));
    let mut run = run(first, t);
    run.response = Some(response(503, "Service Unavailable", last));
    run
}

/// A body of many pieces.
pub(crate) fn drip(pieces: u64) -> Run {
    let url = "http://example.com/drip";
    let mut t = call(url, Limits::per_wait(ms(120)));
    wait(&mut t, Phase::FirstByte, What::Read, (0, 3_000), Some((0, Limit::Read)));
    t.hop_mut().unwrap().status = Some(200);
    for piece in 0..pieces {
        let at = 3_000 + piece * 2_000;
        let long = if piece == pieces / 2 { 1_900 } else { 1_000 };
        wait(&mut t, Phase::Body, What::Read, (at, at + long), Some((at, Limit::Read)));
        t.add_bytes(Phase::Body, 100);
    }
    t.finish(us(3_000 + pieces * 2_000));
    let mut run = run(url, t);
    run.response = Some(response(200, "OK", url));
    run
}

/// Nothing was waited for.
pub(crate) fn no_waits() -> Run {
    let mut t = call("http://example.com/", Limits::default());
    t.hop_mut().unwrap().status = Some(204);
    t.finish(us(40));
    let mut run = run("http://example.com/", t);
    run.response = Some(response(204, "No Content", "http://example.com/"));
    run
}

/// The URL was refused.
pub(crate) fn never_begun() -> Run {
    let request = RequestRecord::refused("GET", "http://user:hush@example.com:99999/");
    let mut run = Run::new(began(), request);
    run.error = Some(ErrorRecord::new("invalid-url", "the port 99999 is too large", None));
    run
}

/// What a peer would send to be obeyed instead of shown.
pub(crate) const HOSTILE: &str = "</script></style></title><img src=x onerror=alert(1)>\"'&amp;]]>--\u{202e}\u{7f}\u{feff}\u{ffff}";

/// Everything that others write says [`HOSTILE`].
pub(crate) fn hostile() -> Run {
    let url = "http://example.com/%3C/script%3E?'<\"=</style>#<!--";
    let mut t = call(url, Limits::per_wait(ms(50)));
    let attempt = t.begin_attempt(HOSTILE.into(), us(0));
    wait(&mut t, Phase::Connect, What::Connect(attempt), (0, 9_000), Some((0, Limit::Address)));
    t.end_attempt(attempt, us(9_000), AttemptEnd::Failed(HOSTILE.into()));
    t.hop_mut().unwrap().status = Some(200);
    t.note(HOSTILE);
    t.begin_hop(Hop { reason: HopReason::Redirect, ..hop("PURGE'&", "http://b/", us(9_000)) });
    t.finish(us(9_500));
    let mut run = run(url, t);
    run.request.method = format!("GET{HOSTILE}");
    run.request.url += HOSTILE;
    let mut record = response(200, HOSTILE, url);
    record.headers = Headers::new();
    record.headers.append("X-Bad", "</script><b>\u{202e}\u{80}").unwrap();
    run.response = Some(record);
    run.error = Some(ErrorRecord::new("output", format!("a\0b\x1b[2J{HOSTILE}"), Some(200)));
    run
}

pub(crate) fn all() -> Vec<(&'static str, Run)> {
    vec![
        ("seed", seed()),
        ("deadline", deadline()),
        ("hops", hops()),
        ("drip", drip(10_000)),
        ("no-waits", no_waits()),
        ("never-begun", never_begun()),
        ("hostile", hostile()),
    ]
}
