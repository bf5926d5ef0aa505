//! The client's side: the load, and what must be true of it.

use crate::{Fate, body};
use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use waterclock::{ErrorKind, Limit, Limits, PoolSettings, Session};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

struct Server {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
    url: String,
}

impl Server {
    fn start() -> Result<Server> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut output = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut address = String::new();
        output.read_line(&mut address)?;
        Ok(Server { child, output, url: format!("http://{}", address.trim()) })
    }

    /// How many POSTs it got, and how many of them again.
    fn end(mut self) -> Result<String> {
        drop(self.child.stdin.take());
        let mut counts = String::new();
        self.output.read_line(&mut counts)?;
        self.child.wait()?;
        Ok(counts.trim().to_owned())
    }
}

/// Descriptors, threads, and kilobytes of memory of this process.
#[derive(Clone, Copy, Debug)]
struct Usage {
    descriptors: usize,
    threads: u64,
    memory: u64,
}

impl Usage {
    fn now() -> Result<Usage> {
        let status = std::fs::read_to_string("/proc/self/status")?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        Ok(Usage {
            descriptors: std::fs::read_dir("/proc/self/fd")?.count(),
            threads: field("Threads:").ok_or("no Threads")?,
            memory: field("VmRSS:").ok_or("no VmRSS")?,
        })
    }

    /// Whether nothing was left behind since `before`, and memory has not grown since `warm`.
    fn is_flat(self, before: Usage, warm: Usage) -> bool {
        println!("before {before:?}\nwarm   {warm:?}\nend    {self:?}");
        self.descriptors == before.descriptors
            && self.threads == before.threads
            && self.memory <= warm.memory + warm.memory / 20
    }
}

#[derive(Default)]
struct Tally {
    outcomes: BTreeMap<(Fate, String), u64>,
    wrong_bodies: u64,
    unexpected: Vec<String>,
    late: Vec<Duration>,
}

pub(crate) fn faults(requests: u64, seconds: u64, threads: u64) -> Result<()> {
    let before = Usage::now()?;
    let server = Server::start()?;
    let started = Instant::now();
    let end = started + Duration::from_secs(seconds);
    let limits = Limits::total(Duration::from_secs(20))
        .with(Limit::Read, Some(Duration::from_millis(500)))
        .with(Limit::Body, Some(Duration::from_millis(800)));
    let session = Session::builder().trust_env(false).limits(limits).build()?;
    let (next, tally) = (AtomicU64::new(1), Mutex::new(Tally::default()));
    let warm = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut own = Tally::default();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number > requests || Instant::now() >= end {
                        break;
                    }
                    one(&session, &server.url, number, &mut own);
                    if number == 50_000.min(requests / 10).max(1000) {
                        *warm.lock().unwrap_or_else(PoisonError::into_inner) = Usage::now().ok();
                    }
                }
                tally.lock().unwrap_or_else(PoisonError::into_inner).add(own);
            });
        }
    });
    let took = started.elapsed();
    drop(session);
    let counts = server.end()?;
    let flat = match warm.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(warm) => Usage::now()?.is_flat(before, warm),
        None => true,
    };
    let mut tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    let sum: u64 = tally.outcomes.values().sum();
    println!(
        "{sum} requests in {took:.1?} by {threads} threads; POSTs at the server, and again: {counts}"
    );
    let good = tally.print() && flat && counts.ends_with(" 0");
    if good { Ok(()) } else { Err("the soak found something".into()) }
}

/// Makes one request, a POST if its number is odd, and notes what came of it.
fn one(session: &Session, server: &str, number: u64, tally: &mut Tally) {
    let fate = Fate::of(number);
    let url = format!("{server}/{number}");
    let request =
        if number.is_multiple_of(2) { session.get(url) } else { session.post(url).body("content") };
    let result = request.send().and_then(|mut response| response.content());
    let outcome = match &result {
        Ok(content) => {
            let right = content == body(number).as_bytes();
            tally.wrong_bodies += u64::from(!right);
            "answer".to_owned()
        }
        Err(error) => match error.limit() {
            Some(limit) => format!("timeout {limit}"),
            None => error.kind().to_string(),
        },
    };
    let fits = match (&result, fate) {
        (Ok(_), Fate::Good | Fate::Poison) => true,
        (Err(error), Fate::Reset) => {
            matches!(error.kind(), ErrorKind::Receive | ErrorKind::Closed | ErrorKind::Send)
        }
        (Err(error), Fate::Cut) => error.kind() == ErrorKind::IncompleteBody,
        (Err(error), Fate::Stall) => error.limit() == Some(Limit::Read),
        (Err(error), Fate::Drip) => error.limit() == Some(Limit::Body),
        _ => false,
    };
    if let Err(error) = &result {
        tally.late.extend(error.late_by());
    }
    if !fits {
        tally.unexpected.push(format!("{number} {fate:?}: {outcome}"));
    }
    *tally.outcomes.entry((fate, outcome)).or_default() += 1;
}

