//! Every scenario, every point, every fault.

use crate::bench::Route;
use crate::cases::cases;
use crate::fault::Point;
use crate::judge::{Known, targets};
use crate::scenario::Case;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One of so many faults is tried, if not all are asked for.
const SAMPLE: usize = 41;

#[derive(Default)]
struct Tally {
    scenarios: usize,
    /// How many points there are, and how many runs had a fault there.
    points: BTreeMap<Point, (usize, usize)>,
    wrong: Vec<String>,
}

#[test]
fn whatever_fails_the_call_ends_well_or_says_why() {
    let cases = cases();
    let only = std::env::var("WATERCLOCK_TORTURE_ONLY").unwrap_or_default();
    let scenarios: Vec<(&Case, Route)> = cases
        .iter()
        .flat_map(|case| case.routes.iter().map(move |&route| (case, route)))
        .filter(|(case, route)| format!("{} {route:?}", case.name).contains(&only))
        .collect();
    assert!(scenarios.len() >= 200 || !only.is_empty(), "{} scenarios", scenarios.len());
    let all = std::env::var("WATERCLOCK_TORTURE").is_ok_and(|text| text == "all");
    let stride = if all || !only.is_empty() { 1 } else { SAMPLE };
    let (next, tally) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
    let work = || {
        while let Some((number, (case, route))) = {
            let number = next.fetch_add(1, Ordering::Relaxed);
            scenarios.get(number).map(|scenario| (number, scenario))
        } {
            torture(case, *route, number, stride, &tally);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let tally = tally.into_inner().unwrap();
    tally.print();
    assert!(tally.wrong.is_empty(), "{} wrong:\n{}", tally.wrong.len(), tally.wrong.join("\n"));
    let missing = Point::ALL.iter().find(|point| !tally.points.contains_key(point));
    assert!(missing.is_none() || !only.is_empty(), "nothing has failed at {missing:?}");
}

/// One of `stride` faults, beginning with another one in each scenario.
fn torture(case: &Case, route: Route, number: usize, stride: usize, tally: &Mutex<Tally>) {
    let name = format!("{} ({route:?})", case.name);
    let known = match Known::new(case, route) {
        Ok(known) => known,
        Err(what) => return tally.lock().unwrap().wrong.push(format!("{name}: {what}")),
    };
    let mut runs: BTreeMap<Point, (usize, usize)> = BTreeMap::new();
    for point in known.points() {
        runs.entry(*point).or_default().0 += 1;
    }
    let mut wrong = Vec::new();
    for target in targets(&known).skip(number % stride).step_by(stride) {
        runs.entry(target.point).or_default().1 += 1;
        if let Err(what) = known.with(target) {
            wrong.push(format!("{name}, {target:?}: {what}"));
        }
    }
    let mut tally = tally.lock().unwrap();
    tally.scenarios += 1;
    tally.wrong.append(&mut wrong);
    for (point, (there, failed)) in runs {
        let sum = tally.points.entry(point).or_default();
        *sum = (sum.0 + there, sum.1 + failed);
    }
}

impl Tally {
    fn print(&self) {
        let sum = |of: fn(&(usize, usize)) -> usize| self.points.values().map(of).sum::<usize>();
        let (points, runs) = (sum(|counts| counts.0), sum(|counts| counts.1));
        println!("{} scenarios, {points} points, {runs} runs with a fault", self.scenarios);
        for (point, (points, runs)) in &self.points {
            println!("{:>10}  {points:>6} points  {runs:>7} runs", format!("{point:?}"));
        }
    }
}
