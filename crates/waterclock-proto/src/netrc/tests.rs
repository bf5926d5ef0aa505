//! netrc files as people write them, and any others.

use super::*;
use proptest::prelude::*;

fn found<'a>(netrc: &'a Netrc, host: &str) -> Option<(&'a str, &'a str)> {
    netrc.find(host).map(|login| (login.user, login.password))
}

/// The user name and password for `host` in `text`.
fn find(text: &str, host: &str) -> Option<(String, String)> {
    let netrc = Netrc::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    found(&netrc, host).map(|(user, password)| (user.to_owned(), password.to_owned()))
}

fn both(user: &str, password: &str) -> Option<(String, String)> {
    Some((user.to_owned(), password.to_owned()))
}

#[test]
fn layout_does_not_matter() {
    for text in [
        "machine h login u password p",
        "machine h login u password p\n",
        "machine h\n\tlogin u\n\tpassword p\n",
        "\r\n machine\r\nh\r\nlogin\r\nu\r\n\r\npassword\r\np\r\n",
        "\u{feff}machine h password p login u",
        "MACHINE h Login u PASSWORD p",
        "machine h user u account a password p",
        "\"machine\" \"h\" \"login\"\"u\" password \"p\"",
        "machine other login x password y machine h login u password p",
        "default login x password y\nmachine h login u password p",
    ] {
        assert_eq!(find(text, "h"), both("u", "p"), "{text:?}");
    }
}

#[test]
fn comments_stand_where_keywords_do() {
    for text in [
        "# machine h login x password y\nmachine h login u password p",
        "#\nmachine h login u password p",
        "#machine h login x\nmachine h login u password p",
        "machine h # login x\nlogin u #password\npassword p # password y",
        "machine h login u password p\n# the end",
        "machine h login u\n#\n\n  # \"\n password p",
    ] {
        assert_eq!(find(text, "h"), both("u", "p"), "{text:?}");
    }
    assert_eq!(find("machine h login #u password #p#", "h"), both("#u", "#p#"));
    assert_eq!(find("machine h login u#v password p#q", "h"), both("u#v", "p#q"));
}

