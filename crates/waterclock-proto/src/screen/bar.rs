//! Glyphs, bars and the time axis.

use super::number::{self, Unit};
use super::{Charset, Style};
use crate::tick::Tick;
use std::time::Duration;

/// The characters in use. All are one column wide on the terminal they are meant for.
pub(super) struct Glyphs {
    full: char,
    /// The left part of a cell, in eighths from 1 to 7.
    left: [char; 7],
    /// The right part of a cell, in eighths from 1 to 7.
    right: [char; 7],
    rest: char,
    caller: char,
    pub(super) cross: char,
    /// First, middle and last row under a shared limit.
    pub(super) bracket: [char; 3],
    pub(super) ellipsis: &'static str,
    pub(super) rule: &'static str,
    pub(super) times: &'static str,
    pub(super) range: char,
}

const BLOCKS: Glyphs = Glyphs {
    full: '█',
    left: ['▏', '▎', '▍', '▌', '▋', '▊', '▉'],
    // Unicode has no other blocks that stand on the right.
    right: ['▕', '▕', '▐', '▐', '▐', '█', '█'],
    rest: '░',
    caller: '·',
    cross: '✗',
    bracket: ['┐', '│', '┘'],
    ellipsis: "…",
    rule: "──",
    times: "×",
    range: '–',
};

/// Where East Asian ambiguous characters take two columns, blocks and box drawing do; Braille
/// patterns, the light shade and the cross are narrow everywhere.
const BRAILLE: Glyphs = Glyphs {
    full: '⣿',
    left: ['⡇', '⡇', '⡇', '⡇', '⡇', '⣿', '⣿'],
    right: ['⢸', '⢸', '⢸', '⢸', '⢸', '⣿', '⣿'],
    rest: '░',
    caller: '-',
    cross: '✗',
    bracket: ['\\', '|', '/'],
    ellipsis: "...",
    rule: "--",
    times: "x",
    range: '-',
};

const ASCII: Glyphs = Glyphs {
    full: '#',
    left: [' ', ' ', ' ', '#', '#', '#', '#'],
    right: [' ', ' ', ' ', '#', '#', '#', '#'],
    rest: '.',
    cross: 'x',
    ..BRAILLE
};

impl Glyphs {
    pub(super) const fn of(style: &Style) -> &'static Glyphs {
        match (style.charset, style.ambiguous_wide) {
            (Charset::Ascii, _) => &ASCII,
            (Charset::Unicode, true) => &BRAILLE,
            (Charset::Unicode, false) => &BLOCKS,
        }
    }

    pub(super) const fn sample(&self, ink: Ink) -> char {
        match ink {
            Ink::Waited => self.full,
            Ink::Caller => self.caller,
        }
    }

    pub(super) const fn rest(&self) -> char {
        self.rest
    }
}

/// What a bar is drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// A wait.
    Waited,
    /// The caller's own time.
    Caller,
}

/// What a row shows on the axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bar {
    pub(super) from: Tick,
    pub(super) to: Tick,
    /// The end of the limit in force, if it is to be shown.
    pub(super) until: Option<Tick>,
    /// The limit expired at the end.
    pub(super) expired: bool,
    pub(super) ink: Ink,
}

/// A drawn bar. Its parts take exactly the columns of the axis.
pub(super) struct Drawn {
    pub(super) lead: usize,
    pub(super) inked: String,
    pub(super) rest: String,
    pub(super) pad: usize,
}

/// The axis: which stretch of time is drawn over how many cells.
pub(super) struct Axis {
    start: Tick,
    length: Duration,
    cells: usize,
}

impl Axis {
    pub(super) fn new(start: Tick, end: Tick, cells: usize) -> Axis {
        Axis { start, length: end.since(start).max(Duration::from_nanos(1)), cells }
    }

    /// Where `at` lies, in eighths of a cell.
    fn eighths(&self, at: Tick) -> usize {
        let most = self.cells * 8;
        let length = self.length.as_nanos();
        let eighth = (at.since(self.start).as_nanos() * most as u128 + length / 2) / length;
        usize::try_from(eighth).unwrap_or(most).min(most)
    }

