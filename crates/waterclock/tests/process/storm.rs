//! A signal each millisecond, for every thread, with handlers that restart no system call, in every phase.

use crate::around::around;
use crate::support::{LATE, PATIENCE, builder, fetch, is_alone, ms, passed, timed, trust};
use std::io::Read;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use waterclock::{ErrorKind, Limit, Limits, Phase, PoolSettings, Request, Session, SessionBuilder};
use waterclock_lab::{
    Blackhole, Identity, Script, Server, Step, Tls, TlsScript, drip_body, head_then_stall,
};

const LIMIT: Duration = ms(300);

/// So many signals at least have to come in the middle of a wait; on an idle machine some 250 do.
const OFTEN: usize = 3;

/// Where a call is to stop, and the limit that ends it there.
const PHASES: [(Phase, Limit); 8] = [
    (Phase::Resolve, Limit::Resolve),
    (Phase::Connect, Limit::Connect),
    (Phase::Tls, Limit::Tls),
    (Phase::Upload, Limit::Write),
    (Phase::FirstByte, Limit::FirstByte),
    (Phase::Head, Limit::Head),
    (Phase::Body, Limit::Read),
    (Phase::Pool, Limit::Pool),
];

/// The variable with the URL for a phase.
fn variable(phase: Phase) -> String {
    format!("URL_{phase:?}")
}

#[test]
fn limits_are_neither_late_nor_early_in_any_phase() {
    const NAME: &str = "storm::limits_are_neither_late_nor_early_in_any_phase";
    if is_alone() {
        return PHASES.iter().for_each(|(phase, limit)| expect_exact(*phase, *limit));
    }
    let Some(mut command) = around(NAME, "STORM=1") else { return };
    let hole = Blackhole::start().unwrap();
    let tls = Tls::new(identity()).script(TlsScript::new().stall_after(50));
    let secured = Server::builder().tls(tls).start().unwrap();
    let narrow = Script::steps([Step::ReadHead, Step::Stall]);
    let narrow = Server::builder().script(narrow).receive_buffer(65_536).start().unwrap();
    let half =
        Server::start(vec![Step::ReadHead, Step::send("HTTP/1.1 200"), Step::Stall]).unwrap();
    let body = Server::start([vec![Step::ReadHead], head_then_stall(200, 10)].concat()).unwrap();
    for (phase, url) in [
        (Phase::Resolve, "http://stuck.test/".to_owned()),
        (Phase::Connect, format!("http://{}/", hole.address())),
        (Phase::Tls, secured.url("/")),
        (Phase::Upload, narrow.url("/")),
        (Phase::FirstByte, narrow.url("/")),
        (Phase::Head, half.url("/")),
        (Phase::Body, body.url("/")),
        (Phase::Pool, body.url("/")),
    ] {
        command.env(variable(phase), url);
    }
    passed(&command.output().unwrap());
}

/// A call that stops in this phase: never before the limit, in one of three tries hardly after it, and
/// interrupted often.
fn expect_exact(phase: Phase, limit: Limit) {
    let url = std::env::var(variable(phase)).unwrap();
    let limits = Limits::builder().set(limit, Some(LIMIT)).build();
    let one = PoolSettings { max_per_host: Some(1), ..PoolSettings::default() };
    let (session, interruptions) = counting(builder().pool(one).limits(limits));
    let held = (phase == Phase::Pool).then(|| session.get(&url).send().unwrap());
    let mut tries = Vec::new();
    for _ in 0..3 {
        let (result, elapsed) = timed(|| fetch(stopping(&session, phase, &url)));
        let error = result.unwrap_err();
        assert_eq!((error.kind(), error.limit()), (ErrorKind::Timeout, Some(limit)), "{error:#}");
        assert_eq!(error.phase(), Some(phase), "{error:#}");
        assert!(elapsed >= LIMIT, "early: {elapsed:?}: {error:#}");
        assert_eq!(error.timeline().unwrap().unaccounted(), Duration::ZERO, "{error:#}");
        let often = interruptions.swap(0, Ordering::Relaxed);
        tries.push((phase, error.late_by().unwrap(), often));
        if error.late_by().unwrap() < LATE && often >= OFTEN {
            break;
        }
    }
    eprintln!("{tries:?}");
    let (_, late, often) = tries.last().unwrap();
    assert!(*late < LATE && *often >= OFTEN, "late, or hardly interrupted: {tries:?}");
    drop(held);
}

fn stopping<'s>(session: &'s Session, phase: Phase, url: &str) -> Request<'s> {
    match phase {
        Phase::Upload => session.post(url).body_reader(std::io::repeat(b'x'), None),
        _ => session.get(url),
    }
}

/// A session that goes on when it is interrupted, and counts that.
fn counting(builder: SessionBuilder) -> (Session, Arc<AtomicUsize>) {
    let interruptions = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&interruptions);
    let builder = builder.on_interrupt(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        ControlFlow::Continue(())
    });
    (builder.build().unwrap(), interruptions)
}

fn identity() -> Identity {
    Identity::new(&["127.0.0.1", "slow.test"]).unwrap()
}

/// So much goes there, and so much comes back.
const SIZE: usize = 1 << 20;

/// Bytes of which none can be lost, or come twice, without being noticed.
fn bytes() -> Vec<u8> {
    (0..SIZE / 4).flat_map(|number| u32::try_from(number).unwrap().to_le_bytes()).collect()
}

/// Four threads, each through all phases: a slow lookup, a slow handshake, a body that is taken slowly and
/// given slowly.
#[test]
fn nothing_is_lost() {
    if is_alone() {
        return exchange_everything();
    }
    let Some(mut command) = around("storm::nothing_is_lost", "STORM=1") else { return };
    let identity = identity();
    command.env("CA", identity.ca_pem());
    let script = Script::by_head(|_| {
        let answer = drip_body(200, bytes(), SIZE / 20, ms(2));
        [vec![Step::sleep_ms(5), Step::ReadBody, Step::sleep_ms(5)], answer].concat()
    });
    let tls = Tls::new(identity).script(TlsScript::new().first_flight([ms(5), ms(5), ms(5)]));
    let server = Server::builder().tls(tls).script(script).receive_buffer(65_536).start().unwrap();
    command.env("URL", server.url_for("slow.test", "/"));
    passed(&command.output().unwrap());
    let requests = server.requests();
    assert_eq!(requests.len(), 8);
    assert!(requests.iter().all(|request| request.complete && request.body == bytes()));
}

fn exchange_everything() {
    let url = std::env::var("URL").unwrap();
    let trusted = trust(&std::env::var("CA").unwrap());
    let (session, interruptions) = counting(builder().tls(trusted).limits(Limits::total(PATIENCE)));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..2 {
                    let request = session.post(&url).body_reader(Slowly(bytes(), 0), None);
                    assert!(fetch(request).unwrap() == bytes());
                }
            });
        }
    });
    assert!(interruptions.load(Ordering::Relaxed) > 100, "{interruptions:?}");
}

/// A body that takes its time, so that sending has to wait for it and for the peer.
struct Slowly(Vec<u8>, usize);

impl Read for Slowly {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.1.is_multiple_of(SIZE / 8) {
            std::thread::sleep(ms(1));
        }
        let count = (&self.0[self.1..]).read(out)?;
        self.1 += count;
        Ok(count)
    }
}
