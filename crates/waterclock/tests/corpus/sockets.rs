//! Every case on real sockets: over TCP and over TLS, whole and in random pieces.

use crate::case::{Case, Then, Want};
use crate::outcome::{check, exchange, want_without_close_notify, wrongly_used};
use crate::read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};
use waterclock::tls::{Roots, TlsSettings};
use waterclock::{ErrorKind, Limit, Limits, RedirectPolicy, Session, SessionBuilder};
use waterclock_lab::{Identity, ReceivedRequest, Script, Server, Step, respond};

/// What a case may take that waits for nothing, on a busy machine.
const READ: Duration = Duration::from_secs(20);
/// The limit of cases in which the server leaves the client waiting.
const WAITING: Duration = Duration::from_millis(50);
/// So long the other end may need to say its last.
const SETTLE: Duration = Duration::from_millis(2);
/// And so long where that was not enough: what leaves the server behind the next request cannot be told
/// from its answer.
const SETTLE_BUSY: Duration = Duration::from_millis(300);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Tcp,
    Tls,
    /// Over TLS, and no close is announced.
    Unannounced,
}

/// The steps of the server for `/NUMBER/HOW`.
fn answer(cases: &[Case], way: Way, request: &ReceivedRequest) -> Vec<Step> {
    let mut parts = request.path().split('/').skip(1);
    let (number, how) = (parts.next().unwrap(), parts.next().unwrap_or_default());
    let Some(case) = number.parse().ok().and_then(|number: usize| cases.get(number)) else {
        return respond(200, "next");
    };
    let mut steps = match how {
        "whole" => vec![Step::send(case.send.clone())],
        _ => pieces(&case.send, number.parse().unwrap()),
    };
    match (case.then, way) {
        (Then::Hold, _) => {}
        (Then::Reset, _) => steps.extend([Step::Sleep(SETTLE), Step::Reset]),
        (Then::Fin, Way::Tcp | Way::Tls) => steps.push(Step::Close),
        (Then::Fin | Then::Cut, _) => steps.push(Step::CloseWithoutNotify),
    }
    steps
}

/// Up to five pieces, cut at places that follow from the seed.
fn pieces(bytes: &[u8], seed: u64) -> Vec<Step> {
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut cuts: Vec<usize> = (0..4)
        .map(|_| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            usize::try_from(random % (bytes.len() as u64 + 1)).unwrap()
        })
        .collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    let parts = cuts.windows(2).filter(|cut| cut[0] < cut[1]);
    parts
        .flat_map(|cut| {
            [Step::send(&bytes[cut[0]..cut[1]]), Step::Sleep(Duration::from_micros(200))]
        })
        .collect()
}

fn session(case: &Case, want: &Want, tls: Option<&TlsSettings>) -> Session {
    let waits = matches!(want, Want::Error { kind: ErrorKind::Timeout, .. });
    let follow = if case.follow { RedirectPolicy::default() } else { RedirectPolicy::none() };
    let builder: SessionBuilder = Session::builder()
        .trust_env(false)
        .limits(Limits::per_wait(READ).with(Limit::Read, Some(if waits { WAITING } else { READ })))
        .caps(case.client_caps())
        .redirects(follow);
    match tls {
        Some(tls) => builder.tls(tls.clone()).build().unwrap(),
        None => builder.build().unwrap(),
    }
}

struct Bench {
    cases: Arc<Vec<Case>>,
    server: Server,
    tls: Option<TlsSettings>,
    way: Way,
}

impl Bench {
    fn new(way: Way) -> Self {
        let cases = Arc::new(read::all());
        let served = Arc::clone(&cases);
        let script = Script::by_head(move |request| answer(&served, way, request));
        let builder = Server::builder().script(script);
        let (builder, tls) = match way {
            Way::Tcp => (builder, None),
            Way::Tls | Way::Unannounced => {
                let identity = Identity::new(&["127.0.0.1"]).unwrap();
                let roots = Roots::pem(identity.ca_pem().as_bytes()).unwrap();
                let settings = TlsSettings::builder().roots(roots).build().unwrap();
                (builder.tls(identity), Some(settings))
            }
        };
        Bench { cases, server: builder.start().unwrap(), tls, way }
    }

    fn run(&self, number: usize, how: &str, settle: Duration) -> Result<(), String> {
        let case = &self.cases[number];
        let want = match self.way {
            Way::Unannounced => want_without_close_notify(case),
            Way::Tcp | Way::Tls => case.want.clone(),
        };
        let session = session(case, &want, self.tls.as_ref());
        let begun = Instant::now();
        let (outcome, _) = exchange(&session, case, &self.server.url(&format!("/{number}/{how}")));
        check(&want, &outcome)?;
        if begun.elapsed() >= READ {
            return Err("it waited for a limit".into());
        }
        let kept = matches!(&want, Want::Response(wanted) if wanted.kept.is_ok());
        if !kept {
            thread::sleep(settle);
        }
        let next = session.get(self.server.url("/next")).limits(Limits::per_wait(READ)).send();
        let mut next = next.map_err(|error| format!("the next request: {error}"))?;
        let said = next.text().map_err(|error| format!("the next request: {error}"))?;
        let first = next.connection().is_some_and(|connection| connection.number == 1);
        match said == "next" && next.status() == 200 {
            false => Err(format!("the next request got {} {said:?}", next.status())),
            true if !case.follow && wrongly_used(&want, first) => {
                Err(format!("used again: {first}"))
            }
            true => Ok(()),
        }
    }

    /// Runs all cases that there can be on this way, on four threads.
    fn run_all(&self) {
        let (next, ran) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = || {
            let mut wrong = Vec::new();
            loop {
                let number = next.fetch_add(1, SeqCst);
                let Some(case) = self.cases.get(number) else { return wrong };
                if case.then == Then::Cut && self.way == Way::Tcp {
                    continue;
                }
                for how in ["whole", "pieces"] {
                    ran.fetch_add(1, SeqCst);
                    let ran = self.run(number, how, SETTLE);
                    if let Err(what) = ran.or_else(|_| self.run(number, how, SETTLE_BUSY)) {
                        let Case { file, line, name, .. } = case;
                        wrong.push(format!("{file}:{line}: {name}: {how}: {what}"));
                    }
                }
            }
        };
        let wrong: Vec<String> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        println!("{ran:?} exchanges and as many that follow, {:?}", self.way);
        assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    }
}

#[test]
fn every_case_over_tcp() {
    Bench::new(Way::Tcp).run_all();
}

#[test]
fn every_case_over_tls() {
    Bench::new(Way::Tls).run_all();
}

/// RFC 9112 §9.8: whatever ends with the connection is incomplete.
#[test]
fn every_case_over_tls_without_close_notify() {
    Bench::new(Way::Unannounced).run_all();
}
