//! How things are measured: all clients in turns, round after round, on one CPU or on all.

use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};
use waterclock_benches::client::{Client, Request, Result, Setup, Sink};
use waterclock_benches::clients::{ALL, Kind};

/// What is asked of every client, and the answer that each must get.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) setup: Setup,
    pub(crate) request: Request,
    pub(crate) length: u64,
    /// What repeats in the body.
    pub(crate) pattern: Vec<u8>,
    /// How many calls a round has.
    pub(crate) calls: usize,
}

impl Case {
    /// A small GET: the others differ from it in something.
    pub(crate) fn new(name: &str, url: String) -> Self {
        Case {
            name: name.to_owned(),
            setup: Setup::default(),
            request: Request::get(url),
            length: 2,
            pattern: b"ok".to_vec(),
            calls: 2000,
        }
    }

    /// The body is so many bytes of the server's pattern.
    pub(crate) fn bytes(self, length: u64) -> Self {
        Case { length, pattern: (0..=250).collect(), ..self }
    }

    pub(crate) fn trusting(mut self, ca: &str) -> Self {
        self.setup.ca = Some(ca.to_owned());
        self
    }

    pub(crate) fn calls(self, calls: usize) -> Self {
        Case { calls, ..self }
    }

    /// Whether the client can do it at all.
    pub(crate) fn suits(&self, kind: &Kind) -> bool {
        (kind.has_tls || self.setup.ca.is_none())
            && self.request.coding.is_none_or(|coding| kind.codings.contains(&coding))
    }

    /// Whether it does so on kept connections, if it is about them.
    pub(crate) fn keeps(&self, kind: &Kind) -> bool {
        self.suits(kind) && (kind.keeps_alive || !self.setup.keep_alive)
    }

    pub(crate) fn sink(&self) -> Sink {
        Sink::new(self.pattern.as_slice().into())
    }

    /// One call, checked.
    pub(crate) fn call(&self, client: &mut dyn Client, sink: &mut Sink) -> Result<()> {
        let status = client.send(&self.request, sink)?;
        let length = sink.finish()?;
        if (status, length) != (200, self.length) {
            return Err(format!("status {status}, {length} bytes").into());
        }
        Ok(())
    }
}

/// What one client's rounds gave; nothing if the client cannot do it.
pub(crate) type Samples = Vec<f64>;

/// Has `round` measure N things of each client once a round. `make` is called first, for each.
pub(crate) fn in_turns<T, const N: usize>(
    rounds: usize,
    mut make: impl FnMut(&Kind) -> Result<Option<T>>,
    mut round: impl FnMut(&mut T) -> Result<[f64; N]>,
) -> Result<[Vec<Samples>; N]> {
    let mut entrants = Vec::new();
    for kind in &ALL {
        entrants.push(make(kind).map_err(|error| format!("{}: {error}", kind.name))?);
    }
    let mut samples: [Vec<Samples>; N] = std::array::from_fn(|_| vec![Samples::new(); ALL.len()]);
    for number in 0..rounds {
        for place in 0..ALL.len() {
            // Each round begins with another one, so that nobody always comes after the same.
            let place = (place + number) % ALL.len();
            let Some(entrant) = &mut entrants[place] else { continue };
            let values = round(entrant).map_err(|error| format!("{}: {error}", ALL[place].name))?;
            for (samples, value) in samples.iter_mut().zip(values) {
                samples[place].push(value);
            }
        }
    }
    Ok(samples)
}

/// The value below which `share` of the sorted samples are.
pub(crate) fn quantile(samples: &[f64], share: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (sorted.len() as f64 * share) as usize;
    sorted.get(place.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

pub(crate) fn median(samples: &[f64]) -> f64 {
    quantile(samples, 0.5)
}

pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Time on the wall and on CPUs.
pub(crate) fn timed(work: impl FnOnce() -> Result<()>) -> Result<(Duration, Duration)> {
    let (wall, cpu) = (Instant::now(), cpu_time());
    work()?;
    Ok((wall.elapsed(), cpu_time().saturating_sub(cpu)))
}

/// Of all threads of this process.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Keeps this thread, and what it starts, on the last of its CPUs until dropped.
pub(crate) struct Pinned(CpuSet);

impl Pinned {
    pub(crate) fn new() -> Result<Self> {
        let all = sched_getaffinity(None)?;
        let last = (0..CpuSet::MAX_CPU).rev().find(|&cpu| all.is_set(cpu)).ok_or("no CPU")?;
        let mut one = CpuSet::new();
        one.set(last);
        sched_setaffinity(None, &one)?;
        Ok(Pinned(all))
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        let _ = sched_setaffinity(None, &self.0);
    }
}
