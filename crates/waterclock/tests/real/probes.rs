//! The probe table: whatever is slow, a deadline of 500 ms over the whole call ends it.

use crate::support::{expect_fired_in, ms};
use waterclock::Limit;

#[path = "probe_cases.rs"]
mod cases;

#[test]
fn every_probe_ends_at_its_deadline() {
    // Side by side, as each takes half a second.
    std::thread::scope(|scope| {
        for probe in &cases::PROBES {
            scope.spawn(move || {
                let run = || {
                    let probed = probe.run(ms(500));
                    (probed.result, probed.elapsed)
                };
                let error = expect_fired_in(run, Limit::Total, probe.phase);
                println!("{}: {error}", probe.name);
            });
        }
    });
}
