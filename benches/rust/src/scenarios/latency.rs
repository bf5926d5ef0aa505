//! How long one call takes: the median of a round's calls, client and server on one CPU. There the
//! figures do not depend on where the kernel puts the two.

use std::time::Instant;

use waterclock_benches::client::{Body, Client, Result, Sink};
use waterclock_benches::clients::Kind;

use crate::measure::{Case, Pinned, in_turns, median, micros};
use crate::report::{Good, Report};
use crate::server::Running;

const DOCUMENT: &[u8] =
    br#"{"id": 7, "name": "clepsydra", "tags": ["water", "clock"], "full": true}"#;

pub(crate) fn run(report: &mut Report) -> Result<()> {
    let _pinned = Pinned::new()?;
    let server = Running::start()?;
    let cases = cases(&server);
    let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    if !report.table("One call: p50, client and server on one CPU (ratio to raw)", &names) {
        return Ok(());
    }
    for case in cases.iter().filter(|case| report.wants(&case.name)).collect::<Vec<_>>() {
        measure(report, case)?;
    }
    Ok(())
}

fn cases(server: &Running) -> Vec<Case> {
    let ca = server.get("ca");
    let plain = |path| server.url("plain", path);
    let by_name = plain("/").replace("127.0.0.1", "localhost");
    let mut post = Case::new("POST JSON", plain("/post"));
    post.request.body = Body::Json(DOCUMENT);
    post.pattern = DOCUMENT.len().to_string().into_bytes();
    let fresh = |case: Case, calls| {
        let mut case = case.calls(calls);
        case.setup.keep_alive = false;
        case
    };
    vec![
        Case::new("keep-alive GET", plain("/")),
        Case::new("keep-alive GET by name", by_name),
        Case::new("keep-alive GET over TLS", server.url("tls", "/")).trusting(ca),
        Case::new("80 response fields", plain("/fields")),
        Case::new("10 kB", plain("/bytes/10000")).bytes(10_000),
        Case::new("1 MB", plain("/bytes/1000000")).bytes(1_000_000).calls(200),
        post,
        fresh(Case::new("new connection", plain("/")), 500),
        fresh(Case::new("new TLS, resumed", server.url("tls", "/")).trusting(ca), 200),
        fresh(Case::new("new TLS, full", server.url("full", "/")).trusting(ca), 200),
    ]
}

struct Entrant(Box<dyn Client>, Sink);

fn measure(report: &mut Report, case: &Case) -> Result<()> {
    let warm_up = (case.calls / 20).max(2);
    let make = |kind: &Kind| {
        if !case.keeps(kind) {
            return Ok(None);
        }
        let mut entrant = Entrant((kind.make)(&case.setup)?, case.sink());
        for _ in 0..warm_up {
            case.call(&mut *entrant.0, &mut entrant.1)?;
        }
        Ok(Some(entrant))
    };
    let mut times = Vec::with_capacity(case.calls);
    let [samples] = in_turns(report.rounds, make, |entrant| {
        times.clear();
        for _ in 0..case.calls {
            let begin = Instant::now();
            case.call(&mut *entrant.0, &mut entrant.1)?;
            times.push(micros(begin.elapsed()));
        }
        Ok([median(&times)])
    })?;
    report.row(&case.name, "us", Good::Low, &samples);
    Ok(())
}
