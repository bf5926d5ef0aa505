//! How late limits fire: 50 ms on a silent server, and 300 ms over all on one that sends a byte each
//! 100 ms. Nobody may be early.

use std::time::{Duration, Instant};

use waterclock_benches::client::{Request, Result, Setup, Sink};
use waterclock_benches::clients::Kind;

use crate::measure::{in_turns, quantile};
use crate::report::{Good, Report};
use crate::server::Running;

const SILENT: &str = "50 ms limit: late";
const DRIP: &str = "300 ms in all on a drip: late";
/// In a round.
const TRIALS: usize = 20;

pub(crate) fn run(report: &mut Report) -> Result<()> {
    if !report.table("How late limits fire", &[SILENT, DRIP]) {
        return Ok(());
    }
    let server = Running::start()?;
    if report.wants(SILENT) {
        let late =
            lateness(report.rounds * TRIALS, Duration::from_millis(50), server.get("silent"))?;
        let at = |share| late.iter().map(|late| vec![quantile(late, share)]).collect::<Vec<_>>();
        report.row(&format!("{SILENT}, p50"), "ms", Good::Absolute, &at(0.5));
        report.row(&format!("{SILENT}, p99"), "ms", Good::Absolute, &at(0.99));
        report.row(&format!("{SILENT}, first"), "ms", Good::Absolute, &at(0.0));
    }
    if report.wants(DRIP) {
        let late = lateness(report.rounds, Duration::from_millis(300), server.get("drip"))?;
        report.row(DRIP, "ms", Good::Absolute, &late);
    }
    Ok(())
}

/// For each client, by how many milliseconds its calls took longer than their limit.
fn lateness(trials: usize, limit: Duration, url: &str) -> Result<Vec<Vec<f64>>> {
    let setup = Setup { total: limit, ..Setup::default() };
    let request = Request::get(url);
    let [late] = in_turns(
        trials,
        |kind: &Kind| (kind.make)(&setup).map(Some),
        |client| {
            let begin = Instant::now();
            // Who gets the whole answer had no limit, and is ten seconds late.
            let _ = client.send(&request, &mut Sink::unchecked());
            let elapsed = begin.elapsed();
            Ok([(elapsed.as_secs_f64() - limit.as_secs_f64()) * 1e3])
        },
    )?;
    Ok(late)
}
