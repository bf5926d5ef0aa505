//! The central property, for worlds, servers, limits and callers that a seed draws: a call ends at
//! exactly its earliest armed deadline and names it, its spans tile it, no secret leaves its origin, an
//! answer goes only to its request, a request is delivered as often as the policy allows, and every
//! descriptor is closed.
//!
//! `WATERCLOCK_SEED=7` replays one seed and prints all of it; `WATERCLOCK_SEEDS=500` or `500..900` says
//! how many or which. `scripts/seeds 100000` is the long run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    reason = "helpers of tests are tests too"
)]

mod checks;
mod draw;
mod drive;
mod oracle;
mod plan;
mod site;

use crate::drive::Story;
use crate::plan::Plan;
use std::any::Any;
use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use waterclock::{Limit, Phase, Tick};

/// What many seeds came to.
#[derive(Default)]
struct Sums {
    seeds: u64,
    calls: u64,
    waits: u64,
    simulated: Duration,
    ends: BTreeMap<String, u64>,
    fired: BTreeMap<(Limit, Phase), u64>,
    hops_ended: u64,
}

impl Sums {
    fn add(&mut self, story: &Story) {
        self.seeds += 1;
        self.waits += story.waits.len() as u64;
        self.simulated += story.now.since(Tick::ZERO);
        self.hops_ended += checks::expired_hops(story) as u64;
        for (fired, how) in checks::ends(story) {
            self.calls += 1;
            *self.ends.entry(how).or_default() += 1;
            if let Some(fired) = fired {
                *self.fired.entry(fired).or_default() += 1;
            }
        }
    }

    fn print(&self) {
        let days = self.simulated.as_secs_f64() / 86_400.0;
        println!("{} seeds, {} calls, {} waits", self.seeds, self.calls, self.waits);
        println!("{days:.1} simulated days");
        println!("{} waits ended by a limit", self.hops_ended);
        for (how, count) in &self.ends {
            println!("{count:>9}  {how}");
        }
        for ((limit, phase), count) in &self.fired {
            println!("{count:>9}  {limit} in {phase}");
        }
    }
}

fn run_and_check(plan: &Plan) -> Result<Story, String> {
    let result = catch_unwind(AssertUnwindSafe(|| {
        let story = drive::run(plan);
        checks::check(plan, &story);
        story
    }));
    result.map_err(|payload| words(&*payload))
}

fn words(payload: &(dyn Any + Send)) -> String {
    let owned = payload.downcast_ref::<String>().cloned();
    let plain = || payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    owned.or_else(plain).unwrap_or_else(|| "it panicked without words".to_owned())
}

/// Leaves away requests, and retries, as long as it fails.
fn shrink(mut plan: Plan) -> Plan {
    let mut smaller = true;
    while smaller {
        smaller = false;
        for thread in 0..plan.threads.len() {
            for ask in (0..plan.threads[thread].len()).rev() {
                let mut less = plan.clone();
                less.threads[thread].remove(ask);
                if run_and_check(&less).is_err() {
                    (plan, smaller) = (less, true);
                }
            }
        }
    }
    plan.threads.retain(|thread| !thread.is_empty());
    plan
}

fn failed(plan: Plan, why: &str) -> String {
    let (seed, all) = (plan.seed, plan.asks().count());
    let plan = shrink(plan);
    format!(
        "seed {seed} fails: {why}\n\nIts {all} requests, as far as it takes them: {plan:#?}\n\n\
         seed {seed} fails: {why}\nTo see all of it:\n    \
         WATERCLOCK_SEED={seed} cargo test -p waterclock --test seeds -- --nocapture"
    )
}

/// Runs seeds on so many threads.
fn run_all(seeds: Range<u64>, workers: usize) -> Result<Sums, String> {
    let (next, sums, failure) = (AtomicU64::new(seeds.start), Mutex::default(), Mutex::default());
    let work = || {
        let mut own = Sums::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end || Option::<String>::is_some(&failure.lock().unwrap()) {
                break;
            }
            let plan = Plan::draw(seed);
            match run_and_check(&plan) {
                Ok(story) => own.add(&story),
                Err(why) => {
                    failure.lock().unwrap().get_or_insert_with(|| failed(plan, &why));
                }
            }
        }
        merge(&mut sums.lock().unwrap(), own);
    };
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    failure.into_inner().unwrap().map_or(Ok(()), Err)?;
    Ok(sums.into_inner().unwrap())
}

fn merge(sums: &mut Sums, own: Sums) {
    sums.seeds += own.seeds;
    sums.calls += own.calls;
    sums.waits += own.waits;
    sums.simulated += own.simulated;
    sums.hops_ended += own.hops_ended;
    for (how, count) in own.ends {
        *sums.ends.entry(how).or_default() += count;
    }
    for (fired, count) in own.fired {
        *sums.fired.entry(fired).or_default() += count;
    }
}

fn asked(text: &str) -> Range<u64> {
    let number = |text: &str| text.parse().expect("WATERCLOCK_SEEDS is a count, or from..to");
    match text.split_once("..") {
        Some((from, to)) => number(from)..number(to),
        None => 0..number(text),
    }
}

#[test]
fn the_central_property_holds() {
    if let Ok(seed) = std::env::var("WATERCLOCK_SEED") {
        return replay(seed.parse().expect("WATERCLOCK_SEED is a number"));
    }
    let seeds = std::env::var("WATERCLOCK_SEEDS").unwrap_or_else(|_| "1000".to_owned());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    match run_all(asked(&seeds), workers) {
        Ok(sums) => sums.print(),
        Err(why) => panic!("{why}"),
    }
}

fn replay(seed: u64) {
    let plan = Plan::draw(seed);
    println!("{plan:#?}");
    let story = drive::run(&plan);
    for wait in &story.waits {
        println!("{wait:?}");
    }
    for ended in &story.ended {
        println!("r{}: {:#?}", ended.token, ended.timeline);
    }
    println!("{:#?}", story.site.log.lock().unwrap());
    checks::check(&plan, &story);
}

/// The same seed, the same story: no clock but the world's plays a part.
#[test]
fn a_seed_replays() {
    for seed in 0..40 {
        let plan = Plan::draw(seed);
        let stories = [drive::run(&plan), drive::run(&plan)];
        let [one, two] = stories.map(|story| (story.waits, story.pauses, story.now));
        assert_eq!(one, two, "seed {seed}");
    }
}
