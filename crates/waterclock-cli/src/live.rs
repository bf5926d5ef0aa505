//! The line that says what a call waits for, while it does: the water clock itself. What is left of the
//! limit drains.

use crate::args::Options;
use crate::output::tell;
use crate::report::time;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, IsTerminal};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use unicode_width::UnicodeWidthStr;
use waterclock::observe::{Observer, SpanStarted};
use waterclock::screen::{Charset, Style, configured_with_unit, cut, escape};
use waterclock::world::real::RealWorld;
use waterclock::{Limit, Tick};
use waterclock_proto::timeline::{Phase, Timeline};

/// What is over sooner shows nothing.
const PATIENCE: Duration = Duration::from_millis(250);
/// From one picture to the next.
const REST: Duration = Duration::from_millis(100);
/// Columns of the bar.
const BAR: usize = 20;

/// The line. It goes when this is dropped, and nothing is drawn after that.
pub(crate) struct Live {
    line: Arc<Line>,
    /// Ends the thread that draws.
    _stop: UnixStream,
}

/// What the drawing thread and the call share. The lock is held while something is drawn, so that a line
/// that is gone does not come back.
struct Line {
    style: Style,
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    wait: Option<Wait>,
    drawn: bool,
    over: bool,
}

/// What the call waits for.
#[derive(Clone, Debug)]
struct Wait {
    label: String,
    since: Tick,
    limit: Option<Drain>,
    total: Option<Drain>,
}

/// A limit that runs.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Drain {
    limit: Limit,
    deadline: Tick,
    of: Duration,
}

impl Drain {
    /// `43.0 ms of 120 ms`
    fn used(&self, now: Tick) -> String {
        let used = self.of.saturating_sub(self.deadline.since(now));
        format!("{} of {}", time(used), configured_with_unit(self.of))
    }

    fn bar(&self, now: Tick, style: &Style) -> String {
        let ascii = style.charset == Charset::Ascii || style.ambiguous_wide;
        let (left, full, right) = if ascii { ("[", "#", "]") } else { ("▕", "█", "▏") };
        let cells = self.deadline.since(now).as_nanos() * BAR as u128;
        let cells = cells.checked_div(self.of.as_nanos()).unwrap_or(0);
        let cells = usize::try_from(cells).unwrap_or(BAR).min(BAR);
        format!("{left}{}{}{right}", full.repeat(cells), " ".repeat(BAR - cells))
    }
}

impl Live {
    /// Begins to look, if somebody sees it.
    pub(crate) fn start(options: &Options, style: Style) -> Option<Live> {
        let wanted = options.quiet == 0 && !options.file.no_progress;
        if !wanted || !io::stderr().is_terminal() {
            return None;
        }
        let (stop, stopped) = UnixStream::pair().ok()?;
        let line = Arc::new(Line { style, now: Mutex::default() });
        let shared = Arc::clone(&line);
        let draw = move || draw_until(&stopped, &shared);
        std::thread::Builder::new().name("live line".into()).spawn(draw).ok()?;
        Some(Live { line, _stop: stop })
    }

    /// What is to be told of the call.
    pub(crate) fn observer(&self) -> Arc<dyn Observer> {
        Arc::clone(&self.line) as Arc<dyn Observer>
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let mut now = self.line.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.over = true;
        if now.drawn {
            tell("\r\x1b[K");
        }
    }
}

/// Draws until the other end of `stopped` is gone.
fn draw_until(stopped: &UnixStream, line: &Line) {
    let mut pause = PATIENCE;
    loop {
        let Ok(timeout) = Timespec::try_from(pause) else { return };
        match poll(&mut [PollFd::new(stopped, PollFlags::IN)], Some(&timeout)) {
            Ok(0) => {}
            Err(rustix::io::Errno::INTR) => continue,
            _ => return,
        }
        pause = REST;
        let mut now = line.now.lock().unwrap_or_else(PoisonError::into_inner);
        if now.over {
            return;
        }
        if let Some(wait) = &now.wait {
            tell(&format!("\r{}\x1b[K", wait.line(RealWorld::shared().now(), &line.style)));
            now.drawn = true;
        }
    }
}

impl Observer for Line {
    fn span_started(&self, wait: &SpanStarted<'_>) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.wait = Some(Wait::of(wait));
    }
}

