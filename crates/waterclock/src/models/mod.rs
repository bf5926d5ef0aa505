//! Models: the unchanged client, and shuttle in the place of the system's scheduler. Every lock, atomic and wait
//! of what callers share is a point where another thread may go on; a model tries thousands of orders. A schedule
//! that fails is kept in a file, and can be replayed. `scripts/models` builds and runs them.

mod cancel;
mod lookups;
mod pool;
mod world;

use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler};
use shuttle::{Config, FailurePersistence, Runner};
use std::env;

/// So many orders of each kind, if `MODEL_SCHEDULES` does not say.
const SCHEDULES: usize = 500;

/// Tries `model` in any order, and in orders in which few threads are held back for long, which find what needs
/// an unlikely one (Burckhardt et al., "A randomized scheduler with probabilistic guarantees of finding bugs").
/// Or, if `MODEL_REPLAY` names a file, the order that is in it.
pub(crate) fn try_orders(name: &str, model: fn()) {
    let schedules = env::var("MODEL_SCHEDULES").map_or(SCHEDULES, |n| n.parse().unwrap());
    let mut config = Config::new();
    // A client's call is deep, and these stacks are heap.
    config.stack_size = 1 << 20;
    if let Some(file) = env::var_os("MODEL_REPLAY") {
        let replayed = ReplayScheduler::new_from_file(file).unwrap();
        let tried = Runner::new(replayed, config).run(model);
        return println!("{name}: {tried} schedules");
    }
    if let Some(folder) = env::var_os("MODEL_FAILURES") {
        config.failure_persistence = FailurePersistence::File(Some(folder.into()));
    }
    let mut tried = Runner::new(RandomScheduler::new(schedules), config.clone()).run(model);
    tried += Runner::new(PctScheduler::new(3, schedules), config).run(model);
    println!("{name}: {tried} schedules");
}
