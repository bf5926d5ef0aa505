//! Where a response's body goes.

use crate::args::Options;
use crate::destination::Target;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::Path;
use waterclock::screen::escape;

/// A place for the body. Pieces are written as they come; nothing is kept.
#[derive(Debug)]
pub(crate) enum Sink {
    /// Bytes as they are.
    Raw(File),
    /// A terminal that somebody looks at.
    Terminal(Text),
    File(Target),
    /// Nowhere: only the run document is wanted, or the status is a failure.
    Nowhere,
}

impl Sink {
    /// What the options say; else standard output, which belongs to the document with `--json`, or to
    /// an export.
    ///
    /// # Errors
    /// In words.
    pub(crate) fn choose(options: &Options, url: &str) -> Result<Self, String> {
        let stdout = || stdout().map_err(|error| error.to_string());
        let plain = options.file.output.as_deref() == Some("-");
        Ok(match Target::choose(&options.file, url)? {
            Some(target) => Sink::File(target),
            None if plain => Sink::Raw(stdout()?),
            None if options.json || options.exports.take_stdout() => Sink::Nowhere,
            None if io::stdout().is_terminal() => Sink::Terminal(Text::new(stdout()?)),
            None => Sink::Raw(stdout()?),
        })
    }

    /// The file that it goes to.
    pub(crate) fn target(&mut self) -> Option<&mut Target> {
        if let Sink::File(target) = self { Some(target) } else { None }
    }

    /// Finds out before anything is sent that a file cannot be written, where that can be seen.
    pub(crate) fn check(&self) -> io::Result<()> {
        if let Sink::File(target) = self { target.check() } else { Ok(()) }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Sink::Raw(file) => file.write_all(bytes),
            Sink::Terminal(text) => text.write(bytes),
            Sink::File(target) => target.write(bytes),
            Sink::Nowhere => Ok(()),
        }
    }

    /// The body is complete.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        match self {
            Sink::Terminal(text) => text.end(),
            Sink::File(target) => target.end(),
            _ => Ok(()),
        }
    }

    /// The body will not be complete: what follows on a terminal begins on a line of its own.
    pub(crate) fn break_off(&mut self) -> io::Result<()> {
        if let Sink::Terminal(text) = self { text.end() } else { Ok(()) }
    }

    /// The file that has been begun, if there is one.
    pub(crate) fn begun(&self) -> Option<&Path> {
        match self {
            Sink::File(target) if target.is_begun() => Some(target.path()),
            _ => None,
        }
    }

    /// What it is called in a message.
    pub(crate) fn name(&self) -> String {
        match self {
            Sink::File(target) => target.path().display().to_string(),
            _ => "standard output".to_owned(),
        }
    }
}

/// Standard output without the buffer that breaks writes at line ends.
pub(crate) fn stdout() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

/// Text for a terminal: what it would obey instead of show is made visible, in UTF-8.
#[derive(Debug)]
pub(crate) struct Text<W = File> {
    out: W,
    /// The beginning of a character, or a carriage return, that the next piece decides about.
    rest: Vec<u8>,
    written: bool,
    at_line_start: bool,
}

impl<W: Write> Text<W> {
    pub(crate) fn new(out: W) -> Self {
        Text { out, rest: Vec::new(), written: false, at_line_start: true }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        // As curl: a NUL near the beginning is in no text.
        if !self.written && bytes.contains(&0) {
            let text = "the body is binary and not shown; use -o FILE, or -o - to have it here";
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        self.written = true;
        let mut all = std::mem::take(&mut self.rest);
        all.extend_from_slice(bytes);
        let whole = all.len() - undecided(&all);
        self.rest = all.split_off(whole);
        self.show(&String::from_utf8_lossy(&all))
    }

    fn show(&mut self, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let mut shown = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let (line, end) = match line.strip_suffix("\r\n") {
                Some(line) => (line, "\n"),
                None => line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n")),
            };
            for (index, part) in line.split('\t').enumerate() {
                shown.push_str(if index == 0 { "" } else { "\t" });
                shown.push_str(&escape(part));
            }
            shown.push_str(end);
        }
        self.at_line_start = shown.ends_with('\n');
        self.out.write_all(shown.as_bytes())
    }

    /// Whatever follows begins on a line of its own.
    fn end(&mut self) -> io::Result<()> {
        let rest = std::mem::take(&mut self.rest);
        self.show(&String::from_utf8_lossy(&rest))?;
        if !self.at_line_start {
            self.out.write_all(b"\n")?;
        }
        self.out.flush()
    }
}

/// How many bytes at the end cannot be shown before the next ones are known.
fn undecided(bytes: &[u8]) -> usize {
    if bytes.last() == Some(&b'\r') {
        return 1;
    }
    let tail = bytes.len().saturating_sub(3);
    let start = bytes.iter().skip(tail).rposition(|byte| byte & 0xc0 != 0x80);
    let Some(character) = start.and_then(|start| bytes.get(tail + start..)) else { return 0 };
    let wanted = match character.first() {
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        _ => 1,
    };
    if character.len() < wanted { character.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pieces: &[&[u8]]) -> String {
        let mut text = Text::new(Vec::new());
        for piece in pieces {
            text.write(piece).unwrap();
        }
        text.end().unwrap();
        String::from_utf8(text.out).unwrap()
    }

    #[test]
    fn a_terminal_gets_nothing_to_obey() {
        assert_eq!(shown(&[b"a\x1b[2Jb\r\n\tc\x07"]), "a\\u{1b}[2Jb\n\tc\\u{7}\n");
        assert_eq!(shown(&["exe.\u{202e}fdp\n".as_bytes()]), "exe.\\u{202e}fdp\n");
        assert_eq!(shown(&[b"old\rnew"]), "old\\rnew\n");
    }

    #[test]
    fn characters_may_be_cut_anywhere() {
        let text = "물시계 \u{1f4a7} naïve\r\nend";
        for cut in 0..=text.len() {
            let (first, second) = text.as_bytes().split_at(cut);
            assert_eq!(shown(&[first, second]), "물시계 \u{1f4a7} naïve\nend\n", "{cut}");
        }
        assert_eq!(shown(&[b"\xff\xea\xb0"]), "\u{fffd}\u{fffd}\n");
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(shown(&[]), "");
        assert_eq!(shown(&[b""]), "");
    }

    #[test]
    fn binary_bodies_are_refused() {
        let mut text = Text::new(Vec::new());
        let error = text.write(b"\x89PNG\0").unwrap_err();
        assert!(error.to_string().contains("-o FILE"));
    }
}
