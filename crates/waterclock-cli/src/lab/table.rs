//! The results of a check as lines.

use super::document::Row;
use std::time::Duration;
use unicode_width::UnicodeWidthChar;
use waterclock::screen::{Charset, Style, escape};

/// Explains the column "bounded?".
pub(super) const KEY: &str = "yes: failed at its limit. LATE: failed, but later. NO: waited on. -: over \
                              before the limit. MISSED: took a failure for success.";

pub(super) fn header() -> String {
    format!("{:<16}{:<13}{:>9}  {:<10}{}\n", "scene", "ended", "after", "bounded?", "it said")
}

/// A line of the table, cut to the screen.
pub(super) fn line(row: &Row, style: &Style) -> String {
    let name = escape(&row.scene);
    let text = if row.ended == "skipped" {
        format!("{name:<16}{:<13}{}", "not tested", escape(&row.said))
    } else {
        let ended = ended(row);
        let (took, bounded) = (time(row.took), word(&row.bounded));
        format!("{name:<16}{ended:<13}{took:>9}  {bounded:<10}{}", escape(&row.said))
    };
    format!("{}\n", fitted(&text, style))
}

fn ended(row: &Row) -> String {
    match (row.ended.as_str(), row.code) {
        ("badly", Some(code)) => format!("failed ({code})"),
        ("badly", None) => "a signal".to_owned(),
        (ended, _) => ended.to_owned(),
    }
}

/// What stands in the column "bounded?".
pub(super) fn word(bounded: &str) -> &'static str {
    match bounded {
        "yes" => "yes",
        "late" => "LATE",
        "no" => "NO",
        "unnoticed" => "MISSED",
        "untested" => "",
        _ => "-",
    }
}

/// `122 ms`, `1.80 s`.
pub(super) fn time(time: Duration) -> String {
    match time.as_millis() {
        ms @ 0..=999 => format!("{ms} ms"),
        _ => format!("{:.2} s", time.as_secs_f64()),
    }
}

/// What fits a line, in the characters that the terminal has.
pub(super) fn fitted(text: &str, style: &Style) -> String {
    let mut line = String::new();
    let mut used = 0;
    for c in text.chars() {
        let shown = if style.charset == Charset::Ascii && !c.is_ascii() { '?' } else { c };
        let columns = shown.width().unwrap_or_default();
        if used + columns > style.width {
            break;
        }
        used += columns;
        line.push(shown);
    }
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::document::tests::row;
    use super::*;

    fn style(charset: Charset) -> Style {
        Style { width: 60, charset, color: false, ambiguous_wide: false }
    }

    #[test]
    fn lines_are_cut_and_harmless() {
        let mut badly = row("seed", "badly", "yes", 122);
        badly.said = "curl: (28) \u{1b}[31m시간 초과 after 120 milliseconds".to_owned();
        let line_of = |row: &Row, charset| line(row, &style(charset));
        assert_eq!(
            line_of(&badly, Charset::Unicode),
            "seed            failed (28)     122 ms  yes       curl: (28)\n"
        );
        badly.said = "시간 초과 지났다".to_owned();
        assert_eq!(
            line_of(&badly, Charset::Unicode),
            "seed            failed (28)     122 ms  yes       시간 초과\n"
        );
        assert_eq!(
            line_of(&badly, Charset::Ascii),
            "seed            failed (28)     122 ms  yes       ?? ?? ???\n"
        );
        let killed = row("stall-head", "killed", "no", 5_000);
        assert_eq!(
            line_of(&killed, Charset::Unicode),
            "stall-head      killed          5.00 s  NO\n"
        );
        let mut skipped = row("slow-proxy", "skipped", "untested", 0);
        skipped.said = "the client did not use the proxy".to_owned();
        assert_eq!(
            line_of(&skipped, Charset::Unicode),
            "slow-proxy      not tested   the client did not use the prox\n"
        );
        let mut signal = row("ok", "badly", "nothing", 3);
        signal.code = None;
        assert_eq!(
            line_of(&signal, Charset::Unicode),
            "ok              a signal          3 ms  -\n"
        );
    }

    #[test]
    fn the_header_stands_above_the_columns() {
        assert_eq!(header(), "scene           ended            after  bounded?  it said\n");
    }
}
