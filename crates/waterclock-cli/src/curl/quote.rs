//! Quoting, for sh and for curl's `-F`.

/// A word that sh takes as it is (POSIX, section 2.2).
pub(super) fn for_shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A value of `-F` in which nothing is special.
pub(super) fn for_form(value: &str) -> String {
    let plain = |c: char| !matches!(c, ';' | ',' | '"' | '\\' | '@' | '<') && !c.is_whitespace();
    if !value.is_empty() && value.chars().all(plain) {
        return value.to_owned();
    }
    format!("\"{}\"", value.replace('\\', r"\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shell_changes_nothing() {
        for (word, quoted) in [
            ("http://h.test/x?a=b", "'http://h.test/x?a=b'"),
            ("--max-time", "--max-time"),
            ("", "''"),
            ("it's $HOME `x` \\ \"!\n", "'it'\\''s $HOME `x` \\ \"!\n'"),
            ("한", "'한'"),
            ("~", "'~'"),
        ] {
            assert_eq!(for_shell(word), quoted);
        }
    }

    #[test]
    fn curl_changes_nothing() {
        assert_eq!(for_form("a.txt"), "a.txt");
        assert_eq!(for_form("a;b\"c\\d"), "\"a;b\\\"c\\\\d\"");
        assert_eq!(for_form(""), "\"\"");
    }
}
