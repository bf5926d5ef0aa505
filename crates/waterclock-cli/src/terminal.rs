//! What standard error can show.

use crate::args::Screen;
use anstream::{AutoStream, ColorChoice};
use std::io;
use terminal_size::{Width, terminal_size_of};
use waterclock::screen::{Charset, Style};

/// Longer lines are hard to read, however wide a window is.
const WIDEST: usize = 120;

/// What is drawn on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stream {
    /// Standard output: the demo.
    Out,
    /// Standard error: everything else.
    Err,
}

/// How to draw on `stream`.
pub(crate) fn style(screen: &Screen, stream: Stream) -> Style {
    let size = match stream {
        Stream::Out => terminal_size_of(io::stdout()),
        Stream::Err => terminal_size_of(io::stderr()),
    };
    let width = size.map_or(80, |(Width(columns), _)| columns.into());
    Style {
        width: width.min(WIDEST),
        charset: charset(&screen.charset, |name| std::env::var(name).ok()),
        color: color(&screen.color, stream),
        ambiguous_wide: screen.ambiguous_wide,
    }
}

/// `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE` and `TERM` count for `auto`.
fn color(wanted: &str, stream: Stream) -> bool {
    let auto = || match stream {
        Stream::Out => AutoStream::choice(&io::stdout()),
        Stream::Err => AutoStream::choice(&io::stderr()),
    };
    match wanted {
        "always" => true,
        "never" => false,
        _ => auto() != ColorChoice::Never,
    }
}

fn charset(wanted: &str, variable: impl Fn(&str) -> Option<String>) -> Charset {
    let poor = || matches!(variable("TERM").as_deref(), Some("dumb" | "linux"));
    // The first one that is set decides (POSIX, section 8.2).
    let set = |name: &&str| variable(name).is_some_and(|value| !value.is_empty());
    let locale = || ["LC_ALL", "LC_CTYPE", "LANG"].iter().find(|name| set(name)).copied();
    let utf8 = || {
        let locale = locale().and_then(&variable).unwrap_or_default().to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    };
    match wanted {
        "unicode" => Charset::Unicode,
        "auto" if utf8() && !poor() => Charset::Unicode,
        _ => Charset::Ascii,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(variables: &[(&str, &str)]) -> Charset {
        charset("auto", |name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn blocks_only_where_they_can_be_shown() {
        assert_eq!(auto(&[]), Charset::Ascii);
        assert_eq!(auto(&[("LANG", "ko_KR.UTF-8")]), Charset::Unicode);
        assert_eq!(auto(&[("LANG", "ko_KR.eucKR")]), Charset::Ascii);
        assert_eq!(auto(&[("LANG", "C.UTF-8"), ("LC_ALL", "C")]), Charset::Ascii);
        assert_eq!(auto(&[("LANG", "C.utf8"), ("LC_ALL", "")]), Charset::Unicode);
        assert_eq!(auto(&[("LANG", "C.UTF-8"), ("TERM", "linux")]), Charset::Ascii);
        assert_eq!(charset("unicode", |_| None), Charset::Unicode);
    }
}
