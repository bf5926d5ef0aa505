//! The line that shows how far a download is, and how much time it has.

use crate::output::tell;
use crate::report::size;
use std::time::Duration;
use unicode_width::UnicodeWidthStr;
use waterclock::Tick;
use waterclock::screen::{Charset, Style, escape};
use waterclock::world::real::RealWorld;

/// What is over sooner shows nothing.
const PATIENCE: Duration = Duration::from_millis(250);
/// From one picture to the next.
const REST: Duration = Duration::from_millis(100);
/// Columns of the bar.
const BAR: usize = 20;

/// A download in progress. The line goes when this is dropped.
pub(crate) struct Progress {
    style: Style,
    name: String,
    /// Bytes that were there before.
    before: u64,
    /// How many bytes are to come.
    expected: Option<u64>,
    /// When the limit `total` fires.
    deadline: Option<Tick>,
    started: Tick,
    /// When the line was drawn last, and how many bytes had come by then.
    drawn: Option<(Tick, u64)>,
    /// Bytes in a second, recently.
    rate: f64,
}

impl Progress {
    pub(crate) fn new(
        name: &str,
        style: Style,
        before: u64,
        expected: Option<u64>,
        left: Option<Duration>,
    ) -> Self {
        let started = RealWorld::shared().now();
        let deadline = left.map(|left| started.after(left));
        let name = escape(name).into_owned();
        Progress { style, name, before, expected, deadline, started, drawn: None, rate: 0.0 }
    }

    /// So many bytes have come until now.
    pub(crate) fn show(&mut self, received: u64) {
        let now = RealWorld::shared().now();
        let (last, count) = self.drawn.unwrap_or((self.started, 0));
        let pause = now.since(last);
        if pause < if self.drawn.is_none() { PATIENCE } else { REST } {
            return;
        }
        #[allow(clippy::cast_precision_loss, reason = "it is rounded for people")]
        let new = received.saturating_sub(count) as f64 / pause.as_secs_f64();
        // What was fast a while ago says little about what is to come.
        self.rate = if self.drawn.is_none() { new } else { 0.7 * self.rate + 0.3 * new };
        self.drawn = Some((now, received));
        tell(&format!("\r{}\x1b[K", self.line(received, now)));
    }

    fn line(&self, received: u64, now: Tick) -> String {
        let with_bar = self.parts(received, now, true);
        // The terminal's last column may wrap the line.
        let rest = match with_bar.width() < self.style.width {
            true => with_bar,
            false => self.parts(received, now, false),
        };
        let room = self.style.width.saturating_sub(rest.width() + 3);
        let name: String = cut(&self.name, room);
        if name.is_empty() { rest } else { format!("{name}  {rest}") }
    }

    fn parts(&self, received: u64, now: Tick, bar: bool) -> String {
        let mut parts = Vec::new();
        let whole = self.expected.map(|expected| self.before.saturating_add(expected));
        let done = self.before.saturating_add(received);
        match whole.filter(|&whole| whole > 0) {
            Some(whole) => {
                let percent = u64::try_from(u128::from(done) * 100 / u128::from(whole));
                let percent = percent.unwrap_or(100).min(100);
                let bar = if bar { self.bar(percent) + " " } else { String::new() };
                parts.push(format!("{bar}{percent:>3}%"));
                parts.push(format!("{} of {}", size(done), size(whole)));
            }
            None => parts.push(size(done)),
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is rounded for people; casts from floats saturate"
        )]
        let rate = self.rate as u64;
        parts.push(format!("{}/s", size(rate)));
        let missing = self.expected.map(|expected| expected.saturating_sub(received));
        if let Some(seconds) = missing.and_then(|missing| missing.checked_div(rate)) {
            parts.push(format!("{} to go", brief(Duration::from_secs(seconds))));
        }
        if let Some(deadline) = self.deadline {
            parts.push(format!("total: {} left", brief(deadline.since(now))));
        }
        parts.join("  ")
    }

    fn bar(&self, percent: u64) -> String {
        let ascii = self.style.charset == Charset::Ascii || self.style.ambiguous_wide;
        let (full, empty) = if ascii { ("#", ".") } else { ("█", "░") };
        let filled = usize::try_from(percent).unwrap_or(0) * BAR / 100;
        full.repeat(filled) + &empty.repeat(BAR - filled)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.drawn.is_some() {
            tell("\r\x1b[K");
        }
    }
}

/// `830 ms`, `5.0 s`, `1:07`, `2:00:00`.
fn brief(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0) => format!("{} ms", duration.as_millis()),
        (0, 0, _) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes}:{seconds:02}"),
        (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// The beginning of a name, in at most `room` columns.
fn cut(name: &str, room: usize) -> String {
    if name.width() <= room {
        return name.to_owned();
    }
    let mut out = String::new();
    for c in name.chars() {
        if format!("{out}{c}~").width() > room {
            break;
        }
        out.push(c);
    }
    if out.is_empty() { out } else { out + "~" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(width: usize, expected: Option<u64>, left: Option<u64>) -> Progress {
        let style = Style { width, charset: Charset::Ascii, ..Style::default() };
        let left = left.map(Duration::from_secs);
        let mut progress = Progress::new("file.bin", style, 0, expected, left);
        progress.rate = 2_000_000.0;
        progress
    }

    #[test]
    fn it_says_how_far_how_fast_and_how_long() {
        let of = |progress: Progress, received| progress.line(received, progress.started);
        assert_eq!(
            of(progress(120, Some(20_000_000), Some(90)), 5_000_000),
            "file.bin  #####...............  25%  5.0 MB of 20.0 MB  2.0 MB/s  7 s to go  \
             total: 1:30 left"
        );
        assert_eq!(of(progress(80, None, None), 5_000_000), "file.bin  5.0 MB  2.0 MB/s");
        let mut resumed = progress(80, Some(10_000_000), None);
        resumed.before = 10_000_000;
        assert_eq!(
            of(resumed, 0),
            "file.bin  ##########..........  50%  10.0 MB of 20.0 MB  2.0 MB/s  5 s to go"
        );
        let mut stalled = progress(80, Some(10), None);
        stalled.rate = 0.0;
        assert_eq!(of(stalled, 20), "file.bin  #################### 100%  20 B of 10 B  0 B/s");
    }

    #[test]
    fn a_narrow_terminal_gets_less_of_the_name() {
        for width in [50, 60, 70, 80] {
            let line = progress(width, Some(20_000_000), None).line(5_000_000, Tick::NEVER);
            assert!(line.width() < width && line.contains(" 25%"), "{line}");
        }
        assert_eq!((cut("한국어.bin", 6), cut("x", 0)), ("한국~".into(), String::new()));
    }

    #[test]
    fn times_are_short() {
        let of = |millis| brief(Duration::from_millis(millis));
        assert_eq!([of(830), of(5_400), of(67_000)], ["830 ms", "5 s", "1:07"]);
        assert_eq!(of(7_200_000), "2:00:00");
    }
}
