//! The probes: eight ways to be slow, each under a deadline over the whole call. Used by a test, and
//! by the benchmark that prints the table.

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use waterclock::tls::{Roots, TlsSettings};
use waterclock::world::real::ThreadedLookup;
use waterclock::{Error, Limits, Phase, Request, Session};
use waterclock_lab::{
    Blackhole, DnsServer, DnsStub, Identity, Script, Server, Step, Tls, TlsScript, Zone, drip_body,
    head,
};

/// One way to be slow.
pub(crate) struct Probe {
    pub(crate) name: &'static str,
    /// What the call is doing when the deadline comes.
    pub(crate) phase: Phase,
    run: fn(Limits) -> Probed,
}

/// What came of it, and after how long the caller had control again.
pub(crate) struct Probed {
    pub(crate) result: Result<Vec<u8>, Error>,
    pub(crate) elapsed: Duration,
}

impl Probe {
    pub(crate) fn run(&self, total: Duration) -> Probed {
        (self.run)(Limits::total(total))
    }
}

const EVERY: Duration = Duration::from_millis(50);
const UPLOAD: usize = 16 << 20;

pub(crate) const PROBES: [Probe; 8] = [
    Probe {
        name: "head dripped 1 B/50 ms",
        phase: Phase::Head,
        run: |limits| scripted(limits, [Step::ReadHead, Step::drip(long_head(), 1, EVERY)]),
    },
    Probe {
        name: "body dripped 1 B/50 ms",
        phase: Phase::Body,
        run: |limits| {
            let mut steps = vec![Step::ReadHead];
            steps.extend(drip_body(200, [b'x'; 100], 1, EVERY));
            scripted(limits, steps)
        },
    },
    Probe {
        name: "head +400, body +400",
        phase: Phase::Body,
        run: |limits| {
            let head = head(200, &[("Content-Length", "2")]);
            let steps = [
                Step::ReadHead,
                Step::sleep_ms(400),
                Step::send(head),
                Step::sleep_ms(400),
                Step::send("ok"),
            ];
            scripted(limits, steps)
        },
    },
    Probe {
        name: "TLS never answers",
        phase: Phase::Tls,
        run: |limits| secured(limits, TlsScript::new().stall_after(0), vec![]),
    },
    Probe {
        name: "TLS record dripped",
        phase: Phase::FirstByte,
        run: |limits| {
            let drip = Step::DripWire { bytes: long_head(), size: 1, every: EVERY };
            secured(limits, TlsScript::new(), vec![Step::ReadHead, drip])
        },
    },
    Probe {
        name: "SYN dropped",
        phase: Phase::Connect,
        run: |limits| {
            let hole = Blackhole::start().unwrap();
            let session = Session::builder().limits(limits).build().unwrap();
            timed(session.get(format!("http://{}/", hole.address())))
        },
    },
    Probe {
        name: "upload, peer reads slowly",
        phase: Phase::Upload,
        run: |limits| {
            let slowly = Step::ReadSlowly { bytes: 4096, every: EVERY };
            let script = Script::steps([Step::ReadHead, slowly]);
            let server = Server::builder().script(script).receive_buffer(65_536).start().unwrap();
            let session = Session::builder().limits(limits).build().unwrap();
            timed(session.post(server.url("/")).body(vec![0; UPLOAD]))
        },
    },
    Probe {
        name: "DNS never answers",
        phase: Phase::Resolve,
        run: |limits| {
            let server = DnsServer::start(Zone::new().silent("never.test")).unwrap();
            let stub = DnsStub::new(server.address());
            let lookup = ThreadedLookup::new(move |name, port| {
                let addresses = stub.lookup(name)?;
                Ok(addresses.into_iter().map(|ip| SocketAddr::new(ip, port)).collect())
            });
            let builder = Session::builder().limits(limits);
            let session = builder.resolver(std::sync::Arc::new(lookup)).build().unwrap();
            timed(session.get("http://never.test/"))
        },
    },
];

/// More bytes than the probe has time for.
fn long_head() -> Vec<u8> {
    let mut bytes = Vec::new();
    write!(bytes, "HTTP/1.1 200 OK\r\nX-Padding: {}\r\nContent-Length: 0\r\n\r\n", "x".repeat(400))
        .unwrap();
    bytes
}

fn scripted(limits: Limits, steps: impl Into<Vec<Step>>) -> Probed {
    let server = Server::start(Script::steps(steps)).unwrap();
    let session = Session::builder().limits(limits).build().unwrap();
    timed(session.get(server.url("/")))
}

fn secured(limits: Limits, handshake: TlsScript, steps: Vec<Step>) -> Probed {
    let identity = Identity::new(&["127.0.0.1"]).unwrap();
    let roots = Roots::pem(identity.ca_pem().as_bytes()).unwrap();
    let tls = Tls::new(identity).script(handshake);
    let server = Server::builder().tls(tls).script(Script::steps(steps)).start().unwrap();
    let settings = TlsSettings::builder().roots(roots).build().unwrap();
    let session = Session::builder().limits(limits).tls(settings).build().unwrap();
    timed(session.get(server.url("/")))
}

fn timed(request: Request<'_>) -> Probed {
    let begin = Instant::now();
    let result = request.send().and_then(|mut response| response.content());
    Probed { result, elapsed: begin.elapsed() }
}
