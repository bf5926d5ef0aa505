//! `--slo`: bounds for what phases and the whole call may take, looked at when it is over. They end
//! nothing, as limits do.

use crate::times;
use clap::Arg;
use std::fmt::Write as _;
use std::time::Duration;
use waterclock::run::{ErrorRecord, Run};
use waterclock::screen::{configured_with_unit, with_unit};
use waterclock_proto::timeline::{Phase, Timeline};

/// The kind of the error in the run document.
const KIND: &str = "slo";

/// What a bound is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Total,
    Phase(Phase),
}

impl Part {
    /// Phases by the names of the run document, and by those of the waterfall.
    fn from_name(name: &str) -> Option<Part> {
        let waits = Phase::ALL.into_iter().filter(|phase| phase.is_wait());
        let named = |phase: &Phase| phase.name() == name.replace('-', "_");
        Some(match name {
            "total" => Part::Total,
            "dns" => Part::Phase(Phase::Resolve),
            "tcp" => Part::Phase(Phase::Connect),
            _ => Part::Phase(waits.into_iter().find(named)?),
        })
    }

    /// What it took: all waits of a phase, in all hops.
    fn took(self, timeline: &Timeline) -> Duration {
        match self {
            Part::Total => timeline.elapsed(),
            Part::Phase(phase) => phase_sum(timeline, phase),
        }
    }
}

/// The sum of all waits in one phase.
pub(crate) fn phase_sum(timeline: &Timeline, phase: Phase) -> Duration {
    let of = |span| match timeline.fold_of(span) {
        Some(fold) if fold.longest.is_some_and(|longest| longest.phase == phase) => fold.waited,
        None if span.phase == phase => span.duration(),
        _ => Duration::ZERO,
    };
    timeline.spans().iter().map(of).sum()
}

/// The bounds, as they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bounds(Vec<(String, Part, Duration)>);

impl Bounds {
    /// Reads `tls=100ms,total=0.3`.
    ///
    /// # Errors
    /// In words.
    pub(crate) fn parse(text: &str) -> Result<Bounds, String> {
        let mut bounds: Vec<(String, Part, Duration)> = Vec::new();
        for item in text.split(',') {
            let Some((name, value)) = item.split_once('=') else {
                return Err(
                    "write PHASE=T, with commas between several: tls=100ms,total=0.3".into()
                );
            };
            let Some(part) = Part::from_name(name) else {
                let waits = Phase::ALL.into_iter().filter(|phase| phase.is_wait());
                let names = waits.map(Phase::name).collect::<Vec<_>>().join(", ");
                let name = name.escape_debug();
                return Err(format!("there is no phase \"{name}\"; there are total, {names}"));
            };
            if bounds.iter().any(|(_, known, _)| *known == part) {
                return Err(format!("{name} has two bounds"));
            }
            let bound = times::parse_pause(value).map_err(|error| format!("{name}: {error}"))?;
            bounds.push((name.to_owned(), part, bound));
        }
        Ok(Bounds(bounds))
    }

    /// The bounds that were passed, each in a sentence.
    pub(crate) fn passed(&self, timeline: &Timeline) -> Vec<String> {
        let over = |(name, part, bound): &(String, Part, Duration)| {
            let took = part.took(timeline);
            (took > *bound).then(|| sentence(name, took, *bound))
        };
        self.0.iter().filter_map(over).collect()
    }

    /// Says in the run which bounds were passed: that is its error, if nothing else went wrong.
    /// Gives the sentences.
    pub(crate) fn judge(&self, run: &mut Run) -> Vec<String> {
        // Of a saved run that was judged by other bounds.
        if !self.0.is_empty() && run.error.as_ref().is_some_and(|error| error.kind == KIND) {
            run.error = None;
        }
        let passed =
            run.timeline.as_ref().map(|timeline| self.passed(timeline)).unwrap_or_default();
        if passed.is_empty() {
            return passed;
        }
        let status = run.response.as_ref().map(|response| response.status);
        let fresh = || ErrorRecord::new(KIND, message(passed.len()), status);
        let error = run.error.get_or_insert_with(fresh);
        error.remarks.extend(passed.iter().cloned());
        passed
    }
}

fn message(count: usize) -> String {
    let bounds = if count == 1 { "a bound" } else { "bounds" };
    format!("the call is done, but it passed {bounds} of --slo")
}

