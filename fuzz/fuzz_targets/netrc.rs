//! A netrc file: an error that names a line of it and shows none of it, or logins that are in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waterclock_proto::netrc::Netrc;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = str::from_utf8(data) else { return };
    let netrc = match Netrc::parse(text) {
        Ok(netrc) => netrc,
        Err(error) => {
            assert!((1..=text.split('\n').count() + 1).contains(&error.line), "{error}");
            assert!(!error.to_string().contains(char::is_control));
            return;
        }
    };
    for host in ["a", "example.com", "[::1]", "::1", "default", ""] {
        let Some(login) = netrc.find(host) else { continue };
        assert!(!login.user.is_empty() || !login.password.is_empty());
        let upper = host.to_ascii_uppercase();
        assert!(netrc.find(&upper) == Some(login), "case does not count in {host}");
        let same = netrc.find_for_user(host, login.user).expect("this user is there");
        assert_eq!((same.user, same.password), (login.user, login.password));
        // What is found is in the file, but for the backslashes.
        let plain = !text.contains('\\');
        assert!(!plain || (text.contains(login.user) && text.contains(login.password)));
        let lower = text.to_ascii_lowercase();
        let bare = host.trim_matches(['[', ']']);
        assert!(!plain || lower.contains("default") || lower.contains(bare));
    }
});
