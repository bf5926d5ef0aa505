//! What many calls came to.

use crate::exit::Exit;
use crate::slo::phase_sum;
use std::time::Duration;
use waterclock::run::Run;
use waterclock_proto::timeline::{Phase, Timeline};

/// What a row of the table is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Phase(Phase),
    /// Our own work.
    Local,
    Total,
}

impl Part {
    /// In the order of a call.
    fn all() -> impl Iterator<Item = Part> {
        let waits = Phase::ALL.into_iter().filter(|phase| phase.is_wait()).map(Part::Phase);
        waits.chain([Part::Local, Part::Total])
    }

    fn took(self, timeline: &Timeline) -> Duration {
        match self {
            Part::Phase(phase) => phase_sum(timeline, phase),
            Part::Local => timeline.local(),
            Part::Total => timeline.elapsed(),
        }
    }
}

/// What one part took in the calls in which it took any time.
pub(super) struct Row {
    pub(super) part: Part,
    pub(super) calls: usize,
    pub(super) least: Duration,
    pub(super) median: Duration,
    pub(super) most_95: Duration,
    pub(super) most: Duration,
}

impl Row {
    fn of(part: Part, sorted: &[Duration]) -> Option<Row> {
        Some(Row {
            part,
            calls: sorted.len(),
            least: *sorted.first()?,
            median: percentile(sorted, 50)?,
            most_95: percentile(sorted, 95)?,
            most: *sorted.last()?,
        })
    }
}

/// By nearest rank: the least value that `percent` of all are not above.
fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// The calls so far.
pub(super) struct Summary {
    pub(super) request: String,
    pub(super) wanted: u32,
    calls: u32,
    /// Calls that went over a connection that had been used before.
    pub(super) reused: u32,
    /// Calls that failed, by what ended them, in the order in which that happened first.
    pub(super) failed: Vec<(String, u32)>,
    took: Vec<(Part, Vec<Duration>)>,
    exit: Exit,
}

impl Summary {
    pub(super) fn new(method: &str, url: &str, wanted: u32) -> Self {
        let request =
            format!("{method} {}", waterclock::run::RequestRecord::refused(method, url).url);
        let took = Part::all().map(|part| (part, Vec::new())).collect();
        let (failed, exit) = (Vec::new(), Exit::Done);
        Summary { request, wanted, calls: 0, reused: 0, failed, took, exit }
    }

    /// Takes a call in. What a failed one took says little about the others, and is left out.
    pub(super) fn add(&mut self, run: &Run, exit: Exit) {
        self.calls += 1;
        if rank(exit) > rank(self.exit) {
            self.exit = exit;
        }
        let Some(timeline) = &run.timeline else { return self.fail(run) };
        let connection = timeline.hops().first().and_then(|hop| hop.connection);
        self.reused += u32::from(connection.is_some_and(|connection| connection.idle.is_some()));
        if run.error.is_some() {
            self.fail(run);
        }
        if !matches!(exit, Exit::Done | Exit::Slo) {
            return;
        }
        for (part, durations) in &mut self.took {
            durations.extend(Some(part.took(timeline)).filter(|took| !took.is_zero()));
        }
    }

    fn fail(&mut self, run: &Run) {
        let Some(error) = &run.error else { return };
        let cause = match (error.limit, error.status) {
            (Some(limit), _) => format!("the {limit} limit"),
            (None, Some(status)) if error.kind == "status" => format!("status {status}"),
            _ => error.kind.clone().into_owned(),
        };
        match self.failed.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, count)) => *count += 1,
            None => self.failed.push((cause, 1)),
        }
    }

    pub(super) fn calls(&self) -> u32 {
        self.calls
    }

    /// The exit code of the worst call: a failure, then `--fail`, then `--slo`; among failures the first.
    pub(super) fn exit(&self) -> Exit {
        self.exit
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        let row = |(part, durations): &(Part, Vec<Duration>)| {
            let mut sorted = durations.clone();
            sorted.sort_unstable();
            Row::of(*part, &sorted)
        };
        self.took.iter().filter_map(row).collect()
    }
}

const fn rank(exit: Exit) -> u8 {
    match exit {
        Exit::Done => 0,
        Exit::Slo => 1,
        Exit::Status => 2,
        Exit::Usage | Exit::Output | Exit::Call(_) => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let of = |count: u64, percent| {
            let sorted: Vec<_> = (1..=count).map(Duration::from_millis).collect();
            percentile(&sorted, percent).map(|found| found.as_millis())
        };
        assert_eq!([of(1, 50), of(1, 95), of(2, 50), of(3, 50)], [1, 1, 1, 2].map(Some));
        assert_eq!([of(20, 50), of(20, 95), of(21, 95), of(100, 95)], [10, 19, 20, 95].map(Some));
        assert_eq!(of(0, 50), None);
    }
}
