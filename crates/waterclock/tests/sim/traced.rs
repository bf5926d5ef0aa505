//! What a subscriber of the `tracing` crate gets from [`TracingObserver`]. The names are those of
//! OpenTelemetry's conventions for HTTP clients, and a promise.

use crate::bench::{Bench, PATH, Route, ms, ok};
use crate::matrix::only;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use waterclock::observe::TracingObserver;
use waterclock::{Limit, Method, SessionBuilder};
use waterclock_sim::Script;

type Fields = BTreeMap<&'static str, String>;

/// A span or an event.
#[derive(Clone, Debug, Default)]
struct Seen {
    name: &'static str,
    parent: Option<u64>,
    fields: Fields,
    /// How many handles to the span there are; it is over when there are none.
    handles: i64,
}

/// Keeps everything, in the order in which it came.
#[derive(Clone, Default)]
struct Collector(Arc<Inner>);

#[derive(Default)]
struct Inner {
    next: AtomicU64,
    spans: Mutex<BTreeMap<u64, Seen>>,
    events: Mutex<Vec<Seen>>,
}

impl Collector {
    fn count(&self, id: &Id, change: i64) -> i64 {
        let mut spans = self.0.spans.lock().unwrap();
        let span = spans.get_mut(&id.into_u64()).unwrap();
        span.handles += change;
        span.handles
    }

    /// The spans by number, which must all be over, and the events.
    fn take(&self) -> (Vec<Seen>, Vec<Seen>) {
        let spans: Vec<_> = self.0.spans.lock().unwrap().values().cloned().collect();
        assert!(spans.iter().all(|span| span.handles == 0), "{spans:?}");
        (spans, self.0.events.lock().unwrap().clone())
    }
}

struct Into<'a>(&'a mut Fields);

impl Visit for Into<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "waterclock" && *metadata.level() <= Level::DEBUG
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed) + 1;
        let (name, parent) = (span.metadata().name(), span.parent().map(Id::into_u64));
        let mut seen = Seen { name, parent, handles: 1, ..Seen::default() };
        span.record(&mut Into(&mut seen.fields));
        self.0.spans.lock().unwrap().insert(id, seen);
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut spans = self.0.spans.lock().unwrap();
        values.record(&mut Into(&mut spans.get_mut(&span.into_u64()).unwrap().fields));
    }

    fn event(&self, event: &Event<'_>) {
        let parent = event.parent().map(Id::into_u64);
        let mut seen = Seen { name: "event", parent, ..Seen::default() };
        event.record(&mut Into(&mut seen.fields));
        self.0.events.lock().unwrap().push(seen);
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.count(id, 1);
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        self.count(&id, -1) == 0
    }

    // What is tested gives every parent explicitly.
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// What is collected while `run` uses sessions from such a builder.
fn collected(bench: &Bench, run: impl FnOnce(SessionBuilder)) -> (Vec<Seen>, Vec<Seen>) {
    let collector = Collector::default();
    let observer = Arc::new(TracingObserver::new().redact("token"));
    let builder = bench.builder().observer(observer);
    tracing::subscriber::with_default(collector.clone(), || run(builder));
    collector.take()
}