impl Tally {
    fn add(&mut self, mut other: Tally) {
        self.wrong_bodies += other.wrong_bodies;
        self.unexpected.append(&mut other.unexpected);
        self.late.append(&mut other.late);
        for (key, count) in other.outcomes {
            *self.outcomes.entry(key).or_default() += count;
        }
    }

    /// Prints all of it, and says whether it is as it must be.
    fn print(&mut self) -> bool {
        for ((fate, outcome), count) in &self.outcomes {
            println!("{:>8} {outcome:<20} {count:>9}", format!("{fate:?}"));
        }
        self.late.sort_unstable();
        let at = |part: usize| self.late.get(self.late.len().saturating_sub(1) * part / 1000);
        println!(
            "{} limits fired, late by: p50 {:?}, p99 {:?}, most {:?}",
            self.late.len(),
            at(500),
            at(990),
            at(1000)
        );
        histogram(&self.late);
        println!("{} wrong bodies, {} unexpected", self.wrong_bodies, self.unexpected.len());
        self.unexpected.iter().take(20).for_each(|text| println!("  {text}"));
        self.wrong_bodies == 0 && self.unexpected.is_empty()
    }
}

/// A line for each step of lateness, with a bar for its share.
fn histogram(sorted: &[Duration]) {
    const EDGES: [u64; 10] = [50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000];
    let edges = EDGES.map(Duration::from_micros).into_iter().chain([Duration::MAX]);
    let (mut from, mut rest) = (Duration::ZERO, sorted);
    for to in edges {
        let (within, beyond) = rest.split_at(rest.partition_point(|late| *late < to));
        let bar = "#".repeat((within.len() * 50).div_ceil(sorted.len().max(1)));
        let millis = from.as_secs_f64() * 1e3;
        let line = format!("from {millis:>5.2} ms {:>7}  {bar}", within.len());
        println!("{}", line.trim_end());
        (from, rest) = (to, beyond);
    }
}

pub(crate) fn idle(idle: u64, busy: u64, seconds: u64) -> Result<()> {
    let before = Usage::now()?;
    let server = Server::start()?;
    let pool = PoolSettings {
        max_idle: usize::try_from(idle + busy)?,
        idle_age: Duration::from_secs(36_000),
        ..PoolSettings::default()
    };
    let limits = Limits::total(Duration::from_secs(60));
    let session = Session::builder().trust_env(false).limits(limits).pool(pool).build()?;
    let url = format!("{}/idle", server.url);
    let get = || -> std::result::Result<(), String> {
        let content = session.get(&url).send().and_then(|mut response| response.content());
        match content.map_err(|error| error.to_string())? == body(0).as_bytes() {
            true => Ok(()),
            false => Err("a wrong body".to_owned()),
        }
    };
    // All at once, so that each has a connection of its own.
    let held: std::result::Result<Vec<_>, _> =
        (0..idle + busy).map(|_| session.get(&url).limits(Limits::none()).send()).collect();
    held?.iter_mut().try_for_each(|response| response.content().map(drop))?;
    let started = Instant::now();
    let end = started + Duration::from_secs(seconds);
    let (done, failed) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let samples = thread::scope(|scope| -> Result<Vec<Usage>> {
        for _ in 0..busy {
            thread::Builder::new().stack_size(256 * 1024).spawn_scoped(scope, || {
                while Instant::now() < end {
                    match get() {
                        Ok(()) => drop(done.fetch_add(1, Ordering::Relaxed)),
                        Err(text) => {
                            failed.lock().unwrap_or_else(PoisonError::into_inner).push(text);
                        }
                    }
                }
            })?;
        }
        let mut samples = Vec::new();
        for tenth in 1..10u32 {
            let at = started + Duration::from_secs(seconds) * tenth / 10;
            thread::sleep(at.saturating_duration_since(Instant::now()));
            samples.push(Usage::now()?);
        }
        Ok(samples)
    })?;
    drop(session);
    server.end()?;
    let end = Usage::now()?;
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("{idle} idle, {busy} busy, {seconds} s: {} answers", done.into_inner());
    println!("{} failed {:?}", failed.len(), failed.first());
    samples.iter().for_each(|usage| println!("  {usage:?}"));
    let (Some(first), Some(last)) = (samples.get(1), samples.last()) else { return Ok(()) };
    let held = first.descriptors == last.descriptors && first.threads == last.threads;
    let flat = held && last.memory <= first.memory + first.memory / 20;
    println!("before {before:?}\nend    {end:?}");
    let back = end.descriptors == before.descriptors && end.threads == before.threads;
    if flat && back && failed.is_empty() { Ok(()) } else { Err("the soak found something".into()) }
}
