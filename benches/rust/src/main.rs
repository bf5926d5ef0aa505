//! Measures waterclock, its peers and the floor side by side: in turns, on the same server, each
//! answer checked. `scripts/bench rust` builds and runs it.
//!
//! Ratios are to `raw`, the floor, of the same round: 1 is as fast as a bare socket, and more is
//! better. Medians over rounds.
#![allow(clippy::disallowed_methods)] // benchmarks block and read clocks, as the lab does

mod measure;
mod report;
mod scenarios;
mod server;

use std::process::ExitCode;

use report::Report;
use waterclock_benches::client::Result;

const USAGE: &str =
    "usage: waterclock-benches [--rounds N] [--only NAME] [--json FILE] [--program PATH]
  --rounds   how often each client has its turn (7)
  --only     scenarios whose name contains this
  --json     writes what was measured to a file, too
  --program  the program `waterclock`, to be measured as well";

#[derive(Default)]
struct Options {
    rounds: Option<usize>,
    only: Option<String>,
    json: Option<String>,
    program: Option<String>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.first().map(String::as_str) {
        Some("serve") => server::serve(),
        _ => options(&arguments).and_then(|options| measure_all(&options)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn options(arguments: &[String]) -> Result<Options> {
    let mut options = Options::default();
    let mut arguments = arguments.iter();
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or(USAGE)?.clone();
        match name.as_str() {
            "--rounds" => options.rounds = Some(value.parse()?),
            "--only" => options.only = Some(value),
            "--json" => options.json = Some(value),
            "--program" => options.program = Some(value),
            _ => return Err(USAGE.into()),
        }
    }
    Ok(options)
}

fn measure_all(options: &Options) -> Result<()> {
    let mut report = Report::new(options.rounds.unwrap_or(7), options.only.clone());
    scenarios::latency::run(&mut report)?;
    scenarios::threads::run(&mut report)?;
    scenarios::bulk::run(&mut report)?;
    scenarios::limits::run(&mut report)?;
    scenarios::program::run(&mut report, options.program.as_deref())?;
    if let Some(path) = &options.json {
        report.write(path)?;
    }
    Ok(())
}
