//! Models: the unchanged client, and shuttle in the place of the system's scheduler. Every lock, atomic and wait
//! of what callers share is a point where another thread may go on; a model tries thousands of orders. A schedule
//! that fails is printed, and `shuttle::replay` runs it again. `scripts/models` builds and runs them.

mod cancel;
mod lookups;
mod pool;
mod world;

use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner};

/// So many orders of each kind, if `MODEL_SCHEDULES` does not say.
const SCHEDULES: usize = 500;

/// Tries `model` in any order, and in orders in which few threads are held back for long, which find what needs
/// an unlikely one (Burckhardt et al., "A randomized scheduler with probabilistic guarantees of finding bugs").
pub(crate) fn try_orders(name: &str, model: fn()) {
    let schedules = std::env::var("MODEL_SCHEDULES").map_or(SCHEDULES, |n| n.parse().unwrap());
    let mut config = Config::new();
    // A client's call is deep, and these stacks are heap.
    config.stack_size = 1 << 20;
    let mut tried = Runner::new(RandomScheduler::new(schedules), config.clone()).run(model);
    tried += Runner::new(PctScheduler::new(3, schedules), config).run(model);
    println!("{name}: {tried} schedules");
}
