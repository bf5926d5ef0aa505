//! Set-Cookie in, Cookie out: a cookie goes to the hosts it belongs to, and what goes is clean.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::cell::LazyCell;
use std::time::{Duration, SystemTime};
use url::Url;
use waterclock_fuzz::input::Input;
use waterclock_proto::cookies::{
    CookieJar, MAX_AGE, MAX_HEADER_BYTES, SessionCookies, SiteContext,
};

const PLACES: [&str; 8] = [
    "https://www.x.org/a/b",
    "http://x.org/",
    "http://a.www.x.org/a",
    "https://yx.org/a/b/c",
    "http://x.co.uk/",
    "http://127.0.0.1/a",
    "http://0.0.1/",
    "http://[::1]/a/b",
];

thread_local! {
    static PARSED: LazyCell<Vec<Url>> = const {
        LazyCell::new(|| PLACES.iter().map(|place| place.parse().expect("a URL")).collect())
    };
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let choice = input.byte();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    PARSED.with(|places| {
        let mut jar = CookieJar::new();
        let from = usize::from(choice);
        let place = |at: usize| &places[at % PLACES.len()];
        // One response with up to three fields, the last from a neighbour.
        let neighbour = from + 1 + from / 8;
        for at in [from, from, neighbour] {
            let field = input.line();
            if !field.is_empty() {
                store(&mut jar, place(at), field, now);
            }
        }
        if !jar.is_empty() {
            // All of them at once would be slow, and so would be a file each time.
            for to in [from, neighbour, from / 32] {
                check(&mut jar, place(to), now);
            }
            if choice & 0xc0 == 0 {
                keep(&mut jar, now);
            }
        }
    });
});

/// Nobody sets a cookie for a host that is neither its own nor above it.
fn store(jar: &mut CookieJar, from: &Url, field: &[u8], now: SystemTime) {
    let before: Vec<_> = jar.iter().cloned().collect();
    let _ = jar.store_response(from, field, now);
    let host = from.host_str().expect("a host");
    for cookie in jar.iter().filter(|cookie| !before.contains(cookie)) {
        let above = host.strip_suffix(cookie.domain()).is_some_and(|rest| rest.ends_with('.'));
        assert!(host == cookie.domain() || above, "{from} has set {cookie:?}");
    }
}

fn check(jar: &mut CookieJar, to: &Url, now: SystemTime) {
    let host = to.host_str().expect("a host");
    let sent = jar.cookies_for(to, SiteContext::SameSite, now);
    for cookie in &sent {
        assert!(!cookie.secure() || to.scheme() == "https");
        let below = host.strip_suffix(cookie.domain()).is_some_and(|rest| rest.ends_with('.'));
        assert!(host == cookie.domain() || (below && !cookie.host_only()), "{cookie:?} to {to}");
        assert!(to.path().starts_with(cookie.path()), "{cookie:?} to {to}");
        assert!(cookie.expires().is_none_or(|end| now < end && end <= now + MAX_AGE));
    }
    let any = !sent.is_empty();
    let header = jar.header(to, SiteContext::SameSite, now);
    assert_eq!(header.is_some(), any);
    if let Some(header) = header {
        assert!(header.len() <= MAX_HEADER_BYTES);
        assert!(!header.iter().any(|&byte| byte != b'\t' && byte.is_ascii_control()));
    }
}

/// What is written to a file is read back.
fn keep(jar: &mut CookieJar, now: SystemTime) {
    let text = jar.to_json(SessionCookies::Keep);
    let loaded = CookieJar::from_json(text.as_bytes(), now).expect("our own file");
    assert!(loaded.left_out.is_empty() && loaded.jar == *jar, "{text}");
}
