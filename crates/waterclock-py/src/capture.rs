//! `Capture`: what the sockets of calls read and wrote, for packet captures.
//!
//! Sockets are recorded from where they are opened on, so that a call over them has nothing to ask.

use crate::per_process::generation;
use crate::world::{bare, world};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use waterclock::Tick;
use waterclock::capture::{KeyLines, Wire};
use waterclock::world::World;

/// Whether sockets that are opened now are recorded.
static IS_ON: AtomicBool = AtomicBool::new(false);
/// The last recording, which goes on or has ended.
static LAST: Mutex<Option<Recording>> = Mutex::new(None);

#[derive(Clone)]
struct Recording {
    capture: waterclock::capture::Capture,
    world: Arc<dyn World>,
    /// Which process it belongs to: a child has nobody who looks names up for it.
    generation: u32,
    began: Tick,
    ended: Option<Tick>,
}

fn last() -> Option<Recording> {
    LAST.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The world in which sockets are opened, if they are recorded now.
pub(crate) fn recorded() -> Option<Arc<dyn World>> {
    if !IS_ON.load(Ordering::Relaxed) {
        return None;
    }
    last().filter(|last| last.generation == generation()).map(|recording| recording.world)
}

/// Where secrets of TLS go, if they are recorded now.
pub(crate) fn key_lines() -> Option<KeyLines> {
    recorded()?.key_lines()
}

/// What was recorded of the call that lasted from `started` to `ended`, if it began in a recording.
pub(crate) fn of_call(started: Tick, ended: Tick) -> Option<Wire> {
    let recording = last()?;
    let within = recording.began <= started && recording.ended.is_none_or(|end| started <= end);
    within.then(|| recording.capture.of_call(started, ended))
}

/// A recording of sockets. `waterclock.capture` makes it.
#[pyclass(frozen, module = "waterclock._engine")]
pub(crate) struct Capture {
    keys: bool,
    budget: usize,
}

#[pymethods]
impl Capture {
    #[new]
    fn new(keys: bool, budget: usize) -> PyResult<Self> {
        if budget == 0 {
            return Err(PyValueError::new_err("a budget of 0 bytes records nothing"));
        }
        Ok(Capture { keys, budget })
    }

    fn begin(&self) -> PyResult<()> {
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        if IS_ON.load(Ordering::Relaxed) {
            let text = "a recording is going on already; its calls would be in both";
            return Err(PyRuntimeError::new_err(text));
        }
        let capture = waterclock::capture::Capture::with_budget(self.budget);
        let capture = if self.keys { capture.with_keys() } else { capture };
        let tapped = capture.around(Arc::clone(bare()));
        let began = world().now();
        let generation = generation();
        *last = Some(Recording { capture, world: tapped, generation, began, ended: None });
        IS_ON.store(true, Ordering::Relaxed);
        Ok(())
    }

    #[allow(clippy::unused_self, reason = "there is one recording at a time")]
    fn end(&self) {
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        IS_ON.store(false, Ordering::Relaxed);
        if let Some(recording) = last.as_mut() {
            recording.ended = Some(world().now());
        }
    }
}
