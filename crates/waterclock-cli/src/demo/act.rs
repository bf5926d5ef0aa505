//! One call of a scene: what is said before, what is run, and how it must end.

use crate::args::{Data, Options, command};
use crate::exit::Exit;
use crate::output::print;
use crate::report::{self, Head, Trouble, wrap};
use crate::request::Plan;
use std::io;
use std::time::Duration;
use waterclock::run::{ErrorRecord, RequestRecord, ResponseRecord, Run};
use waterclock::screen::{Style, Table};
use waterclock::world::real::RealWorld;
use waterclock::{CancelHandle, Error, ErrorKind, Limit, Phase, Session, Timeline};

/// A call.
pub(super) struct Act {
    /// What the servers will do, in a sentence or two.
    pub(super) says: &'static str,
    /// The arguments, with one blank between two.
    pub(super) line: &'static str,
    /// Bytes that stand for the file that the line names.
    pub(super) upload: usize,
    pub(super) expect: Expect,
}

/// How a call must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// With this status, after at least this time.
    Status(u16, Duration),
    /// With this status, on a connection that was used before.
    Reused(u16),
    /// This limit fires in this phase.
    Limit(Limit, Phase),
    /// It fails in this way.
    Kind(ErrorKind),
}

impl Act {
    /// Runs it, shows it, and says what differed from what was expected.
    pub(super) fn play(&self, session: &Session, style: &Style) -> io::Result<Played> {
        let mut out = String::new();
        wrap(&mut out, self.says, 2, 2, style);
        out += &format!("\n$ waterclock {}\n", self.line);
        shown(&out)?;
        let Called { mut run, head, outcome } = self.call(session).map_err(io::Error::other)?;
        let trouble = outcome.as_ref().err().map(Trouble::of);
        run.error = outcome.as_ref().err().map(ErrorRecord::of);
        run.timeline = match &outcome {
            Ok(timeline) => Some(timeline.clone()),
            Err(error) => error.timeline().cloned(),
        };
        let mut out = match &run.timeline {
            Some(timeline) => {
                let table = Table::Waterfall;
                report::screen(head.as_ref(), table, timeline, trouble.as_ref(), style)
            }
            None => trouble.map(|trouble| trouble.brief()).unwrap_or_default(),
        };
        if let Err(error) = &outcome {
            out += &format!("\n (exit code {})\n", Exit::Call(error.kind()).code());
        }
        out.push('\n');
        shown(&out)?;
        Ok(Played { problem: self.expect.differs(&outcome), run })
    }

    fn call(&self, session: &Session) -> Result<Called, String> {
        let words = std::iter::once("waterclock").chain(self.line.split(' '));
        let matches = command().try_get_matches_from(words).map_err(|error| error.to_string())?;
        let mut options = Options::read(&matches);
        if self.upload > 0 {
            options.data = Data::Text("x".repeat(self.upload));
        }
        let plan = Plan::read(&options)?;
        let request = RequestRecord::refused(plan.method.as_str(), &plan.url);
        let mut run = Run::new(RealWorld::shared().wall(), request);
        let mut prepared = match plan.prepare(session, &options, &CancelHandle::new())? {
            Ok(prepared) => prepared,
            Err(error) => return Ok(Called { run, head: None, outcome: Err(error) }),
        };
        run.request = RequestRecord::of(&prepared);
        let mut response = match session.send(&mut prepared) {
            Ok(response) => response,
            Err(error) => return Ok(Called { run, head: None, outcome: Err(error) }),
        };
        let mut head = Head::of(&response);
        let body = response.content();
        let received = response.body_received();
        let bytes = body.as_ref().map_or(received, |body| body.len() as u64);
        head.count(received, bytes);
        run.response = Some(ResponseRecord::of(&response, bytes, None));
        Ok(Called { run, head: Some(head), outcome: body.map(|_| response.close()) })
    }
}

/// What came of an act.
pub(super) struct Played {
    pub(super) run: Run,
    /// What differed from what was expected.
    pub(super) problem: Option<String>,
}

struct Called {
    run: Run,
    head: Option<Head>,
    outcome: Result<Timeline, Error>,
}

impl Expect {
    fn differs(self, outcome: &Result<Timeline, Error>) -> Option<String> {
        let as_expected = match (self, outcome) {
            (Expect::Status(status, least), Ok(timeline)) => {
                is_status(timeline, status) && timeline.elapsed() >= least
            }
            (Expect::Reused(status), Ok(timeline)) => {
                let connection = timeline.hops().last().and_then(|hop| hop.connection);
                is_status(timeline, status) && connection.is_some_and(|it| it.idle.is_some())
            }
            (Expect::Limit(limit, phase), Err(error)) => {
                error.limit() == Some(limit) && error.phase() == Some(phase)
            }
            (Expect::Kind(kind), Err(error)) => error.kind() == kind,
            _ => false,
        };
        let sound = match outcome {
            Ok(timeline) => timeline.unaccounted().is_zero(),
            Err(error) => error.timeline().is_some_and(|timeline| timeline.unaccounted().is_zero()),
        };
        match (as_expected, sound) {
            (true, true) => None,
            (true, false) => Some("there is unaccounted time".to_owned()),
            (false, _) => Some(match outcome {
                Ok(timeline) => format!(
                    "expected {self:?}, got status {:?} after {}",
                    timeline.hops().last().and_then(|hop| hop.status),
                    report::time(timeline.elapsed())
                ),
                Err(error) => format!("expected {self:?}, got {}: {error}", error.kind()),
            }),
        }
    }
}

fn is_status(timeline: &Timeline, status: u16) -> bool {
    timeline.hops().last().is_some_and(|hop| hop.status == Some(status))
}

/// Says that the act that was just played is played once more.
pub(super) fn again(style: &Style) -> io::Result<()> {
    let mut out = String::new();
    let says =
        "That was not how it should go: this machine is busy with something else. Once more.";
    wrap(&mut out, says, 2, 2, style);
    out.push('\n');
    shown(&out)
}

fn shown(text: &str) -> io::Result<()> {
    if print(text) == crate::exit::Exit::Done {
        Ok(())
    } else {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}