#[test]
fn quotes_and_escapes() {
    let password = |written: &str| {
        find(&format!("machine h login u password {written}\nmachine i password x"), "h").unwrap().1
    };
    assert_eq!(password(r#""a b""#), "a b");
    assert_eq!(password(r#""a\"b\\c\d\n""#), r#"a"b\cdn"#);
    assert_eq!(password(r#""""#), "");
    assert_eq!(password("\"a\nb\""), "a\nb");
    assert_eq!(password("\"#a\""), "#a");
    assert_eq!(password(r#"a"b"c"#), r#"a"b"c"#);
    assert_eq!(password(r"a\ b\\c\d"), r"a b\cd");
    assert_eq!(password(r#"\"a"#), "\"a");
    assert_eq!(password("p\u{e4}\u{df}"), "p\u{e4}\u{df}");
    assert_eq!(password("login"), "login", "a value may look like a keyword");
}

#[test]
fn macros_are_skipped() {
    let end = "machine h login u password p\n";
    for text in [
        format!("macdef init\ncd /pub\nmachine h login x password y\n\n{end}"),
        format!("macdef init\r\nbin\r\n\r\n{end}"),
        format!("macdef init\nbin \"\n \t\n{end}"),
        format!("macdef init\n\n{end}"),
        format!("machine x login y\nmacdef init\nmachine h\n\n{end}"),
        format!("{end}macdef init\nmachine h login x password y"),
        format!("{end}macdef init"),
    ] {
        assert_eq!(find(&text, "h"), both("u", "p"), "{text:?}");
    }
}

#[test]
fn hosts_are_compared_whole() {
    let text = "machine Example.com login u password p\nmachine ::1 login v6 password p";
    for host in ["example.com", "EXAMPLE.COM"] {
        assert_eq!(find(text, host), both("u", "p"), "{host}");
    }
    for host in
        ["www.example.com", "xample.com", "example.co", "example.com:80", "example.com.", ""]
    {
        assert_eq!(find(text, host), None, "{host}");
    }
    assert_eq!(find(text, "[::1]"), both("v6", "p"));
    assert_eq!(find(text, "::1"), both("v6", "p"));
    assert_eq!(find("machine default login u password p", "other"), None);
}

#[test]
fn default_counts_last() {
    let text = "default login d password dp\nmachine h login u password p\nmachine e";
    assert_eq!(find(text, "h"), both("u", "p"));
    assert_eq!(find(text, "other"), both("d", "dp"));
    assert_eq!(find(text, "e"), None, "an entry of its own, if an empty one");
    assert_eq!(find("machine h login u password p", "other"), None);
}

#[test]
fn the_last_of_two_entries_counts() {
    let text = "machine h login u password p\nmachine h login v password q";
    assert_eq!(find(text, "h"), both("v", "q"));
}

#[test]
fn requests_6928_an_empty_entry_is_no_empty_user() {
    for text in ["machine h", "machine h\n\n", "machine h login \"\" password \"\"", "default", ""]
    {
        assert_eq!(find(text, "h"), None, "{text:?}");
    }
}

#[test]
fn a_part_is_enough_and_account_stands_in_for_login() {
    assert_eq!(find("machine h login u", "h"), both("u", ""));
    assert_eq!(find("machine h password p", "h"), both("", "p"));
    assert_eq!(find("machine h account a password p", "h"), both("a", "p"));
    assert_eq!(find("machine h account a", "h"), both("a", ""));
}

/// `a` redirects to `b`, whose entry has no password: `a`'s must not be taken for it.
#[test]
fn cve_2024_11053_no_password_of_another_entry() {
    let text = "machine a login alice password alicespass\nmachine b login bob\n";
    assert_eq!(find(text, "b"), both("bob", ""));
    let text = "machine a login alice password alicespass\ndefault\n";
    assert_eq!(find(text, "b"), None, "CVE-2025-0167");
}

/// The host of `http://example.com:@evil.com/` is `evil.com`. Nothing but a whole host is found,
/// so that what was cut out of a URL by mistake finds nothing.
#[test]
fn cve_2024_47081_only_a_whole_host_is_found() {
    let url = url::Url::parse("http://example.com:@evil.com/").unwrap();
    let text = "machine example.com login u password p";
    assert_eq!(find(text, url.host_str().unwrap()), None);
    for cut in ["example.com:@evil.com", "example.com:", "example.com@evil.com", "@example.com"] {
        assert_eq!(find(text, cut), None, "{cut}");
    }
}

#[test]
fn entries_of_a_user() {
    let netrc = Netrc::parse(
        "machine h login u password p\nmachine h login v password q\nmachine h password r
         default login d password s",
    )
    .unwrap();
    let password =
        |host: &str, user: &str| netrc.find_for_user(host, user).map(|login| login.password);
    assert_eq!(password("H", "u"), Some("p"));
    assert_eq!(password("h", "v"), Some("q"));
    assert_eq!(password("h", "U"), None);
    assert_eq!(password("h", "d"), None, "the host has entries of its own");
    assert_eq!(password("other", "d"), Some("s"));
    assert_eq!(password("other", "u"), None);
}

#[test]
fn errors_say_where_and_what_to_do() {
    for (text, line, fault, advice) in [
        ("\nmachine h login u password two words", 2, NetrcFault::UnknownKeyword, "\"...\""),
        ("machine h\nlogin u\n\nhunter2 password", 4, NetrcFault::UnknownKeyword, "keyword"),
        ("\"\"", 1, NetrcFault::UnknownKeyword, "keyword"),
        ("# x\nlogin u", 2, NetrcFault::OutsideEntry { keyword: "login" }, "machine"),
        ("user u", 1, NetrcFault::OutsideEntry { keyword: "login" }, "machine"),
        ("machine", 1, NetrcFault::MissingValue { keyword: "machine" }, "machine has no value"),
        ("\nmachine \"\"", 2, NetrcFault::MissingValue { keyword: "machine" }, "no value"),
        ("machine h\npassword\n\n", 2, NetrcFault::MissingValue { keyword: "password" }, "behind"),
        ("machine h macdef", 1, NetrcFault::MissingValue { keyword: "macdef" }, "behind"),
        ("machine h\npassword \"a\n\nb", 2, NetrcFault::OpenQuote, "close it"),
        ("machine h password \"a\\", 1, NetrcFault::OpenEscape, "backslash"),
        ("machine h password a\\", 1, NetrcFault::OpenEscape, "backslash"),
        ("machine h password \"a\nb\" c", 2, NetrcFault::UnknownKeyword, "keyword"),
        ("macdef m\na\n\n\nx", 5, NetrcFault::UnknownKeyword, "keyword"),
    ] {
        let error = Netrc::parse(text).unwrap_err();
        assert_eq!(error, NetrcError { line, fault }, "{text:?}");
        let message = error.to_string();
        assert!(message.starts_with(&format!("netrc line {line}: ")), "{message}");
        assert!(message.contains(advice), "{message}");
        assert!(!message.contains("hunter2") && !message.contains("two"), "{message}");
    }
}

#[test]
fn large_files_are_refused() {
    let text = format!("machine h password {}", "x".repeat(Netrc::MAX_BYTES));
    assert_eq!(Netrc::parse(&text).unwrap_err().fault, NetrcFault::TooLarge);
    assert!(Netrc::parse(&text[..Netrc::MAX_BYTES]).is_ok());
}

#[test]
fn debug_hides_the_password() {
    let netrc = Netrc::parse("machine h login u password hunter2").unwrap();
    assert_eq!(format!("{netrc:?}"), "Netrc(1 entries)");
    assert_eq!(
        format!("{:?}", netrc.find("h")),
        "Some(Login { user: \"u\", password: <redacted> })"
    );
}

/// Words and marks that mean something, and any text.
fn piece() -> impl Strategy<Value = String> {
    let known = [
        "machine ",
        "default ",
        "login ",
        "password ",
        "macdef ",
        "account ",
        "\n",
        "\r\n",
        "#",
        "\"",
        "\\",
        " ",
        "h ",
        "\u{feff}",
    ];
    let known = proptest::sample::select(known.to_vec()).prop_map(str::to_owned);
    prop_oneof![4 => known, 1 => any::<String>()]
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_with_its_line(
        pieces in proptest::collection::vec(piece(), 0..40),
    ) {
        let text = pieces.concat();
        match Netrc::parse(&text) {
            Ok(netrc) => {
                for host in ["h", "login", ""] {
                    let _ = (netrc.find(host), netrc.find_for_user(host, "h"));
                }
            }
            Err(error) => prop_assert!((1..=text.split('\n').count()).contains(&error.line)),
        }
    }

    #[test]
    fn quoted_values_come_back(host in "[a-zA-Z0-9.-]{1,20}", user: String, password: String) {
        let quote = |text: &str| format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""));
        let text = format!(
            "machine {} login {} password {}#\ndefault login x",
            quote(&host), quote(&user), quote(&password),
        );
        let netrc = Netrc::parse(&text).unwrap();
        let expected = (!user.is_empty() || !password.is_empty()).then_some((&*user, &*password));
        prop_assert_eq!(found(&netrc, &host), expected);
    }
}
