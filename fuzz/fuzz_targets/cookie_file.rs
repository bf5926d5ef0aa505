//! Cookie files, in both formats: an error, or a jar that is written and read back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::time::{Duration, SystemTime};
use waterclock_fuzz::input::Input;
use waterclock_proto::cookies::{CookieJar, SessionCookies};

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let netscape = input.byte() & 1 == 0;
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let read = if netscape { CookieJar::from_netscape } else { CookieJar::from_json };
    let Ok(loaded) = read(input.0, now) else { return };
    let text = if netscape {
        let file = loaded.jar.to_netscape(SessionCookies::Keep);
        if !file.left_out.is_empty() {
            // The format has such lines for comments.
            assert!(file.left_out.iter().all(|cookie| cookie.domain().starts_with('$')));
            return;
        }
        file.text
    } else {
        loaded.jar.to_json(SessionCookies::Keep).into_bytes()
    };
    let again = read(&text, now).expect("our own file");
    assert!(again.left_out.is_empty(), "{:?}", again.left_out);
    assert!(again.jar == loaded.jar, "{}", text.escape_ascii());
});