fn sentence(name: &str, took: Duration, bound: Duration) -> String {
    let over = took.saturating_sub(bound);
    let mut out = format!("slo {name}: it took ");
    // What differs by less than is printed reads as if it were equal.
    let exact = over < Duration::from_micros(100);
    let shown = if exact { configured_with_unit } else { with_unit };
    let _ = write!(out, "{}, the bound is {}: ", shown(took), configured_with_unit(bound));
    let _ = write!(out, "{} too long", shown(over));
    if let Some(percent) = (over.as_nanos() * 100).checked_div(bound.as_nanos())
        && percent > 0
    {
        let _ = write!(out, " ({percent}%)");
    }
    out + "."
}

/// The option.
pub(crate) fn arg() -> Arg {
    Arg::new("slo")
        .long("slo")
        .value_name("PHASE=T,...")
        .value_parser(Bounds::parse)
        .help("Exit code 4 if a phase took longer, or the call (total): tls=100ms,total=0.3")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;
    use waterclock::run::RequestRecord;
    use waterclock::{Limits, Tick};
    use waterclock_proto::timeline::{SpanEnd, What};

    fn run() -> Run {
        let ms = |n: u64| Tick::from_nanos(n * 1_000_000);
        let mut timeline = Timeline::new(ms(0), Limits::none());
        for (phase, from, to) in
            [(Phase::Resolve, 0, 80), (Phase::Tls, 80, 170), (Phase::Tls, 170, 191)]
        {
            timeline.record_wait(phase, What::Read, ms(from), ms(to), None, SpanEnd::Ready);
        }
        timeline.finish(ms(200));
        let mut run =
            Run::new(SystemTime::UNIX_EPOCH, RequestRecord::refused("GET", "http://h.test/"));
        run.timeline = Some(timeline);
        run
    }

    fn passed(text: &str) -> Vec<String> {
        Bounds::parse(text).unwrap().judge(&mut run())
    }

    #[test]
    fn each_bound_that_was_passed_is_told_with_its_figures() {
        assert_eq!(
            passed("dns=80ms,tls=100ms,total=0.1,body=1,tcp=0"),
            [
                "slo tls: it took 111.0 ms, the bound is 100 ms: 11.0 ms too long (11%).",
                "slo total: it took 200.0 ms, the bound is 100 ms: 100.0 ms too long (100%).",
            ]
        );
        assert_eq!(
            passed("resolve=79.99ms"),
            ["slo resolve: it took 80 ms, the bound is 79.99 ms: 0.01 ms too long."]
        );
        assert_eq!(
            passed("tls=0"),
            ["slo tls: it took 111.0 ms, the bound is 0 ms: 111.0 ms too long."]
        );
        assert!(passed("total=200ms").is_empty(), "a bound that is just met is not passed");
    }

    #[test]
    fn it_is_the_error_only_if_there_is_no_other() {
        let bounds = Bounds::parse("tls=1ms").unwrap();
        let mut fine = run();
        bounds.judge(&mut fine);
        let error = fine.error.clone().unwrap();
        assert_eq!((&*error.kind, error.remarks.len()), ("slo", 1));
        bounds.judge(&mut fine);
        assert_eq!(fine.error.clone().unwrap().remarks.len(), 1, "judged again");
        Bounds::parse("tls=1").unwrap().judge(&mut fine);
        assert!(fine.error.is_none(), "by a bound that it meets");
        let mut failed = run();
        failed.error = Some(ErrorRecord::new("status", "the status is 503", Some(503)));
        bounds.judge(&mut failed);
        let error = failed.error.unwrap();
        assert_eq!((&*error.kind, error.remarks.len()), ("status", 1));
    }

    #[test]
    fn what_is_no_bound_is_refused_with_the_way_out() {
        for (text, words) in [
            ("", "write PHASE=T"),
            ("tls", "write PHASE=T"),
            ("tls=1,", "write PHASE=T"),
            ("ssl=1", "there is no phase \"ssl\"; there are total, pool, resolve, connect"),
            ("local=1", "no phase"),
            ("tls=1,tls=2", "two bounds"),
            ("dns=1,resolve=2", "two bounds"),
            ("tls=fast", "tls: write seconds"),
            ("tls=none", "tls: write seconds"),
        ] {
            let error = Bounds::parse(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
        assert_eq!(Bounds::parse("first-byte=1"), Bounds::parse("first-byte=1000ms"));
    }
}