impl Wait {
    fn of(wait: &SpanStarted<'_>) -> Self {
        let limits = wait.timeline.limits();
        let drain = |limit, deadline| Some(Drain { limit, deadline, of: limits.get(limit)? });
        let in_force = wait.limit.zip(wait.left);
        let limit = in_force.and_then(|(limit, left)| drain(limit, wait.at.after(left)));
        let total = limits.get(Limit::Total).map(|of| wait.timeline.started().after(of));
        Wait {
            label: label(wait.phase, wait.timeline),
            since: wait.at,
            limit,
            total: total.and_then(|deadline| drain(Limit::Total, deadline)),
        }
    }

    /// `tls   43.0 ms of 120 ms ▕████▏  total 154.0 ms of 500 ms`, narrower than the terminal.
    fn line(&self, now: Tick, style: &Style) -> String {
        let mut rest = match &self.limit {
            Some(drain) if drain.limit == Limit::Total => {
                format!("total {} {}", drain.used(now), drain.bar(now, style))
            }
            Some(drain) => format!("{} {}", drain.used(now), drain.bar(now, style)),
            None => format!("{}, no limit", time(now.since(self.since))),
        };
        if let Some(total) = self.total.filter(|total| Some(*total) != self.limit) {
            rest += &format!("  total {}", total.used(now));
        }
        let label = match style.charset {
            Charset::Unicode => self.label.clone(),
            Charset::Ascii => self.label.escape_default().to_string(),
        };
        // The terminal's last column may wrap the line.
        let room = style.width.saturating_sub(rest.width() + 4);
        let line = format!("{}   {rest}", cut(&label, room, "~"));
        cut(&line, style.width.saturating_sub(1), "~").into_owned()
    }
}

/// What is waited for, in the waterfall's words.
fn label(phase: Phase, timeline: &Timeline) -> String {
    let words = match phase {
        Phase::Pool => "wait for connection",
        Phase::Resolve => {
            let host = timeline.hops().last().and_then(|hop| hop.request.url.host_str());
            return format!("dns {}", escape(host.unwrap_or_default()));
        }
        Phase::Connect => {
            let peer = timeline.attempts().last().map_or("", |attempt| &*attempt.peer);
            return format!("tcp {}", escape(peer)).trim_end().to_owned();
        }
        Phase::Tunnel => "proxy",
        Phase::Send => "send request",
        Phase::Upload => "send body",
        Phase::Continue => "wait for 100 Continue",
        Phase::FirstByte | Phase::Head => "read headers",
        Phase::Body => "read body",
        Phase::Backoff => "wait before retry",
        Phase::Tls | Phase::Caller | Phase::Local => phase.name(),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> Tick {
        Tick::from_nanos(n * 1_000_000)
    }

    fn wait(label: &str) -> Wait {
        let drain =
            |limit, at, of| Drain { limit, deadline: ms(at), of: Duration::from_millis(of) };
        Wait {
            label: label.to_owned(),
            since: ms(111),
            limit: Some(drain(Limit::Tls, 231, 120)),
            total: Some(drain(Limit::Total, 500, 500)),
        }
    }

    #[test]
    fn what_is_left_of_the_limit_drains() {
        let ascii = Style { charset: Charset::Ascii, ..Style::default() };
        let line = |now| wait("tls").line(ms(now), &ascii);
        assert_eq!(
            line(111),
            "tls   0.0 ms of 120 ms [####################]  total 111.0 ms of 500 ms"
        );
        assert_eq!(
            line(154),
            "tls   43.0 ms of 120 ms [############        ]  total 154.0 ms of 500 ms"
        );
        assert_eq!(
            line(300),
            "tls   120.0 ms of 120 ms [                    ]  total 300.0 ms of 500 ms"
        );
        let unlimited = Wait { limit: None, total: None, ..wait("dns 한국.test") };
        assert_eq!(
            unlimited.line(ms(1_111), &Style::default()),
            "dns 한국.test   1000.0 ms, no limit"
        );
        let total = Wait { limit: wait("").total, ..wait("read body") };
        assert_eq!(
            total.line(ms(250), &Style::default()),
            "read body   total 250.0 ms of 500 ms ▕██████████          ▏"
        );
    }

    #[test]
    fn it_is_narrower_than_the_terminal() {
        for width in [20, 60, 80] {
            let style = Style { width, ..Style::default() };
            let line = wait(&"한국".repeat(50)).line(ms(154), &style);
            assert!(line.width() < width, "{line}");
        }
    }
}
