//! [`Script`]: a peer that does one thing after the other.

use crate::peer::{Peer, Wire, clones};
use crate::reading::Reading;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use waterclock_proto::tick::Tick;

/// More steps than any sensible script takes in one instant: a repetition lets no time pass.
const MOST_STEPS: usize = 100_000;

/// What a peer does, step by step, on the virtual clock. At its end the connection stays open and
/// silent, and nothing more is taken.
///
/// ```
/// use std::time::Duration;
/// use waterclock_sim::{Script, SimWorld};
///
/// let ms = Duration::from_millis;
/// let world = SimWorld::new();
/// world.listen("192.0.2.1:80").serve(
///     Script::new()
///         .expect_head()
///         .wait(ms(20))
///         .send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
///         .drip("0123456789", 1, ms(5))
///         .close(),
/// );
/// ```
#[derive(Default)]
pub struct Script {
    steps: Vec<Step>,
    run: Option<Run>,
}

#[derive(Clone)]
enum Step {
    Wait(Duration),
    ExpectHead,
    ExpectBody,
    ExpectBytes(u64),
    Drain,
    Pace(Pace),
    Send(Arc<[u8]>),
    Respond(Arc<Respond>),
    Drip { bytes: Arc<[u8]>, size: usize, every: Duration },
    Repeat { steps: Arc<[Step]>, times: Option<u64> },
    Then(Arc<dyn Fn() -> Box<dyn Peer> + Send + Sync>),
    Stall,
    Close,
    Reset,
}

/// Makes an answer of a request head.
type Respond = dyn Fn(&[u8]) -> Vec<u8> + Send + Sync;

/// At most so many bytes are taken, then none until so much time has passed.
#[derive(Clone, Copy)]
struct Pace {
    bytes: usize,
    every: Duration,
}

/// Writing a script.
impl Script {
    /// A script that does nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Does nothing while `duration` passes.
    #[must_use]
    pub fn wait(self, duration: Duration) -> Self {
        self.step(Step::Wait(duration))
    }

    /// Goes on when a whole request head has arrived.
    #[must_use]
    pub fn expect_head(self) -> Self {
        self.step(Step::ExpectHead)
    }

    /// Goes on when the body of the last expected head has arrived, as that head's
    /// `Content-Length` or chunked `Transfer-Encoding` says; at once if it has none.
    #[must_use]
    pub fn expect_body(self) -> Self {
        self.step(Step::ExpectBody)
    }

    /// Goes on when `count` bytes have arrived.
    #[must_use]
    pub fn expect_bytes(self, count: u64) -> Self {
        self.step(Step::ExpectBytes(count))
    }

    /// Takes whatever arrives, and never goes on.
    #[must_use]
    pub fn drain(self) -> Self {
        self.step(Step::Drain)
    }

    /// From here on takes at most `bytes`, then nothing until `every` has passed. With a
    /// [window](crate::Listener::window) that makes a slow reader.
    #[must_use]
    pub fn pace(self, bytes: usize, every: Duration) -> Self {
        self.step(Step::Pace(Pace { bytes: bytes.max(1), every }))
    }

    /// Sends `bytes`.
    #[must_use]
    pub fn send(self, bytes: impl AsRef<[u8]>) -> Self {
        self.step(Step::Send(bytes.as_ref().into()))
    }

    /// Sends what `respond` makes of the last expected head.
    #[must_use]
    pub fn respond(self, respond: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static) -> Self {
        self.step(Step::Respond(Arc::new(respond)))
    }

    /// Sends `bytes` in pieces of `size`: the first now, each next when `every` has passed. Goes on
    /// with the last piece.
    #[must_use]
    pub fn drip(self, bytes: impl AsRef<[u8]>, size: usize, every: Duration) -> Self {
        self.step(Step::Drip { bytes: bytes.as_ref().into(), size: size.max(1), every })
    }

