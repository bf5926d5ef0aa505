//! Large bodies: the rate, and the client's CPU time. On all CPUs.

use waterclock_benches::client::{Body, Client, Result};
use waterclock_benches::clients::Kind;

use crate::measure::{Case, in_turns, timed};
use crate::report::{Good, Report};
use crate::server::{Running, TEXT, text};

const GIB: u64 = 1 << 30;
const CHUNKED: u64 = 10_000_000;
const OVER_TLS: u64 = 100_000_000;
/// Calls in a round, where a body is so small that one would be lost in what comes first.
const SOME: usize = 5;

pub(crate) fn run(report: &mut Report) -> Result<()> {
    let server = Running::start()?;
    let cases = cases(&server);
    let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    if !report.table("Large bodies, on all CPUs (ratio to raw)", &names) {
        return Ok(());
    }
    for case in cases.iter().filter(|case| report.wants(&case.name)).collect::<Vec<_>>() {
        measure(report, case)?;
    }
    Ok(())
}

fn cases(server: &Running) -> Vec<Case> {
    let large = |name: &str, url: String, length| {
        let mut case = Case::new(name, url).bytes(length).calls(1);
        case.request.streamed = true;
        case
    };
    let plain = |path: &str| server.url("plain", path);
    let mut upload = large("1 GiB upload", plain("/upload"), 10);
    upload.request.body = Body::Upload(GIB);
    upload.pattern = GIB.to_string().into_bytes();
    let tls = large("100 MB over TLS", server.url("tls", &format!("/bytes/{OVER_TLS}")), OVER_TLS);
    let mut cases = vec![
        large("1 GiB download", plain(&format!("/bytes/{GIB}")), GIB),
        upload,
        tls.trusting(server.get("ca")),
        large("10 MB in 100-byte chunks", plain(&format!("/chunked/{CHUNKED}/100")), CHUNKED)
            .calls(SOME),
    ];
    let text = text();
    for coding in ["gzip", "br", "zstd"] {
        let name = format!("{coding} 10 MB");
        let mut case = large(&name, plain(&format!("/{coding}")), TEXT as u64).calls(SOME);
        case.request.coding = Some(coding);
        case.request.streamed = false;
        case.pattern.clone_from(&text);
        cases.push(case);
    }
    cases
}

fn measure(report: &mut Report, case: &Case) -> Result<()> {
    // Whoever keeps no connection makes one for each: nothing beside so many bytes.
    let make = |kind: &Kind| {
        let suits = case.suits(kind);
        suits.then(|| Ok(((kind.make)(&case.setup)?, case.sink()))).transpose()
    };
    let size = match case.request.body {
        Body::Upload(length) => length,
        Body::None | Body::Json(_) => case.length,
    };
    let [rates, costs] = in_turns(report.rounds, make, |(client, sink)| {
        let client: &mut dyn Client = &mut **client;
        let (wall, cpu) = timed(|| (0..case.calls).try_for_each(|_| case.call(client, sink)))?;
        let calls = case.calls as f64;
        let rate = size as f64 * calls / wall.as_secs_f64() / 1e6;
        Ok([rate, cpu.as_secs_f64() * 1e3 / calls])
    })?;
    report.row(&case.name, "MB/s", Good::High, &rates);
    report.row(&format!("{}: CPU", case.name), "ms", Good::Low, &costs);
    Ok(())
}
