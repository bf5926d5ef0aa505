//! Many threads and one session: the rate, and what a call costs in CPU time. On all CPUs.

use std::sync::Barrier;
use std::thread;

use waterclock_benches::client::{Client, Result};
use waterclock_benches::clients::Kind;

use crate::measure::{Case, in_turns, micros, timed};
use crate::report::{Good, Report};
use crate::server::Running;

/// Threads, and calls of all of them in a round.
const CASES: [(&str, usize, usize); 2] = [("8 threads", 8, 16_000), ("64 threads", 64, 16_000)];

pub(crate) fn run(report: &mut Report) -> Result<()> {
    let names = CASES.map(|(name, ..)| name);
    if !report.table("Threads that share one session, on all CPUs (ratio to raw)", &names) {
        return Ok(());
    }
    let server = Running::start()?;
    for (name, threads, calls) in CASES {
        let mut case = Case::new(name, server.url("plain", "/")).calls(calls / threads);
        case.setup.threads = true;
        if report.wants(name) {
            measure(report, &case, threads)?;
        }
    }
    Ok(())
}

fn measure(report: &mut Report, case: &Case, threads: usize) -> Result<()> {
    let make = |kind: &Kind| {
        if !case.keeps(kind) {
            return Ok(None);
        }
        let client = (kind.make)(&case.setup)?;
        let mut shared: Vec<_> = (0..threads).filter_map(|_| client.share()).collect();
        round(case, &mut shared, 20)?;
        Ok((!shared.is_empty()).then_some(shared))
    };
    let [rates, costs] = in_turns(report.rounds, make, |clients| round(case, clients, case.calls))?;
    report.row(&case.name, "calls/s", Good::High, &rates);
    report.row(&format!("{}: CPU a call", case.name), "us", Good::Low, &costs);
    Ok(())
}

/// Calls a second, and CPU microseconds a call.
fn round(case: &Case, clients: &mut [Box<dyn Client>], calls: usize) -> Result<[f64; 2]> {
    let total = (clients.len() * calls) as f64;
    let barrier = Barrier::new(clients.len());
    let (wall, cpu) = timed(|| {
        thread::scope(|scope| {
            let threads: Vec<_> = clients
                .iter_mut()
                .map(|client| scope.spawn(|| some_calls(case, &mut **client, calls, &barrier)))
                .collect();
            threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a panic")?)
        })
    })?;
    Ok([total / wall.as_secs_f64(), micros(cpu) / total])
}

fn some_calls(case: &Case, client: &mut dyn Client, calls: usize, barrier: &Barrier) -> Result<()> {
    let mut sink = case.sink();
    barrier.wait();
    (0..calls).try_for_each(|_| case.call(client, &mut sink))
}
