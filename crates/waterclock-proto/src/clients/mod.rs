//! What other clients' timeouts would have done with a recorded call.
//!
//! "Timeout" means something else in each of them. Here each has a file with its rules, in words with
//! their source and as timers that are held against the recorded waits. Nothing is sent: the answer is a
//! pure function of a [`Timeline`].
//!
//! ```
//! use std::time::Duration;
//! use waterclock_proto::clients::{Client, Outcome};
//! use waterclock_proto::limit::Limits;
//! use waterclock_proto::tick::Tick;
//! use waterclock_proto::timeline::{Phase, SpanEnd, Timeline, What};
//!
//! // Headers that come in two parts, 80 ms each.
//! let ms = |n: u64| Tick::from_nanos(n * 1_000_000);
//! let mut timeline = Timeline::new(ms(0), Limits::none());
//! timeline.record_wait(Phase::FirstByte, What::Read, ms(0), ms(80), None, SpanEnd::Ready);
//! timeline.record_wait(Phase::Head, What::Read, ms(80), ms(160), None, SpanEnd::Ready);
//! timeline.finish(ms(160));
//!
//! let requests = Client::from_name("requests").unwrap().ask("timeout=0.12")?;
//! assert!(matches!(requests.outcome(&timeline), Outcome::Succeeds));
//!
//! let curl = Client::from_name("curl").unwrap().ask("--max-time 0.12")?;
//! let Outcome::Fires(fired) = curl.outcome(&timeline) else { panic!() };
//! assert_eq!((fired.at, fired.error), (Duration::from_millis(120), "exit code 28"));
//! # Ok::<(), String>(())
//! ```

mod aiohttp;
mod curl;
mod go;
mod httpx;
mod requests;
mod setting;
mod timer;
mod urllib3;
mod wget;

use crate::limit::{Limit, Limits};
use crate::timeline::Timeline;
use setting::{Given, Knob, Value};
use std::fmt;
use std::time::Duration;
use timer::Timer;

/// A client with its settings and rules.
pub struct Client {
    name: &'static str,
    /// The settings it has; the first is what people call its timeout.
    knobs: &'static [Knob],
    /// Which of them is nearest to a deadline over everything.
    total: usize,
    /// How a command line option, or an argument, is written.
    example: &'static str,
    /// How timeouts work there, in sentences.
    rules: &'static [&'static str],
    /// What no setting of it bounds; empty if everything can be bounded.
    unbounded: &'static str,
    /// Where that was read and measured, and in which version.
    source: &'static str,
    timers: fn(&Given, &Timeline) -> Vec<Timer>,
}

/// A client with settings, ready to be asked about timelines.
#[derive(Debug)]
pub struct Question {
    client: &'static Client,
    given: Given,
}

/// What a client's settings would have done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// None of them would have fired during the waits that were recorded.
    Succeeds,
    /// This one would have been the first.
    Fires(Fires),
}

/// The setting that would have ended the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fires {
    /// When, from the start of the call.
    pub at: Duration,
    /// What the client calls the limit.
    pub limit: &'static str,
    /// What it is set to, or came to.
    pub value: Duration,
    /// The exception that is raised, or the exit code.
    pub error: &'static str,
    /// Index of the span in which it would have fired.
    pub span: usize,
    /// How far into that span.
    pub into: Duration,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.name).finish()
    }
}

impl Client {
    /// All clients that are known.
    pub const ALL: [&'static Client; 7] = [
        &requests::CLIENT,
        &urllib3::CLIENT,
        &httpx::CLIENT,
        &aiohttp::CLIENT,
        &curl::CLIENT,
        &wget::CLIENT,
        &go::CLIENT,
    ];

    /// The client of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<&'static Client> {
        Client::ALL.into_iter().find(|client| client.name == name)
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// How its settings are written: `timeout=0.12`.
    #[must_use]
    pub const fn example(&self) -> &'static str {
        self.example
    }

    /// How its timeouts work, in sentences.
    #[must_use]
    pub const fn rules(&self) -> &'static [&'static str] {
        self.rules
    }

    /// What no setting of it bounds; empty if everything can be bounded.
    #[must_use]
    pub const fn unbounded(&self) -> &'static str {
        self.unbounded
    }

    /// Where the rules were read and measured, and for which version.
    #[must_use]
    pub const fn source(&self) -> &'static str {
        self.source
    }

    /// Takes settings as they are written for this client. Seconds, if it does not say otherwise.
    ///
    /// # Errors
    /// In words, for what the client does not have, or would refuse.
    pub fn ask(&'static self, settings: &str) -> Result<Question, String> {
        Ok(Question { client: self, given: setting::parse(self, settings)? })
    }

    /// Takes the setting that is nearest to these limits: to `total`, else to what `timeout=` of
    /// requests sets.
    ///
    /// # Errors
    /// In words, if there is no such limit.
    pub fn ask_as(&'static self, limits: &Limits) -> Result<Question, String> {
        let one = |index: usize, value| {
            let given = Given::one(self.knobs, index, value);
            Ok(Question { client: self, given })
        };
        if let Some(total) = limits.get(Limit::Total) {
            return one(self.total, Value::One(Some(total)));
        }
        let (connect, read) = (limits.get(Limit::Address), limits.get(Limit::Read));
        match (connect, read) {
            (connect, Some(read)) if connect == Some(read) => one(0, Value::One(Some(read))),
            (Some(connect), Some(read)) if self.knobs.first().is_some_and(|knob| knob.pair) => {
                one(0, Value::Pair(Some(connect), Some(read)))
            }
            _ => Err(format!(
                "this run has no timeout that {} could have; say which: --as {} {}",
                self.name, self.name, self.example
            )),
        }
    }
}

impl Question {
    /// The client that is asked about.
    #[must_use]
    pub const fn client(&self) -> &'static Client {
        self.client
    }

    /// What its settings would have done with this call.
    #[must_use]
    pub fn outcome(&self, timeline: &Timeline) -> Outcome {
        let timers = (self.client.timers)(&self.given, timeline);
        timer::first_to_fire(timeline, &timers).map_or(Outcome::Succeeds, Outcome::Fires)
    }
}

impl fmt::Display for Question {
    /// The client and its settings as they are written: `curl --max-time 0.12`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.client.name, self.given)
    }
}

#[cfg(test)]
mod tests;
