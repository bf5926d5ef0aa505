//! Prints how late limits fire: 200 trials each of a limit of 50 ms over a silent server, a silent
//! resolver and a full pool. `cargo bench -p waterclock --bench lateness`
#![allow(clippy::unwrap_used, reason = "a program for developers")]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use waterclock::world::Answer;
use waterclock::{Error, Limits, PoolSettings, Resolver, Session};
use waterclock_lab::{Script, Server, Step, head_then_stall};

const LIMIT: Duration = Duration::from_millis(50);
const TRIALS: usize = 200;

/// Keeps every question and never answers.
#[derive(Debug, Default)]
struct Silent(std::sync::Mutex<Vec<Answer>>);

impl Resolver for Silent {
    fn lookup(&self, _: &str, _: u16, answer: Answer) {
        self.0.lock().unwrap().push(answer);
    }
}

fn main() -> ExitCode {
    println!("| limit 50 ms, {TRIALS} trials | min | median | p99 | max | early |");
    println!("|---|---|---|---|---|---|");
    let silent = Server::start(vec![Step::ReadHead, Step::Stall]).unwrap();
    let builder = || Session::builder();
    let session = builder().limits(Limits::total(LIMIT)).build().unwrap();
    let mut early = row("total, silent server", || session.get(silent.url("/")).send());

    let limits = Limits::builder().resolve(LIMIT).build();
    let session = builder().limits(limits).resolver(Arc::new(Silent::default())).build().unwrap();
    early += row("resolve, silent resolver", || session.get("http://never.test/").send());

    let script = Script::steps([vec![Step::ReadHead], head_then_stall(200, 10)].concat());
    let busy = Server::start(script).unwrap();
    let settings = PoolSettings { max_per_host: Some(1), ..PoolSettings::default() };
    let limits = Limits::builder().pool(LIMIT).build();
    let session = builder().limits(limits).pool(settings).build().unwrap();
    let held = session.get(busy.url("/")).send().unwrap();
    early += row("pool, all connections busy", || session.get(busy.url("/")).send());
    drop(held);
    if early == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints one row; how many of its trials ended early.
fn row<T: std::fmt::Debug>(name: &str, attempt: impl Fn() -> Result<T, Error>) -> usize {
    let mut late: Vec<i64> = (0..TRIALS).map(|_| lateness(&attempt)).collect();
    late.sort_unstable();
    let at = |percent: usize| late[(TRIALS * percent / 100).min(TRIALS - 1)] as f64 / 1e3;
    let early = late.iter().filter(|&&late| late < 0).count();
    let (min, median, p99, max) = (at(0), at(50), at(99), at(100));
    println!("| {name} | {min:.0} us | {median:.0} us | {p99:.0} us | {max:.0} us | {early} |");
    early
}

/// Nanoseconds by which the call took longer than its limit, as the caller sees it: with the work
/// before and after the wait.
#[allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn lateness<T: std::fmt::Debug>(attempt: &impl Fn() -> Result<T, Error>) -> i64 {
    let begin = std::time::Instant::now();
    let error = attempt().unwrap_err();
    let elapsed = begin.elapsed();
    assert!(error.is_timeout(), "{error:#}");
    let nanos = |duration: Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
    nanos(elapsed) - nanos(LIMIT)
}
