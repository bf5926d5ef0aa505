//! Text in XML and HTML.

use std::fmt::Write as _;
use waterclock_proto::screen;

/// `text` as character data or in a quoted attribute. What would be obeyed instead of shown (controls,
/// characters that reorder text) and what XML forbids is made visible.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in screen::escape(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // XML 1.0, section 2.2; HTML forbids all noncharacters.
            _ if u32::from(c) & 0xfffe == 0xfffe || ('\u{fdd0}'..='\u{fdef}').contains(&c) => {
                let _ = write!(out, "{}", c.escape_unicode());
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_others_wrote_is_markup() {
        let text = "</script><b a='1' c=\"2\">&amp;";
        let safe = "&lt;/script&gt;&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;amp;";
        assert_eq!(escape(text), safe);
        assert_eq!(escape("a\0b\x1b[2J\u{202e}c"), "a\\u{0}b\\u{1b}[2J\\u{202e}c");
        assert_eq!(escape("\u{ffff}\u{fdd0}\u{1fffe}"), "\\u{ffff}\\u{fdd0}\\u{1fffe}");
        assert_eq!(escape("한국 é"), "한국 é");
    }
}
