//! Prints the probe table: eight ways to be slow under a deadline of 500 ms, and after how many
//! milliseconds the caller had control again. `cargo bench -p waterclock --bench probe_table`
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![allow(clippy::unwrap_used, reason = "a program for developers")]

#[path = "../tests/real/probe_cases.rs"]
mod cases;

use std::process::ExitCode;
use std::time::Duration;

const TOTAL: Duration = Duration::from_millis(500);
/// On a machine that does nothing else.
const GOAL: Duration = Duration::from_millis(505);

fn main() -> ExitCode {
    println!("| limit 500 ms, total | control again after | it was | late |");
    println!("|---|---|---|---|");
    let mut good = true;
    for probe in &cases::PROBES {
        let probed = probe.run(TOTAL);
        let elapsed = probed.elapsed.as_secs_f64() * 1e3;
        match probed.result {
            Err(error) if error.phase() == Some(probe.phase) => {
                good &= probed.elapsed >= TOTAL && probed.elapsed <= GOAL;
                let late = error.late_by().unwrap_or_default().as_secs_f64() * 1e3;
                println!("| {} | {elapsed:.1} ms | {} | {late:.2} ms |", probe.name, probe.phase);
            }
            other => {
                good = false;
                println!("| {} | {elapsed:.1} ms | WRONG: {other:?} | |", probe.name);
            }
        }
    }
    println!("\nall between 500 and 505 ms, in the right phase: {good}");
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