fn fields<const N: usize>(pairs: [(&'static str, &str); N]) -> Fields {
    pairs.into_iter().map(|(name, value)| (name, value.to_owned())).collect()
}

/// The fields without those of the call, which differ from run to run.
fn call_fields(seen: &Seen) -> Fields {
    let mut fields = seen.fields.clone();
    assert!(fields.remove("waterclock.call").is_some());
    fields
}

#[test]
fn a_call_is_a_span_and_each_hop_a_client_span_in_it() {
    let bench = Bench::new(Route::Http);
    bench.serve_each(None, |number| match number {
        0 => Script::new().expect_head().send(ok("hello")).expect_head().wait(ms(60)).close(),
        _ => Script::new().expect_head().send("HTTP/1.0 503 Busy\r\n\r\n").close(),
    });
    let (spans, _) = collected(&bench, |builder| {
        let session = builder.build().unwrap();
        let url = "http://user:pass@origin.test/a?token=t&x=1&sig=s#part";
        session.get(url).send().unwrap().content().unwrap();
        bench.world.advance(ms(10));
        assert_eq!(session.get(url).send().unwrap().status(), 503);
    });
    let names: Vec<_> = spans.iter().map(|span| (span.name, span.parent)).collect();
    assert_eq!(
        names,
        [("call", None), ("http", Some(1)), ("call", None), ("http", Some(3)), ("http", Some(3))]
    );
    assert_eq!(
        call_fields(&spans[0]),
        fields([("otel.kind", "internal"), ("waterclock.hops", "1")])
    );
    assert_eq!(
        call_fields(&spans[2]),
        fields([("otel.kind", "internal"), ("waterclock.hops", "2")])
    );
    let first = fields([
        ("otel.name", "GET"),
        ("otel.kind", "client"),
        ("http.request.method", "GET"),
        ("http.response.status_code", "200"),
        ("url.full", "http://origin.test/a?token=REDACTED&x=1&sig=REDACTED"),
        ("server.address", "origin.test"),
        ("server.port", "80"),
        ("network.protocol.version", "1.1"),
        ("network.peer.address", "192.0.2.1"),
        ("network.peer.port", "80"),
        ("waterclock.hop.reason", "first"),
    ]);
    assert_eq!(spans[1].fields, first);
    let mut died = first.clone();
    died.retain(|name, _| {
        !["http.response.status_code", "network.protocol.version"].contains(name)
    });
    died.extend(fields([("otel.status_code", "ERROR"), ("error.type", "closed")]));
    assert_eq!(spans[3].fields, died);
    let mut last = first;
    last.extend(fields([
        ("http.response.status_code", "503"),
        ("network.protocol.version", "1.0"),
        ("http.request.resend_count", "1"),
        ("waterclock.hop.reason", "retry"),
        ("otel.status_code", "ERROR"),
        ("error.type", "503"),
    ]));
    assert_eq!(spans[4].fields, last);
}

#[test]
fn an_error_is_named_by_its_kind_and_waits_are_events() {
    let bench = Bench::serving(Route::Http, Script::new().expect_head().stall());
    let (spans, events) = collected(&bench, |builder| {
        let method: Method = "PURGE".parse().unwrap();
        let session = builder.build().unwrap();
        let request =
            session.request(method, "http://origin.test:80").limits(only(Limit::Total, ms(100)));
        request.send().unwrap_err();
    });
    assert_eq!(spans.len(), 2);
    let failed = fields([("otel.status_code", "ERROR"), ("error.type", "timeout")]);
    for span in &spans {
        assert!(failed.iter().all(|(name, value)| span.fields[name] == *value), "{span:?}");
    }
    let hop = &spans[1].fields;
    assert_eq!(hop["otel.name"], "HTTP");
    assert_eq!(hop["http.request.method"], "_OTHER");
    assert_eq!(hop["http.request.method_original"], "PURGE");
    assert_eq!(hop["url.full"], "http://origin.test/");

    let wait = |phase, end, left, duration| {
        fields([
            ("message", "waited"),
            ("waterclock.phase", phase),
            ("waterclock.limit", "total"),
            ("waterclock.limit.left", left),
            ("waterclock.duration", duration),
            ("waterclock.end", end),
        ])
    };
    let seen: Vec<_> = events.iter().map(|event| (event.parent, event.fields.clone())).collect();
    assert_eq!(
        seen,
        [
            (Some(2), wait("resolve", "ready", "0.1", "0.003")),
            (Some(2), wait("connect", "ready", "0.097", "0.005")),
            (Some(2), wait("first_byte", "expired", "0.092", "0.092")),
        ]
    );
}

/// What stands in `server.address` where there are brackets, or a path.
#[test]
fn a_server_is_named_by_its_host() {
    let bench = Bench::new(Route::Http);
    bench.world.refuse("[2001:db8::1]:8080");
    for (url, address, port) in [
        ("http://[2001:db8::1]:8080/", "2001:db8::1", Some("8080")),
        ("http+unix://%2Frun%2Fa.sock/", "/run/a.sock", None),
    ] {
        let (spans, _) = collected(&bench, |builder| {
            drop(builder.build().unwrap().get(url).send().unwrap_err());
        });
        let hop = &spans[1].fields;
        assert_eq!(hop["server.address"], address);
        assert_eq!(hop.get("server.port").map(String::as_str), port);
    }
}

/// Nothing is kept of calls that are over, whatever ended them.
#[test]
fn a_panic_leaves_no_span_open() {
    struct Bad;
    impl std::io::Read for Bad {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            panic!("the source is broken")
        }
    }
    let bench = Bench::serving(Route::Http, Script::new().expect_head());
    let (spans, _) = collected(&bench, |builder| {
        let session = builder.build().unwrap();
        let send = || session.post(Route::Http.url(PATH)).body_reader(Bad, None).send().map(drop);
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(send)).is_err());
    });
    assert_eq!(spans.len(), 2);
}