    /// Does what `script` says, over and over, for ever.
    ///
    /// # Panics
    /// While it runs, if it neither waits nor expects anything.
    #[must_use]
    pub fn repeat(self, script: Script) -> Self {
        self.step(Step::Repeat { steps: script.steps.into(), times: None })
    }

    /// Does what `script` says so many times.
    #[must_use]
    pub fn repeat_times(self, times: u64, script: Script) -> Self {
        self.step(Step::Repeat { steps: script.steps.into(), times: Some(times) })
    }

    /// Hands the connection over, for good, to a clone of `peer`: TLS after CONNECT, for example.
    #[must_use]
    pub fn then(self, peer: impl Peer + Clone + 'static) -> Self {
        self.step(Step::Then(Arc::new(clones(peer))))
    }

    /// Never does anything again, nor takes what arrives.
    #[must_use]
    pub fn stall(self) -> Self {
        self.step(Step::Stall)
    }

    /// Closes the connection; see [`Wire::close`].
    #[must_use]
    pub fn close(self) -> Self {
        self.step(Step::Close)
    }

    /// Resets the connection; see [`Wire::reset`].
    #[must_use]
    pub fn reset(self) -> Self {
        self.step(Step::Reset)
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

/// The clone has not begun, however far the original is.
impl Clone for Script {
    fn clone(&self) -> Self {
        Script { steps: self.steps.clone(), run: None }
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Script of {} steps: {}", self.steps.len(), self.describe())
    }
}

impl Peer for Script {
    #[allow(clippy::panic, reason = "a test tool: the script would run for ever")]
    fn poll(&mut self, wire: &mut Wire) {
        let run = self.run.get_or_insert_with(|| Run::new(self.steps.as_slice().into()));
        for _ in 0..MOST_STEPS {
            if !run.advance(wire) {
                return;
            }
        }
        panic!(
            "a script took {MOST_STEPS} steps in one instant: something is repeated without end"
        );
    }

    fn describe(&self) -> String {
        self.run.as_ref().map_or_else(|| "its script has not begun".to_owned(), Run::describe)
    }
}

/// A script under way.
struct Run {
    /// The script and the repetitions that we are in, the innermost last.
    frames: Vec<Frame>,
    current: Option<Doing>,
    pace: Option<Pace>,
    /// When the pace allows to take something again.
    rested: Tick,
    /// The last head that was expected.
    head: Vec<u8>,
}

struct Frame {
    steps: Arc<[Step]>,
    next: usize,
    /// How many more times; `None` is for ever.
    again: Option<u64>,
}

/// A step that takes time.
enum Doing {
    Waiting(Tick),
    Reading(Reading),
    Dripping { bytes: Arc<[u8]>, sent: usize, size: usize, every: Duration, next: Tick },
    HandedOver(Box<dyn Peer>),
    Stalling,
    Finished,
}

impl Run {
    fn new(steps: Arc<[Step]>) -> Self {
        Run {
            frames: vec![Frame { steps, next: 0, again: Some(0) }],
            current: None,
            pace: None,
            rested: Tick::ZERO,
            head: Vec::new(),
        }
    }

    /// Does one thing; `false` if that needs time or bytes to come.
    fn advance(&mut self, wire: &mut Wire) -> bool {
        let doing = self.current.take().or_else(|| match self.next_step() {
            Some(step) => self.begin(step, wire),
            None => Some(Doing::Finished),
        });
        let Some(mut doing) = doing else { return true };
        let done = self.go_on(&mut doing, wire);
        if !done {
            self.current = Some(doing);
        }
        done
    }

    fn next_step(&mut self) -> Option<Step> {
        while let Some(frame) = self.frames.last_mut() {
            if let Some(step) = frame.steps.get(frame.next) {
                frame.next += 1;
                return Some(step.clone());
            }
            match &mut frame.again {
                Some(0) => {
                    self.frames.pop();
                }
                _ if frame.steps.is_empty() => {
                    self.frames.pop();
                }
                Some(times) => {
                    *times -= 1;
                    frame.next = 0;
                }
                None => frame.next = 0,
            }
        }
        None
    }

    /// Begins a step; `None` if it took no time.
    fn begin(&mut self, step: Step, wire: &mut Wire) -> Option<Doing> {
        match step {
            Step::Wait(duration) => {
                let until = wire.now().after(duration);
                wire.wake_at(until);
                return Some(Doing::Waiting(until));
            }
            Step::ExpectHead => return Some(Doing::Reading(Reading::Head(Vec::new()))),
            Step::ExpectBody => return Some(Doing::Reading(Reading::body_of(&self.head))),
            Step::ExpectBytes(count) => return Some(Doing::Reading(Reading::Exactly(count))),
            Step::Drain => return Some(Doing::Reading(Reading::Everything)),
            Step::Drip { bytes, size, every } => {
                return Some(Doing::Dripping { bytes, sent: 0, size, every, next: wire.now() });
            }
            Step::Then(make) => return Some(Doing::HandedOver(make())),
            Step::Stall => return Some(Doing::Stalling),
            Step::Pace(pace) => self.pace = Some(pace),
            Step::Send(bytes) => wire.send(&*bytes),
            Step::Respond(respond) => wire.send(respond(&self.head)),
            Step::Repeat { times: Some(0), .. } => {}
            Step::Repeat { steps, times } => {
                let again = times.map(|times| times - 1);
                self.frames.push(Frame { steps, next: 0, again });
            }
            Step::Close => {
                wire.close();
                return Some(Doing::Finished);
            }
            Step::Reset => {
                wire.reset();
                return Some(Doing::Finished);
            }
        }
        None
    }

    /// Goes on with a step as far as it can; says whether it is complete.
    fn go_on(&mut self, doing: &mut Doing, wire: &mut Wire) -> bool {
        match doing {
            Doing::Waiting(until) => wire.now() >= *until,
            Doing::Reading(reading) => {
                self.read(reading, wire);
                if let (true, Reading::Head(head)) = (reading.is_complete(), &mut *reading) {
                    self.head = std::mem::take(head);
                    return true;
                }
                reading.is_complete()
            }
            Doing::Dripping { bytes, sent, size, every, next } => {
                while *sent < bytes.len() && wire.now() >= *next {
                    let end = bytes.len().min(*sent + *size);
                    wire.send(bytes.get(*sent..end).unwrap_or_default());
                    *sent = end;
                    *next = next.after(*every);
                }
                if *sent < bytes.len() {
                    wire.wake_at(*next);
                }
                *sent == bytes.len()
            }
            Doing::HandedOver(peer) => {
                peer.poll(wire);
                false
            }
            Doing::Stalling | Doing::Finished => false,
        }
    }

    /// Takes what has arrived, at the pace that is set.
    fn read(&mut self, reading: &mut Reading, wire: &mut Wire) {
        while !reading.is_complete() && !wire.arrived().is_empty() {
            if wire.now() < self.rested {
                return wire.wake_at(self.rested);
            }
            let arrived = wire.arrived();
            let most = self.pace.map_or(usize::MAX, |pace| pace.bytes);
            let used = reading.feed(arrived.get(..most).unwrap_or(arrived));
            wire.take(used);
            if let Some(pace) = self.pace {
                self.rested = wire.now().after(pace.every);
            }
        }
    }

    fn describe(&self) -> String {
        match &self.current {
            None => "its script is between two steps".to_owned(),
            Some(Doing::Waiting(until)) => {
                format!("its script waits until {:?}", until.since(Tick::ZERO))
            }
            Some(Doing::Reading(reading)) => format!("its script {}", reading.describe()),
            Some(Doing::Dripping { bytes, sent, .. }) => {
                format!("its script drips, {sent} of {} bytes so far", bytes.len())
            }
            Some(Doing::HandedOver(peer)) => peer.describe(),
            Some(Doing::Stalling) => "its script stalls".to_owned(),
            Some(Doing::Finished) => "its script is at its end".to_owned(),
        }
    }
}