    pub(super) fn draw(&self, bar: &Bar, glyphs: &Glyphs) -> Drawn {
        if self.cells == 0 {
            return Drawn { lead: 0, inked: String::new(), rest: String::new(), pad: 0 };
        }
        // Everything that has a row is seen, if only as the thinnest line.
        let from = self.eighths(bar.from).min(self.cells * 8 - 1);
        let to = self.eighths(bar.to).max(from + 1);
        let (lead, mut last) = (from / 8, (to - 1) / 8);
        let mut inked: String = (lead..=last)
            .map(|cell| match bar.ink {
                Ink::Waited => cell_glyph(glyphs, from.max(cell * 8) - cell * 8, to - cell * 8),
                Ink::Caller => glyphs.caller,
            })
            .collect();
        if inked.trim().is_empty() {
            inked = inked.chars().map(|_| glyphs.full).collect();
        }
        // An edge that the character set cannot draw leaves its cell to what follows.
        if inked.ends_with(' ') {
            inked.pop();
            last -= 1;
        }
        if bar.expired {
            inked.pop();
            inked.push(glyphs.cross);
        }
        let until = bar.until.filter(|_| !bar.expired).map_or(0, |until| self.eighths(until));
        let rest = ((until + 4) / 8).saturating_sub(last + 1);
        let rest = String::from(glyphs.rest).repeat(rest);
        let pad = self.cells.saturating_sub(last + 1 + rest.chars().count());
        Drawn { lead, inked, rest, pad }
    }

    /// The line of tick labels: as many round numbers as there is room for.
    pub(super) fn ticks(&self) -> String {
        const ROOM: usize = 9;
        let length = self.length.as_nanos();
        let mut line = String::new();
        for (tick, text) in ticks(self.length, self.cells / ROOM) {
            let at = tick.as_nanos() * self.cells as u128 / length;
            let at = usize::try_from(at).unwrap_or(0);
            let free = line.is_empty() || line.len() < at;
            if free && at + text.len() <= self.cells {
                line.push_str(&" ".repeat(at.saturating_sub(line.len())));
                line.push_str(&text);
            }
        }
        format!("{line:cells$}", cells = self.cells)
    }
}

/// Round instants of an axis that is `length` long, with their labels: the first is zero, and at most
/// `most` more follow (at least one is allowed). Milliseconds have no unit, seconds have.
///
/// ```
/// use std::time::Duration;
/// use waterclock_proto::screen::ticks;
///
/// let labels = |ms| ticks(Duration::from_millis(ms), 4).into_iter().map(|(_, label)| label);
/// assert_eq!(labels(324).collect::<Vec<_>>(), ["0", "100", "200", "300"]);
/// assert_eq!(labels(12_000).collect::<Vec<_>>(), ["0", "5 s", "10 s"]);
/// ```
#[must_use]
pub fn ticks(length: Duration, most: usize) -> Vec<(Duration, String)> {
    let unit = Unit::of(length);
    let length = length.as_nanos().max(1);
    let mut steps = (0..20).flat_map(|power| [1, 2, 5].map(|n| n * 10_u128.pow(power)));
    let step = steps.find(|step| length / step <= most.max(1) as u128).unwrap_or(length);
    let tick = |number: u128| {
        let mark = if number == 0 { "" } else { unit.mark() };
        let nanos = u64::try_from(number * step).unwrap_or(u64::MAX);
        (Duration::from_nanos(nanos), number::decimal(number * step, unit.nanos(), 0) + mark)
    };
    (0..=length / step).map(tick).collect()
}

/// The glyph of a cell that is inked from one eighth to another.
fn cell_glyph(glyphs: &Glyphs, from: usize, to: usize) -> char {
    let to = to.min(8);
    match to.saturating_sub(from) {
        0 => ' ',
        8.. => glyphs.full,
        n if from == 0 || to < 8 => glyphs.left[n - 1],
        n => glyphs.right[n - 1],
    }
}
